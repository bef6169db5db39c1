//! Texts that somebody has laid out by hand.

use tamis_plugin::{Draft, ValueRef};

/// Whether a document is Markdown or the like, as its reader says (`content_type`): it holds nothing but its text, and
/// its blank lines and indentation are part of that.
pub(crate) fn by_hand(draft: &Draft<'_>) -> bool {
    const KINDS: [&str; 4] = ["text/markdown", "text/x-rst", "text/asciidoc", "text/org"];
    let content_type = draft.metadata("content_type").and_then(ValueRef::as_str);
    content_type.is_some_and(|kind| KINDS.contains(&kind))
}
