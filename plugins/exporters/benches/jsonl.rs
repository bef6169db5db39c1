//! JSON Lines in and out, beside the loop that anyone would write with `serde_json`.
//!
//! `cargo bench -p tamis-exporters --bench jsonl`
//!
//! Both sides run over the same documents in one process, so compare the two figures of a group with each
//! other; MB/s depend on the machine.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde::{Deserialize, Serialize};
use tamis_exporters::{Jsonl as Writer, JsonlOptions};
use tamis_plugin::{
    Block, Document, Emit, ExportView, Exporter, Failure, Metadata, NewDocument, Output, Reader, Record,
};
use tamis_readers::Jsonl;

/// What the plain loop reads and writes.
#[derive(Serialize, Deserialize)]
struct Plain {
    id: String,
    text: String,
    metadata: serde_json::Map<String, serde_json::Value>,
}

/// Writes each document as soon as it is read, owned in between as the runner owns it.
struct Through {
    writer: Writer,
    out: Output,
}

impl Emit for Through {
    fn document(&mut self, document: &NewDocument<'_>) {
        let mut owned = Document::new(document.id.unwrap_or_default(), document.text);
        owned.metadata =
            document.metadata.iter().map(|(name, value)| (*name, value.to_value())).collect::<Metadata>();
        let record = Record::from(owned);
        self.writer.encode(&ExportView::from(&record), &mut self.out).expect("any document can be written");
    }

    fn failed(&mut self, _ordinal: u64, _offset: u64, _raw: &[u8], failure: &Failure) {
        panic!("{failure}");
    }
}

/// About 20 MB of pages with paragraphs and six fields of metadata.
fn corpus(paragraph: &str, ascii_only: bool) -> Vec<u8> {
    let text = format!("{}\n", paragraph.repeat(3)).repeat(12);
    let mut corpus = Vec::new();
    for n in 0.. {
        let line = serde_json::json!({
            "id": format!("crawl/{n}"), "text": text,
            "metadata": {
                "url": format!("https://example.com/{n}"), "title": paragraph, "site": "example.com",
                "n": n, "score": 0.5, "tags": ["a", "b"],
            },
        })
        .to_string();
        if ascii_only {
            let mut units = [0; 2];
            for character in line.chars() {
                if character.is_ascii() {
                    corpus.push(character as u8);
                    continue;
                }
                for unit in character.encode_utf16(&mut units) {
                    corpus.extend_from_slice(format!("\\u{unit:04x}").as_bytes());
                }
            }
        } else {
            corpus.extend_from_slice(line.as_bytes());
        }
        corpus.push(b'\n');
        if corpus.len() > 20_000_000 {
            break;
        }
    }
    corpus
}

fn plain(corpus: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for line in corpus.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let document: Plain = serde_json::from_slice(line).expect("valid JSON");
        serde_json::to_writer(&mut out, &document).expect("a document can be written");
        out.push(b'\n');
    }
    out
}

fn ours(corpus: &[u8]) -> Vec<u8> {
    let reader = Jsonl::open(tamis_readers::JsonlOptions::default()).expect("default options");
    let writer = Writer::open(JsonlOptions::default()).expect("default options");
    let mut through = Through { writer, out: Output::default() };
    let block = Block { file: "a", head: &[], bytes: corpus, offset: 0, first_ordinal: 0 };
    reader.decode(&block, &mut through).expect("a block is readable");
    through.out.bytes
}

fn beside_the_plain_loop(criterion: &mut Criterion) {
    let chinese = "为切实推进本项工作，各部门要坚持围绕中心、服务大局，抓好落实。";
    let english = "The council met on Tuesday to discuss the \"new\" plan for the harbour. ";
    for (name, paragraph, ascii_only) in
        [("chinese", chinese, false), ("english", english, false), ("chinese-escaped", chinese, true)]
    {
        let corpus = corpus(paragraph, ascii_only);
        assert_eq!(ours(&corpus), plain(&corpus), "{name}");
        let mut group = criterion.benchmark_group(name);
        group.sample_size(10).throughput(Throughput::Bytes(corpus.len() as u64));
        group.bench_function("tamis", |bencher| bencher.iter(|| black_box(ours(&corpus))));
        group.bench_function("plain-loop", |bencher| bencher.iter(|| black_box(plain(&corpus))));
        group.finish();
    }
}

criterion_group!(benches, beside_the_plain_loop);
criterion_main!(benches);
