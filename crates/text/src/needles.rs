//! Many strings, looked for in one pass.
//!
//! An automaton over some hundred Chinese strings takes 3 ns a byte, because each step waits for the one before
//! it. Here nothing waits: a window of four bytes is looked at in every third place or so, and a filter says
//! whether any of the strings has such a window; only then is compared.
//! Every string of six or more bytes that occurs covers at least one of the places, wherever it begins.
//! (After S. Wu and U. Manber, *A fast algorithm for multi-pattern searching*, 1994, who skip as far as they can;
//! to skip always the same is slower on paper and faster on processors that load ahead.)

use std::ops::Range;

use memchr::{memchr_iter, memchr2_iter, memchr3_iter};

/// Bytes in a window.
const WIDTH: usize = 4;
/// The shortest needle that is found by windows, in bytes; shorter ones are found by their first byte.
const MIN_LONG: usize = 6;
/// The furthest from one window to the next, in bytes: more would make more entries than it saves.
const MAX_STRIDE: usize = 8;
/// Bits of a hash.
const HASH_BITS: u32 = 16;
/// Bits of a hash that choose a bucket.
const BUCKET_BITS: u32 = 10;

/// Strings to look for. Letters of ASCII match in either case.
#[derive(Debug, Clone)]
pub struct Needles {
    all: Vec<Box<[u8]>>,
    windows: Windows,
    short: Short,
}

/// Needles of at least [`MIN_LONG`] bytes, by their first windows.
#[derive(Debug, Clone)]
struct Windows {
    /// From one window of the text to the next; 0 if there are no needles.
    stride: usize,
    /// A bit for each hash that some window of a needle has.
    filter: Box<[u64; 1 << (HASH_BITS - 6)]>,
    /// Where each bucket begins among the entries.
    buckets: Vec<usize>,
    /// By hash.
    entries: Vec<Entry>,
}

/// A window of a needle.
#[derive(Debug, Clone, Copy)]
struct Entry {
    window: u32,
    /// Where the window begins in the needle.
    offset: u32,
    needle: usize,
    /// The first bytes of the needle, and a mask for those that it has.
    head: u64,
    mask: u64,
}

impl Entry {
    /// Whether the needle may begin at a byte of the text: a window is little more than one Chinese character, so most that
    /// are found are of something else.
    #[inline]
    fn may_begin(&self, text: &[u8], start: usize) -> bool {
        let head = text.get(start..).and_then(<[u8]>::first_chunk);
        head.is_none_or(|head| (folded_head(*head) ^ self.head) & self.mask == 0)
    }
}

/// Needles of fewer than [`MIN_LONG`] bytes.
#[derive(Debug, Clone)]
struct Short {
    /// By their first bytes, in lower case.
    needles: Vec<usize>,
    /// Where the needles of each first byte lie; those of a small letter for the capital, too.
    places: Box<[Range<u32>; 256]>,
    /// Whether one begins with each byte.
    begins: Box<[bool; 256]>,
    /// The bytes that they begin with, in both cases.
    first: Vec<u8>,
}

impl Needles {
    /// Prepares the search; an empty string is never found.
    pub fn new<T: AsRef<[u8]>>(needles: impl IntoIterator<Item = T>) -> Self {
        let all: Vec<Box<[u8]>> =
            needles.into_iter().map(|needle| needle.as_ref().to_ascii_lowercase().into()).collect();
        let (windows, short) = (Windows::new(&all), Short::new(&all));
        Self { all, windows, short }
    }

    /// Calls `hit` with the index of a needle and the byte at which it begins, for every occurrence, those that
    /// overlap included.
    ///
    /// First those of the long needles (six bytes or more), then the others; each in the order of the text, but
    /// that two which begin within eight bytes of each other may come the wrong way round.
    pub fn each(&self, text: &str, mut hit: impl FnMut(usize, usize)) {
        let text = text.as_bytes();
        self.windows.each(text, |entry, at| {
            if let Some(start) = at.checked_sub(entry.offset as usize)
                && entry.may_begin(text, start)
                && self.is_at(entry.needle, text, start)
            {
                hit(entry.needle, start);
            }
        });
        self.short.each(text, |start| {
            for &needle in self.short.beginning_with(text[start]) {
                if self.is_at(needle, text, start) {
                    hit(needle, start);
                }
            }
        });
    }

    fn is_at(&self, needle: usize, text: &[u8], start: usize) -> bool {
        let needle = &self.all[needle];
        text.get(start..start + needle.len()).is_some_and(|found| found.eq_ignore_ascii_case(needle))
    }
}

impl Windows {
    fn new(needles: &[Box<[u8]>]) -> Self {
        let long = || needles.iter().enumerate().filter(|(_, needle)| needle.len() >= MIN_LONG);
        let shortest = long().map(|(_, needle)| needle.len()).min();
        // So that whatever the place at which a needle begins, one of its first windows is looked at.
        let stride = shortest.map_or(0, |shortest| (shortest - WIDTH + 1).min(MAX_STRIDE));
        let mut entries: Vec<Entry> = long()
            .flat_map(|(needle, bytes)| {
                let windows = bytes.windows(WIDTH).filter_map(<[u8]>::first_chunk::<WIDTH>).enumerate();
                let mut head = [0; 8];
                bytes.iter().zip(&mut head).for_each(|(byte, place)| *place = *byte);
                let mask = if bytes.len() < 8 { (1 << (8 * bytes.len())) - 1 } else { u64::MAX };
                let entry = move |(offset, window): (usize, &[u8; WIDTH])| Entry {
                    window: folded(*window),
                    offset: offset as u32,
                    needle,
                    head: folded_head(head),
                    mask,
                };
                windows.take(stride).map(entry)
            })
            .collect();
        entries.sort_by_key(|entry| (hash(entry.window), entry.needle, entry.offset));
        let mut filter = Box::new([0; 1 << (HASH_BITS - 6)]);
        for entry in &entries {
            let hash = hash(entry.window);
            filter[usize::from(hash >> 6)] |= 1 << (hash & 63);
        }
        let begins = |bucket: usize| entries.partition_point(|entry| bucket_of(hash(entry.window)) < bucket);
        let buckets = (0..=1 << BUCKET_BITS).map(begins).collect();
        Self { stride, filter, buckets, entries }
    }

    /// Calls `hit` with every entry whose window is one of the text that is looked at, and its place.
    fn each(&self, text: &[u8], hit: impl FnMut(&Entry, usize)) {
        match self.stride {
            0 => {}
            1 => self.each_by::<1, 7>(text, hit),
            2 => self.each_by::<2, 10>(text, hit),
            3 => self.each_by::<3, 13>(text, hit),
            4 => self.each_by::<4, 16>(text, hit),
            5 => self.each_by::<5, 19>(text, hit),
            6 => self.each_by::<6, 22>(text, hit),
            7 => self.each_by::<7, 25>(text, hit),
            _ => self.each_by::<MAX_STRIDE, 28>(text, hit),
        }
    }

    /// The same with a stride that the compiler knows: four windows, which lie in so many bytes, are looked at together.
    fn each_by<const STRIDE: usize, const BYTES: usize>(
        &self,
        text: &[u8],
        mut hit: impl FnMut(&Entry, usize),
    ) {
        let mut at = 0;
        while let Some(bytes) = text.get(at..).and_then(<[u8]>::first_chunk::<BYTES>) {
            let window = |at: usize| folded([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]);
            // Written out: without optimisation across crates, `from_fn` is a call for each of them.
            let windows = [window(0), window(STRIDE), window(2 * STRIDE), window(3 * STRIDE)];
            let [a, b, c, d] = windows;
            let [a, b] = [self.filtered(hash(a)), self.filtered(hash(b))];
            let [c, d] = [self.filtered(hash(c)), self.filtered(hash(d))];
            if (a | b | c | d) & 1 != 0 {
                for (n, window) in windows.into_iter().enumerate() {
                    self.window(window, at + n * STRIDE, &mut hit);
                }
            }
            at += 4 * STRIDE;
        }
        while let Some(window) = text.get(at..).and_then(<[u8]>::first_chunk::<WIDTH>) {
            self.window(folded(*window), at, &mut hit);
            at += STRIDE;
        }
    }

    /// What the filter says of a hash, in the lowest bit.
    #[inline]
    fn filtered(&self, hash: u16) -> u64 {
        self.filter[usize::from(hash >> 6)] >> (hash & 63)
    }

    fn window(&self, window: u32, place: usize, hit: &mut impl FnMut(&Entry, usize)) {
        let hash = hash(window);
        if self.filtered(hash) & 1 != 0 {
            let bucket = bucket_of(hash);
            let entries = &self.entries[self.buckets[bucket]..self.buckets[bucket + 1]];
            entries.iter().filter(|entry| entry.window == window).for_each(|entry| hit(entry, place));
        }
    }
}

impl Short {
    fn new(all: &[Box<[u8]>]) -> Self {
        let first_of = |needle: &usize| all[*needle].first().copied().unwrap_or_default();
        let is_short = |needle: &usize| (1..MIN_LONG).contains(&all[*needle].len());
        let mut needles: Vec<usize> = (0..all.len()).filter(is_short).collect();
        // Stable, so that those of one byte stay in their order.
        needles.sort_by_key(first_of);
        let place = |byte: usize| {
            let byte = (byte as u8).to_ascii_lowercase();
            let begin = needles.partition_point(|needle| first_of(needle) < byte);
            let end = needles.partition_point(|needle| first_of(needle) <= byte);
            begin as u32..end as u32
        };
        let places: Box<[Range<u32>; 256]> = Box::new(std::array::from_fn(place));
        let begins = Box::new(std::array::from_fn(|byte| !places[byte].is_empty()));
        let first = (0..=u8::MAX).filter(|&byte| !places[usize::from(byte)].is_empty()).collect();
        Self { needles, places, begins, first }
    }

    /// The needles that begin with a byte.
    fn beginning_with(&self, byte: u8) -> &[usize] {
        let place = &self.places[usize::from(byte)];
        &self.needles[place.start as usize..place.end as usize]
    }

    /// Calls `hit` with every place at which a needle may begin.
    fn each(&self, text: &[u8], hit: impl FnMut(usize)) {
        match *self.first {
            [] => {}
            [a] => memchr_iter(a, text).for_each(hit),
            [a, b] => memchr2_iter(a, b, text).for_each(hit),
            [a, b, c] => memchr3_iter(a, b, c, text).for_each(hit),
            _ => (0..text.len()).filter(|&at| self.begins[usize::from(text[at])]).for_each(hit),
        }
    }
}

/// Eight bytes as a number, as those of [`folded`].
#[inline]
fn folded_head(head: [u8; 8]) -> u64 {
    u64::from_le_bytes(head) | 0x2020_2020_2020_2020
}

/// Four bytes as a number, letters in lower case. Other bytes change, too, which makes some of them alike: what
/// comes of it is compared.
#[inline]
fn folded(window: [u8; WIDTH]) -> u32 {
    u32::from_le_bytes(window) | 0x2020_2020
}

/// The multiplier is that of Fibonacci hashing, 2³² divided by the golden ratio (D. Knuth, *The Art of Computer
/// Programming*, 6.4).
#[inline]
fn hash(window: u32) -> u16 {
    (window.wrapping_mul(0x9E37_79B1) >> (32 - HASH_BITS)) as u16
}

#[inline]
fn bucket_of(hash: u16) -> usize {
    usize::from(hash >> (HASH_BITS - BUCKET_BITS))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(needles: &[&str], text: &str) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        Needles::new(needles).each(text, |needle, start| found.push((start, needle)));
        found.sort_unstable();
        found
    }

    /// Looks for every needle at every place.
    fn expected(needles: &[&str], text: &str) -> Vec<(usize, usize)> {
        let text = text.as_bytes().to_ascii_lowercase();
        let is_at = |start: usize, needle: &str| {
            !needle.is_empty() && text[start..].starts_with(needle.to_ascii_lowercase().as_bytes())
        };
        let places = (0..text.len()).flat_map(|start| (0..needles.len()).map(move |needle| (start, needle)));
        places.filter(|&(start, needle)| is_at(start, needles[needle])).collect()
    }

    #[test]
    fn finds_all_of_them() {
        let needles = ["渡船停了", "停了", "了", "FERRY", "the ferry left", "404", "", "船停了"];
        for text in
            ["渡船停了", "The Ferry left at 404, 渡船停了，渡船停了", "", "了", "ferr", "停了停了\n停了"]
        {
            assert_eq!(found(&needles, text), expected(&needles, text), "{text:?}");
        }
        assert_eq!(found(&[], "渡船停了"), []);
        assert_eq!(found(&["渡船停了渡船停了渡船停了"], "x渡船停了渡船停了渡船停了渡船停了").len(), 2);
    }

    proptest! {
        #[test]
        fn finds_what_looking_everywhere_finds(
            needles in prop::collection::vec("[渡船停aBk ]{0,7}", 0..12),
            text in "[渡船停了aAbBkK\u{212a} \n]{0,80}",
        ) {
            let needles: Vec<&str> = needles.iter().map(String::as_str).collect();
            prop_assert_eq!(found(&needles, &text), expected(&needles, &text));
        }
    }
}
