//! The rules of a family of pages, compiled.

use super::lazy::LazyRegex;

use super::literals::Literals;

/// The rules of one family of pages.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) name: String,
    pub(super) rejects: Vec<Reject>,
    pub(super) fields: Vec<Field>,
    pub(super) heads: Vec<Head>,
    pub(super) tails: Vec<Tail>,
    pub(super) drops: Vec<Drop>,
    pub(super) cuts: Vec<Cut>,
    /// The literals of all [`Probe`]s of these rules.
    pub(super) literals: Literals,
    pub(super) n_probes: usize,
}

impl Site {
    /// Whether the file does nothing but reject pages; those that it does not reject are none of its own.
    pub(super) fn only_rejects(&self) -> bool {
        !self.rejects.is_empty()
            && self.fields.is_empty()
            && self.heads.is_empty()
            && self.tails.is_empty()
            && self.drops.is_empty()
            && self.cuts.is_empty()
    }

    /// The ids of all rules that are counted, in the order of the kinds.
    pub(super) fn rule_ids(&self) -> impl Iterator<Item = &str> {
        let rejects = self.rejects.iter().map(|rule| &rule.id);
        let heads = self.heads.iter().map(|rule| &rule.id);
        let tails = self.tails.iter().map(|rule| &rule.id);
        let drops = self.drops.iter().map(|rule| &rule.id);
        let cuts = self.cuts.iter().map(|rule| &rule.id);
        rejects.chain(heads).chain(tails).chain(drops).chain(cuts).map(String::as_str)
    }
}

/// Part of a page, counted in lines that are not blank.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Window {
    pub(super) first: Option<usize>,
    pub(super) last: Option<usize>,
}

impl Window {
    /// Whether line `rank` of `n_lines` is inside: among the first or among the last ones.
    pub(super) fn holds(self, rank: usize, n_lines: usize) -> bool {
        match (self.first, self.last) {
            (None, None) => true,
            (first, last) => {
                first.is_some_and(|first| rank < first)
                    || last.is_some_and(|last| rank >= n_lines.saturating_sub(last))
            }
        }
    }

    /// The lines inside, in order.
    pub(super) fn ranks(self, n_lines: usize) -> impl Iterator<Item = usize> {
        let (first, last) = match (self.first, self.last) {
            (None, None) => (n_lines, 0),
            (first, last) => (first.unwrap_or(0).min(n_lines), last.unwrap_or(0)),
        };
        (0..first).chain(n_lines.saturating_sub(last).max(first)..n_lines)
    }
}

/// A pattern that is looked for in a page: tried only on lines that hold a literal that it demands.
#[derive(Debug)]
pub(super) struct Probe {
    pub(super) regex: LazyRegex,
    /// Its place among the probes of the site.
    pub(super) index: usize,
    /// Whether it demands a literal; else it is tried on every line of its window.
    pub(super) has_literal: bool,
}

/// A line: what it looks like, and what the line after it looks like.
#[derive(Debug)]
pub(super) struct LineMatcher {
    pub(super) line: Probe,
    pub(super) next: Option<LazyRegex>,
}

#[derive(Debug)]
pub(super) struct Reject {
    pub(super) id: String,
    pub(super) matcher: LineMatcher,
    pub(super) window: Window,
    pub(super) max_chars: Option<usize>,
    pub(super) reason: String,
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) from: FieldSource,
}

#[derive(Debug)]
pub(super) enum FieldSource {
    /// The line itself, the line after it (`offset` 1) or before it (-1).
    Line {
        line: Probe,
        offset: isize,
        value: Option<LazyRegex>,
        unless: Option<LazyRegex>,
        window: Window,
    },
    Constant(String),
    Copy(String),
}

#[derive(Debug)]
pub(super) struct Head {
    /// `<site>/head/<name>`, as it is counted.
    pub(super) id: String,
    pub(super) matcher: LineMatcher,
    pub(super) window: Window,
    pub(super) skip: usize,
    pub(super) inside: bool,
    pub(super) exact: bool,
    pub(super) field: Option<String>,
}

#[derive(Debug)]
pub(super) struct Tail {
    pub(super) id: String,
    pub(super) matcher: LineMatcher,
    pub(super) window: Window,
    pub(super) inside: bool,
    pub(super) exact: bool,
    pub(super) field: Option<String>,
}

#[derive(Debug)]
pub(super) struct Drop {
    pub(super) id: String,
    pub(super) lines: DropLines,
    pub(super) next: Option<LazyRegex>,
    pub(super) until: Option<LazyRegex>,
    pub(super) window: Window,
    pub(super) field: Option<String>,
}

#[derive(Debug)]
pub(super) enum DropLines {
    Matching(Probe),
    SameAs(String),
}

#[derive(Debug)]
pub(super) struct Cut {
    pub(super) id: String,
    pub(super) text: Probe,
    pub(super) window: Window,
    pub(super) field: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_lists_the_lines_that_it_holds() {
        for first in [None, Some(1), Some(3), Some(9)] {
            for last in [None, Some(1), Some(4), Some(9)] {
                for n_lines in 0..8 {
                    let window = Window { first, last };
                    let held: Vec<usize> = (0..n_lines).filter(|&rank| window.holds(rank, n_lines)).collect();
                    assert_eq!(window.ranks(n_lines).collect::<Vec<_>>(), held, "{window:?} of {n_lines}");
                }
            }
        }
    }
}
