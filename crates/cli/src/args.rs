//! The flags; their doc comments are the help.

use std::path::{Path, PathBuf};

use clap::builder::styling::{AnsiColor, Effects, Styles};
use clap::{Parser, Subcommand};
use tamis_runner::Shard;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().effects(Effects::BOLD))
    .usage(AnsiColor::Green.on_default().effects(Effects::BOLD))
    .literal(AnsiColor::Cyan.on_default().effects(Effects::BOLD))
    .placeholder(AnsiColor::Cyan.on_default());

/// Clean large collections of scraped documents: a TOML pipeline of plugin stages, run in parallel.
#[derive(Debug, Parser)]
#[command(name = "tamis", version, styles = STYLES, after_help = "Exit codes: 0 done, 1 done but too many records \
    failed, 2 the setup is wrong and nothing ran, 3 the run broke, 130 interrupted.")]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a pipeline
    Run(RunArgs),
    /// Find every mistake in a pipeline, or in several, without running them
    Check(CheckArgs),
    /// Show what a run of a pipeline would do, segment by segment
    Plan(PlanArgs),
    /// Work with the saved states of corpus stages
    State {
        #[command(subcommand)]
        command: StateCommand,
    },
    /// Show what each of so many shards would read
    Shards(ShardsArgs),
    /// Make one output of those of all shards, or say which are missing
    Merge(MergeArgs),
    /// Print the clean text of a page, or of many, without a pipeline
    Extract(ExtractArgs),
    /// Run the `[[test]]` tables of a pipeline, and compare snapshots
    Test(TestArgs),
    /// Look at files and write a pipeline for them
    Init(InitArgs),
    /// Make a page of a sample before and after a pipeline, side by side
    Preview(PreviewArgs),
    /// Show how the measures of a sample are spread, and what other limits would drop
    Advise(AdviseArgs),
    /// Show one document on its way through the stages: what each changed, measured and decided
    Explain(ExplainArgs),
    /// Make a page of what a run did: where the records went, why, and how measures are spread
    Report(ReportArgs),
    /// Compare two runs: which documents have another fate or text, and why
    Diff(DiffArgs),
    /// Send what failed in a run through its pipeline again
    Retry(RetryArgs),
    /// List all stages, or show the page of one
    Stages(StagesArgs),
    /// Print the JSON Schema of pipeline files, for editors
    Schema(SchemaArgs),
    /// Make, look at and test plugins
    Plugin {
        #[command(subcommand)]
        command: PluginCommand,
    },
    /// Print a completion script for a shell
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
}

/// `tamis report`
#[derive(Debug, clap::Args)]
pub(crate) struct ReportArgs {
    /// The output folder of the run
    pub(crate) folder: PathBuf,
    /// The file to write, or `-` for standard output; `__report.html` in the folder by default
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// A pipeline whose plugins say what their measures mean
    #[arg(long, value_name = "PIPELINE")]
    pub(crate) pipeline: Option<PathBuf>,
}

/// `tamis preview`
#[derive(Debug, clap::Args)]
pub(crate) struct PreviewArgs {
    #[command(flatten)]
    pub(crate) pipeline: PipelineArgs,
    /// Inputs to take the sample from, instead of the paths of the first source
    pub(crate) inputs: Vec<PathBuf>,
    /// How many records, spread over the files and over what is read of each
    #[arg(short = 'n', long, value_name = "N", default_value_t = 200, value_parser = sample)]
    pub(crate) sample: usize,
    /// The file to write, or `-` for standard output; `NAME-preview.html` by default
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Show it in a browser, on this machine alone, with sliders that move the limits of the stages; what is kept follows,
    /// and the limits can be written into the pipeline
    #[arg(long, conflicts_with = "output")]
    pub(crate) serve: bool,
    /// The port to listen on; a free one by default
    #[arg(long, value_name = "PORT", requires = "serve", default_value_t = 0)]
    pub(crate) port: u16,
}

/// `tamis advise`
#[derive(Debug, clap::Args)]
#[command(group(clap::ArgGroup::new("written").args(["output", "write"])))]
pub(crate) struct AdviseArgs {
    #[command(flatten)]
    pub(crate) pipeline: PipelineArgs,
    /// Inputs to take the sample from, instead of the paths of the first source
    pub(crate) inputs: Vec<PathBuf>,
    /// How many records, spread over the files and over what is read of each
    #[arg(short = 'n', long, value_name = "N", default_value_t = 1000, value_parser = sample)]
    pub(crate) sample: usize,
    /// Write a pipeline that extends this one, with limits that drop `--drop` percent each
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Change these limits in the pipeline itself, so that they drop `--drop` percent each; comments and layout stay
    #[arg(long)]
    pub(crate) write: bool,
    /// What each limit that is written drops of the sample, in percent
    #[arg(long, value_name = "PERCENT", default_value_t = 5.0, requires = "written", value_parser = percent)]
    pub(crate) drop: f64,
}

/// `tamis retry`
#[derive(Debug, clap::Args)]
#[command(
    after_help = "It reads the inputs again where the dead letters point, so what could not be read is retried as \
    well. What comes of it is written to a folder of its own, and the run stays as it is."
)]
pub(crate) struct RetryArgs {
    #[command(flatten)]
    pub(crate) pipeline: PipelineArgs,
    /// The output folder of the run
    #[arg(value_name = "RUN")]
    pub(crate) run: PathBuf,
    /// The inputs of the run, where the command line named them
    pub(crate) inputs: Vec<PathBuf>,
    /// The folder to write to, `RUN-retried` by default
    #[arg(short, long, value_name = "FOLDER")]
    pub(crate) output: Option<PathBuf>,
    /// Replace the output of an earlier retry
    #[arg(long)]
    pub(crate) fresh: bool,
}

/// `tamis diff`
#[derive(Debug, clap::Args)]
pub(crate) struct DiffArgs {
    /// The output folder of the first run
    #[arg(value_name = "RUN_A")]
    pub(crate) a: PathBuf,
    /// The output folder of the second run
    #[arg(value_name = "RUN_B")]
    pub(crate) b: PathBuf,
    /// Write a page of HTML instead, or `-` for standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// `tamis init`
#[derive(Debug, clap::Args)]
pub(crate) struct InitArgs {
    /// Files, folders, globs or addresses
    #[arg(required = true, value_name = "INPUT")]
    pub(crate) inputs: Vec<PathBuf>,
    /// The pipeline file to write, or `-` for standard output
    #[arg(short, long, value_name = "FILE", default_value = "pipeline.toml")]
    pub(crate) output: PathBuf,
    /// Replace the file if it is there
    #[arg(long)]
    pub(crate) force: bool,
    /// How many records to look at
    #[arg(short = 'n', long, value_name = "N", default_value_t = 400, value_parser = sample)]
    pub(crate) sample: usize,
}

/// `tamis explain`
#[derive(Debug, clap::Args)]
pub(crate) struct ExplainArgs {
    #[command(flatten)]
    pub(crate) pipeline: PipelineArgs,
    /// The id of a document, as the output has it; or a file, of which the first record is taken, which may be an export
    /// of what was dropped or of dead letters; or `-`, standard input
    #[arg(value_name = "ID|FILE|-")]
    pub(crate) document: String,
    /// Inputs to look for the id in, instead of the paths of the first source
    pub(crate) inputs: Vec<PathBuf>,
    /// Which record of a file or of standard input, from 1
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) record: u64,
    /// The output folder of a run that has the id; that of the first export by default
    #[arg(long, value_name = "FOLDER")]
    pub(crate) run: Option<PathBuf>,
    /// Read all inputs, so that stages that judge by all documents do so
    #[arg(long)]
    pub(crate) all: bool,
    /// Leave nothing out that changed
    #[arg(long)]
    pub(crate) full: bool,
    /// Write a page of HTML instead, or `-` for standard output
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

/// What every command with a pipeline takes.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct PipelineArgs {
    /// The pipeline file
    pub(crate) pipeline: PathBuf,
    /// Change one value: `stage.length.min_chars=200`, `run.threads=4`. May be repeated.
    ///
    /// The environment can do the same: `TAMIS__STAGE__LENGTH__MIN_CHARS=200`.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) set: Vec<(String, String)>,
}

/// What every command takes that reads inputs and writes exports, or looks at them.
#[derive(Debug, Default, clap::Args)]
pub(crate) struct PlaceArgs {
    /// Files, folders, globs, addresses or `-` (standard input) to read instead of the paths of the first source
    pub(crate) inputs: Vec<PathBuf>,
    /// Folder, or place in an object store (`s3://bucket/out`), to write to instead of that of the first export; `-` prints kept documents to standard output, as the
    /// first export writes them if that can be printed (`jsonl`, `csv`), else as JSON Lines
    #[arg(short, long, value_name = "FOLDER")]
    pub(crate) output: Option<PathBuf>,
}

impl PlaceArgs {
    /// Whether documents go to standard output and not to a folder.
    pub(crate) fn streams(&self) -> bool {
        self.output.as_deref().is_some_and(|output| output == Path::new("-"))
    }
}

#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) pipeline: PipelineArgs,
    #[command(flatten)]
    pub(crate) places: PlaceArgs,
    /// Replace the output of an earlier run
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Begin anew where another run has written to an object store and will not finish: it is gone for good, with its work
    /// folder. Without such a run it changes nothing
    #[arg(long)]
    pub(crate) take_over: bool,
    /// Read new files alone and leave the output of earlier runs as it is: what comes of them is judged against it
    /// and lies beside it, in `added-00001`
    #[arg(long, conflicts_with = "limit")]
    pub(crate) add: bool,
    /// Do everything but write the output
    #[arg(long, conflicts_with_all = ["fresh", "shard", "segment", "state"])]
    pub(crate) dry_run: bool,
    /// Read the first N records only
    #[arg(long, value_name = "N", conflicts_with_all = ["shard", "segment"],
        value_parser = limit)]
    pub(crate) limit: Option<u64>,
    /// Read part I of N equal parts of the inputs, I from 0: `0/8` to `7/8`. Each writes to a folder of its own
    #[arg(long, value_name = "I/N", value_parser = shard)]
    pub(crate) shard: Option<Shard>,
    /// Run one segment of the plan, as `tamis plan` numbers them
    #[arg(long, value_name = "K", value_parser = segment)]
    pub(crate) segment: Option<usize>,
    /// A state that the segment needs, saved by the segments before it; with shards, those of all, merged. May be
    /// repeated
    #[arg(long, value_name = "FILE", requires = "segment")]
    pub(crate) state: Vec<PathBuf>,
    /// Print one JSON object a line instead of a table: started, progress, finished
    #[arg(long)]
    pub(crate) json: bool,
    /// Print nothing but errors
    #[arg(short, long, conflicts_with = "json")]
    pub(crate) quiet: bool,
    /// Keep the counters of the run in a file for Prometheus, written anew every few seconds and at the end
    #[arg(long, value_name = "FILE")]
    pub(crate) metrics: Option<PathBuf>,
}

#[expect(clippy::struct_excessive_bools, reason = "flags of a command line")]
#[derive(Debug, clap::Args)]
#[command(after_help = EXTRACT_HELP)]
pub(crate) struct ExtractArgs {
    /// Files, folders, globs, addresses or `-` (standard input)
    #[arg(required = true, value_name = "INPUT")]
    pub(crate) inputs: Vec<PathBuf>,
    /// Keep headings, lists, tables and emphasis, as Markdown
    #[arg(long)]
    pub(crate) markdown: bool,
    /// Print one JSON object a document: `id`, `text`, `metadata`
    #[arg(long)]
    pub(crate) json: bool,
    /// Write to a folder instead: a file for each document, or JSON Lines with `--json`
    #[arg(short, long, value_name = "FOLDER")]
    pub(crate) output: Option<PathBuf>,
    /// Replace the output of an earlier run
    #[arg(long, requires = "output")]
    pub(crate) fresh: bool,
    /// Change an option of a stage: `stage.html-extract.favour=recall`. May be repeated
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) set: Vec<(String, String)>,
    /// Print nothing but the documents and errors
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

const EXTRACT_HELP: &str = "\
Takes HTML in any encoding, WARC, JSON Lines, CSV, Parquet and text that was flattened from pages, packed or not. The \
text of one input is printed as it is; several inputs or a folder are printed as JSON Lines, so that it can be told \
what came from where.

The stages are html-metadata, html-extract, metadata, boilerplate and repair-text, as `tamis stages NAME` describes \
them; for rules, filters and other outputs write a pipeline.";

#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) pipeline: PipelineArgs,
    #[command(flatten)]
    pub(crate) places: PlaceArgs,
    /// Print the complaints as a JSON array
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = PLAN_HELP)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    pub(crate) pipeline: PipelineArgs,
    #[command(flatten)]
    pub(crate) places: PlaceArgs,
    /// Print JSON, for programs that start the segments
    #[arg(long)]
    pub(crate) json: bool,
    /// Look at the first 2,000 documents, choose the options that stages leave to a sample, such as
    /// `bands = "auto"` of `dedup-near`, and write FILE: a pipeline that is this one with these values
    #[arg(long, value_name = "FILE", conflicts_with_all = ["json", "set"])]
    pub(crate) resolve: Option<PathBuf>,
}

const PLAN_HELP: &str = "\
A plan without corpus stages is one segment. Each corpus stage ends a segment, which it learns from, and begins \
the next, which it is applied to; N shards and K segments are N × K tasks. For each segment in order, run

  tamis run PIPELINE --segment K --shard I/N [--state FILE]...

for all I from 0 to N-1, on any machine that sees the files. A segment that makes a state leaves it in the \
folder `.tamis` beside its manifest, for shard 0 of 8 in `OUT/shard-00000-of-00008/.tamis`. Merge those of all \
shards with `tamis state merge PIPELINE STATE... -o FILE`, and hand FILE to the segments that need it.

JSON: an object with
  name       the name of the pipeline
  sources    list: id, readers, inputs (kind: local, stdin, url; written; path of a local one),
             exclude
  notes      what stages have worked out from their options: sentences by the id of the stage
  segments   list: index, reads (sources, spill), stages, needs (list: stage, pass),
             observes (stage, pass; or null), writes (spill, exports),
             state (the name of the file that it makes, or null)
  exports    list: id, use, from (kept, dropped, failed), path, partition (or null),
             compression (method, level), implicit
  run        threads (0 for every core), memory and block_bytes (bytes), max_failed_ratio,
             work (or null)
  canonical  everything that decides the output: plans with the same value do the same";

#[derive(Debug, clap::Args)]
#[command(after_help = SHARDS_HELP)]
pub(crate) struct ShardsArgs {
    #[command(flatten)]
    pub(crate) pipeline: PipelineArgs,
    #[command(flatten)]
    pub(crate) places: PlaceArgs,
    /// How many shards
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) count: u32,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

const SHARDS_HELP: &str = "\
Shards are even by bytes. A file that several share is divided behind a line where records are lines (`jsonl`), and \
between two parts where it has an index (`parquet`); any other file, and a compressed one, is read by one shard as a whole.

JSON: an object with
  count               how many shards
  bytes               of all of them
  largest_over_mean   the bytes of the largest by those of the mean; 1 if all are even
  shards              list: shard, bytes, files, from (file, byte; or null where there is nothing to read)";

#[derive(Debug, clap::Args)]
pub(crate) struct MergeArgs {
    /// The folder, or place in an object store, that was given to `tamis run --shard` with `-o`
    #[arg(value_name = "FOLDER")]
    pub(crate) folder: PathBuf,
    /// Print the numbers of the shards that are to be run again, as job arrays take them (`3,7`), and write nothing
    ///
    /// These are the shards that are not finished, and those of which a file is gone or was cut off; these are told,
    /// and must be run with `--fresh`.
    #[arg(long)]
    pub(crate) missing: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum StateCommand {
    /// Merge the states that the shards of a segment have saved into one
    Merge(StateMergeArgs),
    /// Write the rows of a state for an engine that reduces them by key
    Rows(StateRowsArgs),
    /// Write a state without those entries that decide nothing, as an engine has found
    Keep(StateKeepArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct StateMergeArgs {
    #[command(flatten)]
    pub(crate) pipeline: PipelineArgs,
    /// The states: the files of all shards after one segment
    #[arg(required = true, value_name = "STATE")]
    pub(crate) states: Vec<PathBuf>,
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
    /// Reduce what is merged, once for all shards, each of which would else do that for itself; takes the states of all
    ///
    /// What comes out can be given to `run`, and not be merged again. A stage that is not keyed, or leaves an index, is
    /// merged only.
    #[arg(long)]
    pub(crate) reduce: bool,
    /// With `--reduce`: the rows that an engine has left of those of the states (see `tamis state rows`)
    #[arg(long, value_name = "FILE", requires = "reduce")]
    pub(crate) rows: Option<PathBuf>,
    /// With `--reduce`: the merged states of the passes before. May be repeated
    #[arg(long, value_name = "FILE", requires = "reduce")]
    pub(crate) state: Vec<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[command(after_help = ROWS_HELP)]
pub(crate) struct StateRowsArgs {
    #[command(flatten)]
    pub(crate) pipeline: PipelineArgs,
    /// The state, as a shard has saved it
    #[arg(value_name = "STATE")]
    pub(crate) state: PathBuf,
    /// The file to write
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

const ROWS_HELP: &str = "\
FILE has the rows one behind the other: the key, the columns and, unless rows are folded, the position of the document. \
Rows in the order of their bytes are in the order of their values.

An engine has to fold the rows of all shards that have one key, or may leave out those that are alone with their key. Write \
what is left as rows again, in any order, and hand it to `tamis state merge --reduce --rows` with the states.

Where a state is tallied, a row has the hash of the key of an entry and how many documents have it, in the order of the \
entries. An engine adds up the counts of all shards by key; an entry whose sum is 1 decides nothing. Write a byte for each \
row of each shard, 1 where the sum is more and 0 elsewhere, and give each shard its own with `tamis state keep`; then merge \
what that has written as if the shards had saved it.

Prints JSON: an object with
  rows     how many
  round    name, key and columns (types: u32, u64, i64, f64, position of 16 bytes, bytes of a width), reduce (first, groups,
           or fold with sum, min or max for each column); null where rows are not for engines, or the state is tallied
  tallied  the same of a state that is tallied, else null. With neither, merge the states as they are";

#[derive(Debug, clap::Args)]
pub(crate) struct StateKeepArgs {
    #[command(flatten)]
    pub(crate) pipeline: PipelineArgs,
    /// The state, as a shard has saved it; a tallied one (see `tamis state rows`)
    #[arg(value_name = "STATE")]
    pub(crate) state: PathBuf,
    /// A byte for each row that `tamis state rows` writes of it: 1 where the entry stays, 0 where it goes
    #[arg(long, value_name = "FILE")]
    pub(crate) rows: PathBuf,
    /// The file to write; it is there when it is whole
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct TestArgs {
    #[command(flatten)]
    pub(crate) pipeline: PipelineArgs,
    /// Compare as well what the pipeline makes of each file of this folder with what it made of it before, which lies
    /// beside it (`page.html.snap`)
    #[arg(long, value_name = "FOLDER")]
    pub(crate) snapshots: Option<PathBuf>,
    /// Write what came out as what must come out from now on
    #[arg(long, requires = "snapshots")]
    pub(crate) accept: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct StagesArgs {
    /// The stage to show; without it all are listed
    pub(crate) name: Option<String>,
    /// Print this preset of the stage, a file of rules: `tamis stages judge --preset web-en`
    #[arg(long, value_name = "PRESET", requires = "name", conflicts_with = "json")]
    pub(crate) preset: Option<String>,
    /// Include the stages of this library
    #[arg(long, value_name = "FILE")]
    pub(crate) plugin: Vec<PathBuf>,
    /// Include the stages of the plugins of this pipeline
    #[arg(long, value_name = "FILE")]
    pub(crate) pipeline: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SchemaArgs {
    /// Include the stages of the plugins of this pipeline
    pub(crate) pipeline: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// Make a folder with a complete small plugin in Rust
    New(PluginNewArgs),
    /// Describe a library without running it in this process
    Inspect(PluginInspectArgs),
    /// Test a library against everything that the plugin contract asks for
    Check(PluginCheckArgs),
    /// Print `tamis_plugin.h`, all that a plugin in C needs
    Header,
    /// What the child process of `inspect` runs
    #[command(hide = true)]
    Describe { library: PathBuf, blake3: String },
    /// What the child processes of a stage with `isolate` run
    #[command(hide = true)]
    Serve,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PluginNewArgs {
    /// The name of the plugin, in kebab case: `my-site`
    pub(crate) name: String,
    /// Where to make the folder
    #[arg(long, default_value = ".", value_name = "FOLDER")]
    pub(crate) path: PathBuf,
    /// What it is: a stage that judges, one that changes, one that has seen all documents before, or one that reads or
    /// writes files
    #[arg(long, value_enum, default_value_t = PluginKind::Extractor)]
    pub(crate) kind: PluginKind,
    /// What it is written in
    #[arg(long, value_enum, default_value_t = PluginLanguage::Rust)]
    pub(crate) language: PluginLanguage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum PluginKind {
    Filter,
    Extractor,
    Reader,
    Exporter,
    Corpus,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum PluginLanguage {
    Rust,
    C,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PluginInspectArgs {
    /// The library, or the name of one in the plugin folders
    pub(crate) library: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct PluginCheckArgs {
    /// The library, or the name of one in the plugin folders
    pub(crate) library: PathBuf,
}

fn shard(text: &str) -> Result<Shard, String> {
    let expected = "expected I/N, such as `0/8`: part I of N, counted from 0";
    let (index, count) = text.split_once('/').ok_or(expected)?;
    let number = |text: &str| text.trim().parse::<u32>().map_err(|_| expected.to_owned());
    let (index, count) = (number(index)?, number(count)?);
    match count {
        0 => Err("there are no parts to choose from: N must be at least 1".to_owned()),
        _ if index < count => Ok(Shard { index, count }),
        1 => Err("parts are counted from 0: the only one of 1 is `0/1`".to_owned()),
        _ => Err(format!(
            "parts are counted from 0: those of {count} are `0/{count}` to `{}/{count}`",
            count - 1
        )),
    }
}

fn limit(text: &str) -> Result<u64, String> {
    let n = text.trim().replace('_', "").parse().ok().filter(|n| *n > 0);
    n.ok_or_else(|| "it takes how many records to read, a whole number from 1 on, such as `1000`".to_owned())
}

fn sample(text: &str) -> Result<usize, String> {
    let n = text.trim().replace('_', "").parse().ok().filter(|n| (1..=100_000).contains(n));
    n.ok_or_else(|| "it takes how many records to look at, from 1 to 100000".to_owned())
}

fn percent(text: &str) -> Result<f64, String> {
    let percent = text.trim().parse().ok().filter(|percent| (0.0..=50.0).contains(percent));
    percent.ok_or_else(|| "it takes a share in percent, from 0 to 50".to_owned())
}

fn segment(text: &str) -> Result<usize, String> {
    let expected = "it takes the number of a segment, as the first column of `tamis plan` has it";
    text.trim().parse().map_err(|_| expected.to_owned())
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.trim().to_owned())),
        _ => Err("expected KEY=VALUE, such as `run.threads=4`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_flags_are_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn shards_are_counted_from_zero() {
        for (text, expected) in [
            ("0/1", Ok((0, 1))),
            ("7/8", Ok((7, 8))),
            ("8/8", Err("`0/8` to `7/8`")),
            ("1/1", Err("`0/1`")),
            ("0/0", Err("at least 1")),
            ("1", Err("expected I/N")),
            ("-1/2", Err("expected I/N")),
            ("1/2/3", Err("expected I/N")),
            ("0/99999999999", Err("expected I/N")),
        ] {
            match (shard(text), expected) {
                (Ok(shard), Ok(expected)) => assert_eq!((shard.index, shard.count), expected, "{text}"),
                (Err(message), Err(expected)) => assert!(message.contains(expected), "{text}: {message}"),
                (found, _) => panic!("{text}: {found:?}"),
            }
        }
    }
}
