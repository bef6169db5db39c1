//! Strings of JSON: where their special bytes are, and a layout for a text that is known as one.

pub use crate::windows::WINDOW;
use crate::windows::gathered;

/// The layout of an attachment: what a text is as a JSON string, with its quotation marks, and with nothing escaped but
/// quotation marks, backslashes and control characters, these as short as they can be and with small letters. Without
/// a byte in it: the text stands there as it is.
///
/// A reader that has seen the text like this spares an exporter to find out what must be escaped.
pub const STRING_LAYOUT: (&str, u64) = ("tamis/json-string", 1);

/// A text this long is worth an attachment, in bytes: below, handing it over costs more than to escape the text again.
pub const MIN_ATTACHED: usize = 512;

/// A bit for each byte that has a meaning in a JSON string or no place in one: quotation marks, backslashes and control
/// characters; the first byte is the lowest bit.
#[inline]
pub fn marks_of_special(window: &[u8; WINDOW]) -> u64 {
    // A loop without branches, of which the compiler makes a few vector instructions.
    let mut is_special = [0_u8; WINDOW];
    for (is_special, byte) in is_special.iter_mut().zip(window) {
        *is_special = u8::from(*byte < b' ') | u8::from(*byte == b'"') | u8::from(*byte == b'\\');
    }
    gathered(&is_special)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_marked_where_it_stands() {
        for byte in 0..=u8::MAX {
            for place in 0..WINDOW {
                let mut window = [b'a'; WINDOW];
                window[place] = byte;
                let is_special = byte < b' ' || byte == b'"' || byte == b'\\';
                let expected = u64::from(is_special) << place;
                assert_eq!(marks_of_special(&window), expected, "{byte} at {place}");
            }
        }
        assert_eq!(marks_of_special(&[b'"'; WINDOW]), u64::MAX);
    }
}
