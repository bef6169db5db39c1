//! Options of the `sqlite` exporter.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Writes `SQLite` databases.
///
/// Use it to look at documents with SQL, or to give them to a program that does. Each part is a database of
/// its own, with one table.
///
/// ```toml
/// [[export]]
/// use = "sqlite"
/// path = "out"
/// index = ["id"]
/// ```
///
/// The columns are `id`, `text` and `metadata`, JSON for the functions of `SQLite`: `metadata ->> 'url'`.
/// Then come `stage`, `reason` and `measures` (JSON), null for kept documents, and `origin` (JSON) and `raw`
/// (blob), null but for failed records or when asked for.
///
/// Limits: a record of more than a billion bytes has no place in `SQLite`, and fails.
///
/// Source: <https://www.sqlite.org/fileformat2.html>.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SqliteOptions {
    /// The name of the table.
    #[schemars(length(min = 1))]
    pub table: String,
    /// What to index: columns such as `id`, or metadata fields.
    pub index: Vec<String>,
    /// Whether documents carry the page as scraped, as `raw`; failed records do in any case.
    #[schemars(extend("x-needs" = {"from": {"not": ["failed"]}}))]
    pub raw: bool,
    /// Whether documents carry `origin`: file, offset, length and ordinal as JSON; failed records do in any
    /// case.
    #[schemars(extend("x-needs" = {"from": {"not": ["failed"]}}))]
    pub origin: bool,
}

impl Default for SqliteOptions {
    fn default() -> Self {
        Self { table: "documents".to_owned(), index: Vec::new(), raw: false, origin: false }
    }
}
