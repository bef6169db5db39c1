//! How a table begins: what stands between its cells, and whether a file is one at all.

use std::borrow::Cow;

use tamis_text::encoding::{self, Hints};

use super::options::Delimiter;
use super::scan::Dialect;

/// A table that was told by its looks.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Table {
    pub(crate) delimiter: Delimiter,
    pub(crate) names: Vec<String>,
}

pub(super) const BOM: &[u8] = b"\xEF\xBB\xBF";
/// Rows that are looked at.
const MOST_ROWS: usize = 100;
/// Rows that a header must have below it.
const LEAST_ROWS: usize = 2;
/// The longest name of a column, in characters and in words.
const LONGEST_NAME: usize = 40;
const MOST_WORDS: usize = 4;
/// The longest row of a table that is to be told by its looks, in bytes.
const LONGEST_ROW: usize = 32 * 1024;

/// What separates cells by a line that says so, such as `sep=;`.
///
/// A program that quotes all cells has quoted that line, too.
pub(super) fn separator(line: &[u8]) -> Option<u8> {
    let quoted = line.strip_prefix(b"\"").and_then(|line| line.strip_suffix(b"\""));
    let line = quoted.unwrap_or(line);
    let (name, [separator]) = line.split_last_chunk()?;
    name.eq_ignore_ascii_case(b"sep=").then_some(*separator)
}

/// The first line that is not empty; `None` if its end is to come, and nothing is known to follow with `end`.
pub(super) fn first_line(bytes: &[u8], end: bool) -> Option<&[u8]> {
    let bytes = bytes.strip_prefix(BOM).unwrap_or(bytes);
    let start = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n'))?;
    let line = bytes.get(start..)?;
    match memchr::memchr2(b'\r', b'\n', line) {
        Some(length) => line.get(..length),
        None => end.then_some(line),
    }
}

/// What stands between the cells of a table, by the first line of its header: what it says (`sep=;`), or what parts it
/// into most cells, outside of quotes.
///
/// A delimiter in front of a blank is one in a sentence, as in `price, EUR;title`, where there is another. Only the
/// first line counts, because it is all that every block of a file is sure to see of the header.
pub(super) fn delimiter(head: &[u8], quote: Option<u8>) -> Delimiter {
    let line = first_line(head, true).unwrap_or_default();
    if let Some(said) = separator(line) {
        let known = Delimiter::ALL.into_iter().find(|known| known.byte() == said);
        // What nothing can be separated by is told by whoever reads the names.
        return known.unwrap_or_default();
    }
    // In Chinese, Japanese and Korean encodings a bar may be part of a character.
    let is_taken = |delimiter: &Delimiter| *delimiter != Delimiter::Bar || std::str::from_utf8(line).is_ok();
    let count = |delimiter: Delimiter, in_sentences: bool| {
        let mut is_quoted = false;
        let mut n = 0;
        for (at, byte) in line.iter().enumerate() {
            is_quoted ^= quote == Some(*byte);
            let is_in_sentence = line.get(at + 1) == Some(&b' ');
            n += usize::from(!is_quoted && *byte == delimiter.byte() && (in_sentences || !is_in_sentence));
        }
        n
    };
    let most = |in_sentences: bool| {
        let counted =
            Delimiter::ALL.into_iter().filter(is_taken).map(|known| (count(known, in_sentences), known));
        // Of equals the first, which is the likeliest.
        counted.rev().max_by_key(|(n, _)| *n).filter(|(n, _)| *n > 0).map(|(_, known)| known)
    };
    most(false).or_else(|| most(true)).unwrap_or(Delimiter::Comma)
}

/// Whether a file is a table by its looks: a header of names, and rows below it that all have as many cells. `complete`
/// says whether `head` is all of it.
///
/// Prose has commas in every line, but not as many in each, and no line of names in front.
pub(crate) fn table(head: &[u8], complete: bool) -> Option<Table> {
    let (quote, max_record_bytes) = (Some(b'"'), LONGEST_ROW);
    let said = first_line(head, complete).and_then(separator);
    let delimiter = delimiter(head, quote);
    let dialect = Dialect { delimiter: delimiter.byte(), quote, escapes: false, max_record_bytes };
    let mut rest = head.strip_prefix(BOM).unwrap_or(head);
    let mut cells = Vec::new();
    let (mut names, mut n_rows) = (None::<Vec<String>>, 0);
    while n_rows < MOST_ROWS
        && let Some(line) = dialect.row(rest, complete, &mut cells)
    {
        let row = rest.get(..line.length).unwrap_or_default();
        rest = rest.get(line.next..).unwrap_or_default();
        if row.is_empty() || (names.is_none() && separator(row).is_some()) {
            continue;
        }
        if line.broken.is_some() {
            return None;
        }
        match &names {
            None => {
                let found = cells.iter().map(|cell| name(row.get(cell.range.clone()).unwrap_or_default()));
                let found: Vec<String> = found.collect::<Option<_>>()?;
                if found.len() < 2 || super::twice(&found).is_some() {
                    return None;
                }
                names = Some(found);
            }
            Some(names) if names.len() != cells.len() => return None,
            Some(_) => n_rows += 1,
        }
    }
    let names = names.filter(|_| n_rows >= LEAST_ROWS || (said.is_some() && n_rows > 0))?;
    Some(Table { delimiter, names })
}

/// The name of a column that a cell of the header holds, if it looks like one: some words, and no sentence.
fn name(cell: &[u8]) -> Option<String> {
    let cell = match cell {
        [b'"', inside @ .., b'"'] => inside,
        cell => cell,
    };
    let text = match std::str::from_utf8(cell) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => encoding::decode(cell, &Hints::default()).text,
    };
    let begins = |character: char| character.is_alphabetic() || character == '_' || character == '#';
    let is_of_names =
        |character: char| character.is_alphanumeric() || " _-./()#%:@$€（）".contains(character);
    let is_name = text.starts_with(begins)
        && !text.ends_with([' ', '.', ':'])
        && text.chars().all(is_of_names)
        && text.chars().count() <= LONGEST_NAME
        && text.split(' ').count() <= MOST_WORDS;
    is_name.then(|| text.into_owned())
}
