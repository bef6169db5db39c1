//! The list of the named files of an export: one line a file, in the form that `b3sum --check` reads.

use std::fmt::Write;

use super::names::{OUTSIDE, refusal};

/// The whole lines of a list.
pub(crate) fn lines(list: &[u8]) -> impl Iterator<Item = &str> {
    let lines = list.split_inclusive(|byte| *byte == b'\n').filter_map(|line| line.strip_suffix(b"\n"));
    lines.filter_map(|line| std::str::from_utf8(line).ok())
}

/// Appends a line of the list, as `b3sum` writes it: a backslash in front says that the name is escaped.
pub(crate) fn push_line(name: &str, content: &[u8], lines: &mut String) {
    let is_escaped = name.contains(['\\', '\n', '\r']);
    let mark = if is_escaped { "\\" } else { "" };
    let escaped = name.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r");
    // Writing to a string never fails.
    let _ = writeln!(lines, "{mark}{}  {escaped}", blake3::hash(content).to_hex());
}

/// The name in a line of the list; none if it is not one, or leaves the folder.
pub(crate) fn listed_name(line: &str) -> Option<String> {
    let (hash, name) = line.split_once("  ")?;
    let name = if hash.starts_with('\\') { unescaped(name)? } else { name.to_owned() };
    let is_inside = refusal(&name) != Some(OUTSIDE);
    is_inside.then_some(name)
}

fn unescaped(name: &str) -> Option<String> {
    let mut plain = String::with_capacity(name.len());
    let mut chars = name.chars();
    while let Some(character) = chars.next() {
        plain.push(match character {
            '\\' => match chars.next()? {
                '\\' => '\\',
                'n' => '\n',
                'r' => '\r',
                _ => return None,
            },
            character => character,
        });
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listed_name_reads_back() {
        for name in ["a.md", "news/字.md", "a  b", "back\\slash", "two\nlines\r"] {
            let mut line = String::new();
            push_line(name, b"x", &mut line);
            assert_eq!(line.matches('\n').count(), 1, "{line:?}");
            assert_eq!(listed_name(line.trim_end_matches('\n')).as_deref(), Some(name));
        }
        for line in ["", "0123  ../../etc/passwd", "0123  /etc/passwd", "\\0123  a\\qb", "0123 a"] {
            assert_eq!(listed_name(line), None, "{line}");
        }
    }
}
