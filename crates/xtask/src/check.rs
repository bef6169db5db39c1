//! Everything that is checked beside the tests.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

use crate::{reference, root};

/// Runs all checks; the first that fails ends it.
pub(crate) fn check() -> anyhow::Result<()> {
    cargo("format", &["fmt", "--all", "--check"], &[])?;
    cargo("lints", &["clippy", "--workspace", "--all-targets", "--locked"], &[("RUSTFLAGS", "-D warnings")])?;
    // Compiled only: they are run by hand, with the sanitizers of rustc. The library in C++ is not needed for that.
    cargo(
        "fuzz targets",
        &["check", "--manifest-path", "tests/fuzz/Cargo.toml", "--target-dir", "target", "--locked"],
        &[("CUSTOM_LIBFUZZER_PATH", "./none")],
    )?;
    cargo(
        "documentation",
        &["doc", "--workspace", "--no-deps", "--locked", "--document-private-items"],
        &[("RUSTDOCFLAGS", "-D warnings")],
    )?;
    println!("== generated files");
    reference::check()?;
    pipelines()
}

fn cargo(what: &str, arguments: &[&str], environment: &[(&str, &str)]) -> anyhow::Result<()> {
    println!("== {what}: cargo {}", arguments.join(" "));
    let mut command = Command::new(env!("CARGO"));
    command.args(arguments).envs(environment.iter().copied()).current_dir(root());
    run(command)
}

/// Checks, tests and runs every ready pipeline and every example.
fn pipelines() -> anyhow::Result<()> {
    let output = std::env::temp_dir().join(format!("tamis-xtask-{}", std::process::id()));
    for pipeline in ready()? {
        let name = pipeline.strip_prefix(root()).unwrap_or(&pipeline);
        println!("== {}", name.display());
        tamis(&["check"], &pipeline, &[])?;
        if std::fs::read_to_string(&pipeline)?.contains("[[test]]") {
            tamis(&["test"], &pipeline, &[])?;
        }
        tamis(&["run", "--fresh", "--quiet"], &pipeline, &["-o".as_ref(), output.as_os_str()])?;
        std::fs::remove_dir_all(&output).with_context(|| format!("{} wrote nothing", name.display()))?;
    }
    Ok(())
}

/// The pipelines in `config/`, and those of the examples.
fn ready() -> anyhow::Result<Vec<PathBuf>> {
    let mut found = tomls(&root().join("config"))?;
    for example in std::fs::read_dir(root().join("examples"))? {
        let folder = example?.path();
        if folder.is_dir() {
            found.extend(tomls(&folder)?);
        }
    }
    found.sort();
    Ok(found)
}

fn tomls(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let paths: Result<Vec<PathBuf>, _> =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|entry| entry.path())).collect();
    Ok(paths?.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "toml")).collect())
}

fn tamis(command: &[&str], pipeline: &Path, more: &[&std::ffi::OsStr]) -> anyhow::Result<()> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["run", "--quiet", "--locked", "--package", "tamis-cli", "--bin", "tamis", "--"]);
    // Examples in Python find the package as if it were installed.
    cargo.env("PYTHONPATH", root().join("crates/python/python"));
    cargo.args(command).arg(pipeline).args(more).current_dir(root());
    run(cargo)
}

fn run(mut command: Command) -> anyhow::Result<()> {
    let status = command.status().context("cannot start cargo")?;
    if !status.success() {
        bail!("failed: {status}");
    }
    Ok(())
}
