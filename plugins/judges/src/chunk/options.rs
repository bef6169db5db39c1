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
/// Limits: lengths are characters. A token of common vocabularies is some four letters of English, one and a half Chinese characters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ChunkOptions {
    /// The most characters of a chunk, its overlap included.
    #[schemars(range(min = 16), extend("x-unit" = "characters"))]
    pub max_chars: usize,
    /// How many characters of the chunk before it, at most, a chunk begins with; cut where a sentence or a word begins.
    #[schemars(extend("x-unit" = "characters"))]
    pub overlap_chars: usize,
    /// Whether a chunk ends where a heading of Markdown begins.
    pub headings: bool,
}

impl Default for ChunkOptions {
    fn default() -> Self {
        // Some 250 tokens of English: what small embedding models were trained on.
        Self { max_chars: 1000, overlap_chars: 0, headings: true }
    }
}
