//! Whether a text is the source of a page, or a text that has tags in it.
//!
//! `List<String>`, `<john@example.com>`, a nick in a log and one `<b>` in a mail look like tags, and what a stage for
//! pages makes of such a text is less than it was. A page is told by its structure: it begins as documents do, or most
//! of its words stand inside elements that HTML knows, or `<br>` ends its lines. Everybody who must know asks
//! [`is_page`], so that a reader and a stage never disagree.

use memchr::{memchr, memmem};

/// How much of a text is looked at, in bytes: whoever writes tags writes them at once.
const LOOKED_AT: usize = 256 * 1024;
/// A tag is no longer than this, in bytes; pictures in addresses aside, which stand in no text.
const LONGEST_TAG: usize = 16 * 1024;
/// Elements inside each other, beyond which they are passed over.
const DEEPEST: usize = 256;
/// So many closed elements inside lines are on purpose; a text that shows a word in bold has fewer.
const MANY_INLINE: usize = 3;
/// So many closed elements of names that HTML does not have are XML.
const MANY_UNKNOWN: usize = 3;
/// So many marks of Markdown at the beginnings of lines are no accident.
const MANY_MARKS: usize = 2;

/// Whether bytes begin the source of a page: a document type, or one of the elements that only documents have, behind
/// comments, XML declaration and white space.
pub fn begins_document(bytes: &[u8]) -> bool {
    let rest = behind_prolog(bytes);
    let words = rest.get(..64).unwrap_or(rest).to_ascii_lowercase();
    let kind = words.strip_prefix(b"<!doctype").map(<[u8]>::trim_ascii_start);
    kind.is_some_and(|kind| kind.starts_with(b"html"))
        || Tag::at(rest)
            .is_some_and(|tag| !tag.closes && [&b"html"[..], b"head", b"body"].contains(&tag.name.as_slice()))
}

/// Whether bytes begin with a tag of HTML, behind comments, XML declaration and white space.
pub fn begins_with_element(bytes: &[u8]) -> bool {
    Tag::at(behind_prolog(bytes)).is_some_and(|tag| !tag.closes && element(&tag.name).is_some())
}

/// Whether a text, in whatever encoding that has ASCII in it, is the source of a page or a piece of one.
///
/// It is if it begins as documents do ([`begins_document`]); if half of its characters stand inside elements of HTML, one
/// of them a block or several closed; or if its lines end with `<br>`. Markdown is none, whatever tags it holds: its
/// lines say what it is. Elements of other names are those of XML, which is none either.
pub fn is_page(text: &[u8]) -> bool {
    begins_document(text) || Census::of(text.get(..LOOKED_AT).unwrap_or(text)).is_page()
}

/// The name of the root of a document in XML that is no page, such as `rss`, by how a file begins; `complete` says
/// whether that is all of it.
///
/// Without a declaration the name must be none of HTML's, and elements of such names be closed: a log may begin with
/// `<ann>`.
pub(crate) fn xml_root(head: &[u8], complete: bool) -> Option<String> {
    let mut rest = behind_prolog(head);
    let mut is_declared =
        head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head).trim_ascii_start().starts_with(b"<?xml");
    if begins_document(head) {
        return None;
    }
    if rest.get(..9).is_some_and(|start| start.eq_ignore_ascii_case(b"<!doctype")) {
        is_declared = true;
        let end = memchr(b'>', rest)?;
        let has_subset = memchr(b'[', rest).is_some_and(|open| open < end);
        let end = if has_subset { memmem::find(rest, b"]>")? + 1 } else { end };
        rest = behind_prolog(rest.get(end + 1..).unwrap_or_default());
    }
    let root = Tag::at(rest).filter(|tag| !tag.closes)?;
    let name = String::from_utf8(root.name).ok()?;
    if is_declared || name == "svg" {
        return Some(name);
    }
    if element(name.as_bytes()).is_some() {
        return None;
    }
    let n_closed = Census::of(head.get(..LOOKED_AT).unwrap_or(head)).unknown;
    let close = format!("</{name}>");
    let tail = head.trim_ascii_end();
    let tail = tail.get(tail.len().saturating_sub(close.len())..).unwrap_or_default();
    let is_closed =
        if complete { tail.eq_ignore_ascii_case(close.as_bytes()) } else { n_closed >= MANY_UNKNOWN };
    (is_closed && n_closed > 0).then_some(name)
}

/// What stands behind byte order mark, white space, comments and declarations at the beginning of a document.
pub(crate) fn behind_prolog(bytes: &[u8]) -> &[u8] {
    let mut rest = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes);
    loop {
        rest = rest.trim_ascii_start();
        let (open, close): (&[u8], &[u8]) = match rest {
            [b'<', b'!', b'-', b'-', ..] => (b"<!--", b"-->"),
            [b'<', b'?', ..] => (b"<?", b"?>"),
            _ => return rest,
        };
        let inside = rest.get(open.len()..).unwrap_or_default();
        let Some(end) = memmem::find(inside, close) else { return &[] };
        rest = inside.get(end + close.len()..).unwrap_or_default();
    }
}

/// A tag as it is written.
pub(crate) struct Tag {
    /// Its name in lower case.
    pub(crate) name: Vec<u8>,
    pub(crate) closes: bool,
    /// Whether it is closed in itself (`<br/>`).
    pub(crate) is_empty: bool,
    /// How long it is, in bytes.
    pub(crate) length: usize,
}

impl Tag {
    /// The tag at the beginning of some bytes, if one stands there: a name, and attributes up to `>`, in which no
    /// other tag begins.
    pub(crate) fn at(bytes: &[u8]) -> Option<Self> {
        let inside = bytes.strip_prefix(b"<")?;
        let (closes, inside) = inside.strip_prefix(b"/").map_or((false, inside), |inside| (true, inside));
        let is_of_name =
            |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b':' | b'.');
        let end = inside.iter().take(64).position(|byte| !is_of_name(byte))?;
        let (name, attributes) = inside.split_at(end);
        let begins_tag = name.first().is_some_and(u8::is_ascii_alphabetic)
            && attributes
                .first()
                .is_some_and(|byte| byte.is_ascii_whitespace() || matches!(byte, b'>' | b'/'));
        if !begins_tag {
            return None;
        }
        let attributes = attributes.get(..LONGEST_TAG).unwrap_or(attributes);
        let mut quote = None;
        for (at, byte) in attributes.iter().enumerate() {
            let before = at.checked_sub(1).and_then(|before| attributes.get(before));
            if quote.is_some() {
                quote = quote.filter(|open| *open != byte);
                continue;
            }
            match byte {
                b'"' | b'\'' if before.is_some_and(|before| matches!(before, b'=' | b' ')) => {
                    quote = Some(byte);
                }
                b'<' => return None,
                b'>' => {
                    let length = bytes.len() - inside.len() + end + at + 1;
                    let is_empty = before == Some(&b'/');
                    return Some(Self { name: name.to_ascii_lowercase(), closes, is_empty, length });
                }
                _ => {}
            }
        }
        None
    }
}

/// What an element is for a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Element {
    /// A paragraph, list, table, or some other piece with lines of its own.
    Block,
    /// A piece of a line.
    Inline,
    /// Nothing is inside it.
    Void,
    /// What is inside is no text.
    Raw,
}

/// What HTML knows by this name, in lower case.
pub(crate) fn element(name: &[u8]) -> Option<Element> {
    const BLOCK: &str = " address article aside audio blockquote body button caption center dd details dialog dir div dl \
        dt fieldset figcaption figure footer form frameset h1 h2 h3 h4 h5 h6 head header hgroup html iframe legend li \
        listing main menu nav noframes noscript object ol optgroup option p pre search section select summary table \
        tbody td template textarea tfoot th thead title tr ul video ";
    const INLINE: &str = " a abbr acronym b bdi bdo big blink canvas cite code data del dfn em font i ins kbd label map \
        mark marquee math nobr output picture q rb rp rt rtc ruby s samp slot small span strike strong sub sup svg time \
        tt u var ";
    const VOID: &str = " area base basefont bgsound br col colgroup embed frame hr image img input keygen link meta param \
        source track wbr ";
    const RAW: &str = " script style ";
    let name = std::str::from_utf8(name).ok()?;
    let is_in = |names: &str| names.split_ascii_whitespace().any(|known| known == name);
    [(BLOCK, Element::Block), (INLINE, Element::Inline), (VOID, Element::Void), (RAW, Element::Raw)]
        .into_iter()
        .find_map(|(names, element)| is_in(names).then_some(element))
}

/// An element that is open, and how many characters have come in it since: outside of all elements, as far as is known,
/// and inside of some.
struct Open {
    name: Vec<u8>,
    element: Option<Element>,
    /// Whether no text stands before it, and none in its line.
    is_first: bool,
    begins_line: bool,
    n_plain: usize,
    n_inside: usize,
}

/// How much of a text stands inside elements.
#[derive(Default)]
struct Census {
    open: Vec<Open>,
    /// Whether anything but tags has come.
    has_text: bool,
    n_plain: usize,
    n_inside: usize,
    blocks: usize,
    inlines: usize,
    unknown: usize,
    breaks: usize,
    lines: usize,
    /// Whether the first line has begun.
    is_begun: bool,
    /// Marks of Markdown, and what may be some.
    marks: usize,
    likely_marks: usize,
}

impl Census {
    fn of(text: &[u8]) -> Self {
        let mut census = Self::default();
        let mut at = 0;
        while let Some(found) = memchr(b'<', text.get(at..).unwrap_or_default()) {
            let (start, rest) = (at + found, text.get(at + found..).unwrap_or_default());
            census.text(text.get(at..start).unwrap_or_default());
            if rest.starts_with(b"<!--") {
                at = start + memmem::find(rest, b"-->").map_or(4, |end| end + 3);
            } else if let Some(tag) = Tag::at(rest) {
                // `List<P>` is no paragraph.
                let before = start.checked_sub(1).and_then(|before| text.get(before));
                let is_glued = before.is_some_and(u8::is_ascii_alphanumeric) && tag.name.len() == 1;
                at = start + tag.length;
                if !is_glued || tag.closes {
                    let before = text.get(..start).unwrap_or_default();
                    at += census.tag(tag, before, text.get(at..).unwrap_or_default());
                }
            } else {
                census.count(1);
                census.is_begun = true;
                at = start + 1;
            }
        }
        census.text(text.get(at..).unwrap_or_default());
        census.end();
        census
    }

    fn is_page(&self) -> bool {
        let n_all = self.n_plain + self.n_inside;
        let is_markdown = self.marks >= MANY_MARKS || (self.marks > 0 && self.likely_marks >= MANY_MARKS);
        if is_markdown || self.unknown > self.blocks + self.inlines + self.breaks {
            return false;
        }
        let is_inside = self.n_inside * 2 >= n_all && (self.blocks > 0 || self.inlines >= MANY_INLINE);
        is_inside || (self.breaks >= 2 && self.breaks >= self.lines)
    }

    /// Counts what stands between tags.
    fn text(&mut self, text: &[u8]) {
        self.count(text.iter().filter(|byte| !byte.is_ascii_whitespace()).count());
        let is_laid_out = self.open.iter().any(|open| open.name == b"pre" || open.name == b"textarea");
        // What stands behind a tag goes on with the line that the tag is in.
        let n_begun = usize::from(std::mem::replace(&mut self.is_begun, true));
        for line in text.split(|byte| *byte == b'\n').skip(n_begun) {
            self.lines += usize::from(!line.trim_ascii().is_empty());
            let (is_sure, is_likely) = if is_laid_out { (false, false) } else { marks(line) };
            self.marks += usize::from(is_sure);
            self.likely_marks += usize::from(is_likely);
        }
    }

    fn count(&mut self, n: usize) {
        self.has_text |= n > 0;
        match self.open.last_mut() {
            Some(open) => open.n_plain += n,
            None => self.n_plain += n,
        }
    }

    /// Takes a tag, and says how many bytes behind it are none of the text.
    fn tag(&mut self, tag: Tag, before: &[u8], rest: &[u8]) -> usize {
        let found = element(&tag.name);
        if tag.closes {
            self.close(&tag.name);
            return 0;
        }
        match found {
            Some(Element::Void) => {
                self.breaks += usize::from(tag.name == b"br");
                // `<meta charset=gbk>` stands in heads of pages alone.
                self.blocks +=
                    usize::from(matches!(tag.name.as_slice(), b"meta" | b"link" | b"base") && tag.length > 8);
            }
            Some(Element::Raw) => {
                self.blocks += 1;
                let close = [b"</", tag.name.as_slice()].concat();
                let is_close = |at: &usize| {
                    let tail = rest.get(*at..*at + close.len()).unwrap_or_default();
                    tail.eq_ignore_ascii_case(&close)
                };
                return memchr::memchr_iter(b'<', rest).find(is_close).unwrap_or(rest.len());
            }
            // Those with a hyphen anybody may make, and those with a colon come from office programs.
            None if tag.is_empty || tag.name.iter().any(|byte| matches!(byte, b'-' | b':')) => {}
            _ if self.open.len() < DEEPEST => {
                let is_first = !self.has_text;
                let begins_line =
                    before.iter().rev().find(|byte| !matches!(byte, b' ' | b'\t')) == Some(&b'\n');
                let name = tag.name;
                self.open.push(Open { name, element: found, is_first, begins_line, n_plain: 0, n_inside: 0 });
            }
            _ => {}
        }
        0
    }

    /// Closes the innermost element of a name, and those inside it.
    fn close(&mut self, name: &[u8]) {
        let Some(at) = self.open.iter().rposition(|open| open.name == name) else { return };
        while self.open.len() > at + 1 {
            // It is in one that is closed, so it may well have been left open on purpose.
            self.drop_last(true);
        }
        let Some(closed) = self.open.pop() else { return };
        let is_drawing = self.open.iter().any(|open| open.name == b"svg" || open.name == b"math");
        match closed.element {
            Some(Element::Block) => self.blocks += 1,
            Some(_) => self.inlines += 1,
            None => self.unknown += usize::from(!is_drawing),
        }
        let n_all = closed.n_plain + closed.n_inside;
        let (plain, inside) =
            if closed.element.is_some() { (0, n_all) } else { (closed.n_plain, closed.n_inside) };
        self.give(plain, inside);
    }

    /// Takes the innermost element for one that nobody closes, which may go on to the end of what it is in.
    fn drop_last(&mut self, may_be_left_open: bool) {
        let Some(open) = self.open.pop() else { return };
        let is_block = open.element == Some(Element::Block) && may_be_left_open;
        self.blocks += usize::from(is_block);
        let (plain, inside) =
            if is_block { (0, open.n_plain + open.n_inside) } else { (open.n_plain, open.n_inside) };
        self.give(plain, inside);
    }

    fn give(&mut self, plain: usize, inside: usize) {
        let (n_plain, n_inside) = match self.open.last_mut() {
            Some(open) => (&mut open.n_plain, &mut open.n_inside),
            None => (&mut self.n_plain, &mut self.n_inside),
        };
        *n_plain += plain;
        *n_inside += inside;
    }

    /// Ends the text: a block that is open still is one if the text begins with it, as a piece of a page does that was
    /// cut off, or if its end need not be written and its line begins with it. Elsewhere such a tag ends a line, as
    /// `<br>` does: comments in code have `<p>` between paragraphs.
    fn end(&mut self) {
        while let Some(last) = self.open.last() {
            let is_optional = OPTIONAL_ENDS.contains(&last.name.as_slice());
            self.breaks += usize::from(is_optional);
            let may_be_left_open = last.is_first || (is_optional && last.begins_line);
            self.drop_last(may_be_left_open);
        }
    }
}

/// Elements whose end need not be written.
const OPTIONAL_ENDS: [&[u8]; 9] = [b"p", b"li", b"dt", b"dd", b"tr", b"td", b"th", b"option", b"tbody"];

/// Whether a line begins as lines of Markdown do, with a heading, a fence around code or a picture; and whether it begins
/// as they may, and others too, with an item of a list, a quotation, or a word in bold.
fn marks(line: &[u8]) -> (bool, bool) {
    let begins = |starts: &[&str]| starts.iter().any(|start| line.starts_with(start.as_bytes()));
    let n_hashes = line.iter().take_while(|byte| **byte == b'#').count();
    let is_heading = (1..=6).contains(&n_hashes) && line.get(n_hashes) == Some(&b' ');
    (is_heading || begins(&["```", "~~~", "!["]), begins(&["- ", "* ", "> ", "**"]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_and_pieces_of_them_are_told() {
        for text in [
            "<!DOCTYPE html><p>A",
            "\u{feff}<!-- saved --> <HTML lang=zh>",
            "<?xml version='1.0'?><!doctype html>",
            "<body>List<String></body>",
            "<div class=x>",
            "<p>One paragraph</p>",
            "<p>One<p>two<p>three",
            "<h2>Ferry</h2>\n<p>It came &amp; went.</p>\n",
            "<article><h2>On code</h2><pre># a comment\n# another</pre><p>List&lt;String></p></article>",
            "The ferry came.<br>It went.<br>Nobody saw it.",
            "河边的笔记。<br/>\n早晨的雾很大。<br/>\n没有人。<br/>\n",
            "<b>A</b> word <i>in</i> every <u>other</u> <em>place</em>, <a href='/x?a=1>2'>linked</a>",
            "<table><tr><td>1<td>2</table>",
            "<pre>Home\nNews\nA long line of words</pre>",
            "<div><my-box>The ferry came.</my-box><o:p></o:p></div>",
            "<div><svg><g><path d=''/></g><defs></defs><g></g></svg>The ferry came.</div>",
        ] {
            assert!(is_page(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn a_text_with_tags_in_it_is_no_page() {
        for text in [
            "",
            "plain words",
            "a < b and b > c",
            "One <b>word</b> is bold.",
            "Use List<String> or Map<K, V>, and Box<P> is a P too: Box<P>, Box<P>.",
            "class Foo<P> { List<P> all; Set<A> some; Map<B, I> other; }",
            "#include <time.h>\n#include <map>\nstd::vector<a> x; if (a<b && c>d) {}",
            "From: Ann <ann@example.org>\nTo: <list@example.org>\n\nSee <https://example.org/a>.\n",
            "12:01 <ann> hello\n12:02 <bob> hi <ann>\n12:03 <b> me too\n",
            "2021-01-01 <info> started\n2021-01-02 <error> <a> failed</a>\n",
            "[b]Bold[/b] and [quote=ann]said[/quote] and <i>one</i> word",
            "# Title\n\nWords <br> with <kbd>Ctrl</kbd>.\n\n## Next\n\n<details><summary>More</summary>\n\nwords\n</details>\n",
            "<h1 align=\"center\">Tool</h1>\n<p align=\"center\"><img src=x></p>\n\n## Install\n\nRun it.\n\n```sh\nx\n```\n",
            "usage: tool <input> <output> [<title>]\n",
            "<record><title>A</title><author>B</author><year>1</year></record>",
            "<doc id=\"1\"><DOCNO>x</DOCNO><TEXT>The ferry came.</TEXT></doc>",
            "How do I centre a box? I wrote <div class=\"a\">text</div> and it stands at the left, as it did before I had \
             tried what the manual says about margins.",
        ] {
            assert!(!is_page(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn deep_and_broken_tags_are_survived() {
        for text in [
            "<a>".repeat(5000),
            "</b>".repeat(5000),
            "<b ".repeat(5000),
            "<div ".to_owned() + &"x='".repeat(9000),
        ] {
            is_page(text.as_bytes());
        }
        assert!(is_page("<div>".repeat(5000).as_bytes()));
    }
}
