//! For the trainer: what sites say, learned as the stage learns it.

use std::collections::BTreeMap;

use super::evidence::Evidence;
use super::sites::{Counting, PageCounts, Site};
use crate::features::Page;

/// So few pages of a site say nothing.
pub(crate) const MIN_PAGES: u64 = 5;

/// The sites of some pages.
#[derive(Debug, Default)]
pub struct Sites {
    counting: Counting,
    known: BTreeMap<String, Site>,
}

impl Sites {
    /// Takes in a page and what the models think of its blocks.
    pub fn observe(&mut self, site: &str, page: &Page<'_>, likely: &[f32]) {
        self.counting.add(site, PageCounts::of(page, likely), u64::MAX);
    }

    /// Ends observing.
    pub fn finish(&mut self) {
        self.known = std::mem::take(&mut self.counting).finish(MIN_PAGES);
    }

    /// What the other pages of its site say about a page; nothing where they are too few.
    pub fn evidence(&self, site: &str, page: &Page<'_>) -> Evidence {
        self.known.get(site).map(|site| site.evidence(page)).unwrap_or_default()
    }
}
