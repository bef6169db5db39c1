//! The parts of a wide line that are counted beside the line itself.
//!
//! Where tags were taken away without a line end, a menu, the last paragraph and a footer share one line.
//! What is left of the seams are gaps and ends of sentences.

use std::ops::Range;

use tamis_text::chars::is_closing;

use super::measure::measure;

/// A narrower line is not cut: it would be all seam. Paragraphs of prose are wider.
pub(super) const MIN_COLUMNS: usize = 60;

/// What is wider and has no gap is cut behind sentences; four lines of a printed page.
/// On the development set cutting everything over 60 columns found no more, for three times as many parts.
const MIN_SENTENCE_COLUMNS: usize = 400;

/// So many sentences are cut off at the start of a part and at its end; those between are counted as one.
/// Templates hang on the ends of a text, and counting each of its sentences would cost as much as all lines.
const N_HEAD: usize = 2;
const N_TAIL: usize = 3;

/// So many blanks are a gap; two follow a full stop in old typescripts.
const MIN_BLANKS: usize = 3;

/// Hands the byte ranges of the parts of `line` to `each`, in order; at least two, or none.
pub(super) fn each_part(line: &str, has_gaps: bool, mut each: impl FnMut(Range<usize>)) {
    let mut first = None;
    let mut emit = |range: Range<usize>| {
        // The first waits for the second: a line of one part is no line of parts.
        match first.take() {
            None => first = Some(Some(range)),
            Some(waiting) => {
                if let Some(waiting) = waiting {
                    each(waiting);
                }
                each(range);
                first = Some(None);
            }
        }
    };
    let mut start = 0;
    while start < line.len() {
        let gap = if has_gaps { gap(line, start) } else { line.len()..line.len() };
        if gap.start > start {
            sentences(line, start..gap.start, &mut emit);
        }
        start = gap.end;
    }
}

/// The next gap at or behind a byte; empty and at the end when there is none.
fn gap(line: &str, from: usize) -> Range<usize> {
    let bytes = line.as_bytes();
    let mut at = from;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let (n_bytes, is_gap) = blank(rest);
        if n_bytes == 0 {
            at += 1;
            continue;
        }
        let (start, mut n_blanks, mut is_gap) = (at, 1, is_gap);
        at += n_bytes;
        while let (n_bytes @ 1.., wide) = blank(bytes.get(at..).unwrap_or_default()) {
            (at, n_blanks, is_gap) = (at + n_bytes, n_blanks + 1, is_gap || wide);
        }
        if is_gap || n_blanks >= MIN_BLANKS {
            return start..at;
        }
    }
    line.len()..line.len()
}

/// How many bytes the blank at the start of `bytes` has, and whether it is a gap by itself.
fn blank(bytes: &[u8]) -> (usize, bool) {
    match bytes {
        [b' ', ..] => (1, false),
        [b'\t', ..] => (1, true),
        [0xC2, 0xA0, ..] => (2, true),
        [0xE3, 0x80, 0x80, ..] => (3, true),
        _ => (0, false),
    }
}

/// Hands a part on, cut behind its first and its last sentences when it is wide.
fn sentences(line: &str, part: Range<usize>, emit: &mut impl FnMut(Range<usize>)) {
    let text = line.get(part.clone()).unwrap_or_default();
    if text.len() <= MIN_SENTENCE_COLUMNS || measure(text).columns <= MIN_SENTENCE_COLUMNS {
        return emit(part);
    }
    let mut head = [0; N_HEAD];
    let mut tail = [0; N_TAIL];
    let (mut n_head, mut n_tail) = (0, 0);
    for cut in ends(text).filter(|cut| *cut < text.len()) {
        if let Some(place) = head.get_mut(n_head) {
            *place = cut;
            n_head += 1;
        } else {
            tail.rotate_left(1);
            tail[N_TAIL - 1] = cut;
            n_tail = (n_tail + 1).min(N_TAIL);
        }
    }
    let mut start = part.start;
    for cut in head.iter().take(n_head).chain(tail.iter().skip(N_TAIL - n_tail)) {
        emit(start..part.start + cut);
        start = part.start + cut;
    }
    emit(start..part.end);
}

/// The bytes behind the sentences of a text, with the quotation marks and brackets that close them.
fn ends(text: &str) -> impl Iterator<Item = usize> + '_ {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        loop {
            let (n_bytes, is_ascii) = match bytes.get(at..)? {
                [] => return None,
                [b'.' | b'!' | b'?', ..] => (1, true),
                // 。！？；
                [0xE3, 0x80, 0x82, ..] | [0xEF, 0xBC, 0x81 | 0x9B | 0x9F, ..] => (3, false),
                _ => (0, false),
            };
            at += n_bytes.max(1);
            if n_bytes == 0 {
                continue;
            }
            let rest = text.get(at..).unwrap_or_default();
            let behind = rest.trim_start_matches(is_closing);
            at += rest.len() - behind.len();
            if !is_ascii || behind.starts_with(' ') {
                return Some(at);
            }
        }
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(line: &str) -> Vec<&str> {
        let mut parts = Vec::new();
        each_part(line, true, |range| parts.push(line.get(range).unwrap()));
        parts
    }

    #[test]
    fn lines_are_cut_at_gaps() {
        for (line, expected) in [
            ("Home\tNews\t\tSport", vec!["Home", "News", "Sport"]),
            ("首页\u{3000}新闻\u{a0} \u{a0}体育", vec!["首页", "新闻", "体育"]),
            ("It rained.  It rained   Share", vec!["It rained.  It rained", "Share"]),
            ("\u{a0}one part\u{a0}", vec![]),
            ("no gap", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(parts(line), expected, "{line}");
        }
    }

    #[test]
    fn a_wide_part_loses_its_first_and_last_sentences() {
        let middle = "渡船在天亮以前离开了港口，没有人看见它回来。".repeat(12);
        let line = format!("港口日报讯。昨天！{middle}“完了。”责任编辑：某人。转载请注明出处。");
        let found = parts(&line);
        assert_eq!(found[..2], ["港口日报讯。", "昨天！"]);
        assert_eq!(found[found.len() - 2..], ["责任编辑：某人。", "转载请注明出处。"]);
        assert_eq!(found.len(), 6);
        assert!(found[2].len() > middle.len() / 2);
        let english = format!("By J. Doe. {}See v1.2 here. \"All rights reserved.\"", "x".repeat(500));
        assert_eq!(parts(&english)[0], "By J.");
        assert_eq!(parts(&english).last(), Some(&" \"All rights reserved.\""));
    }

    proptest! {
        #[test]
        fn parts_hold_all_but_the_gaps(line in "([一。！ \t\u{a0}\u{3000}”]|[a-b.?\"]){0,60}|([一。]|[a. ]){300,500}") {
            let mut last = 0;
            let mut n_parts = 0;
            each_part(&line, true, |range| {
                assert!(range.start >= last && range.end > range.start);
                assert!(line.get(last..range.start).unwrap().trim().is_empty());
                last = range.end;
                n_parts += 1;
            });
            prop_assert!(n_parts != 1);
            prop_assert!(n_parts == 0 || line.get(last..).unwrap().trim().is_empty());
        }
    }
}
