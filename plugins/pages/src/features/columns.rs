//! A table with a column for each feature and a row for each block.

/// Values of features, column by column.
#[derive(Debug, Clone, Default)]
pub struct Columns {
    n_rows: usize,
    names: Vec<&'static str>,
    values: Vec<f32>,
}

impl Columns {
    /// A table without columns, with room for some.
    pub(crate) fn new(n_rows: usize, n_columns: usize) -> Self {
        Self { n_rows, names: Vec::with_capacity(n_columns), values: Vec::with_capacity(n_rows * n_columns) }
    }

    /// Adds a column with the value of each row.
    pub(crate) fn add(&mut self, name: &'static str, value: impl FnMut(usize) -> f32) {
        self.names.push(name);
        self.values.extend((0..self.n_rows).map(value));
    }

    /// The names of the columns, in order.
    pub fn names(&self) -> &[&'static str] {
        &self.names
    }

    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        self.n_rows
    }

    /// The values of a column, one a row.
    pub fn column(&self, column: usize) -> &[f32] {
        let start = column * self.n_rows;
        self.values.get(start..start + self.n_rows).unwrap_or_default()
    }
}
