//! What one program took: processor time, wall time, peak memory.

use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

/// The hidden subcommand that runs and measures one program.
pub(crate) const MEASURE: &str = "bench-measure";

/// What a program and all processes it waited for took.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Usage {
    /// Processor time, user and system, in seconds.
    pub(crate) cpu_seconds: f64,
    /// From before the start to after the end, in seconds.
    pub(crate) wall_seconds: f64,
    /// The largest resident set of any of its processes, in bytes.
    pub(crate) peak_bytes: u64,
}

/// Runs a program to its end and says what it took.
///
/// The kernel keeps one sum and one maximum over all children of a process, so every program is started by a
/// process of its own (`measure_one`), whose only child it is.
/// Its output to stdout is thrown away; what it wrote to stderr is in the error if it fails.
pub(crate) fn measure(command: &[String]) -> anyhow::Result<Usage> {
    let own = std::env::current_exe().context("cannot find this program")?;
    let output = Command::new(own).arg(MEASURE).args(command).output().context("cannot start")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        bail!("{}", last_lines(&said));
    }
    serde_json::from_slice(&output.stdout).context("the measuring process gave no figures")
}

/// The end of what a program complained about, on one line.
fn last_lines(said: &str) -> String {
    const MOST: usize = 4;
    let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    lines.get(lines.len().saturating_sub(MOST)..).unwrap_or(&lines).join(" / ")
}

/// The measuring process: starts `command`, waits, prints a [`Usage`] as JSON.
pub(crate) fn measure_one(command: &[&str]) -> anyhow::Result<()> {
    let [program, arguments @ ..] = command else { bail!("nothing to measure") };
    let start = std::time::Instant::now();
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .with_context(|| format!("cannot start `{program}`"))?;
    let wall_seconds = start.elapsed().as_secs_f64();
    if !status.success() {
        bail!("`{program}` failed: {status}");
    }
    println!("{}", serde_json::to_string(&children(wall_seconds)?)?);
    Ok(())
}

/// What the children that this process waited for took.
#[cfg(unix)]
fn children(wall_seconds: f64) -> anyhow::Result<Usage> {
    use nix::sys::resource::{UsageWho, getrusage};
    use nix::sys::time::TimeValLike;

    // Kilobytes, but bytes on Apple's systems.
    const UNIT_BYTES: u64 = if cfg!(target_vendor = "apple") { 1 } else { 1024 };
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).context("cannot ask for the usage of a child")?;
    let microseconds = usage.user_time().num_microseconds() + usage.system_time().num_microseconds();
    Ok(Usage {
        cpu_seconds: microseconds as f64 / 1e6,
        wall_seconds,
        peak_bytes: u64::try_from(usage.max_rss()).unwrap_or(0) * UNIT_BYTES,
    })
}

#[cfg(not(unix))]
fn children(_wall_seconds: f64) -> anyhow::Result<Usage> {
    bail!("`cargo xtask bench` measures on Unix systems only")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_fit_a_line() {
        for (said, expected) in [("", ""), ("one\n", "one"), ("1\n2\n\n3\n 4\n5\n", "2 / 3 / 4 / 5")] {
            assert_eq!(last_lines(said), expected, "{said:?}");
        }
    }
}
