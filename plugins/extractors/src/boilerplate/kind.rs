//! Which of the two models a page is for: what both say of it tells.
//!
//! A page of which the model for text says that half of it is none is no text, and one of which the model for rest finds
//! next to nothing is none of its own. What a page shows as a whole, such as its kinds of furniture, told less of
//! families that nobody has seen (`docs/training.md` of the xtask crate).
//!
//! Where that is in doubt, both decide: their sums are added up, that of each by how likely the page is one of its own.
//! To choose one of them even then destroyed twice as many articles that were clean already.

use super::decision::{Decision, expected_f1};
use super::features::{N_EDGE, N_NODE, Sink, View, bin};
use super::model::{Models, Need, State, Sums, Weights};
use super::segment::Segment;

/// Limits of the bins of shares of the characters of a page.
const SHARES: [f32; 10] = [0.02, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.75, 0.85, 0.95];
/// Limits of the bins of expected F1.
const SCORES: [f32; 10] = [0.2, 0.4, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.96, 0.98];

/// So much less than what is enough for the model for rest alone must speak for it where the model for text decides
/// alone; a logarithm of odds.
const DOUBT: f32 = 3.0;

/// What each of the models says of a page.
pub(super) struct Views {
    /// The sums that each decides by: of the model for rest, and of the one for text.
    sums: (Sums, Sums),
    rest: Decision,
    text: Decision,
}

impl Views {
    /// By the sums of the model for rest and of the one for text.
    pub(super) fn of(rest: Sums, text: Sums, segments: &[Segment]) -> Self {
        let (by_rest, by_text) = (Decision::of(&rest, segments), Decision::of(&text, segments));
        Self { sums: (rest, text), rest: by_rest, text: by_text }
    }

    /// The features of the page.
    pub(super) fn features(&self, segments: &[Segment]) -> [usize; 10] {
        let Self { rest, text, .. } = self;
        let share = |inside: &[f32]| bin(share(segments, |at| inside[at]), &SHARES);
        let kept = |states: &[State]| bin(self::share(segments, |at| kept(states, at)), &SHARES);
        let score = |score: f32| bin(score, &SCORES);
        // What one expects of the cut of the other.
        let of = |one: &Decision, other: &Decision| {
            score(expected_f1(&one.inside, segments, |at| other.states[at] == State::Inside))
        };
        [
            View::RestShare.bin(share(&rest.inside)),
            View::TextShare.bin(share(&text.inside)),
            View::RestKept.bin(kept(&rest.states)),
            View::TextKept.bin(kept(&text.states)),
            View::RestCut.bin(score(rest.cut)),
            View::TextCut.bin(score(text.cut)),
            View::TextWhole.bin(score(text.whole)),
            View::RestWhole.bin(score(rest.whole)),
            View::RestOfText.bin(of(rest, text)),
            View::TextOfRest.bin(of(text, rest)),
        ]
    }

    /// What the model says that the page is for, or both of them together. The model for rest decides alone where so much
    /// speaks for the page being mostly rest.
    pub(super) fn choose(self, need: &Need, min_need: f32, segments: &[Segment]) -> Decision {
        let sum: f32 = self.features(segments).into_iter().map(|feature| need.0[feature]).sum();
        let of_rest = (1.0 - (min_need - sum) / DOUBT).clamp(0.0, 1.0);
        let decision = if of_rest >= 1.0 {
            self.rest
        } else if of_rest <= 0.0 {
            self.text
        } else {
            Decision::of(&self.sums.1.towards(&self.sums.0, of_rest), segments)
        };
        Decision { of_rest, ..decision }
    }
}

/// The share of the characters of a page that counts, each segment by so much.
fn share(segments: &[Segment], counts: impl Fn(usize) -> f32) -> f32 {
    let (mut all, mut sum) = (0.0, 0.0);
    for (at, segment) in segments.iter().enumerate() {
        all += segment.n_chars as f32;
        sum += segment.n_chars as f32 * counts(at);
    }
    sum / f32::max(all, 1.0)
}

fn kept(states: &[State], at: usize) -> f32 {
    f32::from(u8::from(states[at] == State::Inside))
}

/// The weights of both models side by side, so that a feature is looked up once: of the model for rest, then of the one
/// for text.
#[derive(Debug)]
pub(super) struct Pairs {
    /// Of known length, so that no feature is looked up beyond the end.
    node: Box<[[f32; 2]; N_NODE]>,
    edge: Box<[[f32; 8]; N_EDGE]>,
    pause: [f32; 2],
}

impl Pairs {
    pub(super) fn of(models: &Models) -> Self {
        let Models { rest, text, .. } = models;
        let node = std::array::from_fn(|feature| [rest.node[feature], text.node[feature]]);
        let edge = |weights: &Weights, feature: usize, at: usize| weights.edge[feature][at % 4];
        let edge = std::array::from_fn(|feature| {
            std::array::from_fn(|at| edge(if at < 4 { rest } else { text }, feature, at))
        });
        Self { node: Box::new(node), edge: Box::new(edge), pause: [rest.pause, text.pause] }
    }
}

/// Sums the weights of both models up in one pass over the features.
pub(super) struct Both<'a> {
    weights: &'a Pairs,
    /// The sums of the segments so far.
    nodes: Vec<[f32; 2]>,
    edges: Vec<[f32; 8]>,
    /// The sums of the segment whose features come in, and of the boundary before it.
    node: [f32; 2],
    edge: [f32; 8],
    /// What all segments and all boundaries have.
    node_of_page: [f32; 2],
    edge_of_page: [f32; 8],
    has_begun: bool,
}

/// Adds numbers to others.
#[inline]
fn add<const N: usize>(sums: &mut [f32; N], others: &[f32; N]) {
    (0..N).for_each(|at| sums[at] += others[at]);
}

impl<'a> Both<'a> {
    pub(super) fn new(weights: &'a Pairs, n_segments: usize) -> Self {
        Self {
            weights,
            nodes: Vec::with_capacity(n_segments),
            edges: Vec::with_capacity(n_segments),
            node: [0.0; 2],
            edge: [0.0; 8],
            node_of_page: [0.0; 2],
            edge_of_page: [0.0; 8],
            has_begun: false,
        }
    }

    pub(super) fn views(mut self, segments: &[Segment]) -> Views {
        self.next();
        self.nodes.iter_mut().for_each(|sums| add(sums, &self.node_of_page));
        self.edges.iter_mut().for_each(|sums| add(sums, &self.edge_of_page));
        let four =
            |sums: &[f32; 8], first: usize| [sums[first], sums[first + 1], sums[first + 2], sums[first + 3]];
        let of = |model: usize| Sums {
            node: self.nodes.iter().map(|sums| sums[model]).collect(),
            edge: self.edges.iter().map(|sums| four(sums, 4 * model)).collect(),
            pause: self.weights.pause[model],
        };
        Views::of(of(0), of(1), segments)
    }
}

impl Sink for Both<'_> {
    fn next(&mut self) {
        if self.has_begun {
            self.nodes.push(std::mem::take(&mut self.node));
            self.edges.push(std::mem::take(&mut self.edge));
        }
        self.has_begun = true;
    }

    #[inline]
    fn nodes<const N: usize>(&mut self, features: [usize; N]) {
        // In a variable of its own, which is a register and no place in memory.
        let mut sums = self.node;
        for feature in features {
            add(&mut sums, &self.weights.node[feature]);
        }
        self.node = sums;
    }

    #[inline]
    fn edges<const N: usize>(&mut self, features: [usize; N]) {
        let mut sums = self.edge;
        for feature in features {
            add(&mut sums, &self.weights.edge[feature]);
        }
        self.edge = sums;
    }

    fn node_of_page(&mut self, feature: usize) {
        add(&mut self.node_of_page, &self.weights.node[feature]);
    }

    fn edge_of_page(&mut self, feature: usize) {
        add(&mut self.edge_of_page, &self.weights.edge[feature]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boilerplate::lexicon::Found;
    use crate::boilerplate::segment::segments;

    /// What is decided where one model takes all segments for text and the other takes none, and where so much more would
    /// have to speak for the page being mostly rest than does.
    fn decided(lacks: f32) -> Decision {
        let segments = segments("The ferry left.\nHome\nNews", &Found::default());
        let sums = |node| Sums { node: vec![node; 3], edge: vec![[0.0; 4]; 3], pause: 0.0 };
        Views::of(sums(-3.0), sums(3.0), &segments).choose(&Need::default(), lacks, &segments)
    }

    #[test]
    fn where_it_is_in_doubt_both_models_decide() {
        let shares = [-1.0, 0.0, DOUBT / 2.0, DOUBT, 2.0 * DOUBT].map(|lacks| decided(lacks).of_rest);
        let expected = [1.0, 1.0, 0.5, 0.0, 0.0];
        assert!(
            shares.iter().zip(expected).all(|(share, expected)| (share - expected).abs() < 1e-6),
            "{shares:?}"
        );
        let [rest, both, text] = [0.0, DOUBT / 2.0, DOUBT].map(|lacks| decided(lacks).inside[1]);
        assert!(rest < both && both < text, "{rest} {both} {text}");
    }

    #[test]
    fn the_sums_of_weights_between_two_are_between_their_sums() {
        let (one, other) = (Models::default().text, {
            let mut weights = Models::default().rest;
            weights.node.fill(1.0);
            weights
        });
        assert!(one.towards(&other, 0.25).node.iter().all(|weight| (weight - 0.25).abs() < 1e-6));
        assert_eq!(one.towards(&other, 0.0), one);
        assert_eq!(one.towards(&other, 1.0), other);
    }
}
