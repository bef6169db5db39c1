//! `tamis run`.

use std::sync::Arc;

use serde_json::json;
use tamis_config::Plan;
use tamis_runner::{Finish, Progress, Report, RunError, Settings};

use crate::args::RunArgs;
use crate::context::Context;
use crate::output::{self, print_line};
use crate::progress::{self, Show};
use crate::{Exit, summary};

pub(crate) fn run(context: &Context, args: &RunArgs) -> anyhow::Result<Exit> {
    let plan = match context.plan(&args.pipeline, &args.inputs, args.output.as_deref()) {
        Ok(plan) => plan,
        Err(diagnostics) => {
            output::diagnostics(&diagnostics);
            return Ok(Exit::Setup);
        }
    };
    if !args.quiet {
        output::diagnostics(&plan.warnings);
    }
    let progress = Arc::new(Progress::default());
    stop_on_signal(&progress)?;
    let show = show(args);
    if show == Show::Json {
        print_line(json!({ "event": "started", "pipeline": plan.name }));
    }
    let settings = Settings { fresh: args.fresh, ..Settings::default() };
    let result = progress::watch(show, &progress, || tamis_runner::run(&plan, &settings, &progress));
    Ok(match result {
        Ok(report) => finished(&plan, &report, show),
        Err(error) => broken(&error, show),
    })
}

fn show(args: &RunArgs) -> Show {
    match (args.json, args.quiet) {
        (true, _) => Show::Json,
        (_, true) => Show::Nothing,
        _ => Show::Bar,
    }
}

/// The first signal asks the run to stop, a second one ends the process at once.
fn stop_on_signal(progress: &Arc<Progress>) -> anyhow::Result<()> {
    let progress = Arc::clone(progress);
    let asked = std::sync::atomic::AtomicBool::new(false);
    ctrlc::set_handler(move || {
        if asked.swap(true, std::sync::atomic::Ordering::Relaxed) {
            end_now();
        }
        output::log_line("stopping after the blocks in flight; press Ctrl-C again to stop at once");
        progress.stop();
        tamis_host::cancel();
    })?;
    Ok(())
}

#[expect(clippy::exit, reason = "asked twice: whoever does so wants no cleaning up")]
fn end_now() {
    std::process::exit(130);
}

fn finished(plan: &Plan, report: &Report, show: Show) -> Exit {
    let too_many = report.tally.failed_ratio() > plan.run.max_failed_ratio;
    match show {
        Show::Json => print_line(json!({
            "event": "finished",
            "already_done": report.finish == Finish::AlreadyDone,
            "seconds": report.elapsed.as_secs_f64(),
            "folder": report.folder,
            "too_many_failed": too_many,
            "tally": report.tally,
            "exports": report.manifest.exports,
        })),
        Show::Nothing => {}
        Show::Bar if report.finish == Finish::AlreadyDone => print_line(format_args!(
            "nothing to do: {} holds the finished output of this pipeline over these inputs \
             (pass `--fresh` to make it again)",
            summary::shown(&report.folder)
        )),
        Show::Bar => {
            if report.restarted {
                output::log_line("an earlier run had not finished; it was begun again");
            }
            output::print(summary::text(plan, report));
        }
    }
    if too_many {
        output::error_line(format_args!(
            "{:.2} % of the records failed, and [run] allows max_failed_ratio = {}: see the dead letters in {}",
            report.tally.failed_ratio() * 100.0,
            plan.run.max_failed_ratio,
            dead_letters(plan)
        ));
        return Exit::Failed;
    }
    Exit::Done
}

fn dead_letters(plan: &Plan) -> String {
    let failed = plan.exports.iter().filter(|export| export.from == tamis_config::From::Failed);
    failed.map(|export| summary::shown(&export.path)).collect::<Vec<_>>().join(", ")
}

fn broken(error: &RunError, show: Show) -> Exit {
    if show == Show::Json {
        print_line(json!({ "event": "broken", "message": error.to_string() }));
    }
    output::error_line(error);
    match error {
        RunError::Interrupted => Exit::Interrupted,
        error if error.is_setup() => Exit::Setup,
        _ => Exit::Broken,
    }
}
