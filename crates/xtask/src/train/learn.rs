//! Learns weights from pages with gold, by the likelihood of their states.

use tamis_extractors::training::{CHANGES, Four, Marginals, N_EDGE, N_NODE, Page, State, Sums, Weights};

use super::lbfgs;

/// What to learn from.
#[derive(Debug)]
pub(super) struct Example {
    pub(super) page: Page,
    pub(super) states: Vec<State>,
    /// How much the page counts, 1 for a page of the set that is to be cleaned.
    pub(super) weight: f64,
}

/// How to learn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settings {
    pub(super) iterations: usize,
    /// The strength of the pull towards 0 (L2).
    pub(super) decay: f64,
}

/// The weights under which the states of the examples are the most likely. The loss is convex, so there is one
/// best answer, whatever the order of pages.
pub(super) fn learn(examples: &[&Example], settings: Settings) -> Weights {
    let loss = |point: &[f64]| loss(examples, settings, point);
    weights(&lbfgs::minimise(vec![0.0; N_NODE + 1 + 4 * N_EDGE], settings.iterations, loss))
}

fn weights(point: &[f64]) -> Weights {
    let mut weights = Weights::default();
    for (slot, value) in slots(&mut weights).zip(point) {
        *slot = *value as f32;
    }
    weights
}

/// The weights in the order of points.
fn slots(weights: &mut Weights) -> impl Iterator<Item = &mut f32> {
    let edge = weights.edge.iter_mut().flatten();
    weights.node.iter_mut().chain(std::iter::once(&mut weights.pause)).chain(edge)
}

/// The mean negative log-likelihood with the pull, and its slope.
fn loss(examples: &[&Example], settings: Settings, point: &[f64]) -> (f64, Vec<f64>) {
    let weights = weights(point);
    let mut slope = Weights::default();
    let mut value = 0.0;
    for example in examples {
        value += add_slope(&mut slope, example, &weights, 1.0 / examples.len() as f64);
    }
    let decay = settings.decay;
    value += 0.5 * decay * point.iter().map(|weight| weight * weight).sum::<f64>();
    let slope = slots(&mut slope).zip(point).map(|(slope, weight)| f64::from(*slope) + decay * weight);
    (value, slope.collect())
}

/// Adds the slope of the negative log-likelihood, what the model expects minus what is there, and returns its
/// value.
fn add_slope(slope: &mut Weights, example: &Example, weights: &Weights, share: f64) -> f64 {
    let sums = example.page.sums(weights);
    let marginals = sums.marginals();
    let seen = seen(&example.states);
    // A page of a thousand segments says more than one of ten, but not a hundred times more.
    let scale = share * example.weight * 0.5 / (example.states.len().max(1) as f64).sqrt();
    let (text, pause) = (State::Inside as usize, State::Pause as usize);
    for (at, features) in example.page.node.iter().enumerate() {
        let excess = excess(&marginals.node[at], &seen.node[at], scale);
        for feature in features {
            slope.node[usize::from(*feature)] += excess[text];
        }
        slope.pause += excess[pause];
    }
    for (at, features) in example.page.edge.iter().enumerate() {
        let excess = excess(&marginals.edge[at], &seen.edge[at], scale);
        for feature in features {
            add(&mut slope.edge[usize::from(*feature)], excess);
        }
    }
    scale * (log_total(&sums) - score(&sums, &seen))
}

/// The sum of the weights of what is there.
fn score(sums: &Sums, seen: &Marginals) -> f64 {
    let (text, pause) = (State::Inside as usize, State::Pause as usize);
    let node =
        sums.node.iter().zip(&seen.node).map(|(inside, seen)| inside * seen[text] + sums.pause * seen[pause]);
    let edge = sums.edge.iter().flatten().zip(seen.edge.iter().flatten()).map(|(sum, seen)| sum * seen);
    node.chain(edge).map(f64::from).sum()
}

/// The logarithm of the sum over all ways through a page.
fn log_total(sums: &Sums) -> f64 {
    // Standing before the text costs nothing.
    let before = 0.0;
    let [mut inside, mut pause, mut after] = [f64::NEG_INFINITY; 3];
    for (node, edge) in sums.node.iter().zip(&sums.edge) {
        let [enter, leave, rest, resume] = edge.map(f64::from);
        (inside, pause, after) = (
            log_sum(&[before + enter, inside, pause + resume]) + f64::from(*node),
            log_sum(&[inside + rest, pause]) + f64::from(sums.pause),
            log_sum(&[inside + leave, after]),
        );
    }
    log_sum(&[inside, after])
}

fn log_sum(values: &[f64]) -> f64 {
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if most.is_finite() {
        most + values.iter().map(|value| (value - most).exp()).sum::<f64>().ln()
    } else {
        most
    }
}

fn excess(expected: &Four, seen: &Four, scale: f64) -> Four {
    [0, 1, 2, 3].map(|at| (expected[at] - seen[at]) * scale as f32)
}

fn add(sum: &mut Four, excess: Four) {
    (0..4).for_each(|at| sum[at] += excess[at]);
}

/// The states and changes of gold, each with probability 1.
fn seen(states: &[State]) -> Marginals {
    let mut seen = Marginals { node: vec![[0.0; 4]; states.len()], edge: vec![[0.0; 4]; states.len()] };
    let mut was = State::Before;
    for (at, state) in states.iter().enumerate() {
        seen.node[at][*state as usize] = 1.0;
        if let Some(change) = CHANGES.iter().position(|change| *change == (was, *state)) {
            seen.edge[at][change] = 1.0;
        }
        was = *state;
    }
    seen
}
