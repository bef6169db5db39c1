//! The title of a page: lines at its top, around its date and behind its breadcrumb, weighed against each other.
//!
//! Every candidate gathers weights: for where it stands, for how it looks (`quality`), for the share of its
//! words that the text repeats, for its copies. They add up as in a log-linear model, and the best one wins.

use std::ops::Range;

use tamis_text::likeness::look_alike;

use super::bylines::json_string;
use super::dates;
use super::evidence::{Evidence, confidence, spaced};
use super::glued;
use super::labels::{Label, Labels};
use super::names::is_chinese_name;
use super::page::{Line, Page, is_code, is_space};
use super::quality::{Words, is_aside, quality};
use super::repeated::{Repeated, extends, is_site_of};

/// A score at which a title is as often right as wrong.
const EVEN: f64 = 3.0;
/// The longest titles on the web have about 150 characters.
const MAX_TITLE_BYTES: usize = 450;
/// Weights of the first lines that are not program text.
const HEAD: [f64; 4] = [1.5, 0.5, 0.2, 0.0];
/// Weights of the lines above the date, the nearest first: between it and the title stand a kicker, a subtitle,
/// buttons.
const ABOVE_DATE: [f64; 8] = [2.5, 2.2, 1.7, 1.3, 1.0, 0.8, 0.6, 0.4];
/// Weights of the lines below the date, where blogs have their title.
const BELOW_DATE: [f64; 3] = [0.5, 0.2, 0.1];
/// Weights of the lines behind a breadcrumb.
const BELOW_BREADCRUMB: [f64; 2] = [1.5, 0.7];
/// So many bytes of the text are compared with the words of a title.
const BODY_BYTES: usize = 3000;
/// A date line that is longer holds the text, too.
const LONG_LINE_BYTES: usize = 450;
/// No title stands in so many places of a page.
const MANY_COPIES: usize = 9;
/// So many candidates are compared with each other and with the page.
const FINALISTS: usize = 6;

/// A text that may be the title.
#[derive(Debug)]
struct Candidate<'a> {
    text: &'a str,
    range: Range<usize>,
    score: f64,
    rule: &'static str,
}

/// The likeliest title and how sure it is.
pub(super) fn choose<'a>(
    page: Page<'a>,
    repeated: Option<&Repeated<'a>>,
    dates: &[dates::Candidate<'a>],
    labels: &Labels,
) -> Option<Evidence> {
    let date = dates.first().filter(|date| date.score > 0.5);
    let head: Vec<_> = page.head().take(40).filter(|line| !is_code(line.text)).take(HEAD.len()).collect();
    let mut pool = Pool { page, head, candidates: Vec::new() };
    pool.add_repeated(repeated);
    pool.add_head(repeated, date);
    pool.add_around_date(date, labels);
    pool.add_labelled(labels);
    let before = |date: &dates::Candidate<'a>| {
        let look = || glued::before_date(page, date.line, date.located.date.start);
        date.glued.clone().or_else(look)
    };
    if let Some(range) = date.and_then(before) {
        let score = 3.0 + (range.len() as f64 / 60.0).min(1.0);
        pool.add(&range, score, "glued");
    }
    let body = page.window(body_start(page, date, repeated), BODY_BYTES);
    pool.weigh(&Words::of(body), repeated);
    pool.choose()
}

/// Where the article probably begins: behind the date, or behind the title, or at the longest line.
fn body_start(page: Page<'_>, date: Option<&dates::Candidate<'_>>, repeated: Option<&Repeated<'_>>) -> usize {
    match (date, repeated.and_then(|repeated| repeated.at.first())) {
        (Some(date), _) if date.score > 1.5 && date.line.text.len() > LONG_LINE_BYTES => {
            date.located.range().end
        }
        // The lines that are candidates themselves are left out: their words would all be found.
        (Some(date), _) if date.score > 1.5 => {
            page.after(date.line).take(BELOW_DATE.len()).last().map_or(date.line.end(), |line| line.end())
        }
        (_, Some(copy)) => copy.end,
        _ => page.longest(|line| !is_code(line)).map_or(0, |line| line.start),
    }
}

struct Pool<'a> {
    page: Page<'a>,
    /// The first lines that are not program text.
    head: Vec<Line<'a>>,
    candidates: Vec<Candidate<'a>>,
}

impl<'a> Pool<'a> {
    /// Adds to the score of a text; the same words at several places support each other.
    fn add(&mut self, range: &Range<usize>, score: f64, rule: &'static str) {
        let text = self.page.slice(range.clone());
        let text = text.trim_end_matches(|c| is_space(c) || matches!(c, '-' | '|' | '_' | '>'));
        if text.is_empty() || text.len() > MAX_TITLE_BYTES {
            return;
        }
        if let Some(candidate) = self.candidates.iter_mut().find(|candidate| look_alike(candidate.text, text))
        {
            candidate.score += score;
        } else {
            let range = range.start..range.start + text.len();
            self.candidates.push(Candidate { text, range, score, rule });
        }
    }

    fn add_lines(
        &mut self,
        lines: impl Iterator<Item = Line<'a>>,
        weights: &[f64],
        factor: f64,
        rule: &'static str,
    ) {
        for (line, weight) in lines.zip(weights) {
            self.add(&line.range(), weight * factor, rule);
        }
    }

    /// The title that the first line shares with the rest of the page.
    fn add_repeated(&mut self, repeated: Option<&Repeated<'a>>) {
        let Some(repeated) = repeated else { return };
        let second = self.page.head().nth(1).map_or(0, |line| line.end());
        let further_down = repeated.at.iter().any(|at| at.start > second);
        let score = if repeated.at.is_empty() {
            2.5
        } else if !repeated.whole_lines {
            3.0
        } else if repeated.site.is_some() {
            4.0
        } else if !further_down {
            0.5
        } else if tamis_text::chars::text_width(repeated.text) >= 24 {
            2.5
        } else {
            // Entries of menus are repeated, too.
            1.0
        };
        self.add(&repeated.core, score, "repeated");
    }

    fn add_head(&mut self, repeated: Option<&Repeated<'a>>, date: Option<&dates::Candidate<'a>>) {
        let page = self.page;
        for (rank, (line, weight)) in self.head.clone().into_iter().zip(HEAD).enumerate() {
            let date_below =
                date.is_some_and(|date| page.after(line).take(8).any(|below| below.start == date.line.start));
            let name_below = page.next(line).is_some_and(|below| is_chinese_name(below.text));
            let score =
                weight + f64::from(u8::from(rank == 0 && date_below)) + if name_below { 2.5 } else { 0.0 };
            let has_core = repeated.is_some_and(|repeated| {
                repeated.site.is_some() && line.range().contains(&repeated.core.start)
            });
            if !has_core {
                self.add(&line.range(), score, "first-lines");
            }
        }
    }

    /// Lines around the date, or around the label of one without a year.
    fn add_around_date(&mut self, date: Option<&dates::Candidate<'a>>, labels: &Labels) {
        let page = self.page;
        let dated = date.map(|date| (date.line, ((date.score + 1.0) / 4.0).clamp(0.3, 1.0)));
        let label =
            labels.of_kind(Label::Published).next().filter(|_| date.is_none_or(|date| date.score < 2.0));
        let labelled = label.map(|label| (page.line_at(label.start), 0.8));
        for (line, factor) in dated.into_iter().chain(labelled) {
            let above = page.before(line).take(2 * ABOVE_DATE.len()).filter(|line| !is_aside(*line));
            self.add_lines(above, &ABOVE_DATE, factor, "above-date");
            self.add_lines(page.after(line), &BELOW_DATE, factor, "below-date");
        }
    }

    /// Headlines in the data of the page, lines behind a breadcrumb.
    fn add_labelled(&mut self, labels: &Labels) {
        let page = self.page;
        for range in labels.of_kind(Label::Headline) {
            // What needs unescaping is not a span of the text.
            if let Some(range) = json_string(page, range.end, MAX_TITLE_BYTES) {
                self.add(&range, 4.0, "json-ld");
            }
        }
        for range in labels.of_kind(Label::Breadcrumb).take(3) {
            let line = page.line_at(range.start);
            if line.width() <= 120 {
                self.add_lines(page.after(line), &BELOW_BREADCRUMB, 1.0, "breadcrumb");
            }
        }
    }

    /// Weighs the texts themselves.
    fn weigh(&mut self, words: &Words, repeated: Option<&Repeated<'a>>) {
        let site =
            repeated.and_then(|repeated| repeated.site.clone()).map_or("", |site| self.page.slice(site));
        for candidate in &mut self.candidates {
            candidate.score += quality(candidate.text) + 3.0 * words.share(candidate.text);
            let is_site = site.contains(candidate.text)
                || self
                    .head
                    .iter()
                    .any(|line| line.text.len() <= MAX_TITLE_BYTES && is_site_of(line.text, candidate.text));
            if is_site {
                candidate.score -= 3.0;
            }
        }
        self.sort();
        self.count_copies();
        self.prefer_without_site();
    }

    fn sort(&mut self) {
        // Stable: of equal ones the first found, which stands in the first line.
        self.candidates.sort_by(|a, b| b.score.total_cmp(&a.score));
    }

    /// A title stands in two to four places, in sharing buttons and lists; a button in more.
    fn count_copies(&mut self) {
        let page = self.page;
        for candidate in self.candidates.iter_mut().take(3) {
            // The name of a blog or of its author: it signs every comment.
            if candidate.rule == "repeated" && page.count(candidate.text, MANY_COPIES) == MANY_COPIES {
                candidate.score -= 2.5;
            }
            if candidate.text.len() < 18 || matches!(candidate.rule, "repeated" | "glued" | "json-ld") {
                continue;
            }
            let longest = candidate.text.split(is_space).max_by_key(|word| word.len()).unwrap_or_default();
            let what = if longest.len() < 12 { candidate.text } else { longest };
            candidate.score += match page.count(what, 5) {
                0 | 1 => 0.0,
                2..=4 => 1.0,
                _ => -1.5,
            };
        }
        self.sort();
    }

    /// `Title - Site` gives way to `Title`, if that is a candidate, too.
    fn prefer_without_site(&mut self) {
        let n = self.candidates.len().min(FINALISTS);
        for long in 0..n {
            for short in 0..n {
                let (longer, shorter) = (&self.candidates[long], &self.candidates[short]);
                if shorter.score > 0.5 && shorter.text.len() >= 8 && extends(longer.text, shorter.text) {
                    self.candidates[short].score =
                        self.candidates[short].score.max(self.candidates[long].score) + 0.5;
                    self.candidates[long].score -= 4.0;
                }
            }
        }
        self.sort();
    }

    fn choose(self) -> Option<Evidence> {
        let best = self.candidates.first()?;
        let mut margin = self.candidates.get(1).map_or(f64::INFINITY, |rival| best.score - rival.score);
        // Two lines in a row may be kicker and title, or a title that was broken: which, nothing here tells.
        let line = self.page.line_at(best.range.start);
        let touches = |other: &Candidate<'_>| {
            [self.page.previous(line), self.page.next(line)]
                .into_iter()
                .flatten()
                .any(|near| near.start == other.range.start)
        };
        let is_broken = |other: &Candidate<'_>| {
            best.rule == "above-date"
                && other.rule == "above-date"
                && best.score - other.score < 1.0
                && touches(other)
        };
        if self.candidates.iter().skip(1).take(2).any(is_broken) {
            margin = 0.0;
        }
        Some(Evidence {
            value: spaced(best.text),
            raw: None,
            range: best.range.clone(),
            rule: best.rule,
            confidence: confidence(best.score - EVEN, margin),
        })
    }
}
