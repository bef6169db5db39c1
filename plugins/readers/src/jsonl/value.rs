//! What a JSON value stands for.

use memchr::{memchr, memchr2_iter};

use crate::row::{Slot, Str};

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

/// The message of `serde_json` without its position, which counts differently from ours.
pub(super) fn described(error: &serde_json::Error) -> String {
    let message = error.to_string();
    match message.rfind(" at line ").and_then(|end| message.get(..end)) {
        Some(described) => described.to_owned(),
        None => message,
    }
}
