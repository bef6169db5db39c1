//! Where a file is divided between shards.

use std::ops::Range;

/// A place between two records, where one shard ends and the next begins.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Seam {
    pub(crate) file: usize,
    /// How many bytes of the file lie before it; 0 between two files.
    pub(crate) offset: u64,
    /// How many of its parts lie before it, where the file has an index.
    pub(crate) part: usize,
}

/// What a shard reads of a file that others share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) bytes: Range<u64>,
    /// The parts, where the file has an index.
    pub(crate) parts: Range<usize>,
}
