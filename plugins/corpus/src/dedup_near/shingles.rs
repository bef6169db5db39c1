//! From a text to the hashes of its shingles.
//!
//! A **token** is a word, or one character where scripts put no blanks between words: Han, kana, hangul, Thai, Lao,
//! Tibetan, Burmese and Khmer. Case, width, marks above letters, punctuation and white space do not count. A
//! **shingle** is some tokens in a row; a text with fewer tokens is one shingle as a whole, so that it is only like
//! what is equal.
//!
//! Five characters of Chinese say about what three words of English do, which is why the unit depends on the
//! script. Five *letters* of English say nothing: in long pages a pair that has nothing to do with each other
//! shares 12 % of them, and at a million pages every one of them has a false candidate.

use tamis_text::chars::{is_cjk, is_invisible};
use unicode_normalization::char::{decompose_compatible, is_combining_mark};

/// An odd number, so that multiplying by it loses nothing.
const WORD: u64 = 0x0000_0100_0000_01b3;
const CHARACTER: u64 = 0x9e37_79b9_7f4a_7c15;
const PLACE: u64 = 0x9fb2_1c65_1e98_df25;
/// A word without letters; any other number would do.
const NO_WORD: u64 = 0xcbf2_9ce4_8422_2325;

/// Letters and digits of ASCII in lower case, and 0 for all else.
const ASCII: [u8; 128] = ascii();

const fn ascii() -> [u8; 128] {
    let mut table = [0; 128];
    let mut byte = 0;
    while byte < 128 {
        if (byte as u8).is_ascii_alphanumeric() {
            table[byte] = (byte as u8).to_ascii_lowercase();
        }
        byte += 1;
    }
    table
}

/// Spreads what differs in a few bits over all of them (the end of `MurmurHash3`).
pub(super) fn mix(mut hash: u64) -> u64 {
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

/// Puts the hashes of all shingles of `n` tokens into `hashes`, in the order of the text and as often as they occur.
/// `tokens` is working space.
pub(super) fn shingles(text: &str, n: usize, tokens: &mut Vec<u64>, hashes: &mut Vec<u64>) {
    self::tokens(text, tokens);
    hashes.clear();
    if tokens.len() < n {
        if !tokens.is_empty() {
            let all = tokens
                .iter()
                .fold(tokens.len() as u64, |hash, token| hash.wrapping_mul(PLACE).wrapping_add(mix(*token)));
            hashes.push(mix(all));
        }
        return;
    }
    // A polynomial, so that the token that leaves can be subtracted.
    let leaving = (0..n).fold(1, |power: u64, _| power.wrapping_mul(PLACE));
    let (first, rest) = tokens.split_at(n);
    let mut hash = first.iter().fold(0, |hash: u64, token| hash.wrapping_mul(PLACE).wrapping_add(*token));
    hashes.reserve(rest.len() + 1);
    hashes.push(mix(hash));
    hashes.extend(rest.iter().zip(tokens.iter()).map(|(token, left)| {
        hash = hash.wrapping_mul(PLACE).wrapping_add(*token).wrapping_sub(left.wrapping_mul(leaving));
        mix(hash)
    }));
}

/// The hashes of the tokens of a text.
pub(crate) fn tokens(text: &str, tokens: &mut Vec<u64>) {
    tokens.clear();
    let bytes = text.as_bytes();
    let mut word = NO_WORD;
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        if let Some(&letter) = ASCII.get(usize::from(byte)) {
            at += 1;
            if letter != 0 {
                word = lengthened(word, u64::from(letter));
            } else {
                end(&mut word, tokens);
            }
            continue;
        }
        let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) else { break };
        at += c.len_utf8();
        if is_common_han(c) {
            end(&mut word, tokens);
            tokens.push(u64::from(c).wrapping_mul(CHARACTER));
        } else {
            other(c, &mut word, tokens);
        }
    }
    end(&mut word, tokens);
}

/// Nearly every character of a Chinese text, none of which has another form.
fn is_common_han(c: char) -> bool {
    matches!(c, '\u{4E00}'..='\u{9FFF}')
}

fn lengthened(word: u64, letter: u64) -> u64 {
    (word ^ letter).wrapping_mul(WORD)
}

fn end(word: &mut u64, tokens: &mut Vec<u64>) {
    if *word != NO_WORD {
        tokens.push(*word);
        *word = NO_WORD;
    }
}

/// Any character. Where decomposed forms are taken apart, so are composed ones, so both come to the same; a syllable
/// of hangul, which would be two or three letters, stays one.
fn other(c: char, word: &mut u64, tokens: &mut Vec<u64>) {
    let mut part = |c: char| {
        if stands_alone(c) {
            end(word, tokens);
            tokens.push(u64::from(c).wrapping_mul(CHARACTER));
        } else if c.is_alphanumeric() {
            for letter in c.to_lowercase().filter(|letter| letter.is_alphanumeric()) {
                // At the end of a word a capital sigma has another small letter.
                let letter = if letter == 'ς' { 'σ' } else { letter };
                *word = lengthened(*word, u64::from(letter));
            }
        } else if !is_combining_mark(c) && !is_invisible(c) {
            end(word, tokens);
        }
    };
    if matches!(c, '가'..='힣') { part(c) } else { decompose_compatible(c, part) }
}

/// Whether a character is a token: those of scripts without blanks between words.
fn stands_alone(c: char) -> bool {
    is_cjk(c)
        || (matches!(c, '\u{0E00}'..='\u{0FFF}' | '\u{1000}'..='\u{109F}' | '\u{1780}'..='\u{17FF}')
            && c.is_alphanumeric())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str, n: usize) -> Vec<u64> {
        let (mut tokens, mut hashes) = (Vec::new(), Vec::new());
        shingles(text, n, &mut tokens, &mut hashes);
        hashes
    }

    #[test]
    fn words_and_characters_are_counted_by_script() {
        for (text, n) in [
            ("", 0),
            (" … — ", 0),
            ("one two three", 3),
            ("don't stop", 3),
            ("渡船在天亮", 5),
            ("版本2.0发布", 6),
            ("カタカナ", 4),
            ("한국어 문장", 5),
            ("ไทย", 3),
            ("naïve café", 2),
            ("exam\u{AD}ple exam\u{200B}ple", 2),
        ] {
            assert_eq!(of(text, 1).len(), n, "{text}");
        }
    }

    #[test]
    fn what_does_not_count_makes_no_difference() {
        for (one, other) in [
            ("Rain, at last.", "RAIN  at\u{3000}last"),
            ("Ｒａｉｎ １２", "rain 12"),
            ("渡船，在天亮。", "渡船 在 天亮"),
            ("café", "cafe\u{301}"),
            ("e\u{301}clair", "Éclair"),
            ("ﬁne", "fine"),
            ("樂\u{F914}", "樂樂"),
            ("ｶﾀ", "カタ"),
        ] {
            assert_eq!(of(one, 1), of(other, 1), "{one}");
        }
        for (one, other) in [("rain at last", "rain atlast"), ("1.5", "15"), ("渡船", "船渡"), ("한", "하나")]
        {
            assert_ne!(of(one, 2), of(other, 2), "{one}");
        }
    }

    #[test]
    fn a_short_text_is_one_shingle() {
        assert_eq!(of("three short words", 5).len(), 1);
        assert_ne!(of("three short words", 5), of("three short word", 5));
        assert_ne!(of("a", 5), of("a a", 5));
        assert_eq!(of("one two three four five", 5).len(), 1);
        assert_eq!(of("one two three four five six", 5).len(), 2);
    }

    proptest! {
        #[test]
        fn the_same_tokens_in_a_row_are_the_same_shingle_wherever(
            before in "[a-c渡船 ]{0,20}", inner in "([a-z]{1,3} |[渡船天亮]){5,9}", behind in "( [a-c渡船]{0,20})?", n in 1_usize..6,
        ) {
            let whole = of(&format!("{before} {inner} {behind}"), n);
            let part = of(&inner, n);
            prop_assert!(whole.windows(part.len()).any(|window| window == part));
        }

        #[test]
        fn any_text_is_taken(text in "\\PC{0,60}|(.|\\n){0,60}", n in 1_usize..8) {
            let hashes = of(&text, n);
            prop_assert!(hashes.len() <= text.len());
            prop_assert_eq!(hashes, of(&text.to_lowercase(), n));
        }
    }
}
