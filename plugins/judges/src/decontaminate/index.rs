//! The set that texts are held against.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;

use tamis_text::chars::{is_cjk, is_hangul};
use xxhash_rust::xxh3::xxh3_64;

/// A token of a text: a number for what it reads, and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Token {
    hash: u64,
    range: Range<usize>,
}

/// Where an item stands: the number of its file, and its line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) file: u32,
    pub(super) line: u32,
}

/// Tokens in a row that an item has as well: which tokens, which bytes, and the item that the first of them are of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) tokens: Range<usize>,
    pub(super) range: Range<usize>,
    pub(super) item: Item,
}

/// All rows of tokens that are looked for, by their length.
#[derive(Debug, Default)]
pub(super) struct Index {
    rows: BTreeMap<usize, HashMap<u64, Item>>,
}

/// Writes the tokens of a text: words in small letters, each Chinese character and kana alone.
pub(super) fn tokens(text: &str, found: &mut Vec<Token>) {
    found.clear();
    let is_alone = |c: char| is_cjk(c) && !is_hangul(c);
    let mut chars = text.char_indices().peekable();
    let mut word = String::new();
    while let Some((start, c)) = chars.next() {
        if !c.is_alphanumeric() {
            continue;
        }
        word.clear();
        word.extend(c.to_lowercase());
        let mut end = start + c.len_utf8();
        while !is_alone(c)
            && let Some((at, next)) = chars.next_if(|(_, next)| next.is_alphanumeric() && !is_alone(*next))
        {
            word.extend(next.to_lowercase());
            end = at + next.len_utf8();
        }
        found.push(Token { hash: xxh3_64(word.as_bytes()), range: start..end });
    }
}

impl Index {
    /// Adds an item: all rows of `n` tokens, or the whole of one that is shorter. Whether it has `min_tokens`.
    pub(super) fn add(&mut self, item: Item, tokens: &[Token], n: usize, min_tokens: usize) -> bool {
        if tokens.is_empty() || tokens.len() < min_tokens {
            return false;
        }
        let length = n.min(tokens.len());
        let rows = self.rows.entry(length).or_default();
        // The first item that has a row is named, whatever the order of a table.
        each_row(tokens, length, |_, hash| {
            rows.entry(hash).or_insert(item);
        });
        true
    }

    /// What of a text is in the set, in order; spans do not overlap.
    pub(super) fn find(&self, tokens: &[Token]) -> Vec<Span> {
        let mut hits: Vec<(usize, usize, Item)> = Vec::new();
        for (length, rows) in &self.rows {
            each_row(tokens, *length, |at, hash| {
                if let Some(item) = rows.get(&hash) {
                    hits.push((at, at + length, *item));
                }
            });
        }
        hits.sort_by_key(|(start, end, _)| (*start, std::cmp::Reverse(*end)));
        let mut spans: Vec<Span> = Vec::new();
        for (start, end, item) in hits {
            match spans.last_mut() {
                Some(last) if start < last.tokens.end => last.tokens.end = last.tokens.end.max(end),
                _ => spans.push(Span { tokens: start..end, range: 0..0, item }),
            }
        }
        for span in &mut spans {
            let place = |at: usize| tokens.get(at).map_or(0..0, |token| token.range.clone());
            span.range = place(span.tokens.start).start..place(span.tokens.end.saturating_sub(1)).end;
        }
        spans
    }
}

/// Calls `each` with every row of `length` tokens: where it begins, and a number for it.
fn each_row(tokens: &[Token], length: usize, mut each: impl FnMut(usize, u64)) {
    /// An odd number, so that it has an inverse; nothing else matters of it.
    const BASE: u64 = 0x9E37_79B9_7F4A_7C15;
    let highest = (1..length).fold(1u64, |power, _| power.wrapping_mul(BASE));
    let mut sum = 0u64;
    for (at, token) in tokens.iter().enumerate() {
        if let Some(gone) = at.checked_sub(length).and_then(|gone| tokens.get(gone)) {
            sum = sum.wrapping_sub(gone.hash.wrapping_mul(highest));
        }
        sum = sum.wrapping_mul(BASE).wrapping_add(token.hash);
        if at + 1 >= length {
            // The length in it, so that a table of one length knows nothing of another.
            each(at + 1 - length, sum ^ (length as u64).rotate_left(48));
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        tokens(text, &mut found);
        found.iter().map(|token| text.get(token.range.clone()).expect("whole characters")).collect()
    }

    #[test]
    fn tokens_are_words_and_characters() {
        assert_eq!(split("Don't—stop, 3.14!"), ["Don", "t", "stop", "3", "14"]);
        assert_eq!(split("用iPhone15拍水轮。방앗간은"), ["用", "iPhone15", "拍", "水", "轮", "방앗간은"]);
    }

    proptest! {
        #[test]
        fn rows_are_found_wherever_they_stand(
            words in prop::collection::vec(0usize..4, 3..12),
            before in prop::collection::vec(0usize..4, 0..6),
            n in 2usize..6,
        ) {
            let names = ["mill", "river", "Wheel", "水"];
            let text = |words: &[usize]| words.iter().map(|word| names[*word]).collect::<Vec<_>>().join(" ");
            let (mut item, mut whole) = (Vec::new(), Vec::new());
            tokens(&text(&words), &mut item);
            let mut index = Index::default();
            let is_added = index.add(Item { file: 0, line: 1 }, &item, n, 1);
            prop_assert!(is_added);
            tokens(&text(&[before.clone(), words.clone()].concat()), &mut whole);
            let spans = index.find(&whole);
            let last = spans.last().expect("it is there");
            prop_assert_eq!(last.tokens.end, whole.len());
            prop_assert!(spans.windows(2).all(|pair| pair[0].tokens.end <= pair[1].tokens.start));
            // Every row of a span is one of the item, and no other is.
            let length = n.min(item.len());
            let reads = |tokens: &[Token]| tokens.iter().map(|token| token.hash).collect::<Vec<_>>();
            let rows: Vec<Vec<u64>> = item.windows(length).map(reads).collect();
            for (at, row) in whole.windows(length).enumerate() {
                let is_in = spans.iter().any(|span| span.tokens.start <= at && at + length <= span.tokens.end);
                prop_assert!(!rows.contains(&reads(row)) || is_in);
            }
        }
    }
}
