//! The other commands, and how everything is printed.

use std::io::{BufRead, BufReader, Read};
use std::process::Stdio;

use serde_json::Value as Json;

use crate::world::{PIPELINE, World, line, ran};

const TESTS: &str = "
[[test]]
name = \"short pages go\"
input = [{ id = \"a\", text = \"too short\" }, { id = \"b\", text = \"long enough to stay\" }]
expect = [{ id = \"b\", text = \"long enough to stay\" }]
";

fn small() -> World {
    let world = World::new();
    world.write("in/a.jsonl", line(0, 50) + &line(1, 3) + "{broken\n");
    world
}

#[test]
fn check_finds_all_mistakes_at_once() {
    let world = small();
    let ran = world.tamis(&["check", "p.toml"]).exits(0);
    assert_eq!(ran.stdout, "ok: p: auto → length → kept → dropped\n");
    assert_eq!(ran.stderr, "");
    world.write("p.toml", PIPELINE.replace("min_chars = 10", "min_char = 10").replace("auto", "jsonI"));
    let ran = world.tamis(&["check", "p.toml"]).exits(2).says(&["`min_char`", "`jsonI`", "p.toml:2:7"]);
    assert_eq!(ran.stdout, "");
    let ran = world.tamis(&["check", "p.toml", "--json"]).exits(2);
    let found: Json = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(found.as_array().unwrap().len(), 2, "{found:#}");
    assert!(!world.path("out").exists());
    assert_eq!(world.tamis(&["check", "p.toml", "--json", "--set", "run.threads=x"]).exits(2).stderr, "");
}

#[test]
fn tests_of_a_pipeline_pass_or_fail() {
    let world = small();
    world.tamis(&["test", "p.toml"]).exits(2).says(&["has no [[test]] table"]);
    world.write("p.toml", format!("{PIPELINE}{TESTS}"));
    let ran = world.tamis(&["test", "p.toml"]).exits(0);
    assert_eq!(ran.stdout, "pass short pages go\n1 passed, 0 failed\n");
    let ran = world.tamis(&["test", "p.toml", "--set", "stage.length.min_chars=100"]).exits(1);
    assert!(ran.stdout.contains("document `b` was dropped by stage `length`: too-short"), "{}", ran.stdout);
    assert!(!world.path("out").exists());
}

#[test]
fn a_test_names_fields_and_why_a_document_is_dropped() {
    let world = small();
    let test = |expect: &str, dropped: &str| {
        let input = r#"[{ id = "a", text = "short" }, { id = "b", text = "long enough to stay", metadata = { x = 1, y = [2] } }]"#;
        let test =
            format!("[[test]]\nname = \"t\"\ninput = {input}\nexpect = [{{ id = \"b\", {expect} }}]\n");
        let dropped = format!("dropped = [{{ id = \"a\", {dropped} }}]\n");
        world.write("p.toml", format!("{PIPELINE}\n{test}{dropped}"));
        world.tamis(&["test", "p.toml"])
    };
    let why = r#"stage = "length", reason = "too-short""#;
    test("metadata = { x = 1 }", why).exits(0);
    test("all_metadata = { x = 1, y = [2] }", why).exits(0);
    let fails = |expect: &str, dropped: &str, said: &[&str]| {
        let ran = test(expect, dropped).exits(1);
        assert!(said.iter().all(|it| ran.stdout.contains(it)), "{}", ran.stdout);
    };
    fails("metadata = { x = 2 }", why, &[r#"- {"x":2}"#, r#"+ {"x":1}"#]);
    fails("metadata = { x = 1, z = 3 }", why, &[r#"- {"x":1,"z":3}"#, r#"+ {"x":1}"#]);
    fails("all_metadata = { x = 1 }", why, &[r#"- {"x":1}"#, r#"+ {"x":1,"y":[2]}"#]);
    let other = r#"stage = "length", reason = "too-long""#;
    let said = "expected `a` to be dropped by stage `length`: too-long; document `a` was dropped by stage `length`: too-short";
    fails("metadata = { x = 1 }", other, &[said]);
    // What says nothing is a mistake.
    test("metadata = {}", why).exits(2);
    test("metadata = { x = 1 }", r#"stage = "length""#).exits(2).says(&["`reason`"]);
}

#[test]
fn a_pipeline_says_only_what_differs_from_another() {
    let world = small();
    world.write("p.toml", format!("{PIPELINE}{TESTS}"));
    let mine = "extends = \"p.toml\"\n[[stage]]\nid = \"length\"\nmin_chars = 2\n\
                [[stage]]\nuse = \"repair-text\"\nbefore = \"length\"\n";
    world.write("mine.toml", mine);
    let ran = world.tamis(&["check", "mine.toml"]).exits(0);
    assert_eq!(ran.stdout, "ok: mine: auto → repair-text → length → kept → dropped\n");
    // The broken line fails; the short record, which is dropped there, is kept here.
    let ran = world.tamis(&["run", "mine.toml"]).exits(0);
    assert!(ran.stdout.contains("2 kept · 0 dropped · 1 failed"), "{}", ran.stdout);
    // Its tests are for the stages as they stand there.
    world.tamis(&["test", "mine.toml"]).exits(2).says(&["`mine.toml` has no [[test]] table"]);
    world.tamis(&["test", "p.toml"]).exits(0);
    // A mistake is shown in the file in which it stands.
    world.write("p.toml", PIPELINE.replace("min_chars = 10", "max_char = 10"));
    world.tamis(&["check", "mine.toml"]).exits(2).says(&[
        "`max_char`",
        "p.toml:",
        "did you mean `max_chars`?",
    ]);
}

#[test]
fn stages_are_listed_and_shown() {
    let world = small();
    let all = world.tamis(&["stages"]).exits(0).stdout;
    let list: Json = serde_json::from_str(&world.tamis(&["stages", "--json"]).exits(0).stdout).unwrap();
    for stage in list.as_array().unwrap() {
        let name = stage["name"].as_str().unwrap();
        assert!(all.contains(name), "{name}");
        let page = world.tamis(&["stages", name]).exits(0).stdout;
        assert!(page.contains(stage["docs"].as_str().unwrap().lines().next().unwrap()), "{page}");
        for option in stage["schema"]["properties"].as_object().into_iter().flatten() {
            assert!(page.contains(option.0.as_str()), "{name} does not show `{}`", option.0);
        }
        serde_json::from_str::<Json>(&world.tamis(&["stages", name, "--json"]).exits(0).stdout).unwrap();
    }
    world.tamis(&["stages", "lenght"]).exits(2).says(&["unknown stage `lenght`, did you mean `length`?"]);
}

#[test]
fn schema_completions_and_header_are_what_they_should_be() {
    let world = small();
    let schema: Json = serde_json::from_str(&world.tamis(&["schema"]).exits(0).stdout).unwrap();
    assert!(schema["properties"]["source"].is_object(), "{schema:#}");
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert!(world.tamis(&["completions", shell]).exits(0).stdout.contains("completions"), "{shell}");
    }
    let header = tamis_tests::program::root().join("crates/plugin/include/tamis_plugin.h");
    assert_eq!(world.tamis(&["plugin", "header"]).exits(0).stdout, std::fs::read_to_string(header).unwrap());
    for arguments in [&["--help"][..], &["--version"], &["help", "run"], &["plugin", "--help"]] {
        let ran = world.tamis(arguments).exits(0);
        assert!(!ran.stdout.is_empty() && ran.stderr.is_empty(), "{arguments:?}");
    }
    world.tamis(&[]).exits(2);
}

#[test]
fn events_are_json_lines_that_add_up() {
    let world = small();
    let events = |arguments: &[&str], code| -> Vec<Json> {
        let ran = world.run(&[&["--json"], arguments].concat()).exits(code);
        ran.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    let all = events(&[], 0);
    assert_eq!(
        all[0],
        serde_json::json!({ "event": "started", "pipeline": "p", "segments": 1, "segment": null, "shard": null })
    );
    let last = all.last().unwrap();
    assert_eq!((&last["event"], &last["already_done"]), (&"finished".into(), &false.into()));
    let count = |name: &str| last["tally"][name].as_u64().unwrap();
    assert_eq!((count("read"), count("kept"), count("dropped"), count("failed")), (3, 1, 1, 1));
    assert!(all[1..all.len() - 1].iter().all(|event| event["event"] == "progress"));
    assert_eq!(events(&[], 0).last().unwrap()["already_done"], true);
    let over = events(&["--set", "run.max_failed_ratio=0"], 1);
    assert_eq!(over.last().unwrap()["too_many_failed"], true);
    let broken = events(&["--set", "stage.length.min_chars=1"], 2);
    assert_eq!(broken.last().unwrap()["event"], "broken");
    assert!(broken.last().unwrap()["message"].as_str().unwrap().contains("--fresh"));
}

#[test]
fn quiet_prints_nothing_but_errors() {
    let world = small();
    for _ in 0..2 {
        let ran = world.run(&["--quiet"]).exits(0);
        assert_eq!((ran.stdout.as_str(), ran.stderr.as_str()), ("", ""));
    }
    let ran = world.run(&["-q", "--set", "run.max_failed_ratio=0"]).exits(1).says(&["error: 33.33 %"]);
    assert_eq!(ran.stdout, "");
    world.run(&["--quiet", "--json"]).exits(2);
}

#[test]
fn a_run_says_what_it_did_in_plain_text_when_nobody_watches() {
    let world = small();
    let ran = world.run(&[]).exits(0);
    assert!(ran.stdout.contains("1 kept · 1 dropped · 1 failed"), "{}", ran.stdout);
    assert!(ran.stdout.contains("1 failed in out/__failed (1 file)"), "{}", ran.stdout);
    assert_eq!(ran.stderr, "", "no bar");
    for arguments in [&["stages"][..], &["stages", "length"], &["check", "nowhere.toml"], &["run", "p.toml"]]
    {
        let ran = world.tamis(arguments);
        assert!(!format!("{}{}", ran.stdout, ran.stderr).contains('\u{1b}'), "{arguments:?}: {ran:?}");
    }
}

/// A terminal is made by `script`, where there is one.
#[cfg(target_os = "linux")]
#[test]
fn colours_are_for_terminals_that_want_them() {
    let world = small();
    let in_terminal = |environment: &[(&str, &str)]| {
        let program = tamis_tests::program::tamis().to_str().unwrap();
        let mut command = std::process::Command::new("script");
        command.args(["-qec", &format!("'{program}' stages length"), "/dev/null"]);
        command.current_dir(world.path("")).env_clear().env("TERM", "xterm").stdin(Stdio::null());
        command.envs(environment.iter().copied());
        command.output().ok().filter(|output| output.status.success())
    };
    let Some(coloured) = in_terminal(&[]) else {
        eprintln!("SKIPPED: no program `script`");
        return;
    };
    assert!(coloured.stdout.contains(&0x1b));
    for environment in [("NO_COLOR", "1"), ("TERM", "dumb")] {
        let plain = in_terminal(&[environment]).unwrap();
        assert!(!plain.stdout.contains(&0x1b), "{environment:?}: {}", String::from_utf8_lossy(&plain.stdout));
    }
}

#[test]
fn a_reader_that_has_seen_enough_is_no_error() {
    let world = small();
    for arguments in [&["stages"][..], &["schema"], &["stages", "--json"], &["run", "p.toml"], &["--help"]] {
        let mut command = world.command(arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::with_capacity(1, child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let mut errors = String::new();
        child.stderr.take().unwrap().read_to_string(&mut errors).unwrap();
        let status = child.wait().unwrap();
        assert!(!line.is_empty() && errors.is_empty(), "{arguments:?}: {errors}");
        assert_eq!(status.code(), Some(0), "{arguments:?}");
    }
    assert_eq!(world.tally().0, 3);
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_behind_standard_output_is_an_error() {
    let world = small();
    for arguments in [&["schema"][..], &["plugin", "header"]] {
        let full = std::fs::File::options().write(true).open("/dev/full").unwrap();
        let ran = ran(world.command(&[]).args(arguments).stderr(Stdio::piped()).stdout(full));
        ran.exits(3).says(&["error: cannot write to standard output"]);
    }
}

#[test]
fn a_stage_that_is_not_there_is_told_with_those_that_do_such_things() {
    let world = small();
    for (name, says) in [
        ("dedup", "unknown stage `dedup`, perhaps `dedup-exact` or `dedup-near` or `dedup-spans`"),
        ("lenght", "unknown stage `lenght`, did you mean `length`?"),
    ] {
        world.tamis(&["stages", name]).exits(2).says(&[says]);
    }
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let world = small();
    let mut command = world.command(&["run", "p.toml"]);
    ran(command.env("TAMIS__STAGE__LENGTH__MIN_CHARS", "0")).exits(0);
    assert_eq!(world.tally(), (3, 2, 0, 1));
    let mut command = world.command(&["run", "p.toml", "--fresh", "--set", "stage.length.min_chars=1000"]);
    ran(command.env("TAMIS__STAGE__LENGTH__MIN_CHARS", "0")).exits(0);
    assert_eq!(world.tally(), (3, 0, 2, 1));
    let mut command = world.command(&["run", "p.toml"]);
    ran(command.env("TAMIS__STAGE__LENGTH__MIN_CHAR", "0"))
        .exits(2)
        .says(&["TAMIS__STAGE__LENGTH__MIN_CHAR"]);
}

/// Under `auto` nobody knows what the files are before somebody has looked.
#[test]
fn a_check_looks_at_the_first_files_of_a_source_that_chooses() {
    let world = World::with(
        "[[source]]\nuse = \"auto\"\npaths = [\"in\"]\n\n[[stage]]\nuse = \"boilerplate\"\n\n\
         [[export]]\nuse = \"jsonl\"\npath = \"out\"\n",
    );
    world.write("in/deep/a.html", "<!doctype html><p>A page of the web.");
    let ran = world.tamis(&["check", "p.toml"]).exits(0);
    ran.says(&["what comes to it is markup", "put `html-extract` before it", "`a.html` is for `html`"]);
    // Beside what the stage works on, as a run tells it as well.
    world.write("in/a.txt", "A plain note in a file.");
    let ran = world.tamis(&["check", "p.toml"]).exits(0);
    ran.says(&[
        "some of what comes to it is markup",
        "put `html-extract` before it",
        "`a.html` is for `html`",
    ]);
    std::fs::remove_file(world.path("in/deep/a.html")).unwrap();
    assert_eq!(world.tamis(&["check", "p.toml"]).exits(0).stderr, "");
    // What looks into the files alike says nothing either.
    for arguments in
        [&["plan", "p.toml"][..], &["run", "p.toml", "-o", "out-flat"], &["explain", "p.toml", "in/a.txt"]]
    {
        assert_eq!(world.tamis(arguments).exits(0).stderr, "", "{arguments:?}");
    }
}

#[test]
fn flags_that_there_are_not_and_values_that_do_not_fit_say_what_to_write() {
    let world = World::new();
    let threads = "there is no flag `--threads`: it is a setting of the pipeline, `threads` in [run], for one run \
                   `--set run.threads=…`";
    for (arguments, says) in [
        (&["run", "p.toml", "--threads", "3"][..], threads),
        (&["run", "p.toml", "--max-failed-ratio=1"], "`--set run.max_failed_ratio=…`"),
        (&["run", "p.toml", "--limit", "x"], "it takes how many records to read, a whole number from 1 on"),
        (&["run", "p.toml", "--limit", "0"], "it takes how many records to read, a whole number from 1 on"),
        (&["run", "p.toml", "--segment", "x"], "it takes the number of a segment, as the first column"),
        (
            &["run", "p.toml", "--dry-run", "--fresh"],
            "error: `--dry-run` and `--fresh` exclude each other: a dry run writes nothing, so there is nothing that it could \
             replace; leave one of them out",
        ),
        (
            &["run", "p.toml", "--quiet", "--json"],
            "error: `--json` and `--quiet` exclude each other: `--json` prints events",
        ),
        (
            &["run", "p.toml", "--limit", "3", "--add"],
            "error: `--add` and `--limit` exclude each other: what `--limit`",
        ),
        (
            &["run", "p.toml", "--limit", "3", "--shard", "0/2"],
            "error: `--limit` and `--shard` exclude each other",
        ),
        (
            &["preview", "p.toml", "--serve", "-o", "x.html"],
            "error: `--output` and `--serve` exclude each other",
        ),
    ] {
        world.tamis(arguments).exits(2).says(&[says]);
    }
}

#[test]
fn the_page_of_a_stage_says_which_form_of_text_it_works_on() {
    let world = World::new();
    let page = world.tamis(&["stages", "repair-text"]).exits(0).stdout;
    assert!(page.contains("works on flattened or clean text"), "{page}");
    assert!(page.contains("changes white space, U+00A0, lines, Markdown"), "{page}");
    assert!(world.tamis(&["stages", "html"]).exits(0).stdout.contains("gives markup text"));
}
