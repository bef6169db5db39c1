//! The words of a text as numbers, found in one walk for all that look words up.

use std::ops::Range;
use std::sync::LazyLock;

use tamis_text::chars::is_cjk;

use super::measure::is_alphanumeric;

/// A word, a number, or a character of Chinese, Japanese or Korean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Token {
    /// Tokens of the same letters have the same; case does not count.
    pub(super) key: u64,
    /// Where it stands, in bytes.
    pub(super) range: Range<usize>,
    /// Whether it is all digits of ASCII. A number ends where letters begin, so that `12px` is two tokens.
    pub(super) is_number: bool,
    /// Whether nothing parts it from the token before, of which it is the rest of a word.
    pub(super) goes_on: bool,
}

/// What the bytes of words are: small letters for letters, digits for themselves, [`BEYOND_ASCII`], or 0.
static SMALL: [u8; 256] = {
    let mut table = [BEYOND_ASCII; 256];
    let mut byte = 0;
    while byte < 128 {
        let is_part = (byte as u8).is_ascii_alphanumeric();
        table[byte] = if is_part { (byte as u8).to_ascii_lowercase() } else { 0 };
        byte += 1;
    }
    table
};
/// Less than any digit, and no letter.
const BEYOND_ASCII: u8 = 1;

/// What the key of a word begins from, and what that of a character of Chinese does.
const WORD: u64 = 5;
const CHARACTER: u64 = 6;

/// Hands on the tokens of a text as long as more are wanted, and says whether there were more.
pub(super) fn tokens(text: &str, mut each: impl FnMut(Token) -> bool) -> bool {
    let bytes = text.as_bytes();
    let small = |at: usize| bytes.get(at).map_or(0, |byte| SMALL[usize::from(*byte)]);
    let mut at = 0;
    // Where the token before ended, if more letters may follow it.
    let mut joint = usize::MAX;
    while at < bytes.len() {
        let start = at;
        let first = small(at);
        let (mut key, mut is_number, mut is_cjk) = (WORD, false, false);
        match first {
            0 => {
                at += 1;
                continue;
            }
            b'0'..=b'9' => {
                is_number = true;
                while small(at).is_ascii_digit() {
                    key = step(key, small(at).into());
                    at += 1;
                }
            }
            BEYOND_ASCII => match beyond_ascii(text, at) {
                (Letter::None, length) => {
                    at += length;
                    continue;
                }
                (Letter::Cjk(c), length) => {
                    is_cjk = true;
                    key = step(CHARACTER, c);
                    at += length;
                }
                (Letter::Small(_), _) => (key, at) = letters(text, key, at),
            },
            _ => (key, at) = letters(text, key, at),
        }
        let goes_on = joint == start && !is_cjk;
        joint = if is_cjk { usize::MAX } else { at };
        if !each(Token { key: key.rotate_left(32), range: start..at, is_number, goes_on }) {
            return true;
        }
    }
    false
}

/// Goes on to the end of the letters that begin at a place; the key with them, and where that is.
#[inline]
fn letters(text: &str, mut key: u64, mut at: usize) -> (u64, usize) {
    while let Some(byte) = text.as_bytes().get(at) {
        let small = SMALL[usize::from(*byte)];
        if small > b'9' {
            key = step(key, small.into());
            at += 1;
        } else if small == BEYOND_ASCII
            && let (Letter::Small(small), length) = beyond_ascii(text, at)
        {
            key = step(key, small);
            at += length;
        } else {
            break;
        }
    }
    (key, at)
}

/// What a character is to words.
enum Letter {
    None,
    /// A letter, in lower case.
    Small(u32),
    Cjk(u32),
}

/// What stands at a place, and how long it is in bytes.
fn beyond_ascii(text: &str, at: usize) -> (Letter, usize) {
    let Some(c) = text.get(at..).and_then(|rest| rest.chars().next()) else { return (Letter::None, 1) };
    let letter = match WIDE.get(c as usize) {
        Some(&NO_LETTER) => Letter::None,
        Some(&CJK) => Letter::Cjk(c.into()),
        Some(small) => Letter::Small((*small).into()),
        None => letter(c),
    };
    (letter, c.len_utf8())
}

fn letter(c: char) -> Letter {
    if is_cjk(c) {
        Letter::Cjk(c.into())
    } else if is_alphanumeric(c) {
        Letter::Small(c.to_lowercase().next().unwrap_or(c).into())
    } else {
        Letter::None
    }
}

const NO_LETTER: u16 = 0;
/// No character has this number.
const CJK: u16 = u16::MAX;

/// What the characters of the basic plane are to words: three questions to the tables of the standard library in one.
static WIDE: LazyLock<Vec<u16>> = LazyLock::new(|| {
    let kind = |c: u32| match char::from_u32(c).map_or(Letter::None, letter) {
        Letter::None => NO_LETTER,
        Letter::Cjk(_) => CJK,
        Letter::Small(small) => u16::try_from(small).unwrap_or(NO_LETTER),
    };
    (0..=u32::from(u16::MAX)).map(kind).collect()
});

fn step(key: u64, letter: u32) -> u64 {
    (key ^ u64::from(letter)).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        tokens(text, |token| {
            let mark = if token.goes_on { "+" } else { "" };
            found.push(format!("{mark}{}", text.get(token.range).unwrap_or_default()));
            true
        });
        found
    }

    #[test]
    fn words_end_at_digits_and_characters_stand_alone() {
        assert_eq!(found("Read  MORE (12px)"), ["Read", "MORE", "12", "+px"]);
        assert_eq!(found("分享a1到2"), ["分", "享", "a", "+1", "到", "2"]);
        assert_eq!(found("Über-écrit ١٢3"), ["Über", "écrit", "١٢", "+3"]);
        assert!(found("— …").is_empty());
    }

    #[test]
    fn case_does_not_count() {
        let keys = |text: &str| {
            let mut keys = Vec::new();
            tokens(text, |token| {
                keys.push(token.key);
                true
            });
            keys
        };
        assert_eq!(keys("READ Écrit 12"), keys("read écrit 12"));
        let distinct = keys("a b ab ba aa 1 12 21 é 分 享 享分");
        assert_eq!(distinct.len(), 13);
        let different: std::collections::BTreeSet<u64> = distinct.into_iter().collect();
        assert_eq!(different.len(), 11, "both characters come again");
    }

    #[test]
    fn no_more_are_found_than_are_wanted() {
        let mut n = 0;
        let up_to_two = |text: &str, n: &mut usize| {
            tokens(text, |_| {
                *n += 1;
                *n < 2
            })
        };
        assert!(up_to_two("one two three", &mut n));
        assert_eq!(n, 2);
        n = 0;
        assert!(!up_to_two("one", &mut n));
    }
}
