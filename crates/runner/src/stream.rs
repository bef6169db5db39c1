//! A file that is being read, and what of it has not been cut off yet.

use std::io::Read;
use std::path::Path;

use tamis_stage::Block;

use crate::decompress::Input;

/// A file that is being read, with a window on it that grows as far as it is asked to.
pub(crate) struct Stream {
    input: Input,
    buffer: Vec<u8>,
    /// Where `buffer` begins in the file.
    offset: u64,
    /// The ordinal of the record that begins there.
    pub(crate) ordinal: u64,
    at_end: bool,
}

impl Stream {
    pub(crate) fn open(path: &Path) -> std::io::Result<Self> {
        Ok(Self { input: Input::open(path)?, buffer: Vec::new(), offset: 0, ordinal: 0, at_end: false })
    }

    /// The window.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// The window, as a reader is shown it; `file` is what messages call the file.
    pub(crate) fn window<'a>(&'a self, file: &'a str) -> Block<'a> {
        Block { file, head: &[], bytes: &self.buffer, offset: self.offset, first_ordinal: self.ordinal }
    }

    /// Where the window begins in the file.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Where the window ends in the file.
    pub(crate) fn end_offset(&self) -> u64 {
        self.offset + self.buffer.len() as u64
    }

    /// Whether the window reaches to the end of the file.
    pub(crate) fn at_end(&self) -> bool {
        self.at_end
    }

    /// Reads until the window holds `wanted` bytes or the file ends.
    pub(crate) fn fill(&mut self, wanted: usize) -> std::io::Result<()> {
        if self.at_end || self.buffer.len() >= wanted {
            return Ok(());
        }
        // One byte more than wanted tells the end of a file that ends right there.
        let missing = wanted - self.buffer.len() + 1;
        let read = (&mut self.input).take(missing as u64).read_to_end(&mut self.buffer)?;
        self.at_end = read < missing;
        Ok(())
    }

    /// How many bytes there are from where the window begins, as far as that is known.
    pub(crate) fn rest(&self) -> u64 {
        let known = self.input.length().map_or(0, |length| length.saturating_sub(self.offset));
        known.max(self.buffer.len() as u64)
    }

    /// Bytes of the file itself, before decompression, that have been read since the last call.
    pub(crate) fn progress(&self) -> u64 {
        self.input.progress()
    }

    /// Takes the first `n` bytes off the window.
    pub(crate) fn take(&mut self, n: usize) -> Vec<u8> {
        let rest = self.buffer.split_off(n.min(self.buffer.len()));
        let taken = std::mem::replace(&mut self.buffer, rest);
        self.offset += taken.len() as u64;
        taken
    }

    /// Passes over the first `n` bytes of the window.
    pub(crate) fn skip(&mut self, n: usize) {
        let n = n.min(self.buffer.len());
        self.buffer.drain(..n);
        self.offset += n as u64;
    }

    /// Leaves the rest of the file unread.
    pub(crate) fn end(&mut self) {
        self.buffer.clear();
        self.at_end = true;
    }
}
