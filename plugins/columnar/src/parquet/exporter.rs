//! The exporter: workers encode and compress, the writing thread joins pages.

use std::path::Path;
use std::sync::Arc;

use arrow_array::RecordBatch;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression as Codec, GzipLevel, ZstdLevel};
use parquet::errors::Result as ParquetResult;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use tamis_plugin::{ExportView, Failure, Fate, PartExporter, SetupError};

use super::direct::{Direct, MAGIC};
use super::gather::Gathered;
use super::options::{Compression, ParquetExportOptions};
use super::splice::{OTHER_COLUMNS, Part};
use crate::rows::{Layout, beyond_offsets, every};

/// The exporter of Parquet files.
///
/// A chunk holds the compressed pages of its columns, made by a worker; one of other columns than strings is a Parquet
/// file of one row group. A part copies the pages of several chunks into one row group of its own.
#[derive(Debug)]
pub struct ParquetExporter {
    layout: Layout,
    properties: WriterProperties,
    /// For chunks of kept documents, if it can write them.
    direct: Option<Direct>,
    row_group_bytes: u64,
}

/// A part that is being written.
#[derive(Debug)]
pub struct ParquetPart(State);

/// What has come to a part so far.
#[derive(Debug)]
enum State {
    /// Nothing yet.
    Begun,
    /// Chunks of columns that are strings.
    Direct(Gathered),
    /// Chunks that are Parquet files.
    Spliced(Part),
}

impl PartExporter for ParquetExporter {
    const NAME: &'static str = "parquet";
    const REPLAYABLE: bool = true;
    type Options = ParquetExportOptions;
    type Part = ParquetPart;

    fn open(options: ParquetExportOptions) -> Result<Self, SetupError> {
        let properties = WriterProperties::builder()
            .set_created_by(concat!("tamis ", env!("CARGO_PKG_VERSION")).to_owned())
            .set_compression(codec(options.compression, options.compression_level)?)
            // Pages of several chunks make one column only if none has a dictionary.
            .set_dictionary_enabled(false)
            .set_statistics_enabled(EnabledStatistics::None)
            .set_column_statistics_enabled(ColumnPath::from("id"), EnabledStatistics::Chunk)
            .set_offset_index_disabled(true)
            // A chunk is one row group, however large.
            .set_max_row_group_row_count(None)
            .set_max_row_group_bytes(None)
            .build();
        let ParquetExportOptions { columns, rest, raw, origin, row_group_bytes, .. } = options;
        let layout = Layout::new(columns, rest, raw, origin)?;
        let texts = layout.kept_texts();
        let direct = texts.map(|texts| Direct::new(texts, &layout.kept_schema(), &properties));
        let direct = direct.transpose().map_err(SetupError::new)?.flatten();
        Ok(Self { layout, properties, direct, row_group_bytes })
    }

    fn extension(&self) -> &'static str {
        "parquet"
    }

    fn encode(&self, records: &[ExportView<'_>], chunk: &mut Vec<u8>) -> Vec<(usize, Failure)> {
        let failures = beyond_offsets(records);
        if !failures.is_empty() {
            return failures;
        }
        let is_kept = records.iter().all(|record| *record.fate == Fate::Kept);
        let encoded = match self.direct.as_ref().filter(|_| is_kept) {
            Some(direct) => direct.chunk(records),
            None => match self.layout.batch(records) {
                Ok(batch) => self.file(&batch),
                Err(failures) => return failures,
            },
        };
        match encoded {
            Ok(encoded) => {
                *chunk = encoded;
                Vec::new()
            }
            Err(error) => every(records.len(), &error),
        }
    }

    fn begin(&self, _path: &Path, _out: &mut Vec<u8>) -> Result<ParquetPart, Failure> {
        Ok(ParquetPart(State::Begun))
    }

    fn add(&self, part: &mut ParquetPart, chunk: Vec<u8>, out: &mut Vec<u8>) -> Result<(), Failure> {
        let direct = self.direct.as_ref().filter(|_| chunk.starts_with(MAGIC));
        if matches!(part.0, State::Begun) {
            part.0 = match direct {
                Some(_) => State::Direct(Gathered::default()),
                None => State::Spliced(Part::new(Arc::new(self.properties.clone()), self.row_group_bytes)),
            };
        }
        match (&mut part.0, direct) {
            (State::Direct(gathered), Some(direct)) => {
                gathered.add(direct, Bytes::from(chunk), self.row_group_bytes, out)
            }
            (State::Spliced(part), None) => part.add(Bytes::from(chunk), out),
            _ => Err(Failure::new(OTHER_COLUMNS)),
        }
    }

    fn end(&self, part: ParquetPart, out: &mut Vec<u8>) -> Result<(), Failure> {
        match (part.0, &self.direct) {
            (State::Direct(gathered), Some(direct)) => gathered.end(direct, out),
            (State::Spliced(part), _) => part.end(out),
            _ => {
                let (schema, properties) = (self.layout.kept_schema(), self.properties.clone());
                let writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties));
                out.extend(writer.and_then(ArrowWriter::into_inner).map_err(Failure::new)?);
                Ok(())
            }
        }
    }
}

impl ParquetExporter {
    /// A file of one row group.
    fn file(&self, batch: &RecordBatch) -> ParquetResult<Vec<u8>> {
        // Text shrinks to less than half; growing the file would copy it again and again.
        let file = Vec::with_capacity(batch.get_array_memory_size() / 2);
        let mut writer = ArrowWriter::try_new(file, batch.schema(), Some(self.properties.clone()))?;
        writer.write(batch)?;
        writer.into_inner()
    }
}

/// The compression of pages.
///
/// # Errors
///
/// When the level is out of range, or there are none.
fn codec(compression: Compression, level: Option<u8>) -> Result<Codec, SetupError> {
    let wrong = |range: &str| {
        let level = level.unwrap_or_default();
        SetupError::in_option("compression_level", format_args!("{level} is not a level: {range}"))
    };
    match compression {
        Compression::Zstd => ZstdLevel::try_new(level.unwrap_or(1).into())
            .map(Codec::ZSTD)
            .map_err(|_| wrong("`zstd` has 1 to 22")),
        Compression::Gzip => GzipLevel::try_new(level.unwrap_or(6).into())
            .map(Codec::GZIP)
            .map_err(|_| wrong("`gzip` has 0 to 9")),
        _ if level.is_some() => Err(wrong("only `zstd` and `gzip` have levels")),
        Compression::Snappy => Ok(Codec::SNAPPY),
        Compression::Lz4 => Ok(Codec::LZ4_RAW),
        Compression::None => Ok(Codec::UNCOMPRESSED),
    }
}
