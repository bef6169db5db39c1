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

/// A text that is shorter is looked through again: to hand over where its lines end takes longer, in bytes.
const MIN_ATTACHED: usize = 512;

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

    /// The lines of a text as somebody before has left them, or found here and left for those behind: `attached` looks for
    /// what is attached to the text by name and version of its layout, `attach` attaches it.
    ///
    /// # Examples
    ///
    /// A plugin looks with `View::flat` and attaches with `View::attach`; here a variable stands for the document:
    ///
    /// ```
    /// use std::cell::OnceCell;
    /// use tamis_text::scan::Scan;
    ///
    /// let text = "The ferry left before dawn.\n".repeat(20);
    /// let document: OnceCell<Vec<u8>> = OnceCell::new();
    /// let scan = || {
    ///     let attached = |_, _| document.get().map(Vec::as_slice);
    ///     Scan::shared(&text, attached, |_, _, ends| _ = document.set(ends.to_vec()))
    /// };
    /// assert_eq!(scan().n_lines(), 21);
    /// assert!(document.get().is_some());
    /// assert_eq!(scan().lines().next().map(|line| line.end()), Some(27));
    /// ```
    pub fn shared(
        text: &'a str,
        attached: impl FnOnce(&'static str, u64) -> Option<&'a [u8]>,
        attach: impl FnOnce(&'static str, u64, &[u8]),
    ) -> Self {
        if text.len() < MIN_ATTACHED {
            return Self::of(text);
        }
        let (name, version) = LAYOUT;
        if let Some(scan) = attached(name, version).and_then(|attached| Self::read(text, attached)) {
            return scan;
        }
        let scan = Self::of(text);
        attach(name, version, scan.bytes());
        scan
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

/// A text that is put together of pieces of another one, and where its lines end, which need not be looked for.
#[derive(Debug, Clone)]
pub struct Pieces<'s, 'a> {
    scan: &'s Scan<'a>,
    text: String,
    ends: Vec<End>,
}

impl<'s, 'a> Pieces<'s, 'a> {
    /// Without any yet, of the text of this scan.
    pub fn of(scan: &'s Scan<'a>) -> Self {
        Self { scan, text: String::new(), ends: Vec::new() }
    }

    /// The text so far.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Adds these bytes of the other text; nothing where they do not begin and end at characters.
    pub fn push(&mut self, piece: Range<usize>) {
        let Some(text) = self.scan.text.get(piece.clone()) else { return };
        let ends = &self.scan.ends;
        let first = ends.partition_point(|end| place(*end) < piece.start);
        // The last of all ends at no line feed.
        let line_feeds = ends.get(first..ends.len() - 1).unwrap_or_default().iter().map(|end| place(*end));
        let within = line_feeds.take_while(|at| *at < piece.end).filter_map(|at| at.checked_sub(piece.start));
        let so_far = self.text.len();
        self.ends.extend(within.map(|at| ((so_far + at) as u64).to_le_bytes()));
        self.text.push_str(text);
    }

    /// Ends a line.
    pub fn end_line(&mut self) {
        self.ends.push((self.text.len() as u64).to_le_bytes());
        self.text.push('\n');
    }

    /// The text, and what is to be attached to it in [`LAYOUT`]; `None` where that is not worth it.
    pub fn finish(self) -> (String, Option<Vec<u8>>) {
        let Self { text, mut ends, .. } = self;
        if text.len() < MIN_ATTACHED {
            return (text, None);
        }
        ends.push((text.len() as u64).to_le_bytes());
        (text, Some(ends.into_flattened()))
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
        fn pieces_have_the_lines_of_their_text(
            text in "(\\PC{0,90}\n{0,3}){0,6}",
            cuts in proptest::collection::vec(0_usize..300, 0..6),
            copies in 1_usize..300,
        ) {
            let scan = Scan::of(&text);
            let mut cuts: Vec<usize> = cuts.iter().map(|cut| text.floor_char_boundary(*cut)).collect();
            cuts.sort_unstable();
            let mut pieces = Pieces::of(&scan);
            for _ in 0..copies {
                for piece in cuts.windows(2) {
                    pieces.push(piece[0]..piece[1]);
                    if piece[0] % 2 == 0 {
                        pieces.end_line();
                    }
                }
            }
            let (cut, attached) = pieces.finish();
            prop_assert_eq!(attached.is_some(), cut.len() >= MIN_ATTACHED);
            if let Some(attached) = attached {
                prop_assert_eq!(Scan::read(&cut, &attached), Some(Scan::of(&cut)));
            }
        }

        #[test]
        fn wrong_ends_make_wrong_lines_and_nothing_worse(
            text in "[a一\n]{0,30}",
            ends in proptest::collection::vec(prop_oneof![0_u64..40, any::<u64>()], 0..9),
            piece in (0_usize..40, 0_usize..40),
        ) {
            let ends = ends.iter().copied().chain([text.len() as u64]).flat_map(u64::to_le_bytes);
            let ends: Vec<u8> = ends.collect();
            let scan = Scan::read(&text, &ends).unwrap();
            prop_assert!(scan.lines().all(|line| line.text.is_empty() || text.get(line.range()) == Some(line.text)));
            let mut pieces = Pieces::of(&scan);
            pieces.push(piece.0..piece.1);
            prop_assert_eq!(pieces.text(), text.get(piece.0..piece.1).unwrap_or_default());
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
