//! The units of work: some records of one or more files, and where they end.

use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use tamis_document::Record;
use tamis_stage::handle::{Counts, IndexedFile};

use crate::clock::Spent;
use crate::disk::spill::Frame;
use crate::fates::Block as FateBlock;
use crate::reasons::Unread;
use crate::tally::{InputTally, Tally};
use crate::work::place::Container;

/// What a piece takes in memory beside its bytes, roughly; also what keeps a million empty files from being
/// one block.
pub(crate) const PIECE_OVERHEAD: u64 = 256;

/// What a worker is given.
pub(crate) struct Task {
    /// Position among all tasks of the segment; results are written in this order.
    pub(crate) sequence: u64,
    /// The credit that it takes, in bytes of memory.
    pub(crate) weight: u64,
    /// What there is to do.
    pub(crate) work: Work,
    /// Where the reading goes on behind it.
    pub(crate) end: Position,
}

/// What there is to do.
pub(crate) enum Work {
    /// Records to decode.
    Block(Block),
    /// Small files to read: a worker does that, because opening them costs more than what is in them.
    Files(Range<usize>),
    /// Records that an earlier segment has put aside.
    Spilled(Frame),
    /// Records that were put aside before the run was interrupted: a corpus stage must see them again.
    Seen(Frame),
}

/// Where reading goes on: the beginning of a block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Position {
    /// Index of the input file; of a spill, the frame.
    pub(crate) file: usize,
    /// Index of the member of an archive.
    pub(crate) member: u64,
    /// Bytes of the (decompressed) file or member that lie before it.
    pub(crate) offset: u64,
    /// Ordinals that lie before it; of a file with an index, its parts.
    pub(crate) ordinal: u64,
    /// Whether something before it in the file was written off, for the account of the input.
    #[serde(default)]
    pub(crate) is_broken: bool,
}

/// Some records; as many small files, or as much of a large one, as fill the block size.
#[derive(Default)]
pub(crate) struct Block {
    /// What it holds, in order.
    pub(crate) pieces: Vec<Piece>,
    /// Bytes of input that it stands for.
    pub(crate) bytes: u64,
    /// Bytes that it holds in memory.
    pub(crate) weight: u64,
    /// Whether nothing more is to be added, however little it weighs.
    pub(crate) is_closed: bool,
    /// The files and members that end in it.
    pub(crate) input: InputTally,
    /// Those that could not be read, or not to the end.
    pub(crate) unread: Unread,
}

/// A run of whole records of one file.
pub(crate) struct Piece {
    /// Index of the source in the plan.
    pub(crate) source: usize,
    /// The file, or the member of an archive, among all inputs.
    pub(crate) container: Container,
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
        /// The bytes at the start of the file that belong to all its blocks.
        head: Arc<[u8]>,
        /// The bytes.
        bytes: Vec<u8>,
        /// Where they begin in the file.
        offset: u64,
        /// The ordinal of the first record.
        first_ordinal: u64,
        /// Where the records begin in the file that the ordinal counts; 0 but in a shard that begins inside.
        counted_from: u64,
    },
    /// A part of a file with an index.
    Split {
        /// The file.
        indexed: Arc<dyn IndexedFile>,
        /// The index of the part.
        split: usize,
    },
    /// Records that were decoded while they were read, since only some are wanted.
    Decoded(Box<Decoded>),
    /// What could not be read: a file, the rest of one, or a record; one dead letter.
    Failed(Box<Record>),
}

impl Block {
    /// Whether nothing more is to be added.
    pub(crate) fn is_full(&self, block_bytes: usize) -> bool {
        self.is_closed || self.weight >= block_bytes as u64
    }

    /// Whether it says nothing: no records, and no file that ends.
    pub(crate) fn is_empty(&self) -> bool {
        self.pieces.is_empty() && self.input == InputTally::default()
    }

    /// Whether its last piece is a part of this file.
    pub(crate) fn holds_part_of(&self, file: &Arc<dyn IndexedFile>) -> bool {
        let last = self.pieces.last().map(|piece| &piece.content);
        matches!(last, Some(Content::Split { indexed, .. }) if Arc::ptr_eq(indexed, file))
    }

    /// Adds a piece that stands for `bytes` bytes of input.
    pub(crate) fn push(&mut self, piece: Piece, bytes: u64) {
        self.bytes += bytes;
        self.weight += PIECE_OVERHEAD + piece.content.size();
        self.pieces.push(piece);
    }
}

impl Content {
    fn size(&self) -> u64 {
        match self {
            Self::Records { bytes, .. } => bytes.len() as u64,
            Self::Split { indexed, split, .. } => {
                indexed.splits().get(*split).map_or(0, |split| split.weight)
            }
            Self::Decoded(decoded) => decoded.size(),
            Self::Failed(record) => record.document.size() as u64,
        }
    }
}

/// What a reader made of a piece.
pub(crate) struct Decoded {
    pub(crate) records: Vec<Record>,
    pub(crate) counts: Counts,
    pub(crate) time: Spent,
    /// Whether it is one dead letter, of a whole file or its first block, that its reader could make nothing of.
    pub(crate) is_unread: bool,
}

impl Decoded {
    /// Bytes that it holds in memory.
    pub(crate) fn size(&self) -> u64 {
        self.records.iter().map(|record| record.document.size() as u64).sum()
    }
}

/// What became of a task, or of the first part of it.
pub(crate) struct Done {
    pub(crate) sequence: u64,
    /// The place of this result among those of the task.
    pub(crate) place: u64,
    pub(crate) is_last: bool,
    /// Bytes of input that it stands for.
    pub(crate) bytes: u64,
    /// The credit to give back.
    pub(crate) weight: u64,
    /// Where reading goes on behind the task.
    pub(crate) end: Position,
    /// What there is to write; nothing for records that were seen again.
    pub(crate) content: Option<Results>,
}

/// What there is to write.
#[derive(Default)]
pub(crate) struct Results {
    /// One an export, in plan order.
    pub(crate) chunks: Vec<Chunk>,
    /// What is put aside for the next segment.
    pub(crate) spill: Option<Frame>,
    pub(crate) tally: Tally,
    /// Records that went out, counted after the last stage: kept or put aside, dropped, failed.
    pub(crate) counts: [u64; 3],
    /// What became of each of those that leave the run here.
    pub(crate) fates: Option<FateBlock>,
    /// Records that came out of the spill of the segment before.
    pub(crate) unspilled: u64,
}

/// What a block adds to one export.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    /// What it adds to parts, at most one entry a folder.
    pub(crate) parts: Vec<PartChunk>,
    /// Named files.
    pub(crate) files: Vec<(String, Vec<u8>)>,
    /// Records in it.
    pub(crate) records: u64,
}

/// What a block adds to the current part of a folder.
#[derive(Debug, Default)]
pub(crate) struct PartChunk {
    /// The folder of the part below that of the export, with `/`; empty if the export has no partitions.
    pub(crate) folder: String,
    /// Bytes for the part, compressed as the export wants it, or a chunk for its exporter.
    pub(crate) bytes: Vec<u8>,
    /// Their length before compression; of an exporter with parts, the size of the documents.
    pub(crate) plain_bytes: u64,
    /// Records in it.
    pub(crate) records: u64,
}

/// The records of a block after the last stage, each kind in corpus order.
#[derive(Debug, Default)]
pub(crate) struct Sorted {
    pub(crate) kept: Vec<Record>,
    /// How many documents without an id were split off each kept record.
    pub(crate) numbered: Vec<u64>,
    pub(crate) dropped: Vec<Record>,
    pub(crate) failed: Vec<Record>,
}

impl Sorted {
    /// All records, kind by kind.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Record> {
        self.kept.iter().chain(&self.dropped).chain(&self.failed)
    }
}

/// What the scheduler must know of a result when it has been written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Written {
    pub(crate) sequence: u64,
    pub(crate) weight: u64,
    pub(crate) is_last: bool,
}
