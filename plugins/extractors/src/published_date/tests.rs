use proptest::prelude::*;
use tamis_conformance::cases::check_extractor;
use tamis_plugin::{Document, View};

use super::*;

/// What `published-date` makes of `published_raw`, and what it counted.
fn dated(shown: &str, crawled: Option<&str>) -> (Option<String>, String) {
    let mut document = Document::new("a", "text");
    document.metadata.insert("published_raw", shown);
    if let Some(crawled) = crawled {
        document.metadata.insert("fetched", crawled);
    }
    let options = PublishedDateOptions {
        crawl_date_field: Some("fetched".to_owned()),
        ..PublishedDateOptions::default()
    };
    let stage = PublishedDate::open(options).unwrap();
    let mut draft = Draft::new(View::from(&document));
    stage.extract(&mut draft).unwrap();
    let (edits, notes) = draft.finish();
    edits.apply(&mut document);
    let published = document.metadata.get("published").and_then(|value| value.as_str()).map(str::to_owned);
    (published, notes.counts()[0].0.to_string())
}

#[test]
fn cases() {
    check_extractor::<PublishedDate>("dates.md", include_str!("cases/dates.md"));
}

#[test]
fn certain_dates_in_every_form() {
    for (shown, expected) in [
        ("2018-09-13", "2018-09-13"),
        ("2018-9-3", "2018-09-03"),
        ("2018/9/13", "2018-09-13"),
        ("2018.09.13", "2018-09-13"),
        ("20180913", "2018-09-13"),
        ("２０１８－０９－１３", "2018-09-13"),
        ("2011年06月24日 星期五", "2011-06-24"),
        ("2011年06月24日星期五", "2011-06-24"),
        ("2018年9月13日 10:20", "2018-09-13T10:20"),
        ("2018年9月13日10时20分", "2018-09-13T10:20"),
        ("2018-09-13 10:20:30", "2018-09-13T10:20:30"),
        ("2018-09-13T10:20:30Z", "2018-09-13T10:20:30Z"),
        ("2018-09-13T10:20:30.123+08:00", "2018-09-13T10:20:30+08:00"),
        ("2018-09-13T10:20:30+0800", "2018-09-13T10:20:30+08:00"),
        ("Thu, 13 Sep 2018 10:20:30 +0800", "2018-09-13T10:20:30+08:00"),
        ("Thu, 13 Sep 2018 10:20:30 GMT", "2018-09-13T10:20:30Z"),
        ("September 13, 2018", "2018-09-13"),
        ("Sept. 13th, 2018 at 9:05 PM", "2018-09-13T21:05"),
        ("13 Sep 2018", "2018-09-13"),
        ("13-Sep-2018", "2018-09-13"),
        ("Thursday, 13 September 2018", "2018-09-13"),
        ("二〇一八年九月十三日", "2018-09-13"),
        ("二○二一年十二月三十一日", "2021-12-31"),
        ("发布时间：2022-02-13 04:22:18", "2022-02-13T04:22:18"),
        ("发表2018年9月13日发布", "2018-09-13"),
        ("25/12/2018", "2018-12-25"),
        ("2020-02-29", "2020-02-29"),
    ] {
        assert_eq!(dated(shown, None), (Some(expected.to_owned()), "dated".to_owned()), "{shown}");
    }
}

#[test]
fn what_is_not_certain_is_not_written() {
    for (shown, count) in [
        ("昨天", "relative"),
        ("3天前", "relative"),
        ("1周前", "relative"),
        ("5分钟前", "relative"),
        ("yesterday", "relative"),
        ("two days ago", "relative"),
        ("20xx年", "not_certain"),
        ("20xx年9月13日", "not_certain"),
        ("18-09-13", "not_certain"),
        ("13.9.18", "not_certain"),
        ("9月13日", "not_certain"),
        ("September 2018", "not_certain"),
        ("03/04/2018", "not_certain"),
        ("2018-09-13 2018-09-14", "not_certain"),
        ("2018-09-13 第 3 版", "not_certain"),
        ("0018-09-13", "not_certain"),
        ("12018-09-13", "not_certain"),
        ("2018-02-30", "impossible"),
        ("2019年2月29日", "impossible"),
        ("2018-09-13 25:00", "impossible"),
        ("2011年06月24日 星期四", "wrong_weekday"),
        ("Friday, 13 September 2018", "wrong_weekday"),
        ("星期三", "not_certain"),
        ("someday", "not_certain"),
    ] {
        assert_eq!(dated(shown, None), (None, count.to_owned()), "{shown}");
    }
}

#[test]
fn relative_dates_need_the_date_of_the_crawl() {
    let resolved = |shown, crawled| dated(shown, Some(crawled)).0;
    assert_eq!(resolved("昨天", "2019-03-01").as_deref(), Some("2019-02-28"));
    assert_eq!(resolved("3天前", "2019-03-01T08:00:00Z").as_deref(), Some("2019-02-26"));
    assert_eq!(resolved("昨天 10:20", "2019-03-01").as_deref(), Some("2019-02-28"));
    assert_eq!(resolved("yesterday", "2020-01-01").as_deref(), Some("2019-12-31"));
    assert_eq!(resolved("1周前", "2019-03-01"), None);
    assert_eq!(resolved("昨天", "last week"), None);
    assert_eq!(resolved("昨天有雨，明天晴", "2019-03-01"), None);
}

fn labelled_in(text: &str) -> Document {
    let mut document = Document::new("a", text);
    let stage = PublishedDate::open(PublishedDateOptions::default()).unwrap();
    let mut draft = Draft::new(View::from(&document));
    stage.extract(&mut draft).unwrap();
    let (edits, _) = draft.finish();
    edits.apply(&mut document);
    document
}

#[test]
fn labelled_dates_in_the_text_are_found_unless_they_differ() {
    let document = labelled_in("春茶开采\n发布时间：2022-02-13 04:22:18\u{a0}\u{a0}\u{a0}来源：\n茶农……");
    assert_eq!(document.metadata.get("published").unwrap().as_str(), Some("2022-02-13T04:22:18"));
    assert_eq!(document.metadata.get("published_raw").unwrap().as_str(), Some("2022-02-13 04:22:18"));
    for line in [
        "发稿时间：2022-02-13 | 来源：渡口",
        "Veröffentlicht am 13. Februar 2022",
        "发布 2022年2月13日 来源：渡口",
    ] {
        let document = labelled_in(line);
        assert_eq!(
            document.metadata.get("published").and_then(|value| value.as_str()),
            Some("2022-02-13"),
            "{line}"
        );
    }
    for line in
        ["发布会于2022年2月13日举行", "Standards of 13 February 2022", "Last updated: 13 February 2022"]
    {
        assert!(labelled_in(line).metadata.is_empty(), "{line}");
    }
    assert!(labelled_in("发布时间：2022-02-13\n…\n发布时间：2022-02-14").metadata.is_empty());
    assert!(labelled_in("the post was published on a wet Monday").metadata.is_empty());
}

#[test]
fn a_known_date_is_left_alone() {
    let mut document = Document::new("a", "发布时间：2022-02-13");
    document.metadata.insert("published", "1999");
    let stage = PublishedDate::open(PublishedDateOptions::default()).unwrap();
    let mut draft = Draft::new(View::from(&document));
    stage.extract(&mut draft).unwrap();
    assert!(draft.finish().0.metadata.is_empty());
}

proptest! {
    #[test]
    fn any_string_is_read_and_what_is_written_is_a_date(shown in "[ -~年月日时分昨天前星期周一二〇十０-９Ａ-ｚ]{0,30}") {
        if let Reading::Certain(moment) = read(&shown) {
            prop_assert!(moment.to_string().get(..10).is_some_and(|date| date.parse::<jiff::civil::Date>().is_ok()));
        }
    }

    #[test]
    fn any_text_is_accepted(text in any::<String>()) {
        labelled_in(&text);
        dated(&text, Some(&text));
    }
}
