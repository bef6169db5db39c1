//! What characters a text is made of.

use tamis_text::maths::ln;

use crate::python::is_space;

/// Counts of characters, white space left out.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Characters {
    pub(crate) n_visible: u64,
    /// Chinese characters as `ChineseWebText` counts them: U+4E00 to U+9FA5.
    pub(crate) n_han: u64,
    pub(crate) n_letters: u64,
    pub(crate) n_digits: u64,
    pub(crate) n_capitals: u64,
    /// Characters that are neither letters nor digits.
    pub(crate) n_signs: u64,
    pub(crate) n_distinct: u64,
    /// Entropy of the characters, in nats.
    pub(crate) entropy: f64,
}

/// Room for one text: how often each character has come, and which have.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    counts: Vec<u32>,
    seen: Vec<char>,
    hashes: Vec<u64>,
}

/// The length of the runs of `ChineseWebText`, in characters.
const RUN: usize = 13;

impl Scratch {
    pub(crate) fn count(&mut self, text: &str) -> Characters {
        let mut found = Characters::default();
        self.counts.resize(0x11_0000, 0);
        self.seen.clear();
        for c in text.chars().filter(|c| !is_space(*c)) {
            let count = &mut self.counts[c as usize];
            if *count == 0 {
                self.seen.push(c);
            }
            *count += 1;
        }
        // In the order of the text, so that sums of fractions are the same every time.
        let mut sum = 0.0;
        for c in &self.seen {
            let count = std::mem::take(&mut self.counts[*c as usize]);
            let n = u64::from(count);
            found.n_visible += n;
            found.n_han += if matches!(c, '\u{4E00}'..='\u{9FA5}') { n } else { 0 };
            found.n_letters += if c.is_alphabetic() { n } else { 0 };
            found.n_digits += if c.is_numeric() { n } else { 0 };
            found.n_capitals += if c.is_uppercase() { n } else { 0 };
            found.n_signs += if c.is_alphanumeric() { 0 } else { n };
            sum += f64::from(count) * ln(f64::from(count));
        }
        found.n_distinct = self.seen.len() as u64;
        let n_visible = found.n_visible as f64;
        found.entropy = if found.n_visible == 0 { 0.0 } else { ln(n_visible) - sum / n_visible };
        found
    }

    /// The share of runs of characters that are repeated; 0 for a text that has none.
    pub(crate) fn repeated_runs(&mut self, text: &str) -> f64 {
        /// An odd number, so that it has an inverse; nothing else matters of it.
        const BASE: u64 = 0x9E37_79B9_7F4A_7C15;
        self.seen.clear();
        self.seen.extend(text.chars().filter(|c| !is_space(*c)));
        self.hashes.clear();
        let highest = (1..RUN).fold(1u64, |power, _| power.wrapping_mul(BASE));
        let mut hash = 0u64;
        for (at, c) in self.seen.iter().enumerate() {
            if let Some(gone) = at.checked_sub(RUN) {
                hash = hash.wrapping_sub((u64::from(u32::from(self.seen[gone])) + 1).wrapping_mul(highest));
            }
            hash = hash.wrapping_mul(BASE).wrapping_add(u64::from(u32::from(*c)) + 1);
            if at + 1 >= RUN {
                self.hashes.push(hash);
            }
        }
        self.hashes.sort_unstable();
        let n_repeated: usize =
            self.hashes.chunk_by(|one, other| one == other).map(<[u64]>::len).filter(|n| *n > 1).sum();
        if self.hashes.is_empty() { 0.0 } else { n_repeated as f64 / self.hashes.len() as f64 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_are_counted_by_class() {
        let found = Scratch::default().count("Ab 1，字 A");
        assert_eq!((found.n_visible, found.n_han, found.n_letters), (6, 1, 4));
        assert_eq!((found.n_digits, found.n_capitals, found.n_signs, found.n_distinct), (1, 2, 1, 5));
        let expected = (2.0 / 6.0) * ln(3.0) + 4.0 / 6.0 * ln(6.0);
        assert!((found.entropy - expected).abs() < 1e-12);
    }

    #[test]
    fn runs_of_thirteen_characters_are_found_again() {
        let mut scratch = Scratch::default();
        let share = scratch.repeated_runs("abcdefghijklm\nxyz abcdefghijklm");
        // 17 runs, of which the first and the last are the same.
        assert!((share - 2.0 / 17.0).abs() < 1e-12, "{share}");
        assert!(scratch.repeated_runs("abc").abs() < 1e-12);
    }
}
