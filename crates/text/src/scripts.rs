//! Which scripts a text is written in.

use crate::chars::{is_han, is_hangul, is_kana, is_latin};
use crate::class::{Classes, Table};

/// A script, as far as telling languages apart needs to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(usize)]
pub enum Script {
    /// Latin letters, with or without marks.
    Latin,
    /// Chinese characters.
    Han,
    /// Hiragana and katakana.
    Kana,
    /// Korean syllables.
    Hangul,
    /// Cyrillic letters.
    Cyrillic,
    /// Greek letters.
    Greek,
    /// Arabic letters, those of Persian and Urdu included.
    Arabic,
    /// Hebrew letters.
    Hebrew,
    /// Letters of Hindi, Marathi and Nepali.
    Devanagari,
    /// Bengali letters.
    Bengali,
    /// Tamil letters.
    Tamil,
    /// Thai letters.
    Thai,
    /// Georgian letters.
    Georgian,
    /// Armenian letters.
    Armenian,
    /// Letters of any other script.
    Other,
}

impl Script {
    /// How many there are.
    pub const COUNT: usize = 15;
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; Self::COUNT] = [
        Self::Latin,
        Self::Han,
        Self::Kana,
        Self::Hangul,
        Self::Cyrillic,
        Self::Greek,
        Self::Arabic,
        Self::Hebrew,
        Self::Devanagari,
        Self::Bengali,
        Self::Tamil,
        Self::Thai,
        Self::Georgian,
        Self::Armenian,
        Self::Other,
    ];

    /// The script of a letter; `None` for digits, punctuation, white space and all else that is no letter. Marks
    /// that belong to a letter, as in Hindi, count as letters.
    pub fn of(c: char) -> Option<Self> {
        if c.is_ascii() {
            return c.is_ascii_alphabetic().then_some(Self::Latin);
        }
        if is_han(c) {
            return Some(Self::Han);
        }
        if !Table::get().of(c).has(Classes::WORD.or(Classes::CJK)) {
            return None;
        }
        Some(match c {
            _ if is_latin(c) => Self::Latin,
            _ if is_kana(c) => Self::Kana,
            _ if is_hangul(c) => Self::Hangul,
            '\u{370}'..='\u{3FF}' | '\u{1F00}'..='\u{1FFF}' => Self::Greek,
            '\u{400}'..='\u{52F}' | '\u{1C80}'..='\u{1C8F}' | '\u{2DE0}'..='\u{2DFF}' => Self::Cyrillic,
            '\u{530}'..='\u{58F}' => Self::Armenian,
            '\u{590}'..='\u{5FF}' | '\u{FB1D}'..='\u{FB4F}' => Self::Hebrew,
            '\u{600}'..='\u{6FF}'
            | '\u{750}'..='\u{77F}'
            | '\u{8A0}'..='\u{8FF}'
            | '\u{FB50}'..='\u{FDFF}'
            | '\u{FE70}'..='\u{FEFC}' => Self::Arabic,
            '\u{900}'..='\u{97F}' => Self::Devanagari,
            '\u{980}'..='\u{9FF}' => Self::Bengali,
            '\u{B80}'..='\u{BFF}' => Self::Tamil,
            '\u{E00}'..='\u{E7F}' => Self::Thai,
            '\u{10A0}'..='\u{10FF}' | '\u{1C90}'..='\u{1CBF}' => Self::Georgian,
            _ => Self::Other,
        })
    }
}

/// How many letters of each script a text has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scripts([u32; Script::COUNT]);

impl Scripts {
    /// Counts the letters of a text.
    pub fn of(text: &str) -> Self {
        let mut counts = [0_u32; Script::COUNT];
        let mut rest = text;
        // ASCII is counted a window at a time: most of an English text, and the blanks and digits of any other.
        while !rest.is_empty() {
            let n_ascii = rest.bytes().take_while(u8::is_ascii).count();
            let (ascii, behind) = rest.split_at_checked(n_ascii).unwrap_or((rest, ""));
            let n_letters = ascii.bytes().filter(u8::is_ascii_alphabetic).count();
            counts[Script::Latin as usize] += n_letters as u32;
            let mut chars = behind.chars();
            rest = loop {
                let before = chars.as_str();
                match chars.next() {
                    Some(c) if !c.is_ascii() => {
                        if let Some(script) = Script::of(c) {
                            counts[script as usize] += 1;
                        }
                    }
                    _ => break before,
                }
            };
        }
        Self(counts)
    }

    /// The letters of one script.
    pub fn n(&self, script: Script) -> u32 {
        self.0[script as usize]
    }

    /// The letters of all scripts.
    pub fn n_letters(&self) -> u32 {
        self.0.iter().sum()
    }

    /// The share of one script in all letters, 0 to 1; 0 where there are none.
    pub fn share(&self, script: Script) -> f64 {
        f64::from(self.n(script)) / f64::from(self.n_letters().max(1))
    }

    /// The script with the most letters, the first of several; `None` where there are no letters.
    pub fn main(&self) -> Option<Script> {
        let most = self.0.iter().max().filter(|most| **most > 0)?;
        Script::ALL.into_iter().find(|script| self.n(*script) == *most)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn letters_are_counted_by_script() {
        for (text, script, n) in [
            ("Ferry, 12 km", Script::Latin, 7),
            ("Über écluse", Script::Latin, 10),
            ("渡船，2019 年", Script::Han, 3),
            ("わたし", Script::Kana, 3),
            ("나루터", Script::Hangul, 3),
            ("паром", Script::Cyrillic, 5),
            ("πορθμείο", Script::Greek, 8),
            ("عبارة", Script::Arabic, 5),
            ("מעבורת", Script::Hebrew, 6),
            ("नाव", Script::Devanagari, 3),
            ("เรือ", Script::Thai, 4),
        ] {
            let scripts = Scripts::of(text);
            assert_eq!((scripts.main(), scripts.n(script)), (Some(script), n), "{text}");
            assert_eq!(scripts.n_letters(), n, "{text}");
        }
    }

    #[test]
    fn a_text_without_letters_has_no_script() {
        let scripts = Scripts::of("12:30 — 14，……");
        assert_eq!((scripts.main(), scripts.n_letters()), (None, 0));
        assert!(scripts.share(Script::Latin).abs() < 1e-12);
    }

    proptest! {
        #[test]
        fn counting_at_once_is_counting_one_by_one(text in "(\\PC|[a-z0-9 ]|[一-龠]){0,60}") {
            let mut counts = [0; Script::COUNT];
            for script in text.chars().filter_map(Script::of) {
                counts[script as usize] += 1;
            }
            prop_assert_eq!(Scripts::of(&text), Scripts(counts));
        }
    }
}
