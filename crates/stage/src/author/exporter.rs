//! Exporters.

use std::path::Path;

use crate::{ExportView, Failure, Options, SetupError};

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

/// Turns documents into files that are more than their records one after the other, such as those with an
/// index at the end.
///
/// Workers turn the records of a block into a chunk, in parallel; one thread adds the chunks to a part, in
/// order.
pub trait PartExporter: Sized + Send + Sync + 'static {
    /// The name in pipelines: the format, in kebab case.
    const NAME: &'static str;
    /// Fields that it needs.
    const READS: &'static [&'static str] = &["text"];
    /// See [`Exporter::REPLAYABLE`].
    const REPLAYABLE: bool = false;
    /// Whether it writes the file of a part itself, under the path that it is given, and puts out no bytes.
    const OWN_FILE: bool = false;
    /// The options.
    type Options: Options;
    /// A part that is being written.
    type Part: Send + 'static;

    /// Opens the exporter.
    ///
    /// # Errors
    ///
    /// When the options contradict each other.
    fn open(options: Self::Options) -> Result<Self, SetupError>;

    /// The ending of its files, without a dot: `parquet`.
    fn extension(&self) -> &str;

    /// Encodes the records of a block into one chunk, in any form that [`PartExporter::add`] understands;
    /// returns the index and failure of each record that has no form in this format, in order.
    ///
    /// Never called without records. When it returns failures the chunk is thrown away, and the records that
    /// are left may come again.
    fn encode(&self, records: &[ExportView<'_>], chunk: &mut Vec<u8>) -> Vec<(usize, Failure)>;

    /// Begins a part; `path` is its temporary file, which an exporter with [`PartExporter::OWN_FILE`] makes.
    ///
    /// Bytes for the file go to `out`, here and below.
    ///
    /// # Errors
    ///
    /// When the part cannot be written; the run ends. So below.
    fn begin(&self, path: &Path, out: &mut Vec<u8>) -> Result<Self::Part, Failure>;

    /// Adds a chunk.
    ///
    /// # Errors
    ///
    /// See [`PartExporter::begin`].
    fn add(&self, part: &mut Self::Part, chunk: Vec<u8>, out: &mut Vec<u8>) -> Result<(), Failure>;

    /// Ends a part; nothing of it may be written later.
    ///
    /// # Errors
    ///
    /// See [`PartExporter::begin`].
    fn end(&self, part: Self::Part, out: &mut Vec<u8>) -> Result<(), Failure>;
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
