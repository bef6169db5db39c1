//! The same input gives the same bytes, whatever the threads and the memory.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use crate::world::{PIPELINE, World, line};

/// Small blocks, and a longest record that does not follow from the memory.
const BLOCKS: &str = "block_bytes = \"1 KiB\"\nmax_record_bytes = \"1 MiB\"\n";

/// A line of a JSON Lines file, some of them broken.
fn jsonl_line() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        6 => (0..1000_usize, 0..400_usize).prop_map(|(seed, n)| line(seed, n).into_bytes()),
        1 => Just(b"{\"text\":\"cut of".to_vec()),
        1 => Just(b"{\"text\":\"not \xFF UTF-8 \xFE\"}\n".to_vec()),
        1 => Just(b"\r\n".to_vec()),
        1 => Just(b"[1, 2]\r\n".to_vec()),
        1 => Just(b"{\"text\":\"half \\ud83d a pair\"}\n".to_vec()),
        1 => Just(b"{\"no\":\"text\"}\n".to_vec()),
    ]
}

/// A record of a dump, some of them broken.
fn record() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        5 => (0..1000_usize, 0..300_usize)
            .prop_map(|(seed, n)| format!("n: {seed}\ntext: '{}\\xa0'\n\n", "河水 ".repeat(n)).into_bytes()),
        1 => Just(b"text: 'no end\n\n".to_vec()),
        1 => Just(b"text: 'bad \\x escape'\n\n".to_vec()),
        1 => Just(b"{'text': 'a dict that is long enough'}\n".to_vec()),
        1 => Just(b"text: '\xFF'\n\n".to_vec()),
    ]
}

fn file() -> impl Strategy<Value = (&'static str, Vec<u8>)> {
    let joined = |parts: Vec<Vec<u8>>| parts.concat();
    prop_oneof![
        3 => prop::collection::vec(jsonl_line(), 0..60).prop_map(move |lines| ("jsonl", joined(lines))),
        3 => prop::collection::vec(record(), 0..40).prop_map(move |records| ("txt", joined(records))),
        2 => "[ -~\u{4e00}-\u{4e20}\n]{0,2000}".prop_map(|text| ("txt", text.into_bytes())),
        1 => prop::collection::vec(any::<u8>(), 0..3000).prop_map(|bytes| ("bin", bytes)),
        1 => Just(("txt", Vec::new())),
    ]
}

/// All files of the output of a run with these settings.
fn output(world: &World, settings: &[&str]) -> BTreeMap<String, Vec<u8>> {
    let _ = std::fs::remove_dir_all(world.path("out"));
    let arguments: Vec<&str> = settings.iter().flat_map(|setting| ["--set", setting]).collect();
    world.run(&arguments).exits(0);
    world.files("out")
}

fn check(files: &[(&'static str, Vec<u8>)], part_bytes: u32) -> Result<(), TestCaseError> {
    let small = format!("max_part_bytes = {part_bytes}\n\n[[export]]");
    let pipeline = PIPELINE.replacen("\n[[export]]\nid = \"dropped", &format!("{small}\nid = \"dropped"), 1);
    let world = World::with(&format!("{pipeline}{BLOCKS}"));
    for (n, (ending, content)) in files.iter().enumerate() {
        world.write(format!("in/{}/{n}.{ending}", n % 3), content);
    }
    let first = output(&world, &["run.threads=1"]);
    for other in [
        &["run.threads=2"][..],
        &["run.threads=8"],
        // One block at a time, in fact.
        &["run.threads=3", "run.memory=\"16 MiB\"", "run.max_failed_ratio=1.0"],
    ] {
        let second = output(&world, other);
        let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
        prop_assert_eq!(names(&first), names(&second), "{:?}", other);
        for (name, content) in &first {
            prop_assert!(second[name] == *content, "{} differs with {:?}", name, other);
        }
    }
    let (read, kept, dropped, failed) = world.tally();
    let folders = [("out", kept), ("out/dropped", dropped), ("out/__failed", failed)];
    let mut ids = BTreeSet::new();
    for (folder, n) in folders {
        let found = world.ids(folder);
        prop_assert_eq!(found.len() as u64, n, "{}", folder);
        ids.extend(found);
    }
    prop_assert_eq!(ids.len() as u64, read, "ids are unique");
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 10, max_shrink_iters: 100, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn threads_and_memory_do_not_show_in_the_output(
        files in prop::collection::vec(file(), 1..12),
        part_bytes in 1..4000_u32,
    ) {
        check(&files, part_bytes)?;
    }
}

/// Every exporter, with and without stages that must see all documents before they judge one.
#[test]
fn threads_show_in_no_format() {
    let corpus = "[[stage]]\nuse = \"dedup-exact\"\n\n[[stage]]\nuse = \"line-template\"\ngroup_by = \"third\"\nmin_ratio = 0\n\n[[stage]]";
    for (exporter, options) in [
        ("jsonl", "compression = \"zstd\""),
        ("csv", "compression = \"gzip\""),
        ("parquet", "row_group_bytes = 9000"),
        ("arrow", ""),
        ("sqlite", "index = [\"id\"]"),
        ("markdown", ""),
        ("text", ""),
    ] {
        let mut export = format!("use = \"{exporter}\"\n{options}\n");
        let has_parts = !matches!(exporter, "markdown" | "text");
        if has_parts {
            export += "max_part_bytes = \"20 KiB\"";
        }
        let mut pipeline = PIPELINE.replacen("use = \"jsonl\"", &export, 1);
        if has_parts {
            pipeline = pipeline.replacen("path = \"out\"", "path = \"out/{third}\"", 1);
        }
        for stages in ["[[stage]]", corpus] {
            let world = World::with(&format!("{}{BLOCKS}", pipeline.replacen("[[stage]]", stages, 1)));
            for file in 0..6_usize {
                // Files hold much of each other, in three partitions.
                let lines =
                    (0..60).map(|n| line((file * 31 + n) % 150, 5 + n * 5).replace('}', ",\"third\":"));
                let lines = lines.enumerate().map(|(n, line)| format!("{}{}}}\n", line.trim_end(), n % 3));
                world.write(format!("in/{file}.jsonl"), lines.collect::<String>() + "{broken\n");
            }
            let first = output(&world, &["run.threads=1"]);
            assert!(world.tally().1 > 50, "{exporter}");
            for other in
                [&["run.threads=2"][..], &["run.threads=8"], &["run.threads=8", "run.memory=\"16 MiB\""]]
            {
                let second = output(&world, other);
                assert!(first.keys().eq(second.keys()), "{exporter} {other:?}");
                let differ: Vec<_> = first
                    .iter()
                    .filter(|(name, content)| second[*name] != **content)
                    .map(|it| it.0)
                    .collect();
                assert!(differ.is_empty(), "{exporter} {other:?}: {differ:?} differ");
            }
        }
    }
}
