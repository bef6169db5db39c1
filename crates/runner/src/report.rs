//! What a run did, for whoever made it.

use std::path::PathBuf;
use std::time::Duration;

use crate::disk::manifest::Manifest;
use crate::tally::Tally;

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// Everything was read, worked through and written.
    Done,
    /// One segment was run to its end; others follow.
    Segment,
    /// The same plan had already run to its end over the same inputs; nothing was done.
    AlreadyDone,
    /// Everything was read and worked through, and nothing was written.
    Dry,
}

/// What a run did.
#[derive(Debug)]
pub struct Report {
    /// How it ended.
    pub finish: Finish,
    /// Where the records went, with the time spent in each stage.
    pub tally: Tally,
    /// What was written.
    pub manifest: Manifest,
    /// The folder of the manifest: that of the first export, or where that is prepared for an object store.
    pub folder: PathBuf,
    /// Where the output is: that folder, or an address.
    pub place: PathBuf,
    /// How long it took.
    pub elapsed: Duration,
    /// How many threads worked.
    pub threads: usize,
    /// Whether an earlier run had not finished and was begun anew.
    pub restarted: bool,
    /// Whether an earlier run had not finished and was resumed.
    pub resumed: bool,
}
