//! Options of `line-template`.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// Learns the lines that the documents of a site, an account or the whole corpus share, and removes them.
///
/// Use it on scraped pages whose menus, footers and buttons became lines of their own, or hang on the ends of
/// other lines.
/// Put `dedup-exact` before it: the paragraphs of a page that was crawled ten times look like template.
/// What nobody needs to learn, because a rule file knows it, is for `site-rules`; what a later stage wants to
/// read off the page, such as `责任编辑：…`, must have been read before.
///
/// How it decides: documents are grouped by a field, and for every line the documents of its group that hold
/// it are counted, each once. A line is template
///
/// - if at least `min_documents` documents and at least the share `min_ratio` of the group hold it;
/// - if fewer documents do, but at least two and that share, and two of them have `min_shared_lines` other
///   lines in common. Two pages that share forty lines are of one template, so what is on both belongs to it;
///   two pages that share one line prove nothing, and pages that share nearly all their prose, or half of it in
///   different templates, are one article that was posted twice. Such a line goes only next to other template
///   or at the ends of a text;
/// - likewise if `min_documents` documents and a third of that share do: it is template of a section of the
///   site.
///
/// Prose, which is a line of more than 60 columns with two or more ends of sentences, is taken for a quotation
/// as long as fewer than `min_documents` documents hold it, and goes only between two lines of template, as the
/// notice in a footer does. Of two such lines together both stay.
/// The counts are exact, whatever the memory (`max_state_bytes`).
///
/// With `cluster = true` the groups of documents that have none of the fields of `group_by` are found by what
/// they share, in a pass of its own: two documents are linked if they share `min_shared_lines` lines and a fifth
/// of the lines of the smaller one; what is linked is a cluster; and a document belongs to the cluster of
/// which it has most lines, rare ones before common ones.
/// What documents of a cluster share may be their text, as in versions and half-finished translations of one manual:
/// a document that has five lines of prose or more from the others, and a third of its prose with them, passes whole.
///
/// ```toml
/// [[stage]]
/// use = "line-template"
/// group_by = ["account", "url"]   # the account, or where there is none the host of the URL
/// cluster = true                  # or where there is neither, the pages that look alike
/// ```
///
/// What counts as the same line: lines are compared without the white space around them, with runs of white
/// space as one blank, and with every run of digits as `0` (`mask_digits`); a line of digits without letters,
/// such as a date or a cell of a table, is compared as it is. With `near_equal`, lines of up to 120 bytes are
/// also compared without what follows the first `>`, `›` or `»`, without a short value behind a label, and if they
/// have digits without the names of days and months:
///
/// | line | compared as |
/// | --- | --- |
/// | `12条评论` | `0条评论` |
/// | `您的位置：首页 > 新闻 > 正文` | `您的位置：首页 > …` |
/// | `当前在线：某人` | `当前在线：…` |
/// | `2024年5月8日 星期三` | `0年0月0日 星期…` |
/// | `2024-05-08` | itself |
///
/// Lines of more than 60 columns are also compared in parts: cut at tabs, U+00A0, U+3000 and three or more
/// blanks, and over 400 columns behind the first two and before the last three sentences. So the footer is found
/// that hangs on the last paragraph, and only it goes.
///
/// Lines that stay are not touched. Where a removed line leaves two paragraph breaks together, one of them
/// goes with it.
/// A document that has nothing but template is dropped with the reason `template-only`, and one of which
/// more than `flag_ratio` was template gets the field `template_ratio`.
///
/// What was learned is written to the folder that the run keeps, as `templates.toml`: the lines of every
/// group, the most frequent first.
/// Read it, delete what is no template, and give it back: the stage then learns nothing, needs one pass
/// instead of two or three, and does the same to every document whatever else is in the corpus. Tables of several
/// runs can be given together; their lines are united.
///
/// ```toml
/// [[stage]]
/// use = "line-template"
/// group_by = ["account", "url"]
/// table = ["templates.toml", "templates-of-last-year.toml"]
/// ```
///
/// With `action = "mark"` nothing is removed: the lines are marked, and `boilerplate`, if it comes before any other
/// change of the text, weighs that a line is shared, or that it is a document's own, together with what it looks
/// like. So a heading that all recipes of a site share may stay within its text.
///
/// ```toml
/// [[stage]]
/// use = "line-template"
/// group_by = "url"
/// action = "mark"
///
/// [[stage]]
/// use = "boilerplate"
/// ```
///
/// Limits: what repeats is taken for template, be it a heading such as `Ingredients` on a site of recipes or
/// `}` in source code; `position = "edges"` spares what stands within the text.
/// It must see the whole corpus, so documents are put aside on the disk once for each pass.
///
/// Measures: `template_lines`, `template_parts`, `removed_chars`, `template_ratio`. Counts: `lines_dropped`, `parts_cut`,
/// `documents_changed`, `documents_flagged`, `shared_text` for documents of clusters that pass whole, and `no_template`
/// for documents of groups in which nothing was learned.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "switches that a user sets one by one")]
pub struct LineTemplateOptions {
    /// The metadata fields that say which documents share a template: a document belongs to the group of
    /// the first of them that it has. Of a URL only the host counts, without `www.`. Documents that have none
    /// of the fields are one group, or with `cluster` several; with an empty list and without `cluster` that is
    /// the whole corpus, for which `min_ratio` should be low or 0.
    pub group_by: FieldNames,
    /// Find the groups of documents that have none of the fields of `group_by` by the lines that they share.
    /// It takes one more pass.
    #[schemars(extend("x-needs" = {"table": "none"}))]
    pub cluster: bool,
    /// A line is template wherever it stands if at least so many documents of its group hold it.
    #[schemars(range(min = 2), extend("x-unit" = "documents", "x-needs" = {"table": "none"}))]
    pub min_documents: u64,
    /// A line is template only if at least this share of the documents of its group hold it, or a third of it
    /// next to other template.
    #[schemars(range(min = 0.0, max = 1.0), extend("x-needs" = {"table": "none"}))]
    pub min_ratio: f64,
    /// Fewer documents than `min_documents` are enough if two of them share at least so many other lines. With 0
    /// they never are, and `min_ratio` is the least share for all lines.
    #[schemars(extend("x-unit" = "lines"))]
    pub min_shared_lines: u64,
    /// In smaller groups nothing is learned.
    #[schemars(range(min = 2), extend("x-unit" = "documents", "x-needs" = {"table": "none"}))]
    pub min_group_documents: u64,
    /// Compare lines with every run of digits as `0`.
    pub mask_digits: bool,
    /// Compare lines without paths of links, values of labels, and names of days.
    pub near_equal: bool,
    /// A wider line is never template as a whole. A Chinese character takes two columns.
    #[schemars(range(min = 1, max = 1_000_000), extend("x-unit" = "columns"))]
    pub max_line_columns: usize,
    /// Where template lines are removed.
    pub position: Place,
    /// What becomes of template lines. With `mark` the text stays as it is, and a stage behind this one decides.
    pub action: Action,
    /// So much memory is held over all threads; what does not fit goes to the work folder. It covers the counts of
    /// both passes, the search for clusters, and the lines that were learned and are being removed. It does not cover
    /// the lines of the one document that a thread looks at, nor a `table` that is given, which is held as a whole. It
    /// adds to `memory` of `[run]`, which is for documents in flight. The result is the same whatever it is; less
    /// memory takes more time.
    #[schemars(range(min = 1_048_576), extend("x-unit" = "bytes"))]
    pub max_state_bytes: u64,
    /// Learned tables to use instead of learning, as `templates.toml`.
    pub table: TablePaths,
    /// Drop a document that has nothing but template; otherwise it is kept with an empty text.
    pub drop_empty: bool,
    /// A document of which more than this share of the characters, without white space, is template gets the
    /// field `template_ratio`.
    #[schemars(range(min = 0.0, max = 1.0))]
    pub flag_ratio: f64,
}

impl Default for LineTemplateOptions {
    fn default() -> Self {
        Self {
            group_by: FieldNames(Vec::new()),
            cluster: false,
            min_documents: 5,
            min_ratio: 0.3,
            min_shared_lines: 5,
            min_group_documents: 2,
            mask_digits: true,
            near_equal: true,
            max_line_columns: 10_000,
            position: Place::Any,
            action: Action::Remove,
            max_state_bytes: 64 << 20,
            table: TablePaths(Vec::new()),
            drop_empty: true,
            flag_ratio: 0.9,
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

/// What becomes of template lines.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// They are removed.
    #[default]
    Remove,
    /// They stay, and the stages behind are told which they are.
    Mark,
}

/// Names of metadata fields: a list, or one name as a string.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct FieldNames(pub Vec<String>);

impl<'de> Deserialize<'de> for FieldNames {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        one_or_several(deserializer, "the name of a field, or a list of names").map(Self)
    }
}

/// Learned tables: a list of files, or one as a string.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TablePaths(pub Vec<PathBuf>);

impl<'de> Deserialize<'de> for TablePaths {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        one_or_several(deserializer, "the path of a table, or a list of paths").map(Self)
    }
}

/// A list, or one entry without brackets; an untagged enum would lose line and column.
fn one_or_several<'de, D: Deserializer<'de>, T: From<String>>(
    deserializer: D,
    expecting: &'static str,
) -> Result<Vec<T>, D::Error> {
    struct Entries<T>(&'static str, PhantomData<T>);

    impl<'de, T: From<String>> Visitor<'de> for Entries<T> {
        type Value = Vec<T>;

        fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
            out.write_str(self.0)
        }

        fn visit_str<E>(self, entry: &str) -> Result<Vec<T>, E> {
            Ok(vec![entry.to_owned().into()])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Vec<T>, A::Error> {
            let mut all = Vec::new();
            while let Some(entry) = entries.next_element::<String>()? {
                all.push(entry.into());
            }
            Ok(all)
        }
    }

    deserializer.deserialize_any(Entries(expecting, PhantomData))
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

impl JsonSchema for TablePaths {
    fn schema_name() -> Cow<'static, str> {
        "TablePaths".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "anyOf": [
                { "type": "string", "minLength": 1, "x-path": "file" },
                { "type": "array", "items": { "type": "string", "minLength": 1, "x-path": "file" } },
            ],
        })
    }
}
