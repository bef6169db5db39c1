//! What is written as Markdown is read again, by a parser of `CommonMark` with tables.

use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::{Form, render};
use crate::features::Page;

const MARKDOWN: Form = Form { markdown: true, tables: true, code: true, links: false, images: false };

fn markdown(page: &Page<'_>, form: Form) -> String {
    render(page, &vec![true; page.n_blocks()], form)
}

fn parser(markdown: &str) -> Parser<'_> {
    Parser::new_ext(markdown, Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH)
}

/// The text that a reader of the Markdown sees, without white space. HTML in it is none.
fn read(markdown: &str) -> String {
    let mut text = String::new();
    for event in parser(markdown) {
        match event {
            Event::Text(part) | Event::Code(part) => text.push_str(&part),
            Event::Html(_) | Event::InlineHtml(_) | Event::Rule => text.push_str("[HTML or a rule]"),
            _ => {}
        }
    }
    text.retain(|c| !c.is_whitespace());
    text
}

/// The text of the blocks of a page, without white space.
fn shown(page: &Page<'_>) -> String {
    let mut text: String = (0..page.n_blocks()).map(|block| page.text(block)).collect();
    text.retain(|c| !c.is_whitespace());
    text
}

#[track_caller]
fn check(source: &str) {
    let page = Page::new(source).expect("short");
    for links in [false, true] {
        let written = markdown(&page, Form { links, ..MARKDOWN });
        assert_eq!(read(&written), shown(&page), "{source}\n---\n{written}");
    }
}

/// The elements that a parser finds, in a short form: `ul(li(text))`.
fn outline(source: &str) -> String {
    let page = Page::new(source).expect("short");
    let mut outline = String::new();
    for event in parser(&markdown(&page, MARKDOWN)) {
        match event {
            Event::Start(tag) => {
                let name = match tag {
                    Tag::Heading { level, .. } => level.to_string(),
                    Tag::BlockQuote(_) => "quote".to_owned(),
                    Tag::CodeBlock(_) => "pre".to_owned(),
                    Tag::List(start) => start.map_or("ul".to_owned(), |n| format!("ol{n}")),
                    Tag::Item => "li".to_owned(),
                    Tag::Table(columns) => format!("table{}", columns.len()),
                    Tag::TableHead => "head".to_owned(),
                    Tag::TableRow => "row".to_owned(),
                    Tag::TableCell => "cell".to_owned(),
                    Tag::Strong => "strong".to_owned(),
                    Tag::Emphasis => "em".to_owned(),
                    _ => String::new(),
                };
                outline.push_str(&format!("{name}("));
            }
            Event::End(TagEnd::CodeBlock) => {
                outline.truncate(outline.trim_end().len());
                outline.push(')');
            }
            Event::End(_) => outline.push(')'),
            Event::Text(text) => outline.push_str(&text),
            Event::Code(text) => outline.push_str(&format!("`{text}`")),
            Event::HardBreak => outline.push('/'),
            _ => {}
        }
    }
    outline
}

#[test]
fn structure_is_what_a_parser_gives_back() {
    for (source, expected) in [
        ("<h2>a</h2><p>b<br>c", "h2(a)(b/c)"),
        ("<ul><li>a<li>b<ul><li>c<li>d</ul><li>e</ul>", "ul(li(a)li(bul(li(c)li(d)))li(e))"),
        ("<ol><li>a<ol><li>b<li>c</ol><li>d</ol>", "ol1(li(aol1(li(b)li(c)))li(d))"),
        ("<ol><li><p>a<p>b<pre>c\n  d</pre><li>e</ol>", "ol1(li((a)(b)pre(c\n  d))li((e)))"),
        ("<blockquote><p>a<p>b<ul><li>c</ul></blockquote><p>d", "quote((a)(b)ul(li(c)))(d)"),
        (
            "<table><tr><th>a<th>b<tr><td>1<td>2|3<tr><td><td>4</table>",
            "table2(head(cell(a)cell(b))row(cell(1)cell(2|3))row(cell()cell(4)))",
        ),
        (
            "<table><tr><th colspan=2>a<tr><td>1<td>2</table><p>b",
            "table2(head(cell(a)cell())row(cell(1)cell(2)))(b)",
        ),
        (
            "<table><tr><td>- a<td>b<tr><td>1. c<td># d</table>",
            "table2(head(cell(- a)cell(b))row(cell(1. c)cell(# d)))",
        ),
        ("<pre>a\n```\nb</pre>", "pre(a\n```\nb)"),
        ("<pre><div>a</div><div>  b</div></pre><p>c", "pre(a\n  b)(c)"),
        ("<pre><ol><li><code>a</code><li><code>  b</code></ol></pre>", "pre(a\n  b)"),
        ("<pre><table><tr><td>1<td>a<tr><td>2<td>  b</table></pre>", "pre(1\na\n2\n  b)"),
        ("<pre>if a:<br>&nbsp;&nbsp;b</pre>", "pre(if a:\n  b)"),
        ("<pre><span class=lineno>1 </span>a\n<span class=lineno>2 </span>  b</pre>", "pre(a\n  b)"),
        ("<table><tr><th>a<th>b<tr><td>1<td></table>", "table2(head(cell(a)cell(b))row(cell(1)cell()))"),
        ("<h2><a href=#x>#</a>a <a href=/p#b>¶</a></h2><p>b", "h2(a)(b)"),
        ("<p>a <b>b</b>c <code>d`e</code>", "(a strong(b)c `d`e`)"),
        ("<p>他说<b>“重要”</b>的<b>事</b>。", "(他说“重要”的strong(事)。)"),
        ("<p><b>a <i>b</i></b> <i> c </i>d", "(strong(a b) em(c) d)"),
        ("<li>a<li>b<p>c", "ul(li((a))li((b)(c)))"),
    ] {
        assert_eq!(outline(source), expected, "{source}");
        check(source);
    }
}

#[test]
fn characters_that_mean_something_are_text() {
    for text in [
        "*a* _b_ **c** __d__ ~~e~~ `f`",
        "# a",
        "## b #",
        "- c",
        "+ d",
        "* e",
        "1. f",
        "2) g",
        "&gt; h",
        "---",
        "===",
        "***",
        "| a | b |",
        "~~~",
        "[a](b) ![c](d) [e][f] [g]: h",
        "&lt;b>i&lt;/b> &lt;!-- j",
        "&amp;amp; &amp;#65;",
        "a\\ \\* \\",
        "https://a_b_c.example/*d*",
        "C#",
        "a #",
        "snake_case __init__ f(*args, **kwargs)",
    ] {
        for source in [
            format!("<p>{text}"),
            format!("<h3>{text}"),
            format!("<p>a<br>{text}<br>b"),
            format!("<ul><li>{text}<li>b</ul>"),
            format!("<blockquote>{text}</blockquote>"),
            format!("<p>a <b>{text}</b> b <i>{text}</i>c <a href='/x y(1)'>{text}</a>"),
            format!("<p><code>{text}</code>"),
            format!("<table><tr><th>{text}<th>b<tr><td>c<td><code>{text}</code><tr><td>{text}<td>d</table>"),
            format!("<pre>{text}\n\n{text}</pre>"),
        ] {
            check(&source);
        }
    }
}

#[test]
fn examples_are_read_as_they_are_shown() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/html/pages");
    let mut n_pages = 0;
    for entry in std::fs::read_dir(folder).expect("the examples of this repository") {
        let page = std::fs::read_to_string(entry.expect("a file").path()).expect("text");
        check(&page);
        n_pages += 1;
    }
    assert!(n_pages >= 5, "{n_pages}");
}

/// HTML of elements in each other, with texts that mean something in Markdown.
fn html() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "word", "字", "“so”", "*", "**", "_a_", "a_b", "`", "``", "[x]", "(y)", "[x](y)", "#", "- ", "1. ",
        "2)", "&gt; ", "|", "\\", "\\*", "&lt;i>", "&amp;lt;", "~~", "---", "===", "$x$", "!", ":", "\n",
        "  ", ". ", "，",
    ]);
    let inline = prop::sample::select(vec![
        "b",
        "i",
        "em",
        "strong",
        "code",
        "span",
        "a href='/u v'",
        "a href=/w",
        "br",
        "sup",
    ]);
    let text = prop::collection::vec(word, 1..6).prop_map(|words| words.concat());
    let line = prop::collection::vec((text, inline), 1..4).prop_map(|parts| {
        let part = |(text, tag): (String, &str)| {
            let name = tag.split(' ').next().unwrap_or(tag).to_owned();
            let end = if name == "br" { String::new() } else { format!("</{name}>") };
            format!("{text}<{tag}>{text}{end}")
        };
        parts.into_iter().map(part).collect::<String>()
    });
    let leaf = (prop::sample::select(vec!["p", "h2", "pre", "div", "li"]), line.clone())
        .prop_map(|(tag, line)| format!("<{tag}>{line}</{tag}>"));
    let row = prop::collection::vec(line, 1..4).prop_map(|cells| {
        let cells: Vec<String> = cells.into_iter().map(|cell| format!("<td>{cell}</td>")).collect();
        format!("<tr><th></th>{}</tr>", cells.concat())
    });
    let table = prop::collection::vec(row, 2..4).prop_map(|rows| format!("<table>{}</table>", rows.concat()));
    let block = prop_oneof![4 => leaf, 1 => table];
    block.prop_recursive(4, 24, 4, |inner| {
        (prop::sample::select(vec!["ul", "ol", "blockquote", "div"]), prop::collection::vec(inner, 1..4))
            .prop_map(|(tag, blocks)| {
                let is_list = tag.ends_with('l');
                let block = |block: String| if is_list { format!("<li>{block}</li>") } else { block };
                format!("<{tag}>{}</{tag}>", blocks.into_iter().map(block).collect::<String>())
            })
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_page_is_read_as_it_is_shown(blocks in prop::collection::vec(html(), 1..4)) {
        check(&blocks.concat());
    }
}
