//! Tests of the `jsonl` exporter.

use proptest::prelude::*;
use tamis_plugin::{Document, ExportView, Exporter, Fate, Json, Limit, Measure, Output, Record};
use tamis_text::json::{MIN_ATTACHED, STRING_LAYOUT};

use super::{Jsonl, JsonlOptions, push_string};

fn encode(options: JsonlOptions, record: &Record) -> String {
    let mut out = Output::default();
    let jsonl = Jsonl::open(options).expect("options agree");
    jsonl.encode(&ExportView::from(record), &mut out).expect("any record can be written");
    assert!(out.files.is_empty());
    let line = String::from_utf8(out.bytes).expect("JSON is UTF-8");
    assert_eq!(line.find('\n'), Some(line.len() - 1), "one line: {line}");
    line.trim_end().to_owned()
}

fn document() -> Document {
    let mut document = Document::new("a", "第一段\n\"引\"\\\u{1f}\u{7f}");
    document.metadata.insert("url", "u");
    document.metadata.insert("n", 3);
    document.metadata.insert("x", 1.5);
    document.metadata.insert("list", Json::parse("[1,\n {\"a\":\r\n null}]").expect("valid JSON"));
    document.raw = Some(b"<p>".to_vec());
    document.origin.file = "dump/a.txt".into();
    (document.origin.offset, document.origin.length, document.origin.ordinal) = (10, 20, 2);
    document
}

const KEPT: &str = concat!(
    r#"{"id":"a","text":"第一段\n\"引\"\\\u001f"#,
    "\u{7f}",
    r#"","metadata":{"list":[1,  {"a":   null}],"n":3,"url":"u","x":1.5}"#
);

#[test]
fn kept_documents_carry_raw_and_origin_only_when_asked() {
    let record = Record::from(document());
    assert_eq!(encode(JsonlOptions::default(), &record), format!("{KEPT}}}"));
    assert_eq!(
        encode(JsonlOptions { raw: true, origin: true, ..JsonlOptions::default() }, &record),
        format!(
            r#"{KEPT},"origin":{{"file":"dump/a.txt","offset":10,"length":20,"ordinal":2}},"raw":"<p>"}}"#
        )
    );
}

#[test]
fn columns_stand_beside_the_text() {
    let columns = ["url", "none"].map(str::to_owned).to_vec();
    let options = JsonlOptions { columns, ..JsonlOptions::default() };
    let mut record = Record::from(document());
    let head = concat!(r#"{"id":"a","text":"第一段\n\"引\"\\\u001f"#, "\u{7f}", r#"""#);
    assert_eq!(
        encode(options.clone(), &record),
        format!(
            r#"{head},"url":"u","none":null,"metadata":{{"list":[1,  {{"a":   null}}],"n":3,"x":1.5}}}}"#
        )
    );
    let without = JsonlOptions { rest: false, ..options.clone() };
    assert_eq!(encode(without, &record), format!(r#"{head},"url":"u","none":null}}"#));
    record.fate = Fate::Failed("why".into());
    assert!(encode(options, &record).starts_with(KEPT));
}

#[test]
fn columns_that_a_line_has_already_are_refused() {
    for columns in [&["text"][..], &["url", "url"], &["metadata"], &["raw"], &[""]] {
        let columns = columns.iter().map(|&name| name.to_owned()).collect();
        assert!(Jsonl::open(JsonlOptions { columns, ..JsonlOptions::default() }).is_err());
    }
}

#[test]
fn dropped_documents_say_why() {
    let mut record = Record::from(document());
    record.fate = Fate::Dropped("too-short".into());
    record.stage = Some("length".into());
    record.measures = vec![
        Measure { name: "chars".into(), value: 12.0, limit: Limit::Min(200.0) },
        Measure { name: "ratio".into(), value: 0.25, limit: Limit::Max(0.5) },
        Measure { name: "odd".into(), value: f64::NAN, limit: Limit::None },
    ];
    assert_eq!(
        encode(JsonlOptions::default(), &record),
        format!(
            r#"{KEPT},"stage":"length","reason":"too-short","measures":[{{"name":"chars","value":12,"min":200}},{{"name":"ratio","value":0.25,"max":0.5}},{{"name":"odd","value":null}}]}}"#
        )
    );
}

#[test]
fn failed_records_can_be_replayed() {
    let mut record = Record::from(document());
    record.fate = Fate::Failed("line 3: column 1: not JSON".into());
    let failed = format!(
        r#"{KEPT},"stage":null,"reason":"line 3: column 1: not JSON","measures":[],"origin":{{"file":"dump/a.txt","offset":10,"length":20,"ordinal":2}}"#
    );
    assert_eq!(encode(JsonlOptions::default(), &record), format!(r#"{failed},"raw":"<p>"}}"#));
    record.document.raw = Some(vec![0xB4, 0xBA]);
    assert_eq!(encode(JsonlOptions::default(), &record), format!(r#"{failed},"raw_base64":"tLo="}}"#));
    record.document.raw = None;
    assert_eq!(encode(JsonlOptions::default(), &record), format!("{failed}}}"));
}

#[test]
fn an_attached_string_is_copied_and_one_that_is_none_is_not() {
    let mut record = Record::from(Document::new("a", "x".repeat(MIN_ATTACHED)));
    let (name, version) = STRING_LAYOUT;
    let plain = encode(JsonlOptions::default(), &record);
    for (attached, is_copied) in
        [("\"y\"", true), ("y", false), ("\"", false), ("\"y\n\"", false), ("y\"", false)]
    {
        record.attachments.attach(name, version, attached.as_bytes());
        let expected = if is_copied { r#"{"id":"a","text":"y","metadata":{}}"# } else { &plain };
        assert_eq!(encode(JsonlOptions::default(), &record), expected, "{attached}");
    }
}

proptest! {
    #[test]
    fn strings_are_written_as_serde_json_writes_them(text in "(\\PC{0,40}|[\"\\\\\u{0}-\u{20}]|a{30,34}){0,60}") {
        let mut out = Vec::new();
        push_string(&text, &mut out);
        prop_assert_eq!(out, serde_json::to_vec(&text).expect("a string can be written"));
    }

    #[test]
    fn text_is_written_alike_with_and_without_what_a_reader_attached(text in "(\\PC{0,40}|[\"\\\\\u{0}-\u{20}]|a{300,340}){0,20}") {
        let mut record = Record::from(Document::new("a", text.as_str()));
        let without = encode(JsonlOptions::default(), &record);
        let json = serde_json::to_vec(&text).expect("a string can be written");
        let (name, version) = STRING_LAYOUT;
        record.attachments.attach(name, version, &json);
        prop_assert_eq!(&encode(JsonlOptions::default(), &record), &without);
        if json.len() == text.len() + 2 {
            record.attachments.attach(name, version, b"");
            prop_assert_eq!(&encode(JsonlOptions::default(), &record), &without);
        }
    }
}
