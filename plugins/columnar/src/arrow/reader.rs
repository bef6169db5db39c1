//! The reader: a part is some rows of a record batch.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arrow_array::RecordBatch;
use arrow_ipc::reader::RecordBatchDecoder;
use arrow_schema::ArrowError;
use tamis_plugin::{Emit, Failure, FileReader, RandomAccess, SetupError, Split};

use super::index::{Batch, Index, Piece};
use super::message::{MAGIC, begins_stream, check_columns, damaged, guarded, parse};
use super::options::ArrowOptions;
use crate::columns::Columns;

/// The reader of Arrow IPC files and streams.
#[derive(Debug)]
pub struct Arrow {
    columns: Columns,
}

/// The batches of a file, and the columns that are read.
#[derive(Debug)]
pub struct ArrowFile {
    index: Index,
    /// Top-level columns.
    wanted: Vec<usize>,
    recent: Recent,
}

impl FileReader for Arrow {
    const NAME: &'static str = "arrow";
    const WRITES: &'static [&'static str] = &["text", "raw", "*"];
    type Options = ArrowOptions;
    type File = ArrowFile;

    fn open(options: ArrowOptions) -> Result<Self, SetupError> {
        Ok(Self { columns: Columns::new(options.fields, options.metadata, options.rename, options.spread)? })
    }

    fn sniff(&self, head: &[u8], _complete: bool, name: &str) -> u8 {
        if head.starts_with(MAGIC) {
            return 100;
        }
        if begins_stream(head) {
            return 90;
        }
        let extension = std::path::Path::new(name).extension().and_then(|extension| extension.to_str());
        if matches!(extension, Some("arrow" | "arrows" | "feather" | "ipc")) { 60 } else { 0 }
    }

    fn index(&self, bytes: &dyn RandomAccess, target_bytes: u64) -> Result<(ArrowFile, Vec<Split>), Failure> {
        let index = Index::of(bytes)?;
        let fields = index.schema.fields();
        self.columns.check(fields)?;
        let wanted = (0..fields.len()).filter(|index| self.columns.wants(fields[*index].name())).collect();
        let splits = splits(&index.pieces, target_bytes)?;
        Ok((ArrowFile { index, wanted, recent: Recent::default() }, splits))
    }

    fn decode(
        &self,
        file: &ArrowFile,
        bytes: &dyn RandomAccess,
        split: &Split,
        emit: &mut dyn Emit,
    ) -> Result<(), Failure> {
        let [piece, row] = split.token.map(|number| usize::try_from(number).unwrap_or(usize::MAX));
        let batch = match file.index.pieces.get(piece) {
            Some(Piece::Batch(batch)) => batch,
            Some(Piece::Damaged { why, .. }) => return Err(why.clone()),
            None => return Err(Failure::new("a part of another file")),
        };
        let rows = if split.records < batch.rows {
            file.recent.take(piece, || file.read(batch, bytes))?
        } else {
            file.read(batch, bytes)?
        };
        let n_rows = usize::try_from(split.records).unwrap_or(usize::MAX);
        if row.checked_add(n_rows).is_none_or(|end| end > rows.num_rows()) {
            return Err(Failure::new("a part of another file"));
        }
        self.columns.emit(&rows.slice(row, n_rows), split.first_ordinal, emit);
        Ok(())
    }
}

/// Cuts batches into parts of about `target_bytes`.
fn splits(pieces: &[Piece], target_bytes: u64) -> Result<Vec<Split>, Failure> {
    /// How many parts a batch has at most, whatever it claims.
    const MAX_SPLITS: u64 = 1 << 16;
    /// Text is compressed to between a half and a quarter.
    const USUAL_RATIO: u64 = 4;
    let mut splits = Vec::new();
    let mut first_ordinal = 0_u64;
    for (index, piece) in pieces.iter().enumerate() {
        let (rows, stored, row_bytes) = match piece {
            Piece::Damaged { rows, .. } => (*rows, 1, 1),
            Piece::Batch(batch) => {
                let ratio = if batch.is_compressed { USUAL_RATIO } else { 1 };
                let stored = batch.frame.head.saturating_add(batch.frame.body);
                (batch.rows, stored, (batch.frame.body.saturating_mul(ratio) / batch.rows).max(1))
            }
        };
        let step = match piece {
            Piece::Damaged { .. } => rows,
            Piece::Batch(_) => (target_bytes / row_bytes).max(rows / MAX_SPLITS).max(1),
        };
        let mut row = 0;
        while row < rows {
            let records = step.min(rows - row);
            splits.push(Split {
                first_ordinal,
                records,
                weight: records.saturating_mul(row_bytes),
                bytes: (u128::from(stored) * u128::from(records) / u128::from(rows)) as u64,
                token: [index as u64, row],
            });
            row += records;
            first_ordinal = first_ordinal
                .checked_add(records)
                .ok_or_else(|| damaged(&"it has more rows than can be counted"))?;
        }
    }
    Ok(splits)
}

impl ArrowFile {
    /// Reads the wanted columns of a batch.
    fn read(&self, batch: &Batch, bytes: &dyn RandomAccess) -> Result<RecordBatch, Failure> {
        let (head, body) = (batch.frame.read_head(bytes)?, batch.frame.read_body(bytes)?);
        let size = guarded(|| {
            let message = parse(&head)?;
            Ok(message.header_as_record_batch().map(|batch| check_columns(&batch, &body)))
        })?;
        let size = size.ok_or_else(|| damaged(&"a batch that is none"))??;
        if batch.rows > size.saturating_mul(8) {
            return Err(damaged(&format_args!("a batch of {} rows in {size} bytes", batch.rows)));
        }
        let schema = &self.index.schema;
        let dictionaries = self.index.dictionaries.load(batch.generation, schema, bytes)?;
        let rows = guarded(|| {
            let message = parse(&head)?;
            let batch = message
                .header_as_record_batch()
                .ok_or_else(|| ArrowError::ParseError("a batch that is none".to_owned()))?;
            RecordBatchDecoder::try_new(&body, batch, Arc::clone(schema), &dictionaries, &message.version())?
                .with_projection(Some(&self.wanted))
                .read_record_batch()
        })?;
        if rows.num_rows() as u64 != batch.rows {
            let (n_rows, due) = (rows.num_rows(), batch.rows);
            return Err(damaged(&format_args!("{n_rows} rows where {due} were announced")));
        }
        Ok(rows)
    }
}

/// The batches that were decoded last, for the parts of a large one: a batch is decoded as a whole.
#[derive(Debug, Default)]
struct Recent(Mutex<VecDeque<(usize, Shared)>>);

/// A batch that the first one to need it decodes.
type Shared = Arc<OnceLock<Result<RecordBatch, Failure>>>;

impl Recent {
    /// The batch `number`, decoded unless it was one of the last.
    fn take(
        &self,
        number: usize,
        decode: impl FnOnce() -> Result<RecordBatch, Failure>,
    ) -> Result<RecordBatch, Failure> {
        self.slot(number).get_or_init(decode).clone()
    }

    fn slot(&self, number: usize) -> Shared {
        /// Workers are in the parts of one batch, or of two.
        const KEPT: usize = 2;
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, slot)) = recent.iter().find(|(of, _)| *of == number) {
            return Arc::clone(slot);
        }
        if recent.len() == KEPT {
            recent.pop_front();
        }
        let slot = Shared::default();
        recent.push_back((number, Arc::clone(&slot)));
        slot
    }
}
