//! Archives of every shape: all that is in them is read or written off, and no two records are one.

use std::collections::BTreeSet;
use std::io::{Cursor, Write};

use crate::world::{PIPELINE, World};

/// A tar archive of some members.
fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (name, bytes) in members {
        push_header(&mut archive, name, tar::EntryType::Regular, bytes.len());
        archive.extend_from_slice(bytes);
        archive.resize(archive.len().next_multiple_of(512), 0);
    }
    archive
}

fn push_header(archive: &mut Vec<u8>, name: &str, kind: tar::EntryType, size: usize) {
    let mut header = tar::Header::new_gnu();
    header.set_path(name).unwrap();
    header.set_entry_type(kind);
    header.set_size(size as u64);
    header.set_cksum();
    archive.extend_from_slice(header.as_bytes());
}

fn zip(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in members {
        archive.start_file(name.as_str(), options).unwrap();
        archive.write_all(bytes).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

fn record(text: &str) -> Vec<u8> {
    format!("{{\"text\":\"{text}\"}}\n").into_bytes()
}

/// Every id of a run, those of dead letters among them; no two are alike.
#[track_caller]
fn unique_ids(world: &World) -> BTreeSet<String> {
    let all = ["out", "out/dropped", "out/__failed"].map(|folder| world.ids(folder)).concat();
    let unique: BTreeSet<String> = all.iter().cloned().collect();
    assert_eq!(unique.len(), all.len(), "{all:?}");
    unique
}

#[test]
fn an_archive_and_the_same_files_in_a_folder_have_the_same_duplicates() {
    let files = [
        ("m1.jsonl", [record("the first of all"), record("menu and footer")].concat()),
        ("m2.jsonl", [record("the second of them"), record("a unique article")].concat()),
        ("m3.jsonl", [record("menu and footer"), record("the second of them")].concat()),
    ];
    let pipeline = PIPELINE.replace("use = \"length\"\nmin_chars = 10", "use = \"dedup-exact\"");
    let texts = |world: &World, folder: &str| -> Vec<String> {
        world.records(folder).iter().map(|record| record["text"].as_str().unwrap().to_owned()).collect()
    };
    let folder = World::with(&pipeline);
    let packed = World::with(&pipeline);
    for world in [&folder, &packed] {
        world.write("in/a.jsonl", record("menu and footer"));
    }
    for (name, content) in &files {
        folder.write(format!("in/b/{name}"), content);
    }
    packed.write("in/b.tar", tar(&files.each_ref().map(|(name, content)| (*name, content.as_slice()))));
    folder.run(&[]).exits(0);
    packed.run(&[]).exits(0);
    assert_eq!(texts(&folder, "out"), texts(&packed, "out"));
    assert_eq!(texts(&folder, "out/dropped"), texts(&packed, "out/dropped"));
    assert_eq!(
        texts(&packed, "out"),
        ["menu and footer", "the first of all", "the second of them", "a unique article"]
    );
    unique_ids(&packed);
}

#[test]
fn thousands_of_members_that_give_nothing_are_letters_and_no_overflow() {
    let world = World::new();
    let image = [b"\x89PNG\r\n\x1a\n".as_slice(), &[0; 40]].concat();
    let names: Vec<String> = (0..2_000).map(|n| format!("{n}.png")).collect();
    let members: Vec<(&str, &[u8])> = names.iter().map(|name| (name.as_str(), image.as_slice())).collect();
    world.write("in/images.tar", tar(&members));
    for (name, kind) in [("links", tar::EntryType::Symlink), ("folders", tar::EntryType::Directory)] {
        let mut archive = Vec::new();
        for n in 0..2_000 {
            push_header(&mut archive, &format!("{n}"), kind, 0);
        }
        world.write(format!("in/{name}.tar"), archive);
    }
    world.write("in/nested.tar", tar(&[("inner.tar", &tar(&[("a.jsonl", &record("deep inside"))]))]));
    world.write("in/zz.jsonl", record("behind all of them"));
    world.run(&[]).exits(0);
    let input = &world.manifest()["tally"]["input"];
    assert_eq!(world.ids("out"), ["zz.jsonl#0"]);
    assert_eq!((&input["files"], &input["files_failed"]), (&2.into(), &3.into()), "{input}");
    assert_eq!((&input["members"], &input["members_failed"]), (&0.into(), &4_001.into()), "{input}");
    assert_eq!(unique_ids(&world).len(), 4_002);
}

#[test]
fn a_damaged_member_costs_itself() {
    let world = World::new();
    let members: Vec<(String, Vec<u8>)> =
        (0..400).map(|n| (format!("{n}.jsonl"), record(&format!("the text of member {n}")))).collect();
    let mut archive = zip(&members);
    let at = archive.windows(21).position(|bytes| bytes == b"the text of member 15").unwrap();
    archive[at] = b'T';
    world.write("in/a.zip", archive);
    world.run(&[]).exits(0);
    // The bytes are whole, and their sum is another: who knows which of them is wrong.
    let (read, kept, _, failed) = world.tally();
    assert_eq!((kept, failed), (400, 1), "of {read}");
    let input = &world.manifest()["tally"]["input"];
    assert_eq!((&input["members"], &input["members_failed"]), (&399.into(), &1.into()), "{input}");
    unique_ids(&world);
}

#[test]
fn a_damaged_member_with_an_index_costs_itself() {
    let made = World::with(&PIPELINE.replacen("use = \"jsonl\"", "use = \"parquet\"", 1));
    made.write("in/a.jsonl", record("a record of a table"));
    made.run(&[]).exits(0);
    let whole = std::fs::read(made.path("out/part-00000.parquet")).unwrap();
    let cut = whole[..whole.len() / 2].to_vec();
    let members: Vec<(String, Vec<u8>)> = (0..60)
        .map(|n| (format!("{n}.parquet"), if n == 20 { cut.clone() } else { whole.clone() }))
        .collect();
    let world = World::new();
    world.write("in/a.zip", zip(&members));
    let names: Vec<(&str, &[u8])> =
        members.iter().map(|(name, bytes)| (name.as_str(), bytes.as_slice())).collect();
    world.write("in/b.tar", tar(&names));
    world.run(&[]).exits(0);
    assert_eq!(world.tally(), (120, 118, 0, 2));
}

#[test]
fn a_limit_counts_records_and_no_blank_lines() {
    let world = World::new();
    let blank = format!("\n\n{}\n\n", String::from_utf8(record("a text that is long")).unwrap());
    world.write("in/a.jsonl", blank.repeat(50));
    world.run(&["--limit", "30"]).exits(0);
    assert_eq!(world.tally(), (30, 30, 0, 0));
}

#[test]
fn what_a_system_writes_beside_files_is_no_record_and_no_failure() {
    let world = World::new();
    let companion = b"\0\x05\x16\x07\0\x02\0\0Mac OS X        ";
    let files = [("a.jsonl", record("a text that is long"))];
    let members =
        [("__MACOSX/._a.jsonl".to_owned(), companion.to_vec()), (files[0].0.to_owned(), files[0].1.clone())];
    world.write("in/a.zip", zip(&members));
    world.write("in/b.tar", tar(&[("._a.jsonl", companion), (files[0].0, &files[0].1)]));
    world.write("in/._c.jsonl", companion);
    world.write("in/.DS_Store", b"\0\0\0\x01Bud1\0\0\x10\0");
    world.write("in/._d.jsonl", record("a file of this name may be what it seems"));
    world.run(&[]).exits(0);
    assert_eq!(world.tally(), (3, 3, 0, 0));
    let input = &world.manifest()["tally"]["input"];
    assert_eq!((&input["companions"], &input["files_failed"]), (&4.into(), &0.into()), "{input}");
}

/// What breaks off before anything of it can be read has bytes all the same, and what has none has no field for them.
#[test]
fn an_archive_that_was_cut_off_is_kept_with_its_first_bytes() {
    let world = World::new();
    let members: Vec<_> = (0..3).map(|n| (format!("{n}.txt"), vec![b'a' + n; 60_000])).collect();
    let whole = zip(&members);
    let cut = whole.get(..150_000).unwrap();
    world.write("in/cut.zip", cut);
    world.write("in/empty.jsonl", "");
    world.run(&[]).exits(0);
    let [letter] = world.records("out/__failed").try_into().unwrap();
    assert!(letter["reason"].as_str().unwrap().contains("it was cut off"), "{letter}");
    assert_eq!(
        (letter["id"].as_str(), letter["origin"]["length"].as_u64()),
        (Some("cut.zip"), Some(150_000))
    );
    // Base64: `PK\x03\x04` at the beginning, four letters for three bytes.
    let kept = letter["raw_base64"].as_str().unwrap();
    assert!(kept.starts_with("UEsDB"), "{letter}");
    assert_eq!(kept.len(), (64_usize << 10).div_ceil(3) * 4);
}
