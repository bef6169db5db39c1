//! The model: a linear-chain conditional random field over four states (J. Lafferty, A. `McCallum`,
//! F. Pereira, ICML 2001).
//!
//! Every segment stands before the text, in it, in a pause within it, or after it; what comes after never
//! goes back. A page's states are those whose weights sum up to the most, so one odd line within the text is
//! no end of it, and one sentence in a menu no beginning.
//!
//! What a segment has speaks for or against it being text, and for nothing else. Weights that told a menu above
//! the text from one below it added up, on pages with long menus, until a page was held to be over before its
//! text began.

use std::collections::BTreeMap;

use tamis_text::maths::exp_each;

use super::features::{N_EDGE, N_NODE, N_VIEW, edge_names, node_names, view_names};

/// Where a segment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
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
    /// By node feature, for the segment being text.
    pub node: Vec<f32>,
    /// For each segment of a pause.
    pub pause: f32,
    /// By edge feature, for each of [`CHANGES`].
    pub edge: Vec<Four>,
}

impl Default for Weights {
    fn default() -> Self {
        Self { node: vec![0.0; N_NODE], pause: 0.0, edge: vec![[0.0; 4]; N_EDGE] }
    }
}

/// All that was learned: a model for pages that are mostly rest, one for pages that are mostly text, and what tells
/// them apart.
///
/// On the former a short line rather is a menu, on the latter an entry of a list. One model for both was worse at
/// either.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Models {
    /// By what both models say of a page, for its being mostly rest.
    pub need: Need,
    /// For pages that are mostly rest.
    pub rest: Weights,
    /// For pages that are mostly text.
    pub text: Weights,
}

/// A page is taken for one that is mostly rest without doubt if so much speaks for it, as a logarithm of odds. To take
/// a text for a page of rest costs more than the other way round.
pub const MIN_NEED: f32 = 3.0;

/// Says by what both models say of a page whether it is mostly rest.
#[derive(Debug, Clone, PartialEq)]
pub struct Need(pub Vec<f32>);

impl Default for Need {
    fn default() -> Self {
        Self(vec![0.0; N_VIEW])
    }
}

impl Models {
    /// Reads the file of weights.
    ///
    /// # Errors
    ///
    /// When it is no TOML of that shape, or lacks a feature or has one that is not known.
    pub fn read(file: &str) -> Result<Self, String> {
        let file: File = toml::from_str(file).map_err(|error| error.to_string())?;
        let need = Need(in_order(file.need, view_names())?);
        Ok(Self { need, rest: file.rest.weights()?, text: file.text.weights()? })
    }

    /// The file of weights, without its head.
    pub fn write(&self) -> String {
        let mut file = "[need]\n".to_owned();
        for (name, weight) in view_names().zip(&self.need.0) {
            file += &format!("\"{name}\" = {weight:.3}\n");
        }
        file + &self.rest.write("rest") + &self.text.write("text")
    }
}

/// The file of weights.
#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    need: BTreeMap<String, f32>,
    rest: FileOfModel,
    text: FileOfModel,
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct FileOfModel {
    pause: f32,
    node: BTreeMap<String, f32>,
    edge: BTreeMap<String, Four>,
}

impl FileOfModel {
    fn weights(self) -> Result<Weights, String> {
        let (node, edge) = (in_order(self.node, node_names())?, in_order(self.edge, edge_names())?);
        Ok(Weights { node, pause: self.pause, edge })
    }
}

impl Weights {
    fn write(&self, table: &str) -> String {
        let mut file = format!("\n[{table}]\npause = {:.3}\n\n[{table}.node]\n", self.pause);
        for (name, inside) in node_names().zip(&self.node) {
            file += &format!("\"{name}\" = {inside:.3}\n");
        }
        file += &format!("\n[{table}.edge]\n");
        for (name, [enter, leave, pause, resume]) in edge_names().zip(&self.edge) {
            file += &format!("\"{name}\" = [{enter:.3}, {leave:.3}, {pause:.3}, {resume:.3}]\n");
        }
        file
    }
}

/// The values of all names, each once, in the order of `names`.
fn in_order<T>(
    mut table: BTreeMap<String, T>,
    names: impl Iterator<Item = String>,
) -> Result<Vec<T>, String> {
    let values = names
        .map(|name| table.remove(&name).ok_or_else(|| format!("`{name}` has no weight")))
        .collect::<Result<_, _>>()?;
    table.into_keys().next().map_or(Ok(values), |name| Err(format!("`{name}` is no feature")))
}

/// The summed weights of the features of a page: what its states are decided by.
#[derive(Debug, Clone)]
pub struct Sums {
    /// By segment, for being text; for being none it is 0, before the text as behind it.
    pub node: Vec<f32>,
    /// By the boundary before each segment, for each of [`CHANGES`].
    pub edge: Vec<Four>,
    /// For each segment of a pause.
    pub pause: f32,
}

impl Sums {
    /// These sums with a share of others in them, 0 to 1.
    pub(super) fn towards(&self, other: &Self, share: f32) -> Self {
        let of = |one: &f32, other: &f32| between(*one, *other, share);
        let node = self.node.iter().zip(&other.node).map(|(one, other)| of(one, other)).collect();
        let edge = self.edge.iter().zip(&other.edge).map(|(one, other)| fours(one, other, share)).collect();
        Self { node, edge, pause: of(&self.pause, &other.pause) }
    }
}

impl Weights {
    /// The weights of which the sums are those of both, taken [`towards`](Sums::towards) each other.
    pub(super) fn towards(&self, other: &Self, share: f32) -> Self {
        let of = |one: &f32, other: &f32| between(*one, *other, share);
        let node = self.node.iter().zip(&other.node).map(|(one, other)| of(one, other)).collect();
        let edge = self.edge.iter().zip(&other.edge).map(|(one, other)| fours(one, other, share)).collect();
        Self { node, pause: of(&self.pause, &other.pause), edge }
    }
}

fn between(one: f32, other: f32, share: f32) -> f32 {
    one + share * (other - one)
}

fn fours(one: &Four, other: &Four, share: f32) -> Four {
    let at = |at: usize| between(one[at], other[at], share);
    [at(0), at(1), at(2), at(3)]
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
        for ((inside, edge), from) in self.node.iter().zip(&self.edge).zip(&mut from) {
            let [enter, leave, pause, resume] = *edge;
            let node = [0.0, *inside, self.pause, 0.0];
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
        let factors = Factors::of(self);
        let forward = factors.forward();
        let mut marginals = Marginals { node: vec![[0.0; 4]; n], edge: vec![[0.0; 4]; n] };
        factors.each_backward(|at, step, backward| {
            let before = at.checked_sub(1).map_or(START, |before| forward[before]);
            marginals.node[at] = normalised(products(forward[at], backward));
            marginals.edge[at] = step.changes(before, backward);
        });
        marginals
    }

    /// The probability of each segment to be text.
    pub(super) fn inside(&self) -> Vec<f32> {
        let factors = Factors::of(self);
        let forward = factors.forward();
        let mut inside = vec![0.0; forward.len()];
        factors.each_backward(|at, _, backward| {
            let each = products(forward[at], backward);
            inside[at] = each[I] / each.iter().sum::<f32>().max(TINY);
        });
        inside
    }
}

/// The sums of a page as factors.
struct Factors {
    node: Vec<f32>,
    edge: Vec<Four>,
    pause: f32,
}

/// A sum beyond this is as good as certain, and its power is small enough to be multiplied by another one.
const CERTAIN: f32 = 40.0;

impl Factors {
    fn of(sums: &Sums) -> Self {
        let least = |sum: &f32| sum.min(CERTAIN);
        let mut node: Vec<f32> = sums.node.iter().map(least).collect();
        let mut edge = sums.edge.clone();
        edge.as_flattened_mut().iter_mut().for_each(|sum| *sum = least(sum));
        let mut pause = [least(&sums.pause)];
        exp_each(&mut node);
        exp_each(edge.as_flattened_mut());
        exp_each(&mut pause);
        Self { node, edge, pause: pause[0] }
    }

    fn steps(&self) -> impl DoubleEndedIterator<Item = Step> + ExactSizeIterator {
        let step =
            |(inside, edge): (&f32, &Four)| Step { node: [1.0, *inside, self.pause, 1.0], edge: *edge };
        self.node.iter().zip(&self.edge).map(step)
    }

    /// The probability of each state as far as the segments up to its own say.
    fn forward(&self) -> Vec<Four> {
        let mut last = START;
        let step = |step: Step| {
            last = step.forward(last);
            last
        };
        self.steps().map(step).collect()
    }

    /// Goes from the last segment to the first, with what the segments behind each say of its states.
    fn each_backward(&self, mut each: impl FnMut(usize, &Step, Four)) {
        let mut backward = [0.0, 1.0, 0.0, 1.0];
        for (at, step) in self.steps().enumerate().rev() {
            each(at, &step, backward);
            backward = step.backward(backward);
        }
    }
}

/// What leads to a segment and what it is, as factors.
struct Step {
    node: Four,
    edge: Four,
}

impl Step {
    fn forward(&self, last: Four) -> Four {
        let ([enter, leave, pause, resume], here) = (self.edge, self.node);
        normalised([
            last[B] * here[B],
            (last[B] * enter + last[I] + last[P] * resume) * here[I],
            (last[I] * pause + last[P]) * here[P],
            (last[I] * leave + last[A]) * here[A],
        ])
    }

    fn backward(&self, behind: Four) -> Four {
        let ([enter, leave, pause, resume], ahead) = (self.edge, self.ahead(behind));
        normalised([
            ahead[B] + ahead[I] * enter,
            ahead[I] + ahead[P] * pause + ahead[A] * leave,
            ahead[P] + ahead[I] * resume,
            ahead[A],
        ])
    }

    /// The probability of each change of state, of all ways to get from the states before to those behind.
    fn changes(&self, before: Four, behind: Four) -> Four {
        let ([enter, leave, pause, resume], ahead) = (self.edge, self.ahead(behind));
        let changes = [
            before[B] * enter * ahead[I],
            before[I] * leave * ahead[A],
            before[I] * pause * ahead[P],
            before[P] * resume * ahead[I],
        ];
        let stays: f32 = before.iter().zip(ahead).map(|(before, ahead)| before * ahead).sum();
        let all = (stays + changes.iter().sum::<f32>()).max(TINY);
        changes.map(|change| change / all)
    }

    fn ahead(&self, behind: Four) -> Four {
        products(behind, self.node)
    }
}

/// Every page begins before its text.
const START: Four = [1.0, 0.0, 0.0, 0.0];

/// Written out: without optimisation across crates, `map` of an array is a call for each of its values.
fn products([a, b, c, d]: Four, by: Four) -> Four {
    [a * by[0], b * by[1], c * by[2], d * by[3]]
}

fn normalised(values: Four) -> Four {
    let scale = values.iter().sum::<f32>().max(TINY).recip();
    let [a, b, c, d] = values;
    [(a * scale).max(TINY), (b * scale).max(TINY), (c * scale).max(TINY), (d * scale).max(TINY)]
}
