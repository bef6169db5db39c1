//! `tamis state`.

use crate::args::StateMergeArgs;
use crate::context::Context;
use crate::output::{self, print_line};
use crate::{Exit, summary};

#[expect(clippy::unnecessary_wraps, reason = "every command returns a result")]
pub(crate) fn merge(context: &Context, args: &StateMergeArgs) -> anyhow::Result<Exit> {
    let plan = match context.plan_without_inputs(&args.pipeline) {
        Ok(plan) => plan,
        Err(diagnostics) => {
            output::diagnostics(&diagnostics);
            return Ok(Exit::Setup);
        }
    };
    match tamis_runner::merge_states(&plan, &args.states, &args.output) {
        Ok(name) => {
            print_line(format_args!(
                "merged {} of pass {} of `{}` into {}",
                summary::plural(args.states.len() as u64, "state", "states"),
                name.pass,
                name.stage,
                summary::shown(&args.output)
            ));
            Ok(Exit::Done)
        }
        Err(error) => {
            output::error_line(&error);
            Ok(if error.is_setup() { Exit::Setup } else { Exit::Broken })
        }
    }
}
