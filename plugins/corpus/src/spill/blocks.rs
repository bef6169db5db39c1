//! Entries in checked blocks, for runs and for saved states.
//!
//! A block is its length (4 bytes), its payload and a checksum of the payload and the block's number
//! (8 bytes). A block of length 0 ends the sequence. Numbers are little endian; entries do not cross blocks.

use std::io::{ErrorKind, Read, Write};

use tamis_plugin::Failure;
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::Entry;

/// A block is written once it holds so many bytes.
const FULL: usize = 64 * 1024;

/// Writes blocks.
pub(crate) struct BlockWriter<W> {
    out: W,
    payload: Vec<u8>,
    n_blocks: u64,
}

impl<W: Write> BlockWriter<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out, payload: Vec::new(), n_blocks: 0 }
    }

    /// Appends an entry.
    pub(crate) fn entry(&mut self, entry: &impl Entry) -> std::io::Result<()> {
        entry.encode(&mut self.payload);
        if self.payload.len() >= FULL { self.flush() } else { Ok(()) }
    }

    /// Writes `payload` as a block of its own.
    pub(crate) fn block(&mut self, payload: &[u8]) -> std::io::Result<()> {
        self.flush()?;
        self.payload.extend_from_slice(payload);
        self.flush()
    }

    /// Ends the sequence.
    pub(crate) fn finish(mut self) -> std::io::Result<W> {
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
pub(crate) struct BlockReader<R> {
    input: R,
    payload: Vec<u8>,
    /// How much of the payload has been taken.
    taken: usize,
    n_blocks: u64,
    ended: bool,
}

impl<R: Read> BlockReader<R> {
    pub(crate) fn new(input: R) -> Self {
        Self { input, payload: Vec::new(), taken: 0, n_blocks: 0, ended: false }
    }

    /// The next entry; `None` at the end.
    pub(crate) fn entry<E: Entry>(&mut self) -> Result<Option<E>, Failure> {
        if self.taken == self.payload.len() && !self.next(u32::MAX)? {
            return Ok(None);
        }
        let mut rest = self.payload.get(self.taken..).unwrap_or_default();
        let entry = E::decode(&mut rest)
            .ok_or_else(|| Failure::new(format!("block {} holds what is no entry", self.n_blocks)))?;
        self.taken = self.payload.len() - rest.len();
        Ok(Some(entry))
    }

    /// The next block as a whole, of at most `most` bytes; empty at the end.
    pub(crate) fn block(&mut self, most: u32) -> Result<&[u8], Failure> {
        if !self.next(most)? {
            return Ok(&[]);
        }
        self.taken = self.payload.len();
        Ok(&self.payload)
    }

    /// What the blocks were read from.
    pub(crate) fn into_inner(self) -> R {
        self.input
    }

    /// Reads a block; `false` at the end of the sequence.
    fn next(&mut self, most: u32) -> Result<bool, Failure> {
        self.payload.clear();
        self.taken = 0;
        if self.ended {
            return Ok(false);
        }
        let mut length = [0; 4];
        self.fill(&mut length)?;
        let n_bytes = u32::from_le_bytes(length);
        if n_bytes > most {
            return Err(Failure::new(format!(
                "block {} claims {n_bytes} bytes, but may have {most} at most",
                self.n_blocks + 1
            )));
        }
        // Grows with what is there, not with what is claimed.
        let read = self.input.by_ref().take(u64::from(n_bytes)).read_to_end(&mut self.payload);
        if read.map_err(|error| self.unreadable(&error))? < n_bytes as usize {
            return Err(self.cut_off());
        }
        let mut claimed = [0; 8];
        self.fill(&mut claimed)?;
        if u64::from_le_bytes(claimed) != checksum(&self.payload, self.n_blocks) {
            return Err(Failure::new(format!(
                "block {} has a wrong checksum: its bytes were damaged",
                self.n_blocks + 1
            )));
        }
        self.n_blocks += 1;
        self.ended = n_bytes == 0;
        Ok(!self.ended)
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), Failure> {
        self.input.read_exact(buffer).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => self.cut_off(),
            _ => self.unreadable(&error),
        })
    }

    fn cut_off(&self) -> Failure {
        Failure::new(format!("the bytes end within block {}", self.n_blocks + 1))
    }

    fn unreadable(&self, error: &std::io::Error) -> Failure {
        Failure::new(format!("block {} cannot be read: {error}", self.n_blocks + 1))
    }
}

/// The number goes in, so that blocks that changed places are noticed.
fn checksum(payload: &[u8], n_before: u64) -> u64 {
    xxh3_64_with_seed(payload, n_before)
}
