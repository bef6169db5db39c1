//! What has been seen, and how often.

/// No number.
pub(crate) const NONE: u32 = u32::MAX;

/// Numbers for keys, in the order in which they come: a table with open addressing, twice as large as it need be.
#[derive(Debug, Default)]
pub(crate) struct Table {
    slots: Vec<(u64, u32)>,
    shift: u32,
}

impl Table {
    /// Makes room for `n` keys.
    pub(crate) fn clear(&mut self, n: usize) {
        let size = (n * 2).next_power_of_two().max(16);
        self.slots.clear();
        self.slots.resize(size, (0, NONE));
        self.shift = 64 - size.ilog2();
    }

    /// The number of a key, and counts it.
    pub(crate) fn number(&mut self, key: u64, counts: &mut Vec<u32>) -> u32 {
        let mask = self.slots.len() - 1;
        let mut at = (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> self.shift) as usize;
        loop {
            let slot = &mut self.slots[at];
            if slot.1 == NONE {
                *slot = (key, counts.len() as u32);
                counts.push(1);
                return slot.1;
            }
            if slot.0 == key {
                counts[slot.1 as usize] += 1;
                return slot.1;
            }
            at = (at + 1) & mask;
        }
    }
}
