//! Which lines of a text are template, for stages behind this one: an attachment, gone when the text changes.
//!
//! The layout `line-template.marks`, version 1, is for every library: for each piece of template, in the order of
//! the text, three numbers of 32 bits, the low byte first: its first byte, the byte after its last, and how sure
//! it is (1 prose that a few documents share, 2 shared by a few, 3 shared by many). It is empty where the other
//! documents of the group are known and share nothing with this one.

use super::learn::Class;
use super::strip::Piece;

/// The name of the layout.
pub(super) const LAYOUT: &str = "line-template.marks";
/// Its version.
pub(super) const VERSION: u64 = 1;

/// The pieces of template.
pub(super) fn bytes(pieces: &[Piece]) -> Vec<u8> {
    let numbers = |(range, class): (std::ops::Range<usize>, Class)| {
        let class = match class {
            Class::Between => 1,
            Class::Beside => 2,
            Class::Anywhere => 3,
        };
        // A text of 4 GiB and more has no marks beyond them.
        Some([u32::try_from(range.start).ok()?, u32::try_from(range.end).ok()?, class])
    };
    pieces
        .iter()
        .filter_map(Piece::template)
        .filter_map(numbers)
        .flatten()
        .flat_map(u32::to_le_bytes)
        .collect()
}
