//! How fast the corpus stages see documents.
//!
//! `cargo bench -p tamis-corpus --bench observe`

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tamis_corpus::{
    DedupExact, DedupExactOptions, DedupNear, DedupNearOptions, LineTemplate, LineTemplateOptions, Normalize,
};
use tamis_plugin::keyed::{Known, Rows};
use tamis_plugin::{CorpusStage, Document, Failure, KeyedStage, View};

/// Pages of some kilobytes, each with a template around paragraphs of its own.
fn corpus(paragraph: &str) -> Vec<Document> {
    let page = |n: usize| {
        let body: Vec<String> =
            (0..12).map(|k| format!("{n}.{k} {}\n\n", paragraph.repeat(k % 5 + 1))).collect();
        let body = body.concat();
        let text = format!("Harbour Gazette\nHome\nNews\n\n{body}Share this\n{n} comments\n");
        Document::new(format!("crawl/page-{n}"), text)
    };
    (0..2000).map(page).collect()
}

fn observed<T: CorpusStage>(stage: &T, documents: &[Document]) -> T::Local {
    let mut local = T::Local::default();
    for (position, document) in (0..).zip(documents) {
        let view = View::from(document).with_position(position);
        stage.observe(0, &mut local, &view).expect("any document can be observed");
    }
    local
}

/// What a keyed stage meets in its first round.
#[derive(Default)]
struct Nothing(u64);

impl Known for Nothing {
    fn entries(&self, _: u32, _: &[u8], _: &mut dyn FnMut(&[u8]) -> bool) -> Result<(), Failure> {
        Ok(())
    }

    fn id(&self, _: u32, _: u128) -> Result<Option<String>, Failure> {
        Ok(None)
    }
}

impl Rows for Nothing {
    fn emit(&mut self, _: &[u8]) {
        self.0 += 1;
    }
}

/// How many rows a keyed stage has emitted.
fn emitted<T: KeyedStage>(stage: &T, documents: &[Document]) -> u64 {
    let (mut local, mut rows) = (T::Local::default(), Nothing::default());
    for (position, document) in (0..).zip(documents) {
        let view = View::from(document).with_position(position);
        let observed = stage.observe(0, &mut local, &view, &Nothing::default(), &mut rows);
        observed.expect("any document can be observed");
    }
    rows.0
}

fn observe(criterion: &mut Criterion) {
    let english = "The ferry left the harbour before dawn, and nobody had seen it return. ";
    let chinese = "渡船在天亮以前离开了港口，没有人看见它回来。";
    for (language, paragraph) in [("english", english), ("chinese", chinese)] {
        let documents = corpus(paragraph);
        let n_bytes: usize = documents.iter().map(|document| document.text.len()).sum();
        let mut group = criterion.benchmark_group(language);
        group.throughput(Throughput::Bytes(n_bytes as u64));
        for normalize in [Normalize::Exact, Normalize::Whitespace, Normalize::Loose] {
            let options = DedupExactOptions { normalize, ..DedupExactOptions::default() };
            let stage = DedupExact::open(options).expect("the options are valid");
            group.bench_function(format!("dedup-exact {normalize:?}"), |bencher| {
                bencher.iter(|| black_box(emitted(&stage, &documents)));
            });
        }
        // Shingles, signatures and keys of bands.
        let stage = DedupNear::open(DedupNearOptions::default()).expect("the options are valid");
        group.bench_function("dedup-near", |bencher| {
            bencher.iter(|| black_box(emitted(&stage, &documents)));
        });
        let stage = LineTemplate::open(LineTemplateOptions::default()).expect("the options are valid");
        group.bench_function("line-template", |bencher| {
            bencher.iter(|| black_box(observed(&stage, &documents)));
        });
        // What was seen is sorted when it is merged, which takes longer than to see it.
        group.bench_function("line-template, merged", |bencher| {
            bencher.iter(|| {
                let stage =
                    LineTemplate::open(LineTemplateOptions::default()).expect("the options are valid");
                stage.merge(0, observed(&stage, &documents));
                black_box(stage)
            });
        });
        group.finish();
    }
}

criterion_group!(benches, observe);
criterion_main!(benches);
