//! Runs that one worker fills and empties, often with a handful of entries.

use tamis_plugin::Failure;

use super::merge::sort;
use super::{Entry, Runs, Scratch, Sorted};

/// Entries that are put in in any order and come out sorted.
pub(crate) struct Batch<E> {
    entries: Vec<E>,
    /// What they hold.
    n_bytes: usize,
    runs: Runs<E>,
    /// Whether the runs have some.
    is_spread: bool,
    place: Option<Scratch>,
}

impl<E: Entry + 'static> Batch<E> {
    /// An empty one; without a place on the disk everything stays in memory.
    pub(crate) fn new(name: &'static str, scratch: Option<&Scratch>) -> Self {
        let runs = Runs::new(name);
        if let Some(scratch) = scratch {
            runs.place(scratch.part());
        }
        Self { entries: Vec::new(), n_bytes: 0, runs, is_spread: false, place: scratch.cloned() }
    }

    /// The place on the disk, to be shared with others.
    pub(crate) fn scratch(&self) -> Option<&Scratch> {
        self.place.as_ref()
    }

    /// Puts an entry in. A mistake is remembered until [`Batch::sorted`].
    pub(crate) fn push(&mut self, entry: E) {
        self.n_bytes += entry.size();
        self.entries.push(entry);
        if self.n_bytes > self.runs.local_bytes() {
            self.flush();
        }
    }

    fn flush(&mut self) {
        self.runs.add(std::mem::take(&mut self.entries));
        (self.n_bytes, self.is_spread) = (0, true);
    }

    /// Takes all entries out, in order, equal ones combined.
    ///
    /// # Errors
    ///
    /// When what was put on the disk could not be written or cannot be read.
    pub(crate) fn sorted(&mut self) -> Result<Sorted<E>, Failure> {
        if self.is_spread {
            self.flush();
            self.is_spread = false;
            return self.runs.sorted();
        }
        self.n_bytes = 0;
        let mut entries = std::mem::take(&mut self.entries);
        sort(&mut entries);
        Ok(Sorted::resident(entries))
    }
}

impl<E> std::fmt::Debug for Batch<E> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch").field("runs", &self.runs).finish_non_exhaustive()
    }
}
