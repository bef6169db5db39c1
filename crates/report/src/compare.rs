//! Two runs side by side: of which documents the fate or the text differs, by stage and reason.
//!
//! Fates are read from the tables of both runs (`.tamis/fates`), texts from what both have kept as JSON Lines. Runs of
//! the same inputs are compared record by record as they stand there; others by the ids of their documents.

mod page;
#[cfg(test)]
mod tests;
mod texts;

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt;
use std::path::{Path, PathBuf};

use tamis_document::Fate;
use tamis_runner::fates::{FateRow, Fates};
use tamis_runner::{Manifest, RunError};

use crate::ReportError;
use crate::explain::Measured;
pub use page::page;
pub use texts::{ChangedText, Texts};

/// So many documents are named for each change.
const MOST_SAMPLES: usize = 5;

/// What differs between two runs.
#[derive(Debug)]
pub struct Comparison {
    /// The folders, as they were named.
    pub folders: [PathBuf; 2],
    /// The names of the pipelines.
    pub pipelines: [String; 2],
    /// What differs between the pipelines, in words; none if nothing does.
    pub changes: Option<String>,
    /// Whether both have read the same files.
    pub has_same_inputs: bool,
    /// Records that both runs have.
    pub n_common: u64,
    /// Those of them whose fate is the same, with its reason.
    pub n_same: u64,
    /// Other fates, the most frequent first.
    pub moved: Vec<Moved>,
    /// Documents that only one of the runs has.
    pub only: [Only; 2],
    /// What differs in the texts that both have kept; none where one of them has not written JSON Lines.
    pub texts: Option<Texts>,
}

/// Documents with one fate in the first run and another one in the second.
#[derive(Debug)]
pub struct Moved {
    /// What became of them.
    pub from: Outcome,
    /// What became of them in the second run.
    pub to: Outcome,
    /// How many there are.
    pub n: u64,
    /// Some of them.
    pub samples: Vec<Sample>,
}

/// A document that has another fate.
#[derive(Debug, Clone)]
pub struct Sample {
    /// Its id.
    pub id: String,
    /// What the stage that decided has measured, in the run that did not keep it: `chars 12, at least 50`.
    pub measures: Vec<String>,
}

/// Documents that only one run has.
#[derive(Debug, Default)]
pub struct Only {
    /// How many there are.
    pub n: u64,
    /// The ids of some.
    pub ids: Vec<String>,
}

/// What became of a document, without what differs from one to the next.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It was kept.
    Kept,
    /// It was dropped.
    Dropped {
        /// By whom.
        stage: String,
        /// Why.
        reason: String,
    },
    /// It failed.
    Failed {
        /// Where.
        stage: String,
    },
}

impl Outcome {
    fn of(row: &FateRow) -> Self {
        let stage = || row.stage.clone().unwrap_or_default();
        match &row.fate {
            Fate::Kept => Self::Kept,
            Fate::Dropped(reason) => Self::Dropped { stage: stage(), reason: reason.to_string() },
            Fate::Failed(_) => Self::Failed { stage: stage() },
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept => out.write_str("kept"),
            Self::Dropped { stage, reason } => write!(out, "dropped by {stage}: {reason}"),
            Self::Failed { stage } => write!(out, "failed in {stage}"),
        }
    }
}

/// Compares the runs whose output lies in two folders.
///
/// # Errors
///
/// When one of them holds no output of a run, or of one that has not finished, or none with a table of fates, or that cannot be read.
pub fn compare(a: &Path, b: &Path) -> Result<Comparison, ReportError> {
    let [first, second] = [manifest(a)?, manifest(b)?];
    let has_same_inputs = first.fingerprint.inputs == second.fingerprint.inputs;
    let mut both = Both::default();
    let [mut left, mut right] = [fates(a)?, fates(b)?];
    if has_same_inputs {
        both.by_position(&mut left, &mut right)?;
    } else {
        both.by_id(&mut left, &mut right)?;
    }
    let mut moved: Vec<Moved> =
        both.moved.into_iter().map(|((from, to), (n, samples))| Moved { from, to, n, samples }).collect();
    moved.sort_by(|a, b| b.n.cmp(&a.n).then_with(|| (&a.from, &a.to).cmp(&(&b.from, &b.to))));
    Ok(Comparison {
        folders: [a.to_owned(), b.to_owned()],
        pipelines: [first.pipeline.clone(), second.pipeline.clone()],
        changes: first.changes_to(&second),
        has_same_inputs,
        n_common: both.n_common,
        n_same: both.n_same,
        moved,
        only: both.only,
        texts: texts::compare([(a, &first), (b, &second)]),
    })
}

fn manifest(folder: &Path) -> Result<Manifest, ReportError> {
    let manifest = Manifest::read(folder)?.ok_or_else(|| ReportError::NoRun { folder: folder.to_owned() })?;
    if !manifest.complete {
        return Err(ReportError::Unfinished { folder: folder.to_owned() });
    }
    Ok(manifest)
}

fn fates(folder: &Path) -> Result<Fates, ReportError> {
    let table = folder.join(".tamis/fates");
    if !table.is_file() {
        return Err(ReportError::NoFates { folder: folder.to_owned() });
    }
    Ok(Fates::open(&table)?)
}

/// What was found so far.
#[derive(Default)]
struct Both {
    n_common: u64,
    n_same: u64,
    moved: BTreeMap<(Outcome, Outcome), (u64, Vec<Sample>)>,
    only: [Only; 2],
}

impl Both {
    /// Both tables are in corpus order, so records of the same inputs meet.
    fn by_position(&mut self, left: &mut Fates, right: &mut Fates) -> Result<(), RunError> {
        let (mut left, mut right) = (left.rows().peekable(), right.rows().peekable());
        loop {
            let position = |row: Option<&Result<FateRow, RunError>>| match row {
                Some(Ok(row)) => Some(row.position),
                _ => None,
            };
            let next = match (position(left.peek()), position(right.peek())) {
                (Some(a), Some(b)) => a.min(b),
                (Some(only), None) | (None, Some(only)) => only,
                (None, None) => break,
            };
            let take = |rows: &mut dyn Iterator<Item = FateRow>| rows.collect::<Vec<_>>();
            let at = |row: &Result<FateRow, RunError>| matches!(row, Ok(row) if row.position == next);
            let mut here = std::iter::from_fn(|| left.next_if(at).and_then(Result::ok));
            let mut there = std::iter::from_fn(|| right.next_if(at).and_then(Result::ok));
            let rows = take(&mut here);
            self.group(rows, take(&mut there));
        }
        // What cannot be read ends the rows, and comes last.
        left.chain(right).try_for_each(|row| row.map(drop))
    }

    /// What stands at one position: the record, or what was split off it.
    fn group(&mut self, left: Vec<FateRow>, mut right: Vec<FateRow>) {
        let is_one = left.len() == 1 && right.len() == 1;
        for row in left {
            match right.iter().position(|other| is_one || other.id == row.id) {
                Some(at) => self.pair(&row, &right.swap_remove(at)),
                None => self.only[0].note(row.id),
            }
        }
        for row in right {
            self.only[1].note(row.id);
        }
    }

    /// The rows of the first run in memory, by id; those of ids that repeat meet in their order.
    fn by_id(&mut self, left: &mut Fates, right: &mut Fates) -> Result<(), RunError> {
        let mut known: HashMap<String, VecDeque<FateRow>> = HashMap::new();
        for row in left.rows() {
            let row = row?;
            known.entry(row.id.clone()).or_default().push_back(row);
        }
        for row in right.rows() {
            let row = row?;
            match known.get_mut(&row.id).and_then(VecDeque::pop_front) {
                Some(before) => self.pair(&before, &row),
                None => self.only[1].note(row.id),
            }
        }
        let mut rest: Vec<FateRow> = known.into_values().flatten().collect();
        rest.sort_by_key(|row| row.position);
        for row in rest {
            self.only[0].note(row.id);
        }
        Ok(())
    }

    fn pair(&mut self, before: &FateRow, after: &FateRow) {
        self.n_common += 1;
        let (from, to) = (Outcome::of(before), Outcome::of(after));
        if from == to {
            self.n_same += 1;
            return;
        }
        let decided = if to == Outcome::Kept { before } else { after };
        let (n, samples) = self.moved.entry((from, to)).or_default();
        *n += 1;
        if samples.len() < MOST_SAMPLES {
            let beyond = decided.measures.iter().filter(|measure| !measure.holds());
            let measures = beyond.map(|it| Measured::from(it.clone()).said()).collect();
            samples.push(Sample { id: after.id.clone(), measures });
        }
    }
}

impl Only {
    fn note(&mut self, id: String) {
        self.n += 1;
        if self.ids.len() < MOST_SAMPLES {
            self.ids.push(id);
        }
    }
}
