//! Runs that may open a few files only, or write small ones only: they end as they should or say what to raise,
//! and the next run without the limit goes on.

use std::process::{Command, Stdio};

use tamis_tests::pack::{Codec, tar, zip};
use tamis_tests::program::tamis;
use tamis_tests::world::{World, ran};

use crate::inputs::{CORPUS, JSONL, Pack, few, lines, many_files, parquet, pipeline, plain};
use crate::trial::{Trial, adds_up, clear};

/// What is run: reader, stages, first export, input.
const CASES: &[(&str, &str, &str, Pack)] = &[
    ("auto", "", JSONL, packed_tables),
    ("jsonl", "", "use = \"parquet\"\npath = \"out/{part}\"", few),
    ("jsonl", CORPUS, JSONL, plain),
    ("jsonl", "", "use = \"sqlite\"\npath = \"out/{language}\"", plain),
    ("auto", "", JSONL, many_files),
    ("jsonl", "", "use = \"markdown\"\npath = \"out\"", few),
    ("auto", "", JSONL, compressed),
    ("jsonl", "", "use = \"jsonl\"\npath = \"out/{part}\"\ncompression = \"zstd\"", few),
];
pub(crate) const N_CASES: u64 = CASES.len() as u64;

/// What the shell of this system calls a limit, from least to most, and the way out that a message must name.
struct Limit {
    flag: &'static str,
    least: u64,
    most: u64,
    way_out: &'static str,
}

pub(crate) fn descriptors(trial: &mut Trial) {
    // With fewer the loader of the system cannot start the program.
    limited(trial, &Limit { flag: "-n", least: 12, most: 48, way_out: "`ulimit -n`" });
}

pub(crate) fn short_writes(trial: &mut Trial) {
    // In blocks of 512 bytes; with fewer there is no room for what the run says, which goes to a file here.
    limited(trial, &Limit { flag: "-f", least: 4, most: 256, way_out: "`ulimit -f`" });
}

fn limited(trial: &mut Trial, limit: &Limit) {
    let (reader, middle, export, pack) = CASES[(trial.seed % N_CASES) as usize];
    let world = World::with(&pipeline(reader, middle, export));
    pack(&world, &mut trial.lottery);
    trial.run(&world, &[], &[0]);
    let undisturbed = world.files("out");
    adds_up(&world, "out");
    clear(&world, "out");
    for _ in 0..3 {
        let most = limit.least + trial.lottery.below(limit.most - limit.least);
        // A shell of its own, because a limit is for good.
        let script = format!("ulimit {} {most} && exec \"$0\" run p.toml", limit.flag);
        let mut command = Command::new("sh");
        command.args(["-c", &script]).arg(tamis()).current_dir(world.path(""));
        command.env_clear().stdin(Stdio::null());
        let ran = trial.watch(&mut command, None, &[0, 3]);
        if ran.code == Some(0) {
            break;
        }
        let names_way_out =
            ran.stderr.contains(limit.way_out) && ran.stderr.contains("run the same command again");
        assert!(names_way_out, "`ulimit {} {most}`: {ran:#?}", limit.flag);
        trial.counts.hit += 1;
    }
    trial.run(&world, &[], &[0]);
    trial.same_files(&undisturbed, &world.files("out"));
    adds_up(&world, "out");
}

/// Archives whose members must be unpacked to files before they can be read, because their index stands at the end.
fn packed_tables(world: &World, lottery: &mut tamis_tests::lottery::Lottery) {
    parquet(world, lottery);
    let table = std::fs::read(world.path("in/a.parquet")).unwrap();
    std::fs::remove_file(world.path("in/a.parquet")).unwrap();
    let members: Vec<_> = (0..12).map(|n| (format!("{n}.parquet"), table.clone())).collect();
    world.write("in/a.tar", tar(&members));
    world.write("in/b.zip", zip(&members, true));
}

fn compressed(world: &World, _: &mut tamis_tests::lottery::Lottery) {
    for (n, codec) in Codec::ALL.into_iter().enumerate() {
        for part in 0..3 {
            let text = lines(n * 600 + part * 200, 200);
            world.write(format!("in/{n}-{part}.jsonl{}", codec.ending()), codec.compress(text.as_bytes()));
        }
    }
}

/// More parts than the manifest that names them may be long.
#[cfg(unix)]
#[test]
fn parts_are_known_though_the_manifest_that_names_them_could_not_be_written() {
    let text = pipeline("jsonl", "", "use = \"jsonl\"\npath = \"out/{part}\"\nmax_part_bytes = \"1 KiB\"");
    // Nothing is noted before it breaks, so the next run begins again and must know what there is.
    let world = World::with(&text.replace("checkpoint_secs = 0.02", "checkpoint_secs = 600"));
    world.write("in/a.jsonl", lines(0, 1_200));
    let mut command = Command::new("sh");
    command.args(["-c", "ulimit -f 40 && exec \"$0\" run p.toml"]).arg(tamis()).current_dir(world.path(""));
    ran(&mut command).exits(3).says(&["cannot write `", "`ulimit -f`"]);
    world.run(&[]).exits(0);
    adds_up(&world, "out");
}
