//! The traits that authors implement, one a kind of stage.

use tamis_document::{ValueRef, Verdict};

use crate::{Draft, ExportView, Failure, Notes, Options, SetupError, View};

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
    /// The options.
    type Options: Options;

    /// Opens the reader.
    ///
    /// # Errors
    ///
    /// When the options contradict each other.
    fn open(options: Self::Options) -> Result<Self, SetupError>;

    /// How sure the reader is, from 0 (not mine) to 100, that a file is in its format.
    ///
    /// `head` is the beginning of the (decompressed) file, all of it when `complete`; `name` is its file
    /// name without compression endings. `use = "auto"` takes the surest reader.
    fn sniff(&self, _head: &[u8], _complete: bool, _name: &str) -> u8 {
        0
    }

    /// Where the last complete record in `bytes` ends; `bytes` starts at the start of a record.
    ///
    /// With `end`, nothing follows, and all of `bytes` must be taken.
    /// Not called for a reader of whole files.
    fn cut(&self, bytes: &[u8], end: bool) -> Cut {
        if end { Cut::At { bytes: bytes.len(), records: 1 } } else { Cut::More }
    }

    /// Decodes a block into documents.
    ///
    /// # Errors
    ///
    /// When the block as a whole is unreadable: all of it becomes one dead letter.
    /// A single bad record is no error but [`Emit::failed`].
    fn decode(&self, block: &Block<'_>, emit: &mut dyn Emit) -> Result<(), Failure>;
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
}

/// A document that a reader has read, borrowed.
#[derive(Debug, Clone, Copy, Default)]
pub struct NewDocument<'a> {
    /// The user's identifier; without one the host makes `<file>#<ordinal>`.
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
}

/// Judges a document and does not change it.
///
/// A function of its options and the document: no clock, no input or output, no randomness.
pub trait Filter: Sized + Send + Sync + 'static {
    /// The name in pipelines: the measure, in kebab case.
    const NAME: &'static str;
    /// Fields that it needs.
    const READS: &'static [&'static str] = &["text"];
    /// The options.
    type Options: Options;

    /// Opens the filter.
    ///
    /// # Errors
    ///
    /// When the options contradict each other or name a file that cannot be read.
    fn open(options: Self::Options) -> Result<Self, SetupError>;

    /// Judges one document.
    ///
    /// # Errors
    ///
    /// When the document cannot be judged: it becomes a dead letter.
    fn filter(&self, document: &View<'_>, notes: &mut Notes) -> Result<Verdict, Failure>;
}

/// Changes a document, or splits it; may also drop it.
///
/// A function of its options and the document: no clock, no input or output, no randomness.
pub trait Extractor: Sized + Send + Sync + 'static {
    /// The name in pipelines: a verb or what it extracts, in kebab case.
    const NAME: &'static str;
    /// Fields that it needs.
    const READS: &'static [&'static str] = &["text"];
    /// Fields that it may write.
    const WRITES: &'static [&'static str] = &["text"];
    /// The options.
    type Options: Options;

    /// Opens the extractor.
    ///
    /// # Errors
    ///
    /// When the options contradict each other or name a file that cannot be read.
    fn open(options: Self::Options) -> Result<Self, SetupError>;

    /// Changes one document.
    ///
    /// # Errors
    ///
    /// When the document cannot be processed: it becomes a dead letter, unchanged.
    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure>;
}

/// Judges or changes a document by what it has seen of all others.
///
/// Every pass shows each document once to some [`CorpusStage::Local`]; at the end of a pass all locals are
/// merged in any order, so merging must be commutative.
/// Then [`CorpusStage::apply`] sees each document once more.
pub trait CorpusStage: Sized + Send + Sync + 'static {
    /// The name in pipelines, in kebab case.
    const NAME: &'static str;
    /// Fields that it needs.
    const READS: &'static [&'static str] = &["text"];
    /// Fields that it may write.
    const WRITES: &'static [&'static str] = &[];
    /// How often the corpus is observed before it is applied.
    const OBSERVING_PASSES: u32 = 1;
    /// The options.
    type Options: Options;
    /// The state of one worker during one pass.
    type Local: Default + Send + 'static;

    /// Opens the stage.
    ///
    /// # Errors
    ///
    /// When the options contradict each other or name a file that cannot be read.
    fn open(options: Self::Options) -> Result<Self, SetupError>;

    /// Sees one document.
    ///
    /// # Errors
    ///
    /// When the document cannot be observed: it becomes a dead letter.
    fn observe(&self, pass: u32, local: &mut Self::Local, document: &View<'_>) -> Result<(), Failure>;

    /// Takes in what one worker has seen.
    fn merge(&self, pass: u32, local: Self::Local);

    /// Ends a pass: every local has been merged.
    ///
    /// # Errors
    ///
    /// When the stage cannot go on; the run ends.
    fn end_pass(&self, _pass: u32) -> Result<(), Failure> {
        Ok(())
    }

    /// Judges or changes one document.
    ///
    /// # Errors
    ///
    /// When the document cannot be processed: it becomes a dead letter, unchanged.
    fn apply(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure>;

    /// The merged state of a pass as bytes, the same for the same state; asked for before the pass ends.
    fn save(&self, pass: u32) -> Vec<u8>;

    /// Merges a saved state of a pass in.
    ///
    /// # Errors
    ///
    /// When the bytes are not a state of this stage and options.
    fn load(&self, pass: u32, state: &[u8]) -> Result<(), Failure>;
}

/// Turns documents into bytes.
///
/// Encoding happens on the workers, writing in order on one thread; the runner compresses, names, renames
/// and hashes the files.
pub trait Exporter: Sized + Send + Sync + 'static {
    /// The name in pipelines: the format, in kebab case.
    const NAME: &'static str;
    /// Fields that it needs.
    const READS: &'static [&'static str] = &["text"];
    /// Whether it writes one named file a document ([`Output::file`]) and no common stream.
    const NAMED_FILES: bool = false;
    /// Whether it writes all of a failed record, raw bytes and place included, so that nothing is lost when
    /// it writes the dead letters of a pipeline.
    const REPLAYABLE: bool = false;
    /// The options.
    type Options: Options;

    /// Opens the exporter.
    ///
    /// # Errors
    ///
    /// When the options contradict each other.
    fn open(options: Self::Options) -> Result<Self, SetupError>;

    /// The ending of its files, without a dot: `jsonl`.
    fn extension(&self) -> &str;

    /// Bytes at the start of every part, such as a header line.
    fn head(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Bytes at the end of every part.
    fn tail(&self) -> Vec<u8> {
        Vec::new()
    }

    /// Encodes one record.
    ///
    /// # Errors
    ///
    /// When the record has no form in this format: it becomes a dead letter, and what it wrote is taken
    /// back.
    fn encode(&self, record: &ExportView<'_>, out: &mut Output) -> Result<(), Failure>;
}

/// What an exporter has encoded.
#[derive(Debug, Default)]
pub struct Output {
    /// Bytes for the common stream.
    pub bytes: Vec<u8>,
    /// Named files: path relative to the export's folder with `/` between the parts, and content.
    pub files: Vec<(String, Vec<u8>)>,
}

impl Output {
    /// Adds a named file; the runner makes the name unique and refuses one that leaves the folder.
    pub fn file(&mut self, path: impl Into<String>, content: Vec<u8>) {
        self.files.push((path.into(), content));
    }
}
