//! Runs a plan: cuts inputs into blocks, works on them in parallel, writes in order, accounts for every
//! record.
//!
//! ```text
//! files ─▶ feeder ─▶ blocks ─▶ [decode ▶ stages ▶ encode] ─▶ results ─▶ writer ─▶ parts, manifest
//!          (thread)            (Rayon workers)                          (thread, in block order)
//! ```
//!
//! - A block takes credit for its bytes when it is read and gives it back when it is written, so memory is
//!   bounded, however far the workers run ahead of a slow block (`credits.rs`, `feeder.rs`, `writer.rs`).
//! - Blocks depend on the inputs and the block size alone and are written in order, so the output is the
//!   same bytes whatever the number of threads.
//! - A part is written under a temporary name, synced and renamed; the manifest comes last (`output.rs`).
//!   What an earlier run left is recognised by its manifest, and nothing else is touched (`earlier.rs`).
//! - Records are counted where they are read and again where they are written; a run whose counts do not
//!   add up fails ([`Tally`]).
//!
//! The runner names no stage, prints nothing and asks nothing: it reports through [`Progress`] while it runs
//! and with a [`Report`] at the end.

mod clock;
mod disk;
mod error;
mod progress;
mod read;
mod run;
mod segment;
mod settings;
mod tally;
mod work;
mod write;

pub use clock::{Chore, Chores, Spent};
pub use disk::file::FileEntry;
pub use disk::manifest::{ExportManifest, Learned, Manifest};
pub use disk::states::merge_states;
pub use error::RunError;
pub use progress::{Progress, Snapshot};
pub use run::{Finish, Report, run};
pub use segment::{Reads, Segment, Shard, StateName, Task, Writes, segments};
pub use settings::Settings;
pub use tally::{InputTally, StageTally, Tally};
pub use work::chain::process;
