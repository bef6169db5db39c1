//! Options of `quantile`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Says in which part of the collection a document stands by a number: the best tenth, the worst quarter.
///
/// A score says little by itself; what is taken is the best fifth of what there is, or each language's. Use it behind the
/// stage that writes the number (`classify`, `tokens`) or measures it (`judge` with `mode = "annotate"` or `"bucket"`, `length`), and
/// part an output by it, or drop with `where`:
///
/// ```toml
/// [[stage]]
/// use = "quantile"
/// field = "classify"
/// quantiles = [0.5, 0.9]
/// by = "language"
///
/// [[stage]]
/// use = "where"
/// keep = "metadata.classify_bucket >= 1"
/// ```
///
/// How it decides: the documents are put in the order of the number. A quantile of 0.9 is the number of the first document
/// that has nine tenths of all before it, and the bucket of a document is how many of the quantiles its number reaches: with two
/// quantiles 0, 1 or 2. Documents with the same number are in one bucket, so buckets have the sizes that `quantiles` says as
/// far as numbers differ. With `by` the documents of each value of a field are among themselves; those without it are, too.
///
/// Counts: `bucket:<n>`, and `no_number`, documents without the number, which stay and have no bucket.
///
/// Limits: numbers are told apart to one part in 4096: 0.5001 and 0.5 are the same. Documents that a later stage drops have
/// been counted: put stages that drop before this one. Of each different number some 24 bytes are noted, in the work folder where
/// they do not fit into `max_state_bytes`. The collection is read twice.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "x-main" = ["field", "measure"]))]
pub struct QuantileOptions {
    /// The field with the number.
    #[schemars(length(min = 1), extend("x-field" = "read", "x-needs" = {"measure": "none"}))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The measure with the number, as a stage before has taken it.
    #[schemars(length(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub measure: Option<String>,
    /// Where a bucket ends and the next begins, as parts of all documents, in rising order.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub quantiles: Vec<f64>,
    /// The field whose values have quantiles of their own.
    #[schemars(length(min = 1), extend("x-field" = "read"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// The field that the bucket is written to; by default the name of the field or measure with `_bucket` behind it.
    #[schemars(length(min = 1), extend("x-field" = "write"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bucket: Option<String>,
    /// So much memory is held over all threads for the numbers; what does not fit goes to the work folder. It adds to `memory`
    /// of `[run]`, which is for documents in flight.
    #[schemars(range(min = 1_048_576), extend("x-unit" = "bytes"))]
    pub max_state_bytes: u64,
}

impl Default for QuantileOptions {
    fn default() -> Self {
        Self {
            field: None,
            measure: None,
            quantiles: vec![0.25, 0.5, 0.75],
            by: None,
            bucket: None,
            // Some hundred thousand numbers; few scores have as many.
            max_state_bytes: 16 << 20,
        }
    }
}
