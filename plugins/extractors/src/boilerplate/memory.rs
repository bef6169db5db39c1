//! The segments of the lines of a page, those of lines that a worker has met before from memory.
//!
//! The pages of a site share most of their short lines, and what a line is cut into and what phrases are in it depends
//! on the line alone. Only how many line ends stand before it, and which words of the title are in it, is the page's.

use std::ops::Range;

use tamis_text::hash::hash;
use tamis_text::lines::Line;
use tamis_text::scan::Scan;

use super::lexicon::{self, Search};
use super::phrases::Begins;
use super::segment::{Cutter, MOST_SEGMENTS, Segment};
use super::title::{Noted, Title};
use super::tokens::Tokens;

/// Longer lines are cut at the ends of sentences, and hardly ever come twice, bytes.
const MAX_LINE_BYTES: usize = 240;
/// Places in a table, a power of two. Three quarters of them are filled before what is older is forgotten.
const N_SLOTS: usize = 1 << 14;

/// What a worker remembers: bounded, and a function of the lines alone, so that nothing depends on what it has met.
#[derive(Debug, Default)]
pub struct Memory {
    /// The lines that came last.
    recent: Lines,
    /// Those before them: what comes again from these is taken over, so a line that keeps coming is not forgotten.
    older: Lines,
    /// The beginnings of phrases, to which the words of a title are added for the time of its page.
    begins: Option<Begins>,
}

/// Some lines, and what is known of them.
#[derive(Debug, Default)]
struct Lines {
    /// By hash, its upper half and one more than the place among the lines; empty until the first line comes. Small, because
    /// most looks at it are for a line that is not there.
    slots: Vec<(u32, u32)>,
    known: Vec<Known>,
    /// The lines themselves: that two are the same is never a matter of their hashes alone.
    bytes: Vec<u8>,
    /// Their segments, by their places in the line.
    segments: Vec<Segment>,
}

/// Where what is known of a line lies.
#[derive(Debug, Clone, Copy, Default)]
struct Known {
    bytes: (u32, u32),
    segments: (u32, u32),
    /// The keys of its tokens.
    tokens: Noted,
}

/// The segments of the page of these lines, in order, with what was found in each; not all of them if there are
/// [`MOST_SEGMENTS`] or more.
pub(super) fn segments(scan: &Scan<'_>, title: &Title, memory: &mut Memory) -> Vec<Segment> {
    let lexicon = &*lexicon::BUNDLED;
    let mut begins = memory.begins.take().unwrap_or_else(|| lexicon.begins().clone());
    let words = title.add_to(&mut begins);
    let (page, n_lines) = (scan.text(), scan.n_lines());
    let mut cutter = Cutter::new(page, n_lines, Search::new(lexicon, page, title, &begins));
    for line in scan.lines() {
        if cutter.segments.len() >= MOST_SEGMENTS {
            break;
        }
        if line.text.bytes().all(|byte| byte == b' ') {
            cutter.known_line(line.start, &[]);
        } else if line.text.len() > MAX_LINE_BYTES {
            cutter.long_line(line.range());
        } else {
            memory.line(line, title, &mut cutter);
        }
    }
    let segments = cutter.segments;
    for word in words {
        begins.remove(word);
    }
    memory.begins = Some(begins);
    segments
}

impl Memory {
    /// Cuts a line, or adds what is known of it.
    fn line(&mut self, line: Line<'_>, title: &Title, cutter: &mut Cutter<'_>) {
        let hash = hash(line.text.as_bytes());
        let first = cutter.segments.len();
        if let Some(known) = self.recall(hash, line.text) {
            cutter.known_line(line.start, part(&self.recent.segments, known.segments));
            if title.may_be_among(&known.tokens) {
                note_title_words(cutter.page, line.range(), title, &mut cutter.segments[first..]);
            }
            return;
        }
        let tokens = cutter.line(line.range());
        let places = self.recent.insert(hash, line.text.as_bytes(), &cutter.segments[first..], tokens);
        for segment in &mut self.recent.segments[places] {
            segment.forget_page(line.start);
        }
    }

    /// What is known of a line, which is one of the recent ones then.
    fn recall(&mut self, hash: u64, line: &str) -> Option<Known> {
        if let Some(known) = self.recent.look_up(hash, line.as_bytes()) {
            return Some(known);
        }
        // Before a line is taken in, because all of the recent ones may become the older ones then.
        if self.recent.is_full() {
            std::mem::swap(&mut self.recent, &mut self.older);
            self.recent.clear();
        }
        let known = self.older.look_up(hash, line.as_bytes())?;
        let segments = part(&self.older.segments, known.segments);
        self.recent.insert(hash, line.as_bytes(), segments, known.tokens);
        self.recent.known.last().copied()
    }
}

impl Lines {
    /// The place of a line among the slots, or the one that is free for it.
    fn slot(&self, hash: u64, line: &[u8]) -> usize {
        let mut at = hash as usize % N_SLOTS;
        while let Some(&(upper, place)) = self.slots.get(at)
            && place > 0
        {
            let known = self.known[place as usize - 1];
            if upper == (hash >> 32) as u32 && part(&self.bytes, known.bytes) == line {
                return at;
            }
            at = (at + 1) % N_SLOTS;
        }
        at
    }

    fn look_up(&self, hash: u64, line: &[u8]) -> Option<Known> {
        let (_, place) = self.slots.get(self.slot(hash, line))?;
        self.known.get((*place as usize).checked_sub(1)?).copied()
    }

    /// Takes in a line that is not there yet; where its segments lie.
    fn insert(&mut self, hash: u64, line: &[u8], segments: &[Segment], tokens: Noted) -> Range<usize> {
        if self.slots.is_empty() {
            self.slots = vec![(0, 0); N_SLOTS];
            // What is never written takes no memory, and what grows is copied again and again.
            self.known.reserve(N_SLOTS);
            self.bytes.reserve(N_SLOTS * 32);
            self.segments.reserve(N_SLOTS);
        }
        let (from, first) = (self.bytes.len(), self.segments.len());
        self.bytes.extend_from_slice(line);
        self.segments.extend_from_slice(segments);
        let (to, end) = (self.bytes.len(), self.segments.len());
        self.known.push(Known {
            bytes: (from as u32, to as u32),
            segments: (first as u32, end as u32),
            tokens,
        });
        let slot = self.slot(hash, line);
        self.slots[slot] = ((hash >> 32) as u32, self.known.len() as u32);
        first..end
    }

    fn is_full(&self) -> bool {
        self.known.len() >= N_SLOTS / 4 * 3
    }

    fn clear(&mut self) {
        self.slots.fill((0, 0));
        self.known.clear();
        self.bytes.clear();
        self.segments.clear();
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
        format!("{:?}", segments(&Scan::of(page), &Title::of(Some(title), page), memory))
    }

    #[test]
    fn a_line_is_forgotten_before_memory_grows() {
        let mut memory = Memory::default();
        for n in 0..2 * N_SLOTS {
            segments(&Scan::of(&format!("line {n}")), &Title::default(), &mut memory);
        }
        for lines in [&memory.recent, &memory.older] {
            assert!(lines.known.len() <= N_SLOTS / 4 * 3 && lines.slots.len() == N_SLOTS);
            assert!(lines.bytes.len() < 16 * N_SLOTS);
        }
    }

    #[test]
    fn a_line_that_keeps_coming_is_not_forgotten() {
        let mut memory = Memory::default();
        let is_known = |memory: &Memory, line: &str| {
            memory.recent.look_up(hash(line.as_bytes()), line.as_bytes()).is_some()
        };
        for n in 0..2 * N_SLOTS {
            segments(&Scan::of(&format!("line {n}\nHome")), &Title::default(), &mut memory);
            assert!(is_known(&memory, "Home"));
        }
        assert!(!is_known(&memory, "line 0"));
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
