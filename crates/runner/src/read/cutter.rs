//! Cuts files into blocks of whole records.

use std::io;
use std::ops::Range;
use std::sync::Arc;

use tamis_config::{Opened, OpenedReader, OpenedSource, Plan, format_size};
use tamis_document::{Document, Fate, Origin, Record};
use tamis_stage::handle::IndexedFile;
use tamis_stage::{Block as Window, Cut, Failure};
use tamis_text::kind::is_companion;

use crate::error::RunError;
use crate::observer::{Event, Events, Interest};
use crate::read::choose::{SNIFF_BYTES, choose, unrecognised};
use crate::read::inputs::{InputFile, Inputs};
use crate::read::stream::{NoAccess, Opener, Stream};
use crate::read::unpack::Unpacked;
use crate::work::decode;
use crate::work::place::{self, Container, MAX_MEMBERS, MAX_PLACE};
use crate::work::task::{Block, Content, Piece, Position};

/// How much of a record that is too long is kept in its dead letter.
const KEPT_OF_TOO_LONG: usize = 64 * 1024;
/// How long the bytes may be that belong to every block of a file.
const MAX_HEAD: usize = 1 << 20;

/// Cuts some files into blocks, one block a call.
///
/// Where blocks end depends on the files and the block size alone.
/// Whatever is in the files, every one of them is read to its end or written off with a reason, and so is every
/// member of an archive; [`Block::input`] says which. What is wrong with the machine ends the run instead.
pub(crate) struct Cutter<'a> {
    opened: &'a Opened,
    events: Events<'a>,
    opener: &'a Opener,
    inputs: &'a Inputs,
    /// The file that is read now, or the next one, and the one behind the last.
    files: Range<usize>,
    /// The file that is read now, once it was looked up.
    file: Option<Arc<InputFile>>,
    open: Option<Open>,
    /// What was said of the file that is read now.
    account: Account,
    limits: Limits,
    /// How many records are still wanted; all of them if `None`.
    wanted: Option<u64>,
}

/// Sizes that follow from the settings of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// How much of a file is one piece of work, in bytes.
    pub(crate) block_bytes: usize,
    /// The longest record, in bytes.
    pub(crate) max_record: usize,
}

/// What became of the file that is read now, for the account of the input.
#[derive(Debug, Default)]
struct Account {
    /// Bytes of the file itself, before decompression, that have been read.
    n_read: u64,
    /// Where compressed data was found to be broken: more of it may have been read, but nothing came of it.
    ends_at: Option<u64>,
    /// Whether some of it, or all, was written off as a dead letter.
    is_broken: bool,
    /// The same of the member of an archive that is read now.
    is_member_broken: bool,
}

/// A file while it is read.
enum Open {
    /// Bytes in the order in which they stand.
    Stream(Box<OpenStream>),
    /// A file with an index.
    Indexed(Box<OpenIndex>),
    /// An archive behind one of its members.
    Archive(Box<Stream>),
}

/// A file, or the members of an archive one after the other, that are read from front to back.
struct OpenStream {
    stream: Stream,
    /// What documents and messages call the file or the member.
    name: Arc<str>,
    reader: usize,
    head: Arc<[u8]>,
}

/// A file with an index, or a member of an archive.
struct OpenIndex {
    name: Arc<str>,
    member: u64,
    indexed: Arc<dyn IndexedFile>,
    /// The part that is next.
    next: usize,
    /// What the bytes that the parts are read from take in memory, beside the parts.
    held: u64,
    /// Whether they are a file of their own, which is open until the last part was worked on.
    is_on_disk: bool,
    archive: Option<Box<Stream>>,
}

/// What could not be read: one dead letter.
struct Lost<'a> {
    name: &'a Arc<str>,
    /// The number of the member of an archive.
    member: u64,
    ordinal: u64,
    offset: u64,
    length: u64,
    /// What is kept of it.
    raw: &'a [u8],
    /// Bytes of the file itself, before decompression, that were read for it.
    read: u64,
    /// Whether nothing of the file or member was read.
    is_whole: bool,
}

impl Limits {
    pub(crate) fn new(plan: &Plan) -> Self {
        let block_bytes = usize::try_from(plan.run.block_bytes).unwrap_or(usize::MAX).max(1);
        let max_record = usize::try_from(plan.run.max_record_bytes).unwrap_or(usize::MAX);
        Self { block_bytes, max_record }
    }
}

impl<'a> Cutter<'a> {
    /// Cuts some files of the inputs; takes no more than `wanted` records.
    pub(crate) fn new(
        opened: &'a Opened,
        events: Events<'a>,
        open_with: &'a Opener,
        inputs: &'a Inputs,
        files: Range<usize>,
        wanted: Option<u64>,
    ) -> Self {
        let (limits, account) = (Limits::new(&opened.plan), Account::default());
        Self {
            opened,
            events,
            opener: open_with,
            inputs,
            files,
            file: None,
            open: None,
            account,
            limits,
            wanted,
        }
    }

    /// The file that is read now.
    fn file(&mut self) -> Arc<InputFile> {
        let (inputs, at) = (self.inputs, self.files.start);
        Arc::clone(self.file.get_or_insert_with(|| Arc::new(inputs.get(at))))
    }

    /// Goes on where an earlier run stopped.
    pub(crate) fn resume(&mut self, start: Position, block: &mut Block) -> Result<(), RunError> {
        self.files.start = start.file;
        self.account.is_broken = start.is_broken;
        if (start.offset, start.ordinal, start.member) != (0, 0, 0) {
            self.open_file(start, block)?;
            self.close_if_over(block);
        }
        Ok(())
    }

    /// Where the next block begins.
    pub(crate) fn position(&self) -> Position {
        let here =
            Position { file: self.files.start, is_broken: self.account.is_broken, ..Position::default() };
        match &self.open {
            None => here,
            Some(Open::Stream(open)) => Position {
                member: open.stream.member(),
                offset: open.stream.offset(),
                ordinal: open.stream.ordinal,
                ..here
            },
            Some(Open::Indexed(open)) => Position { member: open.member, ordinal: open.next as u64, ..here },
            Some(Open::Archive(stream)) => Position { member: stream.member() + 1, ..here },
        }
    }

    /// Whether there is nothing left.
    pub(crate) fn is_done(&self) -> bool {
        self.wanted == Some(0) || (self.open.is_none() && self.files.is_empty())
    }

    /// How many records are still wanted.
    pub(crate) fn wanted(&self) -> Option<u64> {
        self.wanted
    }

    /// Fills a block; it stays empty when there is nothing left to fill it with.
    pub(crate) fn fill(&mut self, block: &mut Block) -> Result<(), RunError> {
        while !block.is_full(self.limits.block_bytes) && self.wanted != Some(0) {
            self.check_stop()?;
            match self.open.take() {
                Some(open) => self.open = self.step(open, block)?,
                None if !self.files.is_empty() => self.open_file(Position::default(), block)?,
                None => break,
            }
            self.close_if_over(block);
        }
        Ok(())
    }

    /// Goes on with the next file when this one is over; accounts for it.
    fn close_if_over(&mut self, block: &mut Block) {
        if self.open.is_some() {
            return;
        }
        let account = std::mem::take(&mut self.account);
        let size = self.inputs.size(self.files.start);
        let n_read = account.ends_at.map_or(account.n_read, |end| end.min(account.n_read));
        block.input.close(size, n_read, account.is_broken);
        if self.events.has(Interest::FILES) {
            let name = &self.file().name;
            self.events.tell(&Event::File { name, bytes: size, is_broken: account.is_broken });
        }
        self.files.start += 1;
        self.file = None;
    }

    /// Opens the file that is next, at a position in it; leaves `open` empty when nothing of it can be read.
    fn open_file(&mut self, start: Position, block: &mut Block) -> Result<(), RunError> {
        let file = &*self.file();
        let source = &self.opened.sources[file.source];
        let stream = match &file.trouble {
            Some(trouble) => Err(trouble.clone()),
            None => match Stream::open(file, self.opener, start.member) {
                Err(error) => Err(cannot_read(&file.name, &error)?),
                Ok(stream) => Ok(stream),
            },
        };
        match stream {
            Ok(Some(stream)) => self.open = self.begin(source, stream, start, block)?,
            // An archive without a file.
            Ok(None) => self.account.n_read = file.size,
            Err(message) => self.fail(&Lost::file(file), &message, block),
        }
        Ok(())
    }

    /// Chooses a reader for the file or member that has just been opened.
    fn begin(
        &mut self,
        source: &OpenedSource,
        mut stream: Stream,
        start: Position,
        block: &mut Block,
    ) -> Result<Option<Open>, RunError> {
        let file = &*self.file();
        let name = stream.name(&file.name);
        if let Some(trouble) = stream.trouble() {
            self.fail(&Lost::whole(&mut stream, &name), &trouble, block);
            return Ok(self.leave(stream, block));
        }
        if stream.member() >= MAX_MEMBERS {
            let message = format!("an archive may have no more than {MAX_MEMBERS} members: unpack it");
            self.fail(&Lost::whole(&mut stream, &name), &message, block);
            return Ok(None);
        }
        // One reader need not be asked.
        let head = if source.readers.len() > 1 { SNIFF_BYTES } else { 0 };
        let filled = match stream.fill(head.max(self.limits.block_bytes)) {
            Err(error) => Err(self.damage(&name, &error)?),
            Ok(()) => Ok(()),
        };
        if is_companion(stream.plain_name(&file.name), stream.bytes()) {
            return Ok(self.pass_over(stream, block));
        }
        let plain_name = stream.plain_name(&file.name);
        let Some(reader) = choose(source, stream.bytes(), stream.at_end(), plain_name) else {
            let message = match filled {
                Ok(()) => unrecognised(stream.bytes(), stream.at_end()),
                Err(error) => format!("cannot read the file: {error}"),
            };
            let size = if stream.is_file() { file.size } else { 0 };
            let whole = Lost::whole(&mut stream, &name);
            let length = whole.length.max(size);
            self.fail(&Lost { length, ..whole }, &message, block);
            return Ok(self.leave(stream, block));
        };
        let opened = &source.readers[reader];
        if opened.info.flags.random_access {
            return self.index(opened, stream, name, start, block);
        }
        let mut open = OpenStream { stream, name, reader, head: Arc::from([]) };
        if let Err(message) = filled {
            return Ok(self.broken_at_once(open, opened, &message, block));
        }
        if let Err(message) = open.read_head(opened)? {
            self.fail(&Lost::whole(&mut open.stream, &open.name), &message, block);
            return Ok(self.leave(open.stream, block));
        }
        if let Err(error) = open.stream.skip_to(start.offset, start.ordinal) {
            let why = self.damage(&open.name, &error)?;
            let message = format!("reading cannot be resumed where the earlier run stopped: {why}");
            self.fail(&Lost::rest(&mut open.stream, &open.name), &message, block);
            return Ok(self.leave(open.stream, block));
        }
        Ok(Some(Open::Stream(Box::new(open))))
    }

    /// Passes over a file or member that belongs to another one and holds no record.
    fn pass_over(&mut self, stream: Stream, block: &mut Block) -> Option<Open> {
        block.input.companions += 1;
        let is_file = stream.is_file();
        let open = self.leave(stream, block);
        if is_file {
            self.account.n_read = self.file().size;
        }
        open
    }

    /// What there is to do behind a file or member: nothing, or the next member.
    fn leave(&mut self, mut stream: Stream, block: &mut Block) -> Option<Open> {
        self.account.n_read = stream.n_read();
        let archive = (!stream.is_file()).then(|| Box::new(stream));
        self.behind(archive, block)
    }

    /// An archive behind one of its members, which is accounted for.
    fn behind(&mut self, archive: Option<Box<Stream>>, block: &mut Block) -> Option<Open> {
        let archive = archive?;
        let is_broken = std::mem::take(&mut self.account.is_member_broken);
        *(if is_broken { &mut block.input.members_failed } else { &mut block.input.members }) += 1;
        Some(Open::Archive(archive))
    }

    /// Goes on with the next member of an archive, if there is one.
    fn next_member(&mut self, mut stream: Stream, block: &mut Block) -> Result<Option<Open>, RunError> {
        let file = &*self.file();
        let source = &self.opened.sources[file.source];
        let next = stream.member() + 1;
        let message = match stream.next_member() {
            Ok(true) => return self.begin(source, stream, Position::default(), block),
            Ok(false) => match stream.expected_members() {
                None => None,
                Some(expected) if expected == stream.passed_members() => None,
                Some(expected) => Some(format!(
                    "the archive says that it has {expected} members, and only {} were found",
                    stream.passed_members()
                )),
            },
            Err(error) => {
                let why = self.damage(&file.name, &error)?;
                Some(format!("the archive cannot be read on: {why}"))
            }
        };
        if let Some(message) = message {
            let lost = Lost { member: next, read: stream.progress(), ..Lost::file(file) };
            self.fail(&lost, &message, block);
            self.account.n_read = stream.n_read();
        } else {
            // Where the table of contents of an archive is read, there is more in it than its members.
            self.account.n_read = file.size.max(stream.n_read());
        }
        Ok(None)
    }

    /// Reads the index of a file.
    fn index(
        &mut self,
        opened: &OpenedReader,
        mut stream: Stream,
        name: Arc<str>,
        start: Position,
        block: &mut Block,
    ) -> Result<Option<Open>, RunError> {
        let file = &*self.file();
        let (member, progress) = (stream.member(), stream.progress());
        let (unpacked, archive) = match stream.random_access(file, self.opener) {
            Ok((unpacked, archive)) => (Ok(unpacked), archive),
            Err(NoAccess::File(error, archive)) => (Err(cannot_read(&name, &error)?), archive),
            Err(NoAccess::Run(error)) => return Err(error),
        };
        let target = self.limits.block_bytes as u64;
        let indexed = unpacked.and_then(|Unpacked { bytes, held, is_on_disk }| {
            let indexed = opened.handle.index(&name, bytes, target).map_err(|failure| failure.to_string())?;
            Ok((Arc::<dyn IndexedFile>::from(indexed), held, is_on_disk))
        });
        match indexed {
            Ok((indexed, held, is_on_disk)) => {
                let next = start.ordinal as usize;
                let open = Box::new(OpenIndex { name, member, indexed, next, held, is_on_disk, archive });
                Ok(self.indexed(open, block))
            }
            Err(message) => {
                let lost = Lost { name: &name, member, read: progress, ..Lost::file(file) };
                self.fail(&lost, &message, block);
                Ok(self.behind(archive, block))
            }
        }
    }

    /// A file with an index, if a part of it is left, or what comes behind it.
    fn indexed(&mut self, open: Box<OpenIndex>, block: &mut Block) -> Option<Open> {
        if open.next < open.indexed.splits().len() {
            return Some(Open::Indexed(open));
        }
        self.account.n_read = self.inputs.size(self.files.start);
        self.behind(open.archive, block)
    }

    /// Takes one part of a file with an index.
    ///
    /// What the file itself takes counts for every block that holds a part of it, and not for the first one alone: where
    /// a block ends must follow from where it begins, or a run that goes on in the middle of a file would cut others.
    fn split(&mut self, mut open: Box<OpenIndex>, block: &mut Block) -> Option<Open> {
        let part = &open.indexed.splits()[open.next];
        let (bytes, first) = (part.bytes, part.first_ordinal);
        if first + part.records > MAX_PLACE {
            let file = self.file();
            let message = format!("a file may have no more than {MAX_PLACE} rows");
            let lost = Lost { name: &open.name, member: open.member, ..Lost::file(&file) };
            self.fail(&Lost { ordinal: first, offset: first, is_whole: false, ..lost }, &message, block);
            return self.behind(open.archive, block);
        }
        if !block.holds_part_of(&open.indexed) {
            block.weight += open.held;
        }
        // One a block: so there are never more open files than tasks.
        block.is_closed |= open.is_on_disk;
        let content = Content::Split { indexed: Arc::clone(&open.indexed), split: open.next };
        self.push(&open.name, open.member, content, bytes, block);
        open.next += 1;
        self.indexed(open, block)
    }

    /// Adds one piece to the block, if there is one; what is left of the file afterwards.
    fn step(&mut self, open: Open, block: &mut Block) -> Result<Option<Open>, RunError> {
        match open {
            Open::Indexed(open) => Ok(self.split(open, block)),
            Open::Stream(open) => self.cut(*open, block),
            Open::Archive(stream) => self.next_member(*stream, block),
        }
    }

    /// Cuts one piece off a stream.
    fn cut(&mut self, mut open: OpenStream, block: &mut Block) -> Result<Option<Open>, RunError> {
        let opened = self.opened;
        let source = &opened.sources[self.file().source];
        let opened = &source.readers[open.reader];
        let mut wanted = self.limits.block_bytes;
        loop {
            self.check_stop()?;
            if let Err(error) = open.stream.fill(wanted) {
                let why = self.damage(&open.name, &error)?;
                return Ok(self.broken_off(open, &why, block));
            }
            let at_end = open.stream.ends_within(wanted);
            let why = match opened.handle.cut(&open.window(wanted), at_end) {
                _ if open.stream.end_offset() > MAX_PLACE => {
                    Some(format!("a file may have no more than {}", format_size(MAX_PLACE)))
                }
                Ok(Cut::At { bytes, records }) => {
                    self.piece(&mut open, bytes, records, block);
                    None
                }
                Ok(Cut::More) if !at_end && wanted < self.limits.max_record => {
                    wanted = wanted.saturating_mul(2).min(self.limits.max_record);
                    continue;
                }
                Ok(Cut::More) if at_end => Some("the reader finds no end of the last record".to_owned()),
                Ok(Cut::More) => {
                    if !self.too_long(&mut open, opened, block)? {
                        return Ok(self.leave(open.stream, block));
                    }
                    None
                }
                Err(failure) => Some(failure.to_string()),
            };
            if let Some(why) = why {
                self.fail(&Lost::rest(&mut open.stream, &open.name), &why, block);
                return Ok(self.leave(open.stream, block));
            }
            if open.stream.at_end() && open.stream.bytes().is_empty() {
                self.check_all_read(&mut open, block);
                return Ok(self.leave(open.stream, block));
            }
            return Ok(Some(Open::Stream(Box::new(open))));
        }
    }

    fn piece(&mut self, open: &mut OpenStream, bytes: usize, records: u64, block: &mut Block) {
        let (offset, first_ordinal) = (open.stream.offset(), open.stream.ordinal);
        let content = Content::Records {
            reader: open.reader,
            head: Arc::clone(&open.head),
            bytes: open.stream.take(bytes),
            offset,
            first_ordinal,
        };
        open.stream.ordinal += records;
        let (member, read) = (open.stream.member(), open.stream.progress());
        self.push(&open.name, member, content, read, block);
    }

    /// The same of a file that breaks off before its first block is full: what came is read behind its head, if that
    /// is there, and is lost without it.
    fn broken_at_once(
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
    fn broken_off(&mut self, mut open: OpenStream, why: &str, block: &mut Block) -> Option<Open> {
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
    fn check_all_read(&mut self, open: &mut OpenStream, block: &mut Block) {
        let file = &*self.file();
        if !file.is_as_listed() {
            let message = "the file was changed while it was read: read it again, with `--fresh`, when nobody \
                           writes to it";
            self.fail(&Lost::rest(&mut open.stream, &open.name), message, block);
            return;
        }
        let unread = file.size.saturating_sub(open.stream.n_read());
        if open.stream.is_file() && unread > 0 {
            let message = format!("the last {unread} bytes of the file belong to nothing that was read");
            self.fail(&Lost::rest(&mut open.stream, &open.name), &message, block);
        }
    }

    /// Makes a dead letter of a record that is longer than the settings allow, and passes over it; whether the file can
    /// be read on behind it. If not, the letter is about the rest of the file as well.
    fn too_long(
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
    fn fail(&mut self, lost: &Lost<'_>, message: &str, block: &mut Block) {
        (self.account.is_broken, self.account.is_member_broken) = (true, true);
        let letter = self.letter(lost, message);
        block.unread.note(&letter);
        self.push(lost.name, lost.member, Content::Failed(letter), lost.read, block);
    }

    /// The dead letter of what could not be read.
    fn letter(&self, lost: &Lost<'_>, message: &str) -> Box<Record> {
        let &Lost { name, member, ordinal, offset, length, raw, read: _, is_whole } = lost;
        let id = if is_whole { name.to_string() } else { place::id(name, offset) };
        let mut document = Document::new(id, "");
        document.raw = Some(raw.to_vec());
        document.origin = Origin { file: Arc::clone(name), offset, length, ordinal };
        let position = self.container(member.min(MAX_MEMBERS - 1)).letter(offset.min(MAX_PLACE - 1));
        let fate = Fate::Failed(message.to_owned().into());
        Box::new(Record { fate, position, ..Record::from(document) })
    }

    fn container(&self, member: u64) -> Container {
        Container { file: self.files.start as u64, member }
    }

    fn push(&mut self, name: &Arc<str>, member: u64, content: Content, read: u64, block: &mut Block) {
        let source = self.file().source;
        let container = self.container(member);
        let mut piece = Piece { source, container, file: Arc::clone(name), content };
        if let Some(wanted) = &mut self.wanted {
            // How many records there are is known when they are read, and not before.
            piece = decode::decode_wanted(self.opened, piece, wanted);
        }
        block.push(piece, read);
    }

    /// What is wrong with data, in the words of the error; an error of the machine ends the run.
    fn damage(&mut self, name: &str, error: &io::Error) -> Result<String, RunError> {
        self.account.ends_at = tamis_input::broken_at(error);
        damage(name, error)
    }

    fn check_stop(&self) -> Result<(), RunError> {
        if self.opened.run.is_cancelled() { Err(RunError::Interrupted) } else { Ok(()) }
    }
}

/// Why something cannot be read; an error of the machine, which is not to be laid to the file, ends the run.
fn cannot_read(name: &str, error: &io::Error) -> Result<String, RunError> {
    Ok(format!("cannot read the file: {}", damage(name, error)?))
}

/// The same in the words of the error alone.
fn damage(name: &str, error: &io::Error) -> Result<String, RunError> {
    RunError::of_machine(name, error).map_or_else(|| Ok(error.to_string()), Err)
}

impl OpenStream {
    /// The window, or its first `wanted` bytes, as a reader is shown it.
    fn window(&self, wanted: usize) -> Window<'_> {
        Window { head: &self.head, ..self.stream.window(&self.name, wanted) }
    }

    /// Takes off the bytes that belong to every block.
    fn read_head(&mut self, opened: &OpenedReader) -> Result<Result<(), String>, RunError> {
        let mut wanted = self.stream.bytes().len();
        loop {
            let at_end = self.stream.at_end();
            let length = self.stream.bytes().len();
            match opened.handle.head(&self.stream.window(&self.name, usize::MAX), at_end) {
                Err(failure) => return Ok(Err(failure.to_string())),
                Ok(Some(0)) => return Ok(Ok(())),
                Ok(Some(n)) => {
                    self.head = Arc::from(self.stream.take(n));
                    return Ok(Ok(()));
                }
                Ok(None) if at_end => {
                    let message = "the reader finds no head, such as a line of column names, in the file";
                    return Ok(Err(message.to_owned()));
                }
                Ok(None) if length >= MAX_HEAD => {
                    return Ok(Err(format!(
                        "the head of the file, such as its line of column names, does not end within {}",
                        format_size(MAX_HEAD as u64)
                    )));
                }
                Ok(None) => wanted = (wanted * 2).clamp(4096, MAX_HEAD),
            }
            if let Err(error) = self.stream.fill(wanted) {
                return Ok(Err(cannot_read(&self.name, &error)?));
            }
        }
    }
}

impl<'a> Lost<'a> {
    /// A whole file of which nothing is known.
    fn file(file: &'a InputFile) -> Self {
        let (name, length, read) = (&file.name, file.size, file.size);
        Self { name, member: 0, ordinal: 0, offset: 0, length, raw: &[], read, is_whole: true }
    }

    /// A file or member of which only the first bytes were looked at.
    fn whole(stream: &'a mut Stream, name: &'a Arc<str>) -> Self {
        Self { is_whole: true, ..Self::rest(stream, name) }
    }

    /// What of a file or member has not been cut off.
    fn rest(stream: &'a mut Stream, name: &'a Arc<str>) -> Self {
        let (member, read) = (stream.member(), stream.progress());
        let (ordinal, offset, length) = (stream.ordinal, stream.offset(), stream.rest());
        let raw = truncated(stream.bytes());
        Self { name, member, ordinal, offset, length, raw, read, is_whole: false }
    }
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
