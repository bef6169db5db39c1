//! Opens a file: finds out what it is and takes its compression off.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::count::Counted;
use crate::decode::{Format, Plainly, retry};
use crate::read_ahead::{Queue, Taken};
use crate::{Helpers, InputFile, Location, Members, ReadAhead, archive};

/// How often compressed data is decompressed when what comes out is compressed, too.
const MAX_LAYERS: usize = 4;

/// How many bytes tell what a file is: the first header of a tar archive.
const HEAD: usize = 512;

/// How much memory an object takes while it is read, in bytes: some requests for parts of it, and parts that wait.
const REMOTE: u64 = 48 << 20;

/// How to open a file.
#[derive(Clone, Default)]
pub struct OpenOptions {
    /// Threads that inflate ahead; without them whoever reads does all the work.
    pub helpers: Option<Arc<dyn Helpers>>,
    /// What files are taken from that were announced, so that they are inflated while others are read.
    pub read_ahead: Option<Arc<ReadAhead>>,
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

/// What is known of a file that was opened.
pub(crate) struct Facts {
    /// The first bytes of what is in it.
    pub(crate) head: Vec<u8>,
    /// How often it is compressed.
    pub(crate) layers: usize,
    /// The length of a file that is not compressed.
    pub(crate) length: Option<u64>,
    /// Bytes of the file itself that have been read.
    pub(crate) read: Arc<AtomicU64>,
    /// How much memory it takes to have it open, in bytes, roughly.
    pub(crate) weight: u64,
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
                let (reader, facts) = peel(file, options.helpers.as_ref())?;
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

/// Opens a file and takes its compression off, layer by layer.
pub(crate) fn peel(file: &InputFile, helpers: Option<&Arc<dyn Helpers>>) -> io::Result<(Peeked, Facts)> {
    let (raw, length) = raw(file)?;
    let read = Arc::new(AtomicU64::new(0));
    let mut reader = Peeked::new(Plainly::File(Counted::new(raw, Arc::clone(&read))));
    let mut layers = 0;
    let mut weight = if file.location.path().is_some() { 0 } else { REMOTE };
    while let Some(format) = Format::of(&reader.head) {
        if layers == MAX_LAYERS {
            let message =
                format!("the file is compressed more than {MAX_LAYERS} times over: decompress it first");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        weight += format.weight(&reader.head);
        reader = Peeked::new(format.decode(Box::new(reader), helpers)?);
        layers += 1;
    }
    let (head, length) = (reader.head.clone(), length.filter(|_| layers == 0));
    Ok((reader, Facts { head, layers, length, read, weight }))
}

/// The bytes of a file as they are, and how many there are.
fn raw(file: &InputFile) -> io::Result<(Box<dyn Read + Send>, Option<u64>)> {
    match &file.location {
        Location::Path(path) => {
            let file = File::open(path)?;
            // One that is written faster than it is read would never end.
            let length = file.metadata()?.len();
            Ok((Box::new(file.take(length)), Some(length)))
        }
        Location::Stdin => Ok((Box::new(io::stdin()), None)),
        #[cfg(feature = "remote")]
        Location::Url(url) => crate::remote::read(url, &file.version),
        #[cfg(not(feature = "remote"))]
        Location::Url(_) => Err(no_remote()),
    }
}

#[cfg(not(feature = "remote"))]
pub(crate) fn no_remote() -> io::Error {
    unsupported("this build has no object stores: build it with the feature `remote`")
}

/// A stream whose first bytes are known.
pub(crate) struct Peeked {
    /// As many as tell what a file is, or all.
    head: Vec<u8>,
    /// How much of the head has been read.
    at: usize,
    /// What happened behind the head.
    error: Option<io::Error>,
    reader: Plainly,
}

impl Peeked {
    fn new(mut reader: Plainly) -> Self {
        let mut head = vec![0; HEAD];
        let (mut have, mut error) = (0, None);
        while have < HEAD {
            match retry(|| reader.read(head.get_mut(have..).unwrap_or_default())) {
                Ok(0) => break,
                Ok(n) => have += n,
                Err(what) => {
                    error = Some(what);
                    break;
                }
            }
        }
        head.truncate(have);
        Self { head, at: 0, error, reader }
    }

    /// One of which nothing has been read.
    #[cfg(test)]
    pub(crate) fn broken(reader: Box<dyn Read + Send>) -> Self {
        Self { head: Vec::new(), at: 0, error: None, reader: Plainly::Other(reader) }
    }

    /// Whether one core at a time makes what is read of it.
    pub(crate) fn is_serial(&self) -> bool {
        self.reader.is_serial()
    }

    /// Appends bytes to `buffer`, `most` of them or all that are left; how many.
    pub(crate) fn append(&mut self, buffer: &mut Vec<u8>, most: usize) -> io::Result<usize> {
        let head = self.head.get(self.at..).unwrap_or_default();
        let head = head.get(..most).unwrap_or(head);
        buffer.extend_from_slice(head);
        self.at += head.len();
        let n = head.len();
        if n == most {
            return Ok(n);
        }
        match self.error.take() {
            Some(error) => Err(error),
            None => Ok(n + self.reader.append(buffer, most - n)?),
        }
    }
}

impl Read for Peeked {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut head = self.head.get(self.at..).unwrap_or_default();
        if !head.is_empty() {
            let n = head.read(buffer)?;
            self.at += n;
            return Ok(n);
        }
        match self.error.take() {
            Some(error) => Err(error),
            None => self.reader.read(buffer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decode::tests::compress;

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
