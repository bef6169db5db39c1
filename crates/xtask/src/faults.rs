//! `cargo xtask faults`: the fault suite for as long as it is given, and what it saw as a page.
//!
//! `docs/faults.md` says what is tried; its table is written here. The suite itself is `tests/faults`.

#![expect(clippy::print_stderr, reason = "what is running now, beside the table on stdout")]

use std::path::Path;
use std::process::Command;

use anyhow::{Context, bail};
use clap::Parser;
use serde::Deserialize;

use crate::root;

/// Harms runs of Tamis at random, and counts what is lost
#[derive(Debug, Parser)]
#[command(name = "cargo xtask faults")]
struct Arguments {
    /// One scenario; all of them by default
    #[arg(value_name = "SCENARIO")]
    scenario: Option<String>,

    /// How long to go on with new seeds; once through all scenarios at least
    #[arg(long, value_name = "MINUTES", default_value_t = 30.0)]
    minutes: f64,

    /// The first seed, to repeat a trial that broke; by default one of the clock
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// Leave the page as it is, as with a single scenario
    #[arg(long)]
    no_page: bool,
}

/// What the suite says of itself.
#[derive(Deserialize)]
struct Report {
    seed: u64,
    seconds: f64,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct Row {
    scenario: String,
    trials: u64,
    hit: u64,
    resumed: u64,
    lost: u64,
    twice: u64,
    aborts: u64,
    peak_bytes: u64,
    bound_bytes: u64,
    skipped: Option<String>,
    broken: Vec<Broken>,
}

#[derive(Deserialize)]
struct Broken {
    seed: u64,
    why: String,
}

/// The lines of the page between which the table stands.
const BEGIN: &str = "<!-- Written by `cargo xtask faults`: begin -->";
const END: &str = "<!-- Written by `cargo xtask faults`: end -->";

/// Runs the suite, prints the table and writes it into the page.
///
/// # Errors
///
/// When the suite cannot be built or run, or a trial broke.
pub(crate) fn run(arguments: &[&str]) -> anyhow::Result<()> {
    let arguments = Arguments::parse_from(std::iter::once(&"cargo xtask faults").chain(arguments));
    let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
    let report = folder.path().join("report.json");
    let suite_held = suite(&arguments, &report)?;
    // Libraries that exit, loop and print have tests of their own.
    let plugins_held = arguments.scenario.is_some() || test("plugins", &[], &[])?;
    let text = std::fs::read(&report).context("the suite ended before it could say what it saw")?;
    let report: Report =
        serde_json::from_slice(&text).context("the suite and this command are not of one version")?;
    let table = table(&report);
    println!("{table}");
    for row in &report.rows {
        for broken in &row.broken {
            println!("{} --seed {}: {}\n", row.scenario, broken.seed, broken.why);
        }
    }
    if arguments.scenario.is_none() && !arguments.no_page {
        write_page(&table)?;
    }
    if !suite_held || !plugins_held {
        bail!("what was promised did not hold; `--seed` repeats a trial");
    }
    Ok(())
}

/// Runs the long form of the suite; whether all of it held.
fn suite(arguments: &Arguments, report: &Path) -> anyhow::Result<bool> {
    let mut environment = vec![
        ("TAMIS_FAULTS_MINUTES", arguments.minutes.to_string()),
        ("TAMIS_FAULTS_REPORT", report.display().to_string()),
    ];
    environment.extend(arguments.seed.map(|seed| ("TAMIS_FAULTS_SEED", seed.to_string())));
    environment.extend(arguments.scenario.clone().map(|scenario| ("TAMIS_FAULTS_SCENARIO", scenario)));
    test("faults", &["--ignored", "--nocapture", "--exact", "long::long"], &environment)
}

fn test(name: &str, arguments: &[&str], environment: &[(&str, String)]) -> anyhow::Result<bool> {
    eprintln!("cargo test --package tamis-tests --test {name}");
    let status = Command::new(env!("CARGO"))
        .args(["test", "--quiet", "--locked", "--package", "tamis-tests", "--test", name, "--"])
        .args(arguments)
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .current_dir(root())
        .status()
        .context("cannot start cargo")?;
    Ok(status.success())
}

fn table(report: &Report) -> String {
    let mut table = format!(
        "{:.0} minutes, seeds from {}:\n\n\
         | scenario | trials | faults that hit | resumed runs | records lost | records twice | aborts | peak MiB (bound) | broken trials |\n\
         | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |\n",
        report.seconds / 60.0,
        report.seed
    );
    for row in &report.rows {
        let name = format!("`{}`", row.scenario);
        if let Some(why) = &row.skipped {
            table += &format!("| {name} | SKIPPED: {why} | | | | | | | |\n");
            continue;
        }
        let memory = format!("{} ({})", row.peak_bytes >> 20, row.bound_bytes >> 20);
        table += &format!(
            "| {name} | {} | {} | {} | {} | {} | {} | {memory} | {} |\n",
            row.trials,
            row.hit,
            row.resumed,
            row.lost,
            row.twice,
            row.aborts,
            row.broken.len()
        );
    }
    table
}

/// Puts the table where the last one stood.
fn write_page(table: &str) -> anyhow::Result<()> {
    let path = root().join("crates/xtask/docs/faults.md");
    let page = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let (before, rest) = page.split_once(BEGIN).context("the page has no place for the table")?;
    let (_, after) = rest.split_once(END).context("the page has no end of the table")?;
    std::fs::write(&path, format!("{before}{BEGIN}\n{table}{END}{after}"))
        .with_context(|| format!("cannot write {}", path.display()))
}
