//! Builds the tree from the tags of a page.
//!
//! The rules are those of the HTML standard (section 13.2.6) as far as they decide which text stands in which
//! block: implied end tags, scopes, misnested and missing tags.
//! Left out is what moves text elsewhere or copies elements: text between the rows of a table stays where it
//! stands in the source, and a bold or linked passage that is misnested with paragraphs ends where its end tag
//! is, so no page can make the tree larger than its source.
//! Beyond it goes that a page with the declaration of XML may close scripts and their like in their own tags.
//! `tests/html5lib.rs` holds the parser against the tests of the standard and lists every deviation.

use std::sync::Arc;

use crate::tag::Tag;
use crate::tokens::{Attribute, Span, Token, Tokens, hash_of, is_blank};
use crate::tree::{Node, Shape, Tree};

/// The deepest that elements are nested, as in Chromium; deeper ones become siblings.
const MOST_DEPTH: usize = 512;

/// The longest page. Nodes and blocks are numbered in 32 bits, and so are the bytes of its text: a character
/// reference such as `&nGt;` is up to a fifth longer as text.
const MOST_BYTES: usize = 3 << 30;

/// The source of a page is too long to be numbered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the page has {bytes} bytes, but {MOST_BYTES} bytes (3 GiB) are the most that can be parsed")]
pub struct TooLong {
    /// Length of the page.
    pub bytes: usize,
}

/// Parses a page.
///
/// Takes any text: what is no markup is text.
/// Time and memory are linear in its length, whatever the tags: no element is deeper than 512 others.
///
/// # Errors
///
/// When the page has more than 3 GiB.
///
/// # Examples
///
/// ```
/// use tamis_html::{Tag, parse};
///
/// let tree = parse("<p>one<p>two <b>words")?;
/// let paragraphs: Vec<usize> = (0..tree.len()).filter(|&node| tree.tag(node) == Tag::P).collect();
/// assert_eq!(paragraphs, [1, 3]);
/// assert_eq!(tree.source_text(4), "two ");
/// # Ok::<(), tamis_html::TooLong>(())
/// ```
pub fn parse(source: &str) -> Result<Tree<'_>, TooLong> {
    if source.len() > MOST_BYTES {
        return Err(TooLong { bytes: source.len() });
    }
    let mut builder = Builder::new(source);
    let mut tokens = Tokens::new(source);
    let mut attributes = Vec::new();
    while let Some(token) = tokens.next(&mut attributes, builder.top().foreign) {
        match token {
            Token::Text(span) => builder.text(span),
            Token::Start { tag, name, self_closing } => {
                match builder.start(tag, name, self_closing, &mut attributes) {
                    Content::Markup => {}
                    Content::Text => builder.raw(tokens.raw_text(tag)),
                    Content::Rest => builder.raw(tokens.rest()),
                }
            }
            Token::End { tag, name } => builder.end(tag, name),
        }
    }
    Ok(builder.finish())
}

/// An element whose end tag has not come.
#[derive(Debug, Clone, Copy)]
struct Open {
    node: u32,
    tag: Tag,
    name: u64,
    /// Its end tag has come while blocks inside were open; it ends with them.
    ended: bool,
    /// It is part of a drawing or a formula, where elements have no rules of their own.
    foreign: bool,
    /// Its content is HTML again, as that of `foreignObject`.
    holds_html: bool,
}

/// What follows a start tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    Markup,
    /// Text up to the end tag.
    Text,
    /// Text up to the end of the page.
    Rest,
}

struct Builder<'a> {
    source: &'a str,
    shape: Shape,
    open: Vec<Open>,
    /// For each tag, how many of the open elements have it: most that are looked for are not there.
    n_open: [u16; 256],
    /// Open elements that were too deep to be put on the stack.
    n_too_deep: usize,
    /// Whether nothing has come yet that a page has and a set of frames has not.
    may_be_frameset: bool,
    /// Whether the page is a set of frames, which shows no text of its own.
    is_frameset: bool,
    /// Whether the page begins with the declaration of XML, in which any element may close itself.
    is_xml: bool,
}

impl<'a> Builder<'a> {
    fn new(source: &'a str) -> Self {
        // One node in thirty bytes is what pages have; the array grows where it is more.
        let mut nodes = Vec::with_capacity(source.len() / 32 + 1);
        nodes.push(Node { parent: 0, start: 0, end: 0, tag: Tag::Root, names: [0; 3] });
        Self {
            source,
            shape: Shape { nodes, attributes: Vec::with_capacity(source.len() / 64) },
            open: vec![Open {
                node: 0,
                tag: Tag::Root,
                name: 0,
                ended: false,
                foreign: false,
                holds_html: false,
            }],
            n_open: [0; 256],
            n_too_deep: 0,
            may_be_frameset: true,
            is_frameset: false,
            is_xml: source.trim_start_matches('\u{FEFF}').trim_start().starts_with("<?xml"),
        }
    }

    fn top(&self) -> Open {
        self.open.last().copied().expect("the root is never closed")
    }

    fn push_text(&mut self, Span { start, end }: Span) -> u32 {
        let node = self.shape.nodes.len() as u32;
        let parent = self.top().node;
        self.shape.nodes.push(Node { parent, start, end, tag: Tag::Text, names: [0; 3] });
        node
    }

    /// Adds an element with nothing in it, whose attributes come next.
    fn push_element(&mut self, tag: Tag) -> u32 {
        let node = self.shape.nodes.len() as u32;
        let parent = self.top().node;
        let start = self.shape.attributes.len() as u32;
        self.shape.nodes.push(Node { parent, start, end: node + 1, tag, names: [0; 3] });
        node
    }

    fn text(&mut self, span: Span) {
        let blank = is_blank(span.of(self.source));
        if self.is_frameset {
            return;
        }
        self.may_be_frameset &= blank;
        match self.top().tag {
            _ if self.top().foreign => {}
            // White space between rows is nothing that is shown.
            Tag::Table | Tag::Tbody | Tag::Thead | Tag::Tfoot | Tag::Tr | Tag::Colgroup if blank => {
                return;
            }
            Tag::Head if blank => return,
            Tag::Head => self.pop(),
            _ => {}
        }
        self.push_text(span);
    }

    /// The content of an element that was just started.
    fn raw(&mut self, span: Span) {
        let Some(element) = self.shape.nodes.len().checked_sub(1) else { return };
        if span.end > span.start {
            let node = self.push_text(span);
            if let Some(text) = self.shape.nodes.get_mut(node as usize) {
                text.parent = element as u32;
            }
            if let Some(element) = self.shape.nodes.get_mut(element) {
                element.end = node + 1;
            }
        }
    }

    fn start(&mut self, tag: Tag, name: u64, self_closing: bool, attributes: &mut Vec<Attribute>) -> Content {
        if self.is_in_foreign() {
            if !breaks_out(tag) {
                self.open(tag, name, true, self_closing, attributes);
                return Content::Markup;
            }
            self.break_out();
        }
        if self.is_frameset || tag == Tag::Frameset {
            self.frame(tag, attributes);
            return if tag == Tag::Noframes { Content::Text } else { Content::Markup };
        }
        self.close_implied(tag);
        if self.is_ignored(tag) {
            attributes.clear();
            return Content::Markup;
        }
        self.may_be_frameset &= !is_of_page(tag);
        let is_foreign = matches!(tag, Tag::Svg | Tag::Math);
        self.open(
            tag,
            name,
            is_foreign,
            self_closing && is_foreign || tag.is_void() || tag.is_raw(),
            attributes,
        );
        match tag {
            Tag::Plaintext => Content::Rest,
            // `<script src="a.js"/>`: a page that says that it is XML has been read as such by whoever wrote it, and an end
            // tag is waited for in vain.
            _ if tag.is_raw() && self_closing && self.is_xml => Content::Markup,
            _ if tag.is_raw() => Content::Text,
            _ => Content::Markup,
        }
    }

    /// Adds an element, and opens it unless it is whole.
    fn open(&mut self, tag: Tag, name: u64, foreign: bool, whole: bool, attributes: &mut Vec<Attribute>) {
        let node = self.push_element(tag);
        if let Some(node) = self.shape.nodes.last_mut() {
            for attribute in attributes.iter() {
                node.note(attribute.name);
            }
        }
        self.shape.attributes.append(attributes);
        if whole {
            return;
        }
        if self.open.len() >= MOST_DEPTH {
            self.n_too_deep += 1;
            return;
        }
        let holds_html = foreign && holds_html(tag, name);
        self.n_open[tag as usize] += 1;
        self.open.push(Open { node, tag, name, ended: false, foreign, holds_html });
    }

    /// Whether a start tag here is one of a drawing or a formula.
    fn is_in_foreign(&self) -> bool {
        let top = self.top();
        top.foreign && !top.holds_html
    }

    /// Ends a drawing or a formula in which an element of a page begins.
    fn break_out(&mut self) {
        while self.is_in_foreign() {
            self.pop();
        }
    }

    /// A start tag in a set of frames, or one that begins it.
    fn frame(&mut self, tag: Tag, attributes: &mut Vec<Attribute>) {
        let begins = tag == Tag::Frameset && self.may_be_frameset;
        if begins {
            self.is_frameset = true;
            self.pop_to(1);
        }
        if self.is_frameset && matches!(tag, Tag::Frameset | Tag::Frame | Tag::Noframes) {
            self.open(tag, 0, false, tag != Tag::Frameset, attributes);
        } else {
            attributes.clear();
        }
    }

    /// Tags that say what is already so, or that stand where they mean nothing.
    fn is_ignored(&self, tag: Tag) -> bool {
        match tag {
            Tag::Html | Tag::Body | Tag::Head => {
                let there = self.open.iter().take(4).any(|open| open.tag == tag);
                there || self.open.len() > 4
            }
            Tag::Td | Tag::Th | Tag::Tr | Tag::Tbody | Tag::Thead | Tag::Tfoot | Tag::Caption => {
                !self.open.iter().any(|open| matches!(open.tag, Tag::Table | Tag::Template))
            }
            Tag::Plaintext => self.open.iter().any(|open| open.tag == Tag::Select),
            _ => false,
        }
    }

    /// Closes what a start tag closes.
    fn close_implied(&mut self, tag: Tag) {
        if self.top().tag == Tag::Head && !is_of_head(tag) {
            self.pop();
        }
        if tag.closes_p()
            && self.is_open(Tag::P)
            && let Some(at) = self.find(|open| open.tag == Tag::P, |open| is_button_scope(open.tag))
        {
            self.pop_to(at);
        }
        let found = match tag {
            Tag::H1 | Tag::H2 | Tag::H3 | Tag::H4 | Tag::H5 | Tag::H6 => {
                (self.top().tag.heading_level().is_some()).then(|| self.open.len() - 1)
            }
            Tag::Li if !self.is_open(Tag::Li) => None,
            Tag::Li => self.find(|open| open.tag == Tag::Li, |open| ends_item_search(open.tag)),
            Tag::Dd | Tag::Dt => {
                self.find(|open| matches!(open.tag, Tag::Dd | Tag::Dt), |open| ends_item_search(open.tag))
            }
            Tag::Option | Tag::Optgroup => (self.top().tag == Tag::Option).then(|| self.open.len() - 1),
            Tag::Td | Tag::Th => self.find(
                |open| matches!(open.tag, Tag::Td | Tag::Th | Tag::Caption),
                |open| matches!(open.tag, Tag::Table | Tag::Template),
            ),
            Tag::Tr => self.find_outermost(&[Tag::Tr, Tag::Td, Tag::Th, Tag::Caption]),
            Tag::Tbody | Tag::Thead | Tag::Tfoot => self.find_outermost(&[
                Tag::Tbody,
                Tag::Thead,
                Tag::Tfoot,
                Tag::Tr,
                Tag::Td,
                Tag::Th,
                Tag::Caption,
            ]),
            Tag::Button => self.find(|open| open.tag == Tag::Button, |open| open.tag.is_scope()),
            Tag::A => {
                self.end_formatting(Tag::A);
                None
            }
            _ => None,
        };
        if let Some(at) = found {
            self.pop_to(at);
        }
    }

    fn end(&mut self, tag: Tag, name: u64) {
        match tag {
            // Pages go on behind their end.
            Tag::Body | Tag::Html => return,
            Tag::Br => {
                self.push_element(Tag::Br);
                return;
            }
            _ => {}
        }
        if self.n_too_deep > 0 {
            self.n_too_deep -= 1;
            return;
        }
        if self.top().foreign && self.end_foreign(tag, name) {
            return;
        }
        let is_same = |open: &Open| open.tag == tag && open.name == name && !open.ended;
        let found = match tag {
            // Whatever is open inside ends with it.
            Tag::Template => self.find(is_same, |_| false),
            Tag::P => {
                let found = self.find(is_same, |open| is_button_scope(open.tag));
                if found.is_none() {
                    // The end of a paragraph that was not begun is an empty one, which parts what is around it.
                    self.push_element(Tag::P);
                }
                found
            }
            Tag::H1 | Tag::H2 | Tag::H3 | Tag::H4 | Tag::H5 | Tag::H6 => {
                self.find(|open| open.tag.heading_level().is_some(), |open| open.tag.is_scope())
            }
            Tag::Table
            | Tag::Tr
            | Tag::Tbody
            | Tag::Thead
            | Tag::Tfoot
            | Tag::Td
            | Tag::Th
            | Tag::Caption => self.find(is_same, |open| matches!(open.tag, Tag::Table | Tag::Template)),
            _ if tag.is_formatting() => {
                self.end_formatting(tag);
                None
            }
            _ if tag.is_special() => self.find(is_same, |open| open.tag.is_scope()),
            _ => self.find(is_same, |open| open.tag.is_special()),
        };
        if let Some(at) = found {
            self.pop_to(at);
        }
    }

    /// Ends the innermost element of a drawing or a formula that has the name, and says whether there was one.
    fn end_foreign(&mut self, tag: Tag, name: u64) -> bool {
        if tag == Tag::P {
            self.break_out();
            return false;
        }
        let is_other = |open: &Open| !open.foreign || open.tag == tag && open.name == name;
        let found = self
            .open
            .iter()
            .rposition(is_other)
            .filter(|at| self.open.get(*at).is_some_and(|open| open.foreign));
        if let Some(at) = found {
            self.pop_to(at);
        }
        found.is_some()
    }

    /// Ends the innermost open element `tag`, at once or, if blocks are open inside, with these.
    fn end_formatting(&mut self, tag: Tag) {
        if !self.is_open(tag) {
            return;
        }
        let is_same = |open: &Open| open.tag == tag && !open.ended;
        let Some(at) = self.find(is_same, |open| open.tag.is_scope()) else { return };
        let blocks_inside = self.open.iter().skip(at + 1).any(|open| open.tag.is_special());
        if blocks_inside {
            if let Some(open) = self.open.get_mut(at) {
                open.ended = true;
            }
        } else {
            self.pop_to(at);
        }
    }

    /// Whether an element of the tag is open anywhere.
    fn is_open(&self, tag: Tag) -> bool {
        self.n_open[tag as usize] > 0
    }

    /// The innermost open element that is looked for; the search ends at a barrier, which may itself be it.
    fn find(&self, wanted: impl Fn(&Open) -> bool, barrier: impl Fn(&Open) -> bool) -> Option<usize> {
        let is_wanted = |open: &Open| !open.foreign && wanted(open);
        let at = self.open.iter().rposition(|open| is_wanted(open) || barrier(open) || open.holds_html)?;
        self.open.get(at).is_some_and(is_wanted).then_some(at)
    }

    /// The outermost of the open elements `tags` inside the innermost table.
    fn find_outermost(&self, tags: &[Tag]) -> Option<usize> {
        let inside = self.open.iter().rposition(|open| matches!(open.tag, Tag::Table | Tag::Template))? + 1;
        let found = self.open.iter().skip(inside).position(|open| tags.contains(&open.tag))?;
        Some(inside + found)
    }

    fn pop_to(&mut self, at: usize) {
        while self.open.len() > at.max(1) {
            self.pop_one();
        }
        while self.open.len() > 1 && self.top().ended {
            self.pop_one();
        }
    }

    fn pop(&mut self) {
        self.pop_to(self.open.len() - 1);
    }

    fn pop_one(&mut self) {
        let Some(open) = self.open.pop() else { return };
        // The root was never counted.
        let n_open = &mut self.n_open[open.tag as usize];
        *n_open = n_open.saturating_sub(1);
        let end = self.shape.nodes.len() as u32;
        if let Some(node) = self.shape.nodes.get_mut(open.node as usize) {
            node.end = end;
        }
    }

    fn finish(mut self) -> Tree<'a> {
        self.pop_to(1);
        self.pop_one();
        Arc::new(self.shape).over(self.source)
    }
}

/// Whether an element of a drawing or a formula holds HTML.
fn holds_html(tag: Tag, name: u64) -> bool {
    const NAMES: [u64; 7] = [
        hash_of(b"foreignobject"),
        hash_of(b"desc"),
        hash_of(b"mi"),
        hash_of(b"mo"),
        hash_of(b"mn"),
        hash_of(b"ms"),
        hash_of(b"mtext"),
    ];
    tag == Tag::Title || tag == Tag::Other && NAMES.contains(&name)
}

/// Whether an element shows that a drawing or a formula was not ended (HTML standard, section 13.2.6.5).
fn breaks_out(tag: Tag) -> bool {
    matches!(
        tag,
        Tag::B
            | Tag::Big
            | Tag::Blockquote
            | Tag::Body
            | Tag::Br
            | Tag::Center
            | Tag::Code
            | Tag::Dd
            | Tag::Div
            | Tag::Dl
            | Tag::Dt
            | Tag::Em
            | Tag::Embed
            | Tag::H1
            | Tag::H2
            | Tag::H3
            | Tag::H4
            | Tag::H5
            | Tag::H6
            | Tag::Head
            | Tag::Hr
            | Tag::I
            | Tag::Img
            | Tag::Li
            | Tag::Listing
            | Tag::Menu
            | Tag::Meta
            | Tag::Nobr
            | Tag::Ol
            | Tag::P
            | Tag::Pre
            | Tag::Ruby
            | Tag::S
            | Tag::Small
            | Tag::Span
            | Tag::Strong
            | Tag::Strike
            | Tag::Sub
            | Tag::Sup
            | Tag::Table
            | Tag::Tt
            | Tag::U
            | Tag::Ul
            | Tag::Var
    )
}

/// Elements behind which a page is no set of frames any more.
fn is_of_page(tag: Tag) -> bool {
    matches!(
        tag,
        Tag::Body
            | Tag::Pre
            | Tag::Listing
            | Tag::Li
            | Tag::Dd
            | Tag::Dt
            | Tag::Button
            | Tag::Applet
            | Tag::Marquee
            | Tag::Object
            | Tag::Table
            | Tag::Area
            | Tag::Br
            | Tag::Embed
            | Tag::Img
            | Tag::Keygen
            | Tag::Wbr
            | Tag::Hr
            | Tag::Textarea
            | Tag::Xmp
            | Tag::Iframe
            | Tag::Select
            | Tag::Plaintext
    )
}

fn is_of_head(tag: Tag) -> bool {
    matches!(
        tag,
        Tag::Base
            | Tag::Basefont
            | Tag::Bgsound
            | Tag::Link
            | Tag::Meta
            | Tag::Noframes
            | Tag::Noscript
            | Tag::Script
            | Tag::Style
            | Tag::Template
            | Tag::Title
            | Tag::Head
            | Tag::Html
    )
}

fn is_button_scope(tag: Tag) -> bool {
    tag.is_scope() || tag == Tag::Button
}

/// Where the search for an open list item ends: at any block but the three that may lie inside one.
fn ends_item_search(tag: Tag) -> bool {
    tag.is_special() && !matches!(tag, Tag::Address | Tag::Div | Tag::P)
}
