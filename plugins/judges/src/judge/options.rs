//! Options of `judge`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Judges the quality of a text by rules over what is measured of it: those of Gopher, C4, `FineWeb` and others, or your own.
///
/// Rules are data, in files that can be read, changed and compared; the program holds the measures. Put it behind the
/// stages that clean the text, and behind `language`, by which limits and stop words are chosen.
///
/// ```toml
/// [[stage]]
/// use = "judge"
/// presets = ["gopher", "fineweb"]
/// limits = { min_words = 30, zh = { min_words = 50 } }
/// ```
///
/// | preset | whose rules |
/// | --- | --- |
/// | `gopher` | quality and repetition of Gopher (arXiv 2112.11446, Table A1), as datatrove codes them; for English |
/// | `c4` | the document rules of C4 (jmlr 20-074): five sentences in good lines, no filler, no curly bracket; for English |
/// | `fineweb` | C4 without its rule of end marks, and those of `FineWeb` itself (arXiv 2406.17557); put `gopher` beside it |
/// | `fineweb2` | limits of `FineWeb`-2 and stop words for each language, Gopher's where it has none |
/// | `chinese-web-text` | those of `ChineseWebText` (arXiv 2311.01149); it drops every text with a traditional character |
/// | `map-neo` | those of MAP-NEO for Chinese (arXiv 2405.19327), slips of its code mended; it drops what has over 10,000 characters |
/// | `web-en`, `web-zh` | ours, each for its language: what the published rules find, without what they take for bad in good pages |
///
/// Rules with `languages` leave documents of others alone, so that `["web-en", "web-zh"]` judges each by its own; one
/// without a language is judged by all.
///
/// A rule file has limits and rules; each rule drops a document for which its condition holds:
///
/// ```toml
/// name = "mine"
/// languages = ["en", "zh"]
///
/// [limits]
/// min_words = 50
/// [limits.zh]
/// min_words = 80
///
/// [stop_words]
/// en = ["the", "and", "of"]
///
/// [[rule]]
/// reason = "few-words"
/// drop = "words < min_words"
///
/// [[rule]]
/// reason = "list"
/// drop = 'short_line_ratio > 0.8 && metadata.site != "recipes.example"'
/// ```
///
/// `tamis stages judge --preset web-en` prints a preset, as a file to copy from; `tamis explain` shows the rule that has
/// dropped a document, with the values that decided.
///
/// A condition is written as in `where`, over the measures below, the limits of the file, and fields as `metadata.<name>`.
/// Names, types and syntax are checked before anything runs. A limit that a language has not is that of all; one that
/// is nowhere decides nothing. `zh-Hans` takes the limits of `zh-Hans`, then those of `zh`, then those of all.
///
/// Reasons: `<set>:<reason>`. Measures: those that rules compare with a limit, each beside it; of a document that is
/// dropped those up to the rule that drops it, or all with `all_measures`. Counts: each reason, and `no_language`: documents without a language where it decides which rules and limits they are judged by.
///
/// Of Markdown the marks count as well: headings are `#` of `hash_word_ratio`, items of lists bullets, tables short words.
/// `tamis advise` shows which limits fit, or let the extractor make plain text.
///
/// Words are found without a dictionary, so Chinese and Japanese ones are near those of jieba and not the same.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(extend("minProperties" = 1, "x-main" = ["presets", "rules"]))]
pub struct JudgeOptions {
    /// Sets of rules that the program has, looked at in this order: `gopher`, `c4`, `fineweb`, `fineweb2`,
    /// `chinese-web-text`, `map-neo`, `web-en`, `web-zh`.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub presets: Vec<String>,
    /// Rule files, looked at behind the presets.
    #[schemars(length(min = 1), extend("x-path" = "file", "uniqueItems" = true, "x-toml" = schemars::schema_for!(super::file::RuleFile)))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<String>,
    /// Limits that go before those of the sets, by name; in the table of a language for that language:
    /// `{ min_words = 30, zh = { min_words = 50 } }`.
    #[schemars(extend("minProperties" = 1, "x-tables-by" = "language"))]
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub limits: BTreeMap<String, serde_json::Value>,
    /// What becomes of a bad document.
    pub mode: JudgeMode,
    /// Whether a document is also measured by the rules behind the one that drops it, so that reports show how measures
    /// are spread over all documents, whatever the order of rules. It takes about twice the time where most are dropped.
    #[schemars(extend("x-needs" = {"mode": ["drop"]}))]
    pub all_measures: bool,
    /// The field that `annotate` and `bucket` write.
    #[schemars(length(min = 1), extend("x-field" = "write", "x-needs" = {"mode": ["annotate", "bucket"]}))]
    pub field: String,
    /// The field with the language of the document.
    #[schemars(length(min = 1))]
    pub language: String,
}

/// What becomes of a bad document.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum JudgeMode {
    /// It is dropped by the first rule that holds.
    #[default]
    Drop,
    /// It stays, and the field lists the reasons of all rules that hold; an empty list for a good one.
    Annotate,
    /// It stays, and the field has the first reason, or `good`: for partitions, `path = "out/{quality}"`.
    Bucket,
}

impl Default for JudgeOptions {
    fn default() -> Self {
        Self {
            presets: Vec::new(),
            rules: Vec::new(),
            limits: BTreeMap::new(),
            mode: JudgeMode::default(),
            all_measures: false,
            field: "quality".to_owned(),
            language: "language".to_owned(),
        }
    }
}
