//! A file and the layers of compression around what is in it.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use crate::count::Counted;
use crate::decode::{Format, retry};
use crate::plainly::Plainly;
use crate::{Helpers, InputFile, Location, RandomAccess, RequestBytes};

/// How often compressed data is decompressed when what comes out is compressed, too.
pub(crate) const MAX_LAYERS: usize = 4;

/// How many bytes tell what a file is: the first header of a tar archive.
const HEAD: usize = 512;

/// How many requests' worth of an object is in memory while it is read: those in flight, what waits, what is being read.
const REQUESTS_HELD: u64 = 7;

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

/// Opens a file and takes its compression off, layer by layer.
///
/// Of an object one request asks for `request_bytes`.
pub(crate) fn peel(
    file: &InputFile,
    helpers: Option<&Arc<dyn Helpers>>,
    request_bytes: RequestBytes,
) -> io::Result<(Peeked, Facts)> {
    let (raw, length) = raw(file, request_bytes)?;
    let read = Arc::new(AtomicU64::new(0));
    let mut reader = Peeked::new(Plainly::File(Counted::new(raw, Arc::clone(&read))));
    let mut layers = 0;
    let mut weight = if file.location.path().is_some() { 0 } else { REQUESTS_HELD * request_bytes.0 };
    while let Some(format) = Format::of(&reader.head) {
        if layers == MAX_LAYERS {
            let message =
                format!("the file is compressed more than {MAX_LAYERS} times over: decompress it first");
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        weight += format.weight(&reader.head);
        reader = Peeked::new(Plainly::of(format, Box::new(reader), helpers)?);
        layers += 1;
    }
    let (head, length) = (reader.head.clone(), length.filter(|_| layers == 0));
    Ok((reader, Facts { head, layers, length, read, weight }))
}

/// Opens some bytes of a file as they are, and counts those that have been read.
pub(crate) fn part(
    file: &InputFile,
    bytes: Range<u64>,
    request_bytes: RequestBytes,
) -> io::Result<(Peeked, Arc<AtomicU64>)> {
    let raw: Box<dyn Read + Send> = if let Location::Path(path) = &file.location {
        let mut file = File::open(path)?;
        file.seek(SeekFrom::Start(bytes.start))?;
        Box::new(file.take(bytes.end.saturating_sub(bytes.start)))
    } else {
        let access = crate::random_access(file)?;
        let end = bytes.end.min(access.size());
        let capacity = usize::try_from(request_bytes.0).unwrap_or(usize::MAX);
        Box::new(BufReader::with_capacity(capacity, Stretch { access, at: bytes.start, end }))
    };
    let read = Arc::new(AtomicU64::new(0));
    Ok((Peeked::new(Plainly::File(Counted::new(raw, Arc::clone(&read)))), read))
}

/// Some bytes of a file, one behind the other.
struct Stretch {
    access: Arc<dyn RandomAccess>,
    at: u64,
    end: u64,
}

impl Read for Stretch {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let n = left.min(buffer.len());
        self.access.read_at(self.at, buffer.get_mut(..n).unwrap_or_default())?;
        self.at += n as u64;
        Ok(n)
    }
}

/// The bytes of a file as they are, and how many there are.
#[cfg_attr(not(feature = "remote"), expect(unused_variables, reason = "only objects are asked for"))]
fn raw(file: &InputFile, request_bytes: RequestBytes) -> io::Result<(Box<dyn Read + Send>, Option<u64>)> {
    match &file.location {
        Location::Path(path) => {
            let file = File::open(path)?;
            // One that is written faster than it is read would never end.
            let length = file.metadata()?.len();
            Ok((Box::new(file.take(length)), Some(length)))
        }
        Location::Stdin => Ok((Box::new(io::stdin()), None)),
        #[cfg(feature = "remote")]
        Location::Url(url) => crate::remote::read(url, &file.version, request_bytes),
        #[cfg(not(feature = "remote"))]
        Location::Url(_) => Err(no_remote()),
    }
}

#[cfg(not(feature = "remote"))]
pub(crate) fn no_remote() -> io::Error {
    let message = "this program was built without object stores and the web: `cargo build --release` builds all of tamis";
    io::Error::new(io::ErrorKind::Unsupported, message)
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
