//! Cuts files into blocks of whole records.

mod indexed;
mod lost;

use std::io;
use std::ops::Range;
use std::sync::Arc;

use tamis_config::{Opened, OpenedReader, OpenedSource, Plan, format_size};
use tamis_stage::{Block as Window, Cut};
use tamis_text::kind::is_companion;

use crate::error::RunError;
use crate::observer::{Event, Events, Interest};
use crate::read::choose::{SNIFF_BYTES, choose, unrecognised};
use crate::read::inputs::{InputFile, Inputs};
use crate::read::stream::{Opener, Stream};
use crate::work::decode;
use crate::work::place::{Container, MAX_MEMBERS, MAX_PLACE};
use crate::work::task::{Block, Content, Piece, Position};
use indexed::OpenIndex;
use lost::Lost;

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
    /// Where the records begin that ordinals count: a shard does not know how many stand before it.
    counted_from: u64,
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
        block.input.close(size, n_read, account.is_broken, self.inputs.begins(self.files.start));
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
        if !self.inputs.takes(self.files.start) {
            self.account.n_read = file.size;
            return Ok(());
        }
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
        let mut open = OpenStream { stream, name, reader, head: Arc::from([]), counted_from: 0 };
        if let Err(message) = filled {
            return Ok(self.broken_at_once(open, opened, &message, block));
        }
        if let Err(message) = open.read_head(opened)? {
            self.fail(&Lost::whole(&mut open.stream, &open.name), &message, block);
            return Ok(self.leave(open.stream, block));
        }
        let went = match self.inputs.stretch(self.files.start) {
            None => open.stream.skip_to(start.offset, start.ordinal),
            Some(stretch) => self.narrow(&mut open, stretch.bytes, start),
        };
        if let Err(error) = went {
            let why = self.damage(&open.name, &error)?;
            let message = format!("reading cannot be resumed where the earlier run stopped: {why}");
            self.fail(&Lost::rest(&mut open.stream, &open.name), &message, block);
            return Ok(self.leave(open.stream, block));
        }
        Ok(Some(Open::Stream(Box::new(open))))
    }

    /// Goes to where the share of this shard begins, or to where an earlier run of it stopped.
    fn narrow(&mut self, open: &mut OpenStream, share: Range<u64>, start: Position) -> io::Result<()> {
        let file = self.file();
        let from = share.start.max(start.offset).max(open.stream.offset());
        open.stream.narrow(&file, self.opener, &share, from)?;
        (open.stream.ordinal, open.counted_from) = (start.ordinal, share.start);
        Ok(())
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
            counted_from: open.counted_from,
        };
        open.stream.ordinal += records;
        let (member, read) = (open.stream.member(), open.stream.progress());
        self.push(&open.name, member, content, read, block);
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
