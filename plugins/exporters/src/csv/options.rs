//! Options of the `csv` exporter.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Writes a table: one document a row.
///
/// Use it to look at documents in a spreadsheet, or to load them into a database. The `csv` reader reads them
/// back; for training jobs use `jsonl`.
///
/// ```toml
/// [[export]]
/// use = "csv"
/// path = "out"
/// columns = ["url", "title", "published"]
/// ```
///
/// The first row of each file names the columns: `id`, `text`, and the metadata as one JSON object, or the
/// fields that `columns` names. Cells that hold the delimiter, a quote or a line end are in quotes, and quotes in
/// them are doubled.
///
/// Strings are written as they are, other values as JSON. A field that a document does not have is an empty cell.
///
/// Limits: with `columns`, an empty string, null and a missing field look the same, and fields without a column
/// are not written. Raw bytes are not written: for dead letters use `jsonl`.
///
/// Source: RFC 4180, with LF as line end.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CsvOptions {
    /// The metadata fields that have a column of their own; without it, one column `metadata` holds all of them.
    ///
    /// An empty list leaves metadata out.
    #[schemars(extend("x-field" = "read", "uniqueItems" = true))]
    pub columns: Option<Vec<String>>,
    /// What stands between cells; with `tab`, files end in `.tsv`.
    pub delimiter: Delimiter,
    /// Whether there are two more columns, for documents that were dropped or failed: `stage` and `reason`.
    #[schemars(extend("x-needs" = {"from": ["dropped", "failed"]}))]
    pub reasons: bool,
    /// Whether a `'` is put in front of strings that a spreadsheet would run as a formula when the file is opened:
    /// those that begin with `=`, `+`, `-`, `@`, one of these in full width, a tab or a line end.
    ///
    /// For tables of scraped text that people open with a double click: anybody can have written `=cmd|…` there.
    /// It changes the string, so whoever reads the file with a program does without.
    pub guard_formulas: bool,
}

/// What stands between cells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Delimiter {
    /// `,`
    #[default]
    Comma,
    /// `;`
    Semicolon,
    /// A tab.
    Tab,
    /// `|`
    Bar,
}

impl Delimiter {
    pub(super) fn byte(self) -> u8 {
        match self {
            Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
            Self::Bar => b'|',
        }
    }
}
