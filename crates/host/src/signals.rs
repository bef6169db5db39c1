//! What concerns every plugin of the process: the request to stop, and where log lines go.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

static CANCELLED: AtomicBool = AtomicBool::new(false);
static LOGGER: OnceLock<Logger> = OnceLock::new();

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

/// Asks every running stage to return soon; long-running stages ask for it between documents.
pub fn cancel() {
    CANCELLED.store(true, Ordering::Relaxed);
}

pub(crate) fn cancelled() -> bool {
    CANCELLED.load(Ordering::Relaxed)
}

/// Sets where the log lines of plugins go; the first caller wins, and without one they are dropped.
pub fn set_logger(logger: impl Fn(LogLevel, &str) + Send + Sync + 'static) {
    // A second logger would be a second program in this process; the first keeps the terminal.
    let _ = LOGGER.set(Box::new(logger));
}

pub(crate) fn log(level: u32, line: &str) {
    let level = match level {
        1 => LogLevel::Error,
        2 => LogLevel::Warning,
        3 => LogLevel::Info,
        _ => LogLevel::Debug,
    };
    if let Some(logger) = LOGGER.get() {
        logger(level, line);
    }
}
