//! Tests of the `warc` reader.

use std::io::Write;

use proptest::prelude::*;
use tamis_plugin::Reader;

use super::{RecordType, Warc, WarcOptions};
use crate::testing::{Collected, decode, decode_in_blocks};

fn warc(options: WarcOptions) -> Warc {
    Warc::open(options).expect("good options")
}

fn read(bytes: &[u8]) -> Collected {
    decode(&warc(WarcOptions::default()), bytes)
}

/// A record with a right length.
fn record(fields: &str, content: impl AsRef<[u8]>) -> Vec<u8> {
    let content = content.as_ref();
    let head = format!("WARC/1.0\r\n{fields}Content-Length: {}\r\n\r\n", content.len());
    [head.as_bytes(), content, b"\r\n\r\n"].concat()
}

/// A response of HTTP; `fields` are those of its head.
fn response(fields: &str, body: impl AsRef<[u8]>) -> Vec<u8> {
    let message = [format!("HTTP/1.1 200 OK\r\n{fields}\r\n").as_bytes(), body.as_ref()].concat();
    record(RESPONSE, message)
}

const RESPONSE: &str = "WARC-Type: response\r\nWARC-Record-ID: <urn:uuid:1>\r\n\
    WARC-Target-URI: http://news.example.cn/a\r\nWARC-Date: 2024-05-06T07:08:09Z\r\n\
    Content-Type: application/http; msgtype=response\r\n";
const HTML: &str = "Content-Type: text/html\r\n";
const WET: &str = "WARC-Type: conversion\r\nContent-Type: text/plain\r\n";

#[test]
fn a_response_is_a_page_with_its_metadata() {
    let page = record("WARC-Type: warcinfo\r\n", "software: x").into_iter();
    let page: Vec<u8> =
        page.chain(response("Content-Type: text/html; charset=gb2312\r\n", b"<p>\xd7\xd6")).collect();
    let read = read(&page);
    assert_eq!(read.texts(), ["<p>字"]);
    assert_eq!(
        read.metadata(),
        r#"{"content_type":"text/html","encoding":"GBK","fetched":"2024-05-06T07:08:09Z","status":200,"url":"http://news.example.cn/a"}"#
    );
    let document = read.documents().next().expect("one document");
    assert_eq!(document.id.as_deref(), Some("urn:uuid:1"));
    assert_eq!((document.ordinal, document.raw.as_deref()), (1, None));
    let offset = usize::try_from(document.offset).expect("a small file");
    let length = usize::try_from(document.length).expect("a small file");
    assert!(page[offset..offset + length].starts_with(b"WARC/1.0\r\nWARC-Type: response"));
    assert!(page[offset..offset + length].ends_with(b"<p>\xd7\xd6"));
}

#[test]
fn codings_are_undone_unless_the_body_is_not_in_them() {
    let plain = "<p>第一段</p>".as_bytes();
    let gzip = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(plain).expect("memory");
        encoder.finish().expect("memory")
    };
    let zlib = {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(plain).expect("memory");
        encoder.finish().expect("memory")
    };
    let raw_deflate = zlib[2..zlib.len() - 4].to_vec();
    let chunks = |body: &[u8]| {
        let (first, second) = body.split_at(3);
        [b"3;x=y\r\n", first, format!("\r\n{:X}\r\n", second.len()).as_bytes(), second, b"\r\n0\r\n\r\n"]
            .concat()
    };
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("Transfer-Encoding: chunked\r\n", chunks(plain)),
        ("Transfer-Encoding: chunked\r\n", plain.to_vec()),
        ("transfer-encoding: gzip, Chunked\r\nContent-Encoding: gzip\r\n", chunks(&gzip)),
        ("Content-Encoding: gzip\r\n", gzip.clone()),
        ("Content-Encoding: x-gzip\r\n", [gzip.as_slice(), &[]].concat()),
        ("Content-Encoding: GZIP\r\n", plain.to_vec()),
        ("Content-Encoding: deflate\r\n", zlib.clone()),
        ("Content-Encoding: deflate\r\n", raw_deflate),
        ("Content-Encoding: deflate\r\n", plain.to_vec()),
        ("Content-Encoding: deflate, gzip\r\n", {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(&zlib).expect("memory");
            encoder.finish().expect("memory")
        }),
        ("Content-Encoding: br\r\n", plain.to_vec()),
        ("Content-Encoding: identity\r\n", plain.to_vec()),
    ];
    // No encoder is at hand; this is what the reference one makes of it.
    let brotli = response(&format!("{HTML}Content-Encoding: br\r\n"), b"\x0b\x02\x80hello\x03");
    assert_eq!(read(&brotli).texts(), ["hello"]);
    for (fields, body) in cases {
        let read = read(&response(&format!("{HTML}{fields}"), body));
        assert_eq!(read.texts(), ["<p>第一段</p>"], "{fields}: {:?}", read.messages());
    }
}

#[test]
fn payloads_that_cannot_be_read_fail_with_their_record() {
    let bomb = {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(&[b'a'; 4096]).expect("memory");
        encoder.finish().expect("memory")
    };
    let cut_off = &bomb[..bomb.len() - 9];
    let long = [b'a'; 1025];
    let cases: &[(&str, &[u8], &str)] = &[
        ("Content-Encoding: gzip\r\n", &bomb, "the payload takes more than `max_payload_bytes` = 1024 bytes"),
        ("", &long, "the payload takes more than `max_payload_bytes` = 1024 bytes"),
        ("Content-Encoding: gzip\r\n", b"\x1f\x8b\x08", "the payload cannot be decompressed (gzip): "),
        ("Content-Encoding: br\r\n", b"\xff\xff\xff", "the payload cannot be decompressed (br): "),
        ("Content-Encoding: zstd\r\n", b"(\xb5/\xfd", "the content coding `zstd` is not known"),
        ("", b"\x80\0\xff\xfe\x81", "byte 1 is zero"),
    ];
    let options = WarcOptions { max_payload_bytes: 1024, ..WarcOptions::default() };
    for (fields, body, message) in cases {
        let page = response(&format!("{HTML}{fields}"), body);
        let read = decode(&warc(options.clone()), &page);
        let failed = read.failures().next().expect("one failure");
        assert!(failed.message.starts_with(message), "{}", failed.message);
        assert_eq!(failed.raw, page[..page.len() - 4]);
    }
    let generous = WarcOptions { max_payload_bytes: 4096, ..options };
    let page = response(&format!("{HTML}Content-Encoding: gzip\r\n"), &bomb);
    assert_eq!(decode(&warc(generous.clone()), &page).documents().count(), 1);
    // What the crawler says to be truncated may break off.
    let message =
        [b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Encoding: gzip\r\n\r\n", cut_off].concat();
    let page = record(&format!("{RESPONSE}WARC-Truncated: length\r\n"), message);
    let read = decode(&warc(generous), &page);
    assert_eq!(read.texts().len(), 1, "{:?}", read.messages());
    assert!(read.metadata().contains(r#""truncated":"length""#));
}

#[test]
fn options_say_what_is_taken() {
    let message = |status: &str| record(RESPONSE, format!("HTTP/1.1 {status}\r\n{HTML}\r\n<p>a"));
    let all: Vec<u8> = [
        record("WARC-Type: request\r\n", "GET / HTTP/1.1\r\n\r\n"),
        message("404 Not Found"),
        response("Content-Type: image/png\r\n", "png"),
        response("Content-Type: TEXT/HTML;charset=utf-8\r\n", "html"),
        response("", "<html>sniffed"),
        record("WARC-Type: revisit\r\n", "HTTP/1.1 200 OK\r\n\r\n"),
        record(WET, "wet"),
        record("WARC-Type: resource\r\nContent-Type: text/html\r\n", "resource"),
        record("WARC-Type: metadata\r\nContent-Type: application/json\r\n", "{}"),
        record("WARC-Type: response\r\nContent-Type: text/dns\r\n", "dns"),
    ]
    .concat();
    let types = |types: &[&str]| types.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    let metadata = WarcOptions {
        record_types: vec![RecordType::Metadata],
        content_types: types(&["application/json"]),
        ..WarcOptions::default()
    };
    let any_status = WarcOptions { min_status: 0, max_status: 999, ..WarcOptions::default() };
    let text = WarcOptions { content_types: types(&["TEXT/*"]), ..WarcOptions::default() };
    let everything = WarcOptions { content_types: types(&["*/*"]), ..WarcOptions::default() };
    let cases: [(WarcOptions, &[&str]); 5] = [
        (WarcOptions::default(), &["html", "<html>sniffed", "wet", "resource"]),
        (metadata, &["{}"]),
        (any_status, &["<p>a", "html", "<html>sniffed", "wet", "resource"]),
        (text, &["html", "<html>sniffed", "wet", "resource", "dns"]),
        (everything, &["png", "html", "<html>sniffed", "wet", "resource", "dns"]),
    ];
    for (options, texts) in cases {
        let read = decode(&warc(options.clone()), &all);
        assert_eq!(read.texts(), texts, "{options:?}");
        assert_eq!(read.messages(), [""; 0]);
    }
}

#[test]
fn the_head_and_the_bytes_are_kept_on_demand() {
    let options = WarcOptions { keep_raw: true, http_headers: true, ..WarcOptions::default() };
    let page =
        response("Content-Type: text/html\r\nSet-Cookie: a\r\nset-cookie: b\r\n", b"<p>\xd7\xd6\xd7\xd6");
    let read = decode(&warc(options), &page);
    assert!(read.metadata().contains(r#""http_headers":{"content-type":"text/html","set-cookie":"a, b"}"#));
    let raw = read.documents().next().expect("one document").raw.clone();
    assert_eq!(raw.as_deref(), Some(&b"<p>\xd7\xd6\xd7\xd6"[..]));
}

#[test]
fn line_ends_and_heads_may_be_as_crawlers_write_them() {
    let cases: &[(&[u8], &[&str])] = &[
        (b"WARC/1.0\nWARC-Type: conversion\nContent-Type: text/plain\nContent-Length: 1\n\na\n\n", &["a"]),
        (b"WARC/0.17\r\nwarc-type:Conversion\r\ncontent-length : 1\r\n\r\na", &["a"]),
        (b"\r\n\r\nWARC/1.1\r\nWARC-Type: conversion\r\nContent-Length: 1\r\n\r\na\r\n\r\n\r\n\r\n", &["a"]),
        (b"WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: 2\r\n\r\na\n", &["a\n"]),
        // No line end behind the first.
        (
            b"WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: 1\r\n\r\naWARC/1.0\r\nWARC-Type: conversion\r\n\
              Content-Length: 1\r\n\r\nb",
            &["a", "b"],
        ),
        // The content holds what could be the first line of a record.
        (b"WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: 10\r\n\r\n\nWARC/1.0\n\r\n\r\n", &["\nWARC/1.0\n"]),
        (b"WARC/1.0\r\nWARC-Type: conversion\r\nX: a\r\n b: c\r\nContent-Length: 0\r\n\r\n\r\n\r\n", &[""]),
        (b"", &[]),
        (b"\r\n", &[]),
    ];
    for (bytes, texts) in cases {
        let read = read(bytes);
        assert_eq!(read.messages(), [""; 0]);
        assert_eq!(read.texts(), *texts);
    }
    let lenient = record(RESPONSE, "HTTP/2 200\nContent-Type: text/html\n\n<p>");
    assert_eq!(read(&lenient).texts(), ["<p>"]);
    let headless = record(RESPONSE, "HTTP/1.0 200 OK\r\nContent-Type: text/html");
    assert_eq!(read(&headless).texts(), [""]);
}

#[test]
fn broken_records_fail_alone() {
    let before = record(WET, "before");
    let after = record(WET, "after");
    let cases: &[(&str, &str)] = &[
        (
            "WARC/1.0\r\nContent-Length: 9223372036854775808\r\n\r\nabc\r\n\r\n",
            "`Content-Length` says 9223372036854775808",
        ),
        (
            "WARC/1.0\r\nContent-Length: 99999999999999999999999\r\n\r\nabc\r\n\r\n",
            "`Content-Length` says 18446744073709551615",
        ),
        (
            "WARC/1.0\r\nContent-Length: 20\r\n\r\nabc\r\n\r\n",
            "`Content-Length` says 20 bytes, but no record ends there: 7 bytes follow",
        ),
        (
            "WARC/1.0\r\nContent-Length: 1\r\n\r\nabc\r\n\r\n",
            "`Content-Length` says 1 bytes, but no record ends there: 7 bytes follow",
        ),
        ("WARC/1.0\r\nContent-Length: 1000\r\n\r\nabc\r\n\r\n", "`Content-Length` says 1000 bytes"),
        (
            "WARC/1.0\r\nContent-Length: -1\r\n\r\nabc\r\n\r\n",
            "the head of the record has no `Content-Length`",
        ),
        (
            "WARC/1.0\r\nWARC-Type: response\r\n\r\nabc\r\n\r\n",
            "the head of the record has no `Content-Length`",
        ),
        ("WARC/1.0\r\nContent-Length: 3\r\nabc\r\n", "the head of the record does not end"),
        ("garbage\r\n\r\n", "no record: a record begins with"),
        ("WARC/1.0\r\nContent-Length: 3\r\n\r\nabc\r\n\r\n", "the head of the record has no `WARC-Type`"),
    ];
    for (broken, message) in cases {
        let bytes = [before.as_slice(), broken.as_bytes(), &after].concat();
        let read = read(&bytes);
        assert_eq!(read.texts(), ["before", "after"], "{broken}");
        let failed = read.failures().next().expect("one failure");
        assert!(failed.message.starts_with(message), "{}\n{message}", failed.message);
        assert_eq!((failed.ordinal, failed.offset), (1, before.len() as u64));
        assert_eq!(failed.raw, broken.trim_end().as_bytes());
    }
    let endless =
        [before.as_slice(), b"WARC/1.0\r\n".as_slice(), &b"X: y\r\n".repeat(12_000), after.as_slice()]
            .concat();
    let found = read(&endless);
    assert_eq!(found.texts(), ["before", "after"]);
    assert_eq!(found.messages(), ["the head of the record does not end within 64 KiB"]);
    assert_eq!(decode_in_blocks(&warc(WarcOptions::default()), &endless, 10_000), found);
    let cut_short = &after[..after.len() - 6];
    let read = read(&[&before, cut_short].concat());
    assert_eq!(read.texts(), ["before"]);
    assert!(
        read.messages()[0].starts_with("`Content-Length` says 5 bytes, but no record ends there: 3 bytes")
    );
    let no_http = record(RESPONSE, "<html>");
    assert_eq!(
        decode(&warc(WarcOptions::default()), &no_http).messages(),
        ["the content is no HTTP response, which begins with `HTTP/`"]
    );
}

/// A search for the end of each head up to the longest one made this test the slowest by far.
#[test]
fn heads_without_an_end_are_searched_up_to_the_next_record() {
    const N_LINES: usize = 100_000;
    let bytes = "WARC/1.0\n".repeat(N_LINES).into_bytes();
    let read = decode_in_blocks(&warc(WarcOptions::default()), &bytes, bytes.len() / 3);
    assert_eq!((read.documents().count(), read.failures().count()), (0, N_LINES));
    let expected = "the head of the record does not end within 64 KiB";
    assert!(read.messages().iter().all(|message| *message == expected), "{:?}", read.messages().first());
}

#[test]
fn contradicting_options_are_refused() {
    let cases = [
        (WarcOptions { min_status: 300, ..WarcOptions::default() }, "min_status"),
        (WarcOptions { content_types: vec!["html".to_owned()], ..WarcOptions::default() }, "content_types"),
        (WarcOptions { encoding: "gbx".to_owned(), ..WarcOptions::default() }, "encoding"),
    ];
    for (options, option) in cases {
        assert_eq!(Warc::open(options).expect_err("a mistake").option(), Some(option));
    }
}

#[test]
fn knows_its_files() {
    let warc = warc(WarcOptions::default());
    assert_eq!(warc.sniff(b"WARC/1.0\r\n", false, "a"), 95);
    assert_eq!(warc.sniff(b"<html>", false, "a.warc"), 60);
    assert_eq!(warc.sniff(b"WARC/x", true, "a.txt"), 0);
}

/// Pieces of WARC files, right and wrong.
fn pieces() -> impl Strategy<Value = Vec<u8>> {
    let one = prop_oneof![
        4 => "[a\r\n]{0,20}".prop_map(|text| record(WET, text)),
        2 => ("[a\r\n]{0,9}", 0..40_u64).prop_map(|(text, length)| {
            format!("WARC/1.0\r\nWARC-Type: conversion\r\nContent-Length: {length}\r\n\r\n{text}").into_bytes()
        }),
        2 => prop::sample::select(vec![
            "\n", "\r\n", "\r\n\r\n", "garbage", "WARC/1.0\r\n", "WARC/1.", "\nWARC/", "Content-Length: 5\r\n",
            "Content-Length: 18446744073709551615\r\n\r\n", "WARC-Type: response\r\n", "HTTP/1.1 200 OK\r\n\r\n",
        ]).prop_map(|text| text.as_bytes().to_vec()),
        1 => any::<Vec<u8>>(),
    ];
    prop::collection::vec(one, 0..10).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    #[test]
    fn any_pieces_are_read_the_same_in_any_blocks(bytes in pieces(), step in 1..80_usize) {
        let warc = warc(WarcOptions::default());
        prop_assert_eq!(decode_in_blocks(&warc, &bytes, step), decode(&warc, &bytes));
    }

    #[test]
    fn any_response_is_read(
        head in "(HTTP/1.1|200|\r\n|\n| |:|Content-Type|Content-Encoding|gzip|br|deflate|chunked|Transfer-Encoding){0,16}",
        body: Vec<u8>,
    ) {
        let message = [format!("HTTP/1.1 200 OK\r\n{head}\r\n\r\n").as_bytes(), &body].concat();
        prop_assert_eq!(read(&record(RESPONSE, message)).0.len() <= 1, true);
    }
}

#[test]
fn a_length_may_count_line_ends_that_are_not_there() {
    let record = |body: &str, n: usize| {
        let content = format!("HTTP/1.1 200 OK\nContent-Type: text/html\n\n{body}");
        format!("WARC/0.18\nWARC-Type: response\nContent-Length: {}\n\n{content}\n\n", content.len() + n)
    };
    // As many as there are lines, and no more.
    let read = |n| read((record("<p>one\n<p>two", n) + &record("<p>three", 0)).as_bytes());
    assert_eq!(read(4).texts(), ["<p>one\n<p>two", "<p>three"]);
    assert_eq!(read(20).texts(), ["<p>three"]);
    assert_eq!(read(20).failures().count(), 1);
}

#[test]
fn what_stands_behind_compressed_content_is_padding() {
    let gzip = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(text.as_bytes()).expect("memory");
        encoder.finish().expect("memory")
    };
    for padding in [&b"\0\0\0\0"[..], b"\r\n", b"\x1F\x8B", b"\x1F\x8B\x08 and more, which is no gzip"] {
        let body = [gzip("<p>one").as_slice(), &gzip("<p>two"), padding].concat();
        let read = read(&response("Content-Type: text/html\r\nContent-Encoding: x-gzip\r\n", body));
        assert_eq!(read.texts(), ["<p>one<p>two"], "{padding:?}");
    }
    // What breaks off is no padding.
    let cut = gzip(&"a page ".repeat(50));
    let read =
        read(&response("Content-Type: text/html\r\nContent-Encoding: gzip\r\n", &cut[..cut.len() - 9]));
    assert_eq!(read.failures().count(), 1);
}
