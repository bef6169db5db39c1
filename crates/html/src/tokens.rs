//! Cuts the source of a page into tags and text.
//!
//! The rules are those of the tokenizer of the HTML standard (section 13.2.5), without its parse errors: where
//! a tag, an attribute or a comment ends is decided as in browsers.
//! Nothing is copied: all text is given as a range of the source, with its character references in it.

use memchr::{memchr, memmem};

use crate::tag::{Name, Tag, key_of};

/// A range of the source, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

impl Span {
    fn new(start: usize, end: usize) -> Self {
        Self { start: start as u32, end: end as u32 }
    }

    pub(crate) fn of(self, source: &str) -> &str {
        source.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}

/// An attribute that is kept.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attribute {
    pub(crate) name: Name,
    pub(crate) value: Span,
}

/// A piece of the source.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Token {
    Text(Span),
    /// A start tag; its attributes were pushed.
    Start {
        tag: Tag,
        name: u64,
        self_closing: bool,
    },
    End {
        tag: Tag,
        name: u64,
    },
}

/// The pieces of a page, in order.
pub(crate) struct Tokens<'a> {
    source: &'a [u8],
    at: usize,
}

impl<'a> Tokens<'a> {
    /// The source must be shorter than 4 GiB.
    pub(crate) fn new(source: &'a str) -> Self {
        Self { source: source.as_bytes(), at: 0 }
    }

    /// The next piece; attributes of a start tag are pushed to `attributes`.
    pub(crate) fn next(&mut self, attributes: &mut Vec<Attribute>) -> Option<Token> {
        loop {
            let start = self.at;
            let text_end = self.next_markup(start);
            if text_end > start {
                self.at = text_end;
                return Some(Token::Text(Span::new(start, text_end)));
            }
            let second = *self.source.get(start + 1)?;
            if second.is_ascii_alphabetic() {
                let kept = attributes.len();
                match self.tag(start + 1, Some(attributes)) {
                    Some((tag, name, self_closing)) => return Some(Token::Start { tag, name, self_closing }),
                    None => attributes.truncate(kept),
                }
            } else if second == b'/' && self.source.get(start + 2).is_some_and(u8::is_ascii_alphabetic) {
                if let Some((tag, name, _)) = self.tag(start + 2, None) {
                    return Some(Token::End { tag, name });
                }
            } else {
                self.comment(start);
            }
        }
    }

    /// Takes the content of an element whose content is text alone, and its end tag.
    pub(crate) fn raw_text(&mut self, name: &str) -> Span {
        let start = self.at;
        let mut from = start;
        while let Some(found) = memmem::find(self.source.get(from..).unwrap_or_default(), b"</") {
            let tag = from + found + 2;
            let after = tag + name.len();
            let is_end = self
                .source
                .get(tag..after)
                .is_some_and(|it| it.eq_ignore_ascii_case(name.as_bytes()))
                && self.source.get(after).is_none_or(|&byte| is_space(byte) || matches!(byte, b'/' | b'>'));
            if is_end {
                self.at = after;
                self.skip_to_tag_end();
                return Span::new(start, tag - 2);
            }
            from = tag;
        }
        self.at = self.source.len();
        Span::new(start, self.at)
    }

    /// Where the next tag or comment begins, at or after `from`; the end of the source if there is none.
    fn next_markup(&self, mut from: usize) -> usize {
        while let Some(found) = memchr(b'<', self.source.get(from..).unwrap_or_default()) {
            let at = from + found;
            match self.source.get(at + 1) {
                Some(byte) if byte.is_ascii_alphabetic() || matches!(byte, b'!' | b'?') => return at,
                // `</>` and `</` before anything but a letter open a bogus comment; `</` at the end is text.
                Some(b'/') if at + 2 < self.source.len() => return at,
                _ => from = at + 1,
            }
        }
        self.source.len()
    }

    fn comment(&mut self, start: usize) {
        let rest = self.source.get(start..).unwrap_or_default();
        let length = if rest.starts_with(b"<!--") {
            comment_length(rest)
        } else {
            memchr(b'>', rest).map_or(rest.len(), |at| at + 1)
        };
        self.at = start + length;
    }

    /// Reads a tag whose name begins at `at`; `None` at the end of the source.
    fn tag(&mut self, at: usize, attributes: Option<&mut Vec<Attribute>>) -> Option<(Tag, u64, bool)> {
        let rest = self.source.get(at..)?;
        let length = rest.iter().position(|&byte| is_space(byte) || matches!(byte, b'/' | b'>'));
        let Some(length) = length else {
            self.at = self.source.len();
            return None;
        };
        let name = rest.get(..length)?;
        let key = key_of(name);
        let tag = Tag::from_key(key);
        let hash = if tag == Tag::Other { hash_of(name) } else { 0 };
        self.at = at + length;
        let self_closing = match attributes {
            Some(attributes) => self.attributes(attributes)?,
            None => self.skip_to_tag_end()?,
        };
        Some((tag, hash, self_closing))
    }

    fn skip_to_tag_end(&mut self) -> Option<bool> {
        if self.source.get(self.at) == Some(&b'>') {
            self.at += 1;
            return Some(false);
        }
        self.attributes(&mut Vec::new())
    }

    /// Reads attributes up to the end of the tag, and says whether it closes itself.
    fn attributes(&mut self, attributes: &mut Vec<Attribute>) -> Option<bool> {
        let source = self.source;
        let first = attributes.len();
        let mut at = self.at;
        // Whatever happens, the rest was looked at.
        self.at = source.len();
        let mut slash = false;
        loop {
            let byte = *source.get(at)?;
            if byte == b'>' {
                self.at = at + 1;
                return Some(slash);
            }
            if is_space(byte) || byte == b'/' {
                slash = byte == b'/';
                at += 1;
                continue;
            }
            slash = false;
            let start = at;
            at += 1;
            while !matches!(*source.get(at)?, b'=' | b'>' | b'/') && !is_space(*source.get(at)?) {
                at += 1;
            }
            let name = Name::from_key(key_of(source.get(start..at)?));
            let after_name = at;
            while is_space(*source.get(at)?) {
                at += 1;
            }
            let mut value = Span::new(after_name, after_name);
            if source.get(at) == Some(&b'=') {
                (value, at) = attribute_value(source, at + 1)?;
            } else {
                at = after_name;
            }
            let is_new = || attributes.iter().skip(first).all(|kept| kept.name != name);
            if name != Name::Other && is_new() {
                attributes.push(Attribute { name, value });
            }
        }
    }
}

/// The value that begins at or after `at`, behind `=`, and where the tag goes on.
fn attribute_value(source: &[u8], mut at: usize) -> Option<(Span, usize)> {
    while is_space(*source.get(at)?) {
        at += 1;
    }
    match *source.get(at)? {
        quote @ (b'"' | b'\'') => {
            let end = at + 1 + memchr(quote, source.get(at + 1..)?)?;
            Some((Span::new(at + 1, end), end + 1))
        }
        b'>' => Some((Span::new(at, at), at)),
        _ => {
            let rest = source.get(at..)?;
            let end = at + rest.iter().position(|&byte| is_space(byte) || byte == b'>')?;
            Some((Span::new(at, end), end))
        }
    }
}

/// Bytes of a comment that begins with `<!--`, its end included.
fn comment_length(rest: &[u8]) -> usize {
    // `<!-->` and `<!--->` are whole comments.
    for short in [&b"<!-->"[..], b"<!--->"] {
        if rest.starts_with(short) {
            return short.len();
        }
    }
    let mut from = 4;
    while let Some(found) = memmem::find(rest.get(from..).unwrap_or_default(), b"--") {
        let at = from + found + 2;
        match rest.get(at) {
            Some(b'>') => return at + 1,
            Some(b'!') if rest.get(at + 1) == Some(&b'>') => return at + 2,
            // `--->`: the next pair begins at the second dash.
            _ => from = at - 1,
        }
    }
    rest.len()
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\t' | b'\r' | b'\x0C')
}

/// Tells apart names that are not known: only whether an end tag fits depends on it.
fn hash_of(name: &[u8]) -> u64 {
    // FNV-1a.
    let step =
        |hash: u64, byte: &u8| (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01B3);
    name.iter().fold(0xCBF2_9CE4_8422_2325, step)
}

/// Whether white space alone is in `text`, as HTML counts it.
pub(crate) fn is_blank(text: &str) -> bool {
    text.bytes().all(is_space)
}
