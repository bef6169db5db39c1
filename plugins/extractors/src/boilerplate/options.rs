//! Options of `boilerplate`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Keeps the text of a page that was flattened, and removes menus, scripts, widgets and lists around it.
///
/// Use it on scraped pages without tags, of any site, behind the stages that know something for certain:
/// `site-rules`, `newspaper-page`, `line-template`.
/// What they left behind goes, and what they recognised as complete (`cleaned_by`) is left alone.
///
/// How it decides: the page is cut into segments. A short line is one; a long line, which may hold a whole
/// article, is cut at the ends of sentences, at wide gaps, behind dates and before labels such as 责任编辑.
/// Each segment is described by features: width, sentence ends, words of prose, phrases of page furniture in
/// 17 languages, signs of code, dates, likeness to the title, what stands around it, where prose lies thickest;
/// whether it is part of a list, a table, a heading or fenced code, of how many short or numbered lines in a row it is
/// one, whether a sentence goes on into it; and, the same for all segments, what the page
/// as a whole says: how many kinds of furniture it has, how long its longest run of short lines is.
/// If `line-template` with `action = "mark"` stands before it, whether other pages have it, too.
/// A model (a linear-chain conditional random field) then says for the page as a whole which segments stand
/// before the text, in it, in a pause within it, or after it.
/// Its weights are a file that can be read, one number a feature; `cargo xtask train boilerplate` made it.
///
/// ```toml
/// [[stage]]
/// use = "boilerplate"
/// min_confidence = 0.5
/// ```
///
/// The first question is whether the page needs cleaning at all. A text that is clean already stays as it is:
/// a page is cut only if the model expects the cut to be better than none (`min_gain`), and of texts that need
/// no cleaning, with their code, lists, tables and dialogues, it has seen as many as of pages that do.
///
/// A segment is kept or removed as a whole, so what is kept is what the page says, character for character.
/// The title and the lines of date and source belong to the furniture: read them before, with `metadata`.
///
/// The confidence is the F1 that the cut may expect by the model's own probabilities, 0 to 1; it is noted in
/// `text_confidence`. Below `min_confidence` nothing is guessed: the document is flagged as
/// `text_uncertain` and passes whole, unless `on_uncertain` says otherwise. So does a text of 200,000 segments or more,
/// which is no page (`too_long`), but it is never cut.
///
/// With `explain`, what was removed is noted in `boilerplate`: for every piece its first byte and the byte
/// after its last in the text as it came, where it stands (`before`, `pause`, `after`), the probability that
/// it is no text, and the three features that spoke most against it.
///
/// Measures: `text_confidence`, `segments`, `removed_chars`. Counts: `cut`, `nothing_to_cut`, `uncertain`, `too_long`,
/// `no_text`, `left_alone`, `left_to_rules` and `left_as_laid_out` (Markdown and the like, by `content_type`).
///
/// On pages of families that were left out, the confidence says little: of 81 pages that were cut, 14 lay below 0.8,
/// 2 of the 11 with an F1 under 0.8 and 6 that were right. What comes out wrong is wrong with certainty, an archive
/// beside a post for instance.
///
/// Limits: on pages that are mostly rest, tables and lists without sentences at the end of a text are taken for
/// furniture, and comments below a very short text for the text; on pages that are mostly text, a table of
/// contents beside it stays. In languages without a lexicon only form and place decide.
///
/// Source: after J. Lafferty, A. `McCallum`, F. Pereira, Conditional random fields, ICML 2001.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct BoilerplateOptions {
    /// A page is cut only if the cut may expect an F1 that is higher by so much than that of the page as it is.
    /// The higher, the more of what is clean already stays untouched, and the more rest of what is nearly clean.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub min_gain: f64,
    /// Below this confidence the page is not cut but handled by `on_uncertain`.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub min_confidence: f64,
    /// What becomes of a page that the model is not sure of.
    #[schemars(extend("x-needs" = {"min_confidence": {"not": [0]}}))]
    pub on_uncertain: OnUncertain,
    /// What becomes of a page in which no text is found, such as a list of links.
    pub on_no_text: OnNoText,
    /// Note what was removed, and why, in the field `boilerplate`.
    pub explain: bool,
}

impl Default for BoilerplateOptions {
    fn default() -> Self {
        Self {
            min_gain: 0.02,
            min_confidence: 0.2,
            on_uncertain: OnUncertain::Flag,
            on_no_text: OnNoText::Keep,
            explain: false,
        }
    }
}

/// What becomes of a page that the model is not sure of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnUncertain {
    /// Leave it whole, with `text_uncertain = true`.
    #[default]
    Flag,
    /// Cut it all the same, with `text_uncertain = true`.
    Cut,
    /// Drop it with the reason `uncertain-text`.
    Drop,
}

/// What becomes of a page in which no text is found.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OnNoText {
    /// Keep it whole.
    #[default]
    Keep,
    /// Drop it with the reason `no-text`.
    Drop,
}
