//! Options of `recover-paragraphs`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Cuts a flattened article, whose paragraphs were glued into one long line, back into paragraphs.
///
/// Scrapers that take the text of a page without line ends (`get_text()`) leave an article as one line of
/// thousands of characters, headings glued to the sentences behind them.
/// Put this stage behind those that take away what is not the article, and before `repair-text`, which
/// turns the U+00A0 that this stage looks for into plain blanks.
///
/// It never guesses: a line is cut only where something in the text shows that a paragraph ended.
///
/// - *Numbering* that counts up: `一、`, `（一）`, `1、`, `1.`, `（1）`. A series needs two numbers in a row
///   that each follow a sentence end or begin a line; then its other items are cut too, behind `；` or `：`,
///   and the first one behind a short heading (`二、主要任务1、加强领导。…2、…`). A lone `1、`, `第1、2名` or
///   `1、2月份` is left alone.
/// - *U+00A0* between two sentences, or between a short heading and its paragraph.
/// - *Indents* (U+3000, tabs, three or more blanks) between two sentences.
/// - *Known headings*: a numbered heading such as `一、总体要求` that runs straight into its paragraph is cut
///   behind the title if titles like it are conventional in official documents, and if the paragraph begins
///   with a word that opens clauses (坚持, 以, 按照, …) or the other headings of the series end at the same
///   length.
///
/// ```toml
/// [[stage]]
/// use = "recover-paragraphs"
/// min_line_chars = 200
/// ```
///
/// Counts: `cut_at_numbering`, `cut_at_nbsp`, `cut_at_indent`, `cut_at_known_heading`.
///
/// Limits: Chinese text only; ends of paragraphs that left no trace stay glued.
#[expect(clippy::struct_excessive_bools, reason = "one switch for each kind of evidence")]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RecoverParagraphsOptions {
    /// Lines with fewer characters (white space not counted) are never cut.
    #[schemars(
        range(min = 1),
        extend(
            "x-unit" = "characters",
            "x-needs" = [{"numbering": [true]}, {"nbsp": [true]}, {"indents": [true]}]
        )
    )]
    pub min_line_chars: u64,
    /// Cut before the items of numbered series.
    pub numbering: bool,
    /// Cut at U+00A0 between sentences and around headings.
    pub nbsp: bool,
    /// Cut at U+3000, tabs and wide blanks between sentences.
    pub indents: bool,
    /// Cut behind numbered headings with a conventional title.
    #[schemars(extend("x-needs" = {"numbering": [true]}))]
    pub known_headings: bool,
}

impl Default for RecoverParagraphsOptions {
    fn default() -> Self {
        // 200 characters fill five lines of print: longer lines may well hold two paragraphs, shorter ones
        // are more often a paragraph with a list inside.
        Self { min_line_chars: 200, numbering: true, nbsp: true, indents: true, known_headings: true }
    }
}
