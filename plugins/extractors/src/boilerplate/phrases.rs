//! Many phrases, looked for at each token of a page without regard to case.
//!
//! A phrase lies under the key of its first token. Nearly all tokens begin none, which one bit tells.

use super::tokens::{Kind, Token, Tokens, fold, is_glued, key_of};
use tamis_text::class::{Classes, Table};

/// Bits of a key that choose the bit: so many that another word hardly ever falls on one that is set.
const KEY_BITS: u32 = 17;
/// Bits of a key that choose where among the keys it is looked for.
const BUCKET_BITS: u32 = 12;
/// Parts of a name such as `YouTube` that may be glued to a word.
const MAX_PARTS: usize = 4;

/// Phrases, each with a value.
#[derive(Debug)]
pub(super) struct Phrases<T> {
    /// A bit for each key.
    begins: Vec<u64>,
    /// Where the keys of each bucket begin.
    buckets: Vec<usize>,
    /// Keys with the first of their phrases, by key.
    keys: Vec<(u64, usize)>,
    /// By key, the longest first.
    entries: Vec<Entry<T>>,
}

#[derive(Debug)]
struct Entry<T> {
    /// With small letters.
    phrase: Box<str>,
    /// A number for its last bytes, which tells it from most others; `None` if it has letters beyond ASCII of
    /// which there are capitals.
    tail: Option<u64>,
    value: T,
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
            begins: vec![0; 1 << (KEY_BITS - 6)],
            buckets: Vec::new(),
            keys: Vec::new(),
            entries: Vec::new(),
        };
        for (key, phrase, value) in keyed {
            if new.keys.last().is_none_or(|(last, _)| *last != key) {
                new.keys.push((key, new.entries.len()));
                new.begins[(key >> (64 - KEY_BITS) >> 6) as usize] |= 1 << (key >> (64 - KEY_BITS) & 63);
            }
            new.entries.push(Entry::new(phrase, value));
        }
        let begins = |bucket| new.keys.partition_point(|(key, _)| key >> (64 - BUCKET_BITS) < bucket);
        new.buckets = (0..=1 << BUCKET_BITS).map(begins).collect();
        new
    }

    /// The longest phrase that begins with a token of `page`: its bytes, and its value.
    ///
    /// A phrase that ends with a letter of an alphabet cuts no word there.
    pub(super) fn longest(&self, page: &str, token: &Token) -> Option<(usize, T)> {
        match token.kind {
            Kind::Word => self.under(token.key, page, token.start),
            Kind::Pair | Kind::Sign => self
                .under(token.key, page, token.start)
                .or_else(|| self.under(token.alone(page), page, token.start)),
            Kind::Glued => token
                .glued_keys(page)
                .take(MAX_PARTS)
                .filter_map(|key| self.under(key, page, token.start))
                .max_by_key(|(length, _)| *length),
        }
    }

    #[inline]
    fn under(&self, key: u64, page: &str, start: usize) -> Option<(usize, T)> {
        let bit = key >> (64 - KEY_BITS);
        let begins = self.begins[(bit >> 6) as usize] >> (bit & 63) & 1 != 0;
        if begins { self.search(key, page, start) } else { None }
    }

    /// Apart from the look at the bit, which nearly always is the end of it.
    #[inline(never)]
    fn search(&self, key: u64, page: &str, start: usize) -> Option<(usize, T)> {
        let bucket = (key >> (64 - BUCKET_BITS)) as usize;
        let keys = self.buckets[bucket]..self.buckets[bucket + 1];
        let at = keys.start + self.keys[keys].iter().position(|(other, _)| *other == key)?;
        let end = self.keys.get(at + 1).map_or(self.entries.len(), |(_, first)| *first);
        let text = page.get(start..)?;
        self.entries[self.keys[at].1..end].iter().find_map(|entry| {
            let length = entry.length_in(text)?;
            ends_word(page, start + length).then_some((length, entry.value))
        })
    }
}

/// The key under which a phrase lies.
fn key(phrase: &str) -> Option<u64> {
    let token = Tokens::of(phrase).next()?;
    let is_alone = token.end == phrase.len() && token.kind != Kind::Word;
    Some(if is_alone { token.alone(phrase) } else { token.key })
}

impl<T> Entry<T> {
    fn new(phrase: String, value: T) -> Self {
        let has_capitals = phrase.chars().any(|c| !c.is_ascii() && c.to_uppercase().ne([c]));
        let tail = if has_capitals { None } else { last_bytes(phrase.as_bytes(), phrase.len()) };
        Self { phrase: phrase.into(), tail, value }
    }

    /// The bytes of the phrase in `text`, if it begins with it.
    fn length_in(&self, text: &str) -> Option<usize> {
        let length = self.phrase.len();
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

/// A number for the last eight of the first `n` bytes, whatever the case of their letters; `None` if there are
/// not so many.
fn last_bytes(bytes: &[u8], n: usize) -> Option<u64> {
    let bytes = bytes.get(..n)?;
    Some(bytes.last_chunk().map_or_else(|| key_of(bytes), |last: &[u8; 8]| key_of(last)))
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
        let phrases =
            ["share", "share this", "Über uns", "分享", "分享到", "все новости", "的", "WhatsApp", "»"];
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
