//! What can be wrong with a plugin library, each with a way out.

use std::path::PathBuf;
use std::time::Duration;

use tamis_stage::DuplicateStage;

/// A plugin library that cannot be used; nothing of it has run in this process.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PluginError {
    /// No such file.
    #[error(
        "plugin `{name}` was not found: no file {}; build it with `cargo build --release` or give its `path`",
        list(searched)
    )]
    NotFound {
        /// The name or path that was asked for.
        name: String,
        /// The files that were looked for.
        searched: Vec<PathBuf>,
    },
    /// The file cannot be read.
    #[error("cannot read plugin library `{}`: {source}", path.display())]
    Unreadable {
        /// The library.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The file is not the pinned one.
    #[error("plugin library `{}` has BLAKE3 {actual}, but the pipeline pins {expected}: \
        restore the pinned file, or check the new one and change the pin", path.display())]
    Pin {
        /// The library.
        path: PathBuf,
        /// The pin.
        expected: String,
        /// The hash of the file.
        actual: String,
    },
    /// Others could change the file, or put another in its place.
    #[error("plugin library `{}` is refused because {why}: {advice}", path.display())]
    Untrusted {
        /// The library.
        path: PathBuf,
        /// Who could, and what: the file or a folder above it.
        why: String,
        /// What to do.
        advice: String,
    },
    /// The dynamic loader refused it.
    #[error("cannot load plugin library `{}`: {message}", path.display())]
    Load {
        /// The library.
        path: PathBuf,
        /// What the loader said, and what it usually means.
        message: String,
    },
    /// It does not export what a plugin exports.
    #[error("plugin library `{}` does not export `{expected}`: {advice}", path.display())]
    MissingEntry {
        /// The library.
        path: PathBuf,
        /// The symbol that was looked for.
        expected: String,
        /// What was found instead, and what to do.
        advice: String,
    },
    /// Its descriptor breaks the contract of the header.
    #[error("plugin library `{}` is not usable: {message}", path.display())]
    Descriptor {
        /// The library.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// It crashed the child process that looked at it.
    #[error("plugin library `{}` crashed while it was inspected ({how}): nothing of it was used; \
        run `tamis plugin check {}` or a debugger on it", path.display(), path.display())]
    Crashed {
        /// The library.
        path: PathBuf,
        /// How the child process ended.
        how: String,
    },
    /// It hung the child process that looked at it.
    #[error("plugin library `{}` did not finish loading within {} s and was ended: \
        its entry function and its constructors must not wait for anything", path.display(), limit.as_secs_f64())]
    TimedOut {
        /// The library.
        path: PathBuf,
        /// The time limit.
        limit: Duration,
    },
    /// The child process that looks at it could not be started.
    #[error("cannot start a process to inspect plugin library `{}`: {source}", path.display())]
    Inspection {
        /// The library.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The child process refused it, with a message that names the library.
    #[error("{message}")]
    Refused {
        /// What is wrong.
        message: String,
    },
    /// It changed after it was described.
    #[error("plugin library `{}` changed after it was checked: run again", path.display())]
    Changed {
        /// The library.
        path: PathBuf,
    },
    /// One of its stages has a name that is taken.
    #[error("{0}: a pipeline could not tell them apart; rename one, or leave one plugin out")]
    Duplicate(#[from] DuplicateStage),
}

fn list(paths: &[PathBuf]) -> String {
    let names: Vec<_> = paths.iter().map(|path| format!("`{}`", path.display())).collect();
    if names.is_empty() { "to look for".to_owned() } else { names.join(" or ") }
}
