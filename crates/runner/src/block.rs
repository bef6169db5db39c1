//! The unit of work: some records of one or more files.

use std::sync::Arc;

use tamis_document::Record;

/// What a piece takes in memory beside its bytes, roughly; also what keeps a million empty files from being
/// one block.
const PIECE_OVERHEAD: u64 = 256;

/// The unit of work; as many small files, or as much of a large one, as fill the block size.
pub(crate) struct Block {
    /// Position in the corpus; results are written in this order.
    pub(crate) sequence: u64,
    /// What it holds, in order.
    pub(crate) pieces: Vec<Piece>,
    /// Bytes of input that it stands for.
    pub(crate) bytes: u64,
    /// Bytes that it holds in memory.
    pub(crate) weight: u64,
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
    /// What could not be read: a file, the rest of one, or a record; one dead letter.
    Failed(Box<Record>),
}

impl Block {
    /// An empty block.
    pub(crate) fn new(sequence: u64) -> Self {
        Self { sequence, pieces: Vec::new(), bytes: 0, weight: 0 }
    }

    /// Adds a piece that stands for `bytes` bytes of input.
    pub(crate) fn push(&mut self, piece: Piece, bytes: u64) {
        self.bytes += bytes;
        self.weight += PIECE_OVERHEAD + piece.content.size() as u64;
        self.pieces.push(piece);
    }
}

impl Content {
    fn size(&self) -> usize {
        match self {
            Self::Records { bytes, .. } => bytes.len(),
            Self::Failed(record) => record.document.size(),
        }
    }
}
