//! What rounds have brought, and who is asking.

use std::cell::RefCell;
use std::sync::OnceLock;

use tamis_sort::{Cursor, SortError, Table};
use tamis_stage::Failure;
use tamis_stage::keyed::{Known, POSITION_BYTES};

use crate::failure::failed;

/// The outcome of a round.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// Facts by position, or rows by key.
    pub(crate) entries: Table,
    /// Bytes that an entry is asked for by.
    pub(crate) key_width: usize,
    /// Ids by position.
    pub(crate) ids: Option<Table>,
}

/// Somebody who asks: for one call, whose documents stand in order, so that a page of a table is read once.
pub(crate) struct Knowing<'k> {
    outcomes: &'k [OnceLock<Outcome>],
    broken: &'k OnceLock<Failure>,
    /// Of the rounds that have been asked about.
    cursors: RefCell<Vec<Option<Cursor<'k>>>>,
    ids: RefCell<Vec<Option<Cursor<'k>>>>,
}

impl<'k> Knowing<'k> {
    pub(crate) fn new(outcomes: &'k [OnceLock<Outcome>], broken: &'k OnceLock<Failure>) -> Self {
        Self { outcomes, broken, cursors: RefCell::default(), ids: RefCell::default() }
    }

    /// Notes a failure of the disk beside handing it on: a stage may pass over it.
    fn noted(&self, error: SortError) -> Failure {
        let failure = failed(error);
        self.broken.get_or_init(|| failure.clone());
        failure
    }

    fn outcome(&self, round: u32) -> Result<&'k Outcome, Failure> {
        let outcome = self.outcomes.get(round as usize).and_then(OnceLock::get);
        outcome.ok_or_else(|| {
            Failure::new(format!("round {round} has not ended: the corpus has not been observed yet"))
        })
    }
}

/// The cursor of a round, made when it is first asked for.
fn cursor<'c, 'k>(
    cursors: &'c mut Vec<Option<Cursor<'k>>>,
    round: u32,
    table: &'k Table,
) -> &'c mut Cursor<'k> {
    let index = round as usize;
    if cursors.len() <= index {
        cursors.resize_with(index + 1, || None);
    }
    cursors[index].get_or_insert_with(|| table.cursor())
}

impl Known for Knowing<'_> {
    fn entries(&self, round: u32, front: &[u8], each: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), Failure> {
        let outcome = self.outcome(round)?;
        if front.len() > outcome.key_width {
            let (n, most) = (front.len(), outcome.key_width);
            return Err(Failure::new(format!(
                "round {round} is asked for {n} bytes, and its key has {most}"
            )));
        }
        let mut cursors = self.cursors.borrow_mut();
        cursor(&mut cursors, round, &outcome.entries).each(front, each).map_err(|error| self.noted(error))
    }

    fn id(&self, round: u32, position: u128) -> Result<Option<String>, Failure> {
        let Some(table) = &self.outcome(round)?.ids else {
            return Err(Failure::new(format!("round {round} declares no ids")));
        };
        let mut cursors = self.ids.borrow_mut();
        let found = cursor(&mut cursors, round, table).first(&position.to_be_bytes());
        let found = found.map_err(|error| self.noted(error))?;
        let text = |entry: Vec<u8>| {
            let id = entry.get(POSITION_BYTES..).unwrap_or_default();
            String::from_utf8_lossy(id).into_owned()
        };
        Ok(found.map(text))
    }
}
