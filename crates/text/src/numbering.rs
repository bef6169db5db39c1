//! Numbered headings and list items.

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Numbering {
    /// `一、`
    Chinese,
    /// `（一）`, with brackets of either width.
    ChineseBracketed,
    /// `1、`
    Digits,
    /// `1.` or `1．`
    DigitsDotted,
    /// `（1）`, with brackets of either width.
    DigitsBracketed,
    /// `第一，`, with a comma of either width or `、`.
    Ordinal,
}

/// A number at the start of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marker {
    /// How it is written.
    pub numbering: Numbering,
    /// The number, 1 to 99.
    pub value: u32,
    /// Bytes that it takes, its own punctuation included.
    pub len: usize,
}

/// The number that `text` starts with, if what stands there is a marker of a heading or list item.
///
/// What only looks like one is refused: `1.5`, `1、2月份` and `一、二年级`, where the next number of the series
/// follows at once, and numbers beyond 99.
pub fn marker(text: &str) -> Option<Marker> {
    let bytes = text.as_bytes();
    // Told by the first byte, because this is asked at every sentence end: a digit, `(`, or the lead bytes
    // of （ (EF), 一二三四五六七八九十 (E4 to E5), 第 (E7).
    let marker = match bytes.first()? {
        b'0'..=b'9' => plain(text),
        b'(' | 0xEF => bracketed(text),
        0xE4..=0xE9 => ordinal(text).or_else(|| plain(text)),
        _ => None,
    }?;
    let rest = text.get(marker.len..)?;
    let next = number(rest).map(|(value, ..)| value);
    (next != Some(marker.value + 1)).then_some(marker)
}

/// A number in digits or in Chinese at the start of `text`, 1 to 99: value, bytes, whether it is Chinese.
pub fn number(text: &str) -> Option<(u32, usize, bool)> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    if digits > 0 {
        let value = text.get(..digits)?.parse().ok().filter(|value| (1..=99).contains(value))?;
        return Some((value, digits, false));
    }
    let (value, len) = chinese_number(text)?;
    Some((value, len, true))
}

/// A Chinese number at the start of `text`, 一 to 九十九, and the bytes it takes.
///
/// All of the numeral must be such a number: 一百, 二〇 and 一二 are none.
pub fn chinese_number(text: &str) -> Option<(u32, usize)> {
    let (mut value, mut len, mut seen_ten, mut seen_unit) = (0, 0, false, false);
    for c in text.chars() {
        match (chinese_digit(c), c) {
            (Some(digit), _) if !seen_unit => {
                value += digit;
                seen_unit = true;
            }
            (None, '十') if !seen_ten => {
                value = 10 * value.max(1);
                (seen_ten, seen_unit) = (true, false);
            }
            (Some(_), _) | (None, '十' | '百' | '千' | '万' | '〇' | '零') => return None,
            (None, _) => break,
        }
        len += c.len_utf8();
    }
    (len > 0).then_some((value, len))
}

fn chinese_digit(c: char) -> Option<u32> {
    "一二三四五六七八九".chars().position(|digit| digit == c).map(|index| index as u32 + 1)
}

/// `一、`, `1、`, `1.`.
fn plain(text: &str) -> Option<Marker> {
    let (value, len, chinese) = number(text)?;
    let mut rest = text.get(len..)?.chars();
    let mark = rest.next()?;
    let numbering = match (chinese, mark) {
        (true, '、') => Numbering::Chinese,
        (false, '、') => Numbering::Digits,
        // Not a decimal number, and not the section 1.2 either.
        (false, '.' | '．') if !rest.next().is_some_and(|c| c.is_ascii_digit()) => Numbering::DigitsDotted,
        _ => return None,
    };
    Some(Marker { numbering, value, len: len + mark.len_utf8() })
}

/// `（一）`, `(1)`.
fn bracketed(text: &str) -> Option<Marker> {
    let inner = text.strip_prefix(['(', '（'])?;
    let (value, _, chinese) = number(inner)?;
    let rest =
        inner.trim_start_matches(|c: char| c.is_ascii_digit() || c == '十' || chinese_digit(c).is_some());
    let rest = rest.strip_prefix([')', '）'])?;
    let numbering = if chinese { Numbering::ChineseBracketed } else { Numbering::DigitsBracketed };
    Some(Marker { numbering, value, len: text.len() - rest.len() })
}

/// `第一，`.
fn ordinal(text: &str) -> Option<Marker> {
    let inner = text.strip_prefix('第')?;
    let (value, len) = chinese_number(inner)?;
    let rest = inner.get(len..)?.strip_prefix(['，', ',', '、'])?;
    Some(Marker { numbering: Numbering::Ordinal, value, len: text.len() - rest.len() })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::Numbering::*;
    use super::*;

    #[test]
    fn numbers_are_read_as_they_are_written() {
        for (text, numbering, value, len) in [
            ("一、总则", Chinese, 1, 6),
            ("二十一、附则", Chinese, 21, 12),
            ("（三）范围", ChineseBracketed, 3, 9),
            ("(十)范围", ChineseBracketed, 10, 5),
            ("1、范围", Digits, 1, 4),
            ("12.范围", DigitsDotted, 12, 3),
            ("1．范围", DigitsDotted, 1, 4),
            ("（1）范围", DigitsBracketed, 1, 7),
            ("第一，要快", Ordinal, 1, 9),
            ("第四,要稳", Ordinal, 4, 7),
            ("1、2019年", Digits, 1, 4),
            ("二、一季度", Chinese, 2, 6),
        ] {
            assert_eq!(marker(text), Some(Marker { numbering, value, len }), "{text}");
        }
    }

    #[test]
    fn what_only_looks_like_a_number_is_refused() {
        for text in [
            "",
            "一",
            "1",
            "1.5倍",
            "1、2月份",
            "一、二年级",
            "一百、",
            "一二、",
            "第一名",
            "0、",
            "100、",
            "（略）",
            "（一",
            "一般、",
            "3年",
            "２、",
        ] {
            assert_eq!(marker(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_accepted(text in "[第一二九十百（()）、.．,，0-9字]{0,8}") {
            if let Some(found) = marker(&text) {
                prop_assert!(text.get(found.len..).is_some());
                prop_assert!((1..=99).contains(&found.value));
            }
        }
    }
}
