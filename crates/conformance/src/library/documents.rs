//! Documents that break careless code.

use tamis_document::{Document, Json, Metadata, Record, Value};
use tamis_stage::StageInfo;

const HUGE: usize = 10 << 20;

/// The documents, with ids that say what is special about them.
pub(crate) fn documents() -> Vec<Document> {
    let texts = [
        ("empty", String::new()),
        ("one byte", "a".to_owned()),
        ("blank", " \n\t\u{a0}\u{3000}\n".to_owned()),
        ("line ends", "a\r\nb\rc\u{85}d\u{2028}e\n\n\nf".to_owned()),
        ("english", "The town library opened on Monday. Readers came early, and stayed late.\n".repeat(20)),
        ("chinese", "图书馆星期一开放。读者来得很早，“走得很晚”。\n".repeat(20)),
        ("one long chinese line", "一、总体要求坚持便民。二、主要任务做好服务。".repeat(500)),
        ("mixed scripts", "日本語とEnglish и русский עברית العربية हिन्दी ไทย 한국어".repeat(10)),
        (
            "combining",
            "e\u{301}\u{302}\u{303} n\u{303} \u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}".repeat(10),
        ),
        ("nul and controls", "a\0b\u{1}c\u{7f}d\u{feff}e\u{200b}f\u{ad}g".to_owned()),
        ("quotes", "“‘’”‚‛„«»\"'".repeat(50)),
        ("private use and last", "\u{e000}\u{10ffff}\u{fffd}".repeat(10)),
        ("many short lines", "x\n".repeat(5_000)),
    ];
    texts.into_iter().map(|(id, text)| Document::new(id, text)).collect()
}

/// The documents as records, as a reader hands them on.
pub(crate) fn records() -> Vec<Record> {
    documents().into_iter().map(Record::from).collect()
}

/// The documents and one that is very long; not for checks that process them many times.
pub(crate) fn long_records() -> Vec<Record> {
    let long = Document::new("ten megabytes", "字".repeat(HUGE / 3));
    documents().into_iter().chain([long]).map(Record::from).collect()
}

/// Records with metadata of any type under the names that a stage may look at, and with raw bytes.
pub(crate) fn odd_records(info: &StageInfo) -> Vec<Record> {
    const KNOWN: [&str; 8] = ["title", "author", "published_raw", "url", "language", "source", "site", ""];
    let defaults = info.schema.get("properties").and_then(|options| options.as_object());
    let of_options = defaults
        .into_iter()
        .flat_map(|options| options.values())
        .filter(|option| option.get("x-field").is_some())
        .filter_map(|option| option.get("default")?.as_str());
    let names: Vec<&str> =
        KNOWN.into_iter().chain(info.reads.iter().map(String::as_str)).chain(of_options).collect();
    let raw = [None, Some(Vec::new()), Some(b"<p>\xff\0<b>a".to_vec())];
    let text = "A title\nReaders came early, and stayed late.\n\n图书馆星期一开放。\n";
    let record = |(index, value): (usize, Value)| {
        let mut document = Document::new(format!("metadata {index}"), text);
        document.metadata = names.iter().map(|name| (*name, value.clone())).collect::<Metadata>();
        document.raw.clone_from(&raw[index % raw.len()]);
        Record::from(document)
    };
    values().into_iter().enumerate().map(record).collect()
}

/// Values of every type, the last of each at its limit.
pub(crate) fn values() -> Vec<Value> {
    let json = |text: &str| Json::parse(text).map_or(Value::Null, Value::from);
    vec![
        Value::Null,
        Value::from(true),
        Value::from(0),
        Value::from(i64::MIN),
        Value::from(0.1),
        Value::from(f64::MAX),
        Value::from(""),
        Value::from("标题: \"a\" \\ b\n\0"),
        Value::from("x".repeat(1 << 20)),
        json("[]"),
        json("[1,{\"a\":null}]"),
        json("{\"a\":{\"b\":[]}}"),
        json("123456789012345678901234567890"),
    ]
}

/// The first record that differs between two runs, in words.
pub(crate) fn difference(first: &[Record], second: &[Record]) -> Option<String> {
    first.iter().zip(second).find_map(|(a, b)| {
        let what = if a.fate != b.fate {
            "fate"
        } else if a.document.text != b.document.text {
            "text"
        } else if a.document.metadata != b.document.metadata {
            "metadata"
        } else if a.measures != b.measures {
            "measures"
        } else {
            return None;
        };
        Some(format!("document `{}` has another {what}", a.document.id))
    })
}
