//! Runs that are killed again and again make the bytes that an undisturbed one makes, whatever they read and write.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::time::Duration;

use crate::interruption::{Lottery, end, names, start};
use crate::world::{World, line, manifest_is_true};

/// Puts the input where the pipeline looks for it.
type Pack = fn(&World);

/// What is run, killed and run again.
struct Case {
    what: &'static str,
    pipeline: String,
    pack: Pack,
}

/// A pipeline of small blocks and checkpoints; `middle` is its stages, `export` the keys of its first export.
fn pipeline(reader: &str, middle: &str, export: &str) -> String {
    format!(
        "[[source]]\nuse = \"{reader}\"\npaths = [\"in\"]\n\n\
         [[stage]]\nuse = \"length\"\nmin_chars = 10\n\n{middle}\n\
         [[export]]\nid = \"kept\"\n{export}\n\n\
         [[export]]\nid = \"dropped\"\nuse = \"jsonl\"\nfrom = \"dropped\"\npath = \"out/dropped\"\n\
         max_part_bytes = \"64 KiB\"\n\n\
         [run]\nthreads = 2\nblock_bytes = \"16 KiB\"\ncheckpoint_secs = 0.02\nmax_failed_ratio = 1\n"
    )
}

const JSONL: &str = "use = \"jsonl\"\npath = \"out\"\nmax_part_bytes = \"256 KiB\"";
const CORPUS: &str =
    "[[stage]]\nuse = \"dedup-exact\"\n\n[[stage]]\nuse = \"line-template\"\ngroup_by = [\"site\"]\n";

fn named(exporter: &str) -> String {
    JSONL.replace("jsonl", exporter)
}

/// Lines of JSON: every tenth is too short, every seventh has been there before, all share a line of template,
/// and some are no JSON.
fn lines(from: usize, n: usize) -> String {
    let document = |n: usize| {
        let n = if n % 7 == 6 { n - 6 } else { n };
        if n % 97 == 96 {
            return "{broken\n".to_owned();
        }
        let text = line(n, if n % 10 == 0 { 4 } else { 300 });
        let language = ["en", "zh", "EN", ".."][n % 4];
        let end = format!(" {n}\\nShare this page\",\"site\":\"s{}\",\"language\":\"{language}\",", n % 3);
        let end = if n % 10 == 0 { "\",".to_owned() } else { end };
        text.replacen("\",", &end, 1)
    };
    (from..from + n).map(document).collect()
}

fn plain(world: &World) {
    world.write("in/a.jsonl", lines(0, 3_000));
    world.write("in/b/c.jsonl", lines(2_000, 2_000));
}

fn many_files(world: &World) {
    for n in 0..300 {
        world.write(format!("in/{:02}/{n}.jsonl", n % 20), lines(n * 15, 15));
    }
}

fn tar_gz(world: &World) {
    let mut archive =
        tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
    for n in 0..40 {
        let content = lines(n * 120, 120);
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, format!("{n}.jsonl"), content.as_bytes()).unwrap();
    }
    world.write("in/all.tar.gz", archive.into_inner().unwrap().finish().unwrap());
}

fn zip(world: &World) {
    let mut archive = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for n in 0..40 {
        archive.start_file(format!("{n}.jsonl"), zip::write::SimpleFileOptions::default()).unwrap();
        archive.write_all(lines(n * 120, 120).as_bytes()).unwrap();
    }
    world.write("in/all.zip", archive.finish().unwrap().into_inner());
}

fn zstd_frames(world: &World) {
    let frames = |bytes: &[u8], size| -> Vec<u8> {
        bytes.chunks(size).flat_map(|bytes| zstd::encode_all(bytes, 1).unwrap()).collect()
    };
    world.write("in/many.jsonl.zst", frames(lines(0, 3_000).as_bytes(), 30_000));
    world.write("in/one.jsonl.zst", frames(lines(3_000, 2_000).as_bytes(), usize::MAX));
}

/// A file that tamis itself has written.
fn parquet(world: &World) {
    plain(world);
    let export = "use = \"parquet\"\npath = \"made\"\nrow_group_bytes = \"100 KiB\"";
    let export = export.replace("\"100 KiB\"", "100000");
    world.write("make.toml", format!("[[source]]\nuse = \"jsonl\"\npaths = [\"in\"]\n[[export]]\n{export}\n[run]\nmax_failed_ratio = 1\n"));
    world.tamis(&["run", "make.toml"]).exits(0);
    std::fs::remove_dir_all(world.path("in")).unwrap();
    std::fs::create_dir(world.path("in")).unwrap();
    std::fs::rename(world.path("made/part-00000.parquet"), world.path("in/a.parquet")).unwrap();
}

/// Kills runs at random moments, each time a little later, until one comes to its end; how often that was.
fn kill_until_done(world: &World, length: Duration, lottery: &mut Lottery) -> usize {
    let mut n_killed = 0;
    for attempt in 1..=60_u64 {
        let mut child = start(world, &["run", "p.toml"]);
        let longest = u64::try_from(length.as_micros()).unwrap() * (attempt + 8) / 24;
        std::thread::sleep(Duration::from_micros(lottery.below(longest.max(1))));
        child.kill().unwrap();
        if end(child).code == Some(0) {
            return n_killed;
        }
        n_killed += usize::from(world.path("out/manifest.json").exists());
    }
    world.run(&[]).exits(0);
    n_killed
}

fn check(case: &Case, lottery: &mut Lottery) {
    let world = World::with(&case.pipeline);
    (case.pack)(&world);
    let begin = std::time::Instant::now();
    world.run(&[]).exits(0);
    let length = begin.elapsed();
    let undisturbed = world.files("out");
    manifest_is_true(&world, "out");
    assert!(world.tally().1 > 100, "{}", case.what);
    let mut n_killed = 0;
    for _ in 0..4 {
        std::fs::remove_dir_all(world.path("out")).unwrap();
        n_killed += kill_until_done(&world, length, lottery);
        let files = world.files("out");
        assert_eq!(names(&files), names(&undisturbed), "{}", case.what);
        let differ: Vec<_> = differing(&files, &undisturbed).collect();
        assert!(differ.is_empty(), "{}: {differ:?} differ", case.what);
        let left = files.keys().filter(|name| name.starts_with(".tamis/"));
        assert!(left.clone().all(|name| name.starts_with(".tamis/learned/")), "{}: {left:?}", case.what);
        if n_killed >= 6 {
            return;
        }
    }
    assert!(n_killed > 0, "{}: never killed", case.what);
}

fn differing<'a>(
    files: &'a BTreeMap<String, Vec<u8>>,
    others: &'a BTreeMap<String, Vec<u8>>,
) -> impl Iterator<Item = &'a String> {
    files.iter().filter(|(name, content)| others[*name] != **content).map(|(name, _)| name)
}

fn check_all(seed: u64, cases: Vec<Case>) {
    let mut lottery = Lottery(seed);
    for case in cases {
        check(&case, &mut lottery);
    }
}

#[test]
fn what_is_written_does_not_tell_of_kills() {
    let partitions = "use = \"csv\"\npath = \"out/{language}\"\nmax_part_bytes = \"64 KiB\"";
    let cases = [
        ("parquet", named("parquet")),
        ("arrow", named("arrow")),
        ("sqlite", named("sqlite")),
        ("csv in partitions", partitions.to_owned()),
        ("parquet in partitions", partitions.replace("csv", "parquet")),
        // A file for each document has no parts.
        ("markdown", "use = \"markdown\"\npath = \"out\"".to_owned()),
    ];
    let case = |(what, export): (&'static str, String)| {
        let few: Pack = |world| world.write("in/a.jsonl", lines(0, 1_000));
        let pack = if what == "markdown" { few } else { plain };
        Case { what, pipeline: pipeline("jsonl", "", &export), pack }
    };
    check_all(3, cases.map(case).into());
}

#[test]
fn kills_in_any_segment_leave_what_corpus_stages_learn_as_it_is() {
    let sqlite = named("sqlite");
    let cases = [("to jsonl", JSONL), ("to sqlite", &sqlite)];
    let case = |(what, export)| Case { what, pipeline: pipeline("jsonl", CORPUS, export), pack: plain };
    check_all(5, cases.map(case).into());
}

#[test]
fn whatever_is_read_is_gone_on_with_after_a_kill() {
    let cases: [(&str, Pack); 5] = [
        ("tar.gz", tar_gz),
        ("zip", zip),
        ("zst of many frames and of one", zstd_frames),
        ("300 small files", many_files),
        ("parquet", parquet),
    ];
    let case = |(what, pack)| Case { what, pipeline: pipeline("auto", "", JSONL), pack };
    check_all(9, cases.map(case).into());
}
