//! What a run says of what went wrong.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value as Json, json};

use crate::interruption::{end, start, wait_for};
use crate::world::{PIPELINE, World, line};

/// The finished event of a run.
fn finished(world: &World, arguments: &[&str]) -> Json {
    let ran = world.run(&[arguments, &["--json"]].concat()).exits(0);
    serde_json::from_str(ran.stdout.lines().last().unwrap()).unwrap()
}

#[test]
fn the_most_frequent_reasons_are_named_with_the_first_record_of_each() {
    let world = World::new();
    let mut lines = line(0, 50);
    for n in 0..30 {
        lines += &format!("{{\"n\":{n}}}\n{}", if n % 3 == 0 { "[1, 2]\n" } else { "" });
    }
    world.write("in/a.jsonl", &lines);
    let ran = world.run(&[]).exits(0);
    let first = line(0, 50).len();
    let reasons = &world.manifest()["tally"]["stages"]["source.auto"]["reasons"];
    let [most, next] = [0, 1].map(|at| &reasons["most_frequent"][at]);
    assert_eq!((&most["n"], &most["example"]["id"]), (&json!(30), &json!(format!("a.jsonl#{first}"))));
    assert_eq!(
        (&next["n"], &next["example"]["file"], &next["example"]["ordinal"]),
        (&json!(10), &json!("a.jsonl"), &json!(2))
    );
    assert_eq!(reasons["others"], 0);
    // The whole message of the dead letter, with its line.
    let dead = world.records("out/__failed");
    for (reason, letter) in [(most, &dead[0]), (next, &dead[1])] {
        let message = reason["example"]["message"].as_str().unwrap();
        assert_eq!(letter["reason"], message);
        let line =
            format!("failed in `auto`: {message} (first {})\n", reason["example"]["id"].as_str().unwrap());
        assert!(ran.stdout.contains(&line), "{line}{}", ran.stdout);
    }
    assert!(ran.stdout.contains("  30 failed in `auto`"), "{}", ran.stdout);
    let event = finished(&world, &["--fresh"]);
    assert_eq!(event["tally"]["stages"]["source.auto"]["reasons"], *reasons);
    let dry = world.run(&["--dry-run"]).exits(0);
    assert!(dry.stdout.contains("  30 failed in `auto`"), "{}", dry.stdout);
}

#[test]
fn files_that_were_not_read_are_named_with_the_reason() {
    let world = World::new();
    world.write("in/good.jsonl", line(0, 50));
    // Its reader takes it and makes nothing of it; for the others there is no reader.
    world.write("in/a.txt", b"\xEF\xBB\xBFno\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\n");
    for n in 0..12 {
        world.write(format!("in/b{n:02}.bin"), b"\x00\x01binary");
    }
    let ran = world.run(&[]).exits(0);
    assert!(ran.stdout.contains("  13 files not read, or not to the end\n"), "{ran:?}");
    let named = |name: &str| ran.stdout.lines().any(|line| line.starts_with(&format!("    {name}: ")));
    assert!(named("a.txt") && named("b00.bin") && named("b08.bin") && !named("b09.bin"), "{}", ran.stdout);
    assert!(ran.stdout.contains("\n    and 3 more\n"), "{}", ran.stdout);
    // A reader that gives up a file behind its head has read nothing of it either.
    let other = World::new();
    other.write("in/good.jsonl", line(0, 50));
    other.write("in/table.csv", b"t\xEEtre,text\none,a row that is long enough\n");
    let said = other.run(&[]).exits(0).stdout;
    assert!(
        said.contains("  1 file not read, or not to the end\n    table.csv: stage `csv` of plugin"),
        "{said}"
    );
    // What is said of a file is not said again of its one record.
    assert!(!ran.stdout.contains("  1 failed in"), "{}", ran.stdout);
    let event = finished(&world, &["--fresh"]);
    let unread = &event["tally"]["unread"];
    assert_eq!((&unread["n"], unread["first"].as_array().unwrap().len()), (&json!(13), 10));
    assert_eq!(unread["first"][0]["message"], world.records("out/__failed")[0]["reason"]);
    assert_eq!(event["tally"]["input"]["files_failed"], 12);
}

#[test]
fn reasons_are_the_same_at_any_number_of_threads_and_after_a_resume() {
    let run = "block_bytes = \"8 KiB\"\nmax_record_bytes = \"1 MiB\"\ncheckpoint_secs = 0.01\nthreads = 2\n";
    let mut lines = String::new();
    for n in 0..1_500 {
        lines += &line(n, if n % 10 == 0 { 4 } else { 300 });
        lines += ["{\"n\":1}\n", "[1]\n", "", "{\"text\":7}\n", ""][n % 5];
    }
    let mut killed = None;
    for n_files in [16, 64, 256] {
        let world = World::with(&format!("{PIPELINE}{run}"));
        world.write("seed.jsonl", &lines);
        for n in 0..n_files {
            std::fs::hard_link(world.path("seed.jsonl"), world.path(format!("in/{n:03}.jsonl"))).unwrap();
            world.write(format!("in/{n:03}.bin"), b"\x00\x01binary");
        }
        let child = start(&world, &["run", "p.toml"]);
        wait_for("a checkpoint", || world.path("out/.tamis/checkpoint.json").exists());
        assert!(Command::new("kill").args(["-9", &child.id().to_string()]).status().unwrap().success());
        if end(child).code != Some(0) {
            killed = Some(world);
            break;
        }
    }
    let world = killed.expect("a run was killed before its end");
    world.run(&[]).exits(0).says(&["resumed an unfinished run"]);
    let resumed = world.manifest();
    let reasons = &resumed["tally"]["stages"]["source.auto"]["reasons"]["most_frequent"];
    assert!(reasons.as_array().unwrap().len() >= 3, "{reasons:#}");
    assert_eq!(resumed["tally"]["unread"]["first"][9]["file"], "009.bin");
    for threads in ["run.threads=1", "run.threads=2", "run.threads=8"] {
        world.run(&["--fresh", "--set", threads]).exits(0);
        assert!(world.manifest()["tally"] == resumed["tally"], "{threads}: {:#}", world.manifest()["tally"]);
    }
}

#[test]
fn what_smells_is_said() {
    let stages =
        "[[stage]]\nuse = \"html-extract\"\n\n[[stage]]\nuse = \"dedup-exact\"\nfield = \"uri\"\n\n[[stage]]";
    let world = World::with(&PIPELINE.replacen("[[stage]]", stages, 1));
    world.write("in/a.jsonl", (0..5).map(|n| line(n, 50)).collect::<String>());
    let ran = world.run(&[]).exits(0).says(&[
        "warning: none of the 5 documents that came to `html-extract` is a page with markup",
        "warning: no document had the field `uri`, which option `field` of `dedup-exact` names",
    ]);
    assert_eq!(ran.stderr.matches("warning: ").count(), 2, "{}", ran.stderr);
    let event = finished(&world, &["--fresh", "--set", "stage.length.min_chars=1000000"]);
    let warnings: Vec<&str> = event["warnings"].as_array().unwrap().iter().filter_map(Json::as_str).collect();
    assert_eq!(warnings.len(), 3, "{warnings:#?}");
    assert_eq!(warnings[2], "`length` dropped all 5 records that came to it (`too-short`)");
    // One page with markup, one document with the field.
    let page = "<html><body><p>The ferry left before dawn, and nobody waved.</p></body></html>";
    world.write("in/b.jsonl", format!("{}\n", json!({ "text": page, "uri": "https://example.org" })));
    let ran = world.run(&["--fresh"]).exits(0);
    assert!(!ran.stderr.contains("warning: "), "{}", ran.stderr);
}

#[test]
fn output_of_another_run_says_what_has_changed() {
    let rules = "[[stage]]\nuse = \"site-rules\"\nrules = [\"ferry.toml\"]\n\n[[stage]]";
    let world = World::with(&PIPELINE.replacen("[[stage]]", rules, 1));
    let rules = "name = 'ferry'\nneed = 1\ndetect = ['^ferry$']\n";
    world.write("ferry.toml", rules);
    world.write("in/a.jsonl", line(0, 50));
    world.run(&[]).exits(0);
    let manifest = world.manifest();
    assert_eq!(manifest["resolved"]["plan"]["stages"][1]["options"]["min_chars"], 10);
    assert!(!manifest.to_string().contains(world.path("").to_str().unwrap()), "{manifest:#}");
    let min_chars = "stage.length.min_chars=60";
    for (arguments, said) in [
        (&["--set", min_chars][..], "(changed since: `stage.length.min_chars`: 10, now 60)"),
        (
            &["--set", min_chars, "--limit", "3"],
            "`stage.length.min_chars`: 10, now 60; `--limit`: none, now 3)",
        ),
    ] {
        world.run(arguments).exits(2).says(&["holds the output of another run", said]);
    }
    world.write("ferry.toml", format!("{rules}\n# more\n"));
    world.run(&[]).exits(2).says(&["(changed since: what is in `ferry.toml`)"]);
    world.write("ferry.toml", rules);
    world.write("in/b.jsonl", line(1, 50));
    let bytes = [0, 1].map(|n| line(n, 50).len());
    let said = format!(
        "(the inputs have changed since: 1 file of {} bytes, now 2 files of {} bytes)",
        bytes[0],
        bytes[0] + bytes[1]
    );
    world.run(&[]).exits(2).says(&[&said]);
}

#[test]
fn a_condition_that_dropped_nothing_is_told_by_its_reason() {
    let condition = "[[stage]]\nuse = \"where\"\ndrop = 'n == 7'\n\n[[stage]]";
    let world = World::with(&PIPELINE.replacen("[[stage]]", condition, 1));
    world.write("in/a.jsonl", line(0, 50) + &line(1, 50));
    let said = |world: &World| world.run(&["--fresh"]).exits(0).stderr;
    assert_eq!(said(&world), "`where`: no document was dropped for the reason `where`\n");
    world.write("in/a.jsonl", line(0, 50) + &line(7, 50));
    assert_eq!(said(&world), "");
}

/// What can be read once only is not looked into before a run.
#[cfg(unix)]
#[test]
fn pipes_are_not_looked_into() {
    let page = "[[stage]]\nuse = \"boilerplate\"\n\n[[stage]]";
    let world = World::with(&PIPELINE.replacen("[[stage]]", page, 1));
    let made = Command::new("mkfifo").arg(world.path("in/pipe")).status();
    assert!(made.is_ok_and(|status| status.success()));
    let refused = world.run(&["in/pipe"]).exits(2).stderr;
    assert!(refused.contains("a named pipe is not a file to read: pass it on"), "{refused}");
    assert!(!refused.contains("warning"), "{refused}");
    // All of it is there for the run, and nobody guesses what it is.
    let mut child = world.command(&["run", "p.toml", "-", "-o", "-"]);
    let mut child =
        child.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let lines: String = (0..40).map(|n| line(n, 50)).collect();
    child.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
    let ran = end(child);
    assert_eq!((ran.code, ran.stdout.lines().count()), (Some(0), 40), "{ran:#?}");
    assert!(!ran.stderr.contains("warning"), "{ran:#?}");
}

#[test]
fn a_stage_that_takes_most_of_all_text_is_named() {
    let stages = "[[stage]]\nuse = \"site-rules\"\nrules = [\"ferry.toml\"]\n\n[[stage]]";
    let world = World::with(&PIPELINE.replacen("[[stage]]", stages, 1));
    world.write(
        "ferry.toml",
        "name = 'ferry'\nneed = 1\ndetect = ['^ferry$']\n[[tail]]\nname = 'footer'\nline = '^The end$'\n",
    );
    let page = |n: usize| {
        let footer = "All timetables of the harbour and its ferries. ".repeat(n);
        let text = format!("ferry\nThe ferry left before dawn, and nobody waved.\nThe end\n{footer}\n");
        format!("{}\n", json!({ "text": text }))
    };
    // Of 51 bytes that stay, and ten or a hundred that go.
    let (all, most) = ((0..20).map(|_| page(0)), (0..20).map(|_| page(2)));
    world.write("in/a.jsonl", most.collect::<String>());
    let ran = world.run(&[]).exits(0);
    let [seen, taken] =
        ["seen", "taken"].map(|name| world.manifest()["tally"]["stages"]["stage.site-rules"][name].clone());
    assert_eq!(seen, 20);
    let share = taken["bytes"].as_f64().unwrap() / taken["of"].as_f64().unwrap();
    assert!((0.6..0.7).contains(&share), "{taken}");
    let said = format!(
        "`site-rules` took {:.0} % of the text of those that it kept: `tamis report out`",
        share * 100.0
    );
    let ran = ran.says(&[&said, "`tamis explain`"]);
    assert!(!ran.stdout.contains("% of the text"), "{}", ran.stdout);
    let quiet = world.run(&["--fresh", "--quiet"]).exits(0);
    assert!(!quiet.stderr.contains("% of the text"), "{}", quiet.stderr);
    // Less than half of it, or too few documents to speak of.
    world.write("in/a.jsonl", all.collect::<String>());
    let less = world.run(&["--fresh"]).exits(0);
    assert!(!less.stderr.contains("% of the text"), "{}", less.stderr);
    world.write("in/a.jsonl", page(2).repeat(19));
    let few = world.run(&["--fresh"]).exits(0);
    assert!(!few.stderr.contains("% of the text"), "{}", few.stderr);
}
