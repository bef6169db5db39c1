//! Several runs in one process: nothing of one is seen in another.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use tamis_config::{Opened, Plan};
use tamis_document::Record;
use tamis_runner::{Finish, RunError, Settings};
use tamis_stage::RunContext;

use crate::fakes::{Hooks, World, lines, registry};

const PLAIN: &str = "[run]\nblock_bytes = \"2 KiB\"\nmemory = \"16 MiB\"\nthreads = 2\n";

fn world() -> World {
    let world = World::new();
    world.write("in/a.txt", lines(5_000));
    world
}

fn learning() -> String {
    format!("[[stage]]\nuse = \"unique\"\n{PLAIN}")
}

#[test]
fn a_plan_is_run_as_often_as_one_likes() {
    let world = world();
    let plan = Arc::new(world.plan(&learning(), &Hooks::default()));
    let before = Plan::clone(&plan);
    let mut outputs = Vec::new();
    for _ in 0..3 {
        let registry = registry(&Hooks::default());
        let opened = Opened::new(Arc::clone(&plan), &registry, &RunContext::default()).unwrap();
        let settings = Settings { fresh: true, ..Settings::default() };
        let report = tamis_runner::run(opened, &settings, &()).unwrap();
        assert_eq!(report.finish, Finish::Done);
        outputs.push((world.output(), serde_json::to_string(&report.manifest).unwrap()));
    }
    assert!(outputs.iter().all(|output| *output == outputs[0]));
    assert_eq!(*plan, before);
}

#[test]
fn two_runs_at_once_write_what_each_writes_alone() {
    let alone = [world(), world()];
    alone[0].run(PLAIN, &Hooks::default()).unwrap();
    alone[1].run(&learning(), &Hooks::default()).unwrap();
    let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(3).build().unwrap());
    for pool in [None, Some(pool)] {
        let together = [world(), world()];
        // Each waits for the other in the middle, so that they do run at once; in one pool they may not, for one of
        // them may have all the threads.
        let meeting = Arc::new(Meeting::new(pool.is_none()));
        let runs: Vec<_> = std::thread::scope(|scope| {
            let runs = together.iter().zip([PLAIN.to_owned(), learning()]).enumerate();
            let runs = runs.map(|(side, (world, text))| {
                let (meeting, settings) =
                    (Arc::clone(&meeting), Settings { pool: pool.clone(), ..Settings::default() });
                scope.spawn(move || {
                    let hooks = at(2_500, move || meeting.wait(side));
                    world.run_with(&text, &hooks, settings)
                })
            });
            runs.collect::<Vec<_>>().into_iter().map(|run| run.join().unwrap().unwrap()).collect()
        });
        assert_eq!(runs.iter().map(|report| report.finish).collect::<Vec<_>>(), [Finish::Done; 2]);
        for (alone, together) in alone.iter().zip(&together) {
            assert!(alone.output() == together.output());
            assert_eq!(alone.manifest().tally, together.manifest().tally);
        }
    }
}

#[test]
fn who_cancels_a_run_cancels_no_other() {
    let alone = world();
    alone.run(PLAIN, &Hooks::default()).unwrap();
    let (first, second) = (world(), world());
    let (cancelled, run) = (RunContext::default(), RunContext::default());
    let meeting = Arc::new(Meeting::new(true));
    std::thread::scope(|scope| {
        let (asked, here) = (cancelled.clone(), Arc::clone(&meeting));
        let stopped = scope.spawn(|| {
            let hooks = at(2_500, move || {
                here.wait(0);
                asked.cancel();
            });
            first.run_in(PLAIN, &hooks, Settings::default(), &cancelled)
        });
        let hooks = at(2_500, move || meeting.wait(1));
        second.run_in(PLAIN, &hooks, Settings::default(), &run).unwrap();
        assert!(matches!(stopped.join().unwrap(), Err(RunError::Interrupted)));
    });
    assert!(cancelled.is_cancelled() && !run.is_cancelled());
    assert!(second.output() == alone.output());
    // The next run in this process is not cancelled for ever.
    let report = first.run(PLAIN, &Hooks::default()).unwrap();
    assert_eq!(report.finish, Finish::Done);
    assert!(first.output() == alone.output());
}

/// A hook that does something once, at the block with a certain line.
fn at(line: usize, act: impl Fn() + Send + Sync + 'static) -> Hooks {
    let (wanted, done) = (format!("line {line} "), AtomicBool::new(false));
    let process = move |records: &mut [Record], _: &mut _| {
        let is_here = records.iter().any(|record| record.document.text.starts_with(&wanted));
        if is_here && !done.swap(true, Ordering::Relaxed) {
            act();
        }
    };
    Hooks { process: Arc::new(process), ..Hooks::default() }
}

/// Where two runs wait for each other.
struct Meeting {
    sides: [(mpsc::SyncSender<()>, std::sync::Mutex<mpsc::Receiver<()>>); 2],
    must_meet: bool,
}

impl Meeting {
    fn new(must_meet: bool) -> Self {
        let side = || {
            let (sender, receiver) = mpsc::sync_channel(1);
            (sender, std::sync::Mutex::new(receiver))
        };
        Self { sides: [side(), side()], must_meet }
    }

    fn wait(&self, side: usize) {
        self.sides[1 - side].0.send(()).unwrap();
        let met = self.sides[side].1.lock().unwrap().recv_timeout(if self.must_meet {
            Duration::from_mins(1)
        } else {
            Duration::ZERO
        });
        assert!(met.is_ok() || !self.must_meet, "the other run does not come");
    }
}
