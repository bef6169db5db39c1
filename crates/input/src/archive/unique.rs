//! Names that no two members of an archive share.

use std::hash::{Hash, Hasher};

/// How large the filter is, in bits: 4 MiB, which the system zeroes page by page as they are used.
const BITS: u64 = 1 << 25;

/// How many bits stand for a name.
const HASHES: u64 = 4;

/// Gives members names of their own, in the order of the archive, without a table of them.
///
/// A filter says of a name that it is certainly new, or that it may have been there before; then the number of the
/// member is put in front of its ending: `a~5.html`. A name that has that form itself gets its number in any case, so
/// one with a number at its end is only ever that of the member with this number, and one without was certainly new.
/// The names depend on the archive alone, since the filter is fed with all of them in their order.
#[derive(Default)]
pub(super) struct Unique {
    filter: Vec<u64>,
}

impl Unique {
    /// The name of a member; `plain` is what the archive calls it.
    pub(super) fn name(&mut self, plain: &str, number: u64) -> String {
        let (stem, ending) = split(plain);
        if is_numbered(stem) || !self.is_new(plain) {
            format!("{stem}~{number}{ending}")
        } else {
            plain.to_owned()
        }
    }

    /// Whether a name was certainly not there before; now it was.
    fn is_new(&mut self, name: &str) -> bool {
        if self.filter.is_empty() {
            self.filter = vec![0; usize::try_from(BITS / 64).unwrap_or_default()];
        }
        let mut is_new = false;
        for nth in 0..HASHES {
            let bit = hash(name, nth) % BITS;
            let word = usize::try_from(bit / 64).ok().and_then(|at| self.filter.get_mut(at));
            if let Some(word) = word {
                let mask = 1 << (bit % 64);
                is_new |= *word & mask == 0;
                *word |= mask;
            }
        }
        is_new
    }
}

/// One of the hashes of a name: FNV-1a, the same on every machine and in every version, as names must be.
fn hash(name: &str, nth: u64) -> u64 {
    let mut hasher = Fnv(0xCBF2_9CE4_8422_2325 ^ nth.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    hasher.write(name.as_bytes());
    nth.hash(&mut hasher);
    hasher.finish()
}

struct Fnv(u64);

impl Hasher for Fnv {
    fn finish(&self) -> u64 {
        // The low bits of a product depend on the low bits alone.
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x100_0000_01B3);
        }
    }
}

/// A name in front of its ending, and the ending with its dot; a dot at the beginning of a name begins no ending.
fn split(name: &str) -> (&str, &str) {
    let begin = name.rfind('/').map_or(0, |at| at + 1);
    match name.rfind('.').filter(|dot| *dot > begin) {
        Some(dot) => name.split_at_checked(dot).unwrap_or((name, "")),
        None => (name, ""),
    }
}

/// Whether a name ends as if it had been given its number.
fn is_numbered(stem: &str) -> bool {
    let digits = stem.len() - stem.trim_end_matches(|letter: char| letter.is_ascii_digit()).len();
    digits > 0 && stem.get(..stem.len() - digits).is_some_and(|rest| rest.ends_with('~'))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn names<'a>(plain: impl IntoIterator<Item = &'a str>) -> Vec<String> {
        let mut unique = Unique::default();
        plain.into_iter().zip(0..).map(|(plain, number)| unique.name(plain, number)).collect()
    }

    #[test]
    fn a_name_that_comes_again_gets_its_number() {
        let plain = [
            "a.html", "b/a.html", "a.html", "a~2.html", "a~5.html", ".x", ".x", "", "", "a.tar.gz",
            "a.tar.gz",
        ];
        let expected = [
            "a.html",
            "b/a.html",
            "a~2.html",
            "a~2~3.html",
            "a~5~4.html",
            ".x",
            ".x~6",
            "",
            "~8",
            "a.tar.gz",
            "a.tar~10.gz",
        ];
        assert_eq!(names(plain), expected);
    }

    #[test]
    fn many_names_are_told_apart() {
        let plain: Vec<_> = (0..100_000).map(|number| format!("dump/page-{number}.html")).collect();
        let changed =
            names(plain.iter().map(String::as_str)).iter().zip(&plain).filter(|(a, b)| a != b).count();
        assert!(changed < 100, "{changed} names were taken for others");
    }

    proptest! {
        #[test]
        fn no_two_are_the_same(plain in proptest::collection::vec("[a/]{0,2}(~[0-2]{0,2}){0,2}(\\.[a~1]{0,2}){0,2}", 0..60)) {
            let names = names(plain.iter().map(String::as_str));
            let set: BTreeSet<_> = names.iter().collect();
            prop_assert_eq!(set.len(), names.len(), "{:?}", names);
        }

        #[test]
        fn no_two_are_the_same_where_the_filter_is_full(plain in proptest::collection::vec("[ab~1.]{0,4}", 0..60)) {
            let mut unique = Unique { filter: vec![u64::MAX; usize::try_from(BITS / 64).unwrap()] };
            let names: BTreeSet<_> = plain.iter().zip(0..).map(|(plain, number)| unique.name(plain, number)).collect();
            prop_assert_eq!(names.len(), plain.len());
        }
    }
}
