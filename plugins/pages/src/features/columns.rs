//! A table with a column for each feature and a row for each of some blocks.

use std::ops::Range;

/// Values of features, column by column, for blocks that follow each other.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    rows: Range<usize>,
    names: Vec<&'static str>,
    values: Vec<f32>,
}

impl Columns {
    /// Forgets all columns and begins a table for other blocks; what was taken for values is used again.
    pub(crate) fn begin(&mut self, rows: Range<usize>) {
        self.rows = rows;
        self.names.clear();
        self.values.clear();
    }

    /// Adds a column with the value of each block.
    pub(crate) fn add(&mut self, name: &'static str, value: impl FnMut(usize) -> f32) {
        self.names.push(name);
        self.values.extend(self.rows.clone().map(value));
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
        let start = column * self.n_rows();
        self.values.get(start..start + self.n_rows()).unwrap_or_default()
    }
}
