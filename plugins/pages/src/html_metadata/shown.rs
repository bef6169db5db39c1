//! What a page shows of itself: headings, times, bylines, dates near the main heading.

use std::ops::Range;

use tamis_dates::dates;
use tamis_html::{Block, Blocks, Container, Name, NodeId, Tag, Tree, decoded};

use super::declared::span_of;
use super::options::Field;
use super::statement::{Statements, folded, letters};

/// Blocks before and behind the main heading in which date and byline stand.
const BEFORE: usize = 3;
const BEHIND: usize = 8;
/// A longer line is text, characters.
const MOST_LINE_CHARS: usize = 120;
/// A longer byline is none, characters.
const MOST_NAME_CHARS: usize = 60;

/// An element with more nodes holds more than a name or a date.
const MOST_NODES: usize = 40;
/// Declared titles that headings are compared with, and headings.
const MOST_TITLES: usize = 8;
/// Longer titles are none, bytes.
const MOST_TITLE_BYTES: usize = 1000;
/// A heading of more blocks is a heading by mistake.
const MOST_HEADING_BLOCKS: usize = 8;

/// Labels in lower case, with what follows them.
const LABELS: &[(&str, Field)] = &[
    ("发布时间", Field::Published),
    ("发布日期", Field::Published),
    ("发表时间", Field::Published),
    ("发布于", Field::Published),
    ("发表于", Field::Published),
    ("時間", Field::Published),
    ("时间", Field::Published),
    ("日期", Field::Published),
    ("published", Field::Published),
    ("posted", Field::Published),
    ("veröffentlicht", Field::Published),
    ("publié", Field::Published),
    ("publicado", Field::Published),
    ("опубликовано", Field::Published),
    ("公開日", Field::Published),
    ("입력", Field::Published),
    ("更新时间", Field::Modified),
    ("更新于", Field::Modified),
    ("最后更新", Field::Modified),
    ("updated", Field::Modified),
    ("last updated", Field::Modified),
    ("modified", Field::Modified),
    ("aktualisiert", Field::Modified),
    ("mis à jour", Field::Modified),
    ("обновлено", Field::Modified),
    ("更新日", Field::Modified),
    ("수정", Field::Modified),
];
/// Labels of authors, lower case.
const AUTHORS: &[&str] =
    &["作者：", "作者:", "撰文：", "撰文:", "文/", "文／", "by ", "von ", "par ", "por ", "автор: "];
/// Words of class names around the name of an author, and around a date.
const AUTHOR_CLASSES: &[&str] = &["author", "byline", "authors", "writer", "zuozhe"];
const DATE_CLASSES: &[&str] = &[
    "date",
    "time",
    "pubtime",
    "pubdate",
    "published",
    "publish",
    "posted",
    "datetime",
    "timestamp",
    "fbsj",
];

/// Finds what a page shows; what it declares has been found.
pub(super) fn shown(page: &str, tree: &Tree<'_>, found: &mut Statements) {
    let blocks = Blocks::of(tree);
    let mut reader = Reader { page, tree, blocks: &blocks, found };
    let heading = reader.headings();
    let near = heading
        .map(|heading| heading.saturating_sub(BEFORE)..(heading + BEHIND + 1).min(blocks.blocks.len()));
    let near = near.unwrap_or(0..BEHIND.min(blocks.blocks.len()));
    let nodes = near.start..near.end;
    let node_of = |block: usize| blocks.blocks.get(block).map(Block::nodes);
    let from = node_of(nodes.start).map_or(0, |nodes| nodes.start);
    let to = nodes.end.checked_sub(1).and_then(node_of).map_or(0, |nodes| nodes.end);
    for node in 1..tree.len() {
        reader.element(node, (from..to).contains(&node));
    }
    for block in near.filter(|block| Some(*block) != heading) {
        reader.line(&blocks.blocks[block]);
    }
}

struct Reader<'r, 'a> {
    page: &'a str,
    tree: &'r Tree<'a>,
    blocks: &'r Blocks,
    found: &'r mut Statements,
}

impl Reader<'_, '_> {
    /// Notes the headings; returns the block of the main one, or of what else shows the title.
    fn headings(&mut self) -> Option<usize> {
        let short = self.found.about(Field::Title).filter(|said| said.value.len() <= MOST_TITLE_BYTES);
        let titles: Vec<String> = short.take(MOST_TITLES).map(|said| letters(&said.value)).collect();
        let mut headings = Vec::new();
        let is_heading = |container: &&Container| {
            container.tag == Tag::H1 && container.blocks().len() <= MOST_HEADING_BLOCKS
        };
        for container in self.blocks.containers.iter().filter(is_heading).take(MOST_TITLES) {
            let text = |block: &Block| self.blocks.text_of(block);
            let blocks = self.blocks.blocks.get(container.blocks()).unwrap_or_default();
            let value = blocks.iter().map(text).collect::<Vec<_>>().join(" ");
            if !blocks.is_empty() {
                headings.push((container.blocks().start, container.node(), value));
            }
        }
        let is_named = |value: &str| {
            let value = letters(value);
            value.chars().count() > 3 && titles.iter().any(|title| title.contains(&value))
        };
        // What the head names is shown somewhere as a whole; the name of the site, which it names, too, is shorter.
        let named =
            self.blocks.blocks.iter().enumerate().filter(|(_, block)| is_named(self.blocks.text_of(block)));
        let longest = |(at, block): &(usize, &Block)| (block.text().len(), std::cmp::Reverse(*at));
        let main = named.max_by_key(longest).map(|(at, _)| at).or(headings.first().map(|(block, ..)| *block));
        for (block, node, value) in headings {
            let confidence = if Some(block) == main { 0.6 } else { 0.3 };
            self.found.add(Field::Title, &value, "h1", self.element_span(node), confidence);
        }
        main
    }

    /// Reads an element that says by its name, its property or its class what it holds.
    fn element(&mut self, node: NodeId, is_near: bool) {
        let tree = self.tree;
        let is_element =
            !matches!(tree.tag(node), Tag::Text | Tag::Meta | Tag::Link | Tag::Script | Tag::Style);
        if !is_element || tree.end(node) - node > MOST_NODES {
            return;
        }
        let moment = tree.attribute(node, Name::DateTime);
        if let Some(property) = tree.attribute(node, Name::ItemProp) {
            self.property(node, property, moment);
        } else if let Some(moment) = moment.filter(|_| tree.tag(node) == Tag::Time) {
            let first = !self.found.has("time-element");
            let confidence = if is_near { 0.75 } else { 0.4 };
            if first || is_near {
                self.found.add(
                    Field::Published,
                    &decoded(moment),
                    "time-element",
                    span_of(self.page, moment),
                    confidence,
                );
            }
        }
        let rel = tree.attribute(node, Name::Rel).unwrap_or_default();
        if rel.split_ascii_whitespace().any(|rel| rel == "author") {
            self.name(node, "rel-author", 0.75);
        }
        let class =
            tree.attribute(node, Name::Class).or_else(|| tree.attribute(node, Name::Id)).unwrap_or_default();
        if !is_near || class.is_empty() {
            return;
        }
        let has = |words: &[&str]| {
            let class = class.to_ascii_lowercase();
            class.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| words.contains(&word))
        };
        if has(AUTHOR_CLASSES) {
            self.name(node, "author-class", 0.65);
        } else if has(DATE_CLASSES) {
            let text = self.text(node);
            self.dates(&text, "date-class", self.element_span(node), 0.1);
        }
    }

    /// A property of schema.org in the markup.
    fn property(&mut self, node: NodeId, property: &str, moment: Option<&str>) {
        let field = match property {
            "headline" => Field::Title,
            "author" | "creator" => return self.name(node, "microdata", 0.85),
            "datePublished" => Field::Published,
            "dateModified" => Field::Modified,
            _ => return,
        };
        let (value, span, confidence) = match self.tree.attribute(node, Name::Content).or(moment) {
            Some(value) => (decoded(value).into_owned(), span_of(self.page, value), 0.9),
            None => (self.text(node), self.element_span(node), 0.85),
        };
        self.found.add(field, &value, "microdata", span, confidence);
    }

    fn name(&mut self, node: NodeId, rule: &'static str, confidence: f64) {
        let text = self.text(node);
        // The date often stands in the same line.
        let end = dates(&text).next().map_or(text.len(), |located| located.date.start);
        let text = text.get(..end).unwrap_or_default().trim_end_matches([' ', '|', '·', ',', '-', '–', '—']);
        if text.chars().count() <= MOST_NAME_CHARS {
            self.found.add(Field::Author, without_label(text), rule, self.element_span(node), confidence);
        }
    }

    /// Reads a line near the main heading.
    fn line(&mut self, block: &Block) {
        let text = self.blocks.text_of(block);
        if text.chars().count() > MOST_LINE_CHARS {
            return;
        }
        let span = self.nodes_span(block.nodes());
        self.dates(text, "date-line", span.clone(), 0.0);
        // `时间：… 作者：李渡舟 来源：…`: the name ends where the next label begins.
        let inside =
            ["作者：", "作者:"].iter().find_map(|label| text.split_once(label)).map(|(_, name)| name);
        let name = inside.unwrap_or_else(|| without_label(text)).trim_start();
        if name.len() < text.len() && name.chars().count() <= MOST_NAME_CHARS {
            let name = name.split([' ', '|', '｜', '，']).next().filter(|_| !name.is_ascii()).unwrap_or(name);
            self.found.add(Field::Author, name, "byline", span, 0.6);
        }
    }

    /// The dates of a short text, with what their labels say. Two without a label say nothing.
    fn dates(&mut self, text: &str, rule: &'static str, span: Range<usize>, more: f64) {
        let found: Vec<_> = dates(text).collect();
        for located in &found {
            let before =
                text.get(..located.date.start).unwrap_or_default().trim_end_matches([' ', ':', '：']);
            let before = before.to_lowercase();
            let label = LABELS
                .iter()
                .filter(|(label, _)| before.ends_with(label))
                .max_by_key(|(label, _)| label.len());
            let timed = if located.time.is_some() { 0.1 } else { 0.0 };
            let (field, confidence) = match label {
                Some((_, field)) => (*field, 0.75),
                None if found.len() == 1 => (Field::Published, 0.5),
                None => continue,
            };
            self.found.add(field, &located.shown(text), rule, span.clone(), confidence + timed + more);
        }
    }

    fn text(&self, node: NodeId) -> String {
        let mut text = String::new();
        for inner in (node + 1..self.tree.end(node)).filter(|inner| self.tree.tag(*inner) == Tag::Text) {
            if !text.is_empty() {
                text.push(' ');
            }
            let start = text.len();
            self.tree.append_text(inner, &mut text, start);
        }
        folded(&text)
    }

    fn element_span(&self, node: NodeId) -> Range<usize> {
        self.nodes_span(node..self.tree.end(node))
    }

    /// From the first text of some nodes to the last.
    fn nodes_span(&self, nodes: Range<NodeId>) -> Range<usize> {
        let texts = |node: &NodeId| self.tree.tag(*node) == Tag::Text;
        let span = |node: NodeId| span_of(self.page, self.tree.source_text(node));
        let first = nodes.clone().find(texts).map_or(0..0, span);
        let last = nodes.rev().find(texts).map_or(0..0, span);
        first.start..last.end
    }
}

/// A byline without `By` or `作者：`.
fn without_label(text: &str) -> &str {
    let label = AUTHORS.iter().find(|label| {
        text.get(..label.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(label) || start.to_lowercase() == **label)
    });
    label.and_then(|label| text.get(label.len()..)).map_or(text, str::trim)
}
