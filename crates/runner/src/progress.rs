//! How far a run is, for whoever shows it.

use std::convert::Infallible;
use std::fmt;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

/// Counters of a running pipeline; written by the run, read by anyone at any time.
#[derive(Debug, Default)]
pub struct Progress {
    pub(crate) segment: AtomicUsize,
    pub(crate) segments: AtomicUsize,
    pub(crate) total_bytes: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) kept: AtomicU64,
    pub(crate) dropped: AtomicU64,
    pub(crate) failed: AtomicU64,
    stop: AtomicBool,
    pub(crate) grace: Grace,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The segment of the plan that is going on, from 0.
    pub segment: usize,
    /// How many segments the plan has; 0 until the inputs have been listed.
    pub segments: usize,
    /// Bytes that the segment reads, of the inputs or of what was put aside; 0 until they are known.
    pub total_bytes: u64,
    /// How many of them have been worked through.
    pub bytes: u64,
    /// Records kept so far.
    pub kept: u64,
    /// Records dropped so far.
    pub dropped: u64,
    /// Records failed so far.
    pub failed: u64,
}

impl Progress {
    /// The counters now.
    pub fn snapshot(&self) -> Snapshot {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Snapshot {
            segment: self.segment.load(Ordering::Relaxed),
            segments: self.segments.load(Ordering::Relaxed),
            total_bytes: load(&self.total_bytes),
            bytes: load(&self.bytes),
            kept: load(&self.kept),
            dropped: load(&self.dropped),
            failed: load(&self.failed),
        }
    }

    /// Makes a run that was asked to stop end after so long a time although a worker has not come back: it notes
    /// how far it is, leaves the output for the next run to go on with, and calls `leave`, which must end the
    /// process. Without this a run waits for its workers. The first call counts.
    pub fn give_up_after(&self, grace: Duration, leave: impl Fn() -> Infallible + Send + Sync + 'static) {
        // A second one would be for another run, which has a progress of its own.
        let _ = self.grace.0.set((grace, Box::new(leave)));
    }

    /// Asks the run to stop at the next block; it ends with [`RunError::Interrupted`](crate::RunError).
    pub fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// What to do when workers do not come back.
#[derive(Default)]
pub(crate) struct Grace(pub(crate) OnceLock<(Duration, Leave)>);

pub(crate) type Leave = Box<dyn Fn() -> Infallible + Send + Sync>;

impl fmt::Debug for Grace {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Grace").field(&self.0.get().map(|(after, _)| after)).finish()
    }
}
