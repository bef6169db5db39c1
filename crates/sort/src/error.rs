//! What can go wrong: the disk.

use std::io;
use std::path::{Path, PathBuf};

/// Entries that could not be stored, or did not come back as they were.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SortError {
    /// A work file cannot be written.
    #[error("the work file `{}` cannot be written: {error}: {}", path.display(), way_out(error, HERE))]
    Unwritable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// A work file cannot be read.
    #[error("the work file `{}` cannot be read: {error}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        error: Box<SortError>,
    },
    /// What a stream holds is not what was written.
    #[error("{message}")]
    Damaged {
        /// What is wrong, and where.
        message: String,
    },
    /// A stream that is no work file cannot be read or written.
    #[error("{0}")]
    Stream(#[from] io::Error),
    /// What went wrong before, when nobody could be told.
    #[error("{message}")]
    Earlier {
        /// What it was.
        message: String,
    },
}

impl SortError {
    pub(crate) fn unwritable(path: &Path) -> impl Fn(io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Unwritable { path: path.clone(), error }
    }

    pub(crate) fn unreadable(self, path: &Path) -> Self {
        Self::Unreadable { path: path.to_owned(), error: Box::new(self) }
    }

    pub(crate) fn damaged(message: impl Into<String>) -> Self {
        Self::Damaged { message: message.into() }
    }
}

/// What to do about a file of the work folder that is full, if nothing else is known.
const HERE: &str = "make room there or raise `max_state_bytes`,";

/// What to do about a file that cannot be written; `otherwise` where the system says nothing of its own.
///
/// The standard library has no kind for the two limits that a run over a large collection meets first, too many
/// open files in the process and in the system, so their numbers stand here.
pub fn way_out(error: &io::Error, otherwise: &str) -> String {
    #[cfg(unix)]
    const TOO_MANY_OPEN: [i32; 2] = [23, 24];
    #[cfg(not(unix))]
    const TOO_MANY_OPEN: [i32; 1] = [4];
    let what = match error.kind() {
        io::ErrorKind::FileTooLarge => "raise the limit of file sizes (`ulimit -f`)",
        _ if error.raw_os_error().is_some_and(|code| TOO_MANY_OPEN.contains(&code)) => {
            "raise the limit of open files (`ulimit -n`)"
        }
        _ => return format!("{otherwise} and run the same command again"),
    };
    format!("{what}, and run the same command again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_work_file_that_cannot_be_written_says_what_to_raise() {
        for (code, word) in [(24, "`ulimit -n`"), (27, "`ulimit -f`"), (28, "make room there")] {
            let error = io::Error::from_raw_os_error(code);
            let said = SortError::unwritable(Path::new("scratch/run"))(error).to_string();
            assert!(said.contains(word) && said.ends_with("run the same command again"), "{said}");
        }
    }
}
