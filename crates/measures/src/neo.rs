//! What MAP-NEO asks of Chinese texts and nobody else does.

use crate::python::{is_space, trim};

/// Shares of a text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Neo {
    pub(crate) chars: u64,
    /// Characters in 【】, the brackets included.
    pub(crate) bracketed: u64,
    /// Runs of `#`.
    pub(crate) hashes: u64,
    /// `...` and `…`, each of which counts.
    pub(crate) ellipses: u64,
    pub(crate) digits: u64,
    /// Letters and digits.
    pub(crate) plain: u64,
    /// Lines that are not blank, and those of them that end where a page was folded.
    pub(crate) lines: u64,
    pub(crate) folded: u64,
}

/// What stands at the end of a line where a page offers the rest of a text.
const FOLDED: [&str; 4] = ["readmore", "展开", "更多", "。。。"];

/// Counts.
pub(crate) fn count(text: &str) -> Neo {
    let mut found = Neo::default();
    let mut open: Option<u64> = None;
    let mut before = ' ';
    for c in text.chars() {
        found.chars += 1;
        match c {
            '【' => open = open.or(Some(found.chars)),
            '】' => found.bracketed += open.take().map_or(0, |from| found.chars - from + 1),
            // A bracket that is closed on another line is none.
            '\n' => open = None,
            '#' => found.hashes += u64::from(before != '#'),
            '…' => found.ellipses += 1,
            _ => {}
        }
        if !is_space(c) && c.is_alphanumeric() {
            found.plain += 1;
            found.digits += u64::from(c.is_numeric());
        }
        before = c;
    }
    found.ellipses += memchr::memmem::find_iter(text.as_bytes(), b"...").count() as u64;
    for line in text.split('\n').map(trim).filter(|line| !line.is_empty()) {
        found.lines += 1;
        found.folded += u64::from(FOLDED.iter().any(|end| line.ends_with(end)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_counted_as_it_is_defined() {
        let found = count("【水轮】a1\n## 磨坊... 更多 \n【未\n完】… #");
        let expected = Neo {
            chars: 28,
            bracketed: 4,
            hashes: 2,
            ellipses: 2,
            digits: 1,
            plain: 10,
            lines: 4,
            folded: 1,
        };
        assert_eq!(found, expected);
        assert_eq!(count(""), Neo::default());
    }
}
