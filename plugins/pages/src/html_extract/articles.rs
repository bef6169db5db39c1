//! Several articles on one page.

use std::ops::Range;

use tamis_html::{Name, Tag};

use crate::features::Page;

/// Words that an article must have.
const LEAST_WORDS: f32 = 40.0;
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
    let words = |blocks: Range<usize>| -> f32 {
        blocks.filter(|block| selected.get(*block) == Some(&true)).map(|block| page.n_words(block)).sum()
    };
    let is_article = |container: &&tamis_html::Container| {
        let role = page.tree.attribute(container.node, Name::Role);
        container.tag == Tag::Article || role == Some("article")
    };
    let mut found: Vec<Article> = Vec::new();
    let mut end = 0;
    for container in page.blocks.containers.iter().filter(is_article) {
        // Those inside another are comments or quotations.
        if container.blocks.start < end || words(container.blocks.clone()) < LEAST_WORDS {
            continue;
        }
        let Some(title) = page.heading_in(container.blocks.clone()) else { continue };
        end = container.blocks.end;
        found.push(Article { blocks: container.blocks.clone(), title });
    }
    let held: f32 = found.iter().map(|article| words(article.blocks.clone())).sum();
    if found.len() < 2 || held < MOST * words(0..selected.len()) {
        return Vec::new();
    }
    found
}
