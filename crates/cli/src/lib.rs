//! The `tamis` command line: parse flags, call one function, print, choose the exit code.
//!
//! A library with one function, [`main`], so that a program with other stages linked in is five lines:
//! pass the descriptors of its plugins, with [`bundled`] or without, or none for a host that knows only what it loads.
//!
//! Nothing but this crate prints, reads the environment or decides how the process ends.

mod alike;
mod args;
mod commands;
mod context;
mod environment;
mod events;
mod exit;
mod explained;
mod failures;
mod journeys;
mod metrics;
mod names;
mod output;
mod progress;
mod reasons;
#[cfg(feature = "serve")]
mod serve;
mod slow;
mod spreads;
mod stop;
mod summary;
mod times;

use std::borrow::Cow;
use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use tamis_plugin::PluginTable;

use crate::args::{Args, Command, PluginCommand, StateCommand};
use crate::context::Context;
pub use crate::exit::Exit;

/// The standard stages, as far as the features of this crate have them linked in.
#[cfg(feature = "bundled")]
pub fn bundled() -> Vec<&'static PluginTable> {
    vec![
        tamis_readers::plugin(),
        tamis_filters::plugin(),
        tamis_judges::plugin(),
        tamis_extractors::plugin(),
        #[cfg(feature = "columnar")]
        tamis_columnar::plugin(),
        tamis_exec::plugin(),
        tamis_corpus::plugin(),
        tamis_pages::plugin(),
        #[cfg(feature = "sqlite")]
        tamis_sqlite::plugin(),
        tamis_tokens::plugin(),
        tamis_exporters::plugin(),
    ]
}

/// The standard stages, of which this build has none: it knows what it loads.
#[cfg(not(feature = "bundled"))]
pub fn bundled() -> Vec<&'static PluginTable> {
    Vec::new()
}

/// The pipeline of `tamis extract`, for a program that has pages in its hands.
pub fn extraction(markdown: bool) -> String {
    commands::extract::stages(markdown)
}

/// The folders in which plugins are looked for by name.
pub fn plugin_folders() -> Vec<PathBuf> {
    environment::plugin_folders()
}

/// How a program that holds stages itself puts them into processes of their own: in those of `program`, which has the
/// command line of `tamis`.
pub fn isolation(program: impl Into<PathBuf>) -> impl tamis_stage::Isolation + 'static {
    context::isolation(program.into())
}

/// Runs the command line of this process with the given plugins linked in.
pub fn main(bundled: &[&'static PluginTable]) -> ExitCode {
    ExitCode::from(run(bundled, std::env::args_os()).code())
}

/// The same for a program whose own command line is that of an interpreter. The first of `args` is a file that can be
/// run to the same effect, because plugins are looked at in a process of their own. Returns the exit code.
pub fn main_with(bundled: &[&'static PluginTable], args: Vec<OsString>) -> u8 {
    if let Some(program) = args.first() {
        environment::set_program(program.into());
    }
    run(bundled, args).code()
}

fn run(bundled: &[&'static PluginTable], args: impl IntoIterator<Item = OsString>) -> Exit {
    let args = match Args::try_parse_from(args) {
        Ok(args) => args,
        Err(error) => return usage(&error),
    };
    #[cfg(feature = "remote")]
    environment::set_hub();
    if let Err(error) = output::keep_stdout() {
        return output::failure(&error.into());
    }
    // Until what is left to do is to return: then `exit` is called by rights. The child process that looks at a
    // library tells its parent by the way in which it ends.
    let is_child = matches!(args.command, Command::Plugin { command: PluginCommand::Describe { .. } });
    let _guard = (!is_child).then(|| tamis_host::guard_exit(events::ended_early));
    let result = Context::new(bundled).and_then(|context| dispatch(&context, args.command));
    output::exit(result.unwrap_or_else(|error| output::failure(&error)))
}

fn dispatch(context: &Context, command: Command) -> anyhow::Result<Exit> {
    match command {
        Command::Run(args) => commands::run::run(context, &args),
        Command::Check(args) => commands::check::check(context, &args),
        Command::Plan(args) => commands::plan::plan(context, &args),
        Command::State { command: StateCommand::Merge(args) } => commands::state::merge(context, &args),
        Command::State { command: StateCommand::Rows(args) } => commands::state::rows(context, &args),
        Command::State { command: StateCommand::Keep(args) } => commands::state::keep(context, &args),
        Command::Shards(args) => commands::shards::shards(context, &args),
        Command::Merge(args) => Ok(commands::merge::merge(&args)),
        Command::Extract(args) => commands::extract::extract(context, &args),
        Command::Retry(args) => commands::retry::retry(context, &args),
        Command::Preview(args) => commands::preview::preview(context, &args),
        Command::Advise(args) => commands::advise::advise(context, &args),
        Command::Diff(args) => commands::diff::diff(&args),
        Command::Init(args) => commands::init::init(context, &args),
        Command::Explain(args) => commands::explain::explain(context, &args),
        Command::Report(args) => commands::report::report(context, &args),
        Command::Test(args) => commands::test::test(context, &args),
        Command::Stages(args) => commands::stages::stages(context, &args),
        Command::Schema(args) => commands::schema::schema(context, &args),
        Command::Completions { shell } => commands::completions::completions(shell),
        Command::Plugin { command } => match command {
            PluginCommand::New(args) => commands::plugin_new::new(&args, &context.registry()),
            PluginCommand::Inspect(args) => commands::plugin_inspect::inspect(context, &args),
            PluginCommand::Check(args) => commands::plugin_check::check(context, &args),
            PluginCommand::Header => commands::plugin_new::header(),
            PluginCommand::Describe { library, blake3 } => {
                commands::plugin_inspect::describe(&library, &blake3)
            }
            PluginCommand::Serve => commands::plugin_serve::serve(context),
        },
    }
}

/// What to write instead of a flag that is called like a setting of `[run]`.
fn setting(error: &clap::Error) -> Option<String> {
    let Some(ContextValue::String(flag)) = error.get(ContextKind::InvalidArg) else { return None };
    let name = flag.strip_prefix("--").filter(|_| error.kind() == ErrorKind::UnknownArgument)?;
    let key = name.split('=').next()?.replace('-', "_");
    let is_setting = tamis_config::common_keys("run").iter().any(|option| option.name == key);
    is_setting.then(|| {
        format!(
            "error: there is no flag `--{name}`: it is a setting of the pipeline, `{key}` in [run], for one run \
             `--set run.{key}=…`"
        )
    })
}

/// Flags that exclude each other, and why.
const EXCLUSIVE: [([&str; 2], &str); 9] = [
    (["--dry-run", "--fresh"], "a dry run writes nothing, so there is nothing that it could replace"),
    (["--dry-run", "--shard"], "what a shard writes is for others, and a dry run writes nothing"),
    (
        ["--dry-run", "--segment"],
        "what a segment writes is for those behind it, and a dry run writes nothing",
    ),
    (["--dry-run", "--state"], "a dry run learns what it needs itself"),
    (["--json", "--quiet"], "`--json` prints events for programs and nothing else"),
    (["--add", "--limit"], "what `--limit` leaves unread would be taken for read by the next `--add`"),
    (["--limit", "--shard"], "a shard is a part of all records, and not of the first"),
    (["--limit", "--segment"], "the segments of a plan must all see the same records"),
    (["--serve", "--output"], "`--serve` shows the page in a browser and writes none"),
];

/// What is wrong with flags that are given together.
fn together(error: &clap::Error) -> Option<String> {
    let of = |kind| match error.get(kind)? {
        ContextValue::String(flag) => Some(flag.clone()),
        ContextValue::Strings(flags) => flags.first().cloned(),
        _ => None,
    };
    if error.kind() != ErrorKind::ArgumentConflict {
        return None;
    }
    let (one, other) = (of(ContextKind::InvalidArg)?, of(ContextKind::PriorArg)?);
    let name = |flag: &str| flag.split([' ', '=']).next().unwrap_or_default().to_owned();
    let mut flags = [name(&one), name(&other)];
    if flags[0] == flags[1] {
        return Some(format!("error: `{}` is given twice: leave one of them out", flags[0]));
    }
    flags.sort_unstable();
    let is_it = |pair: &[&str; 2]| pair.iter().all(|flag| flags.iter().any(|given| given == flag));
    let why = EXCLUSIVE.iter().find(|(pair, _)| is_it(pair)).map(|(_, why)| format!(": {why}"));
    let [first, second] = &flags;
    Some(format!(
        "error: `{first}` and `{second}` exclude each other{}; leave one of them out",
        why.unwrap_or_default()
    ))
}

/// Help and version are no mistakes; everything else that clap refuses is a wrong setup.
fn usage(error: &clap::Error) -> Exit {
    let done = !error.use_stderr();
    if let Some(message) = setting(error).or_else(|| together(error)) {
        output::log_line(message);
        return Exit::Setup;
    }
    // The mistake is shown as it was typed, and may be an address in the wrong place.
    match tamis_address::redact(&error.render().to_string()) {
        Cow::Owned(redacted) => output::log_line(redacted.trim_end()),
        Cow::Borrowed(_) => drop(error.print()),
    }
    if done { Exit::Done } else { Exit::Setup }
}
