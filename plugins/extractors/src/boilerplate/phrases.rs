//! Many phrases, looked for at each token of a page without regard to case.
//!
//! A phrase lies under the key of its first token. Nearly all tokens begin none, which one bit tells.

use super::tokens::{Kind, Sieve, Token, Tokens, code_of_wide, eight_bytes, first_bytes, fold, is_glued};
use tamis_text::class::{Classes, Table};

/// Bits of a key that choose the bit: so many that another word hardly ever falls on one that is set.
const KEY_BITS: u32 = 17;
/// Bits of a key that choose where among the keys it is looked for.
const BUCKET_BITS: u32 = 12;
const N_BUCKETS: usize = 1 << BUCKET_BITS;
/// Letters of a word that are all in its key, each in a byte of it.
const KEY_BYTES: usize = 8;
/// Parts of a name such as `YouTube` that may be glued to a word.
const MAX_PARTS: usize = 4;

/// Makes the letters of eight bytes small ones.
const SMALL: u64 = 0x2020_2020_2020_2020;

/// Phrases, each with a value.
#[derive(Debug)]
pub(super) struct Phrases<T> {
    begins: Begins,
    /// Where the keys of each bucket begin.
    buckets: Box<[u32; N_BUCKETS + 1]>,
    /// By key.
    keys: Vec<Key<T>>,
    /// By key, the longest first.
    entries: Vec<Entry<T>>,
    /// Phrases of one character of the Basic Multilingual Plane, by their codes: every tenth character of a Chinese text is
    /// one. Others are too rare to have a place.
    singles: Box<[Option<T>; 1 << 16]>,
}

/// The beginnings of phrases, and other tokens to look out for.
#[derive(Debug, Clone)]
pub(super) struct Begins {
    /// A bit for each key.
    keys: Box<[u64; 1 << (KEY_BITS - 6)]>,
    /// A bit for each character that is a phrase by itself, by a hash of its bytes.
    alone: Box<[u64; 1 << 10]>,
    /// For each sign of ASCII with which a phrase begins, a bit for each byte that may stand behind it, by the lower six
    /// bits of that: half of the signs of a page of code begin some phrase, and hardly any with what follows.
    signs: Box<[u64; 1 << 7]>,
}

/// The first token of some phrases.
#[derive(Debug)]
struct Key<T> {
    hash: u64,
    /// The first of the phrases.
    first: u32,
    /// The first of those that consist of this token alone.
    first_alone: u32,
    /// A bit for each hash of the two bytes behind the token in the others; all of them where these are not known,
    /// because there is one byte only, or letters that have other bytes in another case.
    behind: u64,
    /// The value of the word alone, if nothing else begins with it but what `behind` tells, and it is so short that all
    /// of it is in the key: then the key is the proof.
    word: Option<T>,
}

#[derive(Debug)]
struct Entry<T> {
    /// With small letters.
    phrase: Box<str>,
    /// Its bytes behind those of its key, and a mask for those that it has: what tells nearly all entries of a key apart.
    behind: u64,
    mask: u64,
    /// A number for its last bytes, which tells it from most others; `None` if it has letters beyond ASCII of
    /// which there are capitals.
    tail: Option<u64>,
    /// Whether it has no letters that have a case, so that it stands in a text as it is.
    has_no_case: bool,
    /// Whether it ends with a letter of an alphabet, behind which a word may go on.
    ends_in_word: bool,
    value: T,
}

impl Begins {
    fn new() -> Self {
        Self { keys: Box::new([0; _]), alone: Box::new([0; _]), signs: Box::new([0; _]) }
    }

    /// Lets tokens with this key pass, too; whether they did not before.
    pub(super) fn add(&mut self, key: u64) -> bool {
        let bit = key >> (64 - KEY_BITS);
        let is_new = !self.may_be(key);
        self.keys[(bit >> 6) as usize] |= 1 << (bit & 63);
        is_new
    }

    /// Takes back what was new to it.
    pub(super) fn remove(&mut self, key: u64) {
        let bit = key >> (64 - KEY_BITS);
        self.keys[(bit >> 6) as usize] &= !(1 << (bit & 63));
    }

    #[inline]
    fn may_be(&self, key: u64) -> bool {
        let bit = key >> (64 - KEY_BITS);
        self.keys[(bit >> 6) as usize] >> (bit & 63) & 1 != 0
    }
}

impl Sieve for &Begins {
    #[inline]
    fn may_be(&mut self, key: u64) -> bool {
        Begins::may_be(self, key)
    }

    #[inline]
    fn may_be_alone(&mut self, bytes: u32) -> bool {
        let hash = hash_of_character(bytes);
        self.alone[usize::from(hash >> 6)] >> (hash & 63) & 1 != 0
    }

    #[inline]
    fn may_begin_with(&mut self, sign: u8, next: u8) -> bool {
        self.signs[usize::from(sign & 0x7F)] >> (next & 63) & 1 != 0
    }
}

/// A hash of the bytes of a character, which are a number.
fn hash_of_character(bytes: u32) -> u16 {
    (bytes.wrapping_mul(0x9E37_79B1) >> 16) as u16
}

impl<T: Copy> Key<T> {
    /// Notes a phrase that lies under the key, which is entry `at`; the longer ones come first.
    fn note(&mut self, entry: &Entry<T>, at: u32) {
        let is_word =
            entry.phrase.len() <= KEY_BYTES && entry.phrase.bytes().all(|byte| byte.is_ascii_lowercase());
        self.word = (is_word && self.first_alone == at).then_some(entry.value);
        match covered_by_key(&entry.phrase) {
            Some(n) if n >= entry.phrase.len() => {}
            Some(n) if n + 2 <= entry.phrase.len() && entry.tail.is_some() => {
                self.first_alone = at + 1;
                self.behind |= 1 << hash_behind(entry.phrase.as_bytes(), n);
            }
            _ => (self.first_alone, self.behind) = (at + 1, u64::MAX),
        }
    }

    /// Whether phrases that are longer than the token may stand here, which ends at byte `end`: by the two bytes behind it.
    #[inline]
    fn may_go_on(&self, bytes: &[u8], end: usize) -> bool {
        self.behind >> hash_behind(bytes, end) & 1 != 0
    }
}

impl<T: Copy> Phrases<T> {
    /// Of two phrases that are the same but for their case, the first counts.
    pub(super) fn new(phrases: impl IntoIterator<Item = (String, T)>) -> Self {
        let mut keyed: Vec<(u64, String, T)> = phrases
            .into_iter()
            .map(|(phrase, value)| (phrase.chars().map(fold).collect::<String>(), value))
            .filter_map(|(phrase, value)| Some((key(&phrase)?, phrase, value)))
            .collect();
        keyed.sort_by(|a, b| (a.0, b.1.len(), &a.1).cmp(&(b.0, a.1.len(), &b.1)));
        keyed.dedup_by(|later, earlier| later.1 == earlier.1);
        let mut new = Self {
            begins: Begins::new(),
            buckets: of_length(vec![0; N_BUCKETS + 1]),
            keys: Vec::new(),
            entries: Vec::new(),
            singles: of_length(vec![None; 1 << 16]),
        };
        for (key, phrase, value) in keyed {
            new.note_beginning(&phrase);
            let at = new.entries.len() as u32;
            if new.keys.last().is_none_or(|last| last.hash != key) {
                new.keys.push(Key { hash: key, first: at, first_alone: at, behind: 0, word: None });
                new.begins.add(key);
            }
            if let Some(place) = single(&phrase).and_then(|code| new.singles.get_mut(code as usize)) {
                *place = Some(value);
            }
            let entry = Entry::new(phrase, value);
            if let Some(key) = new.keys.last_mut() {
                key.note(&entry, at);
            }
            new.entries.push(entry);
        }
        let begins = |bucket| new.keys.partition_point(|key| key.hash >> (64 - BUCKET_BITS) < bucket) as u32;
        new.buckets = of_length((0..=N_BUCKETS as u64).map(begins).collect());
        new
    }

    /// Notes the first character of a phrase where the sieve asks for characters.
    fn note_beginning(&mut self, phrase: &str) {
        let mut chars = phrase.chars();
        let Some(first) = chars.next() else { return };
        let next = chars.next();
        if first.is_ascii() {
            // A capital and its small letter differ in one bit, and so do other bytes that keys do not tell apart.
            let behind = match next.map(u32::from) {
                Some(next @ 0..=0x7F) => 1 << (next & 63) | 1 << ((next ^ 0x20) & 63),
                _ => u64::MAX,
            };
            self.begins.signs[first as usize & 0x7F] |= behind;
        }
        if next.is_none() {
            let bytes = first_bytes(phrase.as_bytes(), first.len_utf8());
            let hash = hash_of_character(bytes as u32);
            self.begins.alone[usize::from(hash >> 6)] |= 1 << (hash & 63);
        }
    }

    /// What tells the tokens that begin a phrase.
    pub(super) fn begins(&self) -> &Begins {
        &self.begins
    }

    /// The longest phrase that begins with a token of `page`: its bytes, and its value.
    ///
    /// A phrase that ends with a letter of an alphabet cuts no word there.
    #[inline]
    pub(super) fn longest(&self, page: &str, token: &Token) -> Option<(usize, T)> {
        match token.kind {
            Kind::Word => self.word(token.key, page, token.start, token.end - token.start),
            Kind::Pair | Kind::Sign => {
                let n = token.covered(page);
                self.under(token.key, page, token.start, n).or_else(|| self.alone(page, token, n))
            }
            Kind::Glued => self.glued(page, token),
        }
    }

    /// The longest phrase that begins with a word to which others are glued.
    #[inline(never)]
    fn glued(&self, page: &str, token: &Token) -> Option<(usize, T)> {
        let found = token
            .glued_keys(page)
            .take(MAX_PARTS)
            .filter_map(|(key, n)| self.under(key, page, token.start, n));
        found.max_by_key(|(length, _)| *length)
    }

    /// A character that is a phrase by itself. Longer phrases begin with it, too, but those lie under keys of more than it.
    #[inline]
    fn alone(&self, page: &str, token: &Token, covered: usize) -> Option<(usize, T)> {
        let n = token.end - token.start;
        if n == covered {
            return None;
        }
        let code = match n {
            3 => code_of_wide(eight_bytes(page.as_bytes(), token.start)),
            _ => page.get(token.start..token.end)?.chars().next()?.into(),
        };
        Some((n, self.singles[usize::from(u16::try_from(code).ok()?)]?))
    }

    /// Looks under the key of a word of `n` bytes behind which no letter stands.
    #[inline]
    fn word(&self, key: u64, page: &str, start: usize, n: usize) -> Option<(usize, T)> {
        if !self.begins.may_be(key) {
            return None;
        }
        let at = self.place(key)?;
        match self.keys[at].word {
            Some(value) if n <= KEY_BYTES && !self.keys[at].may_go_on(page.as_bytes(), start + n) => {
                Some((n, value))
            }
            _ => self.search(at, page, start, n),
        }
    }

    #[inline]
    fn under(&self, key: u64, page: &str, start: usize, n: usize) -> Option<(usize, T)> {
        if self.begins.may_be(key) { self.search(self.place(key)?, page, start, n) } else { None }
    }

    /// Where a key is among the keys.
    #[inline]
    fn place(&self, key: u64) -> Option<usize> {
        let bucket = (key >> (64 - BUCKET_BITS)) as usize;
        let keys = self.buckets[bucket] as usize..self.buckets[bucket + 1] as usize;
        Some(keys.start + self.keys[keys].iter().position(|other| other.hash == key)?)
    }

    /// Looks under a key that is made of `n` bytes of the page.
    fn search(&self, at: usize, page: &str, start: usize, n: usize) -> Option<(usize, T)> {
        let key = &self.keys[at];
        let bytes = page.as_bytes();
        let end = self.keys.get(at + 1).map_or(self.entries.len(), |next| next.first as usize);
        let first = if key.may_go_on(bytes, start + n) { key.first } else { key.first_alone };
        if first as usize == end {
            return None;
        }
        let text = page.get(start..)?;
        let behind = eight_bytes(bytes, start + n) | SMALL;
        let may_be = |entry: &&Entry<T>| (behind ^ entry.behind) & entry.mask == 0;
        self.entries[first as usize..end].iter().filter(may_be).find_map(|entry| {
            let length = entry.length_in(text)?;
            (!entry.ends_in_word || ends_word(page, start + length)).then_some((length, entry.value))
        })
    }
}

/// A table of known length, in which no look-up is beyond the end.
#[expect(clippy::unnecessary_box_returns, reason = "tables of 64 KiB and more are nothing for the stack")]
fn of_length<T, const N: usize>(table: Vec<T>) -> Box<[T; N]> {
    table.into_boxed_slice().try_into().unwrap_or_else(|_| unreachable!("it was made of this length"))
}

/// The code of a phrase that is one character and no letter of an alphabet, behind which a word would go on.
fn single(phrase: &str) -> Option<u32> {
    let mut chars = phrase.chars();
    let first = chars.next().filter(|c| !Table::get().of(*c).has(Classes::WORD))?;
    chars.next().is_none().then_some(first.into())
}

/// How many bytes of a phrase its key is made of; `None` where other letters in other cases have others.
fn covered_by_key(phrase: &str) -> Option<usize> {
    let token = Tokens::of(phrase).next()?;
    let n = if is_alone(&token, phrase) { phrase.len() } else { token.covered(phrase) };
    (token.kind != Kind::Word || phrase.get(..n).is_some_and(str::is_ascii)).then_some(n)
}

/// A hash, below 64, of the two bytes from byte `at` on, whatever the case of their letters.
#[inline]
fn hash_behind(bytes: &[u8], at: usize) -> u32 {
    let two = (eight_bytes(bytes, at) | SMALL) as u32 & 0xFFFF;
    two.wrapping_mul(0x9E37_79B1) >> 26
}

/// Whether a phrase is one character or sign and nothing else, which lies under a key of its own.
fn is_alone(token: &Token, phrase: &str) -> bool {
    token.end == phrase.len() && token.kind != Kind::Word
}

/// The key under which a phrase lies.
fn key(phrase: &str) -> Option<u64> {
    let token = Tokens::of(phrase).next()?;
    Some(if is_alone(&token, phrase) { token.alone(phrase) } else { token.key })
}

impl<T> Entry<T> {
    fn new(phrase: String, value: T) -> Self {
        let has_capitals = phrase.chars().any(|c| !c.is_ascii() && c.to_uppercase().ne([c]));
        let tail = if has_capitals { None } else { last_bytes(phrase.as_bytes(), phrase.len()) };
        let has_no_case = !has_capitals && !phrase.bytes().any(|byte| byte.is_ascii_alphabetic());
        let is_letter = |c: char| Table::get().of(c).has(Classes::WORD);
        let n = covered_by_key(&phrase).filter(|_| !has_capitals).unwrap_or(phrase.len());
        let n_behind = (phrase.len() - n).min(8);
        let mask = if n_behind == 8 { u64::MAX } else { (1 << (8 * n_behind)) - 1 };
        let behind = (eight_bytes(phrase.as_bytes(), n) | SMALL) & mask;
        Self {
            behind,
            mask,
            tail,
            has_no_case,
            ends_in_word: phrase.ends_with(is_letter),
            phrase: phrase.into(),
            value,
        }
    }

    /// The bytes of the phrase in `text`, if it begins with it.
    #[inline]
    fn length_in(&self, text: &str) -> Option<usize> {
        let length = self.phrase.len();
        if self.has_no_case {
            return text.as_bytes().starts_with(self.phrase.as_bytes()).then_some(length);
        }
        if let Some(tail) = self.tail {
            let same = last_bytes(text.as_bytes(), length) == Some(tail)
                && text.as_bytes().get(..length)?.eq_ignore_ascii_case(self.phrase.as_bytes());
            return same.then_some(length);
        }
        let mut rest = text.chars();
        let same = self.phrase.chars().all(|c| rest.next().is_some_and(|other| fold(other) == c));
        same.then(|| text.len() - rest.as_str().len())
    }
}

/// The last eight of the first `n` bytes as a number, whatever the case of their letters; `None` if there are not so
/// many. Of fewer than eight bytes all.
#[inline]
fn last_bytes(bytes: &[u8], n: usize) -> Option<u64> {
    if n > bytes.len() {
        return None;
    }
    let word = if n < 8 { first_bytes(bytes, n) } else { first_bytes(&bytes[n - 8..], 8) };
    Some(word | SMALL)
}

/// Whether no word goes on at byte `at`.
fn ends_word(page: &str, at: usize) -> bool {
    let table = Table::get();
    let is_letter = |c: char| table.of(c).has(Classes::WORD);
    let (before, behind) = page.split_at_checked(at).unwrap_or((page, ""));
    !(behind.starts_with(is_letter) && before.ends_with(is_letter)) || is_glued(page.as_bytes(), at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn longest(page: &str) -> Option<(usize, u8)> {
        let phrases = [
            "share",
            "share this",
            "Über uns",
            "分享",
            "分享到",
            "все новости",
            "的",
            "WhatsApp",
            "»",
            "by:",
            "à é",
            "来源：",
            "(c) ",
            "分 享",
        ];
        let phrases =
            Phrases::new(phrases.iter().zip(0..).map(|(phrase, value)| ((*phrase).to_owned(), value)));
        phrases.longest(page, &Tokens::of(page).next()?)
    }

    #[test]
    fn the_longest_phrase_is_found_in_any_case() {
        for (page, expected) in [
            ("share thin", Some((5, 0))),
            ("SHARE THIS page", Some((10, 1))),
            ("shareThis", Some((5, 0))),
            ("shares", None),
            ("über Uns", Some(("über Uns".len(), 2))),
            ("分享到：", Some((9, 4))),
            ("分享了", Some((6, 3))),
            ("ВСЕ НОВОСТИ", Some(("ВСЕ НОВОСТИ".len(), 5))),
            ("的是", Some((3, 6))),
            ("的", Some((3, 6))),
            ("WhatsAppTwitter", Some((8, 7))),
            ("whatsapp", Some((8, 7))),
            ("» 分享", Some((2, 8))),
            ("BY:me", Some((3, 9))),
            ("by me", None),
            ("À É", Some((5, 10))),
            ("来源：报", Some((9, 11))),
            ("来源于", None),
            ("(C) 2019", Some((4, 12))),
            ("(x) 2019", None),
            ("分 享", Some((7, 13))),
            ("分", None),
            ("😀", None),
            ("", None),
        ] {
            assert_eq!(longest(page), expected, "{page}");
        }
    }

    #[test]
    fn of_two_that_differ_by_case_the_first_counts() {
        let phrases = Phrases::new([("Menu".to_owned(), 1), ("menu".to_owned(), 2)]);
        let token = Tokens::of("menu").next().expect("a word");
        assert_eq!(phrases.longest("menu", &token), Some((4, 1)));
    }
}
