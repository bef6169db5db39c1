//! What can be wrong with what a user named.

/// What can be wrong before anything is read. Addresses in it have no secrets.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
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
