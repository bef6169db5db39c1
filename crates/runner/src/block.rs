//! The unit of work: some records of one or more files.

use std::sync::Arc;

use tamis_document::Record;

/// The unit of work; as many small files, or as much of a large one, as fill the block size.
pub(crate) struct Block {
    /// Position in the corpus; results are written in this order.
    pub(crate) sequence: u64,
    /// What it holds, in order.
    pub(crate) pieces: Vec<Piece>,
    /// Bytes of input that it stands for.
    pub(crate) bytes: u64,
}

/// A run of whole records of one file.
pub(crate) struct Piece {
    /// Index of the source in the plan.
    pub(crate) source: usize,
    /// The file, relative to the root of its source.
    pub(crate) file: Arc<str>,
    /// What was read.
    pub(crate) content: Content,
}

/// What was read of a file.
pub(crate) enum Content {
    /// Whole records.
    Records {
        /// Index of the reader in the source.
        reader: usize,
        /// The bytes.
        bytes: Vec<u8>,
        /// Where they begin in the file.
        offset: u64,
        /// The ordinal of the first record.
        first_ordinal: u64,
    },
    /// A file that could not be read, or not to its end: one dead letter.
    Failed(Box<Record>),
}
