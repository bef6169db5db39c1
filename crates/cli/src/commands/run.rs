//! `tamis run`.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tamis_config::{InputKind, Plan};
use tamis_host::{OpenCall, Watchdog};
use tamis_runner::{
    Added, Event, Finish, Observer, Observers, Progress, Report, RunError, Segment, SegmentTask, Settings,
    StoreSettings, Stream,
};
use tamis_stage::RunContext;

use crate::args::RunArgs;
use crate::commands::report;
use crate::context::{Context, Planned, logged_run};
use crate::events::{self, Events};
use crate::metrics::Metrics;
use crate::output::{self, print_line};
use crate::progress::{self, Show, Watched};
use crate::slow::Slow;
use crate::times::Clock;
use crate::{Exit, environment, failures, stop, summary};

pub(crate) fn run(context: &Context, args: &RunArgs) -> anyhow::Result<Exit> {
    let result = run_planned(context, args);
    if args.json
        && let Err(error) = &result
    {
        events::refused(&json!([{ "message": format!("{error:#}") }]));
    }
    result
}

fn run_planned(context: &Context, args: &RunArgs) -> anyhow::Result<Exit> {
    let planned = match context.plan(&args.pipeline, &args.places) {
        Ok(planned) => planned,
        Err(diagnostics) => {
            if args.json {
                events::refused(&diagnostics.to_json());
            }
            output::diagnostics(&diagnostics);
            return Ok(Exit::Setup);
        }
    };
    let plan = &planned.plan;
    if !args.quiet {
        output::diagnostics(&plan.warnings);
    }
    check_stream(args)?;
    let segments = tamis_runner::segments(plan);
    check_task(args, plan, &segments)?;
    let show = show(args);
    if show == Show::Json {
        events::print(task_json(args, &segments));
    }
    let settings = Settings {
        fresh: args.fresh,
        add: args.add,
        dry_run: args.dry_run,
        store: Some(store(plan, args.take_over)),
        stream: args.places.streams().then(|| Stream::to(output::Documents)),
        limit: args.limit,
        shard: args.shard,
        task: args.segment.map(|segment| SegmentTask { segment, states: args.state.clone() }),
        ..Settings::default()
    };
    let result = watched_by(&planned, settings.clone(), show, &[], args.metrics.as_deref())?;
    // Not when the run hears of it: whoever shows how far it is may still have something to say.
    events::ended(plan, &result);
    Ok(match result {
        Ok(report) => {
            report::leave(&planned, &report);
            finished(plan, &report, show, &settings)
        }
        Err(error) => broken(&error),
    })
}

/// Runs a plan in this process: heard by signals, watched for calls that hang, and shown.
pub(crate) fn watched(
    planned: &Planned,
    settings: Settings,
    show: Show,
) -> anyhow::Result<Result<Report, RunError>> {
    watched_by(planned, settings, show, &[], None)
}

/// The same, with further observers and a file of counters.
pub(crate) fn watched_by(
    planned: &Planned,
    settings: Settings,
    show: Show,
    others: &[&dyn Observer],
    metrics: Option<&Path>,
) -> anyhow::Result<Result<Report, RunError>> {
    hear_of_long_files()?;
    // What must be put aside where nothing is written goes away with it.
    let is_passing = settings.dry_run || settings.stream.is_some();
    let scratch = if is_passing { Some(tempfile::tempdir()?) } else { None };
    let scratch = || scratch.as_ref().map(|folder| folder.path().to_owned());
    let run = logged_run();
    let grace = stop::on_signal(&run, scratch())?;
    let _watchdog = watchdog(&run, &planned.plan)?;
    let store = settings.store.clone().or_else(|| Some(store(&planned.plan, false)));
    let settings = Settings { scratch: scratch(), grace: Some(grace), store, ..settings };
    let opened = planned.open(&run)?;
    let progress = Progress::default();
    // Where nothing is written, nobody reads what it has taken.
    let clock = if is_passing { None } else { Some(Clock::start(&run, threads(&planned.plan))?) };
    let clock = clock.as_ref().map(|clock| clock as &dyn Observer);
    let own = [&progress as &dyn Observer, &Events];
    let observers = Observers::new(own.into_iter().chain(clock).chain(others.iter().copied()));
    let phases = phases(&tamis_runner::segments(&planned.plan));
    let metrics = metrics.map(|path| Metrics::new(path, &planned.plan.name)).transpose()?;
    let long_calls = Arc::new(Slow::default());
    let _watched = Slow::watch(&long_calls, &run)?;
    let watched = Watched {
        phases: &phases,
        limit: settings.limit,
        progress: &progress,
        slow: &long_calls,
        metrics: metrics.as_ref(),
    };
    // Where documents scroll by, a bar would stand between them.
    let is_seen = settings.stream.is_some() && output::stdout_is_terminal();
    let show = if is_seen { Show::Nothing } else { show };
    let result = progress::watch(show, &watched, || tamis_runner::run(opened, &settings, &observers));
    if let Some(metrics) = &metrics {
        metrics.write(&progress.snapshot(), Some(result.is_ok()));
    }
    Ok(result)
}

/// How output is prepared that goes to an object store: in `[run] work`, or where this machine keeps what can be made
/// again.
fn store(plan: &Plan, take_over: bool) -> StoreSettings {
    StoreSettings {
        work: plan.run.work.clone().unwrap_or_else(environment::cache_folder),
        holder: format!("process {} on {}", std::process::id(), environment::host()),
        take_over,
    }
}

/// How many threads a run has, as the pipeline says.
fn threads(plan: &Plan) -> usize {
    match plan.run.threads {
        0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        threads => threads,
    }
}

/// Refuses what makes no sense where documents go to standard output.
fn check_stream(args: &RunArgs) -> anyhow::Result<()> {
    let flags = [
        (args.json, "--json", "prints there, too: write to a folder with `-o FOLDER`"),
        (args.add, "--add", "adds to an earlier output, and there is none: name its folder with `-o FOLDER`"),
        (args.dry_run, "--dry-run", "writes nothing: leave one of them out"),
        (args.fresh, "--fresh", "replaces an earlier output, and there is none: leave it out"),
        (args.shard.is_some(), "--shard", "writes to a folder of its own: name one with `-o FOLDER`"),
        (args.segment.is_some(), "--segment", "leaves a state in a folder: name one with `-o FOLDER`"),
    ];
    match flags.into_iter().find(|(is_given, ..)| *is_given && args.places.streams()) {
        Some((_, flag, why)) => {
            anyhow::bail!("`-o -` prints documents to standard output, and `{flag}` {why}")
        }
        None => Ok(()),
    }
}

/// Refuses what the flags and the plan together make no sense of.
fn check_task(args: &RunArgs, plan: &Plan, segments: &[Segment]) -> anyhow::Result<()> {
    if args.add && (args.shard.is_some() || args.segment.is_some()) {
        let flag = if args.shard.is_some() { "--shard" } else { "--segment" };
        anyhow::bail!(
            "`--add` finds what is new and reads it in one run, so it goes with no `{flag}`: leave that out, or give the \
             shards a pipeline of their own, with the new files alone, another output, and at stages that compare documents \
             `against` with the index of the output that is there"
        );
    }
    if let Some(shard) = args.shard
        && shard.count > 1
        && plan.sources.iter().flat_map(|source| &source.inputs).any(|input| input.kind == InputKind::Stdin)
    {
        anyhow::bail!("standard input cannot be parted for `--shard`: write it to a file first");
    }
    let Some(wanted) = args.segment else { return Ok(()) };
    let Some(segment) = segments.get(wanted) else {
        anyhow::bail!(
            "the plan has no segment {wanted}: it has {}, see `tamis plan`",
            match segments.len() {
                1 => "only segment 0".to_owned(),
                n => format!("segments 0 to {}", n - 1),
            }
        );
    };
    if args.state.len() > segment.needs.len() {
        let needs = summary::plural(segment.needs.len() as u64, "state", "states");
        anyhow::bail!(
            "segment {wanted} needs {needs} and {} are given: merge those of shards with `tamis state merge`",
            args.state.len()
        );
    }
    Ok(())
}

/// What the segments do, in a few words; nothing if there is one only.
fn phases(segments: &[Segment]) -> Vec<String> {
    let phase = |segment: &Segment| match &segment.observes {
        Some(state) => format!("learn {}", state.stage),
        None => "write".to_owned(),
    };
    if segments.len() == 1 { Vec::new() } else { segments.iter().map(phase).collect() }
}

/// Which part of the plan is run, for events.
fn task_json(args: &RunArgs, segments: &[Segment]) -> Value {
    json!({
        "segments": segments.len(),
        "segment": args.segment,
        "shard": args.shard.map(|shard| json!({ "index": shard.index, "count": shard.count })),
    })
}

fn show(args: &RunArgs) -> Show {
    match (args.json, args.quiet) {
        (true, _) => Show::Json,
        (_, true) => Show::Nothing,
        _ => Show::Bar,
    }
}

/// Tells of calls into plugins that do not get on.
fn watchdog(run: &RunContext, plan: &Plan) -> anyhow::Result<Option<Watchdog>> {
    let seconds = plan.run.stage_timeout_secs;
    let limit = Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX);
    if limit.is_zero() {
        return Ok(None);
    }
    let events = Events;
    let tell = move |call: &OpenCall| {
        events.event(&Event::Slow {
            stage: &call.stage,
            plugin: &call.plugin,
            subject: &call.subject,
            document: call.document.as_deref(),
            lasts: call.lasts,
        });
    };
    Ok(Some(Watchdog::start(run, limit, tell)?))
}

/// A file that grows over the limit of the process (`ulimit -f`) is an error of that write, as a full disk is.
///
/// Without anybody to hear it the signal ends the process, without a word.
#[cfg(unix)]
fn hear_of_long_files() -> anyhow::Result<()> {
    use signal_hook::consts::SIGXFSZ;

    // What matters is the answer that the write then gives, so nobody reads the flag.
    signal_hook::flag::register(SIGXFSZ, Arc::default())?;
    Ok(())
}

#[cfg(not(unix))]
fn hear_of_long_files() -> anyhow::Result<()> {
    Ok(())
}

pub(crate) fn finished(plan: &Plan, report: &Report, show: Show, settings: &Settings) -> Exit {
    shown(plan, report, show, settings);
    let limit = plan.run.max_failed_ratio;
    let (records, bytes) = (report.tally.failed_ratio(), report.tally.input.failed_ratio());
    if records > limit || bytes > limit {
        let letters = match report.finish {
            Finish::Dry if settings.stream.is_some() => {
                "a run with `-o FOLDER` writes them as dead letters".to_owned()
            }
            Finish::Dry => "a run without `--dry-run` writes them as dead letters".to_owned(),
            _ => format!("see the dead letters in {}", dead_letters(plan)),
        };
        let what = if records > limit {
            format!("{:.2} % of the records failed", records * 100.0)
        } else {
            format!("{:.2} % of the bytes of the input could not be read", bytes * 100.0)
        };
        output::error_line(format_args!("{what}, and [run] allows max_failed_ratio = {limit}: {letters}"));
        return Exit::Failed;
    }
    Exit::Done
}

/// Shows what a run did.
pub(crate) fn shown(plan: &Plan, report: &Report, show: Show, settings: &Settings) {
    let (is_limited, streams) = (settings.limit.is_some(), settings.stream.is_some());
    match show {
        Show::Json | Show::Nothing => {}
        Show::Bar if report.finish == Finish::AlreadyDone && settings.add => print_line(format_args!(
            "nothing to add: all of these files have been read, and what came of them is in {}",
            summary::shown(&report.place)
        )),
        Show::Bar if report.finish == Finish::AlreadyDone => print_line(format_args!(
            "nothing to do: {} holds the finished output of this pipeline over these inputs \
             (pass `--fresh` to make it again)",
            summary::shown(&report.place)
        )),
        Show::Bar => show_summary(plan, report, is_limited, streams),
    }
}

fn show_summary(plan: &Plan, report: &Report, is_limited: bool, streams: bool) {
    if report.restarted {
        output::log_line("began anew: the run before had not finished and could not be resumed");
    }
    if report.resumed {
        output::log_line("resumed an unfinished run");
    }
    // Standard output is for documents alone if they are there.
    let text = summary::text(plan, report, is_limited);
    if streams {
        output::log(text);
    } else {
        output::print(text);
    }
    for line in failures::smells(plan, report) {
        output::log_line(format_args!("warning: {line}"));
    }
    for line in summary::silent(plan, report).into_iter().chain(summary::large_shares(plan, report)) {
        output::log_line(line);
    }
    if let Some(added) = &report.manifest.added {
        print_line(addition(added, report));
    }
    match report.finish {
        Finish::Dry if streams => {}
        Finish::Dry => print_line("this was a dry run: nothing was written"),
        Finish::Segment => print_line("this was one segment of the plan: others follow"),
        Finish::Done | Finish::AlreadyDone => {}
    }
}

/// What an addition is, and what it is not.
fn addition(added: &Added, report: &Report) -> String {
    let files = summary::plural(report.manifest.input_files, "new file", "new files");
    let rest = if added.equals_fresh_run {
        "which stays as it is"
    } else {
        "which stays as it is and was only compared with: a fresh run over all files might keep others"
    };
    format!("addition {}: {files}, beside the output that was there, {rest}", added.number)
}

/// The folders of the dead letters.
pub(crate) fn dead_letters(plan: &Plan) -> String {
    let failed = plan.exports.iter().filter(|export| export.from == tamis_config::From::Failed);
    failed.map(|export| summary::shown(&export.path)).collect::<Vec<_>>().join(", ")
}

pub(crate) fn broken(error: &RunError) -> Exit {
    if matches!(error, RunError::Closed) {
        // As `head` does when it has seen enough: nothing is wrong.
        return Exit::Done;
    }
    output::error_line(error);
    match error {
        error if error.is_interrupted() => Exit::Interrupted,
        error if error.is_setup() => Exit::Setup,
        _ => Exit::Broken,
    }
}

#[cfg(test)]
mod tests {
    use tamis_runner::{Reads, StateName, Writes};

    use super::*;

    #[test]
    fn phases_say_which_stage_learns() {
        let segment = |index: usize, learns: Option<(&str, u32)>| Segment {
            index,
            reads: if index == 0 { Reads::Sources } else { Reads::Spill },
            stages: Vec::new(),
            needs: Vec::new(),
            observes: learns.map(|(stage, pass)| StateName { stage: stage.to_owned(), pass }),
            writes: if learns.is_some() { Writes::Spill } else { Writes::Exports },
        };
        assert!(phases(&[segment(0, None)]).is_empty());
        let segments = [segment(0, Some(("templates", 0))), segment(1, Some(("near", 0))), segment(2, None)];
        assert_eq!(phases(&segments), ["learn templates", "learn near", "write"]);
    }
}
