//! Lines and paragraphs: how they begin, end and repeat.

use xxhash_rust::xxh3::xxh3_64;

use crate::python::{self, is_space};
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
    runs: Table,
    paragraphs: Table,
    filled: Table,
}

impl Repeated {
    /// Counts a piece by its hash.
    fn add(&mut self, seen: &mut Table, hash: u64, n_chars: u64) {
        self.n += 1;
        let number = seen.number(hash);
        if seen.counts[number as usize] > 1 {
            self.n_again += 1;
            self.chars_again += n_chars;
        }
    }
}

impl Scratch {
    pub(crate) fn count(&mut self, text: &str) -> Lines {
        let mut lines = Lines::default();
        let n_lines = memchr::memchr_iter(b'\n', text.as_bytes()).count() + 1;
        for seen in [&mut self.runs, &mut self.paragraphs, &mut self.filled] {
            seen.clear(n_lines + 1);
        }
        lines.n_feeds = n_lines as u64 - 1;
        if text.starts_with('\n') {
            lines.runs.add(&mut self.runs, xxh3_64(b""), 0);
        }
        for line in text.split('\n').filter(|line| !line.is_empty()) {
            self.line(line, &mut lines);
        }
        lines.n_chars += lines.n_feeds;
        if text.ends_with('\n') || text.is_empty() {
            lines.runs.add(&mut self.runs, xxh3_64(b""), 0);
        }
        self.paragraphs(text.trim_matches(is_space), &mut lines.paragraphs);
        for line in python::lines(text) {
            lines.n_python += 1;
            lines.n_bullets += u64::from(line.trim_start_matches(is_space).starts_with(['•', '-']));
            let end = line.trim_end_matches(is_space);
            lines.n_ellipses += u64::from(end.ends_with("...") || end.ends_with('…'));
        }
        lines
    }

    fn line(&mut self, line: &str, lines: &mut Lines) {
        let n_chars = count_chars(line);
        lines.n_chars += n_chars;
        let hash = xxh3_64(line.as_bytes());
        lines.runs.add(&mut self.runs, hash, n_chars);
        if line.chars().all(is_space) {
            return;
        }
        lines.filled.add(&mut self.filled, hash, n_chars);
        lines.n_ended += u64::from(line.ends_with(is_terminal));
        lines.n_short += u64::from(n_chars <= SHORT);
        lines.n_long += u64::from(n_chars >= LONG);
        lines.filled_chars += n_chars;
        lines.squares += (n_chars * n_chars) as f64;
    }

    fn paragraphs(&mut self, text: &str, to: &mut Repeated) {
        for paragraph in text.split("\n\n") {
            // Three line feeds and more leave some at the beginning of what follows, or nothing but them.
            let paragraph = paragraph.trim_matches('\n');
            if !paragraph.is_empty() || text.is_empty() {
                to.add(&mut self.paragraphs, xxh3_64(paragraph.as_bytes()), count_chars(paragraph));
            }
        }
    }
}

/// Characters: bytes that begin one.
fn count_chars(text: &str) -> u64 {
    // In bytes, and carried over before they are full: the compiler then counts a register at a time.
    let begins = |byte: &u8| u8::from(byte.cast_signed() >= -0x40);
    text.as_bytes().chunks(255).map(|bytes| u64::from(bytes.iter().map(begins).sum::<u8>())).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn count(text: &str) -> Lines {
        Scratch::default().count(text)
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
