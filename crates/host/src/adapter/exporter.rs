//! Exporters.

use tamis_document::{Fate, Record};
use tamis_plugin::abi;
use tamis_stage::handle::ExporterHandle;
use tamis_stage::{Failure, Output, SetupError};

use super::{Instance, views};
use crate::call::{State, Target};

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
        let views = views(records);
        let mut call = self.instance.call(Target::Export(records));
        call.named_files = self.instance.table.flags & abi::NAMED_FILES != 0;
        std::mem::swap(&mut call.output, out);
        let (bytes, files) = (call.output.bytes.len(), call.output.files.len());
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
                call.states.into_iter().enumerate().filter_map(failure).collect()
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
}
