//! What the fields of records are, as their names and their values say.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;
use tamis_document::{Document, Value};

use super::pipeline::quoted;

/// What fields are called that hold the text, the likeliest first; in lower case, and without what joins words.
const TEXT: [&str; 32] = [
    "text",
    "正文",
    "content",
    "body",
    "内容",
    "文章内容",
    "正文内容",
    "article",
    "articlebody",
    "fulltext",
    "maintext",
    "pagetext",
    "maincontent",
    "cleantext",
    "文本",
    "全文",
    "文章",
    "contenttext",
    "markdown",
    "html",
    "rawhtml",
    "pagehtml",
    "pagesource",
    "contenthtml",
    "原文",
    "网页",
    "源码",
    "post",
    "message",
    "comment",
    "评论",
    "story",
];
/// Other fields that have a name of their own in a document, by what they are called elsewhere.
const OTHERS: [(&str, &[&str]); 5] = [
    ("title", &["标题", "题目", "文章标题", "新闻标题", "headline", "subject", "pagetitle", "articletitle"]),
    ("author", &["作者", "byline", "writer", "authors", "creator"]),
    ("source", &["来源", "出处", "媒体", "稿源"]),
    ("language", &["lang", "语言", "语种"]),
    (
        "published_raw",
        &[
            "日期",
            "时间",
            "发布时间",
            "发布日期",
            "发表时间",
            "发表日期",
            "date",
            "datetime",
            "pubdate",
            "pubtime",
            "publishdate",
            "publishtime",
            "publishedat",
            "publisheddate",
            "datepublished",
            "createdat",
            "createtime",
            "postdate",
        ],
    ),
];
/// What fields are called that hold an address.
const ADDRESS: [&str; 9] =
    ["url", "link", "链接", "网址", "地址", "href", "pageurl", "sourceurl", "原文链接"];
/// What fields are called that tell records apart.
const ID: [&str; 13] = [
    "id",
    "docid",
    "uuid",
    "guid",
    "articleid",
    "newsid",
    "pageid",
    "编号",
    "序号",
    "文章编号",
    "urlhash",
    "key",
    "url",
];
/// A field with a likely name is the text only if it holds this share of what the longest field holds.
const LEAST_SHARE: f64 = 0.25;

/// The fields of records that call their text, and perhaps more, otherwise.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Mapping {
    text: String,
    id: Option<String>,
    /// New names of other fields, by their own.
    rename: Vec<(String, &'static str)>,
}

impl Mapping {
    /// One that reads the text from a field, and leaves the others as they are.
    pub(super) fn of_text(text: &str) -> Self {
        Self { text: text.to_owned(), id: None, rename: Vec::new() }
    }

    /// The options of a reader.
    pub(super) fn to_toml(&self) -> String {
        let id = self.id.as_ref().map(|id| format!("id = {}, ", quoted(id))).unwrap_or_default();
        let fields = format!("fields = {{ {id}text = {} }}", quoted(&self.text));
        if self.rename.is_empty() {
            return fields;
        }
        format!("{fields}\n{}", rename_to_toml(&self.rename))
    }

    /// Whether a field becomes `to`.
    pub(super) fn gives(&self, to: &str) -> bool {
        self.rename.iter().any(|(_, new)| *new == to)
    }

    /// What the fields of documents are that were read with the text from the field `text`; none if none of them can be
    /// the text.
    pub(super) fn guess(documents: &[&Document], text: &str) -> Option<Self> {
        let columns = Columns::of(documents, text);
        let text = columns.text()?;
        let rename = columns.renamed(&text);
        let id = columns.id(&text, &rename);
        Some(Self { text, id, rename })
    }
}

/// New names for fields of documents whose text has been found, as options of their reader; empty if none needs one.
pub(super) fn renamed(documents: &[&Document]) -> String {
    // No field can be called so: the text is none of them.
    let renamed = Columns::of(documents, "").renamed("");
    if renamed.is_empty() { String::new() } else { format!("{}\n", rename_to_toml(&renamed)) }
}

fn rename_to_toml(renamed: &[(String, &'static str)]) -> String {
    let names: Vec<String> =
        renamed.iter().map(|(from, to)| format!("{} = {}", key(from), quoted(to))).collect();
    format!("rename = {{ {} }}", names.join(", "))
}

/// A key as TOML has it: with quotes unless it is of letters of ASCII, digits, `_` and `-`.
fn key(name: &str) -> String {
    let is_bare =
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'));
    if is_bare { name.to_owned() } else { quoted(name) }
}

/// A name as it is compared: `Article-Body`, `article_body` and `articleBody` are the same.
fn folded(name: &str) -> String {
    let last = name.rsplit('.').next().unwrap_or(name);
    last.chars().filter(|c| !matches!(c, '_' | '-' | ' ')).flat_map(char::to_lowercase).collect()
}

/// What the values of a field are.
#[derive(Debug, Default)]
struct Column {
    n: usize,
    n_strings: usize,
    n_chars: usize,
    n_addresses: usize,
    values: BTreeSet<String>,
}

impl Column {
    fn add(&mut self, value: &Json) {
        if value.is_null() {
            return;
        }
        self.n += 1;
        if let Some(text) = value.as_str() {
            self.n_strings += 1;
            self.n_chars += text.chars().count();
            self.n_addresses += usize::from(text.starts_with("http://") || text.starts_with("https://"));
        }
        self.values.insert(value.to_string());
    }

    fn is_address(&self) -> bool {
        self.n_addresses * 2 > self.n
    }
}

/// The fields of documents by name; members of objects with dots.
struct Columns {
    n_documents: usize,
    has_id: bool,
    by_name: BTreeMap<String, Column>,
}

impl Columns {
    fn of(documents: &[&Document], text: &str) -> Self {
        let mut columns: BTreeMap<String, Column> = BTreeMap::new();
        for document in documents {
            columns.entry(text.to_owned()).or_default().add(&Json::from(document.text.as_str()));
            for (name, value) in document.metadata.iter() {
                flatten(name, &json(value), &mut columns);
            }
        }
        // An id that a reader has made begins with the name of the file.
        let is_made =
            |it: &&Document| it.id.strip_prefix(&*it.origin.file).is_some_and(|rest| rest.starts_with('#'));
        let has_id = !documents.iter().any(is_made);
        Self { n_documents: documents.len(), has_id, by_name: columns }
    }

    /// The field with the likeliest name among those that hold much, or else the one that holds the most.
    fn text(&self) -> Option<String> {
        let is_text = |column: &Column| column.n_strings * 2 > self.n_documents && !column.is_address();
        let strings = || self.by_name.iter().filter(|(_, column)| is_text(column));
        let (longest, most) = strings().max_by_key(|(_, column)| column.n_chars)?;
        let is_long = |column: &Column| column.n_chars as f64 >= LEAST_SHARE * most.n_chars as f64;
        let named =
            |wanted: &&str| strings().find(|(name, column)| folded(name) == **wanted && is_long(column));
        Some(TEXT.iter().find_map(named).map_or(longest, |(name, _)| name).clone())
    }

    /// Fields that become others, so that stages find them.
    fn renamed(&self, text: &str) -> Vec<(String, &'static str)> {
        let mut renamed = Vec::new();
        let mut rename = |wanted: &'static str, names: &[&str], will_do: &dyn Fn(&Column) -> bool| {
            let is_free = |name: &String| !self.by_name.contains_key(wanted) && name != text;
            let columns = || self.by_name.iter().filter(|(name, column)| is_free(name) && will_do(column));
            let named = |it: &&str| columns().find(|(name, _)| folded(name) == **it);
            if let Some((name, _)) = names.iter().find_map(named) {
                renamed.push((name.clone(), wanted));
            }
        };
        let is_short = |column: &Column| column.n_strings * 2 > self.n_documents && !column.is_address();
        rename("url", &ADDRESS, &Column::is_address);
        for (wanted, names) in OTHERS {
            rename(wanted, names, &is_short);
        }
        if self.by_name.contains_key("published") {
            renamed.retain(|(_, wanted)| *wanted != "published_raw");
        }
        renamed
    }

    /// The field that tells all documents apart, if none has been taken for an id.
    fn id(&self, text: &str, renamed: &[(String, &'static str)]) -> Option<String> {
        let is_unique =
            |column: &Column| column.values.len() == self.n_documents && column.n == self.n_documents;
        let is_taken = |name: &String| name == text || renamed.iter().any(|(from, _)| from == name);
        let columns = || self.by_name.iter().filter(|(name, column)| !is_taken(name) && is_unique(column));
        let named = |it: &&str| columns().find(|(name, _)| folded(name) == **it);
        let found = || ID.iter().find_map(named).map(|(name, _)| name.clone());
        if self.has_id { None } else { found() }
    }
}

fn json(value: &Value) -> Json {
    serde_json::to_value(value).unwrap_or_default()
}

/// Adds a value, or the members of an object under names with dots.
fn flatten(name: &str, value: &Json, columns: &mut BTreeMap<String, Column>) {
    match value {
        Json::Object(members) => {
            for (member, value) in members {
                flatten(&format!("{name}.{member}"), value, columns);
            }
        }
        value => columns.entry(name.to_owned()).or_default().add(value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn document(fields: &[(&str, &str)], text: &str) -> Document {
        let mut document = Document::new("a.csv#0", text);
        document.origin.file = "a.csv".into();
        for (name, value) in fields {
            document.metadata.insert(*name, Value::String((*value).to_owned()));
        }
        document
    }

    #[test]
    fn fields_are_told_by_their_names_and_by_what_they_hold() {
        let long = "等船的人坐在码头上喝茶。".repeat(9);
        for (fields, text, toml) in [
            (
                &[
                    ("标题", "渡船"),
                    ("正文", long.as_str()),
                    ("链接", "https://a.example/1"),
                    ("日期", "2020-01-02"),
                ][..],
                "渡船",
                "fields = { text = \"正文\" }\nrename = { \"链接\" = \"url\", \"标题\" = \"title\", \"日期\" = \"published_raw\" }",
            ),
            // Of two long ones the one that is called so.
            (&[("summary", &long), ("articleBody", &long)], "x", "fields = { text = \"articleBody\" }"),
            // Nobody knows the names: the longest.
            (&[("f1", "short"), ("f2", &long)], "x", "fields = { text = \"f2\" }"),
            // What is called so and holds next to nothing.
            (&[("content", "a"), ("blurb", &long)], "x", "fields = { text = \"blurb\" }"),
            (&[("doc_id", "7"), ("body", &long)], "x", "fields = { id = \"doc_id\", text = \"body\" }"),
            // What has its name already.
            (&[("title", "a"), ("headline", "b"), ("body", &long)], "x", "fields = { text = \"body\" }"),
        ] {
            let read = document(fields, text);
            let first = if fields[0].0 == "标题" { "标题" } else { "other" };
            let guessed = Mapping::guess(&[&read], first).map(|it| it.to_toml());
            assert_eq!(guessed.as_deref(), Some(toml));
        }
    }
}
