//! Opened stages, as the runner drives them.
//!
//! Implemented by the host over plugin tables.
//! All handles are shared between workers; state that belongs to one worker stays behind the handle.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tamis_document::{Document, Record};

use crate::keyed::{Choice, Emitted, Group, Index, Known, Round, Rounds};
use crate::{Block, Cut, Failure, Forms, Kind, Output, RandomAccess, Sketch, Split, Workspace};

/// An opened stage of any kind.
pub enum OpenStage {
    /// A reader.
    Reader(Box<dyn ReaderHandle>),
    /// A filter or an extractor.
    Transform(Box<dyn TransformHandle>),
    /// A corpus stage.
    Corpus(Box<dyn CorpusHandle>),
    /// An exporter.
    Exporter(Box<dyn ExporterHandle>),
}

impl OpenStage {
    /// Whether it is what a stage of this kind opens as.
    pub fn fits(&self, kind: Kind) -> bool {
        match self {
            Self::Reader(_) => kind == Kind::Reader,
            Self::Transform(_) => matches!(kind, Kind::Filter | Kind::Extractor),
            Self::Corpus(_) => kind == Kind::Corpus,
            Self::Exporter(_) => kind == Kind::Exporter,
        }
    }

    /// How often it must see all documents before it is applied to them; see [`CorpusHandle::observing_passes`].
    pub fn observing_passes(&self) -> u32 {
        match self {
            Self::Corpus(corpus) => corpus.observing_passes(),
            Self::Reader(_) | Self::Transform(_) | Self::Exporter(_) => 0,
        }
    }

    /// What it has worked out from its options that a user should know before a run.
    pub fn notes(&self) -> Vec<String> {
        match self {
            Self::Corpus(corpus) => corpus.notes().to_vec(),
            Self::Reader(_) | Self::Transform(_) | Self::Exporter(_) => Vec::new(),
        }
    }

    /// What it says of forms.
    pub fn forms(&self) -> Forms {
        match self {
            Self::Reader(reader) => reader.forms(),
            Self::Transform(transform) => transform.forms(),
            Self::Corpus(corpus) => corpus.forms(),
            Self::Exporter(_) => Forms::new(),
        }
    }
}

/// The beginning of the names under which documents are counted whose texts are of a form that the stage does not work
/// on; the form follows.
pub const WRONG_FORM: &str = "wrong_form:";

/// Counts that a stage kept while it worked, by name.
pub type Counts = BTreeMap<String, u64>;

/// What a call did beside changing its records.
#[derive(Debug, Default)]
pub struct Effects {
    /// Counts by name.
    pub counts: Counts,
    /// The values of each declared measure, by its name.
    pub measures: BTreeMap<Cow<'static, str>, Sketch>,
    /// Documents that were split off: the index of the record they come from, and the document.
    pub split: Vec<(usize, Document)>,
}

/// An opened reader.
pub trait ReaderHandle: Send + Sync {
    /// What it says of forms, with the options that it was opened with.
    fn forms(&self) -> Forms {
        Forms::new()
    }

    /// See [`crate::Reader::sniff`].
    fn sniff(&self, head: &[u8], complete: bool, name: &str) -> u8;

    /// How many bytes at the start of a file belong to each of its blocks; see [`crate::Reader::head`].
    ///
    /// `block` is the beginning of the file.
    ///
    /// # Errors
    ///
    /// When the plugin failed or broke its contract.
    fn head(&self, _block: &Block<'_>, _end: bool) -> Result<Option<usize>, Failure> {
        Ok(Some(0))
    }

    /// Indexes a file, for a reader with [`random_access`](crate::StageFlags).
    /// See [`crate::FileReader::index`].
    ///
    /// # Errors
    ///
    /// When the file is unreadable as a whole.
    fn index(
        &self,
        _file: &str,
        _bytes: Arc<dyn RandomAccess>,
        _target_bytes: u64,
    ) -> Result<Box<dyn IndexedFile>, Failure> {
        Err(Failure::new("the reader takes blocks"))
    }

    /// See [`crate::Reader::cut`].
    ///
    /// # Errors
    ///
    /// When the plugin failed or broke its contract.
    fn cut(&self, block: &Block<'_>, end: bool) -> Result<Cut, Failure>;

    /// Decodes a block and appends its records, failed ones included, in order.
    ///
    /// # Errors
    ///
    /// When the block as a whole is unreadable; what was appended by then must not be used.
    fn decode(
        &self,
        block: &Block<'_>,
        records: &mut Vec<Record>,
        effects: &mut Effects,
    ) -> Result<(), Failure>;
}

/// A file whose parts can be decoded.
pub trait IndexedFile: Send + Sync {
    /// The parts, in order.
    fn splits(&self) -> &[Split];

    /// Decodes a part and appends its records, failed ones included, in order.
    ///
    /// # Errors
    ///
    /// When the part as a whole is unreadable; what was appended by then must not be used.
    fn decode(&self, split: usize, records: &mut Vec<Record>, effects: &mut Effects) -> Result<(), Failure>;
}

/// An opened filter or extractor.
pub trait TransformHandle: Send + Sync {
    /// What it says of forms, with the options that it was opened with.
    fn forms(&self) -> Forms {
        Forms::new()
    }

    /// Counters that the stage has declared, in name order; see [`crate::Extractor::counters`].
    fn counters(&self) -> &[String] {
        &[]
    }

    /// Judges and changes `records`, all of which are kept when it is called; those that no longer are
    /// carry their reason.
    fn process(&self, records: &mut [Record], effects: &mut Effects);
}

/// What the rows of a saved state are that an engine gets to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StateRows {
    /// Their columns, and how an engine reduces them.
    pub round: Round,
    /// Whether they say of the entries of the state, in their order, by a hash of the key how many documents have each:
    /// then an entry whose sum over all states is 1 decides nothing ([`CorpusHandle::keep_entries`]). Otherwise what is
    /// left of rows is taken in their place ([`CorpusHandle::load_rows`]).
    pub are_of_entries: bool,
}

/// An opened corpus stage.
pub trait CorpusHandle: Send + Sync {
    /// What it says of forms, with the options that it was opened with.
    fn forms(&self) -> Forms {
        Forms::new()
    }

    /// How often the corpus is observed before it is applied; 0 if the options bring what there is to learn.
    fn observing_passes(&self) -> u32;

    /// What the passes collect and what is made of it, where the stage has the keyed form: its states are then
    /// sorted rows, which an engine for tables can reduce as well.
    fn rounds(&self) -> Option<&Rounds> {
        None
    }

    /// What it has worked out from its options that a user should know before a run.
    fn notes(&self) -> &[String] {
        &[]
    }

    /// Whether an option is left to [`CorpusHandle::resolve`].
    fn resolves(&self) -> bool {
        false
    }

    /// Chooses options by a sample of texts, and by how many documents there will be.
    ///
    /// # Errors
    ///
    /// When the stage cannot choose.
    fn resolve(&self, _texts: &[String], _n_documents: u64) -> Result<Vec<Choice>, Failure> {
        Ok(Vec::new())
    }

    /// Whether what it sees is left as an index, so that documents can be added to the output of this run later.
    fn keeps_index(&self) -> bool {
        false
    }

    /// Gives the stage the indexes of earlier runs to compare with, beside those that its options name. Before
    /// the first pass ends.
    fn compare_with(&self, _indexes: Vec<PathBuf>) {}

    /// What went wrong with what the stage has put on the disk, if anything did: the run cannot go on, because that
    /// is no document's fault.
    fn broken(&self) -> Option<Failure> {
        None
    }

    /// Gives the stage its place on the disk; see [`crate::CorpusStage::prepare`].
    ///
    /// # Errors
    ///
    /// When the stage cannot work there.
    fn prepare(&self, _workspace: &Workspace) -> Result<(), Failure> {
        Ok(())
    }

    /// Shows records to the stage.
    fn observe(&self, pass: u32, records: &mut [Record], effects: &mut Effects);

    /// Merges what all workers have seen.
    ///
    /// # Errors
    ///
    /// When the stage cannot go on.
    fn merge(&self, pass: u32) -> Result<(), Failure>;

    /// Ends the pass, after [`CorpusHandle::merge`].
    ///
    /// # Errors
    ///
    /// When the stage cannot go on.
    fn end_pass(&self, pass: u32) -> Result<(), Failure>;

    /// Judges and changes `records`.
    fn apply(&self, records: &mut [Record], effects: &mut Effects);

    /// Writes the merged state of a pass, after [`CorpusHandle::merge`] and before the pass ends.
    ///
    /// # Errors
    ///
    /// When the stage cannot save its state.
    fn save(&self, pass: u32, out: &mut dyn Write) -> Result<(), Failure>;

    /// Merges a saved state of a pass in.
    ///
    /// # Errors
    ///
    /// When the bytes are not a state of this stage and options.
    fn load(&self, pass: u32, state: &mut dyn Read) -> Result<(), Failure>;

    /// Writes the rows of a saved state of a pass, one behind the other, for an engine to reduce, and hands on what they
    /// are; nothing where only the machinery here can: rows of any length, and those that are compared with earlier runs.
    ///
    /// # Errors
    ///
    /// When the bytes are not a state of this stage and options, or the rows cannot be written.
    fn export_rows(
        &self,
        _pass: u32,
        _state: &mut dyn Read,
        _out: &mut dyn Write,
    ) -> Result<Option<StateRows>, Failure> {
        Ok(None)
    }

    /// Writes a saved state whose rows are of counted entries ([`StateRows::are_of_entries`]) without some of them. Of
    /// each there is a mark, in their order: a byte that is 1 where it stays, and 0 where it goes. How many have stayed.
    ///
    /// # Errors
    ///
    /// When the state is no such one, or the marks are of another, or it cannot be written.
    fn keep_entries(
        &self,
        _state: &mut dyn Read,
        _marks: &mut dyn Read,
        _out: &mut dyn Write,
    ) -> Result<u64, Failure> {
        Err(Failure::new("it has no entries that are counted"))
    }

    /// Takes rows of a pass that an engine has left, in any order: the pass ends as if nothing else had been seen.
    ///
    /// # Errors
    ///
    /// When the stage takes none, or they break off.
    fn load_rows(&self, _pass: u32, _rows: &mut dyn Read) -> Result<(), Failure> {
        Err(Failure::new("the stage takes no rows"))
    }

    /// Merges a saved state of a pass in, but for its rows: those come from an engine.
    ///
    /// # Errors
    ///
    /// As for [`CorpusHandle::load`].
    fn load_beside_rows(&self, _pass: u32, _state: &mut dyn Read) -> Result<(), Failure> {
        Err(Failure::new("the stage takes no rows"))
    }

    /// Whether what a pass has brought can be saved when it has ended, so that others need not end it again.
    fn has_outcomes(&self) -> bool {
        false
    }

    /// Writes what a pass has brought, after [`CorpusHandle::end_pass`].
    ///
    /// # Errors
    ///
    /// When there is no such outcome, or it cannot be written.
    fn save_outcome(&self, _pass: u32, _out: &mut dyn Write) -> Result<(), Failure> {
        Err(Failure::new("the stage has no outcomes to save"))
    }

    /// Takes what a pass has brought from the bytes of a file that begin at `at`: the pass has then ended.
    ///
    /// # Errors
    ///
    /// When the bytes are not an outcome of this stage and options.
    fn open_outcome(&self, _pass: u32, _path: &Path, _at: u64) -> Result<(), Failure> {
        Err(Failure::new("the stage takes no outcomes"))
    }
}

/// An opened keyed stage, for whoever runs its rounds.
pub trait KeyedHandle: Send + Sync {
    /// What it declares; it has been checked.
    fn rounds(&self) -> &Rounds;

    /// What it says of forms, with the options that it was opened with.
    fn forms(&self) -> Forms {
        Forms::new()
    }

    /// What it does with documents of other runs; it has been checked.
    fn index(&self) -> Index {
        Index::default()
    }

    /// What it has worked out from its options that a user should know before a run.
    fn notes(&self) -> &[String] {
        &[]
    }

    /// Shows records to the stage. Rows of records that fail must not be used.
    fn observe(
        &self,
        round: u32,
        records: &mut [Record],
        known: &dyn Known,
        emitted: &mut Emitted,
        effects: &mut Effects,
    );

    /// Shows the rows of a key to the stage; the facts that it emits begin with a position.
    ///
    /// # Errors
    ///
    /// When the stage cannot go on.
    fn visit(
        &self,
        round: u32,
        group: &mut dyn Group,
        known: &dyn Known,
        facts: &mut Emitted,
    ) -> Result<(), Failure>;

    /// Whether an option is left to [`KeyedHandle::resolve`].
    fn resolves(&self) -> bool {
        false
    }

    /// Chooses options by a sample of texts, and by how many documents there will be.
    ///
    /// # Errors
    ///
    /// When the stage cannot choose.
    fn resolve(&self, _texts: &[String], _n_documents: u64) -> Result<Vec<Choice>, Failure> {
        Ok(Vec::new())
    }

    /// Shows the stage what an index has of a document; it emits the rows that the document has in a round.
    ///
    /// # Errors
    ///
    /// When the stage cannot go on.
    fn recall(
        &self,
        round: u32,
        _entry: &[u8],
        _known: &dyn Known,
        _rows: &mut Emitted,
    ) -> Result<(), Failure> {
        Err(Failure::new(format!("round {round} is to be given an index, and the stage takes none")))
    }

    /// Judges and changes `records`.
    fn apply(&self, records: &mut [Record], known: &dyn Known, effects: &mut Effects);
}

/// An opened exporter.
pub trait ExporterHandle: Send + Sync {
    /// The ending of its files, without a dot.
    fn extension(&self) -> String;

    /// Bytes at the start of every part.
    ///
    /// # Errors
    ///
    /// When the plugin failed or broke its contract.
    fn head(&self) -> Result<Vec<u8>, Failure>;

    /// Bytes at the end of every part.
    ///
    /// # Errors
    ///
    /// When the plugin failed or broke its contract.
    fn tail(&self) -> Result<Vec<u8>, Failure>;

    /// Encodes `records` in order; returns the index and failure of each that could not be encoded.
    ///
    /// For an exporter with [`parts`](crate::StageFlags) the bytes are a chunk for [`PartHandle::add`].
    fn encode(&self, records: &[Record], out: &mut Output) -> Vec<(usize, Failure)>;

    /// Begins a part, for an exporter with [`parts`](crate::StageFlags); see [`crate::PartExporter::begin`].
    ///
    /// # Errors
    ///
    /// When the part cannot be written.
    fn begin(&self, _path: &Path, _out: &mut Vec<u8>) -> Result<Box<dyn PartHandle + '_>, Failure> {
        Err(Failure::new("the exporter writes a stream"))
    }
}

/// A part that is being written.
pub trait PartHandle: Send {
    /// See [`crate::PartExporter::add`].
    ///
    /// # Errors
    ///
    /// When the part cannot be written.
    fn add(&mut self, chunk: Vec<u8>, out: &mut Vec<u8>) -> Result<(), Failure>;

    /// See [`crate::PartExporter::end`].
    ///
    /// # Errors
    ///
    /// When the part cannot be written.
    fn end(self: Box<Self>, out: &mut Vec<u8>) -> Result<(), Failure>;
}
