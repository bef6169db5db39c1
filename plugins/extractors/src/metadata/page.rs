//! A page as this stage walks over it: from line to line, without listing them all.

use std::ops::Range;

use tamis_text::chars::{is_invisible, text_width};
use tamis_text::likeness::look_alike;
use tamis_text::scan::Scan;

/// So many bytes of a page are looked at. Title, date and byline stand before the text or right behind it;
/// what is longer is a book or a log, and its end says nothing about its title.
const MAX_BYTES: usize = 256 << 10;

/// The part of a page that is looked at.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page<'a> {
    pub(super) text: &'a str,
    /// Where its lines end, and those behind the part that is looked at.
    scan: &'a Scan<'a>,
    /// So many lines begin in that part.
    n_lines: usize,
}

/// A line without the white space around it, by its bytes in the page.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Line<'a> {
    pub(super) text: &'a str,
    pub(super) start: usize,
    /// Its place among the lines of the page.
    number: usize,
}

impl<'a> Line<'a> {
    /// A part of the line, which begins at byte `start` of the page, as if it were all of it.
    pub(super) fn with(self, text: &'a str, start: usize) -> Self {
        Self { text, start, ..self }
    }

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
    pub(super) fn new(scan: &'a Scan<'a>) -> Self {
        let text = scan.text();
        let mut end = text.len().min(MAX_BYTES);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let n_lines = if end < text.len() { scan.line_at(end) + 1 } else { scan.n_lines() };
        Self { text: text.get(..end).unwrap_or_default(), scan, n_lines }
    }

    pub(super) fn slice(&self, range: Range<usize>) -> &'a str {
        self.text.get(range).unwrap_or_default()
    }

    /// The line around byte `at`.
    pub(super) fn line_at(&self, at: usize) -> Line<'a> {
        let number = self.scan.line_at(at.min(self.text.len()));
        self.line(number).unwrap_or(Line { text: "", start: self.text.len(), number })
    }

    /// The line of this number.
    fn line(&self, number: usize) -> Option<Line<'a>> {
        let range = self.scan.range(number).filter(|_| number < self.n_lines)?;
        Some(self.trimmed(range, number))
    }

    fn trimmed(&self, range: Range<usize>, number: usize) -> Line<'a> {
        let start = range.start;
        let line = self.slice(start..range.end.min(self.text.len()));
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
        Line { text, start, number }
    }

    /// The visible ones of these lines.
    fn visible(self, numbers: impl Iterator<Item = usize>) -> impl Iterator<Item = Line<'a>> {
        numbers.map_while(move |number| self.line(number)).filter(|line| !line.text.is_empty())
    }

    /// The visible line after `line`.
    pub(super) fn next(&self, line: Line<'a>) -> Option<Line<'a>> {
        self.after(line).next()
    }

    /// The visible line before `line`.
    pub(super) fn previous(&self, line: Line<'a>) -> Option<Line<'a>> {
        self.before(line).next()
    }

    /// The first visible lines.
    pub(super) fn head(&self) -> impl Iterator<Item = Line<'a>> + use<'a> {
        self.visible(0..self.n_lines)
    }

    /// The longest visible line for which `holds`, the last of several.
    pub(super) fn longest(&self, holds: impl Fn(&str) -> bool) -> Option<Line<'a>> {
        let mut longest: Option<Line<'a>> = None;
        let ranges = self.scan.ranges().take(self.n_lines);
        for (number, range) in ranges.enumerate() {
            // Its length is asked first: to trim a line and to ask what it is takes a walk over it.
            let least = longest.map_or(1, |longest| longest.text.len());
            if range.len() < least {
                continue;
            }
            let line = self.trimmed(range, number);
            if line.text.len() >= least && holds(line.text) {
                longest = Some(line);
            }
        }
        longest
    }

    /// Visible lines before `line`, the nearest first.
    pub(super) fn before(&self, line: Line<'a>) -> impl Iterator<Item = Line<'a>> + use<'a> {
        self.visible((0..line.number).rev())
    }

    /// Visible lines after `line`, the nearest first.
    pub(super) fn after(&self, line: Line<'a>) -> impl Iterator<Item = Line<'a>> + use<'a> {
        self.visible(line.number + 1..self.n_lines)
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
