//! JSON strings, written at nearly the speed of a copy.
//!
//! Markup has a quotation mark every twenty bytes, so what costs is not to look at bytes but to find out again and
//! again, with a branch that nobody can predict, how far the next one is. So the places of all special bytes of a
//! chunk are found first, without a branch for each, and then the chunk is put together from copies of one size.

use tamis_text::json::{WINDOW, marks_of_special};

/// Bytes that are escaped together.
const CHUNK: usize = 512;
/// Places that are noted together, whether there are so many or not.
const NOTED: usize = 4;
/// Bytes that are copied together: more than lie between most special bytes of markup.
const COPIED: usize = 32;
/// The longest escape.
const LONGEST: usize = 6;

/// Appends `text` as a JSON string, quotes included; everything but quotes, backslashes and control
/// characters stays as it is.
pub(crate) fn push_string(text: &str, out: &mut Vec<u8>) {
    let (chunks, rest) = text.as_bytes().as_chunks();
    out.reserve(text.len() + 2);
    out.push(b'"');
    push_chunks(chunks, out);
    let mut plain = rest;
    while let Some((before, special, after)) = split_at_special(plain) {
        out.extend_from_slice(before);
        let escape = ESCAPES[usize::from(special)];
        out.extend_from_slice(escape.bytes().get(..escape.length()).unwrap_or_default());
        plain = after;
    }
    out.extend_from_slice(plain);
    out.push(b'"');
}

fn push_chunks(chunks: &[[u8; CHUNK]], out: &mut Vec<u8>) {
    if chunks.is_empty() {
        return;
    }
    let mut places = [0; CHUNK + NOTED];
    let mut escaped = [0; CHUNK * LONGEST + COPIED];
    for chunk in chunks {
        let n_places = find_special(chunk, &mut places);
        let (mut begin, mut length) = (0, 0);
        for place in places.iter().take(n_places) {
            let place = usize::from(*place);
            let n_plain = place - begin;
            if n_plain <= COPIED
                && let Some(from) = chunk[begin..].first_chunk::<COPIED>()
                && let Some(to) = escaped[length..].first_chunk_mut()
            {
                *to = *from;
            } else {
                escaped[length..length + n_plain].copy_from_slice(&chunk[begin..place]);
            }
            length += n_plain;
            let escape = ESCAPES[usize::from(chunk[place])];
            if let Some(to) = escaped[length..].first_chunk_mut() {
                *to = escape.bytes();
            }
            length += escape.length();
            begin = place + 1;
        }
        out.extend_from_slice(&escaped[..length]);
        out.extend_from_slice(&chunk[begin..]);
    }
}

/// Notes the places of special bytes, in order; how many there are.
#[inline]
fn find_special(chunk: &[u8; CHUNK], places: &mut [u16; CHUNK + NOTED]) -> usize {
    let mut n_places = 0;
    let (windows, _) = chunk.as_chunks::<WINDOW>();
    for (index, window) in windows.iter().enumerate() {
        let mut marks = marks_of_special(window);
        let mut at = n_places;
        n_places += marks.count_ones() as usize;
        while at < n_places {
            let Some(noted) = places[at..].first_chunk_mut::<NOTED>() else { break };
            for place in noted {
                *place = (index * WINDOW) as u16 + (marks.trailing_zeros() % 64) as u16;
                // Takes the lowest mark away.
                marks &= marks.wrapping_sub(1);
            }
            at += NOTED;
        }
    }
    n_places
}

/// The bytes before the first special one, that one, and the bytes behind it.
fn split_at_special(bytes: &[u8]) -> Option<(&[u8], u8, &[u8])> {
    let at = bytes.iter().position(|byte| ESCAPES[usize::from(*byte)].length() > 0)?;
    let (plain, rest) = bytes.split_at_checked(at)?;
    let (special, after) = rest.split_first()?;
    Some((plain, *special, after))
}

/// What a special byte is written as: up to seven bytes, and how many there are in the last.
#[derive(Clone, Copy)]
struct Escape([u8; 8]);

impl Escape {
    const fn short(letter: u8) -> Self {
        Self([b'\\', letter, 0, 0, 0, 0, 0, 2])
    }

    fn bytes(self) -> [u8; 8] {
        self.0
    }

    fn length(self) -> usize {
        usize::from(self.0[7])
    }
}

/// The escapes of all bytes; those of plain ones have no length.
static ESCAPES: [Escape; 256] = {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let mut escapes = [Escape([0; 8]); 256];
    let mut byte = 0;
    while byte < 0x20 {
        let digits = [HEX[byte >> 4], HEX[byte & 0xF]];
        escapes[byte] = Escape([b'\\', b'u', b'0', b'0', digits[0], digits[1], 0, LONGEST as u8]);
        byte += 1;
    }
    escapes[0x08] = Escape::short(b'b');
    escapes[b'\t' as usize] = Escape::short(b't');
    escapes[b'\n' as usize] = Escape::short(b'n');
    escapes[0x0C] = Escape::short(b'f');
    escapes[b'\r' as usize] = Escape::short(b'r');
    escapes[b'"' as usize] = Escape::short(b'"');
    escapes[b'\\' as usize] = Escape::short(b'\\');
    escapes
};
