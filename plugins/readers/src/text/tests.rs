//! Tests of the `text` reader.

use proptest::prelude::*;
use tamis_plugin::Reader;

use super::Text;
use crate::testing::{Read, decode};

#[test]
fn a_file_is_one_document_without_its_byte_order_mark() {
    let read = decode(&Text, "\u{feff}第一段\r\n\r\n第二段\n".as_bytes());
    assert_eq!(
        read.documents().map(|document| document.text.as_str()).collect::<Vec<_>>(),
        ["第一段\r\n\r\n第二段\n"]
    );
    let document = read.documents().next().expect("one document");
    assert_eq!((document.offset, document.length, document.ordinal), (0, 26, 0));
}

#[test]
fn an_empty_file_is_an_empty_document() {
    assert_eq!(decode(&Text, b"").documents().count(), 1);
}

#[test]
fn other_encodings_fail_where_they_differ() {
    let cases: &[(&[u8], &str)] = &[
        (b"ab\nc\xb4\xbab\n", "line 2: column 2: byte 0xB4 is not UTF-8"),
        ("字\n字\n".as_bytes(), ""),
        (b"\xe5\xad\x97\xe5\xad", "line 1: column 2: byte 0xE5 is not UTF-8"),
        (b"\xff\xfea\0", "the file begins with a UTF-16 byte order mark"),
    ];
    for (bytes, message) in cases {
        let read = decode(&Text, bytes);
        match read.0.as_slice() {
            [Read::Document(_)] => assert!(message.is_empty(), "{bytes:?} was read"),
            [Read::Failed(failed)] => {
                assert!(failed.message.starts_with(message), "{}", failed.message);
                assert_eq!(failed.raw, *bytes);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn takes_any_text_and_no_binary_file() {
    assert_eq!(Text.sniff("文".as_bytes(), true, "a.txt"), 10);
    assert_eq!(Text.sniff(&"文".as_bytes()[..2], false, "a.txt"), 10);
    assert_eq!(Text.sniff(&"文".as_bytes()[..2], true, "a.txt"), 1);
    assert_eq!(Text.sniff(b"a\0b", true, "a.txt"), 0);
    assert_eq!(Text.sniff(b"\xff\xfea\0", true, "a.txt"), 1);
    assert_eq!(Text.sniff(b"\xce\xc4\xd7\xd6", true, "a.txt"), 1);
}

proptest! {
    #[test]
    fn any_bytes_give_one_record(bytes: Vec<u8>) {
        let read = decode(&Text, &bytes);
        prop_assert_eq!(read.0.len(), 1);
        Text.sniff(&bytes, true, "a");
    }
}
