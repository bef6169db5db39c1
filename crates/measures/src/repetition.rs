//! Repeated groups of words.

use xxhash_rust::xxh3::xxh3_64;

use crate::table::{NONE, Table};
use crate::words::Word;

/// The shortest and the longest groups that Gopher looks at.
const SHORTEST_DUPLICATE: usize = 5;
const LONGEST: usize = 10;

/// How many characters stand in repeated groups of words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Repetition {
    /// For groups of two, three and four words: how many characters all occurrences of the most frequent have, a blank
    /// between words counted; of several that are as frequent the first counts, if none is repeated the first of all.
    pub(crate) top: [u64; 3],
    /// For groups of five to ten: how many characters the second and later occurrences have, without blanks. Occurrences
    /// are looked for from the left and do not overlap.
    pub(crate) duplicate: [u64; 6],
}

/// Room for one text; used again for the next.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    table: Table,
    /// The group that begins at each word, by number; [`NONE`] where it is not repeated.
    ids: Vec<u32>,
    /// Characters before each word.
    before: Vec<u64>,
    /// The words at which a group begins that may be repeated.
    live: Vec<u32>,
    /// All words without anything between them, and where each begins.
    joined: Vec<u8>,
    starts: Vec<u32>,
    /// Where the mark of what begins at each live place stands, and the marks: how often it has begun, up to twice.
    numbers: Vec<u32>,
    marks: Vec<u8>,
}

impl Scratch {
    /// Counts repetitions in `words` of `text`, which have these hashes.
    pub(crate) fn count(&mut self, text: &str, words: &[Word], hashes: &[u64]) -> Repetition {
        let mut found = Repetition::default();
        let pairs = self.begin(words, hashes);
        // A group of n words is repeated only where both groups of n - 1 words in it are. So each length looks at the places
        // that the one before left over.
        for (length, top) in (2..=words.len()).zip(&mut found.top) {
            let best = if length == 2 { pairs } else { self.lengthen(length) };
            *top = self.top(best, length);
        }
        // Longer ones are compared as they read, whatever words they are cut into: `1 0` is `10` to the published rule.
        self.join(text, words);
        self.live.clear();
        self.live.extend(0..(words.len() + 1).saturating_sub(SHORTEST_DUPLICATE) as u32);
        for (length, duplicate) in (SHORTEST_DUPLICATE..=LONGEST.min(words.len())).zip(&mut found.duplicate) {
            match length {
                5 => self.look_ahead::<16>(length),
                7 => self.look_ahead::<24>(length),
                9 => self.look_ahead::<32>(length),
                _ => {}
            }
            *duplicate = self.duplicate(length);
        }
        found
    }

    /// Puts the words together.
    fn join(&mut self, text: &str, words: &[Word]) {
        /// Most words have fewer bytes, and to copy a fixed number is one instruction.
        const BLOCK: usize = 16;
        let text = text.as_bytes();
        self.joined.clear();
        self.joined.reserve(text.len() + BLOCK);
        self.starts.clear();
        for word in words {
            let start = self.joined.len();
            self.starts.push(start as u32);
            let range = word.range();
            match text.get(range.start..).and_then(<[u8]>::first_chunk::<BLOCK>) {
                Some(block) if range.len() <= BLOCK => {
                    self.joined.extend_from_slice(block);
                    self.joined.truncate(start + range.len());
                }
                _ => self.joined.extend_from_slice(text.get(range).unwrap_or_default()),
            }
        }
        self.starts.push(self.joined.len() as u32);
    }

    /// Takes out live places at which no group of `length` words or more begins that is repeated; what is left is few in most
    /// texts, so that the lengths after it cost little.
    ///
    /// Two groups that are the same begin with the same `N` bytes, if they have so many. Beginnings are not compared but
    /// counted by a few bits of them: a place that is found for nothing costs some time and changes nothing.
    fn look_ahead<const N: usize>(&mut self, length: usize) {
        let size = (self.live.len() * 8).next_power_of_two().max(64);
        self.marks.clear();
        self.marks.resize(size, 0);
        self.numbers.clear();
        let shift = 64 - size.ilog2();
        let (joined, starts) = (&self.joined, &self.starts);
        for &at in &self.live {
            let start = starts[at as usize] as usize;
            let beginning = joined.get(start..).and_then(<[u8]>::first_chunk::<N>);
            let place = beginning.map_or(NONE, |beginning| (mix(beginning) >> shift) as u32);
            self.numbers.push(place);
            if let Some(mark) = self.marks.get_mut(place as usize) {
                *mark = (*mark + 1).min(2);
            }
        }
        let (marks, mut numbers) = (&self.marks, self.numbers.iter());
        self.live.retain(|&at| {
            let number = numbers.next().copied().unwrap_or(NONE);
            // A group that is shorter than that cannot be told by it.
            marks.get(number as usize).is_none_or(|mark| *mark > 1)
                || match (starts.get(at as usize), starts.get(at as usize + length)) {
                    (Some(start), Some(end)) => end - start < N as u32,
                    _ => false,
                }
        });
    }

    /// Numbers the pairs of words that may be repeated; gives the place and the count of the most frequent.
    fn begin(&mut self, words: &[Word], hashes: &[u64]) -> (usize, u64) {
        self.before.clear();
        self.before.push(0);
        let mut n_chars = 0;
        self.before.extend(words.iter().map(|word| {
            n_chars += u64::from(word.n_chars);
            n_chars
        }));
        // Most pairs stand in a text once, which a few bits of them tell for most: only the others are numbered.
        let size = (words.len() * 8).next_power_of_two().max(64);
        self.marks.clear();
        self.marks.resize(size, 0);
        let shift = 64 - size.ilog2();
        let place = |key: u64| (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> shift) as usize;
        for pair in hashes.windows(2) {
            if let Some(mark) = self.marks.get_mut(place(key(pair))) {
                *mark = (*mark + 1).min(2);
            }
        }
        self.table.clear(words.len());
        self.ids.clear();
        self.live.clear();
        for (at, pair) in hashes.windows(2).enumerate() {
            let key = key(pair);
            let may_be_again = self.marks.get(place(key)).is_some_and(|mark| *mark > 1);
            if may_be_again {
                self.live.push(at as u32);
            }
            self.ids.push(if may_be_again { self.table.number(key) } else { NONE });
        }
        self.ids.push(NONE);
        self.best()
    }

    /// Takes out the places whose group stands there once.
    fn forget_single(&mut self) {
        let (ids, table) = (&mut self.ids, &self.table);
        self.live.retain(|&at| {
            let id = &mut ids[at as usize];
            let is_repeated = table.count(*id) > 1;
            if !is_repeated {
                *id = NONE;
            }
            is_repeated
        });
    }

    /// Goes from groups of one word less to those of `length`; gives the place and the count of the most frequent.
    fn lengthen(&mut self, length: usize) -> (usize, u64) {
        self.table.clear(self.live.len());
        let n_groups = self.before.len().saturating_sub(length);
        let (ids, table) = (&mut self.ids, &mut self.table);
        // From the left, so that what stands behind a place is still of the shorter length.
        self.live.retain(|&at| {
            let at = at as usize;
            let (this, next) = (ids[at], ids.get(at + 1).copied().unwrap_or(NONE));
            let goes_on = at < n_groups && next != NONE;
            ids[at] = if goes_on { table.number(u64::from(this) << 32 | u64::from(next)) } else { NONE };
            goes_on
        });
        self.best()
    }

    /// The place and the count of the most frequent group; the first of all, once, if none is repeated. Forgets those that are
    /// not.
    fn best(&mut self) -> (usize, u64) {
        // Numbers are given in the order of the first occurrence.
        let best = self.table.most_frequent().filter(|(_, count)| *count > 1);
        let best = best.and_then(|(number, count)| {
            let place = self.live.iter().find(|&&at| self.ids[at as usize] == number)?;
            Some((*place as usize, u64::from(count)))
        });
        self.forget_single();
        best.unwrap_or((0, 1))
    }

    fn top(&self, (place, count): (usize, u64), length: usize) -> u64 {
        (self.n_chars(place, length) + length as u64 - 1) * count
    }

    fn duplicate(&mut self, length: usize) -> u64 {
        self.table.clear(self.live.len());
        let (mut n_chars, mut from) = (0, 0);
        for &at in &self.live {
            let at = at as usize;
            let Some(&end) = self.starts.get(at + length) else { break };
            if at < from {
                continue;
            }
            let group = self.joined.get(self.starts[at] as usize..end as usize).unwrap_or_default();
            let (_, count) = self.table.add(xxh3_64(group));
            if count > 1 {
                n_chars += self.before[at + length] - self.before[at];
                from = at + length;
            }
        }
        n_chars
    }

    fn n_chars(&self, place: usize, length: usize) -> u64 {
        self.before[place + length] - self.before[place]
    }
}

/// A number for a pair of words with these hashes.
fn key(pair: &[u64]) -> u64 {
    let [one, other] = pair else { return 0 };
    one.wrapping_mul(0xD6E8_FEB8_6659_FD93).rotate_left(32) ^ other
}

/// A number for a beginning.
fn mix<const N: usize>(beginning: &[u8; N]) -> u64 {
    let (parts, _) = beginning.as_chunks::<8>();
    let mixed = parts.iter().fold(0u64, |mixed, part| {
        mixed.wrapping_mul(0xD6E8_FEB8_6659_FD93).rotate_left(29) ^ u64::from_le_bytes(*part)
    });
    mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    fn found(words: &[&str]) -> Repetition {
        let text = words.join(" ");
        let mut start = 0;
        let all = words.iter().map(|word| {
            let n_chars = word.chars().count() as u32;
            let end = start + word.len() as u32;
            let word = Word { start, end, n_chars, has_letter: true, is_symbol: false };
            start = end + 1;
            word
        });
        let all: Vec<Word> = all.collect();
        let hashes: Vec<u64> = words.iter().map(|word| xxh3_64(word.as_bytes())).collect();
        Scratch::default().count(&text, &all, &hashes)
    }

    /// The same as the definitions say it.
    fn expected(words: &[&str]) -> Repetition {
        let mut all = Repetition::default();
        for length in 2..=10 {
            let groups: Vec<Vec<&str>> = words.windows(length).map(<[&str]>::to_vec).collect();
            if let (Some(top), false) = (all.top.get_mut(length - 2), groups.is_empty()) {
                let count = |group: &Vec<&str>| groups.iter().filter(|other| *other == group).count();
                let most = groups.iter().map(count).max().unwrap();
                let first = groups.iter().find(|group| count(group) == most).unwrap();
                *top = (first.join(" ").chars().count() * most) as u64;
            }
            if length < 5 {
                continue;
            }
            let (mut seen, mut at) = (HashSet::new(), 0);
            while at < groups.len() {
                if seen.insert(groups[at].concat()) {
                    at += 1;
                } else {
                    all.duplicate[length - 5] += groups[at].concat().chars().count() as u64;
                    at += length;
                }
            }
        }
        all
    }

    #[test]
    fn the_first_of_the_most_frequent_counts() {
        assert_eq!(found(&["a", "bb", "c"]).top, [4, 6, 0]);
        assert_eq!(found(&["a", "b", "a", "b", "ccc", "ccc", "ccc"]).top[0], 6);
        assert_eq!(found(&[]), Repetition::default());
    }

    proptest! {
        #[test]
        fn it_finds_what_the_definitions_say(
            picks in prop::collection::vec(0usize..5, 0..60),
            copies in 1usize..3,
        ) {
            let words: Vec<&str> = picks.iter().map(|pick| ["a", "aa", "ccc", "d", "a longer word"][*pick]).collect();
            let words = words.repeat(copies);
            prop_assert_eq!(found(&words), expected(&words));
        }
    }
}
