//! Repeated groups of words.

use xxhash_rust::xxh3::xxh3_64;

use crate::table::{NONE, Table};
use crate::words::Word;

/// The shortest group that Gopher looks for duplicates of.
const SHORTEST_DUPLICATE: usize = 5;

/// Two groups that are the same begin with the same so many bytes, if they have so many.
const BEGINNING: usize = 16;

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
    /// For groups of two, three and four of `words`, which have these hashes: how many characters all occurrences of the most
    /// frequent have, a blank between words counted; of several that are as frequent the first counts, if none is repeated the
    /// first of all.
    pub(crate) fn top(&mut self, words: &[Word], hashes: &[u64]) -> [u64; 3] {
        let mut found = [0; 3];
        let pairs = self.begin(words, hashes);
        // A group of n words is repeated only where both groups of n - 1 words in it are. So each length looks at the places
        // that the one before left over.
        for (length, top) in (2..=words.len()).zip(&mut found) {
            let (place, count) = if length == 2 { pairs } else { self.lengthen(length) };
            *top = (self.n_chars(place, length) + length as u64 - 1) * count;
        }
        found
    }

    /// Makes ready for [`duplicate`](Self::duplicate), behind [`top`](Self::top).
    ///
    /// These groups are compared as they read, whatever words they are cut into: `1 0` is `10` to the published rule.
    pub(crate) fn begin_duplicates(&mut self, text: &str, words: &[Word]) {
        self.join(text, words);
        self.look_ahead();
    }

    /// Puts the words together.
    fn join(&mut self, text: &str, words: &[Word]) {
        /// Most words have fewer bytes, and to copy a fixed number is one instruction.
        const BLOCK: usize = 16;
        let text = text.as_bytes();
        // Longer than what is written, so that a block fits anywhere; what an earlier text has left is written over.
        if self.joined.len() < text.len() + BLOCK {
            self.joined.resize(text.len() + BLOCK, 0);
        }
        self.starts.clear();
        self.starts.push(0);
        let mut end = 0;
        self.starts.extend(words.iter().map(|word| {
            let range = word.range();
            let length = range.len();
            let block = text.get(range.start..).and_then(<[u8]>::first_chunk::<BLOCK>);
            let to = self.joined.get_mut(end..).unwrap_or_default();
            if length <= BLOCK
                && let (Some(block), Some(to)) = (block, to.first_chunk_mut::<BLOCK>())
            {
                *to = *block;
            } else if let (Some(word), Some(to)) = (text.get(range), to.get_mut(..length)) {
                to.copy_from_slice(word);
            }
            end += length;
            end as u32
        }));
    }

    /// Finds the places at which a group of five words or more may begin that is repeated: few in most texts, so that all
    /// lengths cost little.
    ///
    /// Two groups that are the same begin with the same bytes. Beginnings are not compared but counted by a few bits of them: a
    /// place that is found for nothing costs some time and changes nothing.
    fn look_ahead(&mut self) {
        let n_places = self.starts.len().saturating_sub(SHORTEST_DUPLICATE);
        self.clear_marks(n_places);
        self.numbers.clear();
        let shift = 64 - self.marks.len().ilog2();
        let (joined, marks) = (&self.joined, &mut self.marks);
        // Behind the last word there are bytes of another text, which make no two groups alike that are not, nor the other way.
        self.numbers.extend(self.starts.iter().take(n_places).map(|start| {
            let beginning = joined.get(*start as usize..).and_then(<[u8]>::first_chunk::<BEGINNING>);
            let place = beginning.map_or(NONE, |beginning| (mix(*beginning) >> shift) as u32);
            if let Some(mark) = marks.get_mut(place as usize) {
                *mark = (*mark + 1).min(2);
            }
            place
        }));
        let ends = self.starts.iter().skip(SHORTEST_DUPLICATE);
        let places = self.numbers.iter().zip(self.starts.iter().zip(ends)).enumerate();
        self.live.clear();
        self.live.extend(places.filter_map(|(at, (number, (start, end)))| {
            // A group that is shorter than that cannot be told by it.
            let is_short = end - start < BEGINNING as u32;
            let is_live = is_short || self.marks.get(*number as usize).is_none_or(|mark| *mark > 1);
            is_live.then_some(at as u32)
        }));
    }

    /// Makes room to mark what `n` places begin with.
    fn clear_marks(&mut self, n: usize) {
        let size = (n * 8).next_power_of_two().max(64);
        self.marks.clear();
        self.marks.resize(size, 0);
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
        self.clear_marks(words.len());
        let shift = 64 - self.marks.len().ilog2();
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

    /// For groups of `length` words, five or more: how many characters the second and later occurrences have, without blanks.
    /// Occurrences are looked for from the left and do not overlap.
    pub(crate) fn duplicate(&mut self, length: usize) -> u64 {
        self.table.clear(self.live.len());
        let (mut n_chars, mut from) = (0, 0);
        for &at in &self.live {
            let at = at as usize;
            let Some(&end) = self.starts.get(at + length) else { break };
            if at < from {
                continue;
            }
            let group = self.joined.get(self.starts[at] as usize..end as usize).unwrap_or_default();
            // Places at which a short group begins are all live, and most longer groups there are told by their beginning.
            if group.len() >= BEGINNING && !self.may_be_again(at) {
                continue;
            }
            let (_, count) = self.table.add(xxh3_64(group));
            if count > 1 {
                n_chars += self.before[at + length] - self.before[at];
                from = at + length;
            }
        }
        n_chars
    }

    /// Whether what begins at a place, sixteen bytes of it, begins at another, too.
    fn may_be_again(&self, at: usize) -> bool {
        let number = self.numbers.get(at).copied().unwrap_or(NONE);
        self.marks.get(number as usize).is_none_or(|mark| *mark > 1)
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
fn mix(beginning: [u8; BEGINNING]) -> u64 {
    let whole = u128::from_le_bytes(beginning);
    let mixed = ((whole >> 64) as u64).wrapping_mul(0xD6E8_FEB8_6659_FD93).rotate_left(29) ^ whole as u64;
    mixed.wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Default, PartialEq)]
    struct Repetition {
        top: [u64; 3],
        duplicate: [u64; 6],
    }

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
        let mut scratch = Scratch::default();
        // What another text leaves behind changes nothing.
        scratch.begin_duplicates("another text", all.get(..1).unwrap_or_default());
        let top = scratch.top(&all, &hashes);
        scratch.begin_duplicates(&text, &all);
        let mut duplicate = [0; 6];
        for (length, found) in (5..).zip(&mut duplicate) {
            *found = scratch.duplicate(length);
        }
        Repetition { top, duplicate }
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
