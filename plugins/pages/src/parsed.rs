//! The tree of a page, parsed once for all stages of this library.

use std::sync::Arc;

use tamis_html::{Shape, Tree, parse};
use tamis_plugin::{Attachment, Failure, View};

/// What was found in the text of a document; it hangs on the document until the text changes.
struct Parsed(Arc<Shape>);

impl Attachment for Parsed {
    fn bytes(&self) -> usize {
        self.0.bytes()
    }
}

/// The tree of the text of a document.
pub(crate) fn tree<'a>(document: &View<'a>) -> Result<Tree<'a>, Failure> {
    let parsed = document.attachment(|text| parse(text).map(|tree| Parsed(tree.shape())));
    let parsed = parsed.map_err(Failure::new)?;
    Ok(Arc::clone(&parsed.0).over(document.text()))
}
