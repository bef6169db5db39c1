//! Where runs write and what they read: one folder by several names, several runs, streams that are gone when they
//! have been read.

use std::io::Write;
use std::process::Stdio;

use crate::interruption::{end, start};
use crate::world::{PIPELINE, Ran, World, line, ran};

/// What articles are about.
const THINGS: [&str; 10] =
    ["river", "winter", "engine", "garden", "letter", "market", "island", "copper", "window", "violin"];

/// Runs with a text on standard input.
fn piped(world: &World, text: &str, arguments: &[&str]) -> Ran {
    let mut command = world.command(&[&["run", "p.toml"], arguments].concat());
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    end(child)
}

#[test]
fn a_stream_is_never_taken_for_the_one_before() {
    let world = World::with(&PIPELINE.replace("paths = [\"in\"]", "paths = [\"-\"]"));
    piped(&world, "{\"text\":\"monday of this week\"}\n", &[]).exits(0);
    let again = piped(&world, "{\"text\":\"tuesday of this week\"}\n", &[]).exits(2);
    assert!(again.stderr.contains("standard input cannot be read again"), "{again:?}");
    assert!(again.stderr.contains("--fresh"), "{again:?}");
    assert_eq!(world.records("out")[0]["text"], "monday of this week");
    piped(&world, "{\"text\":\"tuesday of this week\"}\n", &["--fresh"]).exits(0);
    assert_eq!(world.records("out")[0]["text"], "tuesday of this week");
    let plan = world.tamis(&["plan", "p.toml"]).exits(0);
    assert!(plan.stdout.contains("standard input cannot be read again"), "{plan:?}");
}

#[test]
fn two_runs_that_share_the_folder_of_a_second_export_do_not_meet() {
    let world = World::new();
    for name in ["a", "b"] {
        world
            .write(format!("{name}.toml"), PIPELINE.replace("path = \"out\"", &format!("path = \"{name}\"")));
    }
    world.write(
        "in/a.jsonl",
        (0..40_000).map(|n| line(n, if n % 2 == 0 { 4 } else { 40 })).collect::<String>(),
    );
    let runs = ["a.toml", "b.toml"].map(|pipeline| start(&world, &["run", pipeline]));
    let mut codes = runs.map(|run| {
        let ran = end(run);
        let refused = ran.stderr.contains("another run is writing to")
            || ran.stderr.contains("no run of this pipeline");
        assert!(ran.code == Some(0) || (ran.code == Some(2) && refused), "{ran:?}");
        ran.code
    });
    codes.sort_unstable();
    assert_eq!(codes, [Some(0), Some(2)]);
    assert_eq!(world.records("out/dropped").len(), 20_000);
}

#[cfg(unix)]
#[test]
fn a_link_to_the_output_makes_it_no_input() {
    let world = World::new();
    world.write("in/a.jsonl", line(0, 50));
    std::fs::create_dir(world.path("out")).unwrap();
    std::os::unix::fs::symlink(world.path("out"), world.path("in/latest")).unwrap();
    world.run(&[]).exits(0);
    std::os::unix::fs::symlink(world.path("out/part-00000.jsonl"), world.path("in/link.jsonl")).unwrap();
    for _ in 0..2 {
        world.run(&["--fresh"]).exits(0);
        assert_eq!(world.tally(), (1, 1, 0, 0));
    }
    let named = world.run(&["--fresh", "in/link.jsonl"]).exits(2);
    assert!(named.stderr.contains("is an input, but an earlier run wrote it"), "{named:?}");
}

#[cfg(unix)]
#[test]
fn two_exports_that_meet_through_a_link_are_told_before_anything_runs() {
    let world = World::with(&PIPELINE.replace("path = \"out/dropped\"", "path = \"elsewhere\""));
    world.write("in/a.jsonl", line(0, 50));
    std::fs::create_dir(world.path("out")).unwrap();
    std::os::unix::fs::symlink(world.path("out"), world.path("elsewhere")).unwrap();
    let ran = world.run(&[]).exits(2);
    assert!(ran.stderr.contains("exports `kept` and `dropped` write to one folder"), "{ran:?}");
}

#[test]
fn a_partition_may_be_called_like_a_corpus_stage() {
    let pipeline = PIPELINE
        .replace(
            "use = \"length\"\nmin_chars = 10",
            "id = \"news\"\nuse = \"line-template\"\ngroup_by = \"site\"",
        )
        .replacen("path = \"out\"", "path = \"out/{site}\"", 1);
    let world = World::with(&pipeline);
    let page = |n: usize| {
        let subject = THINGS[n];
        format!(
            "{{\"site\":\"news\",\"text\":\"menu of the site\\nwhat a {subject} is, nobody knows better\"}}\n"
        )
    };
    world.write("in/a.jsonl", (0..10).map(page).collect::<String>());
    world.run(&[]).exits(0);
    let learned = &world.manifest()["learned"];
    assert_eq!(learned[0]["folder"], ".tamis/learned/news", "{learned}");
    for file in learned[0]["files"].as_array().unwrap() {
        let name = file["name"].as_str().unwrap();
        assert!(!name.contains("part-"), "{learned}");
        assert!(world.path("out/.tamis/learned/news").join(name).exists(), "{learned}");
    }
    world.run(&["--fresh"]).exits(0);
    assert_eq!(world.tally().1, 10);
}

#[test]
fn sources_with_files_of_one_name_have_records_of_several() {
    let second = "[[source]]\nid = \"second\"\nuse = \"jsonl\"\npaths = [\"more\"]\n\n[[stage]]";
    let world = World::with(&PIPELINE.replacen("[[stage]]", second, 1));
    world.write("in/x.jsonl", line(0, 50));
    world.write("more/x.jsonl", line(1, 50));
    world.run(&[]).exits(0);
    assert_eq!(world.ids("out"), ["auto/x.jsonl#0", "second/x.jsonl#0"]);
}

#[test]
fn two_hundred_partitions_are_two_hundred_tables() {
    let pipeline = PIPELINE
        .replacen("use = \"jsonl\"\npath = \"out\"", "use = \"parquet\"\npath = \"out/{site}\"", 1)
        .replacen("max_failed_ratio = 1", "max_failed_ratio = 1\nblock_bytes = \"16 KiB\"", 1);
    let world = World::with(&pipeline);
    let record =
        |n: usize| format!("{{\"site\":\"s{:03}\",\"text\":\"a text that is long enough\"}}\n", n % 200);
    world.write("in/a.jsonl", (0..4_000).map(record).collect::<String>());
    world.run(&[]).exits(0);
    let manifest = world.manifest();
    assert_eq!(manifest["exports"][0]["files"].as_array().unwrap().len(), 200);
    assert_eq!(world.tally().1, 4_000);
}

#[test]
fn merging_states_leaves_the_folders_of_others_alone() {
    let world = World::with(&PIPELINE.replace("use = \"length\"\nmin_chars = 10", "use = \"dedup-exact\""));
    for n in 0..4 {
        world.write(format!("in/{n}.jsonl"), line(n % 2, 50));
    }
    for shard in ["0/2", "1/2"] {
        world.run(&["--segment", "0", "--shard", shard]).exits(0);
    }
    world.write("merged.scratch/thesis.txt", "years of work");
    let state = |shard: usize| format!("out/shard-0000{shard}-of-00002/.tamis/dedup-exact.0.state");
    let (first, second) = (state(0), state(1));
    world.tamis(&["state", "merge", "p.toml", &first, &second, "-o", "merged.state"]).exits(0);
    assert_eq!(world.read("merged.scratch/thesis.txt"), "years of work");
    assert!(world.path("merged.state").exists());
    let left: Vec<_> = std::fs::read_dir(world.path("."))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| name.starts_with('.'))
        .collect();
    assert!(left.is_empty(), "{left:?}");
    let ran = ran(&mut world.command(&[
        "run",
        "p.toml",
        "--segment",
        "1",
        "--shard",
        "0/2",
        "--state",
        "merged.state",
    ]));
    assert_eq!(ran.code, Some(0), "{ran:?}");
}
