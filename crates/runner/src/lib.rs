//! Runs a plan: cuts inputs into blocks, works on them in parallel, writes in order, accounts for every
//! file and every record.
//!
//! ```text
//! read/   files ─▶ blocks of whole records ─▶ tasks
//! work/                                       └▶ [decode ▶ stages ▶ encode] ─▶ results
//! write/                                                                       └▶ in corpus order ─▶ parts
//! remote/                                                                      └▶ object store
//! fates/  what became of every record, as a table
//! disk/   names, locks, journal, checkpoint's folder, spills and states, manifest: what lies on the disk beside
//! run.rs  what an earlier run has left to do; run/session.rs: segment after segment, and the end
//! ```
//!
//! - Reading, working and writing are roles that the workers of one Rayon pool take in turn, one of them reading and
//!   one writing at a time (`work/scheduler.rs`). There is no thread that only reads or only writes, so `threads = 1`
//!   uses one core.
//! - A task takes credit for its bytes when it is read and gives it back when it is written, so memory is bounded,
//!   however far the workers run ahead of a slow block.
//! - Blocks depend on the inputs and the block size alone and are written in order, so the output is the
//!   same bytes whatever the number of threads.
//! - A part is written under a passing name, synced and renamed; the journal knows it before (`disk/journal.rs`), and
//!   the manifest comes last. What a run before left is recognised by these, and nothing else is touched
//!   (`disk/previous.rs`).
//! - Files, members of archives and records are counted where they come up and again where they end; a run whose
//!   counts do not add up fails ([`Tally`]).
//! - What is wrong with a file or a record costs that; what is wrong with the machine ends the run, to be resumed
//!   ([`RunError`]).
//!
//! What the rooms pass to each other is in `work/task.rs`; start there, then follow a document from `run.rs` down.
//! The runner names no stage, prints nothing and asks nothing, and nothing of a run is global: whoever runs a plan sees
//! it through an [`Observer`], stops it through the context that its stages were opened in, and gets a [`Report`] at
//! the end.

mod clock;
mod disk;
mod error;
mod fate_counts;
pub mod fates;
mod observer;
mod progress;
mod read;
mod reasons;
mod remote;
mod report;
mod run;
mod segment;
mod settings;
mod sites;
mod tally;
mod work;
mod write;

pub use clock::{Chore, Chores, Spent};
pub use disk::file::FileEntry;
pub use disk::fingerprint::{Fingerprint, Resolved};
pub use disk::manifest::{Added, ExportManifest, Learned, Manifest};
pub use disk::shards::Shards;
pub use disk::states::{MergeSettings, MergedStates, export_rows, keep_entries, merge_states};
pub use disk::work_folder::times_file;
pub use error::RunError;
pub use fate_counts::FateCounts;
pub use observer::{Event, Interest, Observer, Observers};
pub use progress::{Progress, Snapshot};
pub use read::find::{Found, Wanted, find};
pub use read::glance::glance;
pub use read::only::Only;
pub use read::sample::{Sample, sample};
pub use read::shard::{Share, shares};
pub use reasons::{Example, Reason, Reasons, Unread};
pub use report::{Finish, Report};
pub use run::run;
pub use segment::{Reads, Segment, SegmentTask, Shard, StateName, Writes, segments};
pub use settings::{Grace, Settings, StoreSettings, Stream};
pub use sites::Sites;
pub use tally::{InputTally, StageTally, Taken, Tally};
#[cfg(feature = "remote")]
pub use tamis_input::set_hub;
pub use work::chain::{counted_pass, pass, process, transform};
pub use work::place::RecordPlace;
