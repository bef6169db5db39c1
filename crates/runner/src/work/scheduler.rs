//! Who does what: every worker asks the scheduler for the next thing to do.
//!
//! There is no reading thread and no writing thread. Reading, working and writing are roles that the workers
//! take in turns, one of them reading and one writing at a time, so `threads = 1` uses one core and
//! `threads = 2` two, and nobody waits while there is something to do.
//! A worker prefers to write, because that gives memory back; then to help with decompression, because
//! somebody waits for it; then to read and work through a task.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use crate::error::RunError;
use crate::work::task::{Done, Written};

/// How many times its size a task may take: as input, as documents and as output at once, while text may
/// grow on the way.
const GROWTH: u64 = 8;
/// Enough tasks for each thread that none waits while one of them takes longer than the others.
const TASKS_A_THREAD: usize = 4;

/// Something that any worker can do for another, such as decompressing a piece of a file.
pub(crate) type Job = Box<dyn FnOnce() + Send>;

/// What a worker is to do next.
pub(crate) enum Role {
    /// Write this.
    Write(Box<Done>),
    /// Do this.
    Help(Job),
    /// Get the next task and do it.
    Feed,
    /// There is nothing left to do, or the run has broken.
    Leave,
}

/// Hands out roles, within the memory bound.
pub(crate) struct Scheduler {
    state: Mutex<State>,
    changed: Condvar,
    max_bytes: u64,
    max_tasks: usize,
    threads: usize,
}

#[derive(Default)]
struct State {
    feeding: Feeding,
    writing: bool,
    jobs: VecDeque<Job>,
    /// Results that wait for those before them, by task and place in it.
    ready: BTreeMap<(u64, u64), Box<Done>>,
    /// The result that is to be written next.
    next: (u64, u64),
    /// Tasks that were handed out and are not written.
    tasks: usize,
    /// Their credit, in bytes.
    bytes: u64,
    /// Why the run cannot go on.
    broken: Option<RunError>,
}

#[derive(Default, PartialEq, Eq)]
enum Feeding {
    /// Somebody may read the next task.
    #[default]
    Free,
    /// Somebody reads it.
    Taken,
    /// Everything was read.
    Over,
}

impl Scheduler {
    /// A scheduler for so much memory.
    pub(crate) fn new(memory: u64, threads: usize) -> Arc<Self> {
        Arc::new(Self {
            state: Mutex::default(),
            changed: Condvar::new(),
            max_bytes: memory / GROWTH,
            max_tasks: threads.saturating_mul(TASKS_A_THREAD).max(1),
            threads,
        })
    }

    /// The next role of a worker; waits until there is one.
    pub(crate) fn role(&self) -> Role {
        let mut state = self.lock();
        loop {
            if state.broken.is_some() {
                return Role::Leave;
            }
            if let Some(done) = state.take_next() {
                return Role::Write(done);
            }
            if let Some(job) = state.jobs.pop_front() {
                return Role::Help(job);
            }
            if state.feeding == Feeding::Free && self.is_room(&state) {
                state.feeding = Feeding::Taken;
                return Role::Feed;
            }
            if state.feeding == Feeding::Over && state.tasks == 0 {
                return Role::Leave;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn is_room(&self, state: &State) -> bool {
        state.tasks == 0 || (state.tasks < self.max_tasks && state.bytes < self.max_bytes)
    }

    /// Ends the reading role: a task of this weight was read, or there are no more.
    pub(crate) fn fed(&self, weight: Option<u64>) {
        let mut state = self.lock();
        state.feeding = if weight.is_some() { Feeding::Free } else { Feeding::Over };
        if let Some(weight) = weight {
            state.tasks += 1;
            state.bytes = state.bytes.saturating_add(weight);
        }
        self.changed.notify_all();
    }

    /// Takes credit for more of a task than was known when it was read; waits for it, unless everything waits
    /// for this task. What may be written meanwhile comes back, to be written by the caller.
    pub(crate) fn more(&self, sequence: u64, weight: u64) -> Role {
        let mut state = self.lock();
        loop {
            if state.broken.is_some() {
                return Role::Leave;
            }
            if let Some(done) = state.take_next() {
                return Role::Write(done);
            }
            if state.next.0 == sequence || state.bytes.saturating_add(weight) <= self.max_bytes {
                state.bytes = state.bytes.saturating_add(weight);
                return Role::Feed;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Takes in what has been worked through.
    pub(crate) fn done(&self, done: Done) {
        self.lock().ready.insert((done.sequence, done.place), Box::new(done));
        self.changed.notify_all();
    }

    /// Ends the writing role: this result was written.
    pub(crate) fn written(&self, written: &Written) {
        let mut state = self.lock();
        state.writing = false;
        state.bytes = state.bytes.saturating_sub(written.weight);
        if written.is_last {
            state.tasks -= 1;
            state.next = (written.sequence + 1, 0);
        } else {
            state.next.1 += 1;
        }
        self.changed.notify_all();
    }

    /// The run cannot go on; the first reason is told, and one that is a fault before that somebody asked to stop.
    pub(crate) fn fail(&self, error: RunError) {
        let mut state = self.lock();
        if matches!(state.broken, None | Some(RunError::Interrupted)) {
            state.broken = Some(error);
        }
        // Whoever waits for a job must not wait for ever.
        state.jobs.clear();
        self.changed.notify_all();
    }

    /// Whether nothing has gone wrong, other than that somebody asked to stop.
    pub(crate) fn is_sound(&self) -> bool {
        matches!(self.lock().broken, None | Some(RunError::Interrupted))
    }

    /// Why the run could not go on, if so; all workers have left.
    pub(crate) fn end(&self) -> Result<(), RunError> {
        let mut state = self.lock();
        match state.broken.take() {
            Some(error) => Err(error),
            None if state.feeding == Feeding::Over && state.tasks == 0 && state.ready.is_empty() => Ok(()),
            None => Err(RunError::Internal {
                message: format!("{} tasks were read and not written", state.tasks),
            }),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is changed by assignments alone, which do not panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// The result that is to be written next, if it is there and nobody writes.
    fn take_next(&mut self) -> Option<Box<Done>> {
        if self.writing {
            return None;
        }
        let done = self.ready.remove(&self.next)?;
        self.writing = true;
        Some(done)
    }
}

impl tamis_input::Helpers for Scheduler {
    fn submit(&self, job: Job) {
        let mut state = self.lock();
        if state.broken.is_none() {
            state.jobs.push_back(job);
            self.changed.notify_all();
        }
    }

    fn help(&self) -> bool {
        let job = self.lock().jobs.pop_front();
        job.map(|job| job()).is_some()
    }

    fn threads(&self) -> usize {
        self.threads
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A write that breaks while somebody asks the run to stop is what the run broke of: what it left is no rest that a
    /// later run may go on from.
    #[test]
    fn a_fault_is_told_before_an_interruption() {
        let fault = || RunError::Internal { message: "a fault".to_owned() };
        for errors in [[RunError::Interrupted, fault()], [fault(), RunError::Interrupted]] {
            let scheduler = Scheduler::new(1 << 20, 2);
            for error in errors {
                scheduler.fail(error);
            }
            assert!(!scheduler.is_sound());
            assert!(matches!(scheduler.end(), Err(RunError::Internal { .. })));
        }
    }
}
