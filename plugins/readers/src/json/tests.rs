//! Tests of the `json` reader.

use proptest::prelude::*;
use serde_json::{Value, json};
use tamis_plugin::Reader;

use super::{Json, JsonOptions};
use crate::testing::{Collected, decode, decode_in_blocks};

fn open(options: &str) -> Json {
    Json::open(serde_json::from_str::<JsonOptions>(options).expect("valid options")).expect("options agree")
}

fn read(bytes: impl AsRef<[u8]>) -> Collected {
    decode(&open("{}"), bytes.as_ref())
}

#[test]
fn arrays_and_objects_of_many_lines_give_their_objects() {
    let pretty = "{\n  \"id\": 1,\n  \"text\": \"a } b\",\n  \"tags\": [{\"x\": \"]\"}]\n}\n";
    for (file, texts) in [
        (r#"[{"text":"a"},{"text":"b"}]"#.to_owned(), vec!["a", "b"]),
        ("\u{FEFF}[\n  {\"text\": \"a\"},\n  {\"text\": \"b\"},\n]\n".to_owned(), vec!["a", "b"]),
        (pretty.to_owned(), vec!["a } b"]),
        (pretty.repeat(3), vec!["a } b"; 3]),
        (r#"{"text":"a"}{"text":"b"} [[{"text":"c\\"}]]"#.to_owned(), vec!["a", "b", "c\\"]),
        ("[]".to_owned(), vec![]),
        (" \n".to_owned(), vec![]),
    ] {
        let read = read(&file);
        assert_eq!(read.texts(), texts, "{file}");
        assert_eq!(read.messages(), [""; 0], "{file}");
    }
}

#[test]
fn a_record_knows_its_place_and_its_fields() {
    let file = r#"[ {"id":"x","text":"甲","url":"u","n":1.50} , {"raw":"<p>"} ]"#;
    let read = read(file);
    let documents: Vec<_> = read.documents().collect();
    assert_eq!((documents[0].id.as_deref(), documents[0].offset, documents[0].ordinal), (Some("x"), 2, 0));
    assert_eq!(documents[0].length, r#"{"id":"x","text":"甲","url":"u","n":1.50}"#.len() as u64);
    assert_eq!((documents[1].raw.as_deref(), documents[1].ordinal), (Some(b"<p>".as_slice()), 1));
    assert_eq!(documents[0].metadata.len(), 2);
}

#[test]
fn what_is_broken_fails_and_its_neighbours_are_read() {
    for (file, texts, message) in [
        (
            "[\n  {\"text\": \"a\"},\n  {\"text\": \"b\n  },\n  {\"text\": \"c\"}\n]",
            vec!["a", "c"],
            "line 1 of the object: column 12 (byte 32 of the file): a string has a line end in it: write it as `\\n`",
        ),
        (
            "[{\"text\": \"a\"},\n{\"text\": \"b\",\n{\"text\": \"c\"}]",
            vec!["a", "c"],
            "line 1 of the object: column 1 (byte 16 of the file): \
             the object does not end: a `}` or a quotation mark is missing",
        ),
        (
            "[{\"text\": \"a\"}, 17, {\"text\": \"c\"}]",
            vec!["a", "c"],
            "line 1 of the object: column 1 (byte 16 of the file): expected an object, such as `{\"text\": …}`",
        ),
        (
            "[{\"text\": \"a\"}, \"x, {\", {\"text\": \"c\"}]",
            vec!["a", "c"],
            "line 1 of the object: column 1 (byte 16 of the file): expected an object, such as `{\"text\": …}`",
        ),
        (
            "[{\"text\": \"a\"}, {\"text\" \"b\"}, {\"text\": \"c\"}]",
            vec!["a", "c"],
            "line 1 of the object: column 9 (byte 24 of the file): not JSON: expected `:`",
        ),
    ] {
        let read = read(file);
        assert_eq!(read.texts(), texts, "{file}");
        assert_eq!(read.messages(), [message], "{file}");
    }
}

#[test]
fn numbers_that_are_none_are_repaired_if_asked() {
    let file = br#"[{"text":"a","n":NaN}]"#;
    assert_eq!(read(file).failures().count(), 1);
    let repaired = decode(&open(r#"{"invalid_values":"repair"}"#), file);
    assert_eq!((repaired.texts(), repaired.metadata()), (vec!["a"], r#"{"n":null}"#.to_owned()));
}

#[test]
fn objects_in_another_encoding_are_read_where_it_is_named() {
    // GBK, with a backslash as the second byte of `昞`, and an escape behind a letter.
    let gbk = b"[{\"id\":\"a\",\"text\":\"\xba\xd3\\\"\x95\x5c\"},\n {\"text\":\"\xb0\xb6\"}]\n";
    let utf8 = "{\"text\":\"河\\n岸\"}\n".as_bytes();
    for options in [r#"{"encoding":"gb18030"}"#, r#"{"fallback_encoding":"gbk"}"#] {
        let json = open(options);
        let chosen = decode(&json, gbk);
        assert_eq!((chosen.texts(), chosen.messages()), (vec!["河\"昞", "岸"], vec![]), "{options}");
        for step in 1..gbk.len() {
            assert_eq!(decode_in_blocks(&json, gbk, step).0, chosen.0, "{options} {step}");
        }
    }
    let both = [gbk, utf8].concat();
    let fallback = decode(&open(r#"{"fallback_encoding":"gbk"}"#), &both);
    assert_eq!(fallback.texts(), ["河\"昞", "岸", "河\n岸"]);
    let wrong = decode(&open(r#"{"encoding":"gbk"}"#), b" {\"text\":\"\xba\xd3\",}");
    let message = "line 1 of the object: column 13 (object at byte 1 of the file): not JSON: ";
    assert!(wrong.messages()[0].starts_with(message), "{:?}", wrong.messages());
    let unnamed = read(gbk);
    assert!(
        unnamed.messages()[0].contains("is not UTF-8; name the encoding of the file, as `"),
        "{unnamed:?}"
    );
    assert!(Json::open(serde_json::from_str(r#"{"encoding":"utf-16le"}"#).unwrap()).is_err());
}

#[test]
fn sniffs_what_it_reads() {
    let reader = open("{}");
    for (head, name, expected) in [
        ("[{\"a\": 1}", "x", 80),
        ("[\n\n  {", "x", 80),
        ("[]", "x.json", 80),
        ("{\n  \"a\": 1,\n", "x", 80),
        ("{\"a\": 1}\n{\"a\": 2}\n", "x", 0),
        ("{\"a\": 1, \"b\": \"", "x", 0),
        ("[{'a': 1}]", "x", 0),
        ("[1, 2]", "x.json", 60),
        ("[note] text", "x.txt", 0),
        ("{\n  'a': 1}", "x", 0),
    ] {
        assert_eq!(reader.sniff(head.as_bytes(), false, name), expected, "{head}");
    }
}

/// A JSON value of some depth.
fn value() -> impl Strategy<Value = Value> {
    let leaf =
        prop_oneof![any::<i32>().prop_map(Value::from), "[\\PC\\n\"{}\\[\\]\\\\]{0,8}".prop_map(Value::from)];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map("[a-z{\"]{1,3}", inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn every_object_is_found_however_it_is_laid_out_and_cut(
        values in prop::collection::vec(value(), 0..6), pretty: bool, step in 1_usize..40,
    ) {
        let objects: Vec<Value> =
            values.into_iter().enumerate().map(|(n, value)| json!({ "text": n.to_string(), "v": value })).collect();
        let array = Value::from(objects.clone());
        let file = if pretty { serde_json::to_string_pretty(&array) } else { serde_json::to_string(&array) };
        let file = file.unwrap();
        let expected: Vec<String> = (0..objects.len()).map(|n| n.to_string()).collect();
        let whole = read(&file);
        prop_assert_eq!(whole.texts(), expected.iter().map(String::as_str).collect::<Vec<_>>());
        let cut = decode_in_blocks(&open("{}"), file.as_bytes(), step);
        prop_assert_eq!(&cut.0, &whole.0);
    }

    #[test]
    fn any_bytes_cut_anywhere_give_the_same(text in "[\\[\\]{}\",: \\n\\\\a1]{0,60}", step in 1_usize..20) {
        let whole = read(&text);
        let cut = decode_in_blocks(&open("{}"), text.as_bytes(), step);
        prop_assert_eq!(&cut.0, &whole.0);
    }
}
