//! Telephones at home and in offices, without a country code.
//!
//! Digits alone are a date or an article as often, so the area code must exist and be parted from the number, or a label
//! stand before it.

use std::ops::Range;

/// What stands before a telephone number.
const LABELS: [&str; 18] = [
    "电话",
    "電話",
    "传真",
    "傳真",
    "热线",
    "熱線",
    "座机",
    "座機",
    "咨询",
    "致电",
    "固话",
    "tel",
    "phone",
    "telephone",
    "fax",
    "call",
    "mobile",
    "telefon",
];

/// Where the number is that a run of digits, blanks and hyphens belongs to, if it is one: with its area code in brackets, if that
/// stands there.
pub(super) fn landline(text: &str, run: &Range<usize>) -> Option<Range<usize>> {
    let written = text.get(run.clone())?;
    if written.contains('.') {
        return None;
    }
    let groups: Vec<&str> = written.split([' ', '-']).collect();
    if let Some((start, area)) = bracketed(text, run.start) {
        let is_one = is_chinese(area, &groups) || is_american(area, &groups);
        return is_one.then_some(start..run.end);
    }
    if let [area, rest @ ..] = groups.as_slice()
        && !rest.is_empty()
    {
        let is_parted = written.as_bytes().get(area.len()) == Some(&b'-');
        let is_one = is_chinese(area, rest) && (is_parted || has_label(text, run.start))
            || is_american(area, rest) && has_label(text, run.start);
        return is_one.then(|| run.clone());
    }
    // In one: the area code has three digits or four.
    let is_one = [3, 4].into_iter().filter_map(|length| written.split_at_checked(length));
    let is_one = is_one.into_iter().any(|(area, local)| is_chinese(area, &[local]));
    (is_one && has_label(text, run.start)).then(|| run.clone())
}

/// The area code in brackets before a place, and where it begins.
fn bracketed(text: &str, start: usize) -> Option<(usize, &str)> {
    let before = text.get(..start)?;
    let before = before.strip_suffix([' ', '-']).unwrap_or(before);
    let inner = before.strip_suffix([')', '）'])?;
    let open = inner.rfind(['(', '（'])?;
    let area = inner.get(open..)?.trim_start_matches(['(', '（']);
    let is_area = (3..=4).contains(&area.len()) && area.bytes().all(|byte| byte.is_ascii_digit());
    is_area.then_some((open, area))
}

/// Whether these are an area code of China and a number with the length that it has there, an extension behind it or not.
fn is_chinese(area: &str, groups: &[&str]) -> bool {
    let bytes = area.as_bytes();
    let (is_area, is_city) = match bytes {
        b"010" => (true, true),
        [b'0', b'2', digit] => (*digit != b'6', true),
        [b'0', b'3'..=b'9', b'1'..=b'9', b'0'..=b'9'] => (true, false),
        _ => (false, false),
    };
    let fits = |length: usize| length == 8 || length == 7 && !is_city;
    let lengths: Vec<usize> = groups.iter().map(|group| group.len()).collect();
    let length_fits = match lengths.as_slice() {
        [local] => fits(*local),
        [4, 4] => true,
        [3, 4] => !is_city,
        [local, extension] => fits(*local) && (1..=5).contains(extension),
        _ => false,
    };
    // No number begins with 0 or 1, which call services, nor with 9.
    is_area
        && length_fits
        && groups.first().is_some_and(|local| local.starts_with(['2', '3', '4', '5', '6', '7', '8']))
}

/// Whether these are a number of North America: three digits, three and four, of which none begins with 0 or 1.
fn is_american(area: &str, groups: &[&str]) -> bool {
    let begins = |group: &str| group.starts_with(['2', '3', '4', '5', '6', '7', '8', '9']);
    match groups {
        [exchange, line] => {
            // 400 is the service of a company in China, and nowhere in America.
            let fits = area.len() == 3 && exchange.len() == 3 && line.len() == 4;
            fits && area != "400" && begins(area) && begins(exchange)
        }
        _ => false,
    }
}

/// Whether a label stands right before a place.
fn has_label(text: &str, start: usize) -> bool {
    let from = text.floor_char_boundary(start.saturating_sub(24));
    let before = text.get(from..start).unwrap_or_default().to_lowercase();
    let before = before.trim_end_matches([' ', ':', '：', '.', '(', '（', '/', '号', '码', '碼', '號']);
    LABELS.iter().any(|label| before.strip_suffix(label).is_some_and(|rest| ends_word(label, rest)))
}

/// Whether nothing goes on before a label that is written with letters: `tel` is none at the end of `hotel`.
fn ends_word(label: &str, before: &str) -> bool {
    !label.is_ascii() || !before.ends_with(|c: char| c.is_ascii_alphanumeric())
}
