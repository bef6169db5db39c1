//! Options of the stage.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Reads documents that lines of their own part.
///
/// ```toml
/// [[source]]
/// use = "template-reader"
/// paths = ["notes/*.txt"]
/// separator = "%%"
/// ```
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TemplateReaderOptions {
    /// The line between two documents.
    #[schemars(length(min = 1))]
    pub separator: String,
}

impl Default for TemplateReaderOptions {
    fn default() -> Self {
        Self { separator: "%%".to_owned() }
    }
}
