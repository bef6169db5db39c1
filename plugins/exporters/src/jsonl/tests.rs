//! Tests of the `jsonl` exporter.

use proptest::prelude::*;
use tamis_plugin::{Document, ExportView, Exporter, Fate, Json, Limit, Measure, Output, Record};

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
        encode(JsonlOptions { raw: true, origin: true }, &record),
        format!(
            r#"{KEPT},"origin":{{"file":"dump/a.txt","offset":10,"length":20,"ordinal":2}},"raw":"<p>"}}"#
        )
    );
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

proptest! {
    #[test]
    fn strings_are_written_as_serde_json_writes_them(text in "(\\PC{0,40}|[\"\\\\\u{0}-\u{20}]|a{30,34}){0,60}") {
        let mut out = Vec::new();
        push_string(&text, &mut out);
        prop_assert_eq!(out, serde_json::to_vec(&text).expect("a string can be written"));
    }
}
