//! The reader: a part is some rows of a record batch.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use arrow_array::RecordBatch;
use arrow_ipc::reader::RecordBatchDecoder;
use arrow_schema::{ArrowError, DataType};
use tamis_plugin::{Emit, Failure, FileReader, Forms, RandomAccess, SetupError, Split};

use super::index::{Batch, Index, Piece};
use super::message::{MAGIC, begins_stream, check_columns, damaged, guarded, most_rows, parse};
use super::options::ArrowOptions;
use crate::columns::Columns;
use crate::parts::{self, MIN_ROW_BYTES, Part, Parts};
use crate::value::size;

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
    /// Whether one of them stands for more than its bytes.
    expands: Expands,
    recent: Recent,
}

impl FileReader for Arrow {
    const NAME: &'static str = "arrow";
    const WRITES: &'static [&'static str] = &["text", "raw", "*"];
    type Options = ArrowOptions;
    type File = ArrowFile;

    fn open(options: ArrowOptions) -> Result<Self, SetupError> {
        Ok(Self {
            columns: Columns::new(options.fields, options.metadata, options.rename, options.spread)?
                .with_form(options.form),
        })
    }

    fn forms(&self) -> Forms {
        self.columns.forms()
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
        let columns = || fields.iter().filter(|field| self.columns.wants(field.name()));
        let expands = columns().map(|field| expands(field.data_type())).max().unwrap_or(Expands::No);
        let file = ArrowFile { index, wanted, expands, recent: Recent::default() };
        let splits = splits(&file, bytes, target_bytes)?;
        Ok((file, splits))
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
fn splits(file: &ArrowFile, bytes: &dyn RandomAccess, target_bytes: u64) -> Result<Vec<Split>, Failure> {
    let mut splits = Vec::new();
    let mut first_ordinal = 0_u64;
    for (index, piece) in file.index.pieces.iter().enumerate() {
        let (stored, rows, parts) = match piece {
            Piece::Damaged { rows, .. } => (1, *rows, vec![Part { rows: *rows, weight: *rows }]),
            Piece::Batch(batch) => {
                let stored = batch.frame.head.saturating_add(batch.frame.body);
                (stored, batch.rows, file.parts(batch, bytes, target_bytes))
            }
        };
        let mut row = 0;
        for part in parts {
            splits.push(Split {
                first_ordinal,
                records: part.rows,
                weight: part.weight,
                bytes: (u128::from(stored) * u128::from(part.rows) / u128::from(rows)) as u64,
                token: [index as u64, row],
            });
            row += part.rows;
            first_ordinal = first_ordinal
                .checked_add(part.rows)
                .ok_or_else(|| damaged(&"it has more rows than can be counted"))?;
        }
    }
    Ok(splits)
}

/// How much more than its bytes in the batch a column may stand for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Expands {
    No,
    /// A row takes no more than the longest value of a dictionary.
    ByDictionary,
    /// Bytes may stand for any number of rows.
    Any,
}

fn expands(data_type: &DataType) -> Expands {
    match data_type {
        DataType::Dictionary(..) => Expands::ByDictionary,
        DataType::RunEndEncoded(..)
        | DataType::Utf8View
        | DataType::BinaryView
        | DataType::ListView(_)
        | DataType::LargeListView(_) => Expands::Any,
        DataType::Struct(members) => {
            members.iter().map(|member| expands(member.data_type())).max().unwrap_or(Expands::No)
        }
        DataType::Union(members, _) => {
            members.iter().map(|(_, member)| expands(member.data_type())).max().unwrap_or(Expands::No)
        }
        DataType::List(items)
        | DataType::LargeList(items)
        | DataType::FixedSizeList(items, _)
        | DataType::Map(items, _) => match expands(items.data_type()) {
            Expands::No => Expands::No,
            // A list has any number of items.
            Expands::ByDictionary | Expands::Any => Expands::Any,
        },
        _ => Expands::No,
    }
}

impl ArrowFile {
    /// Cuts a batch into parts: by what its rows take if they may take more than they are stored in, as ten
    /// thousand rows of one value of a dictionary do.
    fn parts(&self, batch: &Batch, bytes: &dyn RandomAccess, target_bytes: u64) -> Vec<Part> {
        let row_bytes = (batch.size / batch.rows).max(MIN_ROW_BYTES);
        let even = |row_bytes| parts::even(batch.rows, row_bytes, target_bytes);
        let fields = self.index.schema.fields();
        let of_columns = || self.wanted.iter().map(|index| expands(fields[*index].data_type()));
        if self.expands == Expands::No {
            return even(row_bytes);
        }
        if self.expands == Expands::ByDictionary {
            let n_columns = of_columns().filter(|expands| *expands == Expands::ByDictionary).count() as u64;
            let longest = self.index.dictionaries.longest(batch.generation, &self.index.schema, bytes);
            // A damaged dictionary is told by whoever needs it.
            let Ok(longest) = longest else { return even(row_bytes) };
            let worst = row_bytes.saturating_add(longest.saturating_mul(n_columns));
            if let Some(parts) = parts::even_at_most(batch.rows, row_bytes, worst, target_bytes) {
                return parts;
            }
        }
        let measured = self.read(batch, bytes).and_then(|rows| {
            guarded(|| {
                let mut parts = Parts::new(batch.rows, target_bytes);
                for row in 0..rows.num_rows() {
                    let columns = rows.columns().iter().map(|column| size(column.as_ref(), row));
                    parts.add(1, columns.fold(MIN_ROW_BYTES, u64::saturating_add));
                }
                Ok(parts.finish())
            })
        });
        measured.unwrap_or_else(|_| even(row_bytes))
    }

    /// Reads the wanted columns of a batch.
    fn read(&self, batch: &Batch, bytes: &dyn RandomAccess) -> Result<RecordBatch, Failure> {
        let (head, body) = (batch.frame.read_head(bytes)?, batch.frame.read_body(bytes)?);
        let claimed = guarded(|| {
            let message = parse(&head)?;
            Ok(message.header_as_record_batch().map(|batch| check_columns(&batch, &body)))
        })?;
        let claimed = claimed.ok_or_else(|| damaged(&"a batch that is none"))??;
        if batch.rows > most_rows(claimed, self.index.has_runs) {
            return Err(damaged(&format_args!("a batch of {} rows in {claimed} bytes", batch.rows)));
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
