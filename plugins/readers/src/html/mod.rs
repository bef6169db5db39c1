//! `html`: one page a file.

mod options;
#[cfg(test)]
mod tests;

use memchr::memmem;
pub use options::HtmlOptions;
use tamis_plugin::{Block, Emit, Failure, Form, Forms, NewDocument, Reader, SetupError};
use tamis_text::encoding::{self, Hints};

use crate::encoded::{self, Decoder, Known};
use crate::foreign::{self, Format};

/// The reader of HTML files.
#[derive(Debug)]
pub struct Html {
    decoder: Decoder,
    keep_raw: bool,
}

/// How sure the reader is of a file that begins as pages do.
const SURE_BY_CONTENT: u8 = 90;
/// How sure it is of a file that begins with some other tag that pages have.
const SURE_BY_TAG: u8 = 70;
/// How sure it is of a file that is called like a page and begins with something else.
const SURE_BY_NAME: u8 = 50;

impl Reader for Html {
    const NAME: &'static str = "html";
    const WRITES: &'static [&'static str] = &["text", "raw", "encoding", "undecodable_bytes"];
    const WHOLE_FILE: bool = true;
    type Options = HtmlOptions;

    fn open(options: HtmlOptions) -> Result<Self, SetupError> {
        let decoder =
            Decoder::new(&options.encoding, &options.fallback_encoding, options.max_undecodable_ratio)?;
        Ok(Self { decoder, keep_raw: options.keep_raw })
    }

    fn forms(&self) -> Forms {
        Forms::new().giving([Form::Markup])
    }

    fn sniff(&self, head: &[u8], _complete: bool, name: &str) -> u8 {
        let name = name.to_ascii_lowercase();
        let is_named = [".html", ".htm", ".xhtml", ".shtml"].iter().any(|ending| name.ends_with(ending));
        sniff_markup(head).max(if is_named { SURE_BY_NAME } else { 0 })
    }

    fn decode(&self, block: &Block<'_>, emit: &mut dyn Emit) -> Result<(), Failure> {
        let decoded = foreign::check(block.bytes, Self::NAME, &[Format::Arc, Format::Warc, Format::Jsonl])
            .and_then(|()| self.decoder.decode(block.bytes, Known { markup: true, ..Known::default() }));
        match decoded {
            Ok(decoded) => {
                let mut metadata = Vec::new();
                encoded::push_metadata(&decoded, &mut metadata);
                emit.document(&NewDocument {
                    id: None,
                    text: &decoded.text,
                    raw: (self.keep_raw || decoded.n_undecodable > 0).then_some(block.bytes),
                    metadata: &metadata,
                    ordinal: block.first_ordinal,
                    offset: block.offset,
                    length: block.bytes.len() as u64,
                    attachments: &[],
                    form: Some(Form::Markup),
                });
            }
            Err(failure) => emit.failed(block.first_ordinal, block.offset, block.bytes, &failure),
        }
        Ok(())
    }
}

/// How far into a file its first tag may be, in bytes: behind comments and white space.
const SNIFF_BYTES: usize = 16 * 1024;

/// How sure it is that bytes begin a page, from 0 to 100, by what stands there.
pub(crate) fn sniff_markup(head: &[u8]) -> u8 {
    let head = head.get(..SNIFF_BYTES).unwrap_or(head);
    let is_utf16 = head.iter().take(4).any(|byte| *byte == 0)
        || head.starts_with(b"\xFF\xFE")
        || head.starts_with(b"\xFE\xFF");
    let decoded = is_utf16.then(|| encoding::decode(head, &Hints::default()).text.into_owned());
    let head = decoded.as_ref().map_or(head, String::as_bytes);
    let mut rest = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
    loop {
        rest = rest.trim_ascii_start();
        let (open, close): (&[u8], &[u8]) = match rest {
            [b'<', b'!', b'-', b'-', ..] => (b"<!--", b"-->"),
            [b'<', b'?', ..] => (b"<?", b"?>"),
            _ => break,
        };
        let inside = rest.get(open.len()..).unwrap_or_default();
        let Some(end) = memmem::find(inside, close) else { return 0 };
        rest = inside.get(end + close.len()..).unwrap_or_default();
    }
    if is_doctype(rest) || ["<html", "<head", "<body"].iter().any(|tag| begins(rest, tag)) {
        return SURE_BY_CONTENT;
    }
    let is_tag = TAGS.iter().any(|tag| begins(rest, tag));
    if is_tag { SURE_BY_TAG } else { 0 }
}

/// Tags that files begin with if the head of the page was left out, as in the MIME Sniffing Standard.
const TAGS: [&str; 12] = [
    "<script", "<iframe", "<h1", "<div", "<font", "<table", "<style", "<title", "<meta", "<link", "<article",
    "<p",
];

fn is_doctype(rest: &[u8]) -> bool {
    let words = rest.get(..64).unwrap_or(rest).to_ascii_lowercase();
    let kind = words.strip_prefix(b"<!doctype").map(<[u8]>::trim_ascii_start);
    kind.is_some_and(|kind| kind.starts_with(b"html"))
}

fn begins(rest: &[u8], tag: &str) -> bool {
    rest.get(..tag.len()).is_some_and(|name| name.eq_ignore_ascii_case(tag.as_bytes()))
        && rest.get(tag.len()).is_some_and(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/'))
}
