//! What observers hear of a run.

use std::sync::{Arc, Mutex};

use tamis_document::{Document, Fate, Record};
use tamis_runner::{Event, Interest, Observer, Observers, Progress, Settings, process};
use tamis_stage::{Failure, Output};

use crate::fakes::{Hooks, World, lines};

const RUN: &str = "[run]\nmax_failed_ratio = 1\nblock_bytes = \"2 KiB\"\nmemory = \"16 MiB\"\nthreads = 2\ncheckpoint_secs = 0\n";

/// Notes events as lines, of those documents whose text ends a certain way.
struct Notes {
    interest: Interest,
    ending: &'static str,
    lines: Mutex<Vec<String>>,
}

impl Notes {
    fn new(interest: Interest, ending: &'static str) -> Self {
        Self { interest, ending, lines: Mutex::default() }
    }

    fn taken(&self) -> Vec<String> {
        std::mem::take(&mut self.lines.lock().unwrap())
    }
}

impl Observer for Notes {
    fn interest(&self) -> Interest {
        self.interest
    }

    fn wants(&self, record: &Record) -> bool {
        record.document.id.ends_with(self.ending)
    }

    fn event(&self, event: &Event<'_>) {
        let line = match event {
            Event::RunBegun { plan } => format!("run {}", plan.name),
            Event::SegmentBegun { segment, segments, total_bytes, bytes } => {
                format!("segment {} of {segments}: {total_bytes} bytes, {bytes} done", segment.index)
            }
            Event::File { name, bytes, is_broken } => {
                format!("file {name}: {bytes} bytes, broken {is_broken}")
            }
            Event::Entered { record } => format!("enters {}", record.document.id),
            Event::Stage { stage, before, after, split, .. } => {
                let (before, text, fate) = (&before.text, &after.document.text, fate(after));
                format!("{stage}: `{before}` to `{text}`, {split} split, {fate}")
            }
            Event::Left { record } => format!("{} leaves {}", record.document.id, fate(record)),
            Event::Block { kept, dropped, failed, .. } => format!("block {}", kept + dropped + failed),
            Event::Part { export, file } => format!("part {export}/{}: {}", file.name, file.records),
            Event::Checkpoint { tally, .. } => format!("checkpoint {}", tally.read),
            Event::SegmentEnded { segment } => format!("end of segment {}", segment.index),
            Event::RunEnded { result } => format!("end: {}", result.is_ok()),
            _ => return,
        };
        self.lines.lock().unwrap().push(line);
    }
}

fn fate(record: &Record) -> String {
    match &record.fate {
        Fate::Kept => "kept".to_owned(),
        Fate::Dropped(reason) => format!("dropped: {reason}"),
        Fate::Failed(reason) => format!("failed: {reason}"),
    }
}

fn world() -> World {
    let world = World::new();
    world.write("in/a.txt", lines(300));
    world.write("in/b.txt", "b 0\nb 1\n");
    world
}

/// Shortens what `b 1` says, splits a document off it, and drops what says `b 0`.
fn hooks() -> Hooks {
    let process = |records: &mut [Record], effects: &mut tamis_stage::handle::Effects| {
        for (index, record) in records.iter_mut().enumerate() {
            match record.document.text.as_str() {
                "b 0" => record.fate = Fate::Dropped("is nothing".into()),
                "b 1" => {
                    "one".clone_into(&mut record.document.text);
                    effects.split.push((index, Document::new("", "two")));
                }
                _ => {}
            }
        }
    };
    let encode = |record: &Record, out: &mut Output| {
        if record.is_kept() && record.document.id == "b.txt#1/1" {
            return Err(Failure::new("not two"));
        }
        (Hooks::default().encode)(record, out)
    };
    Hooks { process: Arc::new(process), encode: Arc::new(encode), ..Hooks::default() }
}

#[test]
fn documents_are_seen_before_and_after_each_stage() {
    let text = format!("[[stage]]\nuse = \"hook\"\n[[stage]]\nuse = \"hook\"\nid = \"again\"\n{RUN}");
    let world = world();
    world.run(&text, &hooks()).unwrap();
    let unobserved = world.output();
    let notes = Notes::new(Interest::DOCUMENTS, "");
    let some = Notes::new(Interest::DOCUMENTS, "b.txt#1");
    let settings = Settings { fresh: true, ..Settings::default() };
    let opened = world.open(&text, &hooks());
    tamis_runner::run(opened, &settings, &Observers::new([&notes as &dyn Observer, &some])).unwrap();
    assert!(world.output() == unobserved, "who looks changes nothing");
    let mut seen = notes.taken();
    assert_eq!(seen.len(), 302 + 1 + 302 + 302 + 303, "one leaves after a stage, another comes in");
    seen.retain(|line| line.contains("b.txt") || line.contains("`b ") || line.contains("`one`"));
    let expected = [
        "enters b.txt#0",
        "enters b.txt#1",
        "hook: `b 0` to `b 0`, 0 split, dropped: is nothing",
        "hook: `b 1` to `one`, 1 split, kept",
        "enters b.txt#1/1",
        "again: `one` to `one`, 0 split, kept",
        "b.txt#1 leaves kept",
        "b.txt#0 leaves dropped: is nothing",
        "b.txt#1/1 leaves failed: not two",
    ];
    assert_eq!(seen, expected);
    assert_eq!(some.taken(), [expected[1], expected[3], expected[5], expected[6]]);
    // The same way without a run.
    let documents = vec![Document::new("b.txt#1", "b 1")];
    process(world.open(&text, &hooks()), documents, &world.path("scratch"), &some).unwrap();
    assert_eq!(some.taken(), [expected[1], expected[3], expected[5]]);
}

#[test]
fn a_run_tells_how_it_gets_on() {
    let text = format!("[[stage]]\nuse = \"unique\"\n{RUN}");
    let all = Interest::RUN
        | Interest::SEGMENTS
        | Interest::FILES
        | Interest::BLOCKS
        | Interest::PARTS
        | Interest::CHECKPOINTS;
    let (world, notes, progress) = (world(), Notes::new(all, ""), Progress::default());
    let observers = Observers::new([&notes as &dyn Observer, &progress]);
    let report =
        tamis_runner::run(world.open(&text, &Hooks::default()), &Settings::default(), &observers).unwrap();
    let seen = notes.taken();
    let now = progress.snapshot();
    assert_eq!((now.kept, now.dropped, now.failed), (report.tally.kept, report.tally.dropped, 0));
    assert_eq!((now.segment, now.segments, now.bytes), (1, 2, now.total_bytes));
    let has = |line: &str| seen.iter().filter(|seen| seen.starts_with(line)).count();
    let size = lines(300).len();
    assert_eq!(seen.first().map(String::as_str), Some("run test"));
    assert_eq!(has(&format!("segment 0 of 2: {} bytes, 0 done", size + 8)), 1, "{seen:?}");
    assert_eq!(has(&format!("file a.txt: {size} bytes, broken false")), 1, "{seen:?}");
    assert_eq!(has("part stream/part-00000.txt: "), 1, "{seen:?}");
    assert!(has("block ") > 2 && has("checkpoint ") > 2, "{seen:?}");
    assert_eq!(has("end of segment"), 2, "{seen:?}");
    assert_eq!(seen.last().map(String::as_str), Some("end: true"));
    let (nothing, again) = (Notes::new(Interest::NOTHING, ""), Notes::new(Interest::RUN, ""));
    let observers = Observers::new([&nothing as &dyn Observer, &again]);
    tamis_runner::run(world.open(&text, &Hooks::default()), &Settings::default(), &observers).unwrap();
    assert!(nothing.taken().is_empty());
    assert_eq!(again.taken(), ["run test", "end: true"], "there was nothing to do");
}
