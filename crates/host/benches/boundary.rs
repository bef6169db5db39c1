//! What the plugin boundary costs: a stage called directly through its trait, and the same stage called as the
//! runner calls it, over the C tables.
//!
//! ```sh
//! cargo bench -p tamis-host --bench boundary
//! ```
//!
//! Instruction counts do not depend on how busy the machine is. One of `direct` and `boundary`, a stage and a
//! number of passes run once, for `valgrind --tool=callgrind`; the difference between two numbers of passes
//! leaves out what is spent on preparing:
//!
//! ```sh
//! bench=$(cargo bench -p tamis-host --bench boundary --no-run --message-format short 2>&1 | grep -o 'target[^)]*')
//! valgrind --tool=callgrind --callgrind-out-file=/dev/null "$bench" boundary noop 100
//! ```
//!
//! # What was found
//!
//! Instructions a document, beyond a direct call (200 documents of 5 KB with six fields a call, x86-64):
//!
//! | stage | direct | boundary | more |
//! | --- | --- | --- | --- |
//! | `noop` | 53 | 111 | 58 |
//! | `light`, counts characters | 83,536 | 83,579 | 43 |
//! | `medium`, writes a new text and a field | 19,466 | 22,359 | 2,893 |
//!
//! The call itself is 58 instructions: 11.6 ns of processor time a document instead of 4.0 ns, 7.6 ns more.
//! 13 of them, and 1.8 ns, are the price of being able to name the document at which a stage hangs: one call of the
//! host with one store.
//! Metadata is asked for field by field, so a stage that reads none pays for none.
//! It was 269 instructions before two changes: the state of a document is allocated when something happens to
//! it and not before (it was 184 bytes a document, made and dropped), and the panic hook and its
//! thread-locals are looked after once a call and not once a document.
//! What a new text costs more is one copy into the host's memory with its allocation, three quarters of it in
//! `malloc`, `free` and `memcpy`: whoever allocates frees, so a text cannot be handed over.

use std::hint::black_box;

use criterion::{BatchSize, Criterion, Throughput, criterion_group};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tamis_document::{Document, Record, Verdict};
use tamis_plugin::{Draft, Extractor, Failure, Filter, NoOptions, Notes, SetupError, View};
use tamis_stage::handle::{Effects, OpenStage, TransformHandle};

/// As many documents as the runner hands to a stage at once: a block of about 1 MiB.
const BATCH: usize = 200;

/// Keeps everything and looks at nothing: what is left is the call.
struct Noop;

impl Filter for Noop {
    const NAME: &'static str = "noop";
    type Options = NoOptions;

    fn open(_: NoOptions) -> Result<Self, SetupError> {
        Ok(Self)
    }

    fn filter(&self, _: &View<'_>, _: &mut Notes) -> Result<Verdict, Failure> {
        Ok(Verdict::Keep)
    }
}

/// Counts the characters of a document.
struct Light;

impl Filter for Light {
    const NAME: &'static str = "light";
    type Options = LightOptions;

    fn open(_: LightOptions) -> Result<Self, SetupError> {
        Ok(Self)
    }

    fn filter(&self, document: &View<'_>, _: &mut Notes) -> Result<Verdict, Failure> {
        let is_empty = document.text().chars().filter(|c| !c.is_whitespace()).count() == 0;
        Ok(if is_empty { Verdict::Drop("empty".into()) } else { Verdict::Keep })
    }
}

/// Options with something in them.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct LightOptions {
    /// Not used.
    min_chars: usize,
}

/// Trims every line and writes a field: a new text for every document.
struct Medium;

impl Extractor for Medium {
    const NAME: &'static str = "medium";
    type Options = NoOptions;

    fn open(_: NoOptions) -> Result<Self, SetupError> {
        Ok(Self)
    }

    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        let mut text = String::with_capacity(draft.text().len());
        for line in draft.text().lines() {
            text.push_str(line.trim());
            text.push('\n');
        }
        draft.set_text(text);
        draft.set_metadata("trimmed", true);
        Ok(Verdict::Keep)
    }
}

mod plugin {
    use super::{Light, Medium, Noop};

    tamis_plugin::export_plugin! {
        filters: [Noop, Light],
        extractors: [Medium],
    }
}

/// Documents of about 5 KB with six fields of metadata.
fn records() -> Vec<Record> {
    let paragraph = "  读者来得很早，走得很晚。The library opened on Monday, and stayed open late. \n";
    let record = |n: usize| {
        let mut document = Document::new(format!("crawl/{n}"), paragraph.repeat(58));
        for name in ["author", "language", "published", "site", "title", "url"] {
            document.metadata.insert(name, format!("{name} of {n}"));
        }
        Record::from(document)
    };
    (0..BATCH).map(record).collect()
}

fn handle(name: &str) -> Box<dyn TransformHandle> {
    let stages = tamis_host::bundled(plugin::plugin()).expect("a sound descriptor");
    let factory = stages.iter().find(|stage| stage.info().name == name).expect("a stage of this plugin");
    match factory.open(&serde_json::json!({})).expect("default options") {
        OpenStage::Transform(handle) => handle,
        _ => unreachable!("all stages of this plugin are filters and extractors"),
    }
}

/// What a host without a boundary would do.
fn direct(name: &str, records: &mut [Record]) {
    match name {
        "noop" => filter(&Noop, records),
        "light" => filter(&Light, records),
        _ => extract(&Medium, records),
    }
}

fn filter(stage: &dyn DirectFilter, records: &mut [Record]) {
    let mut notes = Notes::default();
    for record in records {
        notes.clear();
        let verdict = stage.judge(&View::from(&record.document), &mut notes);
        black_box(&verdict);
    }
}

/// Behind `dyn`, as any host would hold its stages.
trait DirectFilter {
    fn judge(&self, document: &View<'_>, notes: &mut Notes) -> Result<Verdict, Failure>;
}

impl<T: Filter> DirectFilter for T {
    fn judge(&self, document: &View<'_>, notes: &mut Notes) -> Result<Verdict, Failure> {
        self.filter(document, notes)
    }
}

fn extract(stage: &Medium, records: &mut [Record]) {
    for record in records {
        let mut draft = Draft::new(View::from(&record.document));
        let verdict = stage.extract(&mut draft);
        black_box(&verdict);
        let (edits, _) = draft.finish();
        edits.apply(&mut record.document);
    }
}

fn boundary(criterion: &mut Criterion) {
    for name in ["noop", "light", "medium"] {
        let handle = handle(name);
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Elements(BATCH as u64));
        group.bench_function("direct", |bencher| {
            bencher.iter_batched_ref(records, |records| direct(name, records), BatchSize::LargeInput);
        });
        group.bench_function("boundary", |bencher| {
            let mut effects = Effects::default();
            bencher.iter_batched_ref(
                records,
                |records| handle.process(records, &mut effects),
                BatchSize::LargeInput,
            );
        });
        group.finish();
    }
}

criterion_group!(benches, boundary);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [way, name, passes] = arguments.as_slice() else {
        benches();
        Criterion::default().configure_from_args().final_summary();
        return;
    };
    let passes: usize = passes.parse().expect("a number of passes");
    let (mut records, handle, mut effects) = (records(), handle(name), Effects::default());
    for _ in 0..passes {
        match way.as_str() {
            "direct" => direct(name, &mut records),
            _ => handle.process(&mut records, &mut effects),
        }
    }
    black_box(&records);
}
