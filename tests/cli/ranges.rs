//! Large files that several shards share.

use std::collections::BTreeSet;
use std::io::Write;

use serde_json::Value as Json;

use crate::interruption::{end, start, wait_for};
use crate::shards::{concatenated, uncounted};
use crate::world::{World, line};

const PIPELINE: &str = "\
[[source]]
use = \"auto\"
paths = [\"in\"]

[[stage]]
use = \"length\"
min_chars = 60

[[export]]
id = \"kept\"
use = \"jsonl\"
path = \"out\"

[[export]]
id = \"dropped\"
use = \"jsonl\"
from = \"dropped\"
path = \"out/dropped\"

[run]
threads = 2
block_bytes = \"4 KiB\"
max_record_bytes = \"16 KiB\"
max_failed_ratio = 1
";

/// One large file and some small ones: a record is longer than a share, one longer than a record may be, some lines are
/// blank or broken, some end in CRLF, and the last in nothing; one file is compressed, one cannot be read.
fn skewed() -> World {
    let world = World::with(PIPELINE);
    let mut large = String::from('\u{FEFF}');
    for n in 0..400 {
        large += &match n % 37 {
            5 => line(n, n * 2).replace('\n', "\r\n"),
            11 => "\n".repeat(n % 5),
            17 => format!("{{broken 河 {n}\n"),
            23 if n < 100 => line(n, 9_000),
            23 if n < 200 => line(n, 30_000),
            _ => line(n, n * 3 % 200),
        };
    }
    world.write("in/large.jsonl", large.trim_end());
    world.write("in/small.jsonl", line(1, 100).repeat(30));
    let packed = gzip(&line(2, 90).repeat(40));
    world.write("in/packed.jsonl.gz", &packed);
    world.write("in/torn.jsonl.gz", &packed[..packed.len() / 2]);
    world.write("in/page.txt", "A page of one file that nobody divides. ".repeat(200));
    world
}

fn gzip(text: &str) -> Vec<u8> {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(text.as_bytes()).unwrap();
    packed.finish().unwrap()
}

/// Runs all shards, merges them, and compares with the one run that lies in `out`.
fn compare(world: &World, shards: usize, whole: &(String, String, Json)) {
    for shard in 0..shards {
        world.run(&["--shard", &format!("{shard}/{shards}")]).exits(0);
    }
    assert!(concatenated(world, "out", shards) == whole.0, "{shards} shards");
    assert_eq!(uncounted(&concatenated(world, "out/__failed", shards)), whole.1, "{shards} shards");
    world.tamis(&["merge", "out"]).exits(0);
    let tally = &world.manifest()["tally"];
    for count in ["input", "read", "kept", "dropped", "failed"] {
        assert_eq!(tally[count], whole.2[count], "{count} of {shards} shards");
    }
}

fn whole(world: &World) -> (String, String, Json) {
    world.run(&[]).exits(0);
    let manifest = world.manifest();
    let whole = (
        concatenated(world, "out", 0),
        uncounted(&concatenated(world, "out/__failed", 0)),
        manifest["tally"].clone(),
    );
    std::fs::remove_dir_all(world.path("out")).unwrap();
    whole
}

#[test]
fn shards_of_a_large_file_are_the_one_run() {
    let world = skewed();
    let whole = whole(&world);
    assert!(whole.1.lines().count() > 10 && whole.2["input"]["files_failed"] == 1, "{:#}", whole.2);
    for shards in [2, 3, 7, 41] {
        compare(&world, shards, &whole);
        std::fs::remove_dir_all(world.path("out")).unwrap();
    }
}

#[test]
fn more_shards_than_lines_and_bytes() {
    let world = World::with(PIPELINE);
    world.write("in/a.jsonl", "{\"text\":\"河\"}\r\n{\"text\":\"b\"}\n\n{\"text\":\"c\"}");
    world.write("in/b.jsonl", "");
    let whole = whole(&world);
    assert_eq!(whole.2["dropped"], 3);
    compare(&world, 60, &whole);
}

#[test]
fn parts_of_files_with_an_index_are_shared() {
    let made = World::with(
        "[[source]]\nuse = \"jsonl\"\npaths = [\"in\"]\n\n\
         [[export]]\nuse = \"parquet\"\npath = \"out\"\nrow_group_bytes = 9000\n",
    );
    made.write("in/a.jsonl", (0..3_000).map(|n| line(n, 40 + n % 100)).collect::<String>());
    made.run(&[]).exits(0);
    let world = World::with(PIPELINE);
    world.write("in/a.parquet", std::fs::read(made.path("out/part-00000.parquet")).unwrap());
    let whole = whole(&world);
    for shards in [2, 5] {
        compare(&world, shards, &whole);
        let busy = (0..shards).filter(|shard| {
            let part = world.path(format!("out/shard-{shard:05}-of-{shards:05}/part-00000.jsonl"));
            part.exists()
        });
        assert_eq!(busy.count(), shards);
        std::fs::remove_dir_all(world.path("out")).unwrap();
    }
}

#[test]
fn shares_are_even_and_told() {
    let world = World::with(PIPELINE);
    let lines = |n: usize| (0..n).map(|n| line(n, n % 100)).collect::<String>();
    world.write("in/a.jsonl", lines(20_000));
    world.write("in/b.jsonl", lines(1_000));
    world.write("in/c.jsonl", lines(10));
    let told = world.tamis(&["shards", "p.toml", "--count", "16", "--json"]).exits(0);
    let told: Json = serde_json::from_str(&told.stdout).unwrap();
    let uneven = told["largest_over_mean"].as_f64().unwrap();
    assert!((1.0..1.01).contains(&uneven), "{told:#}");
    let shards = told["shards"].as_array().unwrap();
    let bytes: u64 = shards.iter().map(|shard| shard["bytes"].as_u64().unwrap()).sum();
    let there: u64 = ["a", "b", "c"]
        .map(|name| world.path(format!("in/{name}.jsonl")).metadata().unwrap().len())
        .iter()
        .sum();
    assert_eq!((bytes, told["bytes"].as_u64()), (there, Some(there)));
    let from: BTreeSet<String> = shards.iter().map(|shard| shard["from"].to_string()).collect();
    assert_eq!(from.len(), 16);
    let shown = world.tamis(&["shards", "p.toml", "--count", "16"]).exits(0);
    assert!(shown.stdout.contains("the largest has 1.00 times the mean"), "{shown:?}");
    world.tamis(&["shards", "p.toml", "--count", "0"]).exits(2);
}

#[test]
fn a_failure_says_from_where_a_shard_counts_lines() {
    let world = World::with(PIPELINE);
    world.write("in/a.jsonl", "{broken\n".repeat(100));
    world.run(&["--shard", "1/2"]).exits(0);
    let letters = concatenated(&world, "out/__failed/shard-00001-of-00002", 0);
    let first: Json = serde_json::from_str(letters.lines().next().unwrap()).unwrap();
    let (id, offset) = (first["id"].as_str().unwrap(), first["origin"]["offset"].as_u64().unwrap());
    assert!(id == format!("a.jsonl#{offset}") && offset > 0 && offset % 8 == 0, "{first:#}");
    let said =
        format!("line 1: column 2: not JSON: key must be a string (counted from byte {offset} of the file, ");
    assert!(first.to_string().contains(&said), "{first:#}");
}

#[cfg(unix)]
#[test]
fn a_shard_that_is_killed_goes_on_inside_of_its_share() {
    for n_lines in [20_000, 80_000, 320_000] {
        let run = "max_failed_ratio = 1\ncheckpoint_secs = 0.02\n";
        let parts = "path = \"out\"\nmax_part_bytes = \"256 KiB\"\n";
        let pipeline = PIPELINE.replace("max_failed_ratio = 1\n", run).replace("path = \"out\"\n", parts);
        let world = World::with(&pipeline);
        world.write("in/a.jsonl", (0..n_lines).map(|n| line(n, 300)).collect::<String>());
        let shard = ["run", "p.toml", "--shard", "1/3"];
        let mut child = start(&world, &shard);
        let checkpoint = world.path("out/shard-00001-of-00003/.tamis/checkpoint.json");
        wait_for("a checkpoint", || checkpoint.exists());
        child.kill().unwrap();
        if end(child).code == Some(0) {
            continue;
        }
        world.tamis(&shard).exits(0).says(&["resumed an unfinished run"]);
        std::fs::rename(world.path("out"), world.path("disturbed")).unwrap();
        world.tamis(&shard).exits(0);
        assert!(world.files("out") == world.files("disturbed"), "the output of {n_lines} lines differs");
        return;
    }
    panic!("the run was never killed");
}
