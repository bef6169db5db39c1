//! A worker's last step: records to the bytes of every export.

use std::sync::Arc;
use std::time::Instant;

use tamis_config::{ExportPlan, From, Plan};
use tamis_document::{Fate, Record};
use tamis_stage::{Failure, Output};

use crate::chain::Sorted;
use crate::disk::names::refusal;
use crate::partition::Partitioner;
use crate::tally::Tally;
use crate::{RunError, compress};

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

/// Encodes the records of a block for every export of the plan, in plan order.
///
/// A record that an exporter cannot encode becomes a dead letter in all exports, so that it is never kept in
/// one and failed in another.
pub(crate) fn run(plan: &Plan, sorted: &mut Sorted, tally: &mut Tally) -> Result<Vec<Chunk>, RunError> {
    let encoded = loop {
        let mut refused = Vec::new();
        let mut encoded = Vec::with_capacity(plan.exports.len());
        for export in &plan.exports {
            let start = Instant::now();
            let (groups, failures) = share_out(plan, export, sorted.of_mut(export.from));
            for (index, failure) in failures {
                refused.push((export, index, failure.to_string()));
            }
            encoded.push(groups);
            tally.stage("export", &export.id).time += start.elapsed();
        }
        if refused.is_empty() {
            break encoded;
        }
        fail(sorted, refused, tally)?;
    };
    let chunks = plan.exports.iter().zip(encoded).map(|(export, groups)| {
        let start = Instant::now();
        let chunk = chunk(export, groups);
        let entry = tally.stage("export", &export.id);
        entry.seen += sorted.of(export.from).len() as u64;
        entry.time += start.elapsed();
        chunk
    });
    chunks.collect()
}

/// What the records of one folder were turned into.
struct Encoded {
    folder: String,
    output: Output,
    plain_bytes: u64,
    records: u64,
}

/// Encodes records for one export, those of a partition together.
fn share_out(
    plan: &Plan,
    export: &ExportPlan,
    records: &mut Vec<Record>,
) -> (Vec<Encoded>, Vec<(usize, Failure)>) {
    let Some(partition) = &export.partition else {
        let mut failures = Vec::new();
        let group = (!records.is_empty()).then(|| encode(export, String::new(), records, &mut failures));
        return (group.into_iter().collect(), failures);
    };
    let groups = Partitioner::new(export, partition, &plan.exports).group(records);
    // An exporter takes records that lie side by side; moving them costs less than asking it for each.
    groups.arrange(records);
    let mut encoded = Vec::with_capacity(groups.folders.len());
    let mut failures = Vec::new();
    for (folder, range) in &groups.folders {
        let mut failed = Vec::new();
        encoded.push(encode(export, folder.clone(), &records[range.clone()], &mut failed));
        failures.extend(failed.into_iter().map(|(index, why)| (groups.order[range.start + index], why)));
    }
    groups.put_back(records);
    (encoded, failures)
}

fn encode(
    export: &ExportPlan,
    folder: String,
    records: &[Record],
    failures: &mut Vec<(usize, Failure)>,
) -> Encoded {
    let mut output = Output::default();
    if export.info.flags.named_files {
        encode_named(export, records, &mut output, failures);
    } else {
        failures.extend(export.handle.encode(records, &mut output));
    }
    if !folder.is_empty() {
        for (name, _) in &mut output.files {
            name.insert(0, '/');
            name.insert_str(0, &folder);
        }
    }
    // A chunk of an exporter with parts may be in any form; how much it holds is known from the documents.
    let plain_bytes = if export.info.flags.parts {
        records.iter().map(|record| record.document.size() as u64).sum()
    } else {
        output.bytes.len() as u64
    };
    Encoded { folder, output, plain_bytes, records: records.len() as u64 }
}

/// Encodes records that name files one by one, so that a name that no file may have costs the record that it
/// is of.
fn encode_named(
    export: &ExportPlan,
    records: &[Record],
    output: &mut Output,
    failures: &mut Vec<(usize, Failure)>,
) {
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
}

impl Sorted {
    fn of(&self, from: From) -> &[Record] {
        match from {
            From::Kept => &self.kept,
            From::Dropped => &self.dropped,
            From::Failed => &self.failed,
        }
    }

    fn of_mut(&mut self, from: From) -> &mut Vec<Record> {
        match from {
            From::Kept => &mut self.kept,
            From::Dropped => &mut self.dropped,
            From::Failed => &mut self.failed,
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

fn chunk(export: &ExportPlan, groups: Vec<Encoded>) -> Result<Chunk, RunError> {
    let mut chunk = Chunk::default();
    for Encoded { folder, output, plain_bytes, records } in groups {
        chunk.records += records;
        chunk.files.extend(output.files);
        if export.info.flags.parts || !output.bytes.is_empty() {
            let bytes = compress(export, output.bytes)?;
            chunk.parts.push(PartChunk { folder, bytes, plain_bytes, records });
        }
    }
    Ok(chunk)
}

/// Compresses bytes as the export wants it; those of an exporter with parts are for itself.
pub(crate) fn compress(export: &ExportPlan, bytes: Vec<u8>) -> Result<Vec<u8>, RunError> {
    if export.info.flags.parts {
        return Ok(bytes);
    }
    compress::compress(export.compression, bytes)
        .map_err(|error| RunError::Exporter { export: export.id.clone(), message: error.to_string() })
}
