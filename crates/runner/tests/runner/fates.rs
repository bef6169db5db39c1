//! What became of every record, as the fate table of a run tells it.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tamis_document::{Document, Fate, Limit, Measure, Record};
use tamis_runner::fates::{FateRow, Fates};
use tamis_runner::{RecordPlace, RunError, Settings, Shard};
use tamis_stage::handle::Effects;
use tamis_stage::{Failure, Output, RunContext};

use crate::fakes::{Hooks, World, lines};

const RUN: &str = "[run]\nblock_bytes = \"2 KiB\"\nmemory = \"16 MiB\"\ncheckpoint_secs = 0\n";

fn world() -> World {
    let world = World::new();
    world.write("in/a.txt", lines(2_000));
    world.write("in/b.txt", lines(30));
    world
}

fn bytes(world: &World) -> Vec<u8> {
    std::fs::read(world.path("out/.tamis/fates")).unwrap()
}

fn rows(path: &Path) -> Vec<FateRow> {
    Fates::open(path).unwrap().rows().collect::<Result<_, _>>().unwrap()
}

/// Drops every tenth line, fails every hundredth, splits a document off some, and measures all.
fn hooks() -> Hooks {
    let process = |records: &mut [Record], effects: &mut Effects| {
        // The corpus stage of the tests calls the hook as well, while it observes.
        let new = records.iter_mut().enumerate().filter(|(_, record)| record.measures.is_empty());
        for (index, record) in new {
            let number = record.document.text.split(' ').nth(1).and_then(|n| n.parse().ok()).unwrap_or(1_u32);
            let (name, limit) = ("number".into(), Limit::Min(1.0));
            record.measures.push(Measure { name, value: number.into(), limit });
            match number {
                n if n % 100 == 0 => record.fate = Fate::Failed(format!("a hundred of {n}").into()),
                n if n % 10 == 0 => record.fate = Fate::Dropped("ten".into()),
                n if n % 17 == 0 => effects.split.push((index, Document::new("", "part 1"))),
                _ => {}
            }
        }
    };
    let encode = |record: &Record, out: &mut Output| {
        if record.is_kept() && record.document.text.starts_with("line 55 ") {
            return Err(Failure::new("not 55"));
        }
        (Hooks::default().encode)(record, out)
    };
    Hooks { process: Arc::new(process), encode: Arc::new(encode), ..Hooks::default() }
}

#[test]
fn each_record_is_there_once_with_its_fate() {
    let world = world();
    let report = world.run(RUN, &hooks()).unwrap();
    let path = world.path("out/.tamis/fates");
    let rows = rows(&path);
    assert!(rows.is_sorted_by_key(|row| row.position));
    let count = |is: fn(&Fate) -> bool| rows.iter().filter(|row| is(&row.fate)).count() as u64;
    let counts = [
        count(|fate| *fate == Fate::Kept),
        count(|fate| matches!(fate, Fate::Dropped(_))),
        count(|fate| matches!(fate, Fate::Failed(_))),
    ];
    assert_eq!(counts, [report.tally.kept, report.tally.dropped, report.tally.failed]);
    let entry = world.manifest().fates.unwrap();
    assert_eq!((entry.name.as_str(), entry.records), (".tamis/fates", rows.len() as u64));
    assert_eq!(entry.blake3, blake3::hash(&bytes(&world)).to_hex().as_str());
    let mut fates = Fates::open(&path).unwrap();
    let mut found = |id: &str| {
        let row = fates.find(id).unwrap().remove(0);
        let measured = row.measures.first().map_or(0.0, |measure| measure.value);
        (row.fate, row.stage.unwrap_or_default(), measured)
    };
    assert_eq!(found("b.txt#7"), (Fate::Kept, String::new(), 7.0));
    assert_eq!(found("a.txt#1010"), (Fate::Dropped("ten".into()), "hook".to_owned(), 1010.0));
    assert_eq!(found("a.txt#1100"), (Fate::Failed("a hundred of 1100".into()), "hook".to_owned(), 1100.0));
    let (fate, stage, _) = found("a.txt#55");
    assert!(matches!(&fate, Fate::Failed(why) if why.contains("not 55")) && stage == "stream", "{fate:?}");
    let child = fates.find("b.txt#17/1").unwrap().remove(0);
    let place = RecordPlace::of(child.position);
    let before: usize = lines(30).split_inclusive('\n').take(17).map(str::len).sum();
    assert_eq!((place.file, place.place), (1, before as u64));
    assert_eq!(fates.at(child.position).unwrap().len(), 2, "with what it was split off");
}

/// Interrupts a run at several places, goes on, and looks whether the table is what was expected.
fn interrupt(world: &dyn Fn() -> World, text: &dyn Fn(u32) -> String, expected: &[u8]) {
    let mut interrupted = 0;
    for after in [3, 15, 30, 45, 100] {
        let world = world();
        let run = RunContext::default();
        let (asked, calls, plain) = (run.clone(), AtomicUsize::new(0), hooks());
        let process = move |records: &mut [Record], effects: &mut Effects| {
            if calls.fetch_add(1, Ordering::Relaxed) == after {
                asked.cancel();
            }
            (plain.process)(records, effects);
        };
        let stopping = Hooks { process: Arc::new(process), ..hooks() };
        let result = world.run_in(&text(2), &stopping, Settings::default(), &run);
        interrupted += usize::from(matches!(result, Err(RunError::Interrupted)));
        assert!(result.is_ok() || !world.path("out/.tamis/fates").exists());
        world.run(&text(1), &hooks()).unwrap();
        assert!(bytes(&world) == expected, "interrupted after {after} calls: {}", text(1));
        let left = std::fs::read_dir(world.path("out/.tamis")).unwrap();
        let mut left: Vec<_> = left.map(|entry| entry.unwrap().file_name()).collect();
        left.sort_unstable();
        assert_eq!(left, ["fates", "inputs", "manifest.json"]);
    }
    assert!(interrupted >= 3, "{interrupted}");
}

/// Parts of one file share what was unpacked to read them: in memory if it is small, else on the disk.
#[test]
fn a_run_goes_on_within_unpacked_files_with_blocks_as_before() {
    let mut archive = tar::Builder::new(Vec::new());
    for n in 0..60 {
        let member = lines(if n % 9 == 4 { 200 } else { 20 + n / 4 });
        let mut header = tar::Header::new_gnu();
        header.set_size(member.len() as u64);
        archive.append_data(&mut header, format!("{n:02}.txt"), member.as_bytes()).unwrap();
    }
    let archive = archive.into_inner().unwrap();
    let world = || {
        let world = World::new();
        world.write("in/a.tar", &archive);
        world
    };
    let text =
        |threads: u32| format!("[[source]]\nuse = \"rows\"\npaths = [\"in/*\"]\n{RUN}threads = {threads}\n");
    let undisturbed = world();
    undisturbed.run(&text(1), &hooks()).unwrap();
    interrupt(&world, &text, &bytes(&undisturbed));
}

#[test]
fn the_bytes_are_the_same_whatever_the_threads_and_after_an_interruption() {
    for stages in [&["hook"][..], &["hook", "unique-twice"], &["hook", "unique", "unique-twice"]] {
        let table = |(n, it)| format!("[[stage]]\nuse = \"{it}\"\nid = \"s{n}\"\n");
        let stages = (0..).zip(stages).map(table).collect::<Vec<_>>().concat();
        let text = |threads: u32| format!("{stages}{RUN}threads = {threads}\n");
        let undisturbed = world();
        undisturbed.run(&text(1), &hooks()).unwrap();
        let expected = bytes(&undisturbed);
        let n_rows = rows(&undisturbed.path("out/.tamis/fates")).len() as u64;
        let tally = undisturbed.manifest().tally;
        assert_eq!(n_rows, tally.read + tally.split, "{stages}");
        for threads in [2, 8] {
            let world = world();
            world.run(&text(threads), &hooks()).unwrap();
            assert!(bytes(&world) == expected, "{threads} threads: {stages}");
        }
        interrupt(&world, &text, &expected);
    }
}

#[test]
fn shards_have_tables_of_their_own_that_make_the_whole() {
    let whole = world();
    whole.run(RUN, &hooks()).unwrap();
    let world = world();
    let mut all = Vec::new();
    for index in 0..2 {
        let shard = Shard { index, count: 2 };
        let settings = Settings { shard: Some(shard), ..Settings::default() };
        world.run_with(RUN, &hooks(), settings).unwrap();
        all.extend(rows(&world.path(&format!("out/shard-{index:05}-of-00002/.tamis/fates"))));
    }
    assert_eq!(all, rows(&whole.path("out/.tamis/fates")));
}

#[test]
fn a_table_is_written_unless_told_otherwise_and_goes_with_its_run() {
    let world = world();
    let without = format!("{RUN}fates = false\n");
    world.run(&without, &hooks()).unwrap();
    assert_eq!(world.manifest().fates, None);
    assert!(!world.path("out/.tamis/fates").exists());
    let fresh = || Settings { fresh: true, ..Settings::default() };
    world.run_with(RUN, &hooks(), fresh()).unwrap();
    assert!(world.path("out/.tamis/fates").exists());
    let dry = Settings { dry_run: true, ..fresh() };
    let before = bytes(&world);
    assert_eq!(world.run_with(RUN, &Hooks::default(), dry).unwrap().manifest.fates, None);
    assert!(bytes(&world) == before);
    world.run_with(&without, &hooks(), fresh()).unwrap();
    assert!(!world.path("out/.tamis/fates").exists(), "of another run");
}
