//! What lies in a folder and is not meant to be seen: hidden files, and what a run has written beside its result.
//!
//! Programs keep their own things under names that begin with a dot (`.git`, `.cache`, `.ipynb_checkpoints`), and who
//! names a folder means what he sees in it. So these are passed over, and their number is told, unless a path of the
//! source names them itself. Files that macOS writes beside others (`._a.html`, `.DS_Store`) are looked at, because only their first
//! bytes tell them from files of that name; they are counted as what they are.

use std::path::Path;

use tamis_config::InputPattern;
use tamis_input::Candidate;

use crate::disk::names::WORK;

/// Whether a file or folder is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hidden {
    /// It is read.
    No,
    /// It is one that a run of ours has written: what is known and no result is not told either.
    Ours,
    /// It is hidden, by whomever.
    Unknown,
}

/// What begins the names of folders beside the result of a run, for what is no result.
const BESIDE_RESULTS: &str = "__";

/// Whether a file or folder that was found is hidden.
pub(crate) fn kind(found: Candidate<'_>) -> Hidden {
    let name = found.relative.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    let is_beside_results = || {
        let parent = found.path.parent().unwrap_or(Path::new(""));
        found.is_folder && name.starts_with(BESIDE_RESULTS) && parent.join(WORK).is_dir()
    };
    if name == WORK || is_beside_results() {
        Hidden::Ours
    } else if name.starts_with('.') && !name.starts_with("._") && name != ".DS_Store" {
        Hidden::Unknown
    } else {
        Hidden::No
    }
}

/// Whether an input names hidden files itself, as `site/.well-known/*` does.
pub(crate) fn is_sought(input: &InputPattern) -> bool {
    let is_dotted = |part: &str| part.trim_start_matches(['{', '[']).starts_with('.');
    input.glob().is_some_and(|glob| glob.glob().glob().split(['/', ',']).any(is_dotted))
}

/// Whether an input would have taken what is hidden, or something in it.
pub(crate) fn is_missed(input: &InputPattern, found: Candidate<'_>) -> bool {
    match input.glob() {
        None => true,
        Some(glob) if found.is_folder => glob.glob().glob().contains("**"),
        Some(_) => input.takes(found.relative),
    }
}
