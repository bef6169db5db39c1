//! Cuts the source of a page into tags and text.
//!
//! The rules are those of the tokenizer of the HTML standard (section 13.2.5), without its parse errors: where
//! a tag, an attribute or a comment ends is decided as in browsers.
//! Nothing is copied: all text is given as a range of the source, with its character references in it.

use memchr::{memchr, memchr2, memmem};

use crate::append::{STEP, equal};
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

/// Where in a script the tokenizer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Escape {
    /// In the script itself.
    None,
    /// Behind `<!--`.
    Comment,
    /// Behind `<script>` in a comment: its end tag ends itself and not the element.
    Script,
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
    ///
    /// `is_foreign`: it stands in a drawing or a formula, which may hold CDATA sections.
    pub(crate) fn next(&mut self, attributes: &mut Vec<Attribute>, is_foreign: bool) -> Option<Token> {
        loop {
            let start = self.at;
            if is_foreign && let Some(text) = self.cdata() {
                if text.start == text.end {
                    continue;
                }
                return Some(Token::Text(text));
            }
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

    /// Takes a CDATA section, if one begins here; its text may be empty.
    fn cdata(&mut self) -> Option<Span> {
        const MARK: &[u8] = b"<![CDATA[";
        let rest = self.source.get(self.at..).filter(|rest| rest.starts_with(MARK))?;
        let start = self.at + MARK.len();
        let end = memmem::find(rest.get(MARK.len()..)?, b"]]>").map(|length| start + length);
        self.at = end.map_or(self.source.len(), |end| end + 3);
        Some(Span::new(start, end.unwrap_or(self.source.len())))
    }

    /// Takes all that is left as text, as behind `<plaintext>`.
    pub(crate) fn rest(&mut self) -> Span {
        let start = std::mem::replace(&mut self.at, self.source.len());
        Span::new(start, self.at)
    }

    /// Takes the content of an element whose content is text alone, and its end tag.
    pub(crate) fn raw_text(&mut self, tag: Tag) -> Span {
        let start = self.at;
        let found = if tag == Tag::Script { self.script_end() } else { self.end_tag(start, tag.name()) };
        let Some(end) = found else {
            self.at = self.source.len();
            return Span::new(start, self.at);
        };
        self.at = end + 2 + tag.name().len();
        self.skip_to_tag_end();
        Span::new(start, end)
    }

    /// Where the next end tag of an element stands.
    fn end_tag(&self, from: usize, name: &str) -> Option<usize> {
        let rest = self.source.get(from..)?;
        memmem::find_iter(rest, b"</").map(|found| from + found).find(|at| self.names(at + 2, name))
    }

    /// Where a script ends: not within `<!-- <script> … </script> -->`, which old pages write (the escaped states of
    /// the tokenizer, HTML standard, section 13.2.5.17).
    fn script_end(&self) -> Option<usize> {
        let start = self.at;
        let first_end = self.end_tag(start, "script")?;
        let comment = memmem::find(self.source.get(start..first_end)?, b"<!--");
        // Nearly all scripts hold no comment and end here.
        let Some(comment) = comment else { return Some(first_end) };
        let mut at = start + comment + 2;
        let mut state = Escape::Comment;
        loop {
            let mark = at;
            at += memchr2(b'<', b'>', self.source.get(at..)?)?;
            let is_end = self.source.get(at + 1) == Some(&b'/') && self.names(at + 2, "script");
            let closes = self.source.get(mark.max(at.saturating_sub(2))..at) == Some(b"--");
            match self.source.get(at) {
                Some(b'<') if is_end && state != Escape::Script => return Some(at),
                Some(b'<') if is_end => state = Escape::Comment,
                Some(b'<') if state == Escape::Comment && self.names(at + 1, "script") => {
                    state = Escape::Script;
                }
                Some(b'<') if state == Escape::None && self.source.get(at..at + 4) == Some(b"<!--") => {
                    state = Escape::Comment;
                    // The dashes may be those of `-->`, too.
                    at += 1;
                }
                Some(b'>') if closes => state = Escape::None,
                _ => {}
            }
            at += 1;
        }
    }

    /// Whether the name of a tag stands at `at`, whole.
    fn names(&self, at: usize, name: &str) -> bool {
        let after = at + name.len();
        let is_name = |it: &[u8]| it.eq_ignore_ascii_case(name.as_bytes());
        let is_end = |byte: &u8| is_space(*byte) || matches!(byte, b'/' | b'>');
        self.source.get(at..after).is_some_and(is_name) && self.source.get(after).is_some_and(is_end)
    }

    /// Where the next tag or comment begins, at or after `from`; the end of the source if there is none.
    fn next_markup(&self, mut from: usize) -> usize {
        while let Some(found) = find(b'<', self.source.get(from..).unwrap_or_default()) {
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
            while !ENDS_NAME[usize::from(*source.get(at)?)] {
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

/// Where a byte stands first. Most values and texts end within a few bytes, for which calling a search is dear.
fn find(byte: u8, rest: &[u8]) -> Option<usize> {
    const NEAR: usize = 16;
    let Some(near) = rest.first_chunk::<NEAR>() else { return memchr(byte, rest) };
    let (steps, _) = near.as_chunks::<STEP>();
    for (at, step) in steps.iter().enumerate() {
        let found = equal(u64::from_le_bytes(*step), byte);
        if found != 0 {
            return Some(at * STEP + found.trailing_zeros() as usize / 8);
        }
    }
    memchr(byte, rest.get(NEAR..)?).map(|at| NEAR + at)
}

/// The value that begins at or after `at`, behind `=`, and where the tag goes on.
fn attribute_value(source: &[u8], mut at: usize) -> Option<(Span, usize)> {
    while is_space(*source.get(at)?) {
        at += 1;
    }
    match *source.get(at)? {
        quote @ (b'"' | b'\'') => {
            let end = at + 1 + find(quote, source.get(at + 1..)?)?;
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

/// The bytes that end the name of an attribute.
static ENDS_NAME: [bool; 256] = {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < 256 {
        table[byte] = is_space(byte as u8) || matches!(byte as u8, b'=' | b'>' | b'/');
        byte += 1;
    }
    table
};

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\t' | b'\r' | b'\x0C')
}

/// Tells apart names that are not known: only whether an end tag fits depends on it.
pub(crate) const fn hash_of(name: &[u8]) -> u64 {
    // FNV-1a.
    let mut hash = 0xCBF2_9CE4_8422_2325;
    let mut at = 0;
    while at < name.len() {
        hash = (hash ^ name[at].to_ascii_lowercase() as u64).wrapping_mul(0x0100_0000_01B3);
        at += 1;
    }
    hash
}

/// Whether white space alone is in `text`, as HTML counts it.
pub(crate) fn is_blank(text: &str) -> bool {
    text.bytes().all(is_space)
}
