//! Tests of the `records` reader.

use std::path::Path;

use proptest::prelude::*;
use tamis_plugin::Reader;

use super::{Records, RecordsOptions};
use crate::testing::{Collected, Read, decode, decode_in_blocks, utf16_escapes};

fn records() -> Records {
    Records::open(RecordsOptions::default()).expect("default options")
}

fn read(file: &str) -> Collected {
    decode(&records(), file.as_bytes())
}

/// The text that one literal stands for, or the message of its failure.
fn literal(written: &str) -> Result<String, String> {
    match read(&format!("text:{written}")).0.as_slice() {
        [Read::Document(document)] => Ok(document.text.clone()),
        [Read::Failed(failed)] => Err(failed.message.clone()),
        other => panic!("{written}: {other:?}"),
    }
}

#[test]
fn strings_mean_what_python_says() {
    let cases = [
        (
            r"'a\nb\t\\\'\x41\xa0\u4e2d\U0001f600\101\0\a\b\f\v'",
            "a\nb\t\\'A\u{a0}中😀A\0\u{7}\u{8}\u{c}\u{b}",
        ),
        (r#""it's \"quoted\"""#, "it's \"quoted\""),
        ("'''a\n'b' ''c\n'''", "a\n'b' ''c\n"),
        ("\"\"\"a\"\"\"", "a"),
        ("''", ""),
        (r"'\ud83d\ude00'", "😀"),
        (r"'\d\8\/'", r"\d\8/"),
        (r"'\字'", r"\字"),
        ("'a\\\nb'", "ab"),
        (r"u'a' U'b' r'\n\'' R'''\'''' ", r"ab\n\'\'"),
        (r"b'\xe4\xb8\xad' rb'\x' Br'\n'", r"中\x\n"),
        ("'a' \\\n  'b'", "ab"),
        ("('a'\n  'b' # why\n  'c')", "abc"),
        ("'a',", "a"),
        (r"'\777'", "\u{1ff}"),
    ];
    for (written, text) in cases {
        assert_eq!(literal(written).as_deref(), Ok(text), "{written}");
    }
}

#[test]
fn broken_literals_fail_with_the_place_and_the_reason() {
    let cases = [
        ("'a", "column 8 (byte 7 of the file): the string is not closed"),
        ("'a\nb'", "column 8 (byte 7 of the file): the line ends inside a string; write `\\n` or triple"),
        (
            "'字\\ud800x'",
            "column 8 (byte 9 of the file): `\\ud800` is half a surrogate pair and stands for no",
        ),
        ("'\\ude00'", "column 7 (byte 6 of the file): `\\ude00` is half a surrogate pair"),
        ("'\\U00110000'", "column 7 (byte 6 of the file): there is no character U+110000"),
        ("'\\xg0'", "column 7 (byte 6 of the file): `\\x` needs 2 hexadecimal digits behind it"),
        ("'\\N{DASH}'", "column 7 (byte 6 of the file): `\\N{…}` names a character and is not supported"),
        ("b'\\xff'", "column 6 (byte 5 of the file): the bytes literal is not UTF-8"),
        ("f'{x}'", "column 6 (byte 5 of the file): `f` before a string is not supported"),
        ("'a' b", "column 10 (byte 9 of the file): expected the end of the line, or `,` and another"),
        ("datetime.date(2020, 1, 1)", "column 6 (byte 5 of the file): `datetime.date(…)` is a call, not a"),
        ("abc", "column 6 (byte 5 of the file): `abc` is not a literal; put a string in quotes"),
        ("12j", "column 6 (byte 5 of the file): `12j` is not a number that can be read"),
        ("007", "column 6 (byte 5 of the file): `007` is not a number that can be read"),
        ("{1, 2}", "column 8 (byte 7 of the file): expected `:` behind the key; a set has no JSON form"),
        ("['a' 1]", "column 11 (byte 10 of the file): expected `,` or `]` behind the value"),
        ("", "column 6 (byte 5 of the file): a value is missing"),
        ("*", "column 6 (byte 5 of the file): expected a string, a number, a list"),
        ("17", "column 6 (byte 5 of the file): field `text` is a number, not a string"),
    ];
    for (written, message) in cases {
        let expected = format!("line 1 of the record: {message}");
        let failure = literal(written).expect_err(written);
        assert!(failure.starts_with(&expected), "{failure}\n{expected}");
    }
}

#[test]
fn other_literals_keep_their_type() {
    let cases = [
        ("1_000", "1000"),
        ("-0x1F", "-31"),
        ("0o17", "15"),
        ("0b101", "5"),
        ("00", "0"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        (".5", "0.5"),
        ("-1.5e+3", "-1500.0"),
        ("None", "null"),
        ("null", "null"),
        ("True", "true"),
        ("false", "false"),
        ("[]", "[]"),
        ("()", "[]"),
        ("(1,)", "[1]"),
        ("(1)", "1"),
        ("[1, 'a\\n\"', None, (True, 2.0),]", r#"[1,"a\n\"",null,[true,2.0]]"#),
        ("{'a': {}, 1: 'x', None: [{'b':\n 1}]}", r#"{"a":{},"1":"x","null":[{"b":1}]}"#),
    ];
    for (written, json) in cases {
        let read = read(&format!("text:''\nvalue = {written}\n"));
        assert_eq!(read.metadata(), format!(r#"{{"value":{json}}}"#), "{written}");
    }
}

#[test]
fn nesting_has_an_end() {
    for depth in [100, 128, 129, 100_000] {
        let written = format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        let read = read(&format!("text:''\nvalue:{written}"));
        assert_eq!(read.documents().count() == 1, depth <= 128, "{depth}");
        let dicts = format!("{{'a':{}", "{'a':".repeat(depth));
        assert_eq!(decode(&records(), dicts.as_bytes()).failures().count(), 1);
    }
}

#[test]
fn a_file_holds_runs_of_fields_and_dicts() {
    let file = "\u{feff}id: 1\ntext: 'a'\n\nid: 2\r\ntext: 'b'\r\nid: 3, text: 'c'; url: 'u'\n  \n\n\
                {'text': 'd', 'metadata': {'url': 'v'}},\n{\"id\": \"e\",\n \"text\": \"e\"}\ntext:'f'";
    let read = read(file);
    assert_eq!(read.messages(), [""; 0]);
    assert_eq!(read.texts(), ["a", "b", "c", "d", "e", "f"]);
    let ids: Vec<_> = read.documents().map(|document| document.id.as_deref()).collect();
    assert_eq!(ids, [Some("1"), Some("2"), Some("3"), None, Some("e"), None]);
    for document in read.documents() {
        let span = document.offset as usize..(document.offset + document.length) as usize;
        let written = file.get(span).expect("the span is in the file");
        assert!(written.contains(&format!("{}'", document.text)) || written.contains("\"e\""), "{written}");
        assert_eq!(written.trim(), written);
    }
}

#[test]
fn a_broken_record_does_not_take_its_neighbours_along() {
    let cases = [
        // A string that is not closed; a name that the record has begins the next.
        ("text:'a'\ntext:'broken\ntext:'c'\n", vec!["a", "c"], vec![1]),
        // The fields behind the broken one belong to it.
        ("id:1\ntext:'broken\ntitle:'x'\nid:2\ntext:'b'", vec!["b"], vec![0]),
        // A blank line ends it.
        ("id:1\ntext:'broken\n\ntitle:'x'\ntext:'b'", vec!["b"], vec![0]),
        // Paragraphs of a string with real line ends are not records.
        ("text:'one\n\ntwo\nthree: four'\n\ntext:'b'", vec!["b"], vec![0]),
        // Triple quotes that never close.
        ("text:'a'\ntext:'''broken\ntext:'c'", vec!["a", "c"], vec![1]),
        ("{'text': 'broken'\n{'text': 'b'}\n{'text': ['c'\n{'text': 'd'}", vec!["b", "d"], vec![0, 2]),
        ("prose before\nmore\ntext:'a'\nprose behind\n", vec![], vec![0, 1]),
        ("prose before\nmore\n\ntext:'a'\n", vec!["a"], vec![0]),
        ("text:'a'\n\nid: 2, id: 3\ntext:'x'\n\ntext:'b'", vec!["a", "b"], vec![1]),
        ("text:'a'\n\n{'text': '\\ud800'}\n{'text': 'b'}", vec!["a", "b"], vec![1]),
        ("text:'a'\n\nurl:'u'\n\ntext:'b'", vec!["a", "b"], vec![1]),
    ];
    for (file, texts, failed) in cases {
        let read = read(file);
        assert_eq!(read.texts(), texts, "{file}");
        let ordinals: Vec<_> = read.failures().map(|failed| failed.ordinal).collect();
        assert_eq!(ordinals, failed, "{file}");
    }
}

#[test]
fn hard_places_are_cut_the_same() {
    let files = [
        // A backslash at the end of a line takes the line end back, but not between records.
        "prose\n\\\nid=1\ntext:'a'",
        "text:'a' \\\n'b'\ntext:'c'",
        // A string that looks closed until more bytes come.
        "text:''\ntext:'''a\n\ntext:'b'\n'''\ntext:'c'",
        "text:'\\ud83d\\ude00'\n\n\n\u{feff}text:'b'\r\n\r\ntext:'c'",
        "{'text': 'a',\n 'x': [1,\n\n 2]}\n{'text': 'b'\n{'text': 'c'}\n",
        "{'a': [1,\n{'text': 'x'}\n{'text': 'y'}\nprose",
    ];
    for file in files {
        let whole = read(file);
        for step in 1..=file.len() {
            assert_eq!(decode_in_blocks(&records(), file.as_bytes(), step), whole, "{file} by {step}");
        }
    }
}

#[test]
fn messages_count_lines_from_the_record_and_bytes_from_the_file() {
    let read = read("text:'a'\n\nid:2\ntext:'字字\\xzz'\n");
    assert_eq!(
        read.messages(),
        ["line 2 of the record: column 9 (byte 27 of the file): `\\x` needs 2 hexadecimal digits behind it"]
    );
    let mut file = b"text:'a'\n\ntext:'".to_vec();
    file.extend_from_slice(b"\xd6\xd0'\n\ntext:'b'");
    let read = decode(&records(), &file);
    assert_eq!(read.texts(), ["a", "b"]);
    assert_eq!(
        read.messages(),
        ["line 1 of the record: column 7 (byte 16 of the file): byte 0xD6 is not UTF-8"]
    );
}

#[test]
fn takes_records_and_no_prose() {
    let cases: &[(&str, bool, u8)] = &[
        ("text:'a\\n", false, 80),
        // A broken record among whole ones does not make a dump prose; one line that looks like a record does
        // not make prose a dump.
        ("text:'a'\ntext:'b'\ntext:'broken\ntext:'c'\n", true, 40),
        ("text:'a'\nand then it was over.\n", true, 0),
        ("text:'a\\n", true, 0),
        ("\n  text = u\"a\"\n", true, 80),
        ("id: 5\ntext: 'a'\n", true, 60),
        ("{'text': 'a'}\n{'te", false, 70),
        ("{'text': 'a'}\n{'te", true, 0),
        ("Note: \"quoted\" text\n", true, 0),
        ("Note: \"quoted\"\n\nAnd then prose goes on.\n", true, 0),
        ("Note: nothing in quotes", true, 0),
        ("标题:'文'\n", true, 80),
        ("prose", true, 0),
        ("", true, 0),
        ("body { color: red }", true, 0),
        ("http://example.com/", true, 0),
    ];
    for (head, complete, expected) in cases {
        assert_eq!(records().sniff(head.as_bytes(), *complete, "a.txt"), *expected, "{head}");
    }
}

/// The collection that the format was met in, when it lies beside the checkout.
#[test]
fn reads_the_seeds() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let Ok(gold) = std::fs::read_dir(shared.join("gold")) else {
        eprintln!("SKIPPED: no seeds in {}", shared.display());
        return;
    };
    let mut n_records = 0;
    for entry in gold {
        let path = entry.expect("the folder can be listed").path();
        let gold: serde_json::Value =
            serde_json::from_slice(&std::fs::read(path).expect("readable")).expect("gold is JSON");
        let file = gold["file"].as_str().expect("gold names its file");
        let bytes = std::fs::read(shared.join("seeds").join(file)).expect("the seed is there");
        let is_record = gold["record_syntax"].is_string();
        assert_eq!(records().sniff(&bytes, true, file), if is_record { 80 } else { 0 }, "{file}");
        assert_eq!(records().sniff(&bytes[..4096], false, file), if is_record { 80 } else { 0 }, "{file}");
        if !is_record {
            continue;
        }
        n_records += 1;
        let read = decode(&records(), &bytes);
        let texts = read.texts();
        let [text] = texts.as_slice() else { panic!("{file}: {:?}", read.messages()) };
        assert_eq!(text.lines().next(), gold["title"].as_str(), "{file}");
        let n_spaces = bytes.windows(4).filter(|window| window == b"\\xa0").count();
        assert_eq!(text.matches('\u{a0}').count(), n_spaces, "{file}");
        assert!(!text.contains('\\'), "{file}: escapes are left");
        for paragraph in gold["body_paragraphs"].as_array().expect("gold has paragraphs") {
            let paragraph = paragraph.as_str().expect("a paragraph is text");
            let start: String = paragraph.chars().take(12).collect();
            assert!(text.contains(&start), "{file}: {start}");
        }
    }
    assert_eq!(n_records, 3);
}

/// Writes `text` as a Python literal, each character escaped or not by `how`.
fn python_literal(text: &[(char, u8)], quote: char, triple: bool) -> String {
    let quotes = quote.to_string().repeat(if triple { 3 } else { 1 });
    let inside: String =
        text.iter().map(|(character, how)| written(*character, *how, quote, triple)).collect();
    format!("{quotes}{inside}{quotes}")
}

fn written(character: char, how: u8, quote: char, triple: bool) -> String {
    let code = u32::from(character);
    match (how, character) {
        (0, _) => format!("\\U{code:08x}"),
        (1, _) => utf16_escapes(character),
        (2, _) if code < 0x100 => format!("\\x{code:02X}"),
        (3, _) if code < 0o1000 => format!("\\{code:03o}"),
        (4, '\\') => "\\\n\\\\".to_owned(),
        (4, _) => "\\\n\\x41".to_owned(),
        (_, '\n') if !triple => "\\n".to_owned(),
        (_, '\\') => "\\\\".to_owned(),
        (_, character) if character == quote => format!("\\{quote}"),
        (_, character) => character.to_string(),
    }
}

/// What [`python_literal`] wrote.
fn meant(text: &[(char, u8)]) -> String {
    text.iter()
        .map(|(character, how)| if *how == 4 && *character != '\\' { 'A' } else { *character })
        .collect()
}

fn any_text() -> impl Strategy<Value = Vec<(char, u8)>> {
    let character =
        prop_oneof![any::<char>(), prop::sample::select(vec!['\'', '"', '\\', '\n', '字', 'u', 'x', '0'])];
    prop::collection::vec((character, 0..12_u8), 0..20)
}

proptest! {
    #[test]
    fn what_was_escaped_is_read_back(
        texts in prop::collection::vec(
            (any_text(), prop::sample::select(vec!['\'', '"']), any::<bool>()), 1..4
        ),
        as_dict: bool,
    ) {
        let written: Vec<_> = texts.iter().map(|(text, quote, triple)| python_literal(text, *quote, *triple)).collect();
        let file: String = written
            .iter()
            .map(|written| if as_dict { format!("{{'text': {written}}}\n") } else { format!("text:{written}\n") })
            .collect();
        let expected: Vec<_> = texts.iter().map(|(text, _, _)| meant(text)).collect();
        let read = read(&file);
        prop_assert_eq!(read.messages(), [""; 0]);
        prop_assert_eq!(read.texts(), expected);
    }

    #[test]
    fn any_bytes_are_read_the_same_in_any_blocks(bytes: Vec<u8>, step in 1..40_usize) {
        let records = records();
        records.sniff(&bytes, false, "a");
        prop_assert_eq!(decode_in_blocks(&records, &bytes, step), decode(&records, &bytes));
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn any_pieces_are_read_the_same_in_any_blocks(
        parts in prop::collection::vec(
            prop::sample::select(vec![
                "text:'a'", "text:", "id=1", "title: \"b\"", "\n", "\n", "\n", "\n\n", "\r\n", " ", "{'text': 'c'}", "{",
                "}", "[", "]", "(", ")", "'", "\"", "'''", "\"\"\"", "\\", ",", ":", "#", "prose", "字", "\u{feff}",
                "0x", "12", "-", "True", "u", "rb", "\\ud83d", "\\ude00", "\\x4", "{'a': [",
            ]),
            0..40,
        ),
        step in 1..60_usize,
    ) {
        let records = records();
        let bytes = parts.concat();
        let bytes = bytes.as_bytes();
        let whole = decode(&records, bytes);
        prop_assert_eq!(decode_in_blocks(&records, bytes, step), whole);
    }
}

#[test]
fn what_has_no_json_form_is_repaired_and_counted_on_demand() {
    let repairing =
        RecordsOptions { invalid_values: crate::InvalidValues::Repair, ..RecordsOptions::default() };
    let repairing = Records::open(repairing).expect("options agree");
    let file = r"text: 'a\ud800b'
x: nan

{'text': 'c', 'x': [-inf, +Infinity, 'nan'],
 'y': {inf: '\udc00'
}}

text: 'd'
x: nano

text: '\ud83d\ude00'
";
    for step in 1..file.len() {
        let read = decode_in_blocks(&repairing, file.as_bytes(), step);
        assert_eq!(read.texts(), ["a\u{FFFD}b", "c", "😀"], "{step} bytes at a time");
        let metadata: Vec<_> = read
            .documents()
            .map(|document| serde_json::to_string(&document.metadata).expect("metadata can be written"))
            .collect();
        let nested = "{\"x\":[null,null,\"nan\"],\"y\":{\"null\":\"\u{FFFD}\"}}";
        assert_eq!(metadata, [r#"{"x":null}"#, nested, "{}"]);
        let counted: Vec<_> = read.1.iter().map(|(name, n)| (name.as_str(), *n)).collect();
        assert_eq!(counted, [("numbers_repaired", 4), ("surrogates_repaired", 2)]);
        assert!(read.messages()[0].contains("`nano` is not a literal"), "{:?}", read.messages());
    }
    let read = decode_in_blocks(&records(), file.as_bytes(), 9);
    assert_eq!((read.documents().count(), read.failures().count(), read.1.len()), (1, 3, 0));
}
