//! Formulas as `LaTeX`: each once, whatever a page holds of it to be shown.
//!
//! A formula stands in a page as `MathML`, as the elements that a script has drawn, or as the source for a script, and
//! often as two of these. `MathML` that comes from `LaTeX` keeps it, as `alttext` or in an annotation; what was drawn is
//! left out (see [`crate::is_left_out`]).

use crate::entities::decoded;
use crate::tag::{Name, Tag};
use crate::tree::{NodeId, Tree};

/// A formula of more nodes has no annotation, or a hostile page would be read as often as it has formulas in formulas.
const MOST_NODES: usize = 2000;

/// The `LaTeX` of a formula between `$`, if the element is one of which it is known.
pub fn formula(tree: &Tree<'_>, node: NodeId) -> Option<String> {
    let source = match tree.tag(node) {
        Tag::Math => annotation(tree, node).or_else(|| tree.attribute(node, Name::AltText)),
        Tag::Script => is_source(tree, node).then(|| tree.raw_text(node)),
        _ => None,
    }?;
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

/// Whether a script is the source of a formula, as `MathJax` takes it.
fn is_source(tree: &Tree<'_>, script: NodeId) -> bool {
    tree.attribute(script, Name::Type).is_some_and(|kind| kind.trim_start().starts_with("math/tex"))
}

/// Without the `{\displaystyle …}` that `MediaWiki` puts around each.
fn bare(latex: &str) -> &str {
    let inner = latex.strip_prefix("{\\displaystyle").and_then(|rest| rest.strip_suffix('}'));
    inner.unwrap_or(latex).trim()
}
