//! Where the rows and cells of a table begin and end.
//!
//! A quote opens a cell only at its start, and only if another one closes it: a quote in front of a delimiter, a row
//! end or the end of the file, within the longest row that is believed. Anything else is a stray quote, such as
//! the sign for inches, and opens nothing: the row that has it is broken and ends where its line does, and the next
//! line begins a new row, so that a stray quote does not swallow its neighbours.
//!
//! What is said of a row depends on its own bytes and on those that a quote in it may look at, so it is the same
//! wherever blocks end: a closing quote that stands behind the end of the block was seen when the block was cut,
//! and the row would not have been cut off if it had closed anything.

use std::ops::Range;

use memchr::{memchr, memchr2, memchr3};

/// What separates cells, what encloses them, and how long a row with quotes may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    pub(super) delimiter: u8,
    pub(super) quote: Option<u8>,
    /// Whether a backslash in a quoted cell takes the meaning of what follows it.
    pub(super) escapes: bool,
    pub(super) max_record_bytes: usize,
}

/// A cell of a row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    /// Its bytes in the row, with the quotes.
    pub(super) range: Range<usize>,
    pub(super) quoted: bool,
}

/// A row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line {
    /// Bytes without the line end.
    pub(super) length: usize,
    /// Where the next row begins.
    pub(super) next: usize,
    /// What is wrong with a quote in it.
    pub(super) broken: Option<Broken>,
}

/// A cell that begins with a quote and is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Broken {
    /// Where the cell begins in the row.
    pub(super) at: usize,
    /// Whether the line has a quote that could close the cell, but text stands behind it.
    pub(super) has_text_behind: bool,
}

impl Dialect {
    /// The first row of `bytes`, with its cells; `None` if there is more of it to come, or no row at all.
    ///
    /// With `end`, nothing follows.
    pub(super) fn row(&self, bytes: &[u8], end: bool, cells: &mut Vec<Cell>) -> Option<Line> {
        cells.clear();
        if bytes.is_empty() {
            return None;
        }
        let mut start = 0;
        loop {
            let mut at = start;
            let quoted = self.quote.is_some_and(|quote| bytes.get(at) == Some(&quote));
            if quoted {
                match self.closing_quote(bytes, start, end) {
                    Closing::At(close) => at = close + 1,
                    Closing::More => return None,
                    Closing::Never => return self.broken(bytes, start, end),
                }
            }
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(found) = memchr3(self.delimiter, b'\n', b'\r', rest) else {
                if !end {
                    return None;
                }
                cells.push(Cell { range: start..bytes.len(), quoted });
                return Some(Line { length: bytes.len(), next: bytes.len(), broken: None });
            };
            at += found;
            cells.push(Cell { range: start..at, quoted });
            if bytes.get(at) != Some(&self.delimiter) {
                let next = behind_line_end(bytes, at, end)?;
                return Some(Line { length: at, next, broken: None });
            }
            start = at + 1;
        }
    }

    /// The quote that closes the cell that begins at `open`.
    fn closing_quote(&self, bytes: &[u8], open: usize, end: bool) -> Closing {
        let quote = self.quote.unwrap_or_default();
        let mut at = open + 1;
        while let Some(found) = self.quote_or_escape(bytes.get(at..).unwrap_or_default()) {
            let close = at + found;
            if self.escapes && bytes.get(close) == Some(&ESCAPE) {
                at = close + 2;
                continue;
            }
            // What follows it must be in sight, too, in a window of as many bytes.
            if close + 1 >= self.max_record_bytes {
                return Closing::Never;
            }
            match bytes.get(close + 1) {
                Some(next) if *next == quote => at = close + 2,
                Some(next) if *next == self.delimiter => return Closing::At(close),
                Some(b'\r' | b'\n') => return Closing::At(close),
                Some(_) => return Closing::Never,
                None if end => return Closing::At(close),
                None => return Closing::More,
            }
        }
        if end || bytes.len() >= self.max_record_bytes { Closing::Never } else { Closing::More }
    }

    fn quote_or_escape(&self, bytes: &[u8]) -> Option<usize> {
        let quote = self.quote.unwrap_or_default();
        if self.escapes { memchr2(quote, ESCAPE, bytes) } else { memchr(quote, bytes) }
    }

    /// The row whose cell at `open` begins with a quote that opens nothing.
    ///
    /// It ends at the first line end behind that quote, not behind the start of the row: cells in front of it may
    /// have line ends of their own.
    fn broken(&self, bytes: &[u8], open: usize, end: bool) -> Option<Line> {
        let (length, next) = match memchr2(b'\n', b'\r', bytes.get(open..)?) {
            Some(found) => (open + found, behind_line_end(bytes, open + found, end)?),
            None if end => (bytes.len(), bytes.len()),
            None => return None,
        };
        // From its own line alone: whether a later one is in sight depends on where the block ends.
        let line = bytes.get(..length).unwrap_or_default();
        let has_text_behind = self.has_single_quote(line, open);
        Some(Line { length, next, broken: Some(Broken { at: open, has_text_behind }) })
    }

    /// Whether a quote behind the one at `open` could close a cell, were it not for the text behind it.
    fn has_single_quote(&self, line: &[u8], open: usize) -> bool {
        let quote = self.quote.unwrap_or_default();
        let mut at = open + 1;
        while let Some(found) = self.quote_or_escape(line.get(at..).unwrap_or_default()) {
            at += found;
            if self.escapes && line.get(at) == Some(&ESCAPE) {
                at += 2;
                continue;
            }
            if line.get(at + 1) != Some(&quote) {
                return at + 1 < self.max_record_bytes;
            }
            at += 2;
        }
        false
    }

    /// Appends the bytes that a cell stands for, which has quotes.
    pub(super) fn unquote(&self, cell: &[u8], out: &mut Vec<u8>) {
        let mut rest = cell.get(1..cell.len().saturating_sub(1)).unwrap_or_default();
        while let Some(at) = self.quote_or_escape(rest) {
            let (before, found) = rest.split_at(at);
            out.extend_from_slice(before);
            // Inside, every quote is the first of two, and every backslash stands in front of something.
            let [first, second, after @ ..] = found else {
                rest = found;
                break;
            };
            out.push(if *first == ESCAPE && self.escapes { unescaped(*second) } else { *first });
            rest = after;
        }
        out.extend_from_slice(rest);
    }
}

/// What takes the meaning of the character behind it, where such escapes are used.
const ESCAPE: u8 = b'\\';

/// What an escape stands for, as database programs write them.
fn unescaped(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        other => other,
    }
}

enum Closing {
    At(usize),
    More,
    Never,
}

/// Where the row behind the line end at `at` begins; `None` if a line feed may follow a carriage return.
fn behind_line_end(bytes: &[u8], at: usize, end: bool) -> Option<usize> {
    match bytes.get(at..at + 2) {
        Some(b"\r\n") => Some(at + 2),
        None if !end && bytes.get(at) == Some(&b'\r') => None,
        _ => Some(at + 1),
    }
}
