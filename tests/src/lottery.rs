//! Chance that can be repeated.

/// Numbers that look random and are the same for the same seed.
#[derive(Debug, Clone)]
pub struct Lottery(pub u64);

impl Lottery {
    /// A lottery of its own for each of many seeds that lie close together.
    pub fn of_seed(seed: u64) -> Self {
        let mut lottery = Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5851_F42D_4C95_7F2D);
        lottery.below(2);
        lottery
    }

    /// A number from 0 to below `limit`, which is not 0 and below 2^31.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    /// The same for sizes and places in slices.
    pub fn index(&mut self, limit: usize) -> usize {
        self.below(limit as u64) as usize
    }

    /// One of some things.
    ///
    /// # Panics
    ///
    /// When there are none.
    pub fn one_of<'a, T>(&mut self, things: &'a [T]) -> &'a T {
        &things[self.index(things.len())]
    }

    /// True once in `n` times.
    pub fn once_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_that_lie_close_together_give_other_numbers() {
        let numbers = |seed| -> Vec<u64> {
            let mut lottery = Lottery::of_seed(seed);
            (0..20).map(|_| lottery.below(1_000)).collect()
        };
        assert_eq!(numbers(7), numbers(7));
        let equal = numbers(7).iter().zip(numbers(8)).filter(|(a, b)| **a == *b).count();
        assert!(equal < 3, "{equal}");
    }
}
