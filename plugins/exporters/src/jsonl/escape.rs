//! JSON strings, written at the speed of a copy.

/// Bytes looked at together by [`has_special`].
const STRIDE: usize = 32;

/// Appends `text` as a JSON string, quotes included; everything but quotes, backslashes and control
/// characters stays as it is.
pub(crate) fn push_string(text: &str, out: &mut Vec<u8>) {
    let mut rest = text.as_bytes();
    out.reserve(rest.len() + 2);
    out.push(b'"');
    while let Some((plain, special, after)) = split_at_special(rest) {
        out.extend_from_slice(plain);
        push_escape(special, out);
        rest = after;
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

/// Whether a byte cannot stand in a JSON string as it is.
const fn is_special(byte: u8) -> bool {
    byte < b' ' || byte == b'"' || byte == b'\\'
}

/// Whether one of the bytes is special: without a branch a byte, so that the compiler compares them all in a
/// few vector instructions.
#[inline]
fn has_special(stride: &[u8; STRIDE]) -> bool {
    let found = stride.iter().fold(0, |found, byte| {
        found | u8::from(*byte < b' ') | u8::from(*byte == b'"') | u8::from(*byte == b'\\')
    });
    found != 0
}

/// The bytes before the first special one, that one, and the bytes behind it.
#[inline]
fn split_at_special(bytes: &[u8]) -> Option<(&[u8], u8, &[u8])> {
    let (strides, _) = bytes.as_chunks::<STRIDE>();
    let n_plain = strides.iter().position(has_special).unwrap_or(strides.len()) * STRIDE;
    let at = n_plain + position_of_special(bytes.get(n_plain..)?)?;
    let (plain, rest) = bytes.split_at_checked(at)?;
    let (special, after) = rest.split_first()?;
    Some((plain, *special, after))
}

/// The place of the first special byte.
///
/// Eight bytes at a time: markup has a quotation mark every few words, and byte by byte finding them took most
/// of the time.
#[inline]
fn position_of_special(bytes: &[u8]) -> Option<usize> {
    let (words, rest) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().enumerate() {
        let marks = marks_of_special(u64::from_le_bytes(*word));
        if marks != 0 {
            return Some(index * 8 + marks.trailing_zeros() as usize / 8);
        }
    }
    let at = rest.iter().position(|byte| is_special(*byte))?;
    Some(words.len() * 8 + at)
}

/// The highest bit of the first special byte, counted from the lowest, and perhaps of others above it.
///
/// A byte less than `n` borrows when `n` is taken from it, and the borrow marks it; only bytes above a marked
/// one can be marked without reason (Anderson, Bit Twiddling Hacks, "determine if a word has a byte less
/// than n").
const fn marks_of_special(word: u64) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    const fn below(word: u64, n: u8) -> u64 {
        word.wrapping_sub(ONES * n as u64) & !word & HIGH
    }
    below(word, b' ') | below(word ^ (ONES * b'"' as u64), 1) | below(word ^ (ONES * b'\\' as u64), 1)
}

fn push_escape(byte: u8, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let short = match byte {
        b'"' => b'"',
        b'\\' => b'\\',
        b'\n' => b'n',
        b'\t' => b't',
        b'\r' => b'r',
        0x08 => b'b',
        0x0C => b'f',
        _ => {
            let digits = [HEX[usize::from(byte >> 4)], HEX[usize::from(byte & 0xF)]];
            out.extend_from_slice(b"\\u00");
            out.extend_from_slice(&digits);
            return;
        }
    };
    out.extend_from_slice(&[b'\\', short]);
}
