//! What the page is called, and how much a piece of text has to do with it.

use super::phrases::Begins;
use super::tokens::{Kind, Sieve, Token, Tokens};
use tamis_text::class::{Classes, Table};
use tamis_text::likeness::{letters, plain};

/// Longer first lines are no titles, bytes.
const MAX_TITLE_BYTES: usize = 400;
/// More words of a title than this are not looked for; one bit of a number stands for each.
const MAX_WORDS: usize = 64;
/// A shorter title occurs in other lines by chance, bytes.
const MIN_WITHIN_BYTES: usize = 12;

/// A title, made comparable.
#[derive(Debug, Default)]
pub(super) struct Title {
    /// Its letters and digits in lower case.
    plain: String,
    /// Keys of its words, each once, sorted: pairs of neighbouring characters of Chinese, words of three
    /// letters and more elsewhere.
    words: Vec<u64>,
    /// A bit for each of them by its upper bits, so that nearly all other words need not be looked for.
    filter: [u64; 16],
    /// The same as it is noted of the tokens of a line.
    noted: Noted,
}

/// Some keys, a bit for each: a bound on what a line may have, in less room than the keys.
pub(super) type Noted = [u64; 4];

/// Notes a key.
#[inline]
pub(super) fn note(noted: &mut Noted, key: u64) {
    noted[(key >> 62) as usize] |= 1 << (key >> 56 & 63);
}

impl Title {
    /// The title as it is known, or as the first line of the page says it, without the name of the site.
    pub(super) fn of(known: Option<&str>, page: &str) -> Self {
        let known = known.map(str::trim).filter(|title| !title.is_empty());
        let title = known.unwrap_or_else(|| first_line(page));
        if title.len() > MAX_TITLE_BYTES {
            return Self::default();
        }
        let mut words: Vec<u64> = Tokens::of(title).filter(is_word).map(|token| token.key).collect();
        words.sort_unstable();
        words.dedup();
        words.truncate(MAX_WORDS);
        let mut filter = [0; 16];
        for bit in words.iter().map(|key| key >> 54) {
            filter[(bit >> 6) as usize] |= 1 << (bit & 63);
        }
        let mut noted = Noted::default();
        for word in &words {
            note(&mut noted, *word);
        }
        Self { plain: plain(title), words, filter, noted }
    }

    /// Whether `text` says just this, or a large part of it.
    pub(super) fn is(&self, text: &str) -> bool {
        // A letter may take more bytes in lower case, and punctuation some more.
        if text.len() > 2 * self.plain.len() + 60 || self.begins_otherwise(text) {
            return false;
        }
        let mut title = self.plain.chars();
        let mut n_bytes = 0;
        for letter in letters(text) {
            if title.next() != Some(letter) {
                return false;
            }
            n_bytes += letter.len_utf8();
        }
        n_bytes == self.plain.len() || n_bytes >= MIN_WITHIN_BYTES
    }

    /// Whether the first letter alone tells that `text` says something else; so it is if there is no title.
    fn begins_otherwise(&self, text: &str) -> bool {
        let Some(title) = self.plain.chars().next() else { return true };
        text.chars().next().is_some_and(|first| {
            let is_letter = first.is_ascii_alphanumeric() || Table::get().of(first) == Classes::CJK;
            is_letter && first.to_ascii_lowercase() != title
        })
    }

    /// Whether `text`, which has these of its words, says this among other things.
    pub(super) fn within(&self, text: &str, words: u64) -> bool {
        let fits = (self.plain.len()..600).contains(&text.len());
        // The words at either end may go on in the text.
        let has_words = words != 0 && words.count_ones() as usize + 2 >= self.words.len();
        fits && has_words && self.plain.len() >= MIN_WITHIN_BYTES && plain(text).contains(&self.plain)
    }

    /// Whether it has no words that could be looked for.
    pub(super) fn is_unknown(&self) -> bool {
        self.words.is_empty()
    }

    /// Adds its words to the beginnings of phrases, so that one look at a bit answers for both; which of them were new.
    pub(super) fn add_to(&self, begins: &mut Begins) -> Vec<u64> {
        self.words.iter().copied().filter(|word| begins.add(*word)).collect()
    }

    /// Whether one of its words may be among tokens of which this is known.
    pub(super) fn may_be_among(&self, tokens: &Noted) -> bool {
        self.noted.iter().zip(tokens).any(|(own, others)| own & others != 0)
    }

    /// Whether a token may be one of its words, by the upper 16 bits of its key.
    #[inline]
    pub(super) fn may_have(&self, key: u16) -> bool {
        self.filter[usize::from(key >> 12)] >> (key >> 6 & 63) & 1 != 0
    }

    /// Which of its words a token is.
    #[inline]
    pub(super) fn word_of(&self, token: &Token) -> Option<u8> {
        // A bit tells nearly all other words; where there are none, no bit is set.
        if !self.may_have((token.key >> 48) as u16) || !is_word(token) {
            return None;
        }
        self.words.binary_search(&token.key).ok().map(|word| word as u8)
    }

    /// The share of its words that are in a set of them, 0 to 1.
    pub(super) fn share(&self, words: u64) -> f32 {
        words.count_ones() as f32 / self.words.len().max(1) as f32
    }
}

/// Lets only tokens pass that may be words of a title.
impl Sieve for &Title {
    fn may_be(&mut self, key: u64) -> bool {
        self.may_have((key >> 48) as u16)
    }

    fn may_be_alone(&mut self, _: u32) -> bool {
        false
    }

    fn may_begin_with(&mut self, _: u8, _: u8) -> bool {
        false
    }
}

/// Whether a token says something by itself: a pair of characters of Chinese, a word of three letters.
fn is_word(token: &Token) -> bool {
    let n_bytes = token.end - token.start;
    token.kind == Kind::Pair || (token.kind != Kind::Sign && n_bytes > 2)
}

/// The first line that is not blank, up to where the name of a site is set off.
fn first_line(page: &str) -> &str {
    let line = page.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let end = line.find(['_', '|']).or_else(|| line.rfind(" - ")).unwrap_or(line.len());
    line.get(..end).map(str::trim).filter(|title| !title.is_empty()).unwrap_or(line)
}
