//! Exporters of files with parts.

use tamis_document::Record;
use tamis_stage::handle::ExporterHandle;
use tamis_stage::{Failure, Output, StageInfo};
use tempfile::TempDir;

use super::exporter::{all_records, ending};
use super::{Results, is_mistake, on_threads};

pub(super) fn check(info: &StageInfo, handle: &dyn ExporterHandle, results: &mut Results) {
    results.run("names the ending of its files", || ending(&handle.extension()));
    let all = all_records(info);
    let Some(chunks) = results.run("encodes any record", || encode(handle, &all)) else { return };
    results.run("encodes the same twice", || same(&chunks, &encode(handle, &all)?));
    results.run("encodes the same on many threads", || on_threads(|| same(&chunks, &encode(handle, &all)?)));
    results.run("writes a part without records", || write(handle, &[]).map(drop));
    let Some(part) = results.run("writes a part", || write(handle, &chunks)) else { return };
    results.run("writes the same part twice", || same(&part, &write(handle, &chunks)?));
    results.run("writes two parts at the same time", || on_threads(|| same(&part, &write(handle, &chunks)?)));
    results.run("gives a part up", || given_up(handle, &chunks));
}

fn same<T: PartialEq>(expected: &T, actual: &T) -> Result<(), String> {
    if expected == actual { Ok(()) } else { Err("other bytes came out".to_owned()) }
}

/// The chunks of records, a few in each.
fn encode(handle: &dyn ExporterHandle, records: &[Record]) -> Result<Vec<Vec<u8>>, String> {
    records.chunks(3).map(|records| chunk(handle, records.to_vec())).filter_map(Result::transpose).collect()
}

/// A chunk of the records that have a form in the format, if there are any.
fn chunk(handle: &dyn ExporterHandle, mut records: Vec<Record>) -> Result<Option<Vec<u8>>, String> {
    while !records.is_empty() {
        let mut out = Output::default();
        let failures = handle.encode(&records, &mut out);
        if failures.is_empty() {
            return Ok(Some(out.bytes));
        }
        for (index, failure) in failures.iter().rev() {
            let refused = records.remove(*index);
            if is_mistake(&failure.to_string()) {
                return Err(format!("document `{}`: {failure}", refused.document.id));
            }
        }
    }
    Ok(None)
}

/// What a part of these chunks is: the bytes that were put out, or the file that the exporter wrote itself.
fn write(handle: &dyn ExporterHandle, chunks: &[Vec<u8>]) -> Result<Vec<u8>, String> {
    let folder = folder()?;
    let path = folder.path().join("part");
    let told = |failure: Failure| failure.to_string();
    let mut out = Vec::new();
    let mut part = handle.begin(&path, &mut out).map_err(told)?;
    for chunk in chunks {
        part.add(chunk.clone(), &mut out).map_err(told)?;
    }
    part.end(&mut out).map_err(told)?;
    if path.exists() {
        out.extend(std::fs::read(&path).map_err(|error| error.to_string())?);
    }
    Ok(out)
}

/// A part that is dropped before its end harms no other.
fn given_up(handle: &dyn ExporterHandle, chunks: &[Vec<u8>]) -> Result<(), String> {
    let folder = folder()?;
    let told = |failure: Failure| failure.to_string();
    let mut part = handle.begin(&folder.path().join("part"), &mut Vec::new()).map_err(told)?;
    if let Some(chunk) = chunks.first() {
        part.add(chunk.clone(), &mut Vec::new()).map_err(told)?;
    }
    drop(part);
    write(handle, chunks).map(drop)
}

fn folder() -> Result<TempDir, String> {
    tempfile::tempdir().map_err(|error| format!("there is no temporary folder: {error}"))
}
