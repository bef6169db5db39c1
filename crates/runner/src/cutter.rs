//! Cuts files into blocks of whole records.

use std::ops::Range;
use std::sync::Arc;

use tamis_config::{OpenedReader, Plan, SourcePlan, format_size};
use tamis_document::{Document, Fate, Origin, Record};
use tamis_stage::handle::IndexedFile;
use tamis_stage::{Block as Window, Cut, Failure};

use crate::Progress;
use crate::block::{Block, Content, Piece, Position};
use crate::inputs::{InputFile, Inputs};
use crate::stream::{Opener, Stream};

/// How much of a file a reader may look at to recognise its format.
const SNIFF_BYTES: usize = 64 * 1024;
/// How much of a record that is too long is kept in its dead letter.
const KEPT_OF_TOO_LONG: usize = 64 * 1024;
/// How long the bytes may be that belong to every block of a file.
const MAX_HEAD: usize = 1 << 20;

/// Cuts some files into blocks, one block a call.
///
/// Where blocks end depends on the files and the block size alone.
pub(crate) struct Cutter<'a> {
    plan: &'a Plan,
    progress: &'a Progress,
    opener: &'a Opener,
    inputs: &'a Inputs,
    /// The file that is read now, or the next one, and the one behind the last.
    files: Range<usize>,
    /// The file that is read now, once it was looked up.
    file: Option<Arc<InputFile>>,
    open: Option<Open>,
    limits: Limits,
    /// How many records are still wanted.
    wanted: u64,
}

/// Sizes that follow from the settings of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// How much of a file is one piece of work, in bytes.
    pub(crate) block_bytes: usize,
    /// The longest record that fits the memory bound, in bytes.
    pub(crate) max_record: usize,
}

/// Somebody asked to stop.
#[derive(Debug)]
pub(crate) struct Stopped;

/// A file while it is read.
enum Open {
    /// Bytes in the order in which they stand.
    Stream(Box<OpenStream>),
    /// A file with an index.
    Indexed { indexed: Arc<dyn IndexedFile>, next: usize },
}

/// A file, or the members of an archive one after the other, that are read from front to back.
struct OpenStream {
    stream: Stream,
    /// What documents and messages call the file or the member.
    name: Arc<str>,
    reader: usize,
    head: Arc<[u8]>,
}

/// What could not be read: one dead letter.
struct Lost<'a> {
    name: &'a Arc<str>,
    ordinal: u64,
    offset: u64,
    length: u64,
    /// What is kept of it.
    raw: &'a [u8],
    /// Bytes of the file itself, before decompression, that were read for it.
    read: u64,
}

impl Limits {
    pub(crate) fn new(plan: &Plan) -> Self {
        let block_bytes = usize::try_from(plan.run.block_bytes).unwrap_or(usize::MAX).max(1);
        // A record is held as bytes, as text and as output at once, and another worker may hold one as well.
        let max_record = usize::try_from(plan.run.memory / 8).unwrap_or(usize::MAX).max(block_bytes);
        Self { block_bytes, max_record }
    }
}

impl<'a> Cutter<'a> {
    /// Cuts some files of the inputs; takes no more than `wanted` records.
    pub(crate) fn new(
        plan: &'a Plan,
        progress: &'a Progress,
        opener: &'a Opener,
        inputs: &'a Inputs,
        files: Range<usize>,
        wanted: u64,
    ) -> Self {
        let limits = Limits::new(plan);
        Self { plan, progress, opener, inputs, files, file: None, open: None, limits, wanted }
    }

    /// The file that is read now.
    fn file(&mut self) -> Arc<InputFile> {
        let (inputs, at) = (self.inputs, self.files.start);
        Arc::clone(self.file.get_or_insert_with(|| Arc::new(inputs.get(at))))
    }

    /// Goes on with the next file.
    fn next_file(&mut self) {
        self.files.start += 1;
        self.file = None;
    }

    /// Goes on where an earlier run stopped.
    pub(crate) fn resume(&mut self, start: Position, block: &mut Block) -> Result<(), Stopped> {
        self.files.start = start.file;
        if (start.offset, start.ordinal, start.member) != (0, 0, 0) {
            self.open_file(start, block)?;
            if self.open.is_none() {
                self.next_file();
            }
        }
        Ok(())
    }

    /// Where the next block begins.
    pub(crate) fn position(&self) -> Position {
        let file = self.files.start;
        match &self.open {
            None => Position { file, ..Position::default() },
            Some(Open::Stream(open)) => Position {
                file,
                member: open.stream.member(),
                offset: open.stream.offset(),
                ordinal: open.stream.ordinal,
            },
            Some(Open::Indexed { next, .. }) => {
                Position { file, ordinal: *next as u64, ..Position::default() }
            }
        }
    }

    /// Whether there is nothing left.
    pub(crate) fn is_done(&self) -> bool {
        self.wanted == 0 || (self.open.is_none() && self.files.is_empty())
    }

    /// How many records are still wanted.
    pub(crate) fn wanted(&self) -> u64 {
        self.wanted
    }

    /// Fills a block; it stays empty when there is nothing left to fill it with.
    pub(crate) fn fill(&mut self, block: &mut Block) -> Result<(), Stopped> {
        while block.weight < self.limits.block_bytes as u64 && self.wanted > 0 {
            self.check_stop()?;
            match self.open.take() {
                Some(open) => self.open = self.step(open, block)?,
                None if !self.files.is_empty() => self.open_file(Position::default(), block)?,
                None => break,
            }
            if self.open.is_none() {
                self.next_file();
            }
        }
        Ok(())
    }

    /// Opens the file that is next, at a position in it; leaves `open` empty when nothing of it can be read.
    fn open_file(&mut self, start: Position, block: &mut Block) -> Result<(), Stopped> {
        let file = &*self.file();
        let source = &self.plan.sources[file.source];
        let stream = match &file.trouble {
            Some(trouble) => Err(trouble.clone()),
            None => Stream::open(file, self.opener, start.member)
                .map_err(|error| format!("cannot read the file: {error}")),
        };
        let stream = match stream {
            Ok(Some(stream)) => stream,
            Ok(None) => return Ok(()),
            Err(message) => {
                self.fail(&Lost::file(file), &message, block);
                return Ok(());
            }
        };
        self.open = self.begin(source, stream, start, block)?;
        Ok(())
    }

    /// Chooses a reader for what has just been opened.
    fn begin(
        &mut self,
        source: &SourcePlan,
        mut stream: Stream,
        start: Position,
        block: &mut Block,
    ) -> Result<Option<Open>, Stopped> {
        let file = &*self.file();
        let name = stream.name(&file.name);
        if let Some(trouble) = stream.trouble() {
            self.fail(&Lost { name: &name, ..Lost::rest(&stream, &name) }, &trouble, block);
            return self.next_member(source, stream, block);
        }
        // One reader need not be asked.
        let head = if source.readers.len() > 1 { SNIFF_BYTES } else { 0 };
        let filled = stream.fill(head.max(self.limits.block_bytes));
        let Some(reader) = choose(source, &stream, &name) else {
            let message = match filled {
                Ok(()) => "no reader recognises the format of the file: name one with `use`".to_owned(),
                Err(error) => format!("cannot read the file: {error}"),
            };
            let lost = Lost { length: stream.rest().max(file.size), ..Lost::rest(&stream, &name) };
            self.fail(&lost, &message, block);
            return self.next_member(source, stream, block);
        };
        let opened = &source.readers[reader];
        if opened.info.flags.random_access {
            return self.index(opened, stream, &name, start, block);
        }
        let mut open = OpenStream { stream, name, reader, head: Arc::from([]) };
        if let Err(error) = filled {
            return self.broken_off(open, &error, block);
        }
        if let Err(message) = open.read_head(opened) {
            self.fail(&Lost::rest(&open.stream, &open.name), &message, block);
            return self.next_member(source, open.stream, block);
        }
        if let Err(error) = open.stream.skip_to(start.offset, start.ordinal) {
            let message = format!("cannot read on where the earlier run stopped: {error}");
            self.fail(&Lost::rest(&open.stream, &open.name), &message, block);
            return self.next_member(source, open.stream, block);
        }
        Ok(Some(Open::Stream(Box::new(open))))
    }

    /// Goes on with the next member of an archive, if there is one.
    fn next_member(
        &mut self,
        source: &SourcePlan,
        mut stream: Stream,
        block: &mut Block,
    ) -> Result<Option<Open>, Stopped> {
        match stream.next_member() {
            Ok(false) => Ok(None),
            Ok(true) => self.begin(source, stream, Position::default(), block),
            Err(error) => {
                let name = stream.name(&self.file().name);
                let message = format!("the archive cannot be read on: {error}");
                self.fail(&Lost::rest(&stream, &name), &message, block);
                Ok(None)
            }
        }
    }

    /// Reads the index of a file.
    fn index(
        &mut self,
        opened: &OpenedReader,
        stream: Stream,
        name: &Arc<str>,
        start: Position,
        block: &mut Block,
    ) -> Result<Option<Open>, Stopped> {
        let file = &*self.file();
        let source = &self.plan.sources[file.source];
        let progress = stream.progress();
        let indexed =
            stream.random_access(file, self.opener).map_err(|error| format!("cannot read the file: {error}"));
        let (bytes, rest) = match indexed {
            Ok((bytes, rest)) => (Ok(bytes), rest),
            Err(message) => (Err(message), None),
        };
        let target = self.limits.block_bytes as u64;
        let indexed = bytes.and_then(|bytes| {
            opened.handle.index(name, bytes, target).map_err(|failure| failure.to_string())
        });
        match indexed {
            // A member has its parts in one block: it is as large as what holds it allows.
            Ok(indexed) => {
                let indexed: Arc<dyn IndexedFile> = Arc::from(indexed);
                let Some(rest) = rest else {
                    let next = start.ordinal as usize;
                    return Ok(Some(Open::Indexed { indexed, next }));
                };
                for split in 0..indexed.splits().len() {
                    self.split(name, &indexed, split, progress, block);
                }
                self.next_member(source, rest, block)
            }
            Err(message) => {
                self.fail(&Lost { name, ..Lost::file(file) }, &message, block);
                match rest {
                    Some(rest) => self.next_member(source, rest, block),
                    None => Ok(None),
                }
            }
        }
    }

    /// Takes one part of a file with an index.
    fn split(
        &mut self,
        name: &Arc<str>,
        indexed: &Arc<dyn IndexedFile>,
        split: usize,
        read: u64,
        block: &mut Block,
    ) {
        let Some(part) = indexed.splits().get(split) else { return };
        let end_ordinal = self.end_ordinal(part.first_ordinal, part.records);
        let content = Content::Split { indexed: Arc::clone(indexed), split, end_ordinal };
        self.push(name, content, part.bytes.max(read), block);
    }

    /// Where to stop in a run of records when only some are wanted. Otherwise nowhere: a reader may find more
    /// than it has counted, and none may be lost.
    fn end_ordinal(&mut self, first: u64, records: u64) -> u64 {
        let is_cut = records > self.wanted;
        let end = if is_cut { first.saturating_add(self.wanted) } else { u64::MAX };
        self.wanted = self.wanted.saturating_sub(records);
        end
    }

    /// Adds one piece to the block; what is left of the file afterwards.
    fn step(&mut self, open: Open, block: &mut Block) -> Result<Option<Open>, Stopped> {
        match open {
            Open::Indexed { indexed, next } => {
                let name = Arc::clone(&self.file().name);
                self.split(&name, &indexed, next, 0, block);
                let is_more = next + 1 < indexed.splits().len();
                Ok(is_more.then_some(Open::Indexed { indexed, next: next + 1 }))
            }
            Open::Stream(open) => self.cut(*open, block),
        }
    }

    /// Cuts one piece off a stream.
    fn cut(&mut self, mut open: OpenStream, block: &mut Block) -> Result<Option<Open>, Stopped> {
        let plan = self.plan;
        let source = &plan.sources[self.file().source];
        let opened = &source.readers[open.reader];
        let mut wanted = self.limits.block_bytes;
        loop {
            self.check_stop()?;
            if let Err(error) = open.stream.fill(wanted) {
                return self.broken_off(open, &error, block);
            }
            let at_end = open.stream.ends_within(wanted);
            match opened.handle.cut(&open.window(wanted), at_end) {
                Ok(Cut::At { bytes, records }) => self.piece(&mut open, bytes, records, block),
                Ok(Cut::More) if !at_end && wanted < self.limits.max_record => {
                    wanted = wanted.saturating_mul(2).min(self.limits.max_record);
                    continue;
                }
                Ok(Cut::More) if at_end => {
                    let message = "the reader finds no end of the last record";
                    self.fail(&Lost::rest(&open.stream, &open.name), message, block);
                    return self.next_member(source, open.stream, block);
                }
                Ok(Cut::More) => self.too_long(&mut open, opened, block)?,
                Err(failure) => {
                    self.fail(&Lost::rest(&open.stream, &open.name), &failure.to_string(), block);
                    return self.next_member(source, open.stream, block);
                }
            }
            if open.stream.at_end() && open.stream.bytes().is_empty() {
                self.check_unchanged(&open, block);
                return self.next_member(source, open.stream, block);
            }
            return Ok(Some(Open::Stream(Box::new(open))));
        }
    }

    fn piece(&mut self, open: &mut OpenStream, bytes: usize, records: u64, block: &mut Block) {
        let (offset, first_ordinal) = (open.stream.offset(), open.stream.ordinal);
        let end_ordinal = self.end_ordinal(first_ordinal, records);
        let content = Content::Records {
            reader: open.reader,
            head: Arc::clone(&open.head),
            bytes: open.stream.take(bytes),
            offset,
            first_ordinal,
            end_ordinal,
        };
        open.stream.ordinal += records;
        let name = Arc::clone(&open.name);
        self.push(&name, content, open.stream.progress(), block);
    }

    /// Ends a file that cannot be read on, such as a compressed one that was cut short: the whole records that
    /// came before are read, the rest is one dead letter.
    fn broken_off(
        &mut self,
        mut open: OpenStream,
        error: &std::io::Error,
        block: &mut Block,
    ) -> Result<Option<Open>, Stopped> {
        let source = &self.plan.sources[self.file().source];
        let handle = &source.readers[open.reader].handle;
        if let Ok(Cut::At { bytes, records }) = handle.cut(&open.window(usize::MAX), false) {
            self.piece(&mut open, bytes, records, block);
        }
        let end = open.stream.end_offset();
        let message = format!("the file cannot be read on from byte {end}: {error}");
        self.fail(&Lost::rest(&open.stream, &open.name), &message, block);
        // Members of an archive that lie behind it are lost with it only if the archive says so.
        self.next_member(source, open.stream, block)
    }

    /// Makes a dead letter of a file that somebody has written to since it was listed: what was read of it may be
    /// neither what it was nor what it is.
    fn check_unchanged(&mut self, open: &OpenStream, block: &mut Block) {
        if self.file().is_as_listed() {
            return;
        }
        let message = "the file was changed while it was read: read it again, with `--fresh`, when nobody writes \
                       to it";
        self.fail(&Lost::rest(&open.stream, &open.name), message, block);
    }

    /// Makes a dead letter of a record that does not fit the memory bound, and passes over it.
    fn too_long(
        &mut self,
        open: &mut OpenStream,
        reader: &OpenedReader,
        block: &mut Block,
    ) -> Result<(), Stopped> {
        let (ordinal, offset) = (open.stream.ordinal, open.stream.offset());
        let raw = truncated(open.stream.bytes()).to_vec();
        let skipped = self.skip_record(open, reader)?;
        open.stream.ordinal += 1;
        let mut length = open.stream.offset() - offset;
        let mut message = format!(
            "the record takes {length} bytes, more than the {} that the memory bound of the run allows: raise \
             `memory` in [run] and pass `--fresh`; the first {} are kept here",
            format_size(self.limits.max_record as u64),
            format_size(raw.len() as u64),
        );
        if let Err(why) = skipped {
            message += &format!("; the rest of the file was not read: {why}");
            length += open.stream.rest();
            open.stream.end();
        }
        let name = Arc::clone(&open.name);
        let lost = Lost { name: &name, ordinal, offset, length, raw: &raw, read: open.stream.progress() };
        self.fail(&lost, &message, block);
        Ok(())
    }

    /// Passes over the rest of a record, without holding it; says why if it cannot.
    ///
    /// The reader is shown bytes that begin inside the record. In a format of lines that does not matter; in
    /// others the reader begins again where it would behind a broken record.
    fn skip_record(
        &self,
        open: &mut OpenStream,
        reader: &OpenedReader,
    ) -> Result<Result<(), String>, Stopped> {
        loop {
            self.check_stop()?;
            // Half of the bytes stay, so that the reader sees the beginning of the next record whole.
            open.stream.skip(open.stream.bytes().len() / 2);
            if let Err(error) = open.stream.fill(self.limits.max_record) {
                return Ok(Err(error.to_string()));
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

    /// Makes a dead letter of what could not be read.
    fn fail(&mut self, lost: &Lost<'_>, message: &str, block: &mut Block) {
        let &Lost { name, ordinal, offset, length, raw, read } = lost;
        let mut document = Document::new(format!("{name}#{ordinal}"), "");
        document.raw = Some(raw.to_vec());
        document.origin = Origin { file: Arc::clone(name), offset, length, ordinal };
        let record = Record { fate: Fate::Failed(message.to_owned().into()), ..Record::from(document) };
        self.wanted = self.wanted.saturating_sub(1);
        self.push(name, Content::Failed(Box::new(record)), read, block);
    }

    fn push(&mut self, name: &Arc<str>, content: Content, read: u64, block: &mut Block) {
        let source = self.file().source;
        let file_index = self.files.start as u64;
        block.push(Piece { source, file_index, file: Arc::clone(name), content }, read);
    }

    fn check_stop(&self) -> Result<(), Stopped> {
        if self.progress.is_stopped() { Err(Stopped) } else { Ok(()) }
    }
}

impl OpenStream {
    /// The window, or its first `wanted` bytes, as a reader is shown it.
    fn window(&self, wanted: usize) -> Window<'_> {
        Window { head: &self.head, ..self.stream.window(&self.name, wanted) }
    }

    /// Takes off the bytes that belong to every block.
    fn read_head(&mut self, opened: &OpenedReader) -> Result<(), String> {
        let mut wanted = self.stream.bytes().len();
        loop {
            let at_end = self.stream.at_end();
            let length = self.stream.bytes().len();
            match opened.handle.head(&self.stream.window(&self.name, usize::MAX), at_end) {
                Err(failure) => return Err(failure.to_string()),
                Ok(Some(0)) => return Ok(()),
                Ok(Some(n)) => {
                    self.head = Arc::from(self.stream.take(n));
                    return Ok(());
                }
                Ok(None) if at_end || length >= MAX_HEAD => {
                    return Err(
                        "the reader finds no head, such as a line of column names, in the file".to_owned()
                    );
                }
                Ok(None) => wanted = (wanted * 2).clamp(4096, MAX_HEAD),
            }
            self.stream.fill(wanted).map_err(|error| format!("cannot read the file: {error}"))?;
        }
    }
}

impl<'a> Lost<'a> {
    /// A whole file of which nothing is known.
    fn file(file: &'a InputFile) -> Self {
        Self { name: &file.name, ordinal: 0, offset: 0, length: file.size, raw: &[], read: file.size }
    }

    /// What of a file has not been cut off.
    fn rest(stream: &'a Stream, name: &'a Arc<str>) -> Self {
        let raw = truncated(stream.bytes());
        let (ordinal, offset) = (stream.ordinal, stream.offset());
        Self { name, ordinal, offset, length: stream.rest(), raw, read: stream.progress() }
    }
}

/// The reader that is surest that the file is its own; the first in name order among equals.
fn choose(source: &SourcePlan, stream: &Stream, name: &str) -> Option<usize> {
    if source.readers.len() == 1 {
        return Some(0);
    }
    let (head, complete) = match stream.bytes().get(..SNIFF_BYTES) {
        Some(head) => (head, stream.bytes().len() == SNIFF_BYTES && stream.at_end()),
        None => (stream.bytes(), stream.at_end()),
    };
    let name = tamis_input::plain_name(name);
    let scores = source.readers.iter().map(|reader| reader.handle.sniff(head, complete, name));
    let best = scores.enumerate().max_by_key(|(index, score)| (*score, std::cmp::Reverse(*index)));
    best.filter(|(_, score)| *score > 0).map(|(index, _)| index)
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
