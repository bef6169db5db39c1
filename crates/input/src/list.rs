//! From what a user named to files, in a fixed order.
use std::collections::BTreeSet;
use std::path::Path;

use crate::{InputError, InputFile, Location, Pattern};

/// A file or folder that was found.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Its whole path; for an object its address.
    pub path: &'a Path,
    /// Its path from where the pattern looks.
    pub relative: &'a Path,
    /// Whether it is a folder.
    pub is_folder: bool,
}

/// What the caller decides about a listing.
pub struct ListOptions<'a> {
    /// Whether a file or folder is left out, a folder with all it holds.
    pub is_excluded: &'a dyn Fn(Candidate<'_>) -> bool,
    /// Whether somebody asked to stop.
    pub is_stopped: &'a dyn Fn() -> bool,
}

/// Lists the files of one pattern that are not in `seen`, by name, and adds them to `seen`.
///
/// # Errors
///
/// When what the user named itself cannot be read; what is found below it and cannot be read is a file with a
/// `trouble`.
pub fn list(
    pattern: &Pattern,
    options: &ListOptions<'_>,
    seen: &mut BTreeSet<Location>,
) -> Result<Vec<InputFile>, InputError> {
    let _ = (pattern, options, seen);
    Ok(Vec::new())
}
