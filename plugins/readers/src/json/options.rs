//! Options of the `json` reader.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{FieldNames, InvalidValues, TextForm};

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
/// Limits: one object around an array (`{"items": [{…}, {…}]}`) is one record; take the array out of it first, for
/// example with `jq '.items'`. Columns in messages count characters.
///
/// Source: RFC 8259.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct JsonOptions {
    /// The names of the fields that hold the identifier, the text and the raw page.
    ///
    /// `fields = { text = "body" }` leaves the other two at `id` and `raw`.
    pub fields: FieldNames,
    /// The metadata fields to take; without it, every field that `fields` does not name.
    ///
    /// An empty list takes none. Names with dots reach into objects.
    #[schemars(extend("x-field" = "write"))]
    pub metadata: Option<Vec<String>>,
    /// New names of metadata fields: `rename = { link = "url", "host.name" = "site" }`.
    ///
    /// A field named here is taken even if `metadata` does not list it.
    pub rename: BTreeMap<String, String>,
    /// The field whose object is spread: each member becomes a metadata field of its own.
    ///
    /// With `{"id": 1, "text": "…", "metadata": {"url": "…"}}` the document has the field `url`.
    /// If a name stands both there and at the top level, the one inside counts, wherever it stands in the
    /// line. A value that is no object is an ordinary metadata field. Empty: nothing is spread.
    #[schemars(extend("x-needs" = [{"metadata": {"not": [[]]}}, {"rename": "some"}]))]
    pub spread: String,
    /// What the text is, so that stages for pages or for flattened text are not given the wrong one; by default nobody
    /// knows.
    pub form: Option<TextForm>,
    /// What becomes of `NaN`, `Infinity` and halves of surrogate pairs, such as a lone `\ud83d`: the
    /// record fails, or null and U+FFFD take their place.
    pub invalid_values: InvalidValues,
}

impl Default for JsonOptions {
    fn default() -> Self {
        Self {
            fields: FieldNames::default(),
            metadata: None,
            rename: BTreeMap::new(),
            spread: "metadata".to_owned(),
            form: None,
            invalid_values: InvalidValues::default(),
        }
    }
}
