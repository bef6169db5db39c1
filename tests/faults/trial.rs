//! One trial of a scenario: it runs the program, watches it, and counts what happened.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Once, OnceLock};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde_json::Value as Json;
use tamis_tests::lottery::Lottery;
use tamis_tests::world::{Ran, World, manifest_is_true};

use crate::Scenario;
use crate::formats::SOURCE;

/// Longer than any run takes, however busy the machine is; what takes it hangs.
const HANGS: Duration = Duration::from_mins(3);
/// How often a running program is looked at.
const LOOK: Duration = Duration::from_millis(2);

/// `[run] memory` of every pipeline of this suite: the least that a run can have.
pub(crate) const MEMORY: &str = "memory = \"16 MiB\"\n";
const MEMORY_BYTES: u64 = 16 << 20;
/// What a run may hold beside that and beside the program itself: its threads, and what the libraries that unpack
/// and encode keep for themselves.
const LIBRARIES_BYTES: u64 = 24 << 20;

/// Files by name with their content.
pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// What was seen in some trials.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Counts {
    pub(crate) trials: u64,
    /// Faults that met a run that had begun and was not done.
    pub(crate) hit: u64,
    /// Runs that went on where an earlier one had stopped.
    pub(crate) resumed: u64,
    /// Records that should be in the output and are not.
    pub(crate) lost: u64,
    /// Records that are there more often than they should be.
    pub(crate) twice: u64,
    /// Runs that panicked, hung, or were ended by a signal that the suite had not sent.
    pub(crate) aborts: u64,
    /// The most memory that a run held.
    pub(crate) peak_bytes: u64,
    /// The most that it may hold.
    pub(crate) bound_bytes: u64,
}

/// How a trial ended.
pub(crate) enum Outcome {
    Held,
    Skipped(String),
    Broke(String),
}

/// A signal that the suite sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signal {
    Kill,
    Term,
}

impl Signal {
    fn number(self) -> i32 {
        match self {
            Self::Kill => 9,
            Self::Term => 15,
        }
    }
}

/// One trial.
pub(crate) struct Trial {
    pub(crate) seed: u64,
    pub(crate) lottery: Lottery,
    pub(crate) counts: Counts,
    skipped: Option<String>,
    /// What was done, for the message of a trial that breaks.
    notes: Vec<String>,
}

thread_local! {
    /// What the last panic of this thread said, with its place; none while no trial is made.
    static SAID: RefCell<Option<String>> = const { RefCell::new(None) };
}

/// Keeps what panics of trials say, and leaves all others to whoever listened before.
fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if SAID.with_borrow(Option::is_none) { before(panic) } else { SAID.set(Some(panic.to_string())) }
        }));
    });
}

/// What the program itself takes: the peak of a run over one record.
///
/// Nearly all of that are pages of its file, and an unoptimised build with all stages linked in has three times as
/// many of them as an optimised one. A constant would have to be the size of today's largest build, and would hide a
/// run that holds too much wherever the build is smaller.
fn program_bytes() -> u64 {
    static BYTES: OnceLock<u64> = OnceLock::new();
    *BYTES.get_or_init(|| {
        let export = "[[export]]\nuse = \"jsonl\"\npath = \"out\"\n";
        let source = "[[source]]\nuse = \"jsonl\"\npaths = [\"in.jsonl\"]\n";
        let world = World::with(&format!("{source}{export}[run]\n{MEMORY}"));
        world.write("in.jsonl", "{\"text\": \"One record.\"}\n");
        let mut running = Running::start(&mut world.command(&["run", "p.toml"]));
        let status = loop {
            running.look();
            if let Some(status) = running.child.try_wait().unwrap() {
                break status;
            }
            std::thread::sleep(LOOK);
        };
        assert!(status.success(), "{:#?}", running.said(status.code()));
        assert!(running.peak_bytes > 0, "the memory of a run was not seen");
        running.peak_bytes
    })
}

/// Makes one trial, adds what it counted, and tells how it ended.
pub(crate) fn attempt(scenario: &Scenario, seed: u64, all: &mut Counts) -> Outcome {
    let bound_bytes = program_bytes() + MEMORY_BYTES + LIBRARIES_BYTES;
    let counts = Counts { trials: 1, bound_bytes, ..Counts::default() };
    let mut trial = Trial { seed, lottery: Lottery::of_seed(seed), counts, skipped: None, notes: Vec::new() };
    listen();
    SAID.set(Some(String::new()));
    let result = catch_unwind(AssertUnwindSafe(|| (scenario.run)(&mut trial)));
    let said = SAID.take().unwrap_or_default();
    if let Some(why) = trial.skipped {
        return Outcome::Skipped(why);
    }
    all.add(&trial.counts);
    match result {
        Ok(()) => Outcome::Held,
        Err(_) => Outcome::Broke([vec![said], trial.notes].concat().join("\n")),
    }
}

impl Counts {
    fn add(&mut self, other: &Self) {
        self.trials += other.trials;
        self.hit += other.hit;
        self.resumed += other.resumed;
        self.lost += other.lost;
        self.twice += other.twice;
        self.aborts += other.aborts;
        self.peak_bytes = self.peak_bytes.max(other.peak_bytes);
        self.bound_bytes = self.bound_bytes.max(other.bound_bytes);
    }
}

impl Trial {
    /// Says that this machine cannot make the trial; the caller returns.
    pub(crate) fn skip(&mut self, why: impl Into<String>) {
        self.skipped = Some(why.into());
    }

    /// Remembers what was done, for the message of a trial that breaks.
    pub(crate) fn note(&mut self, what: impl Into<String>) {
        self.notes.push(what.into());
    }

    /// `tamis run p.toml` with further arguments, to its end, with one of some exit codes.
    #[track_caller]
    pub(crate) fn run(&mut self, world: &World, arguments: &[&str], codes: &[i32]) -> Ran {
        let mut command = world.command(&[&["run", "p.toml"], arguments].concat());
        self.watch(&mut command, None, codes)
    }

    /// Runs a command to its end and watches over it: no panic, no foreign signal, no hanging, memory within the
    /// bound, an exit code that is allowed.
    ///
    /// With `signal` it is sent that after some time; it may then end by it, or with 130, beside `codes`.
    #[track_caller]
    pub(crate) fn watch(
        &mut self,
        command: &mut Command,
        signal: Option<(Signal, Duration)>,
        codes: &[i32],
    ) -> Ran {
        let running = Running::start(command);
        self.end(running, signal, codes)
    }

    /// The same for a command that has been started.
    #[track_caller]
    pub(crate) fn end(
        &mut self,
        mut running: Running,
        signal: Option<(Signal, Duration)>,
        codes: &[i32],
    ) -> Ran {
        let mut waiting = signal;
        let status = loop {
            running.look();
            if let Some(status) = running.child.try_wait().unwrap() {
                break status;
            }
            let age = running.began.elapsed();
            if let Some((signal, after)) = waiting
                && age >= after
            {
                send(&mut running.child, signal);
                waiting = None;
            }
            if age > HANGS {
                self.counts.aborts += 1;
                running.child.kill().unwrap();
                running.child.wait().unwrap();
                panic!("a run hangs: {:#?}", running.said(None));
            }
            let nap = waiting.map_or(LOOK, |(_, after)| after.saturating_sub(age).min(LOOK));
            std::thread::sleep(nap);
        };
        self.counts.peak_bytes = self.counts.peak_bytes.max(running.peak_bytes);
        let ran = running.said(status.code());
        let sent = signal.filter(|_| waiting.is_none()).map(|(signal, _)| signal);
        let by_signal = ended_by_signal(status);
        // One that came before the program listens ends it at once, which is as well.
        let is_ours = sent.is_some_and(|sent| by_signal == Some(sent.number()));
        if ran.stderr.contains("panicked") || (by_signal.is_some() && !is_ours) {
            self.counts.aborts += 1;
            panic!("ended by signal {by_signal:?}: {ran:#?}");
        }
        let is_stopped = is_ours || (sent == Some(Signal::Term) && ran.code == Some(130));
        let is_allowed = is_stopped || ran.code.is_some_and(|code| codes.contains(&code));
        assert!(is_allowed, "neither of {codes:?}: {ran:#?}");
        self.counts.resumed += u64::from(ran.stderr.contains("resumed an unfinished run"));
        let (peak, bound) = (self.counts.peak_bytes, self.counts.bound_bytes);
        assert!(peak <= bound, "{} MiB of memory, more than {} MiB", peak >> 20, bound >> 20);
        ran
    }

    /// Checks that each of some things is there as often as it should be, and counts what is not.
    #[track_caller]
    pub(crate) fn same_records(&mut self, expected: &[String], found: &[String]) {
        let mut balance: BTreeMap<&str, i64> = BTreeMap::new();
        for one in expected {
            *balance.entry(one).or_default() -= 1;
        }
        for one in found {
            *balance.entry(one).or_default() += 1;
        }
        balance.retain(|_, n| *n != 0);
        self.counts.lost += balance.values().map(|n| u64::try_from(-n).unwrap_or(0)).sum::<u64>();
        self.counts.twice += balance.values().map(|n| u64::try_from(*n).unwrap_or(0)).sum::<u64>();
        let shown: Vec<_> = balance.iter().take(10).collect();
        assert!(balance.is_empty(), "{} of {} lost or too many: {shown:?}", balance.len(), expected.len());
    }

    /// Checks that no two records of some exports have one id, those aside that a table brought along.
    #[track_caller]
    pub(crate) fn unique_ids(&mut self, world: &World, folders: &[&str]) {
        let mut ids: Vec<String> = folders.iter().flat_map(|folder| world.ids(folder)).collect();
        ids.retain(|id| !id.starts_with(SOURCE));
        ids.sort_unstable();
        let twice: Vec<&String> =
            ids.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| &pair[0]).collect();
        self.counts.twice += twice.len() as u64;
        assert!(twice.is_empty(), "ids that are there twice: {twice:?}");
    }

    /// Checks that two outputs are the same to the byte.
    #[track_caller]
    pub(crate) fn same_files(&mut self, expected: &Files, found: &Files) {
        // Names and lines first, so that what is lost is counted.
        let lines = |files: &Files| -> Vec<String> {
            let lines = |(name, content): (&String, &Vec<u8>)| -> Vec<String> {
                let plain = match name.rsplit_once(".jsonl") {
                    Some((_, "")) => content.clone(),
                    Some((_, ".zst")) => zstd::decode_all(content.as_slice()).unwrap_or_default(),
                    _ => return vec![name.clone()],
                };
                String::from_utf8_lossy(&plain).lines().map(str::to_owned).collect()
            };
            files.iter().flat_map(lines).collect()
        };
        if expected != found {
            self.same_records(&lines(expected), &lines(found));
            let differ: Vec<_> =
                expected.iter().filter(|(name, content)| found[*name] != **content).collect();
            panic!("other bytes in {:?}", differ.iter().map(|(name, _)| name).collect::<Vec<_>>());
        }
    }
}

/// A program that was started, with what it prints in files, so that it never waits for a reader.
pub(crate) struct Running {
    pub(crate) child: Child,
    began: Instant,
    stdout: File,
    stderr: File,
    peak_bytes: u64,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        let (stdout, stderr) = (tempfile::tempfile().unwrap(), tempfile::tempfile().unwrap());
        let child = command
            .stdin(Stdio::null())
            .stdout(stdout.try_clone().unwrap())
            .stderr(stderr.try_clone().unwrap())
            .spawn()
            .unwrap();
        Self { child, began: Instant::now(), stdout, stderr, peak_bytes: 0 }
    }

    /// Notes the highest mark of memory so far, which is gone when the process is.
    fn look(&mut self) {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        // A child has the memory of its parent for a moment, and then that of a shell.
        if !status.starts_with("Name:\ttamis\n") {
            return;
        }
        let mark = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB"));
        let bytes = mark.map_or(0, |mark| mark.trim().parse::<u64>().unwrap() * 1024);
        self.peak_bytes = self.peak_bytes.max(bytes);
    }

    fn said(&mut self, code: Option<i32>) -> Ran {
        let text = |file: &mut File| {
            let mut bytes = Vec::new();
            file.rewind().unwrap();
            file.read_to_end(&mut bytes).unwrap();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Ran { code, stdout: text(&mut self.stdout), stderr: text(&mut self.stderr) }
    }
}

fn send(child: &mut Child, signal: Signal) {
    match signal {
        Signal::Kill => child.kill().unwrap(),
        Signal::Term => drop(Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap()),
    }
}

#[cfg(unix)]
fn ended_by_signal(status: ExitStatus) -> Option<i32> {
    std::os::unix::process::ExitStatusExt::signal(&status)
}

#[cfg(not(unix))]
fn ended_by_signal(_status: ExitStatus) -> Option<i32> {
    None
}

/// Removes an output, so that the next run begins anew.
pub(crate) fn clear(world: &World, folder: impl AsRef<Path>) {
    std::fs::remove_dir_all(world.path(folder)).unwrap();
}

/// Checks a finished output: complete, as the manifest says, each record and each input accounted for.
#[track_caller]
pub(crate) fn adds_up(world: &World, folder: &str) {
    manifest_is_true(world, folder);
    let manifest: Json = serde_json::from_str(&world.read(format!("{folder}/.tamis/manifest.json"))).unwrap();
    let tally = &manifest["tally"];
    let count = |of: &Json, name: &str| of[name].as_u64().unwrap();
    assert_eq!(
        count(tally, "read") + count(tally, "split"),
        count(tally, "kept") + count(tally, "dropped") + count(tally, "failed"),
        "{tally:#}"
    );
    let input = &tally["input"];
    assert_eq!(count(input, "files") + count(input, "files_failed"), manifest["input_files"], "{input}");
    assert_eq!(count(input, "bytes") + count(input, "bytes_failed"), manifest["input_bytes"], "{input}");
}
