//! Options of the `json` reader.

use crate::jsonl::options::object_options;

object_options! {
    /// Reads one document from each object of a JSON file.
    ///
    /// Use it for `.json` files: an array of objects, as crawlers export it (`[{…}, {…}]`), or objects one after the
    /// other in any layout, such as one object of many lines. For one object a line, [`jsonl`](jsonl.md) is faster.
    ///
    /// ```toml
    /// [[source]]
    /// use = "json"
    /// paths = ["export/*.json"]
    /// fields = { text = "body" }
    /// metadata = ["url", "title"]
    /// ```
    ///
    /// Fields are taken as by `jsonl`: three have a meaning of their own (`fields`), all others become metadata with their
    /// type kept, or only those that `metadata` lists.
    /// A file of any length is read in blocks: the brackets and commas between objects are passed over, so several arrays
    /// may follow each other, and a comma too many does no harm.
    ///
    /// What stands there and is no object, an object that is not JSON or not UTF-8, and one that has neither the text nor
    /// the raw page fails with its line and column, and its bytes are kept.
    /// Behind an object that does not end, reading goes on at the next line that begins with `{`, no farther to the right
    /// than the broken one.
    ///
    /// `NaN`, `Infinity` and halves of surrogate pairs, which some programs write, are no JSON. With
    /// `invalid_values = "repair"` they are read as null and U+FFFD, and counted under `numbers_repaired` and
    /// `surrogates_repaired`.
    ///
    /// JSON is UTF-8; what old systems wrote in another encoding is read with `encoding`, which is never guessed.
    ///
    /// Limits: one object around an array (`{"items": [{…}, {…}]}`) is one record; take the array out of it first, for
    /// example with `jq '.items'`. Columns in messages count characters.
    ///
    /// Source: RFC 8259.
    JsonOptions
}
