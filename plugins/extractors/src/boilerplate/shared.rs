//! What `line-template` knows of the lines of a page: which of them other pages of the site have, too.
//!
//! Where nothing is known, no segment has a feature of it, so the model decides by what a page looks like.

use std::ops::Range;

use super::segment::Segment;

/// The layout in which the marks come, and its version.
pub(super) const LAYOUT: &str = "line-template.marks";
pub(super) const VERSION: u64 = 1;

/// What stands in the layout for a piece that many pages have.
const MANY: usize = 3;

/// Whether other pages have a segment, too.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sharing {
    /// Nothing is known of the page.
    Unknown,
    /// No other page has it.
    Own,
    /// A few have it, or it is prose.
    Few,
    /// Many have it.
    Many,
}

/// The pieces of a page that others share, in order; `None` where the page has not been compared.
#[derive(Debug, Clone, Default)]
pub struct Marks(Option<Vec<(Range<usize>, bool)>>);

impl Marks {
    /// Reads the layout. What is no whole number of pieces is none.
    pub(super) fn read(bytes: Option<&[u8]>) -> Self {
        let Some((pieces, [])) = bytes.map(<[u8]>::as_chunks::<12>) else { return Self(None) };
        let piece = |piece: &[u8; 12]| {
            let number =
                |at: usize| piece[at..at + 4].iter().rev().fold(0, |n, byte| n << 8 | usize::from(*byte));
            (number(0)..number(4), number(8) == MANY)
        };
        Self(Some(pieces.iter().map(piece).collect()))
    }

    /// Of pieces, and whether many pages have them.
    pub fn of(pieces: Vec<(Range<usize>, bool)>) -> Self {
        Self(Some(pieces))
    }

    /// What is known of each segment: it is shared if at least half of it is.
    pub(super) fn sharing(&self, segments: &[Segment]) -> Vec<Sharing> {
        let Some(pieces) = &self.0 else { return vec![Sharing::Unknown; segments.len()] };
        let mut pieces = pieces.as_slice();
        let mut each = Vec::with_capacity(segments.len());
        for segment in segments {
            while let [(first, _), rest @ ..] = pieces
                && first.end <= segment.start
            {
                pieces = rest;
            }
            let (mut shared, mut many) = (0, 0);
            for (piece, by_many) in pieces.iter().take_while(|(piece, _)| piece.start < segment.end) {
                let n_bytes = piece.end.min(segment.end)
                    - piece.start.max(segment.start).min(piece.end.min(segment.end));
                shared += n_bytes;
                many += if *by_many { n_bytes } else { 0 };
            }
            let half = (segment.end - segment.start).div_ceil(2).max(1);
            each.push(if many >= half {
                Sharing::Many
            } else if shared >= half {
                Sharing::Few
            } else {
                Sharing::Own
            });
        }
        each
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boilerplate::lexicon::Found;
    use crate::boilerplate::segment::segments;

    #[test]
    fn a_segment_is_shared_if_half_of_it_is() {
        let page = "Home\nthe mill is sold\nAll rights reserved";
        let segments = segments(page, &Found::default());
        let numbers: [u32; 6] = [0, 4, 3, 25, 32, 2];
        let bytes: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        let sharing = |bytes: Option<&[u8]>| Marks::read(bytes).sharing(&segments);
        assert_eq!(sharing(Some(&bytes)), [Sharing::Many, Sharing::Own, Sharing::Own]);
        let longer: Vec<u8> = [22_u32, 36, 2].iter().flat_map(|number| number.to_le_bytes()).collect();
        assert_eq!(sharing(Some(&longer)), [Sharing::Own, Sharing::Own, Sharing::Few]);
        assert_eq!(sharing(Some(&[])), [Sharing::Own; 3]);
        assert_eq!(sharing(None), [Sharing::Unknown; 3]);
        assert_eq!(sharing(Some(&[1, 2, 3])), [Sharing::Unknown; 3]);
    }
}
