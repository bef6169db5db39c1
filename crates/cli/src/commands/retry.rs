//! `tamis retry`: what failed in a run goes through the pipeline again.
//!
//! The inputs are read again where the dead letters point, and not the letters: so what could not be read at all can be
//! retried as well, and ids and places are those of the first run.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context as _;
use serde_json::Value;
use tamis_document::Origin;
use tamis_input::{Input, InputFile, Location, OpenOptions};
use tamis_runner::fates::{FateRow, Fates};
use tamis_runner::{Manifest, Only, RecordPlace, Settings};

use crate::Exit;
use crate::args::{PlaceArgs, RetryArgs};
use crate::commands::run;
use crate::context::Context;
use crate::names::plural;
use crate::output::{self, print_line};
use crate::progress::Show;
use crate::summary::{check_local, shown};

pub(crate) fn retry(context: &Context, args: &RetryArgs) -> anyhow::Result<Exit> {
    check_local(&args.run)?;
    let only = letters(&args.run)?;
    if only.is_empty() {
        print_line(format_args!("nothing to do: no record of the run in {} failed", shown(&args.run)));
        return Ok(Exit::Done);
    }
    let output = args.output.clone().unwrap_or_else(|| beside(&args.run));
    let places = PlaceArgs { inputs: args.inputs.clone(), output: Some(output) };
    let planned = match context.plan(&args.pipeline, &places) {
        Ok(planned) => planned,
        Err(diagnostics) => {
            output::diagnostics(&diagnostics);
            return Ok(Exit::Setup);
        }
    };
    let plan = &planned.plan;
    output::diagnostics(&plan.warnings);
    let n_letters = only.len() as u64;
    let settings = Settings { fresh: args.fresh, only: Some(Arc::new(only)), ..Settings::default() };
    let result = run::watched(&planned, settings.clone(), Show::Bar)?;
    let report = match result {
        Ok(report) => report,
        Err(error) => return Ok(run::broken(&error)),
    };
    let exit = run::finished(plan, &report, Show::Bar, &settings);
    let tally = &report.tally;
    if tally.read == 0 {
        anyhow::bail!(
            "none of {} is in the inputs of the pipeline any more: name those of the run behind its folder",
            plural(n_letters, "dead letter", "dead letters")
        );
    }
    print_line(format_args!(
        "  {} led to {}: {} kept, {} dropped, {} failed again",
        plural(n_letters, "dead letter", "dead letters"),
        plural(tally.read, "record", "records"),
        tally.kept,
        tally.dropped,
        tally.failed
    ));
    Ok(exit)
}

/// `out-retried` for `out`.
fn beside(run: &Path) -> PathBuf {
    let name = run.file_name().map_or_else(|| "run".into(), std::ffi::OsStr::to_os_string);
    let mut name = name;
    name.push("-retried");
    run.with_file_name(name)
}

/// Where the dead letters of a run point.
fn letters(folder: &Path) -> anyhow::Result<Only> {
    let manifest = Manifest::read(folder)?.with_context(|| {
        format!(
            "`{}` holds no output of a run: name the folder that `-o` or `path` of the first export names",
            folder.display()
        )
    })?;
    if !manifest.complete {
        anyhow::bail!(
            "the run in `{}` has not finished, and may come to more that fails: run the same command again first, which goes \
             on where it stopped",
            folder.display()
        );
    }
    let mut only = Only::default();
    let rests = rests(folder, &manifest)?;
    for export in manifest.exports.iter().filter(|export| export.from == "failed" && export.records > 0) {
        for file in &export.files {
            let path = folder.join(&export.folder).join(&file.name);
            if !file.name.contains(".jsonl") {
                anyhow::bail!(
                    "the dead letters in `{}` are no JSON Lines: without an export with `from = \"failed\"` they are",
                    path.display()
                );
            }
            let letters = Input::open(&InputFile::at(Location::Path(path.clone())), &OpenOptions::default());
            let letters = letters.with_context(|| format!("cannot read `{}`", path.display()))?;
            for line in BufReader::new(letters).lines() {
                let line = line.with_context(|| format!("cannot read `{}`", path.display()))?;
                let (id, mut origin) = letter(&line)
                    .with_context(|| format!("`{}` holds a line that is no dead letter", path.display()))?;
                if rests.contains(&id) {
                    origin.length = u64::MAX - origin.offset;
                }
                only.add(&origin);
            }
        }
    }
    Ok(only)
}

/// The ids of those dead letters behind which a file was not read on: how long the rest is, nobody knew.
fn rests(folder: &Path, manifest: &Manifest) -> anyhow::Result<BTreeSet<String>> {
    let mut rests = BTreeSet::new();
    let Some(table) = &manifest.fates else { return Ok(rests) };
    let mut fates = Fates::open(&folder.join(&table.name))?;
    let mut last: Option<FateRow> = None;
    let container = |row: &FateRow| {
        let place = RecordPlace::of(row.position);
        (place.file, place.member)
    };
    let mut note = |row: FateRow| {
        if RecordPlace::of(row.position).is_letter {
            rests.insert(row.id);
        }
    };
    for row in fates.rows() {
        let row = row?;
        if let Some(last) = last.take().filter(|last| container(last) != container(&row)) {
            note(last);
        }
        last = Some(row);
    }
    if let Some(last) = last {
        note(last);
    }
    Ok(rests)
}

/// The id of a dead letter and where it points, as the exporter of JSON Lines writes it.
fn letter(line: &str) -> Option<(String, Origin)> {
    let letter: Value = serde_json::from_str(line).ok()?;
    let id = letter.get("id")?.as_str()?.to_owned();
    let origin = letter.get("origin")?;
    let number = |name| origin.get(name).and_then(Value::as_u64);
    let file = origin.get("file")?.as_str()?.into();
    Some((
        id,
        Origin { file, offset: number("offset")?, length: number("length")?, ordinal: number("ordinal")? },
    ))
}
