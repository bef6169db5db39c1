//! Rows on their way from a worker to the writing thread.
//!
//! A cell is its length in 8 bytes, little endian, and its bytes; `NULL` is the length of all ones.

use tamis_plugin::Failure;

/// The length that stands for `NULL`.
const NULL: u64 = u64::MAX;

/// Appends a cell.
pub(crate) fn push(cell: Option<&[u8]>, chunk: &mut Vec<u8>) {
    let length = cell.map_or(NULL, |bytes| bytes.len() as u64);
    chunk.extend_from_slice(&length.to_le_bytes());
    chunk.extend_from_slice(cell.unwrap_or_default());
}

/// Takes the cells of the next row; none at the end.
///
/// # Errors
///
/// When a cell is longer than what is left.
pub(crate) fn next_row<'c, const N: usize>(
    chunk: &mut &'c [u8],
) -> Result<Option<[Option<&'c [u8]>; N]>, Failure> {
    if chunk.is_empty() {
        return Ok(None);
    }
    let mut row = [None; N];
    for cell in &mut row {
        *cell = take_cell(chunk)?;
    }
    Ok(Some(row))
}

fn take_cell<'c>(chunk: &mut &'c [u8]) -> Result<Option<&'c [u8]>, Failure> {
    let torn = || Failure::new("a chunk ends inside a row");
    let (length, rest) = chunk.split_first_chunk::<8>().ok_or_else(torn)?;
    let length = u64::from_le_bytes(*length);
    if length == NULL {
        *chunk = rest;
        return Ok(None);
    }
    let cell = usize::try_from(length).ok().and_then(|length| rest.split_at_checked(length));
    let (cell, rest) = cell.ok_or_else(torn)?;
    *chunk = rest;
    Ok(Some(cell))
}
