//! Corpus stages.

use std::io::{Read, Write};
use std::sync::OnceLock;

use tamis_document::Record;
use tamis_plugin::abi::{self, Str};
use tamis_stage::Failure;
use tamis_stage::handle::{CorpusHandle, Effects};

use super::{Instance, Local, Locals, fail_all};
use crate::call::{CallError, Target};

pub(super) struct Corpus {
    instance: Instance,
    table: &'static abi::Corpus,
    locals: Locals,
    /// Why the pass cannot be finished, once a call has failed.
    broken: OnceLock<String>,
}

impl Corpus {
    pub(super) fn new(instance: Instance, table: &'static abi::Corpus) -> Self {
        Self { instance, table, locals: Locals::new(), broken: OnceLock::new() }
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
        let mut call = self.instance.call(Target::Nothing);
        if let Some(function) = function {
            call.run(|host| run(function, host))?;
        }
        Ok(call.output.bytes)
    }

    fn free(&self, local: Local) {
        if let Some(local_free) = self.table.local_free.filter(|_| !local.0.is_null()) {
            // SAFETY: made by `local_new` of this instance, which is still open, not in use, not merged.
            unsafe { local_free(self.instance.pointer, local.0) };
        }
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
            Err(error) => return fail_all(records, &self.instance.says(&error)),
        };
        let observed = self.instance.batch(
            records,
            effects,
            |it| Target::Judge(it),
            |docs, host| {
                // SAFETY: the table was checked, the instance is open, the local is ours, the views outlive the call.
                unsafe { observe(self.instance.pointer, local.0, pass, docs.as_ptr(), docs.len(), host) }
            },
        );
        match observed {
            Ok(()) => self.locals.give_back(local),
            Err(error) => {
                // What the local had seen before is lost with it: the pass cannot be right any more.
                self.free(local);
                self.broken.get_or_init(|| error.message);
            }
        }
    }

    fn merge(&self, pass: u32) -> Result<(), Failure> {
        if let Some(message) = self.broken.get() {
            let message = format!("a call failed and took what it had seen of the corpus with it: {message}");
            return Err(self.instance.failure(&CallError { place: String::new(), message }));
        }
        let mut locals = self.locals.drain().into_iter();
        while let Some(local) = locals.next() {
            let merged = self.plain(self.table.merge, |merge, host| {
                // SAFETY: made by `local_new` of this instance, not in use, and consumed here.
                unsafe { merge(self.instance.pointer, local.0, pass, host) }
            });
            if let Err(error) = merged {
                locals.for_each(|local| self.free(local));
                return Err(self.instance.failure(&error));
            }
        }
        Ok(())
    }

    fn end_pass(&self, pass: u32) -> Result<(), Failure> {
        self.plain(self.table.end_pass, |end_pass, host| {
            // SAFETY: the table was checked and the instance is open.
            unsafe { end_pass(self.instance.pointer, pass, host) }
        })
        .map(drop)
        .map_err(|error| self.instance.failure(&error))
    }

    fn apply(&self, records: &mut [Record], effects: &mut Effects) {
        let Some(apply) = self.table.apply else { return };
        let local = match self.local(self.table.observing_passes) {
            Ok(local) => local,
            Err(error) => return fail_all(records, &self.instance.says(&error)),
        };
        let applied = self.instance.batch(
            records,
            effects,
            |it| Target::Change(it),
            |docs, host| {
                // SAFETY: the table was checked, the instance is open, the local is ours, the views outlive the call.
                unsafe { apply(self.instance.pointer, local.0, docs.as_ptr(), docs.len(), host) }
            },
        );
        match applied {
            Ok(()) => self.locals.give_back(local),
            Err(_) => self.free(local),
        }
    }

    fn save(&self, pass: u32, out: &mut dyn Write) -> Result<(), Failure> {
        let state = self.plain(self.table.state_save, |save, host| {
            // SAFETY: the table was checked and the instance is open.
            unsafe { save(self.instance.pointer, pass, host) }
        });
        let state = state.map_err(|error| self.instance.failure(&error))?;
        out.write_all(&state).map_err(Failure::new)
    }

    fn load(&self, pass: u32, from: &mut dyn Read) -> Result<(), Failure> {
        let mut state = Vec::new();
        from.read_to_end(&mut state).map_err(Failure::new)?;
        self.plain(self.table.state_load, |load, host| {
            // SAFETY: the table was checked, the instance is open, the state outlives the call.
            unsafe { load(self.instance.pointer, pass, Str::new(&state), host) }
        })
        .map(drop)
        .map_err(|error| self.instance.failure(&error))
    }
}

impl Drop for Corpus {
    fn drop(&mut self) {
        for local in self.locals.drain() {
            self.free(local);
        }
    }
}
