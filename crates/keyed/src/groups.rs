//! Groups: what is tied together by edges, found by sorting.
//!
//! Two steps in turn, both over sorted pairs and neither with more than one pair in memory: in the *large star*
//! every document ties those behind it to the first document that it knows; in the *small star* every document
//! ties those before it to the first of them. When a turn changes nothing, every document of a group is tied to
//! its first and to nothing else. It takes about as many turns as the logarithm of the longest chain (Kiveris
//! and others, "Connected components in `MapReduce` and beyond", 2014), and an engine for tables does the same
//! with a `GROUP BY` and a `JOIN`.
//!
//! A table of representatives in memory (union and find) would take four bytes for every document of the
//! collection, or a hundred for each with an edge; this takes none, and the result depends on no order.

use tamis_sort::{Batch, Combine, Merge, Place, Shape, SortError, Sorter};
use xxhash_rust::xxh3::xxh3_128;

const POSITION: usize = 16;

/// No edges yet; `name` is that of the round.
pub(crate) fn edges(name: &str, place: Option<&Place>) -> Sorter {
    Sorter::new(format!("{name}.edges"), Shape::fixed(POSITION, 2 * POSITION), Combine::Unique, place)
}

/// Ties two documents: the one with the greater position stands first.
pub(crate) fn tie(edges: &Sorter, batch: &mut Batch, one: u128, other: u128) {
    if one != other {
        push(edges, batch, one.max(other), one.min(other));
    }
}

fn push(sorter: &Sorter, batch: &mut Batch, one: u128, other: u128) {
    let mut pair = [0; 2 * POSITION];
    pair[..POSITION].copy_from_slice(&one.to_be_bytes());
    pair[POSITION..].copy_from_slice(&other.to_be_bytes());
    sorter.push(batch, &pair);
}

fn pair(entry: &[u8]) -> (u128, u128) {
    let half = |bytes: Option<&[u8]>| {
        bytes.and_then(|bytes| bytes.first_chunk()).map_or(0, |bytes| u128::from_be_bytes(*bytes))
    };
    (half(entry.get(..POSITION)), half(entry.get(POSITION..)))
}

/// Follows edges to groups, and tells of each document of a group: its first document, its position, and for the
/// first one itself how many there are.
pub(crate) fn find(
    mut edges: Sorter,
    place: Option<&Place>,
    mut tell: impl FnMut(u128, u128, u64),
) -> Result<(), SortError> {
    let part = place.map(Place::part);
    let mut before = None;
    for turn in 0_u32.. {
        let name = format!("groups.{turn}");
        let both = both_ways(edges.drain()?, &name, part.as_ref())?;
        let large = star(both.drain()?, &format!("{name}.large"), part.as_ref(), true)?;
        edges = star(large.drain()?, &format!("{name}.small"), part.as_ref(), false)?;
        let now = fingerprint(edges.merged()?)?;
        if before == Some(now) {
            break;
        }
        before = Some(now);
    }
    // From "(document, first)" to the documents of each first.
    let members = both_ways(edges.drain()?, "groups.members", part.as_ref())?;
    let mut members = members.drain()?;
    let (mut first, mut size) = (0, 0);
    while let Some(entry) = members.advance()? {
        let (one, other) = pair(entry);
        if one > other {
            // The way back, from a member to its first.
            continue;
        }
        if size > 0 && one != first {
            tell(first, first, size);
            size = 0;
        }
        if size == 0 {
            (first, size) = (one, 1);
        }
        tell(first, other, 0);
        size += 1;
    }
    if size > 0 {
        tell(first, first, size);
    }
    Ok(())
}

/// Every edge in both directions.
fn both_ways(mut edges: Merge, name: &str, place: Option<&Place>) -> Result<Sorter, SortError> {
    let (both, mut batch) = (self::edges(name, place), Batch::default());
    while let Some(entry) = edges.advance()? {
        let (one, other) = pair(entry);
        push(&both, &mut batch, one, other);
        push(&both, &mut batch, other, one);
    }
    both.add(&mut batch);
    Ok(both)
}

/// For every document at the front of pairs: ties those that it is paired with, the larger ones or all of them, to
/// the first among these and itself. Neighbours come in order, so that first is known when they come.
fn star(mut pairs: Merge, name: &str, place: Option<&Place>, is_large: bool) -> Result<Sorter, SortError> {
    let (tied, mut batch) = (edges(name, place), Batch::default());
    let mut of = None;
    let mut first = 0;
    while let Some(entry) = pairs.advance()? {
        let (one, other) = pair(entry);
        if of != Some(one) {
            of = Some(one);
            first = one.min(other);
            if !is_large {
                tie(&tied, &mut batch, one, first);
            }
        }
        if !is_large || other > one {
            tie(&tied, &mut batch, other, first);
        }
    }
    tied.add(&mut batch);
    Ok(tied)
}

/// A number and a sum of hashes: two sets of edges with the same are the same.
fn fingerprint(mut edges: Merge) -> Result<(u64, u128), SortError> {
    let (mut n, mut sum) = (0, 0_u128);
    while let Some(entry) = edges.advance()? {
        n += 1;
        sum = sum.wrapping_add(xxh3_128(entry));
    }
    Ok((n, sum))
}
