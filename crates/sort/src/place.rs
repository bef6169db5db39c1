//! Where entries go that do not fit into memory, and how that memory is shared out.

use std::path::{Path, PathBuf};

/// So many files are read at once where memory allows: more would meet the limit of open files that a process
/// has by default (1,024, 256 on a Mac) once several stages merge at once.
const MOST_FAN_IN: usize = 64;

/// What a file that is read takes: a block of entries and a buffer.
const READER_BYTES: usize = 80 * 1024;

/// A folder, and the memory that may be held before it is used.
#[derive(Debug, Clone)]
pub struct Place {
    folder: PathBuf,
    most: usize,
    n_workers: usize,
    fan_in: usize,
}

impl Place {
    /// A place for `n_workers` that together may hold `most` bytes.
    ///
    /// A quarter is for the batches of workers. An eighth is for sorted runs in memory: while one eighth is
    /// written and another fills, they take two. Files that are merged have an eighth for their buffers. The rest
    /// is for what is made of the entries: more sorters ([`Place::part`]) and tables.
    pub fn new(folder: impl Into<PathBuf>, most: u64, n_workers: usize) -> Self {
        let most = usize::try_from(most).unwrap_or(usize::MAX);
        let fan_in = (most / 8 / READER_BYTES).clamp(2, MOST_FAN_IN);
        Self { folder: folder.into(), most, n_workers: n_workers.max(1), fan_in }
    }

    /// The same with half of the memory, for one of two sorters that fill at the same time.
    #[must_use]
    pub fn half(&self) -> Self {
        Self::new(&self.folder, (self.most / 2) as u64, self.n_workers)
    }

    /// A place in the same folder for one worker, with an eighth of the memory.
    #[must_use]
    pub fn part(&self) -> Self {
        Self::new(&self.folder, (self.most / 8) as u64, 1)
    }

    /// The same with fewer files read at once, so that few entries make several levels of merging.
    #[cfg(test)]
    pub(crate) fn with_fan_in(self, fan_in: usize) -> Self {
        Self { fan_in, ..self }
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Bytes that one table may hold: a sixteenth of the memory.
    pub(crate) fn table_bytes(&self) -> usize {
        self.most / 16
    }

    pub(crate) fn batch_bytes(&self) -> usize {
        self.most / 4 / self.n_workers
    }

    pub(crate) fn resident_bytes(&self) -> usize {
        self.most / 8
    }

    pub(crate) fn fan_in(&self) -> usize {
        self.fan_in
    }
}
