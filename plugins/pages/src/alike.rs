//! What is built alike is taken alike.
//!
//! The models judge blocks one by one. Of the posts of a thread, the cards of a collection, the entries of a list they
//! are a little surer of one than of the next, and where they are in doubt a threshold takes every other one. A reader
//! sees that all are of one kind, so the doubt is shared: a block is drawn to the mean of those that are built alike, and
//! to that of the records around it. Where no element has a class nothing says what is alike: old pages are laid out
//! in tables, menu and text in cells of the same kind.
//!
//! F1 on sites left out: forums of magic-html's benchmark +.007, listings of WCXB about +.01, its collections about +.005,
//! documentation +.004, articles, news and old pages within .0015.

use rustc_hash::FxHashMap;
use tamis_html::{Container, Name, Tag};

use crate::features::Page;

/// How far a block is drawn to the mean of the records around it, as a share of the way; .5 costs forums and old
/// articles.
const TO_RECORDS: f32 = 0.3;
/// How far it is drawn to that of the blocks that agree with it in three elements, and then in two.
const TO_THREE: f32 = 0.7;
const TO_TWO: f32 = 0.3;
/// Two that are alike may be so by chance.
const LEAST: f32 = 3.0;

/// Draws the probability of each block to those of its kind.
pub(crate) fn even_out(page: &Page<'_>, probabilities: &mut [f32]) {
    let has_class = |element: usize| {
        let node = page.blocks.containers.get(element).map_or(0, Container::node);
        page.tree.attribute(node, Name::Class).is_some_and(|class| !class.trim_ascii().is_empty())
    };
    let has_class: Vec<bool> = (0..page.blocks.containers.len()).map(has_class).collect();
    let records = Records::of(page, &has_class);
    let around = |block: usize| records.around(page, block).map(|group| group as usize);
    draw(probabilities, TO_RECORDS, around, |block| page.n_words(block));
    let mut numbers: FxHashMap<(usize, usize), usize> = FxHashMap::default();
    let three = |block: usize| {
        let own = page.container(block);
        let above = page.parent(own);
        let is_known = has_class[own] || has_class[above] || has_class[page.parent(above)];
        let next = numbers.len();
        is_known.then(|| *numbers.entry((page.look(own), page.look(above))).or_insert(next))
    };
    draw(probabilities, TO_THREE, three, |_| 1.0);
    let two = |block: usize| {
        let own = page.container(block);
        (has_class[own] || has_class[page.parent(own)]).then(|| page.look(own))
    };
    draw(probabilities, TO_TWO, two, |_| 1.0);
}

/// Draws probabilities to the mean of those with the same number, a block counting by its weight.
fn draw(
    probabilities: &mut [f32],
    strength: f32,
    mut number: impl FnMut(usize) -> Option<usize>,
    weight: impl Fn(usize) -> f32,
) {
    #[derive(Default, Clone)]
    struct Mean {
        n_blocks: f32,
        weight: f32,
        sum: f32,
    }
    /// No number: a page may have a block in four bytes of source, for which an `Option` would be as long as the source.
    const NONE: u32 = u32::MAX;
    let mut means: Vec<Mean> = Vec::new();
    let mut number = |(block, probability): (usize, &f32)| {
        let Some(number) = number(block) else { return NONE };
        if number >= means.len() {
            means.resize(number + 1, Mean::default());
        }
        let mean = &mut means[number];
        mean.n_blocks += 1.0;
        mean.weight += weight(block);
        mean.sum += weight(block) * probability;
        number as u32
    };
    let of_block: Vec<u32> = probabilities.iter().enumerate().map(&mut number).collect();
    for (probability, number) in probabilities.iter_mut().zip(of_block) {
        let Some(mean) = means.get(number as usize) else { continue };
        if mean.n_blocks >= LEAST && mean.weight > 0.0 {
            *probability += strength * (mean.sum / mean.weight - *probability);
        }
    }
}

/// Elements that stand side by side, are built alike, and hold more than a line.
struct Records {
    /// For each block element, the number of the outermost group of records that it is or lies in, 0 outside of all.
    groups: Vec<u32>,
}

impl Records {
    fn of(page: &Page<'_>, has_class: &[bool]) -> Self {
        let n_elements = page.blocks.containers.len();
        // What holds an element that is not empty.
        let mut is_more_than_a_line = vec![false; n_elements];
        for element in (1..n_elements).filter(|element| !page.range(*element).is_empty()) {
            is_more_than_a_line[page.parent(element)] = true;
        }
        let is_told = |element: usize| {
            let tag = page.blocks.containers.get(element).map_or(Tag::Root, |it| it.tag);
            has_class[element] || !matches!(tag, Tag::Table | Tag::Tbody | Tag::Tr | Tag::Td | Tag::Th)
        };
        let is_record = |element: usize| is_more_than_a_line[element] && is_told(element);
        let key = |element: usize| (page.parent(element), page.signature(element));
        let mut sizes: FxHashMap<(usize, u64), (f32, u32)> = FxHashMap::default();
        for element in (1..n_elements).filter(|element| is_record(*element)) {
            let number = sizes.len() as u32 + 1;
            sizes.entry(key(element)).or_insert((0.0, number)).0 += 1.0;
        }
        let mut groups: Vec<u32> = vec![0; n_elements];
        for element in 1..n_elements {
            let above = groups[page.parent(element)];
            let own = (above == 0 && is_record(element)).then(|| sizes.get(&key(element))).flatten();
            groups[element] = own.filter(|(n, _)| *n >= LEAST).map_or(above, |(_, number)| *number);
        }
        Self { groups }
    }

    /// The group of the records around a block, if it lies in one.
    fn around(&self, page: &Page<'_>, block: usize) -> Option<u32> {
        let element = page.container(block);
        let above = if element == 0 { 0 } else { page.parent(element) };
        self.groups.get(above).copied().filter(|group| *group > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evened(source: &str, mut probabilities: Vec<f32>) -> Vec<f32> {
        let page = Page::new(source).expect("short");
        assert_eq!(page.n_blocks(), probabilities.len());
        even_out(&page, &mut probabilities);
        probabilities
    }

    #[test]
    fn posts_in_doubt_come_out_alike() {
        let post = |n: usize| format!("<div class='post p{n}'><b><p>By {n}</p></b><p>words of {n}</p></div>");
        let page: String = (0..3).map(post).collect();
        let thread = evened(&page, vec![0.1, 0.45, 0.2, 0.55, 0.3, 0.5]);
        let spread = |at: [usize; 3]| {
            let of = at.map(|block| thread[block]);
            of.iter().copied().fold(f32::MIN, f32::max) - of.iter().copied().fold(f32::MAX, f32::min)
        };
        assert!(spread([1, 3, 5]) < 0.03, "{thread:?}");
        assert!(spread([0, 2, 4]) < 0.06, "{thread:?}");
    }

    #[test]
    fn what_nothing_else_is_like_stays_as_it_is() {
        for page in [
            "<h1>Title</h1><div class=a><p>one two</div><div class=b><p>three</div>",
            "<table><tr><td><p>Title</p></td><td><p>one two</p></td><td><p>three</p></td></tr></table>",
        ] {
            let probabilities = vec![0.9, 0.4, 0.1];
            assert_eq!(evened(page, probabilities.clone()), probabilities, "{page}");
        }
    }
}
