//! A run that was asked to stop while a worker does not come back.
//!
//! A stage may loop for ever, and nobody can end a thread from outside. What is written in order is all that
//! counts, so nothing is lost when the workers are left alone: the writer notes how far it is, and whoever started
//! the run ends the process.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, TryLockError};
use std::thread::Thread;
use std::time::{Duration, Instant};

use tamis_stage::RunContext;

use crate::settings::Grace;
use crate::write::writer::Writer;

const TICK: Duration = Duration::from_millis(50);

impl Grace {
    /// Does the `work` of a run, which writes through `writer`, and gives it up when its time is over; `is_sound` tells whether nothing has gone wrong that would make a note of how far the run is wrong as well.
    pub(crate) fn over(
        &self,
        run: &RunContext,
        writer: &Mutex<&mut Writer<'_>>,
        is_sound: impl Fn() -> bool + Sync,
        work: impl FnOnce(),
    ) {
        let is_over = AtomicBool::new(false);
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| {
                if self.is_overdue(run, &is_over) && give_up(writer, &is_sound, &is_over) {
                    (self.leave)();
                }
            });
            // Also when `work` panics: the scope waits for the other thread, which would wait for ever.
            let _over = Over(&is_over, waiting.thread());
            work();
        });
    }

    /// Waits until the run was asked to stop so long ago; false when it ended before.
    fn is_overdue(&self, run: &RunContext, is_over: &AtomicBool) -> bool {
        let mut asked = None;
        while !is_over.load(Ordering::Acquire) {
            if run.is_cancelled() && asked.get_or_insert_with(Instant::now).elapsed() >= self.after {
                return true;
            }
            std::thread::park_timeout(TICK);
        }
        false
    }
}

/// Leaves the output as the next run needs it; false when the workers have come back after all.
fn give_up(writer: &Mutex<&mut Writer<'_>>, is_sound: impl Fn() -> bool, is_over: &AtomicBool) -> bool {
    while !is_over.load(Ordering::Acquire) {
        match writer.try_lock() {
            Ok(mut writer) => {
                writer.give_up(is_sound());
                return true;
            }
            // A worker has panicked while it wrote: what was checkpointed before holds.
            Err(TryLockError::Poisoned(_)) => return true,
            // A worker writes; what it writes is whole in a moment.
            Err(TryLockError::WouldBlock) => std::thread::park_timeout(TICK),
        }
    }
    false
}

/// Ends the waiting when dropped.
struct Over<'a>(&'a AtomicBool, &'a Thread);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
        self.1.unpark();
    }
}

impl Writer<'_> {
    /// As the session does when a run was interrupted, while workers still hold what it lends.
    fn give_up(&mut self, note: bool) {
        self.abandon(note);
        if let Some(work_folder) = self.work_folder.as_ref().filter(|_| !self.has_checkpoint) {
            // Nothing goes on from it; the process ends, and has no better reason to tell.
            let _ = work_folder.clear();
        }
    }
}
