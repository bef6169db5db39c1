//! The stretch of a sequence that is worth the most.

use std::ops::Range;

/// The run of places in `within` with the greatest sum of scores, and that sum; an empty one and 0 if no score is
/// above 0. Of two that are worth the same, the first.
///
/// One pass: Kadane's algorithm (J. Bentley, Programming pearls, CACM 27, 1984).
///
/// ```
/// let scores = [-1.0, 2.0, -0.5, 1.0, -3.0, 2.0];
/// assert_eq!(tamis_text::runs::best_run(0..6, |at| scores[at]), (1..4, 2.5));
/// ```
pub fn best_run(within: Range<usize>, score: impl Fn(usize) -> f32) -> (Range<usize>, f32) {
    let (mut best, mut best_sum) = (within.start..within.start, 0.0);
    let (mut start, mut sum) = (within.start, 0.0);
    for at in within {
        if sum <= 0.0 {
            (start, sum) = (at, 0.0);
        }
        sum += score(at);
        if sum > best_sum {
            (best, best_sum) = (start..at + 1, sum);
        }
    }
    (best, best_sum)
}

#[cfg(test)]
mod tests {
    use super::best_run;

    #[test]
    fn the_first_of_the_best_runs_is_found() {
        let best = |scores: &[f32]| best_run(0..scores.len(), |at| scores[at]);
        assert_eq!(best(&[]), (0..0, 0.0));
        assert_eq!(best(&[-1.0, -2.0]), (0..0, 0.0));
        assert_eq!(best(&[1.0, -2.0, 1.0]), (0..1, 1.0));
        assert_eq!(best(&[2.0, -1.0, 2.0]), (0..3, 3.0));
        assert_eq!(best_run(2..3, |_| 1.0), (2..3, 1.0));
    }
}
