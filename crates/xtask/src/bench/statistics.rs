//! What is made of repeated measures.

/// The middle of `values` (of an even number, halfway between the two in the middle); none of none.
pub(crate) fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let upper = *sorted.get(sorted.len() / 2)?;
    if sorted.len() % 2 == 1 {
        return Some(upper);
    }
    let lower = *sorted.get(sorted.len() / 2 - 1)?;
    Some(f64::midpoint(lower, upper))
}

/// The ratios of what was measured in the same round.
///
/// A machine that is slow for a minute is slow for both sides of a pair, so their ratio hardly moves; the
/// ratio of two medians would.
/// A round in which the other side took nothing measurable has no ratio.
pub(crate) fn paired_ratios(ours: &[f64], theirs: &[f64]) -> Vec<f64> {
    let pairs = ours.iter().zip(theirs);
    pairs.filter(|(_, theirs)| **theirs > 0.0).map(|(ours, theirs)| ours / theirs).collect()
}

/// The smallest and the largest value; none of none.
pub(crate) fn spread(values: &[f64]) -> Option<(f64, f64)> {
    Some((values.iter().copied().reduce(f64::min)?, values.iter().copied().reduce(f64::max)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn median_of_any_number() {
        for (values, expected) in [
            (&[][..], None),
            (&[3.0], Some(3.0)),
            (&[9.0, 1.0], Some(5.0)),
            (&[9.0, 1.0, 2.0], Some(2.0)),
            (&[4.0, 1.0, 100.0, 2.0], Some(3.0)),
        ] {
            assert_eq!(median(values), expected, "{values:?}");
        }
    }

    #[test]
    fn ratios_pair_rounds() {
        // The second round was twice as slow for both: no ratio moves.
        let ratios = paired_ratios(&[1.0, 2.0, 1.0], &[2.0, 4.0, 2.0]);
        assert_eq!(ratios, [0.5, 0.5, 0.5]);
        assert_eq!(paired_ratios(&[1.0, 2.0], &[0.0, 4.0]), [0.5], "no division by nothing");
        assert_eq!(paired_ratios(&[1.0, 2.0], &[4.0]), [0.25]);
    }

    #[test]
    fn spread_is_least_and_most() {
        assert_eq!(spread(&[2.0, 1.0, 3.0]), Some((1.0, 3.0)));
        assert_eq!(spread(&[]), None);
    }
}
