//! What the `jsonl` exporter writes, the `jsonl` reader reads back as it was.

use proptest::prelude::*;
use tamis_exporters::{Jsonl as Writer, JsonlOptions};
use tamis_plugin::{
    Block, Document, Emit, ExportView, Exporter, Failure, Fate, Json, Metadata, NewDocument, Output, Reader,
    Record, Value,
};
use tamis_readers::Jsonl;

#[derive(Default)]
struct Collected(Vec<Document>);

impl Emit for Collected {
    fn document(&mut self, document: &NewDocument<'_>) {
        let mut read = Document::new(document.id.unwrap_or_default(), document.text);
        read.raw = document.raw.map(<[u8]>::to_vec);
        read.metadata = document.metadata.iter().map(|(name, value)| (*name, value.to_value())).collect();
        self.0.push(read);
    }

    fn failed(&mut self, _ordinal: u64, _offset: u64, _raw: &[u8], failure: &Failure) {
        panic!("{failure}");
    }
}

fn any_value() -> impl Strategy<Value = Value> {
    let json = prop::sample::select(vec![
        "[]",
        "{\"a\":[1,null,\"\\ud83d\\ude00\"]}",
        "18446744073709551615",
        "1.10",
        "-0.0",
        "[\"\\n\"]",
    ]);
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        json.prop_map(|text| Json::parse(text).expect("valid JSON").into()),
    ]
}

fn any_name() -> impl Strategy<Value = String> {
    let taken = prop::sample::select(vec!["id", "text", "raw", "metadata", "stage", "reason", "origin"]);
    prop_oneof![any::<String>(), taken.prop_map(str::to_owned)]
}

fn any_document() -> impl Strategy<Value = Document> {
    let raw = prop::option::of(prop_oneof![any::<Vec<u8>>(), any::<String>().prop_map(String::into_bytes)]);
    let metadata = prop::collection::vec((any_name(), any_value()), 0..6);
    (".+", any::<String>(), raw, metadata).prop_map(|(id, text, raw, metadata)| {
        let mut document = Document::new(id, text);
        document.raw = raw;
        document.metadata = metadata.into_iter().collect::<Metadata>();
        // JSON text that is no nested value or large number is read as what it is.
        document.metadata =
            document.metadata.iter().map(|(name, value)| (name, value.as_ref().to_value())).collect();
        document
    })
}

fn written(documents: &[Document], raw: bool) -> Vec<u8> {
    let writer = Writer::open(JsonlOptions { raw, ..JsonlOptions::default() }).expect("options agree");
    let mut out = Output::default();
    for document in documents {
        let record = Record::from(document.clone());
        writer.encode(&ExportView::from(&record), &mut out).expect("any document can be written");
    }
    out.bytes
}

fn read(bytes: &[u8]) -> Vec<Document> {
    let reader = Jsonl::open(tamis_readers::JsonlOptions::default()).expect("default options");
    let mut collected = Collected::default();
    let block = Block { file: "a", head: &[], bytes, offset: 0, first_ordinal: 0 };
    reader.decode(&block, &mut collected).expect("a block is readable");
    collected.0
}

#[test]
fn a_dead_letter_gives_its_bytes_back() {
    for raw in [b"{\"text\": 5}".to_vec(), vec![0xB4, 0xBA, 0x0A]] {
        let mut record = Record::from(Document::new("a#3", ""));
        record.document.raw = Some(raw.clone());
        record.fate = Fate::Failed("why".into());
        let writer = Writer::open(JsonlOptions::default()).expect("options agree");
        let mut out = Output::default();
        writer.encode(&ExportView::from(&record), &mut out).expect("a dead letter can be written");
        let documents = read(&out.bytes);
        assert_eq!(documents.len(), 1);
        assert_eq!(documents[0].raw.as_ref(), Some(&raw));
        assert_eq!(documents[0].metadata.get("reason"), Some(&Value::from("why")));
    }
}

proptest! {
    #[test]
    fn nothing_is_lost(documents in prop::collection::vec(any_document(), 0..4)) {
        prop_assert_eq!(read(&written(&documents, true)), documents);
    }
}
