//! Options of the `markdown` exporter.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Writes one Markdown file a document, with its metadata as YAML front matter.
///
/// Use it to read documents, or to hand them to what reads folders of Markdown: note-taking programs, site
/// generators, retrieval indexes. For millions of documents use `jsonl`.
///
/// ```toml
/// [[export]]
/// use = "markdown"
/// path = "out"
/// ```
///
/// ```text
/// ---
/// id: news/2024/a.html
/// author: 王小明
/// published: "2024-05-06"
/// tags: ["a","b"]
/// ---
///
/// 第一段。
///
/// 第二段。
/// ```
///
/// The front matter has `id`; for a dropped or failed document `stage`, `reason` and `measures`; then the
/// metadata in order of their names. Metadata of these names, or named `metadata`, stand together under
/// `metadata`. Strings are in quotes where YAML would take them for something else.
///
/// The file is named after the id: `news/2024/a.html` becomes `news/2024/a.html.md`, and `a.jsonl#1024`
/// `a.jsonl-1024.md`, because `#` ends a link. An id that cannot be a file name on Linux, Windows or macOS, or is
/// longer than 117 bytes, is made one, with 16 digits of the BLAKE3 hash of the id behind it.
///
/// With `name` it is named after metadata: `name = "{site}/{title}"`. What cannot be in a file name, or has a
/// meaning in links, becomes `-`; a name is cut at 100 bytes; of two files of one name the second gets a number,
/// `title-2.md`, whatever their case. A document without one of the fields is named after its id.
///
/// Limits: the text is not escaped, so characters that Markdown gives a meaning, such as `#` at the start of
/// a line, have it. Raw bytes are not written: for dead letters use `jsonl`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MarkdownOptions {
    /// What files are called: text, and metadata fields or `id` in braces; `/` parts folders. The ending is added.
    #[schemars(length(min = 1), extend("x-field" = "pattern"))]
    pub name: Option<String>,
    /// The metadata fields in the front matter, in this order; without it all.
    ///
    /// An empty list leaves metadata out. Fields that a document does not have are left out.
    #[schemars(extend("x-field" = "read"))]
    pub fields: Option<Vec<String>>,
    /// What makes a paragraph.
    ///
    /// `lines`: every line of the text is a paragraph; blanks around it are left out, and one blank line
    /// stands between two. `as-is`: the text is written as it is, for text that is Markdown already.
    pub paragraphs: Paragraphs,
}

/// What makes a paragraph.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Paragraphs {
    /// Every line of the text is a paragraph.
    #[default]
    Lines,
    /// The text is written as it is.
    AsIs,
}
