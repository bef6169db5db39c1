//! Options of `dedup-spans`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::priority::Keep;

/// Cuts passages that other documents have, too, and names the documents that keep them.
///
/// For texts that are not copies as a whole: reports that repeat a press release, pages that quote each other,
/// legal notices at the end of an article. Use it behind `dedup-near`, which drops whole documents, and behind the
/// stages that clean.
///
/// How it decides: a *span* is a run of whole sentences, from each of them on and up to each so many that they have
/// `min_chars` characters together. Spans are compared without case, width, white space and punctuation; one that
/// occurs in `min_documents` documents or more stays in one of them, the first in the order of the inputs or the
/// one that `keep` names, and is cut out of the others, whole sentences at a time. What one document says twice
/// stays. A document from which something was cut has the field `spans_kept_in`: the ids of the documents that keep
/// it. One of which nothing is left is dropped as `nothing-left`, and keeps its text.
///
/// ```toml
/// [[stage]]
/// use = "dedup-spans"
/// min_chars = 150
/// ```
///
/// Limits: a cut is made between sentences only, so never inside a word or a character; what is shared and has no
/// end of a sentence stays. What is cut may leave a gap between the sentences around it. A quotation is cut as well
/// where it is as long as `min_chars`: this stage is for training texts, not for archives. The corpus is read three
/// times, and of every sentence some 80 bytes are noted, in the work folder where they do not fit into
/// `max_state_bytes`.
///
/// What comes every month is compared with what is there already by an index: the first run has `index = true`, and
/// the next one `against = ["out/.tamis/learned/dedup-spans/index.state"]`. What is there keeps its passages, whatever
/// `keep` says, and `spans_kept_in` holds the ids in the earlier run. An index holds the passages that the documents of
/// its own run still have, so each month has one more in the list. `tamis run --add` does that by itself.
///
/// Counts: `sentences_cut`, `chars_cut`, `documents_changed`.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct DedupSpansOptions {
    /// A span has at least so many characters, without white space and the punctuation of ASCII. Shorter ones are the same by
    /// chance.
    #[schemars(range(min = 20), extend("x-unit" = "characters"))]
    pub min_chars: usize,
    /// A span is cut if at least so many documents have it.
    #[schemars(range(min = 2), extend("x-unit" = "documents"))]
    pub min_documents: u64,
    /// Which document keeps a span. Where several are equal, the first in the order of the inputs.
    pub keep: Keep,
    /// The field that `highest` and `lowest` are about, such as `published`. Numbers are compared as numbers and
    /// words by their letters, so dates must be written as `2024-03-01`. A document without it is kept last.
    #[schemars(extend("x-needs" = {"keep": ["highest", "lowest"]}, "x-field" = "read"))]
    pub keep_by: String,
    /// Files with the passages that documents of earlier runs have kept: they are cut out here. Each is the
    /// `index.state` that a run with `index` has left in `.tamis/learned` of its output, or what `tamis state merge`
    /// made of the states of the last round of shards. They must have been made with the same options.
    #[schemars(inner(length(min = 1)), extend("x-path" = "file"))]
    pub against: Vec<String>,
    /// Leave what was kept as a file for `against` of later runs, in `.tamis/learned` of the output: 24 bytes for each
    /// passage, and the ids. The corpus is read once more for it.
    pub index: bool,
    /// So much memory is held over all threads; what does not fit goes to the work folder. It adds to `memory` of
    /// `[run]`, which is for documents in flight. The result is the same whatever it is; less memory takes more time.
    #[schemars(range(min = 1_048_576), extend("x-unit" = "bytes"))]
    pub max_state_bytes: u64,
}

impl Default for DedupSpansOptions {
    fn default() -> Self {
        Self {
            min_chars: 100,
            min_documents: 2,
            keep: Keep::Earliest,
            keep_by: String::new(),
            against: Vec::new(),
            index: false,
            max_state_bytes: 256 << 20,
        }
    }
}
