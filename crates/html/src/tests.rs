//! Pages as they should not be.

use std::fmt::Write as _;

use proptest::prelude::*;

use crate::{Block, Blocks, Container, Marks, NodeId, Tag, Tree, decoded, decoded_attribute, parse};

/// The tree as nested brackets: `p[one b[two]]`.
fn drawn(source: &str) -> String {
    fn below(tree: &Tree<'_>, node: NodeId, out: &mut String) {
        let mut child = node + 1;
        while child < tree.end(node) {
            if !out.is_empty() && !out.ends_with('[') {
                out.push(' ');
            }
            match tree.tag(child) {
                Tag::Text => out.push_str(tree.source_text(child)),
                tag => {
                    let _ = write!(out, "{}[", tag.name());
                    below(tree, child, out);
                    out.push(']');
                }
            }
            child = tree.end(child);
        }
    }
    let tree = parse(source).expect("short");
    let mut out = String::new();
    below(&tree, 0, &mut out);
    out
}

/// The texts of the blocks.
fn blocks(source: &str) -> Vec<String> {
    let tree = parse(source).expect("short");
    let blocks = Blocks::of(&tree);
    blocks.blocks.iter().map(|block| blocks.text_of(block).to_owned()).collect()
}

#[test]
fn end_tags_that_are_left_out_are_supplied() {
    let cases = [
        ("<p>a<p>b<div>c", "p[a] p[b] div[c]"),
        ("<ul><li>a<li>b<ul><li>c</ul><li>d</ul>", "ul[li[a] li[b ul[li[c]]] li[d]]"),
        ("<dl><dt>a<dd>b<dt>c</dl>", "dl[dt[a] dd[b] dt[c]]"),
        ("<table><tr><td>a<td>b<tr><td>c</table>d", "table[tr[td[a] td[b]] tr[td[c]]] d"),
        ("<table><tr><td><table><tr><td>a</table>b</table>", "table[tr[td[table[tr[td[a]]] b]]]"),
        ("<h1>a<h2>b", "h1[a] h2[b]"),
        ("<p>a<table><tr><td>b</td></tr></table>c", "p[a] table[tr[td[b]]] c"),
    ];
    for (source, expected) in cases {
        assert_eq!(drawn(source), expected, "{source}");
    }
}

#[test]
fn misplaced_end_tags_close_no_more_than_they_should() {
    let cases = [
        ("<div>a</span>b</div>c", "div[a b] c"),
        ("<div><p>a</div>b", "div[p[a]] b"),
        ("<b>a<p>b</b>c</p>d", "b[a p[b c]] d"),
        ("<a>a<div>b</a>c</div>d", "a[a div[b c]] d"),
        ("<table><tr><td>a</div></p>b</td></tr></table>", "table[tr[td[a p[] b]]]"),
        ("<div><table><tr><td></div>a</table>b", "div[table[tr[td[a]]] b]"),
        ("a</p>b", "a p[] b"),
        ("<td>a</td>", "a"),
        ("<h1>a</h2>b", "h1[a] b"),
    ];
    for (source, expected) in cases {
        assert_eq!(drawn(source), expected, "{source}");
    }
}

#[test]
fn markup_ends_where_browsers_end_it() {
    let cases = [
        ("a < b <c", "a < b "),
        ("a<!-- b --!>c<!-->d<!--->e", "a c d e"),
        ("<script>a<b</b></script >c", "script[a<b</b>] c"),
        ("<script>a</scripty>b</SCRIPT\n>c", "script[a</scripty>b] c"),
        ("<p title='a>b' class=c/d>e", "p[e]"),
        ("<?php a > b", " b"),
        ("</ a>b", "b"),
        ("<svg><path/><g>a</g></svg>b", "svg[[] [a]] b"),
        ("<br/>a</br>b", "br[] a br[] b"),
        ("<style>a", "style[a]"),
        ("<script>a<!-- <script> </script> --> b</script>c", "script[a<!-- <script> </script> --> b] c"),
        ("<script><!--> <script>a</script>b", "script[<!--> <script>a] b"),
        ("<script>a</script", "script[a</script]"),
        ("<?xml version='1.0'?><script src=a /><p>b", "script[] p[b]"),
        ("<script src=a /><p>b</p></script>c", "script[<p>b</p>] c"),
        ("<plaintext>a</plaintext><p>b", "plaintext[a</plaintext><p>b]"),
        ("<template><table></template>a", "template[table[]] a"),
        ("<template><table><tr><td><object></template>a", "template[table[tr[td[object[]]]]] a"),
        ("<frameset><frame src=a>b</frameset>c", "frameset[frame[]]"),
        ("<p>a<frameset>b", "p[a b]"),
    ];
    for (source, expected) in cases {
        assert_eq!(drawn(source), expected, "{source}");
    }
}

#[test]
fn drawings_and_formulas_have_rules_of_their_own() {
    let cases = [
        ("<svg><title/></svg>a", "svg[title[]] a"),
        ("<svg><style/><path/></svg>a", "svg[style[] []] a"),
        ("<svg><title>a</title></svg>c", "svg[title[a]] c"),
        ("<svg><g><p>a", "svg[[]] p[a]"),
        ("<svg><foreignobject><p>a</p></foreignobject></svg>b", "svg[[p[a]]] b"),
        ("<svg><![CDATA[a<b>]]>c</svg>d", "svg[a<b> c] d"),
        ("<math><mi>a</mi><mo>b</math>c", "math[[a] [b]] c"),
        ("<p><svg><a>b</p>c", "p[svg[a[b]]] c"),
        ("<![CDATA[a]]>b", "b"),
    ];
    for (source, expected) in cases {
        assert_eq!(drawn(source), expected, "{source}");
    }
}

#[test]
fn character_references_are_resolved_as_in_browsers() {
    let cases = [
        ("&lt;b&gt;&amp;amp;", "<b>&amp;"),
        ("&#20013;&#x4E2D;&#x4e2d", "中中中"),
        ("&copy2024 &notit; &nosuch; & &;", "©2024 ¬it; &nosuch; & &;"),
        ("&#146;&#0;&#xD800;&#99999999999999999999;", "’\u{FFFD}\u{FFFD}\u{FFFD}"),
        ("&rarr;&hellip;&nbsp;", "→…\u{a0}"),
        ("&NotEqualTilde;&ThickSpace;&fjlig;", "\u{2242}\u{338}\u{205F}\u{200A}fj"),
    ];
    for (source, expected) in cases {
        assert_eq!(decoded(source), expected, "{source}");
    }
}

#[test]
fn parameters_of_addresses_are_no_references() {
    let cases = [
        ("?x=1&section=3&region=eu&copy=5&current=2", "?x=1&section=3&region=eu&copy=5&current=2"),
        ("?x=1&amp;copy=5&copy;=6", "?x=1&copy=5©=6"),
        ("a &lt b &copy", "a < b ©"),
        ("&ampx;&notit;&not;", "&ampx;&notit;¬"),
        ("&#169x&#xA9;", "©x©"),
    ];
    for (source, expected) in cases {
        assert_eq!(decoded_attribute(source), expected, "{source}");
    }
    let tree = parse("<a href='?a=1&lt=2&amp;b=3'>x</a>").expect("short");
    assert_eq!(tree.attribute_text(1, crate::Name::Href).as_deref(), Some("?a=1&lt=2&b=3"));
}

#[test]
fn blocks_are_what_is_read_as_one_piece() {
    let cases: [(&str, &[&str]); 11] = [
        ("<a href=x>one</a><a href=y>two</a> <b>w</b><i>ord</i>", &["one two word"]),
        ("<span>中</span><span>文</span>", &["中文"]),
        ("<p>one <b>two</b>\n three<p> ", &["one two three"]),
        ("one<br>two<br><br>three", &["one", "two", "three"]),
        ("<div>one<p>two</p>three</div>", &["one", "two", "three"]),
        ("<table><tr><td>a<td>b</table>", &["a", "b"]),
        ("<pre>\na\n  b</pre>", &["a\n  b"]),
        ("<script>x</script><style>y</style><template>z</template>a", &["a"]),
        ("<head><title>t</title></head><p>a<span style='display: none'>b</span>", &["a"]),
        ("a&nbsp;&lt;b\0", &["a\u{a0}<b"]),
        ("<xmp>&lt;b></xmp><plaintext>&amp;", &["&lt;b>", "&amp;"]),
    ];
    for (source, expected) in cases {
        assert_eq!(blocks(source), expected, "{source}");
    }
}

#[test]
fn what_is_hidden_in_a_line_is_no_part_of_it() {
    for hidden in [
        "hidden",
        "hidden=''",
        "style='color: red; DISPLAY : None !important'",
        "style=visibility:hidden",
        "class='x sr-only'",
    ] {
        assert_eq!(blocks(&format!("<p>a<span {hidden}>b</span>c</p>")), ["ac"], "{hidden}");
        // A block may be hidden until a script shows it.
        assert_eq!(blocks(&format!("<div {hidden}>b</div>c")), ["b", "c"], "{hidden}");
    }
    for shown in ["hidden=until-found", "style=display:inline", "aria-hidden=true", "class=sr-only-x"] {
        assert_eq!(blocks(&format!("<p>a<span {shown}>b</span>c</p>")), ["abc"], "{shown}");
    }
}

#[test]
fn links_and_elements_are_counted() {
    let tree = parse("<div>ab<p><a href=x>cd</a> <a name=y>ef</a></p><img><img></div>").expect("short");
    let blocks = Blocks::of(&tree);
    let [first, second] = blocks.blocks.as_slice() else { panic!("{:?}", blocks.blocks) };
    let marks = blocks.marks_of(second);
    assert_eq!(blocks.marks_of(first), Marks::default());
    assert_eq!((marks.link_bytes, marks.n_links, marks.bold_bytes), (2, 1, 0));
    let div = &blocks.containers[1];
    assert_eq!((div.tag, div.blocks(), div.n_images()), (Tag::Div, 0..2, 2));
    assert_eq!(blocks.containers[second.container()].parent(), 1);
}

/// Pages that make a careless parser slow, deep or large.
fn hostile(n: usize) -> Vec<(&'static str, String)> {
    let repeated = |piece: &str| piece.repeat(n);
    vec![
        ("nested blocks", repeated("<div>") + "text"),
        ("nested formatting", repeated("<b>") + "text"),
        ("nested blocks with their ends", repeated("<div>") + "text" + &repeated("</div>") + "behind"),
        ("paragraphs in formatting", repeated("<b>") + &repeated("<p>") + "text"),
        ("misnested formatting", repeated("<a href=x><div>") + &repeated("</a>")),
        ("adoption", repeated("<b><i><p>") + &repeated("</b></i></p>")),
        ("ends of nothing", repeated("<div>") + &repeated("</span></p></table>")),
        ("nested tables", repeated("<table><tr><td>")),
        ("items", repeated("<li><ul>")),
        ("lone signs", repeated("<")),
        ("lone ends", repeated("</")),
        ("comments that do not end", repeated("<!--")),
        ("dashes", "<!--".to_owned() + &repeated("-")),
        ("scripts that do not end", repeated("<script>")),
        ("a million attributes", "<p ".to_owned() + &repeated("a=b class=c ") + ">text"),
        ("attributes that do not end", "<p a=\"".to_owned() + &repeated("a=b ")),
        ("ampersands", repeated("&")),
        ("references that do not end", repeated("&amp")),
        ("numbers", "&#".to_owned() + &repeated("9") + ";"),
        ("nulls", repeated("\0")),
        ("custom elements", (0..n).fold(String::new(), |page, name| page + &format!("<x-{name}>"))),
        ("long name", "<".to_owned() + &repeated("x") + ">text"),
        ("foreign", repeated("<svg><math>") + "text"),
        ("blanks", "<p>".to_owned() + &repeated(" \n\t") + "text"),
        ("text", repeated("word ")),
    ]
}

#[test]
fn hostile_pages_cost_what_their_length_says() {
    for (name, page) in hostile(100_000) {
        let tree = parse(&page).expect("short");
        assert!(tree.len() <= page.len() + 1, "{name}: {} nodes", tree.len());
        let blocks = Blocks::of(&tree);
        assert!(blocks.text.len() <= page.len(), "{name}");
        let deepest = blocks.containers.iter().map(Container::depth).max();
        assert!(deepest < Some(600), "{name}: {deepest:?}");
    }
}

#[test]
fn text_behind_elements_that_are_too_deep_is_there() {
    let page = "<div>".repeat(2_000) + "inside" + &"</div>".repeat(2_000) + "<p>behind";
    assert_eq!(blocks(&page), ["inside", "behind"]);
    let tree = parse(&page).expect("short");
    assert_eq!(tree.parent(tree.len() - 2), 0, "the last paragraph lies in nothing");
}

/// Pages put together from what matters to the parser.
fn soup() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "<p>",
        "</p>",
        "<div>",
        "</div>",
        "<b>",
        "</b>",
        "<a href=x>",
        "</a>",
        "<table>",
        "</table>",
        "<tr>",
        "<td>",
        "</td>",
        "<li>",
        "<ul>",
        "</ul>",
        "<h1>",
        "</h2>",
        "<br>",
        "</br>",
        "<pre>",
        "</pre>",
        "<script>",
        "</script>",
        "<!--",
        "-->",
        "<svg>",
        "</svg>",
        "<head>",
        "<body>",
        "</body>",
        "<title>",
        "</title>",
        "<select>",
        "<option>",
        "<x-y>",
        "</x-y>",
        "<button>",
        "&amp;",
        "&",
        "<",
        ">",
        "\"",
        "'",
        " ",
        "\n",
        "word",
        "中文",
        "\0",
        "<img alt='",
        "<p hidden>",
        "/>",
        "<svg>",
        "<![CDATA[",
        "]]>",
        "<math>",
        "<mi>",
        "<foreignObject>",
        "<template>",
        "</template>",
        "<frameset>",
        "<plaintext>",
    ]);
    prop::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

/// What must hold for every tree.
fn check(source: &str) {
    let tree = parse(source).expect("short");
    assert_eq!(tree.end(0), tree.len());
    for node in 1..tree.len() {
        let parent = tree.parent(node);
        assert!(parent < node && tree.end(node) <= tree.end(parent) && tree.end(node) > node, "{source:?}");
    }
    let blocks = Blocks::of(&tree);
    let mut end = 0;
    for block in &blocks.blocks {
        assert!(block.text().start >= end && !blocks.text_of(block).trim().is_empty(), "{source:?}");
        end = block.text().end;
        let container = &blocks.containers[block.container()];
        assert!(
            block.nodes().start >= container.node() && block.nodes().end <= tree.end(container.node()),
            "{source:?}"
        );
    }
    for container in &blocks.containers {
        let inside = container.blocks();
        assert!(inside.start <= inside.end && inside.end <= blocks.blocks.len());
    }
}

#[test]
fn a_block_takes_little() {
    // `x<br>` makes one in five bytes, so each byte here counts a fifth of the page.
    assert!(size_of::<Block>() <= 36, "{} bytes", size_of::<Block>());
    assert!(size_of::<Container>() <= 24, "{} bytes", size_of::<Container>());
}

proptest! {
    #[test]
    fn any_soup_makes_a_sound_tree(source in soup()) {
        check(&source);
    }

    #[test]
    fn any_text_makes_a_sound_tree(source in "(\\PC|\\s|<|>|&){0,80}") {
        check(&source);
    }

    #[test]
    fn text_without_markup_is_one_block(text in "[a-z中文，。]{1,40}( [a-z中文，。]{1,40}){0,5}") {
        prop_assert_eq!(blocks(&text), [text]);
    }
}

#[test]
fn a_formula_stands_in_the_text_once() {
    let math = "<math><msup><mi>x</mi><mn>2</mn></msup></math>";
    for (source, expected) in [
        (format!("<p>a {math} b"), "a $x^2$ b"),
        ("<p>a <math alttext='x^2'><mi>x</mi></math> b".to_owned(), "a $x^2$ b"),
        (
            format!(
                "<p>a <mjx-container class=MathJax><svg><g/></svg><mjx-assistive-mml>{math}</mjx-assistive-mml></mjx-container> b"
            ),
            "a $x^2$ b",
        ),
        (
            format!(
                "<p>a <span class=MathJax><span>x2</span>{math}</span><script type='math/tex'>x^2</script> b"
            ),
            "a $x^2$ b",
        ),
        ("<p>a <img class=latex alt='x^2' src=x> b".to_owned(), "a $x^2$ b"),
        (
            format!(
                "<p>a <span><span style='display:none'>{math}</span><img class=mwe-math-fallback-image-inline alt='x^2'></span> b"
            ),
            "a $x^2$ b",
        ),
        ("<p>a <img class=photo alt='x^2' src=x> b".to_owned(), "a b"),
        // One that is never closed holds the page.
        ("<math><mtext><b>a b</b></mtext>".to_owned(), "a b"),
    ] {
        assert_eq!(blocks(&source), [expected], "{source}");
    }
}

#[test]
fn the_numbers_of_lines_are_no_code() {
    for (source, expected) in [
        ("<pre><span class=lineno>1 </span>a\n<span class=lineno>2 </span>b</pre>", "a\nb"),
        ("<pre><code><a class='lineno x' href=#l1>1</a>a</code></pre>", "a"),
        ("<pre><span class=lineno>x</span>a</pre>", "xa"),
        ("<p>Bus <span class=line-number>5</span> stops here.</p>", "Bus 5 stops here."),
    ] {
        assert_eq!(blocks(source), [expected], "{source}");
    }
}
