//! Archives: many files in one.

mod table;
mod tar;
mod unique;
mod window;
mod zip;

use std::io::{self, Read};
use std::sync::Arc;

use crate::decode::{Format, Inflater, retry};
use crate::{Input, RandomAccess};

/// How many bytes tell how a member is compressed.
const HEAD: usize = 32;

/// What a member of an archive is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A file, to be read.
    File,
    /// A folder, which holds nothing itself.
    Folder,
    /// A link, device or pipe: there is nothing to read, and [`Member::trouble`] says so.
    Special,
}

/// The members of an archive, in its order.
pub struct Members {
    inner: Inner,
    /// The number of the next member.
    number: u64,
    current: Current,
    /// The first bytes of the last member, and how many of them were read.
    head: Vec<u8>,
    at: usize,
    /// What happened behind them.
    error: Option<io::Error>,
    /// What decompresses the last member, if it is compressed by itself, such as `a.jsonl.gz` in a tar archive.
    inflater: Option<Inflater>,
    names: unique::Unique,
    has_failed: bool,
}

/// What is read of the last member.
enum Current {
    /// There is nothing to read.
    None,
    /// What comes next in the archive.
    Tar,
    /// What has been found in it.
    Zip(Box<dyn Read + Send>),
}

enum Inner {
    Tar(Box<tar::Tar>),
    Zip(Box<zip::Zip>),
}

impl Members {
    pub(crate) fn tar(input: Input) -> Self {
        Self::new(Inner::Tar(Box::new(tar::Tar::new(input))))
    }

    pub(crate) fn zip(access: Arc<dyn RandomAccess>) -> io::Result<Self> {
        zip::Zip::open(access).map(|zip| Self::new(Inner::Zip(Box::new(zip))))
    }

    fn new(inner: Inner) -> Self {
        Self {
            inner,
            number: 0,
            current: Current::None,
            head: Vec::new(),
            at: 0,
            error: None,
            inflater: None,
            names: unique::Unique::default(),
            has_failed: false,
        }
    }

    /// The next member, or `None` behind the last; from now on this reads its bytes. What was not read of the one
    /// before is passed over.
    ///
    /// # Errors
    ///
    /// When the archive itself breaks off or is broken: then there are no more members. What is wrong with one member is
    /// its [`Member::trouble`], or the error of reading its bytes, and the members behind it are read as if nothing
    /// were; of a tar archive only as far as what is wrong is not the archive's own stream.
    #[expect(
        clippy::should_implement_trait,
        reason = "what is read belongs to the last member, so this is no `Iterator`"
    )]
    pub fn next(&mut self) -> io::Result<Option<Member>> {
        self.pass(true)
    }

    /// The next member; it cannot be read if it is not `opened`, for which the head of each has to be looked up.
    fn pass(&mut self, opened: bool) -> io::Result<Option<Member>> {
        self.current = Current::None;
        self.inflater = None;
        self.head.clear();
        self.at = 0;
        self.error = None;
        if self.has_failed {
            return Ok(None);
        }
        let entry = match &mut self.inner {
            Inner::Tar(tar) => tar.next(),
            Inner::Zip(zip) => zip.next(),
        };
        let entry = entry.inspect_err(|_| self.has_failed = true)?;
        let Some(Entry { name: plain, kind, size, mut trouble }) = entry else { return Ok(None) };
        let number = self.number;
        self.number += 1;
        if opened && kind == Kind::File && trouble.is_none() {
            self.current = match &mut self.inner {
                Inner::Tar(_) => Current::Tar,
                Inner::Zip(zip) => match zip.reader() {
                    Ok(reader) => Current::Zip(reader),
                    Err(message) => {
                        trouble = Some(message);
                        Current::None
                    }
                },
            };
        }
        if !matches!(self.current, Current::None) {
            self.look()?;
        }
        // Nothing is called by the name of a folder alone.
        let is_named = kind != Kind::Folder;
        let name = if is_named { self.names.name(&plain, number).into() } else { Arc::clone(&plain) };
        Ok(Some(Member { number, name, plain, kind, size, trouble }))
    }

    /// Looks at the first bytes of a member, which tell whether it is compressed.
    fn look(&mut self) -> io::Result<()> {
        let mut head = vec![0; HEAD];
        let mut have = 0;
        while have < HEAD {
            match retry(|| self.raw(head.get_mut(have..).unwrap_or_default())) {
                Ok(0) => break,
                Ok(n) => have += n,
                Err(error) => {
                    self.error = Some(error);
                    break;
                }
            }
        }
        head.truncate(have);
        let codec = Format::of(&head).map(|format| format.codec(0)).transpose()?;
        self.inflater = codec.flatten().map(Inflater::new);
        self.head = head;
        Ok(())
    }

    /// Reads the bytes of the last member as they are in the archive.
    fn raw(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut head = self.head.get(self.at..).unwrap_or_default();
        if !head.is_empty() {
            let n = head.read(buffer)?;
            self.at += n;
            return Ok(n);
        }
        if let Some(error) = self.error.take() {
            return Err(error);
        }
        match (&mut self.current, &mut self.inner) {
            (Current::Tar, Inner::Tar(tar)) => tar.read(buffer),
            (Current::Zip(reader), _) => reader.read(buffer),
            _ => Ok(0),
        }
    }

    /// Passes over members, so that the next one is number `number`, counted from 0 with folders and specials.
    ///
    /// # Errors
    ///
    /// As [`Members::next`]; and when the archive has fewer members or the next one is beyond `number`.
    pub fn skip_to(&mut self, number: u64) -> io::Result<()> {
        let missing = |found: u64| {
            let message = format!("the archive has {found} members now, and {number} were read of it before");
            io::Error::new(io::ErrorKind::InvalidData, message)
        };
        while self.number < number {
            if self.pass(false)?.is_none() {
                return Err(missing(self.number));
            }
        }
        if self.number > number { Err(missing(self.number)) } else { Ok(()) }
    }

    /// How many members have been passed, folders and what cannot be read included.
    pub fn passed(&self) -> u64 {
        self.number
    }

    /// How many members the archive says it has, folders and specials among them, where it says so at all: a zip
    /// archive does, a tar archive does not. Once [`Members::next`] has given `None` it is the number that it gave.
    pub fn expected(&self) -> Option<u64> {
        match &self.inner {
            Inner::Tar(_) => None,
            Inner::Zip(zip) => Some(zip.expected()),
        }
    }

    /// Bytes of the file itself, before decompression, that have been read since the last call.
    pub fn progress(&self) -> u64 {
        match &self.inner {
            Inner::Tar(tar) => tar.progress(),
            Inner::Zip(zip) => zip.progress(),
        }
    }
}

/// What an archive says of a member.
struct Entry {
    name: Arc<str>,
    kind: Kind,
    size: u64,
    trouble: Option<String>,
}

/// One member of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Which it is, counted from 0.
    pub number: u64,
    /// What documents and messages call it: its plain name, or where another member may have had that before, the same
    /// with `~` and its number in front of the ending (`a~5.html`). No other member of the archive has it, and it is
    /// the same each time the archive is read.
    pub name: Arc<str>,
    /// Its name in the archive, made safe: relative, with `/`, never leading out. Several may have the same.
    pub plain: Arc<str>,
    /// What it is.
    pub kind: Kind,
    /// How many bytes it claims to have; not to be trusted.
    pub size: u64,
    /// Why it cannot be read, if so: it becomes a dead letter.
    pub trouble: Option<String>,
}

/// Reads the bytes of the last member, decompressed if it is compressed by itself; once, for what is packed twice is
/// rare, and comes out as what it is.
impl Read for Members {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(mut inflater) = self.inflater.take() else { return self.raw(buffer) };
        let read = inflater.read(|buffer| self.raw(buffer), buffer);
        self.inflater = Some(inflater);
        read
    }
}

/// Whether the first bytes of a stream are the header of a tar archive.
pub(crate) fn is_tar(head: &[u8]) -> bool {
    head.get(257..262) == Some(b"ustar") && head.first_chunk().is_some_and(tar::is_header)
}

/// Whether the first bytes of a file are those of a zip archive, and not of a document in the form of one.
pub(crate) fn is_zip(head: &[u8]) -> bool {
    if head.starts_with(b"PK\x05\x06") {
        return true;
    }
    let Some(header) = head.strip_prefix(b"PK\x03\x04") else { return false };
    // Behind the fixed part; its length does not matter, nor what follows it.
    let name = header.get(26..).unwrap_or_default();
    let of_documents: [&[u8]; 7] =
        [b"mimetype", b"[Content_Types].xml", b"_rels/", b"docProps/", b"word/", b"xl/", b"ppt/"];
    !of_documents.iter().any(|document| name.starts_with(document))
}

#[cfg(test)]
mod tests;
