//! A forest of oblivious trees, and its file.

use std::fmt;
use std::str::FromStr;

use crate::features::{Columns, LANES};

/// The first line of a file of weights.
const MAGIC: &str = "tamis forest 1";

/// Trees of five levels have so many leaves.
const USUAL_LEAVES: usize = 32;
/// So many chunks of rows a tree is asked about before the next tree: what a tree is made of is then read once for
/// most pages, and the sums stay near.
pub(super) const CHUNKS_AT_ONCE: usize = 8;

/// An oblivious tree: each level compares one feature with one threshold.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    /// Feature and threshold of each level, top first; a value above the threshold is a 1 in the index.
    pub levels: Vec<(usize, f32)>,
    /// What the tree adds, by index: `2^levels` values.
    pub leaves: Vec<f32>,
}

/// The columns of a table, cut into chunks of rows.
#[derive(Clone, Copy)]
pub(super) struct Chunks<'c> {
    pub(super) all: &'c [[f32; LANES]],
    /// How many a column has.
    pub(super) per_column: usize,
    /// Those that are looked at.
    pub(super) first: usize,
    pub(super) n_at_once: usize,
}

impl<'c> Chunks<'c> {
    /// The chunks of a column that are looked at; none of a column that is not there.
    #[inline]
    pub(super) fn of(&self, column: usize) -> &'c [[f32; LANES]] {
        let start = column * self.per_column + self.first;
        self.all.get(start..start + self.n_at_once).unwrap_or_default()
    }
}

impl Tree {
    /// Adds what the tree says of some rows.
    pub(super) fn add(&self, chunks: Chunks<'_>, sums: &mut [[f32; LANES]]) {
        let mut indexes = [[0_u8; LANES]; CHUNKS_AT_ONCE];
        // One question to all rows after the other: all of a row's at once are not put side by side.
        for (feature, threshold) in &self.levels {
            for (indexes, values) in indexes.iter_mut().zip(chunks.of(*feature)) {
                ask(values, *threshold, indexes);
            }
        }
        // Of the usual number of leaves the compiler knows that all are there.
        if let Ok(leaves) = <&[f32; USUAL_LEAVES]>::try_from(self.leaves.as_slice()) {
            for (sums, indexes) in sums.iter_mut().zip(&indexes) {
                add_leaves(leaves, indexes, sums);
            }
            return;
        }
        for (sums, indexes) in sums.iter_mut().zip(indexes) {
            for (sum, index) in sums.iter_mut().zip(indexes) {
                *sum += self.leaves.get(usize::from(index)).copied().unwrap_or(0.0);
            }
        }
    }
}

/// Appends the answers of a chunk to one question to the indexes.
#[inline]
pub(super) fn ask(values: &[f32; LANES], threshold: f32, indexes: &mut [u8; LANES]) {
    for lane in 0..LANES {
        indexes[lane] = indexes[lane] << 1 | u8::from(values[lane] > threshold);
    }
}

/// Adds the leaves that the rows of a chunk have come to.
#[inline]
fn add_leaves(leaves: &[f32; USUAL_LEAVES], indexes: &[u8; LANES], sums: &mut [f32; LANES]) {
    for lane in 0..LANES {
        sums[lane] += leaves[usize::from(indexes[lane]) % USUAL_LEAVES];
    }
}

/// Trees whose sum, through the logistic function, is a probability.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Forest {
    /// Names of the features that the trees ask for, by number.
    pub features: Vec<String>,
    /// What a row without evidence starts from.
    pub base: f32,
    /// The trees.
    pub trees: Vec<Tree>,
}

/// A file of weights that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongForest {
    /// The line with the mistake, from 1.
    pub line: usize,
}

impl fmt::Display for WrongForest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {} of the weights does not follow the format", self.line)
    }
}

impl std::error::Error for WrongForest {}

impl Forest {
    /// The probability of each row.
    pub fn apply(&self, columns: &Columns) -> Vec<f32> {
        let mut probabilities = Vec::new();
        self.apply_next(columns, &mut probabilities);
        probabilities
    }

    /// For each feature, whether one of some trees asks for it.
    pub(super) fn asked_by(&self, trees: &[Tree]) -> Vec<bool> {
        let mut asked = vec![false; self.features.len()];
        for (feature, _) in trees.iter().flat_map(|tree| &tree.levels) {
            if let Some(asked) = asked.get_mut(*feature) {
                *asked = true;
            }
        }
        asked
    }

    /// Appends the probability of each row.
    pub(super) fn apply_next(&self, columns: &Columns, probabilities: &mut Vec<f32>) {
        self.apply_parts(columns, probabilities, |chunks, sums, _| {
            self.trees.iter().for_each(|tree| tree.add(chunks, sums));
        });
    }

    /// The same, where `add` adds what the trees say of some rows, whose number it is told, to their sums.
    pub(super) fn apply_parts(
        &self,
        columns: &Columns,
        probabilities: &mut Vec<f32>,
        mut add: impl FnMut(Chunks<'_>, &mut [[f32; LANES]], usize),
    ) {
        let start = probabilities.len();
        probabilities.resize(start + columns.n_rows(), self.base);
        let rows = probabilities.get_mut(start..).unwrap_or_default();
        for (part, rows) in rows.chunks_mut(CHUNKS_AT_ONCE * LANES).enumerate() {
            let mut sums = [[self.base; LANES]; CHUNKS_AT_ONCE];
            let n_at_once = rows.len().div_ceil(LANES);
            let sums = sums.get_mut(..n_at_once).unwrap_or_default();
            let first = part * CHUNKS_AT_ONCE;
            let chunks = Chunks { all: columns.chunks(), per_column: columns.n_chunks(), first, n_at_once };
            add(chunks, sums, rows.len());
            for (row, sum) in rows.iter_mut().zip(sums.as_flattened()) {
                *row = 1.0 / (1.0 + tamis_text::maths::exp_f32(-sum));
            }
        }
    }
}

/// The file: the magic line, the base, the features in one line, then a line for each tree.
impl fmt::Display for Forest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{MAGIC}\n{}\n{}", self.base, self.features.join(" "))?;
        for tree in &self.trees {
            let levels: Vec<String> =
                tree.levels.iter().map(|(feature, threshold)| format!("{feature}>{threshold}")).collect();
            // Three digits behind the point: further ones do not change what is chosen.
            let leaves: Vec<String> =
                tree.leaves.iter().map(|leaf| ((leaf * 1000.0).round() as i32).to_string()).collect();
            writeln!(f, "{} = {}", levels.join(" "), leaves.join(" "))?;
        }
        Ok(())
    }
}

impl FromStr for Forest {
    type Err = WrongForest;

    fn from_str(text: &str) -> Result<Self, WrongForest> {
        let wrong = |line| move || WrongForest { line };
        let mut lines = text.lines();
        lines.next().filter(|line| *line == MAGIC).ok_or_else(wrong(1))?;
        let base = lines.next().and_then(|line| line.parse().ok()).ok_or_else(wrong(2))?;
        let features: Vec<String> =
            lines.next().ok_or_else(wrong(3))?.split_whitespace().map(str::to_owned).collect();
        let trees = lines.enumerate().map(|(at, line)| tree(line, features.len()).ok_or_else(wrong(at + 4)));
        Ok(Self { base, trees: trees.collect::<Result<_, _>>()?, features })
    }
}

fn tree(line: &str, n_features: usize) -> Option<Tree> {
    let (levels, leaves) = line.split_once('=')?;
    let levels = levels.split_whitespace().map(|level| {
        let (feature, threshold) = level.split_once('>')?;
        let feature = feature.parse().ok().filter(|feature| *feature < n_features)?;
        Some((feature, threshold.parse().ok()?))
    });
    let levels: Vec<(usize, f32)> = levels.collect::<Option<_>>()?;
    let leaves = leaves.split_whitespace().map(|leaf| Some(leaf.parse::<i32>().ok()? as f32 / 1000.0));
    let leaves: Vec<f32> = leaves.collect::<Option<_>>()?;
    (levels.len() <= 8 && leaves.len() == 1 << levels.len()).then_some(Tree { levels, leaves })
}
