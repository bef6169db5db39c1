//! The flags; their doc comments are the help.

use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Effects, Styles};
use clap::{Parser, Subcommand};

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
    /// Find every mistake in a pipeline without running it
    Check(CheckArgs),
    /// Run the `[[test]]` tables of a pipeline
    Test(TestArgs),
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

/// What every command with a pipeline takes.
#[derive(Debug, clap::Args)]
pub(crate) struct PipelineArgs {
    /// The pipeline file
    pub(crate) pipeline: PathBuf,
    /// Change one value: `stage.length.min_chars=200`, `run.threads=4`. May be repeated.
    ///
    /// The environment can do the same: `TAMIS__STAGE__LENGTH__MIN_CHARS=200`.
    #[arg(long, value_name = "KEY=VALUE", value_parser = key_value)]
    pub(crate) set: Vec<(String, String)>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) pipeline: PipelineArgs,
    /// Files, folders or globs to read instead of the paths of the first source
    pub(crate) inputs: Vec<PathBuf>,
    /// Folder to write to instead of the path of the first export
    #[arg(short, long, value_name = "FOLDER")]
    pub(crate) output: Option<PathBuf>,
    /// Replace the output of an earlier run
    #[arg(long)]
    pub(crate) fresh: bool,
    /// Print one JSON object a line instead of a table: started, progress, finished
    #[arg(long)]
    pub(crate) json: bool,
    /// Print nothing but errors
    #[arg(short, long, conflicts_with = "json")]
    pub(crate) quiet: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) pipeline: PipelineArgs,
    /// Files, folders or globs to read instead of the paths of the first source
    pub(crate) inputs: Vec<PathBuf>,
    /// Folder to write to instead of the path of the first export
    #[arg(short, long, value_name = "FOLDER")]
    pub(crate) output: Option<PathBuf>,
    /// Print the complaints as a JSON array
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct TestArgs {
    #[command(flatten)]
    pub(crate) pipeline: PipelineArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct StagesArgs {
    /// The stage to show; without it all are listed
    pub(crate) name: Option<String>,
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
    Describe { library: PathBuf },
}

#[derive(Debug, clap::Args)]
pub(crate) struct PluginNewArgs {
    /// The name of the plugin, in kebab case: `my-site`
    pub(crate) name: String,
    /// Where to make the folder
    #[arg(long, default_value = ".", value_name = "FOLDER")]
    pub(crate) path: PathBuf,
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
}
