//! Gradient boosting of oblivious trees.
//!
//! The method of `CatBoost` without its categories: every level of a tree is one question, chosen to lower the
//! logistic loss most over all leaves at once (Prokhorenkova and others, 2018).
//! Values are sorted into bins first, so that a level costs one pass over the rows for each feature.

use tamis_pages::training::{Forest, Tree};

/// How a forest is grown.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) n_trees: usize,
    pub(crate) depth: usize,
    pub(crate) rate: f32,
    /// Weight of rows that a leaf needs to be believed by half.
    pub(crate) lambda: f32,
    /// Part of the features, and of the rows, that each tree sees.
    pub(crate) feature_ratio: f32,
    pub(crate) row_ratio: f32,
}

/// Rows to learn from: values column by column, sorted into bins.
pub(crate) struct Table {
    names: Vec<&'static str>,
    /// The upper edges of the bins of each column; values above the last are in a bin of their own.
    edges: Vec<Vec<f32>>,
    bins: Vec<Vec<u8>>,
}

const MOST_BINS: usize = 64;

impl Table {
    /// Sorts values into bins that hold about the same number of rows.
    pub(crate) fn new(names: Vec<&'static str>, columns: &[Vec<f32>]) -> Self {
        let edges: Vec<Vec<f32>> = columns.iter().map(|column| edges(column)).collect();
        let bins = columns.iter().zip(&edges);
        let bins =
            bins.map(|(column, edges)| column.iter().map(|value| bin(edges, *value)).collect()).collect();
        Self { names, edges, bins }
    }
}

fn edges(column: &[f32]) -> Vec<f32> {
    // Some ten thousand values show the distribution.
    let step = (column.len() / 20_000).max(1);
    let mut values: Vec<f32> = column.iter().step_by(step).copied().collect();
    values.sort_unstable_by(f32::total_cmp);
    let mut edges: Vec<f32> = Vec::new();
    for bin in 1..MOST_BINS {
        let at = bin * values.len() / MOST_BINS;
        let (Some(below), Some(above)) = (values.get(at.saturating_sub(1)), values.get(at)) else { continue };
        let edge = f32::midpoint(*below, *above);
        if edges.last().is_none_or(|last| edge > *last) {
            edges.push(edge);
        }
    }
    // A rare value at either end is an edge, too: most flags are rare.
    if let (Some(first), Some(last)) = (values.first(), values.last()) {
        for edge in [f32::midpoint(*first, first + (last - first) * 0.001), last - (last - first) * 0.001] {
            if edge > *first && edge < *last && edges.len() < 250 {
                edges.push(edge);
            }
        }
    }
    edges.sort_unstable_by(f32::total_cmp);
    edges.dedup();
    edges
}

fn bin(edges: &[f32], value: f32) -> u8 {
    edges.partition_point(|edge| value > *edge) as u8
}

/// Random numbers that are the same every time (splitmix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ mixed >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ mixed >> 31
    }

    /// A number below `n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.next() % n as u64) as usize
    }

    fn happens(&mut self, probability: f32) -> bool {
        ((self.next() >> 40) as f32) < probability * (1 << 24) as f32
    }
}

/// Grows a forest on `rows` of the table, whose truth is a probability and whose weight says how much it counts.
pub(crate) fn grow(
    table: &Table,
    rows: &[u32],
    truth: &[f32],
    weights: &[f32],
    settings: Settings,
    random: &mut Random,
) -> Forest {
    let mean =
        |value: &dyn Fn(usize) -> f32| rows.iter().map(|row| f64::from(value(*row as usize))).sum::<f64>();
    let share = mean(&|row| truth[row] * weights[row]) / mean(&|row| weights[row]);
    let base = (share / (1.0 - share)).ln() as f32;
    let mut sums = vec![base; truth.len()];
    let mut forest = Forest {
        features: table.names.iter().map(|name| (*name).to_owned()).collect(),
        base,
        trees: Vec::new(),
    };
    for _ in 0..settings.n_trees {
        let seen: Vec<u32> = rows.iter().copied().filter(|_| random.happens(settings.row_ratio)).collect();
        let slopes: Vec<(f32, f32)> = seen
            .iter()
            .map(|row| {
                let row = *row as usize;
                let p = 1.0 / (1.0 + (-sums[row]).exp());
                (weights[row] * (truth[row] - p), weights[row] * (p * (1.0 - p)).max(1e-4))
            })
            .collect();
        let features: Vec<usize> =
            (0..table.names.len()).filter(|_| random.happens(settings.feature_ratio)).collect();
        let Some(tree) = tree(table, &seen, &slopes, &features, settings) else { continue };
        for row in rows {
            let row = *row as usize;
            let index = tree.levels.iter().fold(0, |index, (feature, bin)| {
                index << 1 | usize::from(usize::from(table.bins[*feature][row]) > *bin)
            });
            sums[row] += tree.leaves[index];
        }
        let levels =
            tree.levels.iter().map(|(feature, bin)| (*feature, table.edges[*feature][*bin])).collect();
        forest.trees.push(Tree { levels, leaves: tree.leaves });
    }
    forest
}

/// A tree whose questions are bins.
struct Binned {
    levels: Vec<(usize, usize)>,
    leaves: Vec<f32>,
}

/// Slopes and bends, bin by bin, leaf after leaf.
type Sums = Vec<(f32, f32)>;

fn tree(
    table: &Table,
    rows: &[u32],
    slopes: &[(f32, f32)],
    features: &[usize],
    settings: Settings,
) -> Option<Binned> {
    let mut index = vec![0_u8; rows.len()];
    let mut levels = Vec::new();
    let n_bins = |feature: usize| table.edges[feature].len() + 1;
    let features: Vec<usize> = features.iter().copied().filter(|feature| n_bins(*feature) > 1).collect();
    let summed = |places: &[u32], index: &[u8], feature: usize, n_leaves: usize| {
        let (n_bins, bins) = (n_bins(feature), &table.bins[feature]);
        let mut sums: Sums = vec![(0.0, 0.0); n_bins * n_leaves];
        for place in places.iter().map(|place| *place as usize) {
            let bin = usize::from(bins[rows[place] as usize]);
            let sum = &mut sums[usize::from(index[place]) * n_bins + bin];
            sum.0 += slopes[place].0;
            sum.1 += slopes[place].1;
        }
        sums
    };
    let everything: Vec<u32> = (0..rows.len() as u32).collect();
    let mut sums: Vec<Sums> =
        features.iter().map(|feature| summed(&everything, &index, *feature, 1)).collect();
    while levels.len() < settings.depth {
        if !levels.is_empty() {
            // Only the smaller half of each leaf is summed up; the other has what that leaves of the whole.
            let smaller = Smaller::of(&index, levels.len());
            for (feature, sums) in features.iter().zip(&mut sums) {
                let halves = summed(&smaller.places, &index, *feature, 1 << levels.len());
                *sums = smaller.completed(sums, halves, n_bins(*feature));
            }
        }
        let Some((feature, bin)) = best(&features, &sums, n_bins, settings) else { break };
        levels.push((feature, bin));
        for (row, leaf) in rows.iter().zip(&mut index) {
            *leaf = *leaf << 1 | u8::from(usize::from(table.bins[feature][*row as usize]) > bin);
        }
    }
    (!levels.is_empty()).then(|| Binned { leaves: leaves(&index, slopes, levels.len(), settings), levels })
}

/// The question that lowers the loss most: a feature, and the bin behind which it cuts.
fn best(
    features: &[usize],
    sums: &[Sums],
    n_bins: impl Fn(usize) -> usize,
    settings: Settings,
) -> Option<(usize, usize)> {
    let mut best = (0.0, None);
    for (feature, sums) in features.iter().zip(sums) {
        let gains = gains(sums, n_bins(*feature), settings.lambda);
        for (bin, gain) in gains.into_iter().enumerate() {
            if gain > best.0 {
                best = (gain, Some((*feature, bin)));
            }
        }
    }
    best.1
}

/// What each leaf adds.
fn leaves(index: &[u8], slopes: &[(f32, f32)], depth: usize, settings: Settings) -> Vec<f32> {
    let mut sums = vec![(0.0_f32, 0.0_f32); 1 << depth];
    for (leaf, slope) in index.iter().zip(slopes) {
        sums[usize::from(*leaf)].0 += slope.0;
        sums[usize::from(*leaf)].1 += slope.1;
    }
    sums.iter().map(|(slope, bend)| settings.rate * slope / (bend + settings.lambda)).collect()
}

/// Of each two leaves that were one, that with fewer rows.
struct Smaller {
    /// For each leaf whether it is.
    is: Vec<bool>,
    /// The places of its rows.
    places: Vec<u32>,
}

impl Smaller {
    fn of(index: &[u8], depth: usize) -> Self {
        let mut counts = vec![0_u32; 1 << depth];
        for leaf in index {
            counts[usize::from(*leaf)] += 1;
        }
        let pairs = counts.chunks(2).map(|pair| pair[0] < pair[1]);
        let is: Vec<bool> = pairs.flat_map(|first| [first, !first]).collect();
        let is_smaller = |place: &u32| is[usize::from(index[*place as usize])];
        let places = (0..index.len() as u32).filter(is_smaller).collect();
        Self { is, places }
    }

    /// The sums of all leaves, of those of the whole leaves and of the smaller halves of these.
    fn completed(&self, wholes: &Sums, mut halves: Sums, n_bins: usize) -> Sums {
        for (at, (pair, whole)) in halves.chunks_mut(2 * n_bins).zip(wholes.chunks(n_bins)).enumerate() {
            let (first, second) = pair.split_at_mut(n_bins);
            let (known, other) = if self.is[2 * at] { (first, second) } else { (second, first) };
            for ((known, other), whole) in known.iter().zip(other).zip(whole) {
                *other = (whole.0 - known.0, (whole.1 - known.1).max(0.0));
            }
        }
        halves
    }
}

/// How much a cut behind each bin would lower the loss, over all leaves.
fn gains(sums: &[(f32, f32)], n_bins: usize, lambda: f32) -> Vec<f32> {
    let mut gains = vec![0.0; n_bins - 1];
    for leaf in sums.chunks(n_bins) {
        let all = leaf.iter().fold((0.0, 0.0), |all, sum| (all.0 + sum.0, all.1 + sum.1));
        if all.1 <= 0.0 {
            continue;
        }
        let value = |(slope, bend): (f32, f32)| slope * slope / (bend + lambda);
        let mut left = (0.0, 0.0);
        for (gain, sum) in gains.iter_mut().zip(leaf) {
            left = (left.0 + sum.0, left.1 + sum.1);
            *gain += value(left) + value((all.0 - left.0, all.1 - left.1)) - value(all);
        }
    }
    gains
}
