//! The bar while a pipeline runs.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::Thread;
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};
use tamis_runner::{Progress, Snapshot};

use crate::metrics::{Metrics, resident};
use crate::output;
use crate::slow::Slow;

const TICK: Duration = Duration::from_millis(100);
const JSON_INTERVAL: Duration = Duration::from_secs(1);
/// A log that nobody watches wants to know that the run goes on, and no more.
const LINE_INTERVAL: Duration = Duration::from_secs(10);
/// Two lines that fit 80 columns; what is longer is cut where the terminal ends, because a line that wraps could not be
/// taken back.
const BAR: &str = "{spinner:.cyan} {bar:20.cyan/blue.dim} {percent:>3} %  {prefix}\n{wide_msg}";
/// How much of the name of a phase is shown, in characters.
const MAX_PHASE_CHARS: usize = 22;
/// How long a segment must have run before it is foretold when it ends.
const MIN_SECONDS: f64 = 2.0;
/// The bar is drawn in this many steps, whatever it counts.
const STEPS: u64 = 10_000;

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

/// What is watched.
pub(crate) struct Watched<'a> {
    /// What the segments of the plan do, in a few words; empty if there is one only.
    pub(crate) phases: &'a [String],
    /// How many records are read, if not all.
    pub(crate) limit: Option<u64>,
    pub(crate) progress: &'a Progress,
    /// Where it takes long.
    pub(crate) slow: &'a Slow,
    /// The file of counters that is kept meanwhile.
    pub(crate) metrics: Option<&'a Metrics>,
}

/// Runs `work` while another thread shows how far it is.
pub(crate) fn watch<R: Send>(show: Show, watched: &Watched<'_>, work: impl FnOnce() -> R + Send) -> R {
    let finished = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let shown = scope.spawn(|| match show {
            Show::Bar if output::stderr_is_terminal() => bar(watched, &finished),
            Show::Bar => lines(watched, &finished),
            Show::Json => json(watched.progress, &finished),
            Show::Nothing => {}
        });
        let kept = watched.metrics.map(|metrics| scope.spawn(|| metrics.keep(watched.progress, &finished)));
        // Also when `work` panics: the scope waits for the watcher, which would wait for ever.
        let watchers = [Some(shown.thread().clone()), kept.map(|kept| kept.thread().clone())];
        let _finish = Finish { finished: &finished, watchers };
        work()
    })
}

/// Ends the watchers when dropped.
struct Finish<'a> {
    finished: &'a AtomicBool,
    watchers: [Option<Thread>; 2],
}

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        self.finished.store(true, Ordering::Release);
        self.watchers.iter().flatten().for_each(Thread::unpark);
    }
}

fn bar(watched: &Watched<'_>, finished: &AtomicBool) {
    let bar = ProgressBar::with_draw_target(Some(STEPS), ProgressDrawTarget::stderr());
    bar.set_style(style());
    let mut clock = Clock::start();
    let mut memory = (Instant::now(), String::new());
    while !finished.load(Ordering::Acquire) {
        let now = watched.progress.snapshot();
        let seconds = clock.seconds(&now);
        if memory.1.is_empty() || memory.0.elapsed() >= JSON_INTERVAL {
            memory =
                (Instant::now(), resident().map(|bytes| HumanBytes(bytes).to_string()).unwrap_or_default());
        }
        bar.set_position((watched.share(&now).unwrap_or_default() * STEPS as f64) as u64);
        let head = [watched.head(&now, seconds), memory.1.clone()];
        bar.set_prefix(head.into_iter().filter(|it| !it.is_empty()).collect::<Vec<_>>().join("  "));
        bar.set_message(watched.slow.longest().unwrap_or_else(|| message(&now, seconds)));
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
fn lines(watched: &Watched<'_>, finished: &AtomicBool) {
    let mut clock = Clock::start();
    let mut last = Instant::now();
    while !finished.load(Ordering::Acquire) {
        // Looked at more often than told: a segment that begins is to be noticed.
        std::thread::park_timeout(JSON_INTERVAL.min(LINE_INTERVAL.saturating_sub(last.elapsed())));
        let now = watched.progress.snapshot();
        let seconds = clock.seconds(&now);
        if last.elapsed() >= LINE_INTERVAL {
            last = Instant::now();
            output::log_line(watched.line(&now, seconds));
        }
    }
}

/// How long the segment that is going on has taken in this process: what was done before, by other segments or by a run
/// that was interrupted, says nothing of how fast this one is.
struct Clock {
    segment: (usize, u64),
    begun: Instant,
}

impl Clock {
    fn start() -> Self {
        Self { segment: (0, 0), begun: Instant::now() }
    }

    fn seconds(&mut self, now: &Snapshot) -> f64 {
        // The inputs are listed before the first segment begins, which may take minutes.
        let segment = (now.segment, now.total_bytes);
        if segment != self.segment {
            (self.segment, self.begun) = (segment, Instant::now());
        }
        self.begun.elapsed().as_secs_f64().max(0.001)
    }
}

impl Watched<'_> {
    /// How much of the segment is done, from 0 to 1, if that can be known.
    fn share(&self, now: &Snapshot) -> Option<f64> {
        match (self.limit.filter(|_| now.segment == 0), now.total_bytes) {
            (Some(limit), _) => Some((now.records as f64 / limit as f64).min(1.0)),
            (None, 0) => None,
            (None, total) => Some((now.bytes as f64 / total as f64).min(1.0)),
        }
    }

    /// When the segment will be over, and what it does.
    fn head(&self, now: &Snapshot, seconds: f64) -> String {
        let phase = self.phases.get(now.segment).map(|phase| {
            let phase: String = phase.chars().take(MAX_PHASE_CHARS).collect();
            format!("{}/{} {phase}", now.segment + 1, self.phases.len())
        });
        let left = self.left(now, seconds).map(|left| format!("eta {left}"));
        left.into_iter().chain(phase).collect::<Vec<_>>().join("  ")
    }

    /// How long the segment will take yet, at the speed that it has had in this process.
    fn left(&self, now: &Snapshot, seconds: f64) -> Option<String> {
        let share = self.share(now)?;
        let before = match self.limit.filter(|_| now.segment == 0) {
            Some(_) => 0.0,
            None => now.bytes_before as f64 / now.total_bytes.max(1) as f64,
        };
        let done = share - before;
        (done > 0.0 && seconds >= MIN_SECONDS).then(|| duration(seconds / done * (1.0 - share)))
    }

    /// All of it in one line.
    fn line(&self, now: &Snapshot, seconds: f64) -> String {
        let share = self.share(now).map(|share| format!("{:>3} %", (share * 100.0) as u64));
        let head = Some(self.head(now, seconds)).filter(|head| !head.is_empty());
        let pieces = share.into_iter().chain(head).chain([message(now, seconds)]);
        pieces.collect::<Vec<_>>().join("  ")
    }
}

fn message(now: &Snapshot, seconds: f64) -> String {
    let rates = || {
        let n_records = short((now.records as f64 / seconds) as u64);
        let bytes = (now.bytes - now.bytes_before.min(now.bytes)) as f64 / seconds;
        format!("{n_records} documents/s · {}/s · ", HumanBytes(bytes as u64))
    };
    // What the first blocks of a segment brought, by a moment, is no speed.
    let rates = if seconds >= MIN_SECONDS { rates() } else { String::new() };
    format!("{rates}{} kept · {} dropped · {} failed", short(now.kept), short(now.dropped), short(now.failed))
}

/// A count in five characters or fewer.
fn short(n: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")];
    match UNITS.into_iter().find(|(unit, _)| n >= *unit && n >= 10_000) {
        None => HumanCount(n).to_string(),
        Some((unit, name)) if n >= 100 * unit => format!("{} {name}", n / unit),
        // Cut, not rounded: 9.97 is not ten yet.
        Some((unit, name)) => {
            let tenths = n / (unit / 10);
            format!("{}.{} {name}", tenths / 10, tenths % 10)
        }
    }
}

fn duration(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 100.0 => format!("{seconds:.0} s"),
        seconds if seconds < 6_000.0 => format!("{:.0} min", seconds / 60.0),
        seconds => format!("{:.0} h", seconds / 3_600.0),
    }
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
                "bytes_before": now.bytes_before,
                "records": now.records,
                "kept": now.kept,
                "dropped": now.dropped,
                "failed": now.failed,
                "resident_bytes": resident(),
            }));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static NOTHING: std::sync::LazyLock<Slow> = std::sync::LazyLock::new(Slow::default);

    fn watched<'a>(phases: &'a [String], limit: Option<u64>, progress: &'a Progress) -> Watched<'a> {
        Watched { phases, limit, progress, slow: &NOTHING, metrics: None }
    }

    #[test]
    fn a_line_says_how_far_the_run_is_and_what_it_does() {
        let now = Snapshot {
            bytes: 500,
            total_bytes: 2000,
            records: 4_000,
            kept: 90,
            dropped: 9,
            failed: 1,
            ..Snapshot::default()
        };
        let progress = Progress::default();
        let rest = "2,000 documents/s · 250 B/s · 90 kept · 9 dropped · 1 failed";
        let phases = ["learn templates".to_owned(), "write".to_owned()];
        let line =
            |phases: &[String], limit, now: &Snapshot| watched(phases, limit, &progress).line(now, 2.0);
        assert_eq!(line(&[], None, &now), format!(" 25 %  eta 6 s  {rest}"));
        assert_eq!(line(&phases, None, &now), format!(" 25 %  eta 6 s  1/2 learn templates  {rest}"));
        // Of a file of any length no more than the limit is read.
        assert_eq!(line(&[], Some(5_000), &now), format!(" 80 %  eta 0 s  {rest}"));
        // Standard input does not tell how long it is.
        assert_eq!(line(&[], None, &Snapshot { total_bytes: 0, ..now }), rest);
        // What was done before a run was resumed does not count for its speed.
        let resumed = Snapshot { bytes: 1_900, bytes_before: 1_700, ..now };
        let rest = "2,000 documents/s · 100 B/s · 90 kept · 9 dropped · 1 failed";
        assert_eq!(line(&[], None, &resumed), format!(" 95 %  eta 1 s  {rest}"));
        // A segment that has just begun has no speed yet.
        assert_eq!(message(&now, 0.01), "90 kept · 9 dropped · 1 failed");
    }

    #[test]
    fn two_lines_fit_eighty_columns() {
        let now = Snapshot {
            bytes: 999 << 30,
            total_bytes: 1_000 << 30,
            records: 123_456_789,
            kept: 123_456_789,
            dropped: 99_999_999,
            failed: 12_345,
            ..Snapshot::default()
        };
        let progress = Progress::default();
        let phases = ["learn line-template-of-all-accounts-of-the-year".to_owned(), "write".to_owned()];
        let head = watched(&phases, None, &progress).head(&now, 1_000.0);
        let around = "  1023.99 MiB".len() + "x ".len() + 20 + " 100 %  ".len();
        assert!(head.chars().count() + around <= 80, "{head}");
        let message = message(&now, 1_000.0);
        assert_eq!(
            message,
            "123 k documents/s · 1022.98 MiB/s · 123 M kept · 99.9 M dropped · 12.3 k failed"
        );
        assert!(message.chars().count() <= 80, "{}", message.chars().count());
    }

    #[test]
    fn work_that_panics_is_not_watched_for_ever() {
        let progress = Progress::default();
        let work = || watch(Show::Json, &watched(&[], None, &progress), || panic!("boom"));
        let panic = std::panic::catch_unwind(std::panic::AssertUnwindSafe(work)).expect_err("it panicked");
        assert_eq!(panic.downcast_ref(), Some(&"boom"));
    }
}
