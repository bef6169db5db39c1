//! Options of `site-template`.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Learns what the pages of a site have in common, and tells `html-extract`.
///
/// Use it before `html-extract` where a collection holds many pages of each site. One page does not tell whether a
/// short line is a heading of its text or a label of the template; sixty pages do.
///
/// How it decides: for each site and each path of block elements (`div.body>table.index>td`) it counts how many pages
/// have it, how many different texts stand there, and how likely these are content by the models of `html-extract`.
/// Then it attaches to each page what is known of the paths of its blocks, and nothing else changes.
/// `html-extract` weighs that with what it thinks of each block of the page: where it doubts one, the mean over all
/// pages of the site is the better guess; what is unlikely and the same on all pages is less likely still, and what is in
/// doubt and different on each page is more likely.
/// No path is taken or left by rule: a block of which the models are sure stays or goes as they say.
///
/// A path is made of the last five block elements with up to three classes each. Ids, classes with digits and the
/// classes of `body` are left out, because they name one page.
/// Pages of a site are those with the same value in the first of the fields of `group_by` that they have; of a URL only
/// the host counts, without `www.`. Pages without any of the fields belong together if they load the same style sheets,
/// or where they load none, if they begin with the same elements.
/// Sites of fewer than `min_pages` pages say nothing, and their pages are read as without this stage.
///
/// ```toml
/// [[stage]]
/// use = "site-template"
///
/// [[stage]]
/// use = "html-extract"
/// ```
///
/// What was learned is written to the folder that the run keeps, as `sites.toml`: the paths of each site, those with
/// most words first. Read it, change what you know better (`likely = 1.0` for what is content, `0.0` for what is none),
/// and give it back: the stage then learns nothing and needs no pass of its own.
/// Of a site that stands in several tables the last counts.
///
/// ```toml
/// [[stage]]
/// use = "site-template"
/// table = ["sites.toml"]
/// ```
///
/// Limits: it must see the whole collection, and each page is parsed three times and judged twice. What is known of sites is held
/// in memory: about 512 bytes for each path, some hundred kilobytes for each site. When `max_state_bytes` are full,
/// sites are left out, the same ones in any order of pages and any number of threads, and their pages are read as
/// without this stage.
/// Style sheets tell templates apart and not sites: without addresses, two sites of one template count as one.
///
/// Counts: `with_evidence`, `without_evidence` (pages of sites with too few pages, or that are not in the table),
/// `no_markup` (passed on as they are).
///
/// Source: templates of sites as trees of styles (Yi, Liu and Li 2003: "Eliminating noisy information in web pages for
/// data mining"); the number of different texts is estimated from the least hashes (Bar-Yossef and others 2002).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct SiteTemplateOptions {
    /// The metadata fields that say which pages are of one site; the first that a page has counts.
    #[schemars(inner(length(min = 1)), extend("x-field" = "read", "uniqueItems" = true, "x-needs" = {"table": "none"}))]
    pub group_by: Vec<String>,
    /// Sites with fewer pages say nothing: what two pages share may be chance.
    #[schemars(range(min = 2), extend("x-unit" = "pages", "x-needs" = {"table": "none"}))]
    pub min_pages: u64,
    /// So much memory is held for what is known of sites, over all threads. It adds to `memory` of `[run]`, which is
    /// for documents in flight.
    #[schemars(range(min = 1_048_576), extend("x-unit" = "bytes", "x-needs" = {"table": "none"}))]
    pub max_state_bytes: u64,
    /// Learned tables to use instead of learning, as `sites.toml`.
    #[schemars(inner(length(min = 1)), extend("x-path" = "file"))]
    pub table: Vec<PathBuf>,
}

impl Default for SiteTemplateOptions {
    fn default() -> Self {
        Self {
            group_by: vec!["site".to_owned(), "url".to_owned()],
            min_pages: super::training::MIN_PAGES,
            max_state_bytes: 256 << 20,
            table: Vec::new(),
        }
    }
}
