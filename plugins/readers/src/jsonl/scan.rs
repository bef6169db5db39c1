//! One JSON object in one pass over its bytes, as long as nothing about it is unusual.
//!
//! `serde_json` looks at every string twice: once to find where it ends, and once more to take its escapes away.
//! Here the places of all special bytes of a window are found first, without a branch for each, and what lies
//! between them is copied in pieces of one size. What this does not take, mistakes included, is read again by
//! [`super::object`], which knows what to say about it.

use serde_json::value::RawValue;
use tamis_text::json::{WINDOW, marks_of_special};

use super::value::{decode, unicode_escape, utf16_unit};
use crate::row::{Field, Row, Slot, Str};

/// Decoded bytes that are held back, so that they are checked and handed on together.
const HELD: usize = 2048;

/// Appends the members of the object in the first line of `bytes` to `row`. Returns the length of the line up to
/// the end of the object, and with its line end.
pub(super) fn line<'a>(
    bytes: &'a [u8],
    wanted: &dyn Fn(&str) -> bool,
    row: &mut Row<'a>,
) -> Option<(usize, usize)> {
    let end = object(bytes, wanted, row)?;
    let behind = skip_blanks(bytes, end);
    match bytes.get(behind) {
        None => Some((end, behind)),
        Some(b'\n') => Some((end, behind + 1)),
        Some(_) => None,
    }
}

/// Appends the members of the object at the start of `bytes` to `row`, as [`super::object::read_object`] does; returns where
/// the object ends. `None` when it is to be read by that; then `row` may hold some of its members.
pub(super) fn object<'a>(bytes: &'a [u8], wanted: &dyn Fn(&str) -> bool, row: &mut Row<'a>) -> Option<usize> {
    let mut at = skip_blanks(bytes, behind(bytes, skip_blanks(bytes, 0), b'{')?);
    if bytes.get(at) == Some(&b'}') {
        return Some(at + 1);
    }
    loop {
        let (Quoted { text: Str::Input(name), .. }, end) = string(bytes, behind(bytes, at, b'"')?, None)?
        else {
            return None;
        };
        at = skip_blanks(bytes, behind(bytes, skip_blanks(bytes, end), b':')?);
        let field_of = |value| Field { name: Str::Input(name), value, at, encoded: None };
        let (field, end) = if !wanted(name) {
            (Field { at: 0, ..field_of(Slot::Skipped) }, at + raw(bytes, at)?.len())
        } else if bytes.get(at) == Some(&b'"') {
            let (Quoted { text, encoded }, end) = string(bytes, at + 1, Some(&mut row.scratch))?;
            (Field { encoded, ..field_of(Slot::String(text)) }, end)
        } else {
            let raw = raw(bytes, at)?;
            (field_of(decode(raw, &mut row.scratch).ok()?), at + raw.len())
        };
        row.fields.push(field);
        at = skip_blanks(bytes, end);
        match bytes.get(at)? {
            b',' => at = skip_blanks(bytes, at + 1),
            b'}' => return Some(at + 1),
            _ => return None,
        }
    }
}

/// The place behind `byte`, if that is at `at`.
fn behind(bytes: &[u8], at: usize, byte: u8) -> Option<usize> {
    (bytes.get(at) == Some(&byte)).then_some(at + 1)
}

/// The place of the first byte from `at` on that is no blank. The end of a line is none: no object goes beyond it.
fn skip_blanks(bytes: &[u8], mut at: usize) -> usize {
    while matches!(bytes.get(at), Some(b' ' | b'\t' | b'\r')) {
        at += 1;
    }
    at
}

/// The JSON text of the value at `at`.
fn raw(bytes: &[u8], at: usize) -> Option<&str> {
    // What is asked below passes over line ends in front of a value as well, and would take that of the next line for
    // a line that breaks off behind a colon.
    if bytes.get(at)?.is_ascii_whitespace() {
        return None;
    }
    let mut values = serde_json::Deserializer::from_slice(bytes.get(at..)?).into_iter::<&RawValue>();
    let raw = values.next()?.ok()?.get();
    // Between the parts of a value JSON allows line ends, but not here.
    memchr::memchr(b'\n', raw.as_bytes()).is_none().then_some(raw)
}

/// A string as it stands in a line.
struct Quoted<'a> {
    text: Str<'a>,
    encoded: Option<&'a [u8]>,
}

/// The string that begins behind its quotation mark at `start`, and where it ends with the other one. One with escapes
/// is decoded onto the end of `scratch`, if there is one to decode to.
fn string<'a>(bytes: &'a [u8], start: usize, scratch: Option<&mut String>) -> Option<(Quoted<'a>, usize)> {
    let mut at = start;
    loop {
        let marks = marks_of_special(&window(bytes, at));
        if marks != 0 {
            at += marks.trailing_zeros() as usize;
            break;
        }
        at += WINDOW;
    }
    let plain = simdutf8::basic::from_utf8(bytes.get(start..at)?).ok()?;
    match (bytes.get(at)?, scratch) {
        (b'"', _) => Some((Quoted { text: Str::Input(plain), encoded: Some(&[]) }, at + 1)),
        (b'\\', Some(scratch)) => {
            let begin = scratch.len();
            scratch.push_str(plain);
            let (end, is_canonical) = unescape(bytes, at, scratch)?;
            let encoded = if is_canonical { bytes.get(start - 1..end) } else { None };
            Some((Quoted { text: Str::Scratch(begin..scratch.len()), encoded }, end))
        }
        // A control character has no place in a string.
        _ => None,
    }
}

/// Decodes the rest of a string, from `at` on, onto the end of `scratch`; returns where the string ends, and whether its
/// escapes are those that an exporter writes.
fn unescape(bytes: &[u8], mut at: usize, scratch: &mut String) -> Option<(usize, bool)> {
    let held = [0; HELD + WINDOW + 4];
    let mut out = Decoded { bytes: held, length: 0, is_canonical: true, whole: scratch };
    loop {
        let base = at;
        let mut marks = marks_of_special(&window(bytes, base));
        while marks != 0 {
            let special = base + marks.trailing_zeros() as usize;
            if special > at {
                out.push(&window(bytes, at), special - at)?;
                at = special;
            }
            match bytes.get(at)? {
                b'"' => return Some((at + 1, out.finish()?)),
                b'\\' => at += out.push_escape(bytes.get(at..)?)?,
                _ => return None,
            }
            // An escape may reach beyond the window.
            let passed = u32::try_from(at - base).ok()?;
            marks &= u64::MAX.checked_shl(passed).unwrap_or_default();
        }
        if at < base + WINDOW {
            out.push(&window(bytes, at), base + WINDOW - at)?;
            at = base + WINDOW;
        }
    }
}

/// The next bytes from `at` on. Behind the last one stand zeros, which are special.
fn window(bytes: &[u8], at: usize) -> [u8; WINDOW] {
    let rest = bytes.get(at..).unwrap_or_default();
    if let Some(window) = rest.first_chunk() {
        return *window;
    }
    let mut window = [0; WINDOW];
    for (to, byte) in window.iter_mut().zip(rest) {
        *to = *byte;
    }
    window
}

/// A string while it is decoded: bytes that have not been checked, and before them those that have.
struct Decoded<'s> {
    bytes: [u8; HELD + WINDOW + 4],
    /// How many of `bytes` are there: less than [`HELD`] between the calls.
    length: usize,
    /// Whether all escapes so far are those of [`tamis_text::json::STRING_LAYOUT`].
    is_canonical: bool,
    whole: &'s mut String,
}

impl Decoded<'_> {
    /// Appends the first `n` bytes of a window. All of it is copied: the same few instructions, however many count.
    fn push(&mut self, window: &[u8; WINDOW], n: usize) -> Option<()> {
        *self.bytes.get_mut(self.length..)?.first_chunk_mut()? = *window;
        self.length += n;
        self.hand_on()
    }

    /// Appends what the escape at the start of `bytes` stands for; returns how long the escape is.
    fn push_escape(&mut self, bytes: &[u8]) -> Option<usize> {
        let character = match bytes.get(1)? {
            letter @ (b'"' | b'\\') => *letter,
            b'/' => {
                self.is_canonical = false;
                b'/'
            }
            b'n' => b'\n',
            b't' => b'\t',
            b'r' => b'\r',
            b'b' => 8,
            b'f' => 12,
            b'u' => return self.push_unicode(bytes),
            _ => return None,
        };
        *self.bytes.get_mut(self.length)? = character;
        self.length += 1;
        self.hand_on()?;
        Some(2)
    }

    fn push_unicode(&mut self, bytes: &[u8]) -> Option<usize> {
        // What the other asks whoever calls it to have checked.
        utf16_unit(bytes)?;
        let (character, length) = unicode_escape(bytes).ok()?;
        let is_short = matches!(character, '\u{8}' | '\t' | '\n' | '\u{c}' | '\r');
        let has_capitals = bytes.get(2..6)?.iter().any(u8::is_ascii_uppercase);
        self.is_canonical &= character < ' ' && !is_short && !has_capitals;
        let encoded = character.encode_utf8(self.bytes.get_mut(self.length..)?.first_chunk_mut::<4>()?);
        self.length += encoded.len();
        self.hand_on()?;
        Some(length)
    }

    /// Hands on what is there when it is much, but for the last character, of which more may come.
    fn hand_on(&mut self) -> Option<()> {
        if self.length < HELD {
            return Some(());
        }
        let held = self.bytes.get(..self.length)?;
        let last = held.iter().rposition(|byte| byte.cast_signed() >= -0x40)?;
        let end = if held[last].is_ascii() { self.length } else { last };
        self.whole.push_str(simdutf8::basic::from_utf8(held.get(..end)?).ok()?);
        self.bytes.copy_within(end..self.length, 0);
        self.length -= end;
        // Else these are no bytes of a character.
        (self.length <= 4).then_some(())
    }

    /// Hands on the rest; whether the string was canonical.
    fn finish(self) -> Option<bool> {
        self.whole.push_str(simdutf8::basic::from_utf8(self.bytes.get(..self.length)?).ok()?);
        Some(self.is_canonical)
    }
}
