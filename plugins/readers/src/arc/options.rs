//! Options of the `arc` reader.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::crawl::{DEFAULT_MAX_PAYLOAD_BYTES, PageOptions, default_content_types};
use crate::encoded::{AUTO, DEFAULT_MAX_UNDECODABLE_RATIO};

/// Reads one document from each page of an ARC file.
///
/// Use it for crawls of before 2009, which the Internet Archive and others kept in this format, compressed or not.
/// The text of a document is the page as UTF-8, with its HTTP codings undone; an extractor makes prose of it.
///
/// ```toml
/// [[source]]
/// use = "arc"
/// paths = ["crawl/*.arc.gz"]
/// ```
///
/// Metadata: `url`, `fetched` (as `2008-04-30T20:48:25Z`), `content_type` (without parameters), `status` (of HTTP),
/// and `encoding` and `undecodable_bytes` as of the `html` reader. Records of this format have no id of their own:
/// that of a document is its place in the file.
///
/// A record is a document if its content is one of `content_types` and its HTTP status is from `min_status` to
/// `max_status`. Others, such as answers of name servers and the description that a file begins with, are passed
/// over; they count as records: the ordinal of a document says which record of the file it is, from 0.
/// Encodings and codings are as of the `warc` reader.
///
/// A length is believed only if a record, or the file, ends there. A record with a wrong length and bytes that are no
/// record fail, and their bytes are kept; reading goes on with the next line that can be the first of a record.
///
/// Limits: a record of more than 256 MiB fails.
///
/// Source: the description of the format by Burner and Kahle, 1996, versions 1 and 2.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ArcOptions {
    /// The media types to take: `text/html`, `text/*`, or `*/*` for all.
    ///
    /// A page without a type has that which its first bytes show.
    pub content_types: Vec<String>,
    /// The lowest HTTP status to take; records without one are taken whatever it is.
    #[schemars(range(min = 0, max = 999))]
    pub min_status: u16,
    /// The highest HTTP status to take.
    #[schemars(range(min = 0, max = 999))]
    pub max_status: u16,
    /// The encoding of the pages: `auto`, or a label such as `gb18030`, whatever they declare.
    ///
    /// A byte order mark outranks it.
    #[schemars(extend("x-under-auto" = "fallback_encoding"))]
    pub encoding: String,
    /// The encoding of pages that are not UTF-8 and say nothing of their encoding, in place of a guess: `auto`, or a label.
    pub fallback_encoding: String,
    /// Which part of the bytes of a page may stand for nothing, from 0 to 1; with more, the record fails.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub max_undecodable_ratio: f64,
    /// The longest page, decompressed; longer ones fail.
    #[schemars(range(min = 1), extend("x-unit" = "bytes"))]
    pub max_payload_bytes: u64,
    /// Whether documents carry the bytes of the page, with HTTP codings undone.
    ///
    /// They do in any case if some of them stand for nothing.
    pub keep_raw: bool,
    /// Whether documents carry the fields of the HTTP head, as the metadata field `http_headers`: an object,
    /// names in lower case, values of one name joined by a comma.
    pub http_headers: bool,
}

impl Default for ArcOptions {
    fn default() -> Self {
        Self {
            content_types: default_content_types(),
            min_status: 200,
            max_status: 299,
            encoding: AUTO.to_owned(),
            fallback_encoding: AUTO.to_owned(),
            max_undecodable_ratio: DEFAULT_MAX_UNDECODABLE_RATIO,
            max_payload_bytes: DEFAULT_MAX_PAYLOAD_BYTES,
            keep_raw: false,
            http_headers: false,
        }
    }
}

impl From<ArcOptions> for PageOptions {
    fn from(options: ArcOptions) -> Self {
        Self {
            content_types: options.content_types,
            min_status: options.min_status,
            max_status: options.max_status,
            encoding: options.encoding,
            fallback_encoding: options.fallback_encoding,
            max_undecodable_ratio: options.max_undecodable_ratio,
            max_payload_bytes: options.max_payload_bytes,
            keep_raw: options.keep_raw,
            http_headers: options.http_headers,
        }
    }
}
