//! What happens, for machines: objects of JSON on standard output, a line each.

use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};
use tamis_config::Plan;
use tamis_runner::{Event, Finish, Interest, Observer, Report, RunError};

use crate::failures;
use crate::output::{self, print_line};

/// What every event of this run says, if events are printed. It belongs to the process, as standard output does, and
/// a process of this program makes one run.
static EVENTS: OnceLock<Value> = OnceLock::new();

/// From now on events are printed, and each says `task` as well: which part of the plan is run.
pub(crate) fn print(task: Value) {
    // A second run would be one of another program.
    let _ = EVENTS.set(task);
}

/// Prints an event, if events are printed.
fn event(event: Value) {
    if let Some(task) = EVENTS.get() {
        print_line(merged(event, task));
    }
}

fn merged(mut event: Value, more: &Value) -> Value {
    if let (Some(event), Some(more)) = (event.as_object_mut(), more.as_object()) {
        event.extend(more.clone());
    }
    event
}

/// Prints what happens for machines, if they listen, and warns people of what does not get on.
pub(crate) struct Events;

impl Observer for Events {
    fn interest(&self) -> Interest {
        Interest::RUN | Interest::SLOW
    }

    fn event(&self, event: &Event<'_>) {
        match event {
            Event::RunBegun { plan } => self::event(json!({ "event": "started", "pipeline": plan.name })),
            Event::Slow { stage, plugin, subject, document, lasts } => {
                output::log_line(format_args!("warning: {}", stuck(stage, plugin, subject, *lasts)));
                self::event(json!({
                    "event": "stuck",
                    "stage": stage,
                    "plugin": plugin,
                    "document": document,
                    "seconds": lasts.as_secs_f64(),
                }));
            }
            _ => {}
        }
    }
}

/// What is said of a call that does not get on.
fn stuck(stage: &str, plugin: &str, subject: &str, lasts: Duration) -> String {
    let seconds = lasts.as_secs_f64();
    let digits = usize::from(seconds < 10.0);
    let on = if subject.is_empty() { String::new() } else { format!(" on {subject}") };
    format!(
        "stage `{stage}` of plugin `{plugin}` has worked{on} for {seconds:.digits$} s (`stage_timeout_secs` of [run]); if it never comes \
         back, Ctrl-C or SIGTERM ends the run within 5 s, and the next one goes on from there"
    )
}

/// Says of a run that did not begin what is wrong with its setup: an event alone, as `tamis check --json` lists it.
pub(crate) fn refused(mistakes: &Value) {
    print_line(json!({ "event": "refused", "mistakes": mistakes }));
}

/// Prints what came of a run: the last event.
pub(crate) fn ended(plan: &Plan, result: &Result<Report, RunError>) {
    match result {
        Ok(report) => event(json!({
            "event": "finished",
            "finish": finish(report.finish),
            "already_done": report.finish == Finish::AlreadyDone,
            "seconds": report.elapsed.as_secs_f64(),
            "folder": report.place.to_string_lossy(),
            "too_many_failed": too_many_failed(report, plan.run.max_failed_ratio),
            "warnings": failures::smells(plan, report),
            "tally": report.tally,
            "exports": exports(report),
        })),
        Err(error) => event(json!({ "event": "broken", "message": error.to_string() })),
    }
}

/// A folder that is no text makes no JSON; then the manifest on the disk has to do.
fn exports(report: &Report) -> Value {
    serde_json::to_value(&report.manifest.exports).unwrap_or_default()
}

fn finish(finish: Finish) -> &'static str {
    match finish {
        Finish::Done => "done",
        Finish::Segment => "segment",
        Finish::AlreadyDone => "already-done",
        Finish::Dry => "dry",
    }
}

/// Says why the process ends before the run does.
pub(crate) fn ended_early(message: &str) {
    event(json!({ "event": "broken", "message": message }));
    output::error_line(message);
}

/// Whether more of the records failed, or of the bytes could not be read, than a run allows.
fn too_many_failed(report: &Report, limit: f64) -> bool {
    report.tally.failed_ratio().max(report.tally.input.failed_ratio()) > limit
}
