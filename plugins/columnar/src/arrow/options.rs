//! Options of the `arrow` reader and the `arrow` exporter.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tamis_readers::{FieldNames, TextForm};

use crate::parquet::ColumnType;

/// Reads one document from each row of an Arrow IPC file or stream.
///
/// Use it for what data frames and data set libraries keep on disk: `.arrow` and `.feather` (version 2) files,
/// and streams of record batches that were saved as they came. Batches are read on all cores.
///
/// ```toml
/// [[source]]
/// use = "arrow"
/// paths = ["data/*.arrow"]
/// fields = { id = "docid", text = "content" }
/// metadata = ["url", "title"]
/// ```
///
/// Numbers, booleans and strings keep their type. Dates, times and spans of time become strings in the form of
/// ISO 8601 (`2024-03-01`, `2024-03-01T10:00:00Z`, `P1Y2M3DT4.5S`), decimal numbers strings with their digits,
/// binary metadata Base64, lists, structs and maps JSON. Numbers that are not finite become null. Columns with
/// dictionaries or runs and unions are read as the values that they stand for.
///
/// A row with neither text nor raw content fails, with its values as JSON; the rows around it are read. A
/// batch that is damaged is one dead letter for each of its parts, and the other batches are read. A file
/// that was cut off, so that its footer is missing, is read up to there, and the rest is a dead letter. The
/// ordinal of a document is its row, from 0.
///
/// Limits: a batch is decompressed as a whole, whatever `memory` says, and takes at most 4 GiB. Files of
/// big-endian machines, tensors, and Feather files of version 1 are not read.
///
/// Source: <https://arrow.apache.org/docs/format/Columnar.html>.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ArrowOptions {
    /// The names of the columns that hold the identifier, the text and the raw page.
    ///
    /// A name with dots reaches into structs. Text may be strings or binary that is UTF-8, the raw page binary or strings.
    /// Ids that are binary are text if they are UTF-8, and hexadecimal digits if not or if all have one length.
    pub fields: FieldNames,
    /// The metadata columns to take; without it, every column that `fields` does not name.
    #[schemars(extend("uniqueItems" = true, "x-field" = "write"))]
    pub metadata: Option<Vec<String>>,
    /// New names for metadata columns: `rename = { published_at = "published" }`.
    ///
    /// A column named here is taken even if `metadata` does not list it.
    #[schemars(extend("x-field-keys" = "renamed", "additionalProperties" = {"type": "string", "x-field": "add"}))]
    pub rename: BTreeMap<String, String>,
    /// The column that is spread, a struct or JSON objects as strings: each member becomes a metadata field
    /// of its own.
    ///
    /// Empty: nothing is spread.
    #[schemars(extend("x-needs" = [{"metadata": {"not": [[]]}}, {"rename": "some"}]))]
    pub spread: String,
    /// What the text is, so that stages for pages or for flattened text are not given the wrong one; by default nobody
    /// knows.
    pub form: Option<TextForm>,
}

impl Default for ArrowOptions {
    fn default() -> Self {
        Self {
            fields: FieldNames::default(),
            metadata: None,
            rename: BTreeMap::new(),
            spread: tamis_readers::SPREAD.to_owned(),
            form: None,
        }
    }
}

/// Writes Arrow IPC files, which are also Feather files of version 2.
///
/// Use it to hand documents on to programs that map files into memory or want them without decoding; for
/// keeping them, `parquet` is smaller. The `arrow` reader reads them back as they were.
///
/// ```toml
/// [[export]]
/// use = "arrow"
/// path = "out"
/// columns = { url = "string", bytes = "integer" }
/// ```
///
/// The columns are `id`, `text`, one for each field in `columns`, and `metadata`: all other fields, as JSON in a
/// string. Dropped documents have three more, `stage`, `reason` and `measures` (JSON); failed ones have these,
/// `origin` (JSON) and `raw` (binary), all it takes to try again.
///
/// Each block of documents is a record batch, encoded and compressed on one of the cores. There are no
/// dictionaries.
///
/// Source: <https://arrow.apache.org/docs/format/Columnar.html>.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ArrowExportOptions {
    /// Metadata fields that get a column of their own, with their type.
    ///
    /// A document with a value of another type there fails; one without the field has null.
    #[schemars(extend("x-field" = "read", "x-needs" = {"from": {"not": ["failed"]}}))]
    pub columns: BTreeMap<String, ColumnType>,
    /// With `columns`, whether all other fields are written too: as JSON, in the column `metadata`.
    ///
    /// Without it they are left out.
    #[schemars(extend("x-needs" = {"columns": "some", "from": {"not": ["failed"]}}))]
    pub rest: bool,
    /// Whether documents carry the page as scraped, as `raw`; failed records do in any case.
    #[schemars(extend("x-needs" = {"from": {"not": ["failed"]}}))]
    pub raw: bool,
    /// Whether documents carry `origin`: file, offset, length and ordinal as JSON; failed records do in any
    /// case.
    #[schemars(extend("x-needs" = {"from": {"not": ["failed"]}}))]
    pub origin: bool,
    /// How columns are compressed.
    pub compression: ArrowCompression,
}

impl Default for ArrowExportOptions {
    fn default() -> Self {
        Self {
            columns: BTreeMap::new(),
            rest: true,
            raw: false,
            origin: false,
            compression: ArrowCompression::default(),
        }
    }
}

/// How the columns of a record batch are compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ArrowCompression {
    /// Small and fast, at level 3.
    #[default]
    Zstd,
    /// Faster and larger.
    Lz4,
    /// None: files can be mapped into memory and used as they are.
    None,
}
