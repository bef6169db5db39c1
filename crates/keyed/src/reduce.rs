//! From the rows of a round to its outcome.

use tamis_sort::{Batch, Combine, Merge, Place, Shape, SortError, Sorter, TableWriter};
use tamis_stage::Failure;
use tamis_stage::keyed::{EARLIER, Emitted, First, Group, POSITION_BYTES, Reduce, Round};

use crate::collect::Collected;
use crate::earlier::Beside;
use crate::failure::failed;
use crate::groups;
use crate::known::Outcome;
use crate::wanted::only_wanted;

/// Shows the rows of a key to the stage, which emits facts.
type Visit<'a> = dyn FnMut(&mut dyn Group, &mut Emitted) -> Result<(), Failure> + 'a;

/// Reduces what a round has collected, and beside it what earlier runs have; both are forgotten.
pub(crate) fn reduce(
    collected: &Collected,
    earlier: Option<&Collected>,
    place: Option<&Place>,
    visit: &mut Visit<'_>,
) -> Result<Outcome, Failure> {
    let Collected { round, rows, .. } = collected;
    let (width, key_width) = round.outcome();
    if let Reduce::Fold(_) = round.reduce {
        let entries = table(round, rows.drain().map_err(failed)?, Shape::fixed(key_width, width), place)?;
        return Ok(Outcome { entries, key_width, ids: None });
    }
    let mut facts = Facts::new(round, place);
    match &round.reduce {
        Reduce::Fold(_) => {}
        // They were for an index, which has been left by now.
        Reduce::Kept => drop(rows.drain().map_err(failed)?),
        Reduce::First => {
            let rows = rows.drain().map_err(failed)?;
            let beside = earlier.map(|earlier| earlier.rows.drain()).transpose().map_err(failed)?;
            let beside = beside.map(|rows| Beside::new(rows, round.key_width()));
            first(rows, beside, round, &mut facts).map_err(failed)?;
        }
        Reduce::Groups { edges } => {
            let edges =
                edges_of(rows.drain().map_err(failed)?, round, *edges as usize, place).map_err(failed)?;
            groups::find(edges, place, |first, position, size| facts.tell(position, first, size))
                .map_err(failed)?;
        }
        Reduce::Visit { .. } => visit_all(rows.drain().map_err(failed)?, round, &mut facts, visit)?,
    }
    let Facts { sorter, firsts, .. } = facts.finished();
    let shape = Shape::fixed(key_width, width);
    let entries = table(round, sorter.drain().map_err(failed)?, shape, place)?;
    let ids = match &collected.ids {
        None => None,
        Some(ids) => {
            if let Some(earlier) = earlier.and_then(|earlier| earlier.ids.as_ref()) {
                let (mut earlier, mut batch) = (earlier.drain().map_err(failed)?, Batch::default());
                while let Some(entry) = earlier.advance().map_err(failed)? {
                    ids.push(&mut batch, entry);
                }
                ids.add(&mut batch);
            }
            let name = format!("{}.ids", round.name);
            let mut writer = TableWriter::new(name, Shape::varied(POSITION_BYTES), place);
            let wanted = firsts.drain().map_err(failed)?;
            only_wanted(ids.drain().map_err(failed)?, wanted, |entry| writer.push(entry)).map_err(failed)?;
            Some(writer.finish().map_err(failed)?)
        }
    };
    Ok(Outcome { entries, key_width, ids })
}

fn table(
    round: &Round,
    mut entries: Merge,
    shape: Shape,
    place: Option<&Place>,
) -> Result<tamis_sort::Table, Failure> {
    let mut writer = TableWriter::new(&round.name, shape, place);
    while let Some(entry) = entries.advance().map_err(failed)? {
        writer.push(entry).map_err(failed)?;
    }
    writer.finish().map_err(failed)
}

/// Facts by position, as they are found.
struct Facts {
    sorter: Sorter,
    batch: Batch,
    /// The documents that facts name, if their ids are wanted.
    firsts: Sorter,
    first_batch: Batch,
    has_ids: bool,
    entry: Vec<u8>,
}

impl Facts {
    fn new(round: &Round, place: Option<&Place>) -> Self {
        let part = place.map(Place::part);
        let sorter = |kind: &str, width| {
            let (name, shape) = (format!("{}.{kind}", round.name), Shape::fixed(POSITION_BYTES, width));
            Sorter::new(name, shape, Combine::Unique, part.as_ref())
        };
        Self {
            sorter: sorter("facts", round.outcome().0),
            firsts: sorter("firsts", POSITION_BYTES),
            batch: Batch::default(),
            first_batch: Batch::default(),
            has_ids: round.ids,
            entry: Vec::new(),
        }
    }

    fn tell(&mut self, position: u128, first: u128, size: u64) {
        self.entry.clear();
        self.entry.extend_from_slice(&position.to_be_bytes());
        self.entry.extend_from_slice(&first.to_be_bytes());
        self.entry.extend_from_slice(&size.to_be_bytes());
        debug_assert_eq!(self.entry.len(), POSITION_BYTES + First::WIDTH);
        self.sorter.push(&mut self.batch, &self.entry);
        if size > 0 {
            self.name(first);
        }
    }

    /// Notes that the id of a document is wanted.
    fn name(&mut self, first: u128) {
        if self.has_ids {
            self.firsts.push(&mut self.first_batch, &first.to_be_bytes());
        }
    }

    fn finished(mut self) -> Self {
        self.sorter.add(&mut self.batch);
        self.firsts.add(&mut self.first_batch);
        self
    }
}

/// The position at the end of the fixed part of an entry.
fn position(entry: &[u8], row_width: usize) -> u128 {
    let position = entry.get(row_width..).and_then(|rest| rest.first_chunk());
    position.map_or(0, |bytes| u128::from_be_bytes(*bytes))
}

/// The first document of every key, and those behind it; one of an earlier run stands before all of this one.
fn first(
    mut rows: Merge,
    mut beside: Option<Beside>,
    round: &Round,
    facts: &mut Facts,
) -> Result<(), SortError> {
    let (key_width, row_width) = (round.key_width(), round.row_width());
    let mut key = Vec::new();
    let (mut leader, mut size, mut is_earlier) = (0, 0, false);
    while let Some(entry) = rows.advance()? {
        let (this, position) = (entry.get(..key_width).unwrap_or_default(), position(entry, row_width));
        if size == 0 || key != this {
            if size > 1 && !is_earlier {
                facts.tell(leader, leader, size);
            }
            key.clear();
            key.extend_from_slice(this);
            (leader, size) = (position, 1);
            let earlier = beside.as_mut().map(|beside| beside.of(&key)).transpose()?.flatten();
            if let Some(earlier) = earlier.map(|entry| self::position(entry, row_width)) {
                facts.name(earlier);
                facts.tell(position, earlier, 0);
                // Nobody is told how many there are: there is none here that is kept.
                (leader, size) = (earlier, 1);
                is_earlier = true;
            } else {
                is_earlier = false;
            }
        } else {
            facts.tell(position, leader, 0);
            size += 1;
        }
    }
    if size > 1 && !is_earlier {
        facts.tell(leader, leader, size);
    }
    Ok(())
}

/// Ties each row of a key to the first `most` of them: pairs of positions, the greater one before.
///
/// Documents of earlier runs are not tied to each other, since nothing more is decided about them: they come behind
/// those of this run, and only where there is one of these they matter.
fn edges_of(mut rows: Merge, round: &Round, most: usize, place: Option<&Place>) -> Result<Sorter, SortError> {
    let (key_width, row_width) = (round.key_width(), round.row_width());
    let part = place.map(Place::part);
    let edges = groups::edges(&round.name, part.as_ref());
    let (mut batch, mut key, mut firsts) = (Batch::default(), Vec::new(), Vec::<u128>::new());
    while let Some(entry) = rows.advance()? {
        let (this, position) = (entry.get(..key_width).unwrap_or_default(), position(entry, row_width));
        if key != this {
            key.clear();
            key.extend_from_slice(this);
            firsts.clear();
        }
        for first in &firsts {
            groups::tie(&edges, &mut batch, *first, position);
        }
        if position & EARLIER == 0 && firsts.len() < most && !firsts.contains(&position) {
            firsts.push(position);
        }
    }
    edges.add(&mut batch);
    Ok(edges)
}

/// Shows the rows of every key to the stage.
fn visit_all(rows: Merge, round: &Round, facts: &mut Facts, visit: &mut Visit<'_>) -> Result<(), Failure> {
    let mut group =
        OneKey { rows, key_width: round.key_width(), ahead: None, this: Vec::new(), is_fresh: false };
    let mut emitted = Emitted::default();
    while group.begin()? {
        emitted.clear();
        visit(&mut group, &mut emitted)?;
        while group.advance()?.is_some() {}
        for (_, fact) in emitted.iter() {
            facts.sorter.push(&mut facts.batch, fact);
            if facts.has_ids {
                for position in named(fact, round) {
                    facts.firsts.push(&mut facts.first_batch, &position.to_be_bytes());
                }
            }
        }
    }
    Ok(())
}

/// The positions among the columns of a fact.
fn named(fact: &[u8], round: &Round) -> Vec<u128> {
    let Reduce::Visit { gives } = &round.reduce else { return Vec::new() };
    let mut at = POSITION_BYTES;
    let mut found = Vec::new();
    for column in gives {
        if *column == tamis_stage::keyed::Column::Position {
            found.push(position(fact, at));
        }
        at += column.width();
    }
    found
}

/// The rows of one key after the other.
struct OneKey {
    rows: Merge,
    key_width: usize,
    /// The row that comes next, of this key or another.
    ahead: Option<Vec<u8>>,
    /// The row that was given out.
    this: Vec<u8>,
    /// Whether no row of the key has been given out.
    is_fresh: bool,
}

impl OneKey {
    /// Goes to the next key; `false` at the end.
    fn begin(&mut self) -> Result<bool, Failure> {
        if self.ahead.is_none() {
            self.look()?;
        }
        self.is_fresh = true;
        Ok(self.ahead.is_some())
    }

    fn look(&mut self) -> Result<(), Failure> {
        let next = self.rows.advance().map_err(failed)?;
        self.ahead = next.map(<[u8]>::to_vec);
        Ok(())
    }
}

impl Group for OneKey {
    fn advance(&mut self) -> Result<Option<&[u8]>, Failure> {
        let is_same = |ahead: &Vec<u8>| ahead.get(..self.key_width) == self.this.get(..self.key_width);
        if !self.ahead.as_ref().is_some_and(|ahead| self.is_fresh || is_same(ahead)) {
            return Ok(None);
        }
        self.is_fresh = false;
        if let Some(next) = self.ahead.take() {
            self.this = next;
        }
        self.look()?;
        Ok(Some(&self.this))
    }
}
