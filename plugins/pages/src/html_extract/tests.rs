use std::path::{Path, PathBuf};

use proptest::prelude::*;
use tamis_conformance::cases::check_extractor;
use tamis_plugin::{Document, Draft, Extractor, Form, View};

use super::{Articles, Comments, Favour, HtmlExtract, HtmlExtractOptions, Output};

/// What comes out of a page, and the counts.
fn extracted(options: &HtmlExtractOptions, page: &str) -> (String, Vec<String>) {
    let stage = HtmlExtract::open(options.clone()).expect("options that fit together");
    let mut document = Document::new("a", page);
    let mut draft = Draft::new(View::from(&document));
    stage.extract(&mut draft).expect("never fails on short pages");
    let (edits, notes) = draft.finish();
    edits.apply(&mut document);
    (document.text, notes.counts().iter().map(|(name, _)| name.to_string()).collect())
}

fn text_of(page: &str) -> String {
    extracted(&HtmlExtractOptions::default(), page).0
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(name)
}

fn example(name: &str) -> String {
    std::fs::read_to_string(folder("examples/html/pages").join(name)).expect("an example of this repository")
}

/// Examples, with what must and what must not come out.
const EXAMPLES: &[(&str, &[&str], &[&str])] = &[
    (
        "news-ferry.html",
        &[
            "The last night ferry left Harlow pier",
            "The crossing takes fifty minutes",
            "before the summer is over.",
        ],
        &["Tide tables for May", "All rights reserved", "tracking", "Oyster season opens late", "Sport"],
    ),
    (
        "wechat-orchard.html",
        &["霜降前后，青坡的苹果才算真正熟了。", "树老了，就换个活法", "价钱也稳了许多。"],
        &["微信扫一扫", "msg_title", "点赞"],
    ),
    (
        "portal-bridge.html",
        &["本报讯 停了半年多的柳溪石桥昨天重新通车。", "汽车要从下游的公路桥过河。"],
        &["版权所有", "论坛", "老石匠的手艺"],
    ),
    (
        "forum-kettle.html",
        &["My kettle has started to click off", "More likely the steam tube.", "That was it!"],
        &["Privacy", "Register"],
    ),
    (
        "docs-sieve.html",
        &[
            "A mesh is named by its openings",
            "160",
            "sieve --mesh 60 < heap.txt",
            "everything passes two times.",
        ],
        &["Introduction", "Edit this page"],
    ),
];

#[test]
fn examples_give_their_content_and_nothing_else() {
    for (name, content, rest) in EXAMPLES {
        let text = text_of(&example(name));
        for piece in *content {
            assert!(text.contains(piece), "{name} lost `{piece}`:\n{text}");
        }
        for piece in *rest {
            assert!(!text.contains(piece), "{name} kept `{piece}`:\n{text}");
        }
    }
}

#[test]
fn markdown_keeps_the_structure() {
    let options = HtmlExtractOptions { output: Output::Markdown, ..HtmlExtractOptions::default() };
    let (text, _) = extracted(&options, &example("docs-sieve.html"));
    for piece in [
        "# Meshes\n\n",
        "## Choosing one\n\n",
        "Mesh | Opening | For\n--- | --- | ---\n20 | 4.0 mm | gravel\n",
        "```\nsieve --mesh 60 < heap.txt\n# 12 stones, 3 twigs\n```",
        "- With `--dry` nothing is moved.\n- With `--twice`",
    ] {
        assert!(text.contains(piece), "`{piece}` is not in:\n{text}");
    }
    let without = HtmlExtractOptions { tables: false, code: false, ..options };
    let (text, _) = extracted(&without, &example("docs-sieve.html"));
    assert!(!text.contains("gravel") && !text.contains("heap.txt") && text.contains("# Meshes"), "{text}");
}

#[test]
fn links_and_emphasis_are_written_on_demand() {
    let paragraph = "The orchard lies above the village, and <b>every</b> spring the <a href='/walk?a&amp;b'>long walk</a> \
                     begins there. People bring bread, cheese and <i>far too much</i> cake, and nobody is home before dark.";
    let page = format!(
        "<html><body><article><h1>Walk</h1><p>{paragraph}</p><p>{paragraph}</p></article></body></html>"
    );
    let options =
        HtmlExtractOptions { output: Output::Markdown, links: true, ..HtmlExtractOptions::default() };
    let (text, _) = extracted(&options, &page);
    assert!(text.contains("**every** spring the [long walk](/walk?a&b) begins"), "{text}");
    assert!(text.contains("*far too much* cake"), "{text}");
    assert!(!text_of(&page).contains("**"));
}

#[test]
fn markdown_holds_nothing_that_is_not_shown() {
    let sentence =
        "The ferry came back on Tuesday, and the queue reached the chandler's shop by noon. ".repeat(3);
    let page = format!(
        "<article><h2>Bells <span class=mw-editsection>[<a href=/e>edit</a>]</span></h2><p>{sentence}\
         <span hidden>HIDDEN</span><script>HIDDEN</script><span style='display: none'>HIDDEN</span>It rings.</p>\
         <p>{sentence}</article>"
    );
    for output in [Output::Text, Output::Markdown] {
        let (text, _) = extracted(&HtmlExtractOptions { output, ..HtmlExtractOptions::default() }, &page);
        assert!(!text.contains("HIDDEN") && !text.contains("edit"), "{text}");
        assert!(text.contains("noon. It rings."), "{text}");
    }
}

#[test]
fn code_is_one_block_without_the_numbers_beside_it() {
    let sentence =
        "The ferry came back on Tuesday, and the queue reached the chandler's shop by noon. ".repeat(3);
    let page = format!(
        "<article><p>{sentence}</p><figure><table><tr><td class=gutter><pre><div>1</div><div>2</div></pre></td>\
         <td><pre><div>if tide:</div><div>    sail()</div></pre></td></tr></table></figure><p>{sentence}</article>"
    );
    let options = HtmlExtractOptions { output: Output::Markdown, ..HtmlExtractOptions::default() };
    let (text, _) = extracted(&options, &page);
    assert!(text.contains("noon.\n\n```\nif tide:\n    sail()\n```\n\nThe ferry"), "{text}");
    // Blanks before the first line are part of it, and a brace alone is one of the lines.
    let page = format!(
        "<article><p>{sentence}</p><pre><code>    sail();\n  }}\n</code></pre><p>{sentence}</article>"
    );
    let (text, _) = extracted(&options, &page);
    assert!(text.contains("noon.\n\n```\n    sail();\n  }\n```\n\nThe ferry"), "{text}");
    let lines = "<div>if (tide) {</div><div>    sail();</div><div>}</div>";
    let page = format!("<article><p>{sentence}</p><pre>{lines}</pre><p>{sentence}</article>");
    let (text, _) = extracted(&options, &page);
    assert!(text.contains("```\nif (tide) {\n    sail();\n}\n```"), "{text}");
}

#[test]
fn what_only_pages_without_scripts_show_is_text_where_there_is_no_other() {
    let sentence =
        "The ferry came back on Tuesday, and the queue reached the chandler's shop by noon. ".repeat(30);
    let page =
        format!("<article><p>{sentence}in<noscript>Turn on JavaScript</noscript> the end.</p></article>");
    assert!(text_of(&page).ends_with("noon. in the end."), "{}", text_of(&page));
    let page = format!("<div id=app></div><noscript><article><p>{sentence}</p></article></noscript>");
    assert!(
        text_of(&page).contains("the chandler's shop"),
        "{:?}",
        extracted(&HtmlExtractOptions::default(), &page)
    );
}

#[test]
fn readings_stay_apart_from_their_words() {
    let sentence =
        "山の上の村では、春になると人々が集まり、長い冬の話をしながら、新しい茶を飲みます。".repeat(3);
    for ruby in [
        "<ruby>狼煙<rt>のろし</rt></ruby>",
        "<ruby>狼煙<rp>(</rp><rt>のろし</rt><rp>)</rp></ruby>",
        "<ruby>狼煙<rt></rt><rt>のろし</ruby>",
    ] {
        let page = format!("<article><p>{sentence}それは{ruby}です。</p><p>{sentence}</article>");
        for output in [Output::Text, Output::Markdown] {
            let (text, _) = extracted(&HtmlExtractOptions { output, ..HtmlExtractOptions::default() }, &page);
            assert!(text.contains("それは狼煙(のろし)です。"), "{ruby}: {text}");
        }
    }
}

#[test]
fn a_formula_is_written_once() {
    let sentence =
        "The ferry came back on Tuesday, and the queue reached the chandler's shop by noon. ".repeat(3);
    let math = "<math alttext='\\sqrt{x}'><msqrt><mi>x</mi></msqrt></math>";
    let drawn = "<span class=katex><span><math><semantics><msqrt><mi>x</mi></msqrt>\
                 <annotation encoding='application/x-tex'>\\sqrt{x}</annotation></semantics></math></span>\
                 <span class=katex-html aria-hidden=true>√x</span></span>";
    let script = "<span class=MathJax_Preview>√x</span><script type='math/tex'>\\sqrt{x}</script>";
    let hidden = format!("<span style='display:none'>{math}</span>");
    for formula in [math, drawn, script, &hidden] {
        let page = format!("<article><p>{sentence}The depth is {formula} metres.</p><p>{sentence}</article>");
        for output in [Output::Text, Output::Markdown] {
            let (text, _) = extracted(&HtmlExtractOptions { output, ..HtmlExtractOptions::default() }, &page);
            assert!(text.contains("The depth is $\\sqrt{x}$ metres."), "{formula}: {text}");
        }
    }
}

/// The balance keeps a list of headlines beside the one, and the links to its neighbours behind the other.
#[test]
fn favouring_precision_leaves_the_doubtful_rest_of_the_examples() {
    let precise = HtmlExtractOptions { favour: Favour::Precision, ..HtmlExtractOptions::default() };
    let (portal, _) = extracted(&precise, &example("portal-bridge.html"));
    assert!(!portal.contains("早市搬到新址") && portal.contains("汽车要从下游的公路桥过河。"), "{portal}");
    let (docs, _) = extracted(&precise, &example("docs-sieve.html"));
    assert!(docs.ends_with("two times."), "{docs}");
}

#[test]
fn favouring_recall_takes_no_less_than_favouring_precision() {
    for (name, _, _) in EXAMPLES {
        let page = example(name);
        let [few, some, many] = [Favour::Precision, Favour::Balance, Favour::Recall].map(|favour| {
            extracted(&HtmlExtractOptions { favour, ..HtmlExtractOptions::default() }, &page).0.len()
        });
        assert!(few <= some && some <= many, "{name}: {few}, {some}, {many}");
    }
}

#[test]
fn a_body_that_only_the_structured_data_has_is_found() {
    let body =
        "The bridge was closed at noon. Nobody was hurt, but the buses took the long way round. ".repeat(12);
    let page = format!(
        "<html><head><script type='application/ld+json'>{{\"@type\":\"NewsArticle\",\"articleBody\":\"{body}\"}}\
         </script></head><body><div id=app></div><p>Please enable JavaScript.</p></body></html>"
    );
    let (text, counts) = extracted(&HtmlExtractOptions::default(), &page);
    assert_eq!(text, body.trim());
    assert_eq!(counts, ["from_structured_data"]);
}

#[test]
fn text_without_a_tag_is_handed_on() {
    for text in [
        "",
        "plain words",
        "a < b and b > c",
        "河边的笔记\n\n早晨的雾很大",
        "It takes a List<String>, and one <b>word</b> is bold.",
        "# Title\n\nWords <br> and <kbd>Ctrl</kbd>.\n\n## Next\n\n- one\n- two\n",
    ] {
        assert_eq!(
            extracted(&HtmlExtractOptions::default(), text),
            (text.to_owned(), vec!["no_markup".to_owned()])
        );
    }
}

/// What a reader says of a document counts more than what it looks like.
#[test]
fn one_tag_is_enough_in_what_is_said_to_be_a_page() {
    let counts = |form| {
        let mut document = Document::new("a", "The ferry came back on Tuesday.<hr>It left at noon.");
        document.form = form;
        let mut draft = Draft::new(View::from(&document));
        let stage = HtmlExtract::open(HtmlExtractOptions::default()).expect("the options are fine");
        stage.extract(&mut draft).expect("never fails on short pages");
        draft.finish().1.counts().iter().any(|(name, _)| name == "no_markup")
    };
    assert!(!counts(Some(Form::Markup)) && counts(Some(Form::Flattened)) && counts(None));
}

#[test]
fn a_page_that_lost_its_structure_is_handed_on_line_by_line() {
    let menu = "Home\nNews\nSport\nWeather\nTides\nLogin\n";
    let text = "The ferry came back on Tuesday, &amp; the queue reached the chandler's shop.\n".repeat(12);
    for (before, after) in [("<html><body>", "</body></html>"), ("<pre>", "</pre>"), ("<div class=t><p>", "")]
    {
        let (extracted, counts) =
            extracted(&HtmlExtractOptions::default(), &format!("{before}{menu}{text}{after}"));
        assert_eq!(
            (extracted, counts),
            (menu.to_owned() + &text.replace("&amp;", "&"), vec!["no_structure".to_owned()])
        );
    }
}

#[test]
fn several_articles_become_documents_of_their_own_if_asked() {
    let post = |title: &str, about: &str| {
        let sentence =
            format!("The {about} came back on Tuesday, and the queue reached the chandler's shop by noon. ");
        format!("<article class=post><h2>{title}</h2><p>{}</p></article>", sentence.repeat(4))
    };
    let page = format!(
        "<html><body><nav><a href=/>Home</a></nav><main>{}{}{}</main></body></html>",
        post("Ferry", "ferry"),
        post("Oysters", "oyster"),
        post("Seal", "seal")
    );
    let mut document = Document::new("a", page);
    document.metadata.insert("url", "https://sound.example/");
    document.metadata.insert("title", "Sound Courier");
    let split = |articles| {
        let stage = HtmlExtract::open(HtmlExtractOptions { articles, ..HtmlExtractOptions::default() });
        let mut draft = Draft::new(View::from(&document));
        stage.expect("the options are fine").extract(&mut draft).expect("never fails on short pages");
        let mut first = document.clone();
        let mut all = draft.finish().0.apply(&mut first);
        all.insert(0, first);
        all
    };
    let titles: Vec<_> = split(Articles::Apart)
        .iter()
        .map(|document| {
            assert_eq!(document.metadata.get("url"), Some(&"https://sound.example/".into()));
            assert_eq!(document.text.matches("chandler").count(), 4, "{}", document.text);
            document.metadata.get("title").cloned()
        })
        .collect();
    assert_eq!(titles, [Some("Ferry".into()), Some("Oysters".into()), Some("Seal".into())]);
    let together = split(Articles::Together);
    assert_eq!((together.len(), together[0].text.matches("chandler").count()), (1, 12));
}

#[test]
fn comments_stay_below_their_article_if_asked_and_threads_have_none() {
    let sentence =
        "The ferry came back on Tuesday, and the queue reached the chandler's shop by noon. ".repeat(3);
    let post = |name: &str, n: usize| {
        format!("<div class=comment><b>{name}{n}</b><p>Post {n}. {sentence}</p></div>")
    };
    let posts: String = (0..5).map(|n| post("gull", n)).collect();
    let article = format!(
        "<article><h1>Ferry</h1><p>{sentence}</p><p>{sentence}</p></article><div id=comments>{posts}</div>"
    );
    let of = |comments, page: &str| {
        extracted(&HtmlExtractOptions { comments, ..HtmlExtractOptions::default() }, page).0
    };
    assert!(!of(Comments::Drop, &article).contains("Post 3"));
    assert!(
        of(Comments::Keep, &article).contains("Ferry\n")
            && of(Comments::Keep, &article).contains("gull3\nPost 3")
    );
    let thread = format!("<h1>When does the ferry come back?</h1><div class=comments>{posts}</div>");
    for comments in [Comments::Drop, Comments::Keep, Comments::Field] {
        assert!(of(comments, &thread).contains("Post 3"), "{comments:?}");
    }
}

#[test]
fn a_page_without_text_is_empty() {
    let (text, counts) =
        extracted(&HtmlExtractOptions::default(), "<html><body><script>x</script></body></html>");
    assert_eq!((text.as_str(), counts), ("", vec!["no_content".to_owned()]));
}

#[test]
fn links_need_markdown() {
    let options = HtmlExtractOptions { links: true, ..HtmlExtractOptions::default() };
    let error = HtmlExtract::open(options).expect_err("plain text has no links");
    assert!(error.to_string().contains("output = \"markdown\""), "{error}");
}

#[test]
fn cases() {
    for (page, markdown) in [
        ("cases/comments.md", include_str!("cases/comments.md")),
        ("cases/content.md", include_str!("cases/content.md")),
        ("cases/data.md", include_str!("cases/data.md")),
        ("cases/notices.md", include_str!("cases/notices.md")),
        ("cases/posts.md", include_str!("cases/posts.md")),
    ] {
        check_extractor::<HtmlExtract>(page, markdown);
    }
}

/// Pages with much of one thing.
#[test]
fn hostile_pages_cost_what_their_length_says() {
    let n = 20_000;
    for page in [
        "<div>".repeat(n) + "text",
        "<div class='comment post'><p>A sentence, with a comma.".repeat(n),
        "<table><tr><td>1</td><td>2</td></tr></table>".repeat(n),
        "<table>".to_owned() + &"<tr><td>1<td>2".repeat(n),
        "<table><tr><td>".repeat(n) + "text",
        "<ul><li>item".repeat(n),
        "<ol>".to_owned() + &"<li>A point, made again.".repeat(n),
        "<p>".to_owned() + &"<b>a</b> <a href=x>b</a>".repeat(n),
        "<pre>".to_owned() + &"line\n".repeat(n),
        "one<br>".repeat(n),
        "one\n".repeat(n) + "<br>",
        "<article>".repeat(n) + "text",
        "<article><p>A sentence, with a comma.".repeat(n),
        "<article><h2>Ferry</h2><p>A sentence, with a comma.</article>".repeat(n),
        "<p>A sentence, with a comma.<h1>a</h1><h2>b</h2><h3>c</h3><h4>d</h4><h5>e</h5><h6>f</h6>"
            .repeat(n / 6),
        "<p>A sentence, with a comma.".to_owned() + &"<h3>a</h3>".repeat(n),
        "<math>".repeat(n) + "x",
        "<span hidden>".repeat(n) + "<math alttext=x>",
        "<title>".to_owned() + &"word ".repeat(n) + "</title>" + &"<p>other words".repeat(n),
    ] {
        let options = HtmlExtractOptions {
            output: Output::Markdown,
            links: true,
            articles: Articles::Apart,
            ..HtmlExtractOptions::default()
        };
        let (text, _) = extracted(&options, &page);
        assert!(text.len() <= page.len() * 2, "{} bytes of {}", text.len(), page.len());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_text_is_accepted(page in "(\\PC|\\s|<[a-z0-9]{1,5}>|</[a-z]{1,3}>){0,60}") {
        for output in [Output::Text, Output::Markdown] {
            extracted(&HtmlExtractOptions { output, ..HtmlExtractOptions::default() }, &page);
        }
    }
}

#[test]
fn a_page_whose_text_is_empty_is_read_from_what_was_scraped() {
    let page = example("portal-bridge.html");
    let stage = HtmlExtract::open(HtmlExtractOptions::default()).expect("defaults");
    let extract = |text: &str, raw: &[u8]| {
        let mut document = Document::new("a", text);
        document.raw = Some(raw.to_vec());
        let mut draft = Draft::new(View::from(&document));
        stage.extract(&mut draft).expect("any page");
        let (edits, notes) = draft.finish();
        edits.apply(&mut document);
        let from_raw = notes.counts().iter().any(|(name, _)| name == "from_raw");
        (document.text, from_raw)
    };
    let expected = text_of(&page);
    assert_eq!(extract("", page.as_bytes()), (expected.clone(), true));
    // GBK, as bytes of the page say themselves.
    let gbk = b"<html><head><meta charset=gbk></head><body><p>\xc4\xa5\xb7\xbb\xd4\xda\xba\xd3\xb1\xdf\xa1\xa3</p></body></html>";
    assert_eq!(extract("", gbk), ("磨坊在河边。".to_owned(), true));
    assert_eq!(extract(&page, b"<p>another</p>"), (expected, false));
    assert_eq!(extract("", b"no page"), (String::new(), false));
}

#[test]
fn values_of_a_table_stay_in_their_columns() {
    let about =
        "<p>The ferries of the sound in two years, as the harbour master has counted them at noon.</p>";
    let page = format!(
        "<html><body><article><h1>Ferries</h1>{about}<table><tr><td></td><td>2001</td><td>2002</td></tr>\
         <tr><td>Large</td><td></td><td>4</td></tr><tr><td>Small</td><td>7</td><td>9</td></tr></table>{about}\
         </article></body></html>"
    );
    let markdown = HtmlExtractOptions { output: Output::Markdown, ..HtmlExtractOptions::default() };
    let text = extracted(&markdown, &page).0;
    assert!(
        text.contains("\n\n|  | 2001 | 2002 |\n--- | --- | ---\nLarge |  | 4\nSmall | 7 | 9\n\n"),
        "{text}"
    );
    assert!(text_of(&page).contains("\n| 2001 | 2002\nLarge | | 4\nSmall | 7 | 9\n"), "{}", text_of(&page));
}

#[test]
fn small_tables_at_the_end_of_a_page_stay() {
    const TEXT: &str = "<h1>Prices</h1><p>The mill by the river sells flour on two days of the week, and the prices have \
        not changed since the flood of last year.</p><p>Whoever comes early finds the full choice, and whoever comes late \
        finds what the bakers have left for everybody else.</p>";
    let page = |content: String| {
        let foot = "<footer><a href=/>Home</a> Copyright Mill 2024</footer>";
        format!("<!DOCTYPE html><body><nav><a href=/>Home</a> <a href=/b>Shop</a></nav>{content}{foot}")
    };
    let markdown = HtmlExtractOptions { output: Output::Markdown, ..HtmlExtractOptions::default() };
    let recall = HtmlExtractOptions { favour: Favour::Recall, ..markdown.clone() };
    for (cells, written) in [
        ("<tr><th>a<th>b<tr><td>1<td>2", "a | b\n--- | ---\n1 | 2"),
        ("<tr><td>a<td>b<tr><td>1<td>2", "a | b\n--- | ---\n1 | 2"),
        ("<tr><td>小麦<td>3.20<tr><td>黑麦<td>2.80", "小麦 | 3.20\n--- | ---\n黑麦 | 2.80"),
    ] {
        let table = format!("<table>{cells}</table>");
        for inside in [
            format!("<article>{TEXT}{table}</article>"),
            format!("<div class=content>{TEXT}{table}</div>"),
            format!("{TEXT}{table}"),
        ] {
            let (text, _) = extracted(&markdown, &page(inside));
            assert!(text.trim_end().ends_with(written), "{text}");
        }
        // In a box of its own it may be what stands beside an article: see the limits of the stage.
        let (text, _) = extracted(&recall, &page(format!("<div>{TEXT}</div><div>{table}</div>")));
        assert!(text.contains(written), "{text}");
    }
}
