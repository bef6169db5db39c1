//! Globs, as paths and keys of objects are named by them: `dump/**/*.{jsonl,txt}`.

use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobMatcher};

/// The letters that make a text a glob.
const WILDCARDS: [char; 4] = ['*', '?', '[', '{'];

/// Whether a text, or a part of a path, has wildcards.
pub fn is_glob(text: &str) -> bool {
    text.contains(WILDCARDS)
}

/// Compiles a glob in which only `**` matches `/`.
///
/// # Errors
///
/// What is wrong with it, without the glob.
pub fn compile(glob: &str) -> Result<GlobMatcher, String> {
    let glob = GlobBuilder::new(glob).literal_separator(true).build();
    glob.map(|glob| glob.compile_matcher()).map_err(|error| error.kind().to_string())
}

/// The deepest folder that holds all `folders`; `None` without folders, or when they share nothing (drives).
pub fn common_folder<'a>(mut folders: impl Iterator<Item = &'a Path>) -> Option<PathBuf> {
    let mut common = folders.next()?.to_path_buf();
    for folder in folders {
        while !folder.starts_with(&common) {
            if !common.pop() {
                return None;
            }
        }
    }
    Some(common)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_two_stars_cross_folders() {
        let takes = |glob: &str, path: &str| compile(glob).unwrap().is_match(path);
        assert!(takes("**/*.txt", "a/b/c.txt") && takes("*.{gz,zst}", "a.zst"));
        assert!(!takes("*.txt", "a/c.txt") && !takes("a/?", "a//"));
        assert!(is_glob("a[0-9]") && !is_glob("a(0)"));
        assert!(compile("*.[z-a]").unwrap_err().starts_with("invalid range"));
    }

    #[test]
    fn the_common_folder_holds_all() {
        let common = |folders: &[&str]| common_folder(folders.iter().map(Path::new));
        assert_eq!(common(&["/a/b", "/a/bc"]), Some(PathBuf::from("/a")));
        assert_eq!(common(&["/a/b", "/a/b/c"]), Some(PathBuf::from("/a/b")));
        assert_eq!(common(&[]), None);
    }
}
