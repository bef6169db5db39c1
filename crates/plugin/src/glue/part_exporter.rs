//! Exporters of files with parts.

use std::ffi::c_void;

use tamis_stage::{ExportView, PartExporter};

use super::exporter::{NOTHING_TOLD, Told};
use super::host::{HostRef, documents, text};
use super::{boundary, stage};
use crate::abi::{self, Str};
use crate::guard;

pub(super) fn table<T: PartExporter>() -> abi::Exporter {
    abi::Exporter {
        struct_size: size_of::<abi::Exporter>() as u32,
        reserved: 0,
        extension: Some(extension::<T>),
        head: None,
        tail: None,
        encode: Some(encode::<T>),
        part_begin: Some(part_begin::<T>),
        part_add: Some(part_add::<T>),
        part_end: Some(part_end::<T>),
        part_free: Some(part_free::<T>),
    }
}

unsafe extern "C-unwind" fn extension<T: PartExporter>(instance: *mut c_void, host: *const abi::Host) -> i32 {
    // SAFETY: the host calls with what the header promises.
    let (host, stage) = unsafe { (HostRef::new(host), stage::<T>(instance)) };
    boundary(host, || {
        host.put(0, stage.extension().as_bytes());
        Ok(())
    })
}

unsafe extern "C-unwind" fn encode<T: PartExporter>(
    instance: *mut c_void,
    docs: *const abi::Document,
    n: usize,
    host: *const abi::Host,
) -> i32 {
    // SAFETY: the host calls with what the header promises.
    let (host, stage, docs) = unsafe { (HostRef::new(host), stage::<T>(instance), documents(docs, n)) };
    boundary(host, || {
        let told: Option<Vec<_>> = (0u32..).zip(docs).map(|(index, _)| Told::new(host, index)).collect();
        let told = told.ok_or(NOTHING_TOLD)?;
        // SAFETY: from the host, valid until this call returns.
        let records = docs.iter().zip(&told).map(|(document, told)| unsafe { told.view(document) });
        let records: Vec<_> = records.collect();
        let mut chunk = Vec::new();
        let failures = encode_all(stage, &records, &mut chunk)?;
        hand_over(host, docs.len(), &chunk, &failures);
        Ok(())
    })
}

/// The index and message of each record that failed; a panic over all of them if none fails alone.
fn encode_all<T: PartExporter>(
    stage: &T,
    records: &[ExportView<'_>],
    chunk: &mut Vec<u8>,
) -> Result<Vec<(usize, String)>, String> {
    let told = |(index, failure): (usize, tamis_stage::Failure)| (index, failure.to_string());
    let panic = match guard::catch_inside(|| stage.encode(records, chunk)) {
        Ok(failures) => return Ok(failures.into_iter().map(told).collect()),
        Err(panic) => panic,
    };
    // One record must not cost the others: whoever panics alone is found, and the others come again.
    let alone = |(index, record)| match guard::catch_inside(|| {
        stage.encode(std::slice::from_ref(record), &mut Vec::new())
    }) {
        Ok(failures) => failures.first().map(|(_, failure)| (index, failure.to_string())),
        Err(panic) => Some((index, panic)),
    };
    let failures: Vec<_> = records.iter().enumerate().filter_map(alone).collect();
    if failures.is_empty() { Err(panic) } else { Ok(failures) }
}

/// Tells the host what came of each of `n` records; the chunk goes with the last.
fn hand_over(host: HostRef<'_>, n: usize, chunk: &[u8], failures: &[(usize, String)]) {
    let mut is_left = vec![true; n];
    for (index, message) in failures {
        host.fail(u32::try_from(*index).unwrap_or(u32::MAX), message);
        is_left.get_mut(*index).into_iter().for_each(|is_left| *is_left = false);
    }
    let puts = if failures.is_empty() { n.checked_sub(1) } else { None };
    for index in (0..n).filter(|index| is_left[*index] && Some(*index) != puts) {
        // Said aloud, because a document for which nothing is put counts as forgotten.
        host.verdict(index as u32, abi::KEEP, "");
    }
    if let Some(last) = puts {
        host.put(last as u32, chunk);
    }
}

unsafe extern "C-unwind" fn part_begin<T: PartExporter>(
    instance: *mut c_void,
    path: Str,
    host: *const abi::Host,
    part: *mut *mut c_void,
) -> i32 {
    // SAFETY: the host calls with what the header promises.
    let (host, stage, path) = unsafe { (HostRef::new(host), stage::<T>(instance), text(path)) };
    boundary(host, || {
        let mut out = Vec::new();
        let begun = stage.begin(path.as_ref(), &mut out).map_err(|failure| failure.to_string())?;
        host.put_all(&out);
        // SAFETY: `part` is the host's place for the result.
        unsafe { part.write(Box::into_raw(Box::new(begun)).cast()) };
        Ok(())
    })
}

unsafe extern "C-unwind" fn part_add<T: PartExporter>(
    instance: *mut c_void,
    part: *mut c_void,
    chunk: Str,
    host: *const abi::Host,
) -> i32 {
    // SAFETY: the host calls with what the header promises; a part belongs to one call at a time.
    let (host, stage, part, chunk) =
        unsafe { (HostRef::new(host), stage::<T>(instance), &mut *part.cast::<T::Part>(), chunk.bytes()) };
    boundary(host, || {
        let mut out = Vec::new();
        stage.add(part, chunk.to_vec(), &mut out).map_err(|failure| failure.to_string())?;
        host.put_all(&out);
        Ok(())
    })
}

unsafe extern "C-unwind" fn part_end<T: PartExporter>(
    instance: *mut c_void,
    part: *mut c_void,
    host: *const abi::Host,
) -> i32 {
    // SAFETY: the host calls with what the header promises; ending consumes the part.
    let (host, stage, part) =
        unsafe { (HostRef::new(host), stage::<T>(instance), Box::from_raw(part.cast::<T::Part>())) };
    boundary(host, || {
        let mut out = Vec::new();
        stage.end(*part, &mut out).map_err(|failure| failure.to_string())?;
        host.put_all(&out);
        Ok(())
    })
}

unsafe extern "C-unwind" fn part_free<T: PartExporter>(_instance: *mut c_void, part: *mut c_void) {
    // SAFETY: made by `part_begin::<T>`, and neither ended nor freed before.
    let part = unsafe { Box::from_raw(part.cast::<T::Part>()) };
    // A panicking `drop` has nobody left to tell.
    drop(guard::catch(|| drop(part)));
}
