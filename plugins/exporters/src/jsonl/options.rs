//! Options of the `jsonl` exporter.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Writes one JSON object a line.
///
/// Use it to hand documents on: to a training job, to `jq`, to the next run. The `jsonl` reader reads them
/// back as they were.
///
/// ```toml
/// [[export]]
/// use = "jsonl"
/// path = "out"
/// compression = "zstd"
///
/// [[export]]
/// id = "letters"
/// use = "jsonl"
/// from = "failed"
/// path = "dead-letters"
/// ```
///
/// A kept document is `{"id":…,"text":…,"metadata":{…}}`, with the metadata in order of their names, and the fields
/// that `columns` names beside them: `{"id":…,"text":…,"url":…,"metadata":{…}}`. UTF-8 is written as it is, not escaped.
///
/// A dropped document has three more fields: `stage`, the stage that dropped it; `reason`; and `measures`, a
/// list of what was measured on it, such as `{"name":"chars","value":12,"min":200}`, where `min` or `max` is
/// the limit.
///
/// A failed one has these, and all it takes to try again: `origin`, with `file`, `offset`, `length` and
/// `ordinal`, and `raw`, the bytes of the record, or `raw_base64` when they are not UTF-8.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct JsonlOptions {
    /// Metadata fields that stand beside `id` and `text`, in this order, and not in `metadata`.
    ///
    /// A document without the field has null there, so that all lines have the same columns.
    #[schemars(extend("x-field" = "read", "x-needs" = {"from": {"not": ["failed"]}}))]
    pub columns: Vec<String>,
    /// With `columns`, whether all other fields are written too, in `metadata`.
    ///
    /// Without it they are left out.
    #[schemars(extend("x-needs" = {"columns": "some", "from": {"not": ["failed"]}}))]
    pub rest: bool,
    /// Whether documents carry the page as scraped, as `raw` (a string) or `raw_base64` (when it is not
    /// UTF-8).
    ///
    /// Failed records do in any case.
    #[schemars(extend("x-needs" = {"from": {"not": ["failed"]}}))]
    pub raw: bool,
    /// Whether documents carry `origin`: the file they were read from, first byte and length in bytes there,
    /// and ordinal in the file from 0.
    ///
    /// Failed records do in any case.
    #[schemars(extend("x-needs" = {"from": {"not": ["failed"]}}))]
    pub origin: bool,
}

impl Default for JsonlOptions {
    fn default() -> Self {
        Self { columns: Vec::new(), rest: true, raw: false, origin: false }
    }
}
