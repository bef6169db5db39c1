//! Lines and paragraphs: how they begin, end and repeat.

use xxhash_rust::xxh3::xxh3_64;

use crate::python;
use crate::signs::is_terminal;
use crate::table::Table;

/// What is counted of lines. There are three notions of a line, because the published rules have three.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Lines {
    /// Characters of the text.
    pub(crate) n_chars: u64,
    /// Line feeds.
    pub(crate) n_feeds: u64,
    /// Lines by `splitlines`; those that begin with a bullet; those that end with an ellipsis.
    pub(crate) n_python: u64,
    pub(crate) n_bullets: u64,
    pub(crate) n_ellipses: u64,
    /// Lines between runs of line feeds, one before the first and one behind the last included: of those that have stood there before
    /// the number and the characters.
    pub(crate) runs: Repeated,
    /// The same of paragraphs, between two or more line feeds of the text without white space around it.
    pub(crate) paragraphs: Repeated,
    /// The same of lines between line feeds that are not blank.
    pub(crate) filled: Repeated,
    /// Of these: those that end with a terminal mark, of at most 30 characters, of 200 and more.
    pub(crate) n_ended: u64,
    pub(crate) n_short: u64,
    pub(crate) n_long: u64,
    /// The sum of the squares of their characters.
    pub(crate) squares: f64,
    /// Characters in those of them that are not repeated, and in all.
    pub(crate) filled_chars: u64,
}

/// Pieces of a text and those of them that have stood there before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Repeated {
    pub(crate) n: u64,
    pub(crate) n_again: u64,
    pub(crate) chars_again: u64,
}

/// The short line of `FineWeb`, in characters.
const SHORT: u64 = 30;
/// A paragraph of mC4, in characters.
const LONG: u64 = 200;

/// Room for one text.
#[derive(Debug, Default)]
pub(crate) struct Scratch {
    lines: Table,
    paragraphs: Table,
}

impl Repeated {
    /// Counts a piece; whether it has stood there before, and its characters.
    fn add(&mut self, is_again: bool, n_chars: u64) {
        self.n += 1;
        if is_again {
            self.n_again += 1;
            self.chars_again += n_chars;
        }
    }
}

/// What is known of a text whose lines are counted.
#[derive(Debug, Clone, Copy)]
struct Text {
    is_ascii: bool,
    /// Whether each line ends with a line feed, so that one notion of a line is another.
    only_feeds: bool,
}

impl Scratch {
    /// Counts; `only_feeds` says that [`python::has_other_ends`] does not hold.
    pub(crate) fn count(&mut self, text: &str, only_feeds: bool) -> Lines {
        let mut lines = Lines::default();
        let about = Text { is_ascii: text.is_ascii(), only_feeds };
        lines.n_feeds = memchr::memchr_iter(b'\n', text.as_bytes()).count() as u64;
        self.lines.clear(lines.n_feeds as usize + 2);
        if text.starts_with('\n') {
            lines.runs.add(self.is_again(b""), 0);
        }
        let mut at = 0;
        for end in memchr::memchr_iter(b'\n', text.as_bytes()).chain([text.len()]) {
            let line = text.get(at..end).unwrap_or_default();
            if !line.is_empty() {
                self.line(line, about, &mut lines);
            }
            at = end + 1;
        }
        lines.n_chars += lines.n_feeds;
        if text.ends_with('\n') || text.is_empty() {
            lines.runs.add(self.is_again(b""), 0);
        }
        self.paragraphs(python::trim(text), &mut lines.paragraphs);
        if only_feeds {
            lines.n_python = lines.n_feeds + u64::from(!text.is_empty() && !text.ends_with('\n'));
        } else {
            for (_, line) in python::lines(text, false) {
                lines.n_python += 1;
                lines.look_at(line);
            }
        }
        lines
    }

    fn is_again(&mut self, line: &[u8]) -> bool {
        self.lines.add(xxh3_64(line)).1 > 1
    }

    fn line(&mut self, line: &str, about: Text, lines: &mut Lines) {
        let n_chars = if about.is_ascii { line.len() as u64 } else { count_chars(line) };
        lines.n_chars += n_chars;
        let is_again = self.is_again(line.as_bytes());
        lines.runs.add(is_again, n_chars);
        if about.only_feeds {
            lines.look_at(line);
        }
        if python::trim_start(line).is_empty() {
            return;
        }
        lines.filled.add(is_again, n_chars);
        lines.n_ended += u64::from(line.ends_with(is_terminal));
        lines.n_short += u64::from(n_chars <= SHORT);
        lines.n_long += u64::from(n_chars >= LONG);
        lines.filled_chars += n_chars;
        lines.squares += (n_chars * n_chars) as f64;
    }

    fn paragraphs(&mut self, text: &str, to: &mut Repeated) {
        let gaps = || memchr::memmem::find_iter(text.as_bytes(), b"\n\n");
        let n_gaps = gaps().count();
        self.paragraphs.clear(n_gaps + 1);
        let mut at = 0;
        for end in gaps().chain([text.len()]) {
            // Three line feeds and more leave some at the beginning of what follows, or nothing but them.
            let paragraph = text.get(at..end).unwrap_or_default().trim_matches('\n');
            at = end + 2;
            // Of one nothing is repeated.
            let is_again = n_gaps > 0 && !paragraph.is_empty() && {
                let (_, count) = self.paragraphs.add(xxh3_64(paragraph.as_bytes()));
                count > 1
            };
            if !paragraph.is_empty() || text.is_empty() {
                to.add(is_again, if is_again { count_chars(paragraph) } else { 0 });
            }
        }
    }
}

impl Lines {
    /// Counts what begins with a bullet or ends with an ellipsis.
    fn look_at(&mut self, line: &str) {
        self.n_bullets += u64::from(python::trim_start(line).starts_with(['•', '-']));
        let end = python::trim_end(line);
        self.n_ellipses += u64::from(end.ends_with("...") || end.ends_with('…'));
    }
}

/// Characters: bytes that begin one.
pub(crate) fn count_chars(text: &str) -> u64 {
    // In bytes, and carried over before they are full: the compiler then counts a register at a time.
    let begins = |byte: &u8| u8::from(byte.cast_signed() >= -0x40);
    text.as_bytes().chunks(255).map(|bytes| u64::from(bytes.iter().map(begins).sum::<u8>())).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn count(text: &str) -> Lines {
        Scratch::default().count(text, !python::has_other_ends(text))
    }

    #[test]
    fn lines_are_what_each_rule_takes_for_them() {
        let lines = count("\n- a\n \n\n- a\nb...\n");
        assert_eq!((lines.n_feeds, lines.n_python, lines.n_bullets, lines.n_ellipses), (6, 6, 2, 1));
        // "", "- a", " ", "- a", "b...", "".
        assert_eq!(lines.runs, Repeated { n: 6, n_again: 2, chars_again: 3 });
        assert_eq!(lines.filled, Repeated { n: 3, n_again: 1, chars_again: 3 });
        assert_eq!(lines.paragraphs, Repeated { n: 2, n_again: 0, chars_again: 0 });
        assert_eq!((lines.n_ended, lines.n_short, lines.n_long), (1, 3, 0));
    }

    #[test]
    fn paragraphs_are_parted_by_any_number_of_empty_lines() {
        let lines = count("a\nb\n\nc\n\n\n\na\nb\n\n\nc\n");
        assert_eq!(lines.paragraphs, Repeated { n: 4, n_again: 2, chars_again: 4 });
    }

    proptest! {
        #[test]
        fn characters_are_counted(text in "(\\PC|\n){0,400}") {
            prop_assert_eq!(count(&text).n_chars, text.chars().count() as u64);
        }
    }
}
