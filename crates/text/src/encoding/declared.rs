//! The encoding that a page declares for itself, in its first bytes.
//!
//! Source: the prescan of the HTML standard, section 13.2.3.2, "Prescan a byte stream to determine its encoding",
//! and after it the XML declaration.

use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252, X_USER_DEFINED};
use memchr::{memchr, memmem};

use super::Encoding;

/// Bytes in which a declaration counts, as the standard has it.
const PRESCAN_BYTES: usize = 1024;

/// The encoding that HTML or XML declares for itself in its first 1024 bytes.
///
/// UTF-16 in a declaration that can be read as ASCII is UTF-8.
pub fn declared_in_markup(bytes: &[u8]) -> Option<Encoding> {
    let head = bytes.get(..PRESCAN_BYTES).unwrap_or(bytes);
    if head.starts_with(b"<\0?\0x\0") {
        return Some(Encoding::web(UTF_16LE));
    }
    if head.starts_with(b"\0<\0?\0x") {
        return Some(Encoding::web(UTF_16BE));
    }
    in_meta(head).or_else(|| in_xml_declaration(head))
}

/// What the standard calls the prescan.
fn in_meta(head: &[u8]) -> Option<Encoding> {
    let mut rest = head;
    while let Some(at) = memchr(b'<', rest) {
        let tag = rest.get(at..).unwrap_or_default();
        rest = match tag {
            [b'<', b'!', b'-', b'-', ..] => {
                // `<!-->` is a whole comment, so the dashes at the beginning may be those at the end.
                let inside = tag.get(2..)?;
                inside.get(memmem::find(inside, b"-->")? + 3..)?
            }
            [b'<', b'm' | b'M', ..] if is_meta(tag) => {
                let mut attributes = Attributes { rest: tag.get(5..)? };
                if let Some(encoding) = of_meta(&mut attributes) {
                    return Some(encoding);
                }
                attributes.rest
            }
            [b'<', b'/', letter, ..] | [b'<', letter, ..] if letter.is_ascii_alphabetic() => {
                let end = tag.iter().position(|byte| byte.is_ascii_whitespace() || *byte == b'>')?;
                let mut attributes = Attributes { rest: tag.get(end..)? };
                while attributes.next().is_some() {}
                attributes.rest
            }
            [b'<', b'!' | b'/' | b'?', ..] => tag.get(memchr(b'>', tag)? + 1..)?,
            _ => tag.get(1..)?,
        };
    }
    None
}

fn is_meta(tag: &[u8]) -> bool {
    tag.get(..5).is_some_and(|name| name.eq_ignore_ascii_case(b"<meta"))
        && tag.get(5).is_some_and(|byte| byte.is_ascii_whitespace() || *byte == b'/')
}

/// The encoding that the attributes of a `<meta>` declare.
fn of_meta(attributes: &mut Attributes<'_>) -> Option<Encoding> {
    let (mut is_content_type, mut from_charset, mut from_content) = (false, None, None);
    let mut seen: Vec<Vec<u8>> = Vec::new();
    for (name, value) in attributes.by_ref() {
        // Of two attributes of one name the first counts.
        if seen.contains(&name) {
            continue;
        }
        match name.as_slice() {
            b"http-equiv" => is_content_type = value.eq_ignore_ascii_case(b"content-type"),
            b"charset" => from_charset = Some(of_label(&value)),
            b"content" => from_content = charset_in(&value).and_then(of_label),
            _ => {}
        }
        seen.push(name);
    }
    match from_charset {
        Some(encoding) => encoding,
        None if is_content_type => from_content,
        None => None,
    }
}

fn of_label(label: &[u8]) -> Option<Encoding> {
    let found = encoding_rs::Encoding::for_label_no_replacement(label)?;
    Some(Encoding::web(if found == UTF_16LE || found == UTF_16BE {
        UTF_8
    } else if found == X_USER_DEFINED {
        WINDOWS_1252
    } else {
        found
    }))
}

/// The label in the `content` of a `<meta>`, or in the value of an HTTP header: `text/html; charset=gbk`.
pub fn charset_in(content: &[u8]) -> Option<&[u8]> {
    let lower = content.to_ascii_lowercase();
    let mut from = 0;
    loop {
        from += memmem::find(lower.get(from..)?, b"charset")? + b"charset".len();
        let rest = content.get(from..)?.trim_ascii_start();
        if let Some(value) = rest.strip_prefix(b"=") {
            let value = value.trim_ascii_start();
            if let [quote @ (b'"' | b'\''), inside @ ..] = value {
                return inside.get(..memchr(*quote, inside)?);
            }
            let is_end = |byte: &u8| byte.is_ascii_whitespace() || *byte == b';';
            return value.get(..value.iter().position(is_end).unwrap_or(value.len()));
        }
    }
}

/// The attributes of a tag, names and values in lower case; leaves `rest` behind the last.
struct Attributes<'a> {
    rest: &'a [u8],
}

impl Iterator for Attributes<'_> {
    type Item = (Vec<u8>, Vec<u8>);

    fn next(&mut self) -> Option<Self::Item> {
        let start = self.rest.iter().position(|byte| !(byte.is_ascii_whitespace() || *byte == b'/'));
        self.skip(start.unwrap_or(self.rest.len()));
        if matches!(self.rest, [] | [b'>', ..]) {
            return None;
        }
        // A `=` at the beginning belongs to the name.
        let is_end = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b'/' | b'>' | b'=');
        let length = self.rest.iter().skip(1).position(is_end).map_or(self.rest.len(), |at| at + 1);
        let name = self.take(length);
        let blanks = self.rest.len() - self.rest.trim_ascii_start().len();
        let Some((b'=', _)) = self.rest.get(blanks..).and_then(<[u8]>::split_first) else {
            return Some((name, Vec::new()));
        };
        self.skip(blanks + 1);
        self.skip(self.rest.len() - self.rest.trim_ascii_start().len());
        let value = match self.rest {
            [quote @ (b'"' | b'\''), inside @ ..] => {
                let length = memchr(*quote, inside).unwrap_or(inside.len());
                self.skip(1);
                let value = self.take(length);
                self.skip(1);
                value
            }
            bare => {
                let is_end = |byte: &u8| byte.is_ascii_whitespace() || *byte == b'>';
                self.take(bare.iter().position(is_end).unwrap_or(bare.len()))
            }
        };
        Some((name, value))
    }
}

impl Attributes<'_> {
    fn skip(&mut self, length: usize) {
        self.rest = self.rest.get(length..).unwrap_or_default();
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        let taken = self.rest.get(..length).unwrap_or(self.rest).to_ascii_lowercase();
        self.skip(length);
        taken
    }
}

/// The encoding in `<?xml version="1.0" encoding="…"?>`.
fn in_xml_declaration(head: &[u8]) -> Option<Encoding> {
    let inside = head.strip_prefix(b"<?xml")?;
    let inside = inside.get(..memchr(b'>', inside)?)?;
    let value = inside.get(memmem::find(inside, b"encoding")? + b"encoding".len()..)?;
    let value = value.trim_ascii_start().strip_prefix(b"=")?.trim_ascii_start();
    let (quote, label) = value.split_first()?;
    if !matches!(quote, b'"' | b'\'') {
        return None;
    }
    of_label(label.get(..memchr(*quote, label)?)?)
}
