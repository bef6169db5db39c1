//! How much the rows of a row group take whose values are stored once and stand in many places.
//!
//! The footer says what pages take as they are stored. A dictionary holds a value once and data pages name it by
//! number, so ten thousand rows of 100 KB may be a file of 5 KB; a page of strings that share their beginnings, or
//! one that shrinks to nothing, is no better. What rows take is then found out by reading these columns, without
//! making anything of the values.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use parquet::basic::{Encoding, Type};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::column::reader::ColumnReaderImpl;
use parquet::data_type::ByteArrayType;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{ColumnChunkMetaData, RowGroupMetaData};
use parquet::file::reader::ChunkReader;
use parquet::file::serialized_reader::SerializedPageReader;

use crate::parts::{self, MIN_ROW_BYTES, Part, Parts};

/// A row group that is cut into parts.
pub(super) struct Group<'f> {
    pub(super) metadata: &'f RowGroupMetaData,
    pub(super) rows: u64,
    /// What a row takes on average by what the footer says, in bytes.
    pub(super) row_bytes: u64,
    pub(super) target_bytes: u64,
}

/// Text shrinks to between a half and a twentieth; what shrinks more is not like other text.
const USUAL_RATIO: i64 = 64;

impl Group<'_> {
    /// Equal parts, by what the footer says.
    pub(super) fn even(&self) -> Vec<Part> {
        parts::even(self.rows, self.row_bytes, self.target_bytes)
    }

    /// Which of the `wanted` columns may take more than the footer says, if that matters.
    pub(super) fn suspects(&self, wanted: impl Fn(usize) -> bool) -> Vec<usize> {
        let step = parts::step(self.rows, self.row_bytes, self.target_bytes);
        let (mut found, mut most) = (Vec::new(), 0_u64);
        for (leaf, column) in self.metadata.columns().iter().enumerate() {
            if wanted(leaf) && is_suspect(column) {
                // A value of a dictionary is no longer than the page of it.
                let longest = if is_bounded(column) { size(column) } else { u64::MAX };
                most = most.saturating_add(step.saturating_mul(longest));
                found.push(leaf);
            }
        }
        if most > self.target_bytes { found } else { Vec::new() }
    }

    /// Cuts the group by what its rows take.
    ///
    /// # Errors
    ///
    /// When a column cannot be read.
    pub(super) fn measured<R: ChunkReader + 'static>(
        &self,
        file: &Arc<R>,
        suspects: &[usize],
    ) -> ParquetResult<Vec<Part>> {
        let mut columns = Vec::with_capacity(suspects.len());
        for leaf in suspects {
            columns.push(Column::open(file, self, *leaf)?);
        }
        let longest = columns.iter().fold(0_u64, |sum, column| sum.saturating_add(column.longest));
        let worst = self.row_bytes.saturating_add(longest);
        if let Some(parts) = parts::even_at_most(self.rows, self.row_bytes, worst, self.target_bytes) {
            // Even if all rows held the longest value: no need to look at them.
            return Ok(parts);
        }
        let stored: u64 = suspects.iter().map(|leaf| decoded(self.metadata.column(*leaf)) / self.rows).sum();
        let others = self.row_bytes.saturating_sub(stored).max(MIN_ROW_BYTES);
        let rows_at_once = (self.target_bytes / 4 / longest.max(1)).clamp(1, 1024);
        let (mut parts, mut row) = (Parts::new(self.rows, self.target_bytes), 0);
        while row < self.rows {
            let rows = rows_at_once.min(self.rows - row);
            let weight = columns.iter_mut().fold(rows.saturating_mul(others), |sum, column| {
                sum.saturating_add(column.weigh(rows, self.rows - row))
            });
            parts.add(rows, weight);
            row += rows;
            // A damaged file may claim any number of rows behind those that are there.
            let rest = columns.iter().try_fold(others, |sum, column| Some(sum.saturating_add(column.rest?)));
            if let Some(row_bytes) = rest {
                let mut parts = parts.finish();
                parts.append(&mut parts::even(self.rows - row, row_bytes, self.target_bytes));
                return Ok(parts);
            }
        }
        Ok(parts.finish())
    }
}

/// Why a column may take more than the footer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Its values are in a dictionary, which is a page of its own.
    Dictionary,
    /// Its strings share their beginnings, or its pages shrink more than text does.
    Other,
}

/// Bytes that a column takes as it is stored, before compression.
fn size(column: &ColumnChunkMetaData) -> u64 {
    u64::try_from(column.uncompressed_size()).unwrap_or_default()
}

/// Bytes that a column takes when decoded, by what the footer says.
pub(super) fn decoded(column: &ColumnChunkMetaData) -> u64 {
    let n_values = u64::try_from(column.num_values()).unwrap_or_default();
    let width = match column.column_type() {
        Type::BYTE_ARRAY => 0,
        Type::FIXED_LEN_BYTE_ARRAY => u64::try_from(column.column_descr().type_length()).unwrap_or_default(),
        _ => 8,
    };
    let strings = column.unencoded_byte_array_data_bytes().and_then(|bytes| u64::try_from(bytes).ok());
    size(column).max(n_values.saturating_mul(width)).max(strings.unwrap_or_default())
}

/// Whether no row takes more than the longest value of the dictionary.
fn is_bounded(column: &ColumnChunkMetaData) -> bool {
    kind(column) == Kind::Dictionary && column.column_descr().max_rep_level() == 0
}

fn kind(column: &ColumnChunkMetaData) -> Kind {
    let is_delta = column.encodings().any(|encoding| encoding == Encoding::DELTA_BYTE_ARRAY);
    let shrinks = column.uncompressed_size() / USUAL_RATIO > column.compressed_size();
    if is_delta || shrinks { Kind::Other } else { Kind::Dictionary }
}

fn is_suspect(column: &ColumnChunkMetaData) -> bool {
    let is_dictionary = |encoding| matches!(encoding, Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY);
    let has_dictionary = column.dictionary_page_offset().is_some() || column.encodings().any(is_dictionary);
    column.column_type() == Type::BYTE_ARRAY && (has_dictionary || kind(column) == Kind::Other)
}

/// A column that is measured.
struct Column {
    reader: ColumnReaderImpl<ByteArrayType>,
    /// Bytes of its pages that the reader has taken.
    taken: Arc<AtomicU64>,
    size: u64,
    /// The longest value that there can be.
    longest: u64,
    /// What a row takes behind what was measured, once its end is reached.
    rest: Option<u64>,
    levels: [Vec<i16>; 2],
    values: Vec<parquet::data_type::ByteArray>,
}

impl Column {
    fn open<R: ChunkReader + 'static>(file: &Arc<R>, group: &Group<'_>, leaf: usize) -> ParquetResult<Self> {
        let metadata = group.metadata.column(leaf);
        let rows = usize::try_from(group.rows).unwrap_or(usize::MAX);
        let mut pages = SerializedPageReader::new(Arc::clone(file), metadata, rows, None)?;
        let first = pages.get_next_page()?;
        let longest = match &first {
            Some(Page::DictionaryPage { buf, num_values, .. }) => longest_value(buf, *num_values)?,
            _ => 0,
        };
        let kind = kind(metadata);
        let taken = Arc::new(AtomicU64::new(0));
        let pages = Pages {
            inner: pages,
            first: first.into_iter().collect(),
            only_dictionary: kind == Kind::Dictionary,
            taken: Arc::clone(&taken),
        };
        Ok(Self {
            reader: ColumnReaderImpl::new(metadata.column_descr_ptr(), Box::new(pages)),
            taken,
            size: size(metadata),
            longest: if is_bounded(metadata) { longest } else { group.target_bytes.max(longest) },
            rest: None,
            levels: Default::default(),
            values: Vec::new(),
        })
    }

    /// What the next `rows` of `rows_left` take, in bytes.
    fn weigh(&mut self, rows: u64, rows_left: u64) -> u64 {
        if let Some(rest) = self.rest {
            return rows.saturating_mul(rest);
        }
        let [definitions, repetitions] = &mut self.levels;
        definitions.clear();
        repetitions.clear();
        self.values.clear();
        let read =
            self.reader.read_records(rows as usize, Some(definitions), Some(repetitions), &mut self.values);
        let Ok((n_read, ..)) = read else {
            // Whoever decodes it finds the damage; the rows in front of it are to be small nevertheless.
            self.rest = Some(self.longest);
            return rows.saturating_mul(self.longest);
        };
        let n_read = n_read as u64;
        let bytes = self.values.iter().map(|value| value.len() as u64).sum::<u64>();
        if n_read >= rows {
            return bytes;
        }
        // What is in no dictionary takes what it is stored in.
        let size = self.size.saturating_sub(self.taken.load(Ordering::Relaxed));
        let rest = size / (rows_left - n_read).max(1);
        self.rest = Some(rest);
        bytes.saturating_add((rows - n_read).saturating_mul(rest))
    }
}

/// The length of the longest value of a dictionary.
fn longest_value(page: &[u8], n_values: u32) -> ParquetResult<u64> {
    let (mut rest, mut longest) = (page, 0);
    for _ in 0..n_values {
        let value = rest.split_first_chunk::<4>().and_then(|(length, behind)| {
            let length = u32::from_le_bytes(*length);
            Some((length, behind.get(usize::try_from(length).ok()?..)?))
        });
        let Some((length, behind)) = value else {
            return Err(ParquetError::General("a dictionary that ends within a value".to_owned()));
        };
        longest = longest.max(length.into());
        rest = behind;
    }
    Ok(longest)
}

/// The pages of a column, or those up to the first that does without the dictionary: writers that find it too
/// large go on without it, and what is stored plainly need not be measured.
struct Pages<P> {
    inner: P,
    first: VecDeque<Page>,
    only_dictionary: bool,
    taken: Arc<AtomicU64>,
}

impl<P: PageReader> PageReader for Pages<P> {
    fn get_next_page(&mut self) -> ParquetResult<Option<Page>> {
        let page = match self.first.pop_front() {
            Some(page) => Some(page),
            None => self.inner.get_next_page()?,
        };
        let Some(page) = page else { return Ok(None) };
        let has_dictionary = page.is_dictionary_page()
            || matches!(page.encoding(), Encoding::PLAIN_DICTIONARY | Encoding::RLE_DICTIONARY);
        if self.only_dictionary && !has_dictionary {
            return Ok(None);
        }
        self.taken.fetch_add(page.buffer().len() as u64, Ordering::Relaxed);
        Ok(Some(page))
    }

    fn peek_next_page(&mut self) -> ParquetResult<Option<PageMetadata>> {
        self.inner.peek_next_page()
    }

    fn skip_next_page(&mut self) -> ParquetResult<()> {
        self.inner.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> ParquetResult<bool> {
        if self.first.is_empty() { self.inner.at_record_boundary() } else { Ok(true) }
    }
}

impl<P: PageReader> Iterator for Pages<P> {
    type Item = ParquetResult<Page>;

    fn next(&mut self) -> Option<ParquetResult<Page>> {
        self.get_next_page().transpose()
    }
}
