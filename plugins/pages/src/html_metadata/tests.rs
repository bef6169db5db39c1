use std::path::Path;

use proptest::prelude::*;
use tamis_plugin::{Document, Draft, Extractor, Value, View};

use super::{Field, HtmlMetadata, HtmlMetadataOptions};

fn read(options: HtmlMetadataOptions, document: &Document) -> Document {
    let stage = HtmlMetadata::open(options).expect("the options are fine");
    let mut draft = Draft::new(View::from(document));
    stage.extract(&mut draft).expect("any page is accepted");
    let (edits, _) = draft.finish();
    let mut document = document.clone();
    edits.apply(&mut document);
    document
}

/// The fields of a page as `name=value`, without the evidence.
fn fields(page: &str) -> Vec<String> {
    let options = HtmlMetadataOptions { evidence: false, ..HtmlMetadataOptions::default() };
    let document = read(options, &Document::new("a", page));
    let shown = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Json(json) => json.as_str().to_owned(),
        other => format!("{other:?}"),
    };
    document.metadata.iter().map(|(name, value)| format!("{name}={}", shown(value))).collect()
}

#[test]
fn structured_data_speaks_for_the_page_and_not_for_what_is_on_it() {
    let page = r#"<html lang="en_GB"><head><title>Ferry back - Sound Courier</title>
        <link rel="canonical" href="https://courier.example/ferry">
        <script type="application/ld+json">{"@context": "https://schema.org", "@graph": [
            {"@type": "NewsArticle", "headline": "Ferry back", "datePublished": "2023-04-18T21:05:00+01:00",
             "dateModified": "2023-04-19", "author": [{"@type": "Person", "name": "Orla Penwick"}, {"name": "Tam Rudd"}],
             "publisher": {"@type": "Organization", "name": "Sound Courier"}, "keywords": "ferry, harbour,ferry",
             "description": "It &amp; its boat are back.", "comment": [{"@type": "Comment", "author": {"name": "gull77"}}]},
            {"@type": "Product", "name": "A mug", "description": "Holds tea."}]}</script></head>
        <body><h1>Ferry back</h1><p>The ferry is back.</p></body></html>"#;
    let expected = [
        "author=Orla Penwick, Tam Rudd",
        "canonical_url=https://courier.example/ferry",
        "description=It & its boat are back.",
        "language=en-GB",
        "modified=2023-04-19",
        "published=2023-04-18T21:05:00+01:00",
        "published_raw=2023-04-18T21:05:00+01:00",
        "publisher=Sound Courier",
        "tags=[\"ferry\",\"harbour\"]",
        "title=Ferry back",
    ];
    assert_eq!(fields(page), expected);
}

#[test]
fn a_page_without_a_head_is_read_as_it_is_shown() {
    let page = "<body><div class=nav><a href=/>首页</a></div><h1>渡口新桥今日通车</h1>\
        <div class='info'>发布时间：2019-03-11 08:30 来源：清河日报</div><div>作者：李渡舟</div>\
        <p>渡口新桥今日通车，两岸居民步行过江。当年的渡船停在岸边，2018年5月1日它走了最后一趟。</p></body>";
    let expected = [
        "author=李渡舟",
        "published=2019-03-11T08:30",
        "published_raw=2019-03-11 08:30",
        "source=清河日报",
        "title=渡口新桥今日通车",
    ];
    assert_eq!(fields(page), expected);
}

#[test]
fn the_name_of_the_site_is_no_part_of_the_title() {
    for (head, expected) in [
        ("<title>渡口新桥今日通车_社会频道_清河网</title>", Some("渡口新桥今日通车")),
        ("<title>Ferry back after years | Courier</title>", Some("Ferry back after years")),
        (
            "<title>Ferry back - after eleven years of waiting for it</title>",
            Some("Ferry back - after eleven years of waiting for it"),
        ),
        (
            "<title>Courier: Ferry back</title><meta property=og:site_name content=Courier>",
            Some("Courier: Ferry back"),
        ),
        (
            "<title>Courier - Ferry back</title><meta property=og:site_name content=Courier>",
            Some("Ferry back"),
        ),
        ("<title>A - B - C</title></head><h1>A - B</h1>", Some("A - B")),
        ("<title>Ferry back • Courier</title></head><h1>Ferry back</h1>", Some("Ferry back")),
        ("<title>(3) Ferry back - Courier</title></head><h1>Ferry back</h1>", Some("Ferry back")),
        ("<title>(500) Days</title></head><h1>(500) Days</h1>", Some("(500) Days")),
        // Words of systems, addresses, the name of the site alone: the heading is surer.
        ("<title>Untitled Document</title></head><h1>Ferry back</h1>", Some("Ferry back")),
        ("<title>Home | Courier</title></head><a href=/>Courier</a><h1>Ferry back</h1>", Some("Ferry back")),
        ("<title>https://courier.example/1</title></head><h1>Ferry back</h1>", Some("Ferry back")),
        ("<title>index.html</title></head><h1>Ferry back</h1>", Some("Ferry back")),
        ("<title>courier.example/news/1</title></head><h1>Ferry back</h1>", Some("Ferry back")),
        ("<title>404 | Courier</title></head><h1>Ferry back</h1>", Some("Ferry back")),
        (
            "<title>courier.example/news/1</title></head><a href=/n>News</a><h1>Ferry back</h1>",
            Some("Ferry back"),
        ),
        ("<title>Node.js</title></head><h1>Ferry back</h1>", Some("Node.js")),
        ("<title>【图】渡口新桥通车_清河网</title></head><h1>渡口新桥通车</h1>", Some("渡口新桥通车")),
        ("<title>请登录</title></head><h1>渡口新桥今日通车</h1>", Some("渡口新桥今日通车")),
        ("<title>Courier</title></head><a href=/>Courier</a><h1>Ferry back</h1>", Some("Ferry back")),
        ("<title>Courier</title></head><a href=/>Courier</a><p>Ferries</p>", Some("Courier")),
        ("<title>www.courier.example</title></head><p>Ferries</p>", None),
        ("<title>Home ferries of the sound</title>", Some("Home ferries of the sound")),
        (
            "<title>Courier</title></head><h1><a href=/>Courier</a></h1><article><h2>Ferry back</h2><p>It is.</p></article>",
            Some("Ferry back"),
        ),
        ("<title></title>", None),
    ] {
        let title =
            fields(head).into_iter().find_map(|field| field.strip_prefix("title=").map(str::to_owned));
        assert_eq!(title.as_deref(), expected, "{head}");
    }
}

/// What a page says about one field.
fn field(name: &str, page: &str) -> Option<String> {
    let prefix = format!("{name}=");
    fields(page).into_iter().find_map(|field| field.strip_prefix(&prefix).map(str::to_owned))
}

/// Text behind a date that makes a page of it.
const TEXT: &str = "<p>The ferry is back, and the queue at the pier was longer than anybody remembers. Nobody minded. \
    The band played until the last car was on board, and the mayor waved.</p>";

#[test]
fn a_line_by_the_heading_names_who_wrote_the_text() {
    for (line, expected) in [
        ("Words: Orla Penwick", Some("Orla Penwick")),
        ("By Orla Penwick, staff writer", Some("Orla Penwick")),
        ("Story and photos by Orla Penwick", Some("Orla Penwick")),
        ("Von Orla van der Wick", Some("Orla van der Wick")),
        ("Текст: Иван Перов", Some("Иван Перов")),
        ("بقلم: أحمد علي", Some("أحمد علي")),
        ("기자명 홍길동", Some("홍길동")),
        ("撰文｜李渡舟 编辑｜王小河", Some("李渡舟")),
        ("本报记者　李渡舟　摄影报道", Some("李渡舟")),
        ("（记者李渡舟 通讯员王小河）", Some("李渡舟")),
        ("By Orla Penwick, Senior Reporter", Some("Orla Penwick")),
        ("By Orla Penwick orla@courier.example", Some("Orla Penwick")),
        ("Ein Beitrag von Orla Penwick", Some("Orla Penwick")),
        ("著者：山田 太郎", Some("山田 太郎")),
        // Running text begins with such words, too.
        ("Von oben sieht man das ganze Tal.", None),
        ("By the time the boat came, all had left the pier.", None),
    ] {
        let page = format!("<h1>Ferry back</h1><p>{line}</p>{TEXT}");
        assert_eq!(field("author", &page).as_deref(), expected, "{line}");
    }
}

#[test]
fn a_date_behind_the_article_is_that_of_something_else() {
    let below = "<div><h3>Next</h3><time datetime=2018-09-13>13 September</time> Jazz on the quay</div><p>14 September 2018</p>";
    let page = |text: &str| format!("<article><h1>Ferry back</h1><p>{text}</p></article>{below}");
    assert_eq!(field("published", &page("It is back.")), None);
    assert_eq!(field("published", &page("Posted 1 May 2018")).as_deref(), Some("2018-05-01"));
    let apart = "<article><h1>Ferry back</h1></article><article><p>Posted 1 May 2018</p></article>";
    assert_eq!(field("published", apart).as_deref(), Some("2018-05-01"));
}

#[test]
fn a_date_is_the_pages_if_it_is_meant() {
    for (lines, expected) in [
        ("<p>13 September 2018</p>", Some("2018-09-13")),
        ("<div>By Orla Penwick | 13 September 2018</div>", Some("2018-09-13")),
        ("<p>Harlow Sound, 13 September 2018</p>", Some("2018-09-13")),
        ("<div>2018年9月13日 15:32　来源：清河日报　作者：李渡舟</div>", Some("2018-09-13T15:32")),
        (
            "<div class=meta>Updated on 14 September 2018 · First published 13 September 2017</div>",
            Some("2017-09-13"),
        ),
        ("<p><time datetime=2018-09-13>Thursday</time></p>", Some("2018-09-13")),
        (
            "<p><abbr class=published title=2018-09-13T21:07:00+02:00>last week</abbr></p>",
            Some("2018-09-13T21:07:00+02:00"),
        ),
        (
            "<p>Dieser Beitrag wurde am 13. September 2018 um 9:15 Uhr veröffentlicht.</p>",
            Some("2018-09-13T09:15"),
        ),
        (
            "<p>Created on 13 September 2018, last modified on 15 September 2018 by Ann</p>",
            Some("2018-09-13"),
        ),
        ("<p>2018年9月13日 10:20 更新：2018年9月14日</p>", Some("2018-09-13T10:20")),
        ("<p>時間：民國107年9月13日 晚8:05</p>", Some("2018-09-13T20:05")),
        ("<p>13 September 2018, 12:30 America/New_York</p>", Some("2018-09-13T12:30")),
        ("<dl><dt>Published</dt><dd>13 September 2018</dd></dl>", Some("2018-09-13")),
        ("<p>13/09/2018 - 04:30 - Foto: Ann Gray</p>", Some("2018-09-13T04:30")),
        ("<p>發布日期：107-09-13</p>", Some("2018-09-13")),
        ("<p>掲載日 H30.9.13</p>", Some("2018-09-13")),
        ("<p>作成日：平成30年9月13日</p>", Some("2018-09-13")),
        ("<p>등록일 : 2018년 9월 13일 오후 3시 20분</p>", Some("2018-09-13T15:20")),
        ("<p>نشر في ١٣ سبتمبر ٢٠١٨</p>", Some("2018-09-13")),
        ("<p>公開：2018/09/13　更新：2018/09/15</p>", Some("2018-09-13")),
        (
            "<p><span>来源：清河日报</span><span>2018-09-13 10:15</span><span>编辑：王小河</span></p>",
            Some("2018-09-13T10:15"),
        ),
        ("<p>更新日期：107-10-01　發布日期：107-09-13</p>", Some("2018-09-13")),
        ("<p>Published 10:15 AM EDT, Thu September 13, 2018</p>", Some("2018-09-13T10:15-04:00")),
        (
            "<p>Last updated on <time datetime=2018-10-01>Oct 1</time>. First published on <time datetime=2018-09-13>Sept 13</time>.</p>",
            Some("2018-09-13"),
        ),
        ("<p>Posted Sept. 13, 2018 | 3.20pm</p>", Some("2018-09-13T15:20")),
        ("<p>13.09.2018 10:15 Uhr - 1. Liga - red</p>", Some("2018-09-13T10:15")),
        ("<p>13.09.2018 10:15 - 11:30 Uhr</p>", None),
        ("<p>Veröffentlicht am 13.9.2018, 10:15 Uhr MESZ</p>", Some("2018-09-13T10:15+02:00")),
        // In prose, of an event, of something else.
        ("<p>Doors open 19:00, 13 September 2018</p>", None),
        ("<p><span class=start-date>13 September 2018, 7 pm</span> in the old hall by the river</p>", None),
        (
            "<p>The report, published on <time datetime=2018-09-13>13 September</time>, says that all is well.</p>",
            None,
        ),
        ("<p>vom 13. September 2018 (BGBl. I S. 123)</p>", None),
        ("<p>Available until:<br>13 September 2018</p>", None),
        ("<p>The pier was opened on 13 September 2018.</p>", None),
        ("<p>The pier opened 13 September 2018</p>", None),
        ("<p>老桥建成于2018年9月13日，是本县最老的桥。</p>", None),
        (
            "<p>She wants to vote before <time datetime=2018-09-13>Thursday</time>, as do the others.</p>",
            None,
        ),
        ("<p>13 September 2018 - 15 September 2018</p>", None),
        ("<p>13.9.2018 - 15.9.2018</p>", None),
        ("<p>Deadline: 13 September 2018</p>", None),
        ("<p>活动时间：2018年9月13日</p>", None),
        ("<p>© 13 September 2018</p>", None),
        ("<pre>since = 2018-09-13</pre>", None),
        ("<pre>// 13 September 2018</pre>", None),
        ("<div class=event><p>13 September 2018</p></div>", None),
        ("<p style='display:none'>13 September 2018</p>", None),
        ("<p>Friday, 13 September 2018</p>", None),
    ] {
        let page = format!("<h1>Ferry back</h1>{lines}{TEXT}");
        assert_eq!(field("published", &page).as_deref(), expected, "{lines}");
    }
}

#[test]
fn dates_far_from_the_heading_need_more() {
    let far = |lines: &str| format!("<h1>Ferry back</h1>{}{lines}", TEXT.repeat(12));
    for (lines, expected) in [
        ("<p><time datetime=2018-09-13>13.9.</time></p>", Some("2018-09-13")),
        ("<p>Published on 13 September 2018</p>", Some("2018-09-13")),
        ("<p>13 September 2018</p>", None),
        ("<p>Published 13 September 2018</p><p>Published 14 September 2018</p>", None),
        (
            "<p><time datetime=2018-09-13></time><p><time datetime=2018-09-14></time><p><time datetime=2018-09-15></time>",
            None,
        ),
        ("<ol class=comments><li><time datetime=2018-09-13>13.9.</time></ol>", None),
    ] {
        assert_eq!(field("published", &far(lines)).as_deref(), expected, "{lines}");
    }
}

#[test]
fn the_day_is_that_of_the_place_where_it_was_written() {
    let utc = "<meta property=article:published_time content=2018-09-13T22:30:00Z>";
    for (page, expected) in [
        (format!("{utc}<h1>Ferry back</h1><p>14 September 2018</p>{TEXT}"), "2018-09-14"),
        (format!("{utc}<h1>Ferry back</h1><p>14.9.2018, 00:30</p>{TEXT}"), "2018-09-14T00:30"),
        (format!("{utc}<h1>Ferry back</h1><p>13 September 2018</p>{TEXT}"), "2018-09-13T22:30:00Z"),
        (format!("{utc}<h1>Ferry back</h1><p>16 September 2018</p>{TEXT}"), "2018-09-13T22:30:00Z"),
        (
            format!(
                "{utc}<link rel=canonical href=https://a.example/2018/09/14/ferry><h1>Ferry back</h1>{TEXT}"
            ),
            "2018-09-14",
        ),
        // The address may have been made the day before.
        (
            format!(
                "<meta property=article:published_time content=2018-09-13T10:04:00Z>
                <link rel=canonical href=https://a.example/2018/09/12/ferry><h1>Ferry back</h1><p>13 September 2018, 6:40 EDT</p>{TEXT}"
            ),
            "2018-09-13T10:04:00Z",
        ),
        ("<html lang=de><h1>Ferry back</h1><p>10/06/2018</p>".to_owned() + TEXT, "2018-06-10"),
    ] {
        assert_eq!(field("published", &page).as_deref(), Some(expected), "{page}");
    }
    // Some systems give the last change for the publication.
    let page = format!(
        "<meta property=article:published_time content=2018-09-13><meta name=datepublished content=2018-09-20>\
         <meta name=datemodified content=2018-09-20><h1>Ferry back</h1><p>20 September 2018</p>{TEXT}"
    );
    assert_eq!(field("published", &page).as_deref(), Some("2018-09-13"));
    // A form for machines follows no language.
    let page =
        format!("<html lang=de><meta name=date content='11/01/2018 10:20:30'><h1>Ferry back</h1>{TEXT}");
    assert_eq!(field("published", &page), None);
}

#[test]
fn names_are_names_only() {
    for (page, expected) in [
        (
            "<meta name=author content='By &lt;a href=/x&gt;Ann Gray&lt;/a&gt;, Bo Reed and Cy Penn'>",
            Some("Ann Gray, Bo Reed, Cy Penn"),
        ),
        ("<meta name=author content='Seán O&amp;#39;Dea'>", Some("Seán O'Dea")),
        ("<meta name=author content='Ann Gray (https://a.example/ann)'>", Some("Ann Gray")),
        ("<meta name=author content='https://a.example/ann'>", None),
        ("<meta name=author content=admin>", None),
        (
            "<h1>Ferry back</h1><p class=byline>By Ann Gray Last Updated: 13 September 2018</p>",
            Some("Ann Gray"),
        ),
        ("<h1>Ferry back</h1><p class=byline>Ann Gray, Photo: Bo Reed</p>", Some("Ann Gray")),
        (
            "<h1>Ferry back</h1><p class=byline>By Ann Gray and Bo Reed</p><p class=author>Ann Gray</p>",
            Some("Ann Gray, Bo Reed"),
        ),
        (
            "<h1>Ferry back</h1><p>By <a href=/bio/ann-gray>Ann Gray</a>, Senior Technologist, Harbour Board</p>",
            Some("Ann Gray"),
        ),
        (
            "<h1>Ferry back</h1><p class=byline><a href=/author/ann>Ann Gray</a><a href=/x>Follow</a></p>",
            Some("Ann Gray"),
        ),
        (
            "<h1>Ferry back</h1><p class=byline>By <b>Ann</b> Gray<br>Harbour Gazette Staff</p>",
            Some("Ann Gray"),
        ),
        (
            "<h1>Ferry back</h1><ul class=authors><li>Ann Gray<li>Bo van der Reed<li>Follow us</ul>",
            Some("Ann Gray, Bo van der Reed"),
        ),
        ("<h1>Ferry back</h1><div>作者：李渡舟 来源：清河日报</div>", Some("李渡舟")),
        ("<h1>Ferry back</h1><div>记者 李渡舟 通讯员 王河生</div>", Some("李渡舟")),
        ("<h1>Ferry back</h1><pre><div>    by(self);</div></pre>", None),
        (
            "<h1>Ferry back</h1><p>By the time the ferry was back, the queue was longer than the pier.</p>",
            None,
        ),
    ] {
        assert_eq!(field("author", &format!("{page}{TEXT}")).as_deref(), expected, "{page}");
    }
    let far = format!("<h1>Ferry back</h1>{}<a rel=author href=/ann>Ann Gray</a>", TEXT.repeat(12));
    assert_eq!(field("author", &far), None);
}

#[test]
fn titles_keep_angle_brackets_that_are_meant() {
    for (given, expected) in [
        ("List&lt;String&gt; in short", "List<String> in short"),
        ("Map&lt;K, V&gt; or Vec&lt;i&gt;?", "Map<K, V> or Vec<i>?"),
        ("The &lt;b&gt; element", "The <b> element"),
        ("The &lt;/p&gt; that &lt;title&gt; has not", "The that <title> has not"),
        ("Ferry &lt;em&gt;back&lt;/em&gt; at last&lt;br/&gt;", "Ferry back at last"),
        ("Ferry &amp;lt;B&amp;gt;back&amp;lt;/B&amp;gt;", "Ferry <B>back</B>"),
        ("1 &lt; 2 &gt; 0 in words", "1 < 2 > 0 in words"),
    ] {
        for page in [
            format!("<meta property=og:title content='{given}'>{TEXT}"),
            format!("<title>{given}</title>{TEXT}"),
        ] {
            assert_eq!(field("title", &page).as_deref(), Some(expected), "{page}");
        }
    }
}

#[test]
fn the_heading_tells_where_a_title_ends() {
    for (title, heading, expected) in [
        ("Ferry back - Part Two", "Ferry back - Part Two", "Ferry back - Part Two"),
        ("Ferry back – Part Two | Courier", "Ferry back – Part Two", "Ferry back – Part Two"),
        (
            "2018-09-13 - 渡口：通车 - 再等等_社会频道_清河网",
            "2018-09-13 - 渡口：通车 - 再等等",
            "2018-09-13 - 渡口：通车 - 再等等",
        ),
        ("渡口新桥通车-清河医学院", "渡口新桥通车", "渡口新桥通车"),
        ("Courier - Ferry back", "Ferry back", "Ferry back"),
    ] {
        let page = format!("<title>{title}</title><h1>{heading}</h1>{TEXT}");
        assert_eq!(field("title", &page).as_deref(), Some(expected), "{title}");
    }
    // What is hidden shows no title, and so no place for the date.
    let page = format!(
        "<title>Ferry back-Courier</title><h1>Ferry back</h1><span class=time>2018-09-13 20:29</span>{}\
         <div style='display:none'><div>Ferry back-Courier</div></div>",
        TEXT.repeat(12)
    );
    assert_eq!(field("published", &page).as_deref(), Some("2018-09-13T20:29"));
    // A line for search engines is believed less than what page and head agree on.
    let page = "<title>Ferry back</title><h1>Ferry back</h1>\
        <script type=application/ld+json>{\"@type\": \"Article\", \"headline\": \"All that you must know of ferries\"}</script>";
    assert_eq!(field("title", page).as_deref(), Some("Ferry back"));
}

#[test]
fn the_source_is_another_house() {
    for (line, expected) in [
        ("<div>来源：清河日报 作者：李渡舟</div>", Some("清河日报")),
        ("<p>Source: Harbour Gazette</p>", Some("Harbour Gazette")),
        (
            "<div class=article-source><p>山野拾遗</p><span>发布时间：</span><span>18-03-08</span></div>",
            Some("山野拾遗"),
        ),
        ("<p>水来源：河里和井里都有。</p>", None),
    ] {
        let page = format!("<h1>渡口新桥今日通车</h1>{line}{TEXT}");
        assert_eq!(field("source", &page).as_deref(), expected, "{line}");
    }
}

#[test]
fn addresses_keep_their_parameters() {
    let page = "<link rel=canonical href='https://a.example/?x=1&section=3&amp;region=eu&copy=5'><p>Text</p>";
    let expected = "https://a.example/?x=1&section=3&region=eu&copy=5";
    assert_eq!(field("canonical_url", page).as_deref(), Some(expected));
}

#[test]
fn escapes_of_scripts_are_undone() {
    let page =
        "<meta name=description content='The ferry is back.\\x0aThe band played \\u0026 left.'><p>Text</p>";
    assert_eq!(field("description", page).as_deref(), Some("The ferry is back. The band played & left."));
}

#[test]
fn examples_say_what_they_show() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/html/pages");
    for (name, expected) in [
        (
            "news-ferry.html",
            vec![
                "author=Orla Penwick",
                "language=en",
                "published=2023-04-18",
                "title=Night ferry returns to Harlow Sound after eleven years",
            ],
        ),
        ("wechat-orchard.html", vec!["title="]),
    ] {
        let page = std::fs::read_to_string(folder.join(name)).expect("an example of this repository");
        let found = fields(&page);
        for part in expected {
            assert!(found.iter().any(|field| field.starts_with(part)), "{name}: {part} in {found:?}");
        }
    }
}

#[test]
fn wechat_says_in_a_script_when_it_was_published() {
    for (script, expected) in [
        ("var ct = \"1546300800\";", Some("2019-01-01T08:00:00")),
        ("var oriCreateTime = '1500000000'; var createTime = '2019-01-01 08:00';", Some("2019-01-01T08:00")),
        ("var ct = \"15\";", None),
        ("var cta = \"1546300800\";", None),
    ] {
        let page = format!("<h1>渡口的早市</h1><script>{script}</script>");
        assert_eq!(field("published", &page).as_deref(), expected, "{script}");
    }
}

#[test]
fn what_is_known_stays_and_what_is_not_asked_for_is_not_read() {
    let page = "<html lang=en><title>Ferry back</title><meta name=author content='Orla Penwick'><p>Text</p>";
    let mut document = Document::new("a", page);
    document.metadata.insert("title", "Known");
    let options = HtmlMetadataOptions {
        fields: vec![Field::Title, Field::Author],
        evidence: true,
        ..HtmlMetadataOptions::default()
    };
    let document = read(options, &document);
    let names: Vec<&str> = document.metadata.iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["author", "metadata_evidence", "title"]);
    assert_eq!(document.metadata.get("title").and_then(Value::as_str), Some("Known"));
    let Some(Value::Json(evidence)) = document.metadata.get("metadata_evidence") else {
        panic!("no evidence")
    };
    let evidence: serde_json::Value = serde_json::from_str(evidence.as_str()).expect("JSON");
    let span = &evidence["author"]["span"];
    let (start, end) =
        (span[0].as_u64().expect("a byte") as usize, span[1].as_u64().expect("a byte") as usize);
    assert_eq!(
        (page.get(start..end), evidence["author"]["rule"].as_str()),
        (Some("Orla Penwick"), Some("author"))
    );
}

#[test]
fn options_that_do_nothing_are_mistakes() {
    let none = HtmlMetadataOptions { fields: Vec::new(), ..HtmlMetadataOptions::default() };
    assert!(HtmlMetadata::open(none).is_err());
    let beyond = HtmlMetadataOptions { min_confidence: 1.5, ..HtmlMetadataOptions::default() };
    assert!(HtmlMetadata::open(beyond).is_err());
}

/// The address helps where it is known; a field that is read must be written by a stage before, and readers of
/// files know no address.
#[test]
fn nothing_but_the_text_is_needed() {
    assert_eq!(HtmlMetadata::READS, ["text"]);
}

/// Pages with much of one thing cost what their length says: each of these would take minutes otherwise.
#[test]
fn hostile_pages_cost_what_their_length_says() {
    let n = 20_000;
    let data = |inside: String| format!("<script type='application/ld+json'>{inside}</script><h1>Ferry</h1>");
    let list = |item: &str| vec![item; n].join(",");
    for page in [
        "<div class=author>".repeat(n) + "text",
        "<div class=date>2019-05-06</div>".repeat(n),
        "<span itemprop=author>".repeat(n) + "Ann",
        "<time datetime=2019-05-06>".repeat(n),
        "<time datetime=2019-05-06>6 May</time> ".repeat(n),
        vec!["<time class=published datetime=2019-05-06>6</time>"; n].join(" "),
        "<a rel=author>".repeat(n) + "Ann",
        "<h1><div>".repeat(n) + "Ferry",
        "<h1>Ferry</h1>".repeat(n),
        "<title>Ferry".repeat(n),
        "<meta property=og:title content=Ferry>".repeat(n) + &"<p>Ferry</p>".repeat(n),
        "<meta property=article:tag content=Ferry>".repeat(n),
        "<meta name=keywords content='".to_owned() + &list("ferry") + "'>",
        "<title>".to_owned() + &" - Ferry".repeat(n) + "</title>",
        "<title>".to_owned() + &"_渡".repeat(n) + "</title>" + &"<p>渡口</p>".repeat(n),
        "<link rel=canonical href=https://a.example/>".repeat(n),
        "<script>var ct = \"</script>".repeat(n),
        data("[".repeat(n)),
        data(format!("[{}]", list("{\"@type\":\"Article\",\"headline\":\"Ferry\"}"))),
        data(format!("{{\"@type\":\"Article\",\"author\":[{}]}}", list("{\"name\":\"Ann\"}"))),
        data(format!("{{\"@type\":[{}]}}", list("\"Thing\""))),
        "<h1>Ferry</h1>".to_owned() + &"<p>发布时间：2019-05-06 作者：".repeat(n),
        "<h1>Ferry</h1><p>".to_owned() + &"2019-05-06 ".repeat(n),
        "<meta name=description content='".to_owned() + &"<".repeat(n) + "'>",
    ] {
        let n_bytes: usize = fields(&page).iter().map(String::len).sum();
        assert!(n_bytes <= 4 * page.len(), "{n_bytes} bytes of {}", page.len());
    }
}

proptest! {
    #[test]
    fn nothing_is_made_up(page in "(<h1>|<title>|<time datetime=|<meta name=author content=|\\PC{0,8}|2019-05-0[1-9]|>){0,12}") {
        let page = page.replace('&', "");
        // Markup may stand within a value, so its characters are looked for one after the other.
        let stands_in_page = |value: &str| {
            let mut rest = page.chars();
            value.chars().filter(|c| !c.is_whitespace()).all(|c| rest.any(|other| other == c))
        };
        for field in fields(&page) {
            let (name, value) = field.split_once('=').expect("name and value");
            if name != "published" && name != "modified" && name != "tags" {
                for part in value.split(", ") {
                    prop_assert!(stands_in_page(part), "{field} in {page}");
                }
            }
        }
    }
}

#[test]
fn who_wrote_a_text_is_shown_where_an_account_is_declared() {
    for (declared, byline, expected) in [
        ("gull77", "<p class=author>Orla Penwick</p>", "Orla Penwick"),
        ("Courier", "<p>By Orla Penwick and Tam Rudd</p>", "Orla Penwick, Tam Rudd"),
        ("orla.penwick", "<p class=author>Orla Penwick</p>", "Orla Penwick"),
        // Nobody is shown, or another account; and a whole name is no account.
        ("gull77", "", "gull77"),
        ("gull77", "<p class=author>all by gull77</p>", "gull77"),
        ("Orla Penwick", "<p class=author>Tam Rudd</p>", "Orla Penwick"),
        ("李渡舟", "<p class=author>Tam Rudd</p>", "李渡舟"),
    ] {
        let page = format!("<meta name=author content='{declared}'><h1>Ferry back</h1>{byline}{TEXT}");
        assert_eq!(field("author", &page).as_deref(), Some(expected), "{declared} {byline}");
    }
}

#[test]
fn structured_data_about_teasers_says_nothing_of_the_page() {
    let thing = |headline: &str, author: &str, day: u8| {
        format!(
            r#"<script type="application/ld+json">{{"@type": "NewsArticle", "headline": "{headline}",
            "author": {{"name": "{author}"}}, "datePublished": "2023-04-{day:02}"}}</script>"#
        )
    };
    let (own, other) = (thing("Ferry back", "Orla Penwick", 18), thing("A bridge", "Tam Rudd", 17));
    for things in [format!("{own}{other}"), format!("{other}{own}")] {
        let page = format!("<title>Ferry back | Courier</title>{things}<h1>Ferry back</h1>{TEXT}");
        assert_eq!(field("author", &page).as_deref(), Some("Orla Penwick"), "{page}");
        assert_eq!(field("published", &page).as_deref(), Some("2023-04-18"), "{page}");
    }
    // One with a headline of its own is the page's: it may be called otherwise in its title.
    let page = format!("<title>Ferry back | Courier</title>{other}<h1>Ferry back</h1>{TEXT}");
    assert_eq!(field("author", &page).as_deref(), Some("Tam Rudd"));
}

#[test]
fn a_date_that_the_head_does_not_explain_yields_to_the_one_that_is_shown() {
    let vague = "<meta name=date content=2018-08-20><meta name=dcterms.date content=2018-08-20>";
    for (head, shown, expected) in [
        (vague, "<span class=date>13.9.2018</span>", "2018-09-13"),
        (vague, "", "2018-08-20"),
        ("<meta name=datepublished content=2018-08-20>", "<span class=date>13.9.2018</span>", "2018-08-20"),
    ] {
        let page = format!("{head}<h1>Ferry back</h1>{shown}{TEXT}");
        assert_eq!(field("published", &page).as_deref(), Some(expected), "{page}");
    }
}
