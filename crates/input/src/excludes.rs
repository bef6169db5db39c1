//! What a source leaves out.

use std::path::Path;

use ignore::gitignore::{Gitignore, GitignoreBuilder};

use crate::InputError;

/// The `exclude` patterns of a source, as in a `.gitignore` file: a pattern without `/` is compared with the name
/// of every file and folder, one with `/` with the whole relative path, one that ends in `/` with folders only;
/// `**` stands for any folders; `!` takes back in what an earlier pattern left out. Later patterns win.
#[derive(Debug, Clone)]
pub struct Excludes {
    patterns: Gitignore,
}

impl Excludes {
    /// Reads the patterns, in the order written.
    ///
    /// # Errors
    ///
    /// When one is no pattern.
    pub fn new(patterns: &[String]) -> Result<Self, InputError> {
        let bad =
            |written: &str, reason: String| InputError::BadExclude { written: written.to_owned(), reason };
        let mut builder = GitignoreBuilder::new("");
        for pattern in patterns {
            check(pattern).map_err(|reason| bad(pattern, reason.to_owned()))?;
            let line = pattern.strip_prefix("./").map_or_else(|| pattern.clone(), |rest| format!("/{rest}"));
            builder.add_line(None, &line).map_err(|error| bad(pattern, reason(&error)))?;
        }
        let together = || patterns.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ");
        let patterns = builder.build().map_err(|error| bad(&together(), reason(&error)))?;
        Ok(Self { patterns })
    }

    /// Whether a file or folder is left out, a folder with all it holds; `relative` is its path from the root of
    /// the walk. Whether one of its folders is left out is not looked at: a walk does not enter those.
    pub fn contains(&self, relative: &Path, is_folder: bool) -> bool {
        self.patterns.matched(relative, is_folder).is_ignore()
    }
}

/// A line that `.gitignore` would pass over is no pattern here.
fn check(pattern: &str) -> Result<(), &'static str> {
    match pattern {
        _ if pattern.trim().is_empty() => Err("it is empty"),
        _ if pattern.starts_with('#') => Err("`#` begins a comment: write `\\#`"),
        "!" | "/" | "!/" => Err("it names nothing"),
        _ => Ok(()),
    }
}

/// The reason without the pattern, which the message has already.
fn reason(error: &ignore::Error) -> String {
    match error {
        ignore::Error::Glob { err, .. } => err.clone(),
        ignore::Error::WithLineNumber { err, .. } | ignore::Error::WithPath { err, .. } => reason(err),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_patterns_win() {
        let patterns = ["*.tmp", "!keep.tmp", "/top", "logs/", "a/**/z", "**/deep/x", "./here"];
        let excludes = Excludes::new(&patterns.map(str::to_owned)).unwrap();
        for (path, is_folder, expected) in [
            ("a.tmp", false, true),
            ("b/a.tmp", false, true),
            ("b/keep.tmp", false, false),
            ("top", false, true),
            ("b/top", false, false),
            ("b/logs", true, true),
            ("logs", false, false),
            ("a/z", false, true),
            ("a/b/c/z", false, true),
            ("b/a/z", false, false),
            ("q/deep/x", false, true),
            ("here", false, true),
            ("b/here", false, false),
            ("字.txt", false, false),
        ] {
            assert_eq!(excludes.contains(Path::new(path), is_folder), expected, "{path}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_said() {
        for (pattern, expected) in [
            ("", "it is empty"),
            ("#a", "begins a comment"),
            ("!", "it names nothing"),
            ("a[z-a]", "invalid range"),
            ("{a", "unclosed alternate"),
        ] {
            let error = Excludes::new(&[pattern.to_owned()]).unwrap_err().to_string();
            assert!(error.contains(expected) && error.contains(&format!("`{pattern}`")), "{error}");
        }
    }
}
