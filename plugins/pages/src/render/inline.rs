//! Emphasis, code, links and pictures inside a block, in Markdown.
//!
//! The text of the block is put together first, with the places where something begins and ends. Only then is it known
//! what stands on both sides of a mark, and by that `CommonMark` decides whether it is one: `**“so”**` between Chinese
//! characters is not, and is written without.

use tamis_html::{Container, Name, NodeId, Tag, formula, is_left_out};
use tamis_text::lines::squeeze;

use super::Form;
use super::escape::{line_start_escape, needs_escape};
use crate::features::Page;

/// Writes the content of a block with its inline markup.
pub(super) struct Inline<'p, 'a> {
    pub(super) page: &'p Page<'a>,
    pub(super) form: Form,
}

/// What a stretch of the text is.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Strong,
    Emphasis,
    Code,
    /// A link, with its address.
    Link(String),
    /// Text that stands as it is: a formula, a picture.
    Raw,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Span {
    start: usize,
    end: usize,
    kind: Kind,
}

/// The text of a block, and what parts of it are.
#[derive(Debug, Default)]
struct Line {
    text: String,
    spans: Vec<Span>,
}

impl Inline<'_, '_> {
    /// The content of a block in one line.
    pub(super) fn line(&self, block: usize) -> String {
        let mut line = self.read(block);
        line.text.truncate(line.text.trim_end().len());
        line.spans = chosen(&line);
        line.write()
    }

    /// Reads the nodes of a block, as `Blocks` does.
    fn read(&self, block: usize) -> Line {
        let tree = &self.page.tree;
        let mut line = Line::default();
        let Some(block) = self.page.blocks.blocks.get(block) else { return line };
        let container = self.page.blocks.containers.get(block.container()).map_or(0, Container::node);
        let mut open: Vec<(NodeId, usize, Option<Kind>)> = Vec::new();
        let (mut last, mut passed) = (None, 0);
        for node in self.above(block.nodes().start, container).into_iter().chain(block.nodes()) {
            while let Some((_, start, kind)) = open.pop_if(|(end, ..)| *end <= node) {
                line.end(start, kind);
            }
            if node < passed {
                continue;
            }
            if let Some(formula) = formula(tree, node) {
                line.raw(&formula);
                passed = tree.end(node);
                continue;
            }
            if is_left_out(tree, node) {
                passed = tree.end(node);
                continue;
            }
            match tree.tag(node) {
                Tag::Text => {
                    if last.is_some_and(|last| tree.is_apart(last, node)) {
                        tree.part_words(node, &mut line.text);
                    }
                    tree.append_text(node, &mut line.text, 0);
                    last = Some(node);
                }
                Tag::Img if self.form.images => self.image(node, &mut line),
                // The reading of a word, as it stands in the text of blocks.
                Tag::Rt if !line.text.is_empty() => {
                    line.text.push('(');
                    open.push((tree.end(node), line.text.len(), None));
                }
                tag => {
                    if let Some(kind) = self.kind(node, tag) {
                        open.push((tree.end(node), line.text.len(), Some(kind)));
                    }
                }
            }
        }
        while let Some((_, start, kind)) = open.pop() {
            line.end(start, kind);
        }
        line
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

    fn kind(&self, node: NodeId, tag: Tag) -> Option<Kind> {
        match tag {
            Tag::B | Tag::Strong => Some(Kind::Strong),
            Tag::I | Tag::Em => Some(Kind::Emphasis),
            Tag::Code | Tag::Kbd | Tag::Samp | Tag::Tt => Some(Kind::Code),
            Tag::A if self.form.links => {
                let address = self.page.tree.attribute_text(node, Name::Href)?;
                Some(Kind::Link(destination(&address)))
            }
            _ => None,
        }
    }

    fn image(&self, node: NodeId, line: &mut Line) {
        let tree = &self.page.tree;
        let source =
            tree.attribute_text(node, Name::DataSrc).or_else(|| tree.attribute_text(node, Name::Src));
        if let Some(source) = source {
            let description = tree.attribute_text(node, Name::Alt).unwrap_or_default();
            let description =
                squeeze(&description).replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]");
            line.raw(&format!("![{description}]({})", destination(&source)));
        }
    }
}

impl Line {
    /// Ends an element that began at `start`; without a kind it is a reading in parentheses.
    fn end(&mut self, start: usize, kind: Option<Kind>) {
        match kind {
            Some(kind) => self.spans.push(Span { start, end: self.text.len(), kind }),
            None if self.text.len() > start => self.text.push(')'),
            None => {
                self.text.pop();
            }
        }
    }

    fn raw(&mut self, text: &str) {
        let start = self.text.len();
        self.text.push_str(text);
        self.spans.push(Span { start, end: self.text.len(), kind: Kind::Raw });
    }

    fn slice(&self, span: &Span) -> &str {
        self.text.get(span.start..span.end).unwrap_or_default()
    }

    /// The line with the marks of its spans, which lie in each other or apart.
    fn write(&self) -> String {
        let mut out = String::with_capacity(self.text.len() + self.spans.len() * 4);
        let mut open: Vec<&Span> = Vec::new();
        let mut spans = self.spans.iter().peekable();
        let start = line_start_escape(&self.text);
        let marks = Marks::of(&self.spans);
        let mut at = 0;
        loop {
            while let Some(span) = open.pop_if(|span| span.end <= at) {
                out.push_str(&close(span));
            }
            let mut verbatim = None;
            while let Some(span) = spans.next_if(|span| span.start <= at) {
                if matches!(span.kind, Kind::Code | Kind::Raw) {
                    verbatim = Some(span);
                    break;
                }
                out.push_str(mark(span));
                open.push(span);
            }
            if let Some(span) = verbatim {
                out.push_str(&self.verbatim(span));
                at = span.end;
                continue;
            }
            let Some(c) = self.text.get(at..).and_then(|rest| rest.chars().next()) else { break };
            let next = at + c.len_utf8();
            // A mark that is written there is what a parser sees beside the character.
            let is_mark = |at: usize| marks.count(at) > 0;
            let rest = if is_mark(next) { "*" } else { self.text.get(next..).unwrap_or_default() };
            let before = self.text.get(..at).and_then(|before| before.chars().next_back());
            let before = if is_mark(at) { Some('*') } else { before };
            let in_link =
                matches!(c, '[' | ']') && open.iter().any(|span| matches!(span.kind, Kind::Link(_)));
            let is_image = c == '!' && is_mark(next);
            if start == Some(at) || in_link || is_image || needs_escape(before, c, rest) {
                out.push('\\');
            }
            out.push(c);
            at += c.len_utf8();
        }
        while let Some(span) = open.pop() {
            out.push_str(&close(span));
        }
        out
    }

    /// Code between more backticks than it holds itself, or what stands as it is.
    fn verbatim(&self, span: &Span) -> String {
        let text = self.slice(span);
        if span.kind == Kind::Raw {
            return text.to_owned();
        }
        let mark = "`".repeat(longest_run(text, b'`') + 1);
        let needs_blank = text.starts_with('`') || text.ends_with('`');
        let blank = if needs_blank { " " } else { "" };
        format!("{mark}{blank}{text}{blank}{mark}")
    }
}

/// The longest run of a byte.
pub(super) fn longest_run(text: &str, of: u8) -> usize {
    let (mut longest, mut run) = (0, 0);
    for byte in text.bytes() {
        run = if byte == of { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

fn mark(span: &Span) -> &'static str {
    match span.kind {
        Kind::Strong => "**",
        Kind::Emphasis => "*",
        Kind::Link(_) => "[",
        Kind::Code | Kind::Raw => "",
    }
}

fn close(span: &Span) -> String {
    match &span.kind {
        Kind::Link(address) => format!("]({address})"),
        _ => mark(span).to_owned(),
    }
}

/// An address as the destination of a link: one with blanks or parentheses stands between `<` and `>`.
fn destination(address: &str) -> String {
    let address: String = address.trim().chars().filter(|c| !c.is_control()).collect();
    if address.is_empty() || address.contains([' ', '(', ')', '<', '>', '\\']) {
        let address = address.replace('\\', "\\\\").replace('<', "\\<").replace('>', "\\>");
        return format!("<{address}>");
    }
    address
}

/// Where spans begin and end, sorted: a block may have ten thousand.
struct Marks(Vec<usize>);

impl Marks {
    fn of(spans: &[Span]) -> Self {
        let mut places: Vec<usize> = spans.iter().flat_map(|span| [span.start, span.end]).collect();
        places.sort_unstable();
        Self(places)
    }

    /// How many begin or end at a place.
    fn count(&self, at: usize) -> usize {
        self.0.partition_point(|place| *place <= at) - self.0.partition_point(|place| *place < at)
    }
}

/// The spans that can be written, in order, outer ones before those in them.
fn chosen(line: &Line) -> Vec<Span> {
    let mut spans: Vec<Span> = line.spans.iter().filter_map(|span| trimmed(line, span)).collect();
    // Of those that begin together the longest is around the others; a link is around emphasis of its length.
    let rank = |span: &Span| matches!(span.kind, Kind::Strong | Kind::Emphasis);
    spans.sort_by_key(|span| (span.start, std::cmp::Reverse(span.end), rank(span)));
    let marks = Marks::of(&spans);
    let mut kept: Vec<Span> = Vec::with_capacity(spans.len());
    let mut around: Vec<Span> = Vec::new();
    let mut last_end = None;
    for span in spans {
        while around.pop_if(|outer| outer.end <= span.start).is_some() {}
        let is_verbatim = |outer: &Span| matches!(outer.kind, Kind::Code | Kind::Raw);
        let same = |outer: &Span| std::mem::discriminant(&outer.kind) == std::mem::discriminant(&span.kind);
        let crosses = |outer: &Span| outer.end < span.end;
        let is_emphasis = rank(&span);
        // Stars of two marks side by side would be read as one mark.
        let touches = |outer: &Span| rank(outer) && (outer.start == span.start || outer.end == span.end);
        let is_useless = around.iter().any(|outer| is_verbatim(outer) || same(outer) || crosses(outer))
            || is_emphasis && around.iter().any(touches)
            || is_emphasis && last_end == Some(span.start)
            || is_emphasis && !flanks(line, &span, &marks);
        if is_useless {
            continue;
        }
        if is_emphasis {
            last_end = Some(span.end);
        }
        around.push(span.clone());
        kept.push(span);
    }
    kept
}

/// A span without the white space at its ends; `None` for one that holds nothing.
fn trimmed(line: &Line, span: &Span) -> Option<Span> {
    let text = line.slice(span);
    if span.kind == Kind::Raw {
        return (!text.is_empty()).then(|| span.clone());
    }
    let start = span.start + text.len() - text.trim_start().len();
    let end = start + text.trim().len();
    (start < end).then(|| Span { start, end, kind: span.kind.clone() })
}

/// Whether stars around a span are marks, by what stands on both sides of each (left- and right-flanking delimiter runs
/// of `CommonMark`).
fn flanks(line: &Line, span: &Span, marks: &Marks) -> bool {
    let before = line.text.get(..span.start).and_then(|text| text.chars().next_back());
    let behind = line.text.get(span.end..).and_then(|text| text.chars().next());
    let inside = line.slice(span);
    // What begins or ends there as well has a mark of punctuation of its own.
    let is_mark = |at: usize| marks.count(at) > 1;
    let is_punctuation = |c: Option<char>| c.is_some_and(|c| !c.is_alphanumeric() && !c.is_whitespace());
    let is_open = |c: Option<char>| c.is_none_or(char::is_whitespace) || is_punctuation(c);
    let first = is_punctuation(inside.chars().next()) || is_mark(span.start);
    let last = is_punctuation(inside.chars().next_back()) || is_mark(span.end);
    // A star of the text beside a mark would be read with it.
    let beside_star =
        before == Some('*') || behind == Some('*') || inside.starts_with('*') || inside.ends_with('*');
    (!first || is_open(before)) && (!last || is_open(behind)) && !beside_star
}
