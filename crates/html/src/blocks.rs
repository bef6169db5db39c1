//! The text of a page, block by block, and the elements around it.

use std::ops::Range;

use crate::append::{append, part_words};
use crate::formula::formula;
use crate::hidden::{SAYING, is_hidden_in_line};
use crate::tag::{Name, Tag};
use crate::tree::{Names, NodeId, Tree};

/// A run of text that is shown in one piece: a paragraph, a heading, a list item, a cell, a line.
///
/// A page may have a block in five bytes of source, so its numbers take 32 bits each.
#[derive(Debug, Clone)]
pub struct Block {
    text: Range<u32>,
    nodes: Range<u32>,
    container: u32,
    /// Which of the marks of the page it has, twice, and 1 more behind `<br>`.
    marks: u32,
}

/// What of a block is linked or in bold type. Most have neither, and a page may have a block in four bytes of source, so
/// it does not stand in each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Marks {
    /// Bytes of its text that are linked.
    pub link_bytes: u32,
    /// Number of links that begin in it.
    pub n_links: u32,
    /// Bytes of its text in bold or strong type.
    pub bold_bytes: u32,
}

impl Block {
    /// Its text in [`Blocks::text`], in bytes; white space folded except in `pre`, never blank.
    pub fn text(&self) -> Range<usize> {
        wide(&self.text)
    }

    /// The nodes that it was made of: from its first text to behind its last.
    pub fn nodes(&self) -> Range<NodeId> {
        wide(&self.nodes)
    }

    /// The innermost block element around it, in [`Blocks::containers`].
    pub fn container(&self) -> usize {
        self.container as usize
    }

    /// Whether only `<br>` parts it from the block before, so that both are lines of one paragraph.
    pub fn after_break(&self) -> bool {
        self.marks & 1 == 1
    }
}

/// A block element.
#[derive(Debug, Clone)]
pub struct Container {
    node: u32,
    parent: u32,
    blocks: Range<u32>,
    n_images: u16,
    depth: u8,
    /// What it is.
    pub tag: Tag,
}

// What these take decides what a hostile page takes.
const _: () = assert!(size_of::<Block>() == 24 && size_of::<Container>() == 20);

impl Container {
    /// The element.
    pub fn node(&self) -> NodeId {
        self.node as usize
    }

    /// The block element around it; the first one is the root and around itself.
    pub fn parent(&self) -> usize {
        self.parent as usize
    }

    /// How many block elements are around it, 255 at most.
    pub fn depth(&self) -> usize {
        self.depth.into()
    }

    /// The blocks inside.
    pub fn blocks(&self) -> Range<usize> {
        wide(&self.blocks)
    }

    /// Number of pictures inside, 65,535 at most.
    pub fn n_images(&self) -> usize {
        self.n_images.into()
    }
}

fn wide(range: &Range<u32>) -> Range<usize> {
    range.start as usize..range.end as usize
}

/// A number below the length of the longest page, which `parse` has checked.
fn narrow(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The blocks of a page in document order.
#[derive(Debug, Clone)]
pub struct Blocks {
    /// The texts of all blocks.
    pub text: String,
    /// The blocks.
    pub blocks: Vec<Block>,
    /// The block elements, in document order.
    pub containers: Vec<Container>,
    /// The first are those of a block without any.
    marks: Vec<Marks>,
}

impl Blocks {
    /// The blocks of a page.
    ///
    /// Text that is never shown (scripts, styles, templates, pictures, the head) makes no block.
    ///
    /// What stands in `noscript` is shown to nobody whose scripts run. It is the text of a page where that has next to no
    /// other.
    pub fn of(tree: &Tree<'_>) -> Self {
        let (blocks, n_skipped) = Walk::new(tree).all();
        if n_skipped * MOST_SKIPPED <= blocks.text.len() {
            return blocks;
        }
        Walk { with_noscript: true, ..Walk::new(tree) }.all().0
    }

    /// Bytes that they take in memory.
    pub fn bytes(&self) -> usize {
        size_of_val(self)
            + self.text.capacity()
            + self.blocks.capacity() * size_of::<Block>()
            + self.containers.capacity() * size_of::<Container>()
            + self.marks.capacity() * size_of::<Marks>()
    }

    /// The text of a block.
    pub fn text_of(&self, block: &Block) -> &str {
        self.text.get(block.text()).unwrap_or_default()
    }

    /// What of a block is linked or in bold type.
    pub fn marks_of(&self, block: &Block) -> Marks {
        self.marks.get(block.marks as usize / 2).copied().unwrap_or_default()
    }

    /// The number of some marks, as the last block has them or anew.
    fn number_of(&mut self, marks: Marks) -> usize {
        if marks == Marks::default() {
            return 0;
        }
        if self.marks.last() != Some(&marks) {
            self.marks.push(marks);
        }
        self.marks.len() - 1
    }
}

/// An element on the way from the root to the node that is looked at.
#[expect(clippy::struct_excessive_bools, reason = "each is a kind of element that may be around others")]
struct Level {
    end: NodeId,
    container: Option<usize>,
    link: bool,
    bold: bool,
    pre: bool,
    reading: bool,
}

struct Walk<'t, 'a> {
    tree: &'t Tree<'a>,
    blocks: Blocks,
    levels: Vec<Level>,
    container: usize,
    n_link: usize,
    n_bold: usize,
    n_pre: usize,
    block: Pending,
    with_noscript: bool,
    n_skipped: usize,
}

/// The block that is being put together.
#[derive(Default)]
struct Pending {
    start: usize,
    first: NodeId,
    last: NodeId,
    link_bytes: usize,
    n_links: usize,
    bold_bytes: usize,
    after_break: bool,
}

/// What was skipped in `noscript` is skipped if the rest is this many times as long. One that holds more is the text of
/// the page, or was never closed.
const MOST_SKIPPED: usize = 2;

impl<'t, 'a> Walk<'t, 'a> {
    /// Goes through the whole page; also how many bytes of text were skipped in `noscript`.
    fn all(mut self) -> (Blocks, usize) {
        let mut node = 1;
        while node < self.tree.len() {
            self.leave_before(node);
            node = self.enter(node);
        }
        self.leave_before(usize::MAX);
        self.blocks.blocks.shrink_to_fit();
        self.blocks.containers.shrink_to_fit();
        (self.blocks, self.n_skipped)
    }

    fn new(tree: &'t Tree<'a>) -> Self {
        let root = Container { node: 0, parent: 0, blocks: 0..0, n_images: 0, depth: 0, tag: Tag::Root };
        // Of what grows the old half is left behind, which is memory that a page of many blocks takes twice.
        let (mut n_texts, mut n_elements) = (0, 0);
        for node in &tree.shape.nodes {
            n_texts += usize::from(node.tag == Tag::Text);
            n_elements += usize::from(node.tag.is_block());
        }
        let mut containers = Vec::with_capacity(n_elements + 1);
        containers.push(root);
        let blocks = Blocks {
            text: String::with_capacity(tree.source.len() / 8),
            blocks: Vec::with_capacity(n_texts),
            containers,
            marks: vec![Marks::default()],
        };
        Self {
            tree,
            blocks,
            levels: Vec::new(),
            container: 0,
            n_link: 0,
            n_bold: 0,
            n_pre: 0,
            block: Pending::default(),
            with_noscript: false,
            n_skipped: 0,
        }
    }

    /// Ends the elements that do not reach up to `node`.
    fn leave_before(&mut self, node: NodeId) {
        while let Some(level) = self.levels.pop_if(|level| level.end <= node) {
            if level.reading {
                self.end_reading();
            }
            if level.container.is_some() {
                // While it is still known whether it is code, of which white space is a part.
                self.flush();
                self.block.after_break = false;
            }
            self.n_link -= usize::from(level.link);
            self.n_bold -= usize::from(level.bold);
            self.n_pre -= usize::from(level.pre);
            if let Some(container) = level.container {
                let end = narrow(self.blocks.blocks.len());
                let mut n_images = 0;
                let mut above = 0;
                if let Some(container) = self.blocks.containers.get_mut(container) {
                    container.blocks.end = end;
                    n_images = container.n_images;
                    above = container.parent();
                }
                self.container = above;
                if let Some(above) = self.blocks.containers.get_mut(above) {
                    above.n_images = above.n_images.saturating_add(n_images);
                }
            }
        }
        if node == usize::MAX {
            self.flush();
            let end = narrow(self.blocks.blocks.len());
            if let Some(root) = self.blocks.containers.first_mut() {
                root.blocks.end = end;
            }
        }
    }

    /// Looks at a node, and says which comes next.
    fn enter(&mut self, node: NodeId) -> NodeId {
        let tag = self.tree.tag(node);
        if tag == Tag::Text {
            self.text(node);
            return node + 1;
        }
        let end = self.tree.end(node);
        if tag == Tag::Text {
            self.text(node);
            return node + 1;
        }
        if let Some(formula) = formula(self.tree, node) {
            self.formula(node, &formula);
            return end;
        }
        match tag {
            Tag::Br => {
                self.flush();
                self.block.after_break = true;
                return node + 1;
            }
            Tag::Img | Tag::Picture | Tag::Video => {
                if let Some(container) = self.blocks.containers.get_mut(self.container) {
                    container.n_images = container.n_images.saturating_add(1);
                }
                return end;
            }
            Tag::Noscript if !self.with_noscript => {
                let is_shown = |inner: &NodeId| !self.tree.tag(self.tree.parent(*inner)).is_raw();
                let texts = (node + 1..end).filter(is_shown).map(|inner| self.tree.source_text(inner));
                self.n_skipped += texts.map(|text| text.trim().len()).sum::<usize>();
                return end;
            }
            _ => {}
        }
        if tag != Tag::Noscript && is_left_out(self.tree, node) {
            return end;
        }
        let link = tag == Tag::A && self.tree.has_any(node, LEADING);
        let bold = matches!(tag, Tag::B | Tag::Strong);
        let pre = matches!(tag, Tag::Pre | Tag::Textarea | Tag::Listing | Tag::Xmp | Tag::Plaintext);
        let container = tag.is_block().then(|| self.open(node, tag));
        let reading = tag == Tag::Rt && self.blocks.text.len() > self.block.start;
        if reading {
            self.blocks.text.push('(');
        }
        if link || bold || pre || reading || container.is_some() {
            self.n_link += usize::from(link);
            self.block.n_links += usize::from(link);
            self.n_bold += usize::from(bold);
            self.n_pre += usize::from(pre);
            self.levels.push(Level { end, container, link, bold, pre, reading });
        }
        node + 1
    }

    fn open(&mut self, node: NodeId, tag: Tag) -> usize {
        self.flush();
        self.block.after_break = false;
        let id = self.blocks.containers.len();
        let parent = self.container;
        let depth = self.blocks.containers.get(parent).map_or(0, |parent| parent.depth.saturating_add(1));
        let first = narrow(self.blocks.blocks.len());
        self.blocks.containers.push(Container {
            node: narrow(node),
            parent: narrow(parent),
            blocks: first..first,
            n_images: 0,
            depth,
            tag,
        });
        self.container = id;
        id
    }

    fn text(&mut self, node: NodeId) {
        let source = self.tree.source_text(node);
        if self.block.start < self.blocks.text.len() && self.tree.is_apart(self.block.last, node) {
            part_words(&mut self.blocks.text, source);
        }
        let before = self.blocks.text.len();
        append(&mut self.blocks.text, self.block.start, source, self.n_pre > 0, self.tree.is_literal(node));
        let added = self.blocks.text.len() - before;
        if added == 0 {
            return;
        }
        if before == self.block.start {
            self.block.first = node;
        }
        self.block.last = node;
        if self.n_link > 0 {
            self.block.link_bytes += added;
        }
        if self.n_bold > 0 {
            self.block.bold_bytes += added;
        }
    }

    /// Ends the reading of a word, which stands behind it in parentheses whether the page has those or not.
    fn end_reading(&mut self) {
        if self.blocks.text.len() > self.block.start + 1 && self.blocks.text.ends_with('(') {
            self.blocks.text.pop();
        } else if self.blocks.text.len() > self.block.start {
            self.blocks.text.push(')');
        }
    }

    /// A formula, of which the nodes of the block hold the element.
    fn formula(&mut self, node: NodeId, formula: &str) {
        if self.blocks.text.len() == self.block.start {
            self.block.first = node;
        }
        self.blocks.text.push_str(formula);
        self.block.last = self.tree.end(node) - 1;
    }

    /// Ends the block.
    fn flush(&mut self) {
        let pending = std::mem::take(&mut self.block);
        let written = self.blocks.text.get(pending.start..).unwrap_or_default();
        let kept = if self.n_pre > 0 { written.trim_end().len() } else { written.trim().len() };
        let skipped = if self.n_pre > 0 { 0 } else { written.len() - written.trim_start().len() };
        let start = pending.start + skipped;
        let text = start..start + kept;
        if kept == 0 {
            self.blocks.text.truncate(pending.start);
            self.block =
                Pending { start: pending.start, after_break: pending.after_break, ..Pending::default() };
            return;
        }
        self.blocks.text.truncate(text.end);
        let marks = self.blocks.number_of(Marks {
            link_bytes: narrow(pending.link_bytes.min(kept)),
            n_links: narrow(pending.n_links),
            bold_bytes: narrow(pending.bold_bytes.min(kept)),
        });
        self.blocks.blocks.push(Block {
            text: narrow(text.start)..narrow(text.end),
            nodes: narrow(pending.first)..narrow(pending.last + 1),
            container: narrow(self.container),
            // A page has fewer blocks than a third of its bytes, of which there are no more than 3 GiB.
            marks: narrow(marks * 2 + usize::from(pending.after_break)),
        });
        self.block.start = self.blocks.text.len();
    }
}

/// Elements whose text is not part of the page as it is read: scripts, templates, pictures, options.
pub fn is_never_shown(tag: Tag) -> bool {
    matches!(
        tag,
        Tag::Script
            | Tag::Style
            | Tag::Iframe
            | Tag::Noembed
            | Tag::Noframes
            | Tag::Template
            | Tag::Title
            | Tag::Svg
            | Tag::Audio
            | Tag::Canvas
            | Tag::Object
            | Tag::Applet
            | Tag::Rp
            | Tag::Select
            | Tag::Textarea
    )
}

/// What makes an anchor a link.
const LEADING: Names = Names::of(&[Name::Href]);

/// The most nodes between a hidden element and the formula in it.
const MOST_AROUND_FORMULA: usize = 16;

/// Words of class names of inline elements that are no text: marks for editors, links of headings to themselves, and
/// formulas as a script has drawn them, beside their source.
const NO_TEXT: [&str; 7] = [
    "mw-editsection",
    "editsection",
    "headerlink",
    "katex-html",
    "MathJax",
    "MathJax_Preview",
    "MathJax_SVG",
];

/// Whether the text in an element is no part of the page as it is read: that of scripts, styles and templates, and in
/// the middle of a line what is hidden or a mark for editors.
///
/// Blocks that are hidden are left to whoever judges blocks: a script may show them.
pub fn is_left_out(tree: &Tree<'_>, node: NodeId) -> bool {
    let tag = tree.tag(node);
    if tag == Tag::Text || tag.is_block() {
        return is_never_shown(tag) || tag == Tag::Noscript;
    }
    if tag == Tag::A && is_self_link(tree, node) {
        return true;
    }
    // Most elements in a line say nothing of themselves but where they lead.
    if !tree.has_any(node, SAYING) {
        return is_never_shown(tag);
    }
    // Formulas are hidden where a picture is shown instead.
    let inside = || (node + 1..tree.end(node)).take(MOST_AROUND_FORMULA);
    let holds_formula = || inside().any(|inner| tree.tag(inner) == Tag::Math);
    let class = || tree.attribute(node, Name::Class).unwrap_or_default();
    let is_drawn = |word: &str| NO_TEXT.contains(&word) && !(tag == Tag::Other && holds_math(tree, node));
    is_never_shown(tag)
        || is_hidden_in_line(tree, node) && !holds_formula()
        || class().split_ascii_whitespace().any(is_drawn)
        || is_line_number(tree, node)
}

/// Marks by which a heading links itself.
const SELF_LINKS: [&str; 7] = ["#", "¶", "§", "🔗", "&para;", "&#182;", "&#xb6;"];

/// Whether a link is the mark of a heading for its own address.
fn is_self_link(tree: &Tree<'_>, link: NodeId) -> bool {
    // It holds one text, which is looked at before anything else: most links are words.
    let text = if tree.end(link) == link + 2 { tree.source_text(link + 1).trim() } else { "" };
    SELF_LINKS.contains(&text) && tree.attribute(link, Name::Href).is_some_and(|to| to.contains('#'))
}

/// Whether an element that a script has drawn a formula into holds it as `MathML`, too, beside a picture of it: `MathJax`
/// from its third version on, where the source is gone from the page.
fn holds_math(tree: &Tree<'_>, drawn: NodeId) -> bool {
    let mut at = drawn + 1;
    for _ in 0..MOST_IN_DRAWN {
        if at >= tree.end(drawn) || tree.tag(at) == Tag::Math {
            break;
        }
        at = if tree.tag(at) == Tag::Svg { tree.end(at) } else { at + 1 };
    }
    at < tree.end(drawn) && tree.tag(at) == Tag::Math
}

/// Nodes that are looked at for the `MathML` of a drawn formula, not counting those of a picture.
const MOST_IN_DRAWN: usize = 256;

/// Words of class names of the numbers before lines of code.
const LINE_NUMBERS: [&str; 9] = [
    "lineno",
    "linenos",
    "linenumber",
    "line-number",
    "line-numbers",
    "line_number",
    "lnum",
    "ln",
    "hljs-ln-n",
];
/// Elements between a line number and the code that it stands in.
const MOST_ABOVE: usize = 8;

/// Whether an element is the number of a line of code, in the code.
fn is_line_number(tree: &Tree<'_>, node: NodeId) -> bool {
    let class = tree.attribute(node, Name::Class).unwrap_or_default();
    if !class.split_ascii_whitespace().any(|word| LINE_NUMBERS.contains(&word)) {
        return false;
    }
    let texts = (node + 1..tree.end(node)).take(MOST_ABOVE).map(|inner| tree.source_text(inner).trim());
    let is_number = texts.flat_map(str::bytes).all(|byte| byte.is_ascii_digit());
    let mut above = std::iter::successors(Some(node), |at| Some(tree.parent(*at))).take(MOST_ABOVE);
    is_number && above.any(|at| tree.tag(at) == Tag::Pre)
}
