//! Options of the stage.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Writes one line a document, its words with blanks between them.
///
/// ```toml
/// [[export]]
/// use = "template-exporter"
/// path = "out"
/// ids = true
/// ```
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TemplateExporterOptions {
    /// Whether the id stands in front of the text, with a tab behind it.
    pub ids: bool,
}
