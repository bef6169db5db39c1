//! Options of the `records` reader.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{FieldNames, InvalidValues, TextForm};

/// Reads records that were dumped as Python or JSON literals, such as `text:'…\n…'`.
///
/// Use it for what a script left behind that printed its data instead of writing a format: escapes such as
/// `\n`, `\xa0` and `\u4e2d` stand in the file as they do in source code.
/// Nothing is executed; only literals are understood.
///
/// A file holds one record or many, in one of two shapes. A run of fields, each at the start of a line:
///
/// ```text
/// id: 17
/// text: '第一段\n第二段\xa0'
///
/// id: 18
/// text: "…"
/// ```
///
/// or a dict (or JSON object), which may go over several lines:
///
/// ```text
/// {'id': 17, 'text': '第一段\n第二段\xa0', 'tags': ['a', 'b']}
/// ```
///
/// A field is a name, `:` or `=`, and a literal: a string with any quotes and prefix, a number, `True`,
/// `False`, `None`, `true`, `false`, `null`, a list, a tuple or a dict. Fields may share a line with a comma
/// between them. A blank line, a name that the record already has, or a dict begins the next record.
///
/// ```toml
/// [[source]]
/// use = "records"
/// paths = ["dump/*.txt"]
/// fields = { text = "content" }
/// ```
///
/// A record that is none of this fails with the place and the reason, and its bytes are kept; reading goes
/// on with the next line that begins a record.
///
/// Limits: strings must be UTF-8; a surrogate pair written as two escapes (`\ud83d\ude00`) is joined, half
/// of one fails the record, as `nan` and `inf` do, unless `invalid_values = "repair"` puts U+FFFD and null in their
/// place and counts them under `surrogates_repaired` and `numbers_repaired`. `\/` is read as `/`, as JSON has it. `\N{…}`, f-strings, sets, complex numbers
/// and calls such as `datetime.datetime(…)` are refused. Literals nest up to 128 deep.
///
/// Source: the Python language reference, section 2, Lexical analysis.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RecordsOptions {
    /// The names of the fields that hold the identifier, the text and the raw page.
    ///
    /// `fields = { text = "body" }` leaves the other two at `id` and `raw`.
    pub fields: FieldNames,
    /// The metadata fields to take; without it, every field that `fields` does not name.
    ///
    /// An empty list takes none. Names with dots reach into objects.
    #[schemars(extend("uniqueItems" = true, "x-field" = "write"))]
    pub metadata: Option<Vec<String>>,
    /// New names of metadata fields: `rename = { link = "url", "host.name" = "site" }`.
    ///
    /// A field named here is taken even if `metadata` does not list it.
    #[schemars(extend("x-field-keys" = "renamed", "additionalProperties" = {"type": "string", "x-field": "add"}))]
    pub rename: BTreeMap<String, String>,
    /// The field whose dict is spread: each entry becomes a metadata field of its own.
    ///
    /// If a name stands both there and beside it, the one inside counts. A value that is no dict is an
    /// ordinary metadata field. Empty: nothing is spread.
    #[schemars(extend("x-needs" = [{"metadata": {"not": [[]]}}, {"rename": "some"}]))]
    pub spread: String,
    /// What the text is, so that stages for pages or for flattened text are not given the wrong one; by default nobody
    /// knows.
    pub form: Option<TextForm>,
    /// What becomes of `nan`, `inf` (or `NaN`, `Infinity`) and halves of surrogate pairs, such as a lone `\ud83d`: the
    /// record fails, or null and U+FFFD take their place.
    pub invalid_values: InvalidValues,
}

impl Default for RecordsOptions {
    fn default() -> Self {
        Self {
            fields: FieldNames::default(),
            metadata: None,
            rename: BTreeMap::new(),
            spread: crate::mapping::SPREAD.to_owned(),
            form: None,
            invalid_values: InvalidValues::default(),
        }
    }
}
