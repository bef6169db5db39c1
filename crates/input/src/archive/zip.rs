//! Zip archives, read by their table of contents.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::CrcReader;
use flate2::read::DeflateDecoder;
use zip::result::ZipError;
use zip::{CompressionMethod as Method, ZipArchive};

use super::{Entry, Kind};
use crate::{RandomAccess, names};

/// How much is read at once, in bytes: little for a jump, more and more for reading on.
const MIN_WINDOW: usize = 64 * 1024;
const MAX_WINDOW: usize = 4 << 20;

/// A zip archive.
pub(super) struct Zip {
    archive: ZipArchive<Window>,
    /// The whole file.
    window: Window,
    read: Arc<AtomicU64>,
}

impl Zip {
    pub(super) fn open(access: Arc<dyn RandomAccess>) -> io::Result<Self> {
        let read = Arc::new(AtomicU64::new(0));
        let end = access.size();
        let window =
            Window { access, position: 0, end, start: 0, bytes: Vec::new(), read: Arc::clone(&read) };
        let archive = ZipArchive::new(window.clone()).map_err(|error| match error {
            ZipError::Io(error) => error,
            error => {
                let message = format!("the zip archive cannot be read: {}", lower(&error));
                io::Error::new(io::ErrorKind::InvalidData, message)
            }
        })?;
        if archive.has_duplicate_names() {
            // Of those only the last would be read.
            let message = "the zip archive has two files of one name: unpack it and name the folder";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(Self { archive, window, read })
    }

    pub(super) fn len(&self) -> u64 {
        self.archive.len() as u64
    }

    pub(super) fn progress(&self) -> u64 {
        self.read.swap(0, Ordering::Relaxed)
    }

    /// What the table of contents says of a member.
    pub(super) fn entry(&self, number: u64) -> Option<Entry> {
        let entry = self.archive.by_index_data(usize::try_from(number).ok()?).ok()?;
        let (kind, trouble) = if entry.is_dir() {
            (Kind::Folder, None)
        } else if entry.is_symlink() {
            (Kind::Special, Some("a symbolic link in an archive is not a file to read".to_owned()))
        } else if entry.encrypted() {
            (Kind::File, Some("it is encrypted: unpack the archive with its password".to_owned()))
        } else if !matches!(entry.compression(), Method::Stored | Method::Deflated | Method::Zstd) {
            let message = "its compression method is not known here: unpack the archive with another program";
            (Kind::File, Some(message.to_owned()))
        } else {
            (Kind::File, None)
        };
        Some(Entry { name: names::member_name(entry.name_raw()), kind, size: entry.size(), trouble })
    }

    /// The bytes of a member, or why they cannot be read.
    pub(super) fn reader(&mut self, number: u64) -> Result<Box<dyn Read + Send>, String> {
        let failed = |error: ZipError| format!("it cannot be unpacked: {}", lower(&error));
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        let entry = self.archive.by_index_raw(index).map_err(failed)?;
        let (method, size, crc) = (entry.compression(), entry.size(), entry.crc32());
        let packed = entry.compressed_size();
        let start = entry.data_start().ok_or("it cannot be unpacked: it is nowhere in the archive")?;
        drop(entry);
        let mut window = Window { position: start, start: 0, bytes: Vec::new(), ..self.window.clone() };
        window.end = start.saturating_add(packed).min(window.access.size());
        let reader: Box<dyn Read + Send> = match method {
            Method::Stored => Box::new(window),
            Method::Deflated => Box::new(DeflateDecoder::new(window)),
            Method::Zstd => {
                let decoder =
                    zstd::Decoder::new(window).map_err(|error| format!("it cannot be unpacked: {error}"))?;
                Box::new(decoder)
            }
            _ => return Err("its compression method is not known here".to_owned()),
        };
        // What the table of contents says of its length is only compared, never relied on.
        Ok(Box::new(Checked { reader: CrcReader::new(reader), size, crc }))
    }
}

/// The bytes of a member, of which length and check sum are known.
struct Checked<R> {
    reader: CrcReader<R>,
    size: u64,
    crc: u32,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.reader.read(buffer)?;
        let crc = self.reader.crc();
        if n == 0 && !buffer.is_empty() && (crc.sum() != self.crc || crc.amount() != self.size as u32) {
            let message = "the member of the zip archive is broken: it is not what its check sum says";
            return Err(io::Error::new(io::ErrorKind::InvalidData, message));
        }
        Ok(n)
    }
}

fn lower(error: &ZipError) -> String {
    error.to_string().to_lowercase()
}

/// A file that is read by pieces, wherever.
#[derive(Clone)]
struct Window {
    access: Arc<dyn RandomAccess>,
    position: u64,
    /// Where reading ends.
    end: u64,
    /// Where `bytes` begin.
    start: u64,
    bytes: Vec<u8>,
    read: Arc<AtomicU64>,
}

impl Window {
    fn fill(&mut self) -> io::Result<()> {
        let reads_on = self.position == self.start + self.bytes.len() as u64 && !self.bytes.is_empty();
        let wanted = if reads_on { (self.bytes.len() * 2).clamp(MIN_WINDOW, MAX_WINDOW) } else { MIN_WINDOW };
        let left = self.end.saturating_sub(self.position);
        let wanted = usize::try_from(left).unwrap_or(usize::MAX).min(wanted);
        self.start = self.position;
        self.bytes.resize(wanted, 0);
        let result = self.access.read_at(self.start, &mut self.bytes);
        if result.is_err() {
            self.bytes.clear();
        }
        self.read.fetch_add(self.bytes.len() as u64, Ordering::Relaxed);
        result
    }
}

impl Read for Window {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let within = |window: &Self| {
            let at = usize::try_from(window.position.checked_sub(window.start)?).ok()?;
            (at < window.bytes.len()).then_some(at)
        };
        if within(self).is_none() {
            self.fill()?;
        }
        let Some(at) = within(self) else { return Ok(0) };
        let n = self.bytes.get(at..).unwrap_or_default().read(buffer)?;
        self.position += n as u64;
        Ok(n)
    }
}

impl Seek for Window {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.end.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        let outside =
            || io::Error::new(io::ErrorKind::InvalidInput, "a place before the beginning of the file");
        self.position = position.ok_or_else(outside)?;
        Ok(self.position)
    }
}
