//! What is on its way to a store: files that are whole, sent by threads of their own, so that the next part is written
//! while the last one is sent.
//!
//! Few wait at a time: who hands over more waits, so a store that is slower than the run slows it down and no disk fills
//! up. A file is taken away when the store has it; what is left when a run ends before that is sent by the next.

use std::collections::{BTreeSet, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use tamis_stage::{LogLevel, RunContext};
use tamis_store::{Marks, Outlet, Sending, is_passing};

use crate::disk::file::{entries_of, remove, write_file};
use crate::disk::names::CLAIM;
use crate::error::RunError;

/// How many files are sent at once. Each holds up to 24 MiB: small ones whole, large ones some pieces.
const SENDERS: usize = 4;
/// How many files wait, at most.
const WAITING: usize = 8;
/// For how long a claim is taken to be ours without asking.
const TRUST: Duration = Duration::from_secs(5);
/// For how long a store that has answered before may be silent. A job of a night must not end with a switch that is
/// started anew.
const PATIENCE: Duration = Duration::from_mins(5);
/// How long is waited before a file is sent again; twice as long before each further time, to the longest.
const PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(20);
/// How often somebody who waits is asked whether to stop.
const STOP_CHECK: Duration = Duration::from_millis(100);

/// Files on their way, and who sends them.
pub(super) struct Uploads {
    shared: Arc<Shared>,
    senders: Vec<JoinHandle<()>>,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    run: String,
    /// Runs whose objects are replaced where they turn up: this one, and those that it has taken the place of.
    earlier: BTreeSet<String>,
    /// Where uploads in pieces are noted.
    notes: PathBuf,
    /// Where the claim is that must be ours.
    fence: Option<Arc<dyn Outlet>>,
    context: RunContext,
}

#[derive(Default)]
struct State {
    jobs: VecDeque<Job>,
    n_flying: usize,
    /// What went wrong first; then nothing more is sent.
    failed: Option<RunError>,
    /// Whether files were left where they are, because the run is to stop.
    has_left: bool,
    is_closed: bool,
    /// When the claim was last seen to be ours.
    seen: Option<Instant>,
}

struct Job {
    place: usize,
    outlet: Arc<dyn Outlet>,
    path: PathBuf,
    name: String,
    blake3: String,
}

/// An upload in pieces that a store has begun, as it is noted.
#[derive(Serialize, Deserialize)]
struct Begun {
    place: usize,
    name: String,
    upload: String,
}

/// Who sends a file, for the outlet.
pub(super) struct Sender<'a> {
    shared: &'a Shared,
    place: usize,
}

impl Uploads {
    pub(super) fn start(
        run: &str,
        earlier: &BTreeSet<String>,
        notes: PathBuf,
        fence: Option<Arc<dyn Outlet>>,
        context: &RunContext,
    ) -> Result<Self, RunError> {
        let shared = Arc::new(Shared {
            state: Mutex::default(),
            changed: Condvar::new(),
            run: run.to_owned(),
            earlier: earlier.clone(),
            notes,
            fence,
            context: context.clone(),
        });
        let sender = |_| {
            let shared = Arc::clone(&shared);
            std::thread::Builder::new().name("upload".to_owned()).spawn(move || shared.send_all())
        };
        let senders: io::Result<Vec<_>> = (0..SENDERS).map(sender).collect();
        let senders = senders.map_err(|error| RunError::Internal { message: error.to_string() })?;
        Ok(Self { shared, senders })
    }

    /// Takes away the pieces that a process before this one has sent of what it did not complete.
    pub(super) fn abort_old<'o>(
        &self,
        outlet: impl Fn(usize) -> Option<&'o dyn Outlet>,
    ) -> Result<(), RunError> {
        for entry in entries_of(&self.shared.notes)? {
            let path = entry.path();
            // A note that is cut off was being written when the process was killed: nothing was sent yet.
            let begun =
                std::fs::read(&path).ok().and_then(|text| serde_json::from_slice::<Begun>(&text).ok());
            if let Some(begun) = begun
                && let Some(outlet) = outlet(begun.place)
            {
                outlet.abort(&begun.name, &begun.upload).map_err(RunError::no_store)?;
            }
            remove(&path)?;
        }
        Ok(())
    }

    /// Hands over a file; waits while many others do.
    pub(super) fn push(
        &self,
        place: usize,
        outlet: &Arc<dyn Outlet>,
        folder: &Path,
        name: &str,
        blake3: &str,
    ) -> Result<(), RunError> {
        let shared = &self.shared;
        let mut state = shared.lock();
        while state.jobs.len() >= WAITING && state.failed.is_none() && !shared.context.is_cancelled() {
            state = shared.wait(state);
        }
        if let Some(error) = state.failed.take() {
            state.has_left = true;
            return Err(error);
        }
        if shared.context.is_cancelled() || state.has_left {
            state.has_left = true;
            return Ok(());
        }
        state.jobs.push_back(Job {
            place,
            outlet: Arc::clone(outlet),
            path: folder.join(name),
            name: name.to_owned(),
            blake3: blake3.to_owned(),
        });
        shared.changed.notify_all();
        Ok(())
    }

    /// Waits until all that was handed over is in the store.
    pub(super) fn drain(&self) -> Result<(), RunError> {
        let shared = &self.shared;
        let mut state = shared.lock();
        while state.failed.is_none()
            && !state.has_left
            && !shared.context.is_cancelled()
            && (!state.jobs.is_empty() || state.n_flying > 0)
        {
            state = shared.wait(state);
        }
        match state.failed.take() {
            Some(error) => Err(error),
            None if state.has_left || !state.jobs.is_empty() || state.n_flying > 0 => {
                Err(RunError::Interrupted)
            }
            None => Ok(()),
        }
    }

    /// Who sends a file of an export that is not handed over.
    pub(super) fn sending(&self, place: usize) -> Sender<'_> {
        Sender { shared: &self.shared, place }
    }

    /// Makes sure that the claim is still ours.
    pub(super) fn check_claim(&self) -> Result<(), RunError> {
        self.shared.check_claim()
    }
}

impl Drop for Uploads {
    fn drop(&mut self) {
        {
            let mut state = self.shared.lock();
            state.is_closed = true;
            state.jobs.clear();
        }
        self.shared.changed.notify_all();
        for sender in self.senders.drain(..) {
            // One that panicked has failed the run already: its file is still there.
            let _ = sender.join();
        }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'s>(&self, state: MutexGuard<'s, State>) -> MutexGuard<'s, State> {
        self.changed.wait_timeout(state, STOP_CHECK).unwrap_or_else(PoisonError::into_inner).0
    }

    /// Sends one file after the other until there are no more.
    fn send_all(&self) {
        while let Some(job) = self.next() {
            let sent = self.send_patiently(&job);
            let mut state = self.lock();
            state.n_flying -= 1;
            if let Err(error) = sent {
                state.jobs.clear();
                state.failed.get_or_insert(error);
            }
            drop(state);
            self.changed.notify_all();
        }
    }

    fn next(&self) -> Option<Job> {
        let mut state = self.lock();
        loop {
            if state.is_closed {
                return None;
            }
            if let Some(job) = state.jobs.pop_front() {
                state.n_flying += 1;
                return Some(job);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Sends a file, again and again while the store does not answer.
    fn send_patiently(&self, job: &Job) -> Result<(), RunError> {
        let (since, mut pause) = (Instant::now(), PAUSE);
        loop {
            let source = match self.send(job) {
                Err(RunError::Store { source }) if is_passing(&source) => source,
                sent => return sent,
            };
            if since.elapsed() > PATIENCE || self.is_stopped() {
                return Err(RunError::Store { source });
            }
            let line = format!("{source}; it is tried again in {} s", pause.as_secs());
            self.context.log(LogLevel::Warning, &line);
            let until = Instant::now() + pause;
            while Instant::now() < until && !self.is_stopped() {
                std::thread::sleep(STOP_CHECK);
            }
            pause = (2 * pause).min(LONGEST_PAUSE);
        }
    }

    fn send(&self, job: &Job) -> Result<(), RunError> {
        self.check_claim()?;
        let marks = Marks { run: self.run.clone(), blake3: job.blake3.clone() };
        let sender = Sender { shared: self, place: job.place };
        sender.abort_begun(&job.name, &*job.outlet)?;
        let sent = job.outlet.put_file(&job.name, &job.path, &marks, &sender);
        sent.map_err(RunError::store)?;
        remove(&job.path)
    }

    fn is_stopped(&self) -> bool {
        let state = self.lock();
        state.is_closed || state.has_left || state.failed.is_some() || self.context.is_cancelled()
    }

    fn check_claim(&self) -> Result<(), RunError> {
        let Some(outlet) = &self.fence else { return Ok(()) };
        if self.lock().seen.is_some_and(|seen| seen.elapsed() < TRUST) {
            return Ok(());
        }
        let heads = outlet.heads(&[CLAIM.to_owned()]).map_err(RunError::store)?;
        if heads.into_iter().flatten().any(|head| head.marks.run == self.run) {
            self.lock().seen = Some(Instant::now());
            return Ok(());
        }
        Err(RunError::Displaced { place: outlet.address("") })
    }
}

impl Sender<'_> {
    /// Takes away the pieces of an upload that this process has begun and could not abort while the store was silent.
    fn abort_begun(&self, name: &str, outlet: &dyn Outlet) -> Result<(), RunError> {
        let note = self.note(name);
        let Ok(text) = std::fs::read(&note) else { return Ok(()) };
        if let Ok(begun) = serde_json::from_slice::<Begun>(&text) {
            outlet.abort(&begun.name, &begun.upload).map_err(RunError::store)?;
        }
        remove(&note)
    }

    fn note(&self, name: &str) -> PathBuf {
        let hash = blake3::hash(format!("{} {name}", self.place).as_bytes());
        self.shared.notes.join(hash.to_hex().as_str())
    }
}

impl Sending for Sender<'_> {
    fn is_stopped(&self) -> bool {
        self.shared.is_stopped()
    }

    fn may_replace(&self, run: &str) -> bool {
        self.shared.earlier.contains(run)
    }

    fn check(&self) -> io::Result<()> {
        self.shared.check_claim().map_err(|error| match error {
            RunError::Store { source } => source,
            error => io::Error::other(error),
        })
    }

    fn begun(&self, name: &str, upload: &str) -> io::Result<()> {
        let begun = Begun { place: self.place, name: name.to_owned(), upload: upload.to_owned() };
        std::fs::create_dir_all(&self.shared.notes)?;
        let text = serde_json::to_vec(&begun)?;
        write_file(&self.note(name), &text).map_err(io::Error::other)
    }

    fn ended(&self, name: &str) {
        // One that stays is aborted again by the next run, which is no error.
        let _ = std::fs::remove_file(self.note(name));
    }
}
