//! Exporters.

use std::sync::Arc;

use tamis_document::{Fate, Limit, Measure, Record};
use tamis_stage::handle::ExporterHandle;
use tamis_stage::{Output, StageInfo};

use super::documents::{long_records, odd_records};
use super::{Results, on_threads};

pub(super) fn check(info: &StageInfo, handle: &dyn ExporterHandle, results: &mut Results) {
    results.run("names the ending of its files", || ending(&handle.extension()));
    results.run("has a head and a tail", || {
        handle.head().and_then(|_| handle.tail()).map(drop).map_err(|failure| failure.to_string())
    });
    results.run("encodes nothing for no records", || same(&Output::default(), &encode(handle, &[])?));
    let all = all_records(info);
    let Some(whole) = results.run("encodes any record", || encode(handle, &all)) else { return };
    results.run("encodes the same twice", || same(&whole, &encode(handle, &all)?));
    results.run("encodes the same in small batches", || same(&whole, &in_batches(handle, &all)?));
    results.run("encodes the same on many threads", || on_threads(|| same(&whole, &encode(handle, &all)?)));
}

/// Records of every fate, with every type of metadata.
pub(super) fn all_records(info: &StageInfo) -> Vec<Record> {
    let mut records = long_records();
    records.extend(odd_records(info));
    for (index, record) in records.iter_mut().enumerate() {
        record.measures.push(Measure { name: "chars".into(), value: 1.5, limit: Limit::Min(2.0) });
        let stage = Some(Arc::from("some-stage"));
        (record.fate, record.stage) = match index % 3 {
            0 => (Fate::Kept, None),
            1 => (Fate::Dropped("too-short".into()), stage),
            _ => (Fate::Failed("line 1: no text".into()), stage),
        };
    }
    records
}

pub(super) fn ending(extension: &str) -> Result<(), String> {
    let well_formed = extension.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if extension.is_empty() || extension.starts_with('.') || !well_formed {
        return Err(format!("`{extension}` is no ending: give one such as `jsonl`, without a dot in front"));
    }
    Ok(())
}

fn encode(handle: &dyn ExporterHandle, records: &[Record]) -> Result<Output, String> {
    let mut output = Output::default();
    let failures = handle.encode(records, &mut output);
    match failures.first() {
        Some((index, failure)) => Err(format!("document `{}`: {failure}", records[*index].document.id)),
        None => Ok(output),
    }
}

fn in_batches(handle: &dyn ExporterHandle, records: &[Record]) -> Result<Output, String> {
    let mut joined = Output::default();
    for batch in records.chunks(3) {
        let output = encode(handle, batch)?;
        joined.bytes.extend(output.bytes);
        joined.files.extend(output.files);
    }
    Ok(joined)
}

fn same(expected: &Output, actual: &Output) -> Result<(), String> {
    if expected.bytes == actual.bytes && expected.files == actual.files {
        return Ok(());
    }
    Err("other bytes came out".to_owned())
}
