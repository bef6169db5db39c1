//! A worker's last step: records to the bytes of every export.

use std::collections::BTreeMap;
use std::sync::Arc;

use tamis_config::{From, Opened, OpenedExport};
use tamis_document::{Fate, Record};
use tamis_stage::{Failure, Output};

use crate::clock::Stopwatch;
use crate::disk::names::refusal;
use crate::error::RunError;
use crate::tally::Tally;
use crate::work::compress;
use crate::work::task::{Chunk, PartChunk, Sorted};
use crate::write::partition::Partitioner;

/// Encodes the records of a block for every export of the plan, in plan order.
///
/// A record that an exporter cannot encode becomes a dead letter in all exports, so that it is never kept in
/// one and failed in another.
pub(crate) fn run(opened: &Opened, sorted: &mut Sorted, tally: &mut Tally) -> Result<Vec<Chunk>, RunError> {
    let encoded = loop {
        let mut refused = Vec::new();
        let mut encoded = Vec::with_capacity(opened.exports.len());
        for export in &opened.exports {
            let start = Stopwatch::start();
            let (groups, failures) = share_out(opened, export, sorted.of_mut(export.from));
            for (index, failure) in failures {
                refused.push((export, index, failure.to_string()));
            }
            encoded.push(groups);
            tally.stage("export", &export.id).time += start.spent();
        }
        if refused.is_empty() {
            break encoded;
        }
        fail(sorted, refused, tally)?;
    };
    let chunks = opened.exports.iter().zip(encoded).map(|(export, groups)| {
        let start = Stopwatch::start();
        let chunk = chunk(export, groups);
        let entry = tally.stage("export", &export.id);
        entry.seen += sorted.of(export.from).len() as u64;
        if export.from == From::Kept {
            entry.find(&export.named_fields, sorted.of(From::Kept));
        }
        entry.time += start.spent();
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
    opened: &Opened,
    export: &OpenedExport,
    records: &mut Vec<Record>,
) -> (Vec<Encoded>, Vec<(usize, Failure)>) {
    let Some(partition) = &export.partition else {
        let mut failures = Vec::new();
        let group = (!records.is_empty()).then(|| encode(export, String::new(), records, &mut failures));
        return (group.into_iter().collect(), failures);
    };
    let groups = Partitioner::new(export, partition, &opened.plan.exports).group(records);
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
    export: &OpenedExport,
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
    export: &OpenedExport,
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

/// Moves records that an exporter refused to the failed ones, in corpus order.
fn fail(
    sorted: &mut Sorted,
    refused: Vec<(&OpenedExport, usize, String)>,
    tally: &mut Tally,
) -> Result<(), RunError> {
    let (mut kept, mut dropped) = (BTreeMap::new(), BTreeMap::new());
    for (export, index, message) in refused {
        let refused = match export.from {
            From::Kept => &mut kept,
            From::Dropped => &mut dropped,
            From::Failed => {
                let id = sorted.failed[index].document.id.clone();
                return Err(RunError::DeadLetter { export: export.id.clone(), id, message });
            }
        };
        // Several exports may refuse the same record; the first one is named.
        refused.entry(index).or_insert((Arc::<str>::from(export.id.as_str()), message));
    }
    let moved = take_refused(&mut sorted.kept, &mut kept, tally);
    sorted.failed.extend(moved);
    let moved = take_refused(&mut sorted.dropped, &mut dropped, tally);
    sorted.failed.extend(moved);
    sorted.failed.sort_by_key(|record| record.position);
    Ok(())
}

/// Takes the records with these indices out.
fn take_refused(
    records: &mut Vec<Record>,
    refused: &mut BTreeMap<usize, (Arc<str>, String)>,
    tally: &mut Tally,
) -> Vec<Record> {
    let mut moved = Vec::with_capacity(refused.len());
    for (index, mut record) in std::mem::take(records).into_iter().enumerate() {
        let Some((export, message)) = refused.remove(&index) else {
            records.push(record);
            continue;
        };
        if let (Some(stage), Fate::Dropped(reason)) = (&record.stage, &record.fate)
            && let Some(n) = tally.stage("stage", stage).dropped.get_mut(reason.as_ref())
        {
            *n -= 1;
        }
        record.fate = Fate::Failed(message.into());
        tally.stage("export", &export).fail(&record);
        record.stage = Some(export);
        moved.push(record);
    }
    moved
}

fn chunk(export: &OpenedExport, groups: Vec<Encoded>) -> Result<Chunk, RunError> {
    let mut chunk = Chunk::default();
    for Encoded { folder, output, plain_bytes, records } in groups {
        chunk.records += records;
        chunk.files.extend(output.files);
        if export.info.flags.parts || !output.bytes.is_empty() {
            let bytes = compress::for_export(export, output.bytes)?;
            chunk.parts.push(PartChunk { folder, bytes, plain_bytes, records });
        }
    }
    Ok(chunk)
}
