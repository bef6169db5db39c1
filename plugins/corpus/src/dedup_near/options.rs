//! Options of `dedup-near`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::priority::Keep;

/// Drops documents that are nearly the same as one that is kept, and names that one.
///
/// Use it behind the stages that clean: what a site repeats on every page makes pages alike that are not, and `tamis
/// check` warns of it. Put `dedup-exact` before it where many copies are equal to the letter, which costs less.
///
/// How it decides, in three steps.
///
/// 1. A text becomes a set of shingles: five tokens in a row, a token being a word, or a character of Chinese,
///    Japanese, Korean, Thai and other scripts without blanks between words. Case, width, marks above letters,
///    punctuation and white space do not count. A text of fewer than five tokens is one shingle, so only equal ones
///    are its copies.
/// 2. *Candidates* are found by min-wise hashing (`MinHash`): 112 numbers of each set in 14 `bands` of 8, and two
///    texts that have a band in common may be alike. Texts that are alike at .8 are found in 92 of 100 cases, at
///    .85 in 99, at .9 in 9996 of 10,000.
/// 3. Each candidate is *verified* before it is dropped: a text goes only if its whole set of shingles is compared
///    with that of a text that is kept, and `threshold` is met. Kept first is the best by `keep`; a text that is
///    like a dropped one and not like a kept one stays. So every text that is dropped has a twin that is there, and
///    nothing is dropped over a chain of others that differ a little each.
///
/// A dropped document has the reason `near-duplicate` and three fields: `duplicate_of` is the id of its twin,
/// `duplicate_similarity` how alike they are, and `duplicate_group` the id of the first document of all candidates
/// that hang together, some of which may be kept. A kept document for which others were dropped has `cluster_size`:
/// how many documents it stands for, itself included.
///
/// ```toml
/// [[stage]]
/// use = "dedup-near"
/// threshold = 0.8
/// keep = "longest"
/// ```
///
/// What is dropped and what stays, with the options above:
///
/// | texts | |
/// | --- | --- |
/// | a news item on two sites, one with a line of its own below | the shorter one is dropped |
/// | the same with another heading, of a hundred words | dropped |
/// | two texts of three words that differ in one | both stay |
/// | a thousand letters on one form that differ in a name | all stay: see `max_variants` |
/// | an excerpt of a long text | stays; `rule = "contained"` drops it |
///
/// `contained` has a direction: the text that goes is the one that is contained. With `keep = "earliest"` a long text does not
/// go for an excerpt of it that came before, and neither does the excerpt, because it is kept first and looked at no
/// more. With `keep = "longest"`, the default, every excerpt comes behind the text that holds it, and goes.
///
/// `clusters = "components"` with `verify = false` does what most programs do, to compare with them: everything
/// that hangs together over candidates becomes one. On 13,279 Chinese articles of one topic that dropped 1,325, of
/// which 780 were no duplicates of what was kept.
///
/// Limits: texts that say the same in other words are not alike. `contained` finds passages of about forty tokens
/// or more. A text with more than 65,536 different shingles is compared by a sample of them. In a group of
/// candidates that takes more than a quarter of `max_state_bytes`, texts are not compared with those that came long
/// before them: some that could be dropped stay. The document that was kept may still be dropped by a later stage:
/// put stages that drop before this one. The corpus is read three times; of each document 24 bytes for each band
/// are noted, and of those with candidates four bytes for each shingle, in the work folder where they do not fit
/// into `max_state_bytes`.
///
/// What comes every month is compared with what is there already by an index: the first run has `index = true`, and
/// the next one `against = ["out/.tamis/learned/dedup-near/index.state"]`. What is there stays: new documents are
/// dropped for it, whatever `keep` says, and `duplicate_of` is then the id in the earlier run. An index holds the
/// documents that its own run has kept, so each month has one more in the list. `tamis run --add` does that by
/// itself.
///
/// Measures: `similarity`, of dropped documents. Counts: `not_compared_with_all`, kept documents whose group took more
/// memory than there is, so that they may be like one of it that came long before them; `tamis run` warns of it.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DedupNearOptions {
    /// When a text is a duplicate of another.
    #[schemars(extend("x-needs" = {"verify": [true]}))]
    pub rule: Rule,
    /// How alike two texts must be for one to be dropped; by default 0.8 for `jaccard` and 0.98 for `contained`.
    #[schemars(range(min = 0.3, max = 1.0), extend("x-needs" = {"verify": [true]}))]
    pub threshold: Option<f64>,
    /// Which of several is kept. Where they are equal, the first in the order of the inputs.
    pub keep: Keep,
    /// The field that `highest` and `lowest` are about, such as `published` or a score. Numbers are compared as
    /// numbers and words by their letters, so dates must be written as `2024-03-01`. A document without it is kept
    /// last.
    #[schemars(extend("x-needs" = {"keep": ["highest", "lowest"]}, "x-field" = "read"))]
    pub keep_by: String,
    /// Only documents with the same value in all of these fields are duplicates: with `["title"]` notices on one form
    /// about several things stay. Two documents without a field have the same.
    #[schemars(inner(length(min = 1)), extend("x-field" = "read"))]
    pub equal_in: Vec<String>,
    /// Only documents with different values in all of these fields are duplicates: with `["site"]` what a site says
    /// twice stays, and what another site says after it goes. Two documents without a field do not differ.
    #[schemars(inner(length(min = 1)), extend("x-field" = "read", "x-needs" = {"verify": [true]}))]
    pub differ_in: Vec<String>,
    /// A kept text for which more *different* texts would be dropped that all differ from it in the same place is
    /// taken for a form that is filled in, and they stay; those that are equal are dropped all the same. 0: forms are
    /// not looked for.
    #[schemars(extend("x-unit" = "documents", "x-needs" = {"clusters": ["star"], "rule": ["jaccard"]}))]
    pub max_variants: u32,
    /// So many tokens in a row are a shingle. Fewer find texts that were changed more, and more that have nothing
    /// to do with each other.
    #[schemars(range(min = 1, max = 64), extend("x-unit" = "tokens"))]
    pub shingle_tokens: usize,
    /// How candidates are found: bands and rows in each, as `14x8`. More bands find more, more rows fewer that are not
    /// alike. `auto` chooses what finds 99 of 100 texts that are .05 above the threshold. How many are compared in vain
    /// depends on the collection and its size: `tamis plan --resolve FILE` looks at a sample, chooses so that a text has
    /// less than .3 such candidates if that can be had, and writes the numbers into a pipeline, which all shards and
    /// later runs then have. `tamis plan` shows what bands are expected to miss and to compare in vain.
    #[schemars(regex(pattern = "^(auto|[1-9][0-9]{0,2}x[1-9][0-9]?)$"), extend("x-needs" = {"rule": ["jaccard"]}))]
    pub bands: String,
    /// What becomes of groups of candidates.
    pub clusters: Clusters,
    /// Whether two texts are compared before one is dropped. Without it whatever has a band in common is one, which
    /// needs `clusters = "components"`.
    pub verify: bool,
    /// Files with the documents that earlier runs have kept: what is like one of them is dropped here, whatever `keep`
    /// says. Each is the `index.state` that a run with `index` has left in `.tamis/learned` of its output, or what
    /// `tamis state merge` made of the states of the last round of shards. They must have been made with the same
    /// options, but for `threshold`, `clusters` and `max_variants`.
    #[schemars(inner(length(min = 1)), extend("x-path" = "file", "x-needs" = {"verify": [true]}))]
    pub against: Vec<String>,
    /// Leave what was kept as a file for `against` of later runs, in `.tamis/learned` of the output: four bytes for each
    /// shingle, eight for each band, and the id. The corpus is read once more for it.
    #[schemars(extend("x-needs" = {"verify": [true]}))]
    pub index: bool,
    /// So much memory is held over all threads; what does not fit goes to the work folder. It adds to `memory` of
    /// `[run]`, which is for documents in flight.
    #[schemars(range(min = 1_048_576), extend("x-unit" = "bytes"))]
    pub max_state_bytes: u64,
}

impl Default for DedupNearOptions {
    fn default() -> Self {
        Self {
            rule: Rule::default(),
            threshold: None,
            keep: Keep::default(),
            keep_by: String::new(),
            equal_in: Vec::new(),
            differ_in: Vec::new(),
            max_variants: 200,
            shingle_tokens: 5,
            bands: "14x8".to_owned(),
            clusters: Clusters::default(),
            verify: true,
            against: Vec::new(),
            index: false,
            max_state_bytes: 256 << 20,
        }
    }
}

impl DedupNearOptions {
    /// How alike two texts must be.
    pub(super) fn least(&self) -> f64 {
        self.threshold.unwrap_or(match self.rule {
            Rule::Jaccard => 0.8,
            Rule::Contained => 0.98,
        })
    }
}

/// When a text is a duplicate of another.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Of the shingles that either of them has, both have so many.
    #[default]
    Jaccard,
    /// Of the shingles of the text, so many are in the other one, which may be much longer.
    Contained,
}

/// What becomes of groups of candidates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Clusters {
    /// A text is dropped for one that is kept and like it.
    #[default]
    Star,
    /// Texts that are alike, also over others, are one, and one of them is kept: the ends of a chain may
    /// have nothing in common.
    Components,
}
