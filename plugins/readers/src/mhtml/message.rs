//! Messages of MIME: heads, parts, and how their content is written down.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use memchr::{memchr, memchr_iter, memmem};
use tamis_text::encoding::Encoding;

use crate::crawl::{Head, media_type};

/// Parts within parts: mail has three levels or four.
const MAX_DEPTH: usize = 8;

/// Lines of a head may be folded, and Base64 may lack its padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A message, or a part of one.
#[derive(Debug, Clone)]
pub(super) struct Message<'a> {
    pub(super) head: Fields<'a>,
    body: &'a [u8],
}

/// The lines of a head, with those that go on joined.
#[derive(Debug, Clone)]
pub(super) struct Fields<'a>(Cow<'a, [u8]>);

impl Fields<'_> {
    /// The first value of that name.
    pub(super) fn field(&self, name: &str) -> Option<&[u8]> {
        Head { lines: &self.0 }.field(name)
    }

    fn text(&self, name: &str) -> Option<&str> {
        Head { lines: &self.0 }.text(name)
    }
}

/// Whether a file begins with the head of a message in which a page can be.
pub(super) fn begins(file: &[u8]) -> bool {
    let Some(end) = end_of_head(file) else { return false };
    let head = Message::parse(file.get(..end).unwrap_or_default()).head;
    let is_mime = head.field("mime-version").is_some();
    let kind = media_type(head.field("content-type"));
    is_mime && kind.is_some_and(|kind| kind.starts_with("multipart/") || kind.starts_with("text/"))
}

/// Where the body begins: behind the first blank line, if all lines before it are those of a head.
fn end_of_head(file: &[u8]) -> Option<usize> {
    let mut start = 0;
    for end in memchr_iter(b'\n', file) {
        let line = file.get(start..end)?.trim_ascii_end();
        if line.is_empty() {
            return (start > 0).then_some(end + 1);
        }
        let name = line.get(..memchr(b':', line).unwrap_or(0))?;
        let is_field = !name.is_empty() && name.iter().all(u8::is_ascii_graphic);
        let goes_on = start > 0 && matches!(line.first(), Some(b' ' | b'\t'));
        // Mail boxes put a line of their own in front of a message.
        let is_separator = start == 0 && line.starts_with(b"From ");
        if !is_field && !goes_on && !is_separator {
            return None;
        }
        start = end + 1;
    }
    None
}

impl<'a> Message<'a> {
    /// Whether there is anything that only the head of a message says; else all of it may have been taken for a head.
    pub(super) fn has_head(&self) -> bool {
        ["mime-version", "content-type", "from", "subject"].iter().any(|name| self.head.field(name).is_some())
    }

    /// Takes a message apart; without a blank line all of it is head.
    pub(super) fn parse(bytes: &'a [u8]) -> Self {
        let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
        let blank_line = if bytes.starts_with(b"\n") || bytes.starts_with(b"\r\n") {
            Some(memchr(b'\n', bytes).unwrap_or(0) + 1)
        } else {
            memchr_iter(b'\n', bytes).find_map(|at| match bytes.get(at + 1..)? {
                [b'\n', ..] => Some(at + 2),
                [b'\r', b'\n', ..] => Some(at + 3),
                _ => None,
            })
        };
        let (head, body) = bytes.split_at(blank_line.unwrap_or(bytes.len()));
        Self { head: Fields(unfolded(head)), body }
    }

    /// The part that is the page.
    ///
    /// # Errors
    ///
    /// A message, when there is none.
    pub(super) fn page(&self) -> Result<Self, String> {
        let mut parts = Vec::new();
        self.collect(0, &mut parts)?;
        let start = parameter(self.head.field("content-type").unwrap_or_default(), "start");
        let is_start = |part: &&Self| start.is_some() && part.head.text("content-id") == start.as_deref();
        let of_type = |kind: &'static str| move |part: &&Self| part.content_type() == kind;
        let named = parts.iter().find(|part| is_start(part) && part.content_type().starts_with("text/"));
        let page = named
            .or_else(|| parts.iter().find(of_type("text/html")))
            .or_else(|| parts.iter().find(of_type("application/xhtml+xml")))
            .or_else(|| parts.iter().find(of_type("text/plain")));
        page.cloned().ok_or_else(|| {
            format!("none of the {} parts of the message is a page (`text/html`) or plain text", parts.len())
        })
    }

    /// The parts that hold no parts themselves, in order.
    fn collect(&self, depth: usize, parts: &mut Vec<Self>) -> Result<(), String> {
        if !self.content_type().starts_with("multipart/") {
            parts.push(self.clone());
            return Ok(());
        }
        if depth == MAX_DEPTH {
            return Err(format!("the parts of the message lie more than {MAX_DEPTH} deep"));
        }
        let boundary = parameter(self.head.field("content-type").unwrap_or_default(), "boundary");
        let boundary = boundary.ok_or("the head of the message names no `boundary` between its parts")?;
        let delimiter = [b"--", boundary.as_bytes()].concat();
        let starts: Vec<usize> = memmem::find_iter(self.body, &delimiter)
            .filter(|at| *at == 0 || self.body.get(at - 1) == Some(&b'\n'))
            .collect();
        if starts.is_empty() {
            return Err(format!(
                "the boundary `{boundary}`, which the head of the message names, is not in it"
            ));
        }
        for (index, start) in starts.iter().enumerate() {
            let behind = self.body.get(start + delimiter.len()..).unwrap_or_default();
            if behind.starts_with(b"--") {
                break;
            }
            let end = starts.get(index + 1).copied().unwrap_or(self.body.len());
            let part = self.body.get(start + delimiter.len()..end).unwrap_or_default();
            // The line end in front of a boundary belongs to it.
            let part = part.strip_suffix(b"\n").unwrap_or(part);
            let part = part.strip_suffix(b"\r").unwrap_or(part);
            let begin = memchr(b'\n', part).map_or(part.len(), |at| at + 1);
            Self::parse(part.get(begin..).unwrap_or_default()).collect(depth + 1, parts)?;
        }
        Ok(())
    }

    /// The media type of a part; plain text if none is named.
    pub(super) fn content_type(&self) -> String {
        media_type(self.head.field("content-type")).unwrap_or_else(|| "text/plain".to_owned())
    }

    /// The content of a part as bytes.
    ///
    /// # Errors
    ///
    /// A message, when it is written down in a way that is not known.
    pub(super) fn content(&self) -> Result<Cow<'a, [u8]>, String> {
        let transfer = self.head.field("content-transfer-encoding").unwrap_or_default().to_ascii_lowercase();
        match transfer.as_slice() {
            b"" | b"7bit" | b"8bit" | b"binary" => Ok(Cow::Borrowed(self.body)),
            b"quoted-printable" => Ok(Cow::Owned(unquoted(self.body))),
            b"base64" => {
                let digits: Vec<u8> =
                    self.body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
                BASE64
                    .decode(digits)
                    .map(Cow::Owned)
                    .map_err(|error| format!("the page is no Base64: {error}"))
            }
            other => Err(format!(
                "the transfer encoding `{}` is not known; quoted-printable and base64 are",
                String::from_utf8_lossy(other)
            )),
        }
    }

    /// Where the page was saved.
    pub(super) fn url<'u>(&'u self, part: &'u Self) -> Option<&'u str> {
        let url = self.head.text("snapshot-content-location").or_else(|| part.head.text("content-location"));
        url.or_else(|| self.head.text("content-location")).filter(|url| url.contains("://"))
    }

    /// The subject, which browsers make of the title.
    pub(super) fn subject(&self) -> Option<String> {
        let subject = self.head.field("subject")?;
        let subject = words(subject);
        (!subject.is_empty()).then_some(subject)
    }
}

/// The lines of a head with those that begin with a blank joined to the one before.
fn unfolded(head: &[u8]) -> Cow<'_, [u8]> {
    let is_folded = memchr_iter(b'\n', head).any(|at| matches!(head.get(at + 1), Some(b' ' | b'\t')));
    // The first line of the head of a response is none of its fields; that of a message is.
    let mut lines = b"\n".to_vec();
    if !is_folded {
        lines.extend_from_slice(head);
        return Cow::Owned(lines);
    }
    for line in head.split_inclusive(|byte| *byte == b'\n') {
        if matches!(line.first(), Some(b' ' | b'\t')) {
            lines.truncate(lines.trim_ascii_end().len());
            lines.push(b' ');
            lines.extend_from_slice(line.trim_ascii_start());
        } else {
            lines.extend_from_slice(line);
        }
    }
    Cow::Owned(lines)
}

/// The value of a parameter of a field: `boundary="x"`.
fn parameter(field: &[u8], name: &str) -> Option<String> {
    let field = String::from_utf8_lossy(field);
    let mut rest: &str = &field;
    loop {
        let (_, after) = rest.split_once(';')?;
        let after = after.trim_start();
        rest = after;
        let Some((found, value)) = after.split_once('=') else { continue };
        if !found.trim().eq_ignore_ascii_case(name) {
            continue;
        }
        let value = value.trim_start();
        let value = match value.strip_prefix('"') {
            Some(quoted) => quoted.split('"').next()?,
            None => value.split([';', ' ', '\t', '\r', '\n']).next()?,
        };
        return Some(value.to_owned());
    }
}

/// Undoes quoted-printable. What is no escape stays as it is: senders are careless.
fn unquoted(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr(b'=', rest) {
        let (before, escape) = rest.split_at(at);
        plain.extend_from_slice(before);
        rest = match escape {
            [b'=', b'\r', b'\n', after @ ..] | [b'=', b'\n', after @ ..] => after,
            [_, high, low, after @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                plain.push(digit(*high) << 4 | digit(*low));
                after
            }
            _ => {
                plain.push(b'=');
                escape.get(1..).unwrap_or_default()
            }
        };
    }
    plain.extend_from_slice(rest);
    plain
}

fn digit(digit: u8) -> u8 {
    char::from(digit).to_digit(16).map_or(0, |digit| digit as u8)
}

/// A field of a head with its encoded words undone: `=?utf-8?Q?=E8=8C=B6?=`.
fn words(field: &[u8]) -> String {
    let field = String::from_utf8_lossy(field);
    let (mut out, mut rest, mut behind_word) = (String::new(), field.as_ref(), false);
    while let Some((before, at)) = rest.find("=?").and_then(|at| Some((rest.get(..at)?, rest.get(at..)?))) {
        let Some((word, after)) = encoded_word(at) else {
            out.push_str(before);
            out.push_str("=?");
            (rest, behind_word) = (at.strip_prefix("=?").unwrap_or_default(), false);
            continue;
        };
        // Blanks between two words are there because no word may be long.
        if !(behind_word && before.trim().is_empty()) {
            out.push_str(before);
        }
        out.push_str(&word);
        (rest, behind_word) = (after, true);
    }
    out.push_str(rest);
    out.trim().to_owned()
}

/// The encoded word at the start of `text`, and what stands behind it.
fn encoded_word(text: &str) -> Option<(String, &str)> {
    let (label, rest) = text.strip_prefix("=?")?.split_once('?')?;
    let (kind, rest) = rest.split_once('?')?;
    let (inside, after) = rest.split_once("?=")?;
    let bytes = match kind {
        "Q" | "q" => unquoted(inside.replace('_', " ").as_bytes()),
        "B" | "b" => BASE64.decode(inside).ok()?,
        _ => return None,
    };
    let label = label.split('*').next()?;
    Some((Encoding::for_label(label)?.decode(&bytes).0.into_owned(), after))
}
