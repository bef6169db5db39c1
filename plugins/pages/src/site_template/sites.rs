//! What is known of sites: for each path of elements, how often it occurs, how many texts it has, how likely these are.
//!
//! Everything is a count, a sum or the least few of some hashes, so it does not matter in which order pages come or
//! which part of a collection they were counted in.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::evidence::{Evidence, Seen};
use super::paths::{Paths, hash, text};
use crate::features::Page;

/// So many paths of a site are kept; a page has some hundred.
const MOST_PATHS: usize = 2048;
/// What a path is taken to hold in memory, and a site without its paths.
const PATH_BYTES: u64 = 512;
const SITE_BYTES: u64 = 256;
/// So many different texts of a path are told apart exactly; beyond, their number is estimated.
const N_TEXTS: usize = 16;

/// Where a site stands among others: by the hash of its name, so that those that do not fit are any.
type SiteKey = (u64, String);

/// The sites of a collection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    sites: Vec<(SiteKey, SiteCounts)>,
    /// From this site on there was no room.
    full_from: Option<SiteKey>,
}

/// The sites of a collection while they are counted.
#[derive(Debug, Default)]
pub(super) struct Counting {
    sites: BTreeMap<SiteKey, SiteCounts>,
    full_from: Option<SiteKey>,
    n_bytes: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct SiteCounts {
    n_pages: u64,
    paths: BTreeMap<u64, PathCounts>,
}

/// What the blocks of a path hold, over all pages.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct PathCounts {
    path: String,
    n_pages: u64,
    n_blocks: u64,
    n_words: u64,
    /// 255 for each word that is surely content.
    likely: u64,
    /// The least of the hashes of the texts: if there are fewer than [`N_TEXTS`], all of them.
    texts: Vec<u64>,
}

/// What a site is known by when its pages have been counted.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Site {
    pub(super) n_pages: u64,
    pub(super) paths: BTreeMap<u64, PathFacts>,
}

/// What is known of a path.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct PathFacts {
    pub(super) path: String,
    pub(super) n_pages: u64,
    pub(super) n_words: u64,
    pub(super) variety: f64,
    pub(super) likely: f64,
}

/// What a page adds to its site.
#[derive(Debug)]
pub(super) struct PageCounts(BTreeMap<u64, PathCounts>);

impl PageCounts {
    /// Counts a page; `likely` is what the models think of its blocks.
    pub(super) fn of(page: &Page<'_>, likely: &[f32]) -> Self {
        let paths = Paths::of(page);
        let mut counts: BTreeMap<u64, PathCounts> = BTreeMap::new();
        for (block, likely) in likely.iter().enumerate() {
            let container = page.container(block);
            let n_words = page.n_words(block) as u64;
            let path = counts.entry(paths.key(container)).or_insert_with(|| PathCounts {
                path: text(page, container),
                n_pages: 1,
                ..PathCounts::default()
            });
            path.n_blocks += 1;
            path.n_words += n_words;
            path.likely += n_words * u64::from(in_255ths(f64::from(*likely)));
            path.add_text(hash(page.text(block)));
        }
        Self(counts)
    }
}

impl PathCounts {
    fn add_text(&mut self, text: u64) {
        if let Err(place) = self.texts.binary_search(&text)
            && place < N_TEXTS
        {
            self.texts.insert(place, text);
            self.texts.truncate(N_TEXTS);
        }
    }

    fn add(&mut self, other: Self) {
        if self.path.is_empty() {
            self.path = other.path;
        }
        self.n_pages += other.n_pages;
        self.n_blocks += other.n_blocks;
        self.n_words += other.n_words;
        self.likely += other.likely;
        other.texts.into_iter().for_each(|text| self.add_text(text));
    }

    /// The number of different texts: if there are many, it is told from how close together the least hashes lie.
    fn n_texts(&self) -> f64 {
        match self.texts.last() {
            Some(last) if self.texts.len() == N_TEXTS => {
                (N_TEXTS - 1) as f64 / (*last as f64 / u64::MAX as f64).max(f64::MIN_POSITIVE)
            }
            _ => self.texts.len() as f64,
        }
    }

    fn facts(self) -> PathFacts {
        // As the table has it, so that a run with the table does the same.
        let share =
            |part: f64, whole: u64| ((part / whole.max(1) as f64).clamp(0.0, 1.0) * 1000.0).round() / 1000.0;
        PathFacts {
            variety: share(self.n_texts(), self.n_blocks),
            likely: share(self.likely as f64 / 255.0, self.n_words),
            path: self.path,
            n_pages: self.n_pages,
            n_words: self.n_words,
        }
    }
}

impl SiteCounts {
    fn add(&mut self, n_pages: u64, paths: BTreeMap<u64, PathCounts>) {
        self.n_pages += n_pages;
        for (key, path) in paths {
            self.paths.entry(key).or_default().add(path);
        }
        // Which stay does not depend on the order in which they came.
        while self.paths.len() > MOST_PATHS {
            self.paths.pop_last();
        }
    }

    fn n_bytes(&self) -> u64 {
        SITE_BYTES + self.paths.len() as u64 * PATH_BYTES
    }
}

impl Counting {
    /// Adds a page to its site, within so many bytes over all sites.
    pub(super) fn add(&mut self, site: &str, page: PageCounts, most_bytes: u64) {
        self.add_site((hash(site), site.to_owned()), 1, page.0, most_bytes);
    }

    /// Adds what another counting has brought.
    pub(super) fn merge(&mut self, other: Counts, most_bytes: u64) {
        if let Some(site) = other.full_from {
            self.leave_from(site);
        }
        for (site, counts) in other.sites {
            self.add_site(site, counts.n_pages, counts.paths, most_bytes);
        }
    }

    fn add_site(&mut self, site: SiteKey, n_pages: u64, paths: BTreeMap<u64, PathCounts>, most_bytes: u64) {
        if self.full_from.as_ref().is_some_and(|full_from| *full_from <= site) {
            return;
        }
        let counts = self.sites.entry(site).or_default();
        let before = if counts.n_pages == 0 { 0 } else { counts.n_bytes() };
        counts.add(n_pages, paths);
        self.n_bytes += counts.n_bytes() - before;
        while self.n_bytes > most_bytes
            && let Some((last, counts)) = self.sites.pop_last()
        {
            self.n_bytes -= counts.n_bytes();
            self.full_from = Some(last);
        }
    }

    /// Forgets the sites from one on.
    ///
    /// What a site holds only grows, so whichever site did not fit into a part does not fit into the whole: the sites
    /// that are left are the same in whatever order pages came.
    fn leave_from(&mut self, site: SiteKey) {
        if self.full_from.as_ref().is_none_or(|full_from| site < *full_from) {
            let left = self.sites.split_off(&site);
            self.n_bytes -= left.values().map(SiteCounts::n_bytes).sum::<u64>();
            self.full_from = Some(site);
        }
    }

    /// What was counted, to be saved.
    pub(super) fn counts(&self) -> Counts {
        let sites = self.sites.iter().map(|(site, counts)| (site.clone(), counts.clone()));
        Counts { sites: sites.collect(), full_from: self.full_from.clone() }
    }

    /// What is known of the sites of which there are enough pages, by name.
    pub(super) fn finish(self, min_pages: u64) -> BTreeMap<String, Site> {
        let is_known = |(_, counts): &(SiteKey, SiteCounts)| counts.n_pages >= min_pages;
        let site = |((_, name), counts): (SiteKey, SiteCounts)| {
            let paths = counts.paths.into_iter().map(|(key, path)| (key, path.facts())).collect();
            (name, Site { n_pages: counts.n_pages, paths })
        };
        self.sites.into_iter().filter(is_known).map(site).collect()
    }
}

impl Site {
    /// What the site says about the blocks of a page.
    pub(super) fn evidence(&self, page: &Page<'_>) -> Evidence {
        let paths = Paths::of(page);
        let seen = |block: usize| {
            // A path that no page had says nothing.
            let Some(path) = self.paths.get(&paths.key(page.container(block))) else {
                return Seen::default();
            };
            Seen {
                // More than 255 pages are no surer.
                pages: path.n_pages.min(255) as u8,
                variety: in_255ths(path.variety),
                likely: in_255ths(path.likely),
            }
        };
        Evidence::new((0..page.n_blocks()).map(seen).collect())
    }
}

fn in_255ths(share: f64) -> u8 {
    // In range by the clamp.
    (share.clamp(0.0, 1.0) * 255.0).round() as u8
}
