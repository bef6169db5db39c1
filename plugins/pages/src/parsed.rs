//! A page, parsed and cut into blocks once for all stages of this library.

use std::sync::Arc;

use memchr::memmem;
use tamis_html::{Blocks, Shape, TooLong, Tree, decoded, parse};
use tamis_plugin::{Attachment, Failure, Form, ValueRef, View};
use tamis_text::encoding::{Hints, decode, top_level_domain};
use tamis_text::markup;

/// What was found in the text of a document; it hangs on the document until the text changes.
struct Parsed {
    shape: Arc<Shape>,
    blocks: Arc<Blocks>,
}

impl Attachment for Parsed {
    fn bytes(&self) -> usize {
        self.shape.bytes() + self.blocks.bytes()
    }
}

/// The tree of a page and its blocks.
pub(crate) struct Parse<'a> {
    pub(crate) tree: Tree<'a>,
    pub(crate) blocks: Arc<Blocks>,
}

impl<'a> Parse<'a> {
    pub(crate) fn of(source: &'a str) -> Result<Self, TooLong> {
        let tree = parse(source)?;
        let blocks = Arc::new(Blocks::of(&tree));
        Ok(Self { tree, blocks })
    }
}

/// The source of a page where that is not the text of the document.
#[derive(Debug)]
pub(crate) enum Source {
    /// The text is empty: a reader may leave it to an extractor to decode the bytes as scraped.
    Raw(String),
    /// The text is markup that was escaped once more, as feeds hold it.
    Escaped(String),
}

impl Source {
    pub(crate) fn of(document: &View<'_>) -> Option<Self> {
        let text = document.text();
        if !text.is_empty() {
            return is_escaped(text).then(|| Self::Escaped(decoded(text).into_owned()));
        }
        let url = document.metadata("url").and_then(ValueRef::as_str);
        let top_level_domain = url.and_then(top_level_domain);
        let hints = Hints { markup: true, top_level_domain, ..Hints::default() };
        Some(Self::Raw(decode(document.raw()?, &hints).text.into_owned()))
    }

    pub(crate) fn text(&self) -> &str {
        let (Self::Raw(text) | Self::Escaped(text)) = self;
        text
    }
}

/// Tags that are escaped in a text without any that is not: so many, or the first of them at its start, make it markup
/// rather than a text about markup.
const LEAST_ESCAPED: usize = 4;
/// Elements that text has and that nobody writes about four times.
const ESCAPED: [&str; 6] = ["p", "br", "div", "li", "span", "h2"];

/// Whether a text is markup of which every tag was escaped (`&lt;p&gt;`).
fn is_escaped(text: &str) -> bool {
    const MARK: &str = "&lt;";
    // Nearly every page has a tag near its beginning, and then nobody goes through it to look for others.
    if has_tag(text) || memmem::find(text.as_bytes(), MARK.as_bytes()).is_none() {
        return false;
    }
    let tags = || text.split(MARK).skip(1);
    let starts = text.trim_start().strip_prefix(MARK);
    let is_start = starts.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '!'));
    if is_start && tags().any(|tag| tag.starts_with('/')) {
        return true;
    }
    let is_common = |tag: &&str| {
        let name = tag.trim_start_matches('/');
        ESCAPED
            .iter()
            .any(|common| name.strip_prefix(common).is_some_and(|rest| rest.starts_with([' ', '&', '/'])))
    };
    tags().filter(is_common).nth(LEAST_ESCAPED - 1).is_some()
}

/// Whether a document is a page: where a reader says that it is the source of one, and in what was decoded, a tag is
/// enough; any other text may hold tags and be none.
pub(crate) fn is_page(document: &View<'_>, source: Option<&Source>) -> bool {
    match source {
        Some(source) => has_tag(source.text()),
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

/// What a document is as a page: its source, where that is not its text.
pub(crate) fn parsed<'a>(document: &View<'a>, source: Option<&'a Source>) -> Result<Parse<'a>, Failure> {
    if let Some(source) = source {
        return Parse::of(source.text()).map_err(Failure::new);
    }
    let parsed = document
        .attachment(|text| Parse::of(text).map(|it| Parsed { shape: it.tree.shape(), blocks: it.blocks }));
    let parsed = parsed.map_err(Failure::new)?;
    let tree = Arc::clone(&parsed.shape).over(document.text());
    Ok(Parse { tree, blocks: Arc::clone(&parsed.blocks) })
}

#[cfg(test)]
mod tests {
    use super::is_escaped;

    #[test]
    fn markup_that_was_escaped_is_told_from_text_about_markup() {
        for text in [
            "&lt;p&gt;The pump stopped.&lt;/p&gt;",
            " &lt;!DOCTYPE html&gt;&lt;html&gt;&lt;/html&gt;",
            "The pump stopped.&lt;br&gt;&lt;br /&gt;It is two.&lt;br/&gt;&lt;/p&gt;",
        ] {
            assert!(is_escaped(text), "{text}");
        }
        for text in [
            "",
            "&lt;3",
            "&lt;b&gt; makes bold",
            "Write &lt;p&gt; and not &lt;br&gt;, or &lt;pre&gt; for code.",
            "<p>&lt;p&gt;&lt;/p&gt;</p>",
        ] {
            assert!(!is_escaped(text), "{text}");
        }
    }
}
