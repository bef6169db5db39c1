//! What is known of each block of a page, as numbers: what the models of [`crate::model`] decide from.
//!
//! [`Page::new`] parses and measures; [`Page::first_parts`] makes the features of the first model from the page
//! alone, [`Page::second_parts`] those of the second from what the first thought of all blocks.
//! The trainer uses the same code.

mod around;
mod columns;
mod cues;
mod first;
mod head;
mod measure;
mod second;
mod tokens;
mod wording;
mod words;

use std::sync::{Arc, LazyLock};

use tamis_html::{Block, Blocks, Container, Name, TooLong, Tree};

use crate::parsed::Parse;

use around::{Sum, Sums, Surroundings};
use cues::Cues;
use words::Words;

pub use columns::Columns;
pub(crate) use columns::LANES;
pub(crate) use head::Head;
pub(crate) use measure::{Measured, Measures, is_alphanumeric};
pub use wording::{Kind, Wording, folded, phrases};

static WORDS: LazyLock<Words> = LazyLock::new(Words::new);
static CUES: LazyLock<Cues> = LazyLock::new(Cues::new);
static WORDING: LazyLock<Wording> =
    LazyLock::new(|| include_str!("../model/wording.txt").parse().expect("a test reads the bundled weights"));

/// So many levels up features look.
const MOST_UP: usize = 6;

/// A page, parsed and measured.
///
/// What is held for a block is some 60 bytes beside those of the tree, whatever the page: features are made for
/// some blocks at a time.
pub struct Page<'a> {
    pub(crate) tree: Tree<'a>,
    pub(crate) blocks: Arc<Blocks>,
    pub(crate) head: Head,
    measures: Measured,
    around: Surroundings,
    /// For each block element, the level of the heading that it is or lies in, 0 for none.
    headings: Vec<u8>,
    sums: Sums<4>,
    /// The element with most prose for its place, as Readability chooses it.
    top: usize,
    /// The smallest element that holds most of the prose.
    bulk: usize,
    /// Which of the groups of words is that of comments.
    comment_group: usize,
}

impl<'a> Page<'a> {
    /// Parses and measures a page.
    ///
    /// # Errors
    ///
    /// When it has more than 3 GiB.
    pub fn new(source: &'a str) -> Result<Self, TooLong> {
        Ok(Self::of(Parse::of(source)?))
    }

    /// Measures a page that has been parsed.
    pub(crate) fn of(Parse { tree, blocks }: Parse<'a>) -> Self {
        let head = Head::of(&tree);
        let mut measures = Measured::with_capacity(blocks.blocks.len());
        blocks.blocks.iter().for_each(|block| measures.push(Measures::of(blocks.text_of(block))));
        let sums = Sums::of(&blocks, |block| values(&measures, &blocks, block));
        let around = Surroundings::new(&tree, &blocks, &WORDS);
        let headings = (0..blocks.containers.len()).map(|container| heading(&blocks, container)).collect();
        let comment_group = words::group_of("class:comment");
        let (top, bulk) = (0, 0);
        let mut page =
            Self { tree, blocks, head, measures, around, headings, sums, top, bulk, comment_group };
        page.top = page.find_top();
        page.bulk = page.find_bulk();
        page
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
        self.measures.n_words(block) as f32
    }

    /// The elements around a block, innermost first, as `tag.class.class#id`; for whoever looks for what went wrong.
    pub fn path(&self, block: usize) -> String {
        let mut path = String::new();
        let mut container = self.container(block);
        while container > 0 {
            let node = self.blocks.containers.get(container).map_or(0, Container::node);
            path.push_str(self.tree.tag(node).name());
            for (mark, name) in [('.', Name::Class), ('#', Name::Id)] {
                for value in self.tree.attribute(node, name).unwrap_or_default().split_ascii_whitespace() {
                    path.push(mark);
                    path.push_str(value);
                }
            }
            path.push(' ');
            container = self.parent(container);
        }
        path
    }

    /// The block that is the main heading of the page by its element.
    pub(crate) fn main_heading(&self) -> Option<usize> {
        (0..self.n_blocks()).find(|block| (self.heading(*block) - 1.0).abs() < 0.5)
    }

    /// Whether the page says that it is an article.
    pub(crate) fn says_article(&self) -> bool {
        self.head.kinds & 1 != 0
    }

    /// The block that most likely is the title of the page.
    pub(crate) fn title_block(&self) -> Option<usize> {
        first::title_block(self)
    }

    /// Whether an element is more than a paragraph and begins with a linked title, as what leads to another page does;
    /// a post begins with a linked name.
    pub(crate) fn leads_elsewhere(&self, container: usize) -> bool {
        let range = self.range(container);
        range.len() > 1 && range.take(3).any(|block| self.link(block) > 0.8 && self.n_words(block) >= 4.0)
    }

    /// What elements that look the same have in common.
    pub(crate) fn signature(&self, container: usize) -> u64 {
        self.around.of(container).signature
    }

    /// The number of the look of an element, below [`Page::n_looks`]: that of its signature.
    pub(crate) fn look(&self, container: usize) -> usize {
        self.around.of(container).look as usize
    }

    /// How many looks the elements of the page have.
    pub(crate) fn n_looks(&self) -> usize {
        self.around.n_looks
    }

    /// Whether the class or id of an element has a word of posts.
    pub(crate) fn speaks_of_posts(&self, container: usize) -> bool {
        self.around.of(container).of_posts
    }

    /// The words of an element.
    pub(crate) fn words_in(&self, container: usize) -> f32 {
        self.sum(container).n_words
    }

    /// Whether the class or id of an element has a word that speaks of comments.
    pub(crate) fn speaks_of_comments(&self, container: usize) -> bool {
        self.around.of(container).words[self.comment_group] == 0
    }

    /// Whether a block is a heading, of any level.
    pub(crate) fn is_heading(&self, block: usize) -> bool {
        self.heading(block) > 0.0
    }

    /// Whether a block is a line of code, or all of it.
    pub(crate) fn is_code(&self, block: usize) -> bool {
        // Each line may be an element.
        let own = self.container(block);
        let is_pre = |container: usize| {
            self.blocks.containers.get(container).is_some_and(|it| it.tag == tamis_html::Tag::Pre)
        };
        is_pre(own) || is_pre(self.parent(own))
    }

    /// Whether only `<br>` parts a block from the one before.
    pub(crate) fn is_after_break(&self, block: usize) -> bool {
        self.blocks.blocks.get(block).is_some_and(Block::after_break)
    }

    pub(crate) fn container(&self, block: usize) -> usize {
        self.blocks.blocks.get(block).map_or(0, Block::container)
    }

    pub(crate) fn parent(&self, container: usize) -> usize {
        self.blocks.containers.get(container).map_or(0, Container::parent)
    }

    pub(crate) fn range(&self, container: usize) -> std::ops::Range<usize> {
        self.blocks.containers.get(container).map_or(0..0, Container::blocks)
    }

    /// For each of some blocks the elements around it, up to [`MOST_UP`] levels above its own.
    fn elements_up(&self, blocks: std::ops::Range<usize>) -> Vec<[u32; MOST_UP + 1]> {
        let up = |block: usize| {
            let mut element = self.container(block);
            std::array::from_fn(|level| {
                if level > 0 {
                    element = self.parent(element);
                }
                element as u32
            })
        };
        blocks.map(up).collect()
    }

    /// Which part of a block is linked.
    fn link(&self, block: usize) -> f32 {
        link(&self.blocks, block)
    }

    /// How much a block looks like prose.
    #[inline]
    fn prose(&self, block: usize) -> f32 {
        prose(&self.measures.of(block), self.link(block))
    }

    /// The element that a block is one of the pieces of: the one around the paragraph, item or heading that it is.
    pub(crate) fn section(&self, block: usize) -> usize {
        let container = self.container(block);
        if self.blocks.containers.get(container).is_some_and(is_leaf) {
            self.parent(container)
        } else {
            container
        }
    }

    /// The level of the heading that a block is, 0 for none.
    pub(crate) fn heading(&self, block: usize) -> f32 {
        self.headings.get(self.container(block)).copied().unwrap_or(0).into()
    }

    /// What the blocks of an element hold together.
    fn sum(&self, container: usize) -> Sum {
        let of_block = |block: usize| values(&self.measures, &self.blocks, block);
        Sum::new(self.range(container).len(), self.sum_of(&self.sums, container, of_block))
    }

    /// The sums of an element, where `of_block` are the values of a block.
    fn sum_of<const N: usize>(
        &self,
        sums: &Sums<N>,
        container: usize,
        of_block: impl FnOnce(usize) -> [f32; N],
    ) -> [f32; N] {
        sums.of_container(container, || self.range(container), of_block)
    }

    /// What all blocks hold together.
    fn whole(&self) -> Sum {
        Sum::new(self.n_blocks(), self.sums.all)
    }

    /// The element that Readability would choose: paragraphs score for the element around them, half for the one
    /// around that, and links cost.
    fn find_top(&self) -> usize {
        let containers = &self.blocks.containers;
        let mut scores = vec![0.0_f32; containers.len()];
        for block in 0..self.n_blocks() {
            let measures = self.measures.of(block);
            let length = (measures.n_words as f32 / 25.0).min(3.0);
            let score = self.prose(block) * (1.0 + measures.n_commas as f32 + length);
            let mut container = self.container(block);
            if containers.get(container).is_some_and(is_leaf) {
                container = self.parent(container);
            }
            for share in [1.0, 0.5, 0.25] {
                if let Some(sum) = scores.get_mut(container) {
                    *sum += score * share;
                }
                if container == 0 {
                    break;
                }
                container = self.parent(container);
            }
        }
        let mut best = (0, 0.0);
        for (container, score) in scores.into_iter().enumerate() {
            // Links only cost.
            if score <= best.1 {
                continue;
            }
            let sum = self.sum(container);
            let score = score * (1.0 - sum.n_linked / sum.n_words.max(1.0));
            if score > best.1 {
                best = (container, score);
            }
        }
        best.0
    }

    /// Goes down from the root as long as one element inside holds four fifths of the prose.
    fn find_bulk(&self) -> usize {
        let all = self.whole().n_prose;
        let mut bulk = 0;
        // Elements come in document order, so each that holds enough lies in the last that did.
        for container in 0..self.blocks.containers.len() {
            if all > 0.0 && self.parent(container) == bulk && self.sum(container).n_prose >= 0.8 * all {
                bulk = container;
            }
        }
        bulk
    }
}

/// What a block adds to the sums of the elements around it.
fn values(measures: &Measured, blocks: &Blocks, block: usize) -> [f32; 4] {
    let (measures, link) = (measures.of(block), link(blocks, block));
    Sum::values(&measures, link, prose(&measures, link))
}

/// Which part of a block is linked.
fn link(blocks: &Blocks, block: usize) -> f32 {
    let Some(block) = blocks.blocks.get(block) else { return 0.0 };
    blocks.marks_of(block).link_bytes as f32 / block.text().len().max(1) as f32
}

/// How much a block looks like prose, 0 to 1: of some length, with punctuation, and not linked.
fn prose(measures: &Measures, link: f32) -> f32 {
    let long = (measures.n_words as f32 / 25.0).min(1.0);
    let pointed = (measures.n_stops + measures.n_commas) as f32;
    long * (pointed / 2.0).min(1.0) * (1.0 - link).max(0.0)
}

/// The level of the heading that an element is or lies in, 0 for none.
fn heading(blocks: &Blocks, mut container: usize) -> u8 {
    // The text of a heading may lie in a block inside it.
    for _ in 0..3 {
        let Some(element) = blocks.containers.get(container) else { break };
        if let Some(level) = element.tag.heading_level() {
            return level;
        }
        container = element.parent();
    }
    0
}

/// Whether paragraphs are this element rather than lie in it.
fn is_leaf(container: &Container) -> bool {
    use tamis_html::Tag;
    matches!(container.tag, Tag::P | Tag::Pre | Tag::Blockquote | Tag::Li | Tag::Dd | Tag::Dt)
        || container.tag.heading_level().is_some()
}
