//! Stages that do not come back, and stages that end the process: what is said, and what the next run makes of it.

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value as Json;
use tamis_tests::program::tamis;
use tempfile::TempDir;

use crate::support::{Run, c_library, folder, has_cc, lines};

pub(crate) const STAGE: &str = "[[stage]]\nuse = \"stuck\"\n";

/// Much more than the 5 s that the program promises, because the machine may have other things to do. What hangs
/// takes longer.
const HANGS: Duration = Duration::from_mins(1);

/// So many documents are before the one that misbehaves, and as many behind it.
pub(crate) const AROUND: usize = 300;

/// A folder with the library, a pipeline with `stages`, and documents of which one is `text`.
pub(crate) fn world(stages: &str, text: &str) -> TempDir {
    let folder = folder();
    c_library(folder.path(), "stuck.c", "stuck", &[]);
    let document = |n: usize| {
        let text = if n == AROUND { text } else { "a text like many others" };
        serde_json::json!({ "id": format!("d{n}"), "text": text }).to_string() + "\n"
    };
    std::fs::write(folder.path().join("in.jsonl"), (0..=2 * AROUND).map(document).collect::<String>())
        .unwrap();
    pipeline(folder.path(), "[[source]]\nuse = \"jsonl\"\npaths = [\"in.jsonl\"]\n", stages);
    std::fs::write(folder.path().join("misbehave"), "").unwrap();
    folder
}

fn pipeline(folder: &Path, source: &str, stages: &str) {
    let text = format!(
        "plugin = [{{ path = \"libstuck.so\" }}]\n{source}{stages}[[export]]\nuse = \"jsonl\"\npath = \"out\"\n\
         [run]\nthreads = 2\nblock_bytes = \"1 KiB\"\ncheckpoint_secs = 0\nstage_timeout_secs = 0.3\n"
    );
    std::fs::write(folder.join("p.toml"), text).unwrap();
}

fn command(folder: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(tamis());
    command.args(arguments).current_dir(folder);
    command
}

pub(crate) fn run(folder: &Path, arguments: &[&str]) -> Run {
    command(folder, arguments).output().unwrap().into()
}

/// What a run that goes on from what is there writes, and the next from the beginning: they must be equal.
#[track_caller]
fn check_recovery(folder: &Path) {
    std::fs::remove_file(folder.join("misbehave")).unwrap();
    let part = folder.join("out/part-00000.jsonl");
    let again = run(folder, &["run", "p.toml"]).exits(0);
    assert!(again.stderr.contains("resumed an unfinished run"), "{}", again.stderr);
    let resumed = std::fs::read(&part).unwrap();
    run(folder, &["run", "p.toml", "--fresh"]).exits(0);
    assert!(resumed == std::fs::read(&part).unwrap(), "the bytes differ");
    assert_eq!(lines(&folder.join("out")).len(), 2 * AROUND + 1);
}

/// A run that hangs, once it has said so; with what it says afterwards.
struct Hanging {
    child: Child,
    stderr: BufReader<std::process::ChildStderr>,
    said: String,
}

impl Hanging {
    fn start(folder: &Path, arguments: &[&str]) -> Self {
        let mut command = command(folder, arguments);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        let mut said = String::new();
        while !said.contains("has worked") {
            assert!(stderr.read_line(&mut said).unwrap() > 0, "it has ended: {said}");
        }
        Self { child, stderr, said }
    }

    /// Sends a signal; how long the end took.
    fn stop(mut self, signal: &str) -> (Run, Duration) {
        let start = Instant::now();
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
        let code = self.child.wait().unwrap().code();
        let took = start.elapsed();
        self.stderr.read_to_string(&mut self.said).unwrap();
        let mut stdout = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        (Run { code, stdout, stderr: self.said }, took)
    }
}

#[test]
fn a_stage_that_does_not_come_back_is_named_and_one_signal_ends_the_run() {
    if !has_cc() {
        return;
    }
    let cases = [
        ("stuck", "loop for ever", "-TERM", "document `d300`"),
        ("stuck", "sleep for ever", "-INT", "document `d300`"),
        ("stuck-silently", "loop for ever", "-TERM", "documents from `d2"),
    ];
    for (stage, text, signal, subject) in cases {
        let folder = world(&format!("[[stage]]\nuse = \"{stage}\"\n"), text);
        let hanging = Hanging::start(folder.path(), &["run", "p.toml"]);
        let named = format!("warning: stage `{stage}` of plugin `stuck` has worked on ");
        assert!(hanging.said.contains(&named) && hanging.said.contains(subject), "{}", hanging.said);
        let (run, took) = hanging.stop(signal);
        let run = run.exits(130);
        assert!(took < HANGS, "{took:?}");
        assert_eq!(run.stderr.matches("has worked").count(), 1, "{}", run.stderr);
        let last = format!("error: interrupted, and stage `{stage}` of plugin `stuck` at ");
        assert!(run.stderr.contains(&last), "{}", run.stderr);
        check_recovery(folder.path());
    }
}

#[test]
fn what_hangs_is_an_event_too() {
    if !has_cc() {
        return;
    }
    let folder = world(STAGE, "loop for ever");
    let (run, _) = Hanging::start(folder.path(), &["run", "p.toml", "--json"]).stop("-TERM");
    let run = run.exits(130);
    let events: Vec<Json> = run.stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let stuck = events.iter().find(|event| event["event"] == "stuck").expect("an event");
    assert_eq!((&stuck["stage"], &stuck["plugin"]), (&"stuck".into(), &"stuck".into()));
    assert_eq!(stuck["document"], "d300");
    assert!(stuck["seconds"].as_f64().unwrap() >= 0.3, "{stuck}");
    let last = events.last().unwrap();
    assert_eq!(last["event"], "broken");
    assert!(last["message"].as_str().unwrap().starts_with("interrupted, and stage `stuck`"), "{last}");
}

#[test]
fn readers_and_writers_that_hang_end_as_well() {
    if !has_cc() {
        return;
    }
    // The reader takes a file at once; a part is written by whoever holds the writer, so nothing can be noted.
    let reader = "[[source]]\nuse = \"stuck-reader\"\npaths = [\"loop.txt\"]\n";
    let source = "[[source]]\nuse = \"jsonl\"\npaths = [\"in.jsonl\"]\n";
    let parts = "[[export]]\nid = \"parts\"\nuse = \"stuck-parts\"\npath = \"parts\"\n";
    for (source, stages, says) in [
        (reader, "", "stage `stuck-reader` of plugin `stuck` has worked on file `loop.txt` for"),
        (source, parts, "stage `stuck-parts` of plugin `stuck` has worked for"),
    ] {
        let folder = world(STAGE, "a text like many others");
        std::fs::write(folder.path().join("loop.txt"), "sleep for ever").unwrap();
        let only = serde_json::json!({ "id": "a", "text": "sleep for ever" }).to_string();
        if !stages.is_empty() {
            std::fs::write(folder.path().join("in.jsonl"), only).unwrap();
        }
        pipeline(folder.path(), source, stages);
        let hanging = Hanging::start(folder.path(), &["run", "p.toml"]);
        assert!(hanging.said.contains(says), "{}", hanging.said);
        let (run, took) = hanging.stop("-TERM");
        run.exits(130);
        assert!(took < HANGS, "{took:?}");
        std::fs::remove_file(folder.path().join("misbehave")).unwrap();
        self::run(folder.path(), &["run", "p.toml"]).exits(0);
        assert_eq!(lines(&folder.path().join("out")).len(), 1);
    }
}

#[test]
fn a_stage_that_is_slow_comes_to_its_end() {
    if !has_cc() {
        return;
    }
    let folder = world(STAGE, "take a while");
    let hanging = Hanging::start(folder.path(), &["run", "p.toml"]);
    let (run, _) = hanging.stop("-TERM");
    let run = run.exits(130);
    // As any run that was interrupted: nothing was given up.
    assert!(
        run.stderr.ends_with("error: interrupted; run the same command again to go on\n"),
        "{}",
        run.stderr
    );
    check_recovery(folder.path());
    // And one that nobody stops runs to its end, with a warning.
    std::fs::write(folder.path().join("misbehave"), "").unwrap();
    let run = self::run(folder.path(), &["run", "p.toml", "--fresh"]).exits(0);
    assert!(run.stderr.contains("has worked on document `d300` for 0."), "{}", run.stderr);
    let quiet = self::run(folder.path(), &["run", "p.toml", "--fresh", "--set", "run.stage_timeout_secs=0"]);
    assert!(!quiet.exits(0).stderr.contains("has worked"));
}

#[test]
fn the_timeout_is_no_part_of_what_a_run_is() {
    if !has_cc() {
        return;
    }
    let folder = world(STAGE, "a text like many others");
    run(folder.path(), &["run", "p.toml"]).exits(0);
    let again = run(folder.path(), &["run", "p.toml", "--set", "run.stage_timeout_secs=7"]).exits(0);
    assert!(again.stdout.starts_with("nothing to do"), "{}", again.stdout);
}

#[test]
fn a_plugin_that_ends_the_process_ends_it_as_broken() {
    if !has_cc() {
        return;
    }
    let at =
        "error: stage `stuck` of plugin `stuck` at document `d300` has ended the process by calling `exit`";
    for (text, says) in [
        ("exit well", at),
        ("exit badly", at),
        ("exit and wait", at),
        #[cfg(target_os = "linux")]
        ("exit quickly", at),
        (
            "exit elsewhere",
            "error: a plugin has ended the process by calling `exit` outside of a call (stage `stuck`",
        ),
    ] {
        let folder = world(STAGE, text);
        let broken = run(folder.path(), &["run", "p.toml"]).exits(3);
        assert!(broken.stderr.contains(says), "{text}: {}", broken.stderr);
        assert!(broken.stdout.is_empty(), "{text}: {}", broken.stdout);
        let manifest = std::fs::read_to_string(folder.path().join("out/.tamis/manifest.json")).unwrap();
        assert!(manifest.contains("\"complete\": false"), "{text}");
        check_recovery(folder.path());
    }
    let folder = world(STAGE, "exit well");
    let broken = run(folder.path(), &["run", "p.toml", "--json"]).exits(3);
    let last: Json = serde_json::from_str(broken.stdout.lines().last().unwrap()).unwrap();
    assert_eq!(last["event"], "broken");
    assert!(
        last["message"].as_str().unwrap().starts_with("stage `stuck` of plugin `stuck` at document `d300`")
    );
}

#[test]
fn a_plugin_may_not_end_the_process_when_nothing_runs_either() {
    if !has_cc() {
        return;
    }
    let folder = world(STAGE, "a text like many others");
    std::fs::write(folder.path().join("exit-when-opened"), "").unwrap();
    for command in ["check", "plan", "run"] {
        let broken = run(folder.path(), &[command, "p.toml"]).exits(3);
        let says = "error: stage `stuck` of plugin `stuck` has ended the process by calling `exit`";
        assert!(broken.stderr.contains(says), "{command}: {}", broken.stderr);
    }
}

#[test]
fn a_child_that_a_plugin_has_forked_ends_as_it_likes() {
    if !has_cc() {
        return;
    }
    let folder = world(STAGE, "fork");
    let run = run(folder.path(), &["run", "p.toml"]).exits(0);
    assert!(!run.stderr.contains("error"), "{}", run.stderr);
}

#[test]
fn what_a_plugin_prints_stays_out_of_what_a_machine_reads() {
    if !has_cc() {
        return;
    }
    let folder = world(STAGE, "print");
    for arguments in
        [&["run", "p.toml", "--json"][..], &["run", "p.toml", "--fresh"], &["run", "p.toml", "-q", "--fresh"]]
    {
        let run = run(folder.path(), arguments).exits(0);
        for how in ["printed", "written", "echoed"] {
            let line = format!("{how} by a plugin");
            assert!(!run.stdout.contains(&line), "{arguments:?}: {}", run.stdout);
            assert!(run.stderr.contains(&line), "{arguments:?}: {}", run.stderr);
        }
        match arguments {
            [.., "--json"] => {
                let all_are_json = run.stdout.lines().all(|line| serde_json::from_str::<Json>(line).is_ok());
                assert!(all_are_json && run.stdout.lines().count() == 2, "{}", run.stdout);
            }
            [.., "-q", _] => assert_eq!(run.stdout, ""),
            _ => assert!(run.stdout.contains("601 kept"), "{}", run.stdout),
        }
    }
}
