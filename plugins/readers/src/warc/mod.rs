//! `warc`: the pages that a crawler kept.

mod options;
mod payload;
pub(crate) mod record;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::BTreeMap;

pub use options::{RecordType, WarcOptions};
use tamis_plugin::{Block, Cut, Emit, Failure, Form, Forms, NewDocument, Reader, SetupError, ValueRef};
use tamis_text::encoding::charset_in;

use self::payload::Response;
use self::record::{Content, Head, Piece, begins_record};
use crate::encoded::{self, Decoder, Known};
use crate::html::sniff_markup;

/// The reader of WARC files.
#[derive(Debug)]
pub struct Warc {
    options: WarcOptions,
    decoder: Decoder,
}

impl Reader for Warc {
    const NAME: &'static str = "warc";
    const WRITES: &'static [&'static str] = &[
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
    type Options = WarcOptions;

    fn open(mut options: WarcOptions) -> Result<Self, SetupError> {
        let decoder = Decoder::new(&options.encoding, options.max_undecodable_ratio)?;
        let (min, max) = (options.min_status, options.max_status);
        if min > max {
            let message = format_args!("{min} is more than `max_status` = {max}, so no page would be taken");
            return Err(SetupError::in_option("min_status", message));
        }
        for wanted in &mut options.content_types {
            if !wanted.contains('/') {
                let message =
                    format_args!("`{wanted}` is no media type: write `text/{wanted}`, `text/*` or `*/*`");
                return Err(SetupError::in_option("content_types", message));
            }
            wanted.make_ascii_lowercase();
        }
        Ok(Self { options, decoder })
    }

    fn forms(&self) -> Forms {
        // Crawls are of pages; what a conversion holds has been flattened, and mostly lies in files of its own.
        let is_page = |kind: &RecordType| matches!(kind, RecordType::Response | RecordType::Resource);
        let has_pages = self.options.record_types.iter().any(is_page);
        Forms::new().giving([if has_pages { Form::Markup } else { Form::Flattened }])
    }

    fn sniff(&self, head: &[u8], _complete: bool, name: &str) -> u8 {
        let name = name.to_ascii_lowercase();
        let is_named = [".warc", ".wet", ".wat"].iter().any(|ending| name.ends_with(ending));
        match (begins_record(head.trim_ascii_start()), is_named) {
            (true, _) => 95,
            // The ending promises it, so say what is wrong instead of reading it as text.
            (false, true) => 60,
            (false, false) => 0,
        }
    }

    fn cut(&self, bytes: &[u8], end: bool) -> Cut {
        let start = blank(bytes);
        let (mut at, mut records) = (start, 0);
        let (mut cut_at, mut cut_records) = (0, 0);
        while let Some(piece) = record::piece(bytes.get(at..).unwrap_or_default(), end) {
            at += piece.next;
            records += 1;
            // Only where the next record is seen to begin: see `record`.
            if bytes.get(at..).is_some_and(begins_record) {
                (cut_at, cut_records) = (at, records);
            }
        }
        match (end, cut_at) {
            (true, _) => Cut::At { bytes: bytes.len(), records },
            (false, 0) => Cut::More,
            (false, _) => Cut::At { bytes: cut_at, records: cut_records },
        }
    }

    fn decode(&self, block: &Block<'_>, emit: &mut dyn Emit) -> Result<(), Failure> {
        let mut at = blank(block.bytes);
        let mut ordinal = block.first_ordinal;
        while let Some(piece) = record::piece(block.bytes.get(at..).unwrap_or_default(), true) {
            let offset = block.offset + at as u64;
            if let Err(failure) = self.read_piece(&piece, ordinal, offset, emit) {
                emit.failed(ordinal, offset, piece.bytes, &failure);
            }
            at += piece.next;
            ordinal += 1;
        }
        Ok(())
    }
}

/// Line ends in front of the first record.
fn blank(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| record::is_line_end(**byte)).count()
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

impl Warc {
    fn read_piece(
        &self,
        piece: &Piece<'_>,
        ordinal: u64,
        offset: u64,
        emit: &mut dyn Emit,
    ) -> Result<(), Failure> {
        let (head, content) = match piece.content {
            Content::Whole { head, content } => (head, content),
            Content::Broken(why) => return Err(Failure::new(why)),
        };
        let truncated = head.text("warc-truncated");
        let page = match self.page(head, content, truncated.is_some())? {
            Found::Page(page) => page,
            Found::Passed(why) => {
                emit.count(why, 1);
                return Ok(());
            }
        };
        let url = head.field("warc-target-uri").map(without_brackets);
        let url = url.map(String::from_utf8_lossy).filter(|url| !url.is_empty());
        let markup = page.content_type.contains("html") || page.content_type.contains("xml");
        let known = Known { label: page.label, markup, url: url.as_deref() };
        let decoded = self.decoder.decode(&page.payload, known)?;

        let mut metadata = vec![("content_type", ValueRef::String(&page.content_type))];
        let texts = [("url", url.as_deref()), ("fetched", head.text("warc-date")), ("truncated", truncated)];
        metadata.extend(texts.into_iter().filter_map(|(name, text)| Some((name, ValueRef::String(text?)))));
        if let Some(status) = page.response.and_then(|response| response.status) {
            metadata.push(("status", ValueRef::Integer(i64::from(status))));
        }
        let http_headers =
            page.response.filter(|_| self.options.http_headers).map(|found| as_json(found.head));
        if let Some(json) = &http_headers {
            metadata.push(("http_headers", ValueRef::Json(json)));
        }
        encoded::push_metadata(&decoded, &mut metadata);
        let id = head.field("warc-record-id").map(without_brackets);
        emit.document(&NewDocument {
            id: id.and_then(|id| std::str::from_utf8(id).ok()).filter(|id| !id.is_empty()),
            text: &decoded.text,
            raw: (self.options.keep_raw || decoded.n_undecodable > 0).then_some(&page.payload),
            metadata: &metadata,
            ordinal,
            offset,
            length: piece.bytes.len() as u64,
            attachments: &[],
            form: Some(if markup { Form::Markup } else { Form::Flattened }),
        });
        Ok(())
    }

    /// The page in a record, if the options want it; the cheap questions come first.
    fn page<'a>(&self, head: Head<'a>, content: &'a [u8], truncated: bool) -> Result<Found<'a>, Failure> {
        let Some(record_type) = head.field("warc-type") else {
            return Err(Failure::new("the head of the record has no `WARC-Type`"));
        };
        let is_type = |wanted: &RecordType| record_type.eq_ignore_ascii_case(wanted.name().as_bytes());
        if !self.options.record_types.iter().any(is_type) {
            return Ok(Found::Passed("passed_record_type"));
        }
        let is_response = record_type.eq_ignore_ascii_case(RecordType::Response.name().as_bytes());
        let Some(response) = Response::parse(content).filter(|_| is_response) else {
            let declared = head.field("content-type");
            let content_type = media_type(declared).map_or_else(|| sniffed(content).into(), Cow::Owned);
            let is_http = content_type == "application/http" && is_response;
            if is_http && !content.is_empty() {
                return Err(Failure::new("the content is no HTTP response, which begins with `HTTP/`"));
            }
            if !self.wants_type(&content_type) {
                return Ok(Found::Passed("passed_content_type"));
            }
            if content.len() as u64 > self.options.max_payload_bytes {
                return Err(Failure::new(format_args!(
                    "the content takes {} bytes, more than `max_payload_bytes` = {} allows",
                    content.len(),
                    self.options.max_payload_bytes
                )));
            }
            let label = label_in(declared);
            let payload = Cow::Borrowed(content);
            return Ok(Found::Page(Page { payload, content_type, label, response: None }));
        };
        let wanted = self.options.min_status..=self.options.max_status;
        if response.status.is_some_and(|status| !wanted.contains(&status)) {
            return Ok(Found::Passed("passed_status"));
        }
        let declared = response.head.field("content-type");
        let known_type =
            media_type(declared).or_else(|| media_type(head.field("warc-identified-payload-type")));
        if known_type.as_deref().is_some_and(|known| !self.wants_type(known)) {
            return Ok(Found::Passed("passed_content_type"));
        }
        let payload = response.payload(self.options.max_payload_bytes, truncated).map_err(Failure::new)?;
        let content_type = known_type.map_or_else(|| sniffed(&payload).into(), Cow::Owned);
        if !self.wants_type(&content_type) {
            return Ok(Found::Passed("passed_content_type"));
        }
        let label = label_in(declared);
        Ok(Found::Page(Page { payload, content_type, label, response: Some(response) }))
    }

    fn wants_type(&self, content_type: &str) -> bool {
        self.options.content_types.iter().any(|wanted| match wanted.strip_suffix('*') {
            Some("*/") => true,
            Some(prefix) => content_type.starts_with(prefix),
            None => wanted == content_type,
        })
    }
}

/// The value of a field that stands in angle brackets.
fn without_brackets(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"<").and_then(|value| value.strip_suffix(b">")).unwrap_or(value)
}

/// The media type of a `Content-Type`, in lower case and without parameters; `None` if it is not one.
fn media_type(value: Option<&[u8]>) -> Option<String> {
    let value = std::str::from_utf8(value?).ok()?;
    let media_type = value.split([';', ',']).next()?.trim().to_ascii_lowercase();
    media_type.contains('/').then_some(media_type)
}

fn label_in(content_type: Option<&[u8]>) -> Option<&str> {
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
