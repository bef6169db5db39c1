//! Which texts of a group have a band in common with another one.

use std::collections::HashMap;

/// A text is compared with at most so many others: those with the most bands in common.
const MOST_COMPARED: usize = 64;
/// Of those that have one band so many are looked at, the latest first. Where more have one, the group hangs together by a
/// template, and a text that is like another shares other bands with it, too.
const MOST_OF_A_BAND: usize = 1024;

/// No text.
const NONE: u32 = u32::MAX;

/// Texts by their bands. They are numbered as they are added.
#[derive(Debug)]
pub(super) struct Index {
    n_bands: usize,
    /// The last text that has a band.
    latest: HashMap<u64, u32>,
    /// For each text and each of its bands, the text before it that has it.
    before: Vec<u32>,
    /// The texts that share bands with the one at hand, as often as they do.
    found: Vec<u32>,
    /// How many bands each of them shares, and its number.
    ranked: Vec<(usize, u32)>,
}

impl Index {
    pub(super) fn new(n_bands: usize) -> Self {
        Self { n_bands, latest: HashMap::new(), before: Vec::new(), found: Vec::new(), ranked: Vec::new() }
    }

    /// Bytes that a text takes.
    pub(super) fn bytes_of_one(&self) -> usize {
        // A table is half empty at worst, and has a byte of its own for each entry.
        self.n_bands * (2 * (size_of::<(u64, u32)>() + 1) + size_of::<u32>())
    }

    /// Adds a text by its bands; it gets the next number.
    pub(super) fn add(&mut self, bands: &[u64]) {
        let number = (self.before.len() / self.n_bands.max(1)) as u32;
        for band in bands {
            self.before.push(self.latest.insert(*band, number).unwrap_or(NONE));
        }
    }

    /// Forgets the bands of texts before `first`, which [`Index::alike`] must not be asked for again.
    pub(super) fn forget_before(&mut self, first: u32) {
        self.latest.retain(|_, number| *number >= first);
    }

    /// The texts from `first` on that share bands with these, those that share the most before the others.
    pub(super) fn alike(&mut self, bands: &[u64], first: u32) -> impl Iterator<Item = u32> + use<'_> {
        self.found.clear();
        for (place, band) in bands.iter().enumerate() {
            let mut next = self.latest.get(band).copied().unwrap_or(NONE);
            for _ in 0..MOST_OF_A_BAND {
                if next == NONE || next < first {
                    break;
                }
                self.found.push(next);
                let before = self.before.get(next as usize * self.n_bands + place);
                next = before.copied().unwrap_or(NONE);
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
    fn those_with_the_most_bands_in_common_come_first() {
        let mut index = Index::new(3);
        for bands in [[1, 2, 3], [1, 12, 13], [1, 2, 23], [31, 32, 33]] {
            index.add(&bands);
        }
        let mut alike = |bands, first| index.alike(bands, first).collect::<Vec<_>>();
        assert_eq!(alike(&[1, 2, 3], 0), [0, 2, 1]);
        assert_eq!(alike(&[1, 2, 3], 1), [2, 1]);
        assert_eq!(alike(&[9, 9, 33], 0), [3]);
        assert!(alike(&[9, 9, 9], 0).is_empty());
        index.forget_before(2);
        let mut alike = |bands| index.alike(bands, 2).collect::<Vec<_>>();
        assert_eq!((alike(&[1, 12, 13]), alike(&[31, 2, 3])), (vec![2], vec![2, 3]));
    }
}
