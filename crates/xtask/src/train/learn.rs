//! Learns weights from pages with gold, by the likelihood of their states.

use tamis_extractors::training::{
    CHANGES, FIRST_SCENE, Four, Marginals, N_EDGE, N_NODE, Page, State, Sums, Weights,
};

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
    /// How much stronger it pulls at weights that tell the states outside the text from each other.
    pub(super) scene_decay: f64,
}

/// The weights under which the states of the examples are the most likely. The loss is convex, so there is one
/// best answer, whatever the order of pages.
pub(super) fn learn(examples: &[&Example], settings: Settings) -> Weights {
    let loss = |point: &[f64]| loss(examples, settings, point);
    weights(&lbfgs::minimise(vec![0.0; free().count()], settings.iterations, loss))
}

/// The places of the weights that may differ from 0, in the order of points: feature, state or change. What a
/// segment is by itself says only whether it is text.
fn free() -> impl Iterator<Item = (usize, usize)> {
    let all = (0..N_NODE + N_EDGE).flat_map(|feature| (0..4).map(move |at| (feature, at)));
    all.filter(|(feature, at)| *at == State::Inside as usize || *feature == 0 || *feature >= FIRST_SCENE)
}

fn weights(point: &[f64]) -> Weights {
    let mut weights = Weights::default();
    for ((feature, at), value) in free().zip(point) {
        slot(&mut weights, feature)[at] = *value as f32;
    }
    weights
}

fn slot(weights: &mut Weights, feature: usize) -> &mut Four {
    match feature.checked_sub(N_NODE) {
        None => &mut weights.node[feature],
        Some(edge) => &mut weights.edge[edge],
    }
}

/// The mean negative log-likelihood with the pull, and its slope.
fn loss(examples: &[&Example], settings: Settings, point: &[f64]) -> (f64, Vec<f64>) {
    let weights = weights(point);
    let mut slope = Weights::default();
    let mut value = 0.0;
    for example in examples {
        value += add_slope(&mut slope, example, &weights, 1.0 / examples.len() as f64);
    }
    let mut flat = Vec::with_capacity(point.len());
    for ((feature, at), weight) in free().zip(point) {
        let tells_places = feature < N_NODE && at != State::Inside as usize;
        let decay = settings.decay * if tells_places { settings.scene_decay } else { 1.0 };
        value += 0.5 * decay * weight * weight;
        flat.push(f64::from(slot(&mut slope, feature)[at]) + decay * weight);
    }
    (value, flat)
}

/// Adds the slope of the negative log-likelihood, what the model expects minus what is there, and returns its
/// value.
fn add_slope(slope: &mut Weights, example: &Example, weights: &Weights, share: f64) -> f64 {
    let sums = example.page.sums(weights);
    let marginals = sums.marginals();
    let seen = seen(&example.states);
    // A page of a thousand segments says more than one of ten, but not a hundred times more.
    let scale = share * example.weight * 0.5 / (example.states.len().max(1) as f64).sqrt();
    for (at, features) in example.page.node.iter().enumerate() {
        let excess = excess(&marginals.node[at], &seen.node[at], scale);
        features.iter().for_each(|feature| add(&mut slope.node[usize::from(*feature)], excess));
    }
    for (at, features) in example.page.edge.iter().enumerate() {
        let excess = excess(&marginals.edge[at], &seen.edge[at], scale);
        features.iter().for_each(|feature| add(&mut slope.edge[usize::from(*feature)], excess));
    }
    scale * (log_total(&sums) - score(&sums, &seen))
}

/// The sum of the weights of what is there.
fn score(sums: &Sums, seen: &Marginals) -> f64 {
    let dot = |sums: &[Four], seen: &[Four]| -> f64 {
        sums.iter()
            .flatten()
            .zip(seen.iter().flatten())
            .map(|(sum, seen)| f64::from(*sum) * f64::from(*seen))
            .sum()
    };
    dot(&sums.node, &seen.node) + dot(&sums.edge, &seen.edge)
}

/// The logarithm of the sum over all ways through a page.
fn log_total(sums: &Sums) -> f64 {
    let (before, inside, pause, after) = (0, 1, 2, 3);
    let mut last = [0.0, f64::NEG_INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY];
    for (node, edge) in sums.node.iter().zip(&sums.edge) {
        let ([enter, leave, rest, resume], node) = (edge.map(f64::from), node.map(f64::from));
        last = [
            last[before] + node[before],
            log_sum(&[last[before] + enter, last[inside], last[pause] + resume]) + node[inside],
            log_sum(&[last[inside] + rest, last[pause]]) + node[pause],
            log_sum(&[last[inside] + leave, last[after]]) + node[after],
        ];
    }
    log_sum(&[last[before], last[inside], last[after]])
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
    [0, 1, 2, 3].map(|at| ((expected[at] - seen[at]) * scale as f32))
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
