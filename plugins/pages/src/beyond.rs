//! Other articles behind the article of a page.
//!
//! News sites put the next stories below the one that was asked for, in full or as teasers in prose. Each looks like
//! content, and of a short article they are most of the page. What tells the one that is meant is the title of the
//! page: it stands at the head of one element, and the others begin with links to pages of their own.

use crate::features::Page;

/// Words of likely prose that make the article under the title.
const LEAST_WORDS: f32 = 60.0;
/// A block of so many words is a paragraph.
const PARAGRAPH_WORDS: f32 = 20.0;
/// A block above this probability is likely content.
const LIKELY: f32 = 0.5;
/// What a block of another article is likely to be content.
const QUIET: f32 = 0.05;
/// So many pieces that are built alike are others, and not sections of this one.
const LEAST_PIECES: usize = 3;

/// Makes blocks of other articles unlikely to be content.
pub(crate) fn quieten(page: &Page<'_>, probabilities: &mut [f32]) {
    let Some(end) = end_of_article(page, probabilities) else { return };
    for piece in pieces(page, end) {
        for block in piece {
            if let Some(probability) = probabilities.get_mut(block) {
                *probability = probability.min(QUIET);
            }
        }
    }
}

/// The block behind the element that holds the title of an article and its text.
fn end_of_article(page: &Page<'_>, probabilities: &[f32]) -> Option<usize> {
    if !page.says_article() {
        return None;
    }
    let title = page.title_block()?;
    let is_paragraph =
        |block: &usize| probabilities[*block] > LIKELY && page.n_words(*block) >= PARAGRAPH_WORDS;
    let mut paragraphs = (title + 1..page.n_blocks()).filter(is_paragraph);
    paragraphs.next()?;
    let second = paragraphs.next()?;
    let mut element = page.container(title);
    while element > 0 {
        let inside = page.range(element);
        let n_words: f32 = inside
            .clone()
            .filter(|block| probabilities[*block] > LIKELY)
            .map(|block| page.n_words(block))
            .sum();
        if inside.contains(&second) && n_words >= LEAST_WORDS {
            return Some(inside.end);
        }
        element = page.parent(element);
    }
    None
}

/// The elements behind a block that are built alike, stand side by side, and begin with links to where they are from.
fn pieces(page: &Page<'_>, from: usize) -> Vec<std::ops::Range<usize>> {
    use std::collections::BTreeMap;
    let mut alike: BTreeMap<(usize, u64), Vec<usize>> = BTreeMap::new();
    for element in 1..page.blocks.containers.len() {
        let range = page.range(element);
        if range.start >= from && !range.is_empty() && page.leads_elsewhere(element) {
            alike.entry((page.parent(element), page.signature(element))).or_default().push(element);
        }
    }
    let groups = alike.into_values().filter(|group| group.len() >= LEAST_PIECES);
    groups.flatten().map(|element| page.range(element)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ARTICLE: &str = "<div class=story><h1>The ferry is late</h1>
        <p>The ferry was late again on Monday, and the people on the quay waited for two hours in the rain, as they do
        every Monday in the autumn, when the tide is low and the pilot is at the market until noon.</p>
        <p>Nobody was surprised, and nobody complained, because the tea in the harbour office is free for those who
        wait, and the stove is warm, and there are chess boards for all who want to play.</p></div>";

    fn teasers(n: usize) -> String {
        let teaser = |n: usize| {
            format!(
                "<div class=card><h3><a href=/{n}>Another story, the {n}th</a></h3><p>The council met on Tuesday and
                decided, after some hours of talk, that the question of the bridge is for the next council.</p></div>"
            )
        };
        (0..n).map(teaser).collect()
    }

    /// The texts that are still likely when all were.
    fn likely(source: &str) -> Vec<String> {
        let page = Page::new(source).expect("short");
        let mut probabilities = vec![0.9; page.n_blocks()];
        quieten(&page, &mut probabilities);
        let left = (0..page.n_blocks()).filter(|block| probabilities[*block] > LIKELY);
        left.map(|block| page.text(block).split(' ').take(3).collect::<Vec<_>>().join(" ")).collect()
    }

    #[test]
    fn stories_behind_the_one_that_is_meant_go() {
        let says = "<title>The ferry is late</title><meta property=og:type content=article>";
        let story = ["The ferry is", "The ferry was", "Nobody was surprised,"];
        assert_eq!(likely(&format!("{says}{ARTICLE}<div>{}</div>", teasers(3))), story);
        // Two may be boxes within it, and a page that is no article may be the list of all of them.
        assert_eq!(likely(&format!("{says}{ARTICLE}<div>{}</div>", teasers(2))).len(), 7);
        assert_eq!(likely(&format!("{ARTICLE}<div>{}</div>", teasers(3))).len(), 9);
    }

    #[test]
    fn sections_of_the_article_stay() {
        let says = "<title>The ferry is late</title><meta property=og:type content=article>";
        let sections = teasers(3).replace("<a href", "<i title").replace("</a>", "</i>");
        assert_eq!(likely(&format!("{says}{ARTICLE}<div>{sections}</div>")).len(), 9);
    }
}
