//! Which texts of a group have a key in common with another one.

use std::collections::HashMap;

/// A text is compared with at most so many others: those with the most keys in common.
const MOST_COMPARED: usize = 64;
/// Of those that have one key so many are looked at, the latest first. Where more have one, the group hangs
/// together by a template, and a text that is like another shares other keys with it, too.
const MOST_OF_A_KEY: usize = 1024;

/// No entry.
const NONE: u32 = u32::MAX;

/// Texts by their keys: bands or passages. They are numbered as they are added.
#[derive(Debug, Default)]
pub(super) struct Index {
    n_texts: u32,
    /// The last entry of a key.
    latest: HashMap<u64, u32>,
    entries: Vec<Entry>,
    /// The texts that share keys with the one at hand, as often as they do.
    found: Vec<u32>,
    /// How many keys each of them shares, and its number.
    ranked: Vec<(usize, u32)>,
}

/// A key of a text.
#[derive(Debug, Clone, Copy)]
struct Entry {
    text: u32,
    /// The entry before it with that key.
    before: u32,
}

impl Index {
    /// Bytes that a text with so many keys takes.
    pub(super) fn bytes_of_one(n_keys: usize) -> usize {
        // A table is half empty at worst, and has a byte of its own for each entry.
        n_keys * (2 * (size_of::<(u64, u32)>() + 1) + size_of::<Entry>())
    }

    /// Adds a text by its keys; it gets the next number.
    pub(super) fn add(&mut self, keys: &[u64]) {
        for key in keys {
            let number = self.entries.len() as u32;
            let before = self.latest.insert(*key, number).unwrap_or(NONE);
            self.entries.push(Entry { text: self.n_texts, before });
        }
        self.n_texts += 1;
    }

    /// The texts that share keys with these, those that share the most before the others.
    pub(super) fn alike(&mut self, keys: &[u64]) -> impl Iterator<Item = u32> + use<'_> {
        self.found.clear();
        for key in keys {
            let mut next = self.latest.get(key).copied().unwrap_or(NONE);
            for _ in 0..MOST_OF_A_KEY {
                let Some(Entry { text, before }) = self.entries.get(next as usize).copied() else { break };
                self.found.push(text);
                next = before;
            }
        }
        self.found.sort_unstable();
        self.ranked.clear();
        self.ranked.extend(
            self.found
                .chunk_by(|one, other| one == other)
                .filter_map(|same| Some((same.len(), *same.first()?))),
        );
        self.ranked.sort_unstable_by(|one, other| other.0.cmp(&one.0).then(one.1.cmp(&other.1)));
        self.ranked.iter().take(MOST_COMPARED).map(|(_, number)| *number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_with_the_most_keys_in_common_come_first() {
        let mut index = Index::default();
        for keys in [[1, 2, 3], [1, 12, 13], [1, 2, 23], [31, 32, 33]] {
            index.add(&keys);
        }
        let mut alike = |keys: [u64; 3]| index.alike(&keys).collect::<Vec<_>>();
        assert_eq!(alike([1, 2, 3]), [0, 2, 1]);
        assert_eq!(alike([9, 9, 33]), [3]);
        assert_eq!(alike([31, 2, 3]), [0, 2, 3]);
        assert!(alike([9, 9, 9]).is_empty());
    }
}
