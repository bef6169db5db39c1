//! Unicode normalization form C.

use std::ops::Range;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfc_quick};

/// The text in NFC and 1 (document), or `None` if it is already.
pub(super) fn repair(text: &str) -> Option<(String, u64)> {
    let (mut composed, mut copied) = (String::new(), 0);
    for part in parts_to_look_up(text) {
        let of_part = text.get(part.clone()).unwrap_or_default();
        if is_nfc_quick(of_part.chars()) == IsNormalized::Yes {
            continue;
        }
        // The first of it may be a mark for the character before.
        let before = text.get(copied..part.start).unwrap_or_default();
        let start = part.start - before.chars().next_back().map_or(0, char::len_utf8);
        composed.push_str(text.get(copied..start).unwrap_or_default());
        composed.extend(text.get(start..part.end).unwrap_or_default().nfc());
        copied = part.end;
    }
    if copied == 0 {
        return None;
    }
    composed.push_str(text.get(copied..).unwrap_or_default());
    (composed != text).then_some((composed, 1))
}

/// The parts of a text of which the bytes alone do not tell that they are in NFC: none of nearly every Chinese, Korean,
/// Japanese, English and Russian text, and what stands around an emoji or an accent of others. The library looks every
/// character up in tables, which costs ten times as much.
///
/// Left out are characters that no normalization form C changes, moves or composes with what is before them; so what
/// stands on either side of some of them has nothing to do with each other.
fn parts_to_look_up(text: &str) -> impl Iterator<Item = Range<usize>> {
    let bytes = text.as_bytes();
    let is_surely = move |from: usize| is_surely_nfc(bytes, from);
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = (at..bytes.len()).step_by(LANE).find(|from| !is_surely(*from))?;
        let end = (start + LANE..bytes.len()).step_by(LANE).find(|from| is_surely(*from));
        at = end.unwrap_or(bytes.len());
        Some(text.ceil_char_boundary(start)..text.ceil_char_boundary(at))
    })
}

/// Whether the characters that begin in the window at a byte are in NFC whatever stands before them.
fn is_surely_nfc(bytes: &[u8], from: usize) -> bool {
    if let Some(window) = bytes.get(from..).and_then(<[u8]>::first_chunk::<{ LANE + 2 }>) {
        if window[..LANE].is_ascii() {
            return true;
        }
        let mut unsafe_ones = 0;
        for index in 0..LANE {
            unsafe_ones |= is_unsafe([window[index], window[index + 1], window[index + 2]]);
        }
        return unsafe_ones == 0;
    }
    let byte = |at: usize| bytes.get(at).copied().unwrap_or_default();
    (from..bytes.len().min(from + LANE)).all(|at| is_unsafe([byte(at), byte(at + 1), byte(at + 2)]) == 0)
}

/// Bytes that are looked at together, so that the compiler compares a register full of them at a time.
const LANE: usize = 64;

/// 1 if a character begins with the first of these bytes that may change, move or compose, else 0; what is true is a
/// 1 because `&&` would become a jump for each byte.
fn is_unsafe([lead, second, third]: [u8; 3]) -> u8 {
    let within = |byte: u8, from: u8, to: u8| u8::from(byte.wrapping_sub(from) <= to - from);
    let is = |byte: u8, other: u8| u8::from(byte == other);
    let alone =
        within(lead, 0xCC, 0xCF) | within(lead, 0xD2, 0xE1) | is(lead, 0xEE) | within(lead, 0xF0, 0xFF);
    // U+2000 and U+2001 change; the blocks left out hold signs that change and marks that combine.
    let safe_signs = (is(second, 0x80) & within(third, 0x82, 0xFF))
        | within(second, 0x85, 0x8B)
        | within(second, 0x8D, 0x9F);
    let signs = is(lead, 0xE2) & (safe_signs ^ 1);
    // U+302A to U+302F, U+3099 and U+309A combine.
    let marks = is(second, 0x80) & within(third, 0xAA, 0xAF) | is(second, 0x82) & within(third, 0x99, 0x9A);
    // But for Korean syllables and full-width forms.
    let others = is(lead, 0xEA) & within(second, 0, 0xAF) | is(lead, 0xEF) & within(second, 0, 0xBB);
    alone | signs | is(lead, 0xE3) & marks | others
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use unicode_normalization::is_nfc;

    use super::*;

    #[test]
    fn every_character_that_is_passed_is_in_nfc_behind_any_other() {
        let is_passed = |c: &char| parts_to_look_up(&c.to_string()).next().is_none();
        for c in ('\0'..=char::MAX).filter(is_passed) {
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
            prop_assert!(parts_to_look_up(&text).next().is_some() || is_nfc(&text));
        }

        #[test]
        fn looking_at_parts_finds_what_looking_at_all_finds(
            text in "([a-z字]{0,90}([é\u{301}\u{323}\u{327}가ᄀ\u{1161}😀\u{3099}か]{1,3})?){0,6}",
        ) {
            let composed: String = text.nfc().collect();
            prop_assert_eq!(repair(&text), (composed != text).then_some((composed, 1)));
        }
    }
}
