//! What is known of each block of a page, as numbers: what the models of [`crate::model`] decide from.
//!
//! [`Page::new`] parses and measures; [`Page::first`] makes the features of the first model from the page alone,
//! [`Page::second`] those of the second from what the first thought of all blocks.
//! The trainer uses the same code.

mod around;
mod columns;
mod cues;
mod first;
mod head;
mod measure;
mod second;
mod words;

use std::sync::LazyLock;

use tamis_html::{Blocks, Container, Name, TooLong, Tree, parse};

use around::{Around, Sums};
use cues::Cues;
use words::Words;

pub use columns::Columns;
pub(crate) use head::Head;
pub(crate) use measure::Measures;

static WORDS: LazyLock<Words> = LazyLock::new(Words::new);
static CUES: LazyLock<Cues> = LazyLock::new(Cues::new);

/// A page, parsed and measured.
pub struct Page<'a> {
    pub(crate) tree: Tree<'a>,
    pub(crate) blocks: Blocks,
    pub(crate) head: Head,
    pub(crate) measures: Vec<Measures>,
    around: Vec<Around>,
    /// For each block, which part of it is linked.
    links: Vec<f32>,
    /// For each block, how much it looks like prose.
    prose: Vec<f32>,
    /// For each block, the level of the heading that it is, 0 for none.
    headings: Vec<f32>,
    sums: Sums,
    /// The element with most prose for its place, as Readability chooses it.
    top: usize,
    /// The smallest element that holds most of the prose.
    bulk: usize,
}

impl<'a> Page<'a> {
    /// Parses and measures a page.
    ///
    /// # Errors
    ///
    /// When it has 4 GiB or more.
    pub fn new(source: &'a str) -> Result<Self, TooLong> {
        let tree = parse(source)?;
        let blocks = Blocks::of(&tree);
        let head = Head::of(&tree);
        let measures: Vec<Measures> =
            blocks.blocks.iter().map(|block| Measures::of(blocks.text_of(block))).collect();
        let links: Vec<f32> = (blocks.blocks.iter())
            .map(|block| block.link_bytes as f32 / block.text.len().max(1) as f32)
            .collect();
        let prose: Vec<f32> = measures.iter().zip(&links).map(|(it, link)| prose(it, *link)).collect();
        let around = around::all(&tree, &blocks, &WORDS);
        let sums = Sums::of(&blocks, &measures, &links, &prose);
        let top = top(&blocks, &measures, &prose, &sums);
        let bulk = bulk(&blocks, &sums);
        let headings = blocks.blocks.iter().map(|block| heading(&blocks, block.container)).collect();
        Ok(Self { tree, blocks, head, measures, around, links, prose, headings, sums, top, bulk })
    }

    /// Number of blocks.
    pub fn n_blocks(&self) -> usize {
        self.blocks.blocks.len()
    }

    /// The text of a block.
    pub fn text(&self, block: usize) -> &str {
        self.blocks.blocks.get(block).map_or("", |block| self.blocks.text_of(block))
    }

    /// The length of a block in words, each Chinese character being one.
    pub fn n_words(&self, block: usize) -> f32 {
        self.measures.get(block).map_or(0.0, |it| it.n_words as f32)
    }

    /// The elements around a block, innermost first, as `tag.class#id`; for whoever looks for what went wrong.
    pub fn path(&self, block: usize) -> String {
        let mut path = String::new();
        let mut container = self.container(block);
        while container > 0 {
            let node = self.blocks.containers.get(container).map_or(0, |it| it.node);
            path.push_str(self.tree.tag(node).name());
            for (mark, name) in [('.', Name::Class), ('#', Name::Id)] {
                if let Some(value) = self.tree.attribute(node, name).filter(|value| !value.is_empty()) {
                    path.push(mark);
                    path.push_str(value);
                }
            }
            path.push(' ');
            container = self.parent(container);
        }
        path
    }

    /// Takes comments out of a selection, unless most of it would go: then they are the content.
    pub(crate) fn leave_out_comments(&self, selected: &mut [bool]) {
        let group = around::comment_group();
        let is_comment = |block: usize| {
            self.around.get(self.container(block)).is_some_and(|around| around.words[group] < around::FAR)
        };
        let words = |wanted: &dyn Fn(usize) -> bool| -> f32 {
            let chosen = (0..selected.len()).filter(|block| selected[*block] && wanted(*block));
            chosen.map(|block| self.n_words(block)).sum()
        };
        if words(&is_comment) * 2.0 < words(&|_| true) {
            for (block, selected) in selected.iter_mut().enumerate() {
                *selected &= !is_comment(block);
            }
        }
    }

    /// Whether a block is a heading, of any level.
    pub(crate) fn is_heading(&self, block: usize) -> bool {
        self.headings.get(block).is_some_and(|level| *level > 0.0)
    }

    /// Whether only `<br>` parts a block from the one before.
    pub(crate) fn is_after_break(&self, block: usize) -> bool {
        self.blocks.blocks.get(block).is_some_and(|block| block.after_break)
    }

    fn container(&self, block: usize) -> usize {
        self.blocks.blocks.get(block).map_or(0, |block| block.container)
    }

    fn parent(&self, container: usize) -> usize {
        self.blocks.containers.get(container).map_or(0, |it| it.parent)
    }

    fn range(&self, container: usize) -> std::ops::Range<usize> {
        self.blocks.containers.get(container).map_or(0..0, |it| it.blocks.clone())
    }
}

/// How much a block looks like prose, 0 to 1: of some length, with punctuation, and not linked.
fn prose(measures: &Measures, link: f32) -> f32 {
    let long = (measures.n_words as f32 / 25.0).min(1.0);
    let pointed = (measures.n_stops + measures.n_commas) as f32;
    long * (pointed / 2.0).min(1.0) * (1.0 - link).max(0.0)
}

/// The level of the heading that an element is or lies in, 0 for none.
fn heading(blocks: &Blocks, mut container: usize) -> f32 {
    // The text of a heading may lie in a block inside it.
    for _ in 0..3 {
        let Some(element) = blocks.containers.get(container) else { break };
        if let Some(level) = element.tag.heading_level() {
            return f32::from(level);
        }
        container = element.parent;
    }
    0.0
}

/// The element that Readability would choose: paragraphs score for the element around them, half for the one
/// around that, and links cost.
fn top(blocks: &Blocks, measures: &[Measures], prose: &[f32], sums: &Sums) -> usize {
    let mut scores = vec![0.0_f32; blocks.containers.len()];
    for ((block, measures), prose) in blocks.blocks.iter().zip(measures).zip(prose) {
        let score = prose * (1.0 + measures.n_commas as f32 + (measures.n_words as f32 / 25.0).min(3.0));
        let mut container = block.container;
        if blocks.containers.get(container).is_some_and(is_leaf) {
            container = blocks.containers.get(container).map_or(0, |it| it.parent);
        }
        for share in [1.0, 0.5, 0.25] {
            if let Some(sum) = scores.get_mut(container) {
                *sum += score * share;
            }
            if container == 0 {
                break;
            }
            container = blocks.containers.get(container).map_or(0, |it| it.parent);
        }
    }
    let mut best = (0, 0.0);
    for (index, (container, score)) in blocks.containers.iter().zip(&scores).enumerate() {
        let sum = sums.over(&container.blocks);
        let score = score * (1.0 - sum.n_linked / sum.n_words.max(1.0));
        if score > best.1 {
            best = (index, score);
        }
    }
    best.0
}

/// Whether paragraphs are this element rather than lie in it.
fn is_leaf(container: &Container) -> bool {
    use tamis_html::Tag;
    matches!(container.tag, Tag::P | Tag::Pre | Tag::Blockquote | Tag::Li | Tag::Dd | Tag::Dt)
        || container.tag.heading_level().is_some()
}

/// Goes down from the root as long as one element inside holds four fifths of the prose.
fn bulk(blocks: &Blocks, sums: &Sums) -> usize {
    let all = sums.over(&(0..blocks.blocks.len())).n_prose;
    let mut bulk = 0;
    // Elements come in document order, so each that holds enough lies in the last that did.
    for (index, container) in blocks.containers.iter().enumerate() {
        if all > 0.0 && sums.over(&container.blocks).n_prose >= 0.8 * all {
            bulk = index;
        }
    }
    bulk
}
