//! Where the rows and cells of a table begin and end.
//!
//! A quote opens a cell only at its start. One that is not closed within the longest row that is believed opens
//! nothing: its line is a broken row, and the next line begins a new one, so that a stray quote does not swallow
//! the rest of the file.

use std::ops::Range;

use memchr::{memchr, memchr2};

/// What separates cells, what encloses them, and how long a row with quotes may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dialect {
    pub(super) delimiter: u8,
    pub(super) quote: Option<u8>,
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
    /// Whether a quote is not closed.
    pub(super) broken: bool,
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
                    Closing::Never => return broken(bytes, end),
                }
            }
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(found) = memchr2(self.delimiter, b'\n', rest) else {
                if !end {
                    return None;
                }
                let length = without_cr(bytes, start, bytes.len());
                cells.push(Cell { range: start..length, quoted });
                return Some(Line { length, next: bytes.len(), broken: false });
            };
            at += found;
            if bytes.get(at) == Some(&b'\n') {
                let length = without_cr(bytes, start, at);
                cells.push(Cell { range: start..length, quoted });
                return Some(Line { length, next: at + 1, broken: false });
            }
            cells.push(Cell { range: start..at, quoted });
            start = at + 1;
        }
    }

    /// The quote that closes the cell that begins at `open`.
    fn closing_quote(&self, bytes: &[u8], open: usize, end: bool) -> Closing {
        let quote = self.quote.unwrap_or_default();
        let mut at = open + 1;
        while let Some(found) = memchr(quote, bytes.get(at..).unwrap_or_default()) {
            let close = at + found;
            if close > self.max_record_bytes {
                return Closing::Never;
            }
            match bytes.get(close + 1) {
                Some(next) if *next == quote => at = close + 2,
                None if !end => return Closing::More,
                _ => return Closing::At(close),
            }
        }
        if end || bytes.len() > self.max_record_bytes { Closing::Never } else { Closing::More }
    }

    /// Appends the bytes that a cell stands for, which has quotes.
    pub(super) fn unquote(&self, cell: &[u8], out: &mut Vec<u8>) {
        let quote = self.quote.unwrap_or_default();
        let mut rest = cell.get(1..).unwrap_or_default();
        while let Some(at) = memchr(quote, rest) {
            out.extend_from_slice(rest.get(..at).unwrap_or_default());
            rest = rest.get(at + 1..).unwrap_or_default();
            if rest.first() != Some(&quote) {
                // What stands behind the closing quote belongs to the cell as it is.
                break;
            }
            out.push(quote);
            rest = rest.get(1..).unwrap_or_default();
        }
        out.extend_from_slice(rest);
    }
}

enum Closing {
    At(usize),
    More,
    Never,
}

fn broken(bytes: &[u8], end: bool) -> Option<Line> {
    match memchr(b'\n', bytes) {
        Some(at) => Some(Line { length: without_cr(bytes, 0, at), next: at + 1, broken: true }),
        None if end => Some(Line { length: bytes.len(), next: bytes.len(), broken: true }),
        None => None,
    }
}

/// `at`, or one less if a carriage return stands in front of it.
fn without_cr(bytes: &[u8], start: usize, at: usize) -> usize {
    if at > start && bytes.get(at - 1) == Some(&b'\r') { at - 1 } else { at }
}
