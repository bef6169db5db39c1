//! Options of `lookup`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Gives documents what a table knows of them: the licence of a domain, the category of an account.
///
/// ```toml
/// [[stage]]
/// use = "lookup"
/// table = "lists/domains.tsv"
/// key = "domain"
/// field = "url"
/// by = "host"
/// take = ["licence", "category"]
/// ```
///
/// The table is a file of tab-separated values with the names of its columns in the first line, or JSON Lines (`.jsonl`). It is
/// held in memory. A key that stands there twice is an error, because nobody could say which line is meant.
///
/// With `by = "host"` the field is an address and its host is looked up, then the domains that it lies under:
/// `www.mill.example`, `mill.example`, `example`.
///
/// A document without the field, or which the table does not know, goes on as it is; with `missing = "drop"` it is dropped as
/// `not-in-table`.
///
/// Counts: `lookup:found`, `lookup:missing`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["table"]))]
pub struct LookupOptions {
    /// The table: a file of tab-separated values, or of JSON Lines.
    #[schemars(length(min = 1), extend("x-path" = "file"))]
    pub table: String,
    /// The column with the key.
    #[schemars(length(min = 1))]
    pub key: String,
    /// The field of the document that is looked up.
    #[schemars(length(min = 1), extend("x-field" = "read"))]
    pub field: String,
    /// What of the field is looked up.
    pub by: LookupBy,
    /// Columns to write to fields of the same name.
    #[schemars(length(min = 1), extend("x-field" = "write", "uniqueItems" = true))]
    pub take: Vec<String>,
    /// What becomes of a document that the table does not know.
    pub missing: Missing,
}

/// What of a field is looked up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LookupBy {
    /// Its value.
    #[default]
    Value,
    /// The host of an address, and the domains above it.
    Host,
}

/// What becomes of a document that a table does not know.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Missing {
    /// It goes on as it is.
    #[default]
    Keep,
    /// It is dropped.
    Drop,
}

impl Default for LookupOptions {
    fn default() -> Self {
        Self {
            table: String::new(),
            key: "key".to_owned(),
            field: "url".to_owned(),
            by: LookupBy::default(),
            take: Vec::new(),
            missing: Missing::default(),
        }
    }
}
