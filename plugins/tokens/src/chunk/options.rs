//! Options of `chunk`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Cuts a document into chunks for retrieval or for a window of context.
///
/// ```toml
/// [[stage]]
/// use = "chunk"
/// max_chars = 1000
/// overlap_chars = 100
/// ```
///
/// A cut is made at the best place that is left in the last half of a chunk: before a heading, at an empty line, at a line end,
/// behind a sentence, at a blank, and only in a run of letters that is longer than a chunk anywhere. Chunks without
/// overlap put together again are the text, to the byte.
///
/// With `by = "tokens"` lengths are those of a language model, by the file `tokenizer.json` that models have at Hugging Face, without
/// the tokens that a model wants around a text (`[CLS]`, `<s>`): leave room for these. Chunks are cut in the same places.
///
/// ```toml
/// [[stage]]
/// use = "chunk"
/// by = "tokens"
/// tokenizer = "models/tokenizer.json"
/// max_tokens = 512
/// overlap_tokens = 64
/// ```
///
/// With `headings = true` a chunk ends where a heading of Markdown begins (`#` to `######`, or a line over `===` or `---`), so that
/// none has text of two sections, and `heading` is the path of headings above it: `["Mills", "Water mills"]`.
///
/// The document becomes its first chunk, the others follow as documents of their own, which go on with the next stage: so put
/// it behind all that judges or compares whole documents. A document that is short enough is its only chunk, `a#1`. An empty one
/// stays as it is. All have the metadata of the document, and
///
/// | field | what it is |
/// | --- | --- |
/// | `parent` | the id of the document; ids of chunks are that with `#1`, `#2`, … behind it |
/// | `chunk` | which it is, from 1; `chunks`: how many there are |
/// | `chunk_start` | where it begins in the text of the document, in characters |
/// | `heading` | headings above it; only where there are some |
///
/// Chunks of one document belong together: behind this stage give `split` and `sample` the option `by = "parent"`, or the
/// same text is in training and in validation. `tamis check` tells.
///
/// Counts: `chunks`. Measure: `chunks`, of the document that was cut.
///
/// Limits: a token of common vocabularies is some four letters of English, one and a half Chinese characters. A text is counted
/// some five times before it is cut by tokens, which takes as often as long as `tokens` does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("x-instead" = {
    "size": "write `max_chars`, or `max_tokens` with `by = \"tokens\"`",
    "chunk_size": "write `max_chars`, or `max_tokens` with `by = \"tokens\"`",
    "overlap": "write `overlap_chars`, or `overlap_tokens` with `by = \"tokens\"`",
    "chunk_overlap": "write `overlap_chars`, or `overlap_tokens` with `by = \"tokens\"`",
}))]
pub struct ChunkOptions {
    /// What lengths are measured in.
    pub by: Unit,
    /// The most characters of a chunk, its overlap included.
    #[schemars(range(min = 16), extend("x-unit" = "characters", "x-needs" = {"by": ["characters"]}))]
    pub max_chars: usize,
    /// How many characters of the chunk before it, at most, a chunk begins with; cut where a sentence or a word begins.
    #[schemars(extend("x-unit" = "characters", "x-needs" = {"by": ["characters"]}))]
    pub overlap_chars: usize,
    /// The file with the tokenizer, `tokenizer.json`.
    #[schemars(length(min = 1), extend("x-path" = "file", "x-needs" = {"by": ["tokens"]}))]
    #[serde(skip_serializing_if = "String::is_empty")]
    pub tokenizer: String,
    /// The most tokens of a chunk, its overlap included.
    #[schemars(range(min = 16), extend("x-unit" = "tokens", "x-needs" = {"by": ["tokens"]}))]
    pub max_tokens: usize,
    /// How many tokens of the chunk before it, at most, a chunk begins with; cut where a sentence or a word begins.
    #[schemars(extend("x-unit" = "tokens", "x-needs" = {"by": ["tokens"]}))]
    pub overlap_tokens: usize,
    /// Whether a chunk ends where a heading of Markdown begins.
    pub headings: bool,
}

/// What lengths are measured in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(extend("x-instead" = {"chars": "write `characters`", "words": "write `characters` or `tokens`"}))]
pub enum Unit {
    /// Characters.
    #[default]
    Characters,
    /// Tokens of a language model, by its tokenizer.
    Tokens,
}

impl Default for ChunkOptions {
    fn default() -> Self {
        // Some 250 tokens of English: what small embedding models were trained on.
        Self {
            by: Unit::default(),
            max_chars: 1000,
            overlap_chars: 0,
            tokenizer: String::new(),
            // The window of most embedding models.
            max_tokens: 512,
            overlap_tokens: 0,
            headings: true,
        }
    }
}
