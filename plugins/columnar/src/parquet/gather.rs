//! Parts of chunks that [`super::direct`] has made: their pages, one column after the other.

use std::sync::Arc;

use bytes::Bytes;
use parquet::basic::Encoding;
use parquet::data_type::ByteArray;
use parquet::errors::Result as ParquetResult;
use parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, ParquetMetaData, ParquetMetaDataWriter, RowGroupMetaData,
};
use parquet::file::statistics::{Statistics, ValueStatistics};
use tamis_plugin::Failure;

use super::direct::{ColumnPiece, Direct, parse};
use super::page::Values;

/// The longest value in statistics, in bytes.
const MAX_STATISTIC: usize = 64;

/// A part that is being written: what its next row group holds so far, and what the footer must say.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    columns: Vec<Column>,
    /// Rows and bytes before compression of the row group that is being gathered.
    n_rows: u64,
    n_bytes: u64,
    groups: Vec<RowGroupMetaData>,
    /// Bytes of the file so far.
    written: usize,
}

/// A column of a row group while it is gathered.
#[derive(Debug, Default)]
struct Column {
    pages: Vec<Bytes>,
    /// Values for the next page.
    values: Values,
    n_values: u64,
    /// Bytes of its pages before compression, with their heads.
    uncompressed: u64,
    range: Option<[Bytes; 2]>,
}

impl Gathered {
    /// Takes a chunk, and puts out a row group if that is full.
    pub(super) fn add(
        &mut self,
        direct: &Direct,
        chunk: Bytes,
        row_group_bytes: u64,
        out: &mut Vec<u8>,
    ) -> Result<(), Failure> {
        let n_columns = direct.schema.num_columns();
        let (n_rows, pieces) = parse(chunk, n_columns)
            .map_err(|error| Failure::new(format_args!("a chunk that is none of this exporter: {error}")))?;
        self.columns.resize_with(n_columns, Column::default);
        self.n_rows += n_rows;
        for (column, piece) in self.columns.iter_mut().zip(pieces) {
            self.n_bytes += piece.uncompressed.max(piece.content.len() as u64);
            column.add(piece, direct.level).map_err(Failure::new)?;
        }
        if self.n_bytes < row_group_bytes {
            return Ok(());
        }
        self.write_group(direct, out).map_err(Failure::new)
    }

    /// Puts out what is left, and the footer.
    pub(super) fn end(mut self, direct: &Direct, out: &mut Vec<u8>) -> Result<(), Failure> {
        self.write_group(direct, out).map_err(Failure::new)?;
        let metadata = FileMetaData::new(
            1,
            self.groups.iter().map(RowGroupMetaData::num_rows).sum(),
            Some(direct.properties.created_by().to_owned()),
            direct.properties.key_value_metadata().cloned(),
            Arc::clone(&direct.schema),
            None,
        );
        let metadata = ParquetMetaData::new(metadata, self.groups);
        ParquetMetaDataWriter::new(out, &metadata).finish().map_err(Failure::new)
    }

    /// Puts out the row group that has been gathered, if there is one.
    fn write_group(&mut self, direct: &Direct, out: &mut Vec<u8>) -> ParquetResult<()> {
        let n_rows = std::mem::take(&mut self.n_rows) as i64;
        self.n_bytes = 0;
        if n_rows == 0 {
            return Ok(());
        }
        let mut columns = std::mem::take(&mut self.columns);
        columns.iter_mut().try_for_each(|column| column.write_page(direct.level))?;
        // Memory that grows is copied again and again.
        out.reserve(columns.iter().map(Column::length).sum::<usize>() + 4);
        if self.written == 0 {
            out.extend_from_slice(b"PAR1");
            self.written = 4;
        }
        let start = self.written;
        let mut described = Vec::with_capacity(columns.len());
        for (index, column) in columns.into_iter().enumerate() {
            described.push(column.describe(direct, index, self.written)?);
            self.written += column.length();
            column.pages.iter().for_each(|page| out.extend_from_slice(page));
        }
        let group = RowGroupMetaData::builder(Arc::clone(&direct.schema))
            .set_num_rows(n_rows)
            .set_total_byte_size(described.iter().map(ColumnChunkMetaData::uncompressed_size).sum())
            .set_file_offset(start as i64)
            .set_ordinal(i32::try_from(self.groups.len()).unwrap_or(i32::MAX))
            .set_column_metadata(described)
            .build()?;
        self.groups.push(group);
        Ok(())
    }
}

impl Column {
    fn add(&mut self, piece: ColumnPiece, level: Option<i32>) -> ParquetResult<()> {
        let ColumnPiece { n_values, uncompressed, range, content } = piece;
        self.n_values += u64::from(n_values);
        if let Some(range) = range {
            self.widen(range);
        }
        if uncompressed > 0 {
            // Values stay in the order of their rows.
            self.write_page(level)?;
            self.uncompressed += uncompressed;
            self.pages.push(content);
            return Ok(());
        }
        self.values.plain.extend_from_slice(&content);
        self.values.n_values += n_values;
        if self.values.is_page() { self.write_page(level) } else { Ok(()) }
    }

    /// Makes a page of the values that wait, if there are any.
    fn write_page(&mut self, level: Option<i32>) -> ParquetResult<()> {
        if self.values.n_values > 0 {
            let mut page = Vec::new();
            self.uncompressed += self.values.write_page(level, &mut page)? as u64;
            self.pages.push(Bytes::from(page));
        }
        Ok(())
    }

    fn widen(&mut self, [least, greatest]: [Bytes; 2]) {
        // What is kept shall not keep the memory of its chunk.
        let own = |bound: &Bytes| Bytes::copy_from_slice(bound);
        let Some(range) = &mut self.range else {
            self.range = Some([own(&least), own(&greatest)]);
            return;
        };
        if least < range[0] {
            range[0] = own(&least);
        }
        if greatest > range[1] {
            range[1] = own(&greatest);
        }
    }

    fn length(&self) -> usize {
        self.pages.iter().map(Bytes::len).sum()
    }

    /// What the file says of the column, whose pages begin at `start`.
    fn describe(&self, direct: &Direct, index: usize, start: usize) -> ParquetResult<ColumnChunkMetaData> {
        let descriptor = direct.schema.column(index);
        let mut builder = ColumnChunkMetaData::builder(Arc::clone(&descriptor))
            .set_compression(direct.properties.compression(descriptor.path()))
            .set_encodings(vec![Encoding::PLAIN, Encoding::RLE])
            .set_num_values(self.n_values as i64)
            .set_total_compressed_size(self.length() as i64)
            .set_total_uncompressed_size(self.uncompressed as i64)
            .set_data_page_offset(start as i64);
        if let Some([least, greatest]) = &self.range {
            let text = |bound| std::str::from_utf8(bound).unwrap_or_default();
            if let Some(statistics) = statistics(text(least), text(greatest)) {
                builder = builder.set_statistics(statistics);
            }
        }
        builder.build()
    }
}

/// The range of values that are strings; long bounds are cut, so that no value lies outside. None if there is no
/// upper bound so short: readers are used to ranges with two ends.
fn statistics(least: &str, greatest: &str) -> Option<Statistics> {
    let (min, max) = (head(least), head(greatest));
    let (min_is_exact, max_is_exact) = (min == least, max == greatest);
    let max = if max_is_exact { max.to_owned() } else { above(max.to_owned())? };
    let (min, max) = (ByteArray::from(min), ByteArray::from(max.into_bytes()));
    let range = ValueStatistics::new(Some(min), Some(max), None, Some(0), false);
    Some(Statistics::ByteArray(range.with_min_is_exact(min_is_exact).with_max_is_exact(max_is_exact)))
}

/// As many of the first characters as fit into a bound.
fn head(value: &str) -> &str {
    let mut lengths = (0..=value.len().min(MAX_STATISTIC)).rev();
    lengths.find_map(|length| value.get(..length)).unwrap_or_default()
}

/// A string above all that begin with `head`; none if there is none so short.
fn above(mut head: String) -> Option<String> {
    while let Some(last) = head.pop() {
        // Of the numbers between two characters some are none.
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        if let Some(next) = next {
            head.push(next);
            return Some(head);
        }
    }
    None
}
