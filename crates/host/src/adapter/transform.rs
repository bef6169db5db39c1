//! Filters and extractors.

use tamis_document::Record;
use tamis_plugin::abi;
use tamis_stage::Forms;
use tamis_stage::handle::{Effects, TransformHandle};

use super::{Instance, Local, Locals, TargetOf, fail_all};
use crate::call::{CallError, Target};

pub(super) struct Transform {
    instance: Instance,
    table: &'static abi::Transform,
    locals: Locals,
    /// Counters that the plugin has declared while it was opened.
    counters: Vec<String>,
}

impl Transform {
    pub(super) fn new(instance: Instance, table: &'static abi::Transform, counters: Vec<String>) -> Self {
        Self { instance, table, locals: Locals::new(), counters }
    }

    fn local(&self) -> Result<Local, CallError> {
        if let Some(local) = self.locals.take() {
            return Ok(local);
        }
        let mut pointer = std::ptr::null_mut();
        if let Some(local_new) = self.table.local_new {
            let mut call = self.instance.call(Target::Nothing);
            // SAFETY: the table was checked and the instance is open.
            call.run(|host| unsafe { local_new(self.instance.pointer, host, &raw mut pointer) })?;
        }
        Ok(Local(pointer))
    }

    fn free(&self, local: Local) {
        if let Some(local_free) = self.table.local_free.filter(|_| !local.0.is_null()) {
            let _entered = self.instance.enter();
            // SAFETY: made by `local_new` of this instance, which is still open, and not in use.
            unsafe { local_free(self.instance.pointer, local.0) };
        }
    }
}

impl TransformHandle for Transform {
    fn counters(&self) -> &[String] {
        &self.counters
    }

    fn forms(&self) -> Forms {
        self.instance.forms
    }

    fn process(&self, records: &mut [Record], effects: &mut Effects) {
        if records.is_empty() {
            return;
        }
        let Some(process) = self.table.process else { return };
        let local = match self.local() {
            Ok(local) => local,
            Err(error) => return fail_all(records, &self.instance.says(&error)),
        };
        let is_filter = self.instance.table.kind == abi::FILTER;
        if !is_filter {
            self.instance.count_wrong_forms(records, effects);
        }
        let target: TargetOf = if is_filter { |it| Target::Judge(it) } else { |it| Target::Change(it) };
        let processed = self.instance.batch(records, effects, target, |docs, host| {
            // SAFETY: the table was checked, the instance is open, the local is ours, the views outlive the call.
            unsafe { process(self.instance.pointer, local.0, docs.as_ptr(), docs.len(), host) }
        });
        match processed {
            Ok(()) => self.locals.give_back(local),
            Err(_) => self.free(local),
        }
    }
}

impl Drop for Transform {
    fn drop(&mut self) {
        for local in self.locals.drain() {
            self.free(local);
        }
    }
}
