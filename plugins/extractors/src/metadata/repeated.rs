//! A title that stands in the first line of a page, perhaps with the name of the site, and again further down.

use std::ops::Range;

use super::page::{Line, Page, is_code, is_space};
use super::quality::{ends_like_a_site, is_host};

/// What parts a title from the name of its site, the longest first.
const SEPARATORS: [&str; 15] =
    [" - ", " – ", " — ", " | ", " · ", " :: ", " » ", "--", "——", "_", "|", "｜", "-", "<", ">"];
/// The first line is the first of so many that is not program text.
const HEAD_LINES: usize = 4;
/// More copies than these tell nothing new.
const MAX_COPIES: usize = 3;
/// A shorter text is found in the middle of lines by chance.
const MIN_GLUED_BYTES: usize = 18;
/// A longer first line is no title with a site behind it.
const MAX_FIRST_BYTES: usize = 400;

/// A title and its copies.
#[derive(Debug, Clone)]
pub(super) struct Repeated<'a> {
    /// The title in the first line.
    pub(super) core: Range<usize>,
    pub(super) text: &'a str,
    /// Where it stands again, in bytes; empty if only the name of the site does.
    pub(super) at: Vec<Range<usize>>,
    /// What the first line shows besides the title: the names of channel and site.
    pub(super) site: Option<Range<usize>>,
    /// Whether the copies are lines of their own.
    pub(super) whole_lines: bool,
}

/// A part of a line that may be the title, and what is left of the line.
type Core = (Range<usize>, Option<Range<usize>>);

impl<'a> Repeated<'a> {
    /// Looks for the first line, or a part of it, further down in the page.
    pub(super) fn find(page: Page<'a>) -> Option<Self> {
        let first = page.head().take(HEAD_LINES).find(|line| !is_code(line.text))?;
        let cores = cores(first);
        as_lines(page, first, &cores)
            .or_else(|| title_element(page, first))
            .or_else(|| inside_lines(page, first, &cores))
            .or_else(|| beside_known_site(page, first, &cores))
    }

    /// Where a title that is known already stands in the page.
    pub(super) fn of_known(page: Page<'a>, title: &str) -> Option<Self> {
        let first = page.find_line(title, 0)?;
        let again = page.find_line(title, first.end());
        let at = std::iter::once(first).chain(again).map(|line| line.range()).collect();
        Some(Self { core: first.range(), text: first.text, at, site: None, whole_lines: true })
    }

    fn new(page: Page<'a>, core: &Core, at: Vec<Range<usize>>, whole_lines: bool) -> Self {
        Self { core: core.0.clone(), text: page.slice(core.0.clone()), at, site: core.1.clone(), whole_lines }
    }
}

/// The longest core that is a line of its own further down.
fn as_lines<'a>(page: Page<'a>, first: Line<'a>, cores: &[Core]) -> Option<Repeated<'a>> {
    let second = page.next(first);
    let mut on_top = None;
    for core in cores {
        let text = page.slice(core.0.clone());
        let mut at = Vec::new();
        let mut from = first.end();
        while let Some(line) = page.find_line(text, from).filter(|_| at.len() < MAX_COPIES) {
            from = line.end();
            at.push(line.range());
        }
        let Some(last) = at.last() else { continue };
        // The title element twice at the top, site and all: a part of it may stand further down.
        let is_on_top = second.is_some_and(|second| last.start <= second.start);
        let found = Repeated::new(page, core, at, true);
        if !is_on_top {
            return Some(found);
        }
        on_top.get_or_insert(found);
    }
    on_top
}

/// A title put on top by the scraper, and the title element of the page, with the site, below it.
fn title_element<'a>(page: Page<'a>, first: Line<'a>) -> Option<Repeated<'a>> {
    let second = page.next(first)?;
    let rest = second.text.strip_prefix(first.text)?;
    if !SEPARATORS.iter().any(|mark| rest.trim_start_matches(is_space).starts_with(mark.trim())) {
        return None;
    }
    let core = cores(second).into_iter().find(|(core, _)| page.slice(core.clone()) == first.text);
    let core = (first.range(), core.and_then(|(_, site)| site));
    Some(Repeated::new(page, &core, vec![second.range()], true))
}

/// The longest core that stands in the middle of lines.
fn inside_lines<'a>(page: Page<'a>, first: Line<'a>, cores: &[Core]) -> Option<Repeated<'a>> {
    let rest = page.text.get(first.end()..)?;
    cores.iter().filter(|(core, _)| core.len() >= MIN_GLUED_BYTES).find_map(|core| {
        let text = page.slice(core.0.clone());
        let found = memchr::memmem::find_iter(rest.as_bytes(), text).take(MAX_COPIES);
        let at: Vec<_> = found.map(|at| first.end() + at..first.end() + at + text.len()).collect();
        (!at.is_empty()).then(|| Repeated::new(page, core, at, false))
    })
}

/// The shortest core beside names of sites only: each has a line of its own elsewhere, or ends like one.
fn beside_known_site<'a>(page: Page<'a>, first: Line<'a>, cores: &[Core]) -> Option<Repeated<'a>> {
    let is_site = |name: &str| ends_like_a_site(name) || page.find_line(name, first.end()).is_some();
    let core = cores.iter().rev().find(|(_, site)| {
        let site = site.clone().map_or("", |site| page.slice(site));
        !site.is_empty() && parts(site).all(is_site)
    })?;
    Some(Repeated::new(page, core, Vec::new(), false))
}

/// The parts of the names behind a title.
fn parts(site: &str) -> impl Iterator<Item = &str> {
    let mut rest = site;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let cut = SEPARATORS.iter().filter_map(|mark| rest.find(mark).map(|at| (at, mark.len())));
        let (at, len) = cut.min_by_key(|(at, len)| (*at, usize::MAX - len)).unwrap_or((rest.len(), 0));
        let (part, behind) = (rest.get(..at)?, rest.get(at + len..)?);
        rest = behind;
        Some(part.trim_matches(is_space))
    })
    .filter(|part| !part.is_empty())
}

/// A line as a whole, then the longer of its two parts at each separator, the longest first.
fn cores(line: Line<'_>) -> Vec<Core> {
    let mut cores = vec![(line.range(), None)];
    if line.text.len() > MAX_FIRST_BYTES {
        return cores;
    }
    for mark in SEPARATORS {
        for (at, _) in line.text.match_indices(mark).take(6) {
            let (before, behind) = (0..at, at + mark.len()..line.text.len());
            if mark == "-" && is_hyphen(line.text, at) {
                continue;
            }
            let width = |part: &Range<usize>| {
                tamis_text::chars::text_width(line.text.get(part.clone()).unwrap_or_default())
            };
            // The name of a site may be longer than a short title, but then nothing tells which is which.
            let is_host = |part: &Range<usize>| {
                is_host(line.text.get(part.clone()).unwrap_or_default().trim_matches(is_space))
            };
            let first = !is_host(&before) && (width(&before) >= width(&behind) || is_host(&behind));
            let (core, site) = if first { (before, behind) } else { (behind, before) };
            cores.push((trimmed(line, &core), Some(trimmed(line, &site))));
        }
    }
    cores.retain(|(core, _)| core.len() >= 6);
    cores.sort_by_key(|(core, _)| std::cmp::Reverse(core.len()));
    cores
}

/// `single-parent`, not `标题-搜狐`.
fn is_hyphen(line: &str, at: usize) -> bool {
    let bytes = line.as_bytes();
    let is_ascii = |at: Option<usize>| at.and_then(|at| bytes.get(at)).is_some_and(u8::is_ascii);
    is_ascii(at.checked_sub(1)) && is_ascii(Some(at + 1))
}

/// A part of a line in bytes of the page, without the white space around it.
fn trimmed(line: Line<'_>, part: &Range<usize>) -> Range<usize> {
    let text = line.text.get(part.clone()).unwrap_or_default();
    let start = line.start + part.start + text.len() - text.trim_start_matches(is_space).len();
    start..start + text.trim_matches(is_space).len()
}

/// Whether `longer` is `shorter` beside a separator: `title - Site`, `Site - title`.
pub(super) fn extends(longer: &str, shorter: &str) -> bool {
    let starts =
        |rest: &str| SEPARATORS.iter().any(|mark| rest.trim_start_matches(is_space).starts_with(mark.trim()));
    let ends =
        |rest: &str| SEPARATORS.iter().any(|mark| rest.trim_end_matches(is_space).ends_with(mark.trim()));
    longer.strip_prefix(shorter).is_some_and(starts)
        || (2 * shorter.len() > longer.len() && longer.strip_suffix(shorter).is_some_and(ends))
}

/// Whether `name` is the last part of `line` behind a separator.
pub(super) fn is_site_of(line: &str, name: &str) -> bool {
    let ends =
        |rest: &str| SEPARATORS.iter().any(|mark| rest.trim_end_matches(is_space).ends_with(mark.trim()));
    line.strip_suffix(name).is_some_and(|rest| !rest.is_empty() && ends(rest))
}
