//! Sorted runs of entries, in memory as long as they fit and on the disk beyond.
//!
//! For `line-template`, which is no keyed stage; those leave sorting to `tamis-sort`.
//!
//! A corpus stage keeps one small entry for each thing it has seen. [`Runs`] takes them in from any thread,
//! sorts them, and merges all runs when the pass ends. What comes out depends on what was put in alone:
//! not on the order, the threads, the memory, or the states of other shards that were loaded between.

mod batch;
mod blocks;
mod lookup;
mod merge;
mod runs;
mod scratch;
mod state;

use std::cmp::Ordering;

pub(crate) use batch::Batch;
use blocks::{BlockReader, BlockWriter};
pub(crate) use lookup::{Fixed, Lookup, LookupWriter};
use merge::Merged;
pub(crate) use runs::{Runs, Sorted};
pub(crate) use scratch::{Scratch, read_exact_at, unwritable, way_out};
pub(crate) use state::Header;

/// What a run is made of.
pub(crate) trait Entry: Clone + Send + Sized {
    /// The order of a run. Two entries that are equal in it are combined into one.
    fn order(&self, other: &Self) -> Ordering;

    /// Takes in an equal entry; the same whichever of the two takes in the other.
    fn combine(&mut self, other: &Self);

    /// Forgets what is of no use behind `previous`, the entry before it.
    fn settle(&mut self, _previous: &Self) {}

    /// The bytes that it holds in memory.
    fn size(&self) -> usize;

    /// Appends its bytes.
    fn encode(&self, out: &mut Vec<u8>);

    /// Takes its bytes from the front of `input`; `None` when they are none.
    fn decode(input: &mut &[u8]) -> Option<Self>;
}

/// An entry of a saved state: its bytes are a length (4 bytes, of what follows), a key, a count (8 bytes), both numbers
/// little endian, and whatever the stage knows beside. Who knows no more of a state adds up the counts of a key.
pub(crate) trait Tallied: Entry {
    /// Bytes of the key; the same key is the same entry, wherever it was counted.
    const KEY_BYTES: usize;
}

/// Appends what `write` appends with its length before it.
pub(crate) fn encode_measured(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.extend_from_slice(&[0; 4]);
    write(out);
    let length = (out.len() - at - 4) as u32;
    if let Some(place) = out.get_mut(at..at + 4) {
        place.copy_from_slice(&length.to_le_bytes());
    }
}

/// Takes bytes that [`encode_measured`] wrote.
pub(crate) fn decode_measured<'a>(input: &mut &'a [u8]) -> Option<&'a [u8]> {
    let n_bytes = u32::from_le_bytes(take(input)?) as usize;
    let (head, rest) = input.split_at_checked(n_bytes)?;
    *input = rest;
    Some(head)
}

/// Takes `N` bytes from the front of `input`.
pub(crate) fn take<const N: usize>(input: &mut &[u8]) -> Option<[u8; N]> {
    let (head, rest) = input.split_first_chunk::<N>()?;
    *input = rest;
    Some(*head)
}

/// Appends a string with its length before it.
pub(crate) fn encode_str(text: &str, out: &mut Vec<u8>) {
    out.extend_from_slice(&(text.len() as u32).to_le_bytes());
    out.extend_from_slice(text.as_bytes());
}

/// Takes a string that [`encode_str`] wrote.
pub(crate) fn decode_str(input: &mut &[u8]) -> Option<Box<str>> {
    std::str::from_utf8(decode_measured(input)?).ok().map(Box::from)
}

#[cfg(test)]
pub(crate) mod tests;
