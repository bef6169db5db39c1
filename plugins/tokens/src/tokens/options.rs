//! Options of `tokens`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Counts the tokens of a text as a language model would, by the tokenizer of that model.
///
/// Use it to know how many tokens a collection has for a model, to share out documents by their length in these, or to
/// drop those that fill no window or more than one. `chunk` with `by = "tokens"` cuts them.
///
/// ```toml
/// [[stage]]
/// use = "tokens"
/// tokenizer = "models/tokenizer.json"
/// field = "n_tokens"
/// ```
///
/// A tokenizer is a file `tokenizer.json` as models have it at Hugging Face: byte pairs, Unigram or `WordPiece`. The program has
/// none of its own. Beginnings and ends that a model wants around a text (`[CLS]`, `<s>`) are not counted; what is written in
/// the text like a special token counts as one, as it does there.
///
/// The number is the measure `tokens`, so that `where`, reports and `explain` know it; with `field` it is also written to
/// the document. The sum over all documents stands in the table at the end of a run and in the manifest.
///
/// Reasons: `too-few-tokens`, `too-many-tokens`. Measure: `tokens`. Count: `tokens`.
///
/// Limits: tokenizers are slow. Byte pairs took 16 MB of text a second on a core, Unigram 10 and `WordPiece` 9, with vocabularies of
/// 8,000 to 20,000 tokens.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["tokenizer"]))]
pub struct TokensOptions {
    /// The file with the tokenizer.
    #[schemars(length(min = 1), extend("x-path" = "file"))]
    pub tokenizer: String,
    /// The field that the number is written to; by default none.
    #[schemars(length(min = 1), extend("x-field" = "write"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// A document with fewer is dropped.
    #[schemars(extend("x-unit" = "tokens"))]
    pub min_tokens: usize,
    /// A document with more is dropped; by default none is.
    #[schemars(extend("x-unit" = "tokens"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_tokens: Option<usize>,
}
