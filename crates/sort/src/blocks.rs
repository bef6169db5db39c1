//! Bytes in checked blocks, for runs and for saved states.
//!
//! A block is its length (4 bytes), its payload and a checksum of the payload and the block's number (XXH3,
//! 8 bytes); numbers are little endian. A block of length 0 ends the sequence.

use std::io::{ErrorKind, Read, Write};

use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::error::SortError;

/// A block is written once it holds so many bytes.
const FULL: usize = 64 * 1024;

/// Writes blocks.
#[derive(Debug)]
pub struct BlockWriter<W> {
    out: W,
    payload: Vec<u8>,
    n_blocks: u64,
}

impl<W: Write> BlockWriter<W> {
    /// Writes to `out`.
    pub fn new(out: W) -> Self {
        Self { out, payload: Vec::new(), n_blocks: 0 }
    }

    /// Appends what `write` appends, in one block: what belongs together does not cross blocks.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn append(&mut self, write: impl FnOnce(&mut Vec<u8>)) -> std::io::Result<()> {
        write(&mut self.payload);
        if self.payload.len() >= FULL { self.flush() } else { Ok(()) }
    }

    /// Writes `payload` as a block of its own.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn block(&mut self, payload: &[u8]) -> std::io::Result<()> {
        self.flush()?;
        self.payload.extend_from_slice(payload);
        self.flush()
    }

    /// Ends the sequence.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn finish(mut self) -> std::io::Result<W> {
        self.flush()?;
        self.write()?;
        self.out.flush()?;
        Ok(self.out)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        if self.payload.is_empty() { Ok(()) } else { self.write() }
    }

    fn write(&mut self) -> std::io::Result<()> {
        let n_bytes = u32::try_from(self.payload.len())
            .map_err(|_| std::io::Error::new(ErrorKind::InvalidData, "an entry is longer than 4 GiB"))?;
        self.out.write_all(&n_bytes.to_le_bytes())?;
        self.out.write_all(&self.payload)?;
        self.out.write_all(&checksum(&self.payload, self.n_blocks).to_le_bytes())?;
        self.payload.clear();
        self.n_blocks += 1;
        Ok(())
    }
}

/// Reads blocks.
#[derive(Debug)]
pub struct BlockReader<R> {
    input: R,
    payload: Vec<u8>,
    n_blocks: u64,
    ended: bool,
}

impl<R: Read> BlockReader<R> {
    /// Reads from `input`.
    pub fn new(input: R) -> Self {
        Self { input, payload: Vec::new(), n_blocks: 0, ended: false }
    }

    /// The block that was read last.
    pub fn payload(&self) -> &[u8] {
        &self.payload
    }

    /// Reads the next block, of at most `most` bytes; `false` at the end of the sequence.
    ///
    /// # Errors
    ///
    /// When it cannot be read, or is not what was written.
    pub fn advance(&mut self, most: u32) -> Result<bool, SortError> {
        self.payload.clear();
        if self.ended {
            return Ok(false);
        }
        let mut length = [0; 4];
        self.fill(&mut length)?;
        let n_bytes = u32::from_le_bytes(length);
        let number = self.n_blocks + 1;
        if n_bytes > most {
            return Err(SortError::damaged(format!(
                "block {number} claims {n_bytes} bytes, but may have {most} at most"
            )));
        }
        // Grows with what is there, not with what is claimed; without doubling for a block as writers end them, since dozens
        // of files are read at once.
        self.payload.reserve_exact((n_bytes as usize).min(2 * FULL));
        let read = self.input.by_ref().take(u64::from(n_bytes)).read_to_end(&mut self.payload)?;
        if read < n_bytes as usize {
            return Err(self.cut_off());
        }
        let mut claimed = [0; 8];
        self.fill(&mut claimed)?;
        if u64::from_le_bytes(claimed) != checksum(&self.payload, self.n_blocks) {
            return Err(SortError::damaged(format!(
                "block {number} has a wrong checksum: its bytes were damaged"
            )));
        }
        self.n_blocks = number;
        self.ended = n_bytes == 0;
        Ok(!self.ended)
    }

    /// What the blocks are read from, for what follows their end.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.input
    }

    /// What the blocks were read from.
    pub fn into_inner(self) -> R {
        self.input
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), SortError> {
        self.input.read_exact(buffer).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => self.cut_off(),
            _ => error.into(),
        })
    }

    fn cut_off(&self) -> SortError {
        SortError::damaged(format!("the bytes end within block {}", self.n_blocks + 1))
    }
}

/// The number goes in, so that blocks that changed places are noticed.
fn checksum(payload: &[u8], n_before: u64) -> u64 {
    xxh3_64_with_seed(payload, n_before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_holds_one_block_and_no_more() {
        let mut writer = BlockWriter::new(Vec::new());
        for n in 0..40_000_u64 {
            writer.append(|out| out.extend_from_slice(&n.to_le_bytes())).unwrap();
        }
        let bytes = writer.finish().unwrap();
        let mut reader = BlockReader::new(bytes.as_slice());
        let mut n_bytes = 0;
        while reader.advance(u32::MAX).unwrap() {
            n_bytes += reader.payload().len();
            let held = reader.payload.capacity();
            assert!(held <= FULL + FULL / 16, "{held} bytes");
        }
        assert_eq!(n_bytes, 8 * 40_000);
    }
}
