//! Options of `exec`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Runs a program as a stage: a filter or an extractor in Python or any other language.
///
/// ```toml
/// [[stage]]
/// use = "exec"
/// command = ["python3"]
/// script = "long_enough.py"
/// options = { min_chars = 200 }
/// ```
///
/// With the `tamis` package of Python such a program is a function:
///
/// ```python
/// import tamis
///
/// @tamis.filter
/// def long_enough(document, options):
///     return len(document.text) >= options["min_chars"] or "too short"
///
/// tamis.serve(long_enough)
/// ```
///
/// Each worker starts one child process and gives it documents in batches, on standard input; it answers on standard output, in the same
/// order. Both are JSON Lines, in UTF-8, one JSON object a line, or with `format = "arrow"` record batches:
///
/// 1. The first line to the program is `{"tamis":1,"options":{…}}`, its first line back `{"tamis":1}`. A program that cannot work says
///    why instead: `{"tamis":1,"error":"no model at model.bin"}`.
/// 2. `{"batch":3}` says how many lines follow, one a document: `{"id":"a.jsonl#0","text":"…","metadata":{"url":"…"}}`, and `raw`, in
///    base64, when it is asked for.
/// 3. The answer is as many lines, which must be flushed at the end of the batch. `{"id":"a.jsonl#0"}`, the document that is meant, keeps
///    it as it is. Other members, all of which may be left out: `drop`, a reason, which drops it; `fail`, a message, which makes it a dead
///    letter; `text`, its new text; `metadata`, an object of fields to set, those that are `null` to remove; `split`, a list of
///    `{"text":…,"metadata":…}` for documents to split off; `counts`, an object of numbers that are summed over the run.
/// 4. The end of standard input is the end of the work. What the program writes to standard error goes to the log of the run.
///
/// With `format = "arrow"` the greeting is `{"tamis":1,"format":"arrow","options":{…}}`, answered with `{"tamis":1,"format":"arrow"}`, and
/// what follows is an Arrow IPC stream in either direction, a record batch for each batch. The columns to the program are the strings
/// `id`, `text` and `metadata`, a JSON object, and the bytes `raw` when they are asked for; the columns back are strings, too: `id`, and as
/// far as they are needed `drop`, `fail` and `text`, `metadata`, `split` and `counts` as JSON, with null for what is not said. A program
/// may answer a batch in several, with at least one row each. That spares it reading and writing JSON, which is most of the time of one
/// that does little, and gives one that works on columns what it wants; `@tamis.filter` and `@tamis.extractor` stay as they are, and
/// need `pyarrow`.
///
/// The answers must be a function of the document and the options: documents come in batches of any size, in any process, and come again
/// when a run is resumed. A document without change keeps its attachments, so a filter costs the stages behind it nothing.
///
/// A program that ends, is silent for `timeout_secs`, or answers what is no answer costs one document: it is started again, and what was not
/// answered comes again, one document at a time. The one at which that happens once more becomes a dead letter with the last lines that
/// the program wrote to standard error. After three starts in a row that fail, nothing is started any more.
///
/// The process is in a group of its own, so Ctrl-C reaches Tamis alone, which ends its standard input.
///
/// What it has said on standard error before it failed is logged once; when it says that again, numbers aside, it is counted.
///
/// Counts: `exec:restarts`, `exec:said_again`, and those of the program under their own names.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ExecOptions {
    /// The program, found as a shell finds it, and its arguments.
    #[schemars(length(min = 1), extend("x-words" = true))]
    pub command: Vec<String>,
    /// A file that is given to the program as its last argument, relative to the pipeline. Its content is part of the pipeline: a run is
    /// not resumed with another.
    #[schemars(extend("x-path" = "file"))]
    pub script: Option<String>,
    /// How documents go to the program and answers come back.
    pub format: ExecFormat,
    /// What the program is told when it starts.
    pub options: serde_json::Map<String, serde_json::Value>,
    /// The metadata fields that the program gets; all of them when it is not given.
    #[schemars(extend("x-field" = "read", "uniqueItems" = true))]
    pub fields: Option<Vec<String>>,
    /// Whether the program gets the bytes as scraped, in base64.
    pub raw: bool,
    /// How many documents a batch has at most. One that calls a slow model wants fewer.
    #[schemars(range(min = 1, max = 1024))]
    pub batch: usize,
    /// How long the program may be silent while it owes an answer.
    #[schemars(range(min = 1, max = 86400), extend("x-unit" = "seconds"))]
    pub timeout_secs: u64,
}

impl Default for ExecOptions {
    fn default() -> Self {
        Self {
            command: Vec::new(),
            script: None,
            format: ExecFormat::default(),
            options: serde_json::Map::new(),
            fields: None,
            raw: false,
            batch: 256,
            timeout_secs: 50,
        }
    }
}

/// How documents go to a program and answers come back.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExecFormat {
    /// JSON Lines, which every language speaks.
    #[default]
    Jsonl,
    /// Arrow IPC, which costs less.
    Arrow,
}

impl ExecFormat {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "as serde calls it")]
    pub(super) fn is_jsonl(&self) -> bool {
        *self == Self::Jsonl
    }
}
