//! `tamis plan --resolve`: puts numbers in the place of options that stages choose by a sample.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context as _, bail};
use tamis_document::Record;
use tamis_runner::{Event, Finish, Interest, Observer, Settings};
use tamis_stage::handle::OpenStage;
use tamis_stage::keyed::Choice;

use crate::Exit;
use crate::args::PlanArgs;
use crate::context::{Context, Planned, logged_run};
use crate::output::{self, print_line};
use crate::summary;

/// So many documents are looked at: the first of the collection.
const SAMPLE: u64 = 2000;

/// What a sample of a collection is.
struct Sample {
    /// The texts as they come to the stage.
    texts: Vec<String>,
    /// How many documents come to it in a whole run, about.
    n_documents: u64,
}

pub(crate) fn resolve(context: &Context, args: &PlanArgs, out: &Path) -> anyhow::Result<Exit> {
    let planned = match context.plan(&args.pipeline, &args.places) {
        Ok(planned) => planned,
        Err(diagnostics) => {
            output::diagnostics(&diagnostics);
            return Ok(Exit::Setup);
        }
    };
    let opened = planned.open(&logged_run())?;
    let mut chosen = BTreeMap::new();
    for stage in &opened.stages {
        let OpenStage::Corpus(handle) = &stage.handle else { continue };
        if !handle.resolves() {
            continue;
        }
        let sample = sample(&planned, &stage.id)?;
        let choices = handle.resolve(&sample.texts, sample.n_documents);
        let choices = choices.map_err(|failure| anyhow::anyhow!("stage `{}`: {failure}", stage.id))?;
        for choice in &choices {
            print_line(format_args!("{}: {}", stage.id, choice.note));
        }
        chosen.insert(stage.id.clone(), choices);
    }
    if chosen.is_empty() {
        bail!(
            "no option of this pipeline is to be chosen by a sample, such as `bands = \"auto\"` of `dedup-near`"
        );
    }
    std::fs::write(out, pipeline(&args.pipeline.pipeline, out, &chosen)?)
        .with_context(|| format!("cannot write `{}`", out.display()))?;
    print_line(format_args!("written to {}: run that one, in all shards", summary::shown(out)));
    Ok(Exit::Done)
}

/// The pipeline that takes over the other one, and gives the options their values.
fn pipeline(base: &Path, out: &Path, chosen: &BTreeMap<String, Vec<Choice>>) -> anyhow::Result<String> {
    let (base, out) = (std::path::absolute(base)?, std::path::absolute(out)?);
    // Side by side they can be moved together.
    let beside = base.file_name().map(Path::new).filter(|_| base.parent() == out.parent());
    let base = beside.unwrap_or(&base);
    let base = base.to_str().context("the path of the pipeline is no Unicode")?;
    let quoted = |text: &str| serde_json::to_string(text);
    let mut text = format!("# What `tamis plan --resolve` chose by a sample.\nextends = {}\n", quoted(base)?);
    for (stage, choices) in chosen {
        write!(text, "\n[[stage]]\nid = {}\n", quoted(stage)?)?;
        for Choice { option, value, note } in choices {
            write!(text, "# {note}\n{option} = {}\n", quoted(value)?)?;
        }
    }
    Ok(text)
}

/// The first documents as they come to a stage.
fn sample(planned: &Planned, stage: &str) -> anyhow::Result<Sample> {
    let plan = &planned.plan;
    let ids = plan.stages.iter().map(|stage| stage.id.clone());
    let seen = Seen { before: ids.take_while(|id| id != stage).collect(), documents: Mutex::default() };
    let scratch = tempfile::tempdir()?;
    let settings = Settings {
        dry_run: true,
        limit: Some(SAMPLE),
        scratch: Some(scratch.path().to_owned()),
        ..Settings::default()
    };
    let report = tamis_runner::run(planned.open(&logged_run())?, &settings, &seen)?;
    debug_assert_eq!(report.finish, Finish::Dry);
    let documents = seen.documents.into_inner().unwrap_or_else(PoisonError::into_inner);
    let n_read = documents.len() as u64;
    let n_bytes: usize = documents.values().map(|document| document.entered).sum();
    let texts: Vec<String> = documents.into_values().filter_map(|document| document.text).collect();
    // Of a collection that was not read to its end the size tells about how many there are. What is compressed or has
    // markup around it has more bytes than texts, or fewer.
    let n_all = match report.manifest.input_bytes {
        bytes if n_read >= SAMPLE => (bytes as f64 * n_read as f64 / (n_bytes.max(1) as f64)) as u64,
        _ => n_read,
    };
    let share = texts.len() as f64 / n_read.max(1) as f64;
    Ok(Sample { n_documents: (n_all.max(n_read) as f64 * share) as u64, texts })
}

/// Keeps documents as they are before a stage.
struct Seen {
    before: Vec<String>,
    documents: Mutex<BTreeMap<u128, Document>>,
}

#[derive(Default)]
struct Document {
    /// Bytes of its text and markup when it came in.
    entered: usize,
    /// Nothing of one that does not come so far.
    text: Option<String>,
}

impl Seen {
    fn note(&self, record: &Record, entered: usize) {
        let mut documents = self.documents.lock().unwrap_or_else(PoisonError::into_inner);
        let document = documents.entry(record.position).or_default();
        document.entered = document.entered.max(entered);
        document.text = record.is_kept().then(|| record.document.text.clone());
    }
}

impl Observer for Seen {
    fn interest(&self) -> Interest {
        Interest::DOCUMENTS
    }

    fn event(&self, event: &Event<'_>) {
        match event {
            // A document that was put aside enters again, further on.
            Event::Entered { record } => {
                let document = &record.document;
                let bytes = document.text.len() + document.raw.as_ref().map_or(0, Vec::len);
                let is_known = |seen: &Self| {
                    let documents = seen.documents.lock().unwrap_or_else(PoisonError::into_inner);
                    documents.contains_key(&record.position)
                };
                if !is_known(self) {
                    self.note(record, bytes);
                }
            }
            Event::Stage { stage, after, .. } if self.before.iter().any(|id| id == stage) => {
                self.note(after, 0);
            }
            _ => {}
        }
    }
}
