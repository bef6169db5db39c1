//! The pieces of a text that are looked at.

/// The most bytes of a piece in which scripts are counted; there are three of them.
pub(crate) const PIECE_BYTES: usize = 680;

/// The most bytes of a piece that is shown to a model. In 200 letters of running text no model here is unsure, and
/// three pieces, so that a head in another language does not decide.
pub(crate) const MODEL_BYTES: usize = 176;

/// Beginning, middle and end of a text, of at most `length` bytes each; the whole of it if it is no longer than they
/// are together.
pub(crate) fn pieces(text: &str, length: usize) -> Vec<&str> {
    if text.len() <= 3 * length {
        return vec![text];
    }
    let middle = (text.len() - length) / 2;
    [0, middle, text.len() - length].into_iter().map(|start| piece(text, start, length)).collect()
}

/// The middle of each piece, of at most `length` bytes together for what was one text, or each of three.
pub(crate) fn narrowed<'a>(pieces: &[&'a str], length: usize) -> Vec<&'a str> {
    match pieces {
        [whole] => self::pieces(whole, length),
        _ => pieces.iter().map(|text| piece(text, text.len().saturating_sub(length) / 2, length)).collect(),
    }
}

/// `length` bytes of a text from `start` on, or up to three less at either end so that no character is cut.
fn piece(text: &str, start: usize, length: usize) -> &str {
    let end = text.floor_char_boundary(start + length);
    text.get(text.ceil_char_boundary(start)..end).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn pieces_are_parts_in_order(text in "\\PC{0,60}", length in 1usize..30) {
            let found = pieces(&text, length);
            let mut from = 0;
            for piece in &found {
                prop_assert!(piece.len() <= length.max(text.len().min(3 * length)));
                let at = text.get(from..).and_then(|rest| rest.find(piece));
                prop_assert!(at.is_some(), "{piece:?} in {text:?}");
            }
            from += found.len();
            prop_assert!(from == 1 || from == 3);
            prop_assert!(narrowed(&found, length).len() <= 3);
        }
    }
}
