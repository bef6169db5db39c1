//! Corpus stages.

use std::io::{Read, Write};
use std::sync::OnceLock;

use tamis_document::Record;
use tamis_keyed::tallied;
use tamis_plugin::abi::{self, Str};
use tamis_stage::handle::{CorpusHandle, Effects, StateRows};
use tamis_stage::{Failure, Forms, SetupError, Workspace};

use super::{Instance, Local, Locals, fail_all, utf8};
use crate::call::{CallError, Target, broken, str};

pub(super) struct Corpus {
    instance: Instance,
    table: &'static abi::Corpus,
    /// How often this instance observes.
    passes: u32,
    locals: Locals,
    /// Why the pass cannot be finished, once a call has failed.
    broken: OnceLock<String>,
}

impl Corpus {
    pub(super) fn new(instance: Instance, table: &'static abi::Corpus) -> Result<Self, SetupError> {
        let passes = passes(&instance, table).map_err(SetupError::new)?;
        Ok(Self { instance, table, passes, locals: Locals::new(), broken: OnceLock::new() })
    }

    fn local(&self, pass: u32) -> Result<Local, CallError> {
        if let Some(local) = self.locals.take() {
            return Ok(local);
        }
        let mut pointer = std::ptr::null_mut();
        self.plain(Target::Nothing, self.table.local_new, |local_new, host| {
            // SAFETY: the table was checked and the instance is open.
            unsafe { local_new(self.instance.pointer, pass, host, &raw mut pointer) }
        })?;
        Ok(Local(pointer))
    }

    /// A call without documents.
    fn plain<'a, F>(
        &'a self,
        target: Target<'a>,
        function: Option<F>,
        run: impl FnOnce(F, *const abi::Host) -> i32,
    ) -> Result<(), CallError> {
        let Some(function) = function else { return Ok(()) };
        self.instance.call(target).run(|host| run(function, host))
    }

    fn free(&self, local: Local) {
        if let Some(local_free) = self.table.local_free.filter(|_| !local.0.is_null()) {
            let _entered = self.instance.enter();
            // SAFETY: made by `local_new` of this instance, which is still open, not in use, not merged.
            unsafe { local_free(self.instance.pointer, local.0) };
        }
    }
}

/// How often an instance observes, which is at most what its table says.
fn passes(instance: &Instance, table: &'static abi::Corpus) -> Result<u32, String> {
    let Some(passes) = table.passes else { return Ok(table.observing_passes) };
    let mut out = table.observing_passes;
    // SAFETY: the table was checked and the instance is open.
    let run = |host| unsafe { passes(instance.pointer, &raw mut out, host) };
    instance.call(Target::Nothing).run(run).map_err(|error| error.message)?;
    if out > table.observing_passes {
        return Err(broken(&format!(
            "it wants to observe {out} times, and its table says at most {}",
            table.observing_passes
        )));
    }
    Ok(out)
}

impl CorpusHandle for Corpus {
    fn observing_passes(&self) -> u32 {
        self.passes
    }

    fn prepare(&self, workspace: &Workspace) -> Result<(), Failure> {
        let view = abi::Workspace {
            scratch: str(utf8(&workspace.scratch)?),
            keep: str(utf8(&workspace.keep)?),
            memory: workspace.memory,
            threads: workspace.threads as u64,
            reserved: [std::ptr::null(); 2],
        };
        self.plain(Target::Nothing, self.table.prepare, |prepare, host| {
            // SAFETY: the table was checked, the instance is open, the workspace outlives the call.
            unsafe { prepare(self.instance.pointer, &raw const view, host) }
        })
        .map_err(|error| self.instance.failure(&error))
    }

    fn forms(&self) -> Forms {
        self.instance.forms
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
            let merged = self.plain(Target::Nothing, self.table.merge, |merge, host| {
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
        self.plain(Target::Nothing, self.table.end_pass, |end_pass, host| {
            // SAFETY: the table was checked and the instance is open.
            unsafe { end_pass(self.instance.pointer, pass, host) }
        })
        .map_err(|error| self.instance.failure(&error))
    }

    fn apply(&self, records: &mut [Record], effects: &mut Effects) {
        let Some(apply) = self.table.apply else { return };
        let local = match self.local(self.table.observing_passes) {
            Ok(local) => local,
            Err(error) => return fail_all(records, &self.instance.says(&error)),
        };
        self.instance.count_wrong_forms(records, effects);
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
        self.plain(Target::Save(out), self.table.state_save, |save, host| {
            // SAFETY: the table was checked and the instance is open.
            unsafe { save(self.instance.pointer, pass, host) }
        })
        .map_err(|error| self.instance.failure(&error))
    }

    fn load(&self, pass: u32, from: &mut dyn Read) -> Result<(), Failure> {
        if let Some(load) = self.table.state_load_stream {
            return self
                .plain(Target::Load(from), Some(load), |load, host| {
                    // SAFETY: the table was checked and the instance is open.
                    unsafe { load(self.instance.pointer, pass, host) }
                })
                .map_err(|error| self.instance.failure(&error));
        }
        // A plugin of ABI 1.0 takes a state as a whole.
        let mut state = Vec::new();
        let read = from.read_to_end(&mut state);
        read.map_err(|error| Failure::new(format!("a saved state could not be read: {error}")))?;
        self.plain(Target::Nothing, self.table.state_load, |load, host| {
            // SAFETY: the table was checked, the instance is open, the state outlives the call.
            unsafe { load(self.instance.pointer, pass, Str::new(&state), host) }
        })
        .map_err(|error| self.instance.failure(&error))
    }

    // What can be told of a state without its stage is told here: no call crosses the boundary.

    fn export_rows(
        &self,
        _pass: u32,
        state: &mut dyn Read,
        out: &mut dyn Write,
    ) -> Result<Option<StateRows>, Failure> {
        let are_of_entries = tallied::rows(&self.instance.who.stage, state, out)?;
        Ok(are_of_entries.then(|| StateRows { round: tallied::round(), are_of_entries }))
    }

    fn keep_entries(
        &self,
        state: &mut dyn Read,
        marks: &mut dyn Read,
        out: &mut dyn Write,
    ) -> Result<u64, Failure> {
        tallied::keep(&self.instance.who.stage, state, marks, out)
    }
}

impl Drop for Corpus {
    fn drop(&mut self) {
        for local in self.locals.drain() {
            self.free(local);
        }
    }
}
