//! Options of the `warc` reader.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::crawl::{DEFAULT_MAX_PAYLOAD_BYTES, PageOptions, default_content_types};
use crate::encoded::{AUTO, DEFAULT_MAX_UNDECODABLE_RATIO};

/// Reads one document from each page of a WARC file.
///
/// Use it for what crawlers keep: WARC 0.17 to 1.1, WET (plain text made of it) and WAT (metadata), compressed
/// or not. The text of a document is the page as UTF-8, with its HTTP codings undone; an extractor makes prose
/// of it.
///
/// ```toml
/// [[source]]
/// use = "warc"
/// paths = ["crawl/*.warc.gz"]
///
/// [[source]]                      # WAT: one JSON object a record
/// id = "wat"
/// use = "warc"
/// paths = ["crawl/*.wat.gz"]
/// record_types = ["metadata"]
/// content_types = ["application/json"]
/// ```
///
/// The id is the record's own, without the angle brackets. Metadata: `url`, `fetched` (when, as the crawler
/// wrote it), `content_type` (without parameters), `status` (of HTTP), `truncated` (why the crawler broke off),
/// and `encoding` and `undecodable_bytes` as of the `html` reader.
///
/// A record is a document if its type is one of `record_types`, its content is one of `content_types`, and its
/// HTTP status is from `min_status` to `max_status`. Others, such as requests, revisits and images, are passed
/// over; they count as records: the ordinal of a document says which record of the file it is, from 0.
///
/// The encoding is what HTTP declares, then what the page declares, then a guess, for which the country in the
/// host name counts; see the reader `html` for pages that lie.
///
/// Chunks are joined, gzip, deflate and br decompressed; a body that is not in the coding that its header names
/// is taken as it is, because many crawlers undo a coding and keep the header.
///
/// A length is believed only if a record ends there. A record with a wrong length, without a length, cut short,
/// or bytes that are no record fail, and their bytes are kept; reading goes on with the next line that begins a
/// record. Line ends may be CR LF or LF, and those behind a record may be missing. In a record whose head ends its
/// lines with LF, a length may count a CR for each of them, as in `ClueWeb09`.
///
/// Limits: a record of more than 256 MiB fails. Revisits are not joined with what they revisit. The content
/// coding zstd is not known.
///
/// Source: ISO 28500:2017 (WARC 1.1), RFC 9110 and 9112.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct WarcOptions {
    /// The types of the records to take.
    pub record_types: Vec<RecordType>,
    /// The media types to take: `text/html`, `text/*`, or `*/*` for all.
    ///
    /// A page without a type has that which its first bytes show.
    pub content_types: Vec<String>,
    /// The lowest HTTP status to take; records without one are taken whatever it is.
    #[schemars(range(min = 0, max = 999), extend("x-needs" = {"record_types": {"has": ["response"]}}))]
    pub min_status: u16,
    /// The highest HTTP status to take.
    #[schemars(range(min = 0, max = 999), extend("x-needs" = {"record_types": {"has": ["response"]}}))]
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
    #[schemars(extend("x-needs" = {"record_types": {"has": ["response"]}}))]
    pub http_headers: bool,
}

/// The type of a record that can be a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum RecordType {
    /// What a server answered.
    Response,
    /// A file that was fetched without a protocol, or without its head.
    Resource,
    /// A page in another form: the plain text of WET files.
    Conversion,
    /// What a crawler says about a page: the JSON of WAT files.
    Metadata,
}

impl RecordType {
    /// The name in a record, in lower case.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Response => "response",
            Self::Resource => "resource",
            Self::Conversion => "conversion",
            Self::Metadata => "metadata",
        }
    }
}

impl Default for WarcOptions {
    fn default() -> Self {
        Self {
            record_types: vec![RecordType::Response, RecordType::Resource, RecordType::Conversion],
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

impl From<WarcOptions> for PageOptions {
    fn from(options: WarcOptions) -> Self {
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
