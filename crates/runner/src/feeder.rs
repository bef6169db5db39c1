//! The reader thread: opens files one after the other and cuts them into blocks.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use crossbeam_channel::Sender;
use tamis_config::{OpenedReader, Plan, SourcePlan, format_size};
use tamis_document::{Document, Fate, Origin, Record};
use tamis_stage::{Block as Window, Cut};

use crate::Progress;
use crate::block::{Block, Content, Piece};
use crate::credits::{Closed, Credits};
use crate::decompress::plain_name;
use crate::inputs::{InputFile, Inputs};
use crate::stream::Stream;

/// How much of a file a reader may look at to recognise its format.
const SNIFF_BYTES: usize = 64 * 1024;
/// How much of a record that is too long is kept in its dead letter.
const KEPT_OF_TOO_LONG: usize = 64 * 1024;

/// What the feeder needs.
pub(crate) struct Feeder<'a> {
    plan: &'a Plan,
    progress: &'a Progress,
    credits: Credits,
    blocks: Sender<Block>,
    /// The block that is being filled.
    block: Block,
    /// How much of a file is one piece of work, in bytes.
    block_bytes: usize,
    /// The longest record that fits the memory bound, in bytes.
    max_record: usize,
}

/// How reading ended.
pub(crate) enum Fed {
    /// Everything was read, into so many blocks.
    All(u64),
    /// Somebody asked to stop.
    Stopped,
    /// Nobody listens; the writer says why.
    Closed,
}

/// Why reading ends early.
enum Halt {
    Stopped,
    Closed,
}

/// What could not be read: one dead letter.
struct Lost<'a> {
    ordinal: u64,
    offset: u64,
    length: u64,
    /// What is kept of it.
    raw: &'a [u8],
    /// Bytes of the file itself, before decompression, that were read for it.
    read: u64,
}

impl<'a> Feeder<'a> {
    pub(crate) fn new(
        plan: &'a Plan,
        progress: &'a Progress,
        credits: Credits,
        blocks: Sender<Block>,
    ) -> Self {
        let block_bytes = usize::try_from(plan.run.block_bytes).unwrap_or(usize::MAX).max(1);
        // A record is held as bytes, as text and as output at once, and another worker may hold one as well.
        let max_record = usize::try_from(plan.run.memory / 8).unwrap_or(usize::MAX).max(block_bytes);
        Self { plan, progress, credits, blocks, block: Block::new(0), block_bytes, max_record }
    }

    /// Reads all files and sends their blocks.
    pub(crate) fn run(mut self, inputs: &Inputs) -> Fed {
        self.progress.total_bytes.store(inputs.size(), Ordering::Relaxed);
        let fed = inputs.files.iter().try_for_each(|file| self.file(file)).and_then(|()| self.send());
        match fed {
            Ok(()) => Fed::All(self.block.sequence),
            Err(Halt::Stopped) => Fed::Stopped,
            Err(Halt::Closed) => Fed::Closed,
        }
    }

    fn file(&mut self, file: &InputFile) -> Result<(), Halt> {
        let stream = match &file.trouble {
            Some(trouble) => Err(trouble.clone()),
            None => Stream::open(&file.path).map_err(|error| format!("cannot read the file: {error}")),
        };
        let mut stream = match stream {
            Ok(stream) => stream,
            Err(message) => return self.fail(file, &Lost::file(file, b""), &message),
        };
        let source = &self.plan.sources[file.source];
        // One reader need not be asked.
        let head = if source.readers.len() > 1 { SNIFF_BYTES } else { 0 };
        let filled = stream.fill(head.max(self.block_bytes));
        let Some(reader) = choose(source, &stream, &file.name) else {
            let message = match filled {
                Ok(()) => "no reader recognises the format of the file: name one with `use`".to_owned(),
                Err(error) => format!("cannot read the file: {error}"),
            };
            return self.fail(file, &Lost::file(file, truncated(stream.bytes())), &message);
        };
        if let Err(error) = filled {
            return self.broken_off(file, &mut stream, reader, &error);
        }
        self.records(file, &mut stream, reader)
    }

    /// Cuts a file into pieces.
    fn records(&mut self, file: &InputFile, stream: &mut Stream, reader: usize) -> Result<(), Halt> {
        let plan = self.plan;
        let opened = &plan.sources[file.source].readers[reader];
        let mut wanted = self.block_bytes;
        loop {
            self.check_stop()?;
            if let Err(error) = stream.fill(wanted) {
                return self.broken_off(file, stream, reader, &error);
            }
            let (length, at_end) = (stream.bytes().len(), stream.at_end());
            match opened.handle.cut(&stream.window(&file.name), at_end) {
                Ok(Cut::At { bytes, records }) => self.piece(file, stream, reader, bytes, records)?,
                Ok(Cut::More) if !at_end && length < self.max_record => {
                    wanted = length.saturating_mul(2).min(self.max_record);
                    continue;
                }
                Ok(Cut::More) if at_end => {
                    let message = "the reader finds no end of the last record";
                    return self.fail(file, &Lost::rest(stream), message);
                }
                Ok(Cut::More) => self.too_long(file, stream, opened)?,
                Err(failure) => {
                    return self.fail(file, &Lost::rest(stream), &failure.to_string());
                }
            }
            if stream.at_end() && stream.bytes().is_empty() {
                return Ok(());
            }
            wanted = self.block_bytes;
        }
    }

    fn piece(
        &mut self,
        file: &InputFile,
        stream: &mut Stream,
        reader: usize,
        bytes: usize,
        records: u64,
    ) -> Result<(), Halt> {
        let (offset, first_ordinal) = (stream.offset(), stream.ordinal);
        let content = Content::Records { reader, bytes: stream.take(bytes), offset, first_ordinal };
        stream.ordinal += records;
        self.push(file, content, stream.progress())
    }

    /// Ends a file that cannot be read on, such as a compressed one that was cut short: the whole records that
    /// came before are read, the rest is one dead letter.
    fn broken_off(
        &mut self,
        file: &InputFile,
        stream: &mut Stream,
        reader: usize,
        error: &std::io::Error,
    ) -> Result<(), Halt> {
        let handle = &self.plan.sources[file.source].readers[reader].handle;
        if let Ok(Cut::At { bytes, records }) = handle.cut(&stream.window(&file.name), false) {
            self.piece(file, stream, reader, bytes, records)?;
        }
        let message = format!("the file cannot be read on from byte {}: {error}", stream.end_offset());
        self.fail(file, &Lost::rest(stream), &message)
    }

    /// Makes a dead letter of a record that does not fit the memory bound, and passes over it.
    fn too_long(&mut self, file: &InputFile, stream: &mut Stream, reader: &OpenedReader) -> Result<(), Halt> {
        let (ordinal, offset) = (stream.ordinal, stream.offset());
        let raw = truncated(stream.bytes()).to_vec();
        let skipped = self.skip_record(&file.name, stream, reader)?;
        stream.ordinal += 1;
        let mut length = stream.offset() - offset;
        let mut message = format!(
            "the record takes {length} bytes, more than the {} that the memory bound of the run allows: raise \
             `memory` in [run] and pass `--fresh`; the first {} are kept here",
            format_size(self.max_record as u64),
            format_size(raw.len() as u64),
        );
        if let Err(why) = skipped {
            message += &format!("; the rest of the file was not read: {why}");
            length += stream.rest();
            stream.end();
        }
        self.fail(file, &Lost { ordinal, offset, length, raw: &raw, read: stream.progress() }, &message)
    }

    /// Passes over the rest of a record, without holding it; says why if it cannot.
    ///
    /// The reader is shown bytes that begin inside the record. In a format of lines that does not matter; in
    /// others the reader begins again where it would behind a broken record.
    fn skip_record(
        &self,
        name: &str,
        stream: &mut Stream,
        reader: &OpenedReader,
    ) -> Result<Result<(), String>, Halt> {
        loop {
            self.check_stop()?;
            // Half of the bytes stay, so that the reader sees the beginning of the next record whole.
            stream.skip(stream.bytes().len() / 2);
            if let Err(error) = stream.fill(self.max_record) {
                return Ok(Err(error.to_string()));
            }
            match first_end(reader, stream.window(name)) {
                Err(failure) => return Ok(Err(failure.to_string())),
                Ok(Some(end)) => {
                    stream.skip(end);
                    return Ok(Ok(()));
                }
                Ok(None) if stream.at_end() => {
                    stream.skip(stream.bytes().len());
                    return Ok(Ok(()));
                }
                Ok(None) => {}
            }
        }
    }

    /// Makes a dead letter of what could not be read.
    fn fail(&mut self, file: &InputFile, lost: &Lost<'_>, message: &str) -> Result<(), Halt> {
        let &Lost { ordinal, offset, length, raw, read } = lost;
        let mut document = Document::new(format!("{}#{ordinal}", file.name), "");
        document.raw = Some(raw.to_vec());
        document.origin = Origin { file: Arc::clone(&file.name), offset, length, ordinal };
        let record = Record { fate: Fate::Failed(message.to_owned().into()), ..Record::from(document) };
        self.push(file, Content::Failed(Box::new(record)), read)
    }

    fn push(&mut self, file: &InputFile, content: Content, bytes: u64) -> Result<(), Halt> {
        self.block.push(Piece { source: file.source, file: Arc::clone(&file.name), content }, bytes);
        if self.block.weight >= self.plan.run.block_bytes {
            return self.send();
        }
        Ok(())
    }

    /// Sends the block, once there is a credit for it.
    fn send(&mut self) -> Result<(), Halt> {
        self.check_stop()?;
        if self.block.pieces.is_empty() {
            return Ok(());
        }
        self.credits.take(self.block.weight).map_err(|Closed| Halt::Closed)?;
        let next = Block::new(self.block.sequence + 1);
        let block = std::mem::replace(&mut self.block, next);
        self.blocks.send(block).map_err(|_| Halt::Closed)
    }

    fn check_stop(&self) -> Result<(), Halt> {
        if self.progress.is_stopped() { Err(Halt::Stopped) } else { Ok(()) }
    }
}

impl<'a> Lost<'a> {
    /// A whole file, of which `raw` is kept.
    fn file(file: &InputFile, raw: &'a [u8]) -> Self {
        Self { ordinal: 0, offset: 0, length: file.size, raw, read: file.size }
    }

    /// What of a file has not been cut off.
    fn rest(stream: &'a Stream) -> Self {
        let raw = truncated(stream.bytes());
        let (ordinal, offset) = (stream.ordinal, stream.offset());
        Self { ordinal, offset, length: stream.rest(), raw, read: stream.progress() }
    }
}

/// The reader that is surest that the file is its own; the first in name order among equals.
fn choose(source: &SourcePlan, stream: &Stream, name: &str) -> Option<usize> {
    if source.readers.len() == 1 {
        return Some(0);
    }
    let (head, complete) = match stream.bytes().get(..SNIFF_BYTES) {
        Some(head) if head.len() < stream.bytes().len() || !stream.at_end() => (head, false),
        _ => (stream.bytes(), stream.at_end()),
    };
    let name = plain_name(name.rsplit('/').next().unwrap_or(name));
    let scores = source.readers.iter().map(|reader| reader.handle.sniff(head, complete, name));
    let best = scores.enumerate().max_by_key(|(index, score)| (*score, std::cmp::Reverse(*index)));
    best.filter(|(_, score)| *score > 0).map(|(index, _)| index)
}

/// Where a record ends in bytes that begin inside it, if it does.
///
/// A reader tells where the last record ends, so the bytes are halved until they hold one end only.
fn first_end(reader: &OpenedReader, window: Window<'_>) -> Result<Option<usize>, tamis_stage::Failure> {
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
