//! `tamis state`.

use serde_json::json;

use crate::args::{StateKeepArgs, StateMergeArgs, StateRowsArgs};
use crate::context::{Context, logged_run};
use crate::output::{self, print_line};
use crate::{Exit, summary};

pub(crate) fn merge(context: &Context, args: &StateMergeArgs) -> anyhow::Result<Exit> {
    let planned = match context.plan_without_inputs(&args.pipeline) {
        Ok(planned) => planned,
        Err(diagnostics) => {
            output::diagnostics(&diagnostics);
            return Ok(Exit::Setup);
        }
    };
    let settings = tamis_runner::MergeSettings {
        reduce: args.reduce,
        rows: args.rows.clone(),
        before: args.state.clone(),
    };
    match tamis_runner::merge_states(planned.open(&logged_run())?, &args.states, &args.output, &settings) {
        Ok(tamis_runner::MergedStates { name, is_reduced }) => {
            print_line(format_args!(
                "merged {}{} of pass {} of `{}` into {}",
                if is_reduced { "and reduced " } else { "" },
                summary::plural(args.states.len() as u64, "state", "states"),
                name.pass,
                name.stage,
                summary::shown(&args.output)
            ));
            Ok(Exit::Done)
        }
        Err(error) => Ok(refused(&error)),
    }
}

pub(crate) fn rows(context: &Context, args: &StateRowsArgs) -> anyhow::Result<Exit> {
    let planned = match context.plan_without_inputs(&args.pipeline) {
        Ok(planned) => planned,
        Err(diagnostics) => {
            output::diagnostics(&diagnostics);
            return Ok(Exit::Setup);
        }
    };
    match tamis_runner::export_rows(&planned.open(&logged_run())?, &args.state, &args.output) {
        Ok(found) => {
            let (rows, n_rows) = found.map_or((None, 0), |(rows, n_rows)| (Some(rows), n_rows));
            let of_entries = rows.as_ref().is_some_and(|rows| rows.are_of_entries);
            let (round, tallied) = match rows.map(|rows| rows.round) {
                round if of_entries => (None, round),
                round => (round, None),
            };
            print_line(json!({ "rows": n_rows, "round": round, "tallied": tallied }));
            Ok(Exit::Done)
        }
        Err(error) => Ok(refused(&error)),
    }
}

pub(crate) fn keep(context: &Context, args: &StateKeepArgs) -> anyhow::Result<Exit> {
    let planned = match context.plan_without_inputs(&args.pipeline) {
        Ok(planned) => planned,
        Err(diagnostics) => {
            output::diagnostics(&diagnostics);
            return Ok(Exit::Setup);
        }
    };
    match tamis_runner::keep_entries(&planned.open(&logged_run())?, &args.state, &args.rows, &args.output) {
        Ok(n_kept) => {
            print_line(json!({ "kept": n_kept }));
            Ok(Exit::Done)
        }
        Err(error) => Ok(refused(&error)),
    }
}

/// Tells what is wrong with a state.
fn refused(error: &tamis_runner::RunError) -> Exit {
    output::error_line(error);
    if error.is_setup() { Exit::Setup } else { Exit::Broken }
}
