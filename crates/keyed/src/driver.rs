//! A keyed stage as an ordinary corpus stage.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use tamis_document::Record;
use tamis_sort::Place;
use tamis_stage::handle::{CorpusHandle, Effects, KeyedHandle, StateRows};
use tamis_stage::keyed::{Choice, Emitted, Index, Reduce, Round, Rounds};
use tamis_stage::{Failure, Forms, Workspace};

use crate::collect::{Batches, Collected};
use crate::known::{Knowing, Outcome};
use crate::state::Header;
use crate::{earlier, outcome, reduce, state};

/// A keyed stage whose rounds are run here.
pub struct Keyed {
    handle: Box<dyn KeyedHandle>,
    /// The stage, as its states name it.
    name: String,
    place: OnceLock<Place>,
    /// The folder for what is left to the user.
    keep: OnceLock<PathBuf>,
    /// Indexes to compare with beside those that the options name.
    earlier: OnceLock<Vec<PathBuf>>,
    collected: Vec<OnceLock<Collected>>,
    outcomes: Vec<OnceLock<Outcome>>,
    /// The first failure to read an outcome.
    broken: OnceLock<Failure>,
}

impl Keyed {
    /// Runs the rounds of a stage, which is called `name` in its states.
    pub fn new(name: impl Into<String>, handle: Box<dyn KeyedHandle>) -> Self {
        let n_rounds = handle.rounds().rounds.len();
        let slots = || std::iter::repeat_with(OnceLock::new).take(n_rounds).collect();
        let (collected, outcomes) = (slots(), std::iter::repeat_with(OnceLock::new).take(n_rounds).collect());
        Self {
            handle,
            name: name.into(),
            place: OnceLock::new(),
            keep: OnceLock::new(),
            earlier: OnceLock::new(),
            collected,
            outcomes,
            broken: OnceLock::new(),
        }
    }

    /// What a round collects; begun by whoever comes first.
    fn collected(&self, pass: u32) -> Result<&Collected, Failure> {
        let index = pass as usize;
        let rounds = &self.handle.rounds().rounds;
        let (Some(slot), Some(round)) = (self.collected.get(index), rounds.get(index)) else {
            return Err(Failure::new(format!("`{}` has no round {pass}", self.name)));
        };
        Ok(slot.get_or_init(|| Collected::new(round, self.place.get())))
    }

    fn knowing(&self) -> Knowing<'_> {
        Knowing::new(&self.outcomes, &self.broken)
    }

    fn header(&self, pass: u32) -> Header<'_> {
        self.header_of(&self.handle.rounds().rounds[pass as usize])
    }

    fn header_of<'a>(&'a self, round: &'a Round) -> Header<'a> {
        Header { stage: &self.name, round, observes: &self.handle.rounds().observes }
    }

    /// Notes what a round has brought.
    fn settle(&self, pass: u32, outcome: Outcome) -> Result<(), Failure> {
        let slot = self.outcomes.get(pass as usize);
        let settled = slot.is_some_and(|slot| slot.set(outcome).is_ok());
        if settled { Ok(()) } else { Err(Failure::new("the pass has ended before")) }
    }

    /// What the stage does with documents of other runs, those that the run itself names among them.
    fn index(&self) -> Index {
        let mut index = self.handle.index();
        index.against.extend(self.earlier.get().into_iter().flatten().cloned());
        index
    }

    /// Whether an engine may reduce the rows of a round: they are of one width, and all there is to compare is among them.
    fn is_for_engines(&self, round: &Round) -> bool {
        !round.is_visited() && !self.keeps_index() && self.index().against.is_empty()
    }

    /// Adds the rows that the documents of indexes have in a round.
    fn recall(&self, pass: u32, index: &Index, of_index: &Round) -> Result<(), Failure> {
        let collected = self.collected(pass)?;
        if collected.round.reduce == Reduce::Kept || index.against.is_empty() {
            // An index holds what its own run has seen.
            return Ok(());
        }
        let (header, knowing) = (self.header_of(of_index), self.knowing());
        let (mut rows, mut ids) = (Batches::default(), Batches::default());
        for (number, path) in index.against.iter().enumerate() {
            let mut emitted = Emitted::default();
            let mut row = |position, entry: &[u8]| {
                emitted.clear();
                self.handle.recall(pass, entry, &knowing, &mut emitted)?;
                collected.take_earlier(position, &emitted, &mut rows);
                Ok(())
            };
            let mut id = |position, id: &[u8]| collected.take_id(position, id, &mut ids);
            earlier::recall(path, number, &header, &mut row, &mut id)?;
        }
        collected.add(rows);
        collected.add(ids);
        Ok(())
    }
}

impl CorpusHandle for Keyed {
    fn observing_passes(&self) -> u32 {
        self.collected.len() as u32
    }

    fn forms(&self) -> Forms {
        self.handle.forms()
    }

    fn rounds(&self) -> Option<&Rounds> {
        Some(self.handle.rounds())
    }

    fn notes(&self) -> &[String] {
        self.handle.notes()
    }

    fn resolves(&self) -> bool {
        self.handle.resolves()
    }

    fn resolve(&self, texts: &[String], n_documents: u64) -> Result<Vec<Choice>, Failure> {
        self.handle.resolve(texts, n_documents)
    }

    fn keeps_index(&self) -> bool {
        self.handle.index().is_kept
    }

    fn compare_with(&self, indexes: Vec<PathBuf>) {
        self.earlier.get_or_init(|| indexes);
    }

    fn broken(&self) -> Option<Failure> {
        self.broken.get().cloned()
    }

    fn prepare(&self, workspace: &Workspace) -> Result<(), Failure> {
        let memory = self.handle.rounds().max_state_bytes.unwrap_or(workspace.memory);
        self.keep.get_or_init(|| workspace.keep.clone());
        self.place.get_or_init(|| Place::new(&workspace.scratch, memory, workspace.threads));
        Ok(())
    }

    fn observe(&self, pass: u32, records: &mut [Record], effects: &mut Effects) {
        let collected = match self.collected(pass) {
            Ok(collected) => collected,
            Err(failure) => return fail_all(records, &failure),
        };
        let mut emitted = Emitted::default();
        self.handle.observe(pass, records, &self.knowing(), &mut emitted, effects);
        collected.take(records, &emitted);
    }

    fn merge(&self, pass: u32) -> Result<(), Failure> {
        self.collected(pass)?.merge();
        Ok(())
    }

    fn end_pass(&self, pass: u32) -> Result<(), Failure> {
        let collected = self.collected(pass)?;
        let (place, header, index) = (self.place.get(), self.header(pass), self.index());
        let is_index = index.round.as_ref().is_none_or(|round| round == header.round);
        if let Some(folder) = self.keep.get().filter(|_| index.is_kept && is_index) {
            earlier::keep(collected, &header, place, folder)?;
        }
        let earlier = match &index.round {
            None => earlier::load(header.round, &header, &index.against, place)?,
            Some(round) => {
                self.recall(pass, &index, round)?;
                None
            }
        };
        let outcome = reduce::reduce(collected, earlier.as_ref(), place, &mut |group, facts| {
            self.handle.visit(pass, group, &self.knowing(), facts)
        })?;
        self.settle(pass, outcome)
    }

    fn apply(&self, records: &mut [Record], effects: &mut Effects) {
        self.handle.apply(records, &self.knowing(), effects);
    }

    fn save(&self, pass: u32, out: &mut dyn Write) -> Result<(), Failure> {
        state::save(self.collected(pass)?, &self.header(pass), self.place.get(), out)
    }

    fn load(&self, pass: u32, from: &mut dyn Read) -> Result<(), Failure> {
        state::load(self.collected(pass)?, &self.header(pass), from)
    }

    fn export_rows(
        &self,
        pass: u32,
        state: &mut dyn Read,
        out: &mut dyn Write,
    ) -> Result<Option<StateRows>, Failure> {
        let collected = self.collected(pass)?;
        let round = self.handle.rounds().rounds.get(pass as usize);
        let Some(round) = round.filter(|round| self.is_for_engines(round)) else { return Ok(None) };
        state::rows(&self.header(pass), collected.rows.shape(), state, out)?;
        Ok(Some(StateRows { round: round.clone(), are_of_entries: false }))
    }

    fn load_rows(&self, pass: u32, rows: &mut dyn Read) -> Result<(), Failure> {
        let collected = self.collected(pass)?;
        if !self.is_for_engines(&collected.round) {
            return Err(Failure::new(format!(
                "the rows of this pass of `{}` are not for engines",
                self.name
            )));
        }
        state::load_rows(collected, rows)
    }

    fn load_beside_rows(&self, pass: u32, from: &mut dyn Read) -> Result<(), Failure> {
        state::load_beside_rows(self.collected(pass)?, &self.header(pass), from)
    }

    fn has_outcomes(&self) -> bool {
        // An index is left by who ends the pass, which is then each shard.
        !self.keeps_index()
    }

    fn save_outcome(&self, pass: u32, out: &mut dyn Write) -> Result<(), Failure> {
        match self.outcomes.get(pass as usize).and_then(OnceLock::get) {
            Some(outcome) => outcome::save(outcome, &self.header(pass), out),
            None => Err(Failure::new(format!("pass {pass} of `{}` has not ended", self.name))),
        }
    }

    fn open_outcome(&self, pass: u32, path: &Path, at: u64) -> Result<(), Failure> {
        self.collected(pass)?;
        self.settle(pass, outcome::open(&self.header(pass), path, at)?)
    }
}

fn fail_all(records: &mut [Record], failure: &Failure) {
    for record in records {
        record.fate = tamis_document::Fate::Failed(failure.to_string().into());
    }
}
