//! How far a run is, for whoever looks now and then.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::observer::{Event, Interest, Observer};

/// Counters of a running pipeline: an observer that can be asked at any time.
#[derive(Debug, Default)]
pub struct Progress {
    segment: AtomicUsize,
    segments: AtomicUsize,
    total_bytes: AtomicU64,
    bytes: AtomicU64,
    bytes_before: AtomicU64,
    records: AtomicU64,
    kept: AtomicU64,
    dropped: AtomicU64,
    failed: AtomicU64,
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
    /// How many of these an interrupted run had worked through before this one went on.
    pub bytes_before: u64,
    /// Records that this run has worked through in the segment, whatever became of them.
    pub records: u64,
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
            bytes_before: load(&self.bytes_before),
            records: load(&self.records),
            kept: load(&self.kept),
            dropped: load(&self.dropped),
            failed: load(&self.failed),
        }
    }
}

impl Observer for Progress {
    fn interest(&self) -> Interest {
        Interest::SEGMENTS | Interest::BLOCKS
    }

    fn event(&self, event: &Event<'_>) {
        match event {
            Event::SegmentBegun { segment, segments, total_bytes, bytes } => {
                self.total_bytes.store(*total_bytes, Ordering::Relaxed);
                self.bytes.store(*bytes, Ordering::Relaxed);
                self.bytes_before.store(*bytes, Ordering::Relaxed);
                self.records.store(0, Ordering::Relaxed);
                self.segment.store(segment.index, Ordering::Relaxed);
                self.segments.store(*segments, Ordering::Relaxed);
            }
            Event::Block { bytes, records, kept, dropped, failed, .. } => {
                for (counter, n) in [
                    (&self.bytes, bytes),
                    (&self.records, records),
                    (&self.kept, kept),
                    (&self.dropped, dropped),
                    (&self.failed, failed),
                ] {
                    counter.fetch_add(*n, Ordering::Relaxed);
                }
            }
            _ => {}
        }
    }
}
