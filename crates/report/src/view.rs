//! What the page shows, in the order in which it shows it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;
use tamis_runner::{Example, FateCounts, Manifest, StageTally, Tally};
use tamis_stage::handle::WRONG_FORM;
use tamis_stage::{MeasureInfo, Registry, Sketch, StageInfo};

use crate::flow::{self, Step};
use crate::histogram::{self, Line};
use crate::near::Near;
use crate::numbers::{count, share, size, value};
use crate::samples::{Sample, Samples};
use crate::times::Times;
use crate::timing::{Skew, Timing};

/// A run.
#[derive(Serialize)]
pub(crate) struct View {
    pipeline: String,
    tamis: String,
    complete: bool,
    /// The numbers at the top: name, number, share of what was read.
    totals: Vec<(&'static str, String, String)>,
    input: String,
    /// The picture of the flow, as SVG.
    flow: String,
    languages: Vec<Group>,
    /// How many languages there are, where not all have a row.
    n_languages: Option<String>,
    sites: Vec<Group>,
    /// How many records are of sites without a row, where not all have one.
    n_other_sites: Option<String>,
    timing: Option<Timing>,
    skew: Option<Skew>,
    stages: Vec<StageView>,
    failures: Vec<Failure>,
    unread: Vec<Failure>,
    n_unread: String,
    exports: Vec<Written>,
}

/// What happened at one stage.
#[derive(Serialize)]
struct StageView {
    id: String,
    stage: String,
    summary: String,
    seen: String,
    dropped: String,
    reasons: Vec<Reason>,
    measures: Vec<Measure>,
    counts: Vec<(String, String)>,
    silent: Vec<String>,
}

/// Why records were dropped at a stage.
#[derive(Serialize)]
struct Reason {
    name: String,
    n: String,
    share: String,
    samples: Vec<Sample>,
}

/// How a measure is spread.
#[derive(Serialize)]
struct Measure {
    name: String,
    unit: String,
    summary: String,
    n: String,
    /// The picture, as SVG.
    histogram: String,
    /// Some quantiles: name and value.
    quantiles: Vec<(&'static str, String)>,
    near: Vec<NearMisses>,
}

/// Records that were kept and came near a limit.
#[derive(Serialize)]
struct NearMisses {
    /// `at least 100`.
    limit: String,
    /// The id of each, and its value.
    records: Vec<(String, String)>,
}

/// What became of the records in a language, or of a site.
#[derive(Serialize)]
struct Group {
    name: String,
    n: String,
    kept: String,
    dropped: String,
    failed: String,
    share: String,
}

/// Records or files that failed.
#[derive(Serialize)]
struct Failure {
    place: String,
    n: String,
    message: String,
    example: String,
}

/// What an export wrote.
#[derive(Serialize)]
struct Written {
    id: String,
    from: String,
    folder: String,
    records: String,
    files: String,
}

/// A stage of the plan, as the manifest holds it.
struct Planned<'a> {
    id: String,
    name: String,
    options: &'a Value,
}

/// What was looked up for the page, beside the manifest.
pub(crate) struct Seen {
    pub(crate) samples: Samples,
    pub(crate) near: Near,
    pub(crate) times: Option<Times>,
    pub(crate) skew: Option<Skew>,
}

impl View {
    pub(crate) fn of(manifest: &Manifest, registry: &Registry, mut seen: Seen) -> Self {
        let tally = &manifest.tally;
        let planned = planned(&manifest.resolved.plan);
        let none = StageTally::default();
        let of = |id: &str| tally.stages.get(&format!("stage.{id}")).unwrap_or(&none);
        let steps: Vec<Step<'_>> = planned
            .iter()
            .map(|stage| {
                let StageTally { seen, failed, .. } = *of(&stage.id);
                Step { name: &stage.id, seen, dropped: of(&stage.id).dropped.values().sum(), failed }
            })
            .collect();
        let stages =
            planned.iter().map(|stage| stage_view(stage, of(&stage.id), registry, &mut seen)).collect();
        Self {
            pipeline: manifest.pipeline.clone(),
            tamis: manifest.tamis.clone(),
            complete: manifest.complete,
            totals: totals(tally),
            input: input(manifest),
            flow: flow::draw(&steps, tally.kept),
            languages: groups(&tally.languages, MOST_LANGUAGES),
            n_languages: (tally.languages.len() > MOST_LANGUAGES)
                .then(|| count(tally.languages.len() as u64)),
            sites: groups(&tally.sites.named, MOST_SITES),
            n_other_sites: other_sites(tally),
            timing: seen.times.as_ref().map(|times| Timing::of(manifest, times)),
            skew: seen.skew,
            stages,
            failures: failures(tally),
            unread: tally.unread.first.iter().map(|example| failure("", 1, example)).collect(),
            n_unread: count(tally.unread.n),
            exports: exports(manifest),
        }
    }
}

/// The stages of a plan, in order.
fn planned(plan: &Value) -> Vec<Planned<'_>> {
    let stages = plan.get("stages").and_then(Value::as_array).into_iter().flatten();
    let stage = |it: &'_ Value| {
        let word = |key| it.get(key).and_then(Value::as_str);
        Some((word("id")?.to_owned(), word("use")?.to_owned()))
    };
    stages
        .filter_map(|it| {
            let (id, name) = stage(it)?;
            Some(Planned { id, name, options: it.get("options").unwrap_or(&Value::Null) })
        })
        .collect()
}

fn totals(tally: &Tally) -> Vec<(&'static str, String, String)> {
    let all = tally.read + tally.split;
    let of = |name, n| (name, count(n), share(n, all));
    let mut totals = vec![("read", count(tally.read), String::new())];
    if tally.split > 0 {
        totals.push(("split off", count(tally.split), String::new()));
    }
    totals.extend([of("kept", tally.kept), of("dropped", tally.dropped), of("failed", tally.failed)]);
    totals
}

/// So many languages have a row, the most frequent ones.
const MOST_LANGUAGES: usize = 20;

/// So many sites have a row, the largest ones.
const MOST_SITES: usize = 25;

/// The largest groups of records.
fn groups(counts: &BTreeMap<String, FateCounts>, most: usize) -> Vec<Group> {
    largest(counts)
        .into_iter()
        .take(most)
        .map(|(name, it)| Group {
            name: name.clone(),
            n: count(it.n()),
            kept: count(it.kept),
            dropped: count(it.dropped),
            failed: count(it.failed),
            share: share(it.kept, it.n()),
        })
        .collect()
}

fn largest(counts: &BTreeMap<String, FateCounts>) -> Vec<(&String, &FateCounts)> {
    let mut groups: Vec<(&String, &FateCounts)> = counts.iter().collect();
    groups.sort_by_key(|(name, it)| (std::cmp::Reverse(it.n()), *name));
    groups
}

fn other_sites(tally: &Tally) -> Option<String> {
    let unshown = largest(&tally.sites.named).into_iter().skip(MOST_SITES).map(|(_, it)| it.n());
    let n = unshown.sum::<u64>() + tally.sites.others.n();
    (n > 0).then(|| count(n))
}

fn input(manifest: &Manifest) -> String {
    let input = &manifest.tally.input;
    let files = if manifest.input_files == 1 { "file" } else { "files" };
    let mut text = format!("{} {files}, {}", count(manifest.input_files), size(manifest.input_bytes));
    if input.files_failed > 0 {
        text += &format!("; {} of them not read, or not to the end", count(input.files_failed));
    }
    if input.bytes_failed > 0 {
        text += &format!(" ({} written off)", size(input.bytes_failed));
    }
    text
}

fn stage_view(stage: &Planned<'_>, tally: &StageTally, registry: &Registry, seen: &mut Seen) -> StageView {
    let info = registry
        .iter()
        .map(|factory| factory.info())
        .find(|info| info.name == stage.name && info.kind.table() == "stage");
    let dropped: u64 = tally.dropped.values().sum();
    let mut reasons: Vec<(&String, &u64)> = tally.dropped.iter().collect();
    reasons.sort_by_key(|(name, n)| (std::cmp::Reverse(**n), *name));
    let reasons = reasons
        .into_iter()
        .map(|(name, n)| Reason {
            name: name.clone(),
            n: count(*n),
            share: share(*n, tally.seen),
            samples: seen.samples.remove(&(stage.id.clone(), name.clone())).unwrap_or_default(),
        })
        .collect();
    let measures = tally
        .measures
        .iter()
        .filter_map(|(name, sketch)| measure(name, sketch, info, stage.options, &seen.near));
    StageView {
        id: stage.id.clone(),
        stage: if stage.name == stage.id { String::new() } else { stage.name.clone() },
        summary: info.map(|info| info.summary.clone()).unwrap_or_default(),
        seen: count(tally.seen),
        dropped: if dropped > 0 {
            format!("{} ({})", count(dropped), share(dropped, tally.seen))
        } else {
            String::new()
        },
        reasons,
        measures: measures.collect(),
        counts: tally.counts.iter().map(|(name, n)| (counter(name), count(*n))).collect(),
        silent: tally.silent.clone(),
    }
}

fn measure(
    name: &str,
    sketch: &Sketch,
    info: Option<&StageInfo>,
    options: &Value,
    near: &Near,
) -> Option<Measure> {
    let declared = info.and_then(|info| info.measures.iter().find(|measure| stands_for(measure, name)));
    let mut lines: Vec<Line> = match (declared, info) {
        (Some(declared), Some(info)) => [&declared.min_option, &declared.max_option]
            .into_iter()
            .filter_map(|option| limit(option, options, &info.schema))
            .collect(),
        _ => Vec::new(),
    };
    if lines.is_empty() {
        lines = noted_limits(name, near);
    }
    let quantile = |(name, share)| Some((name, value(sketch.quantile(share)?)));
    let quantiles = [("least", 0.0), ("5 %", 0.05), ("half", 0.5), ("95 %", 0.95), ("most", 1.0)];
    Some(Measure {
        name: name.to_owned(),
        unit: declared.map(|declared| declared.unit.to_string()).unwrap_or_default(),
        summary: declared.map(|declared| declared.summary.to_string()).unwrap_or_default(),
        n: count(sketch.n()),
        histogram: histogram::draw(name, sketch, &lines)?,
        quantiles: quantiles.into_iter().filter_map(quantile).collect(),
        near: [false, true].into_iter().filter_map(|is_max| near_misses(name, is_max, near)).collect(),
    })
}

/// The limits that records were held to, where they are no options: those of a rule file.
fn noted_limits(name: &str, near: &Near) -> Vec<Line> {
    let mut lines = Vec::new();
    for (is_max, side) in [(false, "at least"), (true, "at most")] {
        let limits = near.get(&(name.to_owned(), is_max)).map(|side| side.limits.as_slice());
        lines.extend(limits.into_iter().flatten().map(|at| Line { option: side.to_owned(), at: *at }));
    }
    lines
}

fn near_misses(name: &str, is_max: bool, near: &Near) -> Option<NearMisses> {
    let misses = &near.get(&(name.to_owned(), is_max))?.misses;
    let side = if is_max { "at most" } else { "at least" };
    let limit = format!("{side} {}", value(misses.first()?.limit));
    let records = misses.iter().map(|miss| (miss.id.clone(), value(miss.value))).collect();
    Some(NearMisses { limit, records })
}

fn stands_for(measure: &MeasureInfo, name: &str) -> bool {
    match measure.name.strip_suffix('*') {
        Some(family) => name.starts_with(family),
        None => measure.name == name,
    }
}

/// Where the limit of an option is, as given or by default; none where that is no number.
fn limit(option: &str, options: &Value, schema: &Value) -> Option<Line> {
    let default = || schema.get("properties")?.get(option)?.get("default");
    // A dot leads into a table.
    let given = options.pointer(&format!("/{}", option.replace('.', "/")));
    let at = given.or_else(default)?.as_f64()?;
    // Nobody sets the greatest number there is: it stands for no limit.
    (!option.is_empty() && at.abs() < 1e15).then(|| Line { option: option.to_owned(), at })
}

/// What a stage has counted, in words.
pub fn counter(name: &str) -> String {
    match name.strip_prefix(WRONG_FORM) {
        Some("markup") => "came as markup, on which it does not work".to_owned(),
        Some(form) => format!("came as {form} text, on which it does not work"),
        None => name.replace('_', " "),
    }
}

fn failures(tally: &Tally) -> Vec<Failure> {
    let mut failures = BTreeMap::new();
    for (key, stage) in &tally.stages {
        for reason in stage.reasons.list() {
            let shown =
                failure(key.split_once('.').map_or(key.as_str(), |(_, id)| id), reason.n, &reason.example);
            failures.insert((std::cmp::Reverse(reason.n), key.clone(), reason.form), shown);
        }
    }
    failures.into_values().take(MOST_FAILURES).collect()
}

/// So many reasons of failures are shown; the manifest has more.
const MOST_FAILURES: usize = 30;

fn failure(place: &str, n: u64, example: &Example) -> Failure {
    let id = if example.id.is_empty() { &example.file } else { &example.id };
    Failure { place: place.to_owned(), n: count(n), message: example.message.clone(), example: id.clone() }
}

fn exports(manifest: &Manifest) -> Vec<Written> {
    let export = |export: &tamis_runner::ExportManifest| Written {
        id: export.id.clone(),
        from: export.from.clone(),
        folder: if export.folder.as_os_str().is_empty() {
            ".".into()
        } else {
            export.folder.display().to_string()
        },
        records: count(export.records),
        files: count(export.n_files()),
    };
    manifest.exports.iter().map(export).collect()
}
