//! Places in a text that few bytes tell, found in windows of 64 bytes.
//!
//! A search that is set up anew for every place takes longer than the way to the next one where places are near each other,
//! as the ends of short lines are. Here a loop without branches says of each byte of a window whether it is one, which a
//! compiler turns into a few vector instructions, and what it says becomes the bits of a number.

/// Bytes that are looked at together, one a bit.
pub const WINDOW: usize = 64;

/// Bytes behind the last of a window that may be looked at with it.
const BEHIND: usize = 2;

/// The lowest bit of each of these bytes, which have no other; the first byte is the lowest bit.
#[inline]
pub(crate) fn gathered(bits: &[u8; WINDOW]) -> u64 {
    let (words, _) = bits.as_chunks::<8>();
    let mut marks = 0;
    for (index, word) in words.iter().enumerate() {
        // The product adds the lowest bits of eight bytes up, each at a place of its own, in the highest byte.
        let bits = u64::from_le_bytes(*word).wrapping_mul(0x0102_0408_1020_4080) >> 56;
        marks |= bits << (index * 8);
    }
    marks
}

/// The places of some bytes for which `is` says 1, in order, told by each byte and the two behind it, which are 0 behind the
/// end. For all others it must say 0; what is true is a 1 because `&&` would become a jump for each byte.
#[inline]
pub fn places<F: Fn(u8, u8, u8) -> u8>(bytes: &[u8], is: F) -> Places<'_, F> {
    Places { bytes, is, begun: 0, marks: 0 }
}

/// See [`places`].
#[derive(Debug, Clone)]
pub struct Places<'a, F> {
    bytes: &'a [u8],
    is: F,
    /// Bytes of the windows so far.
    begun: usize,
    /// The places in the last of them that have not been told.
    marks: u64,
}

impl<F: Fn(u8, u8, u8) -> u8> Places<'_, F> {
    /// The marks of the next window, if there is one.
    #[inline]
    fn look(&mut self) -> Option<u64> {
        let rest = self.bytes.get(self.begun..).filter(|rest| !rest.is_empty())?;
        self.begun += WINDOW;
        if let Some(window) = rest.first_chunk() {
            return Some(marks(window, &self.is));
        }
        let mut last = [0; WINDOW + BEHIND];
        last[..rest.len()].copy_from_slice(rest);
        let marks = marks(&last, &self.is);
        // The zeros behind the text may look like places.
        Some(if rest.len() < WINDOW { marks & ((1 << rest.len()) - 1) } else { marks })
    }
}

impl<F: Fn(u8, u8, u8) -> u8> Iterator for Places<'_, F> {
    type Item = usize;

    #[inline]
    fn next(&mut self) -> Option<usize> {
        while self.marks == 0 {
            self.marks = self.look()?;
        }
        let place = self.begun - WINDOW + self.marks.trailing_zeros() as usize;
        self.marks &= self.marks - 1;
        Some(place)
    }
}

#[inline]
fn marks(window: &[u8; WINDOW + BEHIND], is: &impl Fn(u8, u8, u8) -> u8) -> u64 {
    let mut bits = [0; WINDOW];
    let mut any = 0;
    for (index, bit) in bits.iter_mut().enumerate() {
        *bit = is(window[index], window[index + 1], window[index + 2]);
        any |= *bit;
    }
    if any == 0 { 0 } else { gathered(&bits) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn places_are_those_of_which_it_is_true(text in "[ab\\x00]{0,200}") {
            let bytes = text.as_bytes();
            let at = |place: usize| bytes.get(place).copied().unwrap_or_default();
            let is = |first: u8, second: u8, third: u8| {
                u8::from(first == b'a' && second == b'b' || first == 0 && third == 0)
            };
            let expected: Vec<usize> =
                (0..bytes.len()).filter(|place| is(at(*place), at(place + 1), at(place + 2)) == 1).collect();
            prop_assert_eq!(places(bytes, is).collect::<Vec<_>>(), expected);
        }
    }
}
