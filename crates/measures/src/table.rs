//! What has been seen, and how often.

/// No number.
pub(crate) const NONE: u32 = u32::MAX;

/// Numbers for keys, in the order in which they come: a table with open addressing. Slots hold numbers alone, so that the part
/// which is looked into at random, and cleared for each text, is small.
#[derive(Debug, Default)]
pub(crate) struct Table {
    slots: Vec<u32>,
    shift: u32,
    keys: Vec<u64>,
    /// How often each key has come, by number.
    pub(crate) counts: Vec<u32>,
}

impl Table {
    /// Makes room for `n` keys.
    pub(crate) fn clear(&mut self, n: usize) {
        let size = (n * 2).next_power_of_two().max(16);
        self.slots.clear();
        self.slots.resize(size, NONE);
        self.shift = 64 - size.ilog2();
        self.keys.clear();
        self.counts.clear();
    }

    /// The number of a key, which is counted.
    #[inline]
    pub(crate) fn number(&mut self, key: u64) -> u32 {
        let mask = self.slots.len() - 1;
        let mut at = (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift) as usize;
        loop {
            let number = self.slots[at];
            if number == NONE {
                self.slots[at] = self.keys.len() as u32;
                self.keys.push(key);
                self.counts.push(1);
                return self.slots[at];
            }
            if self.keys[number as usize] == key {
                self.counts[number as usize] += 1;
                return number;
            }
            at = (at + 1) & mask;
        }
    }
}
