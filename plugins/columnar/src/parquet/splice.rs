//! Joins the pages of several files into row groups of one file, without decompressing them.

use std::collections::VecDeque;
use std::io::Read;

use bytes::{Buf, Bytes};
use parquet::column::writer::ColumnCloseResult;
use parquet::data_type::ByteArray;
use parquet::errors::{ParquetError, Result as ParquetResult};
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader};
use parquet::file::properties::{WriterProperties, WriterPropertiesPtr};
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::statistics::{Statistics, ValueStatistics};
use parquet::file::writer::SerializedFileWriter;
use tamis_plugin::Failure;

/// What is wrong when an export takes documents of several fates, which have different columns.
pub(super) const OTHER_COLUMNS: &str = "records of different columns came to one file";

/// A part that is being written: the file so far, and the chunks of its next row group.
#[derive(Debug)]
pub(super) struct Part {
    /// Made when the first chunk shows the columns.
    writer: Option<Writer>,
    properties: WriterPropertiesPtr,
    chunks: Vec<Chunk>,
    /// Bytes of `chunks`, uncompressed.
    gathered: u64,
    row_group_bytes: u64,
}

/// The writer of the file; its debug form is of no use.
struct Writer(SerializedFileWriter<Vec<u8>>);

impl std::fmt::Debug for Writer {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("Writer")
    }
}

/// A file of one row group, as a worker made it.
#[derive(Debug)]
struct Chunk {
    bytes: Bytes,
    metadata: ParquetMetaData,
}

impl Part {
    pub(super) fn new(properties: WriterPropertiesPtr, row_group_bytes: u64) -> Self {
        Self { writer: None, properties, chunks: Vec::new(), gathered: 0, row_group_bytes }
    }

    pub(super) fn add(&mut self, bytes: Bytes, out: &mut Vec<u8>) -> Result<(), Failure> {
        let metadata = ParquetMetaDataReader::new().parse_and_finish(&bytes).map_err(Failure::new)?;
        let schema = metadata.file_metadata().schema_descr().root_schema_ptr();
        if let Some(writer) = &self.writer {
            if writer.0.schema_descr().root_schema() != schema.as_ref() {
                return Err(Failure::new(OTHER_COLUMNS));
            }
        } else {
            let keys = metadata.file_metadata().key_value_metadata().cloned();
            let properties: WriterProperties =
                self.properties.as_ref().clone().into_builder().set_key_value_metadata(keys).build();
            let writer = SerializedFileWriter::new(Vec::new(), schema, properties.into());
            self.writer = Some(Writer(writer.map_err(Failure::new)?));
        }
        self.gathered += metadata
            .row_groups()
            .iter()
            .map(|group| u64::try_from(group.total_byte_size()).unwrap_or_default())
            .sum::<u64>();
        self.chunks.push(Chunk { bytes, metadata });
        if self.gathered >= self.row_group_bytes { self.write(out) } else { Ok(()) }
    }

    pub(super) fn end(mut self, out: &mut Vec<u8>) -> Result<(), Failure> {
        self.write(out)?;
        if let Some(Writer(writer)) = self.writer {
            let rest = writer.into_inner().map_err(Failure::new)?;
            out.extend_from_slice(&rest);
        }
        Ok(())
    }

    /// Writes the chunks that have been gathered as one row group.
    fn write(&mut self, out: &mut Vec<u8>) -> Result<(), Failure> {
        let Some(Writer(writer)) = &mut self.writer else { return Ok(()) };
        let chunks = std::mem::take(&mut self.chunks);
        self.gathered = 0;
        if !chunks.is_empty() {
            // Memory that grows is copied again and again.
            writer.inner_mut().reserve(chunks.iter().map(|chunk| chunk.bytes.len()).sum());
            write_group(writer, &chunks).map_err(Failure::new)?;
        }
        // Behind the writer's back: it counts the bytes it has written and does not look at them again.
        writer.flush().map_err(Failure::new)?;
        if out.is_empty() {
            std::mem::swap(out, writer.inner_mut());
        } else {
            out.append(writer.inner_mut());
        }
        Ok(())
    }
}

fn write_group(writer: &mut SerializedFileWriter<Vec<u8>>, chunks: &[Chunk]) -> ParquetResult<()> {
    let groups = || chunks.iter().flat_map(|chunk| chunk.metadata.row_groups());
    let rows = groups().map(|group| u64::try_from(group.num_rows()).unwrap_or_default()).sum();
    let n_columns = writer.schema_descr().num_columns();
    let mut group = writer.next_row_group()?;
    for index in 0..n_columns {
        let columns: Vec<_> = groups().filter_map(|group| group.columns().get(index)).collect();
        let metadata = joined(&columns)?;
        let pages = Pages(
            chunks
                .iter()
                .flat_map(|chunk| chunk.metadata.row_groups().iter().map(|group| (&chunk.bytes, group)))
                .filter_map(|(bytes, group)| Some((bytes, group.columns().get(index)?)))
                .map(|(bytes, column)| {
                    let (start, length) = column.byte_range();
                    bytes.slice(start as usize..(start + length) as usize)
                })
                .collect(),
        );
        let close = ColumnCloseResult {
            bytes_written: pages.len(),
            rows_written: rows,
            metadata,
            bloom_filter: None,
            column_index: None,
            offset_index: None,
        };
        group.append_column(&pages, close)?;
    }
    group.close()?;
    Ok(())
}

/// What is true of several pieces of a column together.
fn joined(pieces: &[&ColumnChunkMetaData]) -> ParquetResult<ColumnChunkMetaData> {
    let first =
        pieces.first().ok_or_else(|| ParquetError::General("a row group without chunks".to_owned()))?;
    let sum = |of: fn(&ColumnChunkMetaData) -> i64| pieces.iter().map(|piece| of(piece)).sum::<i64>();
    let mut encodings: Vec<_> = pieces.iter().flat_map(|piece| piece.encodings()).collect();
    encodings.sort_unstable();
    encodings.dedup();
    let mut builder = ColumnChunkMetaData::builder(first.column_descr_ptr())
        .set_compression_codec(first.compression_codec())
        .set_encodings(encodings)
        .set_num_values(sum(ColumnChunkMetaData::num_values))
        .set_total_compressed_size(sum(ColumnChunkMetaData::compressed_size))
        .set_total_uncompressed_size(sum(ColumnChunkMetaData::uncompressed_size))
        .set_data_page_offset(first.data_page_offset());
    let statistics: Option<Vec<_>> = pieces.iter().map(|piece| byte_statistics(piece)).collect();
    if let Some(statistics) = statistics.and_then(|all| joined_statistics(&all)) {
        builder = builder.set_statistics(Statistics::ByteArray(statistics));
    }
    builder.build()
}

fn byte_statistics(piece: &ColumnChunkMetaData) -> Option<&ValueStatistics<ByteArray>> {
    match piece.statistics() {
        Some(Statistics::ByteArray(statistics)) => Some(statistics),
        _ => None,
    }
}

/// The least and the greatest value of all; long values are cut, downwards and upwards, so that they hold.
fn joined_statistics(all: &[&ValueStatistics<ByteArray>]) -> Option<ValueStatistics<ByteArray>> {
    let mins = all.iter().filter_map(|one| Some((one.min_bytes_opt()?, one)));
    let maxs = all.iter().filter_map(|one| Some((one.max_bytes_opt()?, one)));
    let (min, min_of) = mins.min_by_key(|(bytes, _)| *bytes)?;
    let (max, max_of) = maxs.max_by_key(|(bytes, _)| *bytes)?;
    let nulls = all.iter().map(|one| one.null_count_opt()).sum::<Option<u64>>();
    let joined = ValueStatistics::new(
        Some(ByteArray::from(min.to_vec())),
        Some(ByteArray::from(max.to_vec())),
        None,
        nulls,
        false,
    );
    Some(joined.with_min_is_exact(min_of.min_is_exact()).with_max_is_exact(max_of.max_is_exact()))
}

/// The pages of one column of several chunks, one after the other.
struct Pages(Vec<Bytes>);

impl Length for Pages {
    fn len(&self) -> u64 {
        self.0.iter().map(|piece| piece.len() as u64).sum()
    }
}

impl ChunkReader for Pages {
    type T = PagesRead;

    /// All pages, wherever they stood in their chunks.
    fn get_read(&self, _start: u64) -> ParquetResult<PagesRead> {
        Ok(PagesRead(self.0.iter().cloned().collect()))
    }

    fn get_bytes(&self, _start: u64, _length: usize) -> ParquetResult<Bytes> {
        Err(ParquetError::General("pages are only copied in order".to_owned()))
    }
}

/// Reads pages one after the other.
struct PagesRead(VecDeque<Bytes>);

impl Read for PagesRead {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        while let Some(piece) = self.0.front_mut() {
            if piece.has_remaining() {
                let length = piece.len().min(buffer.len());
                piece.copy_to_slice(&mut buffer[..length]);
                return Ok(length);
            }
            self.0.pop_front();
        }
        Ok(0)
    }
}
