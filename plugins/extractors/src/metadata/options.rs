//! Options of `metadata`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Finds title, author, publisher, date and source of a page that was flattened to text.
///
/// Use it while the whole page is still there: behind `site-rules` and `newspaper-page`, which know their pages
/// better, and before any stage that takes away what is not the article.
/// A field that the document has already is kept and helps to find the others, and so does `url`.
///
/// How it decides: for each field the page is searched for candidates, each with the evidence for it; their
/// weights add up to a confidence between 0 and 1.
/// Where the best candidate has a rival or its confidence is below `min_confidence`, the field is left out.
/// Nothing is made up: every value stands in the text, white space aside, and a date is one of its dates in
/// ISO 8601.
///
/// - `title`: a first line that stands again further down, with or without the name of the site
///   (`Title - Site`, `标题_频道_网站`); lines around the date and behind a breadcrumb; the headline in JSON-LD.
///   Length, marks, words of buttons and the share of its words that the text repeats decide between them.
///   The name of the site is not part of the title.
/// - `published`, with `published_raw` as the page shows it: labelled dates (发布时间：, Published), dates with a
///   time, dates near the title, dates that the address repeats.
///   Dates in scripts, copyright lines, clocks, lists and sentences count less.
///   How a date is read, and when it is not certain, is described at `published-date`.
/// - `author`: `作者：`, `文/`, `记者 …` where it is not part of a sentence, `By …`, a name below the title, a
///   signature at the end. Editors (责任编辑) and photographers (摄) are not authors.
/// - `source`: `来源：`, `稿源：`, `Source:` near the title or the date.
/// - `publisher`: what stands beside the title in the first line, or in JSON-LD.
///
/// ```toml
/// [[stage]]
/// use = "metadata"
/// min_confidence = 0.8
/// ```
///
/// `metadata_evidence` holds, for each field that was written, the bytes of the text as this stage found it
/// (`span`), the rule, and the confidence.
///
/// Counts: one for each field that was written (`title`, `published`, …), `uncertain` for each that was found
/// and left out.
///
/// Limits: languages are Chinese and English first; dates are read in Japanese, Korean, German, French,
/// Spanish, Portuguese, Russian, Polish and Turkish, too. The first 256 KiB of a page are looked at.
/// The weights were set by hand on pages of news, blogs and authorities.
#[expect(clippy::struct_excessive_bools, reason = "one switch for each field")]
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MetadataOptions {
    /// A value that is less certain is left out; from 0 to 1.
    #[schemars(range(min = 0.0, max = 1.0), extend("x-needs" = [
        {"title": [true]}, {"author": [true]}, {"publisher": [true]}, {"published": [true]}, {"source": [true]},
    ]))]
    pub min_confidence: f64,
    /// Look for the title.
    pub title: bool,
    /// Look for the author.
    pub author: bool,
    /// Look for the name of the site.
    pub publisher: bool,
    /// Look for the date of publication.
    pub published: bool,
    /// Look for the source of the text.
    pub source: bool,
    /// Write `metadata_evidence`.
    #[schemars(extend("x-needs" = [
        {"title": [true]}, {"author": [true]}, {"publisher": [true]}, {"published": [true]}, {"source": [true]},
    ]))]
    pub evidence: bool,
    /// Leave documents alone whose text a stage before has cut out for sure (`cleaned_by`), such as HTML pages among
    /// flattened ones: the page around their text is gone, and with it what is looked for.
    pub skip_cleaned: bool,
}

impl Default for MetadataOptions {
    fn default() -> Self {
        Self {
            // Chosen on 140 pages that the rules were written with: few values above it are wrong there, and
            // below it most are guesses.
            min_confidence: 0.5,
            title: true,
            author: true,
            publisher: true,
            published: true,
            source: true,
            evidence: true,
            skip_cleaned: false,
        }
    }
}
