//! What crawlers keep, for the readers of their archives: an answer of a server, or a file, as a document.

pub(crate) mod head;
mod payload;

use std::borrow::Cow;
use std::collections::BTreeMap;

pub(crate) use head::Head;
use payload::Response;
use tamis_plugin::{Emit, Failure, Form, NewDocument, SetupError, ValueRef};
use tamis_text::encoding::charset_in;

use crate::encoded::{self, Decoder, Known};
use crate::pages::sniff_markup;

/// The metadata fields that pages have.
pub(crate) const WRITES: &[&str] = &[
    "text",
    "raw",
    "url",
    "fetched",
    "content_type",
    "status",
    "truncated",
    "http_headers",
    "encoding",
    "undecodable_bytes",
];

/// Which pages are taken, and what is said of them.
#[derive(Debug)]
pub(crate) struct Pages {
    content_types: Vec<String>,
    min_status: u16,
    max_status: u16,
    max_payload_bytes: u64,
    keep_raw: bool,
    http_headers: bool,
    decoder: Decoder,
}

/// The options that the readers of crawls share, as they came.
#[derive(Debug)]
pub(crate) struct PageOptions {
    pub(crate) content_types: Vec<String>,
    pub(crate) min_status: u16,
    pub(crate) max_status: u16,
    pub(crate) encoding: String,
    pub(crate) fallback_encoding: String,
    pub(crate) max_undecodable_ratio: f64,
    pub(crate) max_payload_bytes: u64,
    pub(crate) keep_raw: bool,
    pub(crate) http_headers: bool,
}

/// The media types that are taken by default.
pub(crate) fn default_content_types() -> Vec<String> {
    ["text/html", "application/xhtml+xml", "text/plain"].map(str::to_owned).to_vec()
}

/// The longest page by default, in bytes.
pub(crate) const DEFAULT_MAX_PAYLOAD_BYTES: u64 = 64 * 1024 * 1024;

/// What an archive says of one of its records.
#[derive(Debug, Default)]
pub(crate) struct Capture<'a> {
    pub(crate) id: Option<&'a str>,
    pub(crate) url: Option<&'a [u8]>,
    pub(crate) fetched: Option<&'a str>,
    /// Why the crawler broke off, if it did.
    pub(crate) truncated: Option<&'a str>,
    /// The type that the archive declares for the content as it stands.
    pub(crate) declared: Option<&'a [u8]>,
    /// The type that the crawler took the page for.
    pub(crate) identified: Option<&'a [u8]>,
    /// Whether the content is the answer of a server, with its head.
    pub(crate) is_response: bool,
    pub(crate) content: &'a [u8],
    /// Which record of the file it is, and where it stands there, in bytes.
    pub(crate) ordinal: u64,
    pub(crate) offset: u64,
    pub(crate) length: u64,
}

/// What was found in a record.
enum Found<'a> {
    Page(Page<'a>),
    /// It is none of those that are wanted: the name under which it is counted.
    Passed(&'static str),
}

/// What of a record becomes a document.
struct Page<'a> {
    payload: Cow<'a, [u8]>,
    content_type: Cow<'a, str>,
    /// The charset that the type came with.
    label: Option<&'a str>,
    response: Option<Response<'a>>,
}

impl Pages {
    /// Checks the options.
    ///
    /// # Errors
    ///
    /// When no page could be taken, or something is no media type or no encoding.
    pub(crate) fn new(options: PageOptions) -> Result<Self, SetupError> {
        let decoder =
            Decoder::new(&options.encoding, &options.fallback_encoding, options.max_undecodable_ratio)?;
        let (min, max) = (options.min_status, options.max_status);
        if min > max {
            let message = format_args!("{min} is more than `max_status` = {max}, so no page would be taken");
            return Err(SetupError::in_option("min_status", message));
        }
        let mut content_types = options.content_types;
        for wanted in &mut content_types {
            if !wanted.contains('/') {
                let message =
                    format_args!("`{wanted}` is no media type: write `text/{wanted}`, `text/*` or `*/*`");
                return Err(SetupError::in_option("content_types", message));
            }
            wanted.make_ascii_lowercase();
        }
        Ok(Self {
            content_types,
            min_status: min,
            max_status: max,
            max_payload_bytes: options.max_payload_bytes,
            keep_raw: options.keep_raw,
            http_headers: options.http_headers,
            decoder,
        })
    }

    /// Emits the document in a record, or counts what it was passed over for.
    ///
    /// # Errors
    ///
    /// When the record is to be a dead letter.
    pub(crate) fn emit(&self, capture: &Capture<'_>, emit: &mut dyn Emit) -> Result<(), Failure> {
        let page = match self.page(capture)? {
            Found::Page(page) => page,
            Found::Passed(why) => {
                emit.count(why, 1);
                return Ok(());
            }
        };
        let url = capture.url.map(String::from_utf8_lossy).filter(|url| !url.is_empty());
        let markup = page.content_type.contains("html") || page.content_type.contains("xml");
        let known = Known { label: page.label, markup, url: url.as_deref() };
        let decoded = self.decoder.decode(&page.payload, known)?;

        let mut metadata = vec![("content_type", ValueRef::String(&page.content_type))];
        let texts = [("url", url.as_deref()), ("fetched", capture.fetched), ("truncated", capture.truncated)];
        metadata.extend(texts.into_iter().filter_map(|(name, text)| Some((name, ValueRef::String(text?)))));
        if let Some(status) = page.response.and_then(|response| response.status) {
            metadata.push(("status", ValueRef::Integer(i64::from(status))));
        }
        let http_headers = page.response.filter(|_| self.http_headers).map(|found| as_json(found.head));
        if let Some(json) = &http_headers {
            metadata.push(("http_headers", ValueRef::Json(json)));
        }
        encoded::push_metadata(&decoded, &mut metadata);
        emit.document(&NewDocument {
            id: capture.id.filter(|id| !id.is_empty()),
            text: &decoded.text,
            raw: (self.keep_raw || decoded.n_undecodable > 0).then_some(&page.payload),
            metadata: &metadata,
            ordinal: capture.ordinal,
            offset: capture.offset,
            length: capture.length,
            attachments: &[],
            form: Some(if markup { Form::Markup } else { Form::Flattened }),
        });
        Ok(())
    }

    /// The page in a record, if the options want it; the cheap questions come first.
    fn page<'a>(&self, capture: &Capture<'a>) -> Result<Found<'a>, Failure> {
        let content = capture.content;
        let Some(response) = Response::parse(content).filter(|_| capture.is_response) else {
            return self.file(capture);
        };
        let wanted = self.min_status..=self.max_status;
        if response.status.is_some_and(|status| !wanted.contains(&status)) {
            return Ok(Found::Passed("passed_status"));
        }
        let declared = response.head.field("content-type");
        let known_type = media_type(declared).or_else(|| media_type(capture.identified));
        if known_type.as_deref().is_some_and(|known| !self.wants_type(known)) {
            return Ok(Found::Passed("passed_content_type"));
        }
        let payload =
            response.payload(self.max_payload_bytes, capture.truncated.is_some()).map_err(Failure::new)?;
        let content_type = known_type.map_or_else(|| sniffed(&payload).into(), Cow::Owned);
        if !self.wants_type(&content_type) {
            return Ok(Found::Passed("passed_content_type"));
        }
        let label = label_in(declared);
        Ok(Found::Page(Page { payload, content_type, label, response: Some(response) }))
    }

    /// What was kept without the head of an answer.
    fn file<'a>(&self, capture: &Capture<'a>) -> Result<Found<'a>, Failure> {
        let (content, declared) = (capture.content, capture.declared);
        let content_type = media_type(declared).map_or_else(|| sniffed(content).into(), Cow::Owned);
        if content_type == "application/http" && capture.is_response && !content.is_empty() {
            return Err(Failure::new("the content is no HTTP response, which begins with `HTTP/`"));
        }
        if !self.wants_type(&content_type) {
            return Ok(Found::Passed("passed_content_type"));
        }
        if content.len() as u64 > self.max_payload_bytes {
            return Err(Failure::new(format_args!(
                "the content takes {} bytes, more than `max_payload_bytes` = {} allows",
                content.len(),
                self.max_payload_bytes
            )));
        }
        let label = label_in(declared);
        Ok(Found::Page(Page { payload: Cow::Borrowed(content), content_type, label, response: None }))
    }

    fn wants_type(&self, content_type: &str) -> bool {
        self.content_types.iter().any(|wanted| match wanted.strip_suffix('*') {
            Some("*/") => true,
            Some(prefix) => content_type.starts_with(prefix),
            None => wanted == content_type,
        })
    }
}

/// The media type of a `Content-Type`, in lower case and without parameters; `None` if it is not one.
pub(crate) fn media_type(value: Option<&[u8]>) -> Option<String> {
    let value = std::str::from_utf8(value?).ok()?;
    let media_type = value.split([';', ',']).next()?.trim().to_ascii_lowercase();
    media_type.contains('/').then_some(media_type)
}

pub(crate) fn label_in(content_type: Option<&[u8]>) -> Option<&str> {
    std::str::from_utf8(charset_in(content_type?)?).ok()
}

/// The media type of bytes that came without one.
fn sniffed(bytes: &[u8]) -> &'static str {
    let head = bytes.get(..1024).unwrap_or(bytes);
    if sniff_markup(bytes) > 0 {
        "text/html"
    } else if head.contains(&0) {
        "application/octet-stream"
    } else {
        "text/plain"
    }
}

/// The fields of a head as a JSON object.
fn as_json(head: Head<'_>) -> String {
    let mut fields: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in head.fields() {
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        let value = String::from_utf8_lossy(value);
        match fields.get_mut(&name) {
            Some(joined) => {
                joined.push_str(", ");
                joined.push_str(&value);
            }
            None => {
                fields.insert(name, value.into_owned());
            }
        }
    }
    serde_json::to_string(&fields).expect("strings have a form in JSON")
}
