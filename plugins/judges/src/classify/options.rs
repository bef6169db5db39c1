//! Options of `classify`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Says of what kind a text is by a fastText model of yours, and keeps or drops it by the score.
///
/// Models are what `fasttext supervised` makes, `.bin`, or `.ftz` where they were quantized: classifiers of educational value, of
/// instructions, of topics. The program has none of its own.
///
/// ```toml
/// [[stage]]
/// use = "classify"
/// model = "models/quality.bin"
/// label = "hq"
/// min_score = 0.2
/// buckets = [0.4, 0.6, 0.8]
/// ```
///
/// The score is the probability of `label`; without one, that of the most probable label. It is written to `<field>`,
/// rounded to four digits; the most probable label, without `__label__`, to `<field>_label`; and with `buckets` to `<field>_bucket`
/// how many of these limits the score reaches: 0, 1, 2 or 3 above. Part an output by it with `path = "out/{classify_bucket}"`.
///
/// For buckets of equal size, take the limits from the quantiles of a sample: `tamis report` draws how the measure `score` is
/// distributed.
///
/// How it decides: words are what stands between white space, as fastText has it, so Chinese needs a model that was
/// trained on characters, or on text whose words a stage before has parted with blanks. The text is taken as it is: a model that was trained on
/// small letters wants them (`lowercase`). A text in which the model knows nothing has no score, and stays unless `min_score` is given.
///
/// Reason: `low-score`. Measure: `score`. Counts: `classify:<label>`.
///
/// Limits: models of version 12 of the format, with softmax or hierarchical softmax; matrices up to 1 GB. White space of any kind parts
/// words, in the C++ program that of ASCII alone; with hierarchical softmax a probability may differ from its by 0.002. fastText takes some
/// 5 MB of text a second and core: `max_chars` bounds it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("required" = ["model"]))]
pub struct ClassifyOptions {
    /// The file with the model.
    #[schemars(length(min = 1), extend("x-path" = "file"))]
    pub model: String,
    /// The label whose probability is the score, with or without `__label__`.
    #[schemars(length(min = 1))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub label: Option<String>,
    /// A document with a lower score is dropped.
    #[schemars(range(min = 0.0, max = 1.0))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min_score: Option<f64>,
    /// Scores at which a bucket ends and the next begins, in rising order.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub buckets: Vec<f64>,
    /// The field with the score, and the beginning of the names of the others.
    #[schemars(length(min = 1), extend("x-field" = "write"))]
    pub field: String,
    /// How many characters are looked at, from the beginning; by default all.
    #[schemars(range(min = 1), extend("x-unit" = "characters"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_chars: Option<usize>,
    /// Whether the model is shown small letters.
    pub lowercase: bool,
}

impl Default for ClassifyOptions {
    fn default() -> Self {
        Self {
            model: String::new(),
            label: None,
            min_score: None,
            buckets: Vec::new(),
            field: "classify".to_owned(),
            max_chars: None,
            lowercase: false,
        }
    }
}
