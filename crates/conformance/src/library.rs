//! What every stage must do, whoever wrote it: the checks behind `tamis plugin check`.
//!
//! A stage is driven as the runner drives it, over the plugin boundary, with documents that break careless
//! code: no text, one byte, ten megabytes, every script, NUL characters, metadata of any type.
//! Nothing here panics; each check comes back as a [`CheckResult`].

mod corpus;
mod documents;
mod exporter;
mod file_reader;
mod options;
mod part_exporter;
mod reader;
mod transform;

use serde_json::json;
use tamis_document::{Fate, Record};
use tamis_stage::handle::OpenStage;
use tamis_stage::{Kind, StageFactory};

/// One check of one stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckResult {
    /// What the stage must do.
    pub name: &'static str,
    /// Whether it does.
    pub outcome: Outcome,
}

/// How a check went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// As it must.
    Pass,
    /// Not run, with the reason.
    Skip(String),
    /// Not as it must, with what happened and what to do.
    Fail(String),
}

impl From<Result<(), String>> for Outcome {
    fn from(result: Result<(), String>) -> Self {
        match result {
            Ok(()) => Self::Pass,
            Err(why) => Self::Fail(why),
        }
    }
}

/// Threads that use a stage at the same time.
const THREADS: usize = 4;

/// Checks one stage.
pub fn check(factory: &dyn StageFactory) -> Vec<CheckResult> {
    let mut results = Results(Vec::new());
    results.run("is described", || described(factory));
    options::check(factory, &mut results);
    let required = factory.info().options().into_iter().find(|option| option.required);
    if let Some(option) = required {
        let why = format!(
            "option `{}` must be given, so the stage cannot be opened with its defaults",
            option.name
        );
        results.0.push(CheckResult { name: "opens with its defaults", outcome: Outcome::Skip(why) });
        return results.0;
    }
    let opened = results.run("opens with its defaults", || open(factory));
    let second = results.run("opens a second time beside the first", || open(factory));
    if let (Some(first), Some(second)) = (opened, second) {
        match (first, second) {
            (OpenStage::Transform(first), OpenStage::Transform(second)) => {
                transform::check(factory.info(), &*first, &*second, &mut results);
            }
            (OpenStage::Reader(reader), _) if factory.info().flags.random_access => {
                file_reader::check(&*reader, &mut results);
            }
            (OpenStage::Exporter(exporter), _) if factory.info().flags.parts => {
                part_exporter::check(factory.info(), &*exporter, &mut results);
            }
            (OpenStage::Reader(reader), _) => reader::check(factory.info(), &*reader, &mut results),
            (OpenStage::Exporter(exporter), _) => exporter::check(factory.info(), &*exporter, &mut results),
            (OpenStage::Corpus(_), _) => corpus::check(factory, &mut results),
            (OpenStage::Transform(_), _) => {}
        }
    }
    results.0
}

/// Results so far.
pub(crate) struct Results(Vec<CheckResult>);

impl Results {
    /// Runs a check that yields something on success.
    fn run<T>(&mut self, name: &'static str, check: impl FnOnce() -> Result<T, String>) -> Option<T> {
        let (value, outcome) = match check() {
            Ok(value) => (Some(value), Outcome::Pass),
            Err(why) => (None, Outcome::Fail(why)),
        };
        self.0.push(CheckResult { name, outcome });
        value
    }
}

fn open(factory: &dyn StageFactory) -> Result<OpenStage, String> {
    factory.open(&json!({})).map_err(|error| format!("it did not open: {error}"))
}

fn described(factory: &dyn StageFactory) -> Result<(), String> {
    let info = factory.info();
    if info.summary.trim().is_empty() {
        return Err("it has no summary: say in one sentence what it does".to_owned());
    }
    let undocumented = info.options().into_iter().find(|option| option.help.trim().is_empty());
    match undocumented {
        Some(option) => Err(format!("option `{}` has no description", option.name)),
        None if info.kind == Kind::Exporter || info.kind == Kind::Reader || !info.reads.is_empty() => Ok(()),
        None => Err("it does not say which fields it reads".to_owned()),
    }
}

/// Whether a message tells of a mistake in the stage, and not of a document or an option that it refuses.
pub(crate) fn is_mistake(message: &str) -> bool {
    ["panicked", "broke the plugin contract", "without saying why"]
        .iter()
        .any(|words| message.contains(words))
}

/// The records that failed: their ids, and why.
pub(crate) fn failures(records: &[Record]) -> impl Iterator<Item = (&str, &str)> {
    records.iter().filter_map(|record| match &record.fate {
        Fate::Failed(reason) => Some((record.document.id.as_str(), reason.as_ref())),
        Fate::Kept | Fate::Dropped(_) => None,
    })
}

/// Runs a check on several threads at once; the first that fails speaks.
pub(crate) fn on_threads(check: impl Fn() -> Result<(), String> + Sync) -> Result<(), String> {
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..THREADS).map(|_| scope.spawn(&check)).collect();
        workers
            .into_iter()
            .try_for_each(|worker| worker.join().map_err(|_| "a thread panicked".to_owned())?)
    })
}
