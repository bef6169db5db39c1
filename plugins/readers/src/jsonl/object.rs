//! One JSON object as a row of fields, without a tree in between.
//!
//! `serde_json` finds where each member ends and checks the grammar; strings without escapes are then
//! borrowed from the line, others are decoded into the buffer of the row.

use std::fmt;

use memchr::{memchr, memchr2_iter};
use serde::de::{DeserializeSeed, Deserializer as _, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use super::scan;
use crate::row::{Fault, Field, Row, Slot, Str};

/// Appends the members of the JSON object `text` to `row`; members that are not `wanted` are checked for
/// grammar only.
///
/// # Errors
///
/// When `text` is not one JSON object, or a wanted string holds half a surrogate pair.
pub(crate) fn read_object<'a>(
    text: &'a str,
    wanted: &dyn Fn(&str) -> bool,
    row: &mut Row<'a>,
) -> Result<(), Fault> {
    let (first, n_decoded) = (row.fields.len(), row.scratch.len());
    if scan::object(text.as_bytes(), wanted, row) == Some(text.len()) {
        return Ok(());
    }
    row.fields.truncate(first);
    row.scratch.truncate(n_decoded);
    read_any_object(text, wanted, row)
}

/// The same of an object that may be unusual, or none.
pub(super) fn read_any_object<'a>(
    text: &'a str,
    wanted: &dyn Fn(&str) -> bool,
    row: &mut Row<'a>,
) -> Result<(), Fault> {
    let first = row.fields.len();
    let mut deserializer = serde_json::Deserializer::from_str(text);
    deserializer
        .deserialize_map(Members { text, wanted, row: &mut *row })
        .and_then(|()| deserializer.end())
        .map_err(|error| not_an_object(text, &error))?;
    let Row { fields, scratch } = row;
    for field in &mut fields[first..] {
        if let Slot::Json(Str::Input(raw)) = field.value {
            field.value = decode(raw, scratch).map_err(|message| Fault::new(field.at, message))?;
        }
    }
    Ok(())
}

/// Collects the members of an object, their values as raw JSON text.
struct Members<'r, 'a> {
    text: &'a str,
    wanted: &'r dyn Fn(&str) -> bool,
    row: &'r mut Row<'a>,
}

impl<'a> Visitor<'a> for Members<'_, 'a> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'a>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key_seed(Name(&mut self.row.scratch))? {
            if !(self.wanted)(self.row.str(&name)) {
                map.next_value::<IgnoredAny>()?;
                self.row.fields.push(Field { name, value: Slot::Skipped, at: 0, encoded: None });
                continue;
            }
            let raw = map.next_value::<&'a RawValue>()?.get();
            let at = raw.as_ptr().addr() - self.text.as_ptr().addr();
            self.row.fields.push(Field { name, value: Slot::Json(Str::Input(raw)), at, encoded: None });
        }
        Ok(())
    }
}

/// The name of a member, decoded into the buffer only if it has escapes.
struct Name<'r>(&'r mut String);

impl<'a> DeserializeSeed<'a> for Name<'_> {
    type Value = Str<'a>;

    fn deserialize<D: serde::Deserializer<'a>>(self, deserializer: D) -> Result<Str<'a>, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'a> Visitor<'a> for Name<'_> {
    type Value = Str<'a>;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the name of a field")
    }

    fn visit_borrowed_str<E: serde::de::Error>(self, name: &'a str) -> Result<Str<'a>, E> {
        Ok(Str::Input(name))
    }

    fn visit_str<E: serde::de::Error>(self, name: &str) -> Result<Str<'a>, E> {
        let start = self.0.len();
        self.0.push_str(name);
        Ok(Str::Scratch(start..self.0.len()))
    }
}

/// The value that the JSON text `raw` stands for.
pub(super) fn decode<'a>(raw: &'a str, scratch: &mut String) -> Result<Slot<'a>, String> {
    Ok(match raw.as_bytes() {
        [b'n', ..] => Slot::Null,
        [b't', ..] => Slot::Bool(true),
        [b'f', ..] => Slot::Bool(false),
        [b'"', inner @ .., b'"'] if memchr(b'\\', inner).is_none() => {
            Slot::String(Str::Input(raw.get(1..raw.len() - 1).unwrap_or_default()))
        }
        [b'"', ..] => {
            let start = scratch.len();
            unescape(raw.get(1..raw.len() - 1).unwrap_or_default(), scratch)?;
            Slot::String(Str::Scratch(start..scratch.len()))
        }
        [b'{' | b'[', ..] => {
            check_depth(raw)?;
            check_surrogates(raw)?;
            Slot::Json(Str::Input(raw))
        }
        _ => number(raw),
    })
}

/// A number as `i64`, or as `f64` where that writes back the same digits.
fn number(raw: &str) -> Slot<'_> {
    if let Ok(value) = raw.parse() {
        return Slot::Integer(value);
    }
    // Long enough for any `f64` in its shortest form.
    let mut written = [0; 32];
    let float = raw.parse::<f64>().ok().filter(|value| value.is_finite());
    if let Some(value) = float {
        let mut rest = written.as_mut_slice();
        if serde_json::to_writer(&mut rest, &value).is_ok() {
            let unused = rest.len();
            if &written[..written.len() - unused] == raw.as_bytes() {
                return Slot::Float(value);
            }
        }
    }
    Slot::Json(Str::Input(raw))
}

/// Decodes the inside of a JSON string, whose grammar has been checked, onto the end of `out`.
///
/// # Errors
///
/// When it holds half a surrogate pair, which no UTF-8 text can.
fn unescape(inside: &str, out: &mut String) -> Result<(), String> {
    out.reserve(inside.len());
    let mut rest = inside;
    loop {
        // Many writers escape all that is not ASCII: then the next escape is right here, and a search for it
        // costs more than to look.
        if !rest.starts_with('\\') {
            let Some((plain, escape)) =
                position_of_backslash(rest.as_bytes()).and_then(|at| rest.split_at_checked(at))
            else {
                break;
            };
            out.push_str(plain);
            rest = escape;
        }
        let letter = rest.as_bytes().get(1).copied().unwrap_or_default();
        let (character, length) = match letter {
            b'n' => ('\n', 2),
            b't' => ('\t', 2),
            b'r' => ('\r', 2),
            b'b' => ('\u{8}', 2),
            b'f' => ('\u{c}', 2),
            b'u' => unicode_escape(rest.as_bytes())?,
            other => (char::from(other), 2),
        };
        out.push(character);
        rest = rest.get(length..).unwrap_or_default();
    }
    out.push_str(rest);
    Ok(())
}

/// The place of the first backslash.
///
/// In text with line ends the next one is mostly near, where looking at eight bytes at a time costs less than
/// calling a search that is made for long distances.
#[inline]
fn position_of_backslash(bytes: &[u8]) -> Option<usize> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    const NEAR: usize = 16;
    let (words, _) = bytes.as_chunks::<8>();
    for (index, word) in words.iter().take(NEAR).enumerate() {
        let differs = u64::from_le_bytes(*word) ^ (ONES * u64::from(b'\\'));
        // The lowest marked byte is zero, so it was a backslash; those above may be marked without reason.
        let marks = differs.wrapping_sub(ONES) & !differs & HIGH;
        if marks != 0 {
            return Some(index * 8 + marks.trailing_zeros() as usize / 8);
        }
    }
    let near = words.len().min(NEAR) * 8;
    memchr(b'\\', bytes.get(near..)?).map(|at| near + at)
}

/// The character of the `\uXXXX` at the start of `escape`, and the bytes that it takes: two escapes when
/// they are a surrogate pair.
pub(super) fn unicode_escape(escape: &[u8]) -> Result<(char, usize), String> {
    let high = utf16_unit(escape).unwrap_or_default();
    if let Some(character) = char::from_u32(high) {
        return Ok((character, 6));
    }
    let low = escape.get(6..).and_then(utf16_unit).filter(|low| (0xDC00..0xE000).contains(low));
    if let (0xD800..0xDC00, Some(low)) = (high, low) {
        let code = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
        return Ok((char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER), 12));
    }
    Err(format!("`\\u{high:04x}` is half a surrogate pair and stands for no character"))
}

/// The number in the `\uXXXX` at the start of `escape`.
pub(super) fn utf16_unit(escape: &[u8]) -> Option<u32> {
    let [b'\\', b'u', digits @ ..] = escape else { return None };
    let add_digit = |unit: u32, digit: &u8| Some((unit << 4) | char::from(*digit).to_digit(16)?);
    digits.first_chunk::<4>()?.iter().try_fold(0, add_digit)
}

/// How deep values may nest: far beyond any scraped record, and most programs that read JSON stop there.
const MAX_DEPTH: usize = 128;

/// Nested values stay text; but whoever reads it next may not be able to follow.
fn check_depth(raw: &str) -> Result<(), String> {
    // What opens, in strings as well, is at least as much as nests.
    if memchr2_iter(b'{', b'[', raw.as_bytes()).nth(MAX_DEPTH).is_none() {
        return Ok(());
    }
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in raw.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = in_string,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(format!("nested more than {MAX_DEPTH} deep"));
        }
    }
    Ok(())
}

/// Nested values stay text; but text with half a surrogate pair would stop whoever reads it next.
fn check_surrogates(raw: &str) -> Result<(), String> {
    if memchr(b'\\', raw.as_bytes()).is_none() {
        return Ok(());
    }
    serde_json::from_str::<serde_json::Value>(raw).map(|_| ()).map_err(|error| described(&error))
}

/// Says why a line is no JSON object, with advice for what is often met instead.
fn not_an_object(text: &str, error: &serde_json::Error) -> Fault {
    let trimmed = text.trim_start();
    let start = text.len() - trimmed.len();
    let found = match trimmed.as_bytes() {
        [b'[', ..] => "an array",
        [b'"', ..] => "a string",
        [b'0'..=b'9' | b'-', ..] => "a number",
        [b'n', b'u', b'l', b'l', ..] => "null",
        [b'{', b'\'', ..] => {
            return Fault::new(start + 1, "not JSON but a Python literal: use the reader `records`");
        }
        [b'{', ..] => return syntax_fault(text.as_bytes(), error),
        _ => return Fault::new(start, "not a JSON object, which begins with `{`"),
    };
    Fault::new(start, format!("{found}, not a JSON object"))
}

fn syntax_fault(text: &[u8], error: &serde_json::Error) -> Fault {
    // `serde_json` counts the bytes it has read, which depends on the error.
    let near = error.column().saturating_sub(1).min(text.len());
    let message = described(error);
    let at = match message.as_str() {
        _ if error.is_eof() => text.len(),
        control if control.starts_with("control character") => {
            near + text[near..].iter().position(|byte| *byte < b' ').unwrap_or_default()
        }
        _ => near,
    };
    let words: [&[u8]; 3] = [b"NaN", b"Infinity", b"-Infinity"];
    let is_number = words.iter().any(|word| text[at..].starts_with(word));
    let advice = if is_number {
        "; NaN and infinities have no JSON form: write null, or say `invalid_values = \"repair\"`"
    } else {
        ""
    };
    Fault::new(at, format!("not JSON: {message}{advice}"))
}

/// The message of `serde_json` without its position, which counts differently from ours.
fn described(error: &serde_json::Error) -> String {
    let message = error.to_string();
    match message.rfind(" at line ").and_then(|end| message.get(..end)) {
        Some(described) => described.to_owned(),
        None => message,
    }
}
