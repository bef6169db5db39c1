//! Stages in Python, in whole runs.

use std::path::PathBuf;
use std::process::Command;

use crate::interruption::{end, start, wait_for};
use crate::world::{World, line};
use tamis_tests::program::root;

const SHOUT: &str = r#"
import time
import tamis

@tamis.extractor
def shout(document, options):
    if len(document.text) % 7 == 0:
        raise ValueError("seven")
    time.sleep(options["secs"])
    document.metadata["seen"] = {"n": [len(document.text)]}
    document.metadata.pop("site", None)
    print("nothing of this may be taken for an answer")
    return document.text.upper()

tamis.serve(shout)
"#;

const LONG: &str = r"
import tamis

@tamis.filter
def long_enough(document):
    return len(document.text) > 60

tamis.serve(long_enough)
";

/// Python, if there is one; the tests say so where there is none.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn python() -> Option<PathBuf> {
    let folders = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&folders).map(|folder| folder.join("python3"));
    let python = found.filter(|path| path.is_file()).find(|path| {
        Command::new(path)
            .args(["-c", "import sys; sys.exit(sys.version_info < (3, 10))"])
            .status()
            .is_ok_and(|it| it.success())
    });
    if python.is_none() {
        eprintln!("SKIPPED: no Python 3.10 or newer");
    }
    python
}

fn world(secs: f64) -> Option<World> {
    speaking("jsonl", secs)
}

/// Whether Python has `pyarrow`; the tests say so where it has not.
#[expect(clippy::print_stderr, reason = "a test that is skipped says so")]
fn has_arrow() -> bool {
    let asked = python().map(|python| Command::new(python).args(["-c", "import pyarrow"]).output());
    let has = asked.is_some_and(|asked| asked.is_ok_and(|it| it.status.success()));
    if !has {
        eprintln!("SKIPPED: no PyArrow");
    }
    has
}

fn speaking(format: &str, secs: f64) -> Option<World> {
    let command = format!(
        "command = [\"/usr/bin/env\", \"PYTHONPATH={}\", \"{}\"]\nformat = \"{format}\"\n",
        root().join("crates/python/python").display(),
        python()?.display()
    );
    let world = World::with(&format!(
        "[[source]]\nuse = \"jsonl\"\npaths = [\"in\"]\n\n\
         [[stage]]\nuse = \"exec\"\nid = \"long\"\n{command}script = \"long.py\"\n\n\
         [[stage]]\nuse = \"exec\"\nid = \"shout\"\n{command}script = \"shout.py\"\noptions = {{ secs = {secs} }}\nbatch = 16\n\n\
         [[export]]\nuse = \"jsonl\"\npath = \"out\"\nmax_part_bytes = \"64 KiB\"\n\n\
         [run]\nblock_bytes = \"8 KiB\"\nmax_failed_ratio = 1\ncheckpoint_secs = 0.02\n"
    ));
    world.write("long.py", LONG);
    world.write("shout.py", SHOUT);
    let lines: String = (0..300).map(|n| line(n, 1 + n % 200)).collect();
    world.write("in/a.jsonl", lines);
    Some(world)
}

#[test]
fn functions_are_stages_and_threads_do_not_matter() {
    let Some(world) = world(0.0) else { return };
    let mut outputs = Vec::new();
    for threads in [1, 3] {
        let ran = world.run(&["--fresh", "--set", &format!("run.threads={threads}")]).exits(0);
        assert!(ran.stderr.contains("nothing of this may be taken for an answer"), "{ran:#?}");
        let mut files = world.files("out");
        files.retain(|name, _| !name.starts_with(".tamis"));
        outputs.push(files);
    }
    assert!(outputs[0] == outputs[1]);
    let (read, kept, dropped, failed) = world.tally();
    assert_eq!(read, 300);
    assert!(kept > 0 && dropped > 0 && failed > 0, "{kept} {dropped} {failed}");
    let records = world.records("out");
    assert!(records.iter().all(|it| it["text"].as_str().is_some_and(|text| text.len() > 60)));
    assert!(records.iter().all(|it| it["metadata"]["seen"]["n"][0].is_number()));
    let reasons = &world.manifest()["tally"].to_string();
    assert!(reasons.contains("long-enough"), "{reasons}");
    let failures = world.records("out/__failed");
    assert!(
        failures.iter().all(|it| it["reason"] == "ValueError: seven (shout.py, line 8)"),
        "{failures:#?}"
    );
}

/// What comes of the same functions, with everything but the manifest, which knows the options.
#[test]
fn record_batches_and_lines_come_to_the_same() {
    if !has_arrow() {
        return;
    }
    let mut outputs = Vec::new();
    for format in ["jsonl", "arrow"] {
        let Some(world) = speaking(format, 0.0) else { return };
        for threads in [1, 3] {
            let ran = world.run(&["--fresh", "--set", &format!("run.threads={threads}")]).exits(0);
            assert!(ran.stderr.contains("nothing of this may be taken for an answer"), "{ran:#?}");
            let mut files = world.files("out");
            files.retain(|name, _| !name.starts_with(".tamis"));
            outputs.push((files, world.manifest()["tally"].clone()));
        }
    }
    assert!(outputs.iter().all(|output| *output == outputs[0]));
}

#[test]
fn what_the_package_cannot_do_is_told() {
    let Some(world) = speaking("arrow", 0.0) else { return };
    world.write("pyarrow.py", "raise ImportError('not in this test')");
    // The folder of the script comes before that of what is installed.
    world.run(&["--set", "run.max_failed_ratio=1"]).exits(0);
    let failures = world.records("out/__failed");
    assert_eq!(failures.len(), 300);
    assert!(failures.iter().all(|it| {
        it["reason"]
            .as_str()
            .is_some_and(|why| why.contains("needs PyArrow") && why.contains("not in this test"))
    }));
}

#[cfg(unix)]
#[test]
fn an_interrupted_run_is_resumed_and_nothing_fails_by_it() {
    for format in ["jsonl", "arrow"] {
        if format == "jsonl" || has_arrow() {
            interrupted_and_resumed(format);
        }
    }
}

#[cfg(unix)]
fn interrupted_and_resumed(format: &str) {
    let Some(world) = speaking(format, 0.01) else { return };
    let child = start(&world, &["run", "p.toml"]);
    wait_for("a part", || world.path("out/part-00000.jsonl").exists());
    let id = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    let ran = end(child);
    assert!(matches!(ran.code, Some(0 | 130)), "{ran:#?}");
    world.run(&[]).exits(0);
    let (tally, disturbed) = (world.tally(), world.records("out"));
    world.run(&["--fresh"]).exits(0);
    assert_eq!(tally, world.tally());
    assert_eq!(disturbed, world.records("out"));
}

#[test]
fn another_script_is_another_pipeline() {
    let Some(world) = world(0.0) else { return };
    world.run(&[]).exits(0);
    world.write("long.py", LONG.replace("> 60", "> 90"));
    world.run(&[]).exits(2).says(&["--fresh"]);
}

/// A world with a program that speaks the protocol itself: `at` is what it does with each document `m`.
fn plain(at: &str) -> Option<World> {
    let world = World::with(&format!(
        "[[source]]\nuse = \"jsonl\"\npaths = [\"in\"]\n\n\
         [[stage]]\nuse = \"exec\"\ncommand = [\"{}\"]\nscript = \"plain.py\"\n\n\
         [[export]]\nuse = \"jsonl\"\npath = \"out\"\n\n\
         [run]\nthreads = 1\nmax_failed_ratio = 1\n",
        python()?.display()
    ));
    world.write(
        "plain.py",
        format!(
            "import json, sys, time\nfor line in sys.stdin:\n    m = json.loads(line)\n    if \"tamis\" in m:\n        \
             print('{{\"tamis\":1}}', flush=True)\n    elif \"id\" in m:\n        {at}\n        \
             print(json.dumps({{\"id\": m[\"id\"]}}), flush=True)\n"
        ),
    );
    let lines: String = (0..30).map(|n| line(n, 60)).collect();
    world.write("in/a.jsonl", lines);
    Some(world)
}

#[test]
fn a_program_that_always_fails_says_so_once() {
    let Some(world) = plain("raise RuntimeError('no model')") else { return };
    let ran = world.run(&[]).exits(0);
    assert_eq!(ran.stderr.matches("Traceback").count(), 1, "{ran:#?}");
    assert_eq!(world.tally(), (30, 0, 0, 30));
    // The first is the batch; then each document was tried alone.
    assert_eq!(world.manifest()["tally"]["stages"]["stage.exec"]["counts"]["exec:said_again"], 30);
    assert!(ran.stdout.contains("30 failed in `exec`: the program ended"), "{ran:#?}");
    assert!(ran.stdout.contains("RuntimeError: no model"), "{ran:#?}");
}

#[test]
fn a_slow_document_is_named_and_not_the_first_of_its_batch() {
    let Some(world) = plain("time.sleep(2.5 if m[\"text\"].startswith(\"slow\") else 0)") else { return };
    let lines: String = (0..9)
        .map(|n| line(n, 60).replace("\"text\":\"", if n == 5 { "\"text\":\"slow" } else { "\"text\":\"" }))
        .collect();
    world.write("in/a.jsonl", &lines);
    let slow = lines.lines().nth(5).map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap());
    let id = slow.unwrap()["id"].as_str().map(str::to_owned);
    let at: usize = lines.lines().take(5).map(|line| line.len() + 1).sum();
    let id = id.unwrap_or_else(|| format!("a.jsonl#{at}"));
    let ran = world.run(&["--set", "run.stage_timeout_secs=1"]).exits(0);
    assert!(ran.stderr.contains(&format!("document `{id}`")), "{id}: {ran:#?}");
}
