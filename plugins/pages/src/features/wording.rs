//! What the words of a block say: learned weights of words and phrases that stand in short texts.
//!
//! The groups of phrases of [`super::cues`] are written by hand and are few; these are learned from the same pages as
//! the forests (`model/wording.txt`), a weight for each, above zero for the wording of content. Only what occurs on
//! many sites is among them, so they know how pages of the web talk and not what any of them is about.

use std::fmt::Write as _;
use std::ops::Range;
use std::str::FromStr;

use super::Page;
use super::around::{Sums, of_each};
use super::columns::Columns;
use super::measure::part;
use super::tokens::{Token, tokens};

/// The first line of the file.
const MAGIC: &str = "tamis wording 1";
/// So many words of a block are looked at: what lies beyond is prose, which other features tell.
const MOST_TOKENS: usize = 24;
/// A text of so few words is a phrase as a whole.
const WHOLE_TOKENS: usize = 6;
/// No block says more than this, in logits.
const MOST_LOGIT: f32 = 8.0;

/// What kind of phrase a weight belongs to, as the file marks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A word anywhere.
    Word,
    /// Two words behind each other.
    Pair,
    /// The first word.
    Start,
    /// The whole text of a block.
    Whole,
}

const KINDS: [(Kind, &str); 4] =
    [(Kind::Word, "."), (Kind::Pair, ".."), (Kind::Start, "^"), (Kind::Whole, "=")];

/// Weights of words and phrases.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Wording {
    base: f32,
    /// Key and weight, in a table of a power of two with free places (weight 0) behind what was moved on.
    table: Vec<(u64, f32)>,
    /// Bits of keys, one set for each that is in the table: 32 KB that stay near, where the table is half a megabyte and
    /// nineteen of twenty keys are not in it.
    known: Vec<u64>,
}

/// A file of weights that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongWording {
    /// The line with the mistake, from 1.
    pub line: usize,
}

impl Wording {
    /// A table of some weights; the file for a reader is [`Wording::file`].
    pub fn new(base: f32, weights: &[(u64, f32)]) -> Self {
        let n_places = (2 * weights.len()).next_power_of_two().max(2);
        let mut it = Self { base, table: vec![(0, 0.0); n_places], known: vec![0; KNOWN_BITS / 64] };
        for (key, weight) in weights.iter().filter(|(_, weight)| *weight != 0.0) {
            let mut place = it.place(*key);
            while it.table[place].1 != 0.0 && it.table[place].0 != *key {
                place = (place + 1) % n_places;
            }
            it.table[place] = (*key, *weight);
            it.known[known_bit(*key) / 64] |= 1 << (known_bit(*key) % 64);
        }
        it
    }

    /// The file that says the same: a line for each weight, in thousandths.
    pub fn file(base: f32, weights: &[(Kind, String, f32)]) -> String {
        let thousandths = |weight: f32| (weight * 1000.0).round() as i32;
        let mut file = format!("{MAGIC}\n{}\n", thousandths(base));
        for (kind, phrase, weight) in weights {
            let mark = KINDS.iter().find(|(it, _)| it == kind).map_or("", |(_, mark)| *mark);
            // Writing to a string cannot fail.
            let _ = writeln!(file, "{} {mark} {phrase}", thousandths(*weight));
        }
        file
    }

    /// What the words of a text say, in logits.
    #[cfg(test)]
    fn of(&self, text: &str) -> f32 {
        let mut said = self.begin();
        tokens(text, |token| said.pass(&token));
        said.end()
    }

    /// Begins with a text, whose tokens come next.
    pub(super) fn begin(&self) -> Saying<'_> {
        Saying { wording: self, sum: self.base, phrases: Phrases::default() }
    }

    fn place(&self, key: u64) -> usize {
        (key >> 20) as usize & (self.table.len() - 1)
    }

    fn weight(&self, key: u64) -> f32 {
        let bit = known_bit(key);
        if self.known.get(bit / 64).is_none_or(|bits| bits >> (bit % 64) & 1 == 0) {
            return 0.0;
        }
        let mut place = self.place(key);
        loop {
            match self.table.get(place) {
                Some((known, weight)) if *known == key || *weight == 0.0 => return *weight,
                Some(_) => place = (place + 1) & (self.table.len() - 1),
                None => return 0.0,
            }
        }
    }
}

/// Bits of [`Wording::known`], some twenty for each key.
const KNOWN_BITS: usize = 1 << 18;

/// The bit of a key: not those that its place in the table is made from.
fn known_bit(key: u64) -> usize {
    (key >> 44) as usize % KNOWN_BITS
}

impl FromStr for Wording {
    type Err = WrongWording;

    fn from_str(text: &str) -> Result<Self, WrongWording> {
        let wrong = |line| move || WrongWording { line };
        let mut lines = text.lines();
        lines.next().filter(|line| *line == MAGIC).ok_or_else(wrong(1))?;
        let thousandths = |text: &str| text.parse::<i32>().ok().map(|weight| weight as f32 / 1000.0);
        let base = lines.next().and_then(thousandths).ok_or_else(wrong(2))?;
        let weight = |line: &str| {
            let mut parts = line.splitn(3, ' ');
            let weight = thousandths(parts.next()?)?;
            let mark = parts.next()?;
            let (kind, _) = *KINDS.iter().find(|(_, it)| *it == mark)?;
            let mut found = None;
            phrases(parts.next()?, |it, key, _| found = if it == kind { Some(key) } else { found });
            Some((found?, weight))
        };
        let weights = lines.enumerate().map(|(at, line)| weight(line).ok_or_else(wrong(at + 3)));
        Ok(Self::new(base, &weights.collect::<Result<Vec<_>, _>>()?))
    }
}

/// What the words of a text say, as its tokens come.
pub(super) struct Saying<'w> {
    wording: &'w Wording,
    sum: f32,
    phrases: Phrases,
}

impl Saying<'_> {
    /// Takes the next token, and says whether more are wanted.
    #[inline]
    pub(super) fn pass(&mut self, token: &Token) -> bool {
        let Self { wording, sum, phrases } = self;
        phrases.pass(token, |_, key, _| *sum += wording.weight(key))
    }

    /// What was said, in logits.
    pub(super) fn end(mut self) -> f32 {
        self.phrases.end(|_, key, _| self.sum += self.wording.weight(key));
        self.sum.clamp(-MOST_LOGIT, MOST_LOGIT)
    }
}

/// Makes phrases of tokens.
#[derive(Default)]
struct Phrases {
    n_tokens: usize,
    /// The token before, and where it began.
    before: Option<(u64, usize)>,
    whole: u64,
    end: usize,
}

impl Phrases {
    /// Takes the next token, hands on the phrases that end with it, and says whether more are wanted.
    #[inline]
    fn pass(&mut self, token: &Token, mut each: impl FnMut(Kind, u64, Range<usize>)) -> bool {
        /// All numbers are one word.
        const NUMBER: u64 = 0x9E37;
        if self.n_tokens == MOST_TOKENS {
            return false;
        }
        let key = if token.is_number { NUMBER } else { token.key };
        self.n_tokens += 1;
        self.whole = mix(self.whole, key);
        self.end = token.range.end;
        each(Kind::Word, mix(1, key), token.range.clone());
        match self.before {
            Some((before, start)) => each(Kind::Pair, mix(mix(2, before), key), start..token.range.end),
            None => each(Kind::Start, mix(3, key), token.range.clone()),
        }
        self.before = Some((key, token.range.start));
        self.n_tokens < MOST_TOKENS
    }

    /// Hands on the whole text if it is short.
    fn end(&self, mut each: impl FnMut(Kind, u64, Range<usize>)) {
        if (1..=WHOLE_TOKENS).contains(&self.n_tokens) {
            each(Kind::Whole, mix(4, self.whole), 0..self.end);
        }
    }
}

/// Hands on the phrases of a text: what kind each is, its key, and where it stands.
pub fn phrases(text: &str, mut each: impl FnMut(Kind, u64, Range<usize>)) {
    let mut phrases = Phrases::default();
    tokens(text, |token| phrases.pass(&token, &mut each));
    phrases.end(each);
}

/// A phrase as the file has it: its words in small letters with blanks between them, numbers as `0`.
pub fn folded(phrase: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    tokens(phrase, |token| {
        let word = phrase.get(token.range).unwrap_or_default();
        words.push(if token.is_number { "0".to_owned() } else { word.to_lowercase() });
        true
    });
    words.join(" ")
}

fn mix(hash: u64, value: u64) -> u64 {
    (hash ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23).wrapping_add(hash << 7)
}

/// What the words of all blocks of a page say.
pub(super) struct Said {
    of_block: Vec<f32>,
    sums: Sums<1>,
    /// Blocks and what they say, by how the element around them looks.
    likes: Vec<(f32, f32)>,
    /// What the heading says under which the blocks that come next stand.
    heading: f32,
}

impl Said {
    /// `of_block` is what each block says.
    pub(super) fn new(page: &Page<'_>, of_block: Vec<f32>) -> Self {
        let sums = Sums::of(&page.blocks, |block| [of_block[block]]);
        let mut likes = vec![(0.0, 0.0); page.n_looks()];
        for (block, said) in of_block.iter().enumerate() {
            if let Some(like) = likes.get_mut(page.look(page.container(block))) {
                *like = (like.0 + 1.0, like.1 + said);
            }
        }
        Self { of_block, sums, likes, heading: 0.0 }
    }

    /// `up` are the elements around each row, as [`Page::elements_up`] has them.
    pub(super) fn features<const N: usize>(
        &mut self,
        page: &Page<'_>,
        up: &[[u32; N]],
        columns: &mut Columns,
    ) {
        let at = |block: Option<usize>| block.and_then(|at| self.of_block.get(at)).copied().unwrap_or(0.0);
        columns.add("said", |b| at(Some(b)));
        columns.add("said.prev2", |b| at(b.checked_sub(2)));
        columns.add("said.prev1", |b| at(b.checked_sub(1)));
        columns.add("said.next1", |b| at(Some(b + 1)));
        columns.add("said.next2", |b| at(Some(b + 2)));
        for (levels, name) in [(0, "said.own"), (1, "said.up1"), (2, "said.up2"), (4, "said.up4")] {
            let make = |container: usize| {
                let [sum] = page.sum_of(&self.sums, container, |block| [at(Some(block))]);
                part(sum, page.range(container).len() as f32)
            };
            columns.add_each(name, of_each(up.iter().map(|up| up[levels]), make).into_iter());
        }
        columns.add("said.like", |b| {
            let (n, said) = self.likes.get(page.look(page.container(b))).copied().unwrap_or_default();
            part(said, n)
        });
        let of_block = &self.of_block;
        let heading = &mut self.heading;
        columns.add("said.heading", |b| {
            if page.heading(b) > 0.0 {
                *heading = of_block[b];
            }
            *heading
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        phrases(text, |kind, _, range| {
            let mark = KINDS.iter().find(|(it, _)| *it == kind).map_or("", |(_, mark)| *mark);
            found.push(format!("{mark} {}", folded(text.get(range).unwrap_or_default())));
        });
        found
    }

    #[test]
    fn phrases_are_words_pairs_the_start_and_the_whole() {
        assert_eq!(
            found("Read MORE (12)"),
            [". read", "^ read", ". more", ".. read more", ". 0", ".. more 0", "= read more 0"]
        );
        assert_eq!(found("分享到"), [". 分", "^ 分", ". 享", ".. 分 享", ". 到", ".. 享 到", "= 分 享 到"]);
        assert!(found("— …").is_empty());
        let long = "word ".repeat(MOST_TOKENS + 5);
        assert_eq!(found(&long).len(), 2 * MOST_TOKENS, "words, pairs and the start");
    }

    #[test]
    fn a_file_says_what_was_learned() {
        let weights = [
            (Kind::Whole, "read more".to_owned(), -2.0),
            (Kind::Word, "harbour".to_owned(), 0.5),
            (Kind::Start, "by".to_owned(), -0.25),
            (Kind::Pair, "分 享".to_owned(), -1.0),
        ];
        let wording: Wording = Wording::file(-0.125, &weights).parse().expect("a file");
        for (text, expected) in [
            ("Read  more!", -2.125),
            ("Read more here", -0.125),
            ("By the harbour", 0.125),
            ("分享到：", -1.125),
            ("", -0.125),
        ] {
            assert!((wording.of(text) - expected).abs() < 1e-6, "{text}: {}", wording.of(text));
        }
    }

    #[test]
    fn a_mistake_in_a_file_is_told_by_its_line() {
        for (file, line) in [
            ("", 1),
            ("tamis wording 1\nx", 2),
            ("tamis wording 1\n0\n5 ? word", 3),
            ("tamis wording 1\n0\n5 . word\n5 .. word", 4),
        ] {
            assert_eq!(file.parse::<Wording>(), Err(WrongWording { line }), "{file}");
        }
    }
}
