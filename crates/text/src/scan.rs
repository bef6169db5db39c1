//! Where the lines of a text end, found once and kept.
//!
//! Most stages walk over a text line by line, and each of them looking for the ends of lines anew took a twentieth of what
//! cleaning a flattened page takes. So the first stage that wants them makes a [`Scan`] and attaches it to the document in
//! the layout [`LAYOUT`], and those behind it read it there until the text changes, whatever library they are of.

use std::borrow::Cow;
use std::ops::Range;

use crate::lines::Line;
use crate::windows::places;

/// The layout of an attachment: for each line of the text eight bytes, the least first, with the byte at which it ends:
/// that of its line feed or, for the last line, the length of the text.
///
/// So a text of `n` line feeds has `n + 1` of them, each greater than the one before.
pub const LAYOUT: (&str, u64) = ("tamis/line-ends", 1);

/// The end of a line as it lies in the layout.
type End = [u8; 8];

/// The lines of a text, which end at `\n` alone, as [`lines`](crate::lines::lines) has them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scan<'a> {
    text: &'a str,
    ends: Cow<'a, [End]>,
}

impl<'a> Scan<'a> {
    /// Looks for the lines of a text.
    pub fn of(text: &'a str) -> Self {
        // To count them first takes a thirtieth of an instruction a byte, and to move a list that grows takes more.
        let mut ends = Vec::with_capacity(memchr::memchr_iter(b'\n', text.as_bytes()).count() + 1);
        let line_feeds = places(text.as_bytes(), |byte, _, _| u8::from(byte == b'\n'));
        ends.extend(line_feeds.chain([text.len()]).map(|end| (end as u64).to_le_bytes()));
        Self { text, ends: Cow::Owned(ends) }
    }

    /// The lines of a text by what was attached to it in [`LAYOUT`]; `None` if that cannot be of this text.
    ///
    /// That all ends are those of lines is not looked at, since it takes as long as to look for them: what is attached is
    /// trusted as what stages say of a document is. Wrong ends make wrong lines, and nothing worse.
    pub fn read(text: &'a str, attached: &'a [u8]) -> Option<Self> {
        let (ends, rest) = attached.as_chunks();
        let ends_with_text = ends.last().is_some_and(|end| place(*end) == text.len());
        (rest.is_empty() && ends_with_text).then_some(Self { text, ends: Cow::Borrowed(ends) })
    }

    /// What is to be attached to the text in [`LAYOUT`].
    pub fn bytes(&self) -> &[u8] {
        self.ends.as_flattened()
    }

    /// The text.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// How many lines there are, at least one.
    pub fn n_lines(&self) -> usize {
        self.ends.len()
    }

    /// The bytes of the line of this number, counted from 0, without its line end.
    #[inline]
    pub fn range(&self, number: usize) -> Option<Range<usize>> {
        let end = place(*self.ends.get(number)?);
        let start = number.checked_sub(1).map_or(0, |before| place(self.ends[before]).saturating_add(1));
        Some(start..end)
    }

    /// Those of all lines, in order.
    pub fn ranges(&self) -> impl ExactSizeIterator<Item = Range<usize>> + use<'_, 'a> {
        let mut start = 0;
        self.ends.iter().map(move |end| {
            let end = place(*end);
            std::mem::replace(&mut start, end.saturating_add(1))..end
        })
    }

    /// All lines, in order.
    pub fn lines(&self) -> impl ExactSizeIterator<Item = Line<'a>> + use<'_, 'a> {
        let text = self.text;
        self.ranges().map(move |range| {
            let start = range.start;
            Line { text: text.get(range).unwrap_or_default(), start }
        })
    }

    /// The number of the line that holds this byte, or its line feed; of the last line for bytes behind the text.
    pub fn line_at(&self, byte: usize) -> usize {
        self.ends.partition_point(|end| place(*end) < byte).min(self.ends.len() - 1)
    }
}

#[inline]
fn place(end: End) -> usize {
    u64::from_le_bytes(end) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lines::lines;

    proptest! {
        #[test]
        fn a_scan_has_the_lines_of_its_text(text in "(\\PC{0,90}\n{0,3}){0,6}") {
            let scan = Scan::of(&text);
            let expected: Vec<_> = lines(&text).collect();
            prop_assert_eq!(scan.lines().collect::<Vec<_>>(), expected.clone());
            for (number, line) in expected.iter().enumerate() {
                prop_assert_eq!(scan.range(number), Some(line.range()));
                for byte in line.start..=line.end() {
                    prop_assert_eq!(scan.line_at(byte), number);
                }
            }
            prop_assert_eq!((scan.range(expected.len()), scan.n_lines()), (None, expected.len()));
            prop_assert_eq!(scan.line_at(text.len() + 1), expected.len() - 1);
        }

        #[test]
        fn what_was_attached_is_read_again(text in "(\\PC{0,20}\n?){0,9}", other in "\\PC{0,9}") {
            let scan = Scan::of(&text);
            prop_assert_eq!(Scan::read(&text, scan.bytes()), Some(scan.clone()));
            let longer = text.clone() + "x";
            prop_assert_eq!(Scan::read(&longer, scan.bytes()), None);
            // Whatever is attached, it is refused or read, and no line is looked for outside of the text.
            if let Some(scan) = Scan::read(&text, other.as_bytes()) {
                prop_assert_eq!(scan.lines().len(), scan.n_lines());
                prop_assert!(scan.lines().all(|line| text.get(line.range()) == Some(line.text) || line.text.is_empty()));
            }
        }
    }
}
