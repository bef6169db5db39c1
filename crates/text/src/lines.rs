//! Lines and white space.

use std::borrow::Cow;
use std::ops::Range;

use crate::chars::{is_blank, is_line_end};

/// A line of a text, without its line end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// The text of the line.
    pub text: &'a str,
    /// The byte in the whole text at which the line begins.
    pub start: usize,
}

impl Line<'_> {
    /// The byte after the last of the line, without its line end.
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// The bytes of the line in the whole text, without its line end.
    pub fn range(&self) -> Range<usize> {
        self.start..self.end()
    }

    /// Whether the line holds nothing but white space.
    pub fn is_empty(&self) -> bool {
        self.text.chars().all(char::is_whitespace)
    }
}

/// The lines of `text`, which end at `\n` alone; a text of `n` line feeds has `n + 1` lines.
pub fn lines(text: &str) -> impl Iterator<Item = Line<'_>> {
    let ends = memchr::memchr_iter(b'\n', text.as_bytes()).chain([text.len()]);
    let mut start = 0;
    ends.map(move |end| {
        let line = Line { text: text.get(start..end).unwrap_or_default(), start };
        start = end + 1;
        line
    })
}

/// A text without the white space around it, as `str::trim` has it: most lines begin and end with a byte that tells that
/// there is none.
#[inline]
pub fn trim(text: &str) -> &str {
    match text.as_bytes() {
        [first, .., last] if is_no_space(*first) && is_no_space(*last) => text,
        [first, .., third, _, _] if is_no_space(*first) && matches!(third, 0xE4..=0xE9) => text,
        _ => text.trim(),
    }
}

/// The white space with which a text begins, in bytes.
#[inline]
pub fn indent(text: &str) -> usize {
    match text.as_bytes().first() {
        Some(first) if is_no_space(*first) => 0,
        _ => text.len() - text.trim_start().len(),
    }
}

/// Whether no white space begins or ends with a byte: letters and signs of ASCII, first bytes of Han characters.
fn is_no_space(byte: u8) -> bool {
    matches!(byte, 0x21..=0x7E | 0xE4..=0xE9)
}

/// The lines of [`lines`], each as `line` says, in a list that is allocated once: to count line ends first takes a
/// thirtieth of an instruction a byte, and to move a list that grows takes more.
pub fn collect_lines<'a, T>(text: &'a str, line: impl FnMut(Line<'a>) -> T) -> Vec<T> {
    let mut all = Vec::with_capacity(memchr::memchr_iter(b'\n', text.as_bytes()).count() + 1);
    all.extend(lines(text).map(line));
    all
}

/// The blocks of code of a text in Markdown: from each fence of three `` ` `` or `~` at the beginning of a line to the end
/// of the line that closes it. A fence that nothing closes is none.
pub fn fences(text: &str) -> Vec<Range<usize>> {
    let mut fences = Vec::new();
    // Nearly all texts have none: three of these signs in a row are looked for where one of them stands.
    let bytes = text.as_bytes();
    let begins = |at: usize| bytes.get(at..at + 3).is_some_and(|mark| matches!(mark, b"```" | b"~~~"));
    if !memchr::memchr2_iter(b'`', b'~', bytes).any(begins) {
        return fences;
    }
    let mut open: Option<(usize, &str)> = None;
    for line in lines(text) {
        let begun = line.text.trim_start_matches(' ');
        let mark = begun.get(..3).filter(|mark| matches!(*mark, "```" | "~~~"));
        match (open, mark) {
            (None, Some(mark)) => open = Some((line.end() - begun.len(), mark)),
            (Some((start, opened)), Some(mark)) if mark == opened && begun.trim_end().len() == 3 => {
                fences.push(start..line.end());
                open = None;
            }
            _ => {}
        }
    }
    fences
}

/// `text` as one line: runs of white space are one blank, none at the ends.
///
/// Borrows when there is nothing to do.
pub fn squeeze(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    let mut after_blank = false;
    let plain = text.chars().all(|c| {
        let blank = is_blank(c) || is_line_end(c);
        let fine = !blank || (c == ' ' && !after_blank);
        after_blank = blank;
        fine
    });
    if plain {
        return Cow::Borrowed(text);
    }
    let mut squeezed = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !squeezed.is_empty() {
            squeezed.push(' ');
        }
        squeezed.push_str(word);
    }
    Cow::Owned(squeezed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_know_where_they_stand() {
        let lines: Vec<_> = lines("一\n\nb\n").map(|line| (line.text, line.range())).collect();
        assert_eq!(lines, [("一", 0..3), ("", 4..4), ("b", 5..6), ("", 7..7)]);
    }

    #[test]
    fn squeezed_text_is_one_line() {
        for (text, expected) in
            [("", ""), (" a  b ", "a b"), ("甲\u{3000}\u{A0}乙\n丙", "甲 乙 丙"), ("a\tb", "a b")]
        {
            assert_eq!(squeeze(text), expected);
        }
        assert!(matches!(squeeze("plain text"), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn white_space_around_a_text_is_found(text in "[\\sa一é。]{0,6}") {
            prop_assert_eq!(trim(&text), text.trim());
            prop_assert_eq!(indent(&text), text.len() - text.trim_start().len());
        }

        #[test]
        fn lines_give_the_text_back(text in "(\\PC|\n){0,40}") {
            for line in lines(&text) {
                prop_assert_eq!(text.get(line.range()), Some(line.text));
            }
            prop_assert_eq!(collect_lines(&text, |line| line.text).join("\n"), text);
        }

        #[test]
        fn squeezing_twice_is_squeezing_once(text in "(\\PC|\\s){0,40}") {
            let once = squeeze(&text).into_owned();
            prop_assert_eq!(squeeze(&once).into_owned(), once);
        }
    }
}
