//! `tamis explain`: one document on its way through the stages.

use std::path::{Path, PathBuf};

use tamis_config::{Diagnostics, Plan};
use tamis_document::{Document, Fate, Metadata, Value};
use tamis_report::explain::{Explainer, Explanation};
use tamis_runner::fates::{FateRow, Fates};
use tamis_runner::{Found, Observer, RunError, Settings, Tally, Wanted};
use tamis_stage::Kind;

use crate::args::{ExplainArgs, PlaceArgs};
use crate::commands::run;
use crate::context::{Context, Planned, logged_run};
use crate::output;
use crate::progress::Show;
use crate::summary::shown;
use crate::{Exit, explained, reasons, summary};

/// What a line of an export says of a document that was not kept; read again, it is metadata and no part of the document.
const OF_EXPORT: [&str; 4] = ["stage", "reason", "measures", "origin"];

/// A document and the pipeline that it goes through.
struct Subject {
    planned: Planned,
    found: Found,
    notes: Vec<String>,
    /// Whether it stands in the inputs of the pipeline, so that a run comes upon it.
    is_in_inputs: bool,
}

/// Why there is nothing to explain.
enum Refused {
    Pipeline(Diagnostics),
    Other(anyhow::Error),
}

impl From<Diagnostics> for Refused {
    fn from(diagnostics: Diagnostics) -> Self {
        Self::Pipeline(diagnostics)
    }
}

impl From<anyhow::Error> for Refused {
    fn from(error: anyhow::Error) -> Self {
        Self::Other(error)
    }
}

pub(crate) fn explain(context: &Context, args: &ExplainArgs) -> anyhow::Result<Exit> {
    let subject = match subject(context, args) {
        Ok(subject) => subject,
        Err(Refused::Pipeline(diagnostics)) => {
            output::diagnostics(&diagnostics);
            return Ok(Exit::Setup);
        }
        Err(Refused::Other(error)) => return Err(error),
    };
    let explanation = match follow(subject, args)? {
        Ok(explanation) => explanation,
        Err(error) => return Ok(run::broken(&error)),
    };
    match &args.output {
        None => output::print(explained::text(&explanation, args.full)),
        Some(file) => {
            let page = tamis_report::explain::page(&explanation)?;
            summary::page(file, page)?;
        }
    }
    Ok(Exit::Done)
}

/// Finds the document that is meant.
fn subject(context: &Context, args: &ExplainArgs) -> Result<Subject, Refused> {
    let named = Path::new(&args.document);
    if args.document == "-" {
        return of_input(context, args, named);
    }
    if named.is_dir() {
        return Err(anyhow::anyhow!(
            "`{0}` is a folder, and one document is explained: name a file in it, or the id of a document and then the \
             folder, as in `ID {0}`",
            named.display()
        )
        .into());
    }
    if !named.is_file() {
        return by_id(context, args, &args.document, &args.inputs);
    }
    let Some(exported) = of_export(context, args, named)? else { return of_input(context, args, named) };
    // What a stage has dropped has been changed by those before it: what came in tells more, where it is still there.
    let id = exported.found.record.document.id.clone();
    match by_id(context, args, &id, &args.inputs) {
        Ok(subject) => Ok(subject),
        Err(Refused::Pipeline(_) | Refused::Other(_)) => Ok(exported),
    }
}

fn places(inputs: &[PathBuf]) -> PlaceArgs {
    PlaceArgs { inputs: inputs.to_vec(), output: None }
}

/// The record of a file, or of standard input, that is asked for.
fn of_input(context: &Context, args: &ExplainArgs, input: &Path) -> Result<Subject, Refused> {
    let planned = context.plan(&args.pipeline, &places(&[input.to_owned()]))?;
    let found = find(&planned, Wanted::Nth(args.record - 1))?
        .ok_or_else(|| anyhow::anyhow!("`{}` has no record number {}", input.display(), args.record))?;
    Ok(Subject { planned, found, notes: Vec::new(), is_in_inputs: true })
}

/// The record of an export of what was dropped, or of dead letters; none if the file is something else.
fn of_export(context: &Context, args: &ExplainArgs, file: &Path) -> Result<Option<Subject>, Refused> {
    if !file.to_string_lossy().contains(".jsonl") {
        return Ok(None);
    }
    let planned = context.plan_of_export(&args.pipeline, file)?;
    let Some(mut found) = find(&planned, Wanted::Nth(args.record - 1))? else { return Ok(None) };
    let Some((stage, reason)) = take_fate(&mut found.record.document) else { return Ok(None) };
    let of = |stage: &str| planned.plan.stages.iter().position(|it| it.id == stage);
    let before = match of(&stage) {
        Some(0) | None => "",
        Some(_) => " Its text here is what the stages before that have made of it.",
    };
    let notes = vec![format!(
        "It is no longer in the inputs, so this is the record as `{}` holds it: `{stage}` took it out ({reason}).{before}",
        shown(file)
    )];
    Ok(Some(Subject { planned, found, notes, is_in_inputs: false }))
}

/// Takes out of a record that was exported why it was not kept, and all that is no part of it.
fn take_fate(document: &mut Document) -> Option<(String, String)> {
    let string = |metadata: &Metadata, name: &str| match metadata.get(name) {
        Some(Value::String(text)) => Some(text.clone()),
        _ => None,
    };
    let fate = string(&document.metadata, "stage").zip(string(&document.metadata, "reason"))?;
    for name in OF_EXPORT {
        document.metadata.remove(name);
    }
    Some(fate)
}

/// The record with an id, in the inputs of the pipeline.
fn by_id(context: &Context, args: &ExplainArgs, id: &str, inputs: &[PathBuf]) -> Result<Subject, Refused> {
    let planned = context.plan(&args.pipeline, &places(inputs))?;
    let mut notes = Vec::new();
    let row = row(&planned.plan, args, id)?;
    let found = match &row {
        Some((folder, row)) => {
            notes.push(told(folder, row));
            find(&planned, Wanted::At(row.position))?
        }
        None => None,
    };
    let found = match found {
        Some(found) => Some(found),
        None => find(&planned, Wanted::Id(id))?,
    };
    // `page/2` is the second document that was split off `page`.
    let found = match (found, id.rsplit_once('/')) {
        (None, Some((parent, n))) if n.parse::<u64>().is_ok() => find(&planned, Wanted::Id(parent))?,
        (found, _) => found,
    };
    let found = found.ok_or_else(|| not_found(args, id))?;
    Ok(Subject { planned, found, notes, is_in_inputs: true })
}

fn not_found(args: &ExplainArgs, id: &str) -> anyhow::Error {
    let pipeline = args.pipeline.pipeline.display();
    anyhow::anyhow!(
        "there is no file `{id}`, and no record with this id in the inputs of `{pipeline}`: ids are those of the output \
         or of `.tamis/fates`, such as `pages/a.html` or `dump.jsonl#1024`; other inputs stand behind the id"
    )
}

/// What a run has noted of the document, and the folder of its output.
fn row(plan: &Plan, args: &ExplainArgs, id: &str) -> anyhow::Result<Option<(PathBuf, FateRow)>> {
    let folder = args.run.clone().or_else(|| plan.exports.first().map(|export| export.path.clone()));
    let Some(folder) = folder else { return Ok(None) };
    args.run.as_deref().map_or(Ok(()), summary::check_local)?;
    let table = folder.join(".tamis/fates");
    if !table.is_file() {
        if args.run.is_some() {
            anyhow::bail!(
                "`{}` has no table of fates: name the folder that a run has written to",
                folder.display()
            );
        }
        return Ok(None);
    }
    let found = Fates::open(&table).and_then(|mut fates| fates.find(id));
    Ok(found?.into_iter().next().map(|row| (folder, row)))
}

/// What became of the document in a run, in a sentence.
fn told(folder: &Path, row: &FateRow) -> String {
    let folder = shown(folder);
    let by = row.stage.as_ref().map(|stage| format!(" by `{stage}`")).unwrap_or_default();
    match &row.fate {
        Fate::Kept => format!("The run in `{folder}` kept it."),
        Fate::Dropped(reason) => format!("In the run in `{folder}` it was dropped{by}: {reason}."),
        Fate::Failed(reason) => format!("In the run in `{folder}` it failed{by}: {reason}."),
    }
}

fn find(planned: &Planned, wanted: Wanted<'_>) -> anyhow::Result<Option<Found>> {
    Ok(tamis_runner::find(&planned.open(&logged_run())?, wanted)?)
}

/// Sends the document through the stages: alone, or with all others.
fn follow(subject: Subject, args: &ExplainArgs) -> anyhow::Result<Result<Explanation, RunError>> {
    let Subject { planned, found, mut notes, is_in_inputs } = subject;
    let plan = &planned.plan;
    let stages = plan.stages.iter().map(|stage| (stage.id.clone(), stage.info.clone())).collect();
    if args.all && !is_in_inputs {
        anyhow::bail!("`--all` reads the inputs of the pipeline, and the document is not among them");
    }
    let explainer = Explainer::new(stages, args.all.then_some(found.record.position));
    let mut tally = Tally::default();
    let passed = if args.all {
        let settings = Settings { dry_run: true, ..Settings::default() };
        run::watched_by(&planned, settings, Show::Bar, &[&explainer], None)?.map(drop)
    } else {
        notes.extend(learners(plan, "this one went alone: `--all` reads the others as well"));
        if found.record.is_kept() {
            let scratch = tempfile::tempdir()?;
            let opened = planned.open(&logged_run())?;
            let passed =
                tamis_runner::counted_pass(opened, vec![found.record.clone()], scratch.path(), &explainer);
            passed.map(|(_, counted)| tally = counted)
        } else {
            explainer.event(&tamis_runner::Event::Entered { record: &found.record });
            Ok(())
        }
    };
    let pipeline = plan.name.clone();
    let mut documents = decided(explainer, &found);
    reasons::add(plan, &tally, &mut documents);
    Ok(passed.map(|()| Explanation { pipeline, notes, documents }))
}

/// What was seen; a record that could not be read was taken out by its source.
fn decided(explainer: Explainer, found: &Found) -> Vec<tamis_report::explain::Journey> {
    let mut documents = explainer.finish();
    for document in documents.iter_mut().filter(|it| it.fate != Fate::Kept && it.decided_by.is_none()) {
        document.decided_by = Some(found.source.clone());
    }
    documents
}

/// Corpus stages that learn judge by what they have seen, and alone there is nothing.
pub(crate) fn learners(plan: &Plan, what: &str) -> Option<String> {
    let learns =
        plan.stages.iter().filter(|stage| stage.info.kind == Kind::Corpus && stage.observing_passes > 0);
    let names: Vec<String> = learns.map(|stage| format!("`{}`", stage.id)).collect();
    let verb = if names.len() == 1 { "judges" } else { "judge" };
    (!names.is_empty()).then(|| format!("{} {verb} by all documents, and {what}.", names.join(", ")))
}
