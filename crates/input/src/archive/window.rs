//! A file that is read by pieces, wherever.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::RandomAccess;

/// How much is read at once, in bytes: little for a jump, more and more for reading on.
const MIN_WINDOW: usize = 64 * 1024;
const MAX_WINDOW: usize = 4 << 20;

/// A part of a file, read from front to back.
pub(super) struct Window {
    access: Arc<dyn RandomAccess>,
    position: u64,
    /// Where reading ends.
    end: u64,
    /// Where `bytes` begin.
    start: u64,
    bytes: Vec<u8>,
    read: Arc<AtomicU64>,
}

impl Window {
    /// The whole file.
    pub(super) fn new(access: Arc<dyn RandomAccess>) -> Self {
        let end = access.size();
        Self { access, position: 0, end, start: 0, bytes: Vec::new(), read: Arc::default() }
    }

    /// Another part of the file.
    pub(super) fn at(&self, position: u64, end: u64) -> Self {
        let (access, read) = (Arc::clone(&self.access), Arc::clone(&self.read));
        let end = end.min(access.size());
        Self { access, position, end, start: 0, bytes: Vec::new(), read }
    }

    /// Goes on as another part, which may begin in what has been read.
    pub(super) fn become_part(&mut self, position: u64, end: u64) {
        (self.position, self.end) = (position, end.min(self.access.size()));
        let kept = usize::try_from(self.end.saturating_sub(self.start)).unwrap_or(usize::MAX);
        self.bytes.truncate(kept);
    }

    /// The length of the file, in bytes.
    pub(super) fn size(&self) -> u64 {
        self.access.size()
    }

    /// Bytes that have been read of any part since the last call.
    pub(super) fn progress(&self) -> u64 {
        self.read.swap(0, Ordering::Relaxed)
    }

    fn fill(&mut self) -> io::Result<()> {
        let reads_on = self.position == self.start + self.bytes.len() as u64 && !self.bytes.is_empty();
        let wanted = if reads_on { (self.bytes.len() * 2).clamp(MIN_WINDOW, MAX_WINDOW) } else { MIN_WINDOW };
        let left = self.end.saturating_sub(self.position);
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(wanted);
        self.start = self.position;
        self.bytes.resize(wanted, 0);
        let result = self.access.read_at(self.start, &mut self.bytes);
        if result.is_err() {
            self.bytes.clear();
        }
        self.read.fetch_add(self.bytes.len() as u64, Ordering::Relaxed);
        result
    }
}

impl Read for Window {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let within = |window: &Self| {
            let at = usize::try_from(window.position.checked_sub(window.start)?).ok()?;
            (at < window.bytes.len()).then_some(at)
        };
        if within(self).is_none() {
            self.fill()?;
        }
        let Some(at) = within(self) else { return Ok(0) };
        let n = self.bytes.get(at..).unwrap_or_default().read(buffer)?;
        self.position += n as u64;
        Ok(n)
    }
}
