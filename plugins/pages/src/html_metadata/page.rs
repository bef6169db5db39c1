//! A page as a reader sees it: where its main heading stands and what is near it.

use std::ops::Range;

use tamis_html::{
    Block, Blocks, Container, Name, Names, NodeId, Tag, Tree, is_hidden, is_hidden_in_line, is_never_shown,
};
use tamis_text::likeness::plain_within;
use tamis_text::lines::squeeze;

use super::statement::letters;
use crate::features::is_alphanumeric;
use crate::parsed::Parse;

/// Blocks before and behind the main heading in which date and byline stand.
const BEFORE: usize = 3;
const BEHIND: usize = 8;
/// A longer block is no button, bytes.
const MOST_BUTTON_BYTES: usize = 24;
/// Titles of the head that headings are compared with, and headings.
const MOST_TITLES: usize = 8;
/// Longer titles are none, bytes.
const MOST_TITLE_BYTES: usize = 1000;
/// A heading of more blocks is a heading by mistake.
const MOST_HEADING_BLOCKS: usize = 8;
/// So many letters are looked for before the whole text is.
const FIRST_LETTERS: usize = 4;
/// Levels looked up for what an element belongs to.
const MOST_LEVELS: usize = 24;

/// What links have.
const LINKING: Names = Names::of(&[Name::Href]);
/// Addresses of the first page of a site, as its pages write them.
const HOME: [&str; 5] = ["/", "./", "../", "/index.html", "index.html"];
/// Links to it that are looked at.
const MOST_HOMES: usize = 4;
/// A longer text of a link is no name, bytes; nor is that of an element with more nodes.
const MOST_HOME_BYTES: usize = 80;
const MOST_HOME_NODES: usize = 20;

/// Words of class names of what stands beside the text of a page, or below it.
const BESIDE: &[&str] = &[
    "comment",
    "comments",
    "commentlist",
    "reply",
    "related",
    "recommended",
    "popular",
    "sidebar",
    "event",
    "events",
    "calendar",
    "termine",
    "veranstaltungen",
];

/// A page, its blocks and its main heading.
pub(super) struct Page<'p, 'a> {
    pub(super) source: &'a str,
    pub(super) tree: &'p Tree<'a>,
    pub(super) blocks: &'p Blocks,
    /// For each container of the blocks, whether it or one around it is hidden.
    hidden: Vec<bool>,
    /// The letters of links to the first page of the site: mostly its name.
    pub(super) homes: Vec<String>,
    /// All main headings of the page, with their nodes.
    pub(super) headings: Vec<Heading>,
    /// The block of the main heading, or of what else shows the title.
    pub(super) main: Option<usize>,
    /// The letters of that block, if it is no longer than a title may be.
    pub(super) title: String,
    /// The blocks near the main heading; the first ones of a page without any.
    pub(super) near: Range<usize>,
    /// The nodes of these.
    near_nodes: Range<NodeId>,
}

/// A heading that is shown.
pub(super) struct Heading {
    pub(super) block: usize,
    pub(super) node: NodeId,
    pub(super) text: String,
}

impl<'p, 'a> Page<'p, 'a> {
    /// `titles` are the letters of what the head calls the page.
    pub(super) fn new(source: &'a str, parsed: &'p Parse<'a>, titles: &[String]) -> Self {
        let (tree, blocks) = (&parsed.tree, parsed.blocks.as_ref());
        let hidden = hidden(blocks, tree);
        let mut page = Self {
            source,
            tree,
            blocks,
            hidden,
            homes: Vec::new(),
            headings: Vec::new(),
            main: None,
            title: String::new(),
            near: 0..0,
            near_nodes: 0..0,
        };
        page.homes = page.find_homes();
        page.headings = page.headings_of(Tag::H1);
        page.main = page.find_main(titles.get(..MOST_TITLES.min(titles.len())).unwrap_or_default());
        let title =
            page.main.and_then(|main| page.blocks.blocks.get(main)).map(|block| page.blocks.text_of(block));
        page.title = title.filter(|title| title.len() <= MOST_TITLE_BYTES).map(letters).unwrap_or_default();
        let n_blocks = page.blocks.blocks.len();
        page.near = match page.main {
            Some(main) => main.saturating_sub(BEFORE)..page.end_of_near(main),
            None => 0..BEHIND.min(n_blocks),
        };
        let node_of = |block: usize| page.blocks.blocks.get(block).map(Block::nodes);
        let from = node_of(page.near.start).map_or(0, |nodes| nodes.start);
        let to = page.near.end.checked_sub(1).and_then(node_of).map_or(0, |nodes| nodes.end);
        page.near_nodes = from..to;
        page
    }

    /// Where the blocks near a heading end. Three buttons to share count as one block.
    fn end_of_near(&self, main: usize) -> usize {
        let blocks = self.blocks.blocks.iter().enumerate().skip(main + 1);
        let mut left = BEHIND * 3;
        let mut end = main + 1;
        for (at, block) in blocks {
            let text = self.blocks.text_of(block);
            let is_button = text.len() <= MOST_BUTTON_BYTES && !text.contains(|c: char| c.is_ascii_digit());
            left = match left.checked_sub(if is_button { 1 } else { 3 }) {
                Some(left) => left,
                None => break,
            };
            end = at + 1;
        }
        end
    }

    /// The first second heading in an `<article>` or `<main>`, if no main heading is other than the name of the site.
    pub(super) fn below_name(&self) -> Option<Heading> {
        let is_name = |heading: &Heading| self.homes.contains(&letters(&heading.text));
        if self.headings.is_empty() || !self.headings.iter().all(is_name) {
            return None;
        }
        let is_in_text = |heading: &Heading| {
            let mut above = self.above(heading.node);
            above.any(|at| matches!(self.tree.tag(at), Tag::Article | Tag::Main))
        };
        self.headings_of(Tag::H2).into_iter().find(is_in_text)
    }

    fn headings_of(&self, tag: Tag) -> Vec<Heading> {
        let is_heading = |container: &&Container| {
            container.tag == tag && (1..=MOST_HEADING_BLOCKS).contains(&container.blocks().len())
        };
        let containers = self.blocks.containers.iter().filter(is_heading);
        let headings = containers.filter_map(|container| {
            let blocks = self.blocks.blocks.get(container.blocks())?;
            if self.is_hidden(blocks.first()?) {
                return None;
            }
            let text = blocks.iter().map(|block| self.blocks.text_of(block)).collect::<Vec<_>>().join(" ");
            Some(Heading { block: container.blocks().start, node: container.node(), text })
        });
        headings.take(MOST_TITLES).collect()
    }

    fn find_homes(&self) -> Vec<String> {
        let is_home = |node: &NodeId| {
            let address = self.tree.attribute(*node, Name::Href).map(str::trim);
            address.is_some_and(|address| HOME.contains(&address))
                && self.tree.tag(*node) == Tag::A
                && self.tree.end(*node) - *node <= MOST_HOME_NODES
        };
        let linking = (1..self.tree.len()).filter(|node| self.tree.has_any(*node, LINKING)).filter(is_home);
        let texts = linking.take(MOST_HOMES).map(|node| self.text(node));
        let names = texts.filter(|text| text.len() <= MOST_HOME_BYTES).map(|text| letters(&text));
        names.filter(|name| !name.is_empty()).collect()
    }

    /// The heading that the head of the page names, or whatever else of the page it names, or the first heading.
    ///
    /// What the head names is shown somewhere as a whole; the name of the site, which it names, too, is shorter.
    fn find_main(&self, titles: &[String]) -> Option<usize> {
        let runs = Runs::of(titles);
        let longest_title = titles.iter().map(String::len).max().unwrap_or_default();
        let n_named = |text: &str| {
            let text = Some(text).filter(|text| text.len() <= MOST_TITLE_BYTES)?;
            // Of most texts the first letters tell that they are in none; and fewer name nothing.
            runs.may_hold(first_letters(text)?).then_some(())?;
            let text = plain_within(text, longest_title)?;
            // The head names the site, too, and every page shows it.
            let is_named = titles.iter().any(|title| title.contains(&text)) && !self.homes.contains(&text);
            is_named.then_some(text.len())
        };
        let headings =
            self.headings.iter().filter_map(|heading| Some((n_named(&heading.text)?, heading.block)));
        let longest = |(size, at): &(usize, usize)| (*size, std::cmp::Reverse(*at));
        let named = headings.max_by_key(longest);
        let is_other = |block: &Block| {
            let container = self.blocks.containers.get(block.container());
            !container.is_some_and(|container| matches!(container.tag, Tag::Option | Tag::Button))
        };
        let any = || {
            let blocks = self.blocks.blocks.iter().enumerate();
            let shown = blocks.filter(|(_, block)| is_other(block) && !self.is_hidden(block));
            shown
                .filter_map(|(at, block)| Some((n_named(self.blocks.text_of(block))?, at)))
                .max_by_key(longest)
        };
        named.or_else(any).map(|(_, at)| at).or(self.headings.first().map(|heading| heading.block))
    }

    pub(super) fn is_hidden(&self, block: &Block) -> bool {
        self.hidden.get(block.container()).is_some_and(|hidden| *hidden)
    }

    pub(super) fn is_near(&self, node: NodeId) -> bool {
        self.near_nodes.contains(&node)
    }

    /// The block that a node begins in or before.
    pub(super) fn block_at(&self, node: NodeId) -> Option<&Block> {
        let at = self.blocks.blocks.partition_point(|block| block.nodes().end <= node);
        self.blocks.blocks.get(at)
    }

    /// Whether a node is program text.
    pub(super) fn is_code(&self, node: NodeId) -> bool {
        let code = [Tag::Pre, Tag::Code, Tag::Samp, Tag::Kbd, Tag::Listing, Tag::Xmp, Tag::Textarea];
        self.above(node).any(|above| code.contains(&self.tree.tag(above)))
    }

    /// Whether an element is hidden, or stands beside the text: in comments, among links to other pages, in a list of
    /// events. What is around the main heading, too, is beside nothing.
    pub(super) fn is_beside(&self, node: NodeId) -> bool {
        let main = self.main.and_then(|main| self.blocks.blocks.get(main)).map(|block| block.nodes().start);
        let holds_main = |node: NodeId| main.is_some_and(|main| (node..self.tree.end(node)).contains(&main));
        let above = std::iter::once(node).chain(self.above(node));
        above.take_while(|node| !holds_main(*node)).any(|at| {
            let words = |name| self.tree.attribute(at, name).unwrap_or_default();
            let is_beside = |names: &str| has_word(names, BESIDE);
            matches!(self.tree.tag(at), Tag::Nav | Tag::Aside)
                || is_hidden(self.tree, at)
                || at != node
                    && !matches!(self.tree.tag(at), Tag::Html | Tag::Body | Tag::Root)
                    && (is_beside(words(Name::Class)) || is_beside(words(Name::Id)))
        })
    }

    /// Whether a node lies in the `<article>` or `<main>` of the main heading.
    pub(super) fn is_with_main(&self, node: NodeId) -> bool {
        let Some(main) = self.main.and_then(|main| self.blocks.blocks.get(main)) else { return false };
        let is_article = |at: &NodeId| matches!(self.tree.tag(*at), Tag::Article | Tag::Main);
        let innermost = self.above(node).find(is_article);
        innermost.is_some_and(|at| (at..self.tree.end(at)).contains(&main.nodes().start))
    }

    /// Whether a node stands behind the `<article>` or `<main>` of the main heading: what is there is about other pages.
    pub(super) fn is_behind_main(&self, node: NodeId) -> bool {
        let Some(main) = self.main.and_then(|main| self.blocks.blocks.get(main)) else { return false };
        let is_article = |at: &NodeId| matches!(self.tree.tag(*at), Tag::Article | Tag::Main);
        let around = self.above(main.nodes().start).filter(is_article).last();
        around.is_some_and(|around| self.tree.end(around) <= node)
    }

    /// The elements around a node, the innermost first.
    pub(super) fn above(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let next = |at: &NodeId| Some(self.tree.parent(*at)).filter(|above| above != at);
        std::iter::successors(next(&node), next).take(MOST_LEVELS)
    }

    /// The text of an element in one line.
    pub(super) fn text(&self, node: NodeId) -> String {
        self.lines(node).join(" ")
    }

    /// The lines of text of an element: those between its blocks and line breaks.
    pub(super) fn lines(&self, node: NodeId) -> Vec<String> {
        let mut text = String::new();
        let mut last = None;
        let mut at = node + 1;
        while at < self.tree.end(node) {
            let tag = self.tree.tag(at);
            if tag == Tag::Text {
                if last.is_some_and(|last| self.tree.is_apart(last, at)) {
                    self.tree.part_words(at, &mut text);
                }
                self.tree.append_text(at, &mut text, 0);
                last = Some(at);
            } else if tag == Tag::Noscript || is_never_shown(tag) || is_hidden_in_line(self.tree, at) {
                at = self.tree.end(at);
                continue;
            } else if tag.is_block() {
                text.push('\n');
            }
            at += 1;
        }
        text.lines().map(|line| squeeze(line).into_owned()).filter(|line| !line.is_empty()).collect()
    }

    pub(super) fn element_span(&self, node: NodeId) -> Range<usize> {
        self.nodes_span(node..self.tree.end(node))
    }

    /// From the first text of some nodes to the last.
    pub(super) fn nodes_span(&self, nodes: Range<NodeId>) -> Range<usize> {
        let texts = |node: &NodeId| self.tree.tag(*node) == Tag::Text;
        let span = |node: NodeId| span_of(self.source, self.tree.source_text(node));
        let first = nodes.clone().find(texts).map_or(0..0, span);
        let last = nodes.rev().find(texts).map_or(0..0, span);
        first.start..last.end
    }
}

/// The letters that a text begins with, as [`letters`] has them, if it has so many.
fn first_letters(text: &str) -> Option<[char; FIRST_LETTERS]> {
    let mut first = ['\0'; FIRST_LETTERS];
    let mut n_found = 0;
    for c in text.chars() {
        if c.is_ascii() {
            if c.is_ascii_alphanumeric() {
                first[n_found] = c.to_ascii_lowercase();
                n_found += 1;
            }
        } else if is_alphanumeric(c) {
            for (small, place) in c.to_lowercase().zip(first.iter_mut().skip(n_found)) {
                *place = small;
                n_found += 1;
            }
        }
        if n_found == FIRST_LETTERS {
            return Some(first);
        }
    }
    None
}

/// The runs of as many letters in some titles, a bit each: one look tells that most texts begin with none of them.
struct Runs([u64; Self::BITS / 64]);

impl Runs {
    const BITS: usize = 2048;

    fn of(titles: &[String]) -> Self {
        let mut runs = Self([0; Self::BITS / 64]);
        for title in titles {
            let mut run = ['\0'; FIRST_LETTERS];
            // The first few runs begin before the title does and hold what no text begins with.
            for c in title.chars() {
                run.rotate_left(1);
                run[FIRST_LETTERS - 1] = c;
                let bit = Self::bit(run);
                runs.0[bit / 64] |= 1 << (bit % 64);
            }
        }
        runs
    }

    /// Whether one of the titles may hold such a run.
    fn may_hold(&self, run: [char; FIRST_LETTERS]) -> bool {
        let bit = Self::bit(run);
        self.0[bit / 64] >> (bit % 64) & 1 == 1
    }

    fn bit(run: [char; FIRST_LETTERS]) -> usize {
        let mixed = run.iter().fold(0_u64, |it, c| {
            (it.rotate_left(16) ^ u64::from(u32::from(*c))).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        });
        (mixed >> 53) as usize % Self::BITS
    }
}

/// For each container whether it, or one around it, is hidden.
fn hidden(blocks: &Blocks, tree: &Tree<'_>) -> Vec<bool> {
    let mut hidden: Vec<bool> = Vec::with_capacity(blocks.containers.len());
    for container in &blocks.containers {
        let above = hidden.get(container.parent()).is_some_and(|hidden| *hidden);
        hidden.push(above || is_hidden(tree, container.node()));
    }
    hidden
}

/// Whether a class name or an id has one of some words, which are in lower case: the words of a name are those between
/// marks, `pubDate` being one.
pub(super) fn has_word(names: &str, words: &[&str]) -> bool {
    let mut own = names.as_bytes().split(|byte| !byte.is_ascii_alphanumeric());
    own.any(|own| words.iter().any(|word| own.eq_ignore_ascii_case(word.as_bytes())))
}

/// The bytes of `part` in the page that it was taken from.
pub(super) fn span_of(page: &str, part: &str) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(page.as_ptr() as usize).min(page.len());
    start..(start + part.len()).min(page.len())
}
