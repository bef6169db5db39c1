//! What the stages of one run share.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// What the stages of one run share, wherever they came from: whether the run was cancelled, and where their log
/// lines go.
///
/// A program may make several runs, one after the other or at once, and each has a context of its own; nothing of a
/// run is global. A clone is the same context.
#[derive(Clone, Default)]
pub struct RunContext(Arc<Shared>);

#[derive(Default)]
struct Shared {
    is_cancelled: AtomicBool,
    logger: Option<Logger>,
}

type Logger = Box<dyn Fn(LogLevel, &str) + Send + Sync>;

/// How important a log line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Something failed.
    Error,
    /// Something may be wrong.
    Warning,
    /// Worth knowing.
    Info,
    /// For the author of the plugin.
    Debug,
}

impl RunContext {
    /// A context whose log lines go to `logger`, from any thread and one at a time or not; those of
    /// [`RunContext::default`] are dropped.
    pub fn new(logger: impl Fn(LogLevel, &str) + Send + Sync + 'static) -> Self {
        let logger: Option<Logger> = Some(Box::new(logger));
        Self(Arc::new(Shared { is_cancelled: AtomicBool::new(false), logger }))
    }

    /// Asks the run to stop at the next block, and each of its stages to return soon: those that take long ask for
    /// it between documents. There is no way back.
    pub fn cancel(&self) {
        self.0.is_cancelled.store(true, Ordering::Relaxed);
    }

    /// Whether somebody has asked the run to stop.
    pub fn is_cancelled(&self) -> bool {
        self.0.is_cancelled.load(Ordering::Relaxed)
    }

    /// Hands a line to the logger, if there is one.
    pub fn log(&self, level: LogLevel, line: &str) {
        if let Some(logger) = &self.0.logger {
            logger(level, line);
        }
    }

    /// Whether both are the context of one run.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl fmt::Debug for RunContext {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("RunContext").field("is_cancelled", &self.is_cancelled()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;

    #[test]
    fn runs_are_apart_and_a_clone_is_the_same_run() {
        let lines = Arc::new(Mutex::new(Vec::new()));
        let logged = Arc::clone(&lines);
        let one = RunContext::new(move |level, line| logged.lock().unwrap().push((level, line.to_owned())));
        let (clone, other) = (one.clone(), RunContext::default());
        clone.cancel();
        other.log(LogLevel::Error, "nobody hears it");
        clone.log(LogLevel::Info, "heard");
        assert!(one.is_cancelled() && !other.is_cancelled());
        assert!(one.is(&clone) && !one.is(&other));
        assert_eq!(*lines.lock().unwrap(), [(LogLevel::Info, "heard".to_owned())]);
    }
}
