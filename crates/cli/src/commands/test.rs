//! `tamis test`: the `[[test]]` tables of a pipeline.

use tamis_config::{Expected, PipelineTest};
use tamis_document::{Fate, Record};
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

/// How what came out differs from what must come out: the exact list, in order.
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
    differences
}

fn missing(expected: &Expected, records: &[Record]) -> String {
    let stage = |record: &Record| record.stage.as_deref().unwrap_or("?").to_owned();
    match records
        .iter()
        .find(|record| record.document.id == expected.id)
        .map(|record| (&record.fate, stage(record)))
    {
        Some((Fate::Dropped(reason), stage)) => {
            format!("document `{}` was dropped by stage `{stage}`: {reason}", expected.id)
        }
        Some((Fate::Failed(reason), stage)) => {
            format!("document `{}` failed in stage `{stage}`: {reason}", expected.id)
        }
        _ => format!("document `{}` did not come out", expected.id),
    }
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
    if let Some(metadata) = &expected.metadata
        && *metadata != document.metadata
    {
        let json = |metadata| serde_json::to_string(metadata).unwrap_or_default();
        differences.push(format!(
            "metadata of `{}`:\n- {}\n+ {}",
            document.id,
            json(metadata),
            json(&document.metadata)
        ));
    }
}

fn prefixed(text: &str, mark: char) -> String {
    text.replace('\n', &format!("\n{mark} "))
}
