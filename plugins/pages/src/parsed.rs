//! The tree of a page, parsed once for all stages of this library.

use std::sync::Arc;

use tamis_html::{Shape, Tree, parse};
use tamis_plugin::{Attachment, Failure, ValueRef, View};
use tamis_text::encoding::{Hints, decode, top_level_domain};

/// What was found in the text of a document; it hangs on the document until the text changes.
struct Parsed(Arc<Shape>);

impl Attachment for Parsed {
    fn bytes(&self) -> usize {
        self.0.bytes()
    }
}

/// The source of a page whose text is empty, from the bytes as scraped: a reader may leave the text to an extractor.
pub(crate) fn from_raw(document: &View<'_>) -> Option<String> {
    let raw = document.raw().filter(|_| document.text().is_empty())?;
    let url = document.metadata("url").and_then(ValueRef::as_str);
    let top_level_domain = url.and_then(top_level_domain);
    let hints = Hints { markup: true, top_level_domain, ..Hints::default() };
    Some(decode(raw, &hints).text.into_owned())
}

/// The tree of a document: of its source from the bytes as scraped, where that is given, or else of its text.
pub(crate) fn tree<'a>(document: &View<'a>, source: Option<&'a str>) -> Result<Tree<'a>, Failure> {
    if let Some(source) = source {
        return parse(source).map_err(Failure::new);
    }
    let parsed = document.attachment(|text| parse(text).map(|tree| Parsed(tree.shape())));
    let parsed = parsed.map_err(Failure::new)?;
    Ok(Arc::clone(&parsed.0).over(document.text()))
}
