//! The lines of a page, and what each of them is.

use std::borrow::Cow;

/// A title line or heading has so many characters at most.
pub(super) const MAX_HEADING_CHARS: usize = 40;

/// A line of a page.
#[derive(Debug, Clone)]
pub(super) struct PageLine<'a> {
    /// The line as it stands, indentation included.
    pub(super) text: Cow<'a, str>,
    /// Whether it begins with a paragraph indent: two blanks or one ideographic space.
    pub(super) indented: bool,
    pub(super) removed: bool,
}

impl PageLine<'_> {
    pub(super) fn trimmed(&self) -> &str {
        self.text.trim()
    }

    /// Whether there is something to read in it.
    pub(super) fn is_visible(&self) -> bool {
        !self.removed && !self.trimmed().is_empty()
    }
}

pub(super) fn split(text: &str) -> Vec<PageLine<'_>> {
    let line = |text: &str| text.starts_with("  ") || text.starts_with('\u{3000}');
    tamis_text::lines::lines(text)
        .map(|line| line.text)
        .map(|text| PageLine { text: Cow::Borrowed(text), indented: line(text), removed: false })
        .collect()
}

/// Indices of the lines with something to read.
pub(super) fn visible(lines: &[PageLine<'_>]) -> Vec<usize> {
    (0..lines.len()).filter(|&index| lines[index].is_visible()).collect()
}

/// Removes a line, and the blank lines after it, which separated it from the next.
pub(super) fn remove(lines: &mut [PageLine<'_>], index: usize) -> u64 {
    lines[index].removed = true;
    for line in lines.iter_mut().skip(index + 1) {
        if !line.trimmed().is_empty() {
            break;
        }
        line.removed = true;
    }
    1
}

/// Whether a line ends as sentences and clauses do, which a heading does not.
pub(super) fn ends_clause(line: &str) -> bool {
    let bare = line.trim_end_matches(['”', '’', '」', '』', '"', ')', '）', '】', '》']);
    bare.ends_with(['。', '！', '？', '；', '：', '，', '、', '…', '.', '!', '?', ';', ':', ','])
}
