//! Options of the stage.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Drops documents whose first line an earlier document has.
///
/// It has seen the whole collection before it judges a document, so it takes two passes.
///
/// ```toml
/// [[stage]]
/// use = "template-corpus"
/// min_chars = 20
/// ```
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TemplateCorpusOptions {
    /// How long a first line is at least; documents with a shorter one stay.
    #[schemars(range(min = 1), extend("x-unit" = "characters"))]
    pub min_chars: usize,
}

impl Default for TemplateCorpusOptions {
    fn default() -> Self {
        Self { min_chars: 8 }
    }
}
