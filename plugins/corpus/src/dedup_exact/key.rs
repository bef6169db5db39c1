//! The hash of a text as it is compared.

use tamis_text::chars::is_han;
use unicode_normalization::UnicodeNormalization;
use xxhash_rust::xxh3::Xxh3;

use super::Normalize;
use crate::squeeze::Squeezer;

/// Texts are normalised in pieces of about so many bytes, so that no copy of a whole text is made.
const PIECE: usize = 16 * 1024;

/// The hash of `text`, or `None` when it has fewer than `min_chars` characters once normalised.
///
/// `buffer` is working space; what is in it does not matter.
pub(super) fn key(text: &str, normalize: Normalize, min_chars: u64, buffer: &mut Vec<u8>) -> Option<u128> {
    let mut digest = Digest { state: Xxh3::new(), n_chars: 0, min_chars };
    match normalize {
        Normalize::Exact => digest.update(text.as_bytes()),
        Normalize::Whitespace => squeeze(text.trim(), buffer, &mut digest),
        Normalize::Loose => loosen(text, buffer, &mut digest),
    }
    (digest.n_chars >= min_chars).then(|| digest.state.digest128())
}

struct Digest {
    state: Xxh3,
    /// Characters so far; not counted on once there are enough.
    n_chars: u64,
    min_chars: u64,
}

impl Digest {
    fn update(&mut self, bytes: &[u8]) {
        self.state.update(bytes);
        let missing = usize::try_from(self.min_chars - self.n_chars).unwrap_or(usize::MAX);
        if missing > 0 {
            let starts = bytes.iter().filter(|&&byte| byte & 0xC0 != 0x80);
            self.n_chars += starts.take(missing).count() as u64;
        }
    }
}

fn squeeze(text: &str, buffer: &mut Vec<u8>, digest: &mut Digest) {
    let mut squeezer = Squeezer::default();
    let mut rest = text;
    while !rest.is_empty() {
        let (piece, behind) = rest.split_at(rest.floor_char_boundary(PIECE));
        buffer.clear();
        squeezer.push(piece, false, buffer);
        digest.update(buffer);
        rest = behind;
    }
}

/// NFKC costs a table look-up a character; most characters of a text have no other form and are taken as they
/// are. One that stands before characters that may have another goes with them, because it may be what they
/// are composed with.
fn loosen(text: &str, buffer: &mut Vec<u8>, digest: &mut Digest) {
    buffer.clear();
    let mut rest = text;
    while !rest.is_empty() {
        let n_plain = rest.find(|c| !has_one_form(c)).unwrap_or(rest.len());
        let (plain, behind) = rest.split_at(n_plain);
        let n_odd = behind.find(has_one_form).unwrap_or(behind.len());
        let base = if n_odd == 0 { 0 } else { plain.chars().next_back().map_or(0, char::len_utf8) };
        let (plain, _) = plain.split_at(plain.len() - base);
        let (odd, behind) = rest.split_at(n_plain + n_odd);
        plain.chars().for_each(|c| push(c, buffer, digest));
        odd.split_at(plain.len()).1.nfkc().for_each(|c| push(c, buffer, digest));
        rest = behind;
    }
    digest.update(buffer);
}

/// Whether `c` is the same in NFKC, begins a sequence, and is composed with nothing before it.
fn has_one_form(c: char) -> bool {
    // U+F900 to U+FAFF and beyond are Han too, but compatibility forms of others.
    c.is_ascii() || matches!(c, '、' | '。') || (is_han(c) && matches!(c, '\u{3400}'..='\u{9FFF}'))
}

fn push(c: char, buffer: &mut Vec<u8>, digest: &mut Digest) {
    if buffer.len() >= PIECE {
        digest.update(buffer);
        buffer.clear();
    }
    if c.is_ascii() {
        if c.is_ascii_alphanumeric() {
            buffer.push(c.to_ascii_lowercase() as u8);
        }
        return;
    }
    let mut utf8 = [0; 4];
    for c in c.to_uppercase().flat_map(char::to_lowercase).filter(|c| c.is_alphanumeric()) {
        buffer.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use xxhash_rust::xxh3::xxh3_128;

    use super::*;

    /// The same, plainly.
    fn normalized(text: &str, normalize: Normalize) -> String {
        match normalize {
            Normalize::Exact => text.to_owned(),
            Normalize::Whitespace => text.split_whitespace().collect::<Vec<_>>().join(" "),
            Normalize::Loose => text
                .nfkc()
                .flat_map(char::to_uppercase)
                .flat_map(char::to_lowercase)
                .filter(|c| c.is_alphanumeric())
                .collect(),
        }
    }

    fn keys(text: &str) -> [Option<u128>; 3] {
        let mut buffer = vec![b'x'; 3];
        [Normalize::Exact, Normalize::Whitespace, Normalize::Loose]
            .map(|normalize| key(text, normalize, 1, &mut buffer))
    }

    #[test]
    fn what_is_the_same_depends_on_the_normalisation() {
        let text = keys("Rain, at last.");
        for (other, same) in [
            ("Rain, at last.", [true, true, true]),
            ("\u{3000}Rain,\u{a0}\n at last. \n", [false, true, true]),
            ("RAIN AT LAST", [false, false, true]),
            ("Ｒａｉｎ，at last。", [false, false, true]),
            ("Rain, at last. 7", [false, false, false]),
        ] {
            let other_keys = keys(other);
            let found: Vec<bool> = text.iter().zip(&other_keys).map(|(one, other)| one == other).collect();
            assert_eq!(found, same, "{other}");
        }
        assert_eq!(keys("Straße")[2], keys("STRASSE")[2]);
    }

    #[test]
    fn short_texts_have_no_key() {
        let mut buffer = Vec::new();
        for (text, normalize, min_chars, has_key) in [
            ("", Normalize::Exact, 1, false),
            (" \n ", Normalize::Whitespace, 1, false),
            ("— …", Normalize::Loose, 1, false),
            ("河水", Normalize::Whitespace, 2, true),
            ("河水", Normalize::Whitespace, 3, false),
            ("河 水 ", Normalize::Whitespace, 3, true),
            ("河 水 ", Normalize::Loose, 3, false),
        ] {
            assert_eq!(key(text, normalize, min_chars, &mut buffer).is_some(), has_key, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_key_is_the_hash_of_the_normalised_text(
            text in "([a-cA-C0-9河水臵ßéΣ가ᄀᆨ]|\\PC|[\\s\u{300}-\u{304}\u{3000}-\u{3002}\u{3099}Ａ-Ｚﷺ豈]){0,30}",
            times in 1_usize..2,
            long in prop::bool::weighted(0.1),
        ) {
            let text = text.repeat(if long { 700 } else { times });
            for (index, normalize) in [Normalize::Exact, Normalize::Whitespace, Normalize::Loose].into_iter().enumerate() {
                let plain = normalized(&text, normalize);
                let expected = (!plain.is_empty()).then(|| xxh3_128(plain.as_bytes()));
                prop_assert_eq!(keys(&text)[index], expected, "{:?}", normalize);
            }
        }
    }
}
