//! Chunks of columns that are strings in every row, straight from records to compressed pages.
//!
//! Most files have no other columns. An Arrow batch of them would be one copy of all text, the encoder of a column
//! another, its page a third; and a writer made for each chunk would have new memory for the compressor each time.
//!
//! Such a chunk is no file: where each document goes to a partition of its own, a footer that is written and read again
//! for every chunk takes as long as the compression of its text.

use std::borrow::Cow;
use std::cell::RefCell;
use std::sync::Arc;

use arrow_schema::Schema;
use bytes::{Buf, Bytes, TryGetError};
use parquet::arrow::{ArrowSchemaConverter, add_encoded_arrow_schema_to_metadata};
use parquet::basic::Compression;
use parquet::errors::Result as ParquetResult;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::{ColumnPath, SchemaDescPtr};
use tamis_plugin::ExportView;

use super::page::Values;
use crate::rows::Text;

/// What such a chunk begins with; a file begins with `PAR1`.
pub(super) const MAGIC: &[u8] = b"TPQ1";
/// Values of a column of a chunk that take fewer bytes are left for the part to make a page of: a page of fifty bytes
/// takes as long to compress as one of five hundred, and gains nothing.
const MIN_PAGE: usize = 1 << 10;

thread_local! {
    /// Of a worker: columns come one after the other.
    static VALUES: RefCell<Values> = RefCell::default();
}

/// Writes chunks of one schema.
#[derive(Debug)]
pub(super) struct Direct {
    texts: Vec<Text>,
    pub(super) schema: SchemaDescPtr,
    pub(super) properties: WriterProperties,
    /// The level of Zstandard; none without compression.
    pub(super) level: Option<i32>,
}

/// What a chunk says of a column.
#[derive(Debug, Default)]
pub(super) struct ColumnPiece {
    pub(super) n_values: u32,
    /// Bytes of its pages before compression, with their heads; 0 if it has no page yet.
    pub(super) uncompressed: u64,
    /// The least and the greatest value, if the column has statistics.
    pub(super) range: Option<[Bytes; 2]>,
    /// Its pages, or its values if they are too few for one.
    pub(super) content: Bytes,
}

impl Direct {
    /// `None` for compressions that are left to the library.
    pub(super) fn new(
        texts: Vec<Text>,
        schema: &Schema,
        properties: &WriterProperties,
    ) -> ParquetResult<Option<Self>> {
        let level = match properties.compression(&ColumnPath::from("text")) {
            Compression::ZSTD(level) => Some(level.compression_level()),
            Compression::UNCOMPRESSED => None,
            _ => return Ok(None),
        };
        let mut properties = properties.clone();
        add_encoded_arrow_schema_to_metadata(schema, &mut properties);
        let schema = Arc::new(ArrowSchemaConverter::new().convert(schema)?);
        Ok(Some(Self { texts, schema, properties, level }))
    }

    /// A chunk.
    pub(super) fn chunk(&self, records: &[ExportView<'_>]) -> ParquetResult<Vec<u8>> {
        // Text shrinks to less than half; growing the chunk would copy it again and again.
        let n_bytes: usize = records.iter().map(|record| record.document.text().len()).sum();
        let mut chunk = Vec::with_capacity(n_bytes / 2 + 256);
        chunk.extend_from_slice(MAGIC);
        push_number(records.len() as u64, &mut chunk);
        VALUES.with_borrow_mut(|values| {
            for (index, text) in self.texts.iter().enumerate() {
                values.clear();
                self.push_column(index, records.iter().map(text), values, &mut chunk)?;
            }
            Ok(chunk)
        })
    }

    fn push_column<'v>(
        &self,
        index: usize,
        texts: impl Iterator<Item = Cow<'v, str>> + Clone,
        values: &mut Values,
        chunk: &mut Vec<u8>,
    ) -> ParquetResult<()> {
        let path = self.schema.column(index).path().clone();
        let has_range = self.properties.statistics_enabled(&path) != EnabledStatistics::None;
        let range = if has_range { texts.clone().min().zip(texts.clone().max()) } else { None };
        push_number(u64::from(range.is_some()), chunk);
        for bound in range.iter().flat_map(|(least, greatest)| [least, greatest]) {
            push_number(bound.len() as u64, chunk);
            chunk.extend_from_slice(bound.as_bytes());
        }
        // Filled in when it is known.
        let numbers = chunk.len();
        chunk.extend_from_slice(&[0; 3 * size_of::<u64>()]);
        let start = chunk.len();
        let (mut n_values, mut uncompressed) = (0, 0);
        for text in texts {
            values.push(text.as_bytes())?;
            n_values += 1;
            if values.is_page() {
                uncompressed += values.write_page(self.level, chunk)?;
            }
        }
        if uncompressed == 0 && values.plain.len() < MIN_PAGE {
            chunk.extend_from_slice(&values.plain);
        } else if values.n_values > 0 {
            uncompressed += values.write_page(self.level, chunk)?;
        }
        let known = [n_values, uncompressed as u64, (chunk.len() - start) as u64];
        let places = chunk.get_mut(numbers..start).unwrap_or_default().as_chunks_mut().0;
        for (place, number) in places.iter_mut().zip(known) {
            *place = number.to_le_bytes();
        }
        Ok(())
    }
}

fn push_number(number: u64, chunk: &mut Vec<u8>) {
    chunk.extend_from_slice(&number.to_le_bytes());
}

/// Takes a chunk apart: how many rows it has, and its columns.
pub(super) fn parse(mut chunk: Bytes, n_columns: usize) -> Result<(u64, Vec<ColumnPiece>), TryGetError> {
    take(&mut chunk, MAGIC.len() as u64)?;
    let n_rows = chunk.try_get_u64_le()?;
    let columns = (0..n_columns).map(|_| {
        let mut range = None;
        if chunk.try_get_u64_le()? > 0 {
            range = Some([bound(&mut chunk)?, bound(&mut chunk)?]);
        }
        let n_values = chunk.try_get_u64_le()? as u32;
        let (uncompressed, length) = (chunk.try_get_u64_le()?, chunk.try_get_u64_le()?);
        Ok(ColumnPiece { n_values, uncompressed, range, content: take(&mut chunk, length)? })
    });
    Ok((n_rows, columns.collect::<Result<_, _>>()?))
}

fn bound(chunk: &mut Bytes) -> Result<Bytes, TryGetError> {
    let length = chunk.try_get_u64_le()?;
    take(chunk, length)
}

fn take(chunk: &mut Bytes, length: u64) -> Result<Bytes, TryGetError> {
    let (requested, available) = (usize::try_from(length).unwrap_or(usize::MAX), chunk.len());
    if requested > available {
        return Err(TryGetError { requested, available });
    }
    Ok(chunk.split_to(requested))
}
