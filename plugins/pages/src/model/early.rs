//! A forest that asks its later trees about rows in doubt alone.
//!
//! The first trees of a forest say most of what it says, and of most rows they leave no doubt. What the rest would add is
//! then told by the sum: it grows by about the same part.
//!
//! This is an approximation on purpose. Of 3,298 pages the texts of 177 are others than with all trees, and F1 differs by
//! -.0003 (Dragnet) to +.0009 (WCXB, its first part) on ten sets; it spares a fifteenth of both stages on news and a
//! hundredth on documentation (`crates/xtask/docs/bench.md`).

use std::ops::Range;

use super::forest::{CHUNKS_AT_ONCE, Chunks, Forest, ask};
use crate::features::{Columns, LANES};

/// When a row is in no doubt.
#[derive(Debug, Clone, Copy)]
pub(super) struct Early {
    /// So many trees are asked about all rows.
    pub(super) n_trees: usize,
    /// Rows whose sum is further from 0 than this are not asked about further: in logits.
    pub(super) sure: f32,
    /// How much of a sum there is in the end for what there is then.
    pub(super) growth: f32,
}

/// A forest, when it stops asking, and what it then asks for.
pub(super) struct Quick {
    pub(super) forest: Forest,
    trees: Trees,
    pub(super) early: Early,
    /// The features that the later trees ask for.
    later: Vec<usize>,
}

/// Rows that are looked at together.
const ROWS: usize = CHUNKS_AT_ONCE * LANES;

/// What is used again for all rows of a page.
#[derive(Default)]
pub(super) struct Scratch {
    /// The columns of rows in doubt, as [`Columns`] has them.
    columns: Vec<[f32; LANES]>,
}

impl Quick {
    pub(super) fn new(forest: Forest, early: Early) -> Self {
        let later = forest.asked_by(forest.trees.get(early.n_trees..).unwrap_or_default());
        let later =
            later.iter().enumerate().filter(|(_, asked)| **asked).map(|(feature, _)| feature).collect();
        Self { trees: Trees::of(&forest), forest, early, later }
    }

    /// Appends the probability of each row; what is said of one does not depend on the others.
    pub(super) fn apply_next(&self, columns: &Columns, scratch: &mut Scratch, probabilities: &mut Vec<f32>) {
        self.forest.apply_parts(columns, probabilities, |chunks, sums, n_rows| {
            self.add(chunks, scratch, sums, n_rows);
        });
    }

    fn add(&self, chunks: Chunks<'_>, scratch: &mut Scratch, sums: &mut [[f32; LANES]], n_rows: usize) {
        let n_trees = self.early.n_trees;
        self.trees.add(0..n_trees, chunks, sums);
        let mut in_doubt = [0_u8; ROWS];
        let mut n_in_doubt = 0;
        for (row, sum) in sums.as_flattened_mut().iter_mut().enumerate().take(n_rows) {
            in_doubt[n_in_doubt % ROWS] = row as u8;
            let is_sure = sum.abs() > self.early.sure;
            n_in_doubt += usize::from(!is_sure);
            *sum *= if is_sure { self.early.growth } else { 1.0 };
        }
        let in_doubt = in_doubt.get(..n_in_doubt).unwrap_or_default();
        if in_doubt.is_empty() {
            return;
        }
        let later = n_trees..self.forest.trees.len();
        let mut doubted = [[0.0; LANES]; CHUNKS_AT_ONCE];
        let n_chunks = in_doubt.len().div_ceil(LANES);
        // Where no chunk is spared, what rows in no doubt are told is not used.
        if n_chunks == sums.len() {
            let doubted = doubted.get_mut(..n_chunks).unwrap_or_default();
            doubted.copy_from_slice(sums);
            self.trees.add(later, chunks, doubted);
            let (all, doubted) = (sums.as_flattened_mut(), doubted.as_flattened());
            in_doubt.iter().map(|row| usize::from(*row)).for_each(|row| all[row] = doubted[row]);
            return;
        }
        scratch.gather(chunks, &self.later, in_doubt);
        let chunks = Chunks { all: &scratch.columns, per_column: n_chunks, first: 0, n_at_once: n_chunks };
        let doubted = doubted.get_mut(..n_chunks).unwrap_or_default();
        let all = sums.as_flattened_mut();
        for (sum, row) in doubted.as_flattened_mut().iter_mut().zip(in_doubt) {
            *sum = all[usize::from(*row)];
        }
        self.trees.add(later, chunks, doubted);
        for (sum, row) in doubted.as_flattened().iter().zip(in_doubt) {
            all[usize::from(*row)] = *sum;
        }
    }
}

/// The levels of a tree, and how many leaves that makes.
const N_LEVELS: usize = 5;
const N_LEAVES: usize = 1 << N_LEVELS;
/// Where any byte may be looked up.
const ALL_BYTES: usize = 1 << u8::BITS;

/// Trees of five levels, side by side.
struct Trees {
    levels: Vec<[(usize, f32); N_LEVELS]>,
    /// The leaves of all, with so many behind them that from those of the last on there are as many as bytes: then no
    /// index needs a check.
    leaves: Vec<f32>,
}

impl Trees {
    /// The trees of a forest, which have five levels at most.
    fn of(forest: &Forest) -> Self {
        let mut trees = Self { levels: Vec::new(), leaves: Vec::new() };
        for tree in &forest.trees {
            // Nothing is above infinity, so a level that is not there is a 0 at the top of the index.
            let mut levels = [(0, f32::INFINITY); N_LEVELS];
            let missing = N_LEVELS.saturating_sub(tree.levels.len());
            levels.iter_mut().skip(missing).zip(&tree.levels).for_each(|(own, level)| *own = *level);
            trees.levels.push(levels);
            trees.leaves.extend(tree.leaves.iter().copied().chain(std::iter::repeat(0.0)).take(N_LEAVES));
        }
        trees.leaves.resize(trees.leaves.len() + ALL_BYTES, 0.0);
        trees
    }

    /// Adds what some of the trees say of some rows.
    fn add(&self, trees: Range<usize>, chunks: Chunks<'_>, sums: &mut [[f32; LANES]]) {
        let leaves = self.leaves.get(trees.start * N_LEAVES..).unwrap_or_default();
        let levels = self.levels.get(trees).unwrap_or_default();
        for (tree, levels) in levels.iter().enumerate() {
            let Some(leaves) = leaves.get(tree * N_LEAVES..).and_then(|leaves| leaves.first_chunk()) else {
                return;
            };
            add_tree(levels, leaves, chunks, sums);
        }
    }
}

/// Adds what a tree says of some rows; a function of its own, which a profiler finds.
#[inline(never)]
fn add_tree(
    levels: &[(usize, f32)],
    leaves: &[f32; ALL_BYTES],
    chunks: Chunks<'_>,
    sums: &mut [[f32; LANES]],
) {
    let mut indexes = [[0_u8; LANES]; CHUNKS_AT_ONCE];
    for (feature, threshold) in levels {
        for (indexes, values) in indexes.iter_mut().zip(chunks.of(*feature)) {
            ask(values, *threshold, indexes);
        }
    }
    for (sums, indexes) in sums.iter_mut().zip(&indexes) {
        for lane in 0..LANES {
            sums[lane] += leaves[usize::from(indexes[lane])];
        }
    }
}

impl Scratch {
    /// Copies some rows of some columns; what stands in the others means nothing.
    fn gather(&mut self, chunks: Chunks<'_>, features: &[usize], rows: &[u8]) {
        let n_chunks = rows.len().div_ceil(LANES);
        let n_columns = features.last().map_or(0, |last| last + 1);
        if self.columns.len() < n_columns * n_chunks {
            self.columns.resize(n_columns * n_chunks, [0.0; LANES]);
        }
        for feature in features {
            let from = chunks.of(*feature).as_flattened();
            let start = feature * n_chunks;
            let to = self.columns.get_mut(start..start + n_chunks).unwrap_or_default().as_flattened_mut();
            for (to, row) in to.iter_mut().zip(rows) {
                *to = from.get(usize::from(*row)).copied().unwrap_or_default();
            }
        }
    }
}
