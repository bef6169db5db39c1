//! `cargo xtask wheel`: the Python package, built and tried where nothing else is installed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context as _, bail};

use crate::root;

const USAGE: &str = "\
usage: cargo xtask wheel [--profile PROFILE] [--test]

Builds the wheel of the Python package into target/wheels, with maturin from the package index.

  --profile PROFILE  as cargo builds it: release by default, dev to try something
  --test             install it into a fresh virtual environment, with PyArrow, and run its tests there";

pub(crate) fn run(arguments: &[&str]) -> anyhow::Result<()> {
    let (mut profile, mut is_tested) = ("release", false);
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        match *argument {
            "--profile" => profile = arguments.next().context(USAGE)?,
            "--test" => is_tested = true,
            _ => bail!(USAGE),
        }
    }
    let target = root().join("target");
    let maturin = environment(&target.join("maturin"), &["maturin>=1.9,<2"])?.join("maturin");
    let wheels = target.join("wheels");
    let mut build = Command::new(maturin);
    build.args(["build", "--locked", "--profile", profile, "--out"]).arg(&wheels);
    build.arg("--manifest-path").arg(root().join("crates/python/Cargo.toml"));
    // maturin sets some of what cargo passes on to a program that it runs, and cargo would build all anew for it.
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy().into_owned();
        if name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST") {
            build.env_remove(name);
        }
    }
    ended(&mut build)?;
    let wheel = newest(&wheels)?;
    let bytes = std::fs::metadata(&wheel)?.len();
    println!("{}: {} MiB", wheel.display(), bytes >> 20);
    if is_tested { test(&target, &wheel) } else { Ok(()) }
}

/// Installs a wheel where there is nothing else of it, and runs its tests from elsewhere.
fn test(target: &Path, wheel: &Path) -> anyhow::Result<()> {
    let folder = target.join("wheel-test");
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let wheel = wheel.to_str().context("the path of the wheel is no UTF-8")?;
    let programs = environment(&folder, &[wheel, "pyarrow"])?;
    // What starts shards elsewhere. They are large, and an index that does not have one is no fault of a change: the
    // tests say what they skip.
    if let Err(error) = environment(&folder, &["pysail", "pyspark-client", "ray"]) {
        println!("SKIPPED: Sail and Ray: {error}");
    }
    let tests = root().join("crates/python/tests");
    let mut python = Command::new(programs.join("python"));
    python.args(["-m", "unittest", "discover", "--verbose", "--start-directory"]).arg(tests);
    // A package of that name in the folder where Python starts would be taken instead.
    python.current_dir(&folder).env_remove("PYTHONPATH");
    ended(&mut python)
}

/// A virtual environment with some packages; returns the folder of its programs.
fn environment(folder: &Path, packages: &[&str]) -> anyhow::Result<PathBuf> {
    let programs = folder.join(if cfg!(windows) { "Scripts" } else { "bin" });
    if !folder.exists() {
        ended(Command::new("python3").args(["-m", "venv"]).arg(folder))?;
    }
    ended(Command::new(programs.join("python")).args(["-m", "pip", "install", "--quiet"]).args(packages))?;
    Ok(programs)
}

fn newest(wheels: &Path) -> anyhow::Result<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(wheels)? {
        let entry = entry?;
        let time = entry.metadata()?.modified().unwrap_or(SystemTime::UNIX_EPOCH);
        found.push((time, entry.path()));
    }
    found.sort();
    found.pop().map(|(_, path)| path).context("maturin built no wheel")
}

fn ended(command: &mut Command) -> anyhow::Result<()> {
    let status =
        command.status().with_context(|| format!("cannot start {}", command.get_program().display()))?;
    if !status.success() {
        bail!("{} failed: {status}", command.get_program().display());
    }
    Ok(())
}
