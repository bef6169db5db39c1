//! What has been seen, and how often.

/// No number.
pub(crate) const NONE: u32 = u32::MAX;

/// Numbers for keys, in the order in which they come: a table with open addressing. Slots hold numbers alone, so that the part
/// which is looked into at random, and cleared for each text, is small.
#[derive(Debug, Default)]
pub(crate) struct Table {
    slots: Vec<u32>,
    shift: u32,
    entries: Vec<Entry>,
}

/// A key, and how often it has come.
#[derive(Debug, Clone, Copy)]
struct Entry {
    key: u64,
    count: u32,
}

impl Table {
    /// Makes room for `n` keys.
    pub(crate) fn clear(&mut self, n: usize) {
        let size = (n * 2).next_power_of_two().max(16);
        self.slots.clear();
        self.slots.resize(size, NONE);
        self.shift = 64 - size.ilog2();
        self.entries.clear();
    }

    /// The number of a key, which is counted.
    #[inline]
    pub(crate) fn number(&mut self, key: u64) -> u32 {
        self.add(key).0
    }

    /// The number of a key, and how often it has come by now.
    #[inline]
    pub(crate) fn add(&mut self, key: u64) -> (u32, u32) {
        let mask = self.slots.len() - 1;
        let mut at = (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift) as usize;
        loop {
            let slot = &mut self.slots[at & mask];
            if *slot == NONE {
                *slot = self.entries.len() as u32;
                let number = *slot;
                self.entries.push(Entry { key, count: 1 });
                return (number, 1);
            }
            let entry = &mut self.entries[*slot as usize];
            if entry.key == key {
                entry.count += 1;
                return (*slot, entry.count);
            }
            at += 1;
        }
    }

    /// How often the key with this number has come.
    pub(crate) fn count(&self, number: u32) -> u32 {
        self.entries[number as usize].count
    }

    /// The first of the keys that have come most often, and how often; nothing if there are no keys.
    pub(crate) fn most_frequent(&self) -> Option<(u32, u32)> {
        let most = self.entries.iter().map(|entry| entry.count).max()?;
        let number = self.entries.iter().position(|entry| entry.count == most)?;
        Some((number as u32, most))
    }
}
