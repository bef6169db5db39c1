//! Decompressors, fed piece by piece and bounded in memory.
//!
//! A [`Codec`] takes compressed bytes and gives plain ones, member after member (gzip), frame after frame (zstd),
//! stream after stream (xz, bzip2): all that a file holds, since a reader of one would end, without an error, at the
//! first of the many of a WARC file. [`Decoded`] reads a whole stream through one.
//!
//! Messages name where the broken member begins and where a file ends, not where a decompressor noticed: that
//! depends on how much it was given at once, and a message must not.

mod bzip2;
mod gzip;
mod lz4;
mod walk;
mod whole;
mod xz;
mod zstd;

use std::fmt;
use std::io::{self, Read};

use thiserror::Error;

pub(crate) use walk::Walk;
pub(crate) use whole::{Plain, Whole};

/// How much a decompressor is given at once, in bytes.
const BUFFER: usize = 64 * 1024;

/// A format of compressed data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Gzip,
    Zstd,
    Xz,
    Bzip2,
    Lz4,
}

impl Format {
    /// The format that a file has, told from its first bytes.
    pub(crate) fn of(head: &[u8]) -> Option<Self> {
        let (is_bzip2, rest) = match head.split_at_checked(4) {
            Some(([b'B', b'Z', b'h', b'1'..=b'9'], rest)) => (true, rest),
            _ => (false, head),
        };
        // A block, or the end of what holds none.
        let begins_bzip2 = |mark: &[u8]| is_bzip2 && rest.starts_with(mark);
        if begins_bzip2(b"1AY&SY") || begins_bzip2(b"\x17\x72\x45\x38\x50\x90") {
            return Some(Self::Bzip2);
        }
        let marks: [(&[u8], Self); 4] = [
            (b"\x1F\x8B\x08", Self::Gzip),
            (b"\x28\xB5\x2F\xFD", Self::Zstd),
            (b"\xFD7zXZ\0", Self::Xz),
            (b"\x04\x22\x4D\x18", Self::Lz4),
        ];
        if let Some((_, format)) = marks.iter().find(|(mark, _)| head.starts_with(mark)) {
            return Some(*format);
        }
        // Frames to be skipped, as parallel compressors write them; what counts is what follows.
        let [0x50..=0x5F, 0x2A, 0x4D, 0x18, size @ ..] = head else { return None };
        let (size, rest) = size.split_first_chunk()?;
        let next = rest.get(usize::try_from(u32::from_le_bytes(*size)).ok()?..)?;
        (Self::of(next) == Some(Self::Zstd)).then_some(Self::Zstd)
    }

    /// A decompressor of this format; `None` for LZ4, which has its own reader.
    pub(crate) fn codec(self, offset: u64) -> io::Result<Option<Codec>> {
        let member: Box<dyn Member> = match self {
            Self::Gzip => Box::new(gzip::GzipMember::new()),
            Self::Zstd => Box::new(zstd::ZstdFrame::new()?),
            Self::Xz => Box::new(xz::XzStream::new()?),
            Self::Bzip2 => Box::new(bzip2::Bzip2Stream::new()),
            Self::Lz4 => return Ok(None),
        };
        Ok(Some(Codec::new(self, member, offset)))
    }

    /// A decompressor for work that can be done again by one of [`Format::codec`]: faster, smaller, less exact.
    pub(crate) fn hasty_codec(self, offset: u64) -> io::Result<Option<Codec>> {
        match self {
            Self::Zstd => Ok(Some(Codec::new(self, Box::new(zstd::ZstdFrame::hasty()?), offset))),
            _ => self.codec(offset),
        }
    }

    /// How much memory a decompressor takes for a file with these first bytes, in bytes, roughly.
    pub(crate) fn weight(self, head: &[u8]) -> u64 {
        match self {
            // Two pieces of the file, and what comes out of one.
            Self::Gzip => 6 << 20,
            Self::Zstd => (6 << 20) + zstd::window(head).unwrap_or(8 << 20),
            Self::Xz => (1 << 20) + xz::dictionary(head).unwrap_or(64 << 20),
            Self::Bzip2 => 4 << 20,
            // Two blocks of the largest size.
            Self::Lz4 => 9 << 20,
        }
    }

    /// Whether members may be inflated in one go: [`Whole`] knows the format.
    pub(crate) fn has_whole_members(self) -> bool {
        self == Self::Gzip
    }

    /// Reads what is in a compressed stream, one part after the other.
    pub(crate) fn decoded(self, reader: Box<dyn Read + Send>) -> io::Result<Box<dyn Read + Send>> {
        Ok(match self.codec(0)? {
            Some(codec) => Box::new(Decoded::new(reader, codec)),
            None => Box::new(lz4::Lz4Reader::new(reader)),
        })
    }

    /// What one of the parts is called that a file may have many of.
    fn part(self) -> &'static str {
        match self {
            Self::Gzip => "member",
            Self::Zstd | Self::Lz4 => "frame",
            Self::Xz | Self::Bzip2 => "stream",
        }
    }

    /// Whether zeros may follow a part, as tapes and block devices have them.
    fn may_be_padded(self) -> bool {
        matches!(self, Self::Gzip | Self::Xz | Self::Bzip2)
    }

    fn is_foreign(self, at: u64) -> io::Error {
        let message = format!(
            "the {self} data ends at byte {at} of the compressed file, and what follows is no {self} data"
        );
        BrokenAt { at, message }.error(io::ErrorKind::InvalidData)
    }

    fn is_damaged(self, at: u64, reason: &str) -> io::Error {
        let part = self.part();
        let message =
            format!("the {self} {part} that begins at byte {at} of the compressed file is damaged: {reason}");
        BrokenAt { at, message }.error(io::ErrorKind::InvalidData)
    }

    fn needs_too_much(self, at: u64, reason: &str) -> io::Error {
        let part = self.part();
        let message = format!("the {self} {part} that begins at byte {at} of the compressed file {reason}");
        BrokenAt { at, message }.error(io::ErrorKind::InvalidData)
    }

    fn breaks_off(self, at: u64, end: u64) -> io::Error {
        let part = self.part();
        let message = format!(
            "the compressed file breaks off at byte {end}, inside the {self} {part} that begins at byte {at}"
        );
        BrokenAt { at, message }.error(io::ErrorKind::UnexpectedEof)
    }
}

/// Where compressed data cannot be read on, and why.
#[derive(Debug, Error)]
#[error("{message}")]
struct BrokenAt {
    at: u64,
    message: String,
}

impl BrokenAt {
    fn error(self, kind: io::ErrorKind) -> io::Error {
        io::Error::new(kind, self)
    }
}

/// How many bytes of a compressed file lie before the part that an error is about, if it is about one.
///
/// More than these may have been read ahead, but nothing came of it.
pub fn broken_at(error: &io::Error) -> Option<u64> {
    error.get_ref()?.downcast_ref::<BrokenAt>().map(|broken| broken.at)
}

impl fmt::Display for Format {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
            Self::Xz => "xz",
            Self::Bzip2 => "bzip2",
            Self::Lz4 => "lz4",
        })
    }
}

/// What can be wrong with compressed data.
#[derive(Debug, Clone)]
pub(crate) enum Broken {
    /// It does not begin as data of the format does.
    Foreign,
    /// It says what cannot be.
    Damaged(String),
    /// It takes more memory than it is given; what it does, and the way out.
    TooMuch(String),
}

/// What one step of a decompressor did.
pub(crate) struct Step {
    consumed: usize,
    produced: usize,
    /// Whether the member has ended.
    ended: Result<bool, Broken>,
}

/// A decompressor of one member, frame or stream after the other.
trait Member: Send {
    /// Prepares for a new one.
    fn restart(&mut self) -> io::Result<()>;

    fn step(&mut self, input: &[u8], output: &mut [u8]) -> Step;
}

/// A decompressor of all that a file holds.
pub(crate) struct Codec {
    format: Format,
    member: Box<dyn Member>,
    /// How many bytes of the file it was given.
    offset: u64,
    /// Where the member begins that it is in, or the last one began.
    began: u64,
    is_inside: bool,
    /// What is wrong, told again and again once all that came before has been given out.
    broken: Option<Broken>,
}

/// What a codec did.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ran {
    pub(crate) consumed: usize,
    pub(crate) produced: usize,
}

impl Codec {
    fn new(format: Format, member: Box<dyn Member>, offset: u64) -> Self {
        Self { format, member, offset, began: offset, is_inside: false, broken: None }
    }

    /// Decompresses some of the input; does nothing only if it needs more input.
    pub(crate) fn run(&mut self, input: &[u8], output: &mut [u8]) -> io::Result<Ran> {
        if let Some(broken) = &self.broken {
            return Err(self.error(broken));
        }
        if !self.is_inside {
            if self.offset > 0 && self.format.may_be_padded() && input.first() == Some(&0) {
                let consumed = input.iter().take_while(|byte| **byte == 0).count();
                self.offset += consumed as u64;
                return Ok(Ran { consumed, produced: 0 });
            }
            if input.is_empty() {
                return Ok(Ran { consumed: 0, produced: 0 });
            }
            self.member.restart()?;
            (self.is_inside, self.began) = (true, self.offset);
        }
        let Step { consumed, produced, ended } = self.member.step(input, output);
        self.offset += consumed as u64;
        match ended {
            Ok(has_ended) => self.is_inside = !has_ended,
            Err(broken) => {
                let error = self.error(&broken);
                self.broken = Some(broken);
                if produced == 0 {
                    return Err(error);
                }
            }
        }
        Ok(Ran { consumed, produced })
    }

    /// Whether it is at the end of a member, so that a file may end here.
    pub(crate) fn is_between(&self) -> bool {
        !self.is_inside
    }

    /// What is wrong with a file that ends here, if anything.
    pub(crate) fn check_end(&self) -> io::Result<()> {
        if self.is_inside { Err(self.format.breaks_off(self.began, self.offset)) } else { Ok(()) }
    }

    fn error(&self, broken: &Broken) -> io::Error {
        match broken {
            Broken::Foreign => self.format.is_foreign(self.began),
            Broken::Damaged(reason) => self.format.is_damaged(self.began, reason),
            Broken::TooMuch(reason) => self.format.needs_too_much(self.began, reason),
        }
    }
}

/// A codec with what it was given and has not taken yet, for whoever has the reader only from time to time.
pub(crate) struct Inflater {
    codec: Codec,
    buffer: Box<[u8]>,
    /// What of the buffer has not been decompressed.
    begin: usize,
    end: usize,
}

impl Inflater {
    pub(crate) fn new(codec: Codec) -> Self {
        Self { codec, buffer: vec![0; BUFFER].into(), begin: 0, end: 0 }
    }

    /// Decompresses some of what `reader` gives; 0 at its end.
    pub(crate) fn read(
        &mut self,
        mut reader: impl FnMut(&mut [u8]) -> io::Result<usize>,
        output: &mut [u8],
    ) -> io::Result<usize> {
        if output.is_empty() {
            return Ok(0);
        }
        loop {
            let input = self.buffer.get(self.begin..self.end).unwrap_or_default();
            let ran = self.codec.run(input, output)?;
            self.begin += ran.consumed;
            if ran.produced > 0 {
                return Ok(ran.produced);
            }
            if ran.consumed > 0 {
                continue;
            }
            if self.begin < self.end {
                return Err(no_progress());
            }
            (self.begin, self.end) = (0, 0);
            self.end = retry(|| reader(&mut self.buffer))?;
            if self.end == 0 {
                return self.codec.check_end().map(|()| 0);
            }
        }
    }
}

/// A compressed stream, decompressed.
pub(crate) struct Decoded<R> {
    reader: R,
    inflater: Inflater,
}

impl<R: Read> Decoded<R> {
    fn new(reader: R, codec: Codec) -> Self {
        Self { reader, inflater: Inflater::new(codec) }
    }
}

impl<R: Read> Read for Decoded<R> {
    fn read(&mut self, output: &mut [u8]) -> io::Result<usize> {
        self.inflater.read(|buffer| self.reader.read(buffer), output)
    }
}

/// A decompressor that neither takes nor gives would be asked for ever.
pub(crate) fn no_progress() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the compressed data cannot be decompressed any further")
}

/// Reads, again when a signal interrupts it.
pub(crate) fn retry(mut read: impl FnMut() -> io::Result<usize>) -> io::Result<usize> {
    loop {
        match read() {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

#[cfg(test)]
pub(crate) mod tests;
