//! Options of `sample`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Keeps a share of the documents, chosen by lot.
///
/// ```toml
/// [[stage]]
/// use = "sample"
/// ratio = 0.01
/// ```
///
/// The lot of a document depends on its id and the seed alone, so the same documents are kept in every run, whatever else is in
/// the collection and however it is cut into shards. Those of a smaller ratio are among those of a larger one with the same seed.
///
/// With `by` all documents with one value of a field are kept or dropped together: whole sites, all chunks of a
/// document. A document without the field has a lot of its own.
///
/// Reason: `not-sampled`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SampleOptions {
    /// The share to keep, from 0 to 1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub ratio: f64,
    /// `id`, or the field whose values are kept together.
    #[schemars(length(min = 1), extend("x-field" = "read", "x-together" = "parent"))]
    pub by: String,
    /// Another number keeps other documents.
    pub seed: u64,
}

impl Default for SampleOptions {
    fn default() -> Self {
        Self { ratio: 0.1, by: "id".to_owned(), seed: 0 }
    }
}
