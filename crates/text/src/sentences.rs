//! Where sentences end.

use crate::chars::{is_blank, is_cjk, is_closing};

/// Whether `c` ends a sentence in Chinese or Japanese: 。！？．｡ and ASCII `!?`.
///
/// `…` and `；` are not among them: they end a clause as often as a sentence.
pub fn is_full_stop(c: char) -> bool {
    matches!(c, '。' | '！' | '？' | '｡' | '．' | '!' | '?')
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
        Some('。' | '！' | '？' | '｡') => true,
        Some('!' | '?') => chars.next().is_some_and(is_cjk),
        _ => false,
    }
}

/// Whether a sentence ends before the end of `text`, and text follows it.
pub fn continues_after_sentence(text: &str) -> bool {
    let text = text.trim_end_matches(|c| is_closing(c) || is_full_stop(c) || is_blank(c));
    text.contains(['。', '！', '？', '｡'])
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

    proptest! {
        #[test]
        fn any_text_is_accepted(text in "\\PC{0,30}") {
            let paragraph = ends_cjk_sentence(&text);
            prop_assert!(!paragraph || ends_sentence(&text));
            continues_after_sentence(&text);
        }
    }
}
