//! The hash of a text as it is compared.

use tamis_text::chars::is_han;
use unicode_normalization::UnicodeNormalization;
use xxhash_rust::xxh3::Xxh3;

use super::{Normalize, address};
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
        Normalize::Address => digest.update(address::normal(text).as_bytes()),
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
    let mut loose = Loose::default();
    let mut push = |c: char| {
        if buffer.len() >= PIECE {
            digest.update(buffer);
            buffer.clear();
        }
        loose.push(c, buffer);
    };
    let mut rest = text;
    while !rest.is_empty() {
        let n_plain = rest.find(|c| !has_one_form(c)).unwrap_or(rest.len());
        let (plain, behind) = rest.split_at(n_plain);
        let n_odd = behind.find(has_one_form).unwrap_or(behind.len());
        let base = if n_odd == 0 { 0 } else { plain.chars().next_back().map_or(0, char::len_utf8) };
        let (plain, _) = plain.split_at(plain.len() - base);
        let (odd, behind) = rest.split_at(n_plain + n_odd);
        plain.chars().for_each(&mut push);
        odd.split_at(plain.len()).1.nfkc().for_each(&mut push);
        rest = behind;
    }
    digest.update(buffer);
}

/// Whether `c` is the same in NFKC, begins a sequence, and is composed with nothing before it.
fn has_one_form(c: char) -> bool {
    // U+F900 to U+FAFF and beyond are Han too, but compatibility forms of others.
    c.is_ascii() || matches!(c, '、' | '。') || (is_han(c) && matches!(c, '\u{3400}'..='\u{9FFF}'))
}

/// What is left of a text when white space, punctuation, case and width do not count, character by character.
///
/// Some punctuation says something all the same: what parts two numbers (`1.5`, `15`), a sign (`-5`), and symbols
/// (`C#`, `C++`, `<`, emoji).
struct Loose {
    /// The last two characters, whatever became of them.
    last: [char; 2],
    /// Whether the last character that counted was a digit.
    behind_digit: bool,
    /// What has stood behind that digit: white space, or the first mark.
    between: Option<char>,
}

impl Default for Loose {
    fn default() -> Self {
        Self { last: ['\n'; 2], behind_digit: false, between: None }
    }
}

impl Loose {
    fn push(&mut self, c: char, out: &mut Vec<u8>) {
        if c.is_alphanumeric() {
            let is_digit = c.is_numeric();
            if is_digit {
                self.part(out);
            }
            append_folded(c, out);
            (self.behind_digit, self.between) = (is_digit, None);
        } else if self.is_symbol(c) {
            append_folded(c, out);
            (self.behind_digit, self.between) = (false, None);
        } else if self.behind_digit {
            let mark = if c.is_whitespace() { ' ' } else { plain_dash(c) };
            // Of several marks the first counts, and white space only where there is no mark.
            if self.between.is_none_or(|between| between == ' ') {
                self.between = Some(mark);
            }
        }
        self.last = [self.last[1], c];
    }

    /// What parts a digit from the one before it, or is its sign.
    fn part(&self, out: &mut Vec<u8>) {
        let [before, mark] = self.last;
        let is_sign = plain_dash(mark) == '-' && (before.is_whitespace() || matches!(before, '(' | '='));
        let parting = self.between.filter(|_| self.behind_digit).or(is_sign.then_some('-'));
        if let Some(parting) = parting {
            append_folded(parting, out);
        }
    }

    /// Whether a mark means something by itself, and is no ornament of a line.
    fn is_symbol(&self, c: char) -> bool {
        let [_, before] = self.last;
        match c {
            '$' | '%' | '&' | '=' | '@' => true,
            // A quotation or a heading in Markdown begins with them.
            '<' | '>' => before != '\n',
            '#' | '+' => before.is_alphanumeric() || before == c,
            _ => {
                matches!(
                    c,
                    '\u{A2}'..='\u{A5}' | '\u{B0}' | '\u{B1}' | '×' | '÷' | '\u{20A0}'..='\u{20CF}' | '\u{2190}'..='\u{22FF}'
                        | '\u{2600}'..='\u{26FF}' | '\u{2764}' | '\u{1F000}'..='\u{1FAFF}'
                ) && plain_dash(c) != '-'
            }
        }
    }
}

/// All dashes and the minus sign as one.
fn plain_dash(c: char) -> char {
    if matches!(c, '\u{2010}'..='\u{2015}' | '\u{2212}') { '-' } else { c }
}

fn append_folded(c: char, out: &mut Vec<u8>) {
    if c.is_ascii() {
        return out.push(c.to_ascii_lowercase() as u8);
    }
    let mut utf8 = [0; 4];
    for c in c.to_uppercase().flat_map(char::to_lowercase).filter(|it| it.is_alphanumeric() || *it == c) {
        out.extend_from_slice(c.encode_utf8(&mut utf8).as_bytes());
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
            Normalize::Loose => {
                let (mut loose, mut out) = (Loose::default(), Vec::new());
                text.nfkc().for_each(|c| loose.push(c, &mut out));
                String::from_utf8(out).expect("characters as a whole")
            }
            Normalize::Address => address::normal(text),
        }
    }

    #[test]
    fn loose_forgives_marks_but_for_those_that_say_something() {
        let loose = |text: &str| normalized(text, Normalize::Loose);
        for (one, other) in [
            ("3 – 5", "3-5"),
            ("홍차-커피", "홍차커피"),
            ("re-sign the form", "resign the form"),
            ("# A title\n\n> quoted", "A title\nquoted"),
            ("• one\n• two", "- one\n- two"),
            ("“Yes”, he said…", "Yes he said"),
            ("10 000", "10\u{a0}000"),
            ("１．５％", "1.5%"),
            ("\u{2212}5 °C", "-5°C"),
        ] {
            assert_eq!(loose(one), loose(other), "{one} and {other}");
        }
        for (one, other) in [
            ("1.5", "15"),
            ("3.5", "3-5"),
            ("1|2|300$", "123|00$"),
            ("10 000", "100 00"),
            ("a -5", "a 5"),
            ("C", "C#"),
            ("C", "C++"),
            ("C#", "C++"),
            ("a < b", "a > b"),
            ("5%", "5"),
            ("🙂", "🙁"),
            ("€5", "$5"),
        ] {
            assert_ne!(loose(one), loose(other), "{one} and {other}");
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
