//! `tamis preview`, `tamis advise` and `tamis test --snapshots`.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use serde_json::json;

use crate::world::{PIPELINE, World};

/// Forty documents in two files, of growing length, every second one in another language.
pub(crate) fn world() -> World {
    let world = World::with(&PIPELINE.replace("min_chars = 10", "min_chars = 100"));
    let record = |n: usize| {
        let (text, language) = match n % 2 {
            0 => ("The ferry to the islands left the harbour. ", "en"),
            _ => ("去年春天的洪水以后，渡船停了两个小时。", "zh-Hans"),
        };
        json!({ "id": format!("d{n}"), "text": text.repeat(n + 1), "language": language }).to_string() + "\n"
    };
    world.write("in/a.jsonl", (0..20).map(record).collect::<String>());
    world.write("in/b.jsonl", (20..40).map(record).collect::<String>() + "<no JSON>\n");
    world
}

#[test]
fn a_preview_shows_both_sides_of_a_sample_and_why_documents_went() {
    let world = world();
    let ran = world.tamis(&["preview", "p.toml", "-n", "1000"]).exits(0);
    assert_eq!(ran.stdout, "p-preview.html: 41 documents, 37 kept, 3 dropped, 1 failed\n");
    let page = world.read("p-preview.html");
    for part in [
        "41 documents out of 2 files",
        "data-fate=\"dropped\" data-cause=\"length: too-short\" data-about=\"zh-Hans\"",
        "<option value=\"length: too-short\">length: too-short (3, 7.3 %)</option>",
        "chars 35, at least 100 (min_chars)",
        "auto: failed",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert_eq!(page.matches("<article class=\"document").count(), 41);
    for part in ["http:", "https:", "url(", "src=", "<no JSON>"] {
        assert!(!page.contains(part), "{part}");
    }
    assert!(!world.path("out").exists());
    // A smaller one is spread over the files, and the same each time.
    let few = |file: &str| {
        world.tamis(&["preview", "p.toml", "-n", "8", "-o", file]).exits(0);
        world.read(file)
    };
    let page = few("few.html");
    assert_eq!(page.matches("<article class=\"document").count(), 8);
    assert!(page.contains(">d0<") && page.contains(">d35<") && page == few("again.html"), "{page}");
}

#[test]
fn advice_says_what_limits_drop_and_writes_them() {
    let world = world();
    let ran = world.tamis(&["advise", "p.toml", "-o", "tuned.toml", "--drop", "10"]).exits(0);
    for part in [
        "length  chars (characters)  at least 100 (min_chars)",
        "  now drops 3 (7.5 %)  d3 76, d1 38",
        "   en          20 ",
        "   zh          20 ",
        "--set stage.length.min_chars=",
    ] {
        assert!(ran.stdout.contains(part), "{part}: {}", ran.stdout);
    }
    let tuned = world.read("tuned.toml");
    assert!(
        tuned.contains("extends = \"p.toml\"")
            && tuned.contains("min_chars = ")
            && tuned.contains("# was 100; "),
        "{tuned}"
    );
    world.tamis(&["check", "tuned.toml"]).exits(0);
    let dropped = world.tamis(&["run", "tuned.toml", "-o", "tuned"]).exits(0);
    assert!(dropped.stdout.contains(" dropped · "), "{}", dropped.stdout);
    assert_eq!(world.ids("tuned/dropped").len(), 4, "{dropped:?}");
    // A pipeline without limits.
    world.write(
        "q.toml",
        "[[source]]\nuse = \"auto\"\npaths = [\"in\"]\n[[export]]\nuse = \"jsonl\"\npath = \"out\"\n",
    );
    let none = world.tamis(&["advise", "q.toml"]).exits(2).stderr;
    assert!(none.contains("no stage of `q.toml` measures anything against a limit"), "{none}");
}

#[test]
fn advice_is_written_where_the_limits_stand() {
    let world = world();
    let before = world.read("p.toml").replace("min_chars = 100", "min_chars = 100  # ours");
    world.write("p.toml", &before);
    let unused = world.tamis(&["advise", "p.toml", "--drop", "10"]).exits(2).stderr;
    assert!(unused.contains("--write"), "{unused}");
    let ran = world.tamis(&["advise", "p.toml", "--write", "--drop", "10"]).exits(0);
    let limit = ran.stdout.lines().find_map(|line| line.strip_prefix("stage.length.min_chars = "));
    let limit = limit.unwrap_or_else(|| panic!("{}", ran.stdout));
    assert_ne!(limit, "100");
    assert_eq!(world.read("p.toml"), before.replace("= 100  #", &format!("= {limit}  #")));
}

#[test]
fn advice_is_of_limits_that_drop_and_that_their_stage_takes() {
    let world = world();
    let stages = "[[stage]]\nuse = \"language\"\n\n[[stage]]\nuse = \"dedup-near\"\n\n[[stage]]\nuse = \"judge\"\n\
                  presets = [\"web-en\", \"web-zh\", \"c4\"]\nlimits = { zh = { min_visible_chars = 40 } }\n\n\
                  [[stage]]\nuse = \"length\"";
    world.write("p.toml", world.read("p.toml").replacen("[[stage]]\nuse = \"length\"", stages, 1));
    let copy = |n: usize| {
        let text = format!("The bridge of valley {n} was closed for repairs. ").repeat(20);
        json!({ "id": format!("c{n}"), "text": text }).to_string() + "\n"
    };
    world.write("in/c.jsonl", (0..6).flat_map(|n| [copy(n % 3), copy(n % 3)]).collect::<String>());
    let walk = |n: usize| {
        let day = |at: usize| {
            format!("On day {n}{at} we walked {at}{n} miles to the mill of {at}{n}{at}, and it rained. ")
        };
        json!({ "id": format!("w{n}"), "text": (0..n / 4).map(day).collect::<String>() }).to_string() + "\n"
    };
    world.write("in/d.jsonl", (24..96).map(walk).collect::<String>());
    let said = world.tamis(&["advise", "p.toml"]).exits(0).stdout;
    // A likeness is measured of what is dropped for it; a language of which nobody is sure is noted.
    for stage in ["dedup-near", "language"] {
        assert!(!said.contains(&format!("--set stage.{stage}.")), "{said}");
    }
    assert!(
        said.contains("no limit is proposed") && said.contains("--set stage.judge.limits.min_words="),
        "{said}"
    );
    // A table replaces the one of the pipeline as a whole, so what else stands there goes with it.
    world.tamis(&["advise", "p.toml", "-o", "tuned.toml", "--drop", "5"]).exits(0);
    let tuned = world.read("tuned.toml");
    assert!(tuned.contains("limits.zh = { min_visible_chars = 40 }\nlimits."), "{tuned}");
    world.tamis(&["check", "tuned.toml"]).exits(0);
    world.tamis(&["advise", "p.toml", "--write"]).exits(0);
    world.tamis(&["check", "p.toml"]).exits(0);
}

#[test]
fn a_limit_that_is_not_what_drops_is_not_proposed() {
    let world = world();
    let stage = "[[stage]]\nuse = \"language\"\nkeep = [\"en\"]\n\n[[stage]]\nuse = \"length\"";
    world.write("p.toml", world.read("p.toml").replacen("[[stage]]\nuse = \"length\"", stage, 1));
    world.write(
        "in/a.jsonl",
        (0..60)
            .map(|n| json!({ "id": format!("n{n}"), "text": format!("{n} ").repeat(90) }).to_string() + "\n")
            .collect::<String>(),
    );
    let said = world.tamis(&["advise", "p.toml"]).exits(0).stdout;
    // Numbers have no language, whatever confidence is asked for.
    assert!(said.contains("language_confidence") && !said.contains("--set stage.language."), "{said}");
}

/// A preview that is served.
pub(crate) struct Served {
    process: std::process::Child,
    host: String,
    path: String,
}

impl Served {
    pub(crate) fn start(world: &World) -> Self {
        let mut command = std::process::Command::new(tamis_tests::program::tamis());
        command.args(["preview", "p.toml", "-n", "1000", "--serve"]).current_dir(world.path("."));
        let mut process = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut said).unwrap();
        let address =
            said.split_once("http://").and_then(|(_, rest)| rest.split(' ').next()).expect("an address");
        let (host, path) = address.split_once('/').expect("a path");
        Self { process, host: host.to_owned(), path: format!("/{path}") }
    }

    /// The page.
    pub(crate) fn page(&self) -> String {
        self.ask("GET", &self.host, &self.path, "").1
    }

    /// The status and the body of an answer.
    fn ask(&self, method: &str, host: &str, path: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.host).unwrap();
        let length = body.len();
        let asked = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(asked.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").expect("an answer");
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    fn post(&self, what: &str, body: &str) -> (u16, String) {
        self.ask("POST", &self.host, &format!("{}{what}", self.path), body)
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn limits_of_a_preview_are_turned_and_written_by_whoever_has_seen_the_address() {
    let world = world();
    let before = world.read("p.toml").replace("min_chars = 100", "min_chars = 100  # ours");
    world.write("p.toml", &before);
    let served = Served::start(&world);
    let (status, page) = served.ask("GET", &served.host, &served.path, "");
    assert_eq!(status, 200);
    assert!(
        page.contains("data-key=\"stage.length.min_chars\"") && page.contains("write to p.toml"),
        "{page}"
    );
    assert_eq!(page.matches("data-fate=\"dropped\"").count(), 3);
    // What is turned is seen by everything on the page, and nothing is written.
    let (status, page) = served.post("turn", "{\"stage.length.min_chars\": 400}");
    assert_eq!(status, 200);
    let n = page.matches("data-fate=\"dropped\"").count();
    assert!(n > 10 && page.contains(&format!("length: too-short ({n}, ")), "{n}");
    assert!(page.contains("chars 380, at least 400 (min_chars)"), "{page}");
    assert_eq!(world.read("p.toml"), before);
    for (body, says) in [("{\"stage.length.min_charz\": 4}", "did you mean `min_chars`"), ("x", "no limits")]
    {
        let (status, message) = served.post("turn", body);
        assert!(status == 409 && message.contains(says), "{status} {message}");
    }
    let (status, told) = served.post("write", "{\"stage.length.min_chars\": 400}");
    assert_eq!((status, told.as_str()), (200, "1 limit written to p.toml"));
    assert_eq!(world.read("p.toml"), before.replace("= 100  #", "= 400  #"));
    // Whoever has not seen the address, or has been led here under another name.
    for (host, path) in [(served.host.as_str(), "/"), (&served.host, "/0/"), ("mill.example", &served.path)] {
        assert_eq!(served.ask("GET", host, path, "").0, 404, "{host} {path}");
    }
    assert_eq!(served.ask("PUT", &served.host, &served.path, "").0, 405);
}

#[test]
fn snapshots_are_compared_accepted_and_missed() {
    let world = world();
    world.write("samples/a.txt", "The ferry to the islands left the harbour. ".repeat(4));
    world.write("samples/b.txt", "short");
    let test = |code: i32, more: &[&str]| {
        world.tamis(&[&["test", "p.toml", "--snapshots", "samples"], more].concat()).exits(code).stdout
    };
    let fresh = test(1, &[]);
    assert!(
        fresh.contains("fail samples/a.txt (new; `--accept` writes it)")
            && fresh.ends_with("0 passed, 2 failed\n"),
        "{fresh}"
    );
    test(0, &["--accept"]);
    assert_eq!(world.read("samples/b.txt.snap"), "=== b.txt === dropped by length: too-short\n");
    assert!(world.read("samples/a.txt.snap").starts_with("=== a.txt === kept\n\nThe ferry"));
    assert!(test(0, &[]).ends_with("2 passed, 0 failed\n"));
    // The pipeline is changed, and so is what comes out.
    world.write("p.toml", world.read("p.toml").replace("min_chars = 100", "min_chars = 200"));
    let changed = test(1, &[]);
    assert!(changed.contains("fail samples/a.txt (differs;") && changed.contains("too-short"), "{changed}");
    std::fs::remove_file(world.path("samples/b.txt")).unwrap();
    assert!(test(1, &[]).contains("fail samples/b.txt.snap: its file is gone"));
    test(0, &["--accept"]);
    assert!(!world.path("samples/b.txt.snap").exists());
    let none = world.tamis(&["test", "p.toml", "--accept"]).exits(2).stderr;
    assert!(none.contains("--snapshots"), "{none}");
}
