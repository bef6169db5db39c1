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
fn lines_of_json_that_call_their_fields_otherwise() {
    let world = World::new();
    let lines: String = (0..40)
        .map(|n| json!({ "_id": format!("w{n}"), "link": format!("https://walks.example/{n}"), "source": page(n % 30) }).to_string() + "\n")
        .collect();
    world.write("dump/pages.jsonl", lines);
    world.tamis(&["init", "dump/pages.jsonl"]).exits(0);
    let pipeline = world.read("pipeline.toml");
    let stages = ["html-metadata", "html-extract", "repair-text", "length", "dedup-exact"];
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

#[test]
fn a_file_that_is_read_otherwise_is_told_to_have_a_source_of_its_own() {
    let world = World::new();
    (0..12).for_each(|n| world.write(format!("dump/{n}.html"), page(n)));
    world.write("dump/more/a.jsonl", json!({ "id": "a", "body": BODY }).to_string());
    world.tamis(&["init", "dump"]).exits(0);
    let pipeline = world.read("pipeline.toml");
    for line in [
        "# No record of `more/a.jsonl` can be read: line 1: column 1: no field `text`; fields are `body`,",
        "# Such files want a source of their own, and `exclude = [\"more/a.jsonl\"]` above:",
        "#   use = \"jsonl\"",
        "#   paths = [\"dump/more/a.jsonl\"]",
    ] {
        assert!(pipeline.contains(line), "{line}\n{pipeline}");
    }
    // As it says, and as the message says.
    let source = "[[source]]\nid = \"apart-1\"\nuse = \"jsonl\"\npaths = [\"dump/more/a.jsonl\"]\nfields = { text = \"body\" }\n";
    let exclude = "paths = [\"dump\"]\nexclude = [\"more/a.jsonl\"]\n";
    let mended = pipeline.replacen("paths = [\"dump\"]\n", exclude, 1);
    world.write("pipeline.toml", mended.replacen("\n[[stage]]", &format!("\n{source}\n[[stage]]"), 1));
    assert_eq!(run(&world).len(), 13);
}
