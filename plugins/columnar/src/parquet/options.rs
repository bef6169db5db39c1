//! Options of the `parquet` reader and the `parquet` exporter.

use std::collections::BTreeMap;

use arrow_schema::DataType;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tamis_readers::{FieldNames, TextForm};

/// Reads one document from each row of a Parquet file.
///
/// Use it for `.parquet` files, large ones too: row groups are read in parts, on all cores, and only the
/// columns that are wanted are read at all.
///
/// ```toml
/// [[source]]
/// use = "parquet"
/// paths = ["crawl/*.parquet"]
/// fields = { id = "docid", text = "content" }
/// metadata = ["url", "title"]
/// ```
///
/// Numbers, booleans and strings keep their type. Dates, times and spans of time become strings in the form of
/// ISO 8601 (`2024-03-01`, `2024-03-01T10:00:00Z`, `P1Y2M3DT4.5S`), decimal numbers strings with their digits,
/// binary metadata Base64, lists, structs and maps JSON. Numbers that are not finite become null. Moments that are
/// written as INT96 have microseconds.
///
/// A row with neither text nor raw content fails, with its values as JSON; the rows around it are read. A
/// part of the file that is damaged is one dead letter, and the other parts are read. The ordinal of a
/// document is its row, from 0.
///
/// Row groups are cut by what their rows take, dictionaries expanded; a page is decompressed as a whole.
///
/// Limits: encrypted files and the compression `lzo` are not read; of encrypted files whose footer is plain the message
/// says that they are damaged. A damaged file without a readable footer is a dead letter as a whole. So are some files
/// that break the format in ways which other readers pass over: dictionaries that say a wrong size, lists without the
/// annotation that they are some, offsets of 0. Check sums of pages that are there are looked at.
///
/// Source: <https://parquet.apache.org/docs/file-format/>.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ParquetOptions {
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

impl Default for ParquetOptions {
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

/// Writes Parquet files.
///
/// Use it to hand documents on to data frames and query engines. The `parquet` reader reads them back as
/// they were.
///
/// ```toml
/// [[export]]
/// use = "parquet"
/// path = "out"
/// columns = { url = "string", bytes = "integer" }
/// ```
///
/// The columns are `id`, `text`, one for each field in `columns`, and `metadata`: all other fields, as JSON in a
/// string. Dropped documents have three more, `stage`, `reason` and `measures` (JSON); failed ones have these,
/// `origin` (JSON) and `raw` (binary), all it takes to try again.
///
/// Pages are encoded and compressed on all cores. There are no dictionaries, and only `id` has statistics.
///
/// Source: <https://parquet.apache.org/docs/file-format/>.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ParquetExportOptions {
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
    /// How pages are compressed.
    pub compression: Compression,
    /// The level of `zstd` (1 to 22, default 1) or `gzip` (0 to 9, default 6).
    #[schemars(extend("x-needs" = {"compression": ["zstd", "gzip"]}))]
    pub compression_level: Option<u8>,
    /// The size of a row group, in bytes before compression; one block of documents may be over it.
    #[schemars(range(min = 1), extend("x-unit" = "bytes"))]
    pub row_group_bytes: u64,
}

impl Default for ParquetExportOptions {
    fn default() -> Self {
        Self {
            columns: BTreeMap::new(),
            rest: true,
            raw: false,
            origin: false,
            compression: Compression::default(),
            compression_level: None,
            row_group_bytes: 64 << 20,
        }
    }
}

/// The type of a metadata column.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(extend("x-instead" = {
    "str": "write `string`",
    "text": "write `string`",
    "date": "dates are written as `string`, in ISO 8601",
    "timestamp": "dates are written as `string`, in ISO 8601",
    "int": "write `integer`",
    "int64": "write `integer`",
    "double": "write `float`",
    "float64": "write `float`",
    "bool": "write `boolean`",
}))]
pub enum ColumnType {
    /// Strings.
    String,
    /// Whole numbers of 64 bits.
    Integer,
    /// Numbers of 64 bits, whole ones included.
    Float,
    /// `true` and `false`.
    Boolean,
}

impl ColumnType {
    pub(crate) fn data_type(self) -> DataType {
        match self {
            Self::String => DataType::Utf8,
            Self::Integer => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Boolean => DataType::Boolean,
        }
    }
}

/// How pages are compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Compression {
    /// Small and fast; read by everything of the last years.
    #[default]
    Zstd,
    /// Read by everything.
    Snappy,
    /// Slow to write; read by everything.
    Gzip,
    /// The fastest.
    Lz4,
    /// None.
    None,
}
