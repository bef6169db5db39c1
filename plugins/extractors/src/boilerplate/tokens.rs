//! A page as words, characters and signs, each with a key by which it is looked up.
//!
//! Phrases of the lexicon begin with a token, and a title consists of some: one walk over a page finds both.

use std::ops::Range;

use tamis_text::class::{Classes, Table};

/// Bytes of a character of Chinese, Japanese or Korean.
const WIDE: usize = 3;

/// A word of an alphabet, a character of Chinese, or a sign.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    /// The first byte.
    pub(super) start: usize,
    /// The byte after the last.
    pub(super) end: usize,
    pub(super) kind: Kind,
    /// Of a word, or of a character or sign and the one behind it. Capital and small letters of ASCII give the
    /// same key; so do, hardly ever, tokens that differ.
    pub(super) key: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Letters of an alphabet: small ones, which a capital may begin, or capitals.
    Word,
    /// A word with another letter behind it, as `Whats` in `WhatsApp`: elements that were glued together, or a
    /// name.
    Glued,
    /// A character of Chinese, Japanese or Korean with another one behind it.
    Pair,
    /// Anything else.
    Sign,
}

/// Letters of ASCII, and all that stand there.
#[derive(Clone, Copy)]
pub(super) struct Letters {
    /// Eight bytes, which begin with them.
    pub(super) word: u64,
    /// How many there are.
    pub(super) n: usize,
    /// Whether one of them but the first is a capital.
    pub(super) has_capitals: bool,
}

impl Letters {
    /// Those that begin at a byte.
    #[inline]
    pub(super) fn at(bytes: &[u8], at: usize) -> Self {
        let word = eight_bytes(bytes, at);
        let (n, has_capitals) = n_ascii_letters(bytes, at, word);
        Self { word, n, has_capitals }
    }

    /// The word that they are; `None` if a capital within them may begin another one, or if the word goes on with letters
    /// of other alphabets.
    #[inline]
    pub(super) fn word(self, bytes: &[u8], start: usize) -> Option<Token> {
        let Self { word, n, has_capitals } = self;
        let (key, next) = if n < 8 {
            (spread(word & ((1 << (8 * n)) - 1)), byte_of(word, n))
        } else {
            (word_key(&bytes[start..], n), bytes.get(start + n).copied().unwrap_or_default())
        };
        let is_word = !has_capitals && (next < 0x80 || start + n == bytes.len());
        is_word.then(|| Token { start, end: start + n, kind: Kind::Word, key })
    }
}

/// A character beyond ASCII that is no letter of an alphabet.
#[derive(Clone, Copy)]
pub(super) struct Character {
    /// See [`Token::key`].
    pub(super) key: u64,
    /// Its bytes as a number.
    pub(super) alone: u32,
    n_bytes: usize,
    kind: Option<Kind>,
}

impl Character {
    /// The one of so many bytes that begins at a byte.
    #[inline]
    pub(super) fn at(bytes: &[u8], at: usize, n_bytes: usize) -> Self {
        let word = eight_bytes(bytes, at);
        let [first, fourth] = [word as u8, byte_of(word, WIDE)];
        let n_of_key = n_bytes_of_sign(first, [byte_of(word, 1), fourth], n_bytes);
        let kind = match (first, fourth) {
            (0xE4..=0xE9, 0xE4..=0xE9) => Some(Kind::Pair),
            _ if n_of_key < 2 * WIDE => Some(Kind::Sign),
            _ => None,
        };
        let first_bytes = |n: usize| word & ((1 << (8 * n)) - 1);
        Self { key: spread(first_bytes(n_of_key)), alone: first_bytes(n_bytes) as u32, n_bytes, kind }
    }

    /// The token that it is at that byte.
    pub(super) fn token(self, page: &str, start: usize) -> Token {
        let kind = self.kind.unwrap_or_else(|| wide_kind(page, start));
        Token { start, end: start + self.n_bytes, kind, key: self.key }
    }
}

/// The tokens of a text. Plain white space is none, nor are letters that go on with a word (`s` in `PDFs`).
pub(super) struct Tokens<'a> {
    text: &'a str,
    table: &'static Table,
    at: usize,
    end: usize,
    /// Where the last word ended.
    word_end: usize,
}

impl<'a> Tokens<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self::within(text, 0..text.len())
    }

    /// Those of some lines of a page: what stands behind them is seen, and is a line end.
    pub(super) fn within(page: &'a str, lines: Range<usize>) -> Self {
        let Range { start, end } = lines;
        Self { text: page, table: Table::get(), at: start, end, word_end: usize::MAX }
    }

    /// The byte from which on no token was looked at.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The next token of which the sieve does not know that nobody asks for it; most are passed over without more
    /// than a look at a bit.
    #[inline]
    pub(super) fn next_of(&mut self, sieve: &mut impl Sieve) -> Option<Token> {
        let bytes = self.text.as_bytes();
        while self.at < self.end {
            let start = self.at;
            let word = eight_bytes(bytes, start);
            let first = word as u8;
            match first {
                b' ' | b'\n' | b'\t' | b'\r' => self.at += 1,
                b'A'..=b'Z' | b'a'..=b'z' => {
                    let goes_on = self.word_end == start && !is_glued(bytes, start);
                    let (n, key, next) = ascii_word(bytes, start, word);
                    let end = start + n;
                    if next >= 0x80 && end < bytes.len() {
                        let token = self.long_word(start, end);
                        if !goes_on && sieve.may_be(token.key) {
                            return Some(token);
                        }
                        continue;
                    }
                    (self.at, self.word_end) = (end, end);
                    let kind = if next.is_ascii_alphabetic() { Kind::Glued } else { Kind::Word };
                    // The sieve is told of all tokens, of those that pass anyway, too.
                    if !goes_on && (sieve.may_be(key) || kind == Kind::Glued) {
                        return Some(Token { start, end, kind, key });
                    }
                }
                // Han characters and what stands between them: most of a Chinese page.
                0xE4..=0xE9 => {
                    self.at += WIDE;
                    let character = Character::at(bytes, start, WIDE);
                    if sieve.may_be(character.key) || sieve.may_be_alone(character.alone) {
                        return Some(character.token(self.text, start));
                    }
                }
                0..=0x7F => {
                    self.at += 1;
                    if sieve.may_begin_with(first, byte_of(word, 1)) {
                        let n_of_key = n_bytes_of_sign(first, [byte_of(word, 1), byte_of(word, WIDE)], 1);
                        let key = spread(word & ((1 << (8 * n_of_key)) - 1));
                        return Some(Token { start, end: start + 1, kind: Kind::Sign, key });
                    }
                }
                _ => {
                    let c = self.text.get(start..)?.chars().next()?;
                    if !self.table.of(c).has(Classes::WORD) {
                        self.at += c.len_utf8();
                        let character = Character::at(bytes, start, c.len_utf8());
                        if sieve.may_be(character.key) || sieve.may_be_alone(character.alone) {
                            return Some(character.token(self.text, start));
                        }
                        continue;
                    }
                    let goes_on = self.word_end == start;
                    let token = self.long_word(start, start);
                    if !goes_on && sieve.may_be(token.key) {
                        return Some(token);
                    }
                }
            }
        }
        None
    }

    /// A word of whose letters not all, or none, are of ASCII: from `end` on, they may be any.
    #[inline(never)]
    fn long_word(&mut self, start: usize, end: usize) -> Token {
        let behind = self.text.get(end..).unwrap_or_default();
        let is_letter = |c: &char| self.table.of(*c).has(Classes::WORD);
        let end = end + behind.chars().take_while(is_letter).map(char::len_utf8).sum::<usize>();
        let word = self.text.get(start..end).unwrap_or_default();
        let key = if word.is_ascii() {
            word_key(&self.text.as_bytes()[start..], end - start)
        } else {
            word.chars().fold(0, |key: u64, c| spread(key.rotate_left(29) ^ u64::from(u32::from(fold(c)))))
        };
        (self.at, self.word_end) = (end, end);
        Token { start, end, kind: Kind::Word, key }
    }
}

/// Whether two characters of Chinese, Japanese or Korean stand at this byte.
fn wide_kind(text: &str, start: usize) -> Kind {
    let mut chars = text.get(start..).unwrap_or_default().chars();
    let is_cjk = |c: char| Table::get().of(c).has(Classes::CJK);
    if chars.next().is_some_and(is_cjk) && chars.next().is_some_and(is_cjk) { Kind::Pair } else { Kind::Sign }
}

impl Iterator for Tokens<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        self.next_of(&mut Anything)
    }
}

/// Says of tokens, by a bit, whether somebody may ask for them.
pub(super) trait Sieve {
    /// A token with this key.
    fn may_be(&mut self, key: u64) -> bool;
    /// A character by itself, whatever stands behind it: its bytes as a number.
    fn may_be_alone(&mut self, bytes: u32) -> bool;
    /// A sign of ASCII with the byte that stands behind it.
    fn may_begin_with(&mut self, sign: u8, next: u8) -> bool;
}

/// Lets all tokens pass.
struct Anything;

impl Sieve for Anything {
    fn may_be(&mut self, _: u64) -> bool {
        true
    }

    fn may_be_alone(&mut self, _: u32) -> bool {
        true
    }

    fn may_begin_with(&mut self, _: u8, _: u8) -> bool {
        true
    }
}

/// The character that the first three bytes of a number are.
pub(super) fn code_of_wide(bytes: u64) -> u32 {
    (bytes as u32 & 0xF) << 12 | (bytes as u32 >> 8 & 0x3F) << 6 | bytes as u32 >> 16 & 0x3F
}

impl Token {
    /// The key of a character or sign alone, whatever stands behind it.
    pub(super) fn alone(&self, text: &str) -> u64 {
        spread(first_bytes(text.as_bytes().get(self.start..).unwrap_or_default(), self.end - self.start))
    }

    /// How many bytes of the text its key is made of.
    pub(super) fn covered(&self, text: &str) -> usize {
        let n = self.end - self.start;
        let byte = |at: usize| text.as_bytes().get(at).copied().unwrap_or(0xFF);
        match self.kind {
            Kind::Word | Kind::Glued => n,
            Kind::Pair => 2 * WIDE,
            Kind::Sign => {
                n_bytes_of_sign(byte(self.start), [byte(self.start + 1), byte(self.start + WIDE)], n)
            }
        }
    }

    /// The keys of this word alone, with the one that is glued to it, with the one behind that, and so on, and of how
    /// many bytes they are made.
    pub(super) fn glued_keys<'a>(&self, text: &'a str) -> impl Iterator<Item = (u64, usize)> + 'a {
        let (start, bytes) = (self.start, text.as_bytes());
        let goes_on = |end: &usize| bytes.get(*end).is_some_and(u8::is_ascii_alphabetic);
        let ends = std::iter::successors(Some(self.end), move |end| {
            goes_on(end).then(|| ascii_word_end(bytes, *end))
        });
        ends.map(move |end| (word_key(&bytes[start..], end - start), end - start))
    }
}

/// How many bytes a character or sign of `n` bytes gives to its key: those of what stands behind it, too, if both are wide
/// or both are of ASCII. `behind` are the bytes behind its first, and behind its third.
fn n_bytes_of_sign(first: u8, behind: [u8; 2], n: usize) -> usize {
    match (first, behind) {
        (0xE2..=0xEF, [_, 0xE2..=0xEF]) => 2 * WIDE,
        (0..=0x7F, [0..=0x7F, _]) => 2,
        _ => n,
    }
}

/// A character without regard to case. Where a small letter takes several characters, the first stands for it.
pub(super) fn fold(c: char) -> char {
    if c.is_ascii() { c.to_ascii_lowercase() } else { c.to_lowercase().next().unwrap_or(c) }
}

/// Whether a small letter and a capital meet before byte `at`: `friendsTwitter`.
pub(super) fn is_glued(bytes: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| bytes.get(before));
    before.is_some_and(u8::is_ascii_lowercase) && bytes.get(at).is_some_and(u8::is_ascii_uppercase)
}

/// Eight bytes as a number. Nothing behind the end is as good as a byte that is in no text.
#[inline]
pub(super) fn eight_bytes(bytes: &[u8], start: usize) -> u64 {
    match bytes.get(start..) {
        Some(rest) => rest.first_chunk().map_or_else(|| last_bytes(rest), |bytes| u64::from_le_bytes(*bytes)),
        None => u64::MAX,
    }
}

#[cold]
fn last_bytes(bytes: &[u8]) -> u64 {
    bytes.iter().rev().fold(u64::MAX, |word, byte| word << 8 | u64::from(*byte))
}

#[inline]
fn byte_of(word: u64, at: usize) -> u8 {
    (word >> (8 * at)) as u8
}

/// The letters of ASCII that make a word from byte `start` on, where `word` begins: how many, its key, and the byte behind.
#[inline]
fn ascii_word(bytes: &[u8], start: usize, word: u64) -> (usize, u64, u8) {
    let capitals = (word as u8).is_ascii_uppercase() && byte_of(word, 1).is_ascii_uppercase();
    let ends = others(word, if capitals { b'A' } else { b'a' }) & !0xFF;
    if ends != 0 {
        let n = ends.trailing_zeros() as usize / 8;
        return (n, spread(word & ((1 << (8 * n)) - 1)), byte_of(word, n));
    }
    long_ascii_word(bytes, start)
}

/// The same for one of eight letters and more.
#[inline(never)]
fn long_ascii_word(bytes: &[u8], start: usize) -> (usize, u64, u8) {
    let end = ascii_word_end(bytes, start);
    let next = bytes.get(end).copied().unwrap_or(0xFF);
    (end - start, word_key(&bytes[start..], end - start), next)
}

/// The end of the letters of ASCII that make a word from byte `start` on: small ones, or capitals.
fn ascii_word_end(bytes: &[u8], start: usize) -> usize {
    let letters = bytes.get(start + 1..).unwrap_or_default();
    let capitals = bytes[start].is_ascii_uppercase() && letters.first().is_some_and(u8::is_ascii_uppercase);
    let first = if capitals { b'A' } else { b'a' };
    start + 1 + n_letters_from(letters, first)
}

const HIGH: u64 = 0x8080_8080_8080_8080;

/// The high bit of each of eight bytes that is no letter of ASCII within the 26 from `first` on.
///
/// With the high bits out of the way, adding carries into them where a byte is at least so much.
#[inline]
fn others(word: u64, first: u8) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    let low = word & !HIGH;
    let from = low + EACH * u64::from(0x80 - first);
    let beyond = low + EACH * u64::from(0x80 - first - 26);
    (!from | beyond | word) & HIGH
}

/// How many letters of ASCII that lie within the 26 from `first` on come at the beginning.
#[inline]
fn n_letters_from(bytes: &[u8], first: u8) -> usize {
    let mut n = 0;
    while let Some(word) = bytes.get(n..).and_then(<[u8]>::first_chunk) {
        let others = others(u64::from_le_bytes(*word), first);
        if others != 0 {
            return n + others.trailing_zeros() as usize / 8;
        }
        n += 8;
    }
    let rest = bytes.get(n..).unwrap_or_default();
    n + rest.iter().take_while(|byte| byte.wrapping_sub(first) < 26).count()
}

/// How many letters of ASCII come at the beginning, where `word` begins, and whether one of them but the first is a capital.
#[inline]
pub(super) fn n_ascii_letters(bytes: &[u8], start: usize, word: u64) -> (usize, bool) {
    let ends = others(word | 0x2020_2020_2020_2020, b'a') | word & HIGH;
    if ends == 0 {
        return many_ascii_letters(bytes.get(start..).unwrap_or_default());
    }
    // Bits below that of the first other byte, those of the first letter left out.
    let letters = ends.wrapping_sub(1) & !ends & !0xFF;
    let capitals = !others(word, b'A') & HIGH & letters;
    (ends.trailing_zeros() as usize / 8, capitals != 0)
}

/// The same for those that are eight or more.
fn many_ascii_letters(bytes: &[u8]) -> (usize, bool) {
    let (mut n, mut has_capitals) = (0, false);
    loop {
        let word = eight_bytes(bytes, n);
        let ends = others(word | 0x2020_2020_2020_2020, b'a') | word & HIGH;
        let first = if n == 0 { 0xFF } else { 0 };
        has_capitals |= !others(word, b'A') & HIGH & ends.wrapping_sub(1) & !ends & !first != 0;
        if ends != 0 {
            return (n + ends.trailing_zeros() as usize / 8, has_capitals);
        }
        n += 8;
    }
}

/// The key of a word of `n` letters of ASCII.
#[inline]
fn word_key(bytes: &[u8], n: usize) -> u64 {
    let key = spread(first_bytes(bytes, n));
    if n <= 8 { key } else { long_word_key(bytes, n, key) }
}

fn long_word_key(bytes: &[u8], n: usize, first: u64) -> u64 {
    let (mut key, mut at) = (first, 8);
    while at < n {
        key = spread(key.rotate_left(29) ^ spread(first_bytes(&bytes[at..], n - at)));
        at += 8;
    }
    key
}

/// The first `n` bytes as a number, eight at the most.
#[inline]
pub(super) fn first_bytes(bytes: &[u8], n: usize) -> u64 {
    let word = bytes.first_chunk().map_or_else(
        || bytes.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)),
        |bytes: &[u8; 8]| u64::from_le_bytes(*bytes),
    );
    if n < 8 { word & ((1 << (8 * n)) - 1) } else { word }
}

/// A number with its bits spread over all of it, the upper ones first; capital and small letters of ASCII give
/// the same. (Fibonacci hashing: D. Knuth, *The Art of Computer Programming*, 6.4.)
fn spread(bytes: u64) -> u64 {
    (bytes | 0x2020_2020_2020_2020).wrapping_mul(0x9E37_79B9_7F4A_7C15)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens(text: &str) -> Vec<(&str, Kind)> {
        let token = |token: Token| (text.get(token.start..token.end).expect("whole characters"), token.kind);
        Tokens::of(text).map(token).collect()
    }

    #[test]
    fn words_characters_and_signs_are_told_apart() {
        use Kind::{Glued, Pair, Sign, Word};
        for (text, expected) in [
            ("Share this", vec![("Share", Word), ("this", Word)]),
            ("friendsTwitter", vec![("friends", Glued), ("Twitter", Word)]),
            ("PDFs", vec![("PDF", Glued)]),
            ("café Éclair", vec![("café", Word), ("Éclair", Word)]),
            ("все в", vec![("все", Word), ("в", Word)]),
            ("分享到", vec![("分", Pair), ("享", Pair), ("到", Sign)]),
            ("アプリ", vec![("ア", Pair), ("プ", Pair), ("リ", Sign)]),
            ("好。", vec![("好", Sign), ("。", Sign)]),
            ("a1=\n", vec![("a", Word), ("1", Sign), ("=", Sign)]),
            ("", vec![]),
        ] {
            assert_eq!(tokens(text), expected, "{text}");
        }
    }

    proptest! {
        #[test]
        fn letters_are_counted_eight_at_a_time(text in "([a-zA-Z]{0,12}|[@`\\[{zé]){0,4}", first in prop_oneof![Just(b'a'), Just(b'A')]) {
            let expected = text.bytes().take_while(|byte| (first..first + 26).contains(byte)).count();
            prop_assert_eq!(n_letters_from(text.as_bytes(), first), expected);
            let n = text.bytes().take_while(u8::is_ascii_alphabetic).count();
            let capital = text.bytes().take(n).skip(1).any(|byte| byte.is_ascii_uppercase());
            let word = eight_bytes(text.as_bytes(), 0);
            prop_assert_eq!(n_ascii_letters(text.as_bytes(), 0, word), (n, capital), "{}", text);
        }
    }

    #[test]
    fn keys_do_not_depend_on_case_and_place() {
        let key = |text: &str| Tokens::of(text).next().map(|token| token.key);
        assert_eq!(key("Subscription "), key("subscription, and more"));
        assert_eq!(key("SUBSCRIPTION"), key("subscription"));
        assert_eq!(key("ПОДПИСКА"), key("подписка на"));
        assert_eq!(key("分享到"), key("分享"));
        assert_ne!(key("subscriptions"), key("subscription"));
        assert_ne!(key("分享"), key("分级"));
    }
}
