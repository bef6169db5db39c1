//! Many sorted runs as one.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use tamis_plugin::Failure;

use super::Entry;

/// A sorted sequence of entries, from memory or from the disk.
pub(super) type Source<'a, E> = Box<dyn Iterator<Item = Result<E, Failure>> + 'a>;

/// Sorted sources as one sorted sequence in which no two entries are equal.
pub(crate) struct Merged<'a, E: Entry> {
    sources: Vec<Source<'a, E>>,
    heads: BinaryHeap<Head<E>>,
    /// The entry that comes next, already combined and settled.
    pending: Option<E>,
}

impl<'a, E: Entry> Merged<'a, E> {
    pub(super) fn new(mut sources: Vec<Source<'a, E>>) -> Result<Self, Failure> {
        let mut heads = BinaryHeap::with_capacity(sources.len());
        for (source, entries) in sources.iter_mut().enumerate() {
            if let Some(entry) = entries.next() {
                heads.push(Head { entry: entry?, source });
            }
        }
        let mut merged = Self { sources, heads, pending: None };
        merged.pending = merged.combined()?;
        Ok(merged)
    }

    /// The next entry.
    fn advance(&mut self) -> Result<Option<E>, Failure> {
        let Some(entry) = self.pending.take() else { return Ok(None) };
        self.pending = self.combined()?;
        if let Some(following) = &mut self.pending {
            following.settle(&entry);
        }
        Ok(Some(entry))
    }

    /// The least entry of all sources, with all that are equal to it.
    fn combined(&mut self) -> Result<Option<E>, Failure> {
        let Some(mut entry) = self.pop()? else { return Ok(None) };
        while self.heads.peek().is_some_and(|head| head.entry.order(&entry).is_eq()) {
            if let Some(equal) = self.pop()? {
                entry.combine(&equal);
            }
        }
        Ok(Some(entry))
    }

    fn pop(&mut self) -> Result<Option<E>, Failure> {
        let Some(mut top) = self.heads.peek_mut() else { return Ok(None) };
        match self.sources.get_mut(top.source).and_then(Iterator::next) {
            // The heap is put in order once, not for a removal and an insertion.
            Some(entry) => Ok(Some(std::mem::replace(&mut top.entry, entry?))),
            None => Ok(Some(std::collections::binary_heap::PeekMut::pop(top).entry)),
        }
    }
}

impl<E: Entry> Iterator for Merged<'_, E> {
    type Item = Result<E, Failure>;

    fn next(&mut self) -> Option<Self::Item> {
        let next = self.advance().transpose();
        if matches!(next, Some(Err(_))) {
            self.heads.clear();
            self.pending = None;
        }
        next
    }
}

/// The first entry of a source that has not been taken.
struct Head<E> {
    entry: E,
    source: usize,
}

/// The greatest of a heap is the least entry.
impl<E: Entry> Ord for Head<E> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.entry.order(&self.entry).then(other.source.cmp(&self.source))
    }
}

impl<E: Entry> PartialOrd for Head<E> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<E: Entry> PartialEq for Head<E> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl<E: Entry> Eq for Head<E> {}

/// Sorts entries, combines those that are equal and settles the others.
pub(super) fn sort<E: Entry>(entries: &mut Vec<E>) {
    entries.sort_unstable_by(Entry::order);
    entries.dedup_by(|entry, previous| {
        if previous.order(entry).is_eq() {
            previous.combine(entry);
            return true;
        }
        entry.settle(previous);
        false
    });
}
