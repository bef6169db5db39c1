//! `tamis test`: the `[[test]]` tables of a pipeline.

use tamis_config::{Expected, ExpectedDrop, PipelineTest};
use tamis_document::{Document, Fate, Metadata, Record};
use tamis_runner::RunError;

use crate::Exit;
use crate::args::TestArgs;
use crate::commands::snapshots::{self, Counts};
use crate::context::{Context, Planned, logged_run};
use crate::output::{self, BAD, GOOD, print_line, styled};

pub(crate) fn test(context: &Context, args: &TestArgs) -> anyhow::Result<Exit> {
    let planned = match context.plan_without_inputs(&args.pipeline) {
        Ok(planned) => planned,
        Err(diagnostics) => {
            output::diagnostics(&diagnostics);
            return Ok(Exit::Setup);
        }
    };
    let tests = &planned.plan.tests;
    if tests.is_empty() && args.snapshots.is_none() {
        anyhow::bail!("`{}` has no [[test]] table", args.pipeline.pipeline.display());
    }
    let mut counts = match &args.snapshots {
        None => Counts::default(),
        Some(folder) => match snapshots::run(context, args, folder)? {
            Ok(counts) => counts,
            Err(diagnostics) => {
                output::diagnostics(&diagnostics);
                return Ok(Exit::Setup);
            }
        },
    };
    for test in tests {
        let differences = match run(&planned, test)? {
            Ok(records) => differences(test, &records),
            Err(error) => vec![error.to_string()],
        };
        if differences.is_empty() {
            print_line(format_args!("{} {}", styled(GOOD, "pass"), test.name));
            counts.passed += 1;
            continue;
        }
        counts.failed += 1;
        print_line(format_args!("{} {} ({})", styled(BAD, "fail"), test.name, test.position));
        for difference in differences {
            print_line(format_args!("  {}", difference.replace('\n', "\n  ")));
        }
    }
    print_line(format_args!("{} passed, {} failed", counts.passed, counts.failed));
    Ok(if counts.failed == 0 { Exit::Done } else { Exit::Failed })
}

fn run(planned: &Planned, test: &PipelineTest) -> anyhow::Result<Result<Vec<Record>, RunError>> {
    let scratch = tempfile::tempdir()?;
    Ok(tamis_runner::process(planned.open(&logged_run())?, test.input.clone(), scratch.path(), &()))
}

/// How what came out differs from what must come out, the exact list, in order; and what was not dropped as it must be.
fn differences(test: &PipelineTest, records: &[Record]) -> Vec<String> {
    let mut differences = Vec::new();
    let kept: Vec<&Record> = records.iter().filter(|record| record.is_kept()).collect();
    for index in 0..kept.len().max(test.expect.len()) {
        match (test.expect.get(index), kept.get(index)) {
            (Some(expected), Some(record)) => compare(expected, record, &mut differences),
            (Some(expected), None) => differences.push(missing(expected, records)),
            (None, Some(record)) => {
                differences.push(format!("document `{}` came out and was not expected", record.document.id));
            }
            (None, None) => {}
        }
    }
    differences.extend(test.dropped.iter().filter_map(|expected| not_dropped(expected, records)));
    differences
}

fn missing(expected: &Expected, records: &[Record]) -> String {
    let record = records.iter().find(|record| record.document.id == expected.id);
    record.and_then(taken_out).unwrap_or_else(|| format!("document `{}` did not come out", expected.id))
}

fn not_dropped(expected: &ExpectedDrop, records: &[Record]) -> Option<String> {
    let ExpectedDrop { id, stage, reason } = expected;
    let record = records.iter().find(|record| record.document.id == *id);
    let is_so = |it: &Record| {
        it.fate == Fate::Dropped(reason.clone().into()) && it.stage.as_deref() == Some(stage.as_str())
    };
    let instead = match record {
        Some(record) if is_so(record) => return None,
        Some(record) => taken_out(record).unwrap_or_else(|| format!("document `{id}` was kept")),
        None => format!("there is no document `{id}`"),
    };
    Some(format!("expected `{id}` to be dropped by stage `{stage}`: {reason}; {instead}"))
}

/// Why a document is not among those that were kept.
fn taken_out(record: &Record) -> Option<String> {
    let (what, reason) = match &record.fate {
        Fate::Kept => return None,
        Fate::Dropped(reason) => ("was dropped by", reason),
        Fate::Failed(reason) => ("failed in", reason),
    };
    let stage = record.stage.as_deref().unwrap_or("?");
    Some(format!("document `{}` {what} stage `{stage}`: {reason}", record.document.id))
}

fn compare(expected: &Expected, record: &Record, differences: &mut Vec<String>) {
    let document = &record.document;
    if expected.id != document.id {
        differences.push(format!("expected document `{}`, got `{}`", expected.id, document.id));
        return;
    }
    if let Some(text) = &expected.text
        && *text != document.text
    {
        differences.push(format!(
            "text of `{}`:\n- {}\n+ {}",
            document.id,
            prefixed(text, '-'),
            prefixed(&document.text, '+')
        ));
    }
    let named = document.metadata.iter().filter(|(name, _)| expected.metadata.get(name).is_some());
    let named: Metadata = named.map(|(name, value)| (name.to_owned(), value.clone())).collect();
    metadata(document, &expected.metadata, &named, differences);
    if let Some(all) = &expected.all_metadata {
        metadata(document, all, &document.metadata, differences);
    }
}

fn metadata(document: &Document, expected: &Metadata, got: &Metadata, differences: &mut Vec<String>) {
    if expected != got {
        let json = |metadata| serde_json::to_string(metadata).unwrap_or_default();
        let (expected, got) = (json(expected), json(got));
        differences.push(format!("metadata of `{}`:\n- {expected}\n+ {got}", document.id));
    }
}

fn prefixed(text: &str, mark: char) -> String {
    text.replace('\n', &format!("\n{mark} "))
}
