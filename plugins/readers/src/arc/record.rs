//! Where the records of an ARC file begin and end, and what their first lines say.
//!
//! A record is a line of words, the content, and a line end. The line has no mark of its own: it begins with an
//! address, holds the address of a host with a date behind it, and ends with the length of the content. As in a WARC
//! file, a length is believed only if a record, or the file, ends there.

use memchr::{memchr, memchr_iter, memmem};

/// The longest first line: addresses are long.
const MAX_LINE: usize = 64 * 1024;

/// The longest content that is believed, as for WARC.
const MAX_CONTENT: u64 = 256 * 1024 * 1024;

/// A record, or bytes that are none, with the line ends behind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    /// All of its bytes, without the line ends behind.
    pub(super) bytes: &'a [u8],
    pub(super) content: Content<'a>,
    /// Where the next piece begins, in bytes from the start of this one.
    pub(super) next: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content<'a> {
    Whole { line: Line<'a>, content: &'a [u8] },
    Broken(Broken),
}

/// Why bytes are no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    NoRecord,
    /// The length that is claimed, and how many bytes there are.
    Length(u64, u64),
}

impl std::fmt::Display for Broken {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoRecord => out.write_str(
                "no record: a record begins with a line of address, host, date, type and length; passed over to the \
                 next one",
            ),
            Self::Length(claimed, found) => write!(
                out,
                "the record says that it has {claimed} bytes, but none ends there: {found} bytes follow up to the next \
                 one or to the end of the file"
            ),
        }
    }
}

/// The first line of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) url: &'a [u8],
    date: &'a [u8],
    pub(super) content_type: &'a [u8],
    length: u64,
}

impl<'a> Line<'a> {
    /// Takes a line apart; `None` if it cannot be the first of a record.
    fn parse(line: &'a [u8]) -> Option<Self> {
        // Most lines are none, so what is soon seen comes first.
        let scheme = line.get(..memchr(b':', line.get(..32).unwrap_or(line))?)?;
        let is_scheme = scheme.first().is_some_and(u8::is_ascii_alphabetic)
            && scheme.iter().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'));
        if !is_scheme {
            return None;
        }
        let line = line.trim_ascii_end();
        let length = line.rsplit(|byte| *byte == b' ').next()?;
        let length = std::str::from_utf8(length).ok().filter(|_| is_number(length))?.parse().ok()?;
        // Addresses have blanks in them now and then, so host and date are looked for.
        memchr_iter(b' ', line).find_map(|at| {
            let mut words = line.get(at + 1..)?.split(|byte| *byte == b' ');
            let (host, date, content_type) = (words.next()?, words.next()?, words.next()?);
            let is_host = !host.is_empty()
                && host.iter().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':'));
            let is_date = (8..=17).contains(&date.len()) && is_number(date);
            let has_length = words.next().is_some();
            (is_host && is_date && has_length).then_some(Self {
                url: line.get(..at)?,
                date,
                content_type,
                length,
            })
        })
    }

    /// The date, as ISO 8601 has it; `None` if it has not 14 digits.
    pub(super) fn date(&self) -> Option<String> {
        let date = std::str::from_utf8(self.date).ok().filter(|date| date.len() == 14)?;
        let part = |range: std::ops::Range<usize>| date.get(range).unwrap_or_default();
        let (day, time) = ([part(0..4), part(4..6), part(6..8)], [part(8..10), part(10..12), part(12..14)]);
        Some(format!("{}T{}Z", day.join("-"), time.join(":")))
    }
}

fn is_number(word: &[u8]) -> bool {
    !word.is_empty() && word.iter().all(u8::is_ascii_digit)
}

/// Whether bytes begin with the description of an ARC file.
pub(crate) fn begins_file(bytes: &[u8]) -> bool {
    bytes.starts_with(b"filedesc://")
}

/// Whether a record begins here; `None` if that line does not end in these bytes.
pub(crate) fn begins_record(bytes: &[u8]) -> Option<bool> {
    let head = bytes.get(..MAX_LINE).unwrap_or(bytes);
    match memchr(b'\n', head) {
        Some(end) => Some(Line::parse(head.get(..end)?).is_some()),
        None if head.len() == MAX_LINE => Some(false),
        None => None,
    }
}

/// The first piece of `bytes`, which begin at the start of one; `None` if there is more of it to come, or no
/// piece at all.
///
/// With `end`, nothing follows.
pub(super) fn piece(bytes: &[u8], end: bool) -> Option<Piece<'_>> {
    if bytes.is_empty() {
        return None;
    }
    match begins_record(bytes) {
        None if !end => return None,
        Some(true) => {}
        None | Some(false) => return broken(bytes, 0, Broken::NoRecord, end),
    }
    let head_end = memchr(b'\n', bytes)? + 1;
    let line = Line::parse(bytes.get(..head_end)?)?;
    let found = (bytes.len() - head_end) as u64;
    if line.length <= MAX_CONTENT {
        if line.length > found && !end {
            return None;
        }
        let content_end = head_end + line.length.min(found) as usize;
        if line.length <= found {
            let next = content_end + blank(bytes.get(content_end..)?);
            let rest = bytes.get(next..)?;
            let is_whole = if rest.is_empty() { end.then_some(true) } else { begins_record(rest) };
            match is_whole {
                None if !end => return None,
                Some(true) => {
                    let content = Content::Whole { line, content: bytes.get(head_end..content_end)? };
                    return Some(Piece { bytes: bytes.get(..content_end)?, content, next });
                }
                None | Some(false) => {}
            }
        }
    }
    let mut piece = broken(bytes, head_end, Broken::NoRecord, end)?;
    piece.content = Content::Broken(Broken::Length(line.length, (piece.next - head_end) as u64));
    Some(piece)
}

/// A piece that ends in front of the next record, which begins behind a line end at `from` or later.
fn broken(bytes: &[u8], from: usize, why: Broken, end: bool) -> Option<Piece<'_>> {
    let starts = memchr_iter(b'\n', bytes.get(from.saturating_sub(1)..)?)
        .map(|at| from.saturating_sub(1) + at + 1)
        .filter(|at| *at > 0);
    // Addresses of every scheme that crawlers fetch have a colon, and most lines none near their beginning.
    let next = starts.take_while(|at| *at < bytes.len()).find_map(|at| {
        let rest = bytes.get(at..)?;
        memmem::find(rest.get(..32).unwrap_or(rest), b":")?;
        (begins_record(rest) == Some(true)).then_some(at)
    });
    let next = match next {
        Some(next) => next,
        None if end => bytes.len(),
        None => return None,
    };
    let piece = bytes.get(..next)?;
    let length = piece.len() - piece.iter().rev().take_while(|byte| is_line_end(**byte)).count();
    Some(Piece { bytes: piece.get(..length)?, content: Content::Broken(why), next })
}

/// Line ends in front of a record.
pub(super) fn blank(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| is_line_end(**byte)).count()
}

fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}
