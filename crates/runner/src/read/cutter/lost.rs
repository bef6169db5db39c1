//! What of a file cannot be read: it is written off as one dead letter, with its first bytes and its place.

use std::fs::File;
use std::io::Read;
use std::sync::Arc;

use tamis_config::{OpenedReader, format_size};
use tamis_document::{Document, Fate, Origin, Record};
use tamis_stage::{Block as Window, Cut, Failure};

use super::{Cutter, Open, OpenStream};
use crate::error::RunError;
use crate::read::inputs::InputFile;
use crate::read::stream::Stream;
use crate::work::place::{self, MAX_MEMBERS, MAX_PLACE};
use crate::work::task::{Block, Content};

/// How much of a record that is too long, or of a file, is kept in its dead letter.
const KEPT_OF_TOO_LONG: usize = 64 * 1024;

/// What could not be read: one dead letter.
pub(super) struct Lost<'a> {
    pub(super) name: &'a Arc<str>,
    /// The number of the member of an archive.
    pub(super) member: u64,
    pub(super) ordinal: u64,
    pub(super) offset: u64,
    pub(super) length: u64,
    /// What is kept of it.
    pub(super) raw: &'a [u8],
    /// Bytes of the file itself, before decompression, that were read for it.
    pub(super) read: u64,
    /// Whether nothing of the file or member was read.
    pub(super) is_whole: bool,
}

impl<'a> Lost<'a> {
    /// A whole file of which nothing is known.
    pub(super) fn file(file: &'a InputFile) -> Self {
        let (name, length, read) = (&file.name, file.size, file.size);
        Self { name, member: 0, ordinal: 0, offset: 0, length, raw: &[], read, is_whole: true }
    }

    /// A file or member of which only the first bytes were looked at.
    pub(super) fn whole(stream: &'a mut Stream, name: &'a Arc<str>) -> Self {
        Self { is_whole: true, ..Self::rest(stream, name) }
    }

    /// What of a file or member has not been cut off.
    pub(super) fn rest(stream: &'a mut Stream, name: &'a Arc<str>) -> Self {
        let (member, read) = (stream.member(), stream.progress());
        let (ordinal, offset, length) = (stream.ordinal, stream.offset(), stream.rest());
        let raw = truncated(stream.bytes());
        Self { name, member, ordinal, offset, length, raw, read, is_whole: false }
    }
}

impl Cutter<'_> {
    /// The same of a file that breaks off before its first block is full: what came is read behind its head, if that
    /// is there, and is lost without it.
    pub(super) fn broken_at_once(
        &mut self,
        mut open: OpenStream,
        opened: &OpenedReader,
        why: &str,
        block: &mut Block,
    ) -> Option<Open> {
        if let Ok(Some(n)) = opened.handle.head(&open.stream.window(&open.name, usize::MAX), false) {
            open.head = Arc::from(open.stream.take(n));
            return self.broken_off(open, why, block);
        }
        let message = format!("the file cannot be read on from byte {}: {why}", open.stream.end_offset());
        self.fail(&Lost::whole(&mut open.stream, &open.name), &message, block);
        self.leave(open.stream, block)
    }

    /// Ends a file that cannot be read on, such as a compressed one that was cut short: the whole records that
    /// came before are read, the rest is one dead letter.
    pub(super) fn broken_off(&mut self, mut open: OpenStream, why: &str, block: &mut Block) -> Option<Open> {
        let source = &self.opened.sources[self.file().source];
        let handle = &source.readers[open.reader].handle;
        // Of nothing there is nothing to decode: a reader that misses its head there would make a second dead letter
        // of the place.
        if let Ok(Cut::At { bytes, records }) = handle.cut(&open.window(usize::MAX), false)
            && bytes > 0
        {
            self.piece(&mut open, bytes, records, block);
        }
        let end = open.stream.end_offset();
        let message = format!("the file cannot be read on from byte {end}: {why}");
        self.fail(&Lost::rest(&mut open.stream, &open.name), &message, block);
        // Members of an archive that lie behind it are lost with it only if the archive says so.
        self.leave(open.stream, block)
    }

    /// Makes a dead letter of a file that somebody has written to since it was listed, because what was read of it
    /// may be neither what it was nor what it is; and of bytes that nobody has looked at.
    pub(super) fn check_all_read(&mut self, open: &mut OpenStream, block: &mut Block) {
        let file = &*self.file();
        if !file.is_as_listed() {
            let message = "the file was changed while it was read: read it again, with `--fresh`, when nobody \
                           writes to it";
            self.fail(&Lost::rest(&mut open.stream, &open.name), message, block);
            return;
        }
        let size = self.inputs.size(self.files.start);
        let unread = size.saturating_sub(open.stream.n_read());
        if open.stream.is_file() && unread > 0 {
            let message = format!("the last {unread} bytes of the file belong to nothing that was read");
            self.fail(&Lost::rest(&mut open.stream, &open.name), &message, block);
        }
    }

    /// Makes a dead letter of a record that is longer than the settings allow, and passes over it; whether the file can
    /// be read on behind it. If not, the letter is about the rest of the file as well.
    pub(super) fn too_long(
        &mut self,
        open: &mut OpenStream,
        reader: &OpenedReader,
        block: &mut Block,
    ) -> Result<bool, RunError> {
        let (ordinal, offset) = (open.stream.ordinal, open.stream.offset());
        let raw = truncated(open.stream.bytes()).to_vec();
        let skipped = self.skip_record(open, reader)?;
        open.stream.ordinal += 1;
        let mut length = open.stream.offset() - offset;
        let mut message = format!(
            "the record takes {length} bytes, more than the {} of `max_record_bytes` in [run]: raise it and pass \
             `--fresh`; the first {} are kept here",
            format_size(self.limits.max_record as u64),
            format_size(raw.len() as u64),
        );
        let goes_on = skipped.is_ok();
        if let Err(why) = skipped {
            message += &format!("; the rest of the file was not read: {why}");
            length += open.stream.rest();
            open.stream.end();
            (self.account.is_broken, self.account.is_member_broken) = (true, true);
        }
        let (member, read) = (open.stream.member(), open.stream.progress());
        let lost =
            Lost { name: &open.name, member, ordinal, offset, length, raw: &raw, read, is_whole: false };
        let letter = self.letter(&lost, &message);
        if !goes_on {
            block.unread.note(&letter);
        }
        self.push(&open.name, member, Content::Failed(letter), read, block);
        Ok(goes_on)
    }

    /// Passes over the rest of a record, without holding it; says why if it cannot.
    ///
    /// The reader is shown bytes that begin inside the record. In a format of lines that does not matter; in
    /// others the reader begins again where it would behind a broken record.
    fn skip_record(
        &mut self,
        open: &mut OpenStream,
        reader: &OpenedReader,
    ) -> Result<Result<(), String>, RunError> {
        loop {
            self.check_stop()?;
            // Half of the bytes stay, so that the reader sees the beginning of the next record whole.
            open.stream.skip(open.stream.bytes().len() / 2);
            if let Err(error) = open.stream.fill(self.limits.max_record) {
                return Ok(Err(self.damage(&open.name, &error)?));
            }
            match first_end(reader, open.window(usize::MAX)) {
                Err(failure) => return Ok(Err(failure.to_string())),
                Ok(Some(end)) => {
                    open.stream.skip(end);
                    return Ok(Ok(()));
                }
                Ok(None) if open.stream.at_end() => {
                    open.stream.skip(open.stream.bytes().len());
                    return Ok(Ok(()));
                }
                Ok(None) => {}
            }
        }
    }

    /// Writes off what could not be read: a file, a member, or the rest of one.
    pub(super) fn fail(&mut self, lost: &Lost<'_>, message: &str, block: &mut Block) {
        (self.account.is_broken, self.account.is_member_broken) = (true, true);
        let letter = self.letter(lost, message);
        block.unread.note(&letter);
        self.push(lost.name, lost.member, Content::Failed(letter), lost.read, block);
    }

    /// The dead letter of what could not be read.
    fn letter(&mut self, lost: &Lost<'_>, message: &str) -> Box<Record> {
        let &Lost { name, member, ordinal, offset, length, raw, read: _, is_whole } = lost;
        let id = if is_whole { name.to_string() } else { place::id(name, offset) };
        let mut document = Document::new(id, "");
        // A file that could not even be opened as what it is, such as an archive that was cut off, has bytes all the same.
        let is_file = is_whole && member == 0 && raw.is_empty();
        let raw = if is_file { first_bytes(&self.file()) } else { raw.to_vec() };
        document.raw = (!raw.is_empty()).then_some(raw);
        document.origin = Origin { file: Arc::clone(name), offset, length, ordinal };
        let position = self.container(member.min(MAX_MEMBERS - 1)).letter(offset.min(MAX_PLACE - 1));
        let fate = Fate::Failed(message.to_owned().into());
        Box::new(Record { fate, position, ..Record::from(document) })
    }
}

/// The first bytes of a file of this machine, as they lie there; none of what is no file or cannot be read.
fn first_bytes(file: &InputFile) -> Vec<u8> {
    let mut bytes = Vec::new();
    let path = file.location.path();
    // A pipe would be waited for.
    if let Some(path) = path.filter(|path| path.is_file())
        && let Ok(file) = File::open(path)
    {
        // What came before an error is more than nothing.
        let _ = file.take(KEPT_OF_TOO_LONG as u64).read_to_end(&mut bytes);
    }
    bytes
}

/// Where a record ends in bytes that begin inside it, if it does.
///
/// A reader tells where the last record ends, so the bytes are halved until they hold one end only.
fn first_end(reader: &OpenedReader, window: Window<'_>) -> Result<Option<usize>, Failure> {
    let bytes = window.bytes;
    let cut = |length: usize| {
        let shorter = Window { bytes: bytes.get(..length).unwrap_or(bytes), ..window };
        let cut = reader.handle.cut(&shorter, false)?;
        Ok(match cut {
            Cut::At { bytes, records } => Some((bytes, records)),
            Cut::More => None,
        })
    };
    let Some(mut found) = cut(bytes.len())? else { return Ok(None) };
    let (mut without, mut with) = (0, bytes.len());
    while found.1 > 1 && with - without > 1 {
        let middle = without + (with - without) / 2;
        match cut(middle)? {
            Some(nearer) => (found, with) = (nearer, middle),
            None => without = middle,
        }
    }
    Ok(Some(found.0))
}

fn truncated(bytes: &[u8]) -> &[u8] {
    bytes.get(..KEPT_OF_TOO_LONG).unwrap_or(bytes)
}
