//! Numbered sections: their marks, headings and paragraphs.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;
use tamis_text::lines::squeeze;

use super::affinity;
use super::items::{Item, Section};
use super::lines::{MAX_HEADING_CHARS, PageLine, ends_clause, remove, visible};

/// So many marks with different numbers make a numbered page.
const MIN_MARKS: usize = 2;
/// So many indented lines show that the page indents its paragraphs, so that headings can be told from them.
const MIN_INDENTED: usize = 3;

static WORD: LazyLock<Regex> = LazyLock::new(|| pattern(r"^\p{Han}{1,5}$"));
static NUMBER: LazyLock<Regex> = LazyLock::new(|| pattern(r"^(?:\d{1,2}|[一二三四五六七八九十]{1,2})$"));
static WORD_AND_NUMBER: LazyLock<Regex> =
    LazyLock::new(|| pattern(r"^(?<word>\p{Han}{1,5}?)\s*(?<number>\d{1,2}|[一二三四五六七八九十]{1,2})$"));

/// Words that number pictures and tables, not sections.
const CAPTIONS: [&str; 8] = ["图", "表", "附", "附件", "附表", "附图", "照片", "第"];

fn pattern(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the pattern is a constant that tests compile")
}

/// The sections of a page, in the order of their numbers.
#[derive(Debug)]
pub(super) struct Sections {
    pub(super) list: Vec<Section>,
    /// Whether the text contradicts the numbers, so that the grouping is a guess.
    pub(super) uncertain: bool,
    /// Lines where sections begin (where their marks stood), with their numbers, in source order.
    pub(super) starts: Vec<(usize, u32)>,
}

impl Sections {
    /// The lines in the order of the section numbers, what precedes the first mark in front.
    pub(super) fn line_order(&self, n_lines: usize) -> Vec<usize> {
        let ends = self.starts.iter().skip(1).map(|(start, _)| *start).chain([n_lines]);
        let mut sections: Vec<_> =
            self.starts.iter().zip(ends).map(|((start, number), end)| (*number, *start..end)).collect();
        sections.sort_by_key(|(number, _)| *number);
        let lead = 0..self.starts.first().map_or(n_lines, |(start, _)| *start);
        lead.chain(sections.into_iter().flat_map(|(_, lines)| lines)).collect()
    }
}

/// A mark: a word and a number, on one line or two.
#[derive(Debug)]
struct Mark {
    /// Position among the visible lines.
    rank: usize,
    n_lines: usize,
    number: u32,
}

/// The position of the first mark among the visible lines.
pub(super) fn first_mark(lines: &[PageLine<'_>], visible: &[usize]) -> Option<usize> {
    marks(lines, visible).first().map(|mark| mark.rank)
}

/// Writes U+00A0 in headings as a blank: there it sets two words apart, elsewhere it may separate paragraphs.
pub(super) fn space_headings(lines: &mut [PageLine<'_>]) {
    for index in heading_lines(lines, &visible(lines), &BTreeSet::new()) {
        let heading = squeeze(lines[index].trimmed());
        if heading != lines[index].trimmed() {
            lines[index].text = Cow::Owned(heading.into_owned());
        }
    }
}

/// Finds the sections, and removes their marks from the lines; none if the page has no marks.
pub(super) fn find(lines: &mut [PageLine<'_>]) -> Option<(Sections, u64)> {
    let visible = visible(lines);
    let marks = marks(lines, &visible);
    let first = marks.first()?.rank;
    let numbers: BTreeMap<usize, u32> = marks.iter().map(|mark| (visible[mark.rank], mark.number)).collect();
    let mark_lines: BTreeSet<usize> =
        marks.iter().flat_map(|mark| visible[mark.rank..mark.rank + mark.n_lines].iter().copied()).collect();
    let headings = heading_lines(lines, &visible, &mark_lines);

    let mut items = Vec::new();
    let mut heading_before = false;
    for &index in &visible[first..] {
        let is_heading = headings.contains(&index);
        let text = lines[index].trimmed();
        match (numbers.get(&index), items.last_mut()) {
            (Some(&number), _) => items.push(Item::Mark(number)),
            (None, _) if mark_lines.contains(&index) => {}
            (None, Some(Item::Heading(heading))) if is_heading && heading_before => {
                heading.push(' ');
                heading.push_str(text);
            }
            (None, _) if is_heading => items.push(Item::Heading(text.to_owned())),
            (None, _) => items.push(Item::Paragraph(text.to_owned())),
        }
        heading_before = is_heading;
    }
    let starts = numbers.into_iter().collect();
    let removed = mark_lines.iter().map(|&index| remove(lines, index)).sum();
    let (list, uncertain) = grouped(&items);
    Some((Sections { list, uncertain, starts }, removed))
}

/// The marks of the page: of the words that stand with a number, the one that does so most often.
fn marks(lines: &[PageLine<'_>], visible: &[usize]) -> Vec<Mark> {
    let mut by_word: BTreeMap<&str, Vec<Mark>> = BTreeMap::new();
    for (rank, &index) in visible.iter().enumerate() {
        let line = &lines[index];
        if line.indented {
            continue;
        }
        let next = visible.get(rank + 1).map(|&next| lines[next].trimmed());
        let (word, shown, n_lines) = match (WORD_AND_NUMBER.captures(line.trimmed()), next) {
            (_, Some(next)) if WORD.is_match(line.trimmed()) && NUMBER.is_match(next) => {
                (line.trimmed(), next, 2)
            }
            (Some(found), _) => {
                let (Some(word), Some(shown)) = (found.name("word"), found.name("number")) else { continue };
                (word.as_str(), shown.as_str(), 1)
            }
            _ => continue,
        };
        if let (Some(number), false) = (value_of(shown), CAPTIONS.contains(&word)) {
            by_word.entry(word).or_default().push(Mark { rank, n_lines, number });
        }
    }
    let marks = by_word.into_values().max_by_key(Vec::len).unwrap_or_default();
    let numbers: BTreeSet<u32> = marks.iter().map(|mark| mark.number).collect();
    if marks.len() >= MIN_MARKS && numbers.len() == marks.len() { marks } else { Vec::new() }
}

fn value_of(shown: &str) -> Option<u32> {
    if let Ok(number) = shown.parse() {
        return Some(number);
    }
    let digit = |c: char| "一二三四五六七八九".chars().position(|digit| digit == c).map(|at| at as u32 + 1);
    let mut chars = shown.chars();
    match (chars.next()?, chars.next()) {
        ('十', None) => Some(10),
        ('十', Some(ones)) => Some(10 + digit(ones)?),
        (tens, Some('十')) => Some(10 * digit(tens)?),
        (ones, None) => digit(ones),
        _ => None,
    }
}

/// Lines that are headings: short, not indented, no clause end, on a page that indents its paragraphs.
fn heading_lines(lines: &[PageLine<'_>], visible: &[usize], marks: &BTreeSet<usize>) -> BTreeSet<usize> {
    let is_short = |index: usize| lines[index].trimmed().chars().count() <= MAX_HEADING_CHARS;
    let n_indented = visible.iter().filter(|&&index| lines[index].indented).count();
    let n_long_unindented =
        visible.iter().filter(|&&index| !lines[index].indented && !is_short(index)).count();
    if n_indented < MIN_INDENTED || n_long_unindented > n_indented {
        return BTreeSet::new();
    }
    let is_heading = |index: usize| {
        !lines[index].indented
            && is_short(index)
            && !ends_clause(lines[index].trimmed())
            && !marks.contains(&index)
    };
    visible.iter().copied().filter(|&index| is_heading(index)).collect()
}

/// Groups the items into sections by their numbers, and says whether that is a guess.
fn grouped(items: &[Item]) -> (Vec<Section>, bool) {
    let by_position = by_position(items);
    let complete = by_position.iter().zip(1..).all(|(section, number)| section.number == number);
    let n_headings = items.iter().filter(|item| matches!(item, Item::Heading(_))).count();
    let ascending = items
        .iter()
        .filter_map(|item| if let Item::Mark(number) = item { Some(*number) } else { None })
        .is_sorted();
    // Every mark with its heading right behind it; or no headings at all, and nothing that contradicts.
    let well_formed = n_headings == by_position.len()
        && items.windows(2).all(|pair| match pair {
            [Item::Mark(_), next] => matches!(next, Item::Heading(_)),
            [_, Item::Heading(_)] => false,
            _ => true,
        });
    if complete && (well_formed || (n_headings == 0 && ascending)) {
        return (by_position, false);
    }
    if complete && n_headings == by_position.len() {
        return (affinity::by_words(items).unwrap_or(by_position), true);
    }
    (by_position, true)
}

/// Sections as they stand: each mark takes what follows it; the first heading there is its heading.
fn by_position(items: &[Item]) -> Vec<Section> {
    let mut sections: Vec<Section> = Vec::new();
    for item in items {
        match (item, sections.last_mut()) {
            (Item::Mark(number), _) => {
                sections.push(Section { number: *number, heading: None, paragraphs: Vec::new() });
            }
            (Item::Heading(heading), Some(section)) if section.heading.is_none() => {
                section.heading = Some(heading.clone());
            }
            (Item::Heading(text) | Item::Paragraph(text), Some(section)) => {
                section.paragraphs.push(text.clone());
            }
            (_, None) => {}
        }
    }
    sections.sort_by_key(|section| section.number);
    sections
}
