//! What happens in a run, for whoever wants to see it: a bar, a log for machines, a report, one document explained.
//!
//! There is one trait and one list of events, so that nothing is implemented twice to be seen. What nobody asks for
//! costs nothing: an observer says once what it is interested in ([`Observer::interest`]), and of documents only those
//! are shown that it wants ([`Observer::wants`]).

use std::fmt;
use std::ops::BitOr;
use std::path::Path;
use std::time::Duration;

use tamis_config::Plan;
use tamis_document::{Document, Record};

use crate::clock::Spent;
use crate::disk::file::FileEntry;
use crate::error::RunError;
use crate::report::Report;
use crate::segment::Segment;
use crate::tally::Tally;

/// Sees what happens in a run.
///
/// Events come from the threads of the run, those of documents and files from several at once and in any order; all
/// others come in order, one at a time (but [`Event::Slow`], which comes from the thread of a watchdog). An observer that takes its time holds the run up.
///
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use tamis_runner::{Event, Interest, Observer};
///
/// /// Counts the parts that were written.
/// #[derive(Default)]
/// struct Parts(AtomicU64);
///
/// impl Observer for Parts {
///     fn interest(&self) -> Interest {
///         Interest::PARTS
///     }
///
///     fn event(&self, event: &Event<'_>) {
///         if let Event::Part { .. } = event {
///             self.0.fetch_add(1, Ordering::Relaxed);
///         }
///     }
/// }
/// ```
pub trait Observer: Sync {
    /// What it wants to hear of; asked once, before anything happens.
    fn interest(&self) -> Interest;

    /// Whether a document is to be shown on its way through the stages, asked only with [`Interest::DOCUMENTS`]: when
    /// it comes in or is split off another, in every segment, and again for each event. So it should go by what stays,
    /// such as the position of a record, which what is split off it has as well; then a sample is also the same in
    /// every run.
    fn wants(&self, _record: &Record) -> bool {
        true
    }

    /// Something has happened, of a kind that it wants to hear of.
    fn event(&self, event: &Event<'_>);
}

/// Hears of nothing.
impl Observer for () {
    fn interest(&self) -> Interest {
        Interest::NOTHING
    }

    fn event(&self, _: &Event<'_>) {}
}

/// Several observers as one; each hears of what it is interested in.
pub struct Observers<'a>(Vec<(Interest, &'a dyn Observer)>);

impl<'a> Observers<'a> {
    /// Asks all of them what they are interested in.
    pub fn new(observers: impl IntoIterator<Item = &'a dyn Observer>) -> Self {
        Self(observers.into_iter().map(|observer| (observer.interest(), observer)).collect())
    }
}

impl Observer for Observers<'_> {
    fn interest(&self) -> Interest {
        self.0.iter().fold(Interest::NOTHING, |all, (interest, _)| all | *interest)
    }

    fn wants(&self, record: &Record) -> bool {
        self.0.iter().any(|(interest, observer)| interest.has(Interest::DOCUMENTS) && observer.wants(record))
    }

    fn event(&self, event: &Event<'_>) {
        for (interest, observer) in &self.0 {
            if interest.has(event.kind()) && event.record().is_none_or(|record| observer.wants(record)) {
                observer.event(event);
            }
        }
    }
}

/// Kinds of events, put together with `|`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Interest(u16);

impl Interest {
    /// No event at all.
    pub const NOTHING: Self = Self(0);
    /// [`Event::RunBegun`] and [`Event::RunEnded`].
    pub const RUN: Self = Self(1);
    /// [`Event::SegmentBegun`] and [`Event::SegmentEnded`].
    pub const SEGMENTS: Self = Self(1 << 1);
    /// [`Event::File`].
    pub const FILES: Self = Self(1 << 2);
    /// [`Event::Block`].
    pub const BLOCKS: Self = Self(1 << 3);
    /// [`Event::Entered`], [`Event::Stage`] and [`Event::Left`], of the documents that [`Observer::wants`] names. These go through the
    /// stages alone and are copied before each, so a sample is better than all.
    pub const DOCUMENTS: Self = Self(1 << 4);
    /// [`Event::Part`].
    pub const PARTS: Self = Self(1 << 5);
    /// [`Event::Checkpoint`].
    pub const CHECKPOINTS: Self = Self(1 << 6);
    /// [`Event::Slow`], which the runner never sends: whoever starts a watchdog does.
    pub const SLOW: Self = Self(1 << 7);

    /// Whether this one holds some of another.
    pub fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

impl BitOr for Interest {
    type Output = Self;

    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Something that happens in a run.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// A run begins; what there is to do is not known yet.
    RunBegun {
        /// What is run.
        plan: &'a Plan,
    },
    /// A sweep over the documents begins, or is resumed.
    SegmentBegun {
        /// Which.
        segment: &'a Segment,
        /// How many the plan has.
        segments: usize,
        /// Bytes that it reads, of the inputs or of what was put aside; 0 when that is not known.
        total_bytes: u64,
        /// How many of them were worked through before the run was interrupted.
        bytes: u64,
    },
    /// A file was read to its end, or written off; told when it is known, which is before its records are written.
    File {
        /// Its name, as ids begin with it.
        name: &'a str,
        /// Its bytes as it lies there.
        bytes: u64,
        /// Whether some of it could not be read, or all.
        is_broken: bool,
    },
    /// A record has come in: out of its reader, out of what was put aside, or split off another. One that could not be read has failed
    /// already.
    Entered {
        /// The record.
        record: &'a Record,
    },
    /// A document has passed a stage.
    Stage {
        /// The id of the stage.
        stage: &'a str,
        /// The document as it went in.
        before: &'a Document,
        /// The record as it came out: what was changed, the verdict, and what was measured so far, each measure beside
        /// its limit.
        after: &'a Record,
        /// How many documents were split off it.
        split: usize,
        /// What the stage took for it.
        time: Spent,
    },
    /// A record leaves the run: kept, dropped or failed for good. An exporter may have refused what all stages kept;
    /// [`Record::stage`] then names the export.
    Left {
        /// The record.
        record: &'a Record,
    },
    /// The results of a block were written, in corpus order.
    Block {
        /// Bytes of the segment's input that it stands for.
        bytes: u64,
        /// What happened in it: counts, reasons and times by stage. Records that were put aside are kept in no tally
        /// yet.
        tally: &'a Tally,
        /// Records that it is about: they were kept, dropped, or failed, or put aside for the next segment.
        records: u64,
        /// Records that were exported as kept.
        kept: u64,
        /// Records that were dropped.
        dropped: u64,
        /// Records that failed.
        failed: u64,
    },
    /// A part is whole and has its name.
    Part {
        /// The id of its export.
        export: &'a str,
        /// What it is.
        file: &'a FileEntry,
    },
    /// An interrupted run would be resumed here.
    Checkpoint {
        /// The counts so far; the times are those of this process.
        tally: &'a Tally,
        /// The folder of the manifest: that of the first export.
        folder: &'a Path,
    },
    /// A call into a plugin does not get on. Told by whoever watches the plugins, which is not the runner.
    Slow {
        /// The stage that was called.
        stage: &'a str,
        /// Its plugin.
        plugin: &'a str,
        /// What it works on, in words; empty if it is none of documents, some documents or a file.
        subject: &'a str,
        /// The document that it is at, as far as that is known.
        document: Option<&'a str>,
        /// How long it has been there.
        lasts: Duration,
    },
    /// A sweep over the documents has come to its end.
    SegmentEnded {
        /// Which.
        segment: &'a Segment,
    },
    /// A run has come to its end, or broken.
    RunEnded {
        /// What came of it.
        result: Result<&'a Report, &'a RunError>,
    },
}

impl Event<'_> {
    /// What one must be interested in to hear of it.
    pub fn kind(&self) -> Interest {
        match self {
            Self::RunBegun { .. } | Self::RunEnded { .. } => Interest::RUN,
            Self::SegmentBegun { .. } | Self::SegmentEnded { .. } => Interest::SEGMENTS,
            Self::File { .. } => Interest::FILES,
            Self::Entered { .. } | Self::Stage { .. } | Self::Left { .. } => Interest::DOCUMENTS,
            Self::Block { .. } => Interest::BLOCKS,
            Self::Part { .. } => Interest::PARTS,
            Self::Checkpoint { .. } => Interest::CHECKPOINTS,
            Self::Slow { .. } => Interest::SLOW,
        }
    }

    /// The record that it is about, if it is about one.
    fn record(&self) -> Option<&Record> {
        match self {
            Self::Entered { record } | Self::Left { record } => Some(record),
            Self::Stage { after, .. } => Some(after),
            _ => None,
        }
    }
}

/// The observer of a run, and what it has asked for.
#[derive(Clone, Copy)]
pub(crate) struct Events<'a> {
    observer: &'a dyn Observer,
    interest: Interest,
}

impl<'a> Events<'a> {
    /// For what nobody is to hear of.
    pub(crate) const NONE: Events<'static> = Events { observer: &(), interest: Interest::NOTHING };

    pub(crate) fn new(observer: &'a dyn Observer) -> Self {
        Self { observer, interest: observer.interest() }
    }

    /// Whether somebody wants to hear of this.
    pub(crate) fn has(&self, interest: Interest) -> bool {
        self.interest.has(interest)
    }

    /// Tells of an event if somebody wants to hear of its kind.
    pub(crate) fn tell(&self, event: &Event<'_>) {
        if self.has(event.kind()) {
            self.observer.event(event);
        }
    }

    /// Tells of a record that has come in, if somebody wants to see it; whether somebody does.
    pub(crate) fn enter(&self, record: &Record) -> bool {
        let is_wanted = self.has(Interest::DOCUMENTS) && self.observer.wants(record);
        if is_wanted {
            self.observer.event(&Event::Entered { record });
        }
        is_wanted
    }

    /// Tells of a record that leaves the run, if somebody wants to see it.
    pub(crate) fn leave(&self, record: &Record) {
        if self.has(Interest::DOCUMENTS) && self.observer.wants(record) {
            self.observer.event(&Event::Left { record });
        }
    }
}

impl fmt::Debug for Events<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("Events").field(&self.interest).finish()
    }
}
