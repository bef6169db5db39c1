//! The model: a linear-chain conditional random field over four states (J. Lafferty, A. `McCallum`,
//! F. Pereira, ICML 2001).
//!
//! Every segment stands before the text, in it, in a pause within it, or after it; what comes after never
//! goes back. A page's states are those whose weights sum up to the most, so one odd line within the text is
//! no end of it, and one sentence in a menu no beginning.

use std::collections::BTreeMap;

use super::features::{FIRST_SCENE, N_EDGE, N_NODE, Sink, edge_names, node_names};
use super::segment::Segment;

/// Where a segment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(usize)]
pub enum State {
    /// Before the text.
    Before,
    /// Text.
    Inside,
    /// Something else within the text.
    Pause,
    /// After the text.
    After,
}

impl State {
    /// All states, in the order of weights.
    pub const ALL: [Self; 4] = [Self::Before, Self::Inside, Self::Pause, Self::After];

    /// The name in explanations.
    pub fn name(self) -> &'static str {
        match self {
            Self::Before => "before",
            Self::Inside => "inside",
            Self::Pause => "pause",
            Self::After => "after",
        }
    }
}

/// Changes of state that edge weights belong to, in their order: into the text, out of it for good, into a
/// pause, out of a pause. Staying costs nothing.
pub const CHANGES: [(State, State); 4] = [
    (State::Before, State::Inside),
    (State::Inside, State::After),
    (State::Inside, State::Pause),
    (State::Pause, State::Inside),
];

const B: usize = State::Before as usize;
const I: usize = State::Inside as usize;
const P: usize = State::Pause as usize;
const A: usize = State::After as usize;

/// One number for each state, or for each change of state.
pub type Four = [f32; 4];

/// What each feature counts for.
#[derive(Debug, Clone, PartialEq)]
pub struct Weights {
    /// By node feature, for each state.
    pub node: Vec<Four>,
    /// By edge feature, for each of [`CHANGES`].
    pub edge: Vec<Four>,
}

impl Default for Weights {
    fn default() -> Self {
        Self { node: vec![[0.0; 4]; N_NODE], edge: vec![[0.0; 4]; N_EDGE] }
    }
}

impl Weights {
    /// Reads the file of weights.
    ///
    /// # Errors
    ///
    /// When it is no TOML of that shape, or lacks a feature or has one that is not known.
    pub fn read(file: &str) -> Result<Self, String> {
        let mut tables: BTreeMap<String, BTreeMap<String, Written>> =
            toml::from_str(file).map_err(|error| error.to_string())?;
        let mut take = |table: &str, names: Vec<String>| -> Result<Vec<Four>, String> {
            let mut table = tables.remove(table).ok_or_else(|| format!("table `{table}` is missing"))?;
            let weights = names
                .into_iter()
                .map(|name| {
                    table.remove(&name).map(Four::from).ok_or_else(|| format!("`{name}` has no weight"))
                })
                .collect::<Result<_, _>>()?;
            table.into_keys().next().map_or(Ok(weights), |name| Err(format!("`{name}` is no feature")))
        };
        Ok(Self { node: take("node", node_names().collect())?, edge: take("edge", edge_names().collect())? })
    }

    /// The file of weights, without its head.
    pub fn write(&self) -> String {
        let mut file = "[node]\n".to_owned();
        for (at, (name, [b, i, p, a])) in node_names().zip(&self.node).enumerate() {
            if (1..FIRST_SCENE).contains(&at) {
                file += &format!("\"{name}\" = {i:.3}\n");
            } else {
                file += &format!("\"{name}\" = [{b:.3}, {i:.3}, {p:.3}, {a:.3}]\n");
            }
        }
        file += "\n[edge]\n";
        for (name, [enter, leave, pause, resume]) in edge_names().zip(&self.edge) {
            file += &format!("\"{name}\" = [{enter:.3}, {leave:.3}, {pause:.3}, {resume:.3}]\n");
        }
        file
    }
}

/// A weight as written: for text alone, or one for each state or change.
#[derive(serde::Deserialize)]
#[serde(untagged)]
enum Written {
    Inside(f32),
    Each(Four),
}

impl From<Written> for Four {
    fn from(written: Written) -> Self {
        match written {
            Written::Inside(weight) => [0.0, weight, 0.0, 0.0],
            Written::Each(weights) => weights,
        }
    }
}

/// The summed weights of the features of a page: what its states are decided by.
#[derive(Debug, Clone)]
pub struct Sums {
    /// By segment, for each state.
    pub node: Vec<Four>,
    /// By the boundary before each segment, for each of [`CHANGES`].
    pub edge: Vec<Four>,
}

/// Sums weights up as features come in.
#[derive(Debug)]
pub(super) struct Summing<'a> {
    weights: &'a Weights,
    pub(super) sums: Sums,
}

impl<'a> Summing<'a> {
    pub(super) fn new(weights: &'a Weights, n_segments: usize) -> Self {
        let zero = vec![[0.0; 4]; n_segments];
        Self { weights, sums: Sums { node: zero.clone(), edge: zero } }
    }
}

impl Sink for Summing<'_> {
    fn node(&mut self, at: usize, feature: usize) {
        let (sum, weight) = (&mut self.sums.node[at], &self.weights.node[feature]);
        (0..4).for_each(|state| sum[state] += weight[state]);
    }

    fn edge(&mut self, at: usize, feature: usize) {
        let (sum, weight) = (&mut self.sums.edge[at], &self.weights.edge[feature]);
        (0..4).for_each(|change| sum[change] += weight[change]);
    }
}

/// The probability of each state, and of each change of state before each segment.
#[derive(Debug, Clone)]
pub struct Marginals {
    /// By segment, for each state.
    pub node: Vec<Four>,
    /// By the boundary before each segment, for each of [`CHANGES`].
    pub edge: Vec<Four>,
}

/// Nothing is less probable than this, so that no sum becomes 0.
const TINY: f32 = 1e-30;

impl Sums {
    /// The states whose weights sum up to the most (A. Viterbi, 1967).
    pub fn best(&self) -> Vec<State> {
        let n = self.node.len();
        let mut from = vec![[State::Before; 4]; n];
        let mut score = [0.0, f32::NEG_INFINITY, f32::NEG_INFINITY, f32::NEG_INFINITY];
        for ((node, edge), from) in self.node.iter().zip(&self.edge).zip(&mut from) {
            let [enter, leave, pause, resume] = *edge;
            let inside = [
                (State::Inside, score[I]),
                (State::Before, score[B] + enter),
                (State::Pause, score[P] + resume),
            ];
            let inside =
                inside.into_iter().fold(inside[0], |best, other| if other.1 > best.1 { other } else { best });
            let better = |stay: State, change: f32| {
                let stayed = score[stay as usize];
                if score[I] + change > stayed { (State::Inside, score[I] + change) } else { (stay, stayed) }
            };
            let next =
                [(State::Before, score[B]), inside, better(State::Pause, pause), better(State::After, leave)];
            for state in 0..4 {
                from[state] = next[state].0;
                score[state] = next[state].1 + node[state];
            }
        }
        // A pause is one only if text follows. No page of the training data was without text, so the model knows
        // nothing of such pages: whether what it finds is text is asked afterwards.
        let last = if score[I] >= score[A] { State::Inside } else { State::After };
        let mut states = vec![last; n];
        for at in (1..n).rev() {
            states[at - 1] = from[at][states[at] as usize];
        }
        states
    }

    /// The probability of each state and change, by the forward-backward algorithm (L. Rabiner, Proc. IEEE 77,
    /// 1989), scaled at each step.
    pub fn marginals(&self) -> Marginals {
        let n = self.node.len();
        let node: Vec<Four> = self.node.iter().map(exp_scaled).collect();
        let edge: Vec<Four> = self.edge.iter().map(|sums| sums.map(|sum| sum.min(40.0).exp())).collect();
        let mut forward = vec![[0.0; 4]; n];
        let mut last = [1.0, 0.0, 0.0, 0.0];
        for at in 0..n {
            let ([enter, leave, pause, resume], here) = (edge[at], node[at]);
            last = normalised([
                last[B] * here[B],
                (last[B] * enter + last[I] + last[P] * resume) * here[I],
                (last[I] * pause + last[P]) * here[P],
                (last[I] * leave + last[A]) * here[A],
            ]);
            forward[at] = last;
        }
        let mut marginals = Marginals { node: vec![[0.0; 4]; n], edge: vec![[0.0; 4]; n] };
        let mut backward = [0.0, 1.0, 0.0, 1.0];
        for at in (0..n).rev() {
            let before = at.checked_sub(1).map_or([1.0, 0.0, 0.0, 0.0], |before| forward[before]);
            marginals.node[at] = normalised([0, 1, 2, 3].map(|state| forward[at][state] * backward[state]));
            let ([enter, leave, pause, resume], here) = (edge[at], node[at]);
            let ahead = [0, 1, 2, 3].map(|state| backward[state] * here[state]);
            let all = before[B] * ahead[B]
                + (before[B] * enter + before[I] + before[P] * resume) * ahead[I]
                + (before[I] * pause + before[P]) * ahead[P]
                + (before[I] * leave + before[A]) * ahead[A];
            let changes = [
                before[B] * enter * ahead[I],
                before[I] * leave * ahead[A],
                before[I] * pause * ahead[P],
                before[P] * resume * ahead[I],
            ];
            marginals.edge[at] = changes.map(|change| change / all.max(TINY));
            backward = normalised([
                ahead[B] + ahead[I] * enter,
                ahead[I] + ahead[P] * pause + ahead[A] * leave,
                ahead[P] + ahead[I] * resume,
                ahead[A],
            ]);
        }
        marginals
    }
}

impl Marginals {
    /// The F1 that keeping the segments of `Inside` may expect, 0 to 1: characters are right as often as their
    /// segment is text.
    pub(super) fn expected_f1(&self, states: &[State], segments: &[Segment]) -> f32 {
        let (mut kept, mut right, mut text) = (0.0, 0.0, 0.0);
        for ((state, segment), probability) in states.iter().zip(segments).zip(&self.node) {
            let n_chars = segment.n_chars as f32;
            text += probability[I] * n_chars;
            if *state == State::Inside {
                kept += n_chars;
                right += probability[I] * n_chars;
            }
        }
        if kept + text > 0.0 { 2.0 * right / (kept + text) } else { 0.0 }
    }
}

/// The exponentials of four numbers, divided by the greatest.
fn exp_scaled(sums: &Four) -> Four {
    let most = sums.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    sums.map(|sum| (sum - most).exp())
}

fn normalised(values: Four) -> Four {
    let sum: f32 = values.iter().sum();
    values.map(|value| (value / sum.max(TINY)).max(TINY))
}
