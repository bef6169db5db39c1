//! How a run is stopped: what a signal asks for, and what happens when a plugin does not hear it.
//!
//! Workers are asked to come back, and stages that ask for it hear that the run is cancelled.
//! A call that never returns cannot be ended from outside, nor can the thread that it holds. So the run is left as
//! it is after some time: what was written is noted, and the process ends around the call.

use std::convert::Infallible;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tamis_runner::Grace;
use tamis_stage::RunContext;

use crate::events;
use crate::output;

/// How long workers may take to come back; then the run notes how far it is and ends without them.
const GRACE: Duration = Duration::from_secs(3);
/// When the process ends although the run could not note how far it is: that too hangs on a plugin, such as an
/// exporter that does not come back. What was noted last then holds.
const LAST: Duration = Duration::from_millis(4500);
const TICK: Duration = Duration::from_millis(50);

/// Makes the first signal ask the run to stop, and the second end the process at once; `scratch` is a folder that
/// must not stay behind. What is to happen when the run does not come back then.
pub(crate) fn on_signal(run: &RunContext, scratch: Option<PathBuf>) -> anyhow::Result<Grace> {
    let (folder, of) = (scratch.clone(), run.clone());
    let grace =
        Grace { after: GRACE, leave: Arc::new(move || -> Infallible { leave(&of, folder.as_deref()) }) };
    let run = run.clone();
    let asked = AtomicBool::new(false);
    ctrlc::set_handler(move || {
        if asked.swap(true, Ordering::Relaxed) {
            // Whoever asks twice wants no cleaning up.
            exit_now();
        }
        output::log_line("stopping after the blocks in flight; press Ctrl-C again to stop at once");
        run.cancel();
        let (run, scratch) = (run.clone(), scratch.clone());
        // Not here: the second signal must be heard.
        std::thread::spawn(move || leave_at_last(&run, scratch.as_deref()));
    })?;
    Ok(grace)
}

/// Ends the process when a call into a plugin still goes on that was there when the run was asked to stop.
fn leave_at_last(run: &RunContext, scratch: Option<&Path>) {
    let asked = Instant::now();
    loop {
        std::thread::sleep(TICK);
        let elapsed = asked.elapsed();
        if elapsed >= LAST && !tamis_host::open_calls(Some(run), elapsed).is_empty() {
            leave(run, scratch);
        }
    }
}

/// Says what the run was stopped in, and ends the process around it.
fn leave(run: &RunContext, scratch: Option<&Path>) -> ! {
    let message = match tamis_host::open_calls(Some(run), Duration::ZERO).first() {
        Some(call) => {
            format!("interrupted, and {call} has not come back; run the same command again to go on")
        }
        None => "interrupted; run the same command again to go on".to_owned(),
    };
    events::ended_early(&message);
    if let Some(scratch) = scratch {
        // It is in the temporary folder: the system takes away what stays.
        let _ = std::fs::remove_dir_all(scratch);
    }
    exit_now()
}

/// Ends the process without waiting for anybody, as interrupted.
#[cfg(unix)]
fn exit_now() -> ! {
    tamis_host::exit_now(130)
}

/// Ends the process, as interrupted.
#[cfg(not(unix))]
#[expect(clippy::exit, reason = "other threads may never end")]
fn exit_now() -> ! {
    std::process::exit(130)
}
