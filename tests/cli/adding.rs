//! `run --add`: new files beside an output that stays as it is.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use serde_json::Value as Json;
use tamis_tests::lottery::Lottery;

use crate::interruption::{end, start, wait_for};
use crate::world::{PIPELINE, World, line, manifest_is_true};

/// The stages that compare documents, as an output has them that is to be added to.
const STAGES: &str = "\
[[stage]]
use = \"dedup-exact\"
index = true

[[stage]]
use = \"dedup-near\"
index = true

[[stage]]
use = \"dedup-spans\"
index = true
";

fn pipeline(stages: &str) -> String {
    let pipeline = PIPELINE.replacen("[[export]]", &format!("{stages}\n[[export]]"), 1);
    format!("{pipeline}block_bytes = \"16 KiB\"\ncheckpoint_secs = 0.02\n")
}

/// What was in the output before an addition.
fn without_additions(world: &World) -> BTreeMap<String, Vec<u8>> {
    let mut files = world.files("out");
    // A run that is killed leaves its lock, which the next one takes over.
    files.retain(|name, _| !name.contains("added-") && !name.ends_with(".tamis/lock"));
    files
}

fn manifest(world: &World, number: usize) -> Json {
    serde_json::from_str(&world.read(format!("out/added-{number:05}/.tamis/manifest.json"))).unwrap()
}

#[test]
fn new_files_alone_are_read_and_what_is_there_stays() {
    let world = World::with(&pipeline(""));
    let lines = |from: usize| (from..from + 50).map(|n| line(n, 40)).collect::<String>();
    world.write("in/a.jsonl", lines(0));
    world.run(&["--add"]).exits(2).says(&["cannot add to `", "no output of a run in it yet"]);
    assert!(!world.path("out").exists());
    world.run(&[]).exits(0);
    let before = world.files("out");
    world.run(&["--add"]).exits(0);
    assert!(world.run(&["--add"]).exits(0).stdout.starts_with("nothing to add: "));
    assert!(world.files("out") == before);

    world.write("in/b.jsonl", lines(50));
    world.run(&[]).exits(2).says(&[
        "1 file of ",
        ", now 2 files of ",
        "`--add` to read those alone that are new",
    ]);
    let ran = world.run(&["--add"]).exits(0);
    let told = "addition 1: 1 new file, beside the output that was there, which stays as it is\n";
    assert!(ran.stdout.contains(told), "{ran:?}");
    assert!(without_additions(&world) == before);
    assert_eq!(world.ids("out/added-00001").len(), 50);
    let added = manifest(&world, 1);
    assert_eq!((&added["added"]["number"], &added["added"]["equals_fresh_run"]), (&1.into(), &true.into()));
    assert_eq!((&added["tally"]["read"], &added["input_files"]), (&50.into(), &1.into()));
    manifest_is_true(&world, "out/added-00001");

    world.write("in/c.jsonl", lines(100));
    world.run(&["--add", "--dry-run"]).exits(0);
    assert!(!world.path("out/added-00002").exists());
    world.run(&["--add"]).exits(0);
    assert_eq!(manifest(&world, 2)["added"]["beside"], serde_json::json!(["..", "../added-00001"]));
    assert_eq!(world.ids("out/added-00002").len(), 50);
    assert!(world.run(&["--add"]).exits(0).stdout.starts_with("nothing to add: "));

    // All of it again, in one.
    world.run(&["--fresh"]).exits(0);
    assert!(!world.path("out/added-00001").exists() && !world.path("out/added-00002").exists());
    assert_eq!(world.tally().0, 150);
}

#[test]
fn what_cannot_be_added_is_refused_and_nothing_is_touched() {
    let world = World::with(&pipeline(STAGES));
    world.write("in/a.jsonl", line(0, 40));
    world.run(&[]).exits(0);
    world.write("in/b.jsonl", line(1, 40));
    let before = world.files("out");
    let refused = |arguments: &[&str], texts: &[&str]| {
        world.run(&[&["--add"], arguments].concat()).exits(2).says(&["cannot add to `"]).says(texts);
        assert!(world.files("out") == before, "{arguments:?}");
    };
    refused(&["--set", "stage.length.min_chars=20"], &["`stage.length.min_chars`: 10, now 20"]);
    world.write("in/a.jsonl", line(0, 400));
    refused(&[], &["`a.jsonl` was read before and has changed since", "put new documents into new files"]);
    world.write("in/a.jsonl", line(0, 40));
    std::fs::remove_file(world.path("out/.tamis/inputs")).unwrap();
    world.run(&["--add"]).exits(2).says(&["its list of inputs, `", "cannot be read"]);
    for (flag, value) in [("--limit", "3"), ("-o", "-")] {
        world.run(&["--add", flag, value]).exits(2);
    }
    for (flag, value) in [("--shard", "0/2"), ("--segment", "0")] {
        let way_out = "a pipeline of their own, with the new files alone";
        world.run(&["--add", flag, value]).exits(2).says(&[&format!("goes with no `{flag}`"), way_out]);
    }

    for (stages, name) in [
        ("[[stage]]\nuse = \"dedup-near\"\n", "dedup-near"),
        ("[[stage]]\nuse = \"line-template\"\n", "line-template"),
    ] {
        world.write("p.toml", pipeline(stages));
        world.run(&["--fresh"]).exits(0);
        world.write("in/c.jsonl", line(1, 40));
        world
            .run(&["--add"])
            .exits(2)
            .says(&[&format!("stage `{name}` judges a document by all others"), "`index = true`"]);
        std::fs::remove_file(world.path("in/c.jsonl")).unwrap();
    }
}

#[test]
fn what_shards_have_made_is_added_to_when_it_is_merged() {
    let world = World::with(&pipeline(""));
    let lines = |from: usize| (from..from + 50).map(|n| line(n, 40)).collect::<String>();
    for file in 0..4 {
        world.write(format!("in/{file}.jsonl"), lines(50 * file));
    }
    for shard in ["0/2", "1/2"] {
        world.run(&["--shard", shard]).exits(0);
    }
    world.run(&["--add"]).exits(2).says(&["no output of a run in it yet"]);
    world.tamis(&["merge", "out"]).exits(0);
    assert!(world.run(&["--add"]).exits(0).stdout.starts_with("nothing to add: "));
    world.write("in/9.jsonl", lines(200));
    world.run(&["--add"]).exits(0);
    let mut ids = world.ids("out/added-00001");
    ids.sort();
    assert_eq!(ids.len(), 50);
    assert_eq!(manifest(&world, 1)["input_files"], 1);
}

/// A text of so many sentences that no other text has, each long enough to be a passage.
fn sentences(seed: usize, n: usize) -> String {
    let mut text = String::new();
    for k in 0..n {
        // A small letter behind a full stop would begin no sentence.
        text.push_str("The ");
        for word in 0..24 {
            let _ = write!(text, "word{} ", (seed * 7919 + k * 131 + word * word * 37) % 9973);
        }
        let _ = write!(text, "ends{seed}x{k}. ");
    }
    text
}

fn documents(documents: &[(&str, String)]) -> String {
    let line = |(id, text): &(&str, String)| format!("{{\"id\":\"{id}\",\"text\":\"{text}\"}}\n");
    documents.iter().map(line).collect::<Vec<_>>().concat()
}

fn field(world: &World, folder: &str, id: &str, name: &str) -> Json {
    let records = world.records(folder);
    let record = records.iter().find(|record| record["id"] == id);
    record.unwrap_or_else(|| panic!("no {id} in {folder}: {records:#?}"))["metadata"][name].clone()
}

#[test]
fn what_is_added_is_compared_with_what_is_there() {
    let world = World::with(&pipeline(STAGES));
    let (one, two, three, four) = (sentences(1, 8), sentences(2, 8), sentences(3, 8), sentences(4, 3));
    let may = [("may/1", one.clone()), ("may/2", two.clone()), ("may/3", format!("{two} and a bit more"))];
    world.write("in/may.jsonl", documents(&may));
    world.run(&[]).exits(0);
    assert_eq!(world.ids("out"), ["may/1", "may/3"]);
    let before = world.files("out");

    let june = [
        ("june/1", one.clone()),
        ("june/2", format!("{two} and a bit")),
        ("june/3", three.clone()),
        ("june/4", format!("{three} with an end")),
        ("june/5", format!("{} {}", sentences(5, 8), one.split_inclusive(". ").take(2).collect::<String>())),
    ];
    world.write("in/june.jsonl", documents(&june));
    let ran = world.run(&["--add"]).exits(0);
    assert!(ran.stdout.contains("a fresh run over all files might keep others"), "{ran:?}");
    assert!(without_additions(&world) == before);
    let (kept, dropped) = ("out/added-00001", "out/dropped/added-00001");
    assert_eq!(world.ids(kept), ["june/4", "june/5"]);
    for (id, twin) in [("june/1", "may/1"), ("june/2", "may/3"), ("june/3", "june/4")] {
        assert_eq!(field(&world, dropped, id, "duplicate_of"), twin, "{id}");
    }
    assert_eq!(field(&world, kept, "june/5", "spans_kept_in"), serde_json::json!(["may/1"]));
    assert_eq!(manifest(&world, 1)["added"]["equals_fresh_run"], false);

    // A third month knows the addition of the second, too.
    let july =
        [("july/1", format!("{three} with an end")), ("july/2", four.clone()), ("july/3", one.clone())];
    world.write("in/july.jsonl", documents(&july));
    world.run(&["--add"]).exits(0);
    let (kept, dropped) = ("out/added-00002", "out/dropped/added-00002");
    assert_eq!(world.ids(kept), ["july/2"]);
    assert_eq!(field(&world, dropped, "july/1", "duplicate_of"), "june/4");
    assert_eq!(field(&world, dropped, "july/3", "duplicate_of"), "may/1");
    assert!(without_additions(&world) == before);
}

/// Files of documents that are alike in groups, and share passages.
fn write_files(world: &World, files: std::ops::Range<usize>) {
    for file in files {
        let document = |n: usize| {
            // Later files have pages that are new.
            let page = (file * 37 + n * 11) % 90 + file / 30 * 50;
            let shared = sentences(1000 + page % 7, 1);
            format!(
                "{{\"id\":\"{file}.{n}\",\"text\":\"{} {shared} read {n}\"}}\n",
                sentences(page, 3 + page % 5)
            )
        };
        world.write(format!("in/{file:03}.jsonl"), (0..60).map(document).collect::<String>());
    }
}

/// Starts a run and kills it some time after it has begun to write; tells whether it was done by then.
///
/// A run that is killed between its last manifest and its exit is done, too: what is started next is the
/// next addition.
fn killed(world: &World, arguments: &[&str], folder: &str, lottery: &mut Lottery) -> bool {
    let mut child = start(world, &[&["run", "p.toml"], arguments].concat());
    let manifest = world.path(folder).join(".tamis/manifest.json");
    wait_for("a manifest, or the end", || manifest.exists() || child.try_wait().unwrap().is_some());
    std::thread::sleep(Duration::from_millis(lottery.below(500)));
    // It may be over, and then there is nobody to kill.
    let _ = child.kill();
    end(child);
    // One that was killed before its first manifest has none.
    let manifest = std::fs::read_to_string(manifest).unwrap_or_default();
    serde_json::from_str::<Json>(&manifest).is_ok_and(|manifest| manifest["complete"] == true)
}

#[test]
fn an_addition_that_is_killed_at_random_points_is_what_an_undisturbed_one_is() {
    let world = World::with(&pipeline(STAGES));
    write_files(&world, 0..20);
    world.run(&[]).exits(0);
    let before = world.files("out");
    write_files(&world, 20..60);
    world.run(&["--add"]).exits(0);
    let undisturbed = world.files("out");
    let tally = manifest(&world, 1)["tally"].clone();
    assert!(tally["dropped"].as_u64() > Some(100) && tally["kept"].as_u64() > Some(0), "{tally:#}");
    let mut lottery = Lottery(18);
    let mut n_killed = 0;
    for threads in ["run.threads=1", "run.threads=3"] {
        let arguments = ["--add", "--set", threads];
        for folder in ["out/added-00001", "out/dropped/added-00001", "out/__failed/added-00001"] {
            // That of dead letters is there if there are any.
            let _ = std::fs::remove_dir_all(world.path(folder));
        }
        for _ in 0..12 {
            let is_done = killed(&world, &arguments, "out/added-00001", &mut lottery);
            if is_done {
                break;
            }
            n_killed += 1;
            // What comes meanwhile waits for the next addition.
            world.write("in/later.jsonl", line(7, 300));
            assert!(without_additions(&world) == before);
        }
        let _ = std::fs::remove_file(world.path("in/later.jsonl"));
        world.run(&arguments).exits(0);
        let files = world.files("out");
        let differs = undisturbed.iter().find(|(name, content)| files.get(*name) != Some(content));
        assert!(differs.is_none(), "{threads}: {:?}", differs.map(|(name, _)| name));
        assert_eq!(files.len(), undisturbed.len(), "{threads}");
    }
    assert!(n_killed >= 2, "{n_killed}");
}

#[test]
fn runs_of_stages_that_compare_are_the_same_when_killed_and_with_any_threads() {
    let world = World::with(&pipeline(STAGES));
    write_files(&world, 0..40);
    world.run(&[]).exits(0);
    let undisturbed = world.files("out");
    let mut lottery = Lottery(19);
    let mut n_killed = 0;
    for threads in ["run.threads=1", "run.threads=5"] {
        std::fs::remove_dir_all(world.path("out")).unwrap();
        for _ in 0..12 {
            if killed(&world, &["--set", threads], "out", &mut lottery) {
                break;
            }
            n_killed += 1;
        }
        world.run(&["--set", threads]).exits(0);
        let files = world.files("out");
        let differs = undisturbed.iter().find(|(name, content)| files.get(*name) != Some(content));
        assert!(differs.is_none(), "{threads}: {:?}", differs.map(|(name, _)| name));
        assert_eq!(files.len(), undisturbed.len(), "{threads}");
    }
    assert!(n_killed >= 2, "{n_killed}");
}
