//! Pipelines and collections that the scenarios share.

use tamis_tests::lottery::Lottery;
use tamis_tests::pack::{Member, tar, zip};
use tamis_tests::world::{World, line};

use crate::trial::MEMORY;

/// Writes its records to `out`, in parts that are small enough for a run to have several.
pub(crate) const JSONL: &str = "use = \"jsonl\"\npath = \"out\"\nmax_part_bytes = \"128 KiB\"";

/// Two stages that must have seen everything before they judge.
pub(crate) const CORPUS: &str =
    "[[stage]]\nuse = \"dedup-exact\"\n\n[[stage]]\nuse = \"line-template\"\ngroup_by = [\"site\"]\n\n";

/// A pipeline of small blocks and checkpoints; `middle` is its stages, `export` the keys of its first export.
pub(crate) fn pipeline(reader: &str, middle: &str, export: &str) -> String {
    format!(
        "[[source]]\nuse = \"{reader}\"\npaths = [\"in\"]\n\n\
         [[stage]]\nuse = \"length\"\nmin_chars = 10\n\n{middle}\
         [[export]]\nid = \"kept\"\n{export}\n\n\
         [[export]]\nid = \"dropped\"\nuse = \"jsonl\"\nfrom = \"dropped\"\npath = \"out/dropped\"\n\
         max_part_bytes = \"64 KiB\"\n\n\
         [run]\nthreads = 2\nblock_bytes = \"16 KiB\"\ncheckpoint_secs = 0.02\nmax_failed_ratio = 1\n{MEMORY}"
    )
}

/// Lines of JSON: every tenth is too short, every seventh has been there before, all share a line of template,
/// and some are no JSON.
pub(crate) fn lines(from: usize, n: usize) -> String {
    let document = |n: usize| {
        let n = if n % 7 == 6 { n - 6 } else { n };
        if n % 97 == 96 {
            return "{broken\n".to_owned();
        }
        let text = line(n, if n.is_multiple_of(10) { 4 } else { 300 });
        let language = ["en", "zh", "EN", ".."][n % 4];
        let end = format!(
            " {n}\\nShare this page\",\"site\":\"s{}\",\"language\":\"{language}\",\"part\":{},",
            n % 3,
            n % 70
        );
        let end = if n.is_multiple_of(10) { "\",".to_owned() } else { end };
        text.replacen("\",", &end, 1)
    };
    (from..from + n).map(document).collect()
}

/// Puts a collection where the pipeline looks for it.
pub(crate) type Pack = fn(&World, &mut Lottery);

pub(crate) fn plain(world: &World, lottery: &mut Lottery) {
    let n = 700 + lottery.index(500);
    world.write("in/a.jsonl", lines(0, n));
    world.write("in/b/c.jsonl", lines(n / 2, n));
}

pub(crate) fn few(world: &World, lottery: &mut Lottery) {
    world.write("in/a.jsonl", lines(0, 400 + lottery.index(200)));
}

pub(crate) fn many_files(world: &World, lottery: &mut Lottery) {
    for n in 0..200 {
        world.write(format!("in/{:02}/{n}.jsonl", n % 20), lines(n * 15, 10 + lottery.index(10)));
    }
}

fn members(lottery: &mut Lottery) -> Vec<Member> {
    (0..40).map(|n| (format!("{n}.jsonl"), lines(n * 120, 40 + lottery.index(60)).into_bytes())).collect()
}

pub(crate) fn tar_gz(world: &World, lottery: &mut Lottery) {
    world.write("in/all.tar.gz", tamis_tests::pack::Codec::Gzip.compress(&tar(&members(lottery))));
}

pub(crate) fn zipped(world: &World, lottery: &mut Lottery) {
    let is_deflated = lottery.once_in(2);
    world.write("in/all.zip", zip(&members(lottery), is_deflated));
}

pub(crate) fn zstd_frames(world: &World, lottery: &mut Lottery) {
    let frames = |bytes: &[u8], size| -> Vec<u8> {
        bytes.chunks(size).flat_map(|bytes| zstd::encode_all(bytes, 1).unwrap()).collect()
    };
    let size = 20_000 + lottery.index(20_000);
    world.write("in/many.jsonl.zst", frames(lines(0, 1_500).as_bytes(), size));
    world.write("in/one.jsonl.zst", frames(lines(1_500, 1_200).as_bytes(), usize::MAX));
}

/// A file that tamis itself has written.
pub(crate) fn parquet(world: &World, lottery: &mut Lottery) {
    plain(world, lottery);
    let export = "use = \"parquet\"\npath = \"made\"\nrow_group_bytes = 100000";
    world.write(
        "make.toml",
        format!(
            "[[source]]\nuse = \"jsonl\"\npaths = [\"in\"]\n[[export]]\n{export}\n[run]\nmax_failed_ratio = 1\n"
        ),
    );
    world.tamis(&["run", "make.toml"]).exits(0);
    std::fs::remove_dir_all(world.path("in")).unwrap();
    std::fs::create_dir(world.path("in")).unwrap();
    std::fs::rename(world.path("made/part-00000.parquet"), world.path("in/a.parquet")).unwrap();
}
