//! White space made plain, and runs of digits made one, byte by byte.
//!
//! `tamis_text::lines::squeeze` does the first over characters; both stages here look at every byte of a
//! corpus, so this one takes the bytes as they come: sixteen at a time where nothing in them changes, which a
//! handful of vector instructions can tell, and without a branch for the common ones elsewhere.
//! To look for the next white space and copy what lies before it was slower: in English that is five bytes away.

const PLAIN: u8 = 0;
const BLANK: u8 = 1;
const DIGIT: u8 = 2;
/// The first byte of what may be a wider white space or digit.
const LEAD: u8 = 3;

/// So many bytes are looked at together: a vector of the least that `x86-64` and `aarch64` have.
const STEP: usize = 16;

const CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut classes = [PLAIN; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = match byte as u8 {
            b' ' | b'\t'..=b'\r' => BLANK,
            b'0'..=b'9' => DIGIT,
            0xC2 | 0xE1 | 0xE2 | 0xE3 | 0xEF => LEAD,
            _ => PLAIN,
        };
        byte += 1;
    }
    classes
}

/// Writes texts with every run of white space as one blank and, if asked, every run of digits as one `0`.
///
/// A text may come in pieces, cut between characters.
#[derive(Debug, Default)]
pub(crate) struct Squeezer {
    after_blank: bool,
    after_digit: bool,
    /// Whether there was a digit.
    pub(crate) saw_digit: bool,
}

impl Squeezer {
    /// Appends `text` to `out`. White space at the ends of the whole text is the caller's to trim.
    pub(crate) fn push(&mut self, text: &str, mask_digits: bool, out: &mut Vec<u8>) {
        let bytes = text.as_bytes();
        let start = out.len();
        // Nothing gets longer.
        out.resize(start + bytes.len(), 0);
        let target = out.get_mut(start..).unwrap_or_default();
        let (mut from, mut to) = (0, 0);
        // Up to here bytes are looked at one by one.
        let mut careful = 0;
        while let Some(&byte) = bytes.get(from) {
            if from >= careful {
                careful = from + STEP;
                if let Some(window) = bytes.get(from..).and_then(|rest| rest.first_chunk())
                    && let Some(last) = self.plain(window, mask_digits)
                {
                    target[to..to + STEP].copy_from_slice(&window[..STEP]);
                    (from, to) = (from + STEP, to + STEP);
                    (self.after_blank, self.after_digit) = (last == b' ', false);
                    continue;
                }
            }
            let mut class = CLASSES[usize::from(byte)];
            let mut width = 1;
            if class == LEAD {
                (class, width) = wide(bytes.get(from..).unwrap_or_default());
            }
            let (blank, digit) = (class == BLANK, class == DIGIT);
            self.saw_digit |= digit;
            if digit && !mask_digits {
                // Full-width digits stay what they are.
                for &byte in bytes.iter().skip(from).take(width) {
                    target[to] = byte;
                    to += 1;
                }
            } else {
                let skipped = (blank && self.after_blank) || (digit && self.after_digit);
                target[to] = if blank {
                    b' '
                } else if digit {
                    b'0'
                } else {
                    byte
                };
                to += usize::from(!skipped);
            }
            (self.after_blank, self.after_digit) = (blank, digit);
            from += width;
        }
        out.truncate(start + to);
    }

    /// The last of the first [`STEP`] bytes, if all of them stay as they are.
    fn plain(&mut self, window: &[u8; STEP + 2], mask_digits: bool) -> Option<u8> {
        let (mut odd, mut digits) = (0_u8, 0_u8);
        // No branch, so that the compiler makes vector instructions of it. Some bytes are called odd that are not:
        // then they are looked at one by one.
        for at in 0..STEP {
            let (a, b, c) = (window[at], window[at + 1], window[at + 2]);
            let is = |condition: bool| u8::from(condition);
            digits |= is(a.wrapping_sub(b'0') < 10);
            odd |= is(a.wrapping_sub(b'\t') < 5)
                | (is(a == b' ') & is(b == b' '))
                | is(a == 0xC2)
                | (is(a == 0xE1) & is(b == 0x9A))
                | (is(a == 0xE2) & is(b == 0x80) & (is(c < 0x8B) | is(c.wrapping_sub(0xA8) < 8)))
                | (is(a == 0xE2) & is(b == 0x81))
                | (is(a == 0xE3) & is(b == 0x80) & is(c == 0x80))
                | (is(a == 0xEF) & is(b == 0xBC) & is(c.wrapping_sub(0x90) < 10));
        }
        let follows_blank = self.after_blank && window[0] == b' ';
        if odd != 0 || follows_blank || (mask_digits && digits != 0) {
            return None;
        }
        self.saw_digit |= digits != 0;
        Some(window[STEP - 1])
    }
}

/// The class of the character at the start of `bytes`, and how many bytes of it belong to that class.
fn wide(bytes: &[u8]) -> (u8, usize) {
    match bytes {
        [0xC2, 0x85 | 0xA0, ..] => (BLANK, 2),
        [0xE1, 0x9A, 0x80, ..]
        | [0xE2, 0x80, 0x80..=0x8A | 0xA8 | 0xA9 | 0xAF, ..]
        | [0xE2, 0x81, 0x9F, ..]
        | [0xE3, 0x80, 0x80, ..] => (BLANK, 3),
        [0xEF, 0xBC, 0x90..=0x99, ..] => (DIGIT, 3),
        _ => (PLAIN, 1),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn squeezed(pieces: &[&str], mask_digits: bool) -> String {
        let (mut squeezer, mut out) = (Squeezer::default(), Vec::new());
        for piece in pieces {
            squeezer.push(piece, mask_digits, &mut out);
        }
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn digits_of_both_widths_are_one_placeholder() {
        for (text, masked) in [
            ("2024年03月５日", "0年0月0日"),
            ("1,234", "0,0"),
            ("１２3", "0"),
            ("a  b\u{3000}7", "a b 0"),
            ("é", "é"),
        ] {
            assert_eq!(squeezed(&[text], true), masked);
        }
    }

    proptest! {
        #[test]
        fn white_space_is_what_unicode_calls_white_space(
            text in "(\\PC|[\\s0-9０-９\u{1680}\u{2000}-\u{2060}\u{ff10}-\u{ff20}]){0,40}", cut in any::<prop::sample::Index>(), long in 0_usize..3,
        ) {
            let text = [text.trim(), &"plain text beside it ".repeat(long)].concat();
            let text = text.trim();
            let expected = text.split_whitespace().collect::<Vec<_>>().join(" ");
            prop_assert_eq!(&squeezed(&[text], false), &expected);
            let (head, tail) = text.split_at(text.floor_char_boundary(cut.index(text.len() + 1)));
            prop_assert_eq!(&squeezed(&[head, tail], false), &expected);
            let masked = squeezed(&[text], true);
            prop_assert_eq!(&squeezed(&[head, tail], true), &masked);
            prop_assert_eq!(&squeezed(&[&masked], true), &masked);
        }
    }
}
