//! Corpus stages: segments, spills, saved states, shards.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use tamis_runner::{
    Finish, MergeSettings, Reads, RunError, SegmentTask, Settings, Shard, Writes, merge_states, segments,
};

use crate::fakes::{Hooks, World};

const RUN: &str = "[run]\nblock_bytes = \"2 KiB\"\nmemory = \"16 MiB\"\n";

/// Files of lines whose words come again, within a file and across files.
fn world() -> World {
    let world = World::new();
    for (file, n) in [("a.txt", 700), ("b/c.txt", 40), ("b/d.txt", 1), ("e.txt", 900)] {
        let line = |n: usize| format!("{file} w{} {}", (n * n) % 331, ".".repeat(n % 50));
        world.write(&format!("in/{file}"), (0..n).map(line).collect::<Vec<_>>().join("\n"));
    }
    world
}

/// A pipeline with these stages, and an export of what was dropped.
fn pipeline(stages: &[&str], threads: usize) -> String {
    let mut text = String::new();
    for (n, stage) in stages.iter().enumerate() {
        text += &format!("[[stage]]\nuse = \"{stage}\"\nid = \"s{n}\"\n");
    }
    let export = "[[export]]\nuse = \"stream\"\npath = \"out\"\n\
                  [[export]]\nuse = \"stream\"\nid = \"dropped\"\nfrom = \"dropped\"\npath = \"out/dropped\"\n";
    format!("{text}{export}{RUN}threads = {threads}\n")
}

fn concatenated(files: &BTreeMap<String, String>, folder: &str) -> String {
    let parts = files
        .iter()
        .filter(|(name, _)| name.strip_prefix(folder).is_some_and(|rest| rest.starts_with("part-")));
    parts.map(|(_, content)| content.as_str()).collect()
}

/// The lines that the first of each word makes, from the inputs.
fn expected(world: &World) -> (Vec<String>, usize) {
    let mut seen = std::collections::BTreeSet::new();
    let (mut first, mut n_lines) = (Vec::new(), 0);
    for file in ["a.txt", "b/c.txt", "b/d.txt", "e.txt"] {
        for (n, line) in std::fs::read_to_string(world.path("in").join(file)).unwrap().lines().enumerate() {
            n_lines += 1;
            if seen.insert(line.split(' ').nth(1).unwrap().to_owned()) {
                first.push(format!("{file}#{n}"));
            }
        }
    }
    (first, n_lines)
}

fn ids(output: &str) -> Vec<&str> {
    output.lines().map(|line| line.split(' ').next().unwrap()).collect()
}

#[test]
fn all_is_seen_before_anything_is_judged() {
    let (expected, n_lines) = expected(&world());
    for stage in ["unique", "unique-twice"] {
        let mut outputs = Vec::new();
        for threads in [1, 2, 8] {
            let world = world();
            let report = world.run(&pipeline(&["hook", stage, "hook"], threads), &Hooks::default()).unwrap();
            assert_eq!(report.finish, Finish::Done);
            let output = world.output();
            assert_eq!(ids(&concatenated(&output, "")), expected, "{stage}, {threads} threads");
            assert_eq!(report.tally.read, n_lines as u64);
            assert_eq!(report.tally.dropped, (n_lines - expected.len()) as u64);
            assert_eq!(concatenated(&output, "dropped/").lines().count(), n_lines - expected.len());
            assert!(output.keys().all(|name| !name.starts_with(".tamis")), "{:?}", output.keys());
            outputs.push(output);
        }
        assert!(outputs.iter().all(|output| *output == outputs[0]));
    }
}

#[test]
fn corpus_stages_follow_each_other() {
    let world = world();
    let report =
        world.run(&pipeline(&["unique", "unique-twice", "hook", "unique"], 2), &Hooks::default()).unwrap();
    let (expected, n_lines) = expected(&world);
    assert_eq!(ids(&concatenated(&world.output(), "")), expected);
    assert_eq!(report.tally.stages["stage.s0"].dropped["seen"], (n_lines - expected.len()) as u64);
    assert_eq!(report.tally.stages["stage.s3"].seen, expected.len() as u64);
}

#[test]
fn a_stage_that_knows_all_already_is_applied_at_once() {
    let world = world();
    let report = world.run(&pipeline(&["unique-known"], 2), &Hooks::default()).unwrap();
    assert_eq!((report.tally.kept, report.tally.dropped), (0, report.tally.read));
}

#[test]
fn what_cannot_be_observed_is_a_dead_letter() {
    let world = world();
    let hooks = Hooks {
        process: Arc::new(|records, _| {
            for record in records.iter_mut().filter(|record| record.document.id == "a.txt#5") {
                record.fate = tamis_document::Fate::Failed("not this".into());
            }
        }),
        ..Hooks::default()
    };
    let report = world.run(&pipeline(&["unique"], 2), &hooks).unwrap();
    assert_eq!(report.tally.failed, 1);
    assert_eq!(report.tally.stages["stage.s0"].failed, 1);
    assert!(world.output()["__failed/part-00000.txt"].starts_with("a.txt#5 "));
}

#[test]
fn the_segments_of_a_plan_are_named() {
    let world = world();
    let plan = world.plan(&pipeline(&["hook", "unique-twice", "hook"], 1), &Hooks::default());
    let segments = segments(&plan);
    let shape: Vec<_> =
        segments.iter().map(|it| (it.reads, it.stages.join(" "), it.needs.len(), it.writes)).collect();
    assert_eq!(
        shape,
        [
            (Reads::Sources, "s0".to_owned(), 0, Writes::Spill),
            (Reads::Spill, String::new(), 1, Writes::Spill),
            (Reads::Spill, "s1 s2".to_owned(), 2, Writes::Exports),
        ]
    );
}

/// Runs every segment for every shard, as machines without a common memory would.
fn run_apart(world: &World, text: &str, count: u32) {
    let hooks = Hooks::default();
    let plan = world.plan(text, &hooks);
    let n_segments = segments(&plan).len();
    let mut states: Vec<PathBuf> = Vec::new();
    for (number, segment) in segments(&plan).into_iter().enumerate() {
        let needs = segment.needs.iter().map(|name| world.path(&name.file()));
        states.clear();
        states.extend(needs);
        for index in 0..count {
            let task = Some(SegmentTask { segment: number, states: states.clone() });
            let shard = Some(Shard { index, count });
            let settings = Settings { task, shard, ..Settings::default() };
            let report = world.run_with(text, &hooks, settings).unwrap();
            let expected = if number + 1 == n_segments { Finish::Done } else { Finish::Segment };
            assert_eq!(report.finish, expected);
        }
        if let Some(name) = &segment.observes {
            let shard = |index| Shard { index, count };
            let saved = (0..count).map(|index| {
                let folder = format!("out/shard-{:05}-of-{:05}/.tamis", shard(index).index, count);
                world.path(&folder).join(name.file())
            });
            let saved: Vec<_> = saved.collect();
            let opened = world.open(text, &hooks);
            let merged = merge_states(opened, &saved, &world.path(&name.file()), &MergeSettings::default());
            assert_eq!(merged.unwrap().name, *name);
        }
    }
}

#[test]
fn shards_make_what_one_run_makes() {
    for stages in [&["hook"][..], &["unique"], &["hook", "unique-twice", "hook"]] {
        let text = pipeline(stages, 2);
        let whole = world();
        whole.run(&text, &Hooks::default()).unwrap();
        let whole = whole.output();
        for count in [1, 2, 3, 7] {
            let world = world();
            run_apart(&world, &text, count);
            let output = world.output();
            assert_eq!(
                concatenated_shards(&output, count, ""),
                concatenated(&whole, ""),
                "{stages:?}, {count} shards"
            );
            // Each segment adds what it drops, so the order is that of the segments in every shard.
            let mut dropped: Vec<_> =
                concatenated_shards(&output, count, "dropped/").lines().map(str::to_owned).collect();
            let mut all: Vec<_> = concatenated(&whole, "dropped/").lines().map(str::to_owned).collect();
            dropped.sort_unstable();
            all.sort_unstable();
            assert_eq!(dropped, all);
            assert!(output.keys().all(|name| !name.contains(".tamis")), "{:?}", output.keys());
        }
    }
}

fn concatenated_shards(output: &BTreeMap<String, String>, count: u32, below: &str) -> String {
    (0..count).map(|index| concatenated(output, &format!("{below}shard-{index:05}-of-{count:05}/"))).collect()
}

#[test]
fn a_segment_waits_for_those_before_it() {
    let world = world();
    let text = pipeline(&["unique"], 1);
    let run = |segment| {
        let settings =
            Settings { task: Some(SegmentTask { segment, states: Vec::new() }), ..Settings::default() };
        world.run_with(&text, &Hooks::default(), settings)
    };
    let error = run(1).unwrap_err();
    assert!(matches!(&error, RunError::Task { .. }) && error.is_setup(), "{error}");
    assert_eq!(run(0).unwrap().finish, Finish::Segment);
    assert_eq!(run(0).unwrap().finish, Finish::AlreadyDone);
    assert_eq!(run(1).unwrap().finish, Finish::Done);
    assert_eq!(run(1).unwrap().finish, Finish::AlreadyDone);
}

#[test]
fn states_of_others_are_refused() {
    let world = world();
    let text = pipeline(&["unique"], 1);
    let settings =
        Settings { task: Some(SegmentTask { segment: 0, states: Vec::new() }), ..Settings::default() };
    world.run_with(&text, &Hooks::default(), settings).unwrap();
    world.write("nonsense", "no state\n");
    let merge = |text: &str, states: &[&str]| {
        let states: Vec<_> = states.iter().map(|state| world.path(state)).collect();
        merge_states(
            world.open(text, &Hooks::default()),
            &states,
            &world.path("merged"),
            &MergeSettings::default(),
        )
        .unwrap_err()
        .to_string()
    };
    let state = "out/.tamis/s0.0.state";
    assert!(merge(&text, &["nonsense"]).contains("no state that tamis has saved"));
    assert!(merge(&text, &["missing"]).contains("No such file"));
    let other = pipeline(&["unique", "hook"], 1);
    assert!(merge(&other, &[state]).contains("other readers, stages"));
    let cut = std::fs::read(world.path(state)).unwrap();
    world.write("cut", &cut[..cut.len() - 3]);
    assert!(merge(&text, &["cut"]).contains("EOF"));
    assert!(!world.path("merged").exists());
}

#[test]
fn only_states_of_all_shards_together_are_taken() {
    let world = world();
    let text = pipeline(&["unique"], 1);
    let run = |segment, index, states: &[&str]| {
        let states = states.iter().map(|state| world.path(state)).collect();
        let task = Some(SegmentTask { segment, states });
        let settings = Settings { task, shard: Some(Shard { index, count: 3 }), ..Settings::default() };
        world.run_with(&text, &Hooks::default(), settings)
    };
    let state = |index: u32| format!("out/shard-{index:05}-of-00003/.tamis/s0.0.state");
    for index in 0..3 {
        run(0, index, &[]).unwrap();
    }
    let merge = |states: &[String], to: &str| {
        let states: Vec<_> = states.iter().map(|state| world.path(state)).collect();
        // The output of the merging pipeline does not matter.
        let text = text.replace("\"out\"", "\"elsewhere\"").replace("\"out/", "\"elsewhere/");
        merge_states(
            world.open(&text, &Hooks::default()),
            &states,
            &world.path(to),
            &MergeSettings::default(),
        )
    };
    merge(&[state(0), state(2)], "two").unwrap();
    let error = merge(&[state(0), "two".to_owned()], "twice").unwrap_err().to_string();
    assert!(error.contains("shard 0, which another"), "{error}");
    for part in [state(1), "two".to_owned()] {
        let error = run(1, 1, &[&part]).unwrap_err().to_string();
        assert!(error.contains("it lacks"), "{error}");
    }
    merge(&[state(1), "two".to_owned()], "all").unwrap();
    assert_eq!(run(1, 1, &["all"]).unwrap().finish, Finish::Done);
    let shard = Some(Shard { index: 0, count: 3 });
    let whole = Settings { shard, ..Settings::default() };
    let error = world.run_with(&text, &Hooks::default(), whole).unwrap_err();
    assert!(matches!(error, RunError::Task { .. }), "{error}");
}

#[test]
fn a_dry_run_writes_nothing() {
    let world = world();
    let scratch = Some(world.path("scratch"));
    let settings = Settings { dry_run: true, scratch, ..Settings::default() };
    let report = world.run_with(&pipeline(&["unique"], 2), &Hooks::default(), settings).unwrap();
    let (expected, _) = expected(&world);
    assert_eq!((report.finish, report.tally.kept), (Finish::Dry, expected.len() as u64));
    assert!(!world.path("out").exists());
    assert_eq!(world.files("scratch"), BTreeMap::new());
}

#[test]
fn a_limit_takes_the_first_records() {
    for threads in [1, 2] {
        for limit in [0, 1, 39, 700, 741, 10_000] {
            let world = world();
            let text = pipeline(&["hook"], threads);
            let settings = Settings { limit: Some(limit), ..Settings::default() };
            let report = world.run_with(&text, &Hooks::default(), settings).unwrap();
            assert_eq!(report.tally.read, limit.min(1641));
            let whole = self::world();
            whole.run(&text, &Hooks::default()).unwrap();
            let all = concatenated(&whole.output(), "");
            let first: String = all.split_inclusive('\n').take(limit as usize).collect();
            assert_eq!(concatenated(&world.output(), ""), first, "{limit}");
        }
    }
}
