//! Learns weights from pages with gold, by the likelihood of their states.

use tamis_extractors::training::{CHANGES, FIRST_SCENE, Four, Marginals, N_NODE, Page, State, Weights};

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
    pub(super) epochs: usize,
    pub(super) rate: f64,
    /// The strength of the pull towards 0 (L2).
    pub(super) decay: f64,
    /// How much stronger it pulls at weights that tell the states outside the text from each other.
    pub(super) scene_decay: f64,
}

/// Pages between two steps.
const BATCH: usize = 12;
/// Averaged over the last part of the epochs, weights depend less on the order of pages.
const AVERAGED_FROM: f64 = 0.75;

/// The weights under which the states of the examples are the most likely.
pub(super) fn learn(examples: &[&Example], settings: Settings) -> Weights {
    let mut weights = Weights::default();
    let mut adam = Adam::new(settings);
    let mut mean = Mean::default();
    let mut order: Vec<usize> = (0..examples.len()).collect();
    let mut random = 12_345_u64;
    for epoch in 0..settings.epochs {
        shuffle(&mut order, &mut random);
        let past = epoch as f64 / settings.epochs as f64;
        for batch in order.chunks(BATCH) {
            let mut slope = Weights::default();
            for example in batch.iter().map(|at| examples[*at]) {
                add_slope(&mut slope, example, &weights, 1.0 / batch.len() as f64);
            }
            adam.step(&mut weights, &slope, settings.rate * (1.0 - 0.95 * past));
        }
        if past >= AVERAGED_FROM {
            mean.add(&weights);
        }
    }
    mean.finish()
}

/// Adds the slope of the negative log-likelihood: what the model expects minus what is there.
fn add_slope(slope: &mut Weights, example: &Example, weights: &Weights, share: f64) {
    let marginals = example.page.sums(weights).marginals();
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

/// Adam (D. Kingma, J. Ba, ICLR 2015), with the pull towards 0 in the slope.
struct Adam {
    settings: Settings,
    steps: i32,
    first: Vec<[f64; 4]>,
    second: Vec<[f64; 4]>,
}

impl Adam {
    fn new(settings: Settings) -> Self {
        let zero = vec![[0.0; 4]; Weights::default().node.len() + Weights::default().edge.len()];
        Self { settings, steps: 0, first: zero.clone(), second: zero }
    }

    fn step(&mut self, weights: &mut Weights, slope: &Weights, rate: f64) {
        const KEEP: (f64, f64) = (0.9, 0.999);
        self.steps += 1;
        let grown = (1.0 - KEEP.0.powi(self.steps), 1.0 - KEEP.1.powi(self.steps));
        let all = weights.node.iter_mut().chain(&mut weights.edge);
        let slopes = slope.node.iter().chain(&slope.edge);
        for (feature, (weights, slopes)) in all.zip(slopes).enumerate() {
            for at in (0..4).filter(|at| is_free(feature, *at)) {
                let slope = f64::from(slopes[at]) + self.decay(feature, at) * f64::from(weights[at]);
                let (first, second) = (&mut self.first[feature][at], &mut self.second[feature][at]);
                *first = KEEP.0 * *first + (1.0 - KEEP.0) * slope;
                *second = KEEP.1 * *second + (1.0 - KEEP.1) * slope * slope;
                let step = *first / grown.0 / ((*second / grown.1).sqrt() + 1e-8);
                weights[at] -= (rate * step) as f32;
            }
        }
    }

    fn decay(&self, feature: usize, at: usize) -> f64 {
        let tells_places = feature < N_NODE && at != State::Inside as usize;
        self.settings.decay * if tells_places { self.settings.scene_decay } else { 1.0 }
    }
}

/// Whether a weight may differ from 0: what a segment is by itself says only whether it is text.
fn is_free(feature: usize, at: usize) -> bool {
    at == State::Inside as usize || feature == 0 || feature >= FIRST_SCENE
}

#[derive(Default)]
struct Mean {
    sum: Weights,
    n: f32,
}

impl Mean {
    fn add(&mut self, weights: &Weights) {
        self.n += 1.0;
        let sums = self.sum.node.iter_mut().chain(&mut self.sum.edge);
        sums.zip(weights.node.iter().chain(&weights.edge)).for_each(|(sum, weights)| add(sum, *weights));
    }

    fn finish(mut self) -> Weights {
        let n = self.n.max(1.0);
        self.sum.node.iter_mut().chain(&mut self.sum.edge).for_each(|sum| *sum = sum.map(|sum| sum / n));
        self.sum
    }
}

/// The same order in every run (D. Knuth's MMIX generator, Fisher and Yates's shuffle).
fn shuffle(order: &mut [usize], random: &mut u64) {
    for at in (1..order.len()).rev() {
        *random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        order.swap(at, (*random >> 33) as usize % (at + 1));
    }
}
