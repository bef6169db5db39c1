//! Opens a file: what it holds, with its compression taken off.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::peel::{self, Facts, Peeked, peel};
use crate::read_ahead::{Queue, Taken};
use crate::{Helpers, InputFile, Location, Members, ReadAhead, archive};

/// How to open a file.
#[derive(Clone, Default)]
pub struct OpenOptions {
    /// Threads that inflate ahead; without them whoever reads does all the work.
    pub helpers: Option<Arc<dyn Helpers>>,
    /// What files are taken from that were announced, so that they are inflated while others are read.
    pub read_ahead: Option<Arc<ReadAhead>>,
    /// How much of an object of a store one request asks for.
    pub request_bytes: RequestBytes,
}

/// How much of an object of a store one request asks for, in bytes; seven times as much may be in memory for each that is
/// being read.
#[derive(Debug, Clone, Copy)]
pub struct RequestBytes(pub(crate) u64);

impl RequestBytes {
    /// For a run with so much memory: with 1 GiB it is 8 MiB, beyond which larger requests gain nothing. Small ones wait
    /// for the network more often, so it is never less than 256 KiB.
    pub fn within(memory: u64) -> Self {
        Self((memory / 128).clamp(256 << 10, 8 << 20))
    }
}

impl Default for RequestBytes {
    fn default() -> Self {
        Self::within(u64::MAX)
    }
}

/// What a file is.
pub enum Content {
    /// A stream of bytes.
    Stream(Input),
    /// An archive: tar, perhaps compressed, or zip. Documents that are zip archives inside (EPUB, ODF, Office Open
    /// XML) are streams.
    Archive(Members),
}

/// Opens a file.
///
/// # Errors
///
/// When it cannot be opened; when it is a zip archive that cannot be read where it is, since its table of contents
/// is at its end. A file that is broken is opened and gives its error when it is read.
pub fn open(file: &InputFile, options: &OpenOptions) -> io::Result<Content> {
    let (input, layers) = Input::peel(file, options)?;
    if archive::is_tar(&input.head) {
        return Ok(Content::Archive(Members::tar(input)));
    }
    if !archive::is_zip(&input.head) {
        return Ok(Content::Stream(input));
    }
    if layers > 0 {
        return Err(unsupported(
            "a zip archive inside a compressed file cannot be read: decompress the file first",
        ));
    }
    if file.location == Location::Stdin {
        return Err(unsupported("a zip archive cannot be read from standard input: name the file instead"));
    }
    let access = crate::random_access(file)?;
    Members::zip(access).map(Content::Archive)
}

fn unsupported(message: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, message)
}

/// A stream of bytes, decompressed as often as it is compressed.
pub struct Input {
    reader: Reader,
    /// Its first bytes.
    head: Vec<u8>,
    read: Arc<AtomicU64>,
    /// The length of a file that is not compressed.
    length: Option<u64>,
}

/// What bytes are read from.
enum Reader {
    /// The decompressors themselves.
    Here(Peeked),
    /// What jobs have made of them.
    Ahead(Queue),
}

impl Input {
    /// Opens a file as a stream, even if it is an archive.
    ///
    /// # Errors
    ///
    /// When it cannot be opened; a file that is broken is opened and gives its error when it is read.
    pub fn open(file: &InputFile, options: &OpenOptions) -> io::Result<Self> {
        Self::peel(file, options).map(|(input, _)| input)
    }

    /// Opens some bytes of a file that is not compressed; its length is then where they end in the file.
    ///
    /// # Errors
    ///
    /// When it cannot be opened, or not be read anywhere.
    pub fn part(file: &InputFile, bytes: Range<u64>, options: &OpenOptions) -> io::Result<Self> {
        let length = Some(bytes.end);
        let (reader, read) = peel::part(file, bytes, options.request_bytes)?;
        Ok(Self { reader: Reader::Here(reader), head: Vec::new(), read, length })
    }

    /// How many bytes it will give in all, if that is known: for a file that is not compressed.
    pub fn length(&self) -> Option<u64> {
        self.length
    }

    /// Bytes of the file itself, before decompression, that have been read since the last call.
    pub fn progress(&self) -> u64 {
        self.read.swap(0, Ordering::Relaxed)
    }

    /// Appends bytes to `buffer`, `most` of them or all that are left; how many.
    ///
    /// # Errors
    ///
    /// When the file cannot be read on; what came before is in `buffer`.
    pub fn append(&mut self, buffer: &mut Vec<u8>, most: usize) -> io::Result<usize> {
        match &mut self.reader {
            Reader::Here(reader) => reader.append(buffer, most),
            Reader::Ahead(queue) => queue.append(buffer, most),
        }
    }

    /// Opens a file, and how often it is compressed.
    fn peel(file: &InputFile, options: &OpenOptions) -> io::Result<(Self, usize)> {
        let (reader, facts) = match options.read_ahead.as_ref().and_then(|ahead| ahead.take(file)) {
            None => {
                let (reader, facts) = peel(file, options.helpers.as_ref(), options.request_bytes)?;
                (Reader::Here(reader), facts)
            }
            Some(taken) => match taken? {
                Taken::Plain(reader, facts) => (Reader::Here(reader), facts),
                Taken::Inflated(queue, facts) => (Reader::Ahead(queue), facts),
            },
        };
        let Facts { head, layers, length, read, .. } = facts;
        Ok((Self { reader, head, read, length }, layers))
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match &mut self.reader {
            Reader::Here(reader) => reader.read(buffer),
            Reader::Ahead(queue) => queue.read(buffer),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;
    use crate::decode::Format;
    use crate::decode::tests::compress;
    use crate::peel::MAX_LAYERS;

    fn opened(bytes: &[u8]) -> io::Result<(Input, tempfile::TempDir)> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, bytes).unwrap();
        Input::open(&InputFile::at(Location::Path(path)), &OpenOptions::default())
            .map(|input| (input, folder))
    }

    #[test]
    fn layers_come_off() {
        let plain = b"an invented page\n".repeat(100);
        let formats = [Format::Gzip, Format::Zstd, Format::Bzip2, Format::Xz];
        for layers in 0..=5 {
            let layered =
                (0..layers).fold(plain.clone(), |bytes, layer| compress(formats[layer % 4], &bytes));
            if layers > MAX_LAYERS {
                let message = opened(&layered).err().unwrap().to_string();
                assert!(message.contains("compressed more than 4 times over"), "{message}");
                continue;
            }
            let (mut input, _folder) = opened(&layered).unwrap();
            assert_eq!(input.length(), (layers == 0).then_some(plain.len() as u64));
            let mut read = Vec::new();
            input.read_to_end(&mut read).unwrap();
            assert_eq!(read, plain);
            assert_eq!(input.progress(), layered.len() as u64);
            assert_eq!(input.progress(), 0);
        }
    }

    #[test]
    fn a_file_is_as_long_as_when_it_was_opened() {
        let (mut input, folder) = opened(b"first").unwrap();
        let mut file = File::options().append(true).open(folder.path().join("a")).unwrap();
        io::Write::write_all(&mut file, b" and more").unwrap();
        let mut read = Vec::new();
        input.read_to_end(&mut read).unwrap();
        assert_eq!(read, b"first");
    }

    #[test]
    fn an_error_in_the_first_bytes_is_told_when_they_are_read() {
        let whole = compress(Format::Zstd, b"short");
        for length in 4..whole.len() {
            let (mut input, _folder) = opened(&whole[..length]).unwrap();
            let error = input.read_to_end(&mut Vec::new()).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
        }
    }
}
