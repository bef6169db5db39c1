//! Options of the stage.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Cuts a closing line, and what follows it, off the end of a text.
///
/// Many sites end every page with the same words: a call to subscribe, a list of links, a legal notice.
/// Give the words with which such an ending begins; it is cut where they begin a line near the end of the
/// text, so that the same words further up stay.
///
/// ```toml
/// [[stage]]
/// use = "template"
/// phrases = ["Read more:", "相关阅读"]
/// ```
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TemplateOptions {
    /// The words with which an ending begins, without blanks in front; at least one ending.
    #[schemars(length(min = 1))]
    pub phrases: Vec<String>,
    /// How many lines at the end of the text are looked at.
    #[schemars(range(min = 1), extend("x-unit" = "lines"))]
    pub last_lines: usize,
    /// Drop documents of which nothing is left, under the reason `nothing-left`.
    pub drop_empty: bool,
}

impl Default for TemplateOptions {
    fn default() -> Self {
        Self { phrases: vec!["Read more:".to_owned()], last_lines: 20, drop_empty: true }
    }
}
