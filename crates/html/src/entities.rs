//! Character references: `&amp;`, `&#20013;`, `&#x4E2D;`.

use std::borrow::Cow;

use html_escape::NAMED_ENTITIES;
use memchr::memchr;

/// The longest name, `CounterClockwiseContourIntegral`, and its `;`.
const MOST_NAME_BYTES: usize = 32;

/// Names that browsers accept without `;`, for the sake of old pages (HTML standard, section 13.5).
const WITHOUT_SEMICOLON: &[&str] = &[
    "AElig", "AMP", "Aacute", "Acirc", "Agrave", "Aring", "Atilde", "Auml", "COPY", "Ccedil", "ETH",
    "Eacute", "Ecirc", "Egrave", "Euml", "GT", "Iacute", "Icirc", "Igrave", "Iuml", "LT", "Ntilde", "Oacute",
    "Ocirc", "Ograve", "Oslash", "Otilde", "Ouml", "QUOT", "REG", "THORN", "Uacute", "Ucirc", "Ugrave",
    "Uuml", "Yacute", "aacute", "acirc", "acute", "aelig", "agrave", "amp", "aring", "atilde", "auml",
    "brvbar", "ccedil", "cedil", "cent", "copy", "curren", "deg", "divide", "eacute", "ecirc", "egrave",
    "eth", "euml", "frac12", "frac14", "frac34", "gt", "iacute", "icirc", "iexcl", "igrave", "iquest",
    "iuml", "laquo", "lt", "macr", "micro", "middot", "nbsp", "not", "ntilde", "oacute", "ocirc", "ograve",
    "ordf", "ordm", "oslash", "otilde", "ouml", "para", "plusmn", "pound", "quot", "raquo", "reg", "sect",
    "shy", "sup1", "sup2", "sup3", "szlig", "thorn", "times", "uacute", "ucirc", "ugrave", "uml", "uuml",
    "yacute", "yen", "yuml",
];

/// What windows-1252 has where Unicode has control characters; pages mean these (HTML standard, 13.2.5.80).
const WINDOWS_1252: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8D}', 'Ž', '\u{8F}', '\u{90}',
    '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9D}', 'ž', 'Ÿ',
];

/// `text` with its character references resolved, borrowed where there is none.
pub fn decoded(text: &str) -> Cow<'_, str> {
    if memchr(b'&', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        if let Some((length, referent)) = reference(after) {
            referent.push_to(&mut out);
            rest = after.get(length..).unwrap_or_default();
        } else {
            out.push('&');
            rest = after;
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

/// What a reference stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Referent {
    Char(char),
    Chars(&'static str),
}

impl Referent {
    fn push_to(self, out: &mut String) {
        match self {
            Self::Char(c) => out.push(c),
            Self::Chars(text) => out.push_str(text),
        }
    }
}

/// The reference that stands before `after` (which begins behind its `&`): its length and what it stands for.
pub(crate) fn reference(after: &str) -> Option<(usize, Referent)> {
    if let Some(number) = after.strip_prefix('#') {
        let (digits, radix) = match number.strip_prefix(['x', 'X']) {
            Some(digits) => (digits, 16),
            None => (number, 10),
        };
        let n_digits = digits.bytes().take_while(|&byte| char::from(byte).is_digit(radix)).count();
        if n_digits == 0 {
            return None;
        }
        let mut length = after.len() - digits.len() + n_digits;
        if after.as_bytes().get(length) == Some(&b';') {
            length += 1;
        }
        return Some((length, Referent::Char(numbered(digits.get(..n_digits)?, radix))));
    }
    named(after)
}

fn numbered(digits: &str, radix: u32) -> char {
    let digits = digits.trim_start_matches('0');
    // A longer number lies outside Unicode, and might overflow.
    let code = if digits.len() > 8 { u32::MAX } else { u32::from_str_radix(digits, radix).unwrap_or(0) };
    match code {
        0x80..=0x9F => WINDOWS_1252.get(code as usize - 0x80).copied().unwrap_or('\u{FFFD}'),
        0 => '\u{FFFD}',
        _ => char::from_u32(code).unwrap_or('\u{FFFD}'),
    }
}

fn named(after: &str) -> Option<(usize, Referent)> {
    let bytes = after.as_bytes();
    let length = bytes.iter().take(MOST_NAME_BYTES).take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let name = bytes.get(..length)?;
    if bytes.get(length) == Some(&b';')
        && let Some(text) = lookup(name)
    {
        return Some((length + 1, Referent::Chars(text)));
    }
    // `&notit;` is `¬it;`: the longest known beginning counts.
    (2..=length.min(6)).rev().find_map(|length| {
        let name = after.get(..length)?;
        WITHOUT_SEMICOLON.binary_search(&name).ok()?;
        Some((length, Referent::Chars(lookup(name.as_bytes())?)))
    })
}

fn lookup(name: &[u8]) -> Option<&'static str> {
    let found = NAMED_ENTITIES.binary_search_by(|(known, _)| (*known).cmp(name)).ok()?;
    NAMED_ENTITIES.get(found).map(|(_, text)| *text)
}
