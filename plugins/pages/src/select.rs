//! Which blocks are taken, given how sure the models are of each.

use crate::alike;
use crate::beyond;
use crate::discussion::Discussion;
use crate::features::Page;
use crate::notices;
use crate::units::complete;

/// The blocks that are content, as the models think of each and as wholes.
///
/// `weight` is the beta of the expected F-measure that is made largest.
///
/// Notices of platforms go, and so do comments below an article. The models leave most of these, but they see no page
/// as a whole: under a short article the comments are most of the text.
pub fn content(page: &Page<'_>, probabilities: &[f32], weight: f32) -> Vec<bool> {
    let mut probabilities = probabilities.to_vec();
    alike::even_out(page, &mut probabilities);
    notices::quieten(page, &mut probabilities);
    let discussion = Discussion::of(page);
    if discussion.is_below_article(page, &probabilities) {
        discussion.quieten(page, &mut probabilities);
    }
    beyond::quieten(page, &mut probabilities);
    let mut selected = select(page, &probabilities, weight);
    complete(page, &probabilities, &mut selected);
    selected
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
    fn the_weight_shifts_the_balance() {
        assert_eq!(selected([0.9, 0.45, 0.2], 0.3), [true, false, false]);
        assert_eq!(selected([0.9, 0.45, 0.2], 3.0), [true, true, true]);
    }
}
