//! The segments of the lines of a page, those of lines that a worker has met before from memory.
//!
//! The pages of a site share most of their short lines, and what a line is cut into and what phrases are in it depends
//! on the line alone. Only how many line ends stand before it, and which words of the title are in it, is the page's.

use std::ops::Range;

use tamis_text::hash::hash;

use super::lexicon;
use super::phrases::Begins;
use super::segment::{Cutter, Segment};
use super::title::{Noted, Title, note};
use super::tokens::{Sieve, Tokens};

/// Longer lines are cut at the ends of sentences, and hardly ever come twice, bytes.
const MAX_LINE_BYTES: usize = 240;
/// Places in the table, a power of two. Three quarters of them are filled before everything is forgotten.
const N_SLOTS: usize = 1 << 14;

/// What a worker remembers: bounded, and a function of the lines alone, so that nothing depends on what it has met.
#[derive(Debug, Default)]
pub struct Memory {
    /// By hash, its upper half and one more than the place among the lines; empty until the first line comes. Small, because
    /// most looks at it are for a line that is not there.
    slots: Vec<(u32, u32)>,
    known: Vec<Known>,
    /// The lines themselves: that two are the same is never a matter of their hashes alone.
    bytes: Vec<u8>,
    /// Their segments, by their places in the line.
    segments: Vec<Segment>,
    /// The beginnings of phrases, to which the words of a title are added for the time of its page.
    begins: Option<Begins>,
}

/// Where what is known of a line lies.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    bytes: (u32, u32),
    segments: (u32, u32),
    /// The keys of its tokens.
    tokens: Noted,
}

/// The segments of `page`, in order, with what was found in each.
pub(super) fn segments(page: &str, title: &Title, memory: &mut Memory) -> Vec<Segment> {
    let lexicon = &*lexicon::BUNDLED;
    let mut begins = memory.begins.take().unwrap_or_else(|| lexicon.begins().clone());
    let words = title.add_to(&mut begins);
    let mut cutter = Cutter::new(page);
    let ends = memchr::memchr_iter(b'\n', page.as_bytes()).chain([page.len()]);
    let mut start = 0;
    for end in ends {
        let line = page.get(start..end).unwrap_or_default();
        if line.bytes().all(|byte| byte == b' ') {
            cutter.known_line(start, &[]);
        } else if line.len() > MAX_LINE_BYTES {
            lexicon.find_in(page, start..end, title, &mut &begins, cutter.found());
            cutter.line(start, end);
        } else {
            memory.line(page, start..end, title, &begins, &mut cutter);
        }
        start = end + 1;
    }
    for word in words {
        begins.remove(word);
    }
    memory.begins = Some(begins);
    cutter.segments
}

/// Notes the tokens that come by.
struct Noting<'a> {
    begins: &'a Begins,
    tokens: Noted,
}

impl Sieve for Noting<'_> {
    #[inline]
    fn may_be(&mut self, key: u64) -> bool {
        note(&mut self.tokens, key);
        let mut begins = self.begins;
        Sieve::may_be(&mut begins, key)
    }

    #[inline]
    fn may_be_alone(&mut self, bytes: u32) -> bool {
        let mut begins = self.begins;
        begins.may_be_alone(bytes)
    }

    #[inline]
    fn may_begin_with(&mut self, sign: u8, next: u8) -> bool {
        let mut begins = self.begins;
        begins.may_begin_with(sign, next)
    }
}

impl Memory {
    /// Cuts a line, or adds what is known of it.
    fn line(
        &mut self,
        page: &str,
        range: Range<usize>,
        title: &Title,
        begins: &Begins,
        cutter: &mut Cutter<'_>,
    ) {
        let (line, start) = (page.get(range.clone()).unwrap_or_default(), range.start);
        let hash = hash(line.as_bytes());
        let first = cutter.segments.len();
        let (slot, known) = self.look_up(hash, line.as_bytes());
        if let Some(known) = known {
            cutter.known_line(start, part(&self.segments, known.segments));
            if title.may_be_among(&known.tokens) {
                note_title_words(page, range, title, &mut cutter.segments[first..]);
            }
            return;
        }
        let mut known = Known::default();
        let bytes = self.bytes.len();
        let mut noting = Noting { begins, tokens: Noted::default() };
        lexicon::BUNDLED.find_in(page, range.clone(), title, &mut noting, cutter.found());
        cutter.line(start, range.end);
        known.tokens = noting.tokens;
        self.bytes.extend_from_slice(line.as_bytes());
        known.bytes = (bytes as u32, self.bytes.len() as u32);
        let segments = self.segments.len();
        self.segments.extend_from_slice(&cutter.segments[first..]);
        for segment in &mut self.segments[segments..] {
            segment.forget_page(start);
        }
        known.segments = (segments as u32, self.segments.len() as u32);
        self.insert(slot, (hash >> 32) as u32, known);
    }

    /// The slot of a line, and what is known of it.
    fn look_up(&self, hash: u64, line: &[u8]) -> (usize, Option<Known>) {
        let mut at = hash as usize % N_SLOTS;
        while let Some(&(upper, place)) = self.slots.get(at)
            && place > 0
        {
            let known = self.known[place as usize - 1];
            if upper == (hash >> 32) as u32 && part(&self.bytes, known.bytes) == line {
                return (at, Some(known));
            }
            at = (at + 1) % N_SLOTS;
        }
        (at, None)
    }

    fn insert(&mut self, slot: usize, upper: u32, known: Known) {
        if self.slots.is_empty() {
            self.slots = vec![(0, 0); N_SLOTS];
            // What is never written takes no memory, and what grows is copied again and again.
            self.known.reserve(N_SLOTS);
            self.bytes.reserve(N_SLOTS * 32);
            self.segments.reserve(N_SLOTS);
        }
        self.known.push(known);
        self.slots[slot] = (upper, self.known.len() as u32);
        if self.known.len() > N_SLOTS / 4 * 3 {
            self.slots.fill((0, 0));
            self.known.clear();
            self.bytes.clear();
            self.segments.clear();
        }
    }
}

fn part<T>(all: &[T], (start, end): (u32, u32)) -> &[T] {
    all.get(start as usize..end as usize).unwrap_or_default()
}

/// Looks for words of the title in a line, and notes them in its segments.
fn note_title_words(page: &str, line: Range<usize>, title: &Title, segments: &mut [Segment]) {
    let mut tokens = Tokens::within(page, line);
    let mut sieve = title;
    while let Some(token) = tokens.next_of(&mut sieve) {
        let Some(word) = title.word_of(&token) else { continue };
        if let Some(segment) = segments.iter_mut().find(|segment| segment.range().contains(&token.start)) {
            segment.title_words |= 1 << word;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LINES: [&str; 12] = [
        "首页 新闻 登录",
        "老渡口重新开放",
        "The ferry left before dawn",
        "Share this: FacebookTwitter",
        "来源：清河日报　责任编辑：李小河",
        "  2019-05-06 10:20",
        "",
        "    ",
        "\u{200B}",
        "»",
        "昨天下午，老渡口重新开放。早上八点，第一班渡船载着二十多位乘客离开码头，岸上的人敲锣打鼓，孩子们跑着追了很远。",
        "The mill on the old canal was sold, and the ferry was not; nobody had thought that it would come so soon, or so it was said.  Related stories",
    ];

    fn described(page: &str, title: &str, memory: &mut Memory) -> String {
        format!("{:?}", segments(page, &Title::of(Some(title), page), memory))
    }

    #[test]
    fn a_line_is_forgotten_before_memory_grows() {
        let mut memory = Memory::default();
        for n in 0..2 * N_SLOTS {
            segments(&format!("line {n}"), &Title::default(), &mut memory);
        }
        assert!(memory.known.len() <= N_SLOTS / 4 * 3 && memory.slots.len() == N_SLOTS);
        assert!(memory.bytes.len() < 16 * N_SLOTS);
    }

    proptest! {
        #[test]
        fn what_is_remembered_is_what_is_found(
            pages in proptest::collection::vec(proptest::collection::vec(0..LINES.len(), 0..12), 1..5),
            title in prop_oneof![Just("老渡口重新开放"), Just("The old ferry"), Just("Stories"), Just("Facebook, Twitter"), Just("")],
        ) {
            let mut memory = Memory::default();
            for page in pages {
                let page: Vec<&str> = page.into_iter().map(|line| LINES[line]).collect();
                let page = page.join("\n");
                let whole = super::super::segment::segments(
                    &page,
                    &lexicon::BUNDLED.find(&page, &Title::of(Some(title), &page)),
                );
                let fresh = described(&page, title, &mut Memory::default());
                prop_assert_eq!(&fresh, &format!("{whole:?}"));
                prop_assert_eq!(described(&page, title, &mut memory), fresh);
            }
        }
    }
}
