//! What can be wrong with what a user named.

use std::path::PathBuf;

/// What can be wrong before anything is read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// There is nothing of this name.
    #[error("no file or folder `{written}`: looked for `{path}`")]
    Missing {
        /// As the user wrote it.
        written: String,
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The folder that a glob begins in does not exist.
    #[error("no folder `{folder}`, in which `{written}` would look")]
    NoFolder {
        /// As the user wrote it.
        written: String,
        /// The deepest folder that the glob names without wildcards.
        folder: PathBuf,
    },
    /// A glob that cannot be read.
    #[error("`{written}` is no glob: {reason}")]
    BadGlob {
        /// As the user wrote it.
        written: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An address that cannot be read, or of a kind that is not known.
    #[error("cannot read from `{written}`: {reason}")]
    BadUrl {
        /// As the user wrote it.
        written: String,
        /// What is wrong with it, and the way out.
        reason: String,
    },
    /// An `exclude` pattern that cannot be used.
    #[error("`{written}` is no pattern for `exclude`: {reason}")]
    BadExclude {
        /// As the user wrote it.
        written: String,
        /// What is wrong with it.
        reason: String,
    },
    /// What the user named, and did not only let be found, cannot be read.
    #[error("`{written}`: {reason}")]
    Unreadable {
        /// As the user wrote it.
        written: String,
        /// Why not, and the way out.
        reason: String,
    },
    /// Somebody asked to stop.
    #[error("interrupted")]
    Stopped,
}
