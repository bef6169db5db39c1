//! The reader: the footer says which parts there are, a part is some rows of a row group.

use std::io::{BufReader, Read};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread;

use arrow_array::RecordBatch;
use arrow_schema::{DataType, FieldRef, Fields, Schema, TimeUnit};
use bytes::Bytes;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
};
use parquet::basic::Type as PhysicalType;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::RowGroupMetaData;
use parquet::file::reader::{ChunkReader, Length};
use tamis_plugin::{Emit, Failure, FileReader, RandomAccess, SetupError, Split};

use super::measure::{self, Group};
use super::options::ParquetOptions;
use crate::columns::Columns;
use crate::parts::{MIN_ROW_BYTES, Part};

/// The reader of Parquet files.
#[derive(Debug)]
pub struct Parquet {
    columns: Columns,
}

/// The footer of a file, and the columns that are read.
#[derive(Debug)]
pub struct ParquetFile {
    metadata: ArrowReaderMetadata,
    /// Top-level columns.
    wanted: Vec<usize>,
}

impl FileReader for Parquet {
    const NAME: &'static str = "parquet";
    const WRITES: &'static [&'static str] = &["text", "raw", "*"];
    type Options = ParquetOptions;
    type File = ParquetFile;

    fn open(options: ParquetOptions) -> Result<Self, SetupError> {
        Ok(Self { columns: Columns::new(options.fields, options.metadata, options.rename, options.spread)? })
    }

    fn sniff(&self, head: &[u8], _complete: bool, name: &str) -> u8 {
        match (head.starts_with(MAGIC) || head.starts_with(MAGIC_ENCRYPTED), name.ends_with(".parquet")) {
            (true, _) => 95,
            (false, true) => 60,
            (false, false) => 0,
        }
    }

    fn index(
        &self,
        bytes: &dyn RandomAccess,
        target_bytes: u64,
    ) -> Result<(ParquetFile, Vec<Split>), Failure> {
        check_footer(bytes)?;
        let metadata = guarded(|| load(bytes))?;
        let fields = metadata.schema().fields();
        self.columns.check(fields)?;
        let wanted = (0..fields.len()).filter(|index| self.columns.wants(fields[*index].name())).collect();
        let file = ParquetFile { metadata, wanted };
        let splits = splits(&file, bytes, target_bytes)?;
        Ok((file, splits))
    }

    fn decode(
        &self,
        file: &ParquetFile,
        bytes: &dyn RandomAccess,
        split: &Split,
        emit: &mut dyn Emit,
    ) -> Result<(), Failure> {
        let mut ordinal = split.first_ordinal;
        let batches = |batch: RecordBatch| {
            self.columns.emit(&batch, ordinal, emit);
            ordinal += batch.num_rows() as u64;
        };
        beside(bytes, batches, |sender| decode_rows(file, split, &sender))?
            .map_err(|error| damaged(&error))?;
        let n_read = ordinal - split.first_ordinal;
        if n_read < split.records {
            let due = split.records;
            return Err(Failure::new(format_args!("damaged: it ends after {n_read} of {due} rows")));
        }
        Ok(())
    }
}

/// Reads the footer. Moments that are written as INT96 are read as microseconds: as nanoseconds, which is what the
/// library takes them for, those beyond the year 2262 come out centuries off.
fn load(bytes: &dyn RandomAccess) -> ParquetResult<ArrowReaderMetadata> {
    let metadata = ArrowReaderMetadata::load(&Direct(bytes), ArrowReaderOptions::new())?;
    let schema = metadata.parquet_schema();
    let mut is_int96 = vec![false; metadata.schema().fields().len()];
    for leaf in 0..schema.num_columns() {
        if schema.column(leaf).physical_type() == PhysicalType::INT96
            && let Some(root) = is_int96.get_mut(schema.get_column_root_idx(leaf))
        {
            *root = true;
        }
    }
    if !is_int96.contains(&true) {
        return Ok(metadata);
    }
    let fields = metadata.schema().fields().iter().zip(is_int96);
    let fields: Fields =
        fields.map(|(field, is)| if is { in_microseconds(field) } else { Arc::clone(field) }).collect();
    let wanted = Schema::new_with_metadata(fields, metadata.schema().metadata().clone());
    ArrowReaderMetadata::try_new(
        Arc::clone(metadata.metadata()),
        ArrowReaderOptions::new().with_schema(Arc::new(wanted)),
    )
}

/// A column with moments of microseconds in place of nanoseconds, however deep.
fn in_microseconds(field: &FieldRef) -> FieldRef {
    let data_type = match field.data_type() {
        DataType::Timestamp(TimeUnit::Nanosecond, zone) => {
            DataType::Timestamp(TimeUnit::Microsecond, zone.clone())
        }
        DataType::List(item) => DataType::List(in_microseconds(item)),
        DataType::Map(entries, is_sorted) => DataType::Map(in_microseconds(entries), *is_sorted),
        DataType::Struct(members) => DataType::Struct(members.iter().map(in_microseconds).collect()),
        other => other.clone(),
    };
    Arc::new(field.as_ref().clone().with_data_type(data_type))
}

const MAGIC: &[u8] = b"PAR1";
const MAGIC_ENCRYPTED: &[u8] = b"PARE";

/// The largest footer that is read: some kilobytes a column of a row group are usual.
const MAX_FOOTER_BYTES: u64 = 256 << 20;

fn damaged(why: &impl std::fmt::Display) -> Failure {
    Failure::new(format_args!("damaged: {why}"))
}

/// Runs a call into the library, which may panic on damaged input.
fn guarded<T>(call: impl FnOnce() -> ParquetResult<T>) -> Result<T, Failure> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(call))
        .map_err(|_| damaged(&"the footer makes no sense"))?
        .map_err(|error| damaged(&error))
}

/// Checks the end of a file before anything is allocated by what it says.
fn check_footer(bytes: &dyn RandomAccess) -> Result<(), Failure> {
    let size = bytes.size();
    if size < 12 {
        return Err(Failure::new(format_args!("{size} bytes are no Parquet file, which has at least 12")));
    }
    let mut end = [0; 8];
    bytes.read_at(size - 8, &mut end).map_err(Failure::new)?;
    let (length, magic) = end.split_at(4);
    if magic == MAGIC_ENCRYPTED {
        return Err(Failure::new("an encrypted Parquet file: decrypt it first"));
    }
    if magic != MAGIC {
        return Err(Failure::new("no Parquet file, or one that was cut off: it does not end in `PAR1`"));
    }
    let length = u64::from(u32::from_le_bytes(length.try_into().expect("four bytes")));
    if length > size - 12 {
        let message = format_args!("damaged: a footer of {length} bytes in a file of {size}");
        return Err(Failure::new(message));
    }
    if length > MAX_FOOTER_BYTES {
        let message = format_args!("a footer of {length} bytes; at most {MAX_FOOTER_BYTES} are read");
        return Err(Failure::new(message));
    }
    Ok(())
}

/// Cuts row groups into parts of about `target_bytes`.
fn splits(file: &ParquetFile, bytes: &dyn RandomAccess, target_bytes: u64) -> Result<Vec<Split>, Failure> {
    let mut groups = Vec::new();
    for (index, metadata) in file.metadata.metadata().row_groups().iter().enumerate() {
        let rows = u64::try_from(metadata.num_rows())
            .map_err(|_| damaged(&format_args!("row group {index} has {} rows", metadata.num_rows())))?;
        if rows == 0 {
            continue;
        }
        let (stored, decoded) = group_bytes(file, metadata, bytes.size())
            .ok_or_else(|| damaged(&format_args!("row group {index} lies outside the file")))?;
        let row_bytes = (decoded / rows).max(MIN_ROW_BYTES);
        groups.push((index, stored, Group { metadata, rows, row_bytes, target_bytes }));
    }
    let mut splits = Vec::new();
    let mut first_ordinal = 0_u64;
    let parts = parts(file, bytes, &groups)?;
    for ((index, stored, group), parts) in groups.iter().zip(parts) {
        let mut row = 0;
        for Part { rows, weight } in parts {
            splits.push(Split {
                first_ordinal,
                records: rows,
                weight,
                bytes: (u128::from(*stored) * u128::from(rows) / u128::from(group.rows)) as u64,
                token: [*index as u64, row],
            });
            row += rows;
            first_ordinal = first_ordinal
                .checked_add(rows)
                .ok_or_else(|| damaged(&"it has more rows than can be counted"))?;
        }
    }
    Ok(splits)
}

/// The parts of each row group.
fn parts(
    file: &ParquetFile,
    bytes: &dyn RandomAccess,
    groups: &[(usize, u64, Group<'_>)],
) -> Result<Vec<Vec<Part>>, Failure> {
    let schema = file.metadata.parquet_schema();
    let is_wanted = |leaf| file.wanted.contains(&schema.get_column_root_idx(leaf));
    let suspects: Vec<_> = groups.iter().map(|(_, _, group)| group.suspects(is_wanted)).collect();
    if suspects.iter().all(Vec::is_empty) {
        return Ok(groups.iter().map(|(_, _, group)| group.even()).collect());
    }
    let measure = |sender: SyncSender<Message>| {
        let measured = groups.iter().zip(&suspects).map(|((index, _, group), suspects)| {
            let remote = Arc::new(Remote { size: split_end(file, *index), sender: sender.clone() });
            let measured =
                || if suspects.is_empty() { Ok(group.even()) } else { group.measured(&remote, suspects) };
            // Whoever decodes a damaged group says so; the other groups are read.
            guarded(measured).unwrap_or_else(|_| group.even())
        });
        measured.collect()
    };
    beside(bytes, |_| {}, measure)
}

/// Bytes of the wanted columns of a row group, stored and decoded; none if they are not in the file.
fn group_bytes(file: &ParquetFile, group: &RowGroupMetaData, size: u64) -> Option<(u64, u64)> {
    let schema = file.metadata.parquet_schema();
    let (mut stored, mut decoded) = (0_u64, 0_u64);
    for (leaf, column) in group.columns().iter().enumerate() {
        let start = column.dictionary_page_offset().unwrap_or_else(|| column.data_page_offset());
        let (start, length) = (u64::try_from(start).ok()?, u64::try_from(column.compressed_size()).ok()?);
        if start.checked_add(length)? > size {
            return None;
        }
        if file.wanted.contains(&schema.get_column_root_idx(leaf)) {
            u64::try_from(column.uncompressed_size()).ok()?;
            stored = stored.checked_add(length)?;
            decoded = decoded.checked_add(measure::decoded(column))?;
        }
    }
    Some((stored, decoded))
}

/// Runs `work` on a thread of its own, which reads the file through this one; hands on the batches that it sends.
///
/// # Errors
///
/// When it panics.
fn beside<T: Send>(
    bytes: &dyn RandomAccess,
    batches: impl FnMut(RecordBatch),
    work: impl FnOnce(SyncSender<Message>) -> T + Send,
) -> Result<T, Failure> {
    let (sender, requests) = sync_channel(2);
    thread::scope(|scope| {
        let worker = scope.spawn(move || work(sender));
        serve(bytes, requests, batches);
        worker.join().map_err(|_| damaged(&"its pages make no sense"))
    })
}

/// Decodes the rows of a part and sends them; ends early when nobody wants them any more.
fn decode_rows(file: &ParquetFile, split: &Split, sender: &SyncSender<Message>) -> ParquetResult<()> {
    /// Rows decoded together take about this much, or are one.
    const BATCH_BYTES: u64 = 1 << 20;
    let to_size = |number: u64| {
        usize::try_from(number).map_err(|_| ParquetError::General(format!("{number} rows are too many")))
    };
    let [group, row] = split.token;
    let row_bytes = (split.weight / split.records.max(1)).max(1);
    let rows = Remote { size: split_end(file, to_size(group)?), sender: sender.clone() };
    let reader = ParquetRecordBatchReaderBuilder::new_with_metadata(rows, file.metadata.clone())
        .with_row_groups(vec![to_size(group)?])
        .with_projection(ProjectionMask::roots(file.metadata.parquet_schema(), file.wanted.iter().copied()))
        .with_offset(to_size(row)?)
        .with_limit(to_size(split.records)?)
        .with_batch_size(to_size((BATCH_BYTES / row_bytes).clamp(1, 1024))?)
        .build()?;
    for batch in reader {
        if sender.send(Message::Batch(batch?)).is_err() {
            break;
        }
    }
    Ok(())
}

/// Where the columns of a row group end; checked to lie in the file.
fn split_end(file: &ParquetFile, group: usize) -> u64 {
    let columns = file.metadata.metadata().row_groups().get(group).map(RowGroupMetaData::columns);
    let ends = columns.unwrap_or_default().iter().map(|column| {
        let (start, length) = column.byte_range();
        start + length
    });
    ends.max().unwrap_or_default()
}

/// From the decoder to the thread that holds the file: the library wants a file that lives for ever, and a
/// borrowed one does not.
enum Message {
    Read { offset: u64, length: usize, reply: Sender<std::io::Result<Bytes>> },
    Batch(RecordBatch),
}

/// Answers the decoder until it is done.
fn serve(bytes: &dyn RandomAccess, requests: Receiver<Message>, mut emit: impl FnMut(RecordBatch)) {
    for message in requests {
        match message {
            Message::Batch(batch) => emit(batch),
            // A decoder that has given up needs no answer.
            Message::Read { offset, length, reply } => drop(reply.send(read(bytes, offset, length))),
        }
    }
}

/// Reads bytes, but allocates no more than there are.
fn read(bytes: &dyn RandomAccess, offset: u64, length: usize) -> std::io::Result<Bytes> {
    let left = bytes.size().saturating_sub(offset);
    if length as u64 > left {
        let message = format!("{length} bytes at {offset}, where {left} are left");
        return Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, message));
    }
    let mut buffer = vec![0; length];
    bytes.read_at(offset, &mut buffer)?;
    Ok(buffer.into())
}

/// A file in the hands of another thread.
struct Remote {
    size: u64,
    sender: SyncSender<Message>,
}

impl Length for Remote {
    fn len(&self) -> u64 {
        self.size
    }
}

impl ChunkReader for Remote {
    type T = BufReader<RemoteRead>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        /// Room for the header of a page and a small page.
        const READ_AHEAD: usize = 64 << 10;
        let left = self.size.saturating_sub(start);
        let read = RemoteRead { sender: self.sender.clone(), at: start, left };
        Ok(BufReader::with_capacity(READ_AHEAD, read))
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        ask(&self.sender, start, length).map_err(Into::into)
    }
}

fn ask(sender: &SyncSender<Message>, offset: u64, length: usize) -> std::io::Result<Bytes> {
    let gone = |_| std::io::Error::other("the reader has stopped");
    let (reply, answer) = channel();
    sender
        .send(Message::Read { offset, length, reply })
        .map_err(|_| std::io::Error::other("the reader has stopped"))?;
    answer.recv().map_err(gone)?
}

/// Reads on from a place in a file in the hands of another thread.
struct RemoteRead {
    sender: SyncSender<Message>,
    at: u64,
    left: u64,
}

impl Read for RemoteRead {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if length == 0 {
            return Ok(0);
        }
        let bytes = ask(&self.sender, self.at, length)?;
        buffer[..length].copy_from_slice(&bytes);
        self.at += length as u64;
        self.left -= length as u64;
        Ok(length)
    }
}

/// A file read on the spot.
struct Direct<'a>(&'a dyn RandomAccess);

impl Length for Direct<'_> {
    fn len(&self) -> u64 {
        self.0.size()
    }
}

impl ChunkReader for Direct<'_> {
    type T = std::io::Cursor<Bytes>;

    fn get_read(&self, start: u64) -> ParquetResult<Self::T> {
        let left = self.0.size().saturating_sub(start).min(MAX_FOOTER_BYTES);
        self.get_bytes(start, left as usize).map(std::io::Cursor::new)
    }

    fn get_bytes(&self, start: u64, length: usize) -> ParquetResult<Bytes> {
        read(self.0, start, length).map_err(Into::into)
    }
}
