//! What is printed around the article: masthead, edition line, index of the other pages, title.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use regex::Regex;
use serde::Serialize;

use tamis_dates::certain_date;
use tamis_text::likeness;
use tamis_text::lines::{lines, squeeze, trim};

use super::lines::{MAX_HEADING_CHARS, PageLine, ends_clause, remove, visible};

/// Masthead and edition line stand among so many lines at the top, the index among as many at the end.
const EDGE: usize = 12;
/// A title has so many lines at most.
const MAX_TITLE_LINES: usize = 5;
/// A kicker, a place or a rubric of a word or two.
const MAX_KICKER_CHARS: usize = 6;
/// So many page codes in a line are an index.
const MIN_PAGE_CODES: usize = 3;

fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is a constant that tests compile")
}

static MASTHEAD: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"^(?<paper>\p{Han}{1,11}(?:报|刊))\s*(?<product>(?:多媒体)?(?:数字报纸|数字报刊|数字报|电子报|电子版))$",
    )
});
static EDITION: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^第?(?<code>[A-Za-z]?\d{1,5})版\s*(?:[:：]\s*(?<section>\S.{0,19})?)?$"));
static PAGE_CODE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"(?<paper>\p{Han}{2,12})(?<date>\d{4}-\d{2}-\d{2})(?<code>[A-Za-z]?\d{2,5})(?:[;；\s]|$)")
});
/// What the first two of these demand; to prepare the search takes longer than the search.
static MARKS: LazyLock<[Finder<'static>; 3]> = LazyLock::new(|| ["版", "数字报", "电子报"].map(Finder::new));
static DATE: LazyLock<Regex> = LazyLock::new(|| {
    pattern(r"\d{4}-\d{2}-\d{2}|\d{4}年\d{1,2}月\d{1,2}日(?:\s*(?<weekday>星期[一二三四五六日天]))?")
});

/// The metadata of a page, in the order in which it is written.
#[derive(Debug, Default, Serialize)]
pub(super) struct Page {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) paper: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) product: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) date: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) weekday: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) edition: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) edition_number: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) section_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[serde(rename = "page_title")]
    pub(super) title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) kicker: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) other_pages: Vec<String>,
}

/// Where the furniture of a page is, and what it says.
#[derive(Debug, Default)]
pub(super) struct Furniture {
    pub(super) page: Page,
    /// How many of masthead, edition line and index were found.
    pub(super) signs: usize,
    /// The date of the page as it is shown.
    pub(super) shown_date: Option<String>,
    /// Whether dates on the page contradict each other.
    pub(super) date_conflict: bool,
    /// Lines of masthead and edition line.
    top: Vec<usize>,
    /// Lines of the footer that holds the index.
    footer: Vec<usize>,
    /// The title as the footer repeats it.
    footer_title: Option<String>,
}

/// How many of the three signs a text has, by its first and last lines alone: nearly all texts have none, and
/// need not be cut into lines.
pub(super) fn signs(text: &str) -> usize {
    let visible = |line: &&str| !line.is_empty();
    let mut top = Furniture::default();
    for line in lines(text).map(|line| trim(line.text)).filter(visible).take(EDGE) {
        top.read_top_line(line, 0);
    }
    let mut bottom = last_lines(text).map(trim).filter(visible).take(EDGE);
    top.signs + usize::from(bottom.any(is_index))
}

/// The lines of a text, the last one first.
fn last_lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = memchr::memrchr(b'\n', text.as_bytes()) else { return rest.take() };
        rest = text.get(..end);
        text.get(end + 1..)
    })
}

/// Whether a line lists other pages.
fn is_index(line: &str) -> bool {
    // Each code holds a date with two hyphens.
    memchr::memchr_iter(b'-', line.as_bytes()).take(2 * MIN_PAGE_CODES).count() == 2 * MIN_PAGE_CODES
        && PAGE_CODE.find_iter(line).count() >= MIN_PAGE_CODES
}

impl Furniture {
    /// Looks for the three signs; nothing is removed yet.
    pub(super) fn find(lines: &[PageLine<'_>]) -> Self {
        let mut found = Self::default();
        let visible = visible(lines);
        for &index in visible.iter().take(EDGE) {
            found.read_top_line(lines[index].trimmed(), index);
        }
        let last = visible.iter().rev().take(EDGE).find(|index| is_index(lines[**index].trimmed()));
        if let Some(&index) = last {
            found.signs += 1;
            found.read_index(lines, index);
        }
        found
    }

    fn read_top_line(&mut self, line: &str, index: usize) {
        // The patterns take a thousand instructions to say no, and hardly any line has what they demand.
        if MARKS.iter().all(|mark| mark.find(line.as_bytes()).is_none()) {
            return;
        }
        if let (None, Some(masthead)) = (&self.page.paper, MASTHEAD.captures(line)) {
            self.page.paper = Some(masthead["paper"].to_owned());
            self.page.product = Some(masthead["product"].to_owned());
            self.signs += 1;
            self.top.push(index);
        } else if let (None, Some(edition)) = (&self.page.edition, EDITION.captures(line)) {
            let code = &edition["code"];
            self.page.edition = Some(code.to_owned());
            self.page.edition_number = code.parse().ok();
            self.page.section_name =
                edition.name("section").map(|section| section.as_str().trim().to_owned());
            self.signs += 1;
            self.top.push(index);
        }
    }

    /// Reads the index line `index` and the lines of its footer, which repeats paper, section, code and title.
    fn read_index(&mut self, lines: &[PageLine<'_>], index: usize) {
        let line = lines[index].trimmed();
        let mut codes = BTreeSet::new();
        for code in PAGE_CODE.captures_iter(line) {
            self.page.paper.get_or_insert_with(|| code["paper"].to_owned());
            codes.insert(code["code"].to_owned());
        }
        self.page.other_pages =
            codes.into_iter().filter(|code| Some(code) != self.page.edition.as_ref()).collect();
        self.read_dates(line);
        self.footer.push(index);

        let Some((start, rest)) = (0..=index)
            .rev()
            .take(MAX_TITLE_LINES + 1)
            .find_map(|line| Some((line, self.after_dateline(lines[line].trimmed())?)))
        else {
            return;
        };
        let block = start..index;
        if lines[block.clone()].iter().any(|line| line.indented || line.trimmed().is_empty()) {
            return;
        }
        // A dateline and index in one line has no title between them that could be told from the index.
        if start < index {
            let title = std::iter::once(rest).chain(lines[start + 1..index].iter().map(PageLine::trimmed));
            let title = squeeze(&title.collect::<Vec<_>>().join(" ")).into_owned();
            self.footer_title = Some(title).filter(|title| !title.is_empty());
        }
        self.footer.extend(block);
    }

    /// What follows `<paper> <section> <code>` in the first line of a footer.
    fn after_dateline<'l>(&self, line: &'l str) -> Option<&'l str> {
        let rest = line.strip_prefix(self.page.paper.as_deref()?)?.trim_start();
        let rest = match &self.page.section_name {
            Some(section) => rest.strip_prefix(section.as_str()).unwrap_or(rest).trim_start(),
            None => rest,
        };
        rest.strip_prefix(self.page.edition.as_deref()?)
    }

    fn read_dates(&mut self, line: &str) {
        let mut dates = BTreeSet::new();
        for found in DATE.captures_iter(line) {
            let shown = found.get(0).map_or("", |all| all.as_str());
            dates.insert(certain_date(shown));
            let weekday = found.name("weekday").map(|weekday| weekday.as_str().to_owned());
            // The form with a weekday says most.
            if self.shown_date.is_none() || weekday.is_some() {
                self.shown_date = Some(shown.to_owned());
            }
            self.page.weekday = self.page.weekday.take().or(weekday);
        }
        let mut dates = dates.into_iter();
        match (dates.next(), dates.next()) {
            (Some(Some(date)), None) => self.page.date = Some(date),
            (None, _) => {}
            _ => {
                self.date_conflict = true;
                self.shown_date = None;
                self.page.weekday = None;
            }
        }
    }

    /// Removes the furniture and every copy of the title; returns how many lines went.
    pub(super) fn strip(&mut self, lines: &mut [PageLine<'_>]) -> u64 {
        let mut removed = 0;
        for &index in &self.footer {
            removed += remove(lines, index);
        }
        self.page.title = self.footer_title.take().or_else(|| self.title_at_top(lines));
        for &index in &self.top {
            removed += remove(lines, index);
        }
        if let Some(title) = &self.page.title {
            removed += remove_copies(lines, title);
        }
        self.page.kicker = kicker(lines);
        removed
    }

    /// The lines right below masthead and edition line, if an indented paragraph follows them.
    fn title_at_top(&self, lines: &[PageLine<'_>]) -> Option<String> {
        let after = self.top.iter().max()? + 1;
        let start = (after..lines.len()).find(|&index| lines[index].is_visible())?;
        let end = (start..lines.len()).find(|&index| !lines[index].is_visible())?;
        let next = (end..lines.len()).find(|&index| lines[index].is_visible())?;
        let title = &lines[start..end];
        let is_title = |line: &PageLine<'_>| {
            !line.indented
                && !ends_clause(line.trimmed())
                && line.trimmed().chars().count() <= MAX_HEADING_CHARS
        };
        let holds = title.len() <= MAX_TITLE_LINES && title.iter().all(is_title) && lines[next].indented;
        holds
            .then(|| squeeze(&title.iter().map(PageLine::trimmed).collect::<Vec<_>>().join(" ")).into_owned())
    }
}

/// Removes runs of lines that together say the title.
fn remove_copies(lines: &mut [PageLine<'_>], title: &str) -> u64 {
    let title: String = likeness::visible(title).collect();
    let visible = visible(lines);
    let mut removed = 0;
    let mut rank = 0;
    while rank < visible.len() {
        let mut said = String::new();
        let run = visible[rank..].iter().take(MAX_TITLE_LINES).take_while(|&&index| {
            let fits = said.len() < title.len() && title.starts_with(said.as_str()) && !lines[index].indented;
            if fits {
                said.extend(likeness::visible(lines[index].trimmed()));
            }
            fits
        });
        let n_lines = run.count();
        if said == title {
            for &index in &visible[rank..rank + n_lines] {
                removed += remove(lines, index);
            }
            rank += n_lines;
        } else {
            rank += 1;
        }
    }
    removed
}

/// The one very short line between indented paragraphs above the first section, such as a place.
fn kicker(lines: &[PageLine<'_>]) -> Option<String> {
    let visible = visible(lines);
    let lead_end = super::sections::first_mark(lines, &visible).unwrap_or(visible.len());
    let mut unindented = (0..lead_end).filter(|&rank| !lines[visible[rank]].indented);
    let rank = unindented.next().filter(|_| unindented.next().is_none())?;
    let line = lines[visible[rank]].trimmed();
    let between = rank > 0 && rank + 1 < lead_end;
    let short = line.chars().count() <= MAX_KICKER_CHARS && line.chars().all(char::is_alphabetic);
    (between && short).then(|| line.to_owned())
}
