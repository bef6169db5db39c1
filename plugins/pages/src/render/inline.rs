//! Emphasis, code, links and pictures inside a block, in Markdown.

use tamis_html::{Name, NodeId, Tag, formula, is_left_out};

use super::Form;
use crate::features::Page;

/// Writes the content of a block with its inline markup.
pub(super) struct Inline<'p, 'a> {
    pub(super) page: &'p Page<'a>,
    pub(super) form: Form,
}

/// An inline element that was begun.
struct Open {
    end: NodeId,
    close: String,
}

impl Inline<'_, '_> {
    pub(super) fn write(&self, block: usize, out: &mut String) {
        let Some(block) = self.page.blocks.blocks.get(block) else { return };
        let from = out.len();
        let container =
            self.page.blocks.containers.get(block.container()).map_or(0, tamis_html::Container::node);
        let mut open: Vec<Open> = Vec::new();
        let (mut last, mut passed) = (None, 0);
        for node in self.above(block.nodes().start, container).into_iter().chain(block.nodes()) {
            while let Some(done) = open.pop_if(|open| open.end <= node) {
                close(out, from, &done.close);
            }
            if node < passed {
                continue;
            }
            if let Some(formula) = formula(&self.page.tree, node) {
                out.push_str(&formula);
                passed = self.page.tree.end(node);
                continue;
            }
            if is_left_out(&self.page.tree, node) {
                passed = self.page.tree.end(node);
                continue;
            }
            match self.page.tree.tag(node) {
                Tag::Text => {
                    if last.is_some_and(|last| self.page.tree.is_apart(last, node)) {
                        self.page.tree.part_words(node, out);
                    }
                    self.page.tree.append_text(node, out, from);
                    last = Some(node);
                }
                Tag::Img if self.form.images => self.image(node, out),
                tag => {
                    if let Some((mark, close)) = self.mark(node, tag) {
                        out.push_str(mark);
                        open.push(Open { end: self.page.tree.end(node), close });
                    }
                }
            }
        }
        while let Some(done) = open.pop() {
            close(out, from, &done.close);
        }
        out.truncate(out.trim_end().len().max(from));
    }

    /// The inline elements around a node, outermost first.
    fn above(&self, node: NodeId, container: NodeId) -> Vec<NodeId> {
        let mut above = Vec::new();
        let mut at = self.page.tree.parent(node);
        while at > container {
            above.push(at);
            at = self.page.tree.parent(at);
        }
        above.reverse();
        above
    }

    /// What begins and ends an element.
    fn mark(&self, node: NodeId, tag: Tag) -> Option<(&'static str, String)> {
        match tag {
            Tag::B | Tag::Strong => Some(("**", "**".to_owned())),
            Tag::I | Tag::Em => Some(("*", "*".to_owned())),
            Tag::Code | Tag::Kbd | Tag::Samp | Tag::Tt => Some(("`", "`".to_owned())),
            // The reading of a word, as it stands in the text of blocks.
            Tag::Rt => Some(("(", ")".to_owned())),
            Tag::A if self.form.links => {
                let address = self.page.tree.attribute_text(node, Name::Href)?;
                Some(("[", format!("]({})", address.trim())))
            }
            _ => None,
        }
    }

    fn image(&self, node: NodeId, out: &mut String) {
        let tree = &self.page.tree;
        let source =
            tree.attribute_text(node, Name::DataSrc).or_else(|| tree.attribute_text(node, Name::Src));
        if let Some(source) = source {
            let description = tree.attribute_text(node, Name::Alt).unwrap_or_default();
            out.push_str(&format!("![{}]({})", description.trim(), source.trim()));
        }
    }
}

/// Ends an element: its mark stands before the white space at its end, and one without text leaves nothing.
fn close(out: &mut String, from: usize, mark: &str) {
    let open = match mark.chars().next() {
        Some(']') => "[",
        Some(')') => "(",
        _ => mark,
    };
    let text_end = out.trim_end().len().max(from);
    let space = out.split_off(text_end);
    if out.get(from..).is_some_and(|written| written.ends_with(open)) && !open.is_empty() {
        out.truncate(out.len() - open.len());
        out.push_str(&space);
        return;
    }
    out.push_str(mark);
    out.push_str(&space);
}
