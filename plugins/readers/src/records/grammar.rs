//! Where records begin and end, and what their fields are.
//!
//! Cutting, decoding and sniffing all walk through [`record`], so that they cannot disagree.

use std::collections::BTreeSet;
use std::marker::PhantomData;
use std::ops::Range;

use memchr::memchr;

use tamis_text::literal::{Build, Cursor, Trouble, is_word};

/// With more bytes to come, trouble this close to the end may be no trouble: a surrogate pair, the longest
/// thing that is looked at as a whole, takes 20 bytes.
const LOOK_AHEAD: usize = 32;

/// The fields of a record.
pub(super) enum Content<V> {
    /// `name: literal`, in the order in which they stand.
    Fields(Vec<Named<V>>),
    /// One dict, and where it begins.
    Dict(usize, V),
}

/// A field: where its name stands, where its value begins, and the value.
pub(super) struct Named<V> {
    pub(super) name: Range<usize>,
    pub(super) at: usize,
    pub(super) value: V,
}

/// What walking through a record came to.
pub(super) enum Outcome<V> {
    /// A whole record, and where the next one begins.
    Whole(Content<V>, usize),
    /// A broken record, and where the next one begins.
    Broken(Trouble, usize),
    /// Nothing but blank lines.
    Blank,
    /// More bytes are needed to tell.
    More,
}

/// Walks through the record that begins at `start`; with `end`, nothing follows the bytes.
pub(super) fn record<B: Build>(bytes: &[u8], start: usize, end: bool) -> Outcome<B::Value> {
    let mut walk = Walk { cursor: Cursor { bytes, at: start }, line: start, names: BTreeSet::new() };
    walk.take_blank_lines();
    if walk.at_end() {
        return if end { Outcome::Blank } else { Outcome::More };
    }
    match walk.content::<B>() {
        // A record that ends where the bytes end may go on in the next ones.
        Ok(_) if walk.at_end() && !end => Outcome::More,
        Ok(content) => Outcome::Whole(content, walk.cursor.at),
        Err(trouble) if !end && (trouble.unfinished || trouble.at + LOOK_AHEAD > bytes.len()) => {
            Outcome::More
        }
        Err(trouble) => match walk.next_start(end) {
            Some(next) => Outcome::Broken(trouble, next),
            None => Outcome::More,
        },
    }
}

/// The spans of the records, one after the other, without gaps; stops where more bytes are needed.
pub(super) struct Spans<'a, B> {
    bytes: &'a [u8],
    at: usize,
    end: bool,
    build: PhantomData<B>,
}

impl<'a, B: Build> Spans<'a, B> {
    /// From the start of the bytes; with `end`, nothing follows them.
    pub(super) fn new(bytes: &'a [u8], end: bool) -> Self {
        Self { bytes, at: 0, end, build: PhantomData }
    }

    /// Where the next record begins.
    pub(super) fn at(&self) -> usize {
        self.at
    }
}

impl<B: Build> Iterator for Spans<'_, B> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        let start = self.at;
        match record::<B>(self.bytes, start, self.end) {
            Outcome::Whole(_, next) | Outcome::Broken(_, next) => {
                self.at = next;
                Some(start..next)
            }
            Outcome::Blank | Outcome::More => None,
        }
    }
}

/// How a line that begins a record looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Beginning {
    /// A field whose value is a string.
    Text(Range<usize>),
    /// A field with another value.
    Field(Range<usize>),
    Dict,
}

/// Whether the line at `line` looks like the beginning of a record.
pub(super) fn beginning(bytes: &[u8], line: usize) -> Option<Beginning> {
    // One line alone, so that the answer does not depend on how much of the next one is there.
    let rest = bytes.get(line..).unwrap_or_default();
    let length = memchr(b'\n', rest).unwrap_or(rest.len());
    let mut cursor = Cursor { bytes: &bytes[..line + length], at: line };
    cursor.take_indent();
    if cursor.take(b'{') {
        cursor.take_blanks();
        let is_dict = cursor.string_follows() || matches!(cursor.peek(), None | Some(b'}' | b'\r'));
        return is_dict.then_some(Beginning::Dict);
    }
    let name = name_and_separator(&mut cursor).ok()?;
    if cursor.string_follows() {
        return Some(Beginning::Text(name));
    }
    match cursor.rest() {
        [b'[' | b'(' | b'{' | b'0'..=b'9', ..] | [b'-' | b'+' | b'.', b'0'..=b'9' | b'.', ..] => {
            Some(Beginning::Field(name))
        }
        _ => match cursor.take_while(is_word) {
            b"None" | b"True" | b"False" | b"null" | b"true" | b"false" => Some(Beginning::Field(name)),
            _ => None,
        },
    }
}

/// Steps over `name:` or `name =` and the blanks behind it.
fn name_and_separator(cursor: &mut Cursor<'_>) -> Result<Range<usize>, Trouble> {
    let start = cursor.at;
    if cursor.peek().is_some_and(|byte| byte.is_ascii_digit()) || cursor.take_while(is_word).is_empty() {
        return cursor.trouble("expected a field, such as `text: '…'`, or a dict");
    }
    let name = start..cursor.at;
    cursor.take_blanks();
    if !cursor.take(b':') && !cursor.take(b'=') {
        return cursor.trouble("expected `:` or `=` behind the name of a field");
    }
    cursor.take_blanks();
    Ok(name)
}

/// A walk through one record.
struct Walk<'a> {
    cursor: Cursor<'a>,
    /// The start of the line that is being read.
    line: usize,
    /// The names that the record has so far, broken fields included.
    names: BTreeSet<&'a [u8]>,
}

impl<'a> Walk<'a> {
    fn at_end(&self) -> bool {
        self.cursor.at >= self.cursor.bytes.len()
    }

    fn name(&self, range: &Range<usize>) -> &'a [u8] {
        self.cursor.bytes.get(range.clone()).unwrap_or_default()
    }

    /// Reads fields, or a dict, up to the beginning of the next record.
    fn content<B: Build>(&mut self) -> Result<Content<B::Value>, Trouble> {
        let mut fields = Vec::new();
        loop {
            self.line = self.cursor.at;
            self.cursor.take_indent();
            if self.cursor.peek() == Some(b'{') {
                if !fields.is_empty() {
                    break;
                }
                let at = self.cursor.at;
                let dict = self.cursor.literal::<B>()?;
                let _ = self.cursor.take(b',');
                self.take_line_end()?;
                self.take_blank_lines();
                return Ok(Content::Dict(at, dict));
            }
            if !self.fields_of_line::<B>(&mut fields)? {
                break;
            }
            let is_blank_between = self.take_blank_lines();
            if is_blank_between || self.at_end() {
                return Ok(Content::Fields(fields));
            }
        }
        self.cursor.at = self.line;
        Ok(Content::Fields(fields))
    }

    /// Reads the fields of one line; false when the first of them belongs to the next record.
    fn fields_of_line<B: Build>(&mut self, fields: &mut Vec<Named<B::Value>>) -> Result<bool, Trouble> {
        let n_before = fields.len();
        loop {
            let name = name_and_separator(&mut self.cursor)?;
            if !self.names.insert(self.name(&name)) {
                if fields.len() == n_before {
                    return Ok(false);
                }
                let shown = String::from_utf8_lossy(self.name(&name));
                return Err(Trouble {
                    at: name.start,
                    unfinished: false,
                    message: format!("field `{shown}` occurs twice in one line"),
                });
            }
            let at = self.cursor.at;
            let value = self.cursor.literal::<B>()?;
            fields.push(Named { name, at, value });
            self.cursor.take_blanks();
            let comma = self.cursor.take(b',') || self.cursor.take(b';');
            self.cursor.take_blanks();
            if !comma || matches!(self.cursor.peek(), None | Some(b'\r' | b'\n')) {
                self.take_line_end()?;
                return Ok(true);
            }
        }
    }

    fn take_line_end(&mut self) -> Result<(), Trouble> {
        self.cursor.take_blanks();
        let _ = self.cursor.take(b'\r');
        if self.cursor.take(b'\n') || self.at_end() {
            return Ok(());
        }
        self.cursor.trouble("expected the end of the line, or `,` and another field")
    }

    /// Steps over blank lines; true if there was one.
    fn take_blank_lines(&mut self) -> bool {
        let start = self.cursor.at;
        loop {
            let rest = self.cursor.rest();
            let length = memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1);
            if length == 0 || !rest[..length].trim_ascii().is_empty() {
                return self.cursor.at > start;
            }
            self.cursor.at += length;
        }
    }

    /// Where the record behind a broken one begins: at a line that looks like it and that does not look like
    /// a further field of the broken one.
    ///
    /// `None` if more bytes are needed.
    fn next_start(mut self, end: bool) -> Option<usize> {
        let mut is_blank_between = false;
        self.cursor.at = self.line;
        loop {
            let rest = self.cursor.rest();
            match memchr(b'\n', rest) {
                Some(newline) => self.cursor.at += newline + 1,
                None => return end.then_some(self.cursor.bytes.len()),
            }
            is_blank_between |= self.take_blank_lines();
            let line = self.cursor.at;
            let is_whole = memchr(b'\n', self.cursor.rest()).is_some();
            if !is_whole && (!end || self.at_end()) {
                return end.then_some(self.cursor.bytes.len());
            }
            match beginning(self.cursor.bytes, line) {
                Some(Beginning::Dict) => return Some(line),
                Some(Beginning::Text(name) | Beginning::Field(name)) => {
                    let is_new = self.names.is_empty() || !self.names.insert(self.name(&name));
                    if is_blank_between || is_new {
                        return Some(line);
                    }
                }
                None => {}
            }
        }
    }
}
