//! Options of the `text` reader.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::encoded::{AUTO, DEFAULT_MAX_UNDECODABLE_RATIO};

/// Reads one document from each plain-text file.
///
/// Use it for a folder of `.txt` files that hold nothing but the text.
/// The whole file is the text, line ends and blank lines included; a byte order mark at its start is left
/// out.
/// The id of the document is the path of the file.
///
/// ```toml
/// [[source]]
/// use = "text"
/// paths = ["articles/**/*.txt"]
/// ```
///
/// The file may be in any encoding: a byte order mark decides, then whether it is UTF-8, then a guess from what
/// the bytes look like (GB18030, Big5, Japanese, Korean, Cyrillic, Latin …).
/// Name the encoding with `encoding` where you know it; a guess needs some ten characters.
///
/// A file that is called like Markdown, `reStructuredText`, `AsciiDoc` or Org has the metadata field `content_type`
/// (`text/markdown` …): its layout is on purpose, so `boilerplate` leaves it whole and `repair-text` its lines.
///
/// Of a file that is called like Markdown the front matter (YAML between two lines of `---`) is no text: it becomes the
/// field `front_matter`, an object, and `title`, `author`, `description`, `language` and `published_raw` (its `date`) are
/// fields of their own. Front matter that has more than strings, numbers and lists behind names stays in the text.
///
/// A document that was not UTF-8 has the metadata field `encoding`.
/// Bytes that stand for nothing become `�`; then the field `undecodable_bytes` says how many, and the raw bytes
/// are kept, so nothing is lost.
/// A file with too many of them, one that is no text at all, or one that is clearly of another kind (`any_format`),
/// fails, and its bytes are kept.
///
/// Limits: a few characters of GBK or Big5 may happen to be UTF-8, and are read as such.
///
/// Source: the WHATWG Encoding Standard; the guess is that of Firefox.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TextOptions {
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
    /// Whether a file is taken as one document even where it is clearly of another kind: JSON, JSON Lines, a table with a
    /// header, XML, RTF.
    ///
    /// Without it such a file fails, and the message says what it is and who reads it. What is no text, and WARC and ARC
    /// files, fail in any case.
    pub any_format: bool,
    /// Whether the front matter of Markdown becomes metadata.
    pub front_matter: bool,
}

impl Default for TextOptions {
    fn default() -> Self {
        Self {
            encoding: AUTO.to_owned(),
            fallback_encoding: AUTO.to_owned(),
            max_undecodable_ratio: DEFAULT_MAX_UNDECODABLE_RATIO,
            any_format: false,
            front_matter: true,
        }
    }
}
