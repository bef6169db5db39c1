//! Where the batches of a file are: from its footer, or from one message to the next.

use std::sync::Arc;

use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::{Block, Message, MessageHeader, root_as_footer};
use arrow_schema::{ArrowError, DataType, Schema, SchemaRef};
use tamis_plugin::{Failure, RandomAccess};

use super::dictionaries::Dictionaries;
use super::message::{
    Frame, MAGIC, MAX_METADATA_BYTES, Next, claimed_bytes, claimed_rows, damaged, guarded, next, parse, read,
};

/// What a file is made of.
#[derive(Debug)]
pub(super) struct Index {
    pub(super) schema: SchemaRef,
    pub(super) pieces: Vec<Piece>,
    pub(super) dictionaries: Dictionaries,
    /// Whether a column is stored in runs, of which each stands for any number of rows.
    pub(super) has_runs: bool,
}

/// Rows of a file.
#[derive(Debug)]
pub(super) enum Piece {
    Batch(Batch),
    /// Rows that cannot be read; how many there were is seldom known, and 1 stands for that.
    Damaged {
        rows: u64,
        why: Failure,
    },
}

/// A record batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Batch {
    pub(super) frame: Frame,
    pub(super) rows: u64,
    /// Bytes of its columns, decompressed, as far as is known.
    pub(super) size: u64,
    /// The state of the dictionaries.
    pub(super) generation: u64,
}

impl Index {
    fn new(schema: SchemaRef) -> Self {
        let has_runs = schema.fields().iter().any(|field| has_runs(field.data_type()));
        Self { schema, pieces: Vec::new(), dictionaries: Dictionaries::default(), has_runs }
    }

    /// Finds the batches of a file or a stream.
    ///
    /// # Errors
    ///
    /// When it is neither, or its schema cannot be read.
    pub(super) fn of(bytes: &dyn RandomAccess) -> Result<Self, Failure> {
        let size = bytes.size();
        let start = read(bytes, 0, size.min(8))?;
        if start.starts_with(b"FEA1") {
            let message = "a Feather file of version 1: write it again with a library of this decade";
            return Err(Failure::new(message));
        }
        if !start.starts_with(MAGIC) {
            return Scan { bytes, at: 0, end: size, is_file: false }.run();
        }
        let why = match footer(bytes) {
            Ok(footer) => match Self::of_footer(bytes, &footer) {
                Ok(index) => return Ok(index),
                Err(why) => why,
            },
            Err(why) => why,
        };
        // What stands between the magics is a stream.
        let at = first_message(bytes)?;
        Scan { bytes, at, end: size, is_file: true }.run().map_err(|_| why)
    }

    fn of_footer(bytes: &dyn RandomAccess, footer: &[u8]) -> Result<Self, Failure> {
        let (schema, dictionaries, batches) = guarded(|| {
            let footer = root_as_footer(footer).map_err(|error| ArrowError::ParseError(error.to_string()))?;
            let schema = footer.schema().ok_or_else(|| ArrowError::ParseError("no schema".to_owned()))?;
            let blocks = |blocks: Option<_>| blocks.into_iter().flatten().copied().collect::<Vec<Block>>();
            // Of a missing vector nothing is known: no batches are an empty one.
            let batches =
                footer.recordBatches().ok_or_else(|| ArrowError::ParseError("no batches".to_owned()))?;
            Ok((schema_of(schema)?, blocks(footer.dictionaries()), blocks(Some(batches))))
        })?;
        let mut index = Self::new(schema);
        let mut sum = 0_u64;
        for (block, is_batch) in
            dictionaries.iter().map(|block| (block, false)).chain(batches.iter().map(|block| (block, true)))
        {
            let size = bytes.size();
            let frame = Frame::new(block.offset(), block.metaDataLength().into(), block.bodyLength(), size)?;
            // Or a small file could stand for any number of documents.
            sum = sum.saturating_add(frame.head + frame.body);
            if sum > size || frame.head == 0 {
                return Err(damaged(&"the footer names bytes more than once"));
            }
            match (index.add(bytes, frame, false), is_batch) {
                (Ok(()), _) => {}
                (Err(why), true) => index.pieces.push(Piece::Damaged { rows: 1, why }),
                (Err(why), false) => return Err(why),
            }
        }
        Ok(index)
    }

    /// Adds what a message of the footer is.
    fn add(&mut self, bytes: &dyn RandomAccess, frame: Frame, replaces: bool) -> Result<(), Failure> {
        let head = frame.read_head(bytes)?;
        let content = guarded(|| Ok(Content::of(&parse(&head)?, frame, bytes, self.has_runs)))?;
        self.put(content?, frame, replaces);
        Ok(())
    }

    fn put(&mut self, content: Content, frame: Frame, replaces: bool) {
        let generation = self.dictionaries.generation();
        match content {
            Content::Batch { rows: 0, .. } | Content::Schema => {}
            Content::Batch { rows, size } => {
                self.pieces.push(Piece::Batch(Batch { frame, rows, size, generation }));
            }
            Content::Dictionary { id, is_delta } => self.dictionaries.push(id, is_delta, frame, replaces),
        }
    }
}

/// What a message holds.
#[derive(Debug, Clone, Copy)]
enum Content {
    Schema,
    Dictionary { id: i64, is_delta: bool },
    Batch { rows: u64, size: u64 },
}

impl Content {
    fn of(
        message: &Message<'_>,
        frame: Frame,
        bytes: &dyn RandomAccess,
        has_runs: bool,
    ) -> Result<Self, Failure> {
        if message.header_type() == MessageHeader::Schema {
            return Ok(Self::Schema);
        }
        if let Some(batch) = message.header_as_record_batch() {
            let rows = claimed_rows(&batch, frame.body, has_runs)?;
            return Ok(Self::Batch { rows, size: claimed_bytes(&batch, frame, bytes) });
        }
        if let Some(dictionary) = message.header_as_dictionary_batch() {
            return Ok(Self::Dictionary { id: dictionary.id(), is_delta: dictionary.isDelta() });
        }
        let kind = message.header_type().variant_name().unwrap_or("unknown");
        Err(Failure::new(format_args!("a message of kind `{kind}` holds no rows")))
    }
}

/// Whether values are stored in runs.
fn has_runs(data_type: &DataType) -> bool {
    match data_type {
        DataType::RunEndEncoded(..) => true,
        DataType::Struct(members) => members.iter().any(|member| has_runs(member.data_type())),
        _ => false,
    }
}

/// The columns, if this machine can read them.
fn schema_of(schema: arrow_ipc::Schema<'_>) -> Result<SchemaRef, ArrowError> {
    if !schema.endianness().equals_to_target_endianness() {
        let message = "a file of the other byte order: write it again on a machine of today";
        return Err(ArrowError::IpcError(message.to_owned()));
    }
    try_fb_to_schema(schema).map(Arc::new)
}

/// The footer of a file.
fn footer(bytes: &dyn RandomAccess) -> Result<Vec<u8>, Failure> {
    /// Length and magic.
    const END: u64 = 10;
    let size = bytes.size();
    if size < END + 8 {
        return Err(Failure::new(format_args!("an Arrow file that was cut off after {size} bytes")));
    }
    let end = read(bytes, size - END, END)?;
    let (length, magic) = end.split_at(4);
    if magic != MAGIC {
        return Err(Failure::new("an Arrow file that was cut off: it does not end in `ARROW1`"));
    }
    let length = i32::from_le_bytes(length.try_into().expect("four bytes"));
    let length = u64::try_from(length)
        .ok()
        .filter(|length| *length <= (size - END).min(MAX_METADATA_BYTES))
        .ok_or_else(|| damaged(&format_args!("a footer of {length} bytes in a file of {size}")))?;
    read(bytes, size - END - length, length)
}

/// Where the first message of a file is: behind the magic, padded with zeros.
fn first_message(bytes: &dyn RandomAccess) -> Result<u64, Failure> {
    let start = read(bytes, 0, bytes.size().min(128))?;
    let n_zeros = start.iter().skip(MAGIC.len()).take_while(|byte| **byte == 0).count();
    let after = MAGIC.len() + n_zeros;
    // Before 2019 a message began with its length, which may begin with a zero byte.
    Ok((after - after % 8) as u64)
}

/// Goes through a stream, message by message.
struct Scan<'a> {
    bytes: &'a dyn RandomAccess,
    at: u64,
    end: u64,
    /// Whether the stream is that of a file, which has an end and a footer behind it.
    is_file: bool,
}

impl Scan<'_> {
    fn run(mut self) -> Result<Index, Failure> {
        let Next::Head(head) = next(self.bytes, self.at, self.end)? else {
            return Err(Failure::new("no Arrow file and no stream: it does not begin with a schema"));
        };
        let schema = guarded(|| read_schema(&head))?;
        self.at += head.len() as u64;
        let mut index = Index::new(schema);
        loop {
            match self.step(&mut index) {
                Ok(true) => {}
                Ok(false) => return Ok(index),
                Err((rows, why)) => {
                    index.pieces.push(Piece::Damaged { rows, why });
                    return Ok(index);
                }
            }
        }
    }

    /// Takes the next message; says whether there may be more.
    ///
    /// # Errors
    ///
    /// When it is damaged, and with it the way to those behind it; with the rows that are lost, or 1.
    fn step(&mut self, index: &mut Index) -> Result<bool, (u64, Failure)> {
        let head = match next(self.bytes, self.at, self.end).map_err(|why| (1, why))? {
            Next::Head(head) => head,
            Next::End { .. } if self.is_file => return Ok(false),
            Next::Nothing if self.is_file => return Err((1, Failure::new("the file was cut off here"))),
            Next::Nothing => return Ok(false),
            Next::End { next } => {
                self.at = next;
                // Another stream may follow; fewer bytes are the padding of an archive or a disk.
                return self.another(index).map_err(|why| (1, why));
            }
        };
        let body = guarded(|| Ok(parse(&head)?.bodyLength())).map_err(|why| (1, why))?;
        let offset = i64::try_from(self.at).unwrap_or(i64::MAX);
        let frame = Frame::new(offset, head.len() as i64, body, self.end);
        // The description of a batch that was cut off says what is lost with it.
        let whole = frame.clone().unwrap_or(Frame {
            offset: self.at,
            head: head.len() as u64,
            body: body.max(0).unsigned_abs(),
        });
        let content = guarded(|| Ok(Content::of(&parse(&head)?, whole, self.bytes, index.has_runs)))
            .map_err(|why| (1, why))?;
        let rows = match &content {
            Ok(Content::Batch { rows, .. }) => (*rows).max(1),
            _ => 1,
        };
        let frame = frame.map_err(|why| (rows, why))?;
        self.at = frame.end().unwrap_or(self.end);
        match content {
            Ok(Content::Schema) => return Err((1, Failure::new("a second schema within a stream"))),
            Ok(content) => index.put(content, frame, true),
            Err(why) => index.pieces.push(Piece::Damaged { rows: 1, why }),
        }
        Ok(true)
    }

    /// Enters the stream that follows one that has ended, if it has the same columns.
    fn another(&mut self, index: &Index) -> Result<bool, Failure> {
        const MIN_MESSAGE: u64 = 8;
        let left = self.end - self.at;
        if left < MIN_MESSAGE {
            return Ok(false);
        }
        let other = || Failure::new(format_args!("{left} bytes behind the end of the stream are none of it"));
        let Ok(Next::Head(head)) = next(self.bytes, self.at, self.end) else { return Err(other()) };
        let schema = guarded(|| read_schema(&head)).map_err(|_| other())?;
        if schema.fields() != index.schema.fields() {
            return Err(Failure::new("a second stream with other columns: keep it in a file of its own"));
        }
        self.at += head.len() as u64;
        Ok(true)
    }
}

fn read_schema(head: &[u8]) -> Result<Arc<Schema>, ArrowError> {
    let message = parse(head)?;
    let schema = message.header_as_schema();
    schema_of(schema.ok_or_else(|| ArrowError::ParseError("it does not begin with a schema".to_owned()))?)
}
