//! Options of `length`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Drops documents that are too short or too long.
///
/// Put it behind the stages that clean the text, so that it measures what is left and not what was scraped.
/// Error pages, stubs and pages whose body was not found end here.
///
/// The length is the number of characters (Unicode scalar values) that are not white space: the same
/// before and after any repair of white space, and the same for a letter and for a Chinese character.
/// A document exactly at a limit is kept.
///
/// ```toml
/// [[stage]]
/// use = "length"
/// min_chars = 200
/// max_chars = 100_000
/// ```
///
/// Reasons: `too-short`, `too-long`. Measure: `chars`.
///
/// A limit suits one script: a Chinese text says in 100 characters what takes 300 letters in English.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("x-instead" = {
    "min": "write `min_chars`",
    "max": "write `max_chars`",
    "min_length": "write `min_chars`",
    "max_length": "write `max_chars`",
    "min_words": "it counts characters; `judge` counts words, with `limits = { min_words = … }`",
    "max_words": "it counts characters; `judge` counts words, with `limits = { max_words = … }`",
    "min_tokens": "it counts characters; `tokens` counts those of a model",
    "max_tokens": "it counts characters; `tokens` counts those of a model",
}))]
pub struct LengthOptions {
    /// A document with fewer characters is dropped as `too-short`; 0 sets no limit, and without `max_chars` the stage
    /// then only measures.
    #[schemars(extend("x-unit" = "characters"))]
    pub min_chars: u64,
    /// A document with more characters is dropped as `too-long`; none by default.
    #[schemars(extend("x-unit" = "characters"))]
    pub max_chars: Option<u64>,
}

impl Default for LengthOptions {
    fn default() -> Self {
        // One sentence and a bit in any script: low enough that only wrecks fall under it.
        Self { min_chars: 50, max_chars: None }
    }
}
