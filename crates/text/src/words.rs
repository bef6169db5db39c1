//! Words: runs of letters and digits where blanks part words, one character each where they do not.

use std::ops::Range;

use crate::chars::{is_han, is_kana};
use crate::class::{Classes, Table};

/// What a word consists of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Letters of scripts with blanks between words, Korean included; digits may be among them.
    Letters,
    /// Digits, and the points and commas between them.
    Number,
    /// One character of Chinese or Japanese.
    Character,
}

/// A word of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Word<'a> {
    /// The word as it is written.
    pub text: &'a str,
    /// The byte at which it begins.
    pub start: usize,
    /// What it consists of.
    pub kind: Kind,
}

impl Word<'_> {
    /// The bytes of the word in the text.
    pub fn range(&self) -> Range<usize> {
        self.start..self.start + self.text.len()
    }

    /// A number for the word without regard to case, the same on every machine: equal words have equal numbers, and
    /// others hardly ever.
    pub fn key(&self) -> u64 {
        let mut key = 0_u64;
        let mut add = |c: u32| key = (key.rotate_left(23) ^ u64::from(c)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        if self.text.is_ascii() {
            for byte in self.text.bytes() {
                add(byte.to_ascii_lowercase().into());
            }
        } else {
            for c in self.text.chars().flat_map(char::to_lowercase) {
                add(c.into());
            }
        }
        crate::hash::mix(key)
    }
}

/// The words of a text, in order, after the rules of UAX 29 where words have blanks between them: an apostrophe
/// within letters and a point or comma within digits part nothing, a hyphen does.
///
/// White space, punctuation and signs are no words.
pub fn words(text: &str) -> Words<'_> {
    Words { text, at: 0, table: Table::get() }
}

/// The iterator of [`words`].
#[derive(Debug, Clone)]
pub struct Words<'a> {
    text: &'a str,
    at: usize,
    table: &'static Table,
}

impl Words<'_> {
    fn is_letter(&self, c: char) -> bool {
        self.table.of(c).has(Classes::WORD.or(Classes::CJK)) && !is_character(c)
    }

    /// The bytes of the word that begins with `rest`, and what it consists of; `first` is its first character.
    fn length(&self, rest: &str, first: char) -> (usize, Kind) {
        let mut kind = if self.is_letter(first) { Kind::Letters } else { Kind::Number };
        let mut chars = rest.char_indices().skip(1).peekable();
        let mut before = first;
        while let Some((at, c)) = chars.next() {
            let is_letter = self.is_letter(c);
            if is_letter || is_digit(c) {
                kind = if is_letter { Kind::Letters } else { kind };
                before = c;
                continue;
            }
            let behind = chars.peek().map(|(_, c)| *c);
            let joins = match c {
                '\'' | '’' => self.is_letter(before) && behind.is_some_and(|c| self.is_letter(c)),
                '.' | ',' => is_digit(before) && behind.is_some_and(is_digit),
                _ => false,
            };
            if !joins {
                return (at, kind);
            }
        }
        (rest.len(), kind)
    }
}

impl<'a> Iterator for Words<'a> {
    type Item = Word<'a>;

    fn next(&mut self) -> Option<Word<'a>> {
        loop {
            let rest = self.text.get(self.at..)?;
            let first = rest.chars().next()?;
            let (length, kind) = if is_character(first) {
                (first.len_utf8(), Kind::Character)
            } else if self.is_letter(first) || is_digit(first) {
                self.length(rest, first)
            } else {
                self.at += first.len_utf8();
                continue;
            };
            let word = Word { text: rest.get(..length)?, start: self.at, kind };
            self.at += length;
            return Some(word);
        }
    }
}

fn is_character(c: char) -> bool {
    c >= '\u{3005}' && (is_han(c) || is_kana(c))
}

fn is_digit(c: char) -> bool {
    c.is_ascii_digit() || (!c.is_ascii() && c.is_numeric() && !is_han(c))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_end_where_a_reader_sees_their_ends() {
        for (text, expected) in [
            ("The ferry's bell", vec!["The", "ferry's", "bell"]),
            ("well-kept, 'quoted'", vec!["well", "kept", "quoted"]),
            ("1,234.5 km in 2019.", vec!["1,234.5", "km", "in", "2019"]),
            ("渡船停了 2 次", vec!["渡", "船", "停", "了", "2", "次"]),
            ("나루터에 갔다", vec!["나루터에", "갔다"]),
            ("カフェ", vec!["カ", "フ", "ェ"]),
            ("паром-катер", vec!["паром", "катер"]),
            ("नाव चली", vec!["नाव", "चली"]),
            ("mp3和h2o", vec!["mp3", "和", "h2o"]),
            ("— … ！", vec![]),
            ("", vec![]),
        ] {
            let found: Vec<&str> = words(text).map(|word| word.text).collect();
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn kinds_and_keys() {
        let kinds: Vec<Kind> = words("ab 12 a1 1a 渡").map(|word| word.kind).collect();
        assert_eq!(kinds, [Kind::Letters, Kind::Number, Kind::Letters, Kind::Letters, Kind::Character]);
        let key = |text: &str| words(text).next().map(|word| word.key());
        assert_eq!(key("Ferry"), key("FERRY"));
        assert_eq!(key("Éclair"), key("éclair"));
        assert_ne!(key("ferry"), key("ferries"));
        assert_eq!(key("ferry"), Some(0xC0DF_2E32_0CCD_4BD1));
    }

    proptest! {
        #[test]
        fn words_lie_in_the_text_in_order(text in "(\\PC|[a-z'.,0-9 -]){0,40}") {
            let mut end = 0;
            for word in words(&text) {
                prop_assert!(word.start >= end && !word.text.is_empty());
                prop_assert_eq!(text.get(word.range()), Some(word.text));
                end = word.range().end;
            }
        }
    }
}
