//! Comments of readers below an article, and whether a page is an article or a thread.
//!
//! Both are posts under posts. What tells them apart is what comes first: an article has its text outside of what is
//! named for comments, and a thread has nothing outside.

use tamis_html::{Container, Name, Tag};

use crate::features::Page;

/// Of the words that speak of comments, those that name elements which hold what readers say to an article.
///
/// `discussion`, `reply` and `replies` are none: forums name their threads so. With them F1 was lower by .013 on the
/// forums of magic-html's benchmark and by .003 on WCXB, on sites left out, and higher nowhere.
const NAMES: [&str; 7] = ["comment", "comments", "commentlist", "cmt", "disqus", "respond", "pinglun"];
/// An element of fewer words is a link to the comments or their number.
const LEAST_WORDS: f32 = 12.0;
/// Words of likely content before a discussion that make an article, under a heading.
const LEAST_ARTICLE_WORDS: f32 = 40.0;
/// A block above this probability is likely content.
const LIKELY: f32 = 0.5;
/// What a comment in an article is likely to be content.
const QUIET: f32 = 0.02;
/// A line of so few words that is there so often in a discussion is a button or a label of every comment.
const LABEL_WORDS: f32 = 3.0;
const LABEL_TIMES: usize = 3;

/// Where on a page readers have their say.
#[derive(Debug)]
pub(crate) struct Discussion {
    /// For each block element whether it is or lies in one that is named for it.
    inside: Vec<bool>,
    /// The first block of the first of those that hold more than a link.
    first: Option<usize>,
}

impl Discussion {
    pub(crate) fn of(page: &Page<'_>) -> Self {
        let containers = &page.blocks.containers;
        let main = page.main_heading();
        let mut inside: Vec<bool> = Vec::with_capacity(containers.len());
        let mut first = None;
        for (index, container) in containers.iter().enumerate() {
            let above = index > 0 && inside.get(container.parent()).copied().unwrap_or(false);
            let own = !above && index > 0 && page.speaks_of_comments(index) && is_named(page, container);
            // What holds the heading of the page as well is named for comments that it may have.
            let own = own && !main.is_some_and(|main| container.blocks().contains(&main));
            if own && first.is_none() && page.words_in(index) >= LEAST_WORDS {
                first = Some(container.blocks().start);
            }
            inside.push(above || own);
        }
        Self { inside, first }
    }

    /// Whether a block lies in a discussion.
    pub(crate) fn holds(&self, page: &Page<'_>, block: usize) -> bool {
        self.inside.get(page.container(block)).copied().unwrap_or(false)
    }

    /// Whether the page is an article with a discussion below.
    pub(crate) fn is_below_article(&self, page: &Page<'_>, probabilities: &[f32]) -> bool {
        let Some(first) = self.first else { return false };
        let likely = (0..first).filter(|block| probabilities[*block] > LIKELY && !self.holds(page, *block));
        let n_words: f32 = likely.map(|block| page.n_words(block)).sum();
        n_words >= LEAST_ARTICLE_WORDS
            && (0..first).any(|block| page.is_heading(block) && !self.holds(page, block))
    }

    /// Makes comments unlikely to be content.
    pub(crate) fn quieten(&self, page: &Page<'_>, probabilities: &mut [f32]) {
        for (block, probability) in probabilities.iter_mut().enumerate() {
            if self.holds(page, block) {
                *probability = probability.min(QUIET);
            }
        }
    }

    /// What readers say, with who says it and when, without forms, buttons and labels.
    pub(crate) fn comments(&self, page: &Page<'_>) -> Vec<bool> {
        let mut times: std::collections::BTreeMap<&str, usize> = std::collections::BTreeMap::new();
        let inside = |block: &usize| self.holds(page, *block);
        for block in (0..page.n_blocks()).filter(inside) {
            *times.entry(page.text(block)).or_default() += 1;
        }
        let is_label = |block: usize| {
            page.n_words(block) <= LABEL_WORDS
                && times.get(page.text(block)).is_some_and(|n| *n >= LABEL_TIMES)
        };
        let is_said = |block: usize| inside(&block) && !is_label(block) && !is_control(page, block);
        (0..page.n_blocks()).map(is_said).collect()
    }
}

/// Whether an element is named for what readers say to an article.
fn is_named(page: &Page<'_>, container: &Container) -> bool {
    if matches!(container.tag, Tag::Html | Tag::Body | Tag::Main | Tag::Article | Tag::Form) {
        return false;
    }
    let is = |name: Name| {
        let names = page.tree.attribute(container.node(), name).unwrap_or_default();
        words(names).any(|word| NAMES.iter().any(|name| word.eq_ignore_ascii_case(name)))
    };
    is(Name::Class) || is(Name::Id)
}

/// The words of a class name or id: those between anything but letters, and those that begin with a capital.
pub(crate) fn words(names: &str) -> impl Iterator<Item = &str> {
    let parts = names.split(|c: char| !c.is_ascii_alphabetic());
    parts.flat_map(|part| {
        let mut rest = part;
        std::iter::from_fn(move || {
            let bytes = rest.as_bytes();
            let ends = |at: &usize| bytes[*at].is_ascii_uppercase() && bytes[*at - 1].is_ascii_lowercase();
            let end = (1..bytes.len()).find(ends).unwrap_or(bytes.len());
            let (word, behind) = rest.split_at_checked(end)?;
            rest = behind;
            (!word.is_empty()).then_some(word)
        })
    })
}

/// Whether a block is part of a form or a button.
fn is_control(page: &Page<'_>, block: usize) -> bool {
    let mut element = page.container(block);
    while element > 0 {
        let tag = page.blocks.containers.get(element).map_or(Tag::Root, |it| it.tag);
        if matches!(tag, Tag::Form | Tag::Button | Tag::Label | Tag::Fieldset | Tag::Nav) {
            return true;
        }
        element = page.parent(element);
    }
    false
}
