//! Which site a page belongs to.
//!
//! Most documents of a collection belong to no site that has rules, so finding that out has to be cheap:
//! trying every pattern on every line came to 7 MB/s.
//! Nearly all patterns demand some literal (`微信号`), so the literals of all sites are looked for in one pass, and
//! a pattern is tried only on lines that hold a literal of its own.
//! Patterns that demand none, or a short one that is everywhere (`版`), are tried last, on pages that already show
//! most of what the site needs; so are those of `unless`.

use std::ops::Range;

use super::lazy::LazyRegex;
use tamis_text::lines::trim;
use tamis_text::scan::Scan;

use super::literals::Literals;

/// Literals of so many bytes are rare enough to look for in every page: three characters of Han. The shortest one
/// also decides how fast all are found (0.8 ns a byte with nine, 1.4 with six).
const MIN_LITERAL: usize = 9;

/// The `detect` and `unless` patterns of all rule files, searched together.
#[derive(Debug)]
pub(super) struct Detector {
    literals: Literals,
    /// Patterns that demand no literal and cannot wait.
    undemanding: Vec<usize>,
    patterns: Vec<LazyRegex>,
    /// One entry a site, in the order of the files.
    sites: Vec<Detection>,
}

/// Where the patterns of one site are among all patterns, and how many of them it needs.
#[derive(Debug)]
pub(super) struct Detection {
    detect: Range<usize>,
    unless: Range<usize>,
    need: usize,
    /// Patterns of `detect` that wait until the others are known.
    deferred: Vec<usize>,
}

/// What a page shows of one site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Signs {
    /// How many `detect` patterns were found.
    pub(super) found: usize,
    pub(super) need: usize,
    /// Whether an `unless` pattern was found; not looked for where too few of the others are there.
    pub(super) excluded: bool,
}

impl Signs {
    pub(super) fn detected(self) -> bool {
        self.found >= self.need && !self.excluded
    }
}

impl Detection {
    pub(super) fn new(detect: Range<usize>, unless: Range<usize>, need: usize) -> Self {
        Self { detect, unless, need, deferred: Vec::new() }
    }

    /// Puts off what costs most, but so few patterns that one of the others must be there.
    fn defer(&mut self, patterns: &[LazyRegex]) {
        let shortest = |index: usize| {
            let literals = patterns[index].demanded().unwrap_or_default();
            literals.iter().map(Vec::len).min().unwrap_or(0)
        };
        let mut common: Vec<(usize, usize)> =
            self.detect.clone().map(|index| (shortest(index), index)).collect();
        common.retain(|(shortest, _)| *shortest < MIN_LITERAL);
        common.sort_unstable();
        self.deferred = common.into_iter().take(self.need - 1).map(|(_, index)| index).collect();
    }
}

impl Detector {
    pub(super) fn new(patterns: Vec<LazyRegex>, mut sites: Vec<Detection>) -> Self {
        for site in &mut sites {
            site.defer(&patterns);
        }
        let at_once = |site: &Detection| {
            let deferred = site.deferred.clone();
            site.detect.clone().filter(move |index| !deferred.contains(index))
        };
        let at_once: Vec<usize> = sites.iter().flat_map(at_once).collect();
        let (demanding, undemanding): (Vec<usize>, Vec<usize>) =
            at_once.into_iter().partition(|&index| patterns[index].demanded().is_some());
        let demanded = |index: usize| (index, patterns[index].demanded().unwrap_or_default());
        let literals = Literals::new(demanding.into_iter().map(demanded));
        Self { literals, undemanding, patterns, sites }
    }

    /// What the page shows of each site, in the order of the files.
    pub(super) fn signs(&self, page: &Scan<'_>) -> impl Iterator<Item = Signs> {
        let found = self.found(page);
        self.sites.iter().map(move |site| {
            let at_once = found[site.detect.clone()].iter().filter(|found| **found).count();
            let is_anywhere = |index: usize| self.is_anywhere(index, page);
            // Without the deferred ones a site lacks at least one, so most pages are not looked at again.
            let is_near = !site.deferred.is_empty() && at_once + site.deferred.len() >= site.need;
            let later =
                if is_near { site.deferred.iter().filter(|index| is_anywhere(**index)).count() } else { 0 };
            let found = at_once + later;
            let excluded = found >= site.need && site.unless.clone().any(is_anywhere);
            Signs { found, need: site.need, excluded }
        })
    }

    /// Whether some line has a pattern; where all literals that it demands are caseless, only lines with one are tried.
    fn is_anywhere(&self, index: usize, page: &Scan<'_>) -> bool {
        let pattern = &self.patterns[index];
        let has_no_case = |literal: &Vec<u8>| !literal.iter().any(u8::is_ascii_alphabetic);
        let Some(literals) = pattern.demanded().filter(|literals| literals.iter().all(has_no_case)) else {
            return lines(page).any(|line| pattern.is_match(line));
        };
        literals.iter().any(|literal| {
            let places = memchr::memmem::find_iter(page.text().as_bytes(), literal);
            let mut tried = 0..0;
            places.into_iter().any(|at| {
                let is_new = !tried.contains(&at);
                tried = if is_new { line_around(page, at) } else { tried.clone() };
                is_new && pattern.is_match(trim(page.text().get(tried.clone()).unwrap_or_default()))
            })
        })
    }

    /// Which patterns are found in some line, of those that do not wait.
    fn found(&self, page: &Scan<'_>) -> Vec<bool> {
        let text = page.text();
        let mut found = vec![false; self.patterns.len()];
        // The last line on which a pattern was tried, so that a literal that a line repeats does not try the
        // pattern again.
        let mut tried = vec![0..0; self.patterns.len()];
        self.literals.each(text, |index, at| {
            if found[index] || tried[index].contains(&at) {
                return;
            }
            tried[index] = line_around(page, at);
            let line = text.get(tried[index].clone()).unwrap_or_default();
            found[index] = self.patterns[index].is_match(trim(line));
        });
        if !self.undemanding.is_empty() {
            for line in lines(page) {
                for &index in &self.undemanding {
                    found[index] = found[index] || self.patterns[index].is_match(line);
                }
            }
        }
        found
    }
}

/// The lines that are not blank, without the white space around them.
fn lines<'a>(page: &Scan<'a>) -> impl Iterator<Item = &'a str> {
    page.lines().map(|line| trim(line.text)).filter(|line| !line.is_empty())
}

/// The line that holds the byte `at`.
fn line_around(page: &Scan<'_>, at: usize) -> Range<usize> {
    page.range(page.line_at(at)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(patterns: &[&str]) -> Vec<LazyRegex> {
        patterns.iter().map(|pattern| LazyRegex::new(pattern).unwrap()).collect()
    }

    #[test]
    fn finds_what_trying_every_pattern_on_every_line_finds() {
        let patterns =
            patterns(&["^微信号$", "信号灯", "^.{2,4}号$", r"^\d+$", "号.*号", "^$", "(?i:Kiel|sos)"]);
        // Each is a site of its own, so that none can wait.
        let sites = (0..patterns.len()).map(|index| Detection::new(index..index + 1, 0..0, 1)).collect();
        let detector = Detector::new(patterns.clone(), sites);
        for text in [
            "微信号",
            " 微信号\u{a0}\n",
            "我的微信号\n微信号灯\n",
            "12\n号和号",
            "号号号\r\n微信号",
            "KIEL",
            "sOs",
            "",
            "\n\n",
        ] {
            let expected: Vec<bool> = patterns
                .iter()
                .map(|pattern| lines(&Scan::of(text)).any(|line| pattern.is_match(line)))
                .collect();
            let found: Vec<bool> = detector.signs(&Scan::of(text)).map(Signs::detected).collect();
            assert_eq!(found, expected, "{text:?}");
        }
    }

    #[test]
    fn what_is_everywhere_waits_for_the_rest() {
        let patterns = patterns(&["^数字报纸$", r"^\d{5}版", r"^\d+$", "^微信号$"]);
        let detector = Detector::new(patterns, vec![Detection::new(0..3, 3..4, 3)]);
        let signs = |text: &str| detector.signs(&Scan::of(text)).next().unwrap();
        assert_eq!(signs("00003版\n7"), Signs { found: 0, need: 3, excluded: false });
        assert_eq!(signs("数字报纸\n7"), Signs { found: 2, need: 3, excluded: false });
        assert!(signs("7\n00003版\n数字报纸").detected());
        assert_eq!(signs("7\n00003版\n数字报纸\n微信号"), Signs { found: 3, need: 3, excluded: true });
    }
}
