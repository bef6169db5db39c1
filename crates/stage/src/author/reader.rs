//! Readers.

use tamis_document::{Form, ValueRef};

use crate::{Failure, Forms, Options, SetupError};

/// Turns bytes into documents.
///
/// The runner opens files, decompresses them and cuts them into blocks where [`Reader::cut`] says that a
/// record ends; blocks are decoded in parallel and in any order.
pub trait Reader: Sized + Send + Sync + 'static {
    /// The name in pipelines: the format, in kebab case.
    const NAME: &'static str;
    /// Fields that the documents have: `text`, `raw`, metadata; `*` for names known only from the data.
    const WRITES: &'static [&'static str] = &["text"];
    /// Whether a file is one unit that is never cut.
    const WHOLE_FILE: bool = false;
    /// Whether a record ends wherever a line does, and nothing before a line decides how it is read: several shards may
    /// then share a file, each from a line of its own on.
    const BY_LINE: bool = false;
    /// The options.
    type Options: Options;

    /// Opens the reader.
    ///
    /// # Errors
    ///
    /// When the options contradict each other.
    fn open(options: Self::Options) -> Result<Self, SetupError>;

    /// The forms that texts may have, as far as they are known before a file is read ([`Forms::giving`]); what a
    /// document is says [`NewDocument::form`].
    fn forms(&self) -> Forms {
        Forms::new()
    }

    /// How sure the reader is, from 0 (not mine) to 100, that a file is in its format.
    ///
    /// `head` is the beginning of the (decompressed) file, all of it when `complete`; `name` is its file
    /// name without compression endings. `use = "auto"` takes the surest reader.
    fn sniff(&self, _head: &[u8], _complete: bool, _name: &str) -> u8 {
        0
    }

    /// How many bytes at the start of a file belong to every block of it, such as the header line of a
    /// table: they come as [`Block::head`] and are not part of the first block.
    ///
    /// `None` asks for more bytes than `bytes`, the beginning of the file; with `end`, there are no more, and
    /// `None` says that the file has no such bytes.
    fn head(&self, _bytes: &[u8], _end: bool) -> Option<usize> {
        Some(0)
    }

    /// Where the last complete record in `bytes` ends; `bytes` starts at the start of a record.
    ///
    /// With `end`, nothing follows, and all of `bytes` must be taken.
    /// Not called for a reader of whole files.
    fn cut(&self, bytes: &[u8], end: bool) -> Cut {
        if end { Cut::At { bytes: bytes.len(), records: 1 } } else { Cut::More }
    }

    /// The same for a reader of files whose head ([`Reader::head`]) says how their records end.
    fn cut_behind(&self, _head: &[u8], bytes: &[u8], end: bool) -> Cut {
        self.cut(bytes, end)
    }

    /// Decodes a block into documents.
    ///
    /// # Errors
    ///
    /// When the block as a whole is unreadable: all of it becomes one dead letter.
    /// A single bad record is no error but [`Emit::failed`].
    fn decode(&self, block: &Block<'_>, emit: &mut dyn Emit) -> Result<(), Failure>;
}

/// Turns files into documents that cannot be read from front to back, such as those with an index at the end.
///
/// A file is indexed once: the reader says which parts it has, each of some records. Parts are decoded in
/// parallel and in any order, as blocks are.
pub trait FileReader: Sized + Send + Sync + 'static {
    /// The name in pipelines: the format, in kebab case.
    const NAME: &'static str;
    /// Fields that the documents have: `text`, `raw`, metadata; `*` for names known only from the data.
    const WRITES: &'static [&'static str] = &["text"];
    /// The options.
    type Options: Options;
    /// What is known about a file, shared by the workers that decode its parts.
    type File: Send + Sync + 'static;

    /// Opens the reader.
    ///
    /// # Errors
    ///
    /// When the options contradict each other.
    fn open(options: Self::Options) -> Result<Self, SetupError>;

    /// See [`Reader::forms`].
    fn forms(&self) -> Forms {
        Forms::new()
    }

    /// See [`Reader::sniff`].
    fn sniff(&self, _head: &[u8], _complete: bool, _name: &str) -> u8 {
        0
    }

    /// Reads the index of a file; its parts in order, each decoded to about `target_bytes` or to one record.
    ///
    /// # Errors
    ///
    /// When the file is unreadable as a whole: it becomes one dead letter.
    fn index(&self, bytes: &dyn RandomAccess, target_bytes: u64)
    -> Result<(Self::File, Vec<Split>), Failure>;

    /// Decodes a part into documents.
    ///
    /// # Errors
    ///
    /// When the part as a whole is unreadable: all of it becomes one dead letter.
    /// A single bad record is no error but [`Emit::failed`].
    fn decode(
        &self,
        file: &Self::File,
        bytes: &dyn RandomAccess,
        split: &Split,
        emit: &mut dyn Emit,
    ) -> Result<(), Failure>;
}

/// The bytes of a file, readable anywhere.
pub trait RandomAccess: Send + Sync {
    /// The length of the file in bytes.
    fn size(&self) -> u64;

    /// Fills `buffer` with the bytes from `offset` on.
    ///
    /// # Errors
    ///
    /// When the file ends before the buffer is full, or cannot be read.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<()>;
}

/// A part of a file: some records that are decoded together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split {
    /// The ordinal of the first record.
    pub first_ordinal: u64,
    /// How many records it has, at least 1: decoding emits exactly so many, failed ones included.
    pub records: u64,
    /// Roughly the bytes that it takes in memory when it is decoded.
    pub weight: u64,
    /// Bytes of the file that it stands for, for progress.
    pub bytes: u64,
    /// Whatever the reader needs to find the part again.
    pub token: [u64; 2],
}

/// Where to cut a stream of bytes into blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// No record ends in these bytes yet.
    More,
    /// The first `bytes` bytes (at least 1) hold `records` whole records.
    At {
        /// Bytes of whole records.
        bytes: usize,
        /// How many ordinals these records take, failed ones and blank rows included.
        records: u64,
    },
}

/// A run of whole records of one file.
#[derive(Debug, Clone, Copy)]
pub struct Block<'a> {
    /// The file, relative to its input.
    pub file: &'a str,
    /// The bytes at the start of the file that belong to every block; see [`Reader::head`].
    pub head: &'a [u8],
    /// The bytes of the block.
    pub bytes: &'a [u8],
    /// Where the block begins in the (decompressed) file.
    pub offset: u64,
    /// The ordinal of the first record.
    pub first_ordinal: u64,
}

/// Where a reader puts its documents, in the order in which they stand in the block.
pub trait Emit {
    /// A document.
    fn document(&mut self, document: &NewDocument<'_>);

    /// A record that could not be read: its bytes and the message become a dead letter.
    ///
    /// `offset` counts from the start of the file.
    fn failed(&mut self, ordinal: u64, offset: u64, raw: &[u8], failure: &Failure);

    /// Counts under a name what is no document and no failure, such as records of other kinds that a reader
    /// passes over; told in the summary of a run.
    ///
    /// A reader that emits nothing for a block that is not blank must have counted something.
    fn count(&mut self, _name: &str, _n: u64) {}
}

/// A document that a reader has read, borrowed.
#[derive(Debug, Clone, Copy, Default)]
pub struct NewDocument<'a> {
    /// The user's identifier. Without one the runner makes one: the file, and where it holds several records the place
    /// of this one behind it, `dump.jsonl#1024`: its offset, or its row where the file has an index.
    pub id: Option<&'a str>,
    /// The text.
    pub text: &'a str,
    /// The bytes as scraped, if a later stage may want them.
    pub raw: Option<&'a [u8]>,
    /// Metadata; of two fields of one name the last wins.
    pub metadata: &'a [(&'a str, ValueRef<'a>)],
    /// Position of the record in the file, from 0.
    pub ordinal: u64,
    /// First byte of the record in the file.
    pub offset: u64,
    /// Length of the record in bytes.
    pub length: u64,
    /// What the reader has made of the text already, for stages that would make it again; see [`View::flat`].
    ///
    /// [`View::flat`]: crate::View::flat
    pub attachments: &'a [Flat<'a>],
    /// What the text is, if the reader knows.
    pub form: Option<Form>,
}

/// Bytes that were made of a text, in a layout that is known by name and version; see [`View::attach`].
///
/// [`View::attach`]: crate::View::attach
#[derive(Debug, Clone, Copy)]
pub struct Flat<'a> {
    /// The name of the layout, at most 64 bytes, beginning with the name of whoever defines it.
    pub name: &'a str,
    /// Its version; readers of another one do not see the bytes.
    pub version: u64,
    /// The bytes.
    pub bytes: &'a [u8],
}
