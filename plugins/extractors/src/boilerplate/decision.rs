//! Whether a page is cut, and where: the first question is how much there is to gain.

use super::model::{State, Sums};
use super::segment::Segment;

/// Without the end of a sentence, so many characters are needed to be text: poems and tables have them, the
/// most likely line of a menu has not.
const MIN_TEXT_CHARS: u32 = 60;

/// What the model says of a page.
#[derive(Debug, Clone)]
pub struct Decision {
    /// The most likely state of each segment.
    pub states: Vec<State>,
    /// The probability of each segment to be text.
    pub inside: Vec<f32>,
    /// The F1 that cutting by the states may expect, 0 to 1.
    pub cut: f32,
    /// The F1 that leaving the page as it is may expect, 0 to 1.
    pub whole: f32,
    /// Whether what the states keep is text at all: it holds a sentence, or is long.
    pub has_text: bool,
    /// How much of it the model for pages that are mostly rest says, 0 to 1; the other one says what is left.
    pub of_rest: f32,
}

impl Decision {
    pub(super) fn of(sums: &Sums, segments: &[Segment]) -> Self {
        let (states, inside) = (sums.best(), sums.inside());
        let kept = || segments.iter().zip(&states).filter(|(_, state)| **state == State::Inside);
        let n_chars: u32 = kept().map(|(segment, _)| segment.n_chars).sum();
        let has_text = n_chars >= MIN_TEXT_CHARS || kept().any(|(segment, _)| segment.form.ends_sentence);
        let cut = expected_f1(&inside, segments, |at| states[at] == State::Inside);
        let whole = expected_f1(&inside, segments, |_| true);
        Self { states, inside, cut, whole, has_text, of_rest: 0.0 }
    }
}

/// The F1 that keeping some segments may expect, 0 to 1: characters are right as often as their segment is text,
/// which `inside` says.
pub(super) fn expected_f1(inside: &[f32], segments: &[Segment], keeps: impl Fn(usize) -> bool) -> f32 {
    let (mut kept, mut right, mut text) = (0.0, 0.0, 0.0);
    for (at, (segment, probability)) in segments.iter().zip(inside).enumerate() {
        let n_chars = segment.n_chars as f32;
        text += probability * n_chars;
        if keeps(at) {
            kept += n_chars;
            right += probability * n_chars;
        }
    }
    if kept + text > 0.0 { 2.0 * right / (kept + text) } else { 0.0 }
}
