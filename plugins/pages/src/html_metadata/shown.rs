//! What a page shows of itself: its headings, and properties of schema.org in the markup.
//!
//! `dates` and `names` read what stands near the main heading.

use tamis_html::{Name, Names, NodeId, Tag, decoded_attribute};

use crate::parsed::Parse;

use super::json_ld::PAGES;
use super::options::Field;
use super::page::{Page, span_of};
use super::statement::{Statement, Statements, letters};
use super::title::is_no_title;
use super::{dates, names};

/// An element with more nodes holds more than a name or a date.
const MOST_NODES: usize = 60;
/// Longer titles are none, bytes.
const MOST_TITLE_BYTES: usize = 1000;
/// A title is looked for among so many bytes of letters.
const MOST_TITLES: usize = 8;

/// Attributes of properties, and of the account of a page.
const SAYING: Names = Names::of(&[Name::ItemProp, Name::Property, Name::Id]);

/// Finds what a page shows; what it declares has been found.
pub(super) fn shown(source: &str, parsed: &Parse<'_>, found: &mut Statements) {
    let is_title = |said: &&Statement| said.value.len() <= MOST_TITLE_BYTES && !is_no_title(&said.value);
    let short = found.about(Field::Title).filter(is_title);
    let titles: Vec<String> = short.take(MOST_TITLES).map(|said| letters(&said.value)).collect();
    let page = Page::new(source, parsed, &titles);
    for heading in &page.headings {
        let confidence = if Some(heading.block) == page.main { 0.6 } else { 0.3 };
        found.add(Field::Title, &heading.text, "h1", page.element_span(heading.node), confidence);
    }
    for node in (1..page.tree.len()).filter(|node| page.tree.has_any(*node, SAYING)) {
        property(&page, node, found);
        account(&page, node, found);
    }
    // Where the main heading is the name of the site, the text has its own.
    if let Some(heading) = page.below_name() {
        found.add(Field::Title, &heading.text, "h2", page.element_span(heading.node), 0.5);
    }
    page.homes.iter().for_each(|home| found.add_home(home));
    dates::shown(&page, found);
    names::shown(&page, found);
}

/// A property of schema.org or Dublin Core in the markup.
fn property(page: &Page<'_, '_>, node: NodeId, found: &mut Statements) {
    let tree = page.tree;
    if matches!(tree.tag(node), Tag::Text | Tag::Meta) || tree.end(node) - node > MOST_NODES {
        return;
    }
    let attribute = |name| tree.attribute(node, name);
    let Some(names) = attribute(Name::ItemProp).or_else(|| attribute(Name::Property)) else { return };
    for name in names.split_ascii_whitespace() {
        let name = name.rsplit(':').next().unwrap_or_default();
        let (field, sure) = match name {
            "headline" => (Field::Title, 0.85),
            "author" | "creator" => (Field::Author, 0.85),
            "datePublished" => (Field::Published, 0.9),
            "issued" => (Field::Published, 0.75),
            "dateCreated" | "created" => (Field::Published, 0.7),
            "dateModified" | "modified" => (Field::Modified, 0.9),
            "publisher" => (Field::Publisher, 0.8),
            _ => continue,
        };
        if is_of_another_thing(page, node) {
            continue;
        }
        if matches!(field, Field::Author | Field::Publisher) && attribute(Name::Content).is_none() {
            for name in names::names_in(page, node) {
                found.add(field, &name, "microdata", page.element_span(node), sure);
            }
            continue;
        }
        match attribute(Name::Content).or_else(|| attribute(Name::DateTime)).filter(|value| !value.is_empty())
        {
            Some(value) => {
                found.add(field, &decoded_attribute(value), "microdata", span_of(page.source, value), sure);
                // What is shown tells the day where the page was written.
                if field == Field::Published {
                    found.add(field, &page.text(node), "time-text", page.element_span(node), 0.4);
                }
            }
            None => found.add(field, &page.text(node), "microdata", page.element_span(node), sure - 0.05),
        }
    }
}

/// Whether the thing whose property an element is is no page: a comment, a product, a person.
fn is_of_another_thing(page: &Page<'_, '_>, node: NodeId) -> bool {
    let kind = page.above(node).find_map(|above| page.tree.attribute(above, Name::ItemType));
    match kind.map(|kind| kind.trim().rsplit('/').next().unwrap_or_default()) {
        None | Some("") => page.is_beside(node),
        Some(kind) => !PAGES.contains(&kind) && !matches!(kind, "Blog" | "CreativeWork"),
    }
}

/// The account of a page of WeChat, which is its publisher.
fn account(page: &Page<'_, '_>, node: NodeId, found: &mut Statements) {
    if page.tree.attribute(node, Name::Id) == Some("js_name") && page.tree.end(node) - node <= MOST_NODES {
        found.add(Field::Publisher, &page.text(node), "wechat-account", page.element_span(node), 0.85);
    }
}
