//! Documents on standard output: `-o -`.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use crate::world::{PIPELINE, World};

/// Some documents that are kept, one that is dropped, and a line that cannot be read.
fn collection(world: &World, n: usize) {
    let mut content = String::from("{\"id\": \"short\", \"text\": \"x\"}\n{broken\n");
    for number in 0..n {
        content +=
            &format!("{{\"id\": \"d{number}\", \"text\": \"the text number {number}, \\u001b[1m\"}}\n");
    }
    world.write("in/a.jsonl", content);
}

#[test]
fn kept_documents_go_to_standard_output_and_all_else_to_standard_error() {
    let world =
        World::with(&PIPELINE.replacen("use = \"jsonl\"", "use = \"jsonl\"\ncompression = \"zstd\"", 1));
    collection(&world, 2_000);
    let printed = world.run(&["-o", "-", "--set", "run.max_failed_ratio=1"]).exits(0);
    printed.says(&["2,000 kept · 1 dropped · 1 failed", "1 failed in"]);
    let printed = world.run(&["-o", "-", "--quiet", "--set", "run.max_failed_ratio=1"]).exits(0);
    assert_eq!(printed.stderr, "");
    world.run(&["--set", "run.max_failed_ratio=1", "--set", "export.kept.compression=\"none\""]).exits(0);
    let written = String::from_utf8(world.files("out")["part-00000.jsonl"].clone()).unwrap();
    assert!(printed.stdout == written);
    assert!(!world.path("-").exists());
    let failed = world.run(&["-o", "-", "--quiet", "--set", "run.max_failed_ratio=0"]).exits(1);
    failed.says(&["a run with `-o FOLDER` writes them as dead letters"]);
}

#[test]
fn what_cannot_be_printed_is_printed_as_json_lines() {
    for (exporter, first) in
        [("parquet", "{\"id\":\"d0\""), ("markdown", "{\"id\":\"d0\""), ("csv", "id,text,metadata")]
    {
        let world = World::with(&PIPELINE.replacen("use = \"jsonl\"", &format!("use = \"{exporter}\""), 1));
        collection(&world, 3);
        let printed = world.run(&["-o", "-", "-q", "--set", "run.max_failed_ratio=1"]).exits(0);
        assert!(printed.stdout.starts_with(first), "{exporter}: {}", printed.stdout);
        assert!(!printed.stdout.contains("short"), "{exporter}: {}", printed.stdout);
    }
}

#[test]
fn flags_that_make_no_sense_beside_it_are_refused() {
    let world = World::with(PIPELINE);
    collection(&world, 1);
    for flags in [&["--json"][..], &["--fresh"], &["--dry-run"], &["--shard", "0/1"], &["--segment", "0"]] {
        let refused = world.run(&[&["-o", "-"], flags].concat()).exits(2);
        refused.says(&["`-o -` prints documents to standard output", flags[0]]);
    }
}

/// The program with a pipe on both sides.
fn piped(command: &mut Command) -> Child {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn whoever_has_seen_enough_ends_it_quietly() {
    let world = World::with(PIPELINE);
    collection(&world, 60_000);
    let mut command = world.command(&["run", "p.toml", "-o", "-", "--set", "run.max_failed_ratio=1"]);
    let mut child = piped(&mut command);
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert!(line.starts_with("{\"id\":\"d0\""));
    drop(reader);
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert_eq!((child.wait().unwrap().code(), said.as_str()), (Some(0), ""));
}
