//! `tamis check`.

use std::path::PathBuf;

use serde_json::Value;
use tamis_config::{Diagnostics, Plan};

use crate::Exit;
use crate::args::{CheckArgs, PipelineArgs, PlaceArgs};
use crate::context::Context;
use crate::output::{self, GOOD, print_line, styled};

#[expect(clippy::unnecessary_wraps, reason = "every command returns a result")]
pub(crate) fn check(context: &Context, args: &CheckArgs) -> anyhow::Result<Exit> {
    let (pipelines, inputs) = pipelines(args);
    let places = PlaceArgs { inputs, output: args.places.output.clone() };
    let (mut complaints, mut exit) = (Vec::new(), Exit::Done);
    for pipeline in pipelines {
        let pipeline = PipelineArgs { pipeline, set: args.pipeline.set.clone() };
        let (found, plan) = match context.check(&pipeline, &places) {
            Ok(plan) => (plan.warnings.clone(), Some(plan)),
            Err(found) => (found, None),
        };
        if plan.is_none() {
            exit = Exit::Setup;
        }
        if args.json {
            complaints.extend(json(&found));
            continue;
        }
        output::diagnostics(&found);
        if let Some(plan) = &plan {
            print_line(format_args!("{} {}", styled(GOOD, "ok:"), overview(plan)));
        }
    }
    if args.json {
        print_line(Value::Array(complaints));
    }
    Ok(exit)
}

/// The pipelines to check, and the inputs that were given: what else is TOML is another pipeline, as in `*.toml`.
fn pipelines(args: &CheckArgs) -> (Vec<PathBuf>, Vec<PathBuf>) {
    let is_pipeline = |path: &PathBuf| path.extension().is_some_and(|ending| ending == "toml");
    let (others, inputs): (Vec<_>, Vec<_>) = args.places.inputs.iter().cloned().partition(is_pipeline);
    (std::iter::once(args.pipeline.pipeline.clone()).chain(others).collect(), inputs)
}

fn json(found: &Diagnostics) -> Vec<Value> {
    match found.to_json() {
        Value::Array(complaints) => complaints,
        other => vec![other],
    }
}

/// The way of a document, in one line.
fn overview(plan: &Plan) -> String {
    let sources = plan.sources.iter().map(|source| source.id.as_str());
    let stages = plan.stages.iter().map(|stage| stage.id.as_str());
    let exports = plan.exports.iter().filter(|export| !export.implicit).map(|export| export.id.as_str());
    let parts: Vec<&str> = sources.chain(stages).chain(exports).collect();
    format!("{}: {}", plan.name, parts.join(" → "))
}
