//! Options of `line-template`.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Learns the lines that the documents of a site, an account or the whole corpus share, and removes them.
///
/// Use it on scraped pages whose menus, footers and buttons became lines of their own.
/// Put `dedup-exact` before it: the paragraphs of a page that was crawled ten times look like template.
/// What nobody needs to learn, because a rule file knows it, is for `site-rules`.
///
/// How it decides: documents are grouped by a field, and for every line the documents of its group that hold
/// it are counted, each once.
/// A line is template if at least `min_documents` documents and at least the share `min_ratio` of the group
/// hold it. The counts are exact, whatever the memory.
/// Lines are compared without the white space around them, with runs of white space as one blank, and with
/// every run of digits as `0` (`mask_digits`), so that `3 comments` and `15 comments` count as one.
/// A line of digits without letters, such as a date or a cell of a table, is compared as it is.
///
/// ```toml
/// [[stage]]
/// use = "line-template"
/// group_by = ["account", "url"]   # the account, or where there is none the host of the URL
/// min_ratio = 0.3
/// ```
///
/// Lines that stay are not touched. Where a removed line leaves two paragraph breaks together, one of them
/// goes with it.
/// A document that has nothing but template is dropped with the reason `template-only`.
///
/// What was learned is written to the folder that the run keeps, as `templates.toml`: the lines of every
/// group, the most frequent first.
/// Read it, delete what is no template, and give it back: the stage then learns nothing, needs one pass
/// instead of two, and does the same to every document whatever else is in the corpus.
///
/// ```toml
/// [[stage]]
/// use = "line-template"
/// group_by = ["account", "url"]
/// table = "templates.toml"
/// ```
///
/// Limits: what repeats is taken for template, be it a heading such as `Ingredients` on a site of recipes or
/// `}` in source code; `position = "edges"` spares what stands within the text.
/// A template that shares a line with text is not found.
/// With the defaults a sample of a few documents teaches nothing, so try the stage on a few hundred, or with
/// a learned table.
///
/// Measures: `template_lines`, `removed_chars`. Counts: `lines_dropped`, `documents_changed`, and `no_template`
/// for documents of groups in which nothing was learned.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LineTemplateOptions {
    /// The metadata fields that say which documents share a template: a document belongs to the group of
    /// the first of them that it has. Of a URL only the host counts, without `www.`. Documents that have none
    /// of the fields are one group; with an empty list that is the whole corpus, for which `min_ratio`
    /// should be low or 0.
    pub group_by: FieldNames,
    /// A line is template only if at least so many documents of its group hold it.
    #[schemars(range(min = 2), extend("x-unit" = "documents"))]
    pub min_documents: u64,
    /// A line is template only if at least this share of the documents of its group hold it.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub min_ratio: f64,
    /// In smaller groups nothing is learned.
    #[schemars(range(min = 2), extend("x-unit" = "documents"))]
    pub min_group_documents: u64,
    /// Compare lines with every run of digits as `0`.
    pub mask_digits: bool,
    /// A wider line is never template: it is a paragraph. A Chinese character takes two columns.
    #[schemars(range(min = 1, max = 1_000_000), extend("x-unit" = "columns"))]
    pub max_line_columns: usize,
    /// Where template lines are removed.
    pub position: Place,
    /// A learned table to use instead of learning, as `templates.toml`.
    #[schemars(extend("x-path" = "file"))]
    pub table: Option<PathBuf>,
    /// Drop a document that has nothing but template; otherwise it is kept with an empty text.
    pub drop_empty: bool,
}

impl Default for LineTemplateOptions {
    fn default() -> Self {
        Self {
            group_by: FieldNames(Vec::new()),
            min_documents: 5,
            min_ratio: 0.2,
            min_group_documents: 5,
            mask_digits: true,
            max_line_columns: 200,
            position: Place::Any,
            table: None,
            drop_empty: true,
        }
    }
}

/// Where template lines are removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// Everywhere.
    #[default]
    Any,
    /// Before the first and behind the last line that is no template.
    Edges,
}

/// Names of metadata fields: a list, or one name as a string.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FieldNames(pub Vec<String>);

impl<'de> Deserialize<'de> for FieldNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;

        impl<'de> Visitor<'de> for Names {
            type Value = FieldNames;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("the name of a field, or a list of names")
            }

            fn visit_str<E>(self, name: &str) -> Result<FieldNames, E> {
                Ok(FieldNames(vec![name.to_owned()]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut names: A) -> Result<FieldNames, A::Error> {
                let mut fields = Vec::new();
                while let Some(name) = names.next_element()? {
                    fields.push(name);
                }
                Ok(FieldNames(fields))
            }
        }

        deserializer.deserialize_any(Names)
    }
}

impl JsonSchema for FieldNames {
    fn schema_name() -> Cow<'static, str> {
        "FieldNames".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                { "type": "string", "minLength": 1, "x-field": "read" },
                { "type": "array", "items": { "type": "string", "minLength": 1, "x-field": "read" } },
            ],
        })
    }
}
