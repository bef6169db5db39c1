//! Every record is kept, dropped or a dead letter, and says why.

use serde_json::{Value as Json, json};

use crate::world::{PIPELINE, World, line};

fn without_text(record: &Json) -> Json {
    let mut record = record.clone();
    record.as_object_mut().unwrap().remove("text");
    record
}

#[test]
fn a_mixed_collection_is_accounted_for_record_by_record() {
    let world = World::new();
    let bad = "{\"text\":\"never ends";
    world.write("in/a.jsonl", format!("{}{}\n\n{}{bad}\n", line(0, 50), "{\"text\":\"short\"}", line(1, 40)));
    // The mark in front says UTF-8, and most of it is not.
    world.write("in/b.txt", b"\xEF\xBB\xBFno\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\n");
    world.write("in/c.txt", "A text file that is long enough to be kept.\n");
    world.write("in/d.txt", "");
    world.write("in/e.jsonl", "");
    world.write("in/f.txt", "id: 17\ntext: 'a record that is long enough'\n\ntext: 'short'\n");
    world.write("in/g.bin", b"\x00\x01binary");
    world.run(&[]).exits(0);
    assert_eq!(world.tally(), (10, 4, 3, 3));
    assert_eq!(world.ids("out"), ["a.jsonl#0", "a.jsonl#102", "c.txt", "17"]);
    assert_eq!(world.ids("out/dropped"), ["a.jsonl#84", "d.txt", "f.txt#45"]);
    assert_eq!(world.ids("out/__failed"), ["a.jsonl#160", "b.txt", "g.bin"]);

    let dropped = world.records("out/dropped");
    assert_eq!(
        dropped[0],
        json!({
            "id": "a.jsonl#84", "text": "short", "metadata": {}, "stage": "length", "reason": "too-short",
            "measures": [{ "name": "chars", "value": 5, "min": 10 }],
        })
    );
    let failed = world.records("out/__failed");
    let start = line(0, 50).len() + "{\"text\":\"short\"}\n\n".len() + line(1, 40).len();
    assert_eq!(
        without_text(&failed[0]),
        json!({
            "id": format!("a.jsonl#{start}"), "metadata": {}, "stage": "auto", "measures": [],
            "reason": failed[0]["reason"],
            "origin": { "file": "a.jsonl", "offset": start, "length": bad.len(), "ordinal": 4 },
            "raw": bad,
        })
    );
    assert!(failed[0]["reason"].as_str().unwrap().starts_with("line 5: column "), "{}", failed[0]["reason"]);
    assert_eq!(failed[1]["raw_base64"], "77u/bm///////////wo=");
    assert_eq!(failed[1]["origin"], json!({ "file": "b.txt", "offset": 0, "length": 14, "ordinal": 0 }));
    assert_eq!(failed[2]["raw"], "\0\u{1}binary");

    let stages = &world.manifest()["tally"]["stages"];
    let mut auto = stages["source.auto"].clone();
    let reasons = auto.as_object_mut().unwrap().remove("reasons").unwrap();
    assert_eq!(auto, json!({ "seen": 10, "failed": 3, "split": 0 }));
    assert_eq!(reasons["most_frequent"].as_array().unwrap().len(), 3, "{reasons:#}");
    let mut length = stages["stage.length"].clone();
    let measures = length.as_object_mut().unwrap().remove("measures").unwrap();
    assert_eq!(length, json!({ "seen": 7, "dropped": { "too-short": 3 }, "failed": 0, "split": 0 }));
    // Kept and dropped documents alike were measured.
    let chars = &measures["chars"];
    assert_eq!((&chars["n"], &chars["quantiles"]["0.50"]), (&json!(7), &json!(23.0)));
}

#[test]
fn rules_that_never_matched_are_named() {
    let stage = "[[stage]]\nuse = \"site-rules\"\nrules = [\"ferry.toml\", \"bridge.toml\"]\n\n[[stage]]";
    let world = World::with(&PIPELINE.replacen("[[stage]]", stage, 1));
    let rules = |name: &str| {
        format!(
            "name = '{name}'\nneed = 1\ndetect = ['^{name}$']\n[[head]]\nname = 'menu'\nline = '^{name}$'\n\
             [[tail]]\nname = 'footer'\nline = '^The end$'\n"
        )
    };
    world.write("ferry.toml", rules("ferry"));
    world.write("bridge.toml", rules("bridge"));
    world.write("in/a.txt", "ferry\nThe ferry left before dawn.\n");
    let ran = world.run(&[]).exits(0);
    let ran = ran.says(&["`site-rules`: no document had `bridge/*`, `ferry/tail/footer`"]);
    assert!(!ran.stdout.contains("no document had"), "{ran:#?}");
    let stages = &world.manifest()["tally"]["stages"];
    assert_eq!(stages["stage.site-rules"]["silent"], json!(["bridge/*", "ferry/tail/footer"]));
    assert_eq!(stages["stage.site-rules"]["counts"]["ferry/head/menu"], 1);
    let ran = world.run(&["--fresh", "--json"]).exits(0);
    let finished: Json = serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(
        finished["tally"]["stages"]["stage.site-rules"]["silent"],
        json!(["bridge/*", "ferry/tail/footer"])
    );
}

#[test]
fn dead_letters_that_were_mended_run_again() {
    let world = World::new();
    let broken = line(1, 50).replace("\"n\"", "n");
    world.write("in/a.jsonl", format!("{}{broken}{}", line(0, 50), line(2, 50)));
    world.run(&[]).exits(0);
    assert_eq!(world.tally(), (3, 2, 0, 1));
    let dead: Vec<String> = world
        .records("out/__failed")
        .iter()
        .map(|letter| letter["raw"].as_str().unwrap().replace(",n:", ",\"n\":"))
        .collect();
    world.write("mended/a.jsonl", dead.join("\n"));
    world.run(&["mended", "-o", "more"]).exits(0);
    let more = world.records("more");
    assert_eq!(more.len(), 1);
    assert_eq!(format!("{}", more[0]["metadata"]["n"]), "1");
    assert!(line(1, 50).contains(more[0]["text"].as_str().unwrap()));
}

#[test]
fn dead_letters_name_the_source_by_its_id() {
    let world = World::with(&PIPELINE.replace("use = \"auto\"", "use = \"jsonl\"\nid = \"crawl\""));
    world.write("in/a.jsonl", "[]\n");
    world.run(&[]).exits(0);
    assert_eq!(world.records("out/__failed")[0]["stage"], "crawl");
    assert_eq!(world.manifest()["tally"]["stages"]["source.crawl"]["failed"], 1);
}

#[test]
fn a_collection_without_documents_is_done() {
    let world = World::new();
    world.write("in/a.jsonl", "\n\n");
    world.write("in/b.jsonl", "");
    let ran = world.run(&[]).exits(0);
    assert!(ran.stdout.contains("0 kept · 0 dropped · 0 failed"), "{}", ran.stdout);
    assert_eq!(world.tally(), (0, 0, 0, 0));
    let names: Vec<String> = world.files("out").into_keys().collect();
    assert_eq!(names, [".tamis/fates", ".tamis/inputs", ".tamis/manifest.json"]);
    assert!(world.run(&[]).exits(0).stdout.starts_with("nothing to do"));
}

#[cfg(unix)]
#[test]
fn what_is_no_file_is_a_dead_letter_when_found_and_an_error_when_named() {
    use std::os::unix::fs::symlink;

    let world = World::new();
    world.write("in/a.jsonl", line(0, 50));
    world.write("in/sub/b.jsonl", line(1, 50));
    symlink("nowhere", world.path("in/broken")).unwrap();
    symlink("..", world.path("in/sub/loop")).unwrap();
    symlink("../a.jsonl", world.path("in/sub/link.jsonl")).unwrap();
    std::os::unix::net::UnixListener::bind(world.path("in/socket")).unwrap();
    let made = std::process::Command::new("mkfifo").arg(world.path("in/pipe")).status();
    assert!(made.unwrap().success());
    world.run(&[]).exits(0);
    assert_eq!(world.tally(), (7, 3, 0, 4));
    assert_eq!(world.ids("out"), ["a.jsonl#0", "sub/b.jsonl#0", "sub/link.jsonl#0"]);
    let reasons: Vec<(String, String)> = world
        .records("out/__failed")
        .iter()
        .map(|letter| {
            let text = |name: &str| letter[name].as_str().unwrap().to_owned();
            (text("id"), text("reason"))
        })
        .collect();
    let expected = [
        ("broken", "the link to `nowhere` cannot be followed"),
        ("pipe", "a named pipe is not a file to read"),
        ("socket", "a socket is not a file to read"),
        ("sub/loop", "the link leads back to `"),
    ];
    assert_eq!(reasons.len(), expected.len(), "{reasons:?}");
    for ((id, reason), (expected_id, expected_reason)) in reasons.iter().zip(expected) {
        assert!(id == expected_id && reason.starts_with(expected_reason), "{id}: {reason}");
    }
    // What a glob or an exclusion leaves out is no trouble.
    world.run(&["in/**/*.jsonl", "-o", "glob"]).exits(0);
    assert_eq!((world.ids("glob").len(), world.ids("glob/__failed").len()), (3, 0));
    let exclude = "source.auto.exclude=[\"broken\", \"pipe\", \"socket\", \"loop\"]";
    world.run(&["--set", exclude, "-o", "excluded"]).exits(0);
    assert_eq!(world.ids("excluded/__failed").len(), 0);
    // Named, it is a mistake.
    for (named, said) in [("in/pipe", "a named pipe"), ("in/socket", "a socket"), ("/dev/null", "a device")] {
        world
            .run(&[named, "-o", "named"])
            .exits(2)
            .says(&[&format!("`{named}`: {said} is not a file to read")]);
    }
    assert!(!world.path("named").exists());
}

#[test]
fn a_file_that_two_patterns_match_is_read_once() {
    let world = World::new();
    world.write("in/a.jsonl", line(0, 50));
    world.write("in/sub/b.jsonl", line(1, 50));
    let inputs = ["in/a.jsonl", "in", "in/**/*.jsonl", "in/sub/../a.jsonl", "./in/sub"];
    world.run(&inputs).exits(0);
    assert_eq!(world.tally(), (2, 2, 0, 0));
    assert_eq!(world.ids("out"), ["a.jsonl#0", "sub/b.jsonl#0"]);
}
