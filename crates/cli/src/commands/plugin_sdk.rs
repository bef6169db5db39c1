//! The sources of the plugin SDK, which the program carries: a plugin is built with those of its ABI, on any machine.

use std::path::Path;

use anyhow::Context as _;

include!(concat!(env!("OUT_DIR"), "/sdk.rs"));

/// The manifest of the workspace that the sources come from.
const ROOT: &str = "Cargo.toml";

/// Writes the SDK to a folder, as a workspace of its own.
pub(crate) fn write_to(folder: &Path) -> anyhow::Result<()> {
    for (path, content) in FILES {
        match path.strip_prefix("crates/") {
            Some(path) => write(&folder.join(path), content)?,
            None => write(&folder.join(ROOT), &workspace(content))?,
        }
    }
    Ok(())
}

/// The parts of the workspace's manifest that its crates inherit: what they are, what they need, and their lints.
fn workspace(manifest: &str) -> String {
    let members =
        "[workspace]\nresolver = \"3\"\nmembers = [\"document\", \"plugin\", \"stage\"]\n".to_owned();
    manifest.split("\n[").skip(1).fold(members, |mut out, section| {
        let (name, lines) = section.split_once(']').unwrap_or((section, ""));
        let is_inherited = name == "workspace.package" || name.starts_with("workspace.lints");
        if is_inherited {
            out += &format!("\n[{name}]{lines}\n");
        } else if name == "workspace.dependencies" {
            out += &format!("\n[{name}]\n");
            lines.lines().filter(|line| is_needed(line)).for_each(|line| {
                out += &line.replace("\"crates/", "\"");
                out.push('\n');
            });
        }
        out
    })
}

/// Whether a line of the list of dependencies is one that a crate of the SDK inherits.
fn is_needed(line: &str) -> bool {
    let Some((name, _)) = line.split_once(" = ") else { return false };
    let inherits = |content: &str| content.lines().any(|line| line == format!("{name}.workspace = true"));
    FILES.iter().any(|(path, content)| path.ends_with("/Cargo.toml") && inherits(content))
}

/// Writes a file, and the folders that it lies in.
pub(crate) fn write(path: &Path, content: &str) -> anyhow::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make `{}`", folder.display()))?;
    }
    std::fs::write(path, content).with_context(|| format!("cannot write `{}`", path.display()))
}
