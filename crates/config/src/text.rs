//! The texts that values come from, and places in them.

use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use serde::Serialize;

/// Where something is written, for people and machines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Position {
    /// The pipeline file as the user named it; `command line` or `environment` for an override.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The column, in Unicode scalar values, counted from 1.
    pub column: usize,
}

impl std::fmt::Display for Position {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// What kind of text a value comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TextKind {
    /// A pipeline file.
    File,
    /// A flag or argument.
    CommandLine,
    /// An environment variable.
    Environment,
}

/// A text that values come from: a pipeline file, one flag, one variable.
#[derive(Debug)]
pub(crate) struct Text {
    /// What messages call it.
    pub(crate) name: String,
    pub(crate) content: String,
    pub(crate) kind: TextKind,
    /// What relative paths in it resolve against, absolute.
    pub(crate) base: PathBuf,
    /// The path that a path argument of the command line is, of which `content` may be no more than a likeness:
    /// not every name of a file is text.
    pub(crate) argument: Option<PathBuf>,
    /// Rank in messages: the pipeline file, what it extends, then overrides.
    pub(crate) order: usize,
    /// Where lines begin, once somebody has asked.
    pub(crate) lines: OnceLock<Vec<usize>>,
}

impl Text {
    /// The text of a pipeline file, which messages call `name`.
    pub(crate) fn of_file(name: String, file: &Path, content: String, order: usize) -> Self {
        let base = file.parent().unwrap_or(file).to_path_buf();
        Self { name, content, kind: TextKind::File, base, argument: None, order, lines: OnceLock::new() }
    }

    /// A place in the text; a range that does not lie in it is cut to what does.
    pub(crate) fn at(self: &Arc<Self>, range: Range<usize>) -> Place {
        let end = floor_boundary(&self.content, range.end);
        let start = floor_boundary(&self.content, range.start.min(end));
        Place { text: Arc::clone(self), start, end }
    }

    /// The line (from 0) that `offset` is in, and where that line starts and ends, without its break.
    pub(crate) fn line_at(&self, offset: usize) -> (usize, Range<usize>) {
        let bytes = self.content.as_bytes();
        let ends = || bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n').map(|(end, _)| end + 1);
        let starts = self.lines.get_or_init(|| std::iter::once(0).chain(ends()).collect());
        let line = starts.partition_point(|start| *start <= offset).saturating_sub(1);
        let start = starts.get(line).copied().unwrap_or_default();
        let end = starts.get(line + 1).map_or(bytes.len(), |next| next - 1);
        let has_return = end > start && bytes.get(end - 1) == Some(&b'\r');
        (line, start..end - usize::from(has_return))
    }
}

/// The last character boundary at or before `offset`.
fn floor_boundary(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

/// A range of a [`Text`].
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) text: Arc<Text>,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

impl Place {
    /// The path that is written here as `written`, absolute.
    pub(crate) fn path(&self, written: &str) -> PathBuf {
        self.resolve(self.text.argument.as_deref().unwrap_or_else(|| Path::new(written)))
    }

    /// `path` as it is meant where this place is: relative to the text.
    pub(crate) fn resolve(&self, path: &Path) -> PathBuf {
        tidy(&self.text.base.join(path))
    }

    pub(crate) fn position(&self) -> Position {
        let (line, range) = self.text.line_at(self.start);
        let before = self.text.content.get(range.start..self.start).unwrap_or_default();
        // A byte order mark is not a character that anybody counts.
        let column = before.chars().filter(|c| *c != '\u{feff}').count();
        Position { file: self.text.name.clone(), line: line + 1, column: column + 1 }
    }

    /// What messages are sorted by.
    pub(crate) fn rank(&self) -> (usize, usize) {
        (self.text.order, self.start)
    }
}

/// `path` without `.` and without `..` after a name, by its words alone: no link is followed.
pub(crate) fn tidy(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut tidied = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(tidied.components().next_back(), Some(Component::Normal(_))) => {
                tidied.pop();
            }
            // Above the root there is only the root.
            Component::ParentDir if tidied.has_root() => {}
            other => tidied.push(other),
        }
    }
    if tidied.as_os_str().is_empty() { PathBuf::from(".") } else { tidied }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_end_before_their_break() {
        let text = Arc::new(Text {
            name: "p.toml".into(),
            content: "甲 = 1\r\n# 注\r\n乙丙 = \"丁\"\n".into(),
            kind: TextKind::File,
            base: PathBuf::from("/"),
            argument: None,
            order: 0,
            lines: OnceLock::new(),
        });
        let start = text.content.find('丁').unwrap();
        let position = text.at(start..start + 3).position();
        assert_eq!((position.line, position.column), (3, 7));
        assert_eq!(text.content.get(text.line_at(0).1), Some("甲 = 1"));
        // Inside a character and past the end.
        let place = text.at(1..10_000);
        assert_eq!((place.start, place.end), (0, text.content.len()));
    }

    #[test]
    fn paths_are_tidied_by_their_words() {
        for (path, tidied) in
            [("a/./b/../c", "a/c"), ("../x", "../x"), ("a/..", "."), ("/../a", "/a"), ("../../b/", "../../b")]
        {
            assert_eq!(tidy(Path::new(path)), Path::new(tidied), "{path}");
        }
    }
}
