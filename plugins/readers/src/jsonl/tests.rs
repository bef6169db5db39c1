//! Tests of the `jsonl` reader.

use proptest::prelude::*;
use serde_json::json;
use tamis_plugin::{Block, Emit, Failure, NewDocument, Reader, SetupError};
use tamis_text::json::{MIN_ATTACHED, STRING_LAYOUT};

use super::{Jsonl, JsonlOptions, object, scan};
use crate::row::{Field, Row};
use crate::testing::{Collected, decode, decode_in_blocks, utf16_escapes};

fn open(options: &str) -> Result<Jsonl, SetupError> {
    Jsonl::open(serde_json::from_str::<JsonlOptions>(options).expect("valid options"))
}

fn read(options: &str, bytes: impl AsRef<[u8]>) -> Collected {
    decode(&open(options).expect("options agree"), bytes.as_ref())
}

#[test]
fn reads_id_text_raw_and_metadata_with_their_types() {
    let line = r#"{"id":"a","text":"第一段\n\"引\"\u6587\ud83d\ude00","raw":"<p>","n":-3,"x":1.5,"big":18446744073709551616,"no":null,"yes":true,"list":[1, {"a":null}],"metadata":{"url":"u\/v"}}"#;
    let read = read("{}", line);
    let document = read.documents().next().expect("one document");
    assert_eq!(document.id.as_deref(), Some("a"));
    assert_eq!(document.text, "第一段\n\"引\"文😀");
    assert_eq!(document.raw.as_deref(), Some(b"<p>".as_slice()));
    assert_eq!(
        read.metadata(),
        r#"{"big":18446744073709551616,"list":[1, {"a":null}],"n":-3,"no":null,"url":"u/v","x":1.5,"yes":true}"#
    );
}

#[test]
fn options_name_the_fields() {
    let line =
        r#"{"docid":17,"body":"b","html":"<p>","url":"u","site":"s","metadata":{"url":"inner","x":1}}"#;
    let cases = [
        (r#"{"fields":{"id":"docid","text":"body","raw":"html"}}"#, r#"{"site":"s","url":"inner","x":1}"#),
        (r#"{"fields":{"id":"docid","text":"body","raw":"html"},"metadata":["url"]}"#, r#"{"url":"inner"}"#),
        (r#"{"fields":{"id":"docid","text":"body","raw":"html"},"metadata":[]}"#, "{}"),
        (
            r#"{"fields":{"id":"docid","text":"body","raw":"html"},"metadata":["url"],"spread":""}"#,
            r#"{"url":"u"}"#,
        ),
        (
            r#"{"fields":{"id":"docid","text":"","raw":"html"},"spread":"","metadata":["body"]}"#,
            r#"{"body":"b"}"#,
        ),
    ];
    for (options, metadata) in cases {
        let read = read(options, line);
        assert_eq!(read.metadata(), metadata, "{options}");
        let document = read.documents().next().expect("one document");
        assert_eq!((document.id.as_deref(), document.raw.as_deref()), (Some("17"), Some(b"<p>".as_slice())));
    }
}

#[test]
fn a_name_that_is_given_wins_over_a_default() {
    let read = read(r#"{"fields":{"text":"raw"},"form":"markup"}"#, r#"{"raw":"<p>a","text":"b"}"#);
    let document = read.documents().next().expect("one document");
    assert_eq!((document.text.as_str(), document.raw.as_deref()), ("<p>a", None));
    assert_eq!(read.metadata(), r#"{"text":"b"}"#);
    let given = open(r#"{"fields":{"text":"a","raw":"a"}}"#).expect_err("both are given");
    assert_eq!(given.to_string(), "`text` and `raw` both name the field `a`");
    let forms = open(r#"{"form":"markup"}"#).expect("a form").forms();
    assert_eq!(forms.given(), [tamis_plugin::Form::Markup]);
}

#[test]
fn names_with_dots_reach_into_objects() {
    let line = r#"{"n":{"id":3},"content":{"body":"in\n","more":{"x":[1]}},"host":{"name":"h"},"content.title":"t"}"#;
    let base = r#""fields":{"id":"n.id","text":"content.body"}"#;
    let cases = [
        (
            format!(r"{{{base}}}"),
            // What is the id or the text is not there a second time.
            r#"{"content":{"more":{"x":[1]}},"content.title":"t","host":{"name":"h"}}"#,
        ),
        (format!(r#"{{{base},"metadata":["content","n"]}}"#), r#"{"content":{"more":{"x":[1]}}}"#),
        (format!(r#"{{{base},"metadata":["content.more.x"]}}"#), r#"{"content.more.x":[1]}"#),
        (format!(r#"{{{base},"metadata":["content.title","host.none"]}}"#), r#"{"content.title":"t"}"#),
        (
            format!(r#"{{{base},"metadata":[],"rename":{{"host.name":"site","content.title":"title"}}}}"#),
            r#"{"site":"h","title":"t"}"#,
        ),
    ];
    for (options, metadata) in cases {
        let read = read(&options, line);
        assert_eq!(read.texts(), ["in\n"], "{options} {:?}", read.messages());
        assert_eq!(read.documents().next().and_then(|document| document.id.clone()).as_deref(), Some("3"));
        assert_eq!(read.metadata(), metadata, "{options}");
    }
    let options = r#"{"fields":{"text":"a.b"},"metadata":[]}"#;
    for (line, outcome) in [
        (r#"{"a":{"b":"in"},"a.b":"literal"}"#, "literal"),
        (r#"{"a":{"b":"in"}}"#, "in"),
        (r#"{"a":{"b":1}}"#, "line 1: column 6: field `a.b` is a number, not a string"),
        (r#"{"a":"b"}"#, "line 1: column 1: no field `a.b`"),
        (r#"{"a":{"c":1}}"#, "line 1: column 1: no field `a.b`; in `a` there is `c`: name the one that"),
        (r#"{"a":{"c":1,"d":2}}"#, "line 1: column 1: no field `a.b`; in `a` there are `c`, `d`: name"),
        (r#"{"a":{}}"#, "line 1: column 1: no field `a.b`; the only field is `a`: name"),
    ] {
        let read = read(options, line);
        let found = read.texts().into_iter().chain(read.messages()).next().expect("one record");
        assert!(found.starts_with(outcome), "{found}");
    }
}

#[test]
fn fields_get_new_names() {
    let line = r#"{"text":"","link":"u","metadata":{"host":"h"},"x":1}"#;
    for (options, metadata) in [
        (r#"{"rename":{"link":"url","host":"site"}}"#, r#"{"site":"h","url":"u","x":1}"#),
        (r#"{"metadata":["x"],"rename":{"link":"url"}}"#, r#"{"url":"u","x":1}"#),
    ] {
        assert_eq!(read(options, line).metadata(), metadata, "{options}");
    }
}

#[test]
fn nesting_has_an_end() {
    let nested = |depth: usize| format!(r#"{{"text":"","x":{}{}}}"#, "[".repeat(depth), "]".repeat(depth));
    assert_eq!(read("{}", nested(128)).texts(), [""]);
    assert_eq!(read("{}", nested(129)).messages(), ["line 1: column 16: nested more than 128 deep"]);
    let in_string = format!(r#"{{"text":"","x":["\"{}"]}}"#, "[".repeat(500));
    assert_eq!(read("{}", in_string).texts(), [""]);
    assert_eq!(read("{}", nested(100_000)).failures().count(), 1);
}

#[test]
fn a_field_inside_the_spread_object_counts_wherever_it_stands() {
    for line in [
        r#"{"text":"","url":"outer","metadata":{"url":"inner"}}"#,
        r#"{"metadata":{"url":"inner"},"text":"","url":"outer"}"#,
    ] {
        assert_eq!(read("{}", line).metadata(), r#"{"url":"inner"}"#);
    }
    assert_eq!(read("{}", r#"{"text":"","metadata":"none"}"#).metadata(), r#"{"metadata":"none"}"#);
}

#[test]
fn ids_may_be_missing_null_empty_or_numbers() {
    let ids = [
        ("", None),
        (r#""id":null,"#, None),
        (r#""id":"","#, None),
        (r#""id":12,"#, Some("12")),
        (r#""id":123456789012345678901234567890,"#, Some("123456789012345678901234567890")),
    ];
    for (id, expected) in ids {
        let read = read("{}", format!(r#"{{{id}"text":"t"}}"#));
        let found: Vec<_> = read.documents().map(|document| document.id.as_deref()).collect();
        assert_eq!(found, [expected], "{id}");
    }
}

#[test]
fn raw_content_alone_is_enough_and_may_be_base64() {
    let read = read("{}", "{\"raw\":\"<p>\"}\n{\"text\":null,\"raw_base64\":\"/wA=\"}\n");
    let raw: Vec<_> = read.documents().map(|document| document.raw.clone()).collect();
    assert_eq!(raw, [Some(b"<p>".to_vec()), Some(vec![0xFF, 0])]);
    assert_eq!(read.texts(), ["", ""]);
}

#[test]
fn bad_lines_fail_with_their_place_and_their_neighbours_go_on() {
    let cases: &[(&str, &str)] = &[
        (
            r#"{"body":"b","url":"u"}"#,
            "column 1: no field `text`; fields are `body`, `url`: name the one that",
        ),
        ("{}", "column 1: no field `text`: the record is empty: name"),
        (r#"{"text":["a"]}"#, "column 9: field `text` is an array, not a string"),
        (r#"{"text":null}"#, "column 9: field `text` is null: the record has no text and no page in `raw`"),
        (r#"{"id":1.5,"text":""}"#, "column 7: field `id` is a number with a fraction; an id is"),
        (r#"{"字":1,"text":}"#, "column 15: not JSON: expected value"),
        (r#"{"text":"a"#, "column 11: not JSON: EOF while parsing a string"),
        (r#"{"text":"a"} x"#, "column 14: not JSON: trailing characters"),
        (
            r#"{"text":"a","x":NaN}"#,
            "column 17: not JSON: expected value; NaN and infinities have no JSON form",
        ),
        ("{'text': 'a'}", "column 2: not JSON but a Python literal: use the reader `records`"),
        (r#"  ["a"]"#, "column 3: an array, not a JSON object"),
        ("17", "column 1: a number, not a JSON object"),
        ("text", "column 1: not a JSON object, which begins with `{`"),
        (r#"{"text":"a","text":"b"}"#, "column 20: field `text` occurs twice"),
        (r#"{"id":1,"id":1,"text":""}"#, "column 14: field `id` occurs twice"),
        (r#"{"raw":"","raw_base64":""}"#, "column 24: fields `raw` and `raw_base64` both hold the raw"),
        (r#"{"raw_base64":"?"}"#, "column 15: field `raw_base64` is not Base64"),
        (r#"{"text":"\ud800"}"#, "column 9: `\\ud800` is half a surrogate pair and stands for no character"),
        (r#"{"text":"","x":["\udc00"]}"#, "column 16: lone leading surrogate in hex escape"),
        ("{\"text\":\"a\tb\"}", "column 11: not JSON: control character"),
    ];
    for (line, message) in cases {
        let file = format!("{{\"text\":\"before\"}}\n\n{line}\r\n{{\"text\":\"after\"}}");
        let read = read("{}", &file);
        assert_eq!(read.texts(), ["before", "after"], "{line}");
        let failed = read.failures().next().expect("one failure");
        let expected = format!("line 3: {message}");
        assert!(failed.message.starts_with(&expected), "{}\n{expected}", failed.message);
        assert_eq!((failed.ordinal, failed.offset), (2, 19));
        assert_eq!(failed.raw, line.as_bytes());
    }
}

/// Wherever a line breaks off, behind a colon as well, where the next line would go on as its value.
#[test]
fn a_line_that_breaks_off_takes_nothing_of_the_next_one() {
    let whole = r#"{"id":"l1","text":"a","n":[1,{"b":"c"}],"meta":{"x":1} , "last":2}"#;
    let next = r#"{"id":"l2","text":"Third."}"#;
    for length in 1..whole.len() {
        let lines = format!("{}\n{next}\n5\n{next}\n", whole.get(..length).expect("ASCII"));
        let read = read("{}", &lines);
        let texts: Vec<&str> = read.documents().map(|document| document.text.as_str()).collect();
        assert_eq!(texts, ["Third.", "Third."], "{lines}");
        assert_eq!(read.failures().count(), 2, "{lines}");
    }
}

#[test]
fn a_line_that_is_not_utf8_fails_alone() {
    let read = read("{}", b"{\"text\":\"a\"}\n{\"text\":\"\xe5\xad\x97\xb4\"}\n{\"text\":\"b\"}\n");
    assert_eq!(read.texts(), ["a", "b"]);
    let why = "byte 0xB4 is not UTF-8, and what stands before it is: the text was damaged";
    assert_eq!(read.messages(), [format!("line 2: column 11: {why}")]);
}

#[test]
fn lines_in_another_encoding_are_read_where_it_is_named() {
    // GBK, with a backslash as the second byte of `昞`.
    let gbk = b"{\"id\":\"a\",\"text\":\"\xba\xd3\xb0\xb6 \x95\x5c\",\"\xb1\xea\xcc\xe2\":\"\xc4\xa5\"}\n";
    let utf8 = "{\"id\":\"b\",\"text\":\"河岸\"}\n".as_bytes();
    let both = [gbk, utf8].concat();
    let chosen = read(r#"{"encoding":"gb18030"}"#, gbk);
    assert_eq!((chosen.texts(), chosen.metadata()), (vec!["河岸 昞"], r#"{"标题":"磨"}"#.to_owned()));
    let fallback = read(r#"{"fallback_encoding":"gbk"}"#, &both);
    assert_eq!(fallback.texts(), ["河岸 昞", "河岸"]);
    let auto = read("{}", &both);
    assert_eq!(auto.texts(), ["河岸"]);
    assert!(auto.messages()[0].starts_with("line 1: column 19: byte 0xBA is not UTF-8; name the encoding"));
    // Columns are those of the text, and bytes that stand for nothing are no text.
    let wrong = read(r#"{"encoding":"gbk"}"#, b"{\"text\":\"\xba\xd3\",}\n{\"text\":\"\xff\"}\n");
    let messages = wrong.messages();
    assert!(messages[0].starts_with("line 1: column 13: not JSON: trailing comma"), "{messages:?}");
    assert_eq!(messages[1], "line 2: column 1: it holds bytes that stand for nothing in GBK");
    let error = open(r#"{"encoding":"utf-16le"}"#).expect_err("lines end otherwise there");
    assert_eq!(error.option(), Some("encoding"));
}

#[test]
fn a_text_that_is_null_is_told_where_it_stands() {
    let read = read("{}", r#"{"id":"a","text":null}"#);
    let message = "line 1: column 18: field `text` is null: the record has no text and no page in `raw`";
    assert_eq!(read.messages(), [message]);
}

#[test]
fn places_are_those_of_the_line_without_its_end() {
    let read = read("{}", "\u{feff}{\"text\":\"a\"}\r\n \n{\"text\":\"b\"}");
    let places: Vec<_> = read.documents().map(|d| (d.ordinal, d.offset, d.length)).collect();
    assert_eq!(places, [(0, 3, 12), (2, 19, 12)]);
}

#[test]
fn contradicting_options_are_refused() {
    let cases = [
        (r#"{"fields":{"text":"","raw":""}}"#, "fields", "both `text` and `raw` are empty"),
        (r#"{"fields":{"text":"id"}}"#, "fields", "`id` and `text` both name the field `id`"),
        (r#"{"rename":{"text":"x"}}"#, "rename", "`text` is no metadata field"),
        (r#"{"rename":{"a":"x","b":"x"}}"#, "rename", "`a` and `b` both become `x`"),
        (r#"{"rename":{"a":"a"}}"#, "rename", "`a` keeps its name"),
        (r#"{"rename":{"a":""}}"#, "rename", "the new name of `a` is empty"),
        (r#"{"spread":"raw"}"#, "spread", "`raw` and `spread` both name the field `raw`"),
    ];
    for (options, option, message) in cases {
        let error = open(options).expect_err("the options contradict each other");
        assert_eq!(error.option(), Some(option));
        assert!(error.to_string().starts_with(message), "{error}");
    }
}

#[test]
fn sniffs_the_first_line() {
    let jsonl = open("{}").expect("default options");
    let cases: &[(&str, bool, &str, u8)] = &[
        ("\u{feff}\n{\"a\": 1}\n{", false, "a", 90),
        ("{\"a\": [1, \"x", false, "a", 85),
        ("{\"a\": [1, \"x", true, "a", 0),
        ("{\"a\": [1, \"x", true, "a.jsonl", 60),
        ("{\n \"a\": 1\n}", true, "a.json", 0),
        ("{'a': 1}", true, "a", 0),
        ("[1]\n", true, "a", 0),
        ("", true, "a.NDJSON", 50),
        ("", true, "a", 0),
        ("prose", true, "a", 0),
    ];
    for (head, complete, name, expected) in cases {
        assert_eq!(jsonl.sniff(head.as_bytes(), *complete, name), *expected, "{head} {name}");
    }
}

/// JSON text of a string, each character escaped or not at random.
fn json_string() -> impl Strategy<Value = String> {
    let character = (any::<char>(), any::<bool>()).prop_map(|(character, as_unicode_escape)| {
        if as_unicode_escape {
            return utf16_escapes(character);
        }
        let quoted = serde_json::to_string(&character).expect("a character can be written");
        quoted.get(1..quoted.len() - 1).expect("it is in quotes").to_owned()
    });
    prop::collection::vec(character, 0..12).prop_map(|characters| format!("\"{}\"", characters.concat()))
}

proptest! {
    #[test]
    fn strings_mean_what_serde_json_says(written in json_string(), name in json_string()) {
        let line = format!(r#"{{"text":{written},{name}:{written}}}"#);
        let expected: serde_json::Value = serde_json::from_str(&line).expect("valid JSON");
        let read = read(r#"{"spread":""}"#, &line);
        for document in read.documents() {
            prop_assert_eq!(Some(document.text.as_str()), expected["text"].as_str());
            for (name, value) in document.metadata.iter() {
                prop_assert_eq!(value.as_str(), expected[name].as_str());
            }
        }
        let is_clash = ["text", "id", "raw", "raw_base64"].iter().any(|field| {
            serde_json::from_str::<String>(&name).expect("valid JSON") == *field
        });
        prop_assert!(is_clash || read.0.len() == 1 && read.failures().count() == 0, "{:?}", read);
    }

    #[test]
    fn any_bytes_are_read_the_same_in_any_blocks(bytes: Vec<u8>, step in 1..40_usize) {
        let jsonl = open("{}").expect("default options");
        jsonl.sniff(&bytes, false, "a.jsonl");
        prop_assert_eq!(decode_in_blocks(&jsonl, &bytes, step), decode(&jsonl, &bytes));
    }

    #[test]
    fn any_lines_are_read_the_same_in_any_blocks(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "{\"text\":\"a\"}", "\n", "\r\n", "{\"id\":1,\"text\":\"\\u00", "{", "}", "\"", "\u{feff}", "\\",
                "{\"text\":\"\",\"metadata\":{\"a\":[", "]}", "\"\\ud83d\"", "null", "1e9", ",", ":", " ",
            ]),
            0..30,
        ),
        step in 1..40_usize,
    ) {
        let jsonl = open("{}").expect("default options");
        let bytes = parts.concat();
        let bytes = bytes.as_bytes();
        let whole = decode(&jsonl, bytes);
        prop_assert_eq!(decode_in_blocks(&jsonl, bytes, step), whole);
    }
}

#[test]
fn what_is_no_json_is_repaired_and_counted_on_demand() {
    const REPAIR: &str = r#"{"invalid_values":"repair"}"#;
    let cases: &[(&str, &str, &str, [u64; 2])] = &[
        (r#"{"text":"a","x":NaN}"#, "a", r#"{"x":null}"#, [1, 0]),
        (
            r#"{"x":[-Infinity,{"NaN":"Infinity \" -Infinity","y":Infinity}],"text":"a"}"#,
            "a",
            r#"{"x":[null,{"NaN":"Infinity \" -Infinity","y":null}]}"#,
            [2, 0],
        ),
        (
            r#"{"text":"\ud800字\uDC00\uD83D\uDE00\ud83d","x":"\\ud800"}"#,
            "\u{FFFD}字\u{FFFD}😀\u{FFFD}",
            r#"{"x":"\\ud800"}"#,
            [0, 3],
        ),
        (r#"{"text":"NaN","\ud800":["\udfff"]}"#, "NaN", "{\"\u{FFFD}\":[\"\\ufffd\"]}", [0, 2]),
        (r#"{"text":"a","metadata":{"x":NaN,"y":"\ud800"}}"#, "a", "{\"x\":null,\"y\":\"\u{FFFD}\"}", [1, 1]),
        (r#"{"text":"a","x":1}"#, "a", r#"{"x":1}"#, [0, 0]),
    ];
    for (line, text, metadata, [numbers, surrogates]) in cases {
        let repaired = read(REPAIR, line);
        assert_eq!(repaired.texts(), [*text], "{line}");
        assert_eq!(repaired.metadata(), *metadata, "{line}");
        let counted = [("numbers_repaired", *numbers), ("surrogates_repaired", *surrogates)];
        let counted = counted.into_iter().filter(|(_, n)| *n > 0).map(|(name, n)| (name.to_owned(), n));
        assert_eq!(repaired.1, counted.collect(), "{line}");
        let strict = read("{}", line);
        let is_broken = usize::from(numbers + surrogates > 0);
        assert_eq!((strict.failures().count(), strict.1.len()), (is_broken, 0), "{line}");
    }
    for line in
        [r#"{"text":"a","x":NaNs}"#, r#"{"text":"a","x":-NaN}"#, r#"{"text":"a","x":NaN"#, r#"{"x":NaN}"#]
    {
        let read = read(REPAIR, line);
        assert_eq!((read.failures().count(), read.1.len()), (1, 0), "{line}");
        assert_eq!(read.failures().next().map(|failed| failed.raw.as_slice()), Some(line.as_bytes()));
    }
}

proptest! {
    #[test]
    fn a_repair_never_panics_and_leaves_json_alone(
        text in r#"([NaIf\-"\\u字]|NaN|Infinity|\\ud83d|\\ude00){0,20}"#,
        json: String,
    ) {
        if let Some((repaired, _)) = super::repair::repaired(&text) {
            prop_assert_eq!(super::repair::repaired(&repaired), None);
        }
        let json = serde_json::to_string(&json).expect("a string has a form in JSON");
        prop_assert_eq!(super::repair::repaired(&json), None);
    }
}

/// JSON with everything escaped that is not ASCII.
fn in_ascii(json: &str) -> String {
    json.chars().map(|c| if c.is_ascii() { c.to_string() } else { utf16_escapes(c) }).collect()
}

/// The members of the object at the start of `text`, as one way of reading it has them.
fn members(row: &Row<'_>) -> Vec<(String, String, usize)> {
    let value = |field: &Field<'_>| format!("{:?}", row.value(&field.value));
    row.fields.iter().map(|field| (row.str(&field.name).to_owned(), value(field), field.at)).collect()
}

/// Reads `text` in both ways; whether the quick one took it.
fn read_both_ways(text: &str) -> bool {
    let (mut quick, mut careful) = (Row::default(), Row::default());
    let wanted = |name: &str| name != "x";
    let end = scan::line(text.as_bytes(), &wanted, &mut quick);
    let read = object::read_any_object(text, &wanted, &mut careful);
    if let Some((_, end)) = end {
        assert_eq!(read, Ok(()), "{text}");
        assert_eq!(members(&quick), members(&careful), "{text}");
        assert_eq!(end, text.len(), "{text}");
    }
    end.is_some()
}

#[test]
fn usual_lines_are_read_in_one_pass() {
    let long = "字\\n\\\"".repeat(2000);
    for text in [
        "{}",
        r#" { "a" : 1 , "b":[1, {"c":null}],"d":true,"e":-1.50e3,"f":null } "#,
        r#"{"a":"","x":{"skipped":[]},"b":"plain"}"#,
        r#"{"a":"\u4e2d\ud83d\ude00\/\b\f\t\r\\","x":"\n"}"#,
        &format!(r#"{{"a":"{long}","b":"{long}"}}"#),
        &format!(r#"{{"a":"{}"}}"#, "\u{1F600}".repeat(1000) + "\\t"),
    ] {
        assert!(read_both_ways(text), "{text}");
    }
}

#[test]
fn what_is_unusual_is_left_to_the_other_way() {
    for text in [
        "",
        "[]",
        "{",
        r#"{"a":1"#,
        r#"{"a":1,}"#,
        r#"{"\u0061":1}"#,
        r#"{"a":"\ud800"}"#,
        r#"{"a":"\u12"}"#,
        r#"{"a":"\u12x4"}"#,
        r#"{"a":"\q"}"#,
        r#"{"a":"b"#,
        r#"{"a":"\n"#,
        "{\"a\":\"\t\"}",
        "{\"a\":\"\\n\t\"}",
        "{\"a\":[1,\n2]}",
        "{\"a\"\n:1}",
        r#"{"a":1} x"#,
        r#"{"a":01}"#,
        r#"{"a":NaN}"#,
        r#"{"x":"\ud800"#,
    ] {
        assert!(!read_both_ways(text), "{text}");
    }
    let mut row = Row::default();
    for bytes in
        [&b"{\"a\":\"\xB4\xBA\"}"[..], b"{\"a\":\"\\n\xE4\xB8\"}", b"{\"a\\n\xE4\":1}", b"{\"x\":\"\xB4\"}"]
    {
        assert_eq!(scan::line(bytes, &|name| name != "x", &mut row), None);
    }
    let broken = [&b"{\"a\":\"\\n"[..], &[0x80; 5000], b"\"}"].concat();
    assert_eq!(scan::line(&broken, &|_| true, &mut row), None);
}

proptest! {
    #[test]
    fn both_ways_read_the_same(
        strings in prop::collection::vec("(\\PC{0,70}|[\"\\\\/\u{8}-\u{20}]|\u{1F600}|a{60,70}){0,40}", 1..4),
        ascii in any::<bool>(),
        cut in 0_usize..400,
        stray in "[\"\\\\{},: a\u{1}]?",
    ) {
        let fields = strings.iter().enumerate().map(|(index, text)| (format!("f{index}"), json!(text)));
        let mut text = serde_json::Value::Object(fields.collect()).to_string();
        if ascii {
            text = in_ascii(&text);
        }
        prop_assert!(read_both_ways(&text), "{}", text);
        // The same with something in it that may have no place there.
        text.insert_str(text.floor_char_boundary(cut), &stray);
        read_both_ways(&text);
    }
}

#[test]
fn only_strings_as_exporters_write_them_are_attached() {
    let long = "x".repeat(600);
    for (inside, is_attached) in [
        ("", true),
        ("字", true),
        (r#"\" \\ \b\f\n\r\t \u0000\u001f"#, true),
        (r"\/", false),
        (r"\u001F", false),
        (r"\u000a", false),
        (r"\u4e2d", false),
        (r"\ud83d\ude00", false),
        (r"\u0022", false),
        (r"\n\/", false),
    ] {
        let line = format!(r#"{{"text":"{long}{inside}"}}"#);
        let (mut attached, jsonl) = (Attached::default(), open("{}").expect("options agree"));
        let block = Block { file: "a", head: &[], bytes: line.as_bytes(), offset: 0, first_ordinal: 0 };
        jsonl.decode(&block, &mut attached).expect("a line");
        let expected = match () {
            () if !is_attached => None,
            () if inside.contains('\\') => Some(format!("\"{long}{inside}\"")),
            () => Some(String::new()),
        };
        assert_eq!(attached.json, expected, "{inside}");
        if let Some(json) = expected.filter(|json| !json.is_empty()) {
            assert_eq!(json, serde_json::to_string(&attached.text).expect("a string"));
        }
    }
}

/// The text of the last document, and what was attached to it.
#[derive(Default)]
struct Attached {
    text: String,
    json: Option<String>,
}

impl Emit for Attached {
    fn document(&mut self, document: &NewDocument<'_>) {
        let flat = document.attachments.iter().find(|flat| (flat.name, flat.version) == STRING_LAYOUT);
        self.text = document.text.to_owned();
        self.json = flat.map(|flat| String::from_utf8(flat.bytes.to_vec()).expect("UTF-8"));
    }

    fn failed(&mut self, ordinal: u64, _: u64, _: &[u8], failure: &Failure) {
        panic!("line {ordinal}: {failure}");
    }
}

proptest! {
    #[test]
    fn what_is_attached_is_what_an_exporter_writes(text in "(\\PC{0,70}|[\"\\\\/\u{0}-\u{20}\u{7f}]|\u{1F600}|a{600}){0,12}", ascii in any::<bool>()) {
        let mut line = json!({ "text": text }).to_string();
        if ascii {
            line = in_ascii(&line);
        }
        let (mut attached, jsonl) = (Attached::default(), open("{}").expect("options agree"));
        let block = Block { file: "a", head: &[], bytes: line.as_bytes(), offset: 0, first_ordinal: 0 };
        jsonl.decode(&block, &mut attached).expect("a line");
        prop_assert_eq!(&attached.text, &text);
        // Escapes of what is not ASCII are not those of an exporter, all others here are.
        prop_assert_eq!(attached.json.is_some(), text.len() >= MIN_ATTACHED && (text.is_ascii() || !ascii));
        if let Some(json) = attached.json {
            let json = if json.is_empty() { format!("\"{text}\"") } else { json };
            prop_assert_eq!(json, serde_json::to_string(&text).expect("a string"));
        }
    }
}
