//! Many sorted runs as one.

use std::cmp::Ordering;

use crate::error::SortError;
use crate::run::Source;
use crate::shape::{Combine, Shape, wide_prefix};

/// Entries on their way out: in order, and combined.
///
/// A binary heap of the sources, the one with the least entry on top. The first bytes of each entry stand in the
/// heap itself, so that most comparisons touch nothing else.
pub struct Merge {
    sources: Vec<Source>,
    heap: Vec<(u128, usize)>,
    shape: Shape,
    combine: Combine,
    /// The entry that was given out last.
    entry: Vec<u8>,
}

impl Merge {
    pub(crate) fn new(sources: Vec<Source>, shape: Shape, combine: Combine) -> Self {
        let heap =
            sources.iter().enumerate().map(|(index, source)| (wide_prefix(source.entry()), index)).collect();
        let mut merge = Self { sources, heap, shape, combine, entry: Vec::new() };
        for at in (0..merge.heap.len() / 2).rev() {
            merge.sink(at);
        }
        merge
    }

    /// The next entry; `None` at the end. It is good until the next call.
    ///
    /// # Errors
    ///
    /// When a run cannot be read, or is not what was written.
    pub fn advance(&mut self) -> Result<Option<&[u8]>, SortError> {
        let Some(&(_, top)) = self.heap.first() else { return Ok(None) };
        self.entry.clear();
        self.entry.extend_from_slice(self.sources[top].entry());
        self.pop()?;
        while let Some(&(_, top)) = self.heap.first() {
            if !self.combine.take(self.shape, &mut self.entry, self.sources[top].entry()) {
                break;
            }
            self.pop()?;
        }
        Ok(Some(&self.entry))
    }

    /// Leaves the least entry behind.
    fn pop(&mut self) -> Result<(), SortError> {
        let Some(&(_, top)) = self.heap.first() else { return Ok(()) };
        if self.sources[top].advance()? {
            self.heap[0].0 = wide_prefix(self.sources[top].entry());
        } else {
            self.heap.swap_remove(0);
        }
        self.sink(0);
        Ok(())
    }

    /// Puts the source at `at` where it belongs among those below.
    fn sink(&mut self, mut at: usize) {
        loop {
            let (left, right) = (2 * at + 1, 2 * at + 2);
            let mut least = at;
            for child in [left, right] {
                if child < self.heap.len() && self.order(child, least).is_lt() {
                    least = child;
                }
            }
            if least == at {
                return;
            }
            self.heap.swap(at, least);
            at = least;
        }
    }

    fn order(&self, a: usize, b: usize) -> Ordering {
        let ((prefix_a, a), (prefix_b, b)) = (self.heap[a], self.heap[b]);
        prefix_a.cmp(&prefix_b).then_with(|| self.sources[a].entry().cmp(self.sources[b].entry()))
    }
}

impl std::fmt::Debug for Merge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Merge").field("sources", &self.sources.len()).finish_non_exhaustive()
    }
}
