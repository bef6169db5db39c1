//! Options of `html-metadata`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Reads what an HTML page says about itself: title, author, dates, publisher, source, description, language, address,
/// tags.
///
/// Use it before `html-extract`, which takes the markup away.
/// A field that the document has already is kept.
///
/// Where it looks: structured data (JSON-LD, even where it is not quite JSON; microdata and `RDFa` with the names of
/// schema.org), Open Graph and its `article:` properties, Dublin Core, the usual names of `<meta>`,
/// `<link rel="canonical">`, the language of `<html>`, `<time>`, headings, elements whose class names a byline or a
/// date, and, near the main heading, lines with a label (`发布时间：`, `作者：`, `By …`) or a date.
/// Pages of WeChat say when they were published in a script; that is read, too.
///
/// How it decides: every place has a confidence, and the value of the surest one is taken; where a second place says
/// the same, it is surer than either.
/// What is below `min_confidence` is left out. Nothing is made up: every value stands in the page, character
/// references and white space aside.
///
/// - `title`: the main heading if the head of the page agrees with it, else what structured data, Open Graph or
///   `<title>` say. The name of the site beside it is no part of the title; dashes that the heading has are.
/// - `published` and `modified`: ISO 8601, only if the date is certain (see `published-date`); `published_raw` is what
///   the page shows. A date counts that structured data, an element or a label names, or that has a line by the
///   heading to itself; one in a sentence, in code, in comments or beside the word of an event does not. Far from the
///   heading it must be the only one. A day in the address counts least. Where the page says a moment in UTC and shows
///   the day of its own place, that day is taken.
/// - `author`: names only, without labels, roles, credits and addresses; several are joined by `, `. Where an account or
///   a house is declared (`jdoe`) and a byline shows a full name, that is taken.
/// - `source`: the house that the page names as its source (来源：).
/// - `language`: as the page tags it (BCP 47, `zh-CN`), not as its text reads.
/// - `canonical_url`: absolute addresses only.
/// - `tags`: a list.
///
/// ```toml
/// [[stage]]
/// use = "html-metadata"
/// fields = ["title", "published"]
/// ```
///
/// `metadata_evidence` holds, for each field that was written, where it was found (`rule`), the bytes of the page as
/// this stage saw it (`span`), and the confidence.
///
/// Where the text is empty, the page is read from `raw`, the bytes as scraped.
///
/// Counts: one for each field that was written, `uncertain` for each that was found and left out, `no_markup`.
///
/// Limits: scripts are not run. Labels and bylines are Chinese and English first.
///
/// Source: schema.org, the Open Graph protocol, Dublin Core metadata terms, the HTML standard.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HtmlMetadataOptions {
    /// A value that is less certain is left out; from 0 to 1.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub min_confidence: f64,
    /// The fields to look for; all by default.
    #[schemars(length(min = 1))]
    pub fields: Vec<Field>,
    /// Write `metadata_evidence`.
    pub evidence: bool,
}

/// A field of the metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Field {
    /// What the page is called.
    Title,
    /// Who wrote it.
    Author,
    /// When it was published.
    Published,
    /// When it was changed last.
    Modified,
    /// The site, or the house behind it.
    Publisher,
    /// Where the text comes from, if the page names another house (来源：).
    Source,
    /// A sentence or two about it.
    Description,
    /// Its language.
    Language,
    /// The address that it wants to be known by.
    CanonicalUrl,
    /// Keywords.
    Tags,
}

impl Field {
    pub(super) const ALL: [Self; 10] = [
        Self::Title,
        Self::Author,
        Self::Published,
        Self::Modified,
        Self::Publisher,
        Self::Source,
        Self::Description,
        Self::Language,
        Self::CanonicalUrl,
        Self::Tags,
    ];

    /// Its name in the metadata.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Title => "title",
            Self::Author => "author",
            Self::Published => "published",
            Self::Modified => "modified",
            Self::Publisher => "publisher",
            Self::Source => "source",
            Self::Description => "description",
            Self::Language => "language",
            Self::CanonicalUrl => "canonical_url",
            Self::Tags => "tags",
        }
    }
}

impl Default for HtmlMetadataOptions {
    fn default() -> Self {
        Self { min_confidence: 0.5, fields: Field::ALL.to_vec(), evidence: true }
    }
}
