//! Corpus stages.

use tamis_document::Record;
use tamis_plugin::abi::{self, Str};
use tamis_stage::handle::{CorpusHandle, Effects};
use tamis_stage::{Failure, StageInfo};

use super::{Finished, Instance, Local, Locals, apply, call_failure, views};
use crate::call::{Call, CallError, Target};

pub(super) struct Corpus {
    instance: Instance,
    table: &'static abi::Corpus,
    info: StageInfo,
    locals: Locals,
}

impl Corpus {
    pub(super) fn new(instance: Instance, table: &'static abi::Corpus, info: &StageInfo) -> Self {
        Self { instance, table, info: info.clone(), locals: Locals::new() }
    }

    fn local(&self, pass: u32) -> Result<Local, CallError> {
        if let Some(local) = self.locals.take() {
            return Ok(local);
        }
        let mut pointer = std::ptr::null_mut();
        self.plain(self.table.local_new, |local_new, host| {
            // SAFETY: the table was checked and the instance is open.
            unsafe { local_new(self.instance.pointer, pass, host, &raw mut pointer) }
        })?;
        Ok(Local(pointer))
    }

    /// A call without documents.
    fn plain<F>(
        &self,
        function: Option<F>,
        run: impl FnOnce(F, *const abi::Host) -> i32,
    ) -> Result<Vec<u8>, CallError> {
        let mut call = Call::new(Target::Nothing, self.instance.trusted());
        if let Some(function) = function {
            call.run(|host| run(function, host))?;
        }
        Ok(call.output.bytes)
    }

    fn failure(&self, error: &CallError) -> Failure {
        Failure::new(call_failure(&self.info, error))
    }

    /// A call with documents.
    fn batch(
        &self,
        records: &mut [Record],
        effects: &mut Effects,
        run: impl FnOnce(&[abi::Document], *const abi::Host) -> i32,
    ) {
        let views = views(records);
        let mut call = Call::new(Target::Transform(records), self.instance.trusted());
        let result = call.run(|host| run(&views, host));
        let finished = Finished::from(call);
        let failure = result.err().map(|error| call_failure(&self.info, &error));
        apply(records, finished, failure.as_deref(), effects);
    }
}

impl CorpusHandle for Corpus {
    fn observing_passes(&self) -> u32 {
        self.table.observing_passes
    }

    fn observe(&self, pass: u32, records: &mut [Record], effects: &mut Effects) {
        let Some(observe) = self.table.observe else { return };
        let local = match self.local(pass) {
            Ok(local) => local,
            Err(error) => {
                let call = Call::new(Target::Nothing, true);
                return apply(records, call.into(), Some(&call_failure(&self.info, &error)), effects);
            }
        };
        self.batch(records, effects, |docs, host| {
            // SAFETY: the table was checked, the instance is open, the local is ours, the views outlive the call.
            unsafe { observe(self.instance.pointer, local.0, pass, docs.as_ptr(), docs.len(), host) }
        });
        self.locals.give_back(local);
    }

    fn end_pass(&self, pass: u32) -> Result<(), Failure> {
        for local in self.locals.drain() {
            self.plain(self.table.merge, |merge, host| {
                // SAFETY: made by `local_new` of this instance, not in use, and consumed here.
                unsafe { merge(self.instance.pointer, local.0, pass, host) }
            })
            .map_err(|error| self.failure(&error))?;
        }
        self.plain(self.table.end_pass, |end_pass, host| {
            // SAFETY: the table was checked and the instance is open.
            unsafe { end_pass(self.instance.pointer, pass, host) }
        })
        .map(drop)
        .map_err(|error| self.failure(&error))
    }

    fn apply(&self, records: &mut [Record], effects: &mut Effects) {
        let Some(apply) = self.table.apply else { return };
        self.batch(records, effects, |docs, host| {
            // SAFETY: the table was checked, the instance is open, the views outlive the call.
            unsafe { apply(self.instance.pointer, docs.as_ptr(), docs.len(), host) }
        });
    }

    fn save(&self) -> Result<Vec<u8>, Failure> {
        self.plain(self.table.state_save, |save, host| {
            // SAFETY: the table was checked and the instance is open.
            unsafe { save(self.instance.pointer, host) }
        })
        .map_err(|error| self.failure(&error))
    }

    fn load(&self, state: &[u8]) -> Result<(), Failure> {
        self.plain(self.table.state_load, |load, host| {
            // SAFETY: the table was checked, the instance is open, the state outlives the call.
            unsafe { load(self.instance.pointer, Str::new(state), host) }
        })
        .map(drop)
        .map_err(|error| self.failure(&error))
    }
}

impl Drop for Corpus {
    fn drop(&mut self) {
        if let Some(local_free) = self.table.local_free {
            for local in self.locals.drain() {
                // SAFETY: made by `local_new` of this instance, which is still open, not in use, not merged.
                unsafe { local_free(self.instance.pointer, local.0) };
            }
        }
    }
}
