//! Cutting files into blocks: sizes, records that are too long, troubles of files.

use std::sync::{Arc, Mutex};

use tamis_document::{Document, Record};
use tamis_stage::Failure;
use tamis_stage::handle::Effects;

use crate::fakes::{Hooks, World, lines};

/// The smallest memory: a record may take an eighth of it.
const MAX_RECORD: usize = 2 << 20;
const LEAST: &str = "[run]\nmemory = \"16 MiB\"\nblock_bytes = \"64 KiB\"\nmax_failed_ratio = 1\n";

#[test]
fn a_million_empty_files_would_not_be_one_block() {
    let world = World::new();
    for n in 0..2_000 {
        world.write(&format!("in/{n}"), "");
    }
    let calls = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&calls);
    let process = move |records: &mut [Record], _: &mut Effects| seen.lock().unwrap().push(records.len());
    let hooks = Hooks { process: Arc::new(process), ..Hooks::default() };
    let text =
        "[[source]]\nuse = \"whole\"\npaths = [\"in\"]\n[run]\nblock_bytes = \"64 KiB\"\nthreads = 1\n";
    let report = world.run(text, &hooks).unwrap();
    assert_eq!(report.tally.kept, 2_000);
    // 256 bytes are reckoned for each.
    assert!(calls.lock().unwrap().iter().all(|n| *n <= 256), "{calls:?}");
}

#[test]
fn a_record_that_is_too_long_costs_itself_alone() {
    // Lengths with their line end, around the limit, the half window, and the two together.
    let limit = MAX_RECORD;
    for length in [limit, limit + 1, limit + 2, MAX_RECORD * 3 / 2 + 1, MAX_RECORD * 2 + 5] {
        let world = World::new();
        let long = format!("{}\n", "x".repeat(length - 1));
        let content = format!("before\n{long}after 2\nafter 3\n{long}{long}\nafter 7\n{}", long.trim_end());
        world.write("in/a.txt", &content);
        world.write("in/b.txt", "next\n");
        let report = world.run(LEAST, &Hooks::default()).unwrap();
        let output = world.output();
        let at = |n: usize| 7 + n * length;
        let is_too_long = length > MAX_RECORD;
        let last_is_too_long = length - 1 > MAX_RECORD;
        let expected = [
            Some("a.txt#0 0+7 before\n".to_owned()),
            (!is_too_long).then(|| format!("a.txt#1 7+{length} {}\n", "x".repeat(20))),
            Some(format!("a.txt#2 {}+8 after 2\n", at(1))),
            Some(format!("a.txt#3 {}+8 after 3\n", at(1) + 8)),
            (!is_too_long).then(|| format!("a.txt#4 {}+{length} {}\n", at(1) + 16, "x".repeat(20))),
            (!is_too_long).then(|| format!("a.txt#5 {}+{length} {}\n", at(2) + 16, "x".repeat(20))),
            Some(format!("a.txt#7 {}+8 after 7\n", at(3) + 17)),
            (!last_is_too_long)
                .then(|| format!("a.txt#8 {}+{} {}\n", at(3) + 25, length - 1, "x".repeat(20))),
            Some("b.txt#0 0+5 next\n".to_owned()),
        ];
        let expected: String = expected.into_iter().flatten().collect();
        assert_eq!(output["part-00000.txt"], expected, "{length}");
        let failed = output.get("__failed/part-00000.txt").cloned().unwrap_or_default();
        let failed: Vec<&str> = failed.lines().map(|line| line.split("  failed: ").next().unwrap()).collect();
        let mut dead = Vec::new();
        if is_too_long {
            for place in [7, at(1) + 16, at(2) + 16] {
                dead.push(format!("a.txt#{place} {place}+{length}"));
            }
        }
        if last_is_too_long {
            dead.push(format!("a.txt#{0} {0}+{1}", at(3) + 25, length - 1));
        }
        assert_eq!(failed, dead, "{length}");
        assert_eq!(report.tally.failed, dead.len() as u64);
    }
}

#[test]
fn a_dead_letter_says_how_long_the_record_is_and_keeps_its_beginning() {
    let world = World::new();
    world.write("in/a.txt", format!("{}\nafter\n", "x".repeat(5_000_000)));
    let seen = Arc::new(Mutex::new(None));
    let kept = Arc::clone(&seen);
    let encode = move |record: &Record, _: &mut _| {
        if !record.is_kept() {
            *kept.lock().unwrap() = Some(record.clone());
        }
        Ok(())
    };
    world.run(LEAST, &Hooks { encode: Arc::new(encode), ..Hooks::default() }).unwrap();
    let record = seen.lock().unwrap().take().expect("a dead letter");
    assert_eq!(record.document.raw, Some(vec![b'x'; 64 * 1024]));
    assert_eq!(record.document.origin.length, 5_000_001);
    let tamis_document::Fate::Failed(reason) = record.fate else { panic!("{record:?}") };
    assert_eq!(
        reason,
        "the record takes 5000001 bytes, more than the 2 MiB of `max_record_bytes` in [run]: raise it and pass \
         `--fresh`; the first 64 KiB are kept here"
    );
}

#[test]
fn places_in_compressed_files_are_those_of_what_is_in_them() {
    let world = World::new();
    let content = format!("before\n{}\nafter\n", "x".repeat(5_000_000));
    world.write("in/a.txt", zstd::bulk::compress(content.as_bytes(), 3).unwrap());
    let report = world.run(LEAST, &Hooks::default()).unwrap();
    let output = world.output();
    assert_eq!(output["part-00000.txt"], "a.txt#0 0+7 before\na.txt#2 5000008+6 after\n");
    assert!(output["__failed/part-00000.txt"].starts_with("a.txt#7 7+5000001 "), "{output:?}");
    assert_eq!(report.tally.read, 3);
}

#[test]
fn a_file_that_breaks_off_inside_a_record_that_is_too_long_is_one_dead_letter() {
    let world = World::new();
    // Not to be compressed, so that the file is cut where it is to be.
    let noise: Vec<u8> =
        (0..6_000_000_u32).map(|n| b'a' + (n.wrapping_mul(2_654_435_761) >> 28) as u8).collect();
    let mut whole = zstd::bulk::compress(&noise, 1).unwrap();
    whole.truncate(whole.len() * 3 / 4);
    world.write("in/a.txt", whole);
    let report = world.run(LEAST, &Hooks::default()).unwrap();
    assert_eq!((report.tally.read, report.tally.failed), (1, 1));
    let letter = &world.output()["__failed/part-00000.txt"];
    assert!(
        letter.starts_with("a.txt#0 0+") && letter.contains("the rest of the file was not read"),
        "{letter}"
    );
}

#[test]
fn a_whole_file_that_is_too_long_is_one_dead_letter() {
    let world = World::new();
    world.write("in/a", "x\n".repeat(3 << 20));
    world.write("in/b", "small");
    let text = format!("[[source]]\nuse = \"whole\"\npaths = [\"in\"]\n{LEAST}");
    world.run(&text, &Hooks::default()).unwrap();
    let output = world.output();
    assert_eq!(output["part-00000.txt"], "b#0 0+0 small\n");
    assert!(output["__failed/part-00000.txt"].starts_with("a#0 0+6291456 "), "{output:?}");
}

#[test]
fn a_reader_that_gives_up_costs_the_rest_of_the_file_or_the_block() {
    let world = World::new();
    world.write("in/a.txt", lines(5_000));
    world.write("in/b.txt", "next\n");
    let breaks = |what: &'static str| {
        move |bytes: &[u8]| {
            let is_here = bytes.windows(10).any(|window| window == b"line 2000 ");
            if is_here { Err(Failure::new(what)) } else { Ok(()) }
        }
    };
    let text = "[run]\nblock_bytes = \"2 KiB\"\nmax_failed_ratio = 1\n";
    let hooks = Hooks { cut: Arc::new(breaks("no cut")), ..Hooks::default() };
    let report = world.run(text, &hooks).unwrap();
    assert_eq!((report.tally.failed, report.tally.read), (1, report.tally.kept + 1));
    let output = world.output();
    assert!(output["part-00000.txt"].ends_with("b.txt#0 0+5 next\n"));
    let failed = &output["__failed/part-00000.txt"];
    let total = lines(5_000).len();
    let (offset, length) = failed.split(' ').nth(1).unwrap().split_once('+').unwrap();
    assert_eq!(offset.parse::<usize>().unwrap() + length.parse::<usize>().unwrap(), total, "{failed}");

    std::fs::remove_dir_all(world.path("out")).unwrap();
    let hooks = Hooks { decode: Arc::new(breaks("no decode")), ..Hooks::default() };
    let report = world.run(text, &hooks).unwrap();
    assert_eq!(report.tally.failed, 1);
    assert!(report.tally.kept > 4_900, "{:?}", report.tally);
}

#[test]
fn a_file_that_vanishes_meanwhile_is_a_dead_letter() {
    let world = World::new();
    world.write("in/a.txt", lines(20_000));
    world.write("in/b.txt", "never read\n");
    let vanishing = world.path("in/b.txt");
    // Far fewer blocks are in flight than the first file has, so the second is not open yet.
    let process = move |records: &mut [Record], _: &mut Effects| {
        if records.iter().any(|record| record.document.text == "line 0") {
            std::fs::remove_file(&vanishing).unwrap();
        }
    };
    let hooks = Hooks { process: Arc::new(process), ..Hooks::default() };
    let report = world.run("[run]\nblock_bytes = \"2 KiB\"\nthreads = 2\n", &hooks).unwrap();
    assert_eq!((report.tally.kept, report.tally.failed), (20_000, 1));
    let failed = &world.output()["__failed/part-00000.txt"];
    assert!(
        failed.starts_with("b.txt 0+11 ") && failed.contains("cannot read the file: No such"),
        "{failed}"
    );
}

#[test]
fn documents_that_two_stages_split_off_have_ids_of_their_own() {
    let world = World::new();
    world.write("in/a.txt", "one\ntwo\n");
    let process = |records: &mut [Record], effects: &mut Effects| {
        for (index, _) in records.iter().enumerate() {
            effects.split.push((index, Document::new("", "child")));
        }
    };
    let hooks = Hooks { process: Arc::new(process), ..Hooks::default() };
    let text = "[[stage]]\nuse = \"hook\"\n[[stage]]\nuse = \"hook\"\nid = \"again\"\n";
    let report = world.run(text, &hooks).unwrap();
    assert_eq!((report.tally.read, report.tally.split, report.tally.kept), (2, 6, 8));
    let output = world.output();
    let ids: Vec<&str> =
        output["part-00000.txt"].lines().map(|line| line.split(' ').next().unwrap()).collect();
    assert_eq!(
        ids,
        [
            "a.txt#0",
            "a.txt#0/2",
            "a.txt#0/1",
            "a.txt#0/1/1",
            "a.txt#1",
            "a.txt#1/2",
            "a.txt#1/1",
            "a.txt#1/1/1"
        ]
    );
}
