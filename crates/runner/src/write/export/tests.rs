//! An export that is killed after any block goes on to the same bytes.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Write};
use std::sync::Arc;

use proptest::prelude::*;
use tamis_config::{Compression, ExportPlan, From};
use tamis_document::Record;
use tamis_stage::handle::{ExporterHandle, PartHandle};
use tamis_stage::{Failure, Kind, Output, StageFlags, StageInfo};

use super::*;
use crate::disk::journal;
use crate::work::compress::for_export as compress;
use crate::work::task::PartChunk;

/// Writes chunks as they are, between a head and a tail; in parts behind a line that counts them.
struct Fake;

struct FakePart {
    file: Option<File>,
    chunks: u64,
    /// What it holds in memory until it ends.
    kept: Vec<u8>,
}

impl ExporterHandle for Fake {
    fn extension(&self) -> String {
        "txt".to_owned()
    }

    fn head(&self) -> Result<Vec<u8>, Failure> {
        Ok(b"head\n".to_vec())
    }

    fn tail(&self) -> Result<Vec<u8>, Failure> {
        Ok(b"tail\n".to_vec())
    }

    fn encode(&self, _: &[Record], _: &mut Output) -> Vec<(usize, Failure)> {
        Vec::new()
    }

    fn begin(&self, path: &Path, out: &mut Vec<u8>) -> Result<Box<dyn PartHandle + '_>, Failure> {
        // The runner has made the file unless the exporter is to make it.
        let file = (!path.exists()).then(|| File::create(path).unwrap());
        let mut part = FakePart { file, chunks: 0, kept: Vec::new() };
        part.put(b"begin\n", out);
        Ok(Box::new(part))
    }
}

impl FakePart {
    fn put(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        match &mut self.file {
            Some(file) => file.write_all(bytes).unwrap(),
            None => out.extend_from_slice(bytes),
        }
    }
}

impl PartHandle for FakePart {
    fn add(&mut self, chunk: Vec<u8>, out: &mut Vec<u8>) -> Result<(), Failure> {
        self.chunks += 1;
        if chunk.starts_with(b"keep") {
            self.kept.extend(chunk);
        } else {
            self.put(&chunk, out);
        }
        Ok(())
    }

    fn end(mut self: Box<Self>, out: &mut Vec<u8>) -> Result<(), Failure> {
        let (chunks, kept) = (self.chunks, std::mem::take(&mut self.kept));
        self.put(&kept, out);
        self.put(format!("end of {chunks}\n").as_bytes(), out);
        Ok(())
    }
}

fn export(path: &Path, flags: StageFlags, compression: Compression) -> OpenedExport {
    let info = StageInfo {
        measures: Vec::new(),
        name: "fake".to_owned(),
        kind: Kind::Exporter,
        summary: String::new(),
        docs: String::new(),
        schema: serde_json::Value::Null,
        reads: Vec::new(),
        writes: Vec::new(),
        flags,
        plugin: Arc::default(),
    };
    let plan = ExportPlan {
        id: "fake".to_owned(),
        info,
        options: serde_json::Value::Null,
        path: path.to_owned(),
        partition: None,
        from: From::Kept,
        compression,
        max_part_bytes: 100,
        implicit: false,
        named_fields: Vec::new(),
    };
    OpenedExport { plan, handle: Box::new(Fake) }
}

const STREAM: StageFlags = StageFlags {
    pure: false,
    byte_stream: true,
    named_files: false,
    replayable: false,
    whole_file: false,
    by_line: false,
    random_access: false,
    parts: false,
    own_file: false,
};
const NAMED: StageFlags = StageFlags { byte_stream: false, named_files: true, ..STREAM };
const PARTS: StageFlags = StageFlags { byte_stream: false, parts: true, ..STREAM };
const OWN_FILE: StageFlags = StageFlags { own_file: true, ..PARTS };

/// A block: for each folder a text, and named files.
#[derive(Debug, Clone)]
struct Given {
    parts: BTreeMap<String, String>,
    files: Vec<String>,
}

impl Given {
    fn chunk(&self, export: &OpenedExport) -> Chunk {
        let mut chunk = Chunk { records: self.parts.len() as u64, ..Chunk::default() };
        if export.info.flags.named_files {
            let file = |name: &String| (name.clone(), name.repeat(3).into_bytes());
            chunk.files = self.files.iter().map(file).collect();
            return chunk;
        }
        for (folder, text) in &self.parts {
            let plain_bytes = text.len() as u64;
            let bytes = compress(export, text.clone().into_bytes()).unwrap();
            chunk.parts.push(PartChunk { folder: folder.clone(), bytes, plain_bytes, records: 1 });
        }
        chunk
    }
}

/// All files below a folder, hidden ones, too.
fn files(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let entries = walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().is_file());
    files
        .map(|entry| {
            (entry.path().strip_prefix(folder).unwrap().to_owned(), std::fs::read(entry.path()).unwrap())
        })
        .collect()
}

/// A writer with all the memory that it wants.
fn started(export: &OpenedExport) -> ExportWriter<'_> {
    ExportWriter::new(export, &export.path, &export.path, u64::MAX)
}

/// Writes all blocks, and ends.
fn finish(mut writer: ExportWriter<'_>, export: &OpenedExport, blocks: &[Given]) -> ExportManifest {
    for block in blocks {
        writer.write(block.chunk(export)).unwrap();
    }
    writer.finish().unwrap();
    writer.manifest().clone()
}

/// Saves after `saved` blocks, is killed after `killed` and goes on.
fn interrupted(export: &OpenedExport, blocks: &[Given], saved: usize, killed: usize) -> ExportManifest {
    let path = &export.path;
    let mut writer = started(export);
    let mut state = None;
    for (index, block) in blocks[..killed].iter().enumerate() {
        if index == saved {
            if writer.has_parts() {
                writer.close_parts().unwrap();
            }
            state = Some(writer.save().unwrap());
        }
        writer.write(block.chunk(export)).unwrap();
    }
    if killed == blocks.len() {
        // Between the last file and the manifest.
        writer.finish().unwrap();
    }
    // What a process leaves that has no time to do anything.
    std::mem::forget(writer);
    let json = serde_json::to_string(&state.expect("saved before it is killed")).unwrap();
    let state = serde_json::from_str(&json).unwrap();
    let writer = ExportWriter::restore(export, path, path, u64::MAX, state, None).unwrap();
    finish(writer, export, &blocks[saved..])
}

/// The bytes of an undisturbed run; `closed` is the block before which parts are closed.
fn undisturbed(export: &OpenedExport, blocks: &[Given], closed: usize) -> ExportManifest {
    let mut writer = started(export);
    for block in &blocks[..closed] {
        writer.write(block.chunk(export)).unwrap();
    }
    if writer.has_parts() {
        writer.close_parts().unwrap();
    }
    finish(writer, export, &blocks[closed..])
}

fn check(flags: StageFlags, compression: Compression, blocks: &[Given], saved: usize, killed: usize) {
    let world = tempfile::tempdir().unwrap();
    let run = |name: &str| {
        let path = world.path().join(name);
        std::fs::create_dir(&path).unwrap();
        export(&path, flags, compression)
    };
    let (one, two) = (run("one"), run("two"));
    let manifest = undisturbed(&one, blocks, saved);
    assert_eq!(interrupted(&two, blocks, saved, killed), manifest);
    let (one, two) = (files(&one.path), files(&two.path));
    assert_eq!(one.keys().collect::<Vec<_>>(), two.keys().collect::<Vec<_>>());
    assert!(one == two);
    assert_eq!(
        one.len() as u64,
        manifest.files.iter().map(|entry| if flags.named_files { 1 + entry.records } else { 1 }).sum::<u64>()
    );
    for entry in &manifest.files {
        let bytes = &one[Path::new(&entry.name)];
        assert_eq!(
            (entry.bytes, &entry.blake3),
            (bytes.len() as u64, &blake3::hash(bytes).to_hex().to_string())
        );
    }
}

fn blocks() -> impl Strategy<Value = Vec<Given>> {
    let folder = prop_oneof![Just(""), Just("zh"), Just("ZH"), Just("en/2024"), Just("en/2025")];
    let parts = prop::collection::btree_map(folder.prop_map(str::to_owned), "[a-z]{1,60}\n", 0..4);
    let name = prop_oneof![Just("a.md"), Just("A.md"), Just("sub/b.md"), Just("files.b3"), Just("a-2.md")];
    let files = prop::collection::vec(name.prop_map(str::to_owned), 0..4);
    let block = (parts, files).prop_map(|(parts, files)| Given { parts, files });
    prop::collection::vec(block, 1..9)
}

proptest! {
    // Each case waits for the disk some hundred times.
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_killed_export_goes_on_to_the_same_bytes(blocks in blocks(), saved: prop::sample::Index, killed: prop::sample::Index) {
        let saved = saved.index(blocks.len());
        let killed = saved + 1 + killed.index(blocks.len() - saved);
        for flags in [STREAM, NAMED, PARTS, OWN_FILE] {
            check(flags, Compression::None, &blocks, saved, killed);
        }
        check(STREAM, Compression::Zstd { level: 3 }, &blocks, saved, killed);
    }
}

fn given(folders: &[(&str, &str)]) -> Given {
    let parts = folders.iter().map(|(folder, text)| ((*folder).to_owned(), (*text).to_owned()));
    Given { parts: parts.collect(), files: Vec::new() }
}

#[test]
fn many_partitions_share_a_few_open_files() {
    let world = tempfile::tempdir().unwrap();
    let export = export(world.path(), STREAM, Compression::None);
    let mut writer = started(&export);
    for round in 0..3 {
        for n in 0..200 {
            let block = given(&[(&format!("p{n}"), &format!("{round}\n"))]);
            writer.write(block.chunk(&export)).unwrap();
            #[cfg(target_os = "linux")]
            assert!(open_files(world.path()) <= 130);
        }
        assert_eq!(writer.save().unwrap(), writer.save().unwrap());
    }
    writer.finish().unwrap();
    drop(writer);
    let files = files(world.path());
    assert_eq!(files.len(), 200);
    assert!(files.values().all(|content| content == b"head\n0\n1\n2\ntail\n"));
}

/// The files below a folder that this process has open.
#[cfg(target_os = "linux")]
fn open_files(folder: &Path) -> usize {
    let entries = std::fs::read_dir("/proc/self/fd").unwrap().flatten();
    entries
        .filter(|entry| std::fs::read_link(entry.path()).is_ok_and(|path| path.starts_with(folder)))
        .count()
}

#[test]
fn exporters_that_write_files_themselves_have_few_of_them_open() {
    let world = tempfile::tempdir().unwrap();
    let export = export(world.path(), OWN_FILE, Compression::None);
    let mut writer = started(&export);
    for n in (0..70).chain(0..3) {
        writer.write(given(&[(&format!("p{n:02}"), "x\n")]).chunk(&export)).unwrap();
    }
    assert_eq!(writer.unresumable(), (64, 2 * 73));
    assert_eq!(writer.manifest().files.len(), 9);
    writer.close_parts().unwrap();
    assert_eq!(writer.unresumable(), (0, 0));
    assert_eq!(writer.manifest().files.iter().filter(|entry| entry.name.ends_with("00001.txt")).count(), 3);
}

#[test]
fn of_parts_that_hold_too_much_the_largest_are_finished_and_no_others() {
    let world = tempfile::tempdir().unwrap();
    let export = export(world.path(), PARTS, Compression::None);
    // Reckoned with 4 KiB a chunk beside its bytes.
    let mut writer = ExportWriter::new(&export, world.path(), world.path(), 220 * 4096);
    for n in 0..200 {
        writer.write(given(&[(&format!("p{n:03}"), "keep\n")]).chunk(&export)).unwrap();
    }
    assert_eq!(writer.manifest().files.len(), 0, "200 partitions are 200 parts");
    for _ in 0..30 {
        writer.write(given(&[("p007", "keep\n")]).chunk(&export)).unwrap();
    }
    let names: Vec<_> = writer.manifest().files.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["p007/part-00000.txt"]);
    assert_eq!(writer.unresumable().0, 200);
}

#[test]
fn compressed_parts_are_whole_files() {
    for compression in [Compression::Gzip { level: 6 }, Compression::Zstd { level: 3 }] {
        let world = tempfile::tempdir().unwrap();
        let export = export(world.path(), STREAM, compression);
        let writer = started(&export);
        finish(writer, &export, &[given(&[("", "one\n")]), given(&[("", "two\n")])]);
        let (name, bytes) = files(world.path()).pop_first().unwrap();
        let mut read = Vec::new();
        let bytes = bytes.as_slice();
        match compression {
            Compression::Zstd { .. } => read = zstd::decode_all(bytes).unwrap(),
            _ => _ = flate2::read::MultiGzDecoder::new(bytes).read_to_end(&mut read).unwrap(),
        }
        assert_eq!(read, b"head\none\ntwo\ntail\n", "{name:?}");
    }
}

#[test]
fn what_was_changed_since_is_not_gone_on_with() {
    type Tamper = fn(&Path);
    let tampered: [(&str, Tamper); 4] = [
        ("cannot be read", |path| std::fs::remove_file(path.join(".part-00000.txt.tamis-tmp")).unwrap()),
        ("has 3 bytes", |path| std::fs::write(path.join(".part-00000.txt.tamis-tmp"), "hea").unwrap()),
        ("was changed", |path| {
            std::fs::write(path.join(".part-00000.txt.tamis-tmp"), "HEAD\none\n").unwrap();
        }),
        ("from which an unfinished run would go on, is gone", |path| {
            std::fs::remove_file(path.join(".parts.tamis-tmp")).unwrap();
        }),
    ];
    for (expected, tamper) in tampered {
        let world = tempfile::tempdir().unwrap();
        let export = export(world.path(), STREAM, Compression::None);
        let mut writer = started(&export);
        writer.write(given(&[("", "one\n")]).chunk(&export)).unwrap();
        let state = writer.save().unwrap();
        writer.suspend();
        drop(writer);
        tamper(world.path());
        let error =
            ExportWriter::restore(&export, world.path(), world.path(), u64::MAX, state, None).err().unwrap();
        let error = error.to_string();
        assert!(error.contains(expected) && error.contains("--fresh"), "{error}");
    }
}

#[test]
fn nothing_of_somebody_else_is_replaced_or_taken_away() {
    let world = tempfile::tempdir().unwrap();
    let export = export(world.path(), STREAM, Compression::None);
    std::fs::create_dir(world.path().join("zh")).unwrap();
    std::fs::write(world.path().join("zh/part-00000.txt"), "mine").unwrap();
    let mut writer = started(&export);
    writer.write(given(&[("en", "one\n")]).chunk(&export)).unwrap();
    let error = writer.write(given(&[("zh", "one\n")]).chunk(&export)).unwrap_err().to_string();
    assert!(error.contains("zh/part-00000.txt") && error.contains("there already"), "{error}");
    writer.abandon();
    writer.forget();
    drop(writer);
    assert_eq!(files(world.path()).into_keys().collect::<Vec<_>>(), [Path::new("zh/part-00000.txt")]);
    assert!(!world.path().join("en").exists());
}

#[test]
fn a_dry_run_counts_and_touches_nothing() {
    let world = tempfile::tempdir().unwrap();
    let path = world.path().join("out");
    for flags in [STREAM, PARTS] {
        let export = export(&path, flags, Compression::None);
        let mut writer = ExportWriter::dry(&export, &path, &path);
        writer.write(given(&[("", "one\n"), ("zh", "two\n")]).chunk(&export)).unwrap();
        writer.finish().unwrap();
        assert_eq!((writer.manifest().records, writer.manifest().files.len()), (2, 0));
    }
    assert!(!path.exists());
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_with_its_file_and_a_way_out() {
    let world = tempfile::tempdir().unwrap();
    let export = export(world.path(), STREAM, Compression::None);
    let mut writer = started(&export);
    writer.write(given(&[("zh", "one\n"), ("en", "one\n")]).chunk(&export)).unwrap();
    let unfinished = world.path().join("zh/.part-00000.txt.tamis-tmp");
    std::fs::remove_file(&unfinished).unwrap();
    std::os::unix::fs::symlink("/dev/full", &unfinished).unwrap();
    // So that the file is opened again.
    for n in 0..200 {
        writer.write(given(&[(&n.to_string(), "x\n")]).chunk(&export)).unwrap();
    }
    let error = writer.write(given(&[("zh", "two\n")]).chunk(&export)).unwrap_err().to_string();
    assert!(error.contains("zh/part-00000.txt") && error.contains("make room"), "{error}");
    writer.abandon();
    writer.forget();
    drop(writer);
    assert_eq!(files(world.path()).len(), 0);
}

#[test]
fn a_run_that_was_killed_before_it_saved_leaves_a_list_of_all_it_began() {
    let world = tempfile::tempdir().unwrap();
    let export = export(world.path(), STREAM, Compression::None);
    let mut writer = started(&export);
    for folder in ["", "zh", "en/2024"] {
        writer.write(given(&[(folder, &"x".repeat(100))]).chunk(&export)).unwrap();
        writer.write(given(&[(folder, "x\n")]).chunk(&export)).unwrap();
    }
    std::mem::forget(writer);
    std::fs::write(world.path().join("mine.txt"), "mine").unwrap();
    assert_eq!(journal::listed(world.path()).unwrap().len(), 6);
    journal::clear(world.path()).unwrap();
    assert_eq!(files(world.path()).into_keys().collect::<Vec<_>>(), [Path::new("mine.txt")]);
    assert!(!world.path().join("en").exists());
}
