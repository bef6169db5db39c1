//! What the characters of a block say.

use std::sync::LazyLock;

use tamis_text::chars::{is_cjk, is_wide_punctuation};
use tamis_text::sentences::is_end;

/// The letters and digits of the basic plane, a bit each.
///
/// The standard library finds a character beyond ASCII in packed runs, which was a quarter of the instructions on
/// documentation in many scripts.
static ALPHANUMERIC: LazyLock<Vec<u64>> = LazyLock::new(|| {
    let is_set = |c: u32| match c {
        // Chinese and Korean, all letters, are most of the plane, and asking about each is most of what this costs.
        0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xAC00..=0xD7A3 => true,
        // Halves of characters, and places for private use.
        0xD800..=0xF8FF => false,
        _ => char::from_u32(c).is_some_and(char::is_alphanumeric),
    };
    let word = |word: u32| (0..64).fold(0, |bits, bit| bits | u64::from(is_set(word * 64 + bit)) << bit);
    (0..0x1_0000 / 64).map(word).collect()
});

/// Whether a character is a letter or a digit, as [`char::is_alphanumeric`] has it.
pub(crate) fn is_alphanumeric(c: char) -> bool {
    let at = u32::from(c);
    match ALPHANUMERIC.get(at as usize / 64) {
        Some(word) => word >> (at % 64) & 1 == 1,
        None => c.is_alphanumeric(),
    }
}

/// How much of the whole something is; nothing of nothing.
pub(super) fn part(of: f32, whole: f32) -> f32 {
    if whole > 0.0 { of / whole } else { 0.0 }
}

/// Counts over the text of a block.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Measures {
    /// Words, with each character of Chinese, Japanese or Korean as one: the length that all scripts share.
    pub(crate) n_words: u32,
    pub(crate) n_cjk: u32,
    pub(crate) n_letters: u32,
    pub(crate) n_capitals: u32,
    pub(crate) n_digits: u32,
    /// Commas of all scripts: prose has them, menus do not.
    pub(crate) n_commas: u32,
    /// `.`, `!`, `?`, `。` and the like.
    pub(crate) n_stops: u32,
    /// Other punctuation.
    pub(crate) n_marks: u32,
    /// Whether the last character ends a sentence.
    pub(crate) ends_sentence: bool,
    /// Whether the last character is `:` or `：`.
    pub(crate) ends_with_colon: bool,
}

/// Bytes of ASCII that are counted together, a lane for each.
const LANES: usize = 16;
/// So many times before the count of a lane, which is a byte, is full.
const MOST_TIMES: u8 = u8::MAX;

/// Counts of ASCII, lane by lane: what a compiler puts side by side is a tenth of a look at each character.
#[derive(Default)]
struct Counts {
    n_times: u8,
    words: [u8; LANES],
    letters: [u8; LANES],
    capitals: [u8; LANES],
    digits: [u8; LANES],
    commas: [u8; LANES],
    stops: [u8; LANES],
    marks: [u8; LANES],
}

impl Counts {
    /// Counts some characters, and says whether the last is part of a word; `in_word`: so is the one before them.
    #[inline]
    fn count(&mut self, bytes: &[u8; LANES], in_word: bool) -> bool {
        self.n_times += 1;
        let mut joins = [0; LANES + 1];
        joins[0] = u8::from(in_word);
        for lane in 0..LANES {
            let byte = bytes[lane];
            let capital = u8::from(byte.wrapping_sub(b'A') < 26);
            let letter = u8::from(byte.wrapping_sub(b'a') < 26) | u8::from(byte == b'_') | capital;
            let digit = u8::from(byte.wrapping_sub(b'0') < 10);
            let comma = u8::from(byte == b',') | u8::from(byte == b';');
            let stop = u8::from(byte == b'.') | u8::from(byte == b'!') | u8::from(byte == b'?');
            let blank = u8::from(byte == b' ') | u8::from(byte == b'\n') | u8::from(byte == b'\t');
            self.letters[lane] += letter;
            self.capitals[lane] += capital;
            self.digits[lane] += digit;
            self.commas[lane] += comma;
            self.stops[lane] += stop;
            self.marks[lane] += 1 - (letter | digit | comma | stop | blank);
            joins[lane + 1] = letter | digit;
        }
        for lane in 0..LANES {
            self.words[lane] += joins[lane + 1] & !joins[lane];
        }
        joins[LANES] == 1
    }
}

impl Measures {
    pub(crate) fn of(text: &str) -> Self {
        let mut measures = Self::default();
        let bytes = text.as_bytes();
        let (mut at, mut in_word) = (0, false);
        let mut counts = Counts::default();
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            // Blanks behind the end change nothing.
            let mut part = [b' '; LANES];
            let length = rest.len().min(LANES);
            match rest.first_chunk() {
                Some(whole) => part = *whole,
                None => part[..length].copy_from_slice(rest),
            }
            if part.is_ascii() {
                in_word = counts.count(&part, in_word);
                at += length;
                if counts.n_times == MOST_TIMES {
                    measures.add(&std::mem::take(&mut counts));
                }
            } else {
                let end = at + length;
                for c in text.get(at..).unwrap_or_default().chars() {
                    in_word = if c.is_ascii() {
                        measures.ascii(c as u8, in_word)
                    } else {
                        measures.wide(c, in_word)
                    };
                    at += c.len_utf8();
                    if at >= end {
                        break;
                    }
                }
            }
        }
        measures.add(&counts);
        let last = text.trim_end_matches(['"', '”', '’', '»', ')', '）', '」', '\'']).chars().next_back();
        measures.ends_sentence = last.is_some_and(is_stop);
        measures.ends_with_colon = last.is_some_and(|c| matches!(c, ':' | '：'));
        measures
    }

    /// Adds the counts of some ASCII.
    fn add(&mut self, counts: &Counts) {
        let sum = |lanes: &[u8; LANES]| lanes.iter().map(|count| u32::from(*count)).sum::<u32>();
        self.n_words += sum(&counts.words);
        self.n_letters += sum(&counts.letters);
        self.n_capitals += sum(&counts.capitals);
        self.n_digits += sum(&counts.digits);
        self.n_commas += sum(&counts.commas);
        self.n_stops += sum(&counts.stops);
        self.n_marks += sum(&counts.marks);
    }

    /// Counts a character of ASCII that stands beside others, and says whether it is part of a word.
    fn ascii(&mut self, byte: u8, in_word: bool) -> bool {
        match byte {
            b'a'..=b'z' | b'_' => self.n_letters += 1,
            b'A'..=b'Z' => {
                self.n_letters += 1;
                self.n_capitals += 1;
            }
            b'0'..=b'9' => self.n_digits += 1,
            b'.' | b'!' | b'?' => {
                self.n_stops += 1;
                return false;
            }
            b',' | b';' => {
                self.n_commas += 1;
                return false;
            }
            b' ' | b'\n' | b'\t' => return false,
            _ => {
                self.n_marks += 1;
                return false;
            }
        }
        self.n_words += u32::from(!in_word);
        true
    }

    fn wide(&mut self, c: char, in_word: bool) -> bool {
        if is_cjk(c) {
            self.n_words += 1;
            self.n_cjk += 1;
            self.n_letters += 1;
            return false;
        }
        match c {
            '，' | '、' | '；' | '،' => self.n_commas += 1,
            _ if is_stop(c) => self.n_stops += 1,
            _ if is_alphanumeric(c) => {
                self.n_letters += 1;
                self.n_capitals += u32::from(c.is_uppercase());
                self.n_words += u32::from(!in_word);
                return true;
            }
            _ if is_wide_punctuation(c) || !c.is_whitespace() => self.n_marks += 1,
            _ => {}
        }
        false
    }
}

/// The measures of all blocks of a page.
///
/// Most blocks are so short that a byte holds each count: nine bytes instead of 36, on pages that may have a block
/// in five bytes of source.
#[derive(Debug, Default)]
pub(crate) struct Measured {
    short: Vec<Short>,
    /// The measures of blocks with a greater count.
    long: Vec<Measures>,
}

/// The counts of a block, or for a long one where they stand.
#[derive(Debug, Clone, Copy)]
struct Short {
    counts: [u8; 8],
    flags: u8,
}

const ENDS_SENTENCE: u8 = 1;
const ENDS_WITH_COLON: u8 = 2;
/// The first four counts are a place in [`Measured::long`].
const IS_LONG: u8 = 4;

impl Measured {
    pub(crate) fn with_capacity(n_blocks: usize) -> Self {
        Self { short: Vec::with_capacity(n_blocks), long: Vec::new() }
    }

    /// Adds the measures of the next block.
    pub(crate) fn push(&mut self, it: Measures) {
        let counts = [
            it.n_words,
            it.n_cjk,
            it.n_letters,
            it.n_capitals,
            it.n_digits,
            it.n_commas,
            it.n_stops,
            it.n_marks,
        ];
        let mut short = Short { counts: [0; 8], flags: 0 };
        if counts.iter().all(|count| *count <= u8::MAX.into()) {
            short.counts = counts.map(|count| count as u8);
            short.flags = (u8::from(it.ends_sentence) * ENDS_SENTENCE)
                | (u8::from(it.ends_with_colon) * ENDS_WITH_COLON);
        } else {
            let [a, b, c, d] = (self.long.len() as u32).to_le_bytes();
            short.counts = [a, b, c, d, 0, 0, 0, 0];
            short.flags = IS_LONG;
            self.long.push(it);
        }
        self.short.push(short);
    }

    /// The measures of a block; none for one that is not there.
    pub(crate) fn of(&self, block: usize) -> Measures {
        let Some(short) = self.short.get(block) else { return Measures::default() };
        if short.flags & IS_LONG != 0 {
            return self.long.get(short.place()).copied().unwrap_or_default();
        }
        let [n_words, n_cjk, n_letters, n_capitals, n_digits, n_commas, n_stops, n_marks] =
            short.counts.map(u32::from);
        Measures {
            n_words,
            n_cjk,
            n_letters,
            n_capitals,
            n_digits,
            n_commas,
            n_stops,
            n_marks,
            ends_sentence: short.flags & ENDS_SENTENCE != 0,
            ends_with_colon: short.flags & ENDS_WITH_COLON != 0,
        }
    }

    /// The words of a block, which are asked for more often than all else.
    pub(crate) fn n_words(&self, block: usize) -> u32 {
        match self.short.get(block) {
            Some(short) if short.flags & IS_LONG != 0 => {
                self.long.get(short.place()).map_or(0, |it| it.n_words)
            }
            Some(short) => short.counts[0].into(),
            None => 0,
        }
    }
}

impl Short {
    fn place(self) -> usize {
        let [a, b, c, d, ..] = self.counts;
        u32::from_le_bytes([a, b, c, d]) as usize
    }
}

/// Whether a sentence ends with `c`.
fn is_stop(c: char) -> bool {
    is_end(c) || c == '…'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_and_digits_are_those_of_the_standard_library() {
        for c in '\0'..=char::MAX {
            assert_eq!(is_alphanumeric(c), c.is_alphanumeric(), "{c:?}");
        }
    }

    /// Counts a text character by character.
    fn counted(text: &str) -> Measures {
        let mut measures = Measures::default();
        let mut in_word = false;
        for c in text.chars() {
            in_word = if c.is_ascii() { measures.ascii(c as u8, in_word) } else { measures.wide(c, in_word) };
        }
        let Measures { ends_sentence, ends_with_colon, .. } = Measures::of(text);
        Measures { ends_sentence, ends_with_colon, ..measures }
    }

    #[test]
    fn what_is_counted_side_by_side_is_what_is_counted_one_by_one() {
        let ascii: String = (0..128_u8).map(char::from).collect();
        let sentence = "Über 30 Boats left, at last; 船只离开。 And then? a_b \u{a0}— \t\n";
        for text in
            [ascii.as_str(), &ascii.repeat(40), sentence, &sentence.repeat(70), "e".repeat(4096).as_str()]
        {
            for (start, _) in text.char_indices().take(40) {
                let text = &text.get(start..).expect("a character begins there");
                assert_eq!(Measures::of(text), counted(text), "{text}");
            }
        }
    }

    #[test]
    fn what_is_held_is_what_was_measured() {
        let texts = ["", "One, two: 3.", "中文，字。", &"Word! ".repeat(300), "and:", &"9".repeat(256), "A"];
        let mut measured = Measured::with_capacity(texts.len());
        for text in texts {
            measured.push(Measures::of(text));
        }
        for (block, text) in texts.iter().enumerate() {
            let expected = Measures::of(text);
            assert_eq!(measured.of(block), expected, "{text}");
            assert_eq!(measured.n_words(block), expected.n_words, "{text}");
        }
        assert_eq!(measured.of(texts.len()), Measures::default());
    }
}
