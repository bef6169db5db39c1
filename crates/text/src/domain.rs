//! Names of hosts: one name for what is written in several ways.

use std::borrow::Cow;

/// The name of a host as people read it: in small letters, with labels in Punycode (`xn--…`, RFC 3492) as the letters
/// that they stand for, and with full stops of Chinese and Japanese as dots.
///
/// Addresses are written either way, by whoever copied them from where: `例え.テスト` and `xn--r8jz45g.xn--zckzah` are
/// one host. A label that stands for nothing stays as it is.
///
/// ```
/// use tamis_text::domain::readable;
///
/// assert_eq!(readable("www.XN--Bcher-Kva.example"), "www.bücher.example");
/// assert_eq!(readable("BÜCHER。example"), "bücher.example");
/// ```
pub fn readable(host: &str) -> Cow<'_, str> {
    let is_plain = |byte: u8| byte.is_ascii() && !byte.is_ascii_uppercase();
    let has_mark = memchr::memmem::find(host.as_bytes(), MARK.as_bytes()).is_some();
    if !has_mark && host.bytes().all(is_plain) {
        return Cow::Borrowed(host);
    }
    let lower = host.to_lowercase().replace(['。', '．', '｡'], ".");
    let labels: Vec<Cow<'_, str>> = lower.split('.').map(label).collect();
    Cow::Owned(labels.join("."))
}

/// What labels in Punycode begin with.
const MARK: &str = "xn--";

fn label(label: &str) -> Cow<'_, str> {
    let decoded = label.strip_prefix(MARK).filter(|rest| rest.is_ascii()).and_then(decoded);
    // Nobody needs Punycode for letters of ASCII, and no name has characters that are not seen: such a label is a trick.
    let is_name = |decoded: &String| {
        !decoded.is_ascii() && !decoded.chars().any(|c| c.is_control() || c.is_whitespace() || c == '.')
    };
    match decoded.filter(is_name) {
        Some(decoded) => Cow::Owned(decoded.to_lowercase()),
        None => Cow::Borrowed(label),
    }
}

/// The longest label of a name, in bytes.
const MAX_LABEL_BYTES: usize = 63;

// The parameters of RFC 3492, section 5.
const BASE: u32 = 36;
const T_MIN: u32 = 1;
const T_MAX: u32 = 26;
const SKEW: u32 = 38;
const DAMP: u32 = 700;
const INITIAL_BIAS: u32 = 72;
const INITIAL_N: u32 = 128;

/// What a label stands for, behind its mark (RFC 3492, section 6.2).
fn decoded(encoded: &str) -> Option<String> {
    if encoded.len() > MAX_LABEL_BYTES {
        return None;
    }
    let (plain, digits) = encoded.rsplit_once('-').unwrap_or(("", encoded));
    let mut letters: Vec<char> = plain.chars().collect();
    let (mut n, mut at, mut bias) = (INITIAL_N, 0u32, INITIAL_BIAS);
    let mut digits = digits.bytes().peekable();
    while digits.peek().is_some() {
        let before = at;
        let mut weight = 1u32;
        let mut k = BASE;
        loop {
            let digit = value(digits.next()?)?;
            at = at.checked_add(digit.checked_mul(weight)?)?;
            let threshold = k.saturating_sub(bias).clamp(T_MIN, T_MAX);
            if digit < threshold {
                break;
            }
            weight = weight.checked_mul(BASE - threshold)?;
            k += BASE;
        }
        let n_letters = letters.len() as u32 + 1;
        bias = adapted(at - before, n_letters, before == 0);
        n = n.checked_add(at / n_letters)?;
        at %= n_letters;
        letters.insert(at as usize, char::from_u32(n)?);
        at += 1;
    }
    Some(letters.into_iter().collect())
}

fn value(digit: u8) -> Option<u32> {
    match digit {
        b'a'..=b'z' => Some(u32::from(digit - b'a')),
        b'0'..=b'9' => Some(u32::from(digit - b'0') + 26),
        _ => None,
    }
}

/// The bias for the next number (RFC 3492, section 6.1).
fn adapted(delta: u32, n_letters: u32, is_first: bool) -> u32 {
    let mut delta = if is_first { delta / DAMP } else { delta / 2 };
    delta += delta / n_letters;
    let mut k = 0;
    while delta > ((BASE - T_MIN) * T_MAX) / 2 {
        delta /= BASE - T_MIN;
        k += BASE;
    }
    k + (BASE - T_MIN + 1) * delta / (delta + SKEW)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn one_host_has_one_name() {
        for (written, expected) in [
            ("example.org", "example.org"),
            ("Example.ORG", "example.org"),
            ("xn--fiqs8s", "中国"),
            ("www.xn--fiq228c.xn--fiqs8s", "www.中文.中国"),
            ("XN--FIQS8S", "中国"),
            ("xn--bcher-kva.example", "bücher.example"),
            ("xn--mnchen-3ya.de", "münchen.de"),
            ("München.de", "münchen.de"),
            ("xn--e1afmkfd.xn--p1ai", "пример.рф"),
            ("中文。中国", "中文.中国"),
            // The samples of RFC 3492, section 7.1: (B) and (L), whose capitals are only written so.
            ("xn--ihqwcrb4cv8a8dqg056pqjye", "他们为什么不说中文"),
            ("xn--3B-ww4c5e180e575a65lsy2b", "3年b組金八先生"),
            // What stands for nothing.
            ("xn--", "xn--"),
            ("xn--abc-", "xn--abc-"),
            ("xn--a", "xn--a"),
            ("xn--99999999", "xn--99999999"),
            ("xn--é", "xn--é"),
            ("[::1]", "[::1]"),
            ("", ""),
        ] {
            assert_eq!(readable(written), expected, "{written}");
        }
    }

    proptest! {
        #[test]
        fn a_readable_name_is_its_own(host in "(xn--[a-z0-9-]{0,12}|[a-zA-Z0-9中é。.-]{0,10}){0,3}") {
            let once = readable(&host).into_owned();
            prop_assert_eq!(readable(&once), once.as_str());
        }
    }
}
