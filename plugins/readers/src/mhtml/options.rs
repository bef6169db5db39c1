//! Options of the `mhtml` reader.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::encoded::{AUTO, DEFAULT_MAX_UNDECODABLE_RATIO};

/// Reads one document from each page that a browser saved as one file (MHTML), or from each e-mail.
///
/// Use it for `.mhtml` and `.mht` files, and for `.eml` files, which have the same form: a head, and parts, of which
/// one is the page.
/// The text of the document is the source of the page, as UTF-8, with quoted-printable or Base64 undone; an extractor
/// makes prose of it. A message without a page gives its plain text.
/// The id of the document is the path of the file.
///
/// ```toml
/// [[source]]
/// use = "mhtml"
/// paths = ["saved/*.mhtml"]
/// ```
///
/// Metadata: `url` (where the page was saved), `title` (the subject), `content_type` (of the part), and `encoding` and
/// `undecodable_bytes` as of the `html` reader.
/// The page is the part that the head names (`start`), else the first of type `text/html`, else the first of type
/// `text/plain`. Pictures and style sheets are passed over.
///
/// A file without such a part, or without the boundaries that its head promises, fails, and its bytes are kept.
///
/// Limits: a message in a message is not read.
///
/// Source: RFC 2045, 2046, 2047 and 2557.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct MhtmlOptions {
    /// The encoding of the page: `auto`, or a label such as `gb18030`, whatever it declares.
    ///
    /// A byte order mark outranks it.
    #[schemars(extend("x-under-auto" = "fallback_encoding"))]
    pub encoding: String,
    /// The encoding of files that are not UTF-8 and say nothing of their encoding, in place of a guess: `auto`, or a label.
    pub fallback_encoding: String,
    /// Which part of the bytes of a page may stand for nothing, from 0 to 1; with more, the file fails.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub max_undecodable_ratio: f64,
    /// Whether documents carry the bytes of the page, with quoted-printable or Base64 undone.
    ///
    /// They do in any case if some of them stand for nothing.
    pub keep_raw: bool,
}

impl Default for MhtmlOptions {
    fn default() -> Self {
        Self {
            encoding: AUTO.to_owned(),
            fallback_encoding: AUTO.to_owned(),
            max_undecodable_ratio: DEFAULT_MAX_UNDECODABLE_RATIO,
            keep_raw: false,
        }
    }
}
