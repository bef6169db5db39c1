//! Options of `language`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tamis_language::UNDETERMINED;

/// Says what language a document is in, and keeps or drops documents by it.
///
/// Put it behind the stages that clean the text: menus are often in another language than the article.
/// The model is a part of the program; nothing is downloaded.
///
/// ```toml
/// [[stage]]
/// use = "language"
/// keep = ["zh", "en"]
/// ```
///
/// The field has a tag by BCP 47: `fr`, `ja`, and for Chinese `zh-Hans` (simplified), `zh-Hant` (traditional) or `zh` where nothing
/// tells which. A document that is not sure enough, that has no letters, or that is code, a table of numbers or formulas
/// for the most part has `und`.
/// In `keep` and `drop` a tag stands for all that go on from it: `zh` for all three.
///
/// How it decides: the script tells most languages. Where several share one (Latin, Cyrillic, Arabic, Devanagari)
/// a model of letter groups decides, learned from the frequencies that the project lingua counted in newspapers.
/// At most 2 KiB of a text are looked at, a third each from its beginning, middle and end.
///
/// On sentences (and their first 40 characters) of 75 languages .97 (.95) are right, of German, English, French, Spanish,
/// Japanese and Chinese .99 to 1 (.97 to 1); what is confused are Bosnian and Croatian, Indonesian and Malay, Bokmål and
/// Nynorsk, and a text in a language that is not known with its nearest kin, such as Galician with Portuguese.
///
/// With `model` a fastText model of yours decides instead, such as lid.176 or GlotLID: for other languages, or to have the answers
/// of a corpus that was made with it. It is shown the same 2 KiB, and nothing of code, which is `und` as before. Its labels become tags:
/// `__label__eng_Latn` is `en`, `zho_Hans` is `zh-Hans`, and where it says `zh` alone the characters say which form. Confidence is
/// the model's probability; lid.176 takes short Chinese for Japanese often.
///
/// Reasons: `language:<tag>`. Measure: `language_confidence`. Counts: `language:<tag>`.
///
/// Limits: one language a document, the one with the most text; no varieties such as `pt-BR`.
/// Known are af am ar as az be bg bn bo bs ca cs cy da de dv el en eo es et eu fa fi fr ga gu he hi hr hu hy id is it ja ka
/// kk km kn ko la lg lo lt lv mi mk ml mn mr ms my nb nl nn or pa pl pt ro ru si sk sl sn so sq sr st sv sw ta te th tl tn tr
/// ts uk ur vi xh yo zh zu.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LanguageOptions {
    /// The only languages to keep, such as `["zh", "en"]`; `und` is one of them or not like any other. By default all.
    #[schemars(length(min = 1), extend("uniqueItems" = true))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub keep: Vec<String>,
    /// Languages to drop, such as `["und"]`.
    #[schemars(length(min = 1), extend("uniqueItems" = true, "x-needs" = {"keep": "none"}))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub drop: Vec<String>,
    /// A document of which it is less sure is `und`.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub min_confidence: f64,
    /// Whether simplified and traditional Chinese are told apart; without, both are `zh`.
    pub scripts: bool,
    /// A fastText model, `.bin` or `.ftz`, that tells languages; by default the program's own does.
    #[schemars(length(min = 1), extend("x-path" = "file"))]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// The field that the tag is written to. What the page or the reader said of its language is overwritten.
    #[schemars(length(min = 1), extend("x-field" = "write", "x-values" = {"of": tags(), "unless": ["model", "scripts"]}))]
    pub field: String,
}

impl Default for LanguageOptions {
    fn default() -> Self {
        Self {
            keep: Vec::new(),
            drop: Vec::new(),
            // The probability of one language against all others: half of it is as much as all others have.
            min_confidence: 0.5,
            scripts: true,
            model: None,
            field: "language".to_owned(),
        }
    }
}

impl LanguageOptions {
    /// Whether documents of this tag stay.
    pub(super) fn keeps(&self, tag: &str) -> bool {
        let is_in = |tags: &[String]| tags.iter().any(|range| stands_for(range, tag));
        if self.keep.is_empty() { !is_in(&self.drop) } else { is_in(&self.keep) }
    }
}

/// All tags that there are without a model of the user's.
fn tags() -> Vec<&'static str> {
    let mut tags = tamis_language::languages();
    tags.extend(["zh", "zh-Hans", "zh-Hant", UNDETERMINED]);
    tags.sort_unstable();
    tags.dedup();
    tags
}

/// Whether a language range covers a tag: it is the tag, or its first parts (RFC 4647, basic filtering).
pub(crate) fn stands_for(range: &str, tag: &str) -> bool {
    match tag.strip_prefix(range) {
        Some(rest) => rest.is_empty() || (rest.starts_with('-') && range != UNDETERMINED),
        None => false,
    }
}
