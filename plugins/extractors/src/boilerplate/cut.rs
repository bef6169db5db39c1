//! What is kept of a page, what is removed, and why.

use std::ops::Range;

use serde::Serialize;
use tamis_text::scan::{Pieces, Scan};

use super::describe::Seen;
use super::features::{N_NODE, Sink, node_names};
use super::lead::without_counters;
use super::model::{State, Weights};
use super::segment::Segment;
use super::shared::Marks;
use super::title::Title;

/// How many reasons are given for a piece.
const N_REASONS: usize = 3;

/// Neighbouring segments that go for the same cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Removed {
    pub(super) segments: Range<usize>,
    state: State,
}

/// The removed pieces of a page, in order.
pub(super) fn removed(segments: &[Segment], states: &[State]) -> Vec<Removed> {
    let mut pieces: Vec<Removed> = Vec::new();
    for (at, state) in states.iter().enumerate().take(segments.len()) {
        if *state == State::Inside {
            continue;
        }
        match pieces.last_mut() {
            Some(piece) if piece.segments.end == at && piece.state == *state => piece.segments.end = at + 1,
            _ => pieces.push(Removed { segments: at..at + 1, state: *state }),
        }
    }
    pieces
}

/// The text that is kept. Segments that follow each other keep what is between them; where something was
/// removed, a line ends.
pub(super) fn kept<'s, 'a>(scan: &'s Scan<'a>, segments: &[Segment], states: &[State]) -> Pieces<'s, 'a> {
    let page = scan.text();
    let mut pieces = Pieces::of(scan);
    let mut run: Option<Range<usize>> = None;
    let mut flush = |run: Option<Range<usize>>| {
        let Some(mut run) = run else { return };
        if pieces.text().is_empty() {
            // Labels were cut before it in its line, and one of them may be left.
            let goes_on =
                page.get(..run.start).is_some_and(|before| !before.is_empty() && !before.ends_with('\n'));
            let kept = page.get(run.clone()).expect("segments begin and end at characters");
            run.start = if goes_on { run.end - without_counters(kept).len() } else { run.start };
        } else {
            pieces.end_line();
        }
        pieces.push(run);
    };
    for (segment, state) in segments.iter().zip(states) {
        if *state != State::Inside {
            flush(run.take());
            continue;
        }
        // An indent belongs to its paragraph: stages behind this one read it.
        let start = page.get(..segment.start).map_or(segment.start, |before| {
            if segment.gap == 0 {
                segment.start
            } else {
                before.trim_end_matches(tamis_text::chars::is_blank).len()
            }
        });
        run = Some(run.take().map_or(start, |run| run.start)..segment.end);
    }
    flush(run);
    pieces
}

/// A removed piece, as it is noted.
#[derive(Debug, Serialize)]
pub(super) struct Explained {
    /// First byte in the text as it came.
    start: usize,
    /// The byte after the last.
    end: usize,
    place: &'static str,
    /// The probability that it is no text, on average over its characters.
    confidence: f32,
    /// Features that spoke most against it being text, with what they counted for.
    reasons: Vec<(String, f32)>,
}

/// The features of every segment of a page, for explanations.
pub(super) struct Reasons<'a> {
    weights: &'a Weights,
    features: Vec<Vec<usize>>,
    /// Those of the page, which come first.
    of_page: Vec<usize>,
}

impl Sink for Reasons<'_> {
    fn next(&mut self) {
        self.features.push(self.of_page.clone());
    }

    fn nodes<const N: usize>(&mut self, features: [usize; N]) {
        if let Some(of_segment) = self.features.last_mut() {
            of_segment.extend(features);
        }
    }

    fn edges<const N: usize>(&mut self, _features: [usize; N]) {}

    fn node_of_page(&mut self, feature: usize) {
        self.of_page.push(feature);
    }

    fn edge_of_page(&mut self, _feature: usize) {}
}

impl<'a> Reasons<'a> {
    pub(super) fn of(
        page: &str,
        segments: &[Segment],
        title: &Title,
        marks: &Marks,
        weights: &'a Weights,
    ) -> Self {
        let seen = Seen::of(page, segments, title, marks);
        let mut reasons = Self { weights, features: Vec::new(), of_page: Vec::new() };
        seen.describe(page, segments, title, &mut reasons);
        reasons
    }

    pub(super) fn explain(&self, piece: &Removed, segments: &[Segment], inside: &[f32]) -> Explained {
        let range = piece.segments.clone();
        let (mut n_chars, mut doubt) = (0.0_f32, 0.0);
        for (segment, probability) in segments[range.clone()].iter().zip(&inside[range.clone()]) {
            n_chars += segment.n_chars as f32;
            doubt += segment.n_chars as f32 * probability;
        }
        Explained {
            start: segments[range.start].start,
            end: segments[range.end - 1].end,
            place: piece.state.name(),
            confidence: rounded(1.0 - doubt / n_chars.max(1.0)),
            reasons: self.reasons(piece),
        }
    }

    /// What spoke against text, on average over the segments of a piece.
    fn reasons(&self, piece: &Removed) -> Vec<(String, f32)> {
        let mut sums = [0.0; N_NODE];
        for feature in self.features[piece.segments.clone()].iter().flatten() {
            sums[*feature] -= self.weights.node[*feature];
        }
        let mut ranked: Vec<(usize, f32)> =
            sums.into_iter().enumerate().filter(|(_, sum)| *sum > 0.0).collect();
        ranked.sort_by(|(_, a), (_, b)| b.total_cmp(a));
        let names: Vec<String> = node_names().collect();
        let n_segments = piece.segments.len() as f32;
        let reason = |(feature, sum): (usize, f32)| (names[feature].clone(), rounded(sum / n_segments));
        ranked.into_iter().take(N_REASONS).map(reason).collect()
    }
}

fn rounded(value: f32) -> f32 {
    (value * 1000.0).round() / 1000.0
}
