//! Whether a text is language at all, and not code, a table of numbers or a formula.

/// Whether what stands there is words for the most part.
///
/// Two counts over what is no white space: letters, and the signs that programs are held together by. Over half of the
/// visible characters of running text are letters in any script, and signs such as `{ } = ; _ < >` are fewer than one in
/// fifty even where it speaks of programs.
pub(crate) fn is_prose(pieces: &[&str]) -> bool {
    let (mut n_visible, mut n_letters, mut n_signs) = (0usize, 0usize, 0usize);
    for c in pieces.iter().flat_map(|piece| piece.chars()) {
        if c.is_ascii() {
            n_letters += usize::from(c.is_ascii_alphabetic());
            n_signs += usize::from(is_sign(c));
            n_visible += usize::from(c.is_ascii_graphic());
        } else if !c.is_whitespace() {
            // Marks count as letters, signs of other blocks do not; to look each up would take as long as all else.
            n_letters += usize::from(!is_other_sign(c));
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
