//! Options of the stage.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Drops documents with few words.
///
/// Words are what blanks part, so this is for languages that write blanks.
///
/// ```toml
/// [[stage]]
/// use = "template-filter"
/// min_words = 20
/// ```
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TemplateFilterOptions {
    /// How many words a document has at least.
    #[schemars(range(min = 1), extend("x-unit" = "words"))]
    pub min_words: u64,
}

impl Default for TemplateFilterOptions {
    fn default() -> Self {
        Self { min_words: 5 }
    }
}
