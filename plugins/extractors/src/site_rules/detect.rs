//! Which site a page belongs to.
//!
//! Most documents of a collection belong to no site that has rules, so finding that out has to be cheap:
//! trying every pattern on every line came to 7 MB/s.
//! Nearly all patterns demand some literal (`微信号`), so one automaton looks for the literals of all sites in
//! one pass, and a pattern is tried only on lines that hold a literal of its own.

use std::ops::Range;

use aho_corasick::{AhoCorasick, AhoCorasickKind, BuildError};
use memchr::{memchr, memrchr};
use regex::Regex;
use regex_syntax::hir::{Hir, HirKind};

/// More literals than this for one pattern, and the pattern is tried on every line instead.
const MAX_LITERALS: usize = 32;

/// The `detect` and `unless` patterns of all rule files, searched together.
#[derive(Debug)]
pub(super) struct Detector {
    automaton: AhoCorasick,
    /// The pattern that demands each literal of the automaton.
    demanded_by: Vec<usize>,
    /// Patterns that demand no literal.
    undemanding: Vec<usize>,
    patterns: Vec<Regex>,
    /// One entry a site, in the order of the files.
    sites: Vec<Detection>,
}

/// Where the patterns of one site are among all patterns, and how many of them it needs.
#[derive(Debug)]
pub(super) struct Detection {
    pub(super) detect: Range<usize>,
    pub(super) unless: Range<usize>,
    pub(super) need: usize,
}

/// What a page shows of one site.
#[derive(Debug, Clone, Copy)]
pub(super) struct Signs {
    /// How many `detect` patterns were found.
    pub(super) found: usize,
    pub(super) need: usize,
    /// Whether an `unless` pattern was found.
    pub(super) excluded: bool,
}

impl Signs {
    pub(super) fn detected(self) -> bool {
        self.found >= self.need && !self.excluded
    }
}

impl Detector {
    pub(super) fn new(patterns: Vec<Regex>, sites: Vec<Detection>) -> Result<Self, BuildError> {
        let (mut literals, mut demanded_by, mut undemanding) = (Vec::new(), Vec::new(), Vec::new());
        for (index, pattern) in patterns.iter().enumerate() {
            match demanded(pattern.as_str()) {
                Some(demanded) => {
                    demanded_by.extend(std::iter::repeat_n(index, demanded.len()));
                    literals.extend(demanded);
                }
                None => undemanding.push(index),
            }
        }
        let automaton = AhoCorasick::builder().kind(Some(AhoCorasickKind::DFA)).build(literals)?;
        Ok(Self { automaton, demanded_by, undemanding, patterns, sites })
    }

    /// What the page shows of each site, in the order of the files.
    pub(super) fn signs(&self, text: &str) -> impl Iterator<Item = Signs> {
        let found = self.found(text);
        let count = move |range: &Range<usize>| found[range.clone()].iter().filter(|found| **found).count();
        self.sites.iter().map(move |site| Signs {
            found: count(&site.detect),
            need: site.need,
            excluded: count(&site.unless) > 0,
        })
    }

    /// Which patterns are found in some line.
    fn found(&self, text: &str) -> Vec<bool> {
        let mut found = vec![false; self.patterns.len()];
        // Where the last line ended on which a pattern was tried, so that a literal that a line repeats does
        // not try the pattern again.
        let mut tried_to = vec![0; self.patterns.len()];
        for hit in self.automaton.find_overlapping_iter(text) {
            let index = self.demanded_by[hit.pattern()];
            if found[index] || hit.start() < tried_to[index] {
                continue;
            }
            let (line, end) = line_around(text, hit.start());
            tried_to[index] = end;
            found[index] = self.patterns[index].is_match(line);
        }
        if !self.undemanding.is_empty() {
            for line in text.split('\n').map(str::trim).filter(|line| !line.is_empty()) {
                for &index in &self.undemanding {
                    found[index] = found[index] || self.patterns[index].is_match(line);
                }
            }
        }
        found
    }
}

/// The line that holds the byte `at`, without the white space around it, and where it ends in the text.
fn line_around(text: &str, at: usize) -> (&str, usize) {
    let (before, after) = text.as_bytes().split_at(at);
    let start = memrchr(b'\n', before).map_or(0, |newline| newline + 1);
    let end = memchr(b'\n', after).map_or(text.len(), |length| at + length);
    (text.get(start..end).unwrap_or_default().trim(), end)
}

/// Literals of which every match of `pattern` holds at least one; none if it demands nothing, or too many.
fn demanded(pattern: &str) -> Option<Vec<Vec<u8>>> {
    let literals = demanded_by(&regex_syntax::parse(pattern).ok()?)?;
    (literals.len() <= MAX_LITERALS).then_some(literals)
}

fn demanded_by(hir: &Hir) -> Option<Vec<Vec<u8>>> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(vec![literal.0.to_vec()]),
        HirKind::Class(class) => {
            // A class of a few characters is an alternation of them.
            let regex_syntax::hir::Class::Unicode(class) = class else { return None };
            let characters = class.iter().flat_map(|range| range.start()..=range.end()).take(5);
            let literals: Vec<Vec<u8>> = characters.map(|c| c.to_string().into_bytes()).collect();
            (!literals.is_empty() && literals.len() < 5).then_some(literals)
        }
        HirKind::Capture(capture) => demanded_by(&capture.sub),
        HirKind::Repetition(repetition) if repetition.min > 0 => demanded_by(&repetition.sub),
        HirKind::Alternation(branches) => {
            let branches: Vec<_> = branches.iter().map(demanded_by).collect::<Option<_>>()?;
            Some(branches.concat())
        }
        // Any part will do: the one whose shortest literal is longest is the rarest.
        HirKind::Concat(parts) => parts.iter().filter_map(demanded_by).max_by_key(|literals| {
            (literals.iter().map(Vec::len).min().unwrap_or(0), std::cmp::Reverse(literals.len()))
        }),
        HirKind::Empty | HirKind::Look(_) | HirKind::Repetition(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_demand_their_rarest_literals() {
        let of = |pattern: &str| {
            demanded(pattern).map(|literals| {
                literals.into_iter().map(|literal| String::from_utf8(literal).unwrap()).collect::<Vec<_>>()
            })
        };
        assert_eq!(of("^微信号$").unwrap(), ["微信号"]);
        assert_eq!(of(r"^功能介绍[：:]?\s+\S|^微信号$").unwrap(), ["功能介绍", "微信号"]);
        assert_eq!(of(r"^第?[A-Z]?\d{1,5}版\s*[：:]").unwrap(), ["版"]);
        assert_eq!(of("(?:ab|c)+x?").unwrap(), ["ab", "c"]);
        assert_eq!(of("."), None);
        assert_eq!(of("x*"), None);
        assert_eq!(of("(?:ab|.)"), None);
    }

    #[test]
    fn finds_what_trying_every_pattern_on_every_line_finds() {
        let patterns: Vec<Regex> = ["^微信号$", "信号灯", "^.{2,4}号$", r"^\d+$", "号.*号", "^$"]
            .iter()
            .map(|pattern| Regex::new(pattern).unwrap())
            .collect();
        let detector = Detector::new(patterns.clone(), Vec::new()).unwrap();
        for text in [
            "微信号",
            " 微信号\u{a0}\n",
            "我的微信号\n微信号灯\n",
            "12\n号和号",
            "号号号\r\n微信号",
            "",
            "\n\n",
        ] {
            let lines = || text.split('\n').map(str::trim).filter(|line| !line.is_empty());
            let expected: Vec<bool> =
                patterns.iter().map(|pattern| lines().any(|line| pattern.is_match(line))).collect();
            assert_eq!(detector.found(text), expected, "{text:?}");
        }
    }
}
