//! `tamis plan`, and the flags that run a part of one.

use serde_json::{Value, json};

use crate::world::{PIPELINE, World, line, ran};

fn small() -> World {
    let world = World::new();
    world.write("in/a.jsonl", line(0, 50) + &line(1, 3) + &line(2, 50));
    world
}

#[test]
fn a_plan_is_a_table_for_people() {
    let world = small();
    let pipeline = PIPELINE.replace("path = \"out\"", "path = \"out/{n}\"\ncompression = \"gzip\"");
    world.write("p.toml", pipeline);
    let ran = world.tamis(&["plan", "p.toml"]).exits(0);
    for words in [
        "segment  reads    stages  needs  makes  writes",
        "0  sources  length  ·      ·      exports",
        "out/{n}",
        "gzip 6",
        "out/dropped",
        "out/__failed",
        "in",
    ] {
        assert!(ran.stdout.contains(words), "no `{words}` in\n{}", ran.stdout);
    }
    assert!(!world.path("out").exists());
}

#[test]
fn a_plan_is_json_for_programs() {
    let world = small();
    world.write("b.jsonl", line(3, 50));
    let arguments = ["plan", "p.toml", "--json", "in", "-", "s3://bucket/x/*.jsonl", "-o", "new"];
    let more =
        ["--set", "export.kept.compression=zstd", "--set", "source.auto.exclude=[\"*.tmp\", \"!a.tmp\"]"];
    let ran = world.tamis(&[&arguments[..], &more].concat()).exits(0);
    let plan: Value = serde_json::from_str(&ran.stdout).unwrap();
    let keys: Vec<&String> = plan.as_object().unwrap().keys().collect();
    for key in ["name", "sources", "segments", "exports", "run", "canonical"] {
        assert!(keys.iter().any(|known| *known == key), "{key}: {keys:?}");
    }
    assert_eq!(plan["name"], "p");
    assert_eq!(
        plan["segments"],
        json!([{
            "index": 0, "reads": "sources", "stages": ["length"], "needs": [], "observes": null,
            "writes": "exports", "state": null,
        }])
    );
    let source = &plan["sources"][0];
    assert_eq!(source["exclude"], json!(["*.tmp", "!a.tmp"]));
    let folder = world.path("").canonicalize().unwrap();
    assert_eq!(source["inputs"][0]["kind"], "local");
    assert_eq!(source["inputs"][0]["path"], json!(folder.join("in")));
    assert_eq!(source["inputs"][1], json!({ "kind": "stdin", "written": "-" }));
    assert_eq!(source["inputs"][2], json!({ "kind": "url", "written": "s3://bucket/x/*.jsonl" }));
    let exports: Vec<(&str, &str, bool)> = plan["exports"]
        .as_array()
        .unwrap()
        .iter()
        .map(|export| {
            let text = |key: &str| export[key].as_str().unwrap();
            (text("id"), text("from"), export["implicit"].as_bool().unwrap())
        })
        .collect();
    let expected = [("kept", "kept", false), ("dropped", "dropped", false), ("failed", "failed", true)];
    assert_eq!(exports, expected);
    assert_eq!(plan["exports"][0]["path"], json!(folder.join("new")));
    assert_eq!(plan["exports"][0]["compression"], json!({ "method": "zstd", "level": 3 }));
    assert_eq!(plan["run"]["work"], Value::Null);
    // The same pipeline in other words is the same plan.
    let again = world.tamis(&["plan", "p.toml", "--json", "in", "-", "s3://bucket/x/*.jsonl"]).exits(0);
    let again: Value = serde_json::from_str(&again.stdout).unwrap();
    assert_ne!(again["canonical"], plan["canonical"]);
    world.write("p.toml", format!("# another\n{PIPELINE}threads = 3\n"));
    let same = world.tamis(&["plan", "p.toml", "--json", "in", "-", "s3://bucket/x/*.jsonl"]).exits(0);
    let same: Value = serde_json::from_str(&same.stdout).unwrap();
    assert_eq!(again["canonical"], same["canonical"]);
}

#[test]
fn a_wrong_pipeline_has_no_plan() {
    let world = World::with(&PIPELINE.replace("min_chars", "min_char"));
    world.tamis(&["plan", "p.toml"]).exits(2).says(&["did you mean `min_chars`?"]);
    world.tamis(&["state", "merge", "p.toml", "a.state", "-o", "b.state"]).exits(2).says(&["min_chars"]);
}

#[test]
fn flags_that_make_no_sense_run_nothing() {
    for (arguments, said) in [
        (&["--shard", "8/8"][..], "those of 8 are `0/8` to `7/8`"),
        (&["--shard", "1"], "part I of N, counted from 0"),
        (&["--shard", "0/0"], "at least 1"),
        (&["--limit", "0"], "a whole number from 1 on"),
        (&["--limit", "5", "--shard", "0/2"], "exclude each other"),
        (&["--dry-run", "--fresh"], "exclude each other"),
        (&["--dry-run", "--segment", "0"], "exclude each other"),
        (&["--state", "a.state"], "--segment"),
        (&["--segment", "1"], "no segment 1: it has only segment 0"),
        (&["--segment", "0", "--state", "a.state"], "segment 0 needs 0 states and 1 are given"),
        (&["-", "--shard", "0/2"], "standard input cannot be parted"),
        (&["-", "-"], "standard input can be read once only"),
        (&["ftp://example.org/a"], "unknown kind of address `ftp://`"),
    ] {
        let world = small();
        world.run(arguments).exits(2).says(&["error:", said]);
        assert!(!world.path("out").exists(), "{arguments:?}");
    }
}

#[test]
fn states_are_merged_into_a_file_that_is_named() {
    let world = small();
    world.tamis(&["state", "merge", "p.toml", "-o", "b.state"]).exits(2).says(&["<STATE>"]);
    world.tamis(&["state", "merge", "p.toml", "a.state"]).exits(2).says(&["--output"]);
    world.tamis(&["state", "merge", "p.toml", "none.state", "-o", "b.state"]).exits(2).says(&["none.state"]);
    assert!(!world.path("b.state").exists());
}

#[test]
fn a_dry_run_writes_nothing_and_counts_all() {
    let world = small();
    let ran = world.run(&["--dry-run"]).exits(0);
    assert!(ran.stdout.contains("2 kept · 1 dropped · 0 failed"), "{ran:#?}");
    assert!(ran.stdout.contains("nothing was written"), "{ran:#?}");
    assert!(!world.path("out").exists());
    let ran = world.run(&["--dry-run", "--limit", "2", "--json"]).exits(0);
    let events: Vec<Value> = ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let last = events.last().unwrap();
    assert_eq!((&last["finish"], &last["tally"]["read"]), (&json!("dry"), &json!(2)));
    assert_eq!(
        (&last["segments"], &last["segment"], &last["shard"]),
        (&json!(1), &Value::Null, &Value::Null)
    );
    assert!(!world.path("out").exists());
}

#[test]
fn a_shard_says_which_it_is() {
    let world = small();
    let ran = world.run(&["--shard", "0/1", "--json"]).exits(0);
    for event in ran.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()) {
        if event["event"] != "progress" {
            assert_eq!(event["shard"], json!({ "index": 0, "count": 1 }), "{event}");
        }
    }
    assert!(world.path("out/shard-00000-of-00001/.tamis/manifest.json").exists());
}

#[cfg(unix)]
#[test]
fn arguments_need_not_be_text() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    let world = small();
    let (input, output) = (OsStr::from_bytes(b"odd\xFF.jsonl"), OsStr::from_bytes(b"out\xFE"));
    std::fs::write(world.path(input), line(0, 50)).unwrap();
    let mut command = world.command(&["run", "p.toml"]);
    ran(command.arg(input).arg("-o").arg(output)).exits(0);
    let part = std::fs::read_to_string(world.path(output).join("part-00000.jsonl")).unwrap();
    assert_eq!(part.lines().count(), 1);
    assert!(!world.path("out").exists());
}

/// What is `auto` is chosen by a sample and written down, and that pipeline has the same numbers for whoever runs it.
#[test]
fn bands_are_chosen_by_a_sample_and_written_down() {
    let world = small();
    let near = "[[stage]]\nuse = \"dedup-near\"\nbands = \"auto\"\n\n[[export]]";
    let pipeline = world.read("p.toml").replacen("[[export]]", near, 1);
    world.write("p.toml", &pipeline);
    // Texts that have a third of their words in common by accident.
    let text = |n: usize| {
        let common = (0..30).map(|k| format!("template{k} "));
        common.chain((0..60).map(|k| format!("w{n}x{k} "))).collect::<String>()
    };
    let lines = (0..120).map(|n| format!("{{\"id\":\"{n}\",\"text\":\"{}\"}}\n", text(n)));
    world.write("in/a.jsonl", lines.collect::<String>());
    let ran = world.tamis(&["plan", "p.toml", "--resolve", "near.toml"]).exits(0);
    assert!(ran.stdout.contains("others in vain") && ran.stdout.contains("written to near.toml"), "{ran:?}");
    assert!(!world.path("out").exists());
    let written = world.read("near.toml");
    assert!(written.contains("extends = \"p.toml\"") && written.contains("\nbands = \""), "{written}");
    let bands = written.split("bands = \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let (number, rows) = bands.split_once('x').unwrap();
    let told = world.tamis(&["plan", "near.toml"]).exits(0);
    assert!(told.stdout.contains(&format!("{number} bands of {rows} rows")), "{told:?}");
    world.tamis(&["run", "near.toml"]).exits(0);
    // Nothing is left to be chosen.
    world
        .tamis(&["plan", "near.toml", "--resolve", "other.toml"])
        .says(&["no option of this pipeline is to be chosen"]);
    assert!(!world.path("other.toml").exists());
}
