//! Opened stages, as the runner drives them.
//!
//! Implemented by the host over plugin tables.
//! All handles are shared between workers; state that belongs to one worker stays behind the handle.

use std::collections::BTreeMap;

use tamis_document::{Document, Record};

use crate::{Block, Cut, Failure, Output};

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

/// Counts that a stage kept while it worked, by name.
pub type Counts = BTreeMap<String, u64>;

/// What a call did beside changing its records.
#[derive(Debug, Default)]
pub struct Effects {
    /// Counts by name.
    pub counts: Counts,
    /// Documents that were split off: the index of the record they come from, and the document.
    pub split: Vec<(usize, Document)>,
}

/// An opened reader.
pub trait ReaderHandle: Send + Sync {
    /// See [`crate::Reader::sniff`].
    fn sniff(&self, head: &[u8], complete: bool, name: &str) -> u8;

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

/// An opened filter or extractor.
pub trait TransformHandle: Send + Sync {
    /// Judges and changes `records`, all of which are kept when it is called; those that no longer are
    /// carry their reason.
    fn process(&self, records: &mut [Record], effects: &mut Effects);
}

/// An opened corpus stage.
pub trait CorpusHandle: Send + Sync {
    /// How often the corpus is observed before it is applied.
    fn observing_passes(&self) -> u32;

    /// Shows records to the stage.
    fn observe(&self, pass: u32, records: &mut [Record], effects: &mut Effects);

    /// Merges what all workers have seen and ends the pass.
    ///
    /// # Errors
    ///
    /// When the stage cannot go on.
    fn end_pass(&self, pass: u32) -> Result<(), Failure>;

    /// Judges and changes `records`.
    fn apply(&self, records: &mut [Record], effects: &mut Effects);

    /// The merged state of a pass as bytes, before the pass ends.
    ///
    /// # Errors
    ///
    /// When the stage cannot save its state.
    fn save(&self, pass: u32) -> Result<Vec<u8>, Failure>;

    /// Merges a saved state of a pass in.
    ///
    /// # Errors
    ///
    /// When the bytes are not a state of this stage and options.
    fn load(&self, pass: u32, state: &[u8]) -> Result<(), Failure>;
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
    fn encode(&self, records: &[Record], out: &mut Output) -> Vec<(usize, Failure)>;
}
