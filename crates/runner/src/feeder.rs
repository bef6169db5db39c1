//! The reader thread: opens files one after the other and cuts them into blocks.

use std::fs::File;
use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use crossbeam_channel::{Receiver, Sender};
use tamis_config::{Plan, SourcePlan};
use tamis_document::{Document, Fate, Origin, Record};
use tamis_stage::Cut;

use crate::Progress;
use crate::block::{Block, Content, Piece};
use crate::inputs::InputFile;

/// How much of a file a reader may look at to recognise its format.
const SNIFF_BYTES: usize = 64 * 1024;
/// How much of a record that is too long is kept in its dead letter.
const KEPT_OF_TOO_LONG: usize = 64 * 1024;

/// What the feeder needs.
pub(crate) struct Feeder<'a> {
    plan: &'a Plan,
    progress: &'a Progress,
    credits: Receiver<()>,
    blocks: Sender<Block>,
    /// The block that is being filled.
    block: Block,
    /// The longest record that fits the memory bound, in bytes.
    max_record: usize,
}

/// The other side has ended: there is nobody to feed.
struct Closed;

impl<'a> Feeder<'a> {
    pub(crate) fn new(
        plan: &'a Plan,
        progress: &'a Progress,
        credits: Receiver<()>,
        blocks: Sender<Block>,
    ) -> Self {
        // A record is held as bytes, as text and as output at once, and another worker may hold one as well.
        let max_record = usize::try_from(plan.run.memory / 8).unwrap_or(usize::MAX);
        let block = Block { sequence: 0, pieces: Vec::new(), bytes: 0 };
        Self { plan, progress, credits, blocks, block, max_record }
    }

    /// Reads all files and sends their blocks; ends early when nobody listens or somebody asks to stop.
    pub(crate) fn run(mut self, files: &[InputFile]) {
        let total = files.iter().map(|file| file.size).sum();
        self.progress.total_bytes.store(total, Ordering::Relaxed);
        for file in files {
            if self.progress.is_stopped() || self.file(file).is_err() {
                return;
            }
        }
        // Nobody to feed is no news here: the writer says why it ended.
        let _ = self.send();
    }

    fn file(&mut self, file: &InputFile) -> Result<(), Closed> {
        let mut stream = match Stream::open(file) {
            Ok(stream) => stream,
            Err(error) => return self.fail(file, 0, 0, b"", &format!("cannot read the file: {error}")),
        };
        let source = &self.plan.sources[file.source];
        let block_bytes = usize::try_from(self.plan.run.block_bytes).unwrap_or(usize::MAX).max(1);
        if let Err(error) = stream.fill(SNIFF_BYTES.max(block_bytes)) {
            return self.fail(file, 0, 0, &stream.buffer, &format!("cannot read the file: {error}"));
        }
        let Some(reader) = choose(source, &stream, &file.name) else {
            let head = truncated(&stream.buffer);
            let message = "no reader recognises the format of the file: name one with `use`";
            return self.fail(file, 0, 0, head, message);
        };
        self.records(file, &mut stream, reader, block_bytes)
    }

    /// Cuts a file into pieces.
    fn records(
        &mut self,
        file: &InputFile,
        stream: &mut Stream,
        reader: usize,
        block_bytes: usize,
    ) -> Result<(), Closed> {
        let handle = &self.plan.sources[file.source].readers[reader].handle;
        let mut wanted = block_bytes;
        loop {
            if let Err(error) = stream.fill(wanted) {
                let message = format!("cannot read on from byte {}: {error}", stream.offset);
                return self.fail(file, stream.ordinal, stream.offset, &stream.buffer, &message);
            }
            if stream.buffer.is_empty() && stream.at_end && stream.offset > 0 {
                return Ok(());
            }
            match handle.cut(&stream.buffer, stream.at_end) {
                Ok(Cut::At { bytes, records }) => {
                    self.piece(file, stream, reader, bytes, records)?;
                    wanted = block_bytes;
                    if stream.at_end && stream.buffer.is_empty() {
                        return Ok(());
                    }
                }
                Ok(Cut::More) if stream.at_end || stream.buffer.len() >= self.max_record => {
                    let message = format!(
                        "a record is longer than {}, which is what the memory bound of the run allows; \
                         the rest of the file was not read: raise `memory` in [run]",
                        tamis_config::format_size(self.max_record as u64)
                    );
                    let head = truncated(&stream.buffer);
                    return self.fail(file, stream.ordinal, stream.offset, head, &message);
                }
                Ok(Cut::More) => wanted = (stream.buffer.len() * 2).min(self.max_record),
                Err(failure) => {
                    let head = truncated(&stream.buffer);
                    return self.fail(file, stream.ordinal, stream.offset, head, &failure.to_string());
                }
            }
        }
    }

    fn piece(
        &mut self,
        file: &InputFile,
        stream: &mut Stream,
        reader: usize,
        bytes: usize,
        records: u64,
    ) -> Result<(), Closed> {
        let (offset, first_ordinal) = (stream.offset, stream.ordinal);
        let content = Content::Records { reader, bytes: stream.take(bytes), offset, first_ordinal };
        stream.ordinal += records;
        self.push(file, content, bytes as u64)
    }

    /// Makes a dead letter of what could not be read.
    fn fail(
        &mut self,
        file: &InputFile,
        ordinal: u64,
        offset: u64,
        raw: &[u8],
        message: &str,
    ) -> Result<(), Closed> {
        let mut document = Document::new(format!("{}#{ordinal}", file.name), "");
        document.raw = Some(raw.to_vec());
        document.origin = Origin { file: Arc::clone(&file.name), offset, length: raw.len() as u64, ordinal };
        let record = Record { fate: Fate::Failed(message.to_owned().into()), ..Record::from(document) };
        self.push(file, Content::Failed(Box::new(record)), file.size.saturating_sub(offset))
    }

    fn push(&mut self, file: &InputFile, content: Content, bytes: u64) -> Result<(), Closed> {
        self.block.bytes += bytes;
        self.block.pieces.push(Piece { source: file.source, file: Arc::clone(&file.name), content });
        if self.block.bytes >= self.plan.run.block_bytes {
            return self.send();
        }
        Ok(())
    }

    /// Sends the block, once there is a credit for it.
    fn send(&mut self) -> Result<(), Closed> {
        if self.block.pieces.is_empty() {
            return Ok(());
        }
        self.credits.recv().map_err(|_| Closed)?;
        let next = Block { sequence: self.block.sequence + 1, pieces: Vec::new(), bytes: 0 };
        let block = std::mem::replace(&mut self.block, next);
        self.blocks.send(block).map_err(|_| Closed)
    }
}

/// The reader that is surest that the file is its own; the first in name order among equals.
fn choose(source: &SourcePlan, stream: &Stream, name: &str) -> Option<usize> {
    if source.readers.len() == 1 {
        return Some(0);
    }
    let (head, complete) = match stream.buffer.get(..SNIFF_BYTES) {
        Some(head) if head.len() < stream.buffer.len() || !stream.at_end => (head, false),
        _ => (stream.buffer.as_slice(), stream.at_end),
    };
    let name = name.rsplit('/').next().unwrap_or(name);
    let scores = source.readers.iter().map(|reader| reader.handle.sniff(head, complete, name));
    let best = scores.enumerate().max_by_key(|(index, score)| (*score, std::cmp::Reverse(*index)));
    best.filter(|(_, score)| *score > 0).map(|(index, _)| index)
}

fn truncated(bytes: &[u8]) -> &[u8] {
    bytes.get(..KEPT_OF_TOO_LONG).unwrap_or(bytes)
}

/// A file that is being read, and what of it has not been cut off yet.
struct Stream {
    file: File,
    buffer: Vec<u8>,
    /// Where `buffer` begins in the file.
    offset: u64,
    /// The ordinal of the record that begins there.
    ordinal: u64,
    at_end: bool,
}

impl Stream {
    fn open(file: &InputFile) -> std::io::Result<Self> {
        Ok(Self { file: File::open(&file.path)?, buffer: Vec::new(), offset: 0, ordinal: 0, at_end: false })
    }

    /// Reads until the buffer holds `wanted` bytes or the file ends.
    fn fill(&mut self, wanted: usize) -> std::io::Result<()> {
        if self.at_end || self.buffer.len() >= wanted {
            return Ok(());
        }
        // One byte more than wanted tells the end of a file that ends right there.
        let missing = wanted + 1 - self.buffer.len();
        let read = (&mut self.file).take(missing as u64).read_to_end(&mut self.buffer)?;
        self.at_end = read < missing;
        Ok(())
    }

    /// Takes the first `n` bytes out of the buffer.
    fn take(&mut self, n: usize) -> Vec<u8> {
        let rest = self.buffer.split_off(n);
        self.offset += n as u64;
        std::mem::replace(&mut self.buffer, rest)
    }
}
