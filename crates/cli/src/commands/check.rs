//! `tamis check`.

use tamis_config::{Diagnostics, Plan};

use crate::Exit;
use crate::args::CheckArgs;
use crate::context::Context;
use crate::output::{self, GOOD, print_line, styled};

#[expect(clippy::unnecessary_wraps, reason = "every command returns a result")]
pub(crate) fn check(context: &Context, args: &CheckArgs) -> anyhow::Result<Exit> {
    let (found, plan) = match context.check_with_inputs(&args.pipeline, &args.places) {
        Ok(plan) => (plan.warnings.clone(), Some(plan)),
        Err(found) => (found, None),
    };
    if args.json {
        print_line(json(&found));
    } else {
        output::diagnostics(&found);
        if let Some(plan) = &plan {
            print_line(format_args!("{} {}", styled(GOOD, "ok:"), overview(plan)));
        }
    }
    Ok(if plan.is_some() { Exit::Done } else { Exit::Setup })
}

fn json(found: &Diagnostics) -> String {
    found.to_json().to_string()
}

/// The way of a document, in one line.
fn overview(plan: &Plan) -> String {
    let sources = plan.sources.iter().map(|source| source.id.as_str());
    let stages = plan.stages.iter().map(|stage| stage.id.as_str());
    let exports = plan.exports.iter().filter(|export| !export.implicit).map(|export| export.id.as_str());
    let parts: Vec<&str> = sources.chain(stages).chain(exports).collect();
    format!("{}: {}", plan.name, parts.join(" → "))
}
