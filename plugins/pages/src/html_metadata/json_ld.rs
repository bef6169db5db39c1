//! Structured data in JSON-LD, as pages have it: not always JSON.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Data};

use super::options::Field;

/// The most bytes of structured data that are parsed; more is no description of one page.
const MOST_DATA_BYTES: usize = 1 << 20;
/// Things with an identifier that others may refer to; a page has some ten.
const MOST_IDS: usize = 1000;

/// Properties of schema.org, with what they say of a page.
const PROPERTIES: &[(&str, Field)] = &[
    ("headline", Field::Title),
    ("author", Field::Author),
    ("creator", Field::Author),
    ("datePublished", Field::Published),
    ("dateCreated", Field::Published),
    ("dateModified", Field::Modified),
    ("publisher", Field::Publisher),
    ("description", Field::Description),
    ("inLanguage", Field::Language),
    ("keywords", Field::Tags),
];

/// Things of schema.org that describe the page that they stand in; others are in it, such as comments and products.
pub(super) const PAGES: &[&str] = &[
    "Article",
    "NewsArticle",
    "ReportageNewsArticle",
    "AnalysisNewsArticle",
    "OpinionNewsArticle",
    "BackgroundNewsArticle",
    "ReviewNewsArticle",
    "AdvertiserContentArticle",
    "BlogPosting",
    "LiveBlogPosting",
    "SocialMediaPosting",
    "DiscussionForumPosting",
    "TechArticle",
    "ScholarlyArticle",
    "MedicalWebPage",
    "Report",
    "WebPage",
    "ItemPage",
    "Review",
    "Recipe",
    "HowTo",
    "VideoObject",
    "PodcastEpisode",
    "QAPage",
];

/// The things of one script, and what their identifiers stand for.
pub(super) struct Script {
    values: Vec<Data>,
}

/// What a property of a thing says.
pub(super) struct Property {
    pub(super) field: Field,
    pub(super) value: String,
    pub(super) confidence: f64,
}

impl Script {
    /// Reads a script; empty if nothing in it can be read.
    pub(super) fn parse(text: &str) -> Self {
        let text = without_wrapping(text);
        if text.len() > MOST_DATA_BYTES {
            return Self { values: Vec::new() };
        }
        let values = match serde_json::from_str(text) {
            Ok(value) => vec![value],
            // What stands behind a whole value may be anything.
            Err(_) => {
                serde_json::Deserializer::from_str(&mended(text)).into_iter().map_while(Result::ok).collect()
            }
        };
        Self { values }
    }

    /// What the things that describe the page say, thing by thing.
    pub(super) fn things(&self) -> Vec<Vec<Property>> {
        let mut ids = BTreeMap::new();
        self.values.iter().for_each(|value| collect_ids(value, &mut ids));
        let mut found = Vec::new();
        self.values.iter().for_each(|value| pages(value, &ids, &mut found));
        found
    }
}

type Ids<'a> = BTreeMap<&'a str, &'a Map<String, Data>>;

/// Things by their identifiers: those with a name, because the others are mere references.
fn collect_ids<'a>(data: &'a Data, ids: &mut Ids<'a>) {
    match data {
        Data::Array(items) => items.iter().for_each(|item| collect_ids(item, ids)),
        Data::Object(fields) => {
            if let Some(id) = fields.get("@id").and_then(Data::as_str)
                && fields.contains_key("name")
                && ids.len() < MOST_IDS
            {
                ids.entry(id).or_insert(fields);
            }
            fields.values().for_each(|inner| collect_ids(inner, ids));
        }
        _ => {}
    }
}

/// Goes through structured data; `serde_json` nests no deeper than 128, so this may call itself.
fn pages(data: &Data, ids: &Ids<'_>, found: &mut Vec<Vec<Property>>) {
    match data {
        Data::Array(items) => items.iter().for_each(|item| pages(item, ids, found)),
        Data::Object(fields) => {
            if is_page(fields) {
                found.push(page(fields, ids));
            } else if has_type(fields, &["WebSite"]) {
                let names = fields.get("name").map(|name| names(name, ids)).unwrap_or_default();
                let publisher = |value| Property { field: Field::Publisher, value, confidence: 0.7 };
                found.push(names.into_iter().map(publisher).collect());
            }
            let inner =
                ["@graph", "mainEntity", "mainEntityOfPage"].iter().filter_map(|key| fields.get(*key));
            inner.for_each(|inner| pages(inner, ids, found));
        }
        _ => {}
    }
}

/// A thing that describes the page.
fn page(fields: &Map<String, Data>, ids: &Ids<'_>) -> Vec<Property> {
    let mut found = Vec::new();
    // A page as such says less than the article on it.
    let sure = if has_type(fields, &["WebPage", "ItemPage"]) { 0.75 } else { 0.95 };
    for (name, field) in PROPERTIES {
        let confidence = match (*field, *name) {
            // Written for search engines: the heading and the title of the page, where they agree, are surer.
            (Field::Title, _) => sure - 0.1,
            // What was created long ago may have been published later.
            (_, "dateCreated") => sure - 0.25,
            _ => sure,
        };
        let values = fields.get(*name).map(|value| names(value, ids)).unwrap_or_default();
        found.extend(values.into_iter().map(|value| Property { field: *field, value, confidence }));
    }
    found
}

fn is_page(fields: &Map<String, Data>) -> bool {
    has_type(fields, PAGES)
}

/// Whether a thing is of one of some kinds, named with or without the address of schema.org.
fn has_type(fields: &Map<String, Data>, kinds: &[&str]) -> bool {
    let is_one = |kind: &Data| {
        let name = kind.as_str().map(|kind| kind.rsplit(['/', ':']).next().unwrap_or_default());
        name.is_some_and(|name| kinds.contains(&name))
    };
    fields
        .get("@type")
        .is_some_and(|kind| is_one(kind) || kind.as_array().is_some_and(|kinds| kinds.iter().any(is_one)))
}

/// The strings that a property holds: itself, the names of its things, each of a list.
fn names(value: &Data, ids: &Ids<'_>) -> Vec<String> {
    match value {
        Data::String(text) => vec![text.clone()],
        Data::Array(items) => items.iter().flat_map(|item| names(item, ids)).collect(),
        Data::Object(fields) => {
            let id = fields.get("@id").and_then(Data::as_str);
            let named = || id.and_then(|id| ids.get(id)).and_then(|thing| thing.get("name"));
            if let Some(name) =
                fields.get("name").or_else(|| fields.get("@value")).or_else(|| fields.get("@list"))
            {
                return names(name, ids);
            }
            if let Some(name) = named() {
                return names(name, &Ids::new());
            }
            full_name(fields).into_iter().collect()
        }
        _ => Vec::new(),
    }
}

/// The name of a person that is given in parts, or that of a house in its register.
fn full_name(fields: &Map<String, Data>) -> Option<String> {
    let part = |key| fields.get(key).and_then(Data::as_str).map(str::trim).filter(|part| !part.is_empty());
    let (given, family) = (part("givenName"), part("familyName"));
    // East Asia puts the family first, and writes both as one word.
    if let (Some(given), Some(family)) = (given, family)
        && given.chars().chain(family.chars()).all(tamis_text::chars::is_cjk)
    {
        return Some(format!("{family}{given}"));
    }
    let parts = [given, given.and_then(|_| part("additionalName")), family];
    let full = parts.into_iter().flatten().collect::<Vec<_>>().join(" ");
    Some(full).filter(|name| !name.is_empty()).or_else(|| part("legalName").map(str::to_owned))
}

/// A script without the comments and CDATA marks that hide it from old browsers and from parsers of XML.
fn without_wrapping(text: &str) -> &str {
    let mut text = text.trim();
    loop {
        let starts = ["<!--", "//<![CDATA[", "// <![CDATA[", "/*<![CDATA[*/", "/* <![CDATA[ */", "<![CDATA["];
        let ends = ["-->", "//]]>", "// ]]>", "/*]]>*/", "/* ]]> */", "]]>", ";", "//"];
        let start = starts.iter().find_map(|mark| text.strip_prefix(mark));
        let end = ends.iter().find_map(|mark| start.unwrap_or(text).strip_suffix(mark));
        match end.or(start) {
            Some(shorter) => text = shorter.trim(),
            None => return text,
        }
    }
}

/// JSON of what is nearly that: line ends and other control characters within strings, escapes that are none, commas
/// behind the last item.
fn mended(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 16);
    let mut chars = text.chars().peekable();
    let mut in_string = false;
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                in_string = !in_string;
                out.push(c);
            }
            '\\' if in_string => {
                let is_escape = |next: &char| "\"\\/bfnrtu".contains(*next);
                if let Some(next) = chars.next_if(is_escape) {
                    out.extend([c, next]);
                }
            }
            c if in_string && c < ' ' => out.push(' '),
            ']' | '}' if !in_string => {
                let kept = out.trim_end();
                let length = kept.strip_suffix(',').map_or(out.len(), str::len);
                out.truncate(length);
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Vec<String> {
        Script::parse(text)
            .things()
            .into_iter()
            .flatten()
            .map(|it| format!("{}={}", it.field.name(), it.value))
            .collect()
    }

    #[test]
    fn what_is_nearly_json_is_read() {
        for text in [
            "{\"@type\": \"Article\", \"headline\": \"Ferry back\"}",
            "<![CDATA[ {\"@type\": \"Article\", \"headline\": \"Ferry back\"} ]]>",
            "//<![CDATA[\n{\"@type\": \"Article\", \"headline\": \"Ferry back\"}\n//]]>",
            "<!-- {\"@type\": \"Article\", \"headline\": \"Ferry back\"}; -->",
            "{\"@type\": [\"Article\",], \"headline\": \"Ferry back\", }",
            "{\"@type\": \"https://schema.org/Article\", \"headline\": \"Ferry back\", \"text\": \"one\ntwo\t\\'x\\'\"}",
            "{\"@type\": \"Article\", \"headline\": \"Ferry back\"} {\"@type\": \"Article\"} trailing",
        ] {
            assert_eq!(said(text), ["title=Ferry back"], "{text}");
        }
    }

    #[test]
    fn people_and_houses_are_named_in_many_ways() {
        for (author, expected) in [
            (r#""Ann Gray""#, vec!["author=Ann Gray"]),
            (r#"{"name": "Ann Gray"}"#, vec!["author=Ann Gray"]),
            (r#"[{"name": ["Ann Gray", "Bo Reed"]}]"#, vec!["author=Ann Gray", "author=Bo Reed"]),
            (r#"{"givenName": "Ann", "familyName": "Gray"}"#, vec!["author=Ann Gray"]),
            (r#"{"name": {"@type": "Person", "name": "Ann Gray"}}"#, vec!["author=Ann Gray"]),
            (r##"{"@id": "#ann"}"##, vec!["author=Ann Gray"]),
            (r#"{"@list": ["Ann Gray"]}"#, vec!["author=Ann Gray"]),
            (
                r#"{"givenName": "Ann", "additionalName": "van der", "familyName": "Gray"}"#,
                vec!["author=Ann van der Gray"],
            ),
            (r#"{"givenName": "渡舟", "familyName": "李"}"#, vec!["author=李渡舟"]),
            (r#"{"@type": "Organization", "legalName": "Sound Courier"}"#, vec!["author=Sound Courier"]),
            (r#"{"url": "https://a.example"}"#, vec![]),
        ] {
            let text = format!(
                r##"[{{"@type": "Article", "author": {author}}}, {{"@type": "Person", "@id": "#ann", "name": "Ann Gray"}}]"##
            );
            assert_eq!(said(&text), expected, "{author}");
        }
    }
}
