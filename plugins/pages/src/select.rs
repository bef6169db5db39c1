//! Which blocks are taken, given how sure the models are of each.

use tamis_html::Tag;

use crate::alike;
use crate::beyond;
use crate::copies;
use crate::discussion::Discussion;
use crate::features::Page;
use crate::notices;
use crate::posts;
use crate::units::complete;

/// The blocks that are content, as the models think of each and as wholes.
///
/// `weight` is the beta of the expected F-measure that is made largest.
///
/// Notices of platforms go, and so do comments below an article. The models leave most of these, but they see no page
/// as a whole: under a short article the comments are most of the text.
pub fn content(page: &Page<'_>, probabilities: &[f32], weight: f32) -> Vec<bool> {
    let alone = probabilities;
    let mut probabilities = probabilities.to_vec();
    alike::even_out(page, &mut probabilities);
    notices::quieten(page, &mut probabilities);
    let discussion = Discussion::of(page);
    if discussion.is_below_article(page, &probabilities) {
        discussion.quieten(page, &mut probabilities);
    }
    beyond::quieten(page, &mut probabilities);
    let mut selected = select(page, &probabilities, weight);
    // Whoever favours recall wants what is in doubt.
    if weight <= 1.0 {
        leave_unlikely(page, alone, &mut selected);
    }
    complete(page, &probabilities, &mut selected);
    posts::complete(page, &mut selected);
    copies::leave_hidden(page, &mut selected);
    copies::leave_copies(page, &mut selected);
    selected
}

/// What stands beside the text (menus, columns, the foot of a page) is taken above this probability alone, where
/// something else is above it: of the words that were taken there below it one in thirty was content, above it three in
/// five.
const SURE: f32 = 0.6;
/// What is less likely than this is not taken, where something is [`SURE`]: of such words one in five was content, and
/// of those up to .3 more than half.
const LEAST: f32 = 0.15;

/// Leaves what is unlikely for itself, where other text of the page is sure.
///
/// The expected F-measure takes blocks for independent of each other. The entries of a menu are content together or not
/// at all: six hundred words of which the models say .33 are not two hundred words of content, and a page of one
/// sentence would be lost in them. And doubts that are shared out among what is built alike lift what is
/// hardly any.
///
/// `probabilities` are those of the models, before doubts were shared.
fn leave_unlikely(page: &Page<'_>, probabilities: &[f32], selected: &mut [bool]) {
    let is_beside = beside(page);
    let is_beside = |block: usize| is_beside.get(page.container(block)).copied().unwrap_or(false);
    let mut sure = (0..selected.len()).filter(|block| probabilities[*block] >= SURE);
    if !sure.any(|block| !is_beside(block)) {
        return;
    }
    for (block, selected) in selected.iter_mut().enumerate() {
        let least = if is_beside(block) { SURE } else { LEAST };
        *selected &= probabilities[block] >= least;
    }
}

/// For each block element, whether it is or lies in one that stands beside the text by its name.
fn beside(page: &Page<'_>) -> Vec<bool> {
    let containers = &page.blocks.containers;
    let mut is_beside: Vec<bool> = Vec::with_capacity(containers.len());
    for container in containers {
        let own = matches!(container.tag, Tag::Nav | Tag::Aside | Tag::Footer | Tag::Dialog);
        let above = is_beside.get(container.parent()).copied().unwrap_or(false);
        is_beside.push(own || above);
    }
    is_beside
}

/// The blocks to take: those whose probability is above the threshold that makes the expected F-measure of the
/// words taken largest.
///
/// `weight` is the beta of the F-measure: above 1 completeness counts more, below 1 cleanness does.
/// A page of which the models are sure gets a threshold near one half, a doubtful one a lower threshold instead of
/// none of its text.
/// Source: optimal thresholds lie at half of the best F1 that can be had (Lipton, Elkan, Naryanaswamy 2014).
fn select(page: &Page<'_>, probabilities: &[f32], weight: f32) -> Vec<bool> {
    let mut order: Vec<u32> = (0..probabilities.len() as u32).collect();
    let of = |block: u32| probabilities[block as usize];
    order.sort_unstable_by(|a, b| of(*b).total_cmp(&of(*a)).then(a.cmp(b)));
    let beta = weight * weight;
    let expected: f32 = (0..probabilities.len()).map(|b| probabilities[b] * page.n_words(b)).sum();
    let (mut hits, mut taken) = (0.0, 0.0);
    let mut best = (0.0, 0);
    for (n_taken, block) in order.iter().enumerate() {
        hits += of(*block) * page.n_words(*block as usize);
        taken += page.n_words(*block as usize);
        let measure = (1.0 + beta) * hits / (beta * expected + taken).max(f32::MIN_POSITIVE);
        if measure > best.0 {
            best = (measure, n_taken + 1);
        }
    }
    let mut selected = vec![false; probabilities.len()];
    for block in order.iter().take(best.1) {
        selected[*block as usize] = true;
    }
    selected
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selected(probabilities: [f32; 3], weight: f32) -> Vec<bool> {
        let page =
            Page::new("<p>one two three four<p>one two three four<p>one two three four").expect("short");
        select(&page, &probabilities, weight)
    }

    #[test]
    fn sure_pages_are_cut_in_the_middle_and_doubtful_ones_give_their_likeliest() {
        assert_eq!(selected([0.99, 0.4, 0.98], 1.0), [true, false, true]);
        assert_eq!(selected([0.2, 0.3, 0.01], 1.0), [true, true, false]);
        assert_eq!(selected([0.0, 0.0, 0.0], 1.0), [false, false, false]);
    }

    #[test]
    fn a_menu_in_doubt_goes_where_text_is_sure() {
        let source = "<p>a sentence<nav><ul><li>one two<li>three four</ul></nav><p>another one<p>and a third";
        let page = Page::new(source).expect("short");
        let left = |probabilities: [f32; 5]| {
            let mut selected = vec![true; 5];
            leave_unlikely(&page, &probabilities, &mut selected);
            selected
        };
        assert_eq!(left([0.9, 0.5, 0.7, 0.3, 0.1]), [true, false, true, true, false]);
        // Where nothing else is sure, the menu may be what there is.
        assert_eq!(left([0.5, 0.5, 0.7, 0.3, 0.1]), [true; 5]);
    }

    #[test]
    fn the_weight_shifts_the_balance() {
        assert_eq!(selected([0.9, 0.45, 0.2], 0.3), [true, false, false]);
        assert_eq!(selected([0.9, 0.45, 0.2], 3.0), [true, true, true]);
    }
}
