//! Cuts runs of rows into parts that are decoded together.

/// Rows that are decoded together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) rows: u64,
    /// Bytes that they take when decoded.
    pub(crate) weight: u64,
}

/// What a row takes at least, in bytes, beside its columns.
pub(crate) const MIN_ROW_BYTES: u64 = 32;

/// How many rows of `row_bytes` each make a part.
pub(crate) fn step(rows: u64, row_bytes: u64, target_bytes: u64) -> u64 {
    (target_bytes / row_bytes.max(1)).clamp(1, rows.max(1))
}

/// Equal parts.
pub(crate) fn even(rows: u64, row_bytes: u64, target_bytes: u64) -> Vec<Part> {
    /// A damaged file may claim any number of rows: more parts are made only of rows that were looked at.
    const MAX_PARTS: u64 = 1 << 16;
    let step = step(rows, row_bytes, target_bytes).max(rows / MAX_PARTS);
    let starts = (0..rows).step_by(usize::try_from(step).unwrap_or(usize::MAX));
    let lengths = starts.map(|start| step.min(rows - start));
    lengths.map(|rows| Part { rows, weight: rows.saturating_mul(row_bytes) }).collect()
}

/// Equal parts of rows that take `row_bytes` each by what is stored and never more than `most_bytes`: they weigh the
/// latter. None if such a part may take more than twice what it should.
pub(crate) fn even_at_most(
    rows: u64,
    row_bytes: u64,
    most_bytes: u64,
    target_bytes: u64,
) -> Option<Vec<Part>> {
    let most = most_bytes.saturating_mul(step(rows, row_bytes, target_bytes));
    if most / 2 > target_bytes.max(row_bytes) {
        return None;
    }
    let mut parts = even(rows, row_bytes, target_bytes);
    for part in &mut parts {
        part.weight = part.rows.saturating_mul(most_bytes);
    }
    Some(parts)
}

/// Makes parts of rows whose weights are known.
#[derive(Debug)]
pub(crate) struct Parts {
    target_bytes: u64,
    min_rows: u64,
    done: Vec<Part>,
    open: Part,
}

impl Parts {
    /// For `rows` rows: parts of at most `target_bytes`, or of one row.
    pub(crate) fn new(rows: u64, target_bytes: u64) -> Self {
        /// The list of parts is held in memory: 1 TiB of rows in parts of 1 MiB.
        const MAX_PARTS: u64 = 1 << 20;
        let (done, open) = (Vec::new(), Part::default());
        Self { target_bytes, min_rows: rows.div_ceil(MAX_PARTS), done, open }
    }

    /// Adds rows that are not cut.
    pub(crate) fn add(&mut self, rows: u64, weight: u64) {
        let sum = self.open.weight.saturating_add(weight);
        if self.open.rows >= self.min_rows && sum > self.target_bytes {
            self.done.push(std::mem::take(&mut self.open));
        }
        let Part { rows: before, weight: weight_before } = self.open;
        self.open = Part { rows: before + rows, weight: weight_before.saturating_add(weight) };
    }

    /// The parts, in order.
    pub(crate) fn finish(mut self) -> Vec<Part> {
        if self.open.rows > 0 {
            self.done.push(self.open);
        }
        self.done
    }
}
