//! Tests of the `html` reader.

use proptest::prelude::*;
use tamis_plugin::Reader;

use super::{Html, HtmlOptions};
use crate::pages::sniff_markup;
use crate::testing::decode;

fn html(options: HtmlOptions) -> Html {
    Html::open(options).expect("good options")
}

#[test]
fn the_text_is_the_source_in_utf8() {
    let page = b"<meta charset=gb2312><title>\xd7\xd6</title>";
    let read = decode(&html(HtmlOptions::default()), page);
    assert_eq!(read.texts(), ["<meta charset=gb2312><title>字</title>"]);
    assert_eq!(read.metadata(), r#"{"encoding":"GBK"}"#);
    assert_eq!(read.documents().next().and_then(|document| document.raw.clone()), None);
}

#[test]
fn a_page_that_lies_is_read_as_what_it_is() {
    let page = "<meta charset=gb2312><title>市图书馆新馆开放</title>";
    let read = decode(&html(HtmlOptions::default()), page.as_bytes());
    assert_eq!((read.texts(), read.metadata().as_str()), (vec![page], "{}"));
}

#[test]
fn the_bytes_are_kept_on_demand_and_when_some_stand_for_nothing() {
    let keep = HtmlOptions { keep_raw: true, ..HtmlOptions::default() };
    let cases: [(HtmlOptions, &[u8], bool); 3] = [
        (keep, b"<p>a", true),
        (HtmlOptions::default(), b"<p>a", false),
        (HtmlOptions::default(), b"<meta charset=utf-8><p>\xe5\xad\x97\xe5\xad\x97\xff", true),
    ];
    for (options, page, kept) in cases {
        let read = decode(&html(options), page);
        let raw = read.documents().next().expect("one document").raw.clone();
        assert_eq!(raw.as_deref(), kept.then_some(page));
    }
}

#[test]
fn an_empty_file_is_an_empty_document() {
    assert_eq!(decode(&html(HtmlOptions::default()), b"").texts(), [""]);
}

#[test]
fn pages_are_known_by_what_stands_in_them() {
    let cases: &[(&[u8], &str, u8)] = &[
        (b"<!DOCTYPE html><title>a", "a", 90),
        (b"<!doctype HTML PUBLIC \"-//W3C//DTD\">", "a.txt", 90),
        (b"\xEF\xBB\xBF\r\n <!-- saved --> <HTML lang=zh>", "a", 90),
        (b"<?xml version='1.0'?><!DOCTYPE html>", "a", 90),
        (b"<body>", "a", 90),
        (b"\xFF\xFE<\0h\0t\0m\0l\0>\0", "a", 90),
        (b"<\0h\0t\0m\0l\0>\0", "a", 90),
        (b"<div class=x>", "a", 70),
        (b"text <p>", "a.HTM", 50),
        (b"", "a.html", 50),
        (b"<?xml version='1.0'?><rss>", "a", 0),
        (b"<!doctype svg>", "a", 0),
        (b"<htmlx>", "a", 0),
        (b"<!-- open", "a", 0),
        (b"a < b", "a", 0),
        (b"<b>One</b> word", "a.txt", 0),
        (b"<center><b>One</b> word</center>", "a.txt", 70),
        (b"<h1 align=center>Tool</h1>\n<p><img src=x></p>\n", "README.md", 0),
        (b"<h1 align=center>Tool</h1>\n\n## Install\n\n```sh\nx\n```\n", "README", 0),
        (b"<!doctype html><h1>Tool</h1>", "README.md", 90),
        (b"<ann> hello\n<b> hi\n", "a.log", 0),
        (b"<doc id=\"1\"><p>words</p></doc>", "a", 0),
    ];
    for (head, name, sure) in cases {
        assert_eq!(html(HtmlOptions::default()).sniff(head, true, name), *sure, "{head:?}");
    }
}

proptest! {
    #[test]
    fn any_bytes_give_one_record(bytes: Vec<u8>, page in "(<|!--|-->|\\?|html|>|\0| |<!doctype ){0,12}") {
        prop_assert_eq!(decode(&html(HtmlOptions::default()), &bytes).0.len(), 1);
        sniff_markup(&bytes);
        sniff_markup(page.as_bytes());
    }
}

#[test]
fn a_file_that_is_many_documents_is_refused() {
    for (file, reader) in [
        ("WARC/1.1\r\nWARC-Type: response\r\n", "warc"),
        ("{\"html\": \"<p>\"}\n{\"a\"", "jsonl"),
        ("[{\"html\": \"<p>\"}]", "json"),
        ("{\n  \"html\": \"<p>\"\n}\n", "json"),
        ("[\"<p>\", 1]", "json"),
        ("id,url,html\n1,a,<p>\n2,b,<p>\n", "csv"),
        ("id\turl\thtml\n1\ta\t<p>\n2\tb\t<p>\n", "tsv"),
    ] {
        let read = decode(&Html::open(HtmlOptions::default()).unwrap(), file.as_bytes());
        let [message] = read.messages()[..] else { panic!("{read:?}") };
        assert!(message.ends_with(&format!("read it with `use = \"{reader}\"`")), "{message}");
    }
    let page = "{\"a\": <b>a template</b>}";
    assert_eq!(decode(&Html::open(HtmlOptions::default()).unwrap(), page.as_bytes()).texts(), [page]);
}

#[test]
fn what_no_reader_takes_apart_is_named_and_taken_on_demand() {
    let any = HtmlOptions { any_format: true, ..HtmlOptions::default() };
    for (file, what) in [
        ("<?xml version='1.0'?><rss><channel><title>a</title></channel></rss>", "XML (`rss`)"),
        ("{\\rtf1 words}", "RTF"),
    ] {
        let read = decode(&html(HtmlOptions::default()), file.as_bytes());
        let [message] = read.messages()[..] else { panic!("{read:?}") };
        assert!(
            message.starts_with(&format!("the file is {what}, which no reader takes apart: ")),
            "{message}"
        );
        assert_eq!(decode(&html(any.clone()), file.as_bytes()).texts(), [file]);
    }
    let many = "[{\"html\": \"<p>\"}]";
    assert_eq!(decode(&html(any.clone()), many.as_bytes()).texts(), [many]);
    assert_eq!(decode(&html(any), b"WARC/1.1\r\nWARC-Type: response\r\n").failures().count(), 1);
}
