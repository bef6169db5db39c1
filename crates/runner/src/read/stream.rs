//! A file that is being read, and what of it has not been cut off yet.

use std::io::{self, Read};
use std::ops::Range;
use std::sync::Arc;

use tamis_input::{Content, Helpers, Input, Kind, Members, OpenOptions, ReadAhead, RequestBytes};
use tamis_stage::Block;

use crate::error::RunError;
use crate::read::inputs::{InputFile, Inputs};
use crate::read::unpack::{Anywhere, Unpacked, Unpacker};

/// The share of the memory of a run that inflated files may wait in for their turn: a quarter.
const AHEAD_SHARE: u64 = 4;

/// How files are opened.
pub(crate) struct Opener {
    options: OpenOptions,
    unpacker: Unpacker,
}

impl Opener {
    /// Opens files for a run with so much memory, in bytes.
    pub(crate) fn new(helpers: Arc<dyn Helpers>, unpacker: Unpacker, memory: u64) -> Self {
        let request_bytes = RequestBytes::within(memory);
        let read_ahead = ReadAhead::new(Arc::clone(&helpers), memory / AHEAD_SHARE, request_bytes);
        let options = OpenOptions { helpers: Some(helpers), read_ahead: Some(read_ahead), request_bytes };
        Self::with(options, unpacker)
    }

    pub(crate) fn with(options: OpenOptions, unpacker: Unpacker) -> Self {
        Self { options, unpacker }
    }

    /// Says which files are opened next, so that compressed ones are inflated while others are read.
    pub(crate) fn announce(&self, inputs: &Inputs, upcoming: impl Iterator<Item = usize>) {
        if let Some(ahead) = &self.options.read_ahead {
            ahead.announce(upcoming, |index| inputs.get(index).listed());
        }
    }
}

/// A file that is being read, with a window on it that grows as far as it is asked to; of an archive, one member
/// after the other.
pub(crate) struct Stream {
    source: Source,
    buffer: Vec<u8>,
    /// Where `buffer` begins in the file or member.
    offset: u64,
    /// The ordinal of the record that begins there.
    pub(crate) ordinal: u64,
    at_end: bool,
    /// Bytes of the file itself, before decompression, that have been read.
    n_read: u64,
    /// Bytes that were passed over without reading them, and were not told as progress yet.
    passed: u64,
}

enum Source {
    File(Input),
    Archive { members: Members, member: Member },
}

/// The member of an archive that is read.
struct Member {
    number: u64,
    name: Arc<str>,
    /// What the archive calls it; another may have the same.
    plain: Arc<str>,
    trouble: Option<String>,
}

/// Why a file cannot be read anywhere.
pub(crate) enum NoAccess {
    /// Something is wrong with the file, or with the member of an archive, which can be gone on with.
    File(io::Error, Option<Box<Stream>>),
    /// The run cannot go on.
    Run(RunError),
}

impl Stream {
    /// Opens a file; of an archive, the member with this number or the first file behind it.
    pub(crate) fn open(file: &InputFile, opener: &Opener, member: u64) -> io::Result<Option<Self>> {
        let source = match tamis_input::open(file, &opener.options)? {
            Content::Stream(input) => Source::File(input),
            Content::Archive(mut members) => {
                members.skip_to(member)?;
                let nobody = Member { number: 0, name: Arc::from(""), plain: Arc::from(""), trouble: None };
                Source::Archive { members, member: nobody }
            }
        };
        let mut stream =
            Self { source, buffer: Vec::new(), offset: 0, ordinal: 0, at_end: false, n_read: 0, passed: 0 };
        let is_there = stream.is_file() || stream.next_member()?;
        Ok(is_there.then_some(stream))
    }

    /// Whether it is no archive.
    pub(crate) fn is_file(&self) -> bool {
        matches!(self.source, Source::File(_))
    }

    /// What documents and messages call what is read, which `file` is, or is packed in.
    pub(crate) fn name(&self, file: &Arc<str>) -> Arc<str> {
        match &self.source {
            Source::File(_) => Arc::clone(file),
            Source::Archive { member, .. } => Arc::from(format!("{file}/{}", member.name)),
        }
    }

    /// The name by which its format may be told.
    pub(crate) fn plain_name<'a>(&'a self, file: &'a Arc<str>) -> &'a Arc<str> {
        match &self.source {
            Source::File(_) => file,
            Source::Archive { member, .. } => &member.plain,
        }
    }

    /// Why it cannot be read, if that is known already.
    pub(crate) fn trouble(&self) -> Option<String> {
        match &self.source {
            Source::File(_) => None,
            Source::Archive { member, .. } => member.trouble.clone(),
        }
    }

    /// The number of the member of an archive.
    pub(crate) fn member(&self) -> u64 {
        match &self.source {
            Source::File(_) => 0,
            Source::Archive { member, .. } => member.number,
        }
    }

    /// Goes on with the next file in an archive, if there is one.
    pub(crate) fn next_member(&mut self) -> io::Result<bool> {
        let Source::Archive { members, member } = &mut self.source else { return Ok(false) };
        self.buffer.clear();
        (self.offset, self.ordinal, self.at_end) = (0, 0, false);
        loop {
            let Some(next) = members.next()? else { return Ok(false) };
            if next.kind != Kind::Folder {
                let tamis_input::Member { number, name, plain, trouble, .. } = next;
                *member = Member { number, name, plain, trouble };
                return Ok(true);
            }
        }
    }

    /// The bytes of the file, readable anywhere, and the archive that it is a member of.
    ///
    /// What is packed in something else is unpacked first.
    pub(crate) fn random_access(
        mut self,
        file: &InputFile,
        opener: &Opener,
    ) -> Result<(Unpacked, Option<Box<Self>>), NoAccess> {
        if let Source::File(input) = &self.source
            && (input.length().is_some() || !file.is_local())
            && file.location != tamis_input::Location::Stdin
        {
            let access = tamis_input::random_access(file).map_err(|error| NoAccess::File(error, None))?;
            return Ok((Unpacked { bytes: Arc::new(Anywhere(access)), held: 0, is_on_disk: false }, None));
        }
        let start = std::mem::take(&mut self.buffer);
        let unpacked = if self.at_end {
            Ok(Ok(Unpacked::held(start)))
        } else {
            opener.unpacker.to_disk(&start, &mut self.source)
        };
        let archive = (!self.is_file()).then(|| Box::new(self));
        match unpacked {
            Ok(Ok(unpacked)) => Ok((unpacked, archive)),
            Ok(Err(damage)) => Err(NoAccess::File(damage, archive)),
            Err(error) => Err(NoAccess::Run(error)),
        }
    }

    /// The window.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.buffer
    }

    /// The window, as a reader is shown it, or its first `wanted` bytes; `file` is what messages call the file.
    ///
    /// Where blocks end must not depend on how much happens to lie in the window: a run that goes on where
    /// another stopped has read less ahead.
    pub(crate) fn window<'a>(&'a self, file: &'a str, wanted: usize) -> Block<'a> {
        let bytes = self.buffer.get(..wanted).unwrap_or(&self.buffer);
        Block { file, head: &[], bytes, offset: self.offset, first_ordinal: self.ordinal }
    }

    /// Whether the file ends within the first `wanted` bytes of the window.
    pub(crate) fn ends_within(&self, wanted: usize) -> bool {
        self.at_end && self.buffer.len() <= wanted
    }

    /// Where the window begins in the file.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Where the window ends in the file.
    pub(crate) fn end_offset(&self) -> u64 {
        self.offset + self.buffer.len() as u64
    }

    /// Whether the window reaches to the end of the file.
    pub(crate) fn at_end(&self) -> bool {
        self.at_end
    }

    /// Reads until the window holds `wanted` bytes or the file ends.
    pub(crate) fn fill(&mut self, wanted: usize) -> io::Result<()> {
        if self.at_end || self.buffer.len() >= wanted {
            return Ok(());
        }
        // One byte more than wanted tells the end of a file that ends right there.
        let missing = wanted - self.buffer.len() + 1;
        let there = self
            .source
            .length()
            .map_or(missing as u64, |length| length.saturating_sub(self.end_offset()) + 1);
        self.buffer.reserve(missing.min(usize::try_from(there).unwrap_or(missing)));
        let read = self.source.append(&mut self.buffer, missing)?;
        self.at_end = read < missing;
        Ok(())
    }

    /// How many bytes there are from where the window begins, as far as that is known.
    pub(crate) fn rest(&self) -> u64 {
        let known = self.source.length().map_or(0, |length| length.saturating_sub(self.offset));
        known.max(self.buffer.len() as u64)
    }

    /// Bytes of the file itself, before decompression, that have been read since the last call.
    pub(crate) fn progress(&mut self) -> u64 {
        let read = self.source.progress() + std::mem::take(&mut self.passed);
        self.n_read += read;
        read
    }

    /// Bytes of the file itself, before decompression, that have been read in all.
    pub(crate) fn n_read(&mut self) -> u64 {
        self.progress();
        self.n_read
    }

    /// How many members of the archive have been passed, folders included.
    pub(crate) fn passed_members(&self) -> u64 {
        match &self.source {
            Source::File(_) => 0,
            Source::Archive { members, .. } => members.passed(),
        }
    }

    /// How many members the archive says that it has, where it does.
    pub(crate) fn expected_members(&self) -> Option<u64> {
        match &self.source {
            Source::File(_) => None,
            Source::Archive { members, .. } => members.expected(),
        }
    }

    /// Takes the first `n` bytes off the window.
    pub(crate) fn take(&mut self, n: usize) -> Vec<u8> {
        let rest = self.buffer.split_off(n.min(self.buffer.len()));
        let taken = std::mem::replace(&mut self.buffer, rest);
        self.offset += taken.len() as u64;
        taken
    }

    /// Passes over the first `n` bytes of the window.
    pub(crate) fn skip(&mut self, n: usize) {
        let n = n.min(self.buffer.len());
        self.buffer.drain(..n);
        self.offset += n as u64;
    }

    /// Passes over everything before `offset`, where the record `ordinal` begins.
    pub(crate) fn skip_to(&mut self, offset: u64, ordinal: u64) -> io::Result<()> {
        self.skip(usize::try_from(offset.saturating_sub(self.offset)).unwrap_or(usize::MAX));
        let missing = offset.saturating_sub(self.offset);
        if missing > 0 {
            let skipped = io::copy(&mut (&mut self.source).take(missing), &mut io::sink())?;
            self.offset += skipped;
            if skipped < missing {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
        if offset > 0 {
            self.ordinal = ordinal;
        }
        Ok(())
    }

    /// Whether it is a file that is neither packed nor compressed, and can be opened anywhere.
    pub(crate) fn is_plain(&self) -> bool {
        matches!(&self.source, Source::File(input) if input.length().is_some())
    }

    /// Goes to `from`, which lies in a part of the file that ends before `part.end`, as if `part` were all there is of it.
    pub(crate) fn narrow(
        &mut self,
        file: &InputFile,
        opener: &Opener,
        part: &Range<u64>,
        from: u64,
    ) -> io::Result<()> {
        self.source = Source::File(Input::part(file, from..part.end, &opener.options)?);
        self.buffer.clear();
        (self.offset, self.at_end) = (from, false);
        (self.n_read, self.passed) = (0, from - part.start);
        Ok(())
    }

    /// Leaves the rest of the file unread.
    pub(crate) fn end(&mut self) {
        self.buffer.clear();
        self.at_end = true;
    }
}

impl Source {
    /// How many bytes there are in all, if that is known before they have been read.
    fn length(&self) -> Option<u64> {
        match self {
            Self::File(input) => input.length(),
            Self::Archive { .. } => None,
        }
    }

    /// Appends bytes to `buffer`, `most` of them or all that are left; how many.
    fn append(&mut self, buffer: &mut Vec<u8>, most: usize) -> io::Result<usize> {
        match self {
            Self::File(input) => input.append(buffer, most),
            Self::Archive { members, .. } => members.take(most as u64).read_to_end(buffer),
        }
    }

    fn progress(&self) -> u64 {
        match self {
            Self::File(input) => input.progress(),
            Self::Archive { members, .. } => members.progress(),
        }
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::File(input) => input.read(buffer),
            Self::Archive { members, .. } => members.read(buffer),
        }
    }
}
