//! What the characters of a block say.

use tamis_text::chars::{is_cjk, is_wide_punctuation};

/// Counts over the text of a block.
#[derive(Debug, Clone, Copy, Default)]
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

impl Measures {
    pub(crate) fn of(text: &str) -> Self {
        let mut measures = Self::default();
        let mut in_word = false;
        for c in text.chars() {
            if c.is_ascii() {
                in_word = measures.ascii(c as u8, in_word);
            } else {
                in_word = measures.wide(c, in_word);
            }
        }
        let last = text.trim_end_matches(['"', '”', '’', '»', ')', '）', '」', '\'']).chars().next_back();
        measures.ends_sentence = last.is_some_and(is_stop);
        measures.ends_with_colon = last.is_some_and(|c| matches!(c, ':' | '：'));
        measures
    }

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
            _ if c.is_alphanumeric() => {
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

/// Whether a sentence ends with `c`.
fn is_stop(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '…' | '。' | '！' | '？' | '؟' | '।' | '．')
}
