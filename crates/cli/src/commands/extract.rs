//! `tamis extract`: the clean text of pages, without a pipeline.
//!
//! What runs is a plan like any other, made of a few lines of TOML and the flags.

use std::io::{self, Write};
use std::path::Path;

use serde_json::Value;
use tamis_config::Plan;
use tamis_runner::{Report, Settings, Stream};

use crate::args::{ExtractArgs, PlaceArgs};
use crate::commands::run;
use crate::context::{Context, Planned};
use crate::output::{self, Documents};
use crate::progress::Show;
use crate::{Exit, failures};

/// The stages, up to those that the flags decide.
const STAGES: &str = include_str!("extract.toml");

pub(crate) fn extract(context: &Context, args: &ExtractArgs) -> anyhow::Result<Exit> {
    let is_printed = args.output.as_deref().is_none_or(|output| output == Path::new("-"));
    if is_printed && args.fresh {
        anyhow::bail!("`--fresh` replaces the output of an earlier run: name its folder with `-o`");
    }
    let output = if is_printed { Path::new("-") } else { args.output.as_deref().unwrap_or(Path::new("-")) };
    let places = PlaceArgs { inputs: args.inputs.clone(), output: Some(output.to_owned()) };
    let planned = match context.plan_of(&pipeline(args, is_printed), &args.set, &places) {
        Ok(planned) => planned,
        Err(diagnostics) => {
            output::diagnostics(&diagnostics);
            return Ok(Exit::Setup);
        }
    };
    if is_printed { print(&planned, args) } else { write(&planned, args) }
}

/// The pipeline that the flags ask for.
fn pipeline(args: &ExtractArgs, is_printed: bool) -> String {
    let exporter = match (is_printed || args.json, args.markdown) {
        (true, _) => "jsonl",
        (false, true) => "markdown\"\nparagraphs = \"as-is",
        (false, false) => "text",
    };
    format!("{}\n[[export]]\nuse = \"{exporter}\"\npath = \"extracted\"\n", stages(args.markdown))
}

/// The pipeline as far as it does not depend on where the texts go.
pub(crate) fn stages(is_markdown: bool) -> String {
    // In Markdown blank lines, indentation and the ends of lines mean something.
    let (extraction, repair) = if is_markdown {
        ("\noutput = \"markdown\"", "white_space = false\nremove_blank_lines = false\njoin_lines = false\n")
    } else {
        ("", "")
    };
    let stages = STAGES.replacen("use = \"html-extract\"", &format!("use = \"html-extract\"{extraction}"), 1);
    format!("{stages}\n[[stage]]\nuse = \"repair-text\"\n{repair}")
}

fn print(planned: &Planned, args: &ExtractArgs) -> anyhow::Result<Exit> {
    let stream =
        if args.json || are_many(args) { Stream::to(Documents) } else { Stream::to(Texts::default()) };
    let settings = Settings { stream: Some(stream), ..Settings::default() };
    // Several pages a second scroll by where they are printed: that is progress enough.
    Ok(match run::watched(planned, settings, Show::Nothing)? {
        Ok(report) => told(&planned.plan, &report, args.quiet),
        Err(error) => run::broken(&error),
    })
}

fn write(planned: &Planned, args: &ExtractArgs) -> anyhow::Result<Exit> {
    let show = if args.quiet { Show::Nothing } else { Show::Bar };
    let settings = Settings { fresh: args.fresh, ..Settings::default() };
    Ok(match run::watched(planned, settings.clone(), show)? {
        Ok(report) => {
            let plan = &planned.plan;
            run::shown(plan, &report, show, &settings);
            could_not(&report).map_or(Exit::Done, |message| {
                let letters = run::dead_letters(plan);
                output::log(way_out(&failures::reasons(plan, &report)));
                output::error_line(format_args!("{message}: see the dead letters in {letters}"));
                Exit::Failed
            })
        }
        Err(error) => run::broken(&error),
    })
}

/// Whether one cannot tell from the text alone which of several inputs it came from.
fn are_many(args: &ExtractArgs) -> bool {
    match args.inputs.as_slice() {
        [only] => {
            let is_glob = only.to_str().is_some_and(tamis_address::glob::is_glob);
            only.is_dir() || (is_glob && !only.exists())
        }
        _ => true,
    }
}

/// That pages could not be extracted, if so.
fn could_not(report: &Report) -> Option<String> {
    let tally = &report.tally;
    let has_failed = tally.failed_ratio() > 0.0 || tally.input.failed_ratio() > 0.0 || tally.unread.n > 0;
    let n = tally.kept + tally.failed;
    has_failed.then(|| format!("{} of {n} documents could not be extracted", tally.failed))
}

/// What to do where there is no pipeline in which to follow what the reasons of failures say.
fn way_out(reasons: &str) -> String {
    if reasons.contains("fields = { text") {
        "  here `--set source.auto.fields.text=NAME` names it; `tamis init` writes a pipeline for such files\n".to_owned()
    } else {
        String::new()
    }
}

/// Says what was not printed, and why.
fn told(plan: &Plan, report: &Report, is_quiet: bool) -> Exit {
    if let Some(message) = could_not(report) {
        let reasons = failures::reasons(plan, report);
        output::log(failures::unread(report) + &reasons + &way_out(&reasons));
        output::error_line(message);
        return Exit::Failed;
    }
    if report.tally.kept == 0 && !is_quiet {
        output::log_line("warning: the input holds no document");
    }
    Exit::Done
}

/// Takes lines of JSON and prints the texts in them, a blank line between two.
#[derive(Default)]
struct Texts {
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
    has_printed: bool,
}

impl Texts {
    fn print(&mut self, line: &[u8]) -> io::Result<()> {
        let record: Value = serde_json::from_slice(line)?;
        let text = record["text"].as_str().unwrap_or_default();
        if text.trim().is_empty() {
            // Silence would look like a mistake of the program, or of the pipe.
            let id = record["id"].as_str().unwrap_or_default();
            output::log_line(format_args!("warning: no text was found in `{id}`"));
            return Ok(());
        }
        let between = if self.has_printed { "\n" } else { "" };
        self.has_printed = true;
        Documents.write_all(format!("{between}{}\n", text.trim_end_matches('\n')).as_bytes())
    }
}

impl Write for Texts {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.line.extend_from_slice(bytes);
        let all = std::mem::take(&mut self.line);
        for line in all.split_inclusive(|byte| *byte == b'\n') {
            match line {
                [whole @ .., b'\n'] => self.print(whole)?,
                begun => self.line.extend_from_slice(begun),
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Documents.flush()
    }
}
