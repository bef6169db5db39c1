//! The stages of `config/flattened.toml` of this crate, called one after the other as a run calls them and nothing
//! else: JSON Lines with `id` and `text` (or `raw`) in files, on standard output what became of each document.
//!
//! `cargo run --release -p tamis-extractors --example flattened_stages -- PAGES.jsonl >out.jsonl` compares output;
//! `--only boilerplate,repair-text` calls these stages alone; `--silent` leaves it out, `--rounds N` goes through all documents N times, for time, and says what each stage took.
//! For instructions, of which a round without the opening of the stages and the filling of tables counts:
//!
//! `valgrind --tool=callgrind --toggle-collect='*measured*' target/release/examples/flattened_stages --silent PAGES.jsonl`,
//! and `callgrind_annotate --inclusive=yes`: the row `measured_boilerplate`, divided by the bytes, is what that stage takes.

#![expect(clippy::print_stderr, reason = "it is a program, and its output may be documents")]

use std::cell::OnceCell;
use std::io::{BufRead as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use serde_json::{Map, Value, json};
use tamis_extractors::{
    Boilerplate, BoilerplateOptions, Metadata, MetadataOptions, NewspaperPage, NewspaperPageOptions,
    PublishedDate, PublishedDateOptions, RecoverParagraphs, RecoverParagraphsOptions, RepairText,
    RepairTextOptions, SiteRules, SiteRulesOptions, Unwrap, UnwrapOptions,
};
use tamis_plugin::{BatchExtractor, Document, Draft, Edits, Lookup, Place, ValueRef, Verdict, View};

type Failed = Box<dyn std::error::Error>;

/// What a stage makes of a document; tells whether it is kept.
trait Step {
    fn name(&self) -> &'static str;
    /// Forgets what a worker remembers.
    fn forget(&mut self);
    fn warm_up(&mut self, document: &mut Held) -> Result<bool, Failed>;
    fn pass(&mut self, document: &mut Held) -> Result<bool, Failed>;
}

/// A document, and what stages have attached to its text, as a run holds them.
struct Held {
    document: Document,
    flat: Flat,
}

/// Name, version and bytes of each layout, in the order in which they came.
type Flat = [OnceCell<(String, u64, Vec<u8>)>; 4];

impl Held {
    fn new(document: &Document) -> Self {
        Self { document: document.clone(), flat: Flat::default() }
    }

    fn view(&self) -> View<'_> {
        let Document { id, text, raw, origin, .. } = &self.document;
        View::new(id, text, raw.as_deref(), origin.ordinal, self).with_form(self.document.form)
    }

    /// What was attached to a text that is another now is gone.
    fn apply(&mut self, edits: Edits) {
        if edits.text.is_some() {
            self.flat = Flat::default();
        }
        for (name, version, bytes) in &edits.attachments {
            self.attach(name, *version, bytes);
        }
        edits.apply(&mut self.document);
    }
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

    fn flat(&self, name: &str, version: u64) -> Option<&[u8]> {
        let mut all = self.flat.iter().filter_map(OnceCell::get);
        all.find(|(of, in_version, _)| of == name && *in_version == version).map(|(_, _, bytes)| &**bytes)
    }

    fn attach(&self, name: &str, version: u64, bytes: &[u8]) {
        if let Some(free) = self.flat.iter().find(|place| place.get().is_none()) {
            free.get_or_init(|| (name.to_owned(), version, bytes.to_owned()));
        }
    }
}

struct Opened<S: BatchExtractor> {
    stage: S,
    local: S::Local,
    measured: Measured<S>,
}

type Measured<S> = fn(&mut Opened<S>, &Held) -> Result<(Verdict, Edits), Failed>;

fn open<S: BatchExtractor>(measured: Measured<S>, options: S::Options) -> Result<Box<dyn Step>, Failed> {
    let stage = S::open(options).map_err(|error| error.to_string())?;
    Ok(Box::new(Opened { stage, local: S::Local::default(), measured }))
}

fn apply(verdict: &Verdict, edits: Edits, document: &mut Held) -> bool {
    document.apply(edits);
    matches!(verdict, Verdict::Keep)
}

/// Functions that a profile tells apart by their names: what is counted is the call of a stage, and nothing around it.
macro_rules! measured {
    ($($name:ident $stage:ident)+) => {
        $(#[inline(never)]
        fn $name(it: &mut Opened<$stage>, document: &Held) -> Result<(Verdict, Edits), Failed> {
            called(it, document)
        })+
    };
}

measured! {
    measured_unwrap Unwrap
    measured_site_rules SiteRules
    measured_newspaper_page NewspaperPage
    measured_metadata Metadata
    measured_boilerplate Boilerplate
    measured_recover_paragraphs RecoverParagraphs
    measured_repair_text RepairText
    measured_published_date PublishedDate
}

#[inline]
fn called<S: BatchExtractor>(it: &mut Opened<S>, document: &Held) -> Result<(Verdict, Edits), Failed> {
    let mut draft = Draft::new(document.view());
    let verdict = it.stage.extract_one(&mut it.local, &mut draft).map_err(|failure| failure.to_string())?;
    Ok((verdict, draft.finish().0))
}

impl<S: BatchExtractor> Step for Opened<S> {
    fn name(&self) -> &'static str {
        S::NAME
    }

    fn forget(&mut self) {
        self.local = S::Local::default();
    }

    fn warm_up(&mut self, document: &mut Held) -> Result<bool, Failed> {
        let (verdict, edits) = called(self, document)?;
        Ok(apply(&verdict, edits, document))
    }

    fn pass(&mut self, document: &mut Held) -> Result<bool, Failed> {
        let (verdict, edits) = (self.measured)(self, document)?;
        Ok(apply(&verdict, edits, document))
    }
}

/// The rule files of the shipped pipeline, in its order.
fn rules() -> Result<Vec<PathBuf>, Failed> {
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../config");
    let pipeline: toml::Table = toml::from_str(&std::fs::read_to_string(config.join("flattened.toml"))?)?;
    let stages = pipeline["stage"].as_array().ok_or("the pipeline has no stages")?;
    let rules = stages.iter().find_map(|stage| stage.get("rules")?.as_array()).ok_or("no stage has rules")?;
    Ok(rules.iter().filter_map(|file| Some(config.join(file.as_str()?))).collect())
}

fn steps() -> Result<Vec<Box<dyn Step>>, Failed> {
    let rules = SiteRulesOptions { rules: rules()?, ..SiteRulesOptions::default() };
    let dates = PublishedDateOptions { labelled: false, ..PublishedDateOptions::default() };
    Ok(vec![
        open(measured_unwrap, UnwrapOptions::default())?,
        open(measured_site_rules, rules)?,
        open(measured_newspaper_page, NewspaperPageOptions::default())?,
        open(measured_metadata, MetadataOptions::default())?,
        open(measured_boilerplate, BoilerplateOptions::default())?,
        open(measured_recover_paragraphs, RecoverParagraphsOptions::default())?,
        open(measured_repair_text, RepairTextOptions::default())?,
        open(measured_published_date, dates)?,
    ])
}

fn read(files: &[String]) -> Result<Vec<Document>, Failed> {
    let mut documents = Vec::new();
    for file in files {
        let lines = std::io::BufReader::new(std::fs::File::open(file)?).lines();
        for line in lines {
            let page: Value = serde_json::from_str(&line?)?;
            let field = |name: &str| page[name].as_str();
            let text = field("text").or_else(|| field("raw")).unwrap_or_default();
            documents.push(Document::new(field("id").unwrap_or_default(), text));
        }
    }
    Ok(documents)
}

/// A document behind all stages, or behind the one that dropped it.
fn written(document: &Document, dropped_by: Option<&str>) -> Result<Value, Failed> {
    let mut fields = Map::new();
    for (name, value) in document.metadata.iter() {
        fields.insert(name.to_owned(), serde_json::to_value(value)?);
    }
    Ok(json!({ "id": document.id, "text": document.text, "metadata": fields, "dropped_by": dropped_by }))
}

fn main() -> Result<(), Failed> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let silent = arguments.iter().position(|it| it == "--silent").map(|at| arguments.remove(at)).is_some();
    let mut n_rounds = 1;
    if let Some(at) = arguments.iter().position(|it| it == "--rounds") {
        n_rounds = arguments.get(at + 1).ok_or("how many rounds?")?.parse()?;
        arguments.drain(at..at + 2);
    }
    let mut steps = steps()?;
    if let Some(at) = arguments.iter().position(|it| it == "--only") {
        let only = arguments.get(at + 1).ok_or("which stages?")?.clone();
        steps.retain(|step| only.split(',').any(|name| name == step.name()));
        arguments.drain(at..at + 2);
    }
    let documents = read(&arguments)?;
    let n_bytes: usize = documents.iter().map(|document| document.text.len()).sum();
    // Rules are compiled when a page first asks for them, and tables filled.
    for document in &documents {
        let mut document = Held::new(document);
        for step in &mut steps {
            if !step.warm_up(&mut document)? {
                break;
            }
        }
    }
    for step in &mut steps {
        step.forget();
    }
    let mut times = vec![Duration::ZERO; steps.len()];
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    for round in 0..n_rounds {
        for document in &documents {
            let mut document = Held::new(document);
            let mut dropped_by = None;
            for (step, time) in steps.iter_mut().zip(&mut times) {
                let begin = Instant::now();
                let keeps = step.pass(&mut document)?;
                *time += begin.elapsed();
                if !keeps {
                    dropped_by = Some(step.name());
                    break;
                }
            }
            if round == 0 && !silent {
                writeln!(out, "{}", written(&document.document, dropped_by)?)?;
            }
        }
        for step in &mut steps {
            step.forget();
        }
    }
    let n_bytes = n_bytes * n_rounds;
    eprintln!("{n_bytes} bytes of {} documents", documents.len() * n_rounds);
    for (step, time) in steps.iter().zip(&times) {
        eprintln!("{:20} {:8.2} ns a byte", step.name(), time.as_secs_f64() * 1e9 / n_bytes as f64);
    }
    let all: Duration = times.iter().sum();
    let seconds = all.as_secs_f64();
    eprintln!(
        "{:20} {:8.2} ns a byte, {:.1} MB/s",
        "all",
        seconds * 1e9 / n_bytes as f64,
        n_bytes as f64 / seconds / 1e6
    );
    Ok(())
}
