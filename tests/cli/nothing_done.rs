//! What a pipeline asks for and no document has: settings that did nothing are told at the end of a run.

use serde_json::{Value as Json, json};

use crate::world::World;

const LINES: &str = "{\"id\":\"a\",\"text\":\"The mill stands by the river.\",\"url\":\"https://a.example/1\",\"doc\":{\"author\":\"Ann\"}}\n\
    {\"id\":\"b\",\"text\":\"The bridge was closed for a day.\",\"url\":\"https://a.example/2\"}\n";

/// What is told at the end of a run of a pipeline with these pieces.
fn told(source: &str, stages: &str, export: &str) -> Vec<String> {
    let world = World::with(&format!(
        "[[source]]\nuse = \"jsonl\"\npaths = [\"in\"]\n{source}\n{stages}\n[[export]]\nuse = \"jsonl\"\n{export}\n"
    ));
    world.write("in/a.jsonl", LINES);
    let ran = world.run(&[]).exits(0);
    let warnings = ran.stderr.lines().filter_map(|line| line.strip_prefix("warning: "));
    let warnings: Vec<String> = warnings.map(str::to_owned).collect();
    // Programs hear the same.
    let again = world.run(&["--fresh", "--json"]).exits(0);
    let event: Json = serde_json::from_str(again.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(event["warnings"], json!(warnings), "{event:#}");
    warnings
}

#[test]
fn a_field_that_no_document_had_is_told_by_whatever_names_it() {
    let out = "path = \"out\"";
    let none = |field: &str, by: &str| format!("no document had the field `{field}`, which {by} names");
    for (source, stages, export, expected) in [
        ("metadata = [\"url\", \"nope\"]", "", out, vec![none("nope", "option `metadata` of `jsonl`")]),
        ("rename = { lnk = \"link\" }", "", out, vec![none("link", "option `rename` of `jsonl`")]),
        ("rename = { url = \"link\" }", "", out, vec![]),
        ("metadata = [\"url\"]\nrename = { url = \"link\" }", "", out, vec![]),
        ("", "", "path = \"out/{site}\"", vec![none("site", "the path of `jsonl (kept)`")]),
        ("", "", "path = \"out/{doc.author}\"", vec![]),
        ("", "", "path = \"out/{doc.autor}\"", vec![none("doc.autor", "the path of `jsonl (kept)`")]),
        (
            "",
            "",
            "path = \"out\"\ncolumns = [\"url\", \"uri\"]",
            vec![none("uri", "option `columns` of `jsonl (kept)`")],
        ),
        (
            "",
            "[[stage]]\nuse = \"dedup-exact\"\nfield = \"uri\"",
            out,
            vec![none("uri", "option `field` of `dedup-exact`")],
        ),
        (
            "",
            "[[stage]]\nuse = \"dedup-near\"\nkeep = \"highest\"\nkeep_by = \"scor\"",
            out,
            vec![none("scor", "option `keep_by` of `dedup-near`")],
        ),
        (
            "",
            "[[stage]]\nuse = \"fields\"\nrename = { headline = \"title\" }\ndrop = [\"url\"]",
            out,
            vec![none("headline", "option `rename` of `fields`")],
        ),
        (
            "",
            "[[stage]]\nuse = \"fields\"\nkeep = [\"url\", \"doc.author\", \"doc.name\"]",
            out,
            vec![none("doc.name", "option `keep` of `fields`")],
        ),
        (
            "",
            "[[stage]]\nuse = \"where\"\nkeep = 'score > 1 || url != \"\"'",
            out,
            vec![none("score", "option `keep` of `where`")],
        ),
        // Whoever asks whether there is a field knows that there may be none.
        ("", "[[stage]]\nuse = \"where\"\nkeep = '!has(status) || status == 200'", out, vec![]),
        // What another option has written is there.
        (
            "",
            "[[stage]]\nuse = \"fields\"\nrename = { url = \"link\" }\nreplace = [{ field = \"link\", pattern = 'https', with = \"http\" }]",
            out,
            vec![],
        ),
    ] {
        assert_eq!(told(source, stages, export), expected, "{source}\n{stages}\n{export}");
    }
}

#[test]
fn names_of_readers_that_no_record_has_are_told() {
    let out = "path = \"out\"";
    assert_eq!(
        told("fields = { id = \"docid\" }", "", out),
        [
            "none of the 2 records of `jsonl` has the field that `fields` names for the id, so ids are those of places"
        ]
    );
    assert_eq!(
        told("spread = \"metadta\"", "", out),
        ["none of the 2 records of `jsonl` has the field that `spread` names"]
    );
    assert!(told("fields = { id = \"url\" }\nspread = \"doc\"", "", out).is_empty());
}

#[test]
fn rules_by_language_without_a_language_are_told() {
    let judge = |options: &str| told("", &format!("[[stage]]\nuse = \"judge\"\n{options}"), "path = \"out\"");
    let none = "none of the 2 documents that came to `judge` has a language";
    let warnings = judge("presets = [\"chinese-web-text\"]");
    assert!(warnings.len() == 1 && warnings[0].starts_with(none), "{warnings:?}");
    let warnings = judge("presets = [\"gopher\"]\nlimits = { zh = { min_words = 5 } }\nmode = \"annotate\"");
    let field = "no document had the field `language`, which option `limits` of `judge` names".to_owned();
    assert_eq!(warnings, [field]);
}

#[test]
fn hidden_files_are_passed_over_and_told() {
    let pipeline = |paths: &str| {
        format!(
            "[[source]]\nuse = \"text\"\npaths = [{paths}]\n\n[[export]]\nuse = \"jsonl\"\npath = \"out\"\n"
        )
    };
    let world = World::with(&pipeline("\"in\""));
    for name in
        ["a.txt", ".b.txt", ".git/config", "c/.d/e.txt", "c/f.txt", ".well-known/security.txt", "__g/h.txt"]
    {
        world.write(format!("in/{name}"), "The mill stands by the river.");
    }
    let ran = world.run(&[]).exits(0);
    assert_eq!(world.ids("out"), ["__g/h.txt", "a.txt", "c/f.txt"]);
    assert!(ran.stdout.contains("  4 hidden files and folders passed over"), "{}", ran.stdout);
    assert_eq!(world.manifest()["input_hidden"], 4);
    // Only what a path would have taken is missed.
    world.write("p.toml", pipeline("\"in/*.txt\""));
    let ran = world.run(&["--fresh"]).exits(0);
    assert_eq!(world.ids("out"), ["a.txt"]);
    assert!(ran.stdout.contains("  1 hidden file or folder passed over"), "{}", ran.stdout);
    // Paths that name them read them.
    world.write("p.toml", pipeline("\"in/.well-known/*\", \"in/.git\""));
    let ran = world.run(&["--fresh"]).exits(0);
    assert_eq!(world.ids("out"), [".well-known/security.txt", ".git/config"]);
    assert!(!ran.stdout.contains("hidden"), "{}", ran.stdout);
}

#[test]
fn an_output_folder_is_read_as_the_data_set_that_it_is() {
    let world = World::new();
    world.write(
        "in/a.jsonl",
        "{\"text\":\"The mill stands by the river.\"}\n{\"text\":\"short\"}\n{\"n\":1}\n",
    );
    world.run(&[]).exits(0);
    std::fs::rename(world.path("out/dropped"), world.path("out/__dropped")).unwrap();
    let next =
        "[[source]]\nuse = \"auto\"\npaths = [\"out\"]\n\n[[export]]\nuse = \"jsonl\"\npath = \"next\"\n";
    world.write("next.toml", next);
    let ran = world.tamis(&["run", "next.toml"]).exits(0);
    assert_eq!(world.records("next").len(), 1);
    assert!(!ran.stdout.contains("hidden"), "{}", ran.stdout);
    // Named, they are read.
    world.write("next.toml", next.replace("[\"out\"]", "[\"out/__failed\", \"out/__dropped\"]"));
    world.tamis(&["run", "next.toml", "--fresh", "--set", "run.max_failed_ratio=1"]).exits(0);
    assert_eq!(world.records("next").len(), 2);
}

#[test]
fn check_takes_several_pipelines() {
    let world = World::new();
    world.write("in/a.jsonl", LINES);
    world.write("b.toml", "[[source]]\nuse = \"jsonl\"\npaths = [\"in\"]\nmetdata = []\n[[export]]\nuse = \"jsonl\"\npath = \"b\"\n");
    let checked = world.tamis(&["check", "p.toml", "b.toml"]);
    assert_eq!(checked.code, Some(2));
    assert!(checked.stdout.starts_with("ok: p: ") && checked.stderr.contains("b.toml:4:1"), "{checked:#?}");
    let json = world.tamis(&["check", "b.toml", "p.toml", "b.toml", "--json"]);
    let complaints: Vec<Json> = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!((json.code, complaints.len()), (Some(2), 2));
    // What is no pipeline is an input, as ever.
    world.tamis(&["check", "p.toml", "in/a.jsonl"]).exits(0);
}

#[test]
fn a_pipeline_that_extends_another_has_its_own_name() {
    let world = World::new();
    world.write("p.toml", format!("name = \"base\"\n{}", crate::world::PIPELINE));
    world.write("in/a.jsonl", LINES);
    world.write("mine.toml", "extends = \"p.toml\"\n");
    world.write("named.toml", "extends = \"p.toml\"\nname = \"other\"\n");
    for (file, name) in [("p.toml", "base"), ("mine.toml", "mine"), ("named.toml", "other")] {
        let checked = world.tamis(&["check", file]).exits(0);
        assert!(checked.stdout.starts_with(&format!("ok: {name}: ")), "{file}: {}", checked.stdout);
    }
}

#[test]
fn check_looks_at_a_file_of_each_folder_and_ending() {
    let pipeline = "[[source]]\nuse = \"auto\"\npaths = [\"in\"]\n\n[[stage]]\nuse = \"boilerplate\"\n\n[[export]]\nuse = \"jsonl\"\npath = \"out\"\n";
    let world = World::with(pipeline);
    for n in 0..8 {
        world.write(format!("in/a/{n}.txt"), "Home\nNews\nThe mill stands by the river.\n");
    }
    assert_eq!(world.tamis(&["check", "p.toml"]).exits(0).stderr, "");
    world.write("in/pages/1.html", "<html><body><p>The mill stands by the river.</p></body></html>");
    let checked = world.tamis(&["check", "p.toml"]).exits(0);
    assert!(checked.stderr.contains("`1.html` is for `html`"), "{}", checked.stderr);
}
