//! Where sentences end.

use std::ops::Range;

use crate::chars::{is_blank, is_cjk, is_closing};
pub use crate::chars::{is_end, is_wide_end};
use crate::class::{Classes, Table};

/// The sentences of a text, in order, white space at their ends left out.
///
/// A sentence ends behind 。！？ and their kin, whatever follows, and behind `.`, `!`, `?` and those of Arabic and
/// Hindi before white space, unless a small letter or a digit comes then, as in `e.g. this` and `No. 5`. Marks and closing
/// quotes or brackets behind the first mark belong to it. So does a line: no sentence runs across a line end.
pub fn sentences(text: &str) -> impl Iterator<Item = Range<usize>> {
    crate::lines::lines(text).flat_map(|line| {
        let mut rest = 0;
        std::iter::from_fn(move || {
            let behind = line.text.get(rest..)?;
            let begin = rest + behind.len() - behind.trim_start().len();
            let length = sentence(line.text.get(begin..).filter(|text| !text.is_empty())?);
            rest = begin + length;
            let sentence = line.text.get(begin..rest)?.trim_end();
            Some(line.start + begin..line.start + begin + sentence.len())
        })
    })
}

/// The bytes of the sentence with which `text` begins.
fn sentence(text: &str) -> usize {
    let table = Table::get();
    // The mark that has ended the sentence, and whether white space stands behind it.
    let mut ended: Option<(char, bool)> = None;
    for (at, c) in text.char_indices() {
        let classes = table.of(c);
        ended = match ended {
            Some((mark, _)) if c.is_whitespace() => Some((mark, true)),
            Some((mark, is_apart)) if !classes.has(Classes::END.or(Classes::CLOSING)) || is_apart => {
                let goes_on = classes.has(Classes::LOWER.or(Classes::DIGIT));
                if table.of(mark).has(Classes::CJK_END) || (is_apart && !goes_on) {
                    return at;
                }
                None
            }
            Some((_, is_apart)) if classes.has(Classes::END) => Some((c, is_apart)),
            Some(ended) => Some(ended),
            None => classes.has(Classes::END).then_some((c, false)),
        };
    }
    text.len()
}

/// Whether `c` ends a sentence in Chinese or Japanese: those of [`is_wide_end`] and ASCII `!?`.
pub fn is_full_stop(c: char) -> bool {
    is_wide_end(c) || matches!(c, '!' | '?')
}

/// Whether `text` ends as a sentence of any kind does: with an end mark, `…`, `；` or `：`, closing quotes
/// and brackets behind it allowed, white space ignored.
///
/// Use it to ask whether a line is complete.
pub fn ends_sentence(text: &str) -> bool {
    last_mark(text)
        .is_some_and(|mark| is_full_stop(mark) || matches!(mark, '…' | '；' | '：' | '.' | ';' | ':'))
}

/// Whether `text` ends with a full stop of Chinese or Japanese text, closing quotes and brackets behind it
/// allowed.
///
/// Use it to ask whether a paragraph may end here: ASCII `!` and `?` count only after a Chinese or Japanese
/// letter, `.` and `…` never.
pub fn ends_cjk_sentence(text: &str) -> bool {
    let mut chars = text.chars().rev().skip_while(|&c| is_closing(c) || is_blank(c));
    match chars.next() {
        // ．stands behind numbers, too.
        Some(mark) if is_wide_end(mark) && mark != '．' => true,
        Some('!' | '?') => chars.next().is_some_and(is_cjk),
        _ => false,
    }
}

/// Whether a sentence ends before the end of `text`, and text follows it.
pub fn continues_after_sentence(text: &str) -> bool {
    let text = text.trim_end_matches(|c| is_closing(c) || is_full_stop(c) || is_blank(c));
    // By their first bytes: a text of one script has few of them, and to decode each character takes ten times as long.
    let begins_with_mark = |at: usize| {
        matches!(
            text.as_bytes().get(at..at + 3),
            Some(b"\xE3\x80\x82" | b"\xEF\xBC\x81" | b"\xEF\xBC\x9F" | b"\xEF\xBD\xA1")
        )
    };
    memchr::memchr2_iter(0xE3, 0xEF, text.as_bytes()).any(begins_with_mark)
}

/// The last character that is neither white space nor a closing quote or bracket.
fn last_mark(text: &str) -> Option<char> {
    text.chars().rev().find(|&c| !is_closing(c) && !c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn quotes_and_brackets_belong_to_the_sentence_that_they_close() {
        for text in ["完。", "“走！”", "（见下。）", "Done.\"", "有三点： ", "以后再说……", "。"]
        {
            assert!(ends_sentence(text), "{text}");
        }
        for text in ["", "标题", "一半，", "“引文”", "（括号）", "and then,"] {
            assert!(!ends_sentence(text), "{text}");
        }
    }

    #[test]
    fn a_paragraph_ends_only_at_an_unmistakable_stop() {
        for text in ["完。", "“走！”", "好吗?", "好!」"] {
            assert!(ends_cjk_sentence(text), "{text}");
        }
        for text in ["", "Done.", "Done!", "以后再说……", "一；", "有三点：", "标题"] {
            assert!(!ends_cjk_sentence(text), "{text}");
        }
    }

    #[test]
    fn running_text_goes_on_after_a_sentence() {
        assert!(continues_after_sentence("第一句。第二句没有"));
        assert!(continues_after_sentence("第一句。第二句。"));
        assert!(!continues_after_sentence("只有一句。”"));
        assert!(!continues_after_sentence("没有句号，"));
    }

    #[test]
    fn a_text_falls_into_sentences() {
        for (text, expected) in [
            ("渡船停了。没有人来！“真的？”他问。", vec!["渡船停了。", "没有人来！", "“真的？”", "他问。"]),
            (
                "It left. Nobody saw it, e.g. the clerk of pier No. 5.",
                vec!["It left.", "Nobody saw it, e.g. the clerk of pier No. 5."],
            ),
            ("“It left.” She knew?! Yes... perhaps", vec!["“It left.”", "She knew?!", "Yes... perhaps"]),
            ("  a line\nand another. \n\n", vec!["a line", "and another."]),
            ("3.5 km. Далее", vec!["3.5 km.", "Далее"]),
            ("……。", vec!["……。"]),
            ("", vec![]),
        ] {
            let found: Vec<&str> = sentences(text).filter_map(|range| text.get(range)).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn nothing_visible_lies_between_sentences(text in "([a-zA-Z渡船。.!? ”\\n]){0,40}") {
            let joined: String = sentences(&text).filter_map(|range| text.get(range)).collect();
            let visible = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
            prop_assert_eq!(visible(&joined), visible(&text));
        }

        #[test]
        fn any_text_is_accepted(text in "\\PC{0,30}") {
            let paragraph = ends_cjk_sentence(&text);
            prop_assert!(!paragraph || ends_sentence(&text));
            continues_after_sentence(&text);
        }
    }
}
