//! Several articles on one page.

use std::ops::Range;

use tamis_html::{Name, Tag};

use crate::features::Page;

/// Words that an article must have.
const LEAST_WORDS: f32 = 40.0;
/// More articles on one page are an index.
const MOST_ARTICLES: usize = 100;
/// The part of the content of a page that its articles must hold together: else they are boxes beside it.
const MOST: f32 = 0.8;

/// An article of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Article {
    /// Its blocks.
    pub(super) blocks: Range<usize>,
    /// Its heading.
    pub(super) title: String,
}

/// The articles of a page, if it holds several: elements side by side, each with a heading and some text, and
/// hardly any content outside them.
pub(super) fn articles(page: &Page<'_>, selected: &[bool]) -> Vec<Article> {
    let known = Known::of(page, selected);
    let is_article = |container: &&tamis_html::Container| {
        let role = page.tree.attribute(container.node(), Name::Role);
        container.tag == Tag::Article || role == Some("article")
    };
    let mut found: Vec<Article> = Vec::new();
    let mut end = 0;
    for blocks in page.blocks.containers.iter().filter(is_article).map(tamis_html::Container::blocks) {
        // Those inside another are comments or quotations.
        if blocks.start < end || known.words(&blocks) < LEAST_WORDS {
            continue;
        }
        let Some(heading) = known.heading(&blocks) else { continue };
        end = blocks.end;
        found.push(Article { blocks, title: page.text(heading).trim().to_owned() });
    }
    let held: f32 = found.iter().map(|article| known.words(&article.blocks)).sum();
    if !(2..=MOST_ARTICLES).contains(&found.len()) || held < MOST * known.words(&(0..selected.len())) {
        return Vec::new();
    }
    found
}

/// What is asked of ever other stretches of a page, worked out once.
struct Known {
    /// Words of the content before each block.
    words: Vec<f32>,
    /// The first heading from each block on; behind the last block where there is none.
    headings: Vec<u32>,
}

impl Known {
    fn of(page: &Page<'_>, selected: &[bool]) -> Self {
        let mut words = vec![0.0];
        for (block, selected) in selected.iter().enumerate() {
            let before = words.last().copied().unwrap_or_default();
            words.push(before + if *selected { page.n_words(block) } else { 0.0 });
        }
        let mut headings = vec![u32::MAX; selected.len() + 1];
        for block in (0..selected.len()).rev() {
            headings[block] = if page.is_heading(block) { block as u32 } else { headings[block + 1] };
        }
        Self { words, headings }
    }

    fn words(&self, blocks: &Range<usize>) -> f32 {
        let before = |block: usize| self.words.get(block).copied().unwrap_or_default();
        before(blocks.end) - before(blocks.start)
    }

    fn heading(&self, blocks: &Range<usize>) -> Option<usize> {
        self.headings
            .get(blocks.start)
            .map(|heading| *heading as usize)
            .filter(|heading| *heading < blocks.end)
    }
}
