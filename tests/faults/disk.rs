//! A disk that runs full: the run says so and how to go on, and the same command goes on once there is room.

use std::path::PathBuf;
use std::process::Command;

use tamis_tests::world::World;

use crate::inputs::{CORPUS, few, pipeline, plain};
use crate::trial::{Trial, adds_up, clear};

/// What is run: stages, exporter and its keys, and whether the work folder lies on the small disk, too.
const CASES: &[(&str, &str, bool)] = &[
    ("", "use = \"jsonl\"\nmax_part_bytes = \"128 KiB\"", false),
    ("", "use = \"csv\"", false),
    ("", "use = \"parquet\"\nmax_part_bytes = \"256 KiB\"", false),
    ("", "use = \"markdown\"", false),
    ("", "use = \"sqlite\"\nmax_part_bytes = \"256 KiB\"", false),
    (CORPUS, "use = \"jsonl\"\nmax_part_bytes = \"128 KiB\"", true),
    ("", "use = \"arrow\"\nmax_part_bytes = \"256 KiB\"", false),
    (CORPUS, "use = \"parquet\"", false),
    ("", "use = \"jsonl\"\ncompression = \"zstd\"", false),
    ("", "use = \"csv\"\ncompression = \"gzip\"\nmax_part_bytes = \"128 KiB\"", false),
];
pub(crate) const N_CASES: u64 = CASES.len() as u64;

/// More than any run here writes, in kibibytes.
const ROOMY_KIB: u64 = 64 << 10;
/// Less than any run here can begin with.
const LEAST_KIB: u64 = 16;

pub(crate) fn run(trial: &mut Trial) {
    let (middle, export, works_there) = CASES[(trial.seed % N_CASES) as usize];
    let export = format!("{export}\npath = \"disk/out\"");
    let text = pipeline("jsonl", middle, &export).replace("\"out/dropped\"", "\"disk/out/dropped\"");
    let world = World::with(&if works_there { format!("{text}work = \"disk/work\"\n") } else { text });
    let pack = if export.contains("markdown") { few } else { plain };
    pack(&world, &mut trial.lottery);
    let Some(disk) = Disk::mount(world.path("disk"), ROOMY_KIB) else {
        return trial.skip("no small disk can be mounted here, which takes the rights of root on Linux");
    };
    trial.run(&world, &[], &[0]);
    let undisturbed = world.files("disk/out");
    adds_up(&world, "disk/out");
    let needed: usize = undisturbed.values().map(|content| content.len().next_multiple_of(4096)).sum();
    clear(&world, "disk/out");
    if works_there {
        clear(&world, "disk/work");
    }

    let mut room = LEAST_KIB + trial.lottery.below((needed as u64 >> 10) * 3 / 4);
    let mut n_full = 0;
    // Not every time is there room enough the next time.
    loop {
        disk.resize(room);
        let ran = trial.run(&world, &[], &[0, 3]);
        if ran.code == Some(0) {
            break;
        }
        n_full += 1;
        let names_way_out = ran.stderr.contains("make room there and run");
        assert!(names_way_out, "{room} KiB of {needed} bytes: {ran:#?}");
        room = if n_full > 2 { ROOMY_KIB } else { room + trial.lottery.below(needed as u64 >> 10) };
    }
    trial.counts.hit += n_full;
    trial.same_files(&undisturbed, &world.files("disk/out"));
    adds_up(&world, "disk/out");
}

/// A small disk in memory; gone when it is dropped.
struct Disk(PathBuf);

impl Disk {
    fn mount(at: PathBuf, kib: u64) -> Option<Self> {
        std::fs::create_dir(&at).unwrap();
        let size = format!("size={kib}k,mode=755");
        let done = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tamis-faults"]).arg(&at).output();
        done.is_ok_and(|done| done.status.success()).then_some(Self(at))
    }

    fn resize(&self, kib: u64) {
        let size = format!("remount,size={kib}k");
        let status = Command::new("mount").args(["-o", &size]).arg(&self.0).status().unwrap();
        assert!(status.success(), "the disk cannot be resized");
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: a run that failed may still hold something there. What cannot be unmounted goes with the machine.
        let _ = Command::new("umount").arg("--lazy").arg(&self.0).status();
    }
}
