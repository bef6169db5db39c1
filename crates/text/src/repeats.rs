//! How much of a text says what the text has said before.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

/// A hasher for keys that are hashes already.
#[derive(Debug, Default)]
struct Same(u64);

impl Hasher for Same {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Not called for the keys of this module, which are numbers of 64 bits.
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn write_u64(&mut self, key: u64) {
        self.0 = key;
    }
}

type Counts = HashMap<u64, usize, BuildHasherDefault<Same>>;
type Seen = HashSet<u64, BuildHasherDefault<Same>>;

/// What of a sequence of pieces, such as the lines of a text, occurs more than once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Repeats {
    /// Pieces.
    pub n: usize,
    /// Those of them that occur before in the sequence.
    pub n_again: usize,
    /// The length of all pieces, in the unit in which it was given.
    pub length: usize,
    /// The length of those that occur before.
    pub length_again: usize,
}

impl Repeats {
    /// Counts pieces, given as keys, which are equal where the pieces are, and lengths.
    ///
    /// Keys should be hashes with all bits mixed, as those of [`hash`](crate::hash::hash) and
    /// [`Word::key`](crate::words::Word::key) are.
    pub fn of(pieces: impl IntoIterator<Item = (u64, usize)>) -> Self {
        let mut seen = Seen::default();
        let mut repeats = Self::default();
        for (key, length) in pieces {
            repeats.n += 1;
            repeats.length += length;
            if !seen.insert(key) {
                repeats.n_again += 1;
                repeats.length_again += length;
            }
        }
        repeats
    }

    /// The share of pieces that occur before, 0 to 1.
    pub fn share(&self) -> f64 {
        self.n_again as f64 / self.n.max(1) as f64
    }

    /// The share of the length that pieces take which occur before, 0 to 1.
    pub fn length_share(&self) -> f64 {
        self.length_again as f64 / self.length.max(1) as f64
    }
}

/// The length that the most frequent run of `n` words takes: how often it occurs, each time by its length; of several
/// that are as frequent, the first. Where runs of it overlap, what they share counts for each. 0 if there is none that
/// occurs twice.
///
/// `words` are the keys and the lengths of the words of a text.
pub fn most_frequent(words: &[(u64, usize)], n: usize) -> usize {
    let mut counts = Counts::default();
    let mut best = (1, 0);
    for (key, _) in runs(words, n) {
        *counts.entry(key).or_default() += 1;
    }
    for (key, length) in runs(words, n) {
        let count = counts.get(&key).copied().unwrap_or(0);
        if count > best.0 {
            best = (count, count * length);
        }
    }
    best.1
}

/// The length of the words that lie in a run of `n` words which has occurred before, each word counted once.
///
/// `words` are the keys and the lengths of the words of a text.
pub fn repeated(words: &[(u64, usize)], n: usize) -> usize {
    let mut seen = Seen::default();
    let (mut length, mut counted) = (0, 0);
    for (at, (key, _)) in runs(words, n).enumerate() {
        if !seen.insert(key) {
            let again = words.get(at.max(counted)..at + n).unwrap_or_default();
            length += again.iter().map(|word| word.1).sum::<usize>();
            counted = at + n;
        }
    }
    length
}

/// The keys and lengths of all runs of `n` words.
fn runs(words: &[(u64, usize)], n: usize) -> impl Iterator<Item = (u64, usize)> {
    words.windows(n.max(1)).map(|run| {
        let key = run
            .iter()
            .fold(0_u64, |key, word| (key.rotate_left(23) ^ word.0).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        (crate::hash::mix(key), run.iter().map(|word| word.1).sum())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::words;

    fn keys(text: &str) -> Vec<(u64, usize)> {
        words(text).map(|word| (word.key(), word.text.chars().count())).collect()
    }

    #[test]
    fn what_occurs_before_is_counted() {
        let lines = ["Home", "the ferry", "Home", "Home", ""];
        let repeats = Repeats::of(lines.iter().map(|line| (crate::hash::hash(line.as_bytes()), line.len())));
        assert_eq!(repeats, Repeats { n: 5, n_again: 2, length: 21, length_again: 8 });
        assert!((repeats.share() - 0.4).abs() < 1e-12 && (repeats.length_share() - 8.0 / 21.0).abs() < 1e-12);
        assert!(Repeats::of([]).share().abs() < 1e-12);
    }

    #[test]
    fn the_most_frequent_run_is_found() {
        assert_eq!(most_frequent(&keys("the ferry left, the ferry came, the bell"), 2), 16);
        assert_eq!(most_frequent(&keys("ab cd ab ef cd ab"), 1), 6);
        assert_eq!(most_frequent(&keys("渡船停了，渡船来了"), 2), 4);
        assert_eq!(most_frequent(&keys("nothing comes twice"), 1), 0);
        assert_eq!(most_frequent(&keys("word"), 2), 0);
    }

    #[test]
    fn each_word_of_repeated_runs_counts_once() {
        assert_eq!(repeated(&keys("one two three one two three"), 2), 11);
        assert_eq!(repeated(&keys("a a a a"), 2), 3);
        assert_eq!(repeated(&keys("one two three four"), 2), 0);
        assert_eq!(repeated(&keys("渡船停了三天，渡船停了两天"), 3), 4);
        assert_eq!(repeated(&[], 3), 0);
    }
}
