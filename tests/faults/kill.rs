//! Runs that are killed again and again make the bytes that an undisturbed one makes, whatever they read and
//! write, and with however many threads each of them works.

use std::time::{Duration, Instant};

use tamis_tests::world::World;

use crate::inputs::{
    CORPUS, JSONL, Pack, few, many_files, parquet, pipeline, plain, tar_gz, zipped, zstd_frames,
};
use crate::trial::{Signal, Trial, adds_up, clear};

/// How often a run is killed before it may come to its end.
const MOST_KILLS: u64 = 40;

/// What is run: reader, stages, first export, input.
const CASES: &[(&str, &str, &str, Pack)] = &[
    ("jsonl", "", "use = \"jsonl\"\npath = \"out/{language}\"\ncompression = \"zstd\"", plain),
    ("jsonl", "", "use = \"parquet\"\npath = \"out/{language}\"\nmax_part_bytes = \"64 KiB\"", plain),
    ("jsonl", "", "use = \"markdown\"\npath = \"out\"", few),
    ("jsonl", CORPUS, JSONL, plain),
    ("auto", "", JSONL, tar_gz),
    ("auto", "", JSONL, zipped),
    ("jsonl", "", "use = \"arrow\"\npath = \"out\"\nmax_part_bytes = \"256 KiB\"", plain),
    ("jsonl", "", "use = \"sqlite\"\npath = \"out\"\nmax_part_bytes = \"256 KiB\"", plain),
    ("jsonl", "", "use = \"csv\"\npath = \"out/{language}\"\nmax_part_bytes = \"64 KiB\"", plain),
    ("jsonl", CORPUS, "use = \"sqlite\"\npath = \"out\"", plain),
    ("auto", "", JSONL, zstd_frames),
    ("auto", "", JSONL, many_files),
    ("auto", "", JSONL, parquet),
    ("jsonl", "", "use = \"jsonl\"\npath = \"out\"\ncompression = \"gzip\"", plain),
];
pub(crate) const N_CASES: u64 = CASES.len() as u64;

pub(crate) fn run(trial: &mut Trial) {
    let (reader, middle, export, pack) = CASES[(trial.seed % N_CASES) as usize];
    let world = World::with(&pipeline(reader, middle, export));
    pack(&world, &mut trial.lottery);
    let begin = Instant::now();
    trial.run(&world, &[], &[0]);
    let length = begin.elapsed();
    let undisturbed = world.files("out");
    adds_up(&world, "out");
    let mut n_killed = 0;
    while n_killed == 0 {
        clear(&world, "out");
        n_killed = kill_until_done(trial, &world, length);
    }
    trial.counts.hit += n_killed;
    trial.same_files(&undisturbed, &world.files("out"));
    adds_up(&world, "out");
    let again = trial.run(&world, &[], &[0]);
    assert!(again.stdout.starts_with("nothing to do"), "{again:#?}");
}

/// Kills runs at random moments, each time a little later, until one comes to its end; how many had begun to write.
fn kill_until_done(trial: &mut Trial, world: &World, length: Duration) -> u64 {
    let mut n_killed = 0;
    for attempt in 1..=MOST_KILLS {
        let threads = format!("run.threads={}", trial.lottery.one_of(&[1, 2, 3, 8]));
        let longest = u64::try_from(length.as_micros()).unwrap() * (attempt + 8) / 16;
        let moment = Duration::from_micros(trial.lottery.below(longest.max(1)));
        let signal = if trial.lottery.once_in(3) { Signal::Term } else { Signal::Kill };
        let mut command = world.command(&["run", "p.toml", "--set", &threads]);
        if trial.watch(&mut command, Some((signal, moment)), &[0]).code == Some(0) {
            return n_killed;
        }
        n_killed += u64::from(world.path("out/.tamis/manifest.json").exists());
    }
    trial.run(world, &[], &[0]);
    n_killed
}
