//! The bar while a pipeline runs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tamis_runner::{Progress, Snapshot};

use crate::output;

const TICK: Duration = Duration::from_millis(100);
const JSON_INTERVAL: Duration = Duration::from_secs(1);
/// A log that nobody watches wants to know that the run goes on, and no more.
const LINE_INTERVAL: Duration = Duration::from_secs(10);
/// The message comes last and is cut where the terminal ends: a line that wraps could not be taken back.
const BAR: &str = "{spinner:.cyan} {bar:20.cyan/blue.dim} {percent:>3} %  eta {eta:<4} {wide_msg}";

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Show {
    /// A bar on standard error, or a line now and then if that is no terminal.
    Bar,
    /// A JSON object a second on standard output.
    Json,
    /// Not at all.
    Nothing,
}

/// Runs `work` while another thread shows how far it is; `phases` are what the segments of the plan do, in a few
/// words, and empty if there is one only.
pub(crate) fn watch<R: Send>(
    show: Show,
    phases: &[String],
    progress: &Progress,
    work: impl FnOnce() -> R + Send,
) -> R {
    let finished = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| match show {
            Show::Bar if output::stderr_is_terminal() => bar(phases, progress, &finished),
            Show::Bar => lines(phases, progress, &finished),
            Show::Json => json(progress, &finished),
            Show::Nothing => {}
        });
        // Also when `work` panics: the scope waits for the watcher, which would wait for ever.
        let _finish = Finish { finished: &finished, watcher: watcher.thread() };
        work()
    })
}

/// Ends the watcher when dropped.
struct Finish<'a> {
    finished: &'a AtomicBool,
    watcher: &'a Thread,
}

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        self.finished.store(true, Ordering::Release);
        self.watcher.unpark();
    }
}

fn bar(phases: &[String], progress: &Progress, finished: &AtomicBool) {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    bar.set_style(style());
    let start = Instant::now();
    while !finished.load(Ordering::Acquire) {
        let now = progress.snapshot();
        bar.set_length(now.total_bytes.max(1));
        bar.set_position(now.bytes);
        bar.set_message(phase(phases, &now) + &message(&now, start.elapsed()));
        bar.tick();
        std::thread::park_timeout(TICK);
    }
    bar.finish_and_clear();
}

fn style() -> ProgressStyle {
    // The template is a constant, so the default is never what is shown.
    ProgressStyle::with_template(BAR).unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─")
}

/// A plain line now and then, none during a short run.
fn lines(phases: &[String], progress: &Progress, finished: &AtomicBool) {
    let start = Instant::now();
    let mut last = start;
    while !finished.load(Ordering::Acquire) {
        std::thread::park_timeout(LINE_INTERVAL.saturating_sub(last.elapsed()));
        if last.elapsed() >= LINE_INTERVAL {
            last = Instant::now();
            output::log_line(line(phases, &progress.snapshot(), start.elapsed()));
        }
    }
}

fn line(phases: &[String], now: &Snapshot, elapsed: Duration) -> String {
    let phase = phase(phases, now);
    let message = message(now, elapsed);
    match now.total_bytes {
        0 => format!("{phase}{message}"),
        total => {
            format!("{:>3} % {phase}{message}", (now.bytes.min(total) as f64 / total as f64 * 100.0) as u64)
        }
    }
}

/// What the current segment does, to go before the rest.
fn phase(phases: &[String], now: &Snapshot) -> String {
    phases
        .get(now.segment)
        .map_or(String::new(), |phase| format!("{}/{} {phase} · ", now.segment + 1, phases.len()))
}

fn message(now: &Snapshot, elapsed: Duration) -> String {
    let seconds = elapsed.as_secs_f64().max(0.001);
    let records = now.kept + now.dropped + now.failed;
    format!(
        "{} documents/s · {}/s · {} kept · {} dropped · {} failed",
        HumanCount((records as f64 / seconds) as u64),
        HumanBytes((now.bytes as f64 / seconds) as u64),
        HumanCount(now.kept),
        HumanCount(now.dropped),
        HumanCount(now.failed)
    )
}

fn json(progress: &Progress, finished: &AtomicBool) {
    let mut last = Instant::now();
    while !finished.load(Ordering::Acquire) {
        std::thread::park_timeout(TICK);
        if last.elapsed() >= JSON_INTERVAL {
            last = Instant::now();
            let now = progress.snapshot();
            output::print_line(serde_json::json!({
                "event": "progress",
                "segment": now.segment,
                "segments": now.segments,
                "total_bytes": now.total_bytes,
                "bytes": now.bytes,
                "kept": now.kept,
                "dropped": now.dropped,
                "failed": now.failed,
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_how_far_the_run_is_and_what_it_does() {
        let now = Snapshot {
            bytes: 500,
            total_bytes: 2000,
            kept: 90,
            dropped: 9,
            failed: 1,
            ..Snapshot::default()
        };
        let rest = "50 documents/s · 250 B/s · 90 kept · 9 dropped · 1 failed";
        let phases = ["learn templates".to_owned(), "write".to_owned()];
        let line = |phases: &[String], now: &Snapshot| line(phases, now, Duration::from_secs(2));
        assert_eq!(line(&[], &now), format!(" 25 % {rest}"));
        assert_eq!(line(&phases, &now), format!(" 25 % 1/2 learn templates · {rest}"));
        // Standard input does not tell how long it is.
        assert_eq!(line(&[], &Snapshot { total_bytes: 0, ..now }), rest);
    }

    #[test]
    fn work_that_panics_is_not_watched_for_ever() {
        let work = || watch(Show::Json, &[], &Progress::default(), || panic!("boom"));
        let panic = std::panic::catch_unwind(work).expect_err("it panicked");
        assert_eq!(panic.downcast_ref(), Some(&"boom"));
    }
}
