//! The document and where it came from.

use std::sync::Arc;

use crate::{Form, Metadata};

/// One document: a row of the collection, not a column, because scraped metadata differs from document to
/// document.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Document {
    /// The user's own identifier; else the relative path of the file, with the place of the record behind it where the
    /// file holds several: `dump.jsonl#1024` (byte offset in the decompressed file, or row). Never empty in a run.
    pub id: String,
    /// The text as it stands at this point of the pipeline.
    pub text: String,
    /// The bytes as scraped (HTML, a WARC body, a line that could not be parsed), if the reader kept them.
    pub raw: Option<Vec<u8>>,
    /// What is known about the document beside its text.
    pub metadata: Metadata,
    /// Where the document was read.
    pub origin: Origin,
    /// What the text is, as far as reader and stages have said.
    pub form: Option<Form>,
}

/// Where a document was read: enough to find its bytes again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The input file, as a path relative to the input that named it, with `/` between the parts.
    pub file: Arc<str>,
    /// First byte of the record in the (decompressed) file.
    pub offset: u64,
    /// Length of the record in bytes; 0 when the format has no byte range, such as a Parquet row.
    pub length: u64,
    /// Position of the record in its file, counted from 0; a row or line that fails keeps its number.
    pub ordinal: u64,
}

impl Default for Origin {
    fn default() -> Self {
        Self { file: Arc::from(""), offset: 0, length: 0, ordinal: 0 }
    }
}

impl Document {
    /// A document with an identifier and a text, as tests and `[[test]]` tables need it.
    pub fn new(id: impl Into<String>, text: impl Into<String>) -> Self {
        Self { id: id.into(), text: text.into(), ..Self::default() }
    }

    /// The bytes that this document holds in memory, for the bound on documents in flight.
    pub fn size(&self) -> usize {
        self.id.len() + self.text.len() + self.raw.as_ref().map_or(0, Vec::len) + self.metadata.size()
    }
}
