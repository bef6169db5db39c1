//! Unicode normalization form C.

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// The text in NFC and 1 (document), or `None` if it is already.
pub(super) fn repair(text: &str) -> Option<(String, u64)> {
    if is_surely_nfc(text.as_bytes()) || is_nfc_quick(text.chars()) == IsNormalized::Yes {
        return None;
    }
    let composed: String = text.nfc().collect();
    (composed != text).then_some((composed, 1))
}

/// Whether the bytes alone tell that a text is in NFC: nearly every Chinese, Korean, Japanese, English and
/// Russian text. The library looks every character up in tables, which costs ten times as much.
///
/// Passed are the bytes of characters that no normalization form C changes, moves or composes with what is
/// before them.
fn is_surely_nfc(bytes: &[u8]) -> bool {
    let mut at = 0;
    while let Some(&lead) = bytes.get(at) {
        let (second, third) = (bytes.get(at + 1).copied(), bytes.get(at + 2).copied());
        let (safe, len) = match lead {
            0..=0x7F => (true, 1),
            0xC2..=0xCB | 0xD0 | 0xD1 => (true, 2),
            // U+2000 and U+2001 change; the blocks left out hold signs that change and marks that combine.
            0xE2 => match second {
                Some(0x80) => (third.is_some_and(|third| third >= 0x82), 3),
                Some(0x85..=0x8B | 0x8D..=0x9F) => (true, 3),
                _ => (false, 3),
            },
            // U+302A to U+302F, U+3099 and U+309A combine.
            0xE3 => match (second, third) {
                (Some(0x80), Some(third)) => (!(0xAA..=0xAF).contains(&third), 3),
                (Some(0x82), Some(third)) => (!(0x99..=0x9A).contains(&third), 3),
                _ => (true, 3),
            },
            0xE4..=0xE9 | 0xEB..=0xED => (true, 3),
            // Korean syllables.
            0xEA => (second.is_some_and(|second| second >= 0xB0), 3),
            // Full-width forms.
            0xEF => (second.is_some_and(|second| second >= 0xBC), 3),
            _ => (false, 1),
        };
        if !safe {
            return false;
        }
        at += len;
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_normalization::is_nfc;

    use super::*;

    #[test]
    fn every_character_that_is_passed_is_in_nfc_behind_any_other() {
        for c in ('\0'..=char::MAX).filter(|c| is_surely_nfc(c.to_string().as_bytes())) {
            for before in ["a", "か", "가", "각", "字", "<"] {
                let text = format!("{before}{c}");
                assert!(is_nfc(&text), "U+{:04X} behind {before}", c as u32);
            }
        }
    }

    #[test]
    fn letters_and_marks_are_composed() {
        assert_eq!(repair("cafe\u{301}"), Some(("café".to_owned(), 1)));
        assert_eq!(repair("か\u{3099}"), Some(("が".to_owned(), 1)));
        assert_eq!(repair("\u{1112}\u{1161}"), Some(("하".to_owned(), 1)));
        assert_eq!(repair("ｆｕｌｌ ﬁ ①"), None);
    }

    proptest! {
        #[test]
        fn the_short_cut_agrees_with_the_library(text in "\\PC{0,12}") {
            prop_assert!(!is_surely_nfc(text.as_bytes()) || is_nfc(&text));
        }
    }
}
