//! Compressed inputs: recognised by content, read through all their members, never cut short in silence.

use std::io::Write;

use crate::fakes::{Hooks, World, lines};

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &str) -> Vec<u8> {
    zstd::bulk::compress(text.as_bytes(), 3).unwrap()
}

const LENIENT: &str = "[run]\nblock_bytes = \"4 KiB\"\nmax_failed_ratio = 1\n";

#[test]
fn compressed_files_read_like_plain_ones_whatever_their_names() {
    let text = lines(5_000);
    let (half, rest) = text.split_at(text.find("line 2500 ").unwrap());
    let plain = World::new();
    plain.write("in/a.txt", &text);
    let expected = plain.run(LENIENT, &Hooks::default()).unwrap().tally.kept;
    for compress in [gzip, zstd] {
        let world = World::new();
        // Two members, as concatenated files, WARC files and our own exports have them.
        world.write("in/a.txt", [compress(half), compress(rest)].concat());
        let report = world.run(LENIENT, &Hooks::default()).unwrap();
        assert_eq!(report.tally.kept, expected);
        assert_eq!(world.output(), plain.output());
    }
}

#[test]
fn a_compressed_file_that_was_cut_short_keeps_what_came_before() {
    let text = lines(5_000);
    for compress in [gzip, zstd] {
        let whole = compress(&text);
        let world = World::new();
        world.write("in/a.txt", &whole[..whole.len() - 9]);
        world.write("in/b.txt", "next\n");
        let report = world.run(LENIENT, &Hooks::default()).unwrap();
        let tally = report.tally;
        assert_eq!(tally.failed, 1, "{tally:?}");
        assert!(tally.kept > 1, "{tally:?}");
        let output = world.output();
        assert!(output["part-00000.txt"].ends_with("next\n"));
        let dead = &output["__failed/part-00000.txt"];
        assert!(dead.contains("cannot be read on from byte"), "{dead}");
    }
}

#[test]
fn a_file_that_only_begins_like_a_compressed_one_is_a_dead_letter() {
    let world = World::new();
    world.write("in/a.txt", b"\x1f\x8b\x08 no gzip at all");
    world.write("in/b.txt", "next\n");
    let report = world.run(LENIENT, &Hooks::default()).unwrap();
    assert_eq!((report.tally.kept, report.tally.failed), (1, 1));
}
