//! Corpus stages in the keyed form.

use tamis_document::Record;
use tamis_plugin::abi;
use tamis_stage::handle::{Effects, KeyedHandle};
use tamis_stage::keyed::{Choice, Emitted, Group, Index, Known, Reduce, Rounds};
use tamis_stage::{Failure, Forms, SetupError};

use super::{Instance, Local, Locals, TargetOf, fail_all};
use crate::call::{CallError, Finished, KeyedCall, Takes, Target, broken};

pub(super) struct Keyed {
    instance: Instance,
    table: &'static abi::Keyed,
    rounds: Rounds,
    notes: Vec<String>,
    index: Index,
    resolves: bool,
    locals: Locals,
}

impl Keyed {
    pub(super) fn new(instance: Instance, table: &'static abi::Keyed) -> Result<Self, SetupError> {
        let Declared { rounds, notes, index, resolves } =
            declared(&instance, table).map_err(SetupError::new)?;
        let is_visited = rounds.rounds.iter().any(|round| matches!(round.reduce, Reduce::Visit { .. }));
        if (is_visited || index.round.is_some() || resolves) && table.visit.is_none() {
            return Err(SetupError::new(broken(
                "it declares a round of visits, an index or a choice, and has no function `visit`",
            )));
        }
        Ok(Self { instance, table, rounds, notes, index, resolves, locals: Locals::new() })
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

    /// Takes a local back, unless the call that had it has failed.
    fn put_away(&self, local: Local, result: &Result<(), CallError>) {
        if result.is_ok() { self.locals.give_back(local) } else { self.free(local) }
    }

    fn free(&self, local: Local) {
        if let Some(local_free) = self.table.local_free.filter(|_| !local.0.is_null()) {
            let _entered = self.instance.enter();
            // SAFETY: made by `local_new` of this instance, which is still open, and not in use.
            unsafe { local_free(self.instance.pointer, local.0) };
        }
    }

    /// A call with documents; what it has emitted counts if it has not failed as a whole.
    fn batch(
        &self,
        records: &mut [Record],
        effects: &mut Effects,
        target: TargetOf,
        (known, takes): (&dyn Known, Takes),
        run: impl FnOnce(Local, &[abi::Document], *const abi::Host) -> i32,
    ) -> Emitted {
        if records.is_empty() {
            return Emitted::default();
        }
        let local = match self.local() {
            Ok(local) => local,
            Err(error) => {
                fail_all(records, &self.instance.says(&error));
                return Emitted::default();
            }
        };
        let views = self.instance.views(records);
        let mut call = self.instance.call(target(records));
        call.offer(KeyedCall::new(known, takes));
        let result = call.run(|host| run(local, &views, host));
        let emitted = call.emitted();
        let finished = Finished::from(call);
        self.put_away(local, &result);
        match result {
            Ok(()) => {
                self.instance.apply(records, finished, effects);
                emitted
            }
            Err(error) => {
                fail_all(records, &self.instance.says(&error));
                Emitted::default()
            }
        }
    }

    /// A call of `visit`, and what was emitted in it.
    fn visited(
        &self,
        round: u32,
        group: &mut dyn Group,
        known: &dyn Known,
        takes: Takes,
    ) -> Result<Emitted, Failure> {
        let Some(visit) = self.table.visit else { return Ok(Emitted::default()) };
        let local = self.local().map_err(|error| self.instance.failure(&error))?;
        let mut call = self.instance.call(Target::Nothing);
        call.offer(KeyedCall::new(known, takes).visiting(group));
        // SAFETY: the table was checked, the instance is open, and the local is ours.
        let visited = call.run(|host| unsafe { visit(self.instance.pointer, local.0, round, host) });
        let emitted = call.emitted();
        self.put_away(local, &visited);
        visited.map_err(|error| self.instance.failure(&error))?;
        Ok(emitted)
    }

    fn round(&self, round: u32) -> Result<&tamis_stage::keyed::Round, Failure> {
        let found = self.rounds.rounds.get(round as usize);
        found.ok_or_else(|| Failure::new(format!("there is no round {round}")))
    }
}

/// A row of an index, which is all that there is to see.
struct OneEntry<'e>(Option<&'e [u8]>);

impl Group for OneEntry<'_> {
    fn advance(&mut self) -> Result<Option<&[u8]>, Failure> {
        Ok(self.0.take())
    }
}

/// How many documents there are, then a text a row.
struct Sample<'s> {
    n_documents: [u8; 8],
    texts: &'s [String],
    /// Which row comes next.
    next: usize,
}

impl Group for Sample<'_> {
    fn advance(&mut self) -> Result<Option<&[u8]>, Failure> {
        self.next += 1;
        Ok(match self.next.checked_sub(2) {
            None => Some(&self.n_documents),
            Some(at) => self.texts.get(at).map(String::as_bytes),
        })
    }
}

/// For a call in which nothing is known yet.
struct NothingKnown;

impl Known for NothingKnown {
    fn entries(&self, round: u32, _: &[u8], _: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), Failure> {
        Err(Failure::new(format!("round {round} has not ended: options are chosen before a run")))
    }

    fn id(&self, round: u32, _: u128) -> Result<Option<String>, Failure> {
        Err(Failure::new(format!("round {round} has not ended: options are chosen before a run")))
    }
}

/// What an instance says of itself.
struct Declared {
    rounds: Rounds,
    notes: Vec<String>,
    index: Index,
    resolves: bool,
}

fn declared(instance: &Instance, table: &'static abi::Keyed) -> Result<Declared, String> {
    let Some(rounds) = table.rounds else { return Err(broken("the function `keyed.rounds` is missing")) };
    let mut call = instance.call(Target::Nothing);
    // SAFETY: the table was checked and the instance is open.
    let ran = call.run(|host| unsafe { rounds(instance.pointer, host) });
    ran.map_err(|error| error.message)?;
    let wrong = |error| broken(&format!("its rounds are not what they should be: {error}"));
    let mut declared = serde_json::from_slice::<serde_json::Value>(&call.output.bytes).map_err(wrong)?;
    let mut beside = |name| declared.as_object_mut().and_then(|declared| declared.remove(name));
    let (notes, index, resolves) = (beside("notes"), beside("index"), beside("resolves"));
    let resolves = resolves.map(serde_json::from_value).transpose().map_err(wrong)?.unwrap_or_default();
    let notes = notes.map(serde_json::from_value).transpose().map_err(wrong)?.unwrap_or_default();
    let index: Index = index.map(serde_json::from_value).transpose().map_err(wrong)?.unwrap_or_default();
    let rounds: Rounds = serde_json::from_value(declared).map_err(wrong)?;
    rounds.check().and_then(|()| index.check(&rounds)).map_err(|why| broken(&why))?;
    Ok(Declared { rounds, notes, index, resolves })
}

impl KeyedHandle for Keyed {
    fn rounds(&self) -> &Rounds {
        &self.rounds
    }

    fn forms(&self) -> Forms {
        self.instance.forms
    }

    fn notes(&self) -> &[String] {
        &self.notes
    }

    fn index(&self) -> Index {
        self.index.clone()
    }

    fn observe(
        &self,
        round: u32,
        records: &mut [Record],
        known: &dyn Known,
        emitted: &mut Emitted,
        effects: &mut Effects,
    ) {
        let (Some(observe), Ok(declared)) = (self.table.observe, self.round(round)) else { return };
        let takes = Takes::Rows { width: declared.row_width(), is_visited: declared.is_visited() };
        let run = |local: Local, docs: &[abi::Document], host| {
            let instance = self.instance.pointer;
            // SAFETY: the table was checked, the instance is open, the local is ours, the views outlive the call.
            unsafe { observe(instance, local.0, round, docs.as_ptr(), docs.len(), host) }
        };
        *emitted = self.batch(records, effects, |it| Target::Judge(it), (known, takes), run);
    }

    fn visit(
        &self,
        round: u32,
        group: &mut dyn Group,
        known: &dyn Known,
        facts: &mut Emitted,
    ) -> Result<(), Failure> {
        let takes = Takes::Facts { width: self.round(round)?.outcome().0 };
        *facts = self.visited(round, group, known, takes)?;
        Ok(())
    }

    fn recall(&self, round: u32, entry: &[u8], known: &dyn Known, rows: &mut Emitted) -> Result<(), Failure> {
        let declared = self.round(round)?;
        let takes = Takes::Recalled { width: declared.row_width(), is_visited: declared.is_visited() };
        let behind = self.rounds.rounds.len() as u32;
        *rows = self.visited(behind + round, &mut OneEntry(Some(entry)), known, takes)?;
        Ok(())
    }

    fn resolves(&self) -> bool {
        self.resolves
    }

    fn resolve(&self, texts: &[String], n_documents: u64) -> Result<Vec<Choice>, Failure> {
        let behind = 2 * self.rounds.rounds.len() as u32;
        let mut sample = Sample { n_documents: n_documents.to_be_bytes(), texts, next: 0 };
        let takes = Takes::Recalled { width: 0, is_visited: true };
        let chosen = self.visited(behind, &mut sample, &NothingKnown, takes)?;
        let choice = |(_, row): (usize, &[u8])| serde_json::from_slice(row).map_err(Failure::new);
        chosen.iter().map(choice).collect()
    }

    fn apply(&self, records: &mut [Record], known: &dyn Known, effects: &mut Effects) {
        let Some(apply) = self.table.apply else { return };
        self.instance.count_wrong_forms(records, effects);
        let run = |local: Local, docs: &[abi::Document], host| {
            let instance = self.instance.pointer;
            // SAFETY: the table was checked, the instance is open, the local is ours, the views outlive the call.
            unsafe { apply(instance, local.0, docs.as_ptr(), docs.len(), host) }
        };
        self.batch(records, effects, |it| Target::Change(it), (known, Takes::Nothing), run);
    }
}

impl Drop for Keyed {
    fn drop(&mut self) {
        for local in self.locals.drain() {
            self.free(local);
        }
    }
}
