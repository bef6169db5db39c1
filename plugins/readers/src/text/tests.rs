//! Tests of the `text` reader.

use proptest::prelude::*;
use tamis_plugin::{Block, Reader};

use super::{Text, TextOptions};
use crate::testing::{Collected, Read, decode};

fn text() -> Text {
    Text::open(TextOptions::default()).expect("default options")
}

fn read(options: TextOptions, bytes: &[u8]) -> Collected {
    decode(&Text::open(options).expect("good options"), bytes)
}

#[test]
fn a_file_is_one_document_without_its_byte_order_mark() {
    let read = decode(&text(), "\u{feff}第一段\r\n\r\n第二段\n".as_bytes());
    assert_eq!(read.texts(), ["第一段\r\n\r\n第二段\n"]);
    assert_eq!(read.metadata(), "{}");
    let document = read.documents().next().expect("one document");
    assert_eq!((document.offset, document.length, document.ordinal), (0, 26, 0));
    assert_eq!(document.raw, None);
}

#[test]
fn the_front_matter_of_markdown_is_metadata() {
    let page = "---\ntitle: The mill\ndate: 2020-01-02\nweight: 3\n---\n\n# The mill\n";
    let read = |options, file| {
        let mut collected = Collected::default();
        let block = Block { file, head: &[], bytes: page.as_bytes(), offset: 0, first_ordinal: 0 };
        Text::open(options)
            .expect("good options")
            .decode(&block, &mut collected)
            .expect("a block is readable");
        (collected.texts().concat(), collected.metadata())
    };
    let (text, metadata) = read(TextOptions::default(), "a.md");
    assert_eq!(text, "# The mill\n");
    for part in [
        r#""front_matter":{"date":"2020-01-02","title":"The mill","weight":3}"#,
        r#""title":"The mill""#,
        r#""published_raw":"2020-01-02""#,
    ] {
        assert!(metadata.contains(part), "{part}: {metadata}");
    }
    assert_eq!(read(TextOptions::default(), "a.txt"), (page.to_owned(), "{}".to_owned()));
    let off = TextOptions { front_matter: false, ..TextOptions::default() };
    assert_eq!(read(off, "a.md").0, page);
}

#[test]
fn what_is_laid_out_by_hand_is_told_by_its_name() {
    let metadata = |file| {
        let mut collected = Collected::default();
        let block = Block { file, head: &[], bytes: b"# Title\n", offset: 0, first_ordinal: 0 };
        text().decode(&block, &mut collected).expect("a block is readable");
        collected.metadata()
    };
    assert_eq!(metadata("a/README.md"), r#"{"content_type":"text/markdown"}"#);
    assert_eq!(metadata("a.md/b.rst"), r#"{"content_type":"text/x-rst"}"#);
    assert_eq!(metadata("a.md/b.txt"), "{}");
}

#[test]
fn an_empty_file_is_an_empty_document() {
    assert_eq!(decode(&text(), b"").texts(), [""]);
}

#[test]
fn other_encodings_are_told_and_lost_bytes_counted() {
    let gbk: &[u8] =
        b"\xb1\xbe\xb1\xa8\xd1\xb6\xa3\xba\xca\xd0\xcd\xbc\xca\xe9\xb9\xdd\xbf\xaa\xb7\xc5\xa1\xa3";
    let cases: &[(&str, &[u8], &str, &str)] = &[
        ("auto", "字\n字\n".as_bytes(), "字\n字\n", "{}"),
        ("auto", gbk, "本报讯：市图书馆开放。", r#"{"encoding":"GBK"}"#),
        ("auto", b"\xff\xfea\0W[", "a字", r#"{"encoding":"UTF-16LE"}"#),
        ("auto", b"\xfe\xff\0a[W", "a字", r#"{"encoding":"UTF-16BE"}"#),
        ("latin1", "é".as_bytes(), "Ã©", r#"{"encoding":"windows-1252"}"#),
        ("GB2312", b"\xd7\xd6", "字", r#"{"encoding":"GBK"}"#),
        ("utf-8", b"aaaaaaaaaaaaa\xffb", "aaaaaaaaaaaaa\u{fffd}b", r#"{"undecodable_bytes":1}"#),
    ];
    for (encoding, bytes, text, metadata) in cases {
        let options = TextOptions { encoding: (*encoding).to_owned(), ..TextOptions::default() };
        let read = read(options, bytes);
        assert_eq!(read.texts(), [*text], "{encoding}");
        assert_eq!(read.metadata(), *metadata, "{encoding}");
        let raw = read.documents().next().and_then(|document| document.raw.clone());
        assert_eq!(raw.as_deref(), metadata.contains("undecodable").then_some(*bytes));
    }
}

#[test]
fn what_is_no_text_fails_and_keeps_its_bytes() {
    let cases: &[(&str, &[u8], &str)] = &[
        (
            "auto",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\xff\xd8\xc3",
            "the file is `image/png`, which `text` cannot read",
        ),
        ("auto", b"%PDF-1.4\n1 0 obj", "the file is `application/pdf`, which `text` cannot read"),
        ("auto", b"ab\0\xff\xd8\xc3", "byte 2 is zero"),
        (
            "auto",
            b"WARC/1.0\r\nWARC-Type: response\r\n",
            "the file is a WARC file, and no single document: read it with `use = \"warc\"`",
        ),
        (
            "auto",
            b"[{\"text\": \"a\"}]",
            "the file is JSON, and no single document (`any_format = true` takes it as one): read it with `use = \"json\"`",
        ),
        ("auto", b"{\"text\": \"a\"}\n{\"text\": \"b\"}\n", "the file is JSON Lines, and no single document"),
        ("auto", b"id,url,text\n1,a,b\n2,c,d\n", "the file is a table, and no single document"),
        ("auto", b"<rss><channel>a</channel></rss>", "the file is XML (`rss`), which no reader takes apart"),
        ("auto", b"{\\rtf1 words}", "the file is RTF, which no reader takes apart"),
        (
            "utf-8",
            b"a\xff",
            "1 of 2 bytes stand for nothing in UTF-8, more than `max_undecodable_ratio` = 0.1",
        ),
    ];
    for (encoding, bytes, message) in cases {
        let options = TextOptions { encoding: (*encoding).to_owned(), ..TextOptions::default() };
        let read = read(options, bytes);
        let [Read::Failed(failed)] = read.0.as_slice() else { panic!("{read:?}") };
        assert!(failed.message.starts_with(message), "{}", failed.message);
        assert_eq!(failed.raw, *bytes);
    }
    let lenient =
        TextOptions { encoding: "utf-8".to_owned(), max_undecodable_ratio: 1.0, ..TextOptions::default() };
    assert_eq!(read(lenient, b"\xff").texts(), ["\u{fffd}"]);
}

#[test]
fn unknown_encodings_are_refused_with_a_suggestion() {
    for (label, message) in [
        ("gb18031", "unknown encoding `gb18031`: did you mean `gb18030`?"),
        ("ShiftJS", "unknown encoding `ShiftJS`: did you mean `shift_jis`?"),
        ("klingon-piqad", "unknown encoding `klingon-piqad`: it takes `auto` or a label"),
        ("utf-7", "unknown encoding `utf-7`: "),
    ] {
        let error = Text::open(TextOptions { encoding: label.to_owned(), ..TextOptions::default() });
        let error = error.expect_err("no such encoding");
        assert_eq!(error.option(), Some("encoding"));
        assert!(error.to_string().starts_with(message), "{error}");
    }
}

#[test]
fn takes_any_text_and_no_binary_file() {
    assert_eq!(text().sniff("文".as_bytes(), true, "a.txt"), 10);
    assert_eq!(text().sniff(&"文".as_bytes()[..2], false, "a.txt"), 10);
    assert_eq!(text().sniff(&"文".as_bytes()[..2], true, "a.txt"), 1);
    assert_eq!(text().sniff(b"a\0b", true, "a.txt"), 0);
    assert_eq!(text().sniff(b"\xff\xfea\0", true, "a.txt"), 10);
    assert_eq!(text().sniff(b"\xce\xc4\xd7\xd6", true, "a.txt"), 1);
}

#[test]
fn data_is_no_prose_unless_somebody_says_so() {
    let any =
        || Text::open(TextOptions { any_format: true, ..TextOptions::default() }).expect("good options");
    for file in ["[{\"text\": \"a\"}]", "<rss><channel>a</channel></rss>", "id,url,text\n1,a,b\n2,c,d\n"] {
        assert_eq!(decode(&any(), file.as_bytes()).texts(), [file]);
    }
    let rss = b"<rss><channel>a</channel></rss>";
    assert_eq!((text().sniff(rss, true, "a.xml"), any().sniff(rss, true, "a.xml")), (0, 10));
    for prose in [
        "[1] The first of the notes.\n[2] The second.\n",
        "{a note in braces}\n",
        "<ann> hello\n<bob> hi\n",
        "List<String> is a list.\n",
        "One <b>word</b>.\n",
        "Berlin, Germany\nParis, France\nRome, Italy\n",
        "---\ntitle: a\n---\n# Words\n",
        "text:'\\xa0words'\n",
    ] {
        assert_eq!(decode(&text(), prose.as_bytes()).texts(), [prose]);
        assert_eq!(text().sniff(prose.as_bytes(), true, "a.txt"), 10, "{prose}");
    }
}

proptest! {
    #[test]
    fn any_bytes_give_one_record(bytes: Vec<u8>) {
        let text = text();
        prop_assert_eq!(decode(&text, &bytes).0.len(), 1);
        text.sniff(&bytes, true, "a");
    }
}

#[test]
fn an_encoding_may_be_named_for_what_says_nothing_of_its_own() {
    let reader = Text::open(TextOptions { fallback_encoding: "ibm855".to_owned(), ..TextOptions::default() });
    let reader = reader.expect("good options");
    assert_eq!(decode(&reader, b"\xA1\xA0").texts(), ["Аа"]);
    assert_eq!(decode(&reader, "é".as_bytes()).texts(), ["é"]);
    assert_eq!(decode(&reader, b"\xFF\xFEa\0").texts(), ["a"]);
}
