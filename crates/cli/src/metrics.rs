//! The counters of a run as a text file for Prometheus, which `node_exporter` and others collect from a folder.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context as _;
use tamis_runner::{Progress, Snapshot};

use crate::output;

/// How often the file is written.
const INTERVAL: Duration = Duration::from_secs(5);

/// A file of counters.
pub(crate) struct Metrics {
    path: PathBuf,
    pipeline: String,
    begun: Instant,
    begun_at: f64,
}

impl Metrics {
    /// Writes the file for the first time: whoever named a folder that is not there wants to hear of it now.
    pub(crate) fn new(path: &Path, pipeline: &str) -> anyhow::Result<Self> {
        let begun_at = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        let metrics = Self {
            path: path.to_owned(),
            pipeline: pipeline.to_owned(),
            begun: Instant::now(),
            begun_at: begun_at.as_secs_f64(),
        };
        metrics
            .try_write(&Snapshot::default(), None)
            .with_context(|| format!("cannot write the metrics to `{}`", path.display()))?;
        Ok(metrics)
    }

    /// Keeps the file until the run is over.
    pub(crate) fn keep(&self, progress: &Progress, finished: &AtomicBool) {
        let mut last = Instant::now();
        while !finished.load(Ordering::Acquire) {
            std::thread::park_timeout(INTERVAL.saturating_sub(last.elapsed()));
            if last.elapsed() >= INTERVAL {
                last = Instant::now();
                self.write(&progress.snapshot(), None);
            }
        }
    }

    /// Writes the file; `ended` says how the run has, once it has. That it cannot be written is no reason to end a run.
    pub(crate) fn write(&self, now: &Snapshot, ended: Option<bool>) {
        if let Err(error) = self.try_write(now, ended) {
            output::log_line(format_args!("warning: cannot write `{}`: {error}", self.path.display()));
        }
    }

    /// Whole or not at all: a collector may read at any moment.
    fn try_write(&self, now: &Snapshot, ended: Option<bool>) -> std::io::Result<()> {
        let mut name = self.path.file_name().unwrap_or_default().to_os_string();
        name.push(".tamis-tmp");
        let temporary = self.path.with_file_name(name);
        let seconds = self.begun.elapsed().as_secs_f64();
        std::fs::write(&temporary, text(&self.pipeline, now, (self.begun_at, seconds), ended))?;
        std::fs::rename(&temporary, &self.path)
    }
}

/// The file.
fn text(pipeline: &str, now: &Snapshot, (begun_at, seconds): (f64, f64), ended: Option<bool>) -> String {
    let label = pipeline.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
    let mut text = String::new();
    let mut put = |name: &str, kind: &str, help: &str, values: &[(&str, f64)]| {
        text += &format!("# HELP tamis_{name} {help}\n# TYPE tamis_{name} {kind}\n");
        for (more, value) in values {
            text += &format!("tamis_{name}{{pipeline=\"{label}\"{more}}} {value}\n");
        }
    };
    let fates =
        [(",fate=\"kept\"", now.kept), (",fate=\"dropped\"", now.dropped), (",fate=\"failed\"", now.failed)];
    put(
        "records_total",
        "counter",
        "Records that have left the run.",
        &fates.map(|(label, n)| (label, n as f64)),
    );
    put(
        "segment",
        "gauge",
        "The sweep over the documents that is going on, from 0.",
        &[("", now.segment as f64)],
    );
    put("segments", "gauge", "How many sweeps there are.", &[("", now.segments as f64)]);
    put("segment_records", "gauge", "Records worked through in this sweep.", &[("", now.records as f64)]);
    put("segment_bytes", "gauge", "Bytes worked through in this sweep.", &[("", now.bytes as f64)]);
    put(
        "segment_bytes_expected",
        "gauge",
        "Bytes that this sweep reads, 0 if that is not known.",
        &[("", now.total_bytes as f64)],
    );
    put("run_seconds", "gauge", "How long the run has taken so far.", &[("", seconds)]);
    put("run_start_time_seconds", "gauge", "When the run began, in seconds since 1970.", &[("", begun_at)]);
    if let Some(bytes) = resident() {
        put("resident_memory_bytes", "gauge", "Memory of the process.", &[("", bytes as f64)]);
    }
    let state = match ended {
        None => 0.0,
        Some(true) => 1.0,
        Some(false) => 2.0,
    };
    put("run_state", "gauge", "0 while it runs, 1 when it is done, 2 when it broke.", &[("", state)]);
    text
}

/// Memory of this process in bytes, where the system tells it in a file.
pub(crate) fn resident() -> Option<u64> {
    told("VmRSS:")
}

/// The most that it has had.
pub(crate) fn peak() -> Option<u64> {
    told("VmHWM:")
}

fn told(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kilobytes| kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_has_its_help_type_and_pipeline() {
        let now = Snapshot { kept: 12, dropped: 3, bytes: 1 << 40, ..Snapshot::default() };
        let text = text("a \"b\"", &now, (1.5e9, 2.5), Some(true));
        assert!(text.contains("tamis_records_total{pipeline=\"a \\\"b\\\"\",fate=\"kept\"} 12\n"), "{text}");
        assert!(text.contains("tamis_segment_bytes{pipeline=\"a \\\"b\\\"\"} 1099511627776\n"), "{text}");
        assert!(text.ends_with("tamis_run_state{pipeline=\"a \\\"b\\\"\"} 1\n"), "{text}");
        let mut names = std::collections::BTreeSet::new();
        for line in text.lines().filter(|line| line.starts_with("# TYPE ")) {
            assert!(names.insert(line.split(' ').nth(2).unwrap_or_default().to_owned()), "{line}");
        }
        let values = text.lines().filter(|line| !line.starts_with('#'));
        for line in values {
            let name = line.split('{').next().unwrap_or_default();
            assert!(
                names.contains(name) && line.rsplit(' ').next().is_some_and(|n| n.parse::<f64>().is_ok()),
                "{line}"
            );
        }
    }

    #[test]
    fn a_folder_that_is_not_there_is_told_at_once() {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(Metrics::new(&folder.path().join("no/file.prom"), "p").is_err());
        let path = folder.path().join("a.prom");
        Metrics::new(&path, "p").expect("it can be written").write(&Snapshot::default(), Some(false));
        let files: Vec<_> = std::fs::read_dir(folder.path()).expect("readable").collect();
        assert_eq!(files.len(), 1);
        assert!(std::fs::read_to_string(path).expect("readable").ends_with(" 2\n"));
    }
}
