//! Tables of plugins as handles of stages, one module a kind.

mod corpus;
mod exporter;
mod keyed;
#[cfg(test)]
mod old_host;
mod reader;
mod transform;

use std::borrow::Cow;
use std::ffi::c_void;
use std::path::Path;
use std::sync::{Arc, Mutex};

use tamis_document::{Fate, Form, Measure, Record};
use tamis_plugin::abi;
use tamis_stage::handle::{Counts, Effects, OpenStage, WRONG_FORM};
use tamis_stage::{Failure, Forms, RunContext, SetupError, SplitOff, StageInfo};

use crate::call::{Call, CallError, Finished, State, Target, broken, str};
use crate::calls::{self, Entered, Subject, Who};
use crate::descriptor::Table;

/// An opened stage of a plugin; closed when dropped.
pub(crate) struct Instance {
    pointer: *mut c_void,
    table: &'static abi::Stage,
    who: Arc<Who>,
    /// What it takes, gives and leaves behind.
    forms: Forms,
    /// Whether it is told the forms of documents.
    knows_forms: bool,
}

// SAFETY: the header demands that the functions of an instance may be called in parallel from any thread.
unsafe impl Send for Instance {}
// SAFETY: as above.
unsafe impl Sync for Instance {}

impl Drop for Instance {
    fn drop(&mut self) {
        if let Some(close) = self.table.close {
            let _entered = self.enter();
            // SAFETY: opened once, closed once, and no call is going on: calls borrow the instance.
            unsafe { close(self.pointer) };
        }
    }
}

/// What a call with these documents may do.
type TargetOf = for<'r> fn(&'r [Record]) -> Target<'r>;

impl Instance {
    fn call<'a>(&'a self, target: Target<'a>) -> Call<'a> {
        Call::new(&self.who, target, self.table.flags & abi::UTF8_TRUSTED != 0)
    }

    /// Notes a call that has no table of host functions: one that gives something back.
    fn enter(&self) -> Entered {
        calls::mine().enter(&self.who, Subject::Nothing)
    }

    /// Runs a call with documents and applies what it did to them; says why if the call failed as a whole.
    fn batch(
        &self,
        records: &mut [Record],
        effects: &mut Effects,
        target: TargetOf,
        run: impl FnOnce(&[abi::Document], *const abi::Host) -> i32,
    ) -> Result<(), CallError> {
        let views = self.views(records);
        let mut call = self.call(target(records));
        let result = call.run(|host| run(&views, host));
        let finished = Finished::from(call);
        match &result {
            Ok(()) => self.apply(records, finished, effects),
            Err(error) => fail_all(records, &self.says(error)),
        }
        result
    }

    /// Views of all records of a call.
    fn views(&self, records: &[Record]) -> Vec<abi::Document> {
        records.iter().map(|record| crate::call::document_view(record, self.knows_forms)).collect()
    }

    /// Applies what a call did to its records.
    fn apply(&self, records: &mut [Record], call: Finished, effects: &mut Effects) {
        for (record, state) in records.iter_mut().zip(call.states.into_iter()) {
            let is_new = state.as_ref().is_some_and(|state| state.text.is_some());
            if let Some(state) = state {
                self.note_measures(&state.measures, effects);
                apply_to(record, *state);
            }
            if call.changes && !matches!(record.fate, Fate::Failed(_)) {
                record.document.form = self.forms.after(record.document.form, is_new);
            }
        }
        let is_failed = |record: &Record| matches!(record.fate, Fate::Failed(_));
        // A document that fails is what it was, and so nothing was split off.
        let split = call.split.into_iter().filter(|(parent, _)| !is_failed(&records[*parent]));
        effects.split.extend(split.map(|(parent, SplitOff { mut document, inherits })| {
            let parent_document = &records[parent].document;
            if inherits {
                document.metadata.inherit(&parent_document.metadata);
                document.form = document.form.or(parent_document.form);
            }
            (parent, document)
        }));
        add_counts(effects, call.counts);
    }

    fn note_measures(&self, measures: &[Measure], effects: &mut Effects) {
        for measure in measures {
            // What is not declared could be of any number of names, and which of them are kept would depend on
            // the order in which they come.
            let declared = self.who.measures.iter().find(|info| info.covers(&measure.name));
            if let Some(info) = declared {
                effects.measures.entry(Cow::Borrowed(&*info.name)).or_default().note(measure.value);
            }
        }
    }

    /// Counts the records whose texts are of a form that the stage does not work on.
    fn count_wrong_forms(&self, records: &[Record], effects: &mut Effects) {
        let is_wrong = |form: &Form| !self.forms.takes(*form);
        for form in records.iter().filter_map(|record| record.document.form).filter(is_wrong) {
            let counter = effects.counts.entry(format!("{WRONG_FORM}{form}")).or_default();
            *counter = counter.saturating_add(1);
        }
    }

    /// A failed call in the name of the stage, as a dead letter carries it.
    fn says(&self, error: &CallError) -> String {
        self.who.says(&error.message)
    }

    fn breach(&self, breach: &str) -> Failure {
        Failure::new(self.who.says(&broken(breach)))
    }

    fn failure(&self, error: &CallError) -> Failure {
        Failure::new(self.says(error))
    }
}

/// Opens the stage of a checked table for a run.
pub(crate) fn open(
    table: Table,
    info: &StageInfo,
    options: &serde_json::Value,
    run: &RunContext,
) -> Result<OpenStage, SetupError> {
    let Table { stage: table, library, measures, knows_forms } = table;
    let open = table.open.ok_or_else(|| SetupError::new("the function `open` is missing"))?;
    let options = options.to_string();
    let (stage, plugin) = (info.name.clone(), info.plugin.name.clone());
    let who = Arc::new(Who { stage, plugin, library, measures, run: run.clone() });
    let mut pointer = std::ptr::null_mut();
    let mut call = Call::new(&who, Target::Nothing, table.flags & abi::UTF8_TRUSTED != 0);
    // SAFETY: the table was checked; the options outlive the call.
    let opened = call.run(|host| unsafe { open(str(&options), host, &raw mut pointer) });
    opened.map_err(|CallError { place, message }| {
        if place.is_empty() { SetupError::new(message) } else { SetupError::in_option(place, message) }
    })?;
    let forms = call.forms;
    let counters = call.counts.into_keys().collect();
    let instance = Instance { pointer, table, who, forms, knows_forms };
    // SAFETY: the descriptor check has made sure that the table of the kind is there.
    unsafe {
        Ok(match table.kind {
            abi::READER => OpenStage::Reader(Box::new(reader::Reader::new(instance, &*table.reader))),
            abi::CORPUS if table.flags & abi::KEYED != 0 => {
                let keyed = keyed::Keyed::new(instance, &*table.keyed)?;
                OpenStage::Corpus(Box::new(tamis_keyed::Keyed::new(info.name.as_str(), Box::new(keyed))))
            }
            abi::CORPUS => OpenStage::Corpus(Box::new(corpus::Corpus::new(instance, &*table.corpus)?)),
            abi::EXPORTER => {
                OpenStage::Exporter(Box::new(exporter::Exporter::new(instance, &*table.exporter)?))
            }
            _ => OpenStage::Transform(Box::new(transform::Transform::new(
                instance,
                &*table.transform,
                counters,
            ))),
        })
    }
}

/// A path as plugins get it.
fn utf8(path: &Path) -> Result<&str, Failure> {
    path.to_str().ok_or_else(|| {
        let path = path.display();
        Failure::new(format!("the path `{path}` is not UTF-8, which plugins need: choose another folder"))
    })
}

/// Fails all records of a call, as they were: nothing that the call did can be trusted.
fn fail_all(records: &mut [Record], message: &str) {
    for record in records {
        record.fate = Fate::Failed(message.to_owned().into());
    }
}

fn add_counts(effects: &mut Effects, counts: Counts) {
    for (name, n) in counts {
        let counter = effects.counts.entry(name).or_default();
        *counter = counter.saturating_add(n);
    }
}

fn apply_to(record: &mut Record, state: State) {
    let fate = state.breach.map(|breach| Fate::Failed(breach.into())).or(state.verdict);
    if !matches!(fate, Some(Fate::Failed(_))) {
        if let Some(text) = state.text {
            record.document.text = text;
            // They were made of the text that was there before.
            record.attachments.clear();
        }
        if !state.attached.is_empty() {
            record.attachments.add(state.attached);
        }
        if let Some(id) = state.id {
            record.document.id = id;
        }
        record.document.metadata.apply(state.fields.into_changes());
    }
    record.measures.extend(state.measures);
    if let Some(fate) = fate {
        record.fate = fate;
    }
}

/// States of workers that are not in use: taken from here and not from thread-locals, because Rayon may run
/// a worker's next task on another thread.
struct Locals {
    free: Mutex<Vec<Local>>,
}

#[derive(Clone, Copy)]
struct Local(*mut c_void);

// SAFETY: a local belongs to one call at a time but to no thread (header, rule THREADS).
unsafe impl Send for Local {}

impl Locals {
    fn new() -> Self {
        Self { free: Mutex::new(Vec::new()) }
    }

    fn take(&self) -> Option<Local> {
        self.lock().pop()
    }

    fn give_back(&self, local: Local) {
        self.lock().push(local);
    }

    fn drain(&self) -> Vec<Local> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Local>> {
        // A vector of pointers is never half-changed, so a poisoned lock holds good values.
        self.free.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}
