//! The exporter: workers encode batches as messages, the writing thread puts these one after the other.

use std::path::Path;

use arrow_ipc::convert::{IpcSchemaEncoder, try_schema_from_flatbuffer_bytes};
use arrow_ipc::writer::{DictionaryTracker, EncodedData, IpcDataGenerator, IpcWriteOptions, write_message};
use arrow_ipc::{Block, CompressionType, FooterBuilder, MetadataVersion};
use arrow_schema::{ArrowError, Schema};
use tamis_plugin::{ExportView, Failure, PartExporter, SetupError};

use super::message::{CONTINUATION, MAGIC};
use super::options::{ArrowCompression, ArrowExportOptions};
use crate::rows::{Layout, every};

/// The exporter of Arrow IPC files.
///
/// A chunk is a record batch as a message, made by a worker, with the schema that it follows.
#[derive(Debug)]
pub struct ArrowExporter {
    layout: Layout,
    options: IpcWriteOptions,
}

/// A part that is being written.
#[derive(Debug, Default)]
pub struct ArrowPart {
    /// The schema of the first chunk as a flatbuffer, which all others share; empty before it.
    schema: Vec<u8>,
    /// Where the batches are, for the footer.
    blocks: Vec<Block>,
    /// Bytes of the file so far.
    written: usize,
}

impl PartExporter for ArrowExporter {
    const NAME: &'static str = "arrow";
    const REPLAYABLE: bool = true;
    type Options = ArrowExportOptions;
    type Part = ArrowPart;

    fn open(options: ArrowExportOptions) -> Result<Self, SetupError> {
        let ArrowExportOptions { columns, rest, raw, origin, compression } = options;
        let codec = match compression {
            ArrowCompression::Zstd => Some(CompressionType::ZSTD),
            ArrowCompression::Lz4 => Some(CompressionType::LZ4_FRAME),
            ArrowCompression::None => None,
        };
        let options = IpcWriteOptions::default()
            .try_with_compression(codec)
            .map_err(|error| SetupError::in_option("compression", error))?;
        Ok(Self { layout: Layout::new(columns, rest, raw, origin)?, options })
    }

    fn extension(&self) -> &'static str {
        "arrow"
    }

    fn encode(&self, records: &[ExportView<'_>], chunk: &mut Vec<u8>) -> Vec<(usize, Failure)> {
        let batch = match self.layout.batch(records) {
            Ok(batch) => batch,
            Err(failures) => return failures,
        };
        let schema = self.schema_message(&batch.schema());
        let encoded = IpcDataGenerator::default().encode(
            &batch,
            &mut DictionaryTracker::new(true),
            &self.options,
            &mut arrow_ipc::writer::IpcWriteContext::default(),
        );
        let written = encoded.and_then(|(_, batch)| {
            let mut message = Vec::with_capacity(batch.arrow_data.len() + batch.ipc_message.len() + 128);
            let (head, _) = write_message(&mut message, batch, &self.options)?;
            Chunk { schema: &schema, head, message: &message }.write(chunk);
            Ok(())
        });
        written.map_or_else(|error| every(records.len(), &error), |()| Vec::new())
    }

    fn begin(&self, _path: &Path, _out: &mut Vec<u8>) -> Result<ArrowPart, Failure> {
        Ok(ArrowPart::default())
    }

    fn add(&self, part: &mut ArrowPart, chunk: Vec<u8>, out: &mut Vec<u8>) -> Result<(), Failure> {
        let chunk = Chunk::parse(&chunk).ok_or_else(|| Failure::new("a chunk that is not whole"))?;
        if part.schema.is_empty() {
            self.write_head(part, chunk.schema, out)?;
        } else if part.schema != chunk.schema {
            return Err(Failure::new("records of different columns came to one file"));
        }
        let too_large =
            |_| Failure::new("a record batch beyond 2 GiB of description, or a file beyond 8 EiB");
        let offset = i64::try_from(part.written).map_err(too_large)?;
        let head = i32::try_from(chunk.head).map_err(too_large)?;
        let body = i64::try_from(chunk.message.len() - chunk.head).map_err(too_large)?;
        part.blocks.push(Block::new(offset, head, body));
        part.written += chunk.message.len();
        out.extend_from_slice(chunk.message);
        Ok(())
    }

    fn end(&self, mut part: ArrowPart, out: &mut Vec<u8>) -> Result<(), Failure> {
        if part.schema.is_empty() {
            let schema = self.schema_message(&self.layout.kept_schema());
            self.write_head(&mut part, &schema, out)?;
        }
        out.extend_from_slice(&CONTINUATION);
        out.extend_from_slice(&[0; 4]);
        let schema = try_schema_from_flatbuffer_bytes(&part.schema).map_err(Failure::new)?;
        write_footer(&schema, &part.blocks, out).map_err(Failure::new)
    }
}

impl ArrowExporter {
    fn schema_message(&self, schema: &Schema) -> Vec<u8> {
        let mut dictionaries = DictionaryTracker::new(true);
        IpcDataGenerator::default()
            .schema_to_bytes_with_dictionary_tracker(schema, &mut dictionaries, &self.options)
            .ipc_message
    }

    /// Writes what stands before the first batch.
    fn write_head(&self, part: &mut ArrowPart, schema: &[u8], out: &mut Vec<u8>) -> Result<(), Failure> {
        /// What messages are a multiple of, so that a file in memory is aligned for every type.
        const ALIGNMENT: usize = 64;
        let start = out.len();
        out.extend_from_slice(MAGIC);
        out.resize(start + ALIGNMENT, 0);
        let message = EncodedData { ipc_message: schema.to_vec(), arrow_data: Vec::new() };
        write_message(&mut *out, message, &self.options).map_err(Failure::new)?;
        part.written = out.len() - start;
        part.schema = schema.to_vec();
        Ok(())
    }
}

fn write_footer(schema: &Schema, blocks: &[Block], out: &mut Vec<u8>) -> Result<(), ArrowError> {
    // An emptied builder of the library's own, which saves a dependency on the one behind it.
    let mut builder = IpcSchemaEncoder::new().schema_to_fb(&Schema::empty());
    builder.reset();
    let dictionaries = builder.create_vector::<Block>(&[]);
    let batches = builder.create_vector(blocks);
    let schema = IpcSchemaEncoder::new().schema_to_fb_offset(&mut builder, schema);
    let mut footer = FooterBuilder::new(&mut builder);
    footer.add_version(MetadataVersion::V5);
    footer.add_schema(schema);
    footer.add_dictionaries(dictionaries);
    footer.add_recordBatches(batches);
    let root = footer.finish();
    builder.finish(root, None);
    let footer = builder.finished_data();
    let length = i32::try_from(footer.len())
        .map_err(|_| ArrowError::IpcError(format!("a footer of {} bytes", footer.len())))?;
    out.extend_from_slice(footer);
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(MAGIC);
    Ok(())
}

/// A record batch on its way from a worker: the lengths of schema and head, 8 bytes each, schema, message.
struct Chunk<'a> {
    schema: &'a [u8],
    /// How many bytes of `message` come before the columns.
    head: usize,
    message: &'a [u8],
}

impl<'a> Chunk<'a> {
    fn write(&self, out: &mut Vec<u8>) {
        out.reserve(16 + self.schema.len() + self.message.len());
        out.extend_from_slice(&(self.schema.len() as u64).to_le_bytes());
        out.extend_from_slice(&(self.head as u64).to_le_bytes());
        out.extend_from_slice(self.schema);
        out.extend_from_slice(self.message);
    }

    fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (schema, bytes) = bytes.split_first_chunk::<8>()?;
        let (head, bytes) = bytes.split_first_chunk::<8>()?;
        let n_schema = usize::try_from(u64::from_le_bytes(*schema)).ok()?;
        let head = usize::try_from(u64::from_le_bytes(*head)).ok()?;
        let (schema, message) = bytes.split_at_checked(n_schema)?;
        (head <= message.len()).then_some(Self { schema, head, message })
    }
}
