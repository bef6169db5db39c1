//! Pages that have lost their structure: text with line ends where elements were, and a few tags around it.

use tamis_html::{Block, Tag, decoded};

use crate::features::Page;

/// The part of the words of a page that one block must hold.
const MOST: f32 = 0.8;
/// Words that make a page, and line ends that stand for its elements.
const LEAST_WORDS: f32 = 100.0;
const LEAST_LINES: usize = 12;

/// The text of a page without structure, its line ends as they were; `None` for every other page.
///
/// A browser shows such line ends as blanks. Stages for flattened text find menu and text by them.
pub(super) fn text(page: &Page<'_>) -> Option<String> {
    let blocks = &page.blocks.blocks;
    let words = |block: usize| page.n_words(block);
    let all: f32 = (0..blocks.len()).map(words).sum();
    let longest = (0..blocks.len()).max_by(|one, other| words(*one).total_cmp(&words(*other)))?;
    if all < LEAST_WORDS || words(longest) < MOST * all {
        return None;
    }
    let lines = source(page, &blocks[longest]).lines().filter(|line| !line.trim().is_empty()).count();
    let is_code = page.tree.tag(page.blocks.containers.get(blocks[longest].container())?.node()) == Tag::Code;
    (lines >= LEAST_LINES && !is_code)
        .then(|| blocks.iter().map(|block| source(page, block)).collect::<Vec<_>>().join("\n"))
}

/// The text of a block with its white space.
fn source(page: &Page<'_>, block: &Block) -> String {
    let texts = block.nodes().filter(|node| page.tree.tag(*node) == Tag::Text);
    texts.map(|node| decoded(page.tree.source_text(node))).collect()
}
