//! Keys by which a text is found that is part of a longer one.
//!
//! Bands do not find those: of a text that makes half of another one, they find one in twenty. What both have is a
//! passage, so keys are hashes of ten tokens in a row, and the places are chosen by what stands there: of every
//! thirty such runs that begin one after the other the one with the least hash. Two texts that have 39 tokens in a
//! row in common have chosen at least one place among these alike (winnowing: Schleimer, Wilkerson and Aiken,
//! 2003), and a text has a key for every 15 tokens.

/// How many runs are looked at together.
const WINDOW: usize = 30;

/// Puts the keys of a text, each once, into `keys`; `shingles` are those of `tokens` tokens. Texts of another `kind`
/// have other keys.
pub(super) fn keys(shingles: &[u64], tokens: usize, kind: u64, keys: &mut Vec<u64>) {
    keys.clear();
    let key = |run: u64| super::shingles::mix(run ^ kind);
    // A run is a shingle and the one that begins where it ends.
    let Some(n_runs) = shingles.len().checked_sub(tokens).filter(|n_runs| *n_runs > 0) else {
        // Too short to be part of anything: equal texts find each other.
        keys.extend(shingles.iter().min().map(|run| key(*run)));
        return;
    };
    let run = |at: usize| super::shingles::mix(shingles[at] ^ shingles[at + tokens].rotate_left(29));
    let (mut least, mut least_at) = (u64::MAX, 0);
    let mut runs = [u64::MAX; WINDOW];
    for at in 0..n_runs {
        let hash = run(at);
        runs[at % WINDOW] = hash;
        if hash <= least {
            (least, least_at) = (hash, at);
        } else if at - least_at >= WINDOW {
            // The least one has left; of several that are equal the last.
            least = u64::MAX;
            for before in at + 1 - WINDOW..=at {
                if runs[before % WINDOW] <= least {
                    (least, least_at) = (runs[before % WINDOW], before);
                }
            }
        }
        if at + 1 >= WINDOW.min(n_runs) {
            keys.push(key(least));
        }
    }
    keys.sort_unstable();
    keys.dedup();
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::shingles::mix;

    fn keys(shingles: &[u64]) -> Vec<u64> {
        let mut keys = Vec::new();
        super::keys(shingles, 5, 7, &mut keys);
        keys
    }

    #[test]
    fn a_text_has_a_key_for_every_fifteen_tokens() {
        let shingles: Vec<u64> = (0..15_000).map(mix).collect();
        let n_keys = keys(&shingles).len();
        assert!((900..1100).contains(&n_keys), "{n_keys}");
        assert_eq!(keys(&[mix(1); 500]).len(), 1, "a text that says one thing again and again");
        assert_eq!((keys(&[]).len(), keys(&[3]).len(), keys(&[3, 4, 5, 6, 7]).len()), (0, 1, 1));
    }

    proptest! {
        #[test]
        fn a_passage_shares_a_key_with_what_it_stands_in(
            before in 0_u64..100, passage in 35_u64..200, behind in 0_u64..100, seed in any::<u32>(),
        ) {
            // Shingles of 39 tokens or more.
            let hash = |n: u64| mix(u64::from(seed) << 20 | n);
            let whole: Vec<u64> = (0..before + passage + behind).map(hash).collect();
            let part: Vec<u64> = (before..before + passage).map(hash).collect();
            let (whole, part) = (keys(&whole), keys(&part));
            prop_assert!(part.iter().any(|key| whole.contains(key)));
        }
    }
}
