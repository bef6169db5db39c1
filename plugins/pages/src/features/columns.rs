//! A table with a column for each feature and a row for each of some blocks.

use std::ops::Range;

/// Rows that are looked at together: each column is as long as some of these, so that what is done for all rows of a
/// chunk at once needs no other way for the last ones.
pub(crate) const LANES: usize = 16;

/// So many columns there is room for from the start.
const USUAL_COLUMNS: usize = 224;

/// Values of features, column by column, for blocks that follow each other.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    rows: Range<usize>,
    names: Vec<&'static str>,
    values: Vec<f32>,
    /// For each column whether anybody asks for it; empty where all are wanted.
    asked: &'static [bool],
}

impl Columns {
    /// A table for whoever asks for some columns alone: the values of the others are zeros that mean nothing.
    pub(crate) fn asked(asked: &'static [bool]) -> Self {
        Self { asked, ..Self::default() }
    }

    /// Notes the name of the next column, and says whether anybody asks for its values.
    fn next_is_asked(&mut self, name: &'static str) -> bool {
        self.names.push(name);
        self.asked.get(self.names.len() - 1).is_none_or(|asked| *asked)
    }

    /// Forgets all columns and begins a table for other blocks; what was taken for values is used again.
    pub(crate) fn begin(&mut self, rows: Range<usize>) {
        self.rows = rows;
        self.names.clear();
        self.values.clear();
        // Grown by steps it is copied several times, and most pages fill a table of their own.
        self.values.reserve(USUAL_COLUMNS * self.stride());
    }

    /// Adds a column with the value of each block.
    pub(crate) fn add(&mut self, name: &'static str, value: impl FnMut(usize) -> f32) {
        let start = self.values.len();
        if self.next_is_asked(name) {
            self.values.extend(self.rows.clone().map(value));
        }
        self.values.resize(start + self.stride(), 0.0);
    }

    /// Adds a column with a value for each row, in order.
    pub(crate) fn add_each(&mut self, name: &'static str, values: impl Iterator<Item = f32>) {
        let start = self.values.len();
        if self.next_is_asked(name) {
            self.values.extend(values);
            debug_assert_eq!(self.values.len() - start, self.rows.len());
        }
        self.values.resize(start + self.stride(), 0.0);
    }

    /// The blocks that the rows are of.
    pub(crate) fn rows(&self) -> Range<usize> {
        self.rows.clone()
    }

    /// The names of the columns, in order.
    pub fn names(&self) -> &[&'static str] {
        &self.names
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.rows.len()
    }

    /// The values of a column, one a row.
    pub fn column(&self, column: usize) -> &[f32] {
        let start = column * self.stride();
        self.values.get(start..start + self.n_rows()).unwrap_or_default()
    }

    /// The values of all columns, one after the other, in chunks of rows; behind the last row of a column come values that
    /// mean nothing.
    pub(crate) fn chunks(&self) -> &[[f32; LANES]] {
        self.values.as_chunks::<LANES>().0
    }

    /// Number of chunks of a column.
    pub(crate) fn n_chunks(&self) -> usize {
        self.rows.len().div_ceil(LANES)
    }

    /// From one column to the next.
    fn stride(&self) -> usize {
        self.rows.len().next_multiple_of(LANES)
    }
}
