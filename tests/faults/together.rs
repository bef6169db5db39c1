//! Two runs at once: one ends well, the other says why it does not, and nothing is lost in the end.

use std::time::Duration;

use tamis_tests::world::World;

use crate::inputs::{JSONL, pipeline, plain};
use crate::trial::{Running, Signal, Trial, adds_up, clear};

/// How two runs meet.
#[derive(Debug, Clone, Copy)]
enum Meeting {
    /// The same command twice.
    Same,
    /// The second writes elsewhere, but for what it drops.
    SharedFolder,
    /// The second gets there through a link.
    Link,
    /// The second runs with `--fresh`.
    Fresh,
}

const MEETINGS: [Meeting; 4] = [Meeting::Same, Meeting::SharedFolder, Meeting::Link, Meeting::Fresh];
pub(crate) const N_CASES: u64 = 2 * MEETINGS.len() as u64;

pub(crate) fn run(trial: &mut Trial) {
    let meeting = MEETINGS[(trial.seed / 2 % MEETINGS.len() as u64) as usize];
    let is_killed = trial.seed.is_multiple_of(2);
    let text = pipeline("jsonl", "", JSONL);
    let world = World::with(&text);
    plain(&world, &mut trial.lottery);
    // The same reading and judging, so that its dropped records are the same.
    world.write("q.toml", text.replace("path = \"out\"", "path = \"other\""));
    let begin = std::time::Instant::now();
    trial.run(&world, &[], &[0]);
    let length = begin.elapsed();
    let undisturbed = world.files("out");
    clear(&world, "out");
    std::fs::create_dir(world.path("out")).unwrap();
    link(&world);

    let second: &[&str] = match meeting {
        Meeting::Same => &["run", "p.toml"],
        Meeting::SharedFolder => &["run", "q.toml"],
        Meeting::Link => &["run", "p.toml", "-o", "link"],
        Meeting::Fresh => &["run", "p.toml", "--fresh"],
    };
    let first = Running::start(&mut world.command(&["run", "p.toml"]));
    std::thread::sleep(moment(trial, length));
    let other = Running::start(&mut world.command(second));
    let kill = is_killed.then(|| (Signal::Kill, moment(trial, length)));
    let other = trial.end(other, None, &[0, 2]);
    let first = trial.end(first, kill, &[0, 2]);
    for ran in [&first, &other] {
        if ran.code == Some(2) {
            let is_told =
                ["another run is writing to", "holds the output of another run", "which no run of this"];
            assert!(is_told.iter().any(|text| ran.stderr.contains(text)), "{meeting:?}: {ran:#?}");
            trial.counts.hit += 1;
        }
    }
    trial.counts.hit += u64::from(first.code.is_none());
    // Whoever came too late left the other alone.
    let is_well = first.code.is_none() || first.code == Some(0) || other.code == Some(0);
    assert!(is_well, "{meeting:?}: none of them ran: {first:#?} {other:#?}");
    // The folder may be that of the other by now, which the run says; then the other's output is the whole one.
    let last = trial.run(&world, &[], &[0, 2]);
    if last.code == Some(0) {
        adds_up(&world, "out");
        return trial.same_files(&undisturbed, &world.files("out"));
    }
    assert_eq!(other.code, Some(0), "{meeting:?}: neither can write: {last:#?}");
    let folder = match meeting {
        // Given as another path, it is the output of another command, although it is the same folder.
        Meeting::Link => "out",
        Meeting::SharedFolder => "other",
        Meeting::Same | Meeting::Fresh => panic!("{last:#?}"),
    };
    let again = trial.watch(&mut world.command(second), None, &[0]);
    assert!(again.stdout.starts_with("nothing to do"), "{again:#?}");
    let mut found = world.files(folder);
    let mut expected = undisturbed;
    found.extend(
        world.files("out/dropped").into_iter().map(|(name, content)| (format!("dropped/{name}"), content)),
    );
    for files in [&mut found, &mut expected] {
        // Which holds the path.
        files.remove(".tamis/manifest.json");
    }
    trial.same_files(&expected, &found);
}

fn moment(trial: &mut Trial, length: Duration) -> Duration {
    Duration::from_micros(trial.lottery.below(u64::try_from(length.as_micros()).unwrap().max(1)))
}

#[cfg(unix)]
fn link(world: &World) {
    std::os::unix::fs::symlink(world.path("out"), world.path("link")).unwrap();
}

#[cfg(not(unix))]
fn link(_world: &World) {}
