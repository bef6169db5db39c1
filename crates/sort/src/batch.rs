//! What one worker has collected, and how it is sorted.

use crate::shape::{Combine, Shape, prefix};

/// A batch has less, so that a place in it fits in 32 bits.
const MOST_BYTES: usize = 1 << 31;

/// Entries in the order in which one worker made them.
#[derive(Debug, Default)]
pub struct Batch {
    pub(crate) bytes: Vec<u8>,
    pub(crate) n_entries: usize,
}

impl Batch {
    /// Bytes of memory that it takes, also while it is sorted: the entries, a copy of them in order, and for each
    /// its place and the first bytes of its key.
    pub(crate) fn size(&self) -> usize {
        2 * self.bytes.len() + size_of::<(u64, u32)>() * self.n_entries
    }

    /// Whether it cannot grow any more, whatever memory there is.
    pub(crate) fn is_full(&self) -> bool {
        self.bytes.len() >= MOST_BYTES / 2
    }

    /// Takes the entries out, in order and combined.
    ///
    /// The entries stay where they are while their places are sorted with the first eight bytes of each beside
    /// them: with hashes, those decide nearly every comparison, and 16 bytes move instead of a whole entry.
    pub(crate) fn sorted(&mut self, shape: Shape, combine: &Combine) -> Vec<u8> {
        let bytes = std::mem::take(&mut self.bytes);
        let entry = |at: u32| match shape.entry(&bytes, at as usize) {
            Some((start, end)) => bytes.get(start..end).unwrap_or_default(),
            None => &[],
        };
        let mut places: Vec<(u64, u32)> = Vec::with_capacity(std::mem::take(&mut self.n_entries));
        let mut at = 0;
        while let Some((_, end)) = shape.entry(&bytes, at).filter(|_| at < bytes.len()) {
            places.push((prefix(entry(at as u32)), at as u32));
            at = end;
        }
        places.sort_unstable_by(|(a, at_a), (b, at_b)| a.cmp(b).then_with(|| entry(*at_a).cmp(entry(*at_b))));
        let mut sorted = Vec::with_capacity(bytes.len());
        let mut last = None;
        for (_, at) in places {
            let next = entry(at);
            if let Some(last) = last
                && combine.take(shape, sorted.get_mut(last..).unwrap_or_default(), next)
            {
                continue;
            }
            shape.append(next, &mut sorted);
            last = Some(sorted.len() - next.len());
        }
        sorted
    }
}
