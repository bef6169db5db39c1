//! Folders named by what is in the records.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use crate::world::{PIPELINE, World, manifest_is_true};

/// Partitions by language and month, in small parts and blocks.
fn pipeline() -> String {
    let path = "path = \"out/{tongue}/{published:%Y-%m}\"\nmax_part_bytes = \"1 KiB\"";
    let pipeline = PIPELINE.replacen("path = \"out\"", path, 1);
    format!("{pipeline}threads = 2\nblock_bytes = \"1 KiB\"\n")
}

/// Values that are no names of folders, among some that are.
fn languages() -> Vec<Json> {
    let long = "很长".repeat(400);
    vec![
        json!("en"),
        json!("EN"),
        json!("zh"),
        json!("中文"),
        json!(".."),
        json!("../.."),
        json!("/"),
        json!("/etc/passwd"),
        json!("a/b\\c"),
        json!("CON"),
        json!("."),
        json!(".tamis"),
        json!(".parts.tamis-tmp"),
        json!(".tamis/manifest.json"),
        json!("part-00000.jsonl"),
        json!("dropped"),
        json!("Failed"),
        json!("two\nlines"),
        json!("nul\0"),
        json!(long),
        json!(format!("{long}!")),
        json!(""),
        json!("unknown"),
        json!("%2F"),
        json!("trailing. "),
        json!(7),
        json!(1.5),
        json!(true),
        json!(null),
        json!(["en"]),
        json!({ "en": 1 }),
        json!("__FAILED"),
        json!("_hidden"),
    ]
}

fn collection(world: &World) -> usize {
    let dates = ["2024-03-09", "2024-03-31T23:59:59+08:00", "2023-12-01T00:00:00Z", "March", ""];
    let mut lines = String::new();
    let mut n_kept = 0;
    for round in 0..20 {
        for (n, language) in languages().into_iter().enumerate() {
            let text = if (n + round) % 11 == 0 { "short" } else { "a text that is long enough" };
            n_kept += usize::from(text != "short");
            let published = dates[(n + round) % dates.len()];
            let mut document = json!({ "text": text, "published": published, "tongue": language });
            if n % 29 == 28 {
                document.as_object_mut().unwrap().remove("tongue");
            }
            lines += &(document.to_string() + "\n");
        }
        lines += "{broken\n";
    }
    world.write("in/a.jsonl", lines);
    n_kept
}

/// The folders below `out` and their records.
fn by_folder(world: &World) -> BTreeMap<String, Vec<Json>> {
    let mut folders: BTreeMap<String, Vec<Json>> = BTreeMap::new();
    for (name, content) in world.files("out") {
        let Some((folder, _)) = name.rsplit_once("/part-") else { continue };
        let records =
            std::str::from_utf8(&content).unwrap().lines().map(|line| serde_json::from_str(line).unwrap());
        folders.entry(folder.to_owned()).or_default().extend(records);
    }
    folders
}

#[test]
fn odd_values_name_folders_that_hold_all_of_their_records_and_no_others() {
    let world = World::with(&pipeline());
    let n_kept = collection(&world);
    world.write("out/mine.txt", "mine");
    world.write("out/en/mine.txt", "mine");
    world.run(&[]).exits(0);
    assert_eq!(world.tally().1, n_kept as u64);
    for mine in ["out/mine.txt", "out/en/mine.txt"] {
        std::fs::remove_file(world.path(mine)).unwrap();
    }
    manifest_is_true(&world, "out");
    let mut folders = by_folder(&world);
    for fate in ["dropped", "__failed"] {
        assert!(folders.remove(fate).is_some_and(|records| records.len() >= 20), "{fate}");
    }
    let mut n_records = 0;
    for (folder, records) in &folders {
        let names: Vec<&str> = folder.split('/').collect();
        assert_eq!(names.len(), 2, "{folder}");
        for name in names {
            assert!(
                name.len() <= 255 && name != "." && name != ".." && !name.contains(['\n', '\0', '\\']),
                "{folder}"
            );
        }
        let values: BTreeSet<String> =
            records.iter().map(|record| record["metadata"]["tongue"].to_string()).collect();
        let is_unknown = folder.starts_with("unknown/");
        assert!(values.len() == 1 || is_unknown, "{folder} holds {values:?}");
        n_records += records.len();
    }
    assert_eq!(n_records, n_kept);
    let there: Vec<&String> = folders.keys().collect();
    for expected in [
        "en/2024-03",
        "EN/2024-03",
        "中文/2023-12",
        "%2E%2E/2024-03",
        "7/unknown",
        "1.5/2024-03",
        "unknown/unknown",
    ] {
        assert!(folders.contains_key(expected), "no {expected} in {there:?}");
    }
    // Where cases are not told apart, no part may replace another.
    let folded: BTreeSet<String> = world.files("out").keys().map(|name| name.to_lowercase()).collect();
    assert_eq!(folded.len(), world.files("out").len());
    assert!(!world.path("etc").exists() && !world.path("2024-03").exists());
}

#[test]
fn a_second_run_has_nothing_to_do_and_a_fresh_one_takes_all_away() {
    for exporter in ["jsonl", "csv", "parquet", "sqlite"] {
        let world = World::with(&pipeline().replacen("use = \"jsonl\"", &format!("use = \"{exporter}\""), 1));
        collection(&world);
        for mine in ["out/mine.txt", "out/en/mine.txt", "out/zh/2024-03/part-x.txt", "out/deep/er/x"] {
            world.write(mine, "mine");
        }
        world.run(&[]).exits(0);
        let before = world.files("out");
        assert!(world.run(&[]).exits(0).stdout.starts_with("nothing to do: out holds"), "{exporter}");
        assert!(world.files("out") == before, "{exporter}");
        // A run that is killed when its manifest is there and before it has tidied up leaves this.
        world.write("out/.parts.tamis-tmp", format!("tamis journal 1\n+ it/unknown/part-00000.{exporter}\n"));
        world.write("out/.tamis/checkpoint.json", "{}");
        assert!(world.run(&[]).exits(0).stdout.starts_with("nothing to do: out holds"), "{exporter}");
        assert!(world.files("out") == before, "{exporter}");
        world.write("in/a.jsonl", json!({ "text": "the only text there is", "tongue": "it" }).to_string());
        world.run(&["--fresh"]).exits(0);
        let files = world.files("out");
        let names: Vec<&str> = files.keys().map(String::as_str).collect();
        let part = format!("it/unknown/part-00000.{exporter}");
        let mine = ["deep/er/x", "en/mine.txt", "mine.txt", "zh/2024-03/part-x.txt"];
        let mut expected =
            [&mine[..], &[".tamis/fates", ".tamis/inputs", &part, ".tamis/manifest.json"]].concat();
        expected.sort_unstable();
        assert_eq!(names, expected, "{exporter}");
        // No folder of a partition stays that holds nothing.
        let folders: Vec<_> =
            std::fs::read_dir(world.path("out")).unwrap().map(|entry| entry.unwrap()).collect();
        let folders = folders.into_iter().filter(|entry| entry.path().is_dir());
        let mut folders: Vec<String> =
            folders.map(|entry| entry.file_name().into_string().unwrap()).collect();
        folders.sort();
        assert_eq!(folders, [".tamis", "deep", "dropped", "en", "it", "zh"], "{exporter}");
    }
}
