//! `tamis plan`.

use std::path::Path;

use comfy_table::{CellAlignment, Table};
use serde_json::{Value, json};
use tamis_config::{Compression, ExportPlan, InputKind, InputPattern, Plan, SourcePlan};
use tamis_runner::{Reads, Segment, StateName, Writes};

use crate::args::PlanArgs;
use crate::commands::resolve::resolve;
use crate::context::Context;
use crate::output::{self, BOLD, print, print_line, styled};
use crate::{Exit, summary};

pub(crate) fn plan(context: &Context, args: &PlanArgs) -> anyhow::Result<Exit> {
    if let Some(out) = &args.resolve {
        return resolve(context, args, out);
    }
    let plan = match context.check(&args.pipeline, &args.places) {
        Ok(plan) => plan,
        Err(diagnostics) => {
            output::diagnostics(&diagnostics);
            return Ok(Exit::Setup);
        }
    };
    output::diagnostics(&plan.warnings);
    let segments = tamis_runner::segments(&plan);
    if args.json {
        print_line(serde_json::to_string_pretty(&to_json(&plan, &segments))?);
    } else {
        print(text(&plan, &segments));
    }
    Ok(Exit::Done)
}

/// The plan for people: segments, then sources and exports.
fn text(plan: &Plan, segments: &[Segment]) -> String {
    let mut rows = summary::table(&["segment", "reads", "stages", "needs", "makes", "writes"]);
    for segment in segments {
        rows.add_row(row(segment));
    }
    if let Some(column) = rows.column_mut(0) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    format!(
        "{}\n\n{}\n{}{}\n{}{}",
        styled(BOLD, &plan.name),
        summary::render(&rows),
        notes(plan),
        summary::render(&sources(plan)),
        summary::render(&exports(plan)),
        if reads_stdin(plan) { NOT_RESUMED } else { "" },
    )
}

/// What stages have worked out from their options.
fn notes(plan: &Plan) -> String {
    let notes = plan.stages.iter().flat_map(|stage| stage.notes.iter().map(|note| (stage.id.as_str(), note)));
    let lines: Vec<String> = notes.map(|(id, note)| format!("{id}: {note}\n")).collect();
    if lines.is_empty() { String::new() } else { lines.concat() + "\n" }
}

/// What follows from an input that is gone once it has been read.
const NOT_RESUMED: &str = "\nstandard input cannot be read again: an interrupted run begins anew, with `--fresh`, and \
                           segments and shards need a file\n";

fn reads_stdin(plan: &Plan) -> bool {
    plan.sources.iter().flat_map(|source| &source.inputs).any(|input| input.kind == InputKind::Stdin)
}

fn row(segment: &Segment) -> [String; 6] {
    let reads = match segment.reads {
        Reads::Sources => "sources",
        Reads::Spill => "what was put aside",
    };
    let writes = match segment.writes {
        Writes::Spill => "puts documents aside",
        Writes::Exports => "exports",
    };
    [
        segment.index.to_string(),
        reads.to_owned(),
        listed(&segment.stages),
        listed(&segment.needs.iter().map(StateName::file).collect::<Vec<_>>()),
        listed(&segment.observes.iter().map(StateName::file).collect::<Vec<_>>()),
        writes.to_owned(),
    ]
}

fn listed(words: &[String]) -> String {
    if words.is_empty() { "·".to_owned() } else { words.join(", ") }
}

fn sources(plan: &Plan) -> Table {
    let mut rows = summary::table(&["source", "readers", "inputs"]);
    for source in &plan.sources {
        let inputs: Vec<String> = source.inputs.iter().map(|input| input.written.clone()).collect();
        rows.add_row([source.id.clone(), listed(&readers(source)), listed(&inputs)]);
    }
    rows
}

fn readers(source: &SourcePlan) -> Vec<String> {
    source.readers.iter().map(|reader| reader.info.name.clone()).collect()
}

fn exports(plan: &Plan) -> Table {
    let mut rows = summary::table(&["export", "exporter", "takes", "folder", "compression"]);
    for export in &plan.exports {
        let folder = summary::shown(&export.path);
        let folder =
            export.partition.as_ref().map_or(folder.clone(), |partition| format!("{folder}/{partition}"));
        let (method, level) = compression(export.compression);
        let compression = level.map_or(method.to_owned(), |level| format!("{method} {level}"));
        let takes = export.from.as_str().to_owned();
        rows.add_row([export.id.clone(), export.info.name.clone(), takes, folder, compression]);
    }
    rows
}

fn compression(compression: Compression) -> (&'static str, Option<i64>) {
    match compression {
        Compression::None => ("none", None),
        Compression::Gzip { level } => ("gzip", Some(i64::from(level))),
        Compression::Zstd { level } => ("zstd", Some(i64::from(level))),
    }
}

/// The plan for programs; the help of the command lists the fields.
fn to_json(plan: &Plan, segments: &[Segment]) -> Value {
    json!({
        "name": plan.name,
        "sources": plan.sources.iter().map(source_json).collect::<Vec<_>>(),
        "notes": plan.stages.iter().filter(|stage| !stage.notes.is_empty())
            .map(|stage| (stage.id.clone(), json!(stage.notes))).collect::<serde_json::Map<_, _>>(),
        "segments": segments.iter().map(segment_json).collect::<Vec<_>>(),
        "exports": plan.exports.iter().map(export_json).collect::<Vec<_>>(),
        "run": {
            "threads": plan.run.threads,
            "memory": plan.run.memory,
            "block_bytes": plan.run.block_bytes,
            "max_failed_ratio": plan.run.max_failed_ratio,
            "work": plan.run.work.as_deref().map(path),
        },
        "resumable": !reads_stdin(plan),
        "canonical": plan.canonical,
    })
}

fn source_json(source: &SourcePlan) -> Value {
    json!({
        "id": source.id,
        "readers": readers(source),
        "inputs": source.inputs.iter().map(input_json).collect::<Vec<_>>(),
        "exclude": source.exclude.patterns(),
    })
}

fn input_json(input: &InputPattern) -> Value {
    match input.kind {
        InputKind::Local => json!({ "kind": "local", "written": input.written, "path": path(&input.path) }),
        InputKind::Stdin => json!({ "kind": "stdin", "written": input.written }),
        InputKind::Url => json!({ "kind": "url", "written": input.written }),
    }
}

fn segment_json(segment: &Segment) -> Value {
    let mut value = json!(segment);
    value["state"] = json!(segment.observes.as_ref().map(StateName::file));
    value
}

fn export_json(export: &ExportPlan) -> Value {
    let (method, level) = compression(export.compression);
    json!({
        "id": export.id,
        "use": export.info.name,
        "from": export.from.as_str(),
        "path": path(&export.path),
        "partition": export.partition.as_ref().map(ToString::to_string),
        "compression": { "method": method, "level": level },
        "implicit": export.implicit,
    })
}

/// JSON has no bytes; a path that is no text is there to be read by people.
fn path(path: &Path) -> Value {
    Value::from(path.to_string_lossy())
}
