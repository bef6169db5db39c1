//! What the head and the structured data of a page declare.

use std::ops::Range;

use serde_json::Value as Data;
use tamis_html::{Name, NodeId, Tag, Tree, decoded};

use super::options::Field;
use super::statement::Statements;

/// The most bytes of structured data that are parsed; more is no description of one page.
const MOST_DATA_BYTES: usize = 1 << 20;

/// Longer values keep their tags, bytes.
const MOST_TAGGED_BYTES: usize = 10_000;

/// Names of `<meta>`, lower case, with what they say and how sure that is. Of one field, earlier ones are surer.
const META: &[(&str, Field, f64)] = &[
    ("og:title", Field::Title, 0.9),
    ("twitter:title", Field::Title, 0.85),
    ("dc.title", Field::Title, 0.85),
    ("dcterms.title", Field::Title, 0.85),
    ("citation_title", Field::Title, 0.9),
    ("parsely-title", Field::Title, 0.85),
    // Names that the web sites of Chinese authorities share.
    ("articletitle", Field::Title, 0.85),
    ("sitename", Field::Publisher, 0.8),
    ("author", Field::Author, 0.8),
    ("article:author", Field::Author, 0.75),
    ("og:article:author", Field::Author, 0.75),
    ("dc.creator", Field::Author, 0.8),
    ("dcterms.creator", Field::Author, 0.8),
    ("citation_author", Field::Author, 0.9),
    ("parsely-author", Field::Author, 0.85),
    ("sailthru.author", Field::Author, 0.85),
    ("article:published_time", Field::Published, 0.95),
    ("og:published_time", Field::Published, 0.9),
    ("og:release_date", Field::Published, 0.85),
    ("og:article:published_time", Field::Published, 0.9),
    ("datepublished", Field::Published, 0.9),
    ("citation_publication_date", Field::Published, 0.9),
    ("dc.date.issued", Field::Published, 0.9),
    ("dcterms.issued", Field::Published, 0.9),
    ("dc.date", Field::Published, 0.8),
    ("dcterms.date", Field::Published, 0.8),
    ("dcterms.created", Field::Published, 0.8),
    ("parsely-pub-date", Field::Published, 0.9),
    ("sailthru.date", Field::Published, 0.85),
    ("pubdate", Field::Published, 0.85),
    ("publishdate", Field::Published, 0.85),
    ("publish-date", Field::Published, 0.85),
    ("publish_date", Field::Published, 0.85),
    ("weibo:article:create_at", Field::Published, 0.85),
    ("date", Field::Published, 0.7),
    ("article:modified_time", Field::Modified, 0.95),
    ("og:updated_time", Field::Modified, 0.8),
    ("og:modified_time", Field::Modified, 0.85),
    ("datemodified", Field::Modified, 0.9),
    ("dcterms.modified", Field::Modified, 0.9),
    ("dc.date.modified", Field::Modified, 0.9),
    ("last-modified", Field::Modified, 0.7),
    ("lastmod", Field::Modified, 0.75),
    ("revised", Field::Modified, 0.6),
    ("og:site_name", Field::Publisher, 0.9),
    ("dc.publisher", Field::Publisher, 0.85),
    ("dcterms.publisher", Field::Publisher, 0.85),
    ("application-name", Field::Publisher, 0.6),
    ("og:description", Field::Description, 0.9),
    ("description", Field::Description, 0.9),
    ("twitter:description", Field::Description, 0.8),
    ("dc.description", Field::Description, 0.8),
    ("dcterms.abstract", Field::Description, 0.8),
    ("og:locale", Field::Language, 0.7),
    ("content-language", Field::Language, 0.75),
    ("dc.language", Field::Language, 0.8),
    ("dcterms.language", Field::Language, 0.8),
    ("og:url", Field::CanonicalUrl, 0.85),
    ("article:tag", Field::Tags, 0.9),
    ("keywords", Field::Tags, 0.8),
    ("news_keywords", Field::Tags, 0.85),
];

/// Properties of schema.org, as JSON-LD and microdata have them.
const SCHEMA: &[(&str, Field)] = &[
    ("headline", Field::Title),
    ("author", Field::Author),
    ("creator", Field::Author),
    ("datePublished", Field::Published),
    ("dateModified", Field::Modified),
    ("publisher", Field::Publisher),
    ("description", Field::Description),
    ("inLanguage", Field::Language),
    ("keywords", Field::Tags),
];

/// Things of schema.org that describe the page that they stand in; others are in it, such as comments and products.
const PAGES: &[&str] = &[
    "Article",
    "NewsArticle",
    "ReportageNewsArticle",
    "AnalysisNewsArticle",
    "OpinionNewsArticle",
    "BackgroundNewsArticle",
    "ReviewNewsArticle",
    "BlogPosting",
    "LiveBlogPosting",
    "SocialMediaPosting",
    "DiscussionForumPosting",
    "TechArticle",
    "ScholarlyArticle",
    "Report",
    "WebPage",
    "Review",
    "Recipe",
    "VideoObject",
    "PodcastEpisode",
    "QAPage",
];

/// Finds what a page declares, in the order of the page.
pub(super) fn declared(page: &str, tree: &Tree<'_>, found: &mut Statements) {
    let mut reader = Reader { page, tree, found };
    for node in 1..tree.len() {
        match tree.tag(node) {
            Tag::Html => reader.attribute(node, Name::Lang, Field::Language, "html-lang", 0.8),
            Tag::Title => reader.title(node),
            Tag::Meta => reader.meta(node),
            Tag::Link => reader.link(node),
            Tag::Script => reader.script(node),
            _ => {}
        }
    }
}

struct Reader<'r, 'a> {
    page: &'a str,
    tree: &'r Tree<'a>,
    found: &'r mut Statements,
}

impl Reader<'_, '_> {
    fn add(&mut self, field: Field, value: &str, rule: &'static str, span: Range<usize>, confidence: f64) {
        self.found.add(field, &without_tags(value), rule, span, confidence);
    }

    fn attribute(&mut self, node: NodeId, name: Name, field: Field, rule: &'static str, confidence: f64) {
        if let Some(value) = self.tree.attribute(node, name) {
            self.add(field, &decoded(value), rule, span_of(self.page, value), confidence);
        }
    }

    fn title(&mut self, node: NodeId) {
        let title = self.tree.raw_text(node);
        let first = !self.found.has("title-element");
        // Drawings have titles, too.
        let in_drawing = self.tree.tag(self.tree.parent(node)) == Tag::Svg;
        if first && !in_drawing {
            self.add(Field::Title, &decoded(title), "title-element", span_of(self.page, title), 0.7);
        }
    }

    fn meta(&mut self, node: NodeId) {
        let attribute = |name| self.tree.attribute(node, name);
        let name =
            attribute(Name::Property).or_else(|| attribute(Name::Name)).or_else(|| attribute(Name::ItemProp));
        let Some(name) = name.map(str::to_ascii_lowercase) else { return };
        if let Some((name, field, confidence)) = META.iter().find(|(known, ..)| *known == name) {
            self.attribute(node, Name::Content, *field, name, *confidence);
        }
    }

    fn link(&mut self, node: NodeId) {
        let rel = self.tree.attribute(node, Name::Rel).unwrap_or_default();
        if rel.split_ascii_whitespace().any(|rel| rel.eq_ignore_ascii_case("canonical")) {
            self.attribute(node, Name::Href, Field::CanonicalUrl, "link-canonical", 0.95);
        }
    }

    fn script(&mut self, node: NodeId) {
        let is_data = self.tree.attribute(node, Name::Type).is_some_and(|it| it.contains("ld+json"));
        let text = self.tree.raw_text(node).trim();
        if is_data && text.len() <= MOST_DATA_BYTES {
            if let Ok(data) = serde_json::from_str(text) {
                self.data(&data, &span_of(self.page, text));
            }
        } else if !is_data {
            self.wechat(text);
        }
    }

    /// Goes through structured data; `serde_json` nests no deeper than 128, so this may call itself.
    fn data(&mut self, data: &Data, span: &Range<usize>) {
        match data {
            Data::Array(items) => items.iter().for_each(|item| self.data(item, span)),
            Data::Object(fields) => {
                if is_page(fields) {
                    self.thing(fields, span);
                } else {
                    for inner in
                        ["@graph", "mainEntity", "mainEntityOfPage"].iter().filter_map(|key| fields.get(*key))
                    {
                        self.data(inner, span);
                    }
                }
            }
            _ => {}
        }
    }

    /// A thing that describes the page.
    fn thing(&mut self, fields: &serde_json::Map<String, Data>, span: &Range<usize>) {
        // A page as such says less than the article on it.
        let confidence =
            if fields.get("@type").and_then(Data::as_str) == Some("WebPage") { 0.75 } else { 0.95 };
        for (name, field) in SCHEMA {
            for value in fields.get(*name).map(names).unwrap_or_default() {
                self.add(*field, &decoded(&value), "json-ld", span.clone(), confidence);
            }
        }
    }

    /// `var ct = "1546300800"`: pages of WeChat say in seconds since 1970 when they were published.
    fn wechat(&mut self, script: &str) {
        /// With what they all begin: scripts are long, so there is one quick pass for all.
        const START: &str = "var c";
        const DEFINITIONS: [&str; 3] = ["var ct = \"", "var ct=\"", "var create_time = \""];
        let found = memchr::memmem::find_iter(script.as_bytes(), START).find_map(|at| {
            let rest = script.get(at..)?;
            let behind = DEFINITIONS.iter().find_map(|definition| rest.strip_prefix(definition))?;
            let digits = behind.get(..behind.as_bytes().iter().take(20).position(|byte| *byte == b'"')?)?;
            let seconds: i64 = digits.parse().ok().filter(|_| digits.len() == 10)?;
            let moment = jiff::Timestamp::from_second(seconds).ok()?;
            // All accounts show the time of China.
            Some((digits, moment.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(8))).datetime()))
        });
        if let Some((digits, moment)) = found {
            let shown = format!("{} {}", moment.date(), moment.time());
            self.add(Field::Published, &shown, "wechat-script", span_of(self.page, digits), 0.95);
        }
    }
}

/// Whether a thing of structured data describes a page.
fn is_page(fields: &serde_json::Map<String, Data>) -> bool {
    let is_one = |kind: &Data| kind.as_str().is_some_and(|kind| PAGES.contains(&kind));
    fields
        .get("@type")
        .is_some_and(|kind| is_one(kind) || kind.as_array().is_some_and(|kinds| kinds.iter().any(is_one)))
}

/// The strings that a property holds: itself, the names of its things, each of a list.
fn names(value: &Data) -> Vec<String> {
    match value {
        Data::String(text) => vec![text.clone()],
        Data::Array(items) => items.iter().flat_map(names).collect(),
        Data::Object(fields) => {
            fields.get("name").and_then(Data::as_str).map(str::to_owned).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// A value without the tags that some systems leave in it; a lone `<` stays.
fn without_tags(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    if value.len() > MOST_TAGGED_BYTES {
        return value.to_owned();
    }
    while let Some((before, behind)) = rest.split_once('<') {
        text.push_str(before);
        let is_tag = behind.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/');
        let after = behind.split_once('>').filter(|_| is_tag).map(|(_, after)| after);
        if after.is_none() {
            text.push('<');
        }
        rest = after.unwrap_or(behind);
    }
    text + rest
}

/// The bytes of `part` in the page that it was taken from.
pub(super) fn span_of(page: &str, part: &str) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(page.as_ptr() as usize).min(page.len());
    start..(start + part.len()).min(page.len())
}
