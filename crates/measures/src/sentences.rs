//! Sentences: where they end, and how much of a text is in whole ones.

use crate::python::is_space;

/// Sentences of a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sentences {
    /// How many there are, pieces without an end mark included.
    pub(crate) n: u64,
    /// Characters that can be seen.
    pub(crate) n_visible: u64,
    /// Of these, how many stand in sentences with an end mark.
    pub(crate) n_ended: u64,
}

/// Counts the sentences of `text`: they end at a line end, behind `。！？｡` and behind `.!?…` before white space, each with
/// what closes quotations and brackets behind it.
pub(crate) fn count(text: &str) -> Sentences {
    let mut all = Sentences::default();
    for line in text.split('\n') {
        let mut rest = line;
        while !rest.is_empty() {
            let (length, ended) = sentence(rest);
            let Some((sentence, behind)) = rest.split_at_checked(length) else { break };
            let n_visible = tamis_text::chars::count_visible(sentence) as u64;
            all.n += u64::from(n_visible > 0);
            all.n_visible += n_visible;
            all.n_ended += if ended { n_visible } else { 0 };
            rest = behind;
        }
    }
    all
}

/// The length in bytes of the first sentence of a line, and whether it has an end mark.
///
/// Bytes are looked at, not characters: those that may begin an end mark are few.
pub(crate) fn sentence(line: &str) -> (usize, bool) {
    let bytes = line.as_bytes();
    let may_end = |byte: u8| matches!(byte, b'.' | b'!' | b'?' | 0xE2 | 0xE3 | 0xEF);
    let mut at = 0;
    while let Some(step) = bytes.get(at..).and_then(|rest| rest.iter().position(|byte| may_end(*byte))) {
        at += step;
        let rest = line.get(at..).unwrap_or_default();
        let mut chars = rest.chars();
        let mark = chars.next().unwrap_or(' ');
        let is_wide = matches!(mark, '。' | '！' | '？' | '｡');
        if !is_wide && !matches!(mark, '.' | '!' | '?' | '…') {
            at += mark.len_utf8();
            continue;
        }
        let is_mark = |c: char| matches!(c, '.' | '!' | '?' | '…' | '。' | '！' | '？' | '｡');
        let behind = rest.trim_start_matches(is_mark).trim_start_matches(tamis_text::chars::is_closing);
        let end = line.len() - behind.len();
        if is_wide || behind.is_empty() || behind.starts_with(is_space) {
            return (end, true);
        }
        at = end;
    }
    (line.len(), false)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sentences_end_at_marks_and_line_ends() {
        for (text, n, n_ended) in [
            ("Stop. Go on! \"Why?\" he said", 4, 16),
            ("版本 1.2 已发布。下载（见下。）标题\n第二行", 4, 16),
            ("v1.2 is out", 1, 0),
            ("Wait... what?!", 2, 13),
            ("", 0, 0),
            (" \n ", 0, 0),
        ] {
            let found = count(text);
            assert_eq!((found.n, found.n_ended), (n, n_ended), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_visible_character_is_in_one_sentence(text in "(\\PC|[.。!a \n”]){0,50}") {
            let found = count(&text);
            prop_assert_eq!(found.n_visible as usize, tamis_text::chars::count_visible(&text));
            prop_assert!(found.n_ended <= found.n_visible && found.n <= found.n_visible);
        }
    }
}
