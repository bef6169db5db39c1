//! `tamis preview`: a sample before and after a pipeline, side by side.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tamis_config::Plan;
use tamis_document::{Fate, Record};
use tamis_report::explain::{Explainer, Journey};
use tamis_report::preview::{Preview, page};
use tamis_runner::{Event, Found, Observer};

use crate::args::{PlaceArgs, PreviewArgs};
use crate::commands::explain::learners;
use crate::context::{Context, Planned, logged_run};
use crate::output::{self, print_line};
use crate::summary::shown;
use crate::{Exit, names};

pub(crate) fn preview(context: &Context, args: &PreviewArgs) -> anyhow::Result<Exit> {
    let places = PlaceArgs { inputs: args.inputs.clone(), output: None };
    let planned = match context.plan(&args.pipeline, &places) {
        Ok(planned) => planned,
        Err(diagnostics) => {
            output::diagnostics(&diagnostics);
            return Ok(Exit::Setup);
        }
    };
    let plan = &planned.plan;
    output::diagnostics(&plan.warnings);
    let sample = tamis_runner::sample(&planned.open(&logged_run())?, args.sample)?;
    let documents = passed(&planned, sample.records)?;
    let notes = learners(plan, "these have been seen by them alone").into_iter().collect();
    let page =
        page(&Preview { pipeline: &plan.name, notes, n_files: sample.n_files, documents: &documents })?;
    let file =
        args.output.clone().unwrap_or_else(|| PathBuf::from(format!("{}-preview.html", file_name(plan))));
    if file == Path::new("-") {
        output::print(page);
        return Ok(Exit::Done);
    }
    std::fs::write(&file, page).with_context(|| format!("cannot write `{}`", file.display()))?;
    let of = |fate: fn(&Fate) -> bool| documents.iter().filter(|it| fate(&it.fate)).count();
    print_line(format_args!(
        "{}: {}, {} kept, {} dropped, {} failed",
        shown(&file),
        names::plural(documents.len() as u64, "document", "documents"),
        of(|fate| *fate == Fate::Kept),
        of(|fate| matches!(fate, Fate::Dropped(_))),
        of(|fate| matches!(fate, Fate::Failed(_))),
    ));
    Ok(Exit::Done)
}

/// The name of a pipeline, as that of a file.
fn file_name(plan: &Plan) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_.".contains(c);
    plan.name.chars().map(|c| if is_plain(c) { c } else { '-' }).collect()
}

/// The ways of the records of a sample, in corpus order.
pub(crate) fn passed(planned: &Planned, records: Vec<Found>) -> anyhow::Result<Vec<Journey>> {
    let stages = planned.plan.stages.iter().map(|stage| (stage.id.clone(), stage.info.clone()));
    let explainer = Explainer::brief(stages.collect());
    let (read, unread): (Vec<Found>, Vec<Found>) = records.into_iter().partition(|it| it.record.is_kept());
    let read: Vec<Record> = read.into_iter().map(|found| found.record).collect();
    let scratch = tempfile::tempdir()?;
    tamis_runner::pass(planned.open(&logged_run())?, read, scratch.path(), &explainer)?;
    for found in &unread {
        let stage = Some(found.source.as_str().into());
        explainer.event(&Event::Entered { record: &Record { stage, ..found.record.clone() } });
    }
    Ok(explainer.finish())
}
