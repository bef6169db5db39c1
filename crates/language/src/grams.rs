//! The features that the models weigh: groups of letters within words.

use crate::script::Script;

/// What stands for the beginning and the end of a word among its letters.
const EDGE: u64 = 1;

/// 2⁶⁴ divided by the golden ratio: the multiplier of Fibonacci hashing (D. Knuth, *The Art of Computer Programming*,
/// 6.4).
const MULTIPLIER: u64 = 0x9E37_79B9_7F4A_7C15;

/// Calls `feature` with the number of a row for each feature of the letters of one script in `text`, which is
/// that of the model of this name (`latin`, `cyrillic`, `arabic`, `devanagari`).
///
/// A word is a run of letters of that script; marks and all else end it. Its features are the groups of two, three and
/// four of its letters, of which the edge of a word is one, and the whole word: the short ones that hold a
/// language together (*que*, *och*, *się*) tell more than any group.
/// The end of `text` ends no word, because a piece that was cut out of a text ends anywhere.
///
/// Rows are numbers of `bits` bits. Features that share one are told apart by those around them; there are many times
/// more of them than rows, and to keep a list of the best took as many bytes for less.
pub fn features(text: &str, script: &str, bits: u32, mut feature: impl FnMut(usize)) {
    let Some(script) = Script::named(script) else { return };
    each(text, script, bits, &mut feature);
}

/// The same for a script that is known.
pub(crate) fn each(text: &str, script: Script, bits: u32, feature: &mut impl FnMut(usize)) {
    let mut letters = EDGE;
    let mut word = 0;
    for c in text.chars() {
        if is_letter(c, script) {
            let letter = u64::from(u32::from(lower(c)) & 0xFFFF);
            letters = letters << 16 | letter;
            groups(letters, bits, feature);
            word = (word ^ letter).wrapping_mul(0x1000_0000_01B3_55AB_u64).rotate_left(23);
        } else if letters != EDGE {
            groups(letters << 16 | EDGE, bits, feature);
            feature(row(word, bits));
            (letters, word) = (EDGE, 0);
        }
    }
}

/// The groups that end with the last of up to four letters, 16 bits each; those that would begin before the word are
/// none.
fn groups(letters: u64, bits: u32, feature: &mut impl FnMut(usize)) {
    feature(row((letters & 0xFFFF_FFFF) ^ 2 << 61, bits));
    if letters >> 32 != 0 {
        feature(row((letters & 0xFFFF_FFFF_FFFF) ^ 3 << 61, bits));
    }
    if letters >> 48 != 0 {
        feature(row(letters ^ 4 << 61, bits));
    }
}

fn row(key: u64, bits: u32) -> usize {
    (key.wrapping_mul(MULTIPLIER) >> (64 - bits)) as usize
}

/// Whether `c` is a letter of the script, and no mark that stands over or under one.
fn is_letter(c: char, script: Script) -> bool {
    if c.is_ascii() {
        return script == Script::Latin && c.is_ascii_alphabetic();
    }
    Script::of(c) == Some(script) && c.is_alphabetic() && !is_mark(c)
}

/// Marks of Arabic and Devanagari, which Unicode counts among the alphabetic. The texts that the models were learned
/// from are without them.
fn is_mark(c: char) -> bool {
    matches!(c,
        '\u{900}'..='\u{903}' | '\u{93A}'..='\u{93C}' | '\u{93E}'..='\u{94F}' | '\u{951}'..='\u{957}'
        | '\u{962}' | '\u{963}' | '\u{610}'..='\u{61A}' | '\u{64B}'..='\u{65F}' | '\u{670}')
}

fn lower(c: char) -> char {
    if c.is_ascii() { c.to_ascii_lowercase() } else { c.to_lowercase().next().unwrap_or(c) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(text: &str, script: Script) -> usize {
        let mut n_features = 0;
        each(text, script, 10, &mut |row| {
            assert!(row < 1 << 10);
            n_features += 1;
        });
        n_features
    }

    #[test]
    fn groups_stay_within_a_word() {
        // `^a`; then `ab` and `^ab`; the edge behind it gives `b$`, `ab$`, `^ab$`; and the word.
        assert_eq!(count("ab ", Script::Latin), 1 + 2 + 3 + 1);
        assert_eq!(count("ab", Script::Latin), 1 + 2);
        assert_eq!(count("ab ab ", Script::Latin), 2 * count("ab ", Script::Latin));
        assert_eq!(count("Привет, ab! ", Script::Latin), count("ab ", Script::Latin));
    }

    #[test]
    fn capital_letters_are_small_ones() {
        let all = |text: &str| {
            let mut rows = Vec::new();
            each(text, Script::Latin, 15, &mut |row| rows.push(row));
            rows
        };
        assert_eq!(all("ÉTÉ Straße "), all("été straße "));
    }
}
