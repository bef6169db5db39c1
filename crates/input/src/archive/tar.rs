//! Tar archives, read as a stream.
//!
//! The crate `tar` knows what is in a header; the way from one to the next is here, because long names and extended
//! headers are held in memory and their length is whatever the archive claims.

use std::io::{self, Read};
use std::sync::Arc;

use tar::{EntryType, Header};

use super::{Entry, Kind};
use crate::decode::retry;
use crate::{Input, names};

/// The unit of an archive, in bytes.
const BLOCK: usize = 512;

/// How long a long name or extended header may be, in bytes.
const MAX_EXTENSION: u64 = 1 << 20;

/// A tar archive.
pub(super) struct Tar {
    input: Input,
    /// Where the archive was read to, in bytes before its own compression.
    offset: u64,
    /// What is left of the member.
    left: u64,
    /// What lies between the member and the next header.
    padding: u64,
    /// Of the member that is read.
    name: Arc<str>,
}

/// What extended headers say of the member that follows.
#[derive(Default)]
struct Extended {
    name: Option<Vec<u8>>,
    size: Option<u64>,
    is_sparse: bool,
    is_broken: bool,
}

impl Tar {
    pub(super) fn new(input: Input) -> Self {
        Self { input, offset: 0, left: 0, padding: 0, name: "".into() }
    }

    pub(super) fn progress(&self) -> u64 {
        self.input.progress()
    }

    pub(super) fn next(&mut self) -> io::Result<Option<Entry>> {
        let mut extended = Extended::default();
        loop {
            self.pass_over()?;
            let Some(header) = self.header()? else { return Ok(None) };
            let size = header.entry_size().map_err(|_| self.is_broken("has a size that is no number"))?;
            let kind = header.entry_type();
            match kind {
                EntryType::GNULongName => {
                    let mut name = self.extension(size)?;
                    name.truncate(name.iter().position(|byte| *byte == 0).unwrap_or(name.len()));
                    extended.name = Some(name);
                }
                EntryType::XHeader => {
                    let records = self.extension(size)?;
                    extended.is_broken |= extended.read(&records).is_none();
                }
                EntryType::GNULongLink | EntryType::XGlobalHeader => self.begin(size),
                _ => return self.member(&header, kind, size, extended).map(Some),
            }
        }
    }

    fn member(
        &mut self,
        header: &Header,
        kind: EntryType,
        size: u64,
        extended: Extended,
    ) -> io::Result<Entry> {
        let bytes = extended.name.unwrap_or_else(|| header.path_bytes().into_owned());
        // A hard link has the size of what it leads to, and no bytes.
        let size = if kind == EntryType::Link { 0 } else { extended.size.unwrap_or(size) };
        if kind == EntryType::GNUSparse && header.as_gnu().is_some_and(tar::GnuHeader::is_extended) {
            self.pass_over_map()?;
        }
        let is_sparse = kind == EntryType::GNUSparse || extended.is_sparse;
        let is_old_folder = kind == EntryType::Regular && bytes.ends_with(b"/");
        let (kind, trouble) = match kind {
            _ if is_sparse => {
                (Kind::File, Some("it is a sparse file: pack it without `--sparse`".to_owned()))
            }
            _ if extended.is_broken => (Kind::File, Some("its extended header cannot be read".to_owned())),
            _ if is_old_folder => (Kind::Folder, None),
            EntryType::Regular | EntryType::Continuous => (Kind::File, None),
            EntryType::Directory => (Kind::Folder, None),
            other => (Kind::Special, Some(format!("{} in an archive is not a file to read", special(other)))),
        };
        self.name = names::member_name(&bytes);
        self.begin(size);
        Ok(Entry { name: Arc::clone(&self.name), kind, size, trouble })
    }

    /// The next header; `None` at the end.
    ///
    /// Blocks of zeros are passed over, not taken for the end: archives are joined by writing one behind the other.
    fn header(&mut self) -> io::Result<Option<Header>> {
        let mut header = Header::new_old();
        loop {
            let block = header.as_mut_bytes();
            match self.fill(block)? {
                0 => return Ok(None),
                BLOCK => {}
                _ => return Err(self.breaks_off()),
            }
            if block.iter().any(|byte| *byte != 0) {
                break;
            }
        }
        if is_header(header.as_bytes()) {
            return Ok(Some(header));
        }
        self.offset -= BLOCK as u64;
        Err(self.is_broken("has something that is no header"))
    }

    /// What a member holds that says something of the next one.
    fn extension(&mut self, size: u64) -> io::Result<Vec<u8>> {
        if size > MAX_EXTENSION {
            return Err(self.is_broken(&format!(
                "has a name or header of {size} bytes, more than the {MAX_EXTENSION} bytes that are read"
            )));
        }
        self.begin(size);
        let mut bytes = Vec::new();
        self.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Begins the bytes of a member.
    fn begin(&mut self, size: u64) {
        self.left = size;
        self.padding = size.wrapping_neg() % BLOCK as u64;
    }

    /// Passes over what is left of the member.
    fn pass_over(&mut self) -> io::Result<()> {
        let mut buffer = [0; 16 * 1024];
        while retry(|| self.read(&mut buffer))? > 0 {}
        let padding = std::mem::take(&mut self.padding) as usize;
        // A last member without its padding is whole.
        self.fill(buffer.get_mut(..padding).unwrap_or_default())?;
        Ok(())
    }

    /// Passes over the rest of the map of a sparse file, which comes in blocks of its own.
    fn pass_over_map(&mut self) -> io::Result<()> {
        let mut block = [0; BLOCK];
        loop {
            if self.fill(&mut block)? < BLOCK {
                return Err(self.breaks_off());
            }
            if block[504] == 0 {
                return Ok(());
            }
        }
    }

    /// Fills the buffer, as far as there is something.
    fn fill(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut have = 0;
        while let Some(rest @ [_, ..]) = buffer.get_mut(have..) {
            match retry(|| self.input.read(rest))? {
                0 => break,
                n => have += n,
            }
        }
        self.offset += have as u64;
        Ok(have)
    }

    fn breaks_off(&self) -> io::Error {
        let message = match &*self.name {
            "" => format!("the tar archive breaks off at byte {}", self.offset),
            name => format!("the tar archive breaks off at byte {}, in or behind `{name}`", self.offset),
        };
        io::Error::new(io::ErrorKind::UnexpectedEof, message)
    }

    fn is_broken(&self, how: &str) -> io::Error {
        let message = format!("the tar archive {how}, at byte {}", self.offset);
        io::Error::new(io::ErrorKind::InvalidData, message)
    }
}

/// The bytes of the member.
impl Read for Tar {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX).min(buffer.len());
        let Some(buffer @ [_, ..]) = buffer.get_mut(..wanted) else { return Ok(0) };
        let n = self.input.read(buffer)?;
        if n == 0 {
            return Err(self.breaks_off());
        }
        self.left -= n as u64;
        self.offset += n as u64;
        Ok(n)
    }
}

impl Extended {
    /// Reads the records of an extended header: `<length> <key>=<value>\n`.
    fn read(&mut self, mut records: &[u8]) -> Option<()> {
        while !records.is_empty() {
            let space = records.iter().position(|byte| *byte == b' ')?;
            let length: usize = std::str::from_utf8(records.get(..space)?).ok()?.parse().ok()?;
            let record = records.get(space + 1..length)?.strip_suffix(b"\n")?;
            let equals = record.iter().position(|byte| *byte == b'=')?;
            let (key, value) = (record.get(..equals)?, record.get(equals + 1..)?);
            match key {
                b"path" | b"GNU.sparse.name" => self.name = Some(value.to_owned()),
                b"size" => self.size = Some(std::str::from_utf8(value).ok()?.parse().ok()?),
                key if key.starts_with(b"GNU.sparse.") => self.is_sparse = true,
                _ => {}
            }
            records = records.get(length..)?;
        }
        Some(())
    }
}

/// Whether a block has the checksum that it names.
pub(super) fn is_header(block: &[u8; BLOCK]) -> bool {
    let header = Header::from_byte_slice(block);
    let sum = |bytes: &[u8]| bytes.iter().map(|byte| u32::from(*byte)).sum::<u32>();
    let (before, after) = (block.get(..148).unwrap_or_default(), block.get(156..).unwrap_or_default());
    // The checksum itself counts as spaces.
    header.cksum().is_ok_and(|named| named == sum(before) + sum(after) + 8 * 32)
}

fn special(kind: EntryType) -> String {
    match kind {
        EntryType::Link => "a link".to_owned(),
        EntryType::Symlink => "a symbolic link".to_owned(),
        EntryType::Char | EntryType::Block => "a device".to_owned(),
        EntryType::Fifo => "a named pipe".to_owned(),
        other => format!("a member of type `{}`", other.as_byte().escape_ascii()),
    }
}
