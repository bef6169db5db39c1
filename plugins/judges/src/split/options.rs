//! Options of `split`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Says which part of a data set a document belongs to: training, validation, test.
///
/// ```toml
/// [[stage]]
/// use = "split"
/// shares = { train = 0.98, validation = 0.01, test = 0.01 }
/// by = "site"
/// ```
///
/// The part is written to a field, by which the output can be parted: `path = "out/{split}"`. It depends on the id of the document (or
/// the field `by`) and the seed alone, so a document stays in its part when others come or go.
///
/// Give `by` where documents know of each other: chunks of one document (`parent`), pages of one site (`site`). Parts then have
/// no site in common, and their shares are those of sites. A document without the field goes by its id.
///
/// Counts: `split:<part>`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SplitOptions {
    /// The share of each part; together they are 1.
    #[schemars(extend("minProperties" = 2))]
    pub shares: BTreeMap<String, f64>,
    /// `id`, or the field whose values stay together.
    #[schemars(length(min = 1), extend("x-field" = "read", "x-together" = "parent"))]
    pub by: String,
    /// Another number makes other parts.
    pub seed: u64,
    /// The field that the part is written to.
    #[schemars(length(min = 1), extend("x-field" = "write"))]
    pub field: String,
}

impl Default for SplitOptions {
    fn default() -> Self {
        let shares = [("train", 0.99), ("validation", 0.01)];
        Self {
            shares: shares.into_iter().map(|(name, share)| (name.to_owned(), share)).collect(),
            by: "id".to_owned(),
            seed: 0,
            field: "split".to_owned(),
        }
    }
}
