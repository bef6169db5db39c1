//! Sentences of a text, wherever a cut may be made.

use tamis_text::chars::{is_closing, is_line_end};
use tamis_text::sentences::is_full_stop;

/// The sentences of a text, one behind the other, each with the white space behind it: together they are the text.
///
/// A sentence ends behind 。！？ and what closes with them, behind `.`, `!` and `?` where white space and no small
/// letter follows, and with the line. That `Dr. Watson` is two of them does no harm: spans are runs of sentences.
pub(super) fn sentences(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let (mut start, mut at) = (0, 0);
    while let Some(length) = sentence(text.get(at..).unwrap_or_default()) {
        at += length;
        found.push(text.get(start..at).unwrap_or_default());
        start = at;
    }
    found
}

/// How many bytes the first sentence of a text has, white space behind it included; `None` at the end.
fn sentence(text: &str) -> Option<usize> {
    let mut chars = text.char_indices().peekable();
    chars.peek()?;
    while let Some((at, c)) = chars.next() {
        if is_line_end(c) {
            return Some(behind_blanks(text, at + c.len_utf8()));
        }
        if !is_full_stop(c) && c != '.' {
            continue;
        }
        let mut end = at + c.len_utf8();
        while let Some((next, closing)) =
            chars.next_if(|(_, c)| is_closing(*c) || is_full_stop(*c) || *c == '.')
        {
            end = next + closing.len_utf8();
        }
        let next = behind_blanks(text, end);
        let follows = text.get(next..).and_then(|rest| rest.chars().next());
        let is_end = !c.is_ascii() || (next > end && !follows.is_some_and(char::is_lowercase));
        if is_end || follows.is_none() {
            return Some(next);
        }
    }
    Some(text.len())
}

/// Where the white space ends that stands at `at`.
fn behind_blanks(text: &str, at: usize) -> usize {
    let rest = text.get(at..).unwrap_or_default();
    text.len() - rest.trim_start().len()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn sentences_end_where_a_reader_sees_it() {
        for (text, expected) in [
            ("", &[][..]),
            ("One. Two", &["One. ", "Two"]),
            (
                "It cost 1.50 at example.org. “Why?” she asked. He left!",
                &["It cost 1.50 at example.org. ", "“Why?” she asked. ", "He left!"],
            ),
            ("他说：“走吧。”然后走了。\n\n第二段", &["他说：“走吧。”", "然后走了。\n\n", "第二段"]),
            ("one line\nanother line", &["one line\n", "another line"]),
            ("e.g. this one", &["e.g. this one"]),
            ("真的？！是。", &["真的？！", "是。"]),
            (" \n \n", &[" \n \n"]),
        ] {
            assert_eq!(sentences(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn sentences_are_the_text(text in "([ab河 ]{0,4}(\\.|。|\n|!|”|？|1\\.5| )){0,12}|\\PC{0,40}") {
            let found = sentences(&text);
            prop_assert_eq!(found.concat(), text.as_str());
            prop_assert!(found.iter().all(|sentence| !sentence.is_empty()));
        }
    }
}
