//! Messages: where they are in a file, what they say, and what they claim before it is believed.

use arrow_buffer::Buffer;
use arrow_ipc::{Message, MessageHeader, RecordBatch, root_as_message};
use arrow_schema::ArrowError;
use tamis_plugin::{Failure, RandomAccess};

/// The first and the last bytes of a file.
pub(super) const MAGIC: &[u8] = b"ARROW1";

/// What a message begins with.
pub(super) const CONTINUATION: [u8; 4] = [0xFF; 4];

/// The largest description of a schema or a batch, or footer, that is read: some hundred bytes a column, and
/// 24 a batch in the footer, are usual.
pub(super) const MAX_METADATA_BYTES: u64 = 256 << 20;

/// What the columns of a batch take at most, decompressed.
pub(super) const MAX_BATCH_BYTES: u64 = 4 << 30;

/// A message in a file, which it does not leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) offset: u64,
    /// Bytes before the columns: what announces the message, its description, padding.
    pub(super) head: u64,
    /// Bytes of the columns.
    pub(super) body: u64,
}

/// What comes at a place in a stream.
#[derive(Debug)]
pub(super) enum Next {
    /// The stream ends with these bytes.
    End { next: u64 },
    /// There is nothing more.
    Nothing,
    /// The head of a message.
    Head(Vec<u8>),
}

impl Frame {
    /// A message of these sizes.
    ///
    /// # Errors
    ///
    /// When it would not lie before `end`, or is beyond what is read.
    pub(super) fn new(offset: i64, head: i64, body: i64, end: u64) -> Result<Self, Failure> {
        let outside = || {
            damaged(&format_args!(
                "a message of {head} and {body} bytes at {offset}, where the file has {end}"
            ))
        };
        let size = |number: i64| u64::try_from(number).map_err(|_| outside());
        let frame = Self { offset: size(offset)?, head: size(head)?, body: size(body)? };
        frame.end().filter(|own| *own <= end).ok_or_else(outside)?;
        if frame.head > MAX_METADATA_BYTES {
            let head = frame.head;
            let message = format_args!(
                "the description of a batch has {head} bytes; at most {MAX_METADATA_BYTES} are read"
            );
            return Err(Failure::new(message));
        }
        Ok(frame)
    }

    pub(super) fn end(&self) -> Option<u64> {
        self.offset.checked_add(self.head)?.checked_add(self.body)
    }

    pub(super) fn read_head(&self, bytes: &dyn RandomAccess) -> Result<Vec<u8>, Failure> {
        read(bytes, self.offset, self.head)
    }

    /// Reads the columns.
    ///
    /// # Errors
    ///
    /// When there are too many bytes of them, or they cannot be read.
    pub(super) fn read_body(&self, bytes: &dyn RandomAccess) -> Result<Buffer, Failure> {
        if self.body > MAX_BATCH_BYTES {
            return Err(too_large(self.body));
        }
        read(bytes, self.offset + self.head, self.body).map(Buffer::from_vec)
    }
}

/// Reads the head of the message at `offset` of a stream.
///
/// # Errors
///
/// When it does not lie before `end`.
pub(super) fn next(bytes: &dyn RandomAccess, offset: u64, end: u64) -> Result<Next, Failure> {
    let left = end.saturating_sub(offset);
    if left == 0 {
        return Ok(Next::Nothing);
    }
    let start = read(bytes, offset, left.min(8))?;
    let (length, n_start) = match start.split_first_chunk::<4>() {
        Some((&CONTINUATION, rest)) => (rest.first_chunk::<4>(), 8),
        // The form of before 2019.
        Some((length, _)) => (Some(length), 4),
        None => (None, 0),
    };
    let cut = || damaged(&format_args!("it ends within a message, at {end}"));
    let length = i32::from_le_bytes(*length.ok_or_else(cut)?);
    if length == 0 {
        return Ok(Next::End { next: offset + n_start });
    }
    let head = i64::from(length) + n_start as i64;
    if length > 0 && head as u64 > left {
        return Err(cut());
    }
    let frame = Frame::new(i64::try_from(offset).map_err(Failure::new)?, head, 0, end)?;
    frame.read_head(bytes).map(Next::Head)
}

/// The message in its head.
///
/// # Errors
///
/// When it makes no sense.
pub(super) fn parse(head: &[u8]) -> Result<Message<'_>, ArrowError> {
    let n_start = if head.starts_with(&CONTINUATION) { 8 } else { 4 };
    let message = head.get(n_start..).unwrap_or_default();
    root_as_message(message).map_err(|error| ArrowError::ParseError(format!("no message: {error}")))
}

/// Whether these bytes, a message cut off or not, begin a stream.
pub(super) fn begins_stream(head: &[u8]) -> bool {
    let Some((&CONTINUATION, rest)) = head.split_first_chunk::<4>() else { return false };
    let Some((length, rest)) = rest.split_first_chunk::<4>() else { return false };
    match usize::try_from(i32::from_le_bytes(*length)) {
        Ok(0) | Err(_) => false,
        Ok(length) => match rest.get(..length) {
            Some(_) => {
                guarded(|| Ok(parse(head)?.header_type())).is_ok_and(|kind| kind == MessageHeader::Schema)
            }
            None => length.is_multiple_of(8) && length as u64 <= MAX_METADATA_BYTES,
        },
    }
}

/// The rows that a batch claims to have.
///
/// # Errors
///
/// When the columns could not hold so many, or hold some where the batch claims none: one damaged number must not
/// make a batch look like an empty one, which nobody misses.
pub(super) fn claimed_rows(batch: &RecordBatch<'_>, body: u64, has_runs: bool) -> Result<u64, Failure> {
    let most = if batch.compression().is_some() { body.saturating_mul(MAX_RATIO) } else { body };
    let rows = batch.length();
    let column = batch.nodes().filter(|nodes| !nodes.is_empty()).map(|nodes| nodes.get(0).length());
    if rows == 0 && body > 0 && column != Some(0) {
        return Err(damaged(&format_args!("a batch of no rows has {body} bytes of columns")));
    }
    match u64::try_from(rows) {
        Ok(rows) if rows <= most_rows(most, has_runs) => Ok(rows),
        _ => Err(damaged(&format_args!("a batch of {rows} rows in {body} bytes"))),
    }
}

/// How many rows there can be in so many bytes, decompressed.
pub(super) fn most_rows(bytes: u64, has_runs: bool) -> u64 {
    // A run takes the same bytes however long it is; otherwise a boolean takes a bit.
    if has_runs { i32::MAX.unsigned_abs().into() } else { bytes.saturating_mul(8) }
}

/// The bytes that a batch takes, decompressed, by what its columns claim, if it is so small that reading them now
/// costs little; without a claim, what text usually takes.
///
/// A large one is decoded as a whole in any case, and its parts together take no more than it does.
pub(super) fn claimed_bytes(batch: &RecordBatch<'_>, frame: Frame, bytes: &dyn RandomAccess) -> u64 {
    /// Text is compressed to between a half and a quarter.
    const USUAL_RATIO: u64 = 4;
    const SMALL: u64 = 1 << 20;
    if batch.compression().is_none() {
        return frame.body;
    }
    let body = (frame.body <= SMALL).then(|| frame.read_body(bytes).ok()).flatten();
    let claimed = body.and_then(|body| check_columns(batch, &body).ok());
    claimed.unwrap_or(frame.body.saturating_mul(USUAL_RATIO))
}

/// A block of Zstandard that repeats one byte makes 128 KiB of 4 bytes; LZ4 packs less tightly.
const MAX_RATIO: u64 = 1 << 15;

/// Checks what a batch says about its columns, before anything is allocated by it; returns the bytes that
/// they take, decompressed.
///
/// # Errors
///
/// When a column lies outside, or takes more than is possible or read.
pub(super) fn check_columns(batch: &RecordBatch<'_>, body: &[u8]) -> Result<u64, Failure> {
    /// More values than that no array has.
    const MAX_VALUES: i64 = 1 << 40;
    for node in batch.nodes().into_iter().flatten() {
        let (length, nulls) = (node.length(), node.null_count());
        if !(0..=MAX_VALUES).contains(&length) || !(0..=length).contains(&nulls) {
            return Err(damaged(&format_args!("a column of {length} values, {nulls} of them null")));
        }
    }
    let is_compressed = batch.compression().is_some();
    let mut sum = 0_u64;
    for buffer in batch.buffers().into_iter().flatten() {
        let (offset, length) = (buffer.offset(), buffer.length());
        let slice = usize::try_from(offset)
            .ok()
            .zip(usize::try_from(length).ok())
            .and_then(|(start, length)| body.get(start..start.checked_add(length)?));
        let slice = slice.ok_or_else(|| {
            damaged(&format_args!(
                "a column of {length} bytes at {offset}, where the batch has {}",
                body.len()
            ))
        })?;
        let size = if is_compressed { decompressed_size(slice)? } else { slice.len() as u64 };
        sum = sum.saturating_add(size);
        if sum > MAX_BATCH_BYTES {
            return Err(too_large(sum));
        }
    }
    Ok(sum)
}

/// The size that a compressed column claims to have, if it can be true.
fn decompressed_size(column: &[u8]) -> Result<u64, Failure> {
    if column.is_empty() {
        return Ok(0);
    }
    let wrong = |size: i64| damaged(&format_args!("{size} bytes, compressed to {}", column.len()));
    let (size, stored) = column.split_first_chunk::<8>().ok_or_else(|| wrong(0))?;
    let size = i64::from_le_bytes(*size);
    if size == -1 {
        return Ok(stored.len() as u64);
    }
    u64::try_from(size)
        .ok()
        .filter(|size| *size <= (stored.len() as u64).saturating_mul(MAX_RATIO))
        .ok_or_else(|| wrong(size))
}

fn too_large(size: u64) -> Failure {
    Failure::new(format_args!(
        "a batch of {size} bytes; at most {MAX_BATCH_BYTES} are read: write it in batches of fewer rows"
    ))
}

/// Reads bytes, but allocates no more than there are.
pub(super) fn read(bytes: &dyn RandomAccess, offset: u64, length: u64) -> Result<Vec<u8>, Failure> {
    let left = bytes.size().saturating_sub(offset);
    let length = usize::try_from(length)
        .ok()
        .filter(|length| *length as u64 <= left)
        .ok_or_else(|| damaged(&format_args!("{length} bytes at {offset}, where {left} are left")))?;
    let mut buffer = vec![0; length];
    bytes.read_at(offset, &mut buffer).map_err(Failure::new)?;
    Ok(buffer)
}

pub(super) fn damaged(why: &impl std::fmt::Display) -> Failure {
    Failure::new(format_args!("damaged: {why}"))
}

/// Runs calls into the library, which may panic on damaged input.
pub(super) fn guarded<T>(call: impl FnOnce() -> Result<T, ArrowError>) -> Result<T, Failure> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(call))
        .map_err(|_| damaged(&"its description makes no sense"))?
        .map_err(|error| damaged(&error))
}
