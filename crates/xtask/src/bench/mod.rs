//! `cargo xtask bench`: what runs cost, beside limits and peers, in one table.
//!
//! `docs/bench.md` says what is measured, and how to read it.

#![expect(clippy::print_stderr, reason = "what is running now, beside the table on stdout")]

mod cases;
mod contest;
mod corpus;
mod generate;
pub(crate) mod measure;
mod peers;
mod pipeline;
mod report;
mod statistics;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};
use cases::{Case, Setting};
use clap::{Parser, ValueEnum};
use corpus::Corpus;
use pipeline::Stages;
use report::{Row, Verdict};
use tempfile::TempDir;

pub(crate) use measure::{MEASURE, measure_one};
pub(crate) use peers::{JSONL_PEER, jsonl_peer};

/// Measures what runs of Tamis cost, beside limits and peers
#[derive(Debug, Parser)]
#[command(name = "cargo xtask bench")]
struct Arguments {
    /// What to measure; everything by default
    #[arg(value_enum, value_name = "CASE")]
    cases: Vec<Case>,

    /// A folder with text.jsonl, pages.warc.gz and html/ to measure with, instead of invented pages
    #[arg(long, value_name = "FOLDER")]
    corpus: Option<PathBuf>,

    /// How many pages to invent
    #[arg(long, value_name = "N", default_value_t = 30_000, conflicts_with = "corpus")]
    documents: u64,

    /// How often every program runs
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..))]
    runs: u16,

    /// One run of everything and, without `--corpus`, 500 pages: to see that it works
    #[arg(long)]
    quick: bool,

    /// The binary to measure; without it, one is built
    #[arg(long, value_name = "PATH")]
    tamis: Option<PathBuf>,

    /// Where to put output and what is made of the corpus; by default beside the corpus, as `<corpus>.bench`
    #[arg(long, value_name = "FOLDER")]
    work: Option<PathBuf>,

    /// Print JSON instead of a table
    #[arg(long)]
    json: bool,

    /// Fail if a bar is missed
    #[arg(long)]
    strict: bool,
}

/// How often `tamis check` starts.
const STARTS: usize = 30;
const QUICK_STARTS: usize = 5;
const QUICK_DOCUMENTS: u64 = 500;
/// With less text, starting and ending outweigh the work.
const SMALL_BYTES: u64 = 100_000_000;

/// An invented page, the same for the same number.
pub(crate) fn invented(number: u64) -> generate::Page {
    generate::page(number)
}

/// Measures and prints.
///
/// # Errors
///
/// When the arguments are wrong, nothing can be built or made, a run of Tamis fails, or, with `--strict`, a
/// bar is missed.
pub(crate) fn run(arguments: &[&str]) -> anyhow::Result<()> {
    let arguments = Arguments::parse_from(std::iter::once(&"cargo xtask bench").chain(arguments));
    // Holds the corpus that was made, until the end.
    let made = TempDir::with_prefix("tamis-bench-").context("cannot make a temporary folder")?;
    let setting = setting(&arguments, made.path())?;
    notices(&setting);

    let cases = if arguments.cases.is_empty() { Case::value_variants() } else { &arguments.cases };
    let mut rows = Vec::new();
    for case in cases {
        let contest = case.prepare(&setting)?;
        rows.extend(contest.run(&mut |what| eprintln!("{what}")));
    }
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&as_json(&setting, &rows)?)?);
    } else {
        print!("{}", report::table(&rows));
    }
    judge(&rows, arguments.strict)
}

/// Finds the programs, and finds or makes the corpus.
fn setting(arguments: &Arguments, made: &Path) -> anyhow::Result<Setting> {
    let (tamis, peer) = programs(arguments.tamis.as_deref())?;
    let stages = stages(&tamis)?;
    let corpus = if let Some(folder) = &arguments.corpus {
        Corpus::open(folder)?
    } else {
        let folder = made.join("corpus");
        let documents = if arguments.quick { QUICK_DOCUMENTS } else { arguments.documents };
        eprintln!("inventing {documents} pages");
        corpus::make(&folder, documents)?;
        Corpus::open(&folder)?
    };
    let work = arguments.work.clone().unwrap_or_else(|| {
        let name = corpus.folder.file_name().unwrap_or_default().to_string_lossy();
        corpus.folder.with_file_name(format!("{name}.bench"))
    });
    std::fs::create_dir_all(&work)
        .with_context(|| format!("cannot make the folder {}; name another with `--work`", work.display()))?;
    let work = work.canonicalize()?;
    for path in [&corpus.folder, &work, &tamis, &peer] {
        if path.to_str().is_none() {
            bail!("the path {} is not UTF-8; pipelines cannot name it", path.display());
        }
    }
    Ok(Setting {
        tamis,
        peer,
        stages,
        corpus,
        work,
        runs: if arguments.quick { 1 } else { arguments.runs.into() },
        starts: if arguments.quick { QUICK_STARTS } else { STARTS },
    })
}

/// The binary to measure, and the program beside it that holds the loop; built when none is given.
fn programs(given: Option<&Path>) -> anyhow::Result<(PathBuf, PathBuf)> {
    let own = std::env::current_exe().context("cannot find this program")?;
    let tamis = if let Some(path) = given {
        path.to_owned()
    } else {
        build()?;
        let target = own.parent().and_then(Path::parent).context("this program lies in no target folder")?;
        target.join("release").join(format!("tamis{}", std::env::consts::EXE_SUFFIX))
    };
    let tamis = tamis.canonicalize().with_context(|| format!("cannot find {}", tamis.display()))?;
    let beside = own.file_name().map(|name| tamis.with_file_name(name)).filter(|path| path.is_file());
    Ok((tamis, beside.unwrap_or(own)))
}

fn build() -> anyhow::Result<()> {
    eprintln!("building");
    let status = Command::new(env!("CARGO"))
        .args([
            "build",
            "--quiet",
            "--release",
            "--locked",
            "--package",
            "tamis-cli",
            "--package",
            "tamis-xtask",
        ])
        .current_dir(crate::root())
        .status()
        .context("cannot start cargo")?;
    if !status.success() {
        bail!("cannot build: {status}");
    }
    Ok(())
}

fn stages(tamis: &Path) -> anyhow::Result<Stages> {
    let output = Command::new(tamis)
        .args(["stages", "--json"])
        .output()
        .with_context(|| format!("cannot start {}", tamis.display()))?;
    if !output.status.success() {
        bail!("`{} stages --json` failed: {}", tamis.display(), output.status);
    }
    Stages::parse(&output.stdout).context("cannot read the list of stages")
}

/// What makes the figures mean less than they seem to.
fn notices(setting: &Setting) {
    let Corpus { documents, bytes, .. } = setting.corpus;
    eprintln!("{documents} documents, {:.1} MB of text, {} cores", bytes as f64 / 1e6, cores());
    if bytes < SMALL_BYTES {
        eprintln!("note: with less than {} MB of text, the bars mean nothing", SMALL_BYTES / 1_000_000);
    }
    for program in [&setting.tamis, &setting.peer].into_iter().filter(|program| is_debug(program)) {
        eprintln!("note: {} is a debug build; the bars are for release builds", program.display());
    }
    if cores() < 2 {
        eprintln!("note: on one core, two threads are no faster than one");
    }
}

/// Whether a program lies where debug builds are put.
fn is_debug(program: &Path) -> bool {
    program.parent().is_some_and(|folder| folder.ends_with("debug"))
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

fn as_json(setting: &Setting, rows: &[Row]) -> serde_json::Result<serde_json::Value> {
    Ok(serde_json::json!({
        "machine": { "os": std::env::consts::OS, "arch": std::env::consts::ARCH, "cores": cores() },
        "corpus": { "documents": setting.corpus.documents, "text_bytes": setting.corpus.bytes },
        "runs": setting.runs,
        "starts": setting.starts,
        "debug": is_debug(&setting.tamis) || is_debug(&setting.peer),
        "rows": serde_json::to_value(rows)?,
    }))
}

/// Says how it ended, which a long table may hide.
fn judge(rows: &[Row], strict: bool) -> anyhow::Result<()> {
    let count = |verdict| report::count(rows, verdict);
    let (missed, failed) = (count(Verdict::Missed), count(Verdict::Failed));
    eprintln!(
        "{} bars met, {missed} missed; {} without peer, {} skipped, {failed} failed",
        count(Verdict::Met),
        count(Verdict::NoPeer),
        count(Verdict::Skipped)
    );
    if failed > 0 {
        bail!("tamis failed in {failed} comparisons");
    }
    if strict && missed > 0 {
        bail!("{missed} bars are missed");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn arguments_are_consistent() {
        Arguments::command().debug_assert();
        for (arguments, valid) in [
            (&["bench"][..], true),
            (&["bench", "jsonl", "warc", "--runs", "3", "--strict"], true),
            (&["bench", "nothing"], false),
            (&["bench", "--runs", "0"], false),
            (&["bench", "--corpus", "a", "--documents", "5"], false),
        ] {
            assert_eq!(Arguments::try_parse_from(arguments).is_ok(), valid, "{arguments:?}");
        }
    }

    #[test]
    fn only_strict_fails_on_a_missed_bar() {
        let row = |verdict| Row::new("jsonl", report::Measure::Cpu, "tamis").ended(verdict, "");
        for (verdict, strict, fails) in [
            (Verdict::Met, true, false),
            (Verdict::Missed, false, false),
            (Verdict::Missed, true, true),
            (Verdict::NoPeer, true, false),
            (Verdict::Skipped, true, false),
            (Verdict::Failed, false, true),
        ] {
            assert_eq!(judge(&[row(verdict)], strict).is_err(), fails, "{verdict:?}, strict: {strict}");
        }
    }
}
