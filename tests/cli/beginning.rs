//! `tamis init`: what it writes runs, and is what the files need.

use serde_json::json;

use crate::world::World;

const BODY: &str = "The path leaves the village behind the mill, climbs through beech woods, and comes out on open grass. \
    From here on there is no shade, so carry water. On the far side it drops to the lake.";

fn page(n: usize) -> String {
    format!(
        "<html><head><title>Walk {n}</title></head><body><nav><ul><li><a href='/'>Home</a></li><li><a href='/w'>Walks</a>\
         </li><li><a href='/m'>Maps</a></li></ul></nav><main><p>Walk number {n} of the book. {BODY}</p><p>{BODY} And so \
         to bed, after {n} hours.</p></main></body></html>"
    )
}

/// The uses of a pipeline, in order.
fn uses(pipeline: &str) -> Vec<&str> {
    pipeline.lines().filter_map(|line| line.strip_prefix("use = \"")?.strip_suffix('"')).collect()
}

/// Runs what was written, and returns what came out.
fn run(world: &World) -> Vec<serde_json::Value> {
    let ran = world.tamis(&["run", "pipeline.toml"]).exits(0);
    assert!(!ran.stderr.contains("warning"), "{ran:?}");
    world.records("out")
}

#[test]
fn a_folder_of_pages_with_pictures_among_them() {
    let world = World::new();
    (0..12).for_each(|n| world.write(format!("site/{n}.html"), page(n)));
    world.write("site/logo.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    let ran = world.tamis(&["init", "site"]).exits(0);
    assert!(ran.stdout.contains("documents   sources of pages\nlanguages   en 100 %\n"), "{}", ran.stdout);
    let pipeline = world.read("pipeline.toml");
    assert_eq!(
        uses(&pipeline),
        ["html", "html-metadata", "html-extract", "repair-text", "length", "jsonl", "jsonl"]
    );
    assert!(
        pipeline.contains("paths = [\"site\"]\n") && pipeline.contains("exclude = [\"*.png\"]"),
        "{pipeline}"
    );
    assert!(pipeline.lines().all(|line| line.chars().count() <= 101), "{pipeline}");
    let records = run(&world);
    assert_eq!(records.len(), 12);
    let text = records[0]["text"].as_str().unwrap();
    assert!(text.starts_with("Walk number 0 of the book.") && !text.contains("Home"), "{text}");
    // The second time it would be lost.
    let again = world.tamis(&["init", "site"]).exits(2).stderr;
    assert!(
        again.contains("`pipeline.toml` is there: name another file with `-o`, or pass `--force`"),
        "{again}"
    );
    assert_eq!(world.tamis(&["init", "site", "-o", "-"]).exits(0).stdout.matches("[[stage]]").count(), 4);
}

#[test]
fn a_site_of_many_pages_with_all_that_lies_beside_them() {
    let world = World::new();
    (0..40).for_each(|n| world.write(format!("site/{n}.html"), page(n)));
    let moved = "<html><head><meta http-equiv='refresh' content='0; url=../1.html'></head><body><p>This page has moved to \
                 another address, where you will find it under its new name.</p></body></html>";
    (0..5).for_each(|n| world.write(format!("site/old/{n}.html"), moved));
    (0..3).for_each(|n| world.write(format!("site/style/{n}.css"), "body > p { color: black; margin: 0 }\n"));
    world.write("site/logo.gif", b"GIF89a\x01\0\x01\0\0\0\0");
    // The sample has none of the pictures, of which there is one.
    let ran = world.tamis(&["init", "site", "--sample", "40"]).exits(0);
    assert!(!ran.stderr.contains("warning"), "{ran:?}");
    let pipeline = world.read("pipeline.toml");
    assert!(pipeline.contains("exclude = [\"*.css\", \"*.gif\"]"), "{pipeline}");
    let stages = ["where", "html-metadata", "site-template", "html-extract", "repair-text", "length"];
    assert_eq!(uses(&pipeline)[1..7], stages, "{pipeline}");
    let ran = world.tamis(&["run", "pipeline.toml"]).exits(0);
    assert!(ran.stdout.contains("40 kept · 5 dropped · 0 failed"), "{}", ran.stdout);
}

#[test]
fn what_comes_first_is_not_taken_for_all() {
    let world = World::new();
    (10..30).for_each(|n| world.write(format!("manual/{n}/example.py"), format!("print({n}, '{BODY}')\n")));
    (30..60).for_each(|n| world.write(format!("manual/{n}/index.html"), page(n)));
    let ran = world.tamis(&["init", "manual"]).exits(0);
    assert!(!ran.stderr.contains("warning"), "{ran:?}");
    assert!(uses(&world.read("pipeline.toml")).contains(&"html-extract"));
    // Of pages that share no line with others nothing is said of the wrong stage.
    assert!(!ran.stdout.contains("site-rules"), "{}", ran.stdout);
}

#[test]
fn lines_of_json_that_call_their_fields_otherwise() {
    let world = World::new();
    let lines: String = (0..40)
        .map(|n| json!({ "_id": format!("w{n}"), "link": format!("https://walks.example/{n}"), "source": page(n % 30) }).to_string() + "\n")
        .collect();
    world.write("dump/pages.jsonl", lines);
    world.tamis(&["init", "dump/pages.jsonl"]).exits(0);
    let pipeline = world.read("pipeline.toml");
    let stages = ["html-metadata", "site-template", "html-extract", "repair-text", "length", "dedup-exact"];
    assert_eq!(uses(&pipeline), [&["jsonl"], &stages[..], &["jsonl"; 2]].concat());
    assert!(pipeline.contains("fields = { id = \"_id\", text = \"source\" }"), "{pipeline}");
    assert!(pipeline.contains("# sites       walks.example 100 %\n"), "{pipeline}");
    // Ten of them were copies.
    let records = run(&world);
    assert_eq!((records.len(), records[7]["id"].as_str()), (30, Some("w7")));
}

#[test]
fn text_needs_no_cleaning_and_languages_are_told_apart() {
    let world = World::new();
    let text = |n: usize| {
        match n % 2 {
        0 => format!("Part {n}. {BODY} {BODY}"),
        _ => format!("第{n}篇。早晨的雾很大，渡船停了两个小时，等船的人坐在码头上喝茶，谁也不着急，说起去年的大水和今年的收成。").repeat(2),
    }
    };
    (0..10).for_each(|n| world.write(format!("texts/{n}.txt"), text(n)));
    let ran = world.tamis(&["init", "texts"]).exits(0);
    assert!(ran.stdout.contains("documents   text, with next to nothing around it\n"), "{}", ran.stdout);
    let pipeline = world.read("pipeline.toml");
    assert_eq!(uses(&pipeline), ["text", "repair-text", "length", "language", "jsonl", "jsonl"]);
    assert!(pipeline.contains("`keep = [\"en\", \"zh\"]`"), "{pipeline}");
    assert_eq!(run(&world).len(), 10);
}

#[test]
fn what_holds_no_document_is_told() {
    let world = World::new();
    world.write("pictures/a.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    let none = world.tamis(&["init", "pictures"]).exits(2).stderr;
    assert!(
        none.contains("no document could be read from the inputs") && none.contains("image/png"),
        "{none}"
    );
    assert!(!world.path("pipeline.toml").exists());
    let missing = world.tamis(&["init", "nowhere"]).exits(2).stderr;
    assert!(missing.contains("nowhere"), "{missing}");
    let stdin = world.tamis(&["init", "-"]).exits(2).stderr;
    assert!(stdin.contains("standard input can be read once only"), "{stdin}");
}

/// Lines of `init`'s pipeline, all of them.
fn assert_lines(pipeline: &str, lines: &[&str]) {
    for line in lines {
        assert!(pipeline.lines().any(|own| own == *line), "{line}\n{pipeline}");
    }
}

#[test]
fn a_file_that_is_read_otherwise_gets_a_source_of_its_own() {
    let world = World::new();
    (0..12).for_each(|n| world.write(format!("dump/{n}.html"), page(n)));
    world.write("dump/more/a.jsonl", json!({ "id": "a", "body": BODY }).to_string());
    world.tamis(&["init", "dump"]).exits(0);
    let pipeline = world.read("pipeline.toml");
    assert_lines(
        &pipeline,
        &[
            "use = \"html\"",
            "paths = [\"dump\"]",
            "# Left out: the files of the next sources.",
            "exclude = [\"*.jsonl\"]",
            "use = \"jsonl\"",
            "paths = [\"dump/**/*.jsonl\"]",
            "fields = { text = \"body\" }",
        ],
    );
    assert_eq!(run(&world).len(), 13);
}

#[test]
fn a_file_that_cannot_be_read_is_told() {
    let world = World::new();
    (0..12).for_each(|n| world.write(format!("dump/{n}.html"), page(n)));
    world.write("dump/more/a.jsonl", "{\"text\": \"The mill");
    let said = world.tamis(&["init", "dump"]).exits(0).stdout;
    assert!(said.contains("unreadable  1 of 13, the first because: "), "{said}");
    let pipeline = world.read("pipeline.toml");
    assert!(pipeline.contains("# No record of `more/a.jsonl` can be read: line 1: "), "{pipeline}");
}

/// A table in Chinese, in GB18030.
fn table(rows: std::ops::Range<usize>) -> Vec<u8> {
    let rows: Vec<String> = rows
        .map(|n| {
            let text = "早晨的雾很大，渡船停了两个小时，等船的人坐在码头上喝茶，谁也不着急。".repeat(3);
            format!("{n},渡船第{n}天,https://river.example/{n},2021-03-0{},{n}。{text}\n", 1 + n % 9)
        })
        .collect();
    encoding_rs::GB18030.encode(&format!("编号,标题,链接,日期,正文\n{}", rows.concat())).0.into_owned()
}

#[test]
fn a_table_in_chinese_is_read_by_the_names_of_its_columns() {
    let world = World::new();
    world.write("dump/tab/a.csv", table(0..30));
    world.tamis(&["init", "dump/tab"]).exits(0);
    let pipeline = world.read("pipeline.toml");
    let renamed = "rename = { \"链接\" = \"url\", \"标题\" = \"title\", \"日期\" = \"published_raw\" }";
    assert_lines(&pipeline, &["use = \"csv\"", "fields = { id = \"编号\", text = \"正文\" }", renamed]);
    let records = run(&world);
    assert_eq!((records.len(), records[3]["id"].as_str()), (30, Some("3")));
    let metadata = &records[3]["metadata"];
    assert_eq!(metadata["title"], "渡船第3天");
    assert_eq!(
        (&metadata["url"], &metadata["published"]),
        (&json!("https://river.example/3"), &json!("2021-03-04"))
    );
}

#[test]
fn a_mixed_dump_gets_a_source_for_each_sort_and_stages_for_all() {
    let world = World::new();
    (0..12).for_each(|n| world.write(format!("dump/pages/{n}.html"), page(n)));
    (0..12).for_each(|n| world.write(format!("dump/flat/{n}.txt"), flat(n)));
    world.write("dump/tab/a.csv", table(0..9));
    let lines = |name: &str, from: usize| -> String {
        let line =
            |n: usize| json!({ "key": n, name: format!("Day {n}. {BODY}"), "headline": format!("Day {n}") });
        (from..from + 9).map(|n| line(n).to_string() + "\n").collect()
    };
    world.write("dump/a.jsonl", lines("content", 0));
    world.write("dump/posts/b.jsonl", lines("article_body", 100));
    world.write("dump/logo.png", b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR");
    world.tamis(&["init", "dump"]).exits(0);
    let pipeline = world.read("pipeline.toml");
    assert_lines(
        &pipeline,
        &[
            "use = \"auto\"",
            "fields = { id = \"编号\", text = \"正文\" }",
            "fields = { id = \"key\", text = \"article_body\" }",
            "fields = { id = \"key\", text = \"content\" }",
            "id = \"jsonl-2\"",
            "skip_cleaned = true",
        ],
    );
    for name in ["html-metadata", "html-extract", "metadata", "boilerplate", "repair-text"] {
        assert!(uses(&pipeline).contains(&name), "{name}: {pipeline}");
    }
    let records = run(&world);
    assert_eq!(records.len(), 12 + 12 + 9 + 9 + 9, "{pipeline}");
    let text = |id: &str| records.iter().find(|it| it["id"] == id).and_then(|it| it["text"].as_str());
    assert!(
        text("auto/pages/3.html")
            .is_some_and(|text| text.starts_with("Walk number 3") && !text.contains("Home"))
    );
}

#[test]
fn inputs_that_are_read_otherwise_as_a_whole_are_named_as_they_were() {
    let world = World::new();
    (0..12).for_each(|n| world.write(format!("pages/{n}.html"), page(n)));
    world.write("tab/a.csv", table(0..9));
    world.write("tab/b.csv", table(10..13));
    world.write("both/c.csv", table(20..24));
    world.write("both/d.html", page(70));
    world.tamis(&["init", "pages", "tab", "both"]).exits(0);
    let pipeline = world.read("pipeline.toml");
    assert_lines(
        &pipeline,
        &["paths = [\"pages\", \"both\"]", "exclude = [\"*.csv\"]", "paths = [\"tab\", \"both/**/*.csv\"]"],
    );
    assert_eq!(run(&world).len(), 12 + 9 + 3 + 4 + 1);
}

/// A page that was flattened to text.
fn flat(n: usize) -> String {
    let lines = |prefix: &str, count: usize| {
        (0..count).map(|at| format!("{prefix} {at}\n")).collect::<Vec<_>>().concat()
    };
    let body: Vec<String> = (0..6).map(|at| format!("On day {n} we were at place {at}. {BODY}\n")).collect();
    let body = body.concat();
    format!(
        "{}Walk {n} of the book\n{body}{}About us\nPrivacy policy\nTerms of use\nContact\n",
        ["Home", "News", "Sport", "Log in", "Subscribe", "Search"].join("\n") + "\n",
        lines("Share on page", 4)
    )
}

/// A text that is like no other one.
fn body(n: usize) -> String {
    let word = |at: usize| {
        ["mill", "ferry", "lake", "bridge", "orchard", "quarry", "harbour"][(n * 5 + at * at) % 7]
    };
    let line = |at: usize| {
        format!(
            "On day {n} we walked from the {} to the {}, {at} miles, and slept by the {}.",
            word(at),
            word(at + 1),
            word(at + 2)
        )
    };
    (1..9).map(|at| line(at) + if at % 3 == 0 { "\n" } else { " " }).collect()
}

/// What no phrase list knows: only that all pages have it tells that it is no text.
const FRAME: [&str; 8] = [
    "The mill",
    "Boats and tides",
    "Letters to the miller",
    "Market day",
    "The choir of the ferrymen",
    "Notices on the door",
    "The warden keeps the key, and rings the bell at noon on every day but one",
    "Set by hand in the old mill, and printed on Thursdays",
];

#[test]
fn lines_that_pages_have_in_common_are_learned() {
    let world = World::new();
    let (head, foot) = FRAME.split_at(6);
    let page = |n: usize| format!("{}\nWalk {n}\n{}\n{}\n", head.join("\n"), body(n), foot.join("\n"));
    (0..25).for_each(|n| world.write(format!("dump/{n}.txt"), page(n)));
    world.tamis(&["init", "dump"]).exits(0);
    let pipeline = world.read("pipeline.toml");
    // What copies share is not template.
    let stages = uses(&pipeline);
    assert!(stages.windows(2).any(|two| two == ["dedup-exact", "line-template"]), "{pipeline}");
    assert!(!stages.contains(&"site-rules") && !world.path("sites").exists(), "{pipeline}");
    let records = run(&world);
    assert_eq!(records.len(), 25);
    assert!(!records.iter().any(|it| it["text"].as_str().is_some_and(|text| text.contains("warden"))));
    assert!(records[0]["text"].as_str().is_some_and(|text| text.contains("On day 0 we walked")));
}

#[test]
fn what_pages_have_in_common_and_no_stage_takes_away_is_told() {
    let world = World::new();
    // All of it in one line.
    let page = |n: usize| format!("{} {} {}", FRAME.join(" "), body(n).replace('\n', " "), FRAME[7]);
    (0..25).for_each(|n| world.write(format!("dump/{n}.txt"), page(n)));
    let said = world.tamis(&["init", "dump"]).exits(0).stdout;
    assert!(said.contains("documents   pages that were flattened to text"), "{said}");
    assert!(said.contains("in common   25 of 25 begin or end as others do"), "{said}");
    assert!(said.contains("`tamis stages site-rules`"), "{said}");
}
