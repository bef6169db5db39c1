//! A page as this stage walks over it: from line to line, without listing them all.

use std::ops::Range;

use tamis_text::chars::{is_invisible, text_width};
use tamis_text::likeness::look_alike;

/// So many bytes of a page are looked at. Title, date and byline stand before the text or right behind it;
/// what is longer is a book or a log, and its end says nothing about its title.
const MAX_BYTES: usize = 256 << 10;

/// The part of a page that is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page<'a> {
    pub(super) text: &'a str,
}

/// A line without the white space around it, by its bytes in the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) text: &'a str,
    pub(super) start: usize,
}

impl Line<'_> {
    pub(super) fn end(&self) -> usize {
        self.start + self.text.len()
    }

    pub(super) fn range(&self) -> Range<usize> {
        self.start..self.end()
    }

    /// Width in columns, a Chinese character counted as two; long lines are not measured to their end.
    pub(super) fn width(&self) -> usize {
        if self.text.len() > 1000 { 1000 } else { text_width(self.text) }
    }
}

impl<'a> Page<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        let mut end = text.len().min(MAX_BYTES);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        Self { text: text.get(..end).unwrap_or_default() }
    }

    pub(super) fn slice(&self, range: Range<usize>) -> &'a str {
        self.text.get(range).unwrap_or_default()
    }

    /// The line around byte `at`.
    pub(super) fn line_at(&self, at: usize) -> Line<'a> {
        let bytes = self.text.as_bytes();
        let at = at.min(bytes.len());
        let start = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |end| end + 1);
        let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end);
        self.trimmed(start, end)
    }

    fn trimmed(&self, start: usize, end: usize) -> Line<'a> {
        let line = self.slice(start..end);
        // Signs and letters of ASCII, and Han characters, of which the first byte tells as much.
        let is_plain = |byte: &u8| matches!(byte, 0x21..=0x7E | 0xE4..=0xE9);
        let begun = if line.as_bytes().first().is_some_and(is_plain) {
            line
        } else {
            line.trim_start_matches(is_space)
        };
        let start = start + line.len() - begun.len();
        let ends_plainly = matches!(begun.as_bytes(), [.., 0x21..=0x7E] | [.., 0xE4..=0xE9, _, _]);
        let text = if ends_plainly { begun } else { begun.trim_end_matches(is_space) };
        Line { text, start }
    }

    /// The visible line after `line`.
    pub(super) fn next(&self, line: Line<'a>) -> Option<Line<'a>> {
        let bytes = self.text.as_bytes();
        let mut at = line.end();
        loop {
            at += memchr::memchr(b'\n', bytes.get(at..)?)? + 1;
            let next = self.line_at(at);
            if !next.text.is_empty() {
                return Some(next);
            }
        }
    }

    /// The visible line before `line`.
    pub(super) fn previous(&self, line: Line<'a>) -> Option<Line<'a>> {
        let bytes = self.text.as_bytes();
        let mut at = line.start;
        loop {
            at = memchr::memrchr(b'\n', bytes.get(..at)?)?;
            let previous = self.line_at(at);
            if !previous.text.is_empty() {
                return Some(previous);
            }
        }
    }

    /// The first visible lines.
    pub(super) fn head(&self) -> impl Iterator<Item = Line<'a>> + '_ {
        let lines = tamis_text::lines::lines(self.text);
        lines.map(|line| self.trimmed(line.start, line.end())).filter(|line| !line.text.is_empty())
    }

    /// The longest visible line for which `holds`, the last of several.
    pub(super) fn longest(&self, holds: impl Fn(&str) -> bool) -> Option<Line<'a>> {
        let mut longest: Option<Line<'a>> = None;
        for line in tamis_text::lines::lines(self.text) {
            // Its length is asked first: to trim a line and to ask what it is takes a walk over it.
            let least = longest.map_or(1, |longest| longest.text.len());
            if line.text.len() < least {
                continue;
            }
            let line = self.trimmed(line.start, line.end());
            if line.text.len() >= least && holds(line.text) {
                longest = Some(line);
            }
        }
        longest
    }

    /// Visible lines before `line`, the nearest first.
    pub(super) fn before(&self, line: Line<'a>) -> impl Iterator<Item = Line<'a>> + '_ {
        std::iter::successors(self.previous(line), |line| self.previous(*line))
    }

    /// Visible lines after `line`, the nearest first.
    pub(super) fn after(&self, line: Line<'a>) -> impl Iterator<Item = Line<'a>> + '_ {
        std::iter::successors(self.next(line), |line| self.next(*line))
    }

    /// Where `what` is a whole line, white space aside, at or after byte `from`.
    ///
    /// Searched for is its longest word: a title and its copy often differ in U+00A0 and doubled blanks.
    pub(super) fn find_line(&self, what: &str, from: usize) -> Option<Line<'a>> {
        let rest = self.text.get(from..)?;
        let word = what.split(is_space).max_by_key(|word| word.len()).filter(|word| !word.is_empty())?;
        memchr::memmem::find_iter(rest.as_bytes(), word)
            .take(MAX_OCCURRENCES)
            .map(|at| self.line_at(from + at))
            .find(|line| {
                line.start >= from && line.text.len() <= 2 * what.len() && look_alike(line.text, what)
            })
    }

    /// How often `what` occurs, up to `max` times.
    pub(super) fn count(&self, what: &str, max: usize) -> usize {
        memchr::memmem::find_iter(self.text.as_bytes(), what).take(max).count()
    }

    /// The next `n_bytes` after byte `from`, cut at a character.
    pub(super) fn window(&self, from: usize, n_bytes: usize) -> &'a str {
        let mut end = (from + n_bytes).min(self.text.len());
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        self.text.get(from..end).unwrap_or_default()
    }
}

/// A word that occurs so often is no title, and looking further would cost quadratic time on such a page.
const MAX_OCCURRENCES: usize = 50;

/// White space, and the characters that no reader sees.
pub(super) fn is_space(c: char) -> bool {
    c.is_whitespace() || is_invisible(c)
}

/// Whether a line is program text rather than prose.
pub(super) fn is_code(line: &str) -> bool {
    let head = line.as_bytes().get(..line.len().min(300)).unwrap_or_default();
    let n_signs = head.iter().filter(|byte| matches!(byte, b'{' | b'}' | b';' | b'=' | b'$' | b'<')).count();
    if n_signs >= 2
        || n_signs * 8 > head.len()
        || head.ends_with(b";")
        || head.ends_with(b"{")
        || head.ends_with(b"}")
    {
        return true;
    }
    // A search for two bytes is prepared for longer than such a line is looked through.
    let holds = |first: u8, second: u8| {
        memchr::memchr_iter(first, head).any(|at| head.get(at + 1).is_some_and(|next| *next == second))
    };
    ["//", "/*", "http"].iter().any(|start| line.starts_with(start))
        || holds(b'(', b')')
        || (n_signs == 1 && holds(b'=', b'"'))
}
