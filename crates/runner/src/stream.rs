//! A file that is being read, and what of it has not been cut off yet.

use std::io::{self, Read};
use std::path::PathBuf;
use std::sync::Arc;

use tamis_stage::{Block, RandomAccess};

use crate::decompress::{Input, plain_name};
use crate::inputs::InputFile;

/// How files are opened.
pub(crate) struct Opener {
    /// A folder for files that must be read anywhere and are packed in something else.
    unpacked: PathBuf,
}

impl Opener {
    pub(crate) fn new(unpacked: PathBuf) -> Self {
        Self { unpacked }
    }
}

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
    /// Opens a file; of an archive, the member with this number.
    pub(crate) fn open(file: &InputFile, _opener: &Opener, _member: u64) -> io::Result<Self> {
        let input = Input::open(&file.path)?;
        Ok(Self { input, buffer: Vec::new(), offset: 0, ordinal: 0, at_end: false })
    }

    /// What documents and messages call what is read, which `file` is, or is packed in.
    pub(crate) fn name(&self, file: &Arc<str>) -> Arc<str> {
        Arc::clone(file)
    }

    /// The name without the ending that says how the file is compressed.
    pub(crate) fn plain_name<'n>(&self, name: &'n str) -> &'n str {
        plain_name(name)
    }

    /// Why it cannot be read, if that is known already.
    pub(crate) fn trouble(&self) -> Option<String> {
        None
    }

    /// The number of the member of an archive.
    pub(crate) fn member(&self) -> u64 {
        0
    }

    /// Goes on with the next member of an archive, if there is one.
    pub(crate) fn next_member(&mut self) -> io::Result<bool> {
        Ok(false)
    }

    /// The bytes of the file, readable anywhere, and the archive it is a member of.
    pub(crate) fn random_access(
        self,
        file: &InputFile,
        _opener: &Opener,
    ) -> io::Result<(Arc<dyn RandomAccess>, Option<Self>)> {
        let _ = file;
        Err(io::ErrorKind::Unsupported.into())
    }

    /// The window.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// The window, as a reader is shown it, or its first `wanted` bytes; `file` is what messages call the file.
    ///
    /// Where blocks end must not depend on how much happens to lie in the window: a run that goes on where
    /// another stopped has read less ahead.
    pub(crate) fn window<'a>(&'a self, file: &'a str, wanted: usize) -> Block<'a> {
        let bytes = self.buffer.get(..wanted).unwrap_or(&self.buffer);
        Block { file, head: &[], bytes, offset: self.offset, first_ordinal: self.ordinal }
    }

    /// Whether the file ends within the first `wanted` bytes of the window.
    pub(crate) fn ends_within(&self, wanted: usize) -> bool {
        self.at_end && self.buffer.len() <= wanted
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
    pub(crate) fn fill(&mut self, wanted: usize) -> io::Result<()> {
        if self.at_end || self.buffer.len() >= wanted {
            return Ok(());
        }
        // One byte more than wanted tells the end of a file that ends right there.
        let missing = wanted - self.buffer.len() + 1;
        let there = self.input.length().map_or(missing as u64, |length| length.saturating_sub(self.end_offset()) + 1);
        self.buffer.reserve(missing.min(usize::try_from(there).unwrap_or(missing)));
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

    /// Passes over everything before `offset`, where the record `ordinal` begins.
    pub(crate) fn skip_to(&mut self, offset: u64, ordinal: u64) -> io::Result<()> {
        self.skip(usize::try_from(offset.saturating_sub(self.offset)).unwrap_or(usize::MAX));
        let missing = offset.saturating_sub(self.offset);
        if missing > 0 {
            let skipped = io::copy(&mut (&mut self.input).take(missing), &mut io::sink())?;
            self.offset += skipped;
            if skipped < missing {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        if offset > 0 {
            self.ordinal = ordinal;
        }
        Ok(())
    }

    /// Leaves the rest of the file unread.
    pub(crate) fn end(&mut self) {
        self.buffer.clear();
        self.at_end = true;
    }
}
