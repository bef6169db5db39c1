//! Plain bytes, whoever takes the compression off: one decompressor, or many helpers ahead of it.

use std::io::{self, Read};
use std::sync::Arc;

use crate::Helpers;
use crate::ahead::{Ahead, Splitter};
use crate::count::Counted;
use crate::decode::Format;

/// A stream of plain bytes.
pub(crate) enum Plainly {
    /// Some of them may be in memory already.
    Ahead(Box<Ahead>),
    /// The file itself.
    File(Counted),
    Other(Box<dyn Read + Send>),
}

impl Plainly {
    /// What is in a stream of this format, decompressed with help if there is some.
    pub(crate) fn of(
        format: Format,
        reader: Box<dyn Read + Send>,
        helpers: Option<&Arc<dyn Helpers>>,
    ) -> io::Result<Self> {
        match helpers.map(|helpers| (helpers, Splitter::of(format))) {
            Some((helpers, Some(splitter))) if helpers.threads() > 0 => {
                Ok(Self::Ahead(Box::new(Ahead::new(format, splitter, reader, helpers))))
            }
            _ => format.decoded(reader).map(Self::Other),
        }
    }

    /// Appends bytes to `buffer`, `most` of them or all that are left; how many. What was read before an error
    /// stays.
    pub(crate) fn append(&mut self, buffer: &mut Vec<u8>, most: usize) -> io::Result<usize> {
        match self {
            Self::Ahead(ahead) => ahead.append(buffer, most),
            Self::File(file) => file.append(buffer, most),
            Self::Other(reader) => reader.take(most as u64).read_to_end(buffer),
        }
    }

    /// Whether one core at a time makes what is read next.
    pub(crate) fn is_serial(&self) -> bool {
        match self {
            Self::Ahead(ahead) => ahead.is_serial(),
            Self::File(_) | Self::Other(_) => true,
        }
    }
}

impl Read for Plainly {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Ahead(ahead) => ahead.read(output),
            Self::File(file) => file.read(output),
            Self::Other(reader) => reader.read(output),
        }
    }
}
