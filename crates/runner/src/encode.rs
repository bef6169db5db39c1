//! A worker's last step: records to the bytes of every export.

use std::sync::Arc;
use std::time::Instant;

use tamis_config::{Compression, ExportPlan, From, Plan};
use tamis_document::{Fate, Record};
use tamis_stage::{Failure, Output};

use crate::RunError;
use crate::chain::Sorted;
use crate::named::refusal;
use crate::tally::Tally;

/// What a block adds to one export.
#[derive(Debug, Default)]
pub(crate) struct Chunk {
    /// What it adds to parts, at most one entry a folder.
    pub(crate) parts: Vec<PartChunk>,
    /// Named files.
    pub(crate) files: Vec<(String, Vec<u8>)>,
    /// Records in it.
    pub(crate) records: u64,
}

/// What a block adds to the current part of a folder.
#[derive(Debug, Default)]
pub(crate) struct PartChunk {
    /// The folder of the part below that of the export, with `/`; empty if the export has no partitions.
    pub(crate) folder: String,
    /// Bytes for the part, compressed as the export wants it, or a chunk for its exporter.
    pub(crate) bytes: Vec<u8>,
    /// Their length before compression; of an exporter with parts, the size of the documents.
    pub(crate) plain_bytes: u64,
    /// Records in it.
    pub(crate) records: u64,
}

impl Chunk {
    /// The bytes that it holds.
    pub(crate) fn size(&self) -> usize {
        let parts = self.parts.iter().map(|part| part.folder.len() + part.bytes.len());
        let files = self.files.iter().map(|(name, content)| name.len() + content.len());
        parts.chain(files).sum()
    }
}

/// Encodes the records of a block for every export of the plan, in plan order.
///
/// A record that an exporter cannot encode becomes a dead letter in all exports, so that it is never kept in
/// one and failed in another.
pub(crate) fn run(plan: &Plan, sorted: &mut Sorted, tally: &mut Tally) -> Result<Vec<Chunk>, RunError> {
    let outputs = loop {
        let mut refused = Vec::new();
        let mut outputs = Vec::with_capacity(plan.exports.len());
        for export in &plan.exports {
            let start = Instant::now();
            let mut output = Output::default();
            let records = sorted.of(export.from);
            for (index, failure) in encode(export, records, &mut output) {
                refused.push((export, index, failure.to_string()));
            }
            outputs.push(output);
            tally.stage("export", &export.id).time += start.elapsed();
        }
        if refused.is_empty() {
            break outputs;
        }
        fail(sorted, refused, tally)?;
    };
    let chunks = plan.exports.iter().zip(outputs).map(|(export, output)| {
        let start = Instant::now();
        let records = sorted.of(export.from).len() as u64;
        let chunk = chunk(export, output, records);
        let entry = tally.stage("export", &export.id);
        entry.seen += records;
        entry.time += start.elapsed();
        chunk
    });
    chunks.collect()
}

/// Encodes records for one export; those that name files go one by one, so that a name that no file may have
/// costs the record that it is of.
fn encode(export: &ExportPlan, records: &[Record], output: &mut Output) -> Vec<(usize, Failure)> {
    if !export.info.flags.named_files {
        return export.handle.encode(records, output);
    }
    let mut failures = Vec::new();
    for (index, record) in records.iter().enumerate() {
        let n_files = output.files.len();
        let failed = export.handle.encode(std::slice::from_ref(record), output);
        let refused = output.files.iter().skip(n_files).find_map(|(name, _)| Some((name, refusal(name)?)));
        let refused = refused.map(|(name, why)| {
            Failure::new(format_args!("the exporter named its file `{}`, which {why}", name.escape_debug()))
        });
        if let Some(failure) = failed.into_iter().map(|(_, failure)| failure).next().or(refused) {
            output.files.truncate(n_files);
            failures.push((index, failure));
        }
    }
    failures
}

impl Sorted {
    fn of(&self, from: From) -> &[Record] {
        match from {
            From::Kept => &self.kept,
            From::Dropped => &self.dropped,
            From::Failed => &self.failed,
        }
    }
}

/// Moves records that an exporter refused to the failed ones.
fn fail(
    sorted: &mut Sorted,
    refused: Vec<(&ExportPlan, usize, String)>,
    tally: &mut Tally,
) -> Result<(), RunError> {
    let mut places: Vec<(From, usize, Arc<str>, String)> = Vec::new();
    for (export, index, message) in refused {
        if export.from == From::Failed {
            let id = sorted.failed[index].document.id.clone();
            return Err(RunError::DeadLetter { export: export.id.clone(), id, message });
        }
        // Several exports may refuse the same record; the first one is named.
        if !places.iter().any(|(from, place, ..)| (*from, *place) == (export.from, index)) {
            places.push((export.from, index, Arc::from(export.id.as_str()), message));
        }
    }
    // From the back, so that the indices in front stay true.
    places.sort_by_key(|(_, index, ..)| std::cmp::Reverse(*index));
    let mut moved = Vec::new();
    for (from, index, export, message) in places {
        let records = if from == From::Kept { &mut sorted.kept } else { &mut sorted.dropped };
        let mut record = records.remove(index);
        if let (Some(stage), Fate::Dropped(reason)) = (&record.stage, &record.fate)
            && let Some(n) = tally.stage("stage", stage).dropped.get_mut(reason.as_ref())
        {
            *n -= 1;
        }
        tally.stage("export", &export).failed += 1;
        record.fate = Fate::Failed(message.into());
        record.stage = Some(export);
        moved.push(record);
    }
    sorted.failed.extend(moved.into_iter().rev());
    Ok(())
}

fn chunk(export: &ExportPlan, output: Output, records: u64) -> Result<Chunk, RunError> {
    let plain_bytes = output.bytes.len() as u64;
    let bytes = compress(export, output.bytes)?;
    let mut parts = Vec::new();
    if !bytes.is_empty() {
        parts.push(PartChunk { folder: String::new(), bytes, plain_bytes, records });
    }
    Ok(Chunk { parts, files: output.files, records })
}

/// Compresses bytes as a frame of their own: frames of blocks joined are a valid file.
pub(crate) fn compress(export: &ExportPlan, bytes: Vec<u8>) -> Result<Vec<u8>, RunError> {
    match export.compression {
        Compression::Zstd { level } if !bytes.is_empty() => zstd::bulk::compress(&bytes, level)
            .map_err(|error| RunError::Exporter { export: export.id.clone(), message: error.to_string() }),
        _ => Ok(bytes),
    }
}
