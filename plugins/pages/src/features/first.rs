//! The features of the first model: a block, its place, the elements around it, the page.

use std::collections::HashSet;

use tamis_html::{Name, Tag};

use super::around::{ELEMENTS, likes};
use super::columns::Columns;
use super::cues::{COMMENT, RELATED};
use super::words::N_GROUPS;
use super::{CUES, Measures, Page, WORDS, around::Sum, cues, head, words};

/// Logarithm of a count, so that few and many both make a difference.
pub(super) fn log(count: f32) -> f32 {
    (1.0 + count.max(0.0)).ln()
}

pub(super) fn part(of: f32, whole: f32) -> f32 {
    if whole > 0.0 { of / whole } else { 0.0 }
}

/// Columns to make room for, so that the table is not moved while it grows.
const N_COLUMNS: usize = 210;

/// How many elements up sums are taken, with the names of the sums.
const LEVELS: [(usize, [&str; 6]); 4] = [
    (0, ["own.blocks", "own.words", "own.links", "own.stops", "own.prose", "own.share"]),
    (1, ["up1.blocks", "up1.words", "up1.links", "up1.stops", "up1.prose", "up1.share"]),
    (2, ["up2.blocks", "up2.words", "up2.links", "up2.stops", "up2.prose", "up2.share"]),
    (4, ["up4.blocks", "up4.words", "up4.links", "up4.stops", "up4.prose", "up4.share"]),
];

/// Blocks before and behind that are looked at, with the names of what is looked at.
const NEIGHBOURS: [(isize, [&str; 5]); 6] = [
    (-3, ["prev3.words", "prev3.links", "prev3.prose", "prev3.same", "prev3.heading"]),
    (-2, ["prev2.words", "prev2.links", "prev2.prose", "prev2.same", "prev2.heading"]),
    (-1, ["prev1.words", "prev1.links", "prev1.prose", "prev1.same", "prev1.heading"]),
    (1, ["next1.words", "next1.links", "next1.prose", "next1.same", "next1.heading"]),
    (2, ["next2.words", "next2.links", "next2.prose", "next2.same", "next2.heading"]),
    (3, ["next3.words", "next3.links", "next3.prose", "next3.same", "next3.heading"]),
];

/// Words of which the page as a whole is told how much of its prose they hold.
const PAGE_WORDS: [(&str, &str); 8] = [
    ("page.comment", "class:comment"),
    ("page.forum", "class:forum"),
    ("page.post", "class:post"),
    ("page.article", "class:article"),
    ("page.related", "class:related"),
    ("page.list", "class:list"),
    ("page.product", "class:product"),
    ("page.doc", "class:doc"),
];

impl Page<'_> {
    /// The features of the first model, a row for each block.
    pub fn first(&self) -> Columns {
        let mut columns = Columns::new(self.n_blocks(), N_COLUMNS);
        self.block_features(&mut columns);
        self.element_features(&mut columns);
        self.sum_features(&mut columns);
        self.neighbour_features(&mut columns);
        self.cue_features(&mut columns);
        self.likeness_features(&mut columns);
        self.page_features(&mut columns);
        columns
    }

    fn block_features(&self, columns: &mut Columns) {
        let blocks = &self.blocks.blocks;
        let measures = |block: usize| self.measures.get(block).copied().unwrap_or_default();
        let per_word = |block: usize, count: fn(&Measures) -> u32| {
            let it = measures(block);
            part(count(&it) as f32, it.n_words as f32)
        };
        columns.add("words", |b| log(self.n_words(b)));
        columns.add("links", |b| self.link(b));
        columns.add("n_links", |b| blocks[b].n_links as f32);
        columns.add("bold", |b| part(blocks[b].bold_bytes as f32, blocks[b].text.len() as f32));
        columns.add("letters", |b| per_word(b, |it| it.n_letters));
        columns.add("cjk", |b| per_word(b, |it| it.n_cjk));
        columns.add("capitals", |b| part(measures(b).n_capitals as f32, measures(b).n_letters as f32));
        columns.add("digits", |b| per_word(b, |it| it.n_digits));
        columns.add("commas", |b| per_word(b, |it| it.n_commas));
        columns.add("stops", |b| per_word(b, |it| it.n_stops));
        columns.add("n_stops", |b| log(measures(b).n_stops as f32));
        columns.add("marks", |b| per_word(b, |it| it.n_marks));
        columns.add("ends_sentence", |b| f32::from(measures(b).ends_sentence));
        columns.add("ends_with_colon", |b| f32::from(measures(b).ends_with_colon));
        columns.add("after_break", |b| f32::from(blocks[b].after_break));
        columns.add("prose", |b| self.prose(b));
        columns.add("heading", |b| self.heading(b));
    }

    fn element_features(&self, columns: &mut Columns) {
        let around = |block: usize| self.around.get(self.container(block)).or(self.around.first());
        let inline: Vec<u64> = (0..self.n_blocks()).map(|block| self.inline_groups(block)).collect();
        for group in 0..N_GROUPS {
            columns.add(words::group_name(group), |b| {
                if inline[b] >> group & 1 == 1 {
                    0.0
                } else {
                    around(b).map_or(0.0, |it| f32::from(it.words[group]))
                }
            });
        }
        for (element, (name, _)) in ELEMENTS.iter().enumerate() {
            columns.add(name, |b| around(b).map_or(0.0, |it| f32::from(it.elements[element])));
        }
        columns.add("hidden", |b| around(b).map_or(0.0, |it| f32::from(it.hidden)));
        columns.add("article_body", |b| around(b).map_or(0.0, |it| f32::from(it.article_body)));
        columns.add("aria_hidden", |b| around(b).map_or(0.0, |it| f32::from(it.aria_hidden)));
        columns.add("depth", |b| {
            self.blocks.containers.get(self.container(b)).map_or(0.0, |it| it.depth as f32)
        });
        columns.add("images", |b| {
            let up = self.parent(self.container(b));
            self.blocks.containers.get(up).map_or(0.0, |it| log(it.n_images as f32))
        });
    }

    /// The groups of words in the classes of the inline elements around the text of a block.
    fn inline_groups(&self, block: usize) -> u64 {
        let Some(block) = self.blocks.blocks.get(block) else { return 0 };
        let container = self.blocks.containers.get(block.container).map_or(0, |it| it.node);
        let mut groups = 0;
        let mut node = self.tree.parent(block.nodes.start);
        while node > container {
            groups |= WORDS.groups(self.tree.attribute(node, Name::Class).unwrap_or_default());
            node = self.tree.parent(node);
        }
        groups
    }

    fn sum_features(&self, columns: &mut Columns) {
        let page = self.sums.over(&(0..self.n_blocks()));
        for (levels, [blocks, words, links, stops, prose, share]) in LEVELS {
            let sums: Vec<Sum> =
                (0..self.n_blocks()).map(|b| self.sums.over(&self.range(self.up(b, levels)))).collect();
            columns.add(blocks, |b| log(sums[b].n_blocks));
            columns.add(words, |b| log(part(sums[b].n_words, sums[b].n_blocks)));
            columns.add(links, |b| part(sums[b].n_linked, sums[b].n_words));
            columns.add(stops, |b| part(sums[b].n_stops + sums[b].n_commas, sums[b].n_words));
            columns.add(prose, |b| part(sums[b].n_prose, sums[b].n_words));
            columns.add(share, |b| part(sums[b].n_words, page.n_words));
        }
        for (levels, name) in [(1, "up1.place"), (2, "up2.place"), (3, "up3.place")] {
            columns.add(name, |b| {
                let range = self.range(self.up(b, levels));
                part(b as f32 - range.start as f32, range.len() as f32 - 1.0)
            });
        }
        for (name, candidate) in [("top", self.top), ("bulk", self.bulk)] {
            self.candidate_features(columns, name, candidate);
        }
    }

    /// Where a block lies relative to a likely element.
    fn candidate_features(&self, columns: &mut Columns, name: &str, candidate: usize) {
        let range = self.range(candidate);
        let names = if name == "top" {
            ["top.up", "top.side", "top.rank", "top.size"]
        } else {
            ["bulk.up", "bulk.side", "bulk.rank", "bulk.size"]
        };
        // How many elements up from the block the one lies that holds the candidate, too.
        let mut levels_to_common = vec![f32::NAN; self.blocks.containers.len()];
        for (index, container) in self.blocks.containers.iter().enumerate() {
            let holds = container.blocks.start <= range.start && range.end <= container.blocks.end;
            let above = levels_to_common.get(container.parent).copied().unwrap_or(0.0);
            levels_to_common[index] = if holds && index <= candidate { 0.0 } else { above + 1.0 };
        }
        columns.add(names[0], |b| {
            if range.contains(&b) {
                -1.0
            } else {
                levels_to_common.get(self.container(b)).copied().unwrap_or(0.0)
            }
        });
        columns.add(names[1], |b| if b < range.start { -1.0 } else { f32::from(b >= range.end) });
        columns.add(names[2], |b| part(b as f32 - range.start as f32, range.len() as f32).clamp(-2.0, 3.0));
        columns.add(names[3], |_| part(range.len() as f32, self.n_blocks() as f32));
    }

    fn neighbour_features(&self, columns: &mut Columns) {
        let n_blocks = self.n_blocks();
        for (offset, [words, links, prose, same, heading]) in NEIGHBOURS {
            let at = |b: usize| b.checked_add_signed(offset).filter(|at| *at < n_blocks);
            columns.add(words, |b| at(b).map_or(-1.0, |at| log(self.n_words(at))));
            columns.add(links, |b| at(b).map_or(-1.0, |at| self.link(at)));
            columns.add(prose, |b| at(b).map_or(-1.0, |at| self.prose(at)));
            columns.add(same, |b| at(b).map_or(-1.0, |at| self.kinship(b, at)));
            columns.add(heading, |b| at(b).map_or(0.0, |at| self.heading(at)));
        }
    }

    fn cue_features(&self, columns: &mut Columns) {
        let found: Vec<u32> = (0..self.n_blocks()).map(|b| CUES.groups(self.text(b))).collect();
        for group in 0..cues::N_GROUPS {
            columns.add(cues::group_name(group), |b| f32::from((found[b] >> group & 1) as u8));
        }
        // Under which heading a block stands.
        let mut heading = (0.0, 1000.0, 0);
        let mut related = 1000.0;
        let mut comment = 1000.0;
        let mut under = Vec::with_capacity(self.n_blocks());
        for (block, cues) in found.iter().enumerate() {
            let level = self.heading(block);
            let short = self.n_words(block) < 12.0;
            heading = if level > 0.0 { (level, 0.0, *cues) } else { (heading.0, heading.1 + 1.0, heading.2) };
            related = if short && cues >> RELATED & 1 == 1 { 0.0 } else { related + 1.0 };
            comment = if short && cues >> COMMENT & 1 == 1 { 0.0 } else { comment + 1.0 };
            under.push((heading, related, comment));
        }
        columns.add("under.level", |b| under[b].0.0);
        columns.add("under.distance", |b| log(under[b].0.1));
        columns.add("under.related", |b| f32::from((under[b].0.2 >> RELATED & 1) as u8));
        columns.add("under.comment", |b| f32::from((under[b].0.2 >> COMMENT & 1) as u8));
        columns.add("since.related", |b| log(under[b].1));
        columns.add("since.comment", |b| log(under[b].2));
    }

    fn page_features(&self, columns: &mut Columns) {
        let n_blocks = self.n_blocks() as f32;
        let page = self.sums.over(&(0..self.n_blocks()));
        let is_first = |b: usize| (self.heading(b) - 1.0).abs() < 0.5;
        let first_h1 = (0..self.n_blocks()).find(|b| is_first(*b));
        let n_h1 = (0..self.n_blocks()).filter(|b| is_first(*b)).count() as f32;
        let count = |tag: Tag| self.blocks.containers.iter().filter(|it| it.tag == tag).count() as f32;
        let (n_articles, n_paragraphs, n_items) = (count(Tag::Article), count(Tag::P), count(Tag::Li));
        let top = self.sums.over(&self.range(self.top));
        let before = |b: usize| self.sums.over(&(0..b)).n_words;
        columns.add("place", |b| part(b as f32, n_blocks));
        columns.add("place.words", |b| part(before(b), page.n_words));
        columns.add("place.first", |b| log(b as f32));
        columns.add("place.last", |b| log(n_blocks - b as f32));
        columns.add("place.h1", |b| first_h1.map_or(-1000.0, |h1| b as f32 - h1 as f32));
        columns.add("page.h1", |_| n_h1);
        columns.add("page.blocks", |_| log(n_blocks));
        columns.add("page.words", |_| log(page.n_words));
        columns.add("page.links", |_| part(page.n_linked, page.n_words));
        columns.add("page.prose", |_| part(page.n_prose, page.n_words));
        columns.add("page.articles", |_| log(n_articles));
        columns.add("page.paragraphs", |_| part(n_paragraphs, n_blocks));
        columns.add("page.items", |_| part(n_items, n_blocks));
        columns.add("page.top", |_| part(top.n_words, page.n_words));
        columns.add("page.top.prose", |_| part(top.n_prose, page.n_prose));
        let n_cjk: f32 = self.measures.iter().map(|it| it.n_cjk as f32).sum();
        columns.add("page.cjk", |_| part(n_cjk, page.n_words));
        for (name, word) in PAGE_WORDS {
            let group = words::group_of(word);
            let inside = |b: usize| self.around.get(self.container(b)).is_some_and(|it| it.words[group] < 8);
            let prose: f32 =
                (0..self.n_blocks()).filter(|b| inside(*b)).map(|b| self.prose(b) * self.n_words(b)).sum();
            columns.add(name, |_| part(prose, page.n_prose));
        }
        for (bit, (name, _)) in head::KINDS.iter().enumerate() {
            columns.add(name, |_| f32::from((self.head.kinds >> bit & 1) as u8));
        }
    }

    fn likeness_features(&self, columns: &mut Columns) {
        let likes = likes(&self.blocks, &self.around, &self.measures, &self.links);
        let like = |b: usize| {
            let around = self.around.get(self.container(b));
            around.and_then(|it| likes.get(&it.signature)).copied().unwrap_or_default()
        };
        let page = self.sums.over(&(0..self.n_blocks()));
        columns.add("like.n", |b| log(like(b).n));
        columns.add("like.words", |b| log(part(like(b).n_words, like(b).n)));
        columns.add("like.links", |b| part(like(b).n_linked, like(b).n_words));
        columns.add("like.share", |b| part(like(b).n_words, page.n_words));
        let (siblings, articles) = (self.siblings(), self.articles());
        columns.add("sibling.rank", |b| log(siblings[b].0));
        columns.add("sibling.n", |b| log(siblings[b].1));
        columns.add("article.rank", |b| articles[b]);
        let twins = self.twins();
        columns.add("twin.rank", |b| f32::from(twins[b].0));
        columns.add("twin.n", |b| f32::from(twins[b].1));
        let own = self.block_words();
        let title = words_of(&self.head.title);
        let description = words_of(&self.head.description);
        let titles: Vec<f32> = own.iter().map(|own| overlap(own.as_deref(), &title)).collect();
        let likely = |b: usize| titles[b] + if self.heading(b) > 0.0 { 0.3 } else { 0.0 };
        let best = (0..self.n_blocks()).max_by(|a, b| likely(*a).total_cmp(&likely(*b)).then(b.cmp(a)));
        let best = best.filter(|best| titles[*best] > 0.3);
        columns.add("title", |b| titles[b]);
        columns.add("since.title", |b| {
            best.map_or(-100.0, |best| {
                let distance = b as f32 - best as f32;
                log(distance.abs()) * distance.signum()
            })
        });
        columns.add("description", |b| overlap(own[b].as_deref(), &description));
        let body = windows(&self.head.body);
        columns.add("body.known", |_| f32::from(!body.is_empty()));
        columns.add("body", |b| if body.is_empty() { -1.0 } else { self.in_body(b, &body) });
    }

    pub(super) fn link(&self, block: usize) -> f32 {
        self.links.get(block).copied().unwrap_or(0.0)
    }

    pub(super) fn prose(&self, block: usize) -> f32 {
        self.prose.get(block).copied().unwrap_or(0.0)
    }

    /// The level of the heading that a block is, 0 for none.
    pub(super) fn heading(&self, block: usize) -> f32 {
        self.headings.get(block).copied().unwrap_or(0.0)
    }

    /// The element `levels` above that of a block.
    pub(super) fn up(&self, block: usize, levels: usize) -> usize {
        (0..levels).fold(self.container(block), |container, _| self.parent(container))
    }

    /// How close two blocks are: 3 in one element, 2 in such that look the same, 1 side by side.
    fn kinship(&self, one: usize, other: usize) -> f32 {
        let (one, other) = (self.container(one), self.container(other));
        let same_look = match (self.around.get(one), self.around.get(other)) {
            (Some(one), Some(other)) => one.signature == other.signature,
            _ => false,
        };
        if one == other {
            3.0
        } else if same_look {
            2.0
        } else {
            f32::from(self.parent(one) == self.parent(other))
        }
    }

    /// For each block, of the elements around it that have siblings which look the same and hold prose, the one
    /// with the most: which of them it is, and how many there are.
    fn siblings(&self) -> Vec<(f32, f32)> {
        let containers = &self.blocks.containers;
        let mut counts: super::around::Map<(usize, u64), f32> = super::around::Map::default();
        let mut ranks = vec![0.0; containers.len()];
        let key = |index: usize| {
            let parent = containers.get(index).map_or(0, |it| it.parent);
            (parent, self.around.get(index).map_or(0, |it| it.signature))
        };
        let counted = |index: usize| index > 0 && self.sums.over(&self.range(index)).n_prose > 20.0;
        for index in (0..containers.len()).filter(|index| counted(*index)) {
            let count = counts.entry(key(index)).or_default();
            *count += 1.0;
            ranks[index] = *count;
        }
        // Elements come in document order, so what is around one is known before it.
        let mut known: Vec<(f32, f32)> = Vec::with_capacity(containers.len());
        for (index, container) in containers.iter().enumerate() {
            let above = known.get(container.parent).copied().unwrap_or_default();
            let own = if counted(index) { counts.get(&key(index)).copied().unwrap_or(0.0) } else { 0.0 };
            known.push(if own > above.1.max(1.0) { (ranks[index], own) } else { above });
        }
        (0..self.n_blocks()).map(|b| known.get(self.container(b)).copied().unwrap_or_default()).collect()
    }

    /// For each block, the number of the article it lies in, 0 outside.
    fn articles(&self) -> Vec<f32> {
        let mut n_articles = 0.0;
        let mut known: Vec<f32> = Vec::with_capacity(self.blocks.containers.len());
        for container in &self.blocks.containers {
            let above = known.get(container.parent).copied().unwrap_or(0.0);
            let own = if container.tag == Tag::Article && above == 0.0 {
                n_articles += 1.0;
                n_articles
            } else {
                above
            };
            known.push(own);
        }
        (0..self.n_blocks()).map(|b| known.get(self.container(b)).copied().unwrap_or(0.0)).collect()
    }

    /// For each block, how many of the same text came before, and how many there are.
    fn twins(&self) -> Vec<(u8, u8)> {
        let mut counts: super::around::Map<&str, u8> = super::around::Map::default();
        let ranks: Vec<u8> = (0..self.n_blocks())
            .map(|b| {
                let count = counts.entry(self.text(b)).or_default();
                *count = count.saturating_add(1).min(10);
                *count - 1
            })
            .collect();
        let all = ranks.into_iter().enumerate();
        all.map(|(b, rank)| (rank, counts.get(self.text(b)).copied().unwrap_or(1))).collect()
    }

    /// The words of each block that is short enough to be compared.
    fn block_words(&self) -> Vec<Option<Vec<u64>>> {
        let short = |block: usize| self.n_words(block) <= 80.0;
        (0..self.n_blocks()).map(|block| short(block).then(|| words_of(self.text(block)))).collect()
    }

    /// Whether a block stands in the text that the page declares as its body: 1, 0, or -1 for one too short to
    /// be told.
    fn in_body(&self, block: usize, body: &HashSet<u64>) -> f32 {
        let start: Vec<char> =
            self.text(block).chars().filter(|c| c.is_alphanumeric()).take(WINDOW).collect();
        if start.len() < WINDOW { -1.0 } else { f32::from(body.contains(&hash(&start))) }
    }
}

/// How alike two sorted lists of words are, 0 to 1; -1 if one of them is not known.
fn overlap(own: Option<&[u64]>, words: &[u64]) -> f32 {
    let Some(own) = own.filter(|_| !words.is_empty()) else { return -1.0 };
    let n_common = own.iter().filter(|word| words.binary_search(word).is_ok()).count();
    2.0 * n_common as f32 / (own.len() + words.len()).max(1) as f32
}

/// So many letters of a paragraph tell where it stands.
const WINDOW: usize = 12;

/// All windows of a text, letters and digits alone: white space, tags and punctuation differ between the
/// structured data and the page.
fn windows(text: &str) -> HashSet<u64> {
    let letters: Vec<char> = text.chars().filter(|c| c.is_alphanumeric()).collect();
    letters.windows(WINDOW).map(hash).collect()
}

fn hash(letters: &[char]) -> u64 {
    letters.iter().fold(0, |hash, letter| step(hash, *letter))
}

fn step(hash: u64, letter: char) -> u64 {
    (hash ^ u64::from(u32::from(letter))).wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(23)
}

/// The words of a text, as numbers, sorted, each once; case does not count, and Chinese characters are words.
fn words_of(text: &str) -> Vec<u64> {
    let mut words = Vec::new();
    let mut word = 0_u64;
    for c in text.chars() {
        let cjk = tamis_text::chars::is_cjk(c);
        if (cjk || !c.is_alphanumeric()) && word != 0 {
            words.push(std::mem::take(&mut word));
        }
        if cjk {
            words.push(hash(&[c]));
        } else if c.is_alphanumeric() {
            let small =
                if c.is_ascii() { c.to_ascii_lowercase() } else { c.to_lowercase().next().unwrap_or(c) };
            word = step(word, small);
        }
    }
    if word != 0 {
        words.push(word);
    }
    words.sort_unstable();
    words.dedup();
    words
}
