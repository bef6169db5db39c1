//! Exporters.

use tamis_document::{Fate, Record};
use tamis_plugin::abi;
use tamis_stage::handle::ExporterHandle;
use tamis_stage::{Failure, Output, StageInfo};

use super::{Instance, call_failure, views};
use crate::call::{Call, Target};

pub(super) struct Exporter {
    instance: Instance,
    table: &'static abi::Exporter,
    info: StageInfo,
}

impl Exporter {
    pub(super) fn new(instance: Instance, table: &'static abi::Exporter, info: &StageInfo) -> Self {
        Self { instance, table, info: info.clone() }
    }

    /// Bytes that a function without documents puts out.
    fn bytes(&self, function: Option<abi::StateSaveFn>) -> Result<Vec<u8>, Failure> {
        let Some(function) = function else { return Ok(Vec::new()) };
        let mut call = Call::new(Target::Nothing, self.instance.trusted());
        // SAFETY: the table was checked and the instance is open.
        call.run(|host| unsafe { function(self.instance.pointer, host) })
            .map_err(|error| Failure::new(call_failure(&self.info, &error)))?;
        Ok(call.output.bytes)
    }
}

impl ExporterHandle for Exporter {
    fn extension(&self) -> String {
        let Some(extension) = self.table.extension else { return String::new() };
        // SAFETY: the table was checked and the instance is open; the string lives as long as the instance.
        let name = unsafe { extension(self.instance.pointer).bytes() };
        String::from_utf8_lossy(name).into_owned()
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
        let mut call = Call::new(Target::Export(records), self.instance.trusted());
        std::mem::swap(&mut call.output, out);
        let (bytes, files) = (call.output.bytes.len(), call.output.files.len());
        // SAFETY: the table was checked, the instance is open, the views outlive the call.
        let result =
            call.run(|host| unsafe { encode(self.instance.pointer, views.as_ptr(), views.len(), host) });
        std::mem::swap(&mut call.output, out);
        match result {
            Ok(()) => {
                let failures =
                    call.states.into_iter().enumerate().filter_map(|(index, state)| match state.verdict {
                        Some(Fate::Failed(reason)) => Some((index, Failure::new(reason))),
                        _ => None,
                    });
                failures.collect()
            }
            Err(error) => {
                // Nothing that the call put out can be trusted.
                out.bytes.truncate(bytes);
                out.files.truncate(files);
                let failure = Failure::new(call_failure(&self.info, &error));
                (0..records.len()).map(|index| (index, failure.clone())).collect()
            }
        }
    }
}
