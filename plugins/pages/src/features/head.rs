//! What a page says about itself: its head, and its structured data.

use serde_json::Value;
use tamis_html::{Name, Tag, Tree, decoded};

/// Kinds of pages that `og:type` and schema.org types tell apart.
pub(super) const KINDS: &[(&str, &[&str])] = &[
    (
        "page:article",
        &[
            "article",
            "newsarticle",
            "blogposting",
            "reportagenewsarticle",
            "socialmediaposting",
            "techarticle",
        ],
    ),
    ("page:product", &["product", "productgroup", "offer", "aggregateoffer", "og:product"]),
    ("page:forum", &["discussionforumposting", "qapage", "question"]),
    ("page:list", &["itemlist", "collectionpage", "searchresultspage"]),
    ("page:service", &["service", "localbusiness", "faqpage", "softwareapplication"]),
    ("page:site", &["website", "webpage"]),
];

/// The most bytes of structured data that are parsed; more is no description of one page.
const MOST_DATA_BYTES: usize = 1 << 20;

/// The head of a page.
#[derive(Debug, Default)]
pub(crate) struct Head {
    /// `<title>`, with `og:title` behind it.
    pub(crate) title: String,
    pub(crate) description: String,
    /// Bits in the order of [`KINDS`].
    pub(crate) kinds: u32,
    /// `articleBody` of the structured data: the longest, or nothing.
    pub(crate) body: String,
}

impl Head {
    pub(crate) fn of(tree: &Tree<'_>) -> Self {
        let mut head = Self::default();
        for node in 1..tree.len() {
            match tree.tag(node) {
                Tag::Title if head.title.is_empty() => head.title = decoded(tree.raw_text(node)).into_owned(),
                Tag::Meta => head.meta(tree, node),
                Tag::Script => head.script(tree, node),
                _ => {}
            }
        }
        head
    }

    fn meta(&mut self, tree: &Tree<'_>, node: usize) {
        let name = tree.attribute(node, Name::Property).or_else(|| tree.attribute(node, Name::Name));
        let Some(name) = name else { return };
        let content = || tree.attribute_text(node, Name::Content).unwrap_or_default();
        match name.to_ascii_lowercase().as_str() {
            "og:title" => {
                self.title.push('\n');
                self.title.push_str(&content());
            }
            "og:type" => self.kind(&format!("og:{}", content())),
            "description" | "og:description" if content().len() > self.description.len() => {
                self.description = content().into_owned();
            }
            _ => {}
        }
    }

    fn kind(&mut self, kind: &str) {
        let kind = kind.to_ascii_lowercase();
        let kind = if kind.starts_with("og:product") { "product" } else { kind.trim_start_matches("og:") };
        for (bit, (_, names)) in KINDS.iter().enumerate() {
            if names.contains(&kind) {
                self.kinds |= 1 << bit;
            }
        }
    }

    fn script(&mut self, tree: &Tree<'_>, node: usize) {
        let is_data = tree.attribute(node, Name::Type).is_some_and(|it| it.contains("ld+json"));
        let text = if is_data { tree.raw_text(node).trim() } else { "" };
        if text.is_empty() || text.len() > MOST_DATA_BYTES {
            return;
        }
        if let Ok(data) = serde_json::from_str(text) {
            self.data(&data);
        }
    }

    /// Goes through structured data; `serde_json` nests no deeper than 128, so this may call itself.
    fn data(&mut self, data: &Value) {
        match data {
            Value::Array(items) => items.iter().for_each(|item| self.data(item)),
            Value::Object(fields) => {
                for (name, value) in fields {
                    match (name.as_str(), value) {
                        ("@type", Value::String(kind)) => self.kind(kind),
                        ("@type", Value::Array(kinds)) => {
                            kinds.iter().filter_map(Value::as_str).for_each(|kind| self.kind(kind));
                        }
                        ("articleBody" | "text", Value::String(body)) if body.len() > self.body.len() => {
                            self.body.clone_from(body);
                        }
                        _ => self.data(value),
                    }
                }
            }
            _ => {}
        }
    }
}
