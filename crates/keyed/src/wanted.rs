//! Entries about some positions out of entries about all.

use tamis_sort::{Merge, SortError};
use tamis_stage::keyed::POSITION_BYTES;

/// Hands on those entries, which begin with a position, whose position is wanted. Both are in order.
pub(crate) fn only_wanted(
    mut entries: Merge,
    mut wanted: Merge,
    mut each: impl FnMut(&[u8]) -> Result<(), SortError>,
) -> Result<(), SortError> {
    let mut next = wanted.advance()?.map(<[u8]>::to_vec);
    while let Some(entry) = entries.advance()? {
        let position = entry.get(..POSITION_BYTES).unwrap_or(entry);
        while next.as_ref().is_some_and(|next| next.as_slice() < position) {
            next = wanted.advance()?.map(<[u8]>::to_vec);
        }
        match &next {
            None => return Ok(()),
            Some(next) if next.as_slice() == position => each(entry)?,
            Some(_) => {}
        }
    }
    Ok(())
}
