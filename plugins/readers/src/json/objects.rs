//! Where the objects of a JSON file begin and end.
//!
//! Only strings and braces are looked at; whether an object is JSON is for whoever reads it to say.
//! What stands between objects is taken as it comes: the brackets of arrays, one or several, and commas, also one too
//! many. So a file may be cut behind any object, and what is behind the cut reads alike.

use std::ops::Range;

use memchr::{memchr, memchr2, memchr3};

use crate::jsonl::ObjectReader;
use crate::row::Fault;

/// What a file holds at a place.
#[derive(Debug)]
pub(super) enum Piece {
    /// An object.
    Object(Range<usize>),
    /// Something else, or an object that does not end, with what is wrong from its beginning.
    Broken(Range<usize>, Fault),
}

impl Piece {
    pub(super) fn range(&self) -> Range<usize> {
        match self {
            Self::Object(range) | Self::Broken(range, _) => range.clone(),
        }
    }
}

/// The pieces of some bytes in order; stops where more bytes are needed to tell.
#[derive(Debug)]
pub(super) struct Objects<'a> {
    bytes: &'a [u8],
    at: usize,
    end: bool,
    /// Who knows in which encoding they are; without it they are UTF-8.
    reader: Option<&'a ObjectReader>,
}

/// How an object or a string ends.
enum Ended {
    At(usize),
    /// The bytes end before.
    More,
    /// It cannot end any more: a string has a line end in it.
    Never(usize),
}

impl<'a> Objects<'a> {
    /// From the start of the bytes; with `end`, nothing follows them.
    pub(super) fn new(bytes: &'a [u8], end: bool) -> Self {
        Self { bytes, at: 0, end, reader: None }
    }

    /// The same in the encodings that a reader takes.
    pub(super) fn read_by(self, reader: &'a ObjectReader) -> Self {
        Self { reader: Some(reader), ..self }
    }

    /// Where the next piece, or what separates it from the last one, begins.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    fn rest(&self, at: usize) -> &'a [u8] {
        self.bytes.get(at..).unwrap_or_default()
    }

    /// Where the next piece begins.
    fn next_start(&self) -> Option<usize> {
        let is_between = |byte: &u8| byte.is_ascii_whitespace() || matches!(byte, b',' | b'[' | b']');
        self.rest(self.at).iter().position(|byte| !is_between(byte)).map(|length| self.at + length)
    }

    /// Where the object at `start` ends.
    fn end_of_object(&self, start: usize) -> Ended {
        let (mut at, mut depth) = (start, 0_usize);
        loop {
            let Some(found) = memchr3(b'"', b'{', b'}', self.rest(at)) else { return Ended::More };
            at += found;
            match self.bytes.get(at) {
                Some(b'"') => match self.end_of_string(at) {
                    Ended::At(end) => at = end,
                    other => return other,
                },
                Some(b'{') => (at, depth) = (at + 1, depth + 1),
                _ if depth == 1 => return Ended::At(at + 1),
                _ => (at, depth) = (at + 1, depth - 1),
            }
        }
    }

    /// Where the string at `start` ends.
    fn end_of_string(&self, start: usize) -> Ended {
        let mut at = start + 1;
        loop {
            let rest = self.rest(at);
            let Some(found) = memchr2(b'"', b'\\', rest) else {
                return match memchr(b'\n', rest) {
                    Some(newline) => Ended::Never(at + newline),
                    None => Ended::More,
                };
            };
            if let Some(newline) = memchr(b'\n', rest.get(..found).unwrap_or_default()) {
                return Ended::Never(at + newline);
            }
            if rest.get(found) == Some(&b'"') {
                return Ended::At(at + found + 1);
            }
            // In encodings of several bytes it may be half of a letter. Braces and quotation marks need no such look:
            // outside of strings all is ASCII, and in no encoding a quotation mark is half of something.
            let letters = rest.get(..found).unwrap_or_default();
            let is_letter = self.reader.is_some_and(|reader| reader.ends_in_backslash(letters));
            at += found + if is_letter { 1 } else { 2 };
        }
    }

    /// Where the next object begins behind one that does not end: at a line that begins with `{`, no farther to the
    /// right than the line on which the broken one begins. Objects inside one stand farther to the right, or in files
    /// without any indentation are taken for records of their own: they fail, and what is behind them is read.
    fn behind_broken(&self, start: usize, fault: usize) -> Option<usize> {
        // Backwards, as far as nothing but what separates objects stands there: what is before that may lie in the
        // block before.
        let before = self.bytes.get(..start).unwrap_or_default();
        let indent =
            before.iter().rev().take_while(|byte| matches!(byte, b' ' | b'\t' | b',' | b'[')).count();
        let mut at = fault;
        loop {
            let Some(newline) = memchr(b'\n', self.rest(at)) else {
                return self.end.then_some(self.bytes.len());
            };
            at += newline + 1;
            let rest = self.rest(at);
            let own = indent_of(rest);
            let first = rest.get(own..).unwrap_or_default();
            if first.is_empty() && !self.end {
                return None;
            }
            if own <= indent && first.first() == Some(&b'{') {
                return Some(at);
            }
        }
    }

    /// An object at `start` of which it is known that it does not end.
    fn broken_object(&mut self, start: usize, fault: usize, message: &str) -> Option<Piece> {
        let next = self.behind_broken(start, fault)?;
        self.at = next;
        Some(Piece::Broken(start..next, Fault::new(fault - start, message)))
    }

    /// What is no object.
    fn stray(&mut self, start: usize) -> Option<Piece> {
        let found = if self.bytes.get(start) == Some(&b'"') {
            match self.end_of_string(start) {
                Ended::At(end) | Ended::Never(end) => Some(end),
                Ended::More => None,
            }
        } else {
            let ends = |byte: &u8| matches!(byte, b',' | b'[' | b']' | b'\n' | b'{' | b'"');
            self.rest(start + 1).iter().position(ends).map(|length| start + 1 + length)
        };
        let end = found.or_else(|| self.end.then_some(self.bytes.len()))?;
        // What separates it from the next one is no part of it: the next one may have to know.
        let end = start + self.bytes.get(start..end).unwrap_or_default().trim_ascii_end().len();
        self.at = end;
        let message = "expected an object, such as `{\"text\": …}`";
        Some(Piece::Broken(start..end, Fault::new(0, message)))
    }
}

impl Iterator for Objects<'_> {
    type Item = Piece;

    fn next(&mut self) -> Option<Piece> {
        let start = self.next_start()?;
        if self.bytes.get(start) != Some(&b'{') {
            return self.stray(start);
        }
        match self.end_of_object(start) {
            Ended::At(end) => {
                self.at = end;
                Some(Piece::Object(start..end))
            }
            Ended::Never(at) => {
                self.broken_object(start, at, "a string has a line end in it: write it as `\\n`")
            }
            Ended::More if !self.end => None,
            Ended::More => {
                let next = self.behind_broken(start, start)?;
                self.at = next;
                let message = "the object does not end: a `}` or a quotation mark is missing";
                Some(Piece::Broken(start..next, Fault::new(0, message)))
            }
        }
    }
}

/// How many blanks and tabs a line begins with, and commas, which some put there.
fn indent_of(line: &[u8]) -> usize {
    line.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b',')).count()
}
