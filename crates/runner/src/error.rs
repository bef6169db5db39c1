//! Why a run did not start, or broke.

use std::path::{Path, PathBuf};

/// A run that could not start or had to stop.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// An input cannot be listed; nothing has run.
    #[error("cannot read the inputs of source `{source_id}`: {message}")]
    Inputs {
        /// The source.
        source_id: String,
        /// What is wrong.
        message: String,
    },
    /// No source has a file; nothing has run.
    #[error("there is nothing to read: no file matches {}", patterns.join(", "))]
    NoInputs {
        /// What the sources look for.
        patterns: Vec<String>,
    },
    /// An input would be replaced by the output; nothing has run.
    #[error("`{}` is an input, but an earlier run wrote it and this one would replace it: \
        write to another folder with `-o`", path.display())]
    InputIsOutput {
        /// The file.
        path: PathBuf,
    },
    /// An output folder holds a file that looks like output of this run, but is not; nothing has run.
    #[error("`{}` holds `{name}`, which no run of this pipeline wrote there: \
        move it away, or write to another folder with `-o`", folder.display())]
    Occupied {
        /// The folder.
        folder: PathBuf,
        /// The file.
        name: String,
    },
    /// Another process is at it; nothing has run.
    #[error("another run is writing to `{}`: wait for it, or write to another folder with `-o`{}",
        folder.display(), stale_mark(mark.as_deref()))]
    Busy {
        /// The folder.
        folder: PathBuf,
        /// The file that says so, where the file system has no locks.
        mark: Option<PathBuf>,
    },
    /// A place in an object store is another run's; nothing has run.
    #[error(
        "`{place}` is being written by {by}, since {since}, from its work folder `{work}`: wait for it, or go on with \
        it there; if it is gone for good, pass `--take-over` to begin anew in its place, or write to another place with `-o`"
    )]
    Claimed {
        /// The address.
        place: String,
        /// Who says so.
        by: String,
        /// When it began.
        since: String,
        /// Where it prepares its output.
        work: String,
    },
    /// Another run has taken over a place in an object store while this one wrote to it.
    #[error("another run has taken over `{place}`: this one has stopped writing there")]
    Displaced {
        /// The address.
        place: String,
    },
    /// An object store does not take what a run writes.
    #[error("{source}; what has been written stays, and the same command goes on from there")]
    Store {
        /// What it said, with the address.
        source: std::io::Error,
    },
    /// An object store cannot be written to; nothing has run.
    #[error("{source}")]
    NoStore {
        /// What it said, with the address and what to do.
        source: std::io::Error,
    },
    /// A folder of output cannot be made, or not be written to; nothing has run.
    #[error("cannot write to the folder `{}`: {source}", folder.display())]
    Folder {
        /// The folder.
        folder: PathBuf,
        /// What the operating system said, and what to do.
        source: std::io::Error,
    },
    /// Two exports write to one folder; nothing has run.
    #[error("exports `{}` and `{}` write to one folder, `{}`: give each its own `path`",
        exports[0], exports[1], folder.display())]
    SameFolder {
        /// The folder, with links followed.
        folder: PathBuf,
        /// The ids of the exports.
        exports: [String; 2],
    },
    /// What an unfinished run has left is gone; nothing has run.
    #[error("`{}`, from which an unfinished run would go on, is gone: pass `--fresh` to write all of it again",
        path.display())]
    Gone {
        /// The file.
        path: PathBuf,
    },
    /// Somebody has taken away or changed what the run has written.
    #[error("`{}`, which this run has written, is no longer what it was: {why}; \
        run the command again with `--fresh`, and leave the output alone meanwhile", path.display())]
    Taken {
        /// The file.
        path: PathBuf,
        /// What differs.
        why: String,
    },
    /// Shards are not those of one run, or not all of it.
    #[error("the shards in `{}` are not one output: {message}", folder.display())]
    Shards {
        /// The folder in which their folders lie.
        folder: PathBuf,
        /// What is wrong, and what to do.
        message: String,
    },
    /// The output folder holds something else; nothing has run.
    #[error("`{}` holds the output of another run ({why}): \
        pass `--fresh` to replace it, or write to another folder with `-o`", folder.display())]
    OtherRun {
        /// The folder.
        folder: PathBuf,
        /// What differs.
        why: String,
    },
    /// The output folder holds what came of fewer files; nothing has run.
    #[error("`{}` holds the output of another run ({why}): pass `--fresh` to replace it, `--add` to read those alone \
        that are new, or write to another folder with `-o`", folder.display())]
    MoreInputs {
        /// The folder.
        folder: PathBuf,
        /// How many files there are now.
        why: String,
    },
    /// Nothing can be added to what an output folder holds; nothing has run.
    #[error("cannot add to `{}`: {why}", folder.display())]
    Addition {
        /// The folder.
        folder: PathBuf,
        /// Why, and what to do.
        why: String,
    },
    /// A file or folder could not be written.
    #[error("cannot write `{}`: {source}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// What a run hands on cannot be written.
    #[error("cannot write to the output: {source}")]
    Stream {
        /// What the operating system said.
        source: std::io::Error,
    },
    /// Whoever read what a run hands on has seen enough.
    #[error("the reader of the output has closed it")]
    Closed,
    /// A record could be neither exported nor written as a dead letter.
    #[error("export `{export}` cannot write the dead letter `{id}`: {message}")]
    DeadLetter {
        /// The export of failed records.
        export: String,
        /// The record.
        id: String,
        /// Why.
        message: String,
    },
    /// An exporter failed outside any document.
    #[error("export `{export}`: {message}")]
    Exporter {
        /// The export.
        export: String,
        /// What it said.
        message: String,
    },
    /// A corpus stage cannot go on.
    #[error("stage `{stage}` cannot go on: {message}")]
    Stage {
        /// The stage.
        stage: String,
        /// What it said.
        message: String,
    },
    /// A saved state of a corpus stage cannot be used.
    #[error("cannot use the state `{}`: {message}", path.display())]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The segment that is asked for cannot be run now; nothing has run.
    #[error("cannot run this segment: {message}")]
    Task {
        /// What is missing.
        message: String,
    },
    /// Documents that were put aside cannot be read again.
    #[error(
        "what was put aside between two segments cannot be read: {message}; pass `--fresh` to begin again"
    )]
    Spill {
        /// What is wrong.
        message: String,
    },
    /// The table of what became of every record cannot be read.
    #[error("the fate table `{}` cannot be read: {message}", path.display())]
    Fates {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// The counts do not add up: a fault of tamis or of a plugin, never of the input.
    #[error("the records do not add up: {message}; the output is marked as not complete")]
    Unbalanced {
        /// Both sides.
        message: String,
    },
    /// The machine has run out of something; no file or document is to blame.
    #[error("cannot go on reading at `{name}`: {source}")]
    Machine {
        /// What was being read.
        name: String,
        /// What the operating system said, and what to do.
        source: std::io::Error,
    },
    /// Somebody asked to stop.
    #[error("interrupted; run the same command again to go on")]
    Interrupted,
    /// Somebody asked to stop, and an input cannot be read again.
    #[error("interrupted; {name} cannot be read again, so the next run begins anew, with `--fresh`")]
    InterruptedForGood {
        /// The input.
        name: String,
    },
    /// A thread ended in a way that it must not.
    #[error("internal error: {message}; please report it")]
    Internal {
        /// What is known.
        message: String,
    },
}

impl RunError {
    pub(crate) fn write(path: impl AsRef<Path>) -> impl FnOnce(std::io::Error) -> Self {
        move |source| Self::Write { path: path.as_ref().to_owned(), source: with_way_out(source) }
    }

    /// The error of a folder of output in which nothing can be written, before anything has run.
    pub(crate) fn folder(folder: &Path) -> impl FnOnce(Self) -> Self {
        move |error| match error {
            Self::Write { source, .. } if source.kind() != std::io::ErrorKind::StorageFull => {
                let is_odd = source.kind() == std::io::ErrorKind::NotFound;
                let source = if is_odd { not_made(&source) } else { source };
                Self::Folder { folder: folder.to_owned(), source }
            }
            error => error,
        }
    }

    /// The error of a store while a run writes to it.
    pub(crate) fn store(source: std::io::Error) -> Self {
        if source.kind() == std::io::ErrorKind::Interrupted {
            Self::Interrupted
        } else {
            Self::Store { source }
        }
    }

    /// The same before anything has run.
    pub(crate) fn no_store(source: std::io::Error) -> Self {
        Self::NoStore { source }
    }

    /// The error with another name for the folder or file that it is about, if there is one.
    pub(crate) fn moved(mut self, to: impl Fn(&Path) -> Option<PathBuf>) -> Self {
        if let Self::Occupied { folder: path, .. }
        | Self::Busy { folder: path, .. }
        | Self::OtherRun { folder: path, .. }
        | Self::MoreInputs { folder: path, .. }
        | Self::Addition { folder: path, .. }
        | Self::Shards { folder: path, .. }
        | Self::Gone { path }
        | Self::Taken { path, .. } = &mut self
            && let Some(moved) = to(path)
        {
            *path = moved;
        }
        self
    }

    /// The error of a run, if an error that came with reading `name` concerns more than what is read.
    ///
    /// Without descriptors or memory every further file would fail, too, and a run would make dead letters of a
    /// whole collection; it stops instead, and goes on there when the same command is given again.
    pub(crate) fn of_machine(name: &str, error: &std::io::Error) -> Option<Self> {
        let way_out = machine_way_out(error)?;
        let source = std::io::Error::new(error.kind(), format!("{error}: {way_out}"));
        Some(Self::Machine { name: name.to_owned(), source })
    }

    /// The output of another run, and what differs.
    pub(crate) fn other(folder: &Path, why: &str) -> Self {
        Self::OtherRun { folder: folder.to_owned(), why: why.to_owned() }
    }

    pub(crate) fn stage(stage: &str, failure: &tamis_stage::Failure) -> Self {
        Self::Stage { stage: stage.to_owned(), message: failure.to_string() }
    }

    /// Whether somebody asked the run to stop.
    pub fn is_interrupted(&self) -> bool {
        matches!(self, Self::Interrupted | Self::InterruptedForGood { .. })
    }

    /// Whether the run stopped before anything had run.
    pub fn is_setup(&self) -> bool {
        matches!(
            self,
            Self::Inputs { .. }
                | Self::NoInputs { .. }
                | Self::InputIsOutput { .. }
                | Self::OtherRun { .. }
                | Self::MoreInputs { .. }
                | Self::Addition { .. }
                | Self::Gone { .. }
                | Self::Occupied { .. }
                | Self::Busy { .. }
                | Self::Claimed { .. }
                | Self::NoStore { .. }
                | Self::Folder { .. }
                | Self::SameFolder { .. }
                | Self::State { .. }
                | Self::Shards { .. }
                | Self::Task { .. }
        )
    }
}

/// What to do about a mark that a killed run may have left.
fn stale_mark(mark: Option<&Path>) -> String {
    mark.map_or_else(String::new, |mark| format!("; if no run is, take `{}` away", mark.display()))
}

/// What to do about an error of the machine, if it is one.
fn machine_way_out(error: &std::io::Error) -> Option<&'static str> {
    use std::io::ErrorKind;
    const DESCRIPTORS: &str =
        "raise the limit of open files (`ulimit -n`) or lower `threads`, and run the same command again";
    // The standard library has no kind for these two: too many open files in the process, and in the system.
    #[cfg(unix)]
    const TOO_MANY_OPEN: [i32; 2] = [23, 24];
    #[cfg(not(unix))]
    const TOO_MANY_OPEN: [i32; 1] = [4];
    match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            Some("make room there and run the same command again")
        }
        ErrorKind::OutOfMemory => Some("lower `memory` or `threads`, and run the same command again"),
        ErrorKind::FileTooLarge => {
            Some("raise the limit of file sizes (`ulimit -f`), and run the same command again")
        }
        _ => error.raw_os_error().is_some_and(|code| TOO_MANY_OPEN.contains(&code)).then_some(DESCRIPTORS),
    }
}

/// Of a folder that nobody can make, such as one in `/proc`, the system says that it does not exist.
fn not_made(error: &std::io::Error) -> std::io::Error {
    let message = format!("{error}: it cannot be made there, write to another folder with `-o`");
    std::io::Error::new(error.kind(), message)
}

/// An error of a file that could not be written, with what can be done about it where that is known.
fn with_way_out(error: std::io::Error) -> std::io::Error {
    use std::io::ErrorKind;
    let way_out = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            "make room there and run again, or write to another disk with `-o`"
        }
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "write to a folder of your own with `-o`"
        }
        ErrorKind::NotADirectory => "a part of the path is a file: write to another folder with `-o`",
        _ => match machine_way_out(&error) {
            Some(way_out) => way_out,
            None => return error,
        },
    };
    std::io::Error::new(error.kind(), format!("{error}: {way_out}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn what_the_machine_has_run_out_of_is_said_with_what_to_raise() {
        const TOO_MANY_OPEN: i32 = 24;
        const FILE_TOO_LARGE: i32 = 27;
        for (code, way_out) in [(TOO_MANY_OPEN, "`ulimit -n`"), (FILE_TOO_LARGE, "`ulimit -f`")] {
            let error = RunError::write("out/part")(std::io::Error::from_raw_os_error(code));
            let said = error.to_string();
            assert!(said.contains(way_out) && said.contains("run the same command again"), "{said}");
        }
    }
}
