//! The text of a page, block by block, and the elements around it.

use std::ops::Range;

use crate::append::{append, part_words};
use crate::tag::{Name, Tag};
use crate::tree::{NodeId, Tree};

/// A run of text that is shown in one piece: a paragraph, a heading, a list item, a cell, a line.
#[derive(Debug, Clone)]
pub struct Block {
    /// Its text in [`Blocks::text`], in bytes; white space folded except in `pre`, never blank.
    pub text: Range<usize>,
    /// The nodes that it was made of: from its first text to behind its last.
    pub nodes: Range<NodeId>,
    /// The innermost block element around it, in [`Blocks::containers`].
    pub container: usize,
    /// Bytes of its text that are linked.
    pub link_bytes: usize,
    /// Number of links that begin in it.
    pub n_links: usize,
    /// Bytes of its text in bold or strong type.
    pub bold_bytes: usize,
    /// Whether only `<br>` parts it from the block before, so that both are lines of one paragraph.
    pub after_break: bool,
}

/// A block element.
#[derive(Debug, Clone)]
pub struct Container {
    /// The element.
    pub node: NodeId,
    /// What it is.
    pub tag: Tag,
    /// The block element around it; the first one is the root and around itself.
    pub parent: usize,
    /// How many block elements are around it.
    pub depth: usize,
    /// The blocks inside.
    pub blocks: Range<usize>,
    /// Number of pictures inside.
    pub n_images: usize,
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
}

impl Blocks {
    /// The blocks of a page.
    ///
    /// Text that is never shown (scripts, styles, templates, pictures, the head) makes no block.
    pub fn of(tree: &Tree<'_>) -> Self {
        let mut walk = Walk::new(tree);
        let mut node = 1;
        while node < tree.len() {
            walk.leave_before(node);
            node = walk.enter(node);
        }
        walk.leave_before(usize::MAX);
        walk.blocks
    }

    /// The text of a block.
    pub fn text_of(&self, block: &Block) -> &str {
        self.text.get(block.text.clone()).unwrap_or_default()
    }
}

/// An element on the way from the root to the node that is looked at.
struct Level {
    end: NodeId,
    container: Option<usize>,
    link: bool,
    bold: bool,
    pre: bool,
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

impl<'t, 'a> Walk<'t, 'a> {
    fn new(tree: &'t Tree<'a>) -> Self {
        let root = Container { node: 0, tag: Tag::Root, parent: 0, depth: 0, blocks: 0..0, n_images: 0 };
        let blocks = Blocks {
            text: String::with_capacity(tree.source.len() / 8),
            blocks: Vec::new(),
            containers: vec![root],
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
        }
    }

    /// Ends the elements that do not reach up to `node`.
    fn leave_before(&mut self, node: NodeId) {
        while let Some(level) = self.levels.pop_if(|level| level.end <= node) {
            self.n_link -= usize::from(level.link);
            self.n_bold -= usize::from(level.bold);
            self.n_pre -= usize::from(level.pre);
            if let Some(container) = level.container {
                self.flush();
                self.block.after_break = false;
                let end = self.blocks.blocks.len();
                let mut n_images = 0;
                let mut above = 0;
                if let Some(container) = self.blocks.containers.get_mut(container) {
                    container.blocks.end = end;
                    n_images = container.n_images;
                    above = container.parent;
                }
                self.container = above;
                if let Some(above) = self.blocks.containers.get_mut(above) {
                    above.n_images += n_images;
                }
            }
        }
        if node == usize::MAX {
            self.flush();
            let end = self.blocks.blocks.len();
            if let Some(root) = self.blocks.containers.first_mut() {
                root.blocks.end = end;
            }
        }
    }

    /// Looks at a node, and says which comes next.
    fn enter(&mut self, node: NodeId) -> NodeId {
        let tag = self.tree.tag(node);
        let end = self.tree.end(node);
        match tag {
            Tag::Text => {
                self.text(node);
                return node + 1;
            }
            Tag::Br => {
                self.flush();
                self.block.after_break = true;
                return node + 1;
            }
            Tag::Img | Tag::Picture | Tag::Video => {
                if let Some(container) = self.blocks.containers.get_mut(self.container) {
                    container.n_images += 1;
                }
                return end;
            }
            _ if is_never_shown(tag) => return end,
            _ => {}
        }
        if !tag.is_block() && is_hidden(self.tree, node) {
            return end;
        }
        let link = tag == Tag::A && self.tree.attribute(node, Name::Href).is_some();
        let bold = matches!(tag, Tag::B | Tag::Strong);
        let pre = matches!(tag, Tag::Pre | Tag::Textarea | Tag::Listing | Tag::Xmp);
        let container = tag.is_block().then(|| self.open(node, tag));
        if link || bold || pre || container.is_some() {
            self.n_link += usize::from(link);
            self.block.n_links += usize::from(link);
            self.n_bold += usize::from(bold);
            self.n_pre += usize::from(pre);
            self.levels.push(Level { end, container, link, bold, pre });
        }
        node + 1
    }

    fn open(&mut self, node: NodeId, tag: Tag) -> usize {
        self.flush();
        self.block.after_break = false;
        let id = self.blocks.containers.len();
        let parent = self.container;
        let depth = self.blocks.containers.get(parent).map_or(0, |parent| parent.depth + 1);
        let first = self.blocks.blocks.len();
        self.blocks.containers.push(Container {
            node,
            tag,
            parent,
            depth,
            blocks: first..first,
            n_images: 0,
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
        append(&mut self.blocks.text, self.block.start, source, self.n_pre > 0);
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
        self.blocks.blocks.push(Block {
            nodes: pending.first..pending.last + 1,
            container: self.container,
            link_bytes: pending.link_bytes.min(kept),
            n_links: pending.n_links,
            bold_bytes: pending.bold_bytes.min(kept),
            after_break: pending.after_break,
            text,
        });
        self.block.start = self.blocks.text.len();
    }
}

/// Elements whose text is not part of the page as it is read.
fn is_never_shown(tag: Tag) -> bool {
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

/// Whether an element says that it is not shown.
pub fn is_hidden(tree: &Tree<'_>, node: NodeId) -> bool {
    if tree.attribute(node, Name::Hidden).is_some() {
        return true;
    }
    tree.attribute(node, Name::Style).is_some_and(|style| {
        let mut declarations = style.split(';').filter_map(|declaration| declaration.split_once(':'));
        declarations.any(|(name, value)| {
            name.trim().eq_ignore_ascii_case("display")
                && value.trim().to_ascii_lowercase().starts_with("none")
        })
    })
}
