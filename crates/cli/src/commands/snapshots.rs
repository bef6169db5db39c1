//! `tamis test --snapshots FOLDER`: what a pipeline makes of some files, compared with what it made of them before.
//!
//! Beside each file lies what came of it, as text that people read and version control compares: `page.html` and
//! `page.html.snap`.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tamis_config::Diagnostics;
use tamis_document::{Fate, Record};
use tamis_report::explain::difference;

use crate::args::{PlaceArgs, TestArgs};
use crate::context::{Context, logged_run};
use crate::explained;
use crate::output::{self, BAD, GOOD, print_line, styled};

const ENDING: &str = "snap";
/// More records than this are no sample that anybody reads.
const MOST_RECORDS: usize = 1000;

/// How many files came out as they did before, and how many otherwise.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) passed: usize,
    pub(crate) failed: usize,
}

/// Compares, or writes with `--accept` what there is to compare with from now on.
pub(crate) fn run(
    context: &Context,
    args: &TestArgs,
    folder: &Path,
) -> anyhow::Result<Result<Counts, Diagnostics>> {
    let (files, mut orphans) = listed(folder)?;
    if files.is_empty() {
        anyhow::bail!("`{}` holds no file", folder.display());
    }
    let mut counts = Counts::default();
    for file in &files {
        let now = match outcome(context, args, file)? {
            Ok(now) => now,
            Err(diagnostics) => return Ok(Err(diagnostics)),
        };
        let snapshot = beside(file);
        orphans.remove(&snapshot);
        let before = match std::fs::read_to_string(&snapshot) {
            Ok(before) => Some(before),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(error).context(format!("cannot read `{}`", snapshot.display())),
        };
        compare(args.accept, file, before.as_deref(), &now, &mut counts)?;
    }
    for orphan in orphans {
        if args.accept {
            std::fs::remove_file(&orphan).with_context(|| format!("cannot remove `{}`", orphan.display()))?;
            print_line(format_args!("{} {}", styled(GOOD, "gone"), orphan.display()));
        } else {
            counts.failed += 1;
            print_line(format_args!("{} {}: its file is gone", styled(BAD, "fail"), orphan.display()));
        }
    }
    Ok(Ok(counts))
}

/// The files of a folder, by name, and the snapshots in it.
fn listed(folder: &Path) -> anyhow::Result<(Vec<PathBuf>, BTreeSet<PathBuf>)> {
    let entries = std::fs::read_dir(folder).with_context(|| format!("cannot read `{}`", folder.display()))?;
    let (mut files, mut snapshots) = (Vec::new(), BTreeSet::new());
    for entry in entries {
        let path = entry.with_context(|| format!("cannot read `{}`", folder.display()))?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if path.is_dir() || is_hidden {
            continue;
        }
        if path.extension().is_some_and(|ending| ending == ENDING) {
            snapshots.insert(path);
        } else {
            files.push(path);
        }
    }
    files.sort();
    Ok((files, snapshots))
}

fn beside(file: &Path) -> PathBuf {
    let mut name = file.file_name().unwrap_or_default().to_os_string();
    name.push(".");
    name.push(ENDING);
    file.with_file_name(name)
}

fn compare(
    accepts: bool,
    file: &Path,
    before: Option<&str>,
    now: &str,
    counts: &mut Counts,
) -> anyhow::Result<()> {
    if before == Some(now) {
        counts.passed += 1;
        print_line(format_args!("{} {}", styled(GOOD, "pass"), file.display()));
        return Ok(());
    }
    let what = if before.is_some() { "differs" } else { "new" };
    if accepts {
        let snapshot = beside(file);
        std::fs::write(&snapshot, now).with_context(|| format!("cannot write `{}`", snapshot.display()))?;
        counts.passed += 1;
        print_line(format_args!("{} {} ({what})", styled(GOOD, "accepted"), file.display()));
        return Ok(());
    }
    counts.failed += 1;
    print_line(format_args!("{} {} ({what}; `--accept` writes it)", styled(BAD, "fail"), file.display()));
    let mut text = String::new();
    explained::pieces(&difference(before.unwrap_or_default(), now), false, &mut text);
    output::print(text);
    Ok(())
}

/// What the pipeline makes of a file, as text.
fn outcome(context: &Context, args: &TestArgs, file: &Path) -> anyhow::Result<Result<String, Diagnostics>> {
    let places = PlaceArgs { inputs: vec![file.to_owned()], output: None };
    let planned = match context.plan(&args.pipeline, &places) {
        Ok(planned) => planned,
        Err(diagnostics) => return Ok(Err(diagnostics)),
    };
    let sample = tamis_runner::sample(&planned.open(&logged_run())?, MOST_RECORDS)?;
    let (read, unread): (Vec<_>, Vec<_>) = sample.records.into_iter().partition(|it| it.record.is_kept());
    let read = read.into_iter().map(|found| found.record).collect();
    let scratch = tempfile::tempdir()?;
    let mut records = tamis_runner::pass(planned.open(&logged_run())?, read, scratch.path(), &())?;
    records.extend(
        unread.into_iter().map(|found| Record { stage: Some(found.source.as_str().into()), ..found.record }),
    );
    records.sort_by_key(|record| record.position);
    Ok(Ok(records.iter().map(told).collect::<Vec<_>>().join("\n")))
}

fn told(record: &Record) -> String {
    let by = record.stage.as_deref().unwrap_or_default();
    let fate = match &record.fate {
        Fate::Kept => "kept".to_owned(),
        Fate::Dropped(reason) => format!("dropped by {by}: {reason}"),
        Fate::Failed(reason) => format!("failed in {by}: {reason}"),
    };
    let mut text = format!("=== {} === {fate}\n", record.document.id);
    for (name, value) in record.document.metadata.iter() {
        let value = serde_json::to_string(value).unwrap_or_default();
        let _ = writeln!(text, "{name} = {value}");
    }
    // Of what was not kept the reason is the outcome, and its text what some stage had in hand.
    if record.is_kept() {
        text += &format!("\n{}\n", record.document.text.trim_end_matches('\n'));
    }
    text
}
