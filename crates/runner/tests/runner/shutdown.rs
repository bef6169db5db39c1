//! A run that breaks or is stopped ends soon, says why, and leaves nothing that looks finished.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tamis_runner::{RunError, Settings};
use tamis_stage::{Failure, RunContext};

use crate::fakes::{Hooks, World, lines};

const N_LINES: usize = 20_000;
/// Small blocks and parts: the input is hundreds of the former.
const SMALL: &str = "[[export]]\nuse = \"stream\"\npath = \"out\"\nmax_part_bytes = \"64 KiB\"\n\
                     [run]\nblock_bytes = \"2 KiB\"\nmemory = \"16 MiB\"\n";

fn world() -> World {
    let world = World::new();
    world.write("in/a.txt", lines(N_LINES));
    world
}

fn pipeline(threads: usize) -> String {
    format!("{SMALL}threads = {threads}\n")
}

/// A hook that does something when it sees one line, and counts all lines.
fn at(line: usize, act: impl Fn() + Send + Sync + 'static) -> (Hooks, Arc<AtomicUsize>) {
    let seen = Arc::new(AtomicUsize::new(0));
    let (count, wanted) = (Arc::clone(&seen), format!("line {line} "));
    let process = move |records: &mut [tamis_document::Record], _: &mut _| {
        count.fetch_add(records.len(), Ordering::Relaxed);
        if records.iter().any(|record| record.document.text.starts_with(&wanted)) {
            act();
        }
    };
    (Hooks { process: Arc::new(process), ..Hooks::default() }, seen)
}

/// What was left is marked as unfinished, is whole, and the next run makes the same of it as an undisturbed one.
fn check_recovery(world: &World, threads: usize) {
    assert!(!world.manifest().complete);
    let left: Vec<String> = world.output().into_keys().collect();
    let is_noted = left.contains(&".tamis/checkpoint.json".to_owned());
    // What is unfinished is there to be gone on with, or not at all.
    assert!(is_noted || left.iter().all(|name| name.starts_with("part-")), "{left:?}");
    let listed = world.manifest().exports.first().map_or(0, |export| export.files.len());
    assert!(left.iter().filter(|name| name.starts_with("part-")).count() >= listed);
    let report = world.run(&pipeline(threads), &Hooks::default()).unwrap();
    assert_eq!((report.resumed, report.restarted), (is_noted, !is_noted));
    assert_eq!(report.tally.kept, N_LINES as u64);
    let undisturbed = self::world();
    undisturbed.run(&pipeline(1), &Hooks::default()).unwrap();
    assert!(world.output() == undisturbed.output(), "the output differs from that of an undisturbed run");
    assert_eq!(world.manifest().exports, undisturbed.manifest().exports);
    assert_eq!(world.manifest().fates, undisturbed.manifest().fates);
}

#[test]
fn a_panic_outside_any_stage_ends_the_run() {
    for threads in [1, 2, 8] {
        let world = world();
        let (hooks, seen) = at(500, || panic!("boom"));
        let error = world.run(&pipeline(threads), &hooks).unwrap_err();
        assert_eq!(
            error.to_string(),
            "internal error: a worker panicked: boom; please report it",
            "{threads} threads"
        );
        assert!(!error.is_setup());
        assert!(seen.load(Ordering::Relaxed) < N_LINES / 2);
        check_recovery(&world, threads);
    }
}

#[test]
fn a_panic_while_reading_is_no_end_of_the_input() {
    let world = world();
    let n_cuts = AtomicUsize::new(0);
    let cut = move |_: &[u8]| {
        assert!(n_cuts.fetch_add(1, Ordering::Relaxed) < 100, "too many cuts");
        Ok(())
    };
    let error = world.run(&pipeline(2), &Hooks { cut: Arc::new(cut), ..Hooks::default() }).unwrap_err();
    assert!(error.to_string().contains("a worker panicked: too many cuts"), "{error}");
    check_recovery(&world, 2);
}

#[test]
fn a_panic_while_writing_ends_the_run() {
    let world = world();
    let tail = || panic!("no tail");
    let (hooks, seen) = at(0, || {});
    let error = world.run(&pipeline(2), &Hooks { tail: Arc::new(tail), ..hooks }).unwrap_err();
    assert!(error.to_string().contains("a worker panicked: no tail"), "{error}");
    assert!(seen.load(Ordering::Relaxed) < N_LINES / 2);
    check_recovery(&world, 2);
}

#[test]
fn an_output_that_breaks_ends_the_run_with_most_of_the_input_unread() {
    for threads in [1, 2, 8] {
        let world = world();
        let (hooks, seen) = at(0, || {});
        let tail = || Err(Failure::new("the disk is full"));
        let error = world.run(&pipeline(threads), &Hooks { tail: Arc::new(tail), ..hooks }).unwrap_err();
        assert_eq!(error.to_string(), "export `stream`: the disk is full");
        assert!(!error.is_setup());
        assert!(seen.load(Ordering::Relaxed) < N_LINES / 2, "{threads} threads");
        check_recovery(&world, threads);
    }
}

#[test]
fn a_folder_that_vanishes_ends_the_run() {
    let world = world();
    let out = world.path("out");
    let (hooks, _) = at(5_000, move || {
        // The writer is at work meanwhile, and may make the folder again.
        for n in 0.. {
            let _ = std::fs::rename(&out, out.with_extension(n.to_string()));
            if std::fs::write(&out, "a file").is_ok() {
                return;
            }
        }
    });
    let error = world.run(&pipeline(2), &hooks).unwrap_err();
    assert!(matches!(&error, RunError::Write { .. }), "{error}");
    assert_eq!(std::fs::read_to_string(world.path("out")).unwrap(), "a file");
}

#[test]
fn stopping_works_inside_a_file_and_writes_nothing_more() {
    for threads in [1, 2, 8] {
        let world = world();
        let run = RunContext::default();
        let asked = run.clone();
        let (hooks, seen) = at(5_000, move || asked.cancel());
        let error = world.run_in(&pipeline(threads), &hooks, Settings::default(), &run).unwrap_err();
        assert!(matches!(error, RunError::Interrupted), "{error}");
        assert!(seen.load(Ordering::Relaxed) < N_LINES / 2, "{threads} threads");
        let written: u64 = world.manifest().exports[0].files.iter().map(|file| file.records).sum();
        assert!((1..=5_000).contains(&written), "{written} records are in parts");
        check_recovery(&world, threads);
    }
}

#[test]
fn stopping_before_the_start_writes_nothing() {
    let world = world();
    let run = RunContext::default();
    run.cancel();
    let result = world.run_in(&pipeline(2), &Hooks::default(), Settings::default(), &run);
    assert!(matches!(result, Err(RunError::Interrupted)));
    assert!(!world.path("out").exists());
}

#[test]
fn a_dead_letter_that_cannot_be_written_ends_the_run() {
    let world = world();
    let encode = |record: &tamis_document::Record, _: &mut _| {
        if record.document.text.starts_with("line 7 ") { Err(Failure::new("not this one")) } else { Ok(()) }
    };
    let error = world.run(&pipeline(2), &Hooks { encode: Arc::new(encode), ..Hooks::default() }).unwrap_err();
    assert_eq!(error.to_string(), "export `failed` cannot write the dead letter `a.txt#7`: not this one");
    check_recovery(&world, 2);
}

#[test]
fn two_runs_do_not_share_a_folder() {
    let world = Arc::new(world());
    let (sender, second) = std::sync::mpsc::channel();
    let inner = Arc::clone(&world);
    let sender = std::sync::Mutex::new(sender);
    let (hooks, _) = at(1, move || {
        let result = inner.run(&pipeline(1), &Hooks::default());
        sender.lock().unwrap().send(result.map(|_| ()).unwrap_err()).unwrap();
    });
    let first = world.run(&pipeline(1), &hooks);
    let second = second.try_recv().expect("the second run ended first");
    assert!(matches!(&second, RunError::Busy { .. }) && second.is_setup(), "{second}");
    assert_eq!(first.unwrap().tally.kept, N_LINES as u64);
}

/// A run may be killed between giving its first part a name and listing it.
#[test]
fn a_part_that_was_not_yet_listed_is_known_to_the_next_run() {
    let world = world();
    let manifest = world.path("out/.tamis/manifest.json");
    let first = Arc::new(std::sync::Mutex::new(Vec::new()));
    let kept = Arc::clone(&first);
    let (hooks, _) = at(1, move || *kept.lock().unwrap() = std::fs::read(&manifest).unwrap());
    world.run(&pipeline(1), &hooks).unwrap();
    let undisturbed = world.output();
    let parts: Vec<&String> = undisturbed.keys().filter(|name| name.starts_with("part-")).collect();
    for name in &parts[1..] {
        std::fs::remove_file(world.path("out").join(name)).unwrap();
    }
    world.write("out/.tamis/manifest.json", first.lock().unwrap().clone());
    world.write("out/.parts.tamis-tmp", format!("{}\n", parts[0]));
    let report = world.run(&pipeline(1), &Hooks::default()).unwrap();
    assert!(report.restarted && !report.resumed);
    assert!(world.output() == undisturbed);
}
