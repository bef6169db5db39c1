//! Notes beside the output what a run has spent where, for its page.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tamis_host::Watchdog;
use tamis_report::Times;
use tamis_runner::{Event, Finish, Interest, Observer, Tally};
use tamis_stage::RunContext;

use crate::metrics::peak;
use crate::output;

/// A document for which a stage takes less is none that is looked for.
const LEAST: Duration = Duration::from_millis(40);

/// Notes what a run has spent, now and then and at its end.
pub(crate) struct Clock {
    begun: Instant,
    threads: usize,
    slow: Arc<Mutex<Times>>,
    /// What earlier processes have spent on this run, once it is known where the run is.
    before: Mutex<Option<Times>>,
    _stays: Watchdog,
}

impl Clock {
    /// Begins to look at the stages of a run.
    ///
    /// # Errors
    ///
    /// When no thread can be started.
    pub(crate) fn start(run: &RunContext, threads: usize) -> std::io::Result<Self> {
        let slow = Arc::new(Mutex::new(Times::default()));
        let noted = Arc::clone(&slow);
        let stays = Watchdog::of_long_stays(run, LEAST, move |call| {
            let document = call.document.as_deref().unwrap_or_default();
            lock(&noted).note(&call.stage, document, call.lasts);
        })?;
        Ok(Self { begun: Instant::now(), threads, slow, before: Mutex::new(None), _stays: stays })
    }

    /// Where nobody can be told of it but by a warning: nothing of a run depends on it.
    fn write(&self, folder: &Path, tally: &Tally, threads: usize) {
        let mut before = lock(&self.before);
        // What is there is of this run: one that begins anew has taken it away.
        let before = before.get_or_insert_with(|| Times::read(folder).unwrap_or_default());
        let mut now = Times::of(tally, self.begun.elapsed(), threads);
        now.slowest.clone_from(&lock(&self.slow).slowest);
        now.peak_bytes = peak().unwrap_or_default();
        if let Err(error) = before.clone().and(now).write(folder) {
            let folder = folder.display();
            output::log_line(format_args!(
                "warning: cannot note in `{folder}` how long the run takes: {error}"
            ));
        }
    }
}

impl Observer for Clock {
    fn interest(&self) -> Interest {
        Interest::CHECKPOINTS | Interest::RUN
    }

    fn event(&self, event: &Event<'_>) {
        match event {
            Event::Checkpoint { tally, folder } => self.write(folder, tally, self.threads),
            Event::RunEnded { result: Ok(report) }
                if matches!(report.finish, Finish::Done | Finish::Segment) =>
            {
                self.write(&report.folder, &report.tally, report.threads);
            }
            _ => {}
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
