//! What the head and the structured data of a page declare.

use std::ops::Range;

use tamis_html::{Name, NodeId, Tag, Tree, decoded, decoded_attribute};

use super::json_ld::Script;
use super::names::people;
use super::options::Field;
use super::page::span_of;
use super::statement::{Statement, Statements, letters};

/// The kind of place that structured data is.
const JSON_LD: &str = "json-ld";
/// Longer titles are not compared, bytes.
const MOST_TITLE_BYTES: usize = 1000;
/// Longer values keep their tags, bytes.
const MOST_TAGGED_BYTES: usize = 10_000;

/// Names of `<meta>`, lower case, with what they say and how sure that is. Of one field, earlier ones are surer.
const META: &[(&str, Field, f64)] = &[
    // Often worded for sharing: less than what heading and `<title>` agree on.
    ("og:title", Field::Title, 0.87),
    ("twitter:title", Field::Title, 0.85),
    ("dc.title", Field::Title, 0.85),
    ("dcterms.title", Field::Title, 0.85),
    ("citation_title", Field::Title, 0.9),
    ("parsely-title", Field::Title, 0.85),
    // Names that the web sites of Chinese authorities share.
    ("articletitle", Field::Title, 0.85),
    ("sitename", Field::Publisher, 0.8),
    ("author", Field::Author, 0.8),
    // Mostly the address of a profile, and often that of whoever keeps the site.
    ("article:author", Field::Author, 0.65),
    ("og:article:author", Field::Author, 0.65),
    ("dc.creator", Field::Author, 0.8),
    ("dcterms.creator", Field::Author, 0.8),
    ("citation_author", Field::Author, 0.9),
    ("parsely-author", Field::Author, 0.85),
    ("sailthru.author", Field::Author, 0.85),
    ("article:published_time", Field::Published, 0.95),
    ("og:published_time", Field::Published, 0.9),
    ("og:release_date", Field::Published, 0.85),
    ("og:article:published_time", Field::Published, 0.9),
    ("bytedance:published_time", Field::Published, 0.9),
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
    ("article:published", Field::Published, 0.9),
    ("article.published", Field::Published, 0.9),
    ("publication_date", Field::Published, 0.85),
    ("publicationdate", Field::Published, 0.85),
    ("published_date", Field::Published, 0.85),
    ("published-date", Field::Published, 0.85),
    ("published_time", Field::Published, 0.85),
    ("date_published", Field::Published, 0.85),
    ("originalpublicationdate", Field::Published, 0.85),
    ("article_date_original", Field::Published, 0.85),
    ("prism.publicationdate", Field::Published, 0.85),
    ("rnews:datepublished", Field::Published, 0.85),
    ("cxenseparse:recs:publishtime", Field::Published, 0.85),
    ("bt:pubdate", Field::Published, 0.85),
    ("firstpublishdate", Field::Published, 0.85),
    ("firstpublishedtime", Field::Published, 0.85),
    ("displaydate", Field::Published, 0.7),
    ("release_date", Field::Published, 0.8),
    ("releasedate", Field::Published, 0.8),
    ("pub_date", Field::Published, 0.85),
    ("pdate", Field::Published, 0.8),
    ("date.created", Field::Published, 0.75),
    ("dc.date.created", Field::Published, 0.8),
    ("dc.created", Field::Published, 0.8),
    ("dc:date", Field::Published, 0.8),
    ("created", Field::Published, 0.65),
    ("creation_date", Field::Published, 0.7),
    ("datecreated", Field::Published, 0.7),
    ("doc_date", Field::Published, 0.7),
    ("article:modified_time", Field::Modified, 0.95),
    ("og:updated_time", Field::Modified, 0.8),
    ("og:modified_time", Field::Modified, 0.85),
    ("bytedance:updated_time", Field::Modified, 0.85),
    ("datemodified", Field::Modified, 0.9),
    ("dcterms.modified", Field::Modified, 0.9),
    ("dc.date.modified", Field::Modified, 0.9),
    ("last-modified", Field::Modified, 0.7),
    ("lastmod", Field::Modified, 0.75),
    ("revised", Field::Modified, 0.6),
    ("article:modified", Field::Modified, 0.9),
    ("bt:moddate", Field::Modified, 0.85),
    ("modified_date", Field::Modified, 0.8),
    ("date.modified", Field::Modified, 0.8),
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

/// Finds what a page declares, in the order of the page.
pub(super) fn declared(page: &str, tree: &Tree<'_>, found: &mut Statements) {
    let mut reader = Reader { page, tree, found, articles: Vec::new() };
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
    let articles = std::mem::take(&mut reader.articles);
    others(articles, found);
}

/// Takes back what structured data says of other articles: some sites describe every teaser as they do the article.
/// Where several have headlines, one that the head of the page names is the page's.
fn others(articles: Vec<(String, Range<usize>)>, found: &mut Statements) {
    let is_title = |said: &&Statement| said.rule != JSON_LD && said.value.len() <= MOST_TITLE_BYTES;
    let titles: Vec<String> =
        found.about(Field::Title).filter(is_title).map(|said| letters(&said.value)).collect();
    let (own, others): (Vec<_>, Vec<_>) = articles
        .into_iter()
        .partition(|(headline, _)| titles.iter().any(|title| title.contains(headline.as_str())));
    if !own.is_empty() {
        others.into_iter().rev().for_each(|(_, statements)| found.remove(statements));
    }
}

struct Reader<'r, 'a> {
    page: &'a str,
    tree: &'r Tree<'a>,
    found: &'r mut Statements,
    /// The headlines of what structured data describes, in letters, and what it says of each.
    articles: Vec<(String, Range<usize>)>,
}

impl Reader<'_, '_> {
    fn add(&mut self, field: Field, value: &str, rule: &'static str, span: Range<usize>, confidence: f64) {
        let value = without_escapes(&without_tags(value));
        // `&amp;#39;`: some systems escape twice, and nobody means to show a reference in the head of a page.
        let value = if field == Field::CanonicalUrl { value.into() } else { decoded_attribute(&value) };
        if field == Field::Author {
            for name in people(&value) {
                self.found.add(field, &name, rule, span.clone(), confidence);
            }
        } else {
            self.found.add(field, &value, rule, span, confidence);
        }
    }

    fn attribute(&mut self, node: NodeId, name: Name, field: Field, rule: &'static str, confidence: f64) {
        if let Some(value) = self.tree.attribute(node, name) {
            self.add(field, &decoded_attribute(value), rule, span_of(self.page, value), confidence);
        }
    }

    fn title(&mut self, node: NodeId) {
        let title = self.tree.raw_text(node);
        let first = !self.found.has("title-element");
        if first && !self.is_in_drawing(node) {
            self.add(Field::Title, &decoded(title), "title-element", span_of(self.page, title), 0.7);
        }
    }

    /// Drawings have titles, too.
    fn is_in_drawing(&self, node: NodeId) -> bool {
        let next = |at: &NodeId| Some(self.tree.parent(*at)).filter(|above| above != at);
        std::iter::successors(next(&node), next).any(|above| self.tree.tag(above) == Tag::Svg)
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
        if is_data {
            let span = span_of(self.page, text);
            for thing in Script::parse(text).things() {
                let start = self.found.len();
                let headline = thing.iter().find(|it| it.field == Field::Title).map(|it| letters(&it.value));
                for it in thing {
                    self.add(it.field, &decoded(&it.value), JSON_LD, span.clone(), it.confidence);
                }
                self.articles.extend(headline.map(|headline| (headline, start..self.found.len())));
            }
        } else {
            self.wechat(text);
        }
    }

    /// Pages of WeChat say in a script when they were published, in seconds since 1970 or as the page will show it.
    fn wechat(&mut self, script: &str) {
        /// With what they all begin: scripts are long, so there is one quick pass for all.
        const START: &str = "var c";
        const NAMES: [&str; 3] = ["ct", "createTime", "create_time"];
        let found = memchr::memmem::find_iter(script.as_bytes(), START).find_map(|at| {
            let rest = script.get(at + START.len() - 1..)?;
            let behind =
                NAMES.iter().find_map(|name| rest.strip_prefix(name)?.trim_start().strip_prefix('='))?;
            let value = behind.trim_start().strip_prefix(['"', '\''])?;
            let value = value
                .get(..value.as_bytes().iter().take(20).position(|byte| matches!(byte, b'"' | b'\''))?)?;
            Some((value, shown_time(value)?))
        });
        if let Some((value, shown)) = found {
            self.add(Field::Published, &shown, "wechat-script", span_of(self.page, value), 0.95);
        }
    }
}

/// Seconds since 1970 as all accounts of WeChat show them, in the time of China; a date as it stands.
fn shown_time(value: &str) -> Option<String> {
    if let Ok(seconds) = value.parse::<i64>() {
        let moment = jiff::Timestamp::from_second(seconds).ok().filter(|_| value.len() == 10)?;
        let moment = moment.to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(8))).datetime();
        return Some(format!("{} {}", moment.date(), moment.time()));
    }
    tamis_dates::certain_date(value).map(|_| value.to_owned())
}

/// A value without the escapes of scripts, `\x0a` and `\u0026`, that some systems leave in it.
fn without_escapes(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, behind)) = rest.split_once('\\') {
        out.push_str(before);
        let escape = [('x', 2), ('u', 4)].iter().find_map(|(mark, n_digits)| {
            let digits = behind.strip_prefix(*mark)?.get(..*n_digits)?;
            let is_number = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            let c = char::from_u32(u32::from_str_radix(digits, 16).ok()?).filter(|_| is_number)?;
            Some((c, 1 + n_digits))
        });
        let (c, length) = escape.unwrap_or(('\\', 0));
        out.push(c);
        rest = behind.get(length..).unwrap_or_default();
    }
    out + rest
}

/// A value without the tags that some systems leave in it.
///
/// Titles of pages about programs and markup hold angle brackets that are meant: `List<String>`, `The <b> element`. So
/// only elements that occur in running text are tags, and of these only what is opened and closed again.
fn without_tags(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut rest = value;
    if value.len() > MOST_TAGGED_BYTES || !value.contains('<') {
        return value.to_owned();
    }
    let lower = value.to_ascii_lowercase();
    while let Some((before, behind)) = rest.split_once('<') {
        text.push_str(before);
        let after = behind.split_once('>').filter(|(tag, _)| is_tag(tag, &lower)).map(|(_, after)| after);
        if after.is_none() {
            text.push('<');
        }
        rest = after.unwrap_or(behind);
    }
    text + rest
}

/// Elements that end lines, which nobody closes.
const OPEN_TAGS: [&str; 7] = ["br", "div", "hr", "img", "li", "p", "wbr"];
/// Elements of running text.
const CLOSED_TAGS: [&str; 24] = [
    "a", "abbr", "b", "big", "center", "cite", "del", "em", "font", "h1", "h2", "h3", "i", "ins", "mark",
    "q", "s", "small", "span", "strike", "strong", "sub", "sup", "u",
];

/// Whether what stands between `<` and `>` is a tag of markup in a value, which is given in lower case.
fn is_tag(inner: &str, value: &str) -> bool {
    let (is_end, inner) = inner.strip_prefix('/').map_or((false, inner), |inner| (true, inner));
    let end = inner.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(inner.len());
    let name = inner.get(..end).unwrap_or_default().to_ascii_lowercase();
    let names = |list: &[&str]| list.contains(&name.as_str());
    let is_opened = || value.contains(&format!("<{name}>")) || value.contains(&format!("<{name} "));
    let is_closed = || value.contains(&format!("</{name}>"));
    names(&OPEN_TAGS) || (names(&CLOSED_TAGS) && if is_end { is_opened() } else { is_closed() })
}
