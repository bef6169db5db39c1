//! When a page was published: every date on it, weighed by what stands around it.

use std::ops::Range;

use tamis_dates::labels::{DateOf, ends_with_plain_label, label_at_end};
use tamis_dates::{Located, certain_moment, dates};

use super::evidence::{Evidence, confidence};
use super::glued;
use super::page::{Line, Page, is_code, is_space};
use super::repeated::Repeated;

/// So many dates are looked at: byline dates come early, and what follows are comments and related pages.
const MAX_DATES: usize = 64;
/// Columns of other text in a line that is about its date: place, source, number of readers.
const MAX_BESIDE: usize = 60;
/// Lines between title and date: source, buttons to share, the size of the letters.
const MAX_DISTANCE: usize = 8;
/// So many dates are read, best first, before the page counts as one without a certain date.
const MAX_READ: usize = 6;
/// A score at which a date is as often right as wrong: a date alone on its line with a time, and nothing else.
const EVEN: f64 = 2.0;

/// A date on the page and how likely it is that of publication.
#[derive(Debug, Clone)]
pub(super) struct Candidate<'a> {
    pub(super) located: Located,
    pub(super) line: Line<'a>,
    pub(super) score: f64,
    rule: &'static str,
    /// The title right before it, where one was looked for and stands elsewhere, too.
    pub(super) glued: Option<Range<usize>>,
}

/// What the dates of a page are weighed by.
#[derive(Debug)]
struct Scene<'a, 'r> {
    page: Page<'a>,
    title: Option<&'r Repeated<'a>>,
    url: Option<&'r str>,
    /// Where the lines near the title begin, and what a date in each of them gains.
    near: Vec<(usize, f64)>,
}

/// The dates of the page, the likeliest first.
pub(super) fn candidates<'a>(
    page: Page<'a>,
    title: Option<&Repeated<'a>>,
    url: Option<&str>,
) -> Vec<Candidate<'a>> {
    let title = title.filter(|title| !title.at.is_empty());
    let scene = Scene { page, title, url, near: near_lines(page, title) };
    let mut found: Vec<Candidate<'a>> = dates(page.text)
        .take(MAX_DATES)
        .enumerate()
        .filter_map(|(rank, located)| scene.candidate(located, rank))
        .collect();
    weigh_together(page, &mut found);
    // Stable: of equal ones the first on the page.
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found
}

/// A day that is named twice is the likelier for it, more so with the same time of day, as above a post and in
/// the line below it; dates of one form in a row are a list of other pages.
fn weigh_together(page: Page<'_>, found: &mut [Candidate<'_>]) {
    let days: Vec<&str> = found.iter().map(|candidate| page.slice(candidate.located.date.clone())).collect();
    let moments: Vec<&str> = found.iter().map(|candidate| page.slice(candidate.located.range())).collect();
    let forms: Vec<u64> = found.iter().map(|candidate| form(page.slice(candidate.located.range()))).collect();
    let scores: Vec<f64> = found.iter().map(|candidate| candidate.score).collect();
    let bare: Vec<bool> = found.iter().map(|candidate| candidate.rule == "date-line").collect();
    for (index, candidate) in found.iter_mut().enumerate() {
        let score = scores[index];
        if score > 0.0 && days.iter().enumerate().any(|(other, day)| other != index && *day == days[index]) {
            candidate.score += 0.3;
        }
        let same = moments.iter().filter(|moment| **moment == moments[index]).count();
        if score > 0.0 && same == 2 && candidate.located.time.is_some() {
            candidate.score += TWICE;
        }
        // The date itself is one of them.
        let alike = |other: &usize| {
            bare[*other] && forms[*other] == forms[index] && (scores[*other] - score).abs() < 0.6
        };
        if bare[index] && (0.5..3.0).contains(&score) && (0..scores.len()).filter(alike).count() > MIN_LIST {
            candidate.score -= 0.6;
        }
    }
}

/// The form of a date, whatever its numbers.
fn form(shown: &str) -> u64 {
    shown.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        let byte = if byte.is_ascii_digit() { b'0' } else { byte };
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

/// What a moment gains that stands twice on the page, and no more often.
const TWICE: f64 = 1.4;
/// So many dates besides one make a list.
const MIN_LIST: usize = 3;

impl<'a> Scene<'a, '_> {
    fn candidate(&self, located: Located, rank: usize) -> Option<Candidate<'a>> {
        let page = self.page;
        let line = page.line_at(located.date.start);
        let before = page.slice(line.start..located.date.start);
        if before.ends_with("datePublished\":\"") || before.ends_with("datePublished\": \"") {
            return Some(Candidate { located, line, score: 7.0, rule: "json-ld", glued: None });
        }
        let (label, mut rule) = label_before(page, line, before);
        // Scripts may run into a date with a label, but then the label is no word of theirs.
        if !(label >= LABELLED && rule == "labelled") && is_code(near(page, &located)) {
            return None;
        }
        let beside = beside(page, line, &located);
        let mut score = label + f64::from(u8::from(located.time.is_some()));
        score += place_in_line(beside, before, label > 0.0);
        score -= 0.05 * rank.min(10) as f64;
        score -= other_purpose(page, line, before, &located);
        score += self.near_title(line, &located);
        // A page in one line: the title right before the date stands elsewhere, too.
        let in_long_line = beside > MAX_BESIDE && located.time.is_some() && rule == "date-line";
        let mut glued = None;
        if in_long_line && score <= 1.0 && rank < MAX_GLUED {
            glued = glued::before_date(page, line, located.date.start);
        }
        if glued.is_some() {
            score += 3.0;
            rule = "glued";
        }
        if let Some(url) = self.url.filter(|_| score > 0.0) {
            score += in_url(page, url, &located);
        }
        Some(Candidate { located, line, score, rule, glued })
    }

    /// How close a date is to where the title stands.
    fn near_title(&self, line: Line<'a>, located: &Located) -> f64 {
        let in_line = |at: &Range<usize>| {
            let behind =
                located.date.start.checked_sub(at.end).filter(|gap| *gap < MAX_GLUED_GAP).map(|_| 3.0);
            let before =
                || at.start.checked_sub(located.range().end).filter(|gap| *gap < MAX_GLUED_GAP).map(|_| 2.0);
            (line.range().contains(&at.start)).then(|| behind.or_else(before)).flatten()
        };
        let in_line = self.title.iter().flat_map(|title| &title.at).filter_map(in_line);
        let in_lines = self.near.iter().filter(|(start, _)| *start == line.start).map(|(_, weight)| *weight);
        in_line.chain(in_lines).fold(0.0, f64::max)
    }
}

/// Where lines near the title begin, and what a date in them gains; without a title those behind the first line,
/// which may be one, or a button.
fn near_lines<'a>(page: Page<'a>, title: Option<&Repeated<'a>>) -> Vec<(usize, f64)> {
    let Some(title) = title else {
        return page.head().skip(1).take(MAX_DISTANCE).map(|line| (line.start, 1.0)).collect();
    };
    let mut near = Vec::new();
    for at in &title.at {
        let title = page.line_at(at.start);
        let below = page.after(title).take(MAX_LINES).filter(|below| !is_code(below.text)).take(MAX_DISTANCE);
        near.extend(below.enumerate().map(|(n, line)| (line.start, 3.0 - 0.2 * n as f64)));
        near.extend(page.before(title).take(2).map(|line| (line.start, 2.0)));
    }
    near
}

/// Lines looked through for a date below a title, those of scripts included.
const MAX_LINES: usize = 60;
/// Bytes between title and date in one line.
const MAX_GLUED_GAP: usize = 90;
/// Only the first dates are looked at for a title that runs into them: comments begin with copies, too.
const MAX_GLUED: usize = 5;
/// What a label of the date of publication weighs.
const LABELLED: f64 = 3.0;

/// Some characters on either side of a date: whether it stands among program text.
fn near<'a>(page: Page<'a>, located: &Located) -> &'a str {
    let range = located.range();
    let line = page.line_at(range.start);
    let mut start = range.start.saturating_sub(50).max(line.start);
    while !page.text.is_char_boundary(start) {
        start += 1;
    }
    let n_bytes = (range.end + 50).min(line.end()).saturating_sub(start);
    page.window(start, n_bytes)
}

/// What a label before the date says about it.
fn label_before(page: Page<'_>, line: Line<'_>, before: &str) -> (f64, &'static str) {
    let is_mark = |c: char| is_space(c) || matches!(c, ':' | '：' | '|' | '丨' | '[' | '【' | '(' | '（');
    let bare = before.trim_end_matches(is_mark);
    let label = if !bare.is_empty() {
        bare
    } else if let Some(above) = page.previous(line).filter(|above| above.text.len() <= 40) {
        above.text.trim_end_matches(is_mark)
    } else {
        return (0.0, "date-line");
    };
    // 40 bytes hold the longest label; a date in running text has no label, however long the line.
    let mut start = label.len().saturating_sub(40);
    while !label.is_char_boundary(start) {
        start += 1;
    }
    let label = label.get(start..).unwrap_or_default().to_lowercase();
    match label_at_end(&label) {
        Some(DateOf::Change) => (-0.5, "updated"),
        Some(DateOf::Publication) => (LABELLED, "labelled"),
        None if ends_with_plain_label(&label) => (LABELLED, "labelled"),
        None => (0.0, "date-line"),
    }
}

/// Columns of other text in the line of a date; none if wide gaps part it from the rest.
fn beside(page: Page<'_>, line: Line<'_>, located: &Located) -> usize {
    let range = located.range();
    let before = page.slice(line.start..range.start);
    let after = page.slice(range.end..line.end());
    let gap = |c: char| is_space(c);
    let apart = |chars: &mut dyn Iterator<Item = char>| chars.take(3).all(gap);
    if apart(&mut before.chars().rev()) && apart(&mut after.chars()) {
        return 0;
    }
    line.width().saturating_sub(range.len())
}

/// A date has its line for itself, or begins one, or stands in the middle of a sentence.
fn place_in_line(beside: usize, before: &str, labelled: bool) -> f64 {
    if beside <= MAX_BESIDE {
        1.0
    } else if before.is_empty() {
        0.5
    } else if labelled {
        0.0
    } else {
        -1.5
    }
}

/// What shows that a date is not that of the article: a clock, a copyright line, a list, a citation.
fn other_purpose(page: Page<'_>, line: Line<'_>, before: &str, located: &Located) -> f64 {
    let after = page.window(located.range().end, 40);
    let in_line =
        |words: &[&str]| line.text.len() <= 400 && words.iter().any(|word| line.text.contains(word));
    if in_line(&["©", "版权所有", "Copyright", "copyright", "All Rights", "All rights", "ICP"]) {
        return 5.0;
    }
    let mut penalty = 0.0;
    if before.ends_with(['[', '【']) && after.starts_with([']', '】']) {
        penalty += 2.0;
    }
    let is_clock = ["农历", "今天是", "星期", "京港台时间"]
        .iter()
        .any(|word| before.contains(word) || after.contains(word));
    if is_clock && located.time.is_none() && line.start < CLOCK_BYTES {
        penalty += 2.0;
    }
    if after.trim_start_matches(is_space).starts_with(['-', '至', '~', '—']) {
        penalty += 1.0;
    }
    penalty
}

/// A page shows the day of the visit at its very top.
const CLOCK_BYTES: usize = 600;

/// Addresses often hold the date: `/2024/05/20/`, `/20240520/`, `/2024-05/20/`.
fn in_url(page: Page<'_>, url: &str, located: &Located) -> f64 {
    let Some(moment) = certain_moment(page.slice(located.date.clone())) else { return 0.0 };
    let digits: String = moment.chars().filter(char::is_ascii_digit).collect();
    let url: String = url.chars().filter(|c| !matches!(c, '/' | '-' | '_')).collect();
    let short = digits.get(2..).unwrap_or_default();
    if url.contains(&digits) {
        2.0
    } else if url.contains(short) {
        1.0
    } else {
        0.0
    }
}

/// The date of publication, if one of the candidates is certain and no other is as likely.
pub(super) fn choose(page: Page<'_>, candidates: &[Candidate<'_>]) -> Option<Evidence> {
    let first = candidates.first()?;
    let read = |candidate: &Candidate<'_>| certain_moment(&candidate.located.shown(page.text));
    let mut likely = candidates.iter().take(MAX_READ);
    let (best, moment) = likely.find_map(|candidate| Some((candidate, read(candidate)?)))?;
    // The likeliest date has two readings (03/04/2018): the next one is another date.
    if first.score - best.score > 1.0 {
        return None;
    }
    // The same day elsewhere supports it; another day that is as likely makes both uncertain.
    let rival = likely
        .take_while(|rival| best.score - rival.score < 1.0)
        .find(|rival| read(rival).is_some_and(|other| other.get(..10) != moment.get(..10)));
    let margin = rival.map_or(f64::INFINITY, |rival| best.score - rival.score);
    Some(Evidence {
        raw: Some(page.slice(best.located.range()).to_owned()),
        value: moment,
        range: best.located.range(),
        rule: best.rule,
        confidence: confidence(best.score - EVEN, margin),
    })
}
