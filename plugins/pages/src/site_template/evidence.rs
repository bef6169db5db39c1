//! What other pages of a site say about the blocks of a page.
//!
//! It moves probabilities and takes or leaves nothing by itself. What stands on one path is mostly of one kind, and
//! the models know it on most pages: where they doubt a block, the mean over the pages is the better guess. So each
//! probability is drawn to that of its path, the more the more pages have the path, in logits. Where the models take
//! little of a path and the same few texts stand there on every page, it is template, and less likely still. Where they
//! are not sure of a path and its texts are different on every page, it is more likely.
//!
//! As features of the second model the same numbers brought nothing (.976 to .976 on documentation of packages left
//! out, where this brings .984): six templates are too few to learn from what they mean.

use tamis_text::maths::{exp_f32, ln_f32};

/// What is said of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Seen {
    /// On how many pages of the site something stands on the same path, 255 at most.
    pub(super) pages: u8,
    /// How many different texts stand there, as a share of all texts there, in 255ths.
    pub(super) variety: u8,
    /// How likely texts there are content, over all pages, in 255ths.
    pub(super) likely: u8,
}

/// What is said of all blocks of a page; of none where too few pages of the site are known.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Evidence(Vec<Seen>);

/// Bytes of a block in an attachment.
const WIDTH: usize = 3;
/// So much of the way a probability goes to that of a path which many pages have.
const MOST_PULL: f32 = 0.7;
/// A path that so many pages have pulls half as much.
const HALF_PAGES: f32 = 2.0;
/// Texts of which less than this share is different are said again and again.
const VARIED: f32 = 0.5;
/// What varies more is written anew on each page: a path that is not unlikely gets up to so much for it, in logits. Of
/// paths that are less likely than [`LEAST_LIKELY`] much varies as well, such as what leads to other pages.
const FOR_VARIETY: f32 = 0.6;
const LEAST_LIKELY: f32 = 0.15;
/// No path is surer than this.
const LEAST: f32 = 0.003;

impl Evidence {
    pub(super) fn new(of_block: Vec<Seen>) -> Self {
        Self(of_block)
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As the bytes of an attachment.
    pub(super) fn bytes(&self) -> Vec<u8> {
        self.0.iter().flat_map(|seen| [seen.pages, seen.variety, seen.likely]).collect()
    }

    /// From the bytes of an attachment.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let seen = |[pages, variety, likely]: &[u8; WIDTH]| Seen {
            pages: *pages,
            variety: *variety,
            likely: *likely,
        };
        Self(bytes.as_chunks().0.iter().map(seen).collect())
    }

    #[cfg(test)]
    pub(super) fn rows(&self) -> &[Seen] {
        &self.0
    }

    /// Weighs it with what the models think of each block; evidence of other blocks than these is none.
    pub fn weigh(&self, probabilities: &mut [f32]) {
        if self.0.len() != probabilities.len() {
            return;
        }
        for (probability, seen) in probabilities.iter_mut().zip(&self.0).filter(|(_, seen)| seen.pages > 0) {
            *probability = seen.weighed(*probability);
        }
    }
}

impl Seen {
    fn weighed(self, probability: f32) -> f32 {
        let (own, path) = (logit(probability), logit(f32::from(self.likely) / 255.0));
        let n_pages = f32::from(self.pages);
        let known = n_pages / (n_pages + HALF_PAGES);
        let pull = MOST_PULL * known;
        let variety = f32::from(self.variety) / 255.0;
        let sameness = (VARIED - variety).max(0.0) / VARIED;
        let template = if path < 0.0 { sameness * known } else { 0.0 };
        let may_be = f32::from(self.likely) / 255.0 >= LEAST_LIKELY;
        let varied = if may_be { (variety - VARIED).max(0.0) / (1.0 - VARIED) } else { 0.0 };
        1.0 / (1.0 + exp_f32(-(own + pull * (path - own) - template + FOR_VARIETY * varied * known)))
    }
}

fn logit(probability: f32) -> f32 {
    let probability = probability.clamp(LEAST, 1.0 - LEAST);
    ln_f32(probability / (1.0 - probability))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn weighed(probability: f32, pages: u8, variety: u8, likely: u8) -> f32 {
        let mut probabilities = [probability];
        Evidence::new(vec![Seen { pages, variety, likely }]).weigh(&mut probabilities);
        probabilities[0]
    }

    #[test]
    fn doubts_are_settled_by_the_other_pages_and_certainty_is_left() {
        assert!(weighed(0.3, 40, 255, 230) > 0.6);
        assert!(weighed(0.6, 40, 255, 20) < 0.3);
        assert!(weighed(0.98, 40, 255, 120) > 0.6);
        // Five pages say less than forty, and a path of no other page says nothing.
        assert!(weighed(0.3, 5, 255, 230) < weighed(0.3, 40, 255, 230));
        assert!((weighed(0.3, 0, 0, 0) - 0.3).abs() < 1e-6);
    }

    #[test]
    fn what_is_the_same_everywhere_and_unlikely_is_template() {
        assert!(weighed(0.4, 40, 5, 90) < weighed(0.4, 40, 255, 90));
        // Headings of the content are, too, and they are likely.
        assert!((weighed(0.4, 40, 5, 220) - weighed(0.4, 40, 127, 220)).abs() < 1e-6);
    }

    #[test]
    fn what_is_written_anew_on_each_page_is_likelier_unless_it_is_unlikely() {
        assert!(weighed(0.4, 40, 250, 90) > weighed(0.4, 40, 120, 90));
        // Other stories, beside all pages of a site.
        assert!((weighed(0.1, 40, 250, 20) - weighed(0.1, 40, 130, 20)).abs() < 1e-6);
    }

    #[test]
    fn evidence_of_other_blocks_is_none() {
        let mut probabilities = [0.3, 0.4];
        Evidence::new(vec![Seen { pages: 9, variety: 0, likely: 255 }]).weigh(&mut probabilities);
        assert_eq!(probabilities.map(f32::to_bits), [0.3_f32, 0.4].map(f32::to_bits));
    }
}
