//! Chunks of columns that are strings in every row, straight from records to compressed pages.
//!
//! Most files have no other columns. An Arrow batch of them would be one copy of all text, the encoder of a column
//! another, its page a third; and a writer made for each chunk would have new memory for the compressor each time.

use std::borrow::Cow;
use std::cell::RefCell;
use std::io::Write;
use std::sync::Arc;

use arrow_schema::Schema;
use bytes::Bytes;
use parquet::arrow::{ArrowSchemaConverter, add_encoded_arrow_schema_to_metadata};
use parquet::basic::{Compression, Encoding};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::data_type::ByteArray;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{
    ColumnChunkMetaData, FileMetaData, ParquetMetaData, ParquetMetaDataWriter, RowGroupMetaData,
};
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::file::statistics::{Statistics, ValueStatistics};
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::{ColumnDescPtr, ColumnPath, SchemaDescPtr};
use tamis_plugin::ExportView;
use zstd::bulk::Compressor;

use crate::rows::Text;

/// What a page holds at least before the next one begins, in bytes: that of the writers of others.
const PAGE_BYTES: usize = 1 << 20;
/// Memory beyond this is given back after a page, in bytes.
const KEPT_BYTES: usize = 4 << 20;
/// The longest value in statistics, in bytes.
const MAX_STATISTIC: usize = 64;

thread_local! {
    /// Of a worker: pages come one after the other.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

/// Memory for one page, plain and compressed.
#[derive(Default)]
struct Scratch {
    plain: Vec<u8>,
    compressed: Vec<u8>,
    zstd: Option<Compressor<'static>>,
}

/// Writes chunks of one schema.
#[derive(Debug)]
pub(super) struct Direct {
    texts: Vec<Text>,
    schema: SchemaDescPtr,
    properties: WriterProperties,
    /// The level of Zstandard; none without compression.
    level: Option<i32>,
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

    /// A file of one row group.
    pub(super) fn file(&self, records: &[ExportView<'_>]) -> ParquetResult<Vec<u8>> {
        // Text shrinks to less than half; growing the file would copy it again and again.
        let n_bytes: usize = records.iter().map(|record| record.document.text().len()).sum();
        let mut file = Vec::with_capacity(n_bytes / 2);
        let mut out = TrackedWrite::new(&mut file);
        out.write_all(b"PAR1")?;
        let mut columns = Vec::new();
        SCRATCH.with_borrow_mut(|scratch| -> ParquetResult<()> {
            for (index, text) in self.texts.iter().enumerate() {
                let values = records.iter().map(text);
                let mut column = Column::new(self.schema.column(index), out.bytes_written());
                if self.properties.statistics_enabled(column.descriptor.path()) != EnabledStatistics::None {
                    column.widen(values.clone());
                }
                column.write(values, self.level, scratch, &mut out)?;
                columns.push(column.close(&self.properties, out.bytes_written())?);
            }
            Ok(())
        })?;
        let n_rows = records.len() as i64;
        let group = RowGroupMetaData::builder(Arc::clone(&self.schema))
            .set_num_rows(n_rows)
            .set_total_byte_size(columns.iter().map(ColumnChunkMetaData::uncompressed_size).sum())
            .set_column_metadata(columns)
            .build()?;
        let metadata = FileMetaData::new(
            1,
            n_rows,
            Some(self.properties.created_by().to_owned()),
            self.properties.key_value_metadata().cloned(),
            Arc::clone(&self.schema),
            None,
        );
        let metadata = ParquetMetaData::new(metadata, vec![group]);
        ParquetMetaDataWriter::new_with_tracked(out, &metadata).finish()?;
        Ok(file)
    }
}

/// A column while its pages are written.
struct Column {
    descriptor: ColumnDescPtr,
    /// Where its pages begin in the file.
    start: usize,
    n_values: u32,
    /// Bytes of its pages before compression, with their heads.
    uncompressed: usize,
    /// The least and the greatest value, if the column has statistics.
    range: Option<[String; 2]>,
}

impl Column {
    fn new(descriptor: ColumnDescPtr, start: usize) -> Self {
        Self { descriptor, start, n_values: 0, uncompressed: 0, range: None }
    }

    /// Writes values as pages.
    fn write<'v>(
        &mut self,
        values: impl Iterator<Item = Cow<'v, str>>,
        level: Option<i32>,
        scratch: &mut Scratch,
        out: &mut TrackedWrite<&mut Vec<u8>>,
    ) -> ParquetResult<()> {
        let mut n_values = 0;
        scratch.plain.clear();
        for value in values {
            let length = u32::try_from(value.len()).map_err(|_| too_long(value.len()))?;
            scratch.plain.extend_from_slice(&length.to_le_bytes());
            scratch.plain.extend_from_slice(value.as_bytes());
            n_values += 1;
            if scratch.plain.len() >= PAGE_BYTES {
                self.page(std::mem::take(&mut n_values), level, scratch, out)?;
            }
        }
        if n_values > 0 { self.page(n_values, level, scratch, out) } else { Ok(()) }
    }

    /// Writes the values in `scratch` as one page.
    fn page(
        &mut self,
        num_values: u32,
        level: Option<i32>,
        scratch: &mut Scratch,
        out: &mut TrackedWrite<&mut Vec<u8>>,
    ) -> ParquetResult<()> {
        let uncompressed = scratch.plain.len();
        // What the head of a page can say.
        i32::try_from(uncompressed).map_err(|_| too_long(uncompressed))?;
        let page = Page::DataPage {
            buf: scratch.compressed(level)?,
            num_values,
            encoding: Encoding::PLAIN,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        };
        let spec = SerializedPageWriter::new(out).write_page(CompressedPage::new(page, uncompressed))?;
        self.n_values += num_values;
        self.uncompressed += spec.uncompressed_size;
        scratch.clear();
        Ok(())
    }

    /// Widens the range of the values.
    fn widen<'v>(&mut self, values: impl Iterator<Item = Cow<'v, str>> + Clone) {
        let (least, greatest) = (values.clone().min(), values.max());
        self.range = least.zip(greatest).map(|(least, greatest)| [least.into_owned(), greatest.into_owned()]);
    }

    /// What the file says of the column, whose pages end at `end`.
    fn close(self, properties: &WriterProperties, end: usize) -> ParquetResult<ColumnChunkMetaData> {
        let mut builder = ColumnChunkMetaData::builder(Arc::clone(&self.descriptor))
            .set_compression(properties.compression(self.descriptor.path()))
            .set_encodings(vec![Encoding::PLAIN, Encoding::RLE])
            .set_num_values(i64::from(self.n_values))
            .set_total_compressed_size((end - self.start) as i64)
            .set_total_uncompressed_size(self.uncompressed as i64)
            .set_data_page_offset(self.start as i64);
        if let Some([least, greatest]) = self.range {
            builder = builder.set_statistics(statistics(&least, &greatest));
        }
        builder.build()
    }
}

impl Scratch {
    /// The plain bytes, compressed if there is a level.
    fn compressed(&mut self, level: Option<i32>) -> ParquetResult<Bytes> {
        let Some(level) = level else { return Ok(Bytes::copy_from_slice(&self.plain)) };
        let zstd = match &mut self.zstd {
            Some(zstd) => zstd,
            None => self.zstd.insert(Compressor::new(level)?),
        };
        // Exports of one plan may differ.
        zstd.set_compression_level(level)?;
        self.compressed.clear();
        self.compressed.reserve(zstd::zstd_safe::compress_bound(self.plain.len()));
        zstd.compress_to_buffer(&self.plain, &mut self.compressed)?;
        Ok(Bytes::copy_from_slice(&self.compressed))
    }

    /// Makes room for the next page.
    fn clear(&mut self) {
        for memory in [&mut self.plain, &mut self.compressed] {
            memory.clear();
            memory.shrink_to(KEPT_BYTES);
        }
    }
}

fn too_long(length: usize) -> ParquetError {
    ParquetError::General(format!("{length} bytes are more than a page can hold"))
}

/// The range of values that are strings; long bounds are cut, so that no value lies outside.
fn statistics(least: &str, greatest: &str) -> Statistics {
    let (min, max) = (head(least), head(greatest));
    let (min_is_exact, max_is_exact) = (min == least, max == greatest);
    let min = Some(ByteArray::from(min));
    let max = if max_is_exact { Some(max.to_owned()) } else { above(max.to_owned()) };
    let range =
        ValueStatistics::new(min, max.map(|max| ByteArray::from(max.into_bytes())), None, Some(0), false);
    Statistics::ByteArray(range.with_min_is_exact(min_is_exact).with_max_is_exact(max_is_exact))
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
