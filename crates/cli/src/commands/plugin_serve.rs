//! The child process of a stage with `isolate`.

use std::io;
use std::time::Duration;

use tamis_host::{OpenCall, Request, Watchdog};
use tamis_isolate::Setup;
use tamis_stage::handle::OpenStage;
use tamis_stage::{Kind, LogLevel, PluginOrigin, Registry, RunContext, SetupError};

use crate::Exit;
use crate::context::{Context, loader};
use crate::output::{self, Documents};

/// Answers the parent until it closes standard input.
pub(crate) fn serve(context: &Context) -> anyhow::Result<Exit> {
    // The parent adds whose words these are.
    let run = RunContext::new(|level, line| {
        if level <= LogLevel::Warning {
            output::log_line(line);
        }
    });
    let mut watchdog = None;
    let open = |setup: &Setup| {
        watchdog = watch(&run, setup.limit_secs).map_err(SetupError::new)?;
        open(context, setup, &run)
    };
    tamis_isolate::serve(io::stdin(), Documents, open, end)?;
    drop(watchdog);
    Ok(Exit::Done)
}

fn open(context: &Context, setup: &Setup, run: &RunContext) -> Result<(OpenStage, Kind), SetupError> {
    let registry = registry(context, setup)?;
    let named = registry.named(&setup.name).find(|factory| factory.info().kind.table() == setup.table);
    let factory = named.ok_or_else(|| SetupError::new(format!("there is no stage `{}`", setup.name)))?;
    Ok((factory.open_in(run, &setup.options)?, factory.info().kind))
}

/// The stages of the plugin that the parent has the stage from.
fn registry(context: &Context, setup: &Setup) -> Result<Registry, SetupError> {
    let mut registry = context.registry();
    if let PluginOrigin::Library { path, blake3 } = &setup.origin {
        let request = Request::Path(path.clone());
        loader().register(&request, Some(blake3), &mut registry).map_err(SetupError::new)?;
    }
    Ok(registry)
}

/// Ends the process when the stage has been at a document for too long: no thread can be ended from outside.
fn watch(run: &RunContext, limit_secs: Option<f64>) -> io::Result<Option<Watchdog>> {
    let limit = limit_secs.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let Some(limit) = limit else { return Ok(None) };
    let tell = |call: &OpenCall| {
        let seconds = call.lasts.as_secs_f64();
        let subject = if call.subject.is_empty() { "" } else { " at " };
        let subject = format!("{subject}{}", call.subject);
        output::log_line(format_args!("it has worked{subject} for {seconds:.0} s (`stage_timeout_secs`)"));
        end();
    };
    Watchdog::start(run, limit, tell).map(Some)
}

/// Ends the process around a stage that may never come back.
fn end() {
    #[cfg(unix)]
    tamis_host::exit_now(Exit::Failed.code().into());
    #[cfg(not(unix))]
    std::process::exit(Exit::Failed.code().into());
}
