//! Tests of the `mhtml` reader.

use tamis_plugin::Reader;

use super::{Mhtml, MhtmlOptions};
use crate::testing::{Collected, decode};

fn mhtml() -> Mhtml {
    Mhtml::open(MhtmlOptions::default()).expect("good options")
}

fn read(message: &str) -> Collected {
    decode(&mhtml(), message.replace('\n', "\r\n").as_bytes())
}

const SAVED: &str = "From: <Saved by Blink>
Snapshot-Content-Location: https://a.example/s
Subject: =?utf-8?Q?=E8=8C=B6?=
 =?utf-8?B?6aaG?= =?x?
MIME-Version: 1.0
Content-Type: multipart/related;
\ttype=\"text/html\";
\tboundary=\"--x--\"

----x--
Content-Type: image/gif
Content-Transfer-Encoding: base64

R0lG
----x--
Content-Type: text/html; charset=gbk
Content-Transfer-Encoding: quoted-printable
Content-Location: https://a.example/other

<p class=3D\"a\">=D5=C6=B9=\n=F1=D0</p>= 1=3
----x----
";

#[test]
fn the_page_is_taken_out_of_its_parts() {
    let read = read(SAVED);
    assert_eq!(read.texts(), ["<p class=\"a\">掌柜行</p>= 1=3".replace("行", "\u{FFFD}").as_str()]);
}

#[test]
fn a_message_says_where_it_comes_from() {
    let read = read(&SAVED.replace("=F1=D0", "=F1"));
    assert_eq!(read.texts(), ["<p class=\"a\">掌柜</p>= 1=3"]);
    assert_eq!(
        read.metadata(),
        r#"{"content_type":"text/html","encoding":"GBK","title":"茶馆 =?x?","url":"https://a.example/s"}"#
    );
}

#[test]
fn a_page_may_be_the_whole_message() {
    let message = "MIME-Version: 1.0\nContent-Type: text/html; charset=\"utf-8\"\nContent-Transfer-Encoding: base64\n\nPHA+5aSn\nPC9wPg\n";
    assert_eq!(read(message).texts(), ["<p>大</p>"]);
    let nested = format!(
        "MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=out\n\n--out\nContent-Type: multipart/alternative; boundary=in\n\n\
         --in\nContent-Type: text/plain\n\nplain\n--in\n{}\n--in--\n--out--\n",
        message.replace("MIME-Version: 1.0\n", "")
    );
    assert_eq!(read(&nested).texts(), ["<p>大</p>"]);
}

#[test]
fn what_is_no_page_fails_with_its_bytes() {
    let head = "MIME-Version: 1.0\nContent-Type: multipart/related";
    for (message, expected) in [
        (format!("{head}\n\n--x\n"), "the head of the message names no `boundary` between its parts"),
        (
            format!("{head}; boundary=x\n\ntext"),
            "the boundary `x`, which the head of the message names, is not in it",
        ),
        (
            format!("{head}; boundary=x\n\n--x\nContent-Type: image/gif\n\nGIF\n--x--"),
            "none of the 1 parts of the message is a page (`text/html`) or plain text",
        ),
        (
            "Content-Type: text/html\nContent-Transfer-Encoding: x-uuencode\n\na".to_owned(),
            "the transfer encoding `x-uuencode` is not known; quoted-printable and base64 are",
        ),
        (
            "title;text\n1;The ferry came back".to_owned(),
            "the file is no page saved as MHTML: it does not begin with the head of a message (`MIME-Version: …`, \
             `Content-Type: …`)",
        ),
    ] {
        assert_eq!(read(&message).messages(), [expected]);
    }
}

#[test]
fn is_recognised_by_its_head() {
    let sniff = |head: &str, name: &str| mhtml().sniff(head.as_bytes(), false, name);
    assert_eq!(sniff(SAVED, "a"), 92);
    assert_eq!(sniff("Note: this\n\nMIME-Version: 1.0\nContent-Type: text/html\n", "a.txt"), 0);
    assert_eq!(sniff("<html>", "a.mht"), 60);
}
