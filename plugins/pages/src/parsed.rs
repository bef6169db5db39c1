//! The tree of a page, parsed once for all stages of this library.

use std::sync::Arc;

use tamis_html::{Shape, Tree, parse};
use tamis_plugin::{Attachment, Failure, Form, ValueRef, View};
use tamis_text::encoding::{Hints, decode, top_level_domain};
use tamis_text::markup;

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

/// Whether a document is a page: for one that a reader says is the source of one, and for bytes as scraped, a tag is
/// enough; any other text may hold tags and be none.
pub(crate) fn is_page(document: &View<'_>, source: Option<&str>) -> bool {
    match source {
        Some(source) => has_tag(source),
        None if document.form() == Some(Form::Markup) => has_tag(document.text()),
        None => markup::is_page(document.text().as_bytes()),
    }
}

/// Whether anything in a text looks like a tag.
fn has_tag(text: &str) -> bool {
    let mut rest = text.as_bytes();
    while let Some(at) = memchr::memchr(b'<', rest) {
        rest = rest.get(at + 1..).unwrap_or_default();
        if rest.first().is_some_and(|byte| byte.is_ascii_alphabetic() || matches!(byte, b'!' | b'/')) {
            return true;
        }
    }
    false
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
