//! Formulas as `LaTeX`: each once, whatever a page holds of it to be shown.
//!
//! A formula stands in a page as `MathML`, as the elements that a script has drawn, or as the source for a script, and
//! often as two of these. `MathML` that comes from `LaTeX` keeps it, as `alttext` or in an annotation; from other the
//! `LaTeX` is made (see `mathml`). What was drawn is left out (see [`crate::is_left_out`]), apart from pictures, whose
//! description is the source.

use memchr::memmem;

use crate::entities::decoded;
use crate::mathml;
use crate::tag::{Name, Tag};
use crate::tree::{NodeId, Tree};

/// A formula of more nodes has no annotation, or a hostile page would be read as often as it has formulas in formulas.
const MOST_NODES: usize = 2000;

/// The first text of a formula stands no further from its beginning, bytes.
const MOST_BEFORE: usize = 4096;

/// So many nodes before a picture may be the formula that it shows.
const MOST_BESIDE: usize = 256;

/// The `LaTeX` of a formula between `$`, if the element is one of which it is known.
pub fn formula(tree: &Tree<'_>, node: NodeId) -> Option<String> {
    let source = match tree.tag(node) {
        Tag::Math => match annotation(tree, node).or_else(|| tree.attribute(node, Name::AltText)) {
            Some(source) => source,
            None => return made(tree, node),
        },
        Tag::Script if is_source(tree, node) => tree.raw_text(node),
        Tag::Img if is_picture(tree, node) => tree.attribute(node, Name::Alt)?,
        _ => return None,
    };
    let source = decoded(source);
    let latex = bare(source.trim());
    (!latex.is_empty()).then(|| format!("${latex}$"))
}

/// The `LaTeX` that `MathML` was made from.
fn annotation<'a>(tree: &Tree<'a>, math: NodeId) -> Option<&'a str> {
    let is_tex = |node: &NodeId| {
        let encoding = tree.attribute(*node, Name::Encoding).unwrap_or_default();
        tree.tag(*node) == Tag::Annotation && encoding.to_ascii_lowercase().contains("tex")
    };
    let annotation = (math + 1..tree.end(math)).take(MOST_NODES).find(is_tex)?;
    Some(tree.source_text(annotation + 1))
}

/// The `LaTeX` made from `MathML`, if nothing else is in it: a page that never closes a formula has its text there.
fn made(tree: &Tree<'_>, math: NodeId) -> Option<String> {
    let inside = math + 1..tree.end(math).min(math + MOST_NODES);
    let is_known = |node: NodeId| !matches!(tree.tag(node), Tag::Text | Tag::Other | Tag::Annotation);
    if tree.end(math) > inside.end || inside.clone().any(is_known) {
        return None;
    }
    let mut texts = inside.filter(|node| tree.tag(*node) == Tag::Text);
    let first = texts.next()?;
    let last = texts.next_back().unwrap_or(first);
    // Of an element the tree keeps no place; its first text stands in the source behind its tag.
    let (from, to) = (tree.source_range(first).start, tree.source_range(last).end);
    let before = tree.source.as_bytes().get(from.saturating_sub(MOST_BEFORE)..from)?;
    let start = memmem::rfind(before, b"<math").or_else(|| memmem::rfind(before, b"<MATH"))?;
    let start = from - before.len() + start;
    let latex = mathml::latex(tree.source.get(start..to)?)?;
    Some(format!("${latex}$"))
}

/// Class names of pictures of formulas whose description is their source: of `MediaWiki` and `WordPress`.
const PICTURES: [&str; 3] = ["mwe-math-fallback-image-inline", "mwe-math-fallback-image-display", "latex"];

/// Whether a picture shows a formula that stands beside it in no other form.
fn is_picture(tree: &Tree<'_>, picture: NodeId) -> bool {
    let class = tree.attribute(picture, Name::Class).unwrap_or_default();
    if !class.split_ascii_whitespace().any(|word| PICTURES.contains(&word)) {
        return false;
    }
    let around = tree.parent(picture);
    !(around..picture).rev().take(MOST_BESIDE).any(|node| tree.tag(node) == Tag::Math)
}

/// Whether a script is the source of a formula, as `MathJax` takes it.
fn is_source(tree: &Tree<'_>, script: NodeId) -> bool {
    tree.attribute(script, Name::Type).is_some_and(|kind| kind.trim_start().starts_with("math/tex"))
}

/// Without the `{\displaystyle …}` that `MediaWiki` puts around each.
fn bare(latex: &str) -> &str {
    let inner = latex.strip_prefix("{\\displaystyle").and_then(|rest| rest.strip_suffix('}'));
    inner.unwrap_or(latex).trim()
}
