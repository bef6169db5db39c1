//! Exporters.

use std::ffi::c_void;
use std::path::Path;

use tamis_document::{Fate, Record};
use tamis_plugin::abi::{self, Str};
use tamis_stage::handle::{ExporterHandle, PartHandle};
use tamis_stage::{Failure, Output, SetupError};

use super::{Instance, utf8};
use crate::call::{State, Target, str};

pub(super) struct Exporter {
    instance: Instance,
    table: &'static abi::Exporter,
    extension: String,
}

impl Exporter {
    pub(super) fn new(instance: Instance, table: &'static abi::Exporter) -> Result<Self, SetupError> {
        let extension = extension(&instance, table).map_err(SetupError::new)?;
        Ok(Self { instance, table, extension })
    }

    fn has(&self, flag: u64) -> bool {
        self.instance.table.flags & flag != 0
    }

    /// A call that writes to a part: what it puts is added to `out`, or nothing if it fails.
    fn part(&self, out: &mut Vec<u8>, run: impl FnOnce(*const abi::Host) -> i32) -> Result<(), Failure> {
        let before = out.len();
        let mut call = self.instance.call(Target::Nothing);
        call.output.bytes = std::mem::take(out);
        let result = call.run(run);
        *out = std::mem::take(&mut call.output.bytes);
        let n = out.len() - before;
        let result = match result {
            Ok(()) if n > 0 && self.has(abi::OWN_FILE) => {
                let breach = format!("it put {n} bytes out, and says that it writes its files itself");
                Err(self.instance.breach(&breach))
            }
            result => result.map_err(|error| self.instance.failure(&error)),
        };
        if result.is_err() {
            out.truncate(before);
        }
        result
    }

    /// Bytes that a function without documents puts out.
    fn bytes(&self, function: Option<abi::PutFn>) -> Result<Vec<u8>, Failure> {
        let Some(function) = function else { return Ok(Vec::new()) };
        let mut call = self.instance.call(Target::Nothing);
        // SAFETY: the table was checked and the instance is open.
        call.run(|host| unsafe { function(self.instance.pointer, host) })
            .map_err(|error| self.instance.failure(&error))?;
        Ok(call.output.bytes)
    }
}

/// The ending of the files, which becomes part of their names.
fn extension(instance: &Instance, table: &'static abi::Exporter) -> Result<String, String> {
    let extension = table.extension.ok_or("the function `extension` is missing")?;
    let mut call = instance.call(Target::Nothing);
    // SAFETY: the table was checked and the instance is open.
    call.run(|host| unsafe { extension(instance.pointer, host) }).map_err(|error| error.message)?;
    let name = call.output.bytes.as_slice();
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    if name.is_empty() || name.starts_with(b".") || !name.iter().all(is_plain) {
        return Err(format!(
            "it gives its files the ending `{}`: an ending has letters, digits, `.`, `_` and `-`, and no dot in front",
            String::from_utf8_lossy(name)
        ));
    }
    Ok(String::from_utf8_lossy(name).into_owned())
}

impl ExporterHandle for Exporter {
    fn extension(&self) -> String {
        self.extension.clone()
    }

    fn head(&self) -> Result<Vec<u8>, Failure> {
        self.bytes(self.table.head)
    }

    fn tail(&self) -> Result<Vec<u8>, Failure> {
        self.bytes(self.table.tail)
    }

    fn encode(&self, records: &[Record], out: &mut Output) -> Vec<(usize, Failure)> {
        let Some(encode) = self.table.encode else { return Vec::new() };
        if records.is_empty() {
            return Vec::new();
        }
        let views = self.instance.views(records);
        let mut call = self.instance.call(Target::Export(records));
        call.named_files = self.instance.table.flags & abi::NAMED_FILES != 0;
        std::mem::swap(&mut call.output, out);
        let (bytes, files) = (call.output.bytes.len(), call.output.files.len());
        if !call.named_files && !self.has(abi::PARTS) {
            call.output.bytes.reserve(expected_bytes(records));
        }
        // SAFETY: the table was checked, the instance is open, the views outlive the call.
        let result =
            call.run(|host| unsafe { encode(self.instance.pointer, views.as_ptr(), views.len(), host) });
        std::mem::swap(&mut call.output, out);
        match result {
            Ok(()) => {
                let put = call.put;
                let failure = |(index, state): (usize, Option<Box<State>>)| {
                    let (breach, verdict) = state.map_or((None, None), |state| (state.breach, state.verdict));
                    match (breach, verdict) {
                        (Some(breach), _) => Some((index, Failure::new(breach))),
                        (None, Some(Fate::Failed(reason))) => Some((index, Failure::new(reason))),
                        (None, None) if !put[index] => {
                            let forgotten = "it put nothing out for the document and did not say so";
                            Some((index, self.instance.breach(forgotten)))
                        }
                        _ => None,
                    }
                };
                let mut failures: Vec<_> = call.states.into_iter().enumerate().filter_map(failure).collect();
                if self.has(abi::PARTS) {
                    if failures.is_empty() && !put.contains(&true) {
                        let nothing = "it put no chunk out, and did not say that a document failed";
                        let breach = self.instance.breach(nothing);
                        failures = (0..records.len()).map(|index| (index, breach.clone())).collect();
                    }
                    if !failures.is_empty() {
                        // Half a chunk is none.
                        out.bytes.truncate(bytes);
                    }
                }
                failures
            }
            Err(error) => {
                // Nothing that the call put out can be trusted.
                out.bytes.truncate(bytes);
                out.files.truncate(files);
                let failure = self.instance.failure(&error);
                (0..records.len()).map(|index| (index, failure.clone())).collect()
            }
        }
    }

    fn begin(&self, path: &Path, out: &mut Vec<u8>) -> Result<Box<dyn PartHandle + '_>, Failure> {
        let Some(begin) = self.table.part_begin.filter(|_| self.has(abi::PARTS)) else {
            return Err(Failure::new("the exporter writes a stream"));
        };
        let path = utf8(path)?;
        let (mut pointer, mut is_begun) = (std::ptr::null_mut(), false);
        let result = self.part(out, |host| {
            // SAFETY: the table was checked, the instance is open, the path outlives the call.
            let code = unsafe { begin(self.instance.pointer, str(path), host, &raw mut pointer) };
            is_begun = code == abi::OK;
            code
        });
        // From here on the part is freed, whatever is wrong with it.
        let part = Part { exporter: self, pointer: is_begun.then_some(pointer) };
        result?;
        Ok(Box::new(part))
    }
}

/// Roughly what records take as text, in bytes: memory that grows is copied again and again.
fn expected_bytes(records: &[Record]) -> usize {
    let size = |record: &Record| record.document.text.len() / 16 * 17 + 256;
    records.iter().map(size).sum()
}

/// A part that is being written; freed when dropped before its end.
struct Part<'a> {
    exporter: &'a Exporter,
    /// None once it has been ended or freed.
    pointer: Option<*mut c_void>,
}

// SAFETY: a part belongs to one call at a time but to no thread (header).
unsafe impl Send for Part<'_> {}

impl Part<'_> {
    fn free(&mut self) {
        if let Some((free, pointer)) = self.exporter.table.part_free.zip(self.pointer.take()) {
            let _entered = self.exporter.instance.enter();
            // SAFETY: begun by this instance, which is open, and neither ended nor freed.
            unsafe { free(self.exporter.instance.pointer, pointer) };
        }
    }
}

const GIVEN_UP: &str = "the part was given up when writing to it failed";

impl PartHandle for Part<'_> {
    fn add(&mut self, chunk: Vec<u8>, out: &mut Vec<u8>) -> Result<(), Failure> {
        let exporter = self.exporter;
        let Some((add, pointer)) = exporter.table.part_add.zip(self.pointer) else {
            return Err(Failure::new(GIVEN_UP));
        };
        // SAFETY: the table was checked, instance and part are open, the chunk outlives the call.
        let added = exporter
            .part(out, |host| unsafe { add(exporter.instance.pointer, pointer, Str::new(&chunk), host) });
        if added.is_err() {
            // It may be half-changed: nothing more is written to it.
            self.free();
        }
        added
    }

    fn end(mut self: Box<Self>, out: &mut Vec<u8>) -> Result<(), Failure> {
        let exporter = self.exporter;
        let Some((end, pointer)) = exporter.table.part_end.zip(self.pointer.take()) else {
            return Err(Failure::new(GIVEN_UP));
        };
        // SAFETY: the table was checked, instance and part are open, and the part is consumed here.
        exporter.part(out, |host| unsafe { end(exporter.instance.pointer, pointer, host) })
    }
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        self.free();
    }
}
