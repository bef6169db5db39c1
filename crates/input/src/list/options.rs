//! What the caller decides about a listing.

use std::path::Path;

/// A file or folder that was found.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Its whole path; for an object its address, without secrets.
    pub path: &'a Path,
    /// Its path from where the pattern looks; never empty.
    pub relative: &'a Path,
    /// Whether it is a folder.
    pub is_folder: bool,
}

/// What the caller decides about a listing.
pub struct ListOptions<'a> {
    /// Whether a file or folder is left out, a folder with all it holds. What the user named itself is not asked
    /// about.
    pub is_excluded: &'a dyn Fn(Candidate<'_>) -> bool,
    /// Whether somebody asked to stop.
    pub is_stopped: &'a dyn Fn() -> bool,
}
