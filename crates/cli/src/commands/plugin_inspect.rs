//! `tamis plugin inspect`, and the child process behind it.

use std::path::Path;

use tamis_host::Description;
use tamis_stage::PluginOrigin;

use crate::Exit;
use crate::args::PluginInspectArgs;
use crate::context::{Context, loader, request};
use crate::output::{BOLD, DIM, NAME, print_line, styled};

pub(crate) fn inspect(_context: &Context, args: &PluginInspectArgs) -> anyhow::Result<Exit> {
    let description = loader().describe(&request(&args.library), None)?;
    if args.json {
        print_line(serde_json::to_string_pretty(&description)?);
    } else {
        show(&description);
    }
    Ok(Exit::Done)
}

fn show(description: &Description) {
    let plugin = &description.plugin;
    print_line(format_args!("{} {}", styled(NAME, plain(&plugin.name)), plain(&plugin.version)));
    let row = |name: &str, value: &str| {
        print_line(format_args!("  {} {value}", styled(DIM, format_args!("{name:10}"))));
    };
    if let PluginOrigin::Library { path, blake3 } = &plugin.origin {
        row("file", &path.display().to_string());
        row("blake3", blake3);
    }
    let license = plain(&plugin.license);
    row("license", if license.is_empty() { "not told" } else { &license });
    row("built with", &plain(&description.sdk));
    for stage in &description.stages {
        print_line(format_args!(
            "\n{} · {} in [[{}]]",
            styled(BOLD, &stage.name),
            stage.kind,
            stage.kind.table()
        ));
        print_line(format_args!("  {}", plain(&stage.summary)));
    }
}

/// What a library says of itself, without the codes with which it could write over the rest of the terminal.
fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

/// Runs in the child process.
#[expect(clippy::unnecessary_wraps, reason = "every command returns a result")]
pub(crate) fn describe(library: &Path, blake3: &str) -> anyhow::Result<Exit> {
    print_line(tamis_host::describe_for_parent(library, blake3));
    Ok(Exit::Done)
}
