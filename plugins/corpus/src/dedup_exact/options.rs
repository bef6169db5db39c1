//! Options of `dedup-exact`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::priority::Keep;

/// Drops documents whose text has occurred before in the corpus, and names the one that was kept.
///
/// Use it before stages that are slow or that count documents: a page that was crawled ten times would teach
/// `line-template` that its paragraphs are template.
/// Texts that differ by a line of template are told apart; to find those too, use it again behind the
/// stages that clean.
///
/// How it decides: the normalised text of every document is hashed, and of all documents with the same hash
/// one is kept: the first one in the corpus, or the one that `keep` names.
/// First means first in the order of the inputs, whatever the number of threads and shards.
/// Each of the others is dropped with the reason `duplicate`, and its field `duplicate_of` holds the id of
/// the one that was kept.
///
/// ```toml
/// [[stage]]
/// use = "dedup-exact"
/// normalize = "loose"
/// ```
///
/// What each `normalize` takes for the same:
///
/// | text | exact | whitespace | loose |
/// | --- | --- | --- | --- |
/// | `Rain, at last.` | | | |
/// | `Rain,  at last.` and a line end | other | same | same |
/// | `RAIN AT LAST` | other | other | same |
/// | `Ｒａｉｎ，at last。` | other | other | same |
/// | `Rain, at 7.` | other | other | other |
///
/// What means something stays in `loose`: `1.5` is not `15`, `-5` not `5`, and `C`, `C#` and `C++` are three.
/// With `field = "url"` and `normalize = "address"` links to one page are the same, however they are written.
///
/// With `unit = "paragraphs"` or `"lines"` these are compared in the place of documents, and cut out of all
/// documents but one; what a document says twice stays there. A document of which nothing is left is dropped as
/// `nothing-left`. For menus and buttons `line-template` is better: it knows what belongs to a site, and this stage
/// cuts a sentence that two authors have quoted.
///
/// What comes every month is compared with what is there already by an index: the first run has `index = true`, and
/// the next one `against = ["out/.tamis/learned/dedup-exact/index.state"]`. `duplicate_of` is then the id in the
/// earlier run. An index holds what its own run has seen, so each month has one more in the list. Of paragraphs and lines
/// it holds those that each document has kept: what is there already is cut out of the new ones.
///
/// Hashes have 128 bits (XXH3): among ten billion different texts the odds that any two share one are about
/// 1 in 7 000 000 000 000 000 000.
/// The hash is no cryptographic one: somebody who wants two texts to collide can make such texts.
///
/// Limits: a document is compared as a whole; one that is part of another, or differs in a single letter, is kept:
/// for those is `dedup-near`. The document that was kept may still be dropped by a later stage, and its duplicates
/// with it: put stages that drop before this one. Of each document a row of 32 bytes is noted, and its id, or of
/// each paragraph or line as much; what does not fit into `max_state_bytes` goes to the work folder.
///
/// Counts, with paragraphs and lines: `parts_cut`, `chars_cut`, `documents_changed`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DedupExactOptions {
    /// What is made equal before texts are compared.
    pub normalize: Normalize,
    /// What is compared: `text`, or the name of a metadata field such as `url`. A document without the
    /// field is kept. Numbers and lists are compared as they are written in JSON.
    #[schemars(length(min = 1), extend("x-field" = "read"))]
    pub field: String,
    /// What is compared, and dropped or cut.
    #[schemars(extend("x-needs" = {"field": ["text"]}))]
    pub unit: Unit,
    /// Which of several is kept. Where they are equal, the first in the order of the inputs. Of paragraphs and
    /// lines it is the document that is chosen.
    pub keep: Keep,
    /// The field that `highest` and `lowest` are about, such as `published`: the newest copy is the one with the
    /// highest date. Numbers are compared as numbers and words by their letters, so dates must be written as
    /// `2024-03-01`. A document without it is kept last.
    #[schemars(extend("x-needs" = {"keep": ["highest", "lowest"]}, "x-field" = "read"))]
    pub keep_by: String,
    /// What has fewer characters than this, once normalised, is kept and nobody's duplicate. By default 1 for
    /// documents, so that empty ones are all kept (dropping them is for `length`), and 40 for paragraphs and lines,
    /// because short ones are the same by chance.
    #[schemars(range(min = 1), extend("x-unit" = "characters"))]
    pub min_chars: Option<u64>,
    /// Files with what earlier runs have seen: what is in one of them is a duplicate here, whichever `keep` says.
    /// Each is the `index.state` that a run with `index` has left in `.tamis/learned` of its output, or what `tamis
    /// state merge` made of the states of shards. They must have been made with the same options.
    #[schemars(inner(length(min = 1)), extend("x-path" = "file"))]
    pub against: Vec<String>,
    /// Leave what was seen as a file for `against` of later runs, in `.tamis/learned` of the output: 32 bytes for
    /// each document, and the ids of those that were first; of paragraphs and lines 16 bytes for each that is kept, and the
    /// corpus is read once more for it.
    pub index: bool,
    /// So much memory is held over all threads, for what was seen and for the table of duplicates; what does not fit
    /// goes to the work folder. It adds to `memory` of `[run]`, which is for documents in flight. The result is the
    /// same whatever it is; less memory takes more time.
    #[schemars(range(min = 1_048_576), extend("x-unit" = "bytes"))]
    pub max_state_bytes: u64,
}

impl Default for DedupExactOptions {
    fn default() -> Self {
        Self {
            normalize: Normalize::default(),
            field: "text".to_owned(),
            unit: Unit::default(),
            keep: Keep::Earliest,
            keep_by: String::new(),
            min_chars: None,
            against: Vec::new(),
            index: false,
            max_state_bytes: 64 << 20,
        }
    }
}

/// What is made equal before texts are compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Normalize {
    /// Nothing: texts are the same byte for byte.
    Exact,
    /// Runs of white space are one blank, and there is none at the ends.
    #[default]
    Whitespace,
    /// Case, width (Unicode form NFKC), white space and punctuation do not count, but for what parts two numbers, signs
    /// of numbers, and symbols such as `C#`, `<`, `%` and emoji. Good for pages that were scraped in several ways.
    Loose,
    /// Addresses that lead to one page are the same: scheme (`http` and `https`), case of the host and whether it is in
    /// Punycode (`xn--…`), default port, `/` at the end, what is escaped with `%`, fragment, order of parameters, and those that only say where a visitor came from
    /// (`utm_source`, `gclid`, …) do not count. For a `field` such as `url`.
    Address,
}

/// What is compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Whole documents; all but one are dropped.
    #[default]
    Documents,
    /// What stands between blank lines; it is cut out of all documents but one.
    Paragraphs,
    /// Lines, likewise.
    Lines,
}
