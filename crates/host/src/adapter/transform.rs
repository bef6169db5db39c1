//! Filters and extractors.

use tamis_document::Record;
use tamis_plugin::abi;
use tamis_stage::StageInfo;
use tamis_stage::handle::{Effects, TransformHandle};

use super::{Finished, Instance, Local, Locals, apply, call_failure, views};
use crate::call::{Call, CallError, Target};

pub(super) struct Transform {
    instance: Instance,
    table: &'static abi::Transform,
    info: StageInfo,
    locals: Locals,
}

impl Transform {
    pub(super) fn new(instance: Instance, table: &'static abi::Transform, info: &StageInfo) -> Self {
        Self { instance, table, info: info.clone(), locals: Locals::new() }
    }

    fn local(&self) -> Result<Local, CallError> {
        if let Some(local) = self.locals.take() {
            return Ok(local);
        }
        let mut pointer = std::ptr::null_mut();
        if let Some(local_new) = self.table.local_new {
            let mut call = Call::new(Target::Nothing, self.instance.trusted());
            // SAFETY: the table was checked and the instance is open.
            call.run(|host| unsafe { local_new(self.instance.pointer, host, &raw mut pointer) })?;
        }
        Ok(Local(pointer))
    }
}

impl TransformHandle for Transform {
    fn process(&self, records: &mut [Record], effects: &mut Effects) {
        if records.is_empty() {
            return;
        }
        let Some(process) = self.table.process else { return };
        let local = match self.local() {
            Ok(local) => local,
            Err(error) => {
                let call = Call::new(Target::Nothing, true);
                return apply(records, call.into(), Some(&call_failure(&self.info, &error)), effects);
            }
        };
        let views = views(records);
        let mut call = Call::new(Target::Transform(records), self.instance.trusted());
        // SAFETY: the table was checked, the instance is open, the local is ours, the views outlive the call.
        let result = call.run(|host| unsafe {
            process(self.instance.pointer, local.0, views.as_ptr(), views.len(), host)
        });
        let finished = Finished::from(call);
        let failure = result.err().map(|error| call_failure(&self.info, &error));
        apply(records, finished, failure.as_deref(), effects);
        self.locals.give_back(local);
    }
}

impl Drop for Transform {
    fn drop(&mut self) {
        if let Some(local_free) = self.table.local_free {
            for local in self.locals.drain().into_iter().filter(|local| !local.0.is_null()) {
                // SAFETY: made by `local_new` of this instance, which is still open, and not in use.
                unsafe { local_free(self.instance.pointer, local.0) };
            }
        }
    }
}
