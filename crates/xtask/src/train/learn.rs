//! Learns weights from pages with gold, by the likelihood of their states.

use tamis_extractors::training::{
    CHANGES, Four, Marginals, Models, N_EDGE, N_NODE, N_VIEW, Need, Page, State, Sums, Weights,
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
    /// Whether features of the page as a whole have weights.
    pub(super) of_page: bool,
}

/// All models: what tells pages that are mostly rest from those that are mostly text, and one for either kind.
pub(super) fn learn(examples: &[&Example], settings: Settings) -> Models {
    // What lies between the two is learned from by both.
    let of = |holds: fn(f64) -> bool| -> Vec<&Example> {
        examples.iter().copied().filter(|example| holds(example.text_share())).collect()
    };
    let rest = Settings { decay: settings.decay * REST_DECAY, of_page: false, ..settings };
    let mut models = Models {
        rest: learn_weights(&of(|share| share < 0.92), rest),
        text: learn_weights(&of(|share| share > 0.7), settings),
        ..Models::default()
    };
    models.need = learn_need(examples, &models, settings);
    models
}

/// Pages of which less is text are mostly rest.
const MIN_TEXT_SHARE: f64 = 0.82;
/// How much less the weights for pages that are mostly rest are pulled towards 0: those pages differ more.
const REST_DECAY: f64 = 0.4;

impl Example {
    /// The share of the page's characters that is text.
    fn text_share(&self) -> f64 {
        let (mut all, mut text) = (0, 0);
        for (n_chars, state) in self.page.n_chars().zip(&self.states) {
            all += n_chars;
            text += if *state == State::Inside { n_chars } else { 0 };
        }
        f64::from(text) / f64::from(all.max(1))
    }
}

/// Logistic regression on what the two models say of each page.
fn learn_need(examples: &[&Example], models: &Models, settings: Settings) -> Need {
    let all: f64 = examples.iter().map(|example| example.weight).sum();
    let pages: Vec<(Vec<usize>, f64, f64)> = examples
        .iter()
        .map(|example| {
            let is_rest = f64::from(u8::from(example.text_share() < MIN_TEXT_SHARE));
            (example.page.views(models).collect(), is_rest, example.weight / all)
        })
        .collect();
    let loss = |point: &[f64]| {
        let decay = settings.decay * 0.02;
        let mut slope: Vec<f64> = point.iter().map(|weight| decay * weight).collect();
        let mut value = 0.5 * decay * point.iter().map(|weight| weight * weight).sum::<f64>();
        for (features, is_rest, weight) in &pages {
            let sum: f64 = features.iter().map(|feature| point[*feature]).sum();
            let probability = 1.0 / (1.0 + (-sum).exp());
            value -= weight * (if *is_rest > 0.5 { probability } else { 1.0 - probability }).max(1e-12).ln();
            for feature in features {
                slope[*feature] += weight * (probability - is_rest);
            }
        }
        (value, slope)
    };
    let point = lbfgs::minimise(vec![0.0; N_VIEW], settings.iterations, loss);
    Need(point.into_iter().map(|weight| weight as f32).collect())
}

/// The weights under which the states of the examples are the most likely. The loss is convex, so there is one
/// best answer, whatever the order of pages.
fn learn_weights(examples: &[&Example], settings: Settings) -> Weights {
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
    let all: f64 = examples.iter().map(|example| example.weight).sum();
    for example in examples {
        value += add_slope(&mut slope, example, &weights, all.recip(), settings.of_page);
    }
    let decay = settings.decay;
    value += 0.5 * decay * point.iter().map(|weight| weight * weight).sum::<f64>();
    let slope = slots(&mut slope).zip(point).map(|(slope, weight)| f64::from(*slope) + decay * weight);
    (value, slope.collect())
}

/// Adds the slope of the negative log-likelihood, what the model expects minus what is there, and returns its
/// value.
fn add_slope(slope: &mut Weights, example: &Example, weights: &Weights, share: f64, of_page: bool) -> f64 {
    let sums = example.page.sums(weights);
    let marginals = sums.marginals();
    let seen = seen(&example.states);
    // A page of a thousand segments says more than one of ten, but not a hundred times more.
    let scale = share * example.weight * 0.5 / (example.states.len().max(1) as f64).sqrt();
    let (text, pause) = (State::Inside as usize, State::Pause as usize);
    let (node_of_page, edge_of_page) = example.page.of_page();
    let (mut node_sum, mut edge_sum) = (0.0, [0.0; 4]);
    for at in 0..example.states.len() {
        let node = excess(&marginals.node[at], &seen.node[at], scale);
        for feature in example.page.node(at) {
            slope.node[usize::from(*feature)] += node[text];
        }
        slope.pause += node[pause];
        node_sum += node[text];
        let edge = excess(&marginals.edge[at], &seen.edge[at], scale);
        for feature in example.page.edge(at) {
            add(&mut slope.edge[usize::from(*feature)], edge);
        }
        add(&mut edge_sum, edge);
    }
    if !of_page {
        return scale * (log_total(&sums) - score(&sums, &seen));
    }
    for feature in node_of_page {
        slope.node[usize::from(*feature)] += node_sum;
    }
    for feature in edge_of_page {
        add(&mut slope.edge[usize::from(*feature)], edge_sum);
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

/// The logarithm of the sum over all ways through a page, scaled at each step.
fn log_total(sums: &Sums) -> f64 {
    let mut ways = [1.0, 0.0, 0.0, 0.0_f64];
    let (mut total, mut scale) = (0.0, 1.0);
    let outside = f64::from(sums.pause).exp();
    for (node, edge) in sums.node.iter().zip(&sums.edge) {
        let [before, inside, pause, after] = ways;
        let [enter, leave, rest, resume] = edge.map(|sum| f64::from(sum).exp());
        let next = [
            before,
            (before * enter + inside + pause * resume) * f64::from(*node).exp(),
            (inside * rest + pause) * outside,
            inside * leave + after,
        ];
        let sum: f64 = next.iter().sum();
        ways = next.map(|way| way / sum);
        scale *= sum;
        // The logarithm takes longer than the rest, so it is not taken at every step.
        if !(1e-100..1e100).contains(&scale) {
            (total, scale) = (total + scale.ln(), 1.0);
        }
    }
    total + scale.ln() + (ways[1] + ways[3]).ln()
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
