//! Hashes of bytes, the same on every machine.

/// A hash of some bytes, the same on every machine. It is quick and not made for bytes by which somebody wants to cause
/// collisions: whoever must be right compares the bytes, too.
pub fn hash(bytes: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9E37_79B9_7F4A_7C15;
    let mut hash = (bytes.len() as u64).wrapping_mul(FACTOR);
    let mut add = |word: u64| hash = (hash ^ word).wrapping_mul(FACTOR).rotate_left(29);
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        add(u64::from_le_bytes(*word));
    }
    if !rest.is_empty() {
        // The last eight bytes are as good as the rest alone, and one load.
        let last = bytes.last_chunk().map_or_else(
            || rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
            |last| u64::from_le_bytes(*last),
        );
        add(last);
    }
    mix(hash)
}

/// Spreads the bits of a number (after the finaliser of `SplitMix64`: Steele, Lea, Flood, OOPSLA 2014).
pub(crate) fn mix(number: u64) -> u64 {
    let number =
        (number ^ (number >> 30)).wrapping_add(0x9E37_79B9_7F4A_7C15).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn hashes_are_these_everywhere() {
        for (text, expected) in [
            ("", 0xD85D_1D82_3D12_CDE7),
            ("a", 0x9FA5_EAD8_1079_8B50),
            ("the ferry", 0x5654_020A_DF0C_430F),
            ("渡船在天亮以前离开了港口", 0x1D57_FDF5_F185_DB9F),
        ] {
            assert_eq!(hash(text.as_bytes()), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn other_bytes_have_another_hash(a in "[ab]{0,20}", b in "[ab]{0,20}") {
            prop_assert_eq!(hash(a.as_bytes()) == hash(b.as_bytes()), a == b);
        }
    }
}
