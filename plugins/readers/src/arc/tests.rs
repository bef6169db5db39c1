//! Tests of the `arc` reader.

use proptest::prelude::*;
use tamis_plugin::Reader;

use super::{Arc, ArcOptions};
use crate::testing::{Collected, decode, decode_in_blocks};

fn arc() -> Arc {
    Arc::open(ArcOptions::default()).expect("good options")
}

fn read(bytes: &[u8]) -> Collected {
    decode(&arc(), bytes)
}

const FILE: &str = "filedesc://IA-1.arc 0.0.0.0 20080430204825 text/plain 75\n1 0 InternetArchive\n\
    URL IP-address Archive-date Content-type Archive-length\n\n";

/// A record of version 1 with a right length.
fn record(url: &str, content_type: &str, content: impl AsRef<[u8]>) -> Vec<u8> {
    let content = content.as_ref();
    let line = format!("{url} 192.0.2.7 20080430204825 {content_type} {}\n", content.len());
    [line.as_bytes(), content, b"\n"].concat()
}

fn page(url: &str, body: &str) -> Vec<u8> {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n\r\n";
    record(url, "text/html", format!("{head}{body}"))
}

fn file() -> Vec<u8> {
    let name_server =
        record("dns:www.example.org", "text/dns", "20080430204825\nwww.example.org. 7200 IN A 192.0.2.7\n");
    let missing = record("http://a.example/no", "text/html", "HTTP/1.0 404 Not Found\r\n\r\n<p>no");
    [
        FILE.as_bytes(),
        &name_server,
        &page("http://a.example/1", "<p>第一段\n\n</p>"),
        &missing,
        &page("http://a.example/a b", "<p>two"),
    ]
    .concat()
}

#[test]
fn pages_are_read_with_what_the_file_says_of_them() {
    let read = read(&file());
    assert_eq!(read.texts(), ["<p>第一段\n\n</p>", "<p>two"]);
    assert_eq!(read.failures().count(), 0);
    let counts: Vec<_> = read.1.iter().map(|(name, n)| (name.as_str(), *n)).collect();
    assert_eq!(counts, [("passed_content_type", 1), ("passed_record_type", 1), ("passed_status", 1)]);
    let documents: Vec<_> = read.documents().collect();
    assert_eq!((documents[0].ordinal, documents[1].ordinal), (2, 4));
    assert_eq!(
        serde_json::to_string(&documents[1].metadata).expect("metadata can be written"),
        r#"{"content_type":"text/html","fetched":"2008-04-30T20:48:25Z","status":200,"url":"http://a.example/a b"}"#
    );
}

#[test]
fn version_two_has_more_words_in_front_of_the_length() {
    let line = "http://a.example/ 192.0.2.7 20080430204825 text/html 200 fac069150613fe55599cc7fa88aa089d - 209 IA-1.arc 6\n";
    let read = read(format!("{line}<p>one\n").as_bytes());
    assert_eq!(read.texts(), ["<p>one"]);
}

#[test]
fn a_wrong_length_costs_its_record() {
    let bytes = String::from_utf8(
        [page("http://a.example/1", "<p>one"), page("http://a.example/2", "<p>two")].concat(),
    )
    .expect("text");
    let longer = bytes.replacen(" 6", " 7", 1);
    let shorter = longer.replace("text/html 7", "text/html 1");
    for damaged in [longer.as_str(), shorter.as_str(), "no line\nof a record\n"] {
        let read = read([damaged.as_bytes(), &page("http://a.example/3", "<p>three")].concat().as_slice());
        let texts = read.texts();
        assert_eq!((read.failures().count(), texts.last()), (1, Some(&"<p>three")), "{damaged}");
    }
}

#[test]
fn is_recognised_by_its_first_line() {
    let sniff = |head: &str, name: &str| arc().sniff(head.as_bytes(), true, name);
    assert_eq!(sniff(FILE, "a"), 95);
    assert_eq!(sniff("http://a.example/ 192.0.2.7 20080430204825 text/html 6\n<p>one\n", "a"), 90);
    assert_eq!(sniff("http://a.example/ is an address\n", "a"), 0);
    assert_eq!(sniff("http://a.example/ is an address\n", "a.arc"), 60);
}

proptest! {
    #[test]
    fn blocks_change_nothing(step in 1_usize..200, damage in 0_usize..600, byte: u8) {
        let mut bytes = file();
        let at = damage % bytes.len();
        bytes[at] = byte;
        prop_assert_eq!(decode_in_blocks(&arc(), &bytes, step), read(&bytes));
    }
}
