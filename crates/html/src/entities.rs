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

/// The second characters of names that stand for two, most of them a stroke through the first or a variant of it; the
/// table of the library has the first ones alone.
const SECOND: &[(char, &[&str])] = &[
    ('\u{6A}', &["fjlig"]),
    ('\u{331}', &["race"]),
    ('\u{333}', &["acE"]),
    (
        '\u{338}',
        &[
            "NotEqualTilde",
            "NotGreaterFullEqual",
            "NotGreaterGreater",
            "NotGreaterSlantEqual",
            "NotHumpDownHump",
            "NotHumpEqual",
            "NotLeftTriangleBar",
            "NotLessLess",
            "NotLessSlantEqual",
            "NotNestedGreaterGreater",
            "NotNestedLessLess",
            "NotPrecedesEqual",
            "NotRightTriangleBar",
            "NotSquareSubset",
            "NotSquareSuperset",
            "NotSucceedsEqual",
            "NotSucceedsTilde",
            "nGg",
            "nGtv",
            "nLl",
            "nLtv",
            "napE",
            "napid",
            "nbump",
            "nbumpe",
            "ncongdot",
            "nedot",
            "nesim",
            "ngE",
            "ngeqq",
            "ngeqslant",
            "nges",
            "nlE",
            "nleqq",
            "nleqslant",
            "nles",
            "notinE",
            "notindot",
            "npart",
            "npre",
            "npreceq",
            "nrarrc",
            "nrarrw",
            "nsce",
            "nsubE",
            "nsubseteqq",
            "nsucceq",
            "nsupE",
            "nsupseteqq",
        ],
    ),
    ('\u{200A}', &["ThickSpace"]),
    (
        '\u{20D2}',
        &[
            "NotSubset",
            "NotSuperset",
            "nGt",
            "nLt",
            "nang",
            "nsubset",
            "nsupset",
            "nvap",
            "nvge",
            "nvgt",
            "nvle",
            "nvlt",
            "nvltrie",
            "nvrtrie",
            "nvsim",
            "vnsub",
            "vnsup",
        ],
    ),
    ('\u{20E5}', &["bne", "bnequiv", "nparsl"]),
    (
        '\u{FE00}',
        &[
            "caps",
            "cups",
            "gesl",
            "gvertneqq",
            "gvnE",
            "lates",
            "lesg",
            "lvertneqq",
            "lvnE",
            "smtes",
            "sqcaps",
            "sqcups",
            "varsubsetneq",
            "varsubsetneqq",
            "varsupsetneq",
            "varsupsetneqq",
            "vsubnE",
            "vsubne",
            "vsupnE",
            "vsupne",
        ],
    ),
];

/// `text` with its character references resolved, borrowed where there is none.
pub fn decoded(text: &str) -> Cow<'_, str> {
    resolved(text, false)
}

/// The value of an attribute with its character references resolved.
///
/// Without `;` a name that goes on with a letter, a digit or `=` is none here, or `?a=1&copy=2` would lose its
/// parameter (HTML standard, section 13.2.5.73).
pub fn decoded_attribute(value: &str) -> Cow<'_, str> {
    resolved(value, true)
}

fn resolved(text: &str, in_attribute: bool) -> Cow<'_, str> {
    if memchr(b'&', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        out.push_str(before);
        let found = reference(after).filter(|(length, _)| !in_attribute || is_in_attribute(after, *length));
        if let Some((length, referent)) = found {
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

/// Whether what was found at the beginning of `after` is a reference in an attribute, too.
fn is_in_attribute(after: &str, length: usize) -> bool {
    let bytes = after.as_bytes();
    let ends = length.checked_sub(1).and_then(|last| bytes.get(last)) == Some(&b';');
    let goes_on = bytes.get(length).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'=');
    ends || !goes_on || after.starts_with('#')
}

/// What a reference stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Referent {
    Char(char),
    /// A name, and its second character if it stands for two.
    Chars(&'static str, Option<char>),
}

impl Referent {
    pub(crate) fn push_to(self, out: &mut String) {
        match self {
            Self::Char(c) => out.push(c),
            Self::Chars(text, second) => {
                out.push_str(text);
                out.extend(second);
            }
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
        return Some((length + 1, Referent::Chars(text, second(name))));
    }
    // `&notit;` is `¬it;`: the longest known beginning counts.
    (2..=length.min(6)).rev().find_map(|length| {
        let name = after.get(..length)?;
        WITHOUT_SEMICOLON.binary_search(&name).ok()?;
        Some((length, Referent::Chars(lookup(name.as_bytes())?, None)))
    })
}

fn lookup(name: &[u8]) -> Option<&'static str> {
    let found = NAMED_ENTITIES.binary_search_by(|(known, _)| (*known).cmp(name)).ok()?;
    NAMED_ENTITIES.get(found).map(|(_, text)| *text)
}

fn second(name: &[u8]) -> Option<char> {
    let has = |names: &[&str]| names.iter().any(|known| known.as_bytes() == name);
    SECOND.iter().find(|(_, names)| has(names)).map(|(c, _)| *c)
}
