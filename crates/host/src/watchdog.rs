//! Notices calls into plugins that do not come back.

use std::io;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use tamis_stage::RunContext;

use crate::calls::{OpenCall, Stays, Sweep};

/// How often threads are looked at, at most and at least.
const TICK: (Duration, Duration) = (Duration::from_millis(5), Duration::from_secs(1));

/// A thread that looks after calls into plugins; ends when dropped.
pub struct Watchdog {
    /// Nothing is sent: the other side hears that this one is gone.
    stop: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Watchdog {
    /// Tells of every call into a plugin, of any thread that works for this run, that has been at the same document for
    /// `limit`, once, and up to a second later; of a call that is not about documents, when it has lasted so long.
    /// How long that is, is what [`OpenCall::lasts`] says then.
    ///
    /// # Errors
    ///
    /// When no thread can be started.
    pub fn start(
        run: &RunContext,
        limit: Duration,
        tell: impl Fn(&OpenCall) + Send + 'static,
    ) -> io::Result<Self> {
        let mut sweep = Sweep::new(run.clone());
        let tick = (limit / 4).clamp(TICK.0, TICK.1);
        Self::looking("tamis-watchdog", tick, move |is_over| {
            if !is_over {
                sweep.stuck(limit).iter().for_each(&tell);
            }
        })
    }

    /// Tells how long stages took for documents for which they took `least` or longer, when they are done with them.
    /// Nothing is measured where the stages run: threads are looked at some times in `least`, so what is told is by as
    /// much too short, and what takes less than `least` is not told. How long it was is what [`OpenCall::lasts`] says.
    ///
    /// # Errors
    ///
    /// When no thread can be started.
    pub fn of_long_stays(
        run: &RunContext,
        least: Duration,
        tell: impl Fn(&OpenCall) + Send + 'static,
    ) -> io::Result<Self> {
        let mut stays = Stays::new(run.clone());
        let tick = (least / 4).max(TICK.0);
        Self::looking("tamis-stays", tick, move |is_over| {
            stays.over(least, is_over).iter().for_each(&tell);
        })
    }

    /// Looks every `tick`, and once more when it is over, on a thread of this name.
    fn looking(name: &str, tick: Duration, mut look: impl FnMut(bool) + Send + 'static) -> io::Result<Self> {
        let (stop, stopped) = channel();
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn(move || {
            while matches!(stopped.recv_timeout(tick), Err(RecvTimeoutError::Timeout)) {
                look(false);
            }
            look(true);
        })?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Watchdog {
    fn drop(&mut self) {
        self.stop = None;
        if let Some(thread) = self.thread.take() {
            // It panics only if `tell` does, and then the hook has said so.
            let _ = thread.join();
        }
    }
}
