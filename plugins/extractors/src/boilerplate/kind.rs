//! Which of the two models a page is for: what both say of it tells.
//!
//! A page of which the model for text says that half of it is none is no text, and one of which the model for rest finds
//! next to nothing is none of its own. What a page shows as a whole, such as its kinds of furniture, told less of
//! families that nobody has seen (`docs/training.md` of the xtask crate).

use super::decision::{Decision, expected_f1};
use super::features::{Sink, View, bin};
use super::model::{Models, Need, State, Summing};
use super::segment::Segment;

/// Limits of the bins of shares of the characters of a page.
const SHARES: [f32; 10] = [0.02, 0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.75, 0.85, 0.95];
/// Limits of the bins of expected F1.
const SCORES: [f32; 10] = [0.2, 0.4, 0.6, 0.7, 0.8, 0.85, 0.9, 0.93, 0.96, 0.98];

/// What each of the models says of a page.
pub(super) struct Views {
    pub(super) rest: Decision,
    pub(super) text: Decision,
}

impl Views {
    /// The features of the page.
    pub(super) fn features(&self, segments: &[Segment]) -> [usize; 10] {
        let Self { rest, text } = self;
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

    /// What the model says that the page is for, where so much must speak for its being mostly rest.
    pub(super) fn choose(self, need: &Need, min_need: f32, segments: &[Segment]) -> Decision {
        let sum: f32 = self.features(segments).into_iter().map(|feature| need.0[feature]).sum();
        if sum > min_need { Decision { is_of_rest: true, ..self.rest } } else { self.text }
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

/// Sums the weights of both models up in one pass over the features.
pub(super) struct Both<'a> {
    rest: Summing<'a>,
    text: Summing<'a>,
}

impl<'a> Both<'a> {
    pub(super) fn new(models: &'a Models, n_segments: usize) -> Self {
        Self { rest: Summing::new(&models.rest, n_segments), text: Summing::new(&models.text, n_segments) }
    }

    pub(super) fn views(self, segments: &[Segment]) -> Views {
        let of = |summing: Summing<'_>| Decision::of(&summing.finish(), segments);
        Views { rest: of(self.rest), text: of(self.text) }
    }
}

impl Sink for Both<'_> {
    fn next(&mut self) {
        self.rest.next();
        self.text.next();
    }

    #[inline]
    fn node(&mut self, feature: usize) {
        self.rest.node(feature);
        self.text.node(feature);
    }

    #[inline]
    fn edge(&mut self, feature: usize) {
        self.rest.edge(feature);
        self.text.edge(feature);
    }

    fn node_of_page(&mut self, feature: usize) {
        self.rest.node_of_page(feature);
        self.text.node_of_page(feature);
    }

    fn edge_of_page(&mut self, feature: usize) {
        self.rest.edge_of_page(feature);
        self.text.edge_of_page(feature);
    }
}
