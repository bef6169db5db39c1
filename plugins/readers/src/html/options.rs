//! Options of the `html` reader.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::encoded::{AUTO, DEFAULT_MAX_UNDECODABLE_RATIO};

/// Reads one document from each HTML file.
///
/// Use it for a folder of saved pages.
/// The text of the document is the source of the page, as UTF-8; an extractor makes prose of it.
/// The id of the document is the path of the file.
///
/// ```toml
/// [[source]]
/// use = "html"
/// paths = ["pages/**/*.html"]
/// ```
///
/// The encoding is found as browsers find it: a byte order mark, then what the page declares (`<meta>`, XML
/// declaration) in its first 1024 bytes, then a guess from what the bytes look like.
/// Pages lie: bytes that are UTF-8 are read as UTF-8 if the declared encoding cannot decode them or is a
/// single-byte one, and a declared encoding in which much is wrong gives way to the guess.
///
/// A page that was not UTF-8 has the metadata field `encoding`.
/// Bytes that stand for nothing become `�`; then the field `undecodable_bytes` says how many, and the raw bytes
/// are kept, so nothing is lost.
/// A file with too many of them, one that is no text at all, or one that is clearly of another kind (`any_format`),
/// fails, and its bytes are kept.
///
/// Limits: the source still declares the encoding it had.
///
/// Source: the HTML standard, section 13.2.3, the WHATWG Encoding Standard; the guess is that of Firefox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HtmlOptions {
    /// The encoding of the files: `auto`, or a label such as `gb18030` or `windows-1251`.
    ///
    /// A byte order mark outranks it.
    #[schemars(extend("x-under-auto" = "fallback_encoding"))]
    pub encoding: String,
    /// The encoding of files that are not UTF-8 and say nothing of their encoding, in place of a guess: `auto`, or a label.
    pub fallback_encoding: String,
    /// Which part of the bytes of a file may stand for nothing, from 0 to 1; with more, the file fails.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub max_undecodable_ratio: f64,
    /// Whether documents carry the bytes of the page as scraped.
    ///
    /// They do in any case if some of them stand for nothing.
    pub keep_raw: bool,
    /// Whether a file is taken as one document even where it is clearly of another kind: JSON, JSON Lines, a table with a
    /// header, XML, RTF.
    ///
    /// Without it such a file fails, and the message says what it is and who reads it. What is no text, and WARC and ARC
    /// files, fail in any case.
    pub any_format: bool,
}

impl Default for HtmlOptions {
    fn default() -> Self {
        Self {
            encoding: AUTO.to_owned(),
            fallback_encoding: AUTO.to_owned(),
            max_undecodable_ratio: DEFAULT_MAX_UNDECODABLE_RATIO,
            keep_raw: false,
            any_format: false,
        }
    }
}
