//! Compressed files: recognised by what is in them, not by their names, because scraped names lie.

use std::fs::File;
use std::io::{self, Chain, Cursor, Read, Take};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::read::MultiGzDecoder;

const GZIP: &[u8] = &[0x1F, 0x8B, 0x08];
const ZSTD: &[u8] = &[0x28, 0xB5, 0x2F, 0xFD];
/// The first bytes of the longest mark.
const HEAD: u64 = 4;

/// The endings that compressed files have beside that of their format.
const ENDINGS: [&str; 5] = [".gz", ".gzip", ".zst", ".zstd", ".bgz"];

/// A file as long as it is when it is opened, decompressed if it is compressed, and how many of its own bytes have been read.
pub(crate) struct Input {
    reader: Box<dyn Read + Send>,
    read: Arc<AtomicU64>,
    /// The length of a file that is not compressed.
    length: Option<u64>,
}

impl Input {
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let read = Arc::new(AtomicU64::new(0));
        let file = File::open(path)?;
        // One that is written faster than it is read would never end.
        let length = file.metadata()?.len();
        let mut file = Counted { file: file.take(length), read: Arc::clone(&read) };
        let mut head = Vec::new();
        (&mut file).take(HEAD).read_to_end(&mut head)?;
        let is = |mark: &[u8]| head.starts_with(mark);
        let (gzip, zstd) = (is(GZIP), is(ZSTD));
        let whole: Chain<Cursor<Vec<u8>>, Counted> = Cursor::new(head).chain(file);
        let reader: Box<dyn Read + Send> = if gzip {
            // A reader of one member would end, without an error, at the first of the many of a WARC file.
            Box::new(MultiGzDecoder::new(whole))
        } else if zstd {
            // Reads all frames one after the other, as our own exports have them.
            Box::new(zstd::stream::read::Decoder::new(whole)?)
        } else {
            Box::new(whole)
        };
        Ok(Self { reader, read, length: (!gzip && !zstd).then_some(length) })
    }

    /// How many bytes it will give in all, if that is known before it has been decompressed.
    pub(crate) fn length(&self) -> Option<u64> {
        self.length
    }

    /// Bytes of the file itself that have been read since the last call.
    pub(crate) fn progress(&self) -> u64 {
        self.read.swap(0, Ordering::Relaxed)
    }
}

impl Read for Input {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

/// Counts what is read of a file.
struct Counted {
    file: Take<File>,
    read: Arc<AtomicU64>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buffer)?;
        self.read.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

/// A file name without the ending that says how it is compressed, as readers judge files by it.
pub(crate) fn plain_name(name: &str) -> &str {
    ENDINGS.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}
