//! What a round collects: rows, and the ids of the documents that they are about.

use std::sync::{Arc, Mutex, PoisonError};

use tamis_document::Record;
use tamis_sort::{Batch, Combine, Place, Shape, Sorter};
use tamis_stage::keyed::{Column, Emitted, Fold, POSITION_BYTES, Reduce, Round};

/// The rows of a round.
#[derive(Debug)]
pub(crate) struct Collected {
    pub(crate) round: Round,
    /// Key, columns, the position of the document unless rows are folded, and what follows where rows are visited.
    pub(crate) rows: Sorter,
    /// Position and id, if they will be asked for.
    pub(crate) ids: Option<Sorter>,
    /// What workers have collected that do not work at the moment.
    batches: Mutex<Vec<Batches>>,
}

#[derive(Debug, Default)]
pub(crate) struct Batches {
    rows: Batch,
    ids: Batch,
    entry: Vec<u8>,
}

impl Collected {
    pub(crate) fn new(round: &Round, place: Option<&Place>) -> Self {
        let (key, width) = (round.key_width(), round.row_width());
        let (shape, combine) = match &round.reduce {
            // One position is one document: a shard that is loaded twice makes no duplicates.
            Reduce::First | Reduce::Groups { .. } => {
                (Shape::fixed(key, width + POSITION_BYTES), Combine::Unique)
            }
            Reduce::Fold(folds) => (Shape::fixed(key, width), folded(round, folds)),
            Reduce::Visit { .. } | Reduce::Kept => (Shape::varied(width + POSITION_BYTES), Combine::Unique),
        };
        let half = place.filter(|_| round.ids).map(Place::half);
        let place = half.as_ref().or(place);
        let name = &round.name;
        let ids =
            || Sorter::new(format!("{name}.ids"), Shape::varied(POSITION_BYTES), Combine::Unique, place);
        Self {
            round: round.clone(),
            rows: Sorter::new(name.clone(), shape, combine, place),
            ids: round.ids.then(ids),
            batches: Mutex::default(),
        }
    }

    /// Takes what a call has emitted about records; rows of those that failed are forgotten.
    pub(crate) fn take(&self, records: &[Record], emitted: &Emitted) {
        let mut batches = self.batches().pop().unwrap_or_default();
        let mut rows = emitted.iter().peekable();
        let mut of_record = Vec::new();
        while let Some((index, row)) = rows.next() {
            of_record.clear();
            of_record.push(row);
            while let Some((_, row)) = rows.next_if(|(next, _)| *next == index) {
                of_record.push(row);
            }
            if let Some(record) = records.get(index).filter(|record| record.is_kept()) {
                self.take_rows(record.position, &mut of_record, &mut batches);
                self.take_id(record.position, record.document.id.as_bytes(), &mut batches);
            }
        }
        self.batches().push(batches);
    }

    /// Takes what was emitted about a document of an earlier run.
    pub(crate) fn take_earlier(&self, position: u128, emitted: &Emitted, batches: &mut Batches) {
        let mut rows: Vec<&[u8]> = emitted.iter().map(|(_, row)| row).collect();
        self.take_rows(position, &mut rows, batches);
    }

    fn take_rows(&self, position: u128, rows: &mut Vec<&[u8]>, batches: &mut Batches) {
        let (key_width, row_width) = (self.round.key_width(), self.round.row_width());
        let Batches { rows: batch, entry, .. } = batches;
        if self.round.reduce == Reduce::First && rows.len() > 1 {
            // A document that says the same twice is no duplicate of itself.
            rows.sort_unstable();
            rows.dedup_by_key(|row| row.get(..key_width));
        }
        let position = position.to_be_bytes();
        for row in rows {
            let (row, behind) = row.split_at_checked(row_width).unwrap_or((row, &[]));
            entry.clear();
            entry.extend_from_slice(row);
            if !matches!(self.round.reduce, Reduce::Fold(_)) {
                entry.extend_from_slice(&position);
            }
            entry.extend_from_slice(behind);
            self.rows.push(batch, entry);
        }
    }

    /// Takes the id of a document, if it will be asked for.
    pub(crate) fn take_id(&self, position: u128, id: &[u8], batches: &mut Batches) {
        let Batches { ids: batch, entry, .. } = batches;
        if let Some(ids) = &self.ids {
            entry.clear();
            entry.extend_from_slice(&position.to_be_bytes());
            entry.extend_from_slice(id);
            ids.push(batch, entry);
        }
    }

    /// Takes in what one worker has collected.
    pub(crate) fn add(&self, mut batches: Batches) {
        self.rows.add(&mut batches.rows);
        if let Some(ids) = &self.ids {
            ids.add(&mut batches.ids);
        }
    }

    /// Takes in what all workers have collected.
    pub(crate) fn merge(&self) {
        for batches in std::mem::take(&mut *self.batches()) {
            self.add(batches);
        }
    }

    fn batches(&self) -> std::sync::MutexGuard<'_, Vec<Batches>> {
        self.batches.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Combines the columns of rows with one key.
fn folded(round: &Round, folds: &[Fold]) -> Combine {
    let mut at = round.key_width();
    let mut parts = Vec::with_capacity(folds.len());
    for (column, fold) in round.columns.iter().zip(folds) {
        parts.push((at..at + column.width(), *column, *fold));
        at += column.width();
    }
    Combine::Fold(Arc::new(move |row, next| {
        for (range, column, fold) in &parts {
            if let (Some(one), Some(other)) = (row.get_mut(range.clone()), next.get(range.clone())) {
                fold_column(*column, *fold, one, other);
            }
        }
    }))
}

fn fold_column(column: Column, fold: Fold, one: &mut [u8], other: &[u8]) {
    match fold {
        // Bytes in order are values in order.
        Fold::Min if other < &*one => one.copy_from_slice(other),
        Fold::Max if other > &*one => one.copy_from_slice(other),
        Fold::Min | Fold::Max => {}
        Fold::Sum => {
            // The flipped sign of `i64` is an offset of 2^63, which would be counted twice.
            let offset = if column == Column::I64 { 1 << 63 } else { 0 };
            let number = |bytes: &[u8]| bytes.first_chunk().map_or(0, |bytes| u64::from_be_bytes(*bytes));
            let sum = number(one).wrapping_add(number(other)).wrapping_sub(offset);
            one.copy_from_slice(&sum.to_be_bytes());
        }
    }
}
