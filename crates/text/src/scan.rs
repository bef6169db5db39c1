//! The lines of a text, found once for all stages that walk over them.
//!
//! A scan is a flat layout of bytes, [`LAYOUT`] in version [`VERSION`], so that it can hang on a document as an
//! attachment and be read by any library. It is a function of the text and of nothing else.
//!
//! All numbers have the low byte first. First come four of 32 bits: the bytes of the text, the number of its lines, the
//! bytes of the longest of them, and 0. Then for each line 16 bytes: where it begins and how long it is (32 bits each,
//! the line feed at its end left out), and a hash of its bytes (64 bits).

use std::ops::Range;

/// The name of the layout.
pub const LAYOUT: &str = "tamis-text.scan";
/// Its version.
pub const VERSION: u64 = 1;

const HEAD: usize = 16;
const LINE: usize = 16;

/// A line of a scan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ScannedLine {
    /// The byte at which it begins.
    pub start: usize,
    /// The byte after its last; the line feed there, if there is one, is no part of it.
    pub end: usize,
    /// A hash of its bytes: see [`hash`].
    pub hash: u64,
}

impl ScannedLine {
    /// The bytes of the line in the text.
    pub fn range(&self) -> Range<usize> {
        self.start..self.end
    }
}

/// What a scan of a text says.
#[derive(Debug, Clone, Copy)]
pub struct Scan<'b> {
    n_bytes: usize,
    longest: usize,
    lines: &'b [[u8; LINE]],
}

/// Scans a text; `None` for one of 4 GiB and more, whose places the layout cannot say.
///
/// Lines end at `\n` alone, as those of [`lines`](crate::lines::lines); a text of `n` line feeds has `n + 1`.
pub fn scan(text: &str) -> Option<Vec<u8>> {
    let bytes = text.as_bytes();
    let n_bytes = u32::try_from(bytes.len()).ok()?;
    let mut layout = Vec::with_capacity(HEAD + LINE * (bytes.len() / 24 + 1));
    layout.resize(HEAD, 0);
    let (mut start, mut longest) = (0, 0);
    let mut line = |start: usize, end: usize| {
        let line = bytes.get(start..end).unwrap_or_default();
        longest = longest.max(line.len());
        layout.extend_from_slice(&(start as u32).to_le_bytes());
        layout.extend_from_slice(&(line.len() as u32).to_le_bytes());
        layout.extend_from_slice(&hash(line).to_le_bytes());
    };
    for end in memchr::memchr_iter(b'\n', bytes) {
        line(start, end);
        start = end + 1;
    }
    line(start, bytes.len());
    let n_lines = (layout.len() - HEAD) / LINE;
    for (place, number) in layout.chunks_exact_mut(4).zip([n_bytes, n_lines as u32, longest as u32]) {
        place.copy_from_slice(&number.to_le_bytes());
    }
    Some(layout)
}

impl<'b> Scan<'b> {
    /// Reads the layout; `None` if it is broken or is not that of a text of so many bytes.
    pub fn read(layout: &'b [u8], n_bytes: usize) -> Option<Self> {
        let (head, lines) = layout.split_at_checked(HEAD)?;
        let (lines, []) = lines.as_chunks::<LINE>() else { return None };
        let number = |at: usize| number(head, at) as usize;
        (number(0) == n_bytes && number(4) == lines.len()).then(|| Self {
            n_bytes,
            longest: number(8),
            lines,
        })
    }

    /// The bytes of the text.
    pub fn n_bytes(&self) -> usize {
        self.n_bytes
    }

    /// How many lines there are: at least one.
    pub fn n_lines(&self) -> usize {
        self.lines.len()
    }

    /// The bytes of the longest line.
    pub fn longest_line(&self) -> usize {
        self.longest
    }

    /// The lines, in order.
    pub fn lines(&self) -> impl ExactSizeIterator<Item = ScannedLine> + DoubleEndedIterator + use<'b> {
        self.lines.iter().map(|line| {
            let start = number(line, 0) as usize;
            let hash = u64::from(number(line, 8)) | u64::from(number(line, 12)) << 32;
            ScannedLine { start, end: start + number(line, 4) as usize, hash }
        })
    }
}

fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..).and_then(<[u8]>::first_chunk).map_or(0, |number| u32::from_le_bytes(*number))
}

/// A hash of some bytes, the same on every machine. It is quick and not made for bytes by which somebody wants to cause
/// collisions: whoever must be right compares the bytes, too.
pub fn hash(bytes: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut hash = (bytes.len() as u64).wrapping_mul(FACTOR);
    let mut add = |word: u64| hash = (hash ^ word).wrapping_mul(FACTOR).rotate_left(29);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        add(u64::from_le_bytes(*word));
    }
    if !rest.is_empty() {
        // The last eight bytes are as good as the rest alone, and one load.
        let last = bytes.last_chunk().map_or_else(
            || rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
            |last| u64::from_le_bytes(*last),
        );
        add(last);
    }
    crate::words::mix(hash)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::lines::lines;

    #[test]
    fn a_scan_knows_the_lines() {
        let text = "渡船\n\nthe ferry\n";
        let layout = scan(text).expect("a short text");
        let scan = Scan::read(&layout, text.len()).expect("its own layout");
        let found: Vec<_> = scan.lines().map(|line| text.get(line.range())).collect();
        assert_eq!(found, [Some("渡船"), Some(""), Some("the ferry"), Some("")]);
        assert_eq!((scan.n_lines(), scan.longest_line(), scan.n_bytes()), (4, 9, text.len()));
        assert_eq!(scan.lines().next_back().map(|line| line.hash), Some(hash(b"")));
    }

    #[test]
    fn a_layout_of_something_else_is_none() {
        let layout = scan("a\nb").expect("a short text");
        assert!(Scan::read(&layout, 3).is_some());
        assert!(Scan::read(&layout, 4).is_none());
        assert!(Scan::read(&layout[..layout.len() - 1], 3).is_none());
        assert!(Scan::read(&layout[..HEAD], 3).is_none());
        assert!(Scan::read(&[], 0).is_none());
    }

    #[test]
    fn hashes_are_these_everywhere() {
        for (text, expected) in [
            ("", 0xD85D_1D82_3D12_CDE7),
            ("a", 0x9FA5_EAD8_1079_8B50),
            ("the ferry", 0x5654_020A_DF0C_430F),
            ("渡船在天亮以前离开了港口", 0x1D57_FDF5_F185_DB9F),
        ] {
            assert_eq!(hash(text.as_bytes()), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn lines_are_those_of_the_text(text in "(\\PC|\n){0,60}") {
            let layout = scan(&text).expect("a short text");
            let scan = Scan::read(&layout, text.len()).expect("its own layout");
            let expected: Vec<_> = lines(&text).map(|line| line.range()).collect();
            prop_assert_eq!(scan.lines().map(|line| line.range()).collect::<Vec<_>>(), expected);
        }

        #[test]
        fn other_bytes_have_another_hash(a in "[ab]{0,20}", b in "[ab]{0,20}") {
            prop_assert_eq!(hash(a.as_bytes()) == hash(b.as_bytes()), a == b);
        }
    }
}
