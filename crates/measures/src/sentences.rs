//! Sentences: where they end, and how much of a text is in whole ones.

use tamis_text::sentences::{is_end, is_wide_end};

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

/// Columns of a line that may have been broken to fit a page, and not because something ends.
const WRAPPED: usize = 40;

/// Counts the sentences of `text`: they end behind `。！？｡` and behind `.!?…` before white space, each with what closes
/// quotations and brackets behind it, and at line ends. The end of a long line before another line ends nothing: the text may
/// have been wrapped.
pub(crate) fn count(text: &str) -> Sentences {
    let mut all = Sentences::default();
    // Characters of a sentence that goes on from the line before.
    let mut open = 0;
    let mut lines = text.split('\n').peekable();
    while let Some(line) = lines.next() {
        let mut rest = line;
        while !rest.is_empty() {
            let (length, ended) = sentence(rest);
            let Some((sentence, behind)) = rest.split_at_checked(length) else { break };
            let n_visible = tamis_text::chars::count_visible(sentence) as u64;
            open += n_visible;
            all.n_visible += n_visible;
            if ended {
                all.n += u64::from(open > 0);
                all.n_ended += open;
                open = 0;
            }
            rest = behind;
        }
        let goes_on = lines.peek().is_some_and(|next| !next.chars().all(is_space)) && is_long(line);
        if open > 0 && !goes_on {
            all.n += 1;
            open = 0;
        }
    }
    all
}

/// Whether a line has the columns of a wrapped one; its bytes tell nearly always.
fn is_long(line: &str) -> bool {
    line.len() >= 3 * WRAPPED || (line.len() >= WRAPPED && tamis_text::chars::text_width(line) >= WRAPPED)
}

/// The length in bytes of the first sentence of a line, and whether it has an end mark.
///
/// Bytes are looked at, not characters: those that may begin an end mark are few.
pub(crate) fn sentence(line: &str) -> (usize, bool) {
    let bytes = line.as_bytes();
    let mut at = 0;
    while let Some(step) = bytes.get(at..).and_then(may_end) {
        at += step;
        let rest = line.get(at..).unwrap_or_default();
        let mut chars = rest.chars();
        let mark = chars.next().unwrap_or(' ');
        // ．stands behind numbers, too.
        let is_wide = is_wide_end(mark) && mark != '．';
        if !is_wide && !matches!(mark, '.' | '!' | '?' | '…') {
            at += mark.len_utf8();
            continue;
        }
        let is_mark = |c: char| is_end(c) || c == '…';
        let behind = rest.trim_start_matches(is_mark).trim_start_matches(tamis_text::chars::is_closing);
        let end = line.len() - behind.len();
        if is_wide || behind.is_empty() || behind.starts_with(is_space) {
            return (end, true);
        }
        at = end;
    }
    (line.len(), false)
}

/// The first byte that an end mark may begin with.
fn may_end(bytes: &[u8]) -> Option<usize> {
    let ascii = memchr::memchr3(b'.', b'!', b'?', bytes);
    let before = bytes.get(..ascii.unwrap_or(bytes.len())).unwrap_or_default();
    memchr::memchr3(0xE2, 0xE3, 0xEF, before).or(ascii)
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
            ("The mill stands by the river, and its wheel\nhas not turned.", 1, 48),
            ("Home\nNews\nThe mill stands.", 3, 14),
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
