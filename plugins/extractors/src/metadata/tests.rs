use proptest::prelude::*;
use tamis_conformance::cases::check_extractor;
use tamis_plugin::{Document, View};

use super::*;

/// A document after the stage with these options.
fn found_with(mut document: Document, options: MetadataOptions) -> Document {
    let stage = Metadata::open(options).unwrap();
    let mut draft = Draft::new(View::from(&document));
    stage.extract(&mut draft).unwrap();
    draft.finish().0.apply(&mut document);
    document
}

fn found(text: &str) -> Document {
    found_with(Document::new("a", text), MetadataOptions::default())
}

fn field(document: &Document, name: &str) -> Option<String> {
    document.metadata.get(name).and_then(|value| value.as_str()).map(str::to_owned)
}

fn squeezed(text: &str) -> String {
    text.chars().filter(|c| !page::is_space(*c)).collect()
}

/// Checks that every value stands in the text, where the evidence says.
fn check_evidence(document: &Document) -> Result<(), TestCaseError> {
    let Some(evidence) = document.metadata.get("metadata_evidence") else { return Ok(()) };
    let evidence: serde_json::Value =
        serde_json::from_str(&serde_json::to_string(evidence).unwrap()).unwrap();
    for (name, evidence) in evidence.as_object().unwrap() {
        let at = |index: usize| usize::try_from(evidence["span"][index].as_u64().unwrap()).unwrap();
        let span = document.text.get(at(0)..at(1));
        let value = field(document, if name == "published" { "published_raw" } else { name });
        prop_assert_eq!(span.map(squeezed), value.as_deref().map(squeezed), "{}", name);
        let confidence = evidence["confidence"].as_f64().unwrap();
        prop_assert!((0.0..=1.0).contains(&confidence));
    }
    Ok(())
}

#[test]
fn a_label_names_nobody_for_the_one_before_it() {
    for (byline, author) in [
        ("来源： 作者： 发布时间：2019-03-11 点击数：", None),
        ("作者：\n编辑：李渡舟 2019-03-11", None),
        ("作者：李渡舟 发布时间：2019-03-11", Some("李渡舟")),
        ("2019-03-11 作者：渡口闲人 来源：清河日报", Some("渡口闲人")),
    ] {
        assert_eq!(field(&found(&portal(byline)), "author").as_deref(), author, "{byline}");
    }
}

#[test]
fn a_short_title_is_found_where_the_page_begins_with_it() {
    let text = "渡口新桥今日通车，两岸居民步行过江，看热闹的人从清早排到中午。摆渡的老人说，他就要歇下来了。";
    let page = |first: &str| {
        format!(
            "{first}-清河县人民政府 网站首页 政务公开 当前位置：首页>>动态 新桥今日通车 发布日期：2019-03-11 {text} 打印 关闭"
        )
    };
    assert_eq!(field(&found(&page("新桥今日通车")), "title").as_deref(), Some("新桥今日通车"));
    assert_eq!(field(&found(&page("清河要闻")), "title"), None);
}

#[test]
fn cases() {
    check_extractor::<Metadata>("title.md", include_str!("cases/title.md"));
    check_extractor::<Metadata>("byline.md", include_str!("cases/byline.md"));
    check_extractor::<Metadata>("left_out.md", include_str!("cases/left_out.md"));
}

/// A page of a portal around a byline.
fn portal(byline: &str) -> String {
    let menu = "首页\n新闻\n财经\n登录\n";
    let text = "渡口新桥今日通车，两岸居民步行过江，看热闹的人从清早排到中午。\n摆渡的老人说，新桥通车以后，他就要歇下来了。\n";
    format!(
        "{menu}渡口新桥今日通车 两岸居民步行过江\n{byline}\n分享到\n{text}责任编辑：赵小舟\n版权所有 清河网 2020-01-01\n"
    )
}

#[test]
fn bylines_of_many_forms() {
    for (byline, published, author, source) in [
        (
            "2019-03-11 08:30:00　来源：清河日报　作者：李渡舟",
            "2019-03-11T08:30:00",
            Some("李渡舟"),
            Some("清河日报"),
        ),
        ("发布时间：2019年3月11日 08:30 来源：\n清河日报", "2019-03-11T08:30", None, Some("清河日报")),
        ("2019-03-11 08:30:00清河日报", "2019-03-11T08:30:00", None, None),
        ("2019.03.1108:30", "2019-03-11T08:30", None, None),
        (
            "2019年03月11日08:30 | 来源：清河日报\n□ 本报记者 李渡舟 王小桥",
            "2019-03-11T08:30",
            Some("李渡舟 王小桥"),
            Some("清河日报"),
        ),
        ("文/李渡舟\n2019-03-11 08:30", "2019-03-11T08:30", Some("李渡舟"), None),
        ("稿源：清河新闻网 2019-03-11 08:30", "2019-03-11T08:30", None, Some("清河新闻网")),
        ("2019-03-11 08:30　清河日报记者 李渡舟", "2019-03-11T08:30", Some("李渡舟"), None),
    ] {
        let document = found(&portal(byline));
        assert_eq!(
            field(&document, "title").as_deref(),
            Some("渡口新桥今日通车 两岸居民步行过江"),
            "{byline}"
        );
        assert_eq!(field(&document, "published").as_deref(), Some(published), "{byline}");
        assert_eq!(field(&document, "author").as_deref(), author, "{byline}");
        assert_eq!(field(&document, "source").as_deref(), source, "{byline}");
        check_evidence(&document).unwrap();
    }
}

#[test]
fn dates_of_many_languages() {
    for (shown, published) in [
        ("March 11, 2019, 8:30 AM", "2019-03-11T08:30"),
        ("11. März 2019, 08:30 Uhr", "2019-03-11T08:30"),
        ("Publié le 11 mars 2019", "2019-03-11"),
        ("11 de marzo de 2019", "2019-03-11"),
        ("Publicado em 21/03/2019 às 08h30", "2019-03-21T08:30"),
        ("11 марта 2019, 08:30", "2019-03-11T08:30"),
        ("11 marca 2019 08:30", "2019-03-11T08:30"),
        ("11 Mart 2019 08:30", "2019-03-11T08:30"),
        ("入力 2019. 3. 11. 08:30", "2019-03-11T08:30"),
        ("2019年3月11日 8時30分", "2019-03-11T08:30"),
        ("2019年3月11日週一 下午2:05", "2019-03-11T14:05"),
        ("21.03.2019 08:30", "2019-03-21T08:30"),
    ] {
        let text = format!(
            "The ferry returns to the harbour\n{shown}\nThe ferry returned to the harbour before dawn, and hundreds of people had come to see the ferry."
        );
        assert_eq!(field(&found(&text), "published").as_deref(), Some(published), "{shown}");
    }
}

#[test]
fn editors_photographers_and_sentences_are_no_bylines() {
    for line in [
        "责任编辑：李渡舟",
        "清河日报记者 李渡舟 摄",
        "记者从县交通局获悉，新桥今日通车。",
        "记者李渡舟走访了两岸的居民，听他们说起新桥。",
        "作者：未知",
        "作者在书里写到过这座桥。",
        "图片来源：清河日报",
        "资金来源：县财政",
    ] {
        let document = found(&portal(&format!("2019-03-11 08:30\n{line}")));
        assert_eq!(field(&document, "author"), None, "{line}");
        assert_eq!(field(&document, "source"), None, "{line}");
    }
}

#[test]
fn known_fields_are_kept_and_help() {
    let mut document = Document::new("a", portal("2019-03-11 08:30　作者：李渡舟"));
    document.metadata.insert("title", "渡口新桥今日通车 两岸居民步行过江");
    document.metadata.insert("author", "本站");
    let document = found_with(document, MetadataOptions::default());
    assert_eq!(field(&document, "author").as_deref(), Some("本站"));
    assert_eq!(field(&document, "published").as_deref(), Some("2019-03-11T08:30"));
}

#[test]
fn a_date_that_was_captured_before_is_read() {
    let mut document = Document::new("a", portal("2019-03-11 08:30"));
    document.metadata.insert("published_raw", "2018年9月13日");
    let document = found_with(document, MetadataOptions::default());
    assert_eq!(field(&document, "published").as_deref(), Some("2018-09-13"));
}

#[test]
fn fields_that_are_not_wanted_are_not_written() {
    let none = MetadataOptions {
        title: false,
        author: false,
        publisher: false,
        published: false,
        source: false,
        ..MetadataOptions::default()
    };
    let page = || Document::new("a", portal("2019-03-11 08:30　来源：清河日报　作者：李渡舟"));
    assert!(found_with(page(), none).metadata.is_empty());
    let bare = MetadataOptions { evidence: false, ..MetadataOptions::default() };
    assert!(found_with(page(), bare).metadata.get("metadata_evidence").is_none());
    let strict = MetadataOptions { min_confidence: 1.0, ..MetadataOptions::default() };
    assert!(found_with(page(), strict).metadata.is_empty());
}

#[test]
fn hostile_pages_take_linear_time() {
    // Each of these once cost, or could cost, the square of its length.
    for piece in [
        "2019-03-11 08:30 ",
        "记者 李渡舟 ",
        "渡口新桥\n",
        "作者：",
        "\n",
        "a - b - ",
        "2019",
        "（李渡舟）\n",
        "\u{a0}",
    ] {
        let text = piece.repeat((1 << 21) / piece.len());
        let start = std::time::Instant::now();
        check_evidence(&found(&text)).unwrap();
        // Unoptimised, on a busy machine; quadratic time would be minutes.
        assert!(start.elapsed().as_secs() < 20, "{piece:?} took {:?}", start.elapsed());
    }
}

/// Pages put together from pieces of real ones, and from anything.
fn pages() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(vec![
            "首页", "渡口新桥今日通车", "渡口新桥今日通车_清河网", "发布时间：", "2019-03-11 08:30", "来源：清河日报", "作者：",
            "李渡舟", "记者 李渡舟", "文/李渡舟", "By Ann Miller", "March 11, 2019", "The ferry returns - Harbour Gazette",
            "The ferry returns", "（李渡舟）", "当前位置：首页 > 新闻", "\"headline\":\"Ferry\"", "版权所有 2020-01-01", "20", "19",
            "由渡舟张贴", "2019.03.1108:30", "03/04/2018",
        ]).prop_map(str::to_owned),
        1 => any::<String>(),
    ];
    let between = prop::sample::select(vec!["\n", " ", "", "\u{3000}", "\u{a0}\u{a0}", "\n\n"]);
    prop::collection::vec((piece, between), 0..30)
        .prop_map(|pieces| pieces.into_iter().map(|(piece, between)| piece + between).collect())
}

/// The address helps where it is known; a field that is read must be written by a stage before, and readers of
/// files know no address.
#[test]
fn nothing_but_the_text_is_needed() {
    assert_eq!(Metadata::READS, ["text"]);
}

proptest! {
    #[test]
    fn nothing_is_made_up(text in pages()) {
        check_evidence(&found(&text))?;
    }

    #[test]
    fn what_was_found_stays(text in pages()) {
        let once = found(&text);
        let twice = found_with(once.clone(), MetadataOptions::default());
        for name in ["title", "author", "publisher", "published", "published_raw", "source"] {
            if let Some(value) = field(&once, name) {
                prop_assert_eq!(field(&twice, name), Some(value));
            }
        }
    }

    #[test]
    fn published_is_a_date(text in pages()) {
        if let Some(published) = field(&found(&text), "published") {
            prop_assert!(published.get(..10).is_some_and(|date| date.parse::<jiff::civil::Date>().is_ok()));
        }
    }
}
