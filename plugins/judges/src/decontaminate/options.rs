//! Options of `decontaminate`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Finds what a text has in common with a given set, such as the questions of a benchmark, and drops the document, marks it or cuts it
/// out.
///
/// ```toml
/// [[stage]]
/// use = "decontaminate"
/// against = ["benchmarks/quiz.jsonl"]
/// fields = ["question", "answer"]
/// n = 13
/// ```
///
/// The set is JSON Lines (`.jsonl`), of which the `fields` are taken one by one, or text with an item a line.
///
/// How it decides: a text is a row of tokens, in small letters and without punctuation and white space: words, each Chinese character and
/// kana alone. `n` of them in a row that an item has as well are contaminated (13 as for GPT-3, arXiv 2005.14165); those that overlap are
/// one span, so a span is as long as what both have in common. An item of fewer than `n` tokens is looked for as a whole, unless
/// it has fewer than `min_tokens`: these stand in texts that know nothing of the set.
///
/// - `drop` drops a document when the contaminated share of its tokens is over `max_ratio`: by default with the first span.
/// - `annotate` writes a list of `{ start, length, item }`, in characters of the text, the item as `file:line`.
/// - `cut` takes the spans out, and what stands between them and the ends of their sentences stays.
///
/// Reason: `contaminated`. Measure: `contaminated_ratio`. Counts: `contaminated:<file>`, spans of items of that file.
///
/// Limits: a question in other words is not found, nor is one in another language. Memory: 12 to 24 bytes for a token of the set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["against"]))]
pub struct DecontaminateOptions {
    /// Files with the set.
    #[schemars(length(min = 1), extend("x-path" = "file", "uniqueItems" = true))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub against: Vec<String>,
    /// The fields of JSON Lines that are items; those that a line has not are passed over.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    pub fields: Vec<String>,
    /// How many tokens in a row must be the same.
    #[schemars(range(min = 2, max = 100), extend("x-unit" = "tokens"))]
    pub n: usize,
    /// Items of fewer tokens are not looked for.
    #[schemars(range(min = 1), extend("x-unit" = "tokens"))]
    pub min_tokens: usize,
    /// What becomes of a document that has something of the set.
    pub action: Contaminated,
    /// The most tokens of a document that may be contaminated, as a share of all.
    #[schemars(range(min = 0.0, max = 1.0), extend("x-needs" = {"action": ["drop"]}))]
    pub max_ratio: f64,
    /// The field that `annotate` writes.
    #[schemars(length(min = 1), extend("x-field" = "write", "x-needs" = {"action": ["annotate"]}))]
    pub field: String,
}

/// What becomes of a document that has something of the set.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Contaminated {
    /// It is dropped.
    #[default]
    Drop,
    /// It stays, and a field says where.
    Annotate,
    /// It stays without that.
    Cut,
}

impl Default for DecontaminateOptions {
    fn default() -> Self {
        Self {
            against: Vec::new(),
            fields: vec!["text".to_owned()],
            n: 13,
            min_tokens: 8,
            action: Contaminated::default(),
            max_ratio: 0.0,
            field: "contamination".to_owned(),
        }
    }
}
