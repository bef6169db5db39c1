//! The same records, however they are packed, and whatever they are written as.

use std::io::{Cursor, Write};
use std::process::Stdio;

use serde_json::Value as Json;

use crate::world::{PIPELINE, World, line, ran};

/// Two files of records, in small blocks.
fn files() -> [(&'static str, String); 2] {
    let lines = |from: usize, n: usize| (from..from + n).map(|n| line(n, 5 + n % 200)).collect();
    [("a.jsonl", lines(0, 300)), ("b/c.jsonl", lines(300, 500))]
}

fn small_blocks() -> String {
    format!("{PIPELINE}block_bytes = \"16 KiB\"\nthreads = 2\n")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    // Several members, as scraped collections have them.
    let member = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    bytes.chunks(10_000).flat_map(member).collect()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    bytes.chunks(10_000).flat_map(|bytes| zstd::encode_all(bytes, 3).unwrap()).collect()
}

fn bzip2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn lz4(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = lz4_flex::frame::FrameEncoder::new(Vec::new());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn tar() -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    for (name, content) in files() {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, name, content.as_bytes()).unwrap();
    }
    archive.into_inner().unwrap()
}

fn zip() -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files() {
        archive.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(content.as_bytes()).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

/// The kept records without their ids, which tell where they came from, and the last parts of the ids.
fn kept(world: &World) -> Vec<(String, String)> {
    let end = |id: &str| id.rsplit('/').next().unwrap().to_owned();
    let record = |record: serde_json::Value| {
        let id = end(record["id"].as_str().unwrap()).replace(".jsonl", "").replace(".z", "");
        (id, record["text"].to_string() + &record["metadata"].to_string())
    };
    world.records("out").into_iter().map(record).collect()
}

#[test]
fn packed_files_hold_the_same_records() {
    let pack = |how: fn(&[u8]) -> Vec<u8>| {
        files().map(|(name, content)| (format!("{name}.z"), how(content.as_bytes())))
    };
    let one = |name: &str, bytes: Vec<u8>| vec![(name.to_owned(), bytes)];
    let plain = files().map(|(name, content)| (name.to_owned(), content.into_bytes())).to_vec();
    let packings = [
        ("plain", plain),
        ("gzip", pack(gzip).to_vec()),
        ("zstd", pack(zstd).to_vec()),
        ("bzip2", pack(bzip2).to_vec()),
        ("xz", pack(xz).to_vec()),
        ("lz4", pack(lz4).to_vec()),
        ("tar", one("all.tar", tar())),
        ("tar.gz", one("all.tar.gz", gzip(&tar()))),
        ("tar.zst", one("no-name-for-it", zstd(&tar()))),
        ("zip", one("all.zip", zip())),
    ];
    let mut expected = None;
    for (what, packed) in packings {
        for memory in ["1 GiB", "16 MiB"] {
            let world = World::with(&small_blocks());
            for (name, content) in &packed {
                world.write(format!("in/{name}"), content);
            }
            world.run(&["--set", &format!("run.memory=\"{memory}\"")]).exits(0);
            assert_eq!(world.tally().0, 800, "{what}");
            let kept = kept(&world);
            let expected = expected.get_or_insert_with(|| kept.clone());
            assert!(*expected == kept, "{what}: {:?} instead of {:?}", kept.first(), expected.first());
        }
    }
}

#[test]
fn standard_input_is_read_once() {
    let world = World::with(&small_blocks());
    for bytes in [files().map(|(_, content)| content).concat().into_bytes(), gzip(files()[1].1.as_bytes())] {
        let n_lines = if bytes.starts_with(b"{") { 800 } else { 500 };
        world.write("pipe", bytes);
        let mut command = world.command(&["run", "p.toml", "-", "--fresh"]);
        command.stdin(Stdio::from(std::fs::File::open(world.path("pipe")).unwrap()));
        ran(&mut command).exits(0);
        assert_eq!(world.tally().0, n_lines);
    }
}

#[test]
fn what_is_wrong_with_an_archive_costs_what_it_holds() {
    let world = World::with(&small_blocks());
    let whole = tar();
    world.write("in/short.tar", &whole[..whole.len() / 2]);
    let mut broken = zip();
    // A byte of the first member: its check sum tells.
    broken[200] ^= 0x55;
    world.write("in/broken.zip", broken);
    world.write("in/fine.jsonl", line(0, 50));
    world.run(&[]).exits(0);
    let (read, _, _, failed) = world.tally();
    assert!(read > 500 && (2..=4).contains(&failed), "{read} read, {failed} failed");
    let reasons: Vec<_> = world.records("out/__failed").iter().map(|it| it["reason"].to_string()).collect();
    assert!(
        reasons.iter().any(|reason| reason.contains("short.tar")
            || reason.contains("breaks off")
            || reason.contains("cannot be read on")),
        "{reasons:?}"
    );
    assert!(world.ids("out").contains(&"fine.jsonl#0".to_owned()));
}

#[test]
fn records_of_a_crawl_that_are_no_pages_are_counted() {
    let record = |kind: &str, content: &str| {
        let length = content.len();
        format!(
            "WARC/1.0\r\nWARC-Type: {kind}\r\nContent-Type: application/http\r\nContent-Length: {length}\r\n\r\n{content}\r\n\r\n"
        )
    };
    let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>A page that is long enough.";
    let moved = "HTTP/1.1 301 Moved\r\nLocation: /b\r\n\r\n";
    let world = World::new();
    let crawl = record("request", "GET / HTTP/1.1\r\n\r\n").repeat(5) + &record("response", moved).repeat(7);
    world.write("in/a.warc", &crawl);
    world.write("in/b.warc.gz", gzip((crawl + &record("response", page)).as_bytes()));
    world.run(&[]).exits(0);
    assert_eq!(world.tally(), (1, 1, 0, 0));
    let counts = &world.manifest()["tally"]["stages"]["source.auto"]["counts"];
    assert_eq!(*counts, serde_json::json!({ "passed_record_type": 10, "passed_status": 14 }));
}

/// A dump as it comes: what is text is read by the reader that knows it, and what is none is a dead letter that says so.
#[test]
fn a_mixed_folder_is_read_by_kind_and_nothing_binary_becomes_text() {
    let world = World::with(&PIPELINE.replace("use = \"jsonl\"\npaths", "use = \"auto\"\npaths"));
    world.write(
        "in/array.json",
        "[\n {\"text\": \"from an array of objects\"},\n {\"text\": \"and a second one\"}\n]",
    );
    world.write("in/pretty.json", "{\n  \"text\": \"an object of many lines\"\n}\n");
    world.write("in/page.html", "<!DOCTYPE html><p>a page of the web");
    world.write("in/note.txt", "a plain note in a file");
    world.write("in/paper.pdf", b"%PDF-1.7\n%\xE2\xE3\xCF\xD3\n1 0 obj\n");
    world.write("in/photo.dat", b"\xFF\xD8\xFF\xE0\0\x10JFIF\0\x01");
    world.write("in/._page.html", b"\0\x05\x16\x07\0\x02\0\0Mac OS X        ");
    world.run(&["--set", "run.max_failed_ratio=1"]).exits(0);
    let mut kept: Vec<_> = world.records("out").iter().map(|record| record["id"].clone()).collect();
    kept.sort_by_key(Json::to_string);
    assert_eq!(
        kept,
        ["array.json#3", "array.json#42", "note.txt", "page.html", "pretty.json#0"].map(Json::from).to_vec()
    );
    let mut failed: Vec<_> =
        world.records("out/__failed").iter().map(|it| it["reason"].to_string()).collect();
    failed.sort();
    let kinds = ["application/pdf", "image/jpeg"];
    assert_eq!(failed.len(), kinds.len(), "{failed:?}");
    for (reason, kind) in failed.iter().zip(kinds) {
        assert!(reason.contains(&format!("the file is `{kind}`")), "{reason}");
    }
}

#[test]
fn an_encoding_for_files_of_all_kinds_is_for_those_that_do_not_say_theirs() {
    let world = World::with(&PIPELINE.replacen("use = \"auto\"", "use = \"auto\"\nencoding = \"koi8-r\"", 1));
    // Four letters, which nobody can guess.
    world.write("in/a.txt", [b"\xD4\xC5\xCB\xD3\xD4".as_slice(), b" of a few letters"].concat());
    world.write("in/b.txt", "текст in UTF-8, which is sure");
    world.write("in/c.html", b"<!DOCTYPE html><meta charset=windows-1251><p>\xF2\xE5\xEA\xF1\xF2 of a page");
    world.run(&[]).exits(0);
    let texts: Vec<String> =
        world.records("out").iter().map(|record| record["text"].as_str().unwrap().to_owned()).collect();
    assert_eq!(texts.len(), 3, "{texts:?}");
    assert!(texts.iter().all(|text| text.contains("текст")), "{texts:?}");
}

/// What can be read as text and is neither prose nor a page is no document of its own accord.
#[test]
fn feeds_and_letters_of_word_processors_are_named_and_taken_on_demand() {
    let world = World::with(&PIPELINE.replace("use = \"jsonl\"\npaths", "use = \"auto\"\npaths"));
    world.write(
        "in/feed.xml",
        "<?xml version=\"1.0\"?><rss><channel><title>A feed of news</title></channel></rss>",
    );
    world.write("in/letter.rtf", "{\\rtf1\\ansi A letter of some length}");
    world.write("in/code.txt", "It takes a List<String>, and one <b>word</b> is bold.");
    let said = world.run(&["--set", "run.max_failed_ratio=1"]).exits(0).stdout;
    for line in
        ["feed.xml: the file is XML (`rss`), which no reader", "letter.rtf: the file is RTF, which no reader"]
    {
        assert!(said.contains(line), "{said}");
    }
    assert_eq!(world.ids("out"), ["code.txt"]);
    world.run(&["--set", "source.auto.any_format=true", "--fresh"]).exits(0);
    assert_eq!(world.ids("out"), ["code.txt", "feed.xml", "letter.rtf"]);
}
