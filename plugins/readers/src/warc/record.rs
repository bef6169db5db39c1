//! Where the records of a WARC file begin and end, and what their heads say.
//!
//! A length in a head is a claim. It is believed if a record ends there: line ends follow, the next record, or
//! the end of the file. If none does, the record ends where the next line begins that can be the first of a
//! record, and is broken. Where records end depends on the bytes alone, not on how many were seen at a time:
//! blocks end in front of such a line only.

use memchr::memmem;

use crate::crawl::head::Head;

/// The longest head: ten times what any crawler writes.
const MAX_HEAD: usize = 64 * 1024;

/// The longest content that is believed. Beyond, a damaged digit is likelier than a record, and the search for
/// the next one should not take all that follows along.
const MAX_CONTENT: u64 = 256 * 1024 * 1024;

/// `WARC/1.`
const START: usize = 7;

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
    Whole { head: Head<'a>, content: &'a [u8] },
    Broken(Broken),
}

/// Why bytes are no record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broken {
    NoRecord,
    NoEndOfHead,
    NoLength,
    /// The length that is claimed, and how many bytes there are.
    Length(u64, u64),
}

impl std::fmt::Display for Broken {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::NoRecord => out.write_str(
                "no record: a record begins with a line such as `WARC/1.0`; passed over to the next one",
            ),
            Self::NoEndOfHead => {
                write!(out, "the head of the record does not end within {} KiB", MAX_HEAD / 1024)
            }
            Self::NoLength => {
                out.write_str("the head of the record has no `Content-Length` that is a number")
            }
            Self::Length(claimed, found) => write!(
                out,
                "`Content-Length` says {claimed} bytes, but no record ends there: {found} bytes follow up to the \
                 next one or to the end of the file"
            ),
        }
    }
}

/// The first piece of `bytes`, which begin at the start of one; `None` if there is more of it to come, or no
/// piece at all.
///
/// With `end`, nothing follows.
pub(super) fn piece(bytes: &[u8], end: bool) -> Option<Piece<'_>> {
    if bytes.is_empty() || (!end && bytes.len() < START) {
        return None;
    }
    if !begins_record(bytes) {
        return broken(bytes, 0, Broken::NoRecord, end);
    }
    let head_end = match head_end(bytes) {
        HeadEnd::At(head_end) => head_end,
        HeadEnd::Unseen if !end && bytes.len() <= MAX_HEAD => return None,
        HeadEnd::Unseen | HeadEnd::Never => return broken(bytes, 1, Broken::NoEndOfHead, end),
    };
    let head = Head { lines: bytes.get(..head_end).unwrap_or_default() };
    let Some(claimed) = head.content_length() else { return broken(bytes, head_end, Broken::NoLength, end) };
    let found = (bytes.len() - head_end) as u64;
    if claimed <= MAX_CONTENT {
        if claimed > found && !end {
            return None;
        }
        let content_end = head_end + claimed.min(found) as usize;
        if claimed <= found {
            match ends_record(bytes.get(content_end..).unwrap_or_default(), end) {
                None => return None,
                Some(false) => {}
                Some(true) => {
                    let content = bytes.get(head_end..content_end).unwrap_or_default();
                    return Some(Piece {
                        bytes: bytes.get(..content_end).unwrap_or_default(),
                        content: Content::Whole { head, content },
                        next: behind_line_ends(bytes, content_end),
                    });
                }
            }
        }
    }
    let mut piece = broken(bytes, head_end, Broken::NoLength, end)?;
    piece.content = match piece.bytes.get(head_end..) {
        Some(content) if counts_cr(head, content, claimed) => Content::Whole { head, content },
        _ => Content::Broken(Broken::Length(claimed, (piece.next - head_end) as u64)),
    };
    Some(piece)
}

/// Whether a length counts a CR for each LF, which whoever wrote the file has left out (ClueWeb09): it is too long, but
/// by no more than there are lines.
fn counts_cr(head: Head<'_>, content: &[u8], claimed: u64) -> bool {
    if memchr::memchr(b'\r', head.lines).is_some() {
        return false;
    }
    let too_long = claimed.checked_sub(content.len() as u64);
    too_long.is_some_and(|n| n <= memchr::memchr_iter(b'\n', content).count() as u64 + LINE_ENDS_BEHIND)
}

/// Line ends behind a record, which a length that is too long may count, too: two, of two bytes each.
const LINE_ENDS_BEHIND: u64 = 4;

/// Whether a block may end in front of `bytes`: a record begins there.
pub(crate) fn begins_record(bytes: &[u8]) -> bool {
    matches!(bytes, [b'W', b'A', b'R', b'C', b'/', b'0'..=b'9', b'.', ..])
}

/// A piece that ends in front of the next record, which begins at `from` or behind it.
fn broken(bytes: &[u8], from: usize, why: Broken, end: bool) -> Option<Piece<'_>> {
    let next = match next_record(bytes, from) {
        Some(next) => next,
        None if end => bytes.len(),
        None => return None,
    };
    let piece = bytes.get(..next).unwrap_or_default();
    let length = piece.len() - piece.iter().rev().take_while(|byte| is_line_end(**byte)).count();
    let content = Content::Broken(why);
    Some(Piece { bytes: piece.get(..length).unwrap_or_default(), content, next })
}

/// Where the first line at `from` or behind it begins that can be the first of a record.
fn next_record(bytes: &[u8], from: usize) -> Option<usize> {
    // The line end in front of `from` counts, too.
    let start = from.saturating_sub(1);
    let behind = bytes.get(start..)?;
    memmem::find_iter(behind, b"\nWARC/")
        .map(|at| start + at + 1)
        .find(|at| bytes.get(*at..).is_some_and(begins_record))
}

/// Where a head ends.
enum HeadEnd {
    /// Where the content begins, behind the blank line that ends the head.
    At(usize),
    /// Not in these bytes.
    Unseen,
    /// The next record begins first, or the head is too long.
    Never,
}

/// Where the head at the start of `bytes` ends.
///
/// The search ends at the next record: many records without an end of their head would otherwise each be searched
/// up to the longest head, over the same bytes again and again.
fn head_end(bytes: &[u8]) -> HeadEnd {
    let head = bytes.get(..MAX_HEAD + 4).unwrap_or(bytes);
    for at in memchr::memchr_iter(b'\n', head) {
        let behind = head.get(at + 1..).unwrap_or_default();
        let content = match behind {
            [b'\n', ..] => at + 2,
            [b'\r', b'\n', ..] => at + 3,
            _ if begins_record(behind) => return HeadEnd::Never,
            _ => continue,
        };
        return if content > MAX_HEAD { HeadEnd::Never } else { HeadEnd::At(content) };
    }
    HeadEnd::Unseen
}

/// Whether a record can end in front of `rest`: two line ends, the next record, or the end of the file, with or
/// without one line end. `None` if there is too little to tell.
fn ends_record(rest: &[u8], end: bool) -> Option<bool> {
    let mut rest = rest;
    for _ in 0..2 {
        if begins_record(rest) {
            return Some(true);
        }
        rest = match rest {
            [b'\r', b'\n', after @ ..] | [b'\n', after @ ..] => after,
            _ if rest.len() < START && !end => return None,
            _ => return Some(rest.is_empty()),
        };
    }
    Some(true)
}

fn behind_line_ends(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| is_line_end(**byte)).count()
}

pub(super) fn is_line_end(byte: u8) -> bool {
    matches!(byte, b'\r' | b'\n')
}
