//! The tree of a page, in one array.

use std::borrow::Cow;
use std::sync::Arc;

use crate::append::{append, part_words};
use crate::entities;
use crate::tag::{Name, Tag};
use crate::tokens::{Attribute, Span};

/// The place of a node in its [`Tree`].
pub type NodeId = usize;

/// The tree of a page: elements and texts in document order, so that the nodes below a node are those that
/// follow it, up to [`Tree::end`].
///
/// It borrows the source; what was found in it, its [`Shape`], can be kept and shared without.
#[derive(Debug, Clone)]
pub struct Tree<'a> {
    pub(crate) source: &'a str,
    pub(crate) shape: Arc<Shape>,
}

/// What a [`Tree`] is beside its source: nodes and attributes as ranges of it.
///
/// There are no pointers in it: dropping it frees two arrays, however deep the page is.
#[derive(Debug, Default)]
pub struct Shape {
    pub(crate) nodes: Vec<Node>,
    pub(crate) attributes: Vec<Attribute>,
}

impl Shape {
    /// The tree of `source`, which must be the one that the shape was parsed from: over another it is a tree of
    /// nonsense.
    pub fn over(self: Arc<Self>, source: &str) -> Tree<'_> {
        Tree { source, shape: self }
    }

    /// Bytes that it takes in memory.
    pub fn bytes(&self) -> usize {
        size_of_val(self)
            + self.nodes.capacity() * size_of::<Node>()
            + self.attributes.capacity() * size_of::<Attribute>()
    }
}

/// A node. A page may have one in two bytes of source, so what an element and a text have of their own shares a place.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    pub(crate) parent: u32,
    /// The first attribute of an element, which has one for each bit of `names`; where a text begins in the source.
    pub(crate) start: u32,
    /// The first node behind all that are below an element; where a text ends in the source.
    pub(crate) end: u32,
    pub(crate) tag: Tag,
    /// A bit for each [`Name`] that its attributes have: most questions for an attribute are about one that is not there.
    pub(crate) names: [u8; 3],
}

// All names have a bit.
const _: () = assert!(Name::ALL.len() <= 24);
// What a node takes decides what a hostile page takes.
const _: () = assert!(size_of::<Node>() == 16);

impl Node {
    /// Notes that it has an attribute of this name.
    pub(crate) fn note(&mut self, name: Name) {
        if let Some(bits) = self.names.get_mut(name as usize / 8) {
            *bits |= 1 << (name as usize % 8);
        }
    }

    fn has(&self, name: Name) -> bool {
        self.names[name as usize / 8] >> (name as usize % 8) & 1 == 1
    }

    fn bits(&self) -> u32 {
        let [first, second, third] = self.names;
        u32::from_le_bytes([first, second, third, 0])
    }
}

/// Some names of attributes, of which a node is asked in one look whether it has any.
#[derive(Debug, Clone, Copy)]
pub struct Names(u32);

impl Names {
    /// These names; [`Name::Other`] stands for no attribute.
    pub const fn of(names: &[Name]) -> Self {
        let mut bits = 0;
        let mut at = 0;
        while at < names.len() {
            bits |= 1 << names[at] as u32;
            at += 1;
        }
        Self(bits)
    }
}

impl<'a> Tree<'a> {
    /// What was found in the source, to be kept without it.
    pub fn shape(&self) -> Arc<Shape> {
        Arc::clone(&self.shape)
    }

    /// Number of nodes; the first is the root.
    pub fn len(&self) -> usize {
        self.shape.nodes.len()
    }

    /// Whether nothing but the root is there.
    pub fn is_empty(&self) -> bool {
        self.shape.nodes.len() < 2
    }

    /// What a node is.
    pub fn tag(&self, node: NodeId) -> Tag {
        self.shape.nodes.get(node).map_or(Tag::Root, |node| node.tag)
    }

    /// The node above; the root is above itself.
    pub fn parent(&self, node: NodeId) -> NodeId {
        self.shape.nodes.get(node).map_or(0, |node| node.parent as usize)
    }

    /// The first node behind all that are below `node`.
    pub fn end(&self, node: NodeId) -> NodeId {
        let is_text = |it: &Node| it.tag == Tag::Text;
        self.shape.nodes.get(node).map_or(0, |it| if is_text(it) { node + 1 } else { it.end as usize })
    }

    /// The source of a text, with its character references; empty for an element.
    pub fn source_text(&self, node: NodeId) -> &'a str {
        match self.shape.nodes.get(node) {
            Some(node) if node.tag == Tag::Text => Span { start: node.start, end: node.end }.of(self.source),
            _ => "",
        }
    }

    /// Where a text stands in the source, in bytes; nowhere for an element.
    pub(crate) fn source_range(&self, node: NodeId) -> std::ops::Range<usize> {
        match self.shape.nodes.get(node) {
            Some(node) if node.tag == Tag::Text => node.start as usize..node.end as usize,
            _ => 0..0,
        }
    }

    /// Whether an element has any attribute that is kept.
    pub fn has_attributes(&self, node: NodeId) -> bool {
        self.shape.nodes.get(node).is_some_and(|node| node.names != [0; 3])
    }

    /// Whether an element has any of some attributes.
    #[inline]
    pub fn has_any(&self, node: NodeId, names: Names) -> bool {
        self.shape.nodes.get(node).is_some_and(|node| node.bits() & names.0 != 0)
    }

    /// The value of an attribute as it stands in the source, if the element has it.
    #[inline]
    pub fn attribute(&self, node: NodeId, name: Name) -> Option<&'a str> {
        let node = self.shape.nodes.get(node).filter(|node| node.has(name))?;
        self.value(node, name)
    }

    /// The value of an attribute that the element has.
    fn value(&self, node: &Node, name: Name) -> Option<&'a str> {
        // Those of other elements come behind.
        let mut attributes = self.shape.attributes.get(node.start as usize..)?.iter();
        let attribute = attributes.find(|attribute| attribute.name == name)?;
        Some(attribute.value.of(self.source))
    }

    /// The values of some attributes as they stand in the source, each if the element has it.
    pub fn attributes<const N: usize>(&self, node: NodeId, names: [Name; N]) -> [Option<&'a str>; N] {
        let Some(node) = self.shape.nodes.get(node).filter(|node| node.names != [0; 3]) else {
            return [None; N];
        };
        names.map(|name| if node.has(name) { self.value(node, name) } else { None })
    }

    /// The value of an attribute with its character references resolved.
    pub fn attribute_text(&self, node: NodeId, name: Name) -> Option<Cow<'a, str>> {
        self.attribute(node, name).map(entities::decoded_attribute)
    }

    /// Whether two texts of a block lie in inline elements that stand side by side, such as links in a row, which
    /// a page parts by margins and not by blanks.
    ///
    /// Emphasis is no such element: it may begin inside a word.
    pub fn is_apart(&self, text: NodeId, next: NodeId) -> bool {
        let (above, above_next) = (self.parent(text), self.parent(next));
        let emphasis = |node: NodeId| {
            let tag = self.tag(node);
            tag.is_formatting() && tag != Tag::A || matches!(tag, Tag::Sub | Tag::Sup | Tag::Rt | Tag::Ruby)
        };
        self.end(above) <= next && text < above_next && !emphasis(above) && !emphasis(above_next)
    }

    /// Appends a text to `out`, where its block begins at `start`: character references resolved, white space
    /// folded.
    pub fn append_text(&self, node: NodeId, out: &mut String, start: usize) {
        append(out, start, self.source_text(node), false, self.is_literal(node));
    }

    /// Whether a text holds no character references: that of a script is program text, and that of `xmp` and
    /// `plaintext` is shown as it stands.
    pub(crate) fn is_literal(&self, text: NodeId) -> bool {
        let above = self.tag(self.parent(text));
        above == Tag::Plaintext || above.is_raw() && !matches!(above, Tag::Title | Tag::Textarea)
    }

    /// Appends a blank to `out` if it and a text would otherwise make one word.
    pub fn part_words(&self, node: NodeId, out: &mut String) {
        part_words(out, self.source_text(node));
    }

    /// The text of an element whose content is text alone, such as `script`.
    pub fn raw_text(&self, node: NodeId) -> &'a str {
        // One that closes itself has none, and what follows it is another's.
        if self.tag(node).is_raw() && self.end(node) > node + 1 { self.source_text(node + 1) } else { "" }
    }
}
