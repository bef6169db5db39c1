//! Options of the `jsonl` reader, which are those of `json` as well.

/// The options of a reader of JSON objects, with the page of that reader in front.
macro_rules! object_options {
    ($(#[$page:meta])* $name:ident) => {
        $(#[$page])*
        #[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        #[serde(default, deny_unknown_fields)]
        pub struct $name {
            /// The names of the fields that hold the identifier, the text and the raw page.
            ///
            /// `fields = { text = "body" }` leaves the other two at `id` and `raw`. Whether two records share an id is not
            /// looked at: it would take a table of all of them, and nothing is joined by it. To find them, copy `id` to a
            /// field (stage `fields`) and let `dedup-exact` compare that.
            pub fields: crate::FieldNames,
            /// The metadata fields to take; without it, every field that `fields` does not name.
            ///
            /// An empty list takes none. Names with dots reach into objects.
            #[schemars(extend("uniqueItems" = true, "x-field" = "write"))]
            pub metadata: Option<Vec<String>>,
            /// New names of metadata fields: `rename = { link = "url", "host.name" = "site" }`.
            ///
            /// A field named here is taken even if `metadata` does not list it.
            #[schemars(extend("x-field-keys" = "renamed", "additionalProperties" = {"type": "string", "x-field": "add"}))]
            pub rename: std::collections::BTreeMap<String, String>,
            /// The field whose object is spread: each member becomes a metadata field of its own.
            ///
            /// With `{"id": 1, "text": "…", "metadata": {"url": "…"}}` the document has the field `url`.
            /// If a name stands both there and at the top level, the one inside counts, wherever it stands in the
            /// line. A value that is no object is an ordinary metadata field. Empty: nothing is spread.
            #[schemars(extend("x-needs" = [{"metadata": {"not": [[]]}}, {"rename": "some"}]))]
            pub spread: String,
            /// What the text is, so that stages for pages or for flattened text are not given the wrong one; by default
            /// nobody knows.
            pub form: Option<crate::TextForm>,
            /// What becomes of `NaN`, `Infinity` and halves of surrogate pairs, such as a lone `\ud83d`: the
            /// record fails, or null and U+FFFD take their place.
            pub invalid_values: crate::InvalidValues,
            /// The encoding of the files, such as `gb18030`; `auto` takes UTF-8 alone, and what is said of a record in another
            /// one names the likeliest encoding.
            #[schemars(extend("x-under-auto" = "fallback_encoding"))]
            pub encoding: String,
            /// The encoding of records that are not UTF-8, in files some of which are: a label, or `auto` for none.
            pub fallback_encoding: String,
        }

        impl Default for $name {
            fn default() -> Self {
                Self {
                    fields: crate::FieldNames::default(),
                    metadata: None,
                    rename: std::collections::BTreeMap::new(),
                    spread: crate::mapping::SPREAD.to_owned(),
                    form: None,
                    invalid_values: crate::InvalidValues::default(),
                    encoding: crate::encoded::AUTO.to_owned(),
                    fallback_encoding: crate::encoded::AUTO.to_owned(),
                }
            }
        }

        impl $name {
            /// What reads with these options.
            ///
            /// # Errors
            ///
            /// When they contradict each other, or a label stands for no encoding.
            pub(super) fn reader(self) -> Result<crate::jsonl::ObjectReader, tamis_plugin::SetupError> {
                let mapping =
                    crate::mapping::Mapping::new(self.fields, self.metadata, self.spread, self.rename)?
                        .with_form(self.form);
                crate::jsonl::ObjectReader::new(
                    mapping,
                    self.invalid_values,
                    &self.encoding,
                    &self.fallback_encoding,
                )
            }
        }
    };
}
pub(crate) use object_options;

object_options! {
    /// Reads one document from each line of a JSON Lines file.
    ///
    /// Use it for `.jsonl` and `.ndjson` files: one JSON object a line, UTF-8.
    /// What the `jsonl` exporter has written reads back as it was.
    ///
    /// ```toml
    /// [[source]]
    /// use = "jsonl"
    /// paths = ["crawl/*.jsonl.zst"]
    /// fields = { id = "docid", text = "", raw = "html" }
    /// metadata = ["url", "title"]
    /// ```
    ///
    /// Three fields of the object have a meaning of their own (`fields`); all others become metadata with
    /// their type kept, or only those that `metadata` lists.
    /// Nested values and large numbers are passed on as they are written, digit for digit.
    ///
    /// JSON Lines are UTF-8; those that old systems wrote in another encoding are read with `encoding`, which is never
    /// guessed: a byte that was damaged must not make Chinese letters of a line.
    ///
    /// A line that is not a JSON object, is not UTF-8, has neither the text nor the raw page, or names the id or
    /// the text twice fails with its line and column, and its bytes are kept; the lines around it are read.
    /// Blank lines are passed over, but count: the ordinal of a document is its line number, from 0.
    ///
    /// `NaN`, `Infinity` and halves of surrogate pairs, which some programs write, are no JSON. With
    /// `invalid_values = "repair"` such a line is read, with null and U+FFFD in their place, and counted under
    /// `numbers_repaired` and `surrogates_repaired`.
    ///
    /// Limits: a file that is one JSON array, or objects of many lines, is for `json`. Columns in messages count
    /// characters.
    ///
    /// Source: <https://jsonlines.org>, RFC 8259.
    JsonlOptions
}
