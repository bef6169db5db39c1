//! Options of `newspaper-page`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Takes a page of a printed newspaper's digital edition apart: page metadata, title, numbered sections.
///
/// Use it after `site-rules` (with `digital-newspaper.toml`, which knows the buttons of such pages) and before
/// any stage that strips indentation, by which headings are told from paragraphs.
///
/// How it decides: a page shows two of these three signs, or passes unchanged and is counted as `not_a_page`:
///
/// - a masthead near the top (`清河日报 数字报纸`),
/// - an edition line near the top (`00003版:专版`, `第A01版：头版`),
/// - an index of the other pages near the end (`清河日报2011-06-2400007;清河日报2011-06-2400008;…`).
///
/// All three are removed, and so is the title wherever it is repeated; what they say goes to metadata:
/// `title`, `publisher`, `published_raw`, and `page`, an object with `paper`, `product`, `date`, `weekday`,
/// `edition`, `edition_number`, `section_name`, `page_title`, `kicker` and `other_pages`, as far as known.
/// The date is given only if all dates on the page agree, and the weekday with them.
///
/// Pages that number their parts with a repeated word (`镜头` and `1` on lines of their own, or `镜头1`) lose
/// these marks from the text and gain `sections`: a list of `number`, `heading` and `paragraphs`.
/// A heading is a short line without indentation and without a sentence end between indented paragraphs;
/// two such lines in a row are one heading.
/// Where every mark is followed by its heading, the sections are certain, and the text is put in their order.
/// Where the flattened text contradicts the numbers (a heading behind part of its own text, a section without
/// one), the text stays in source order, `order_uncertain` is true, and `sections` is the best guess:
/// paragraphs go to the heading whose words they share.
///
/// ```toml
/// [[stage]]
/// use = "newspaper-page"
/// ```
///
/// Limits: pages in Chinese, one article a page; the grouping by words needs a few dozen characters a
/// paragraph.
///
/// Counts: `pages`, `not_a_page`, `lines_dropped`, `sections`, `order_uncertain`, `date_conflict`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct NewspaperPageOptions {
    /// How many of the three signs make a page.
    #[schemars(range(min = 1, max = 3))]
    pub min_signs: usize,
    /// Put sections that are certain in the order of their numbers.
    pub reorder_sections: bool,
}

impl Default for NewspaperPageOptions {
    fn default() -> Self {
        Self { min_signs: 2, reorder_sections: true }
    }
}
