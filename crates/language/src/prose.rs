//! Whether a text is language at all, and not code, a table of numbers or a formula.

use crate::script::Script;

/// Whether what stands there is words for the most part.
///
/// Two counts over what is no white space: letters, and the signs that programs are held together by. Over half of the
/// visible characters of running text are letters in any script, and signs such as `{ } = ; _ < >` are fewer than one in
/// fifty even where it speaks of programs. A run of one sign is one: `____` is a blank to fill in and `====` a rule.
/// A letter of a dense script counts for as many as it says, so that a Chinese page may have more code in it.
pub(crate) fn is_prose(pieces: &[&str]) -> bool {
    let (mut n_visible, mut n_letters, mut n_signs) = (0u32, 0u32, 0u32);
    let mut last = ' ';
    for c in pieces.iter().flat_map(|piece| piece.chars()) {
        let is_again = std::mem::replace(&mut last, c) == c;
        if c.is_ascii() {
            let is_letter = c.is_ascii_alphabetic();
            if is_again && !is_letter {
                continue;
            }
            n_letters += u32::from(is_letter);
            n_signs += u32::from(is_sign(c));
            n_visible += u32::from(c.is_ascii_graphic());
        } else if !c.is_whitespace() && !is_other_sign(c) {
            let weight = Script::of(c).map_or(1, Script::weight);
            n_letters += weight;
            n_visible += weight;
        } else if !c.is_whitespace() && !is_again {
            n_visible += 1;
        }
    }
    n_letters * 5 > n_visible * 2 && n_signs * 9 < n_visible
}

fn is_sign(c: char) -> bool {
    matches!(
        c,
        '{' | '}'
            | '='
            | ';'
            | '_'
            | '<'
            | '>'
            | '\\'
            | '^'
            | '$'
            | '['
            | ']'
            | '|'
            | '`'
            | '#'
            | '~'
            | '+'
            | '@'
    )
}

/// Punctuation, arrows, operators, boxes and pictures.
fn is_other_sign(c: char) -> bool {
    matches!(u32::from(c), 0x80..=0xBF | 0xD7 | 0xF7 | 0x2000..=0x2BFF | 0x3000..=0x3003 | 0x3008..=0x3020
        | 0xFF01..=0xFF20 | 0x1_F000..=0x1_FAFF)
}
