//! Zip archives, read by their table of contents.

use std::cell::OnceCell;
use std::io::{self, Read};
use std::sync::Arc;

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::Encoding;
use flate2::CrcReader;
use flate2::read::DeflateDecoder;

use super::table::{self, Table};
use super::window::Window;
use super::{Entry, Kind};
use crate::{RandomAccess, names};

/// Methods of compression, as entries name them.
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
const ZSTD: u16 = 93;

/// What a mode of Unix says of the kind of a file, and that of a link.
const KIND: u32 = 0o17_0000;
const LINK: u32 = 0o12_0000;

/// The flag of an entry whose name is UTF-8.
const UTF_8: u16 = 1 << 11;

/// A zip archive.
pub(super) struct Zip {
    table: Table,
    /// What names are in that are not UTF-8, if that has been looked for and found.
    names: OnceCell<Option<&'static Encoding>>,
    /// The whole file.
    window: Window,
    /// What is known of the member that is next to be read.
    current: Option<table::Entry>,
}

impl Zip {
    pub(super) fn open(access: Arc<dyn RandomAccess>) -> io::Result<Self> {
        let window = Window::new(access);
        Ok(Self { table: Table::find(&window)?, names: OnceCell::new(), window, current: None })
    }

    /// How many members there are.
    pub(super) fn expected(&self) -> u64 {
        self.table.expected
    }

    pub(super) fn progress(&self) -> u64 {
        self.window.progress()
    }

    /// What the table of contents says of the next member.
    pub(super) fn next(&mut self) -> io::Result<Option<Entry>> {
        let Some(entry) = self.table.next()? else { return Ok(None) };
        let (kind, trouble) = if entry.name.ends_with(b"/") {
            (Kind::Folder, None)
        } else if entry.mode.is_some_and(|mode| mode & KIND == LINK) {
            (Kind::Special, Some("a symbolic link in an archive is not a file to read".to_owned()))
        } else if entry.flags & 1 != 0 {
            (Kind::File, Some("it is encrypted: unpack the archive with its password".to_owned()))
        } else if !matches!(entry.method, STORED | DEFLATED | ZSTD) {
            let message = "its compression method is not known here: unpack the archive with another program";
            (Kind::File, Some(message.to_owned()))
        } else {
            (Kind::File, None)
        };
        let (name, size) = (self.name(&entry), entry.size);
        self.current = Some(entry);
        Ok(Some(Entry { name, kind, size, trouble }))
    }

    /// The name of a member: UTF-8, or what programs of other days and places wrote, of which nothing in the archive
    /// tells.
    fn name(&self, entry: &table::Entry) -> Arc<str> {
        if std::str::from_utf8(&entry.name).is_ok() || entry.flags & UTF_8 != 0 {
            return names::member_name(&entry.name);
        }
        let encoding = *self.names.get_or_init(|| encoding_of_names(&self.window));
        let decoded = encoding
            .and_then(|encoding| encoding.decode_without_bom_handling_and_without_replacement(&entry.name));
        decoded.map_or_else(|| names::member_name(&entry.name), |name| names::member_name(name.as_bytes()))
    }

    /// The bytes of the member that was told last, or why they cannot be read.
    pub(super) fn reader(&mut self) -> Result<Box<dyn Read + Send>, String> {
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::UnexpectedEof => {
                "it cannot be unpacked: it lies behind the end of the archive".to_owned()
            }
            _ => format!("it cannot be unpacked: {error}"),
        };
        let Some(entry) = self.current.take() else { return Err("it cannot be unpacked".to_owned()) };
        let window = table::data(&self.window, &entry).map_err(failed)?;
        let reader: Box<dyn Read + Send> = match entry.method {
            STORED => Box::new(window),
            DEFLATED => Box::new(DeflateDecoder::new(window)),
            ZSTD => Box::new(zstd::Decoder::new(window).map_err(failed)?),
            _ => return Err("its compression method is not known here".to_owned()),
        };
        // What the table of contents says of its length is only compared, never relied on.
        Ok(Box::new(Checked { reader: CrcReader::new(reader), size: entry.size, crc: entry.crc }))
    }
}

/// The Chinese, Japanese or Korean encoding that the names of an archive are in, if they seem to be in one.
///
/// A name is short, so they are looked at together, from the first on, whichever member is read. In other encodings
/// every byte is a letter: a wrong one would not be noticed, so those names stay what they are, with their bytes
/// escaped.
fn encoding_of_names(window: &Window) -> Option<&'static Encoding> {
    /// Enough to tell.
    const MAX_BYTES: usize = 64 * 1024;
    const KNOWN: [&Encoding; 6] = [
        encoding_rs::GBK,
        encoding_rs::GB18030,
        encoding_rs::BIG5,
        encoding_rs::SHIFT_JIS,
        encoding_rs::EUC_JP,
        encoding_rs::EUC_KR,
    ];
    let mut table = Table::find(window).ok()?;
    let mut names: Vec<u8> = Vec::new();
    while let Ok(Some(entry)) = table.next()
        && names.len() < MAX_BYTES
    {
        // Parts of paths come again and again.
        let part = entry.name.rsplit(|byte| *byte == b'/').find(|part| !part.is_empty()).unwrap_or_default();
        if std::str::from_utf8(part).is_err() && entry.flags & UTF_8 == 0 {
            names.extend_from_slice(part);
            names.push(b'\n');
        }
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Deny);
    detector.feed(&names, true);
    let guessed = detector.guess(None, Utf8Detection::Deny);
    let is_whole = guessed.decode_without_bom_handling_and_without_replacement(&names).is_some();
    (is_whole && KNOWN.contains(&guessed)).then_some(guessed)
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
