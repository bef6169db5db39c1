//! What `html-metadata` and `html-extract` make of pages, and what they cost: JSON Lines with `id` and `html` (and
//! perhaps `url`) on standard input, the same with what was made of them on standard output, and on standard error
//! how fast that was. For whoever makes the stages faster: the output of two builds must be the same.
//!
//! ```sh
//! cargo run --release -p tamis-pages --example html_stages -- 5 <pages.jsonl >made.jsonl
//! ```
//!
//! The number is how many rounds are measured (default 1), of which the best counts. Instructions by function, without
//! reading, writing and what is made once:
//!
//! ```sh
//! valgrind --tool=callgrind --toggle-collect='*::one_round' \
//!     target/release/examples/html_stages <pages.jsonl >made.jsonl
//! ```

use std::any::Any;
use std::cell::RefCell;
use std::error::Error;
use std::io::{BufRead as _, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use tamis_pages::{HtmlExtract, HtmlExtractOptions, HtmlMetadata, HtmlMetadataOptions};
use tamis_plugin::{Document, Draft, Extractor, Form, Lookup, Place, ValueRef, View};

/// Pages that are gone through before anything is measured, so that what is made once is there.
const N_WARM: usize = 20;

/// What a stage shares with the others of its library.
type Shared = Arc<dyn Any + Send + Sync>;

/// A document with what its stages share, as in a run.
struct Held {
    document: Document,
    attached: RefCell<Vec<(String, Shared)>>,
}

impl Lookup for Held {
    fn field(&self, name: &str) -> Option<ValueRef<'_>> {
        self.document.field(name)
    }

    fn field_at(&self, index: usize) -> Option<(&str, ValueRef<'_>)> {
        self.document.field_at(index)
    }

    fn origin(&self) -> Option<Place<'_>> {
        Lookup::origin(&self.document)
    }

    fn value(&self, key: &str) -> Option<Shared> {
        let attached = self.attached.borrow();
        attached.iter().find(|(known, _)| known == key).map(|(_, value)| Shared::clone(value))
    }

    fn attach_value(&self, key: &str, value: Shared, _bytes: usize) {
        self.attached.borrow_mut().push((key.to_owned(), value));
    }
}

impl Held {
    fn through(&mut self, stage: &impl Extractor) {
        let origin = &self.document.origin;
        let view = View::new(&self.document.id, &self.document.text, None, origin.ordinal, self);
        let mut draft = Draft::new(view.with_form(Some(Form::Markup)));
        // What fails is left as it is, as in a run.
        let _ = stage.extract(&mut draft);
        draft.finish().0.apply(&mut self.document);
    }
}

struct Stages {
    metadata: HtmlMetadata,
    extract: HtmlExtract,
}

/// Takes documents through both stages; a function of its own, so that a profiler finds it.
#[inline(never)]
fn one_round(stages: &Stages, documents: &mut [Held]) {
    for document in documents {
        document.through(&stages.metadata);
        document.through(&stages.extract);
    }
}

fn held(documents: &[Document]) -> Vec<Held> {
    documents.iter().map(|it| Held { document: it.clone(), attached: RefCell::default() }).collect()
}

fn read() -> Result<Vec<Document>, Box<dyn Error>> {
    let mut documents = Vec::new();
    for line in std::io::stdin().lock().lines() {
        let page: Value = serde_json::from_str(&line?)?;
        let field = |name: &str| page[name].as_str().unwrap_or_default();
        let mut document = Document::new(field("id"), field("html"));
        if let Some(url) = page["url"].as_str() {
            document.metadata.insert("url", url);
        }
        documents.push(document);
    }
    Ok(documents)
}

fn write(documents: &[Held]) -> Result<(), Box<dyn Error>> {
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for Held { document, .. } in documents {
        let mut fields = Map::new();
        for (name, value) in document.metadata.iter() {
            fields.insert(name.to_owned(), serde_json::to_value(value)?);
        }
        fields.insert("id".to_owned(), json!(document.id));
        fields.insert("text".to_owned(), json!(document.text));
        writeln!(out, "{}", Value::from(fields))?;
    }
    Ok(out.flush()?)
}

#[expect(clippy::print_stderr, reason = "what was measured, beside the output")]
fn main() -> Result<(), Box<dyn Error>> {
    let n_rounds: usize = std::env::args().nth(1).map_or(Ok(1), |it| it.parse())?;
    let stages = Stages {
        metadata: HtmlMetadata::open(HtmlMetadataOptions::default()).map_err(|error| error.to_string())?,
        extract: HtmlExtract::open(HtmlExtractOptions::default()).map_err(|error| error.to_string())?,
    };
    let documents = read()?;
    let n_bytes: usize = documents.iter().map(|document| document.text.len()).sum();
    for document in &mut held(documents.get(..N_WARM).unwrap_or(&documents)) {
        document.through(&stages.metadata);
        document.through(&stages.extract);
    }
    let mut best = Duration::MAX;
    let mut made = Vec::new();
    for _ in 0..n_rounds.max(1) {
        made = held(&documents);
        let start = Instant::now();
        one_round(&stages, &mut made);
        best = best.min(start.elapsed());
    }
    eprintln!(
        "{} pages, {n_bytes} bytes: {:.3} s, {:.1} MB/s",
        documents.len(),
        best.as_secs_f64(),
        n_bytes as f64 / 1e6 / best.as_secs_f64()
    );
    write(&made)
}
