//! The bytes of a file itself, counted as they are read.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// Counts what is read of a file.
pub(crate) struct Counted {
    reader: Box<dyn Read + Send>,
    read: Arc<AtomicU64>,
}

impl Counted {
    pub(crate) fn new(reader: Box<dyn Read + Send>, read: Arc<AtomicU64>) -> Self {
        Self { reader, read }
    }

    /// Appends bytes to `buffer`, `most` of them or all that are left; how many. What was read before an error
    /// stays.
    ///
    /// The standard library reads a file into memory that nobody has written to. Of a reader of ours it does not
    /// know that this is safe, and so it fills the memory with zeros before every read: as much work as the copy.
    pub(crate) fn append(&mut self, buffer: &mut Vec<u8>, most: usize) -> io::Result<usize> {
        let before = buffer.len();
        let result = self.reader.by_ref().take(most as u64).read_to_end(buffer);
        self.count(buffer.len() - before);
        result
    }

    fn count(&self, n: usize) {
        self.read.fetch_add(n as u64, Ordering::Relaxed);
    }
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buffer)?;
        self.count(n);
        Ok(n)
    }
}
