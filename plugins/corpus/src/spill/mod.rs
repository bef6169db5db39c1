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
    let n_bytes = u32::from_le_bytes(take(input)?) as usize;
    let (head, rest) = input.split_at_checked(n_bytes)?;
    *input = rest;
    std::str::from_utf8(head).ok().map(Box::from)
}

#[cfg(test)]
pub(crate) mod tests;
