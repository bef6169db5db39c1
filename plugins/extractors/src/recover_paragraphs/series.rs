//! Numbered series: `一、 … 二、 … 三、 …`.

use tamis_text::chars::{is_blank, is_cjk, is_closing, is_opening};
use tamis_text::lines::Line;
use tamis_text::numbering::{Marker, Numbering, marker};
use tamis_text::scan::Scan;
use tamis_text::sentences::{ends_cjk_sentence, is_full_stop};
use tamis_text::windows::places;

/// Longest heading, in characters, that may stand between a number and the first number below it.
const MAX_HEADING_CHARS: usize = 40;

/// Most series that wait for their next number; more than real texts nest, few enough to search each time.
const MAX_OPEN_SERIES: usize = 16;

/// An item of an accepted series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Item {
    /// The byte at which its number begins.
    pub(super) start: usize,
    /// Whether a line begins with it, white space aside.
    pub(super) begins_line: bool,
    pub(super) marker: Marker,
    /// Which series it belongs to.
    pub(super) series: usize,
}

impl Item {
    /// The byte at which its text begins.
    pub(super) fn text_start(&self) -> usize {
        self.start + self.marker.len
    }
}

/// What stands before a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Context {
    LineStart,
    SentenceEnd,
    /// `；` or `：`: an item may begin here, or an enumeration inside a sentence.
    ClauseEnd,
    /// A short heading behind the candidate of this index.
    Heading(usize),
}

struct Candidate {
    start: usize,
    marker: Marker,
    context: Context,
}

/// Candidates of one numbering that count up.
struct Series {
    numbering: Numbering,
    last: u32,
    members: Vec<usize>,
}

/// The items of all series in a text, in order.
///
/// A series counts up by one and holds two numbers at least that follow a sentence end, begin a line, or
/// follow the heading of an accepted series.
/// Nobody asks for items outside of `long` lines; where these have no candidate, the others are not looked at.
pub(super) fn items(scan: &Scan<'_>, long: &[Line<'_>]) -> Vec<Item> {
    let text = scan.text();
    if candidates(text, long.iter().copied()).is_empty() {
        return Vec::new();
    }
    let candidates = candidates(text, scan.lines());
    let all_series = chain(&candidates);
    let mut series_of = vec![None; candidates.len()];
    // Whether an item of the series follows a sentence in one line: paragraphs were glued here. Otherwise
    // what follows a `；` is an enumeration inside an item.
    let mut glued = vec![false; all_series.len()];
    // In the order of their first items, so that the series of a heading is settled before the one below.
    for (index, series) in all_series.iter().enumerate() {
        let is_strong = |&&member: &&usize| match candidates[member].context {
            Context::LineStart | Context::SentenceEnd => true,
            Context::ClauseEnd => false,
            Context::Heading(parent) => series_of[parent].is_some(),
        };
        glued[index] =
            series.members.iter().any(|&member| candidates[member].context == Context::SentenceEnd);
        if series.members.iter().filter(is_strong).count() >= 2 {
            for &member in &series.members {
                series_of[member] = Some(index);
            }
        }
    }
    let accepted = candidates.iter().zip(&series_of).filter_map(|(candidate, series)| {
        let &Candidate { start, marker, context } = candidate;
        let series = (*series)?;
        match context {
            Context::Heading(parent) => _ = series_of[parent]?,
            Context::ClauseEnd if !glued[series] => return None,
            _ => {}
        }
        Some(Item { start, begins_line: context == Context::LineStart, marker, series })
    });
    accepted.collect()
}

/// Everything in some lines that could be the number of an item.
fn candidates<'a>(text: &'a str, lines: impl IntoIterator<Item = Line<'a>>) -> Vec<Candidate> {
    let mut candidates: Vec<Candidate> = Vec::new();
    for line in lines {
        let first_of_line = candidates.len();
        for offset in places(line.text.as_bytes(), may_begin_marker) {
            let found = candidate(text, line, offset, first_of_line, &candidates);
            candidates.extend(found);
        }
    }
    candidates
}

/// What could be the number of an item at a byte of a line; `candidates` are those before it, of its line from
/// `first_of_line` on.
fn candidate(
    text: &str,
    line: Line<'_>,
    offset: usize,
    first_of_line: usize,
    candidates: &[Candidate],
) -> Option<Candidate> {
    let (left, right) = line.text.split_at(offset);
    let start = line.start + offset;
    let before = candidates.get(first_of_line..).and_then(<[_]>::last);
    let heading = before.and_then(|parent| text.get(parent.start + parent.marker.len..start));
    let parent = candidates.len().checked_sub(1);
    // What stands before is looked at first: it rules out nearly every digit of a text.
    let context = context(left, heading, parent)?;
    let marker = marker(right)?;
    let fits = match context {
        Context::Heading(parent) => {
            marker.value == 1 && candidates[parent].marker.numbering != marker.numbering
        }
        _ => true,
    };
    let text_follows = right.get(marker.len..).is_some_and(begins_item);
    let is_one = fits && text_follows && marker.numbering != Numbering::Ordinal;
    is_one.then_some(Candidate { start, marker, context })
}

/// 1 if some bytes begin with the first character of a marker, else 0: a digit, a bracket, a numeral from one to ten. They
/// are told by their bytes, because their first ones are those of half of all Chinese characters.
#[inline]
fn may_begin_marker(first: u8, second: u8, third: u8) -> u8 {
    let is = |byte: u8, other: u8| u8::from(byte == other);
    let alone = u8::from(first.wrapping_sub(b'0') <= 9) | is(first, b'(');
    let bracket = is(first, 0xEF) & is(second, 0xBC) & is(third, 0x88);
    // 一七三, 九, 二五
    let in_e4 = is(second, 0xB8) & (is(third, 0x80) | is(third, 0x83) | is(third, 0x89))
        | is(second, 0xB9) & is(third, 0x9D)
        | is(second, 0xBA) & (is(third, 0x8C) | is(third, 0x94));
    // 八六, 十, 四
    let in_e5 = is(second, 0x85) & (is(third, 0xAB) | is(third, 0xAD))
        | is(second, 0x8D) & is(third, 0x81)
        | is(second, 0x9B) & is(third, 0x9B);
    alone | bracket | is(first, 0xE4) & in_e4 | is(first, 0xE5) & in_e5
}

fn context(left: &str, heading: Option<&str>, parent: Option<usize>) -> Option<Context> {
    let left = left.trim_end_matches(is_blank);
    let Some(last) = left.chars().next_back() else { return Some(Context::LineStart) };
    if (is_full_stop(last) || is_closing(last)) && ends_cjk_sentence(left) {
        return Some(Context::SentenceEnd);
    }
    if matches!(last, '；' | ';' | '：' | ':') {
        return Some(Context::ClauseEnd);
    }
    let heading = heading?.trim_end_matches(is_blank);
    let is_heading = last != '第' && (is_cjk(last) || is_closing(last)) && is_title(heading);
    is_heading.then_some(Context::Heading(parent?))
}

/// Whether `text` can be a heading: short, and without the end of a clause inside.
fn is_title(text: &str) -> bool {
    let n_chars = text.chars().take(MAX_HEADING_CHARS + 1).count();
    (2..=MAX_HEADING_CHARS).contains(&n_chars) && !text.contains(['。', '！', '？', '；', ';', '：', ':'])
}

/// Whether an item can begin with `text`: a CJK letter, a number, or what opens a quotation.
fn begins_item(text: &str) -> bool {
    let first = text.trim_start_matches(is_blank).chars().next();
    first.is_some_and(|c| is_cjk(c) || is_opening(c) || c.is_ascii_alphanumeric())
        && text.chars().take(12).any(is_cjk)
}

/// Chains candidates that count up; the series are in the order of their first items.
///
/// A stack, because series nest: a number goes on with the innermost open series that waits for it and
/// closes those inside; a 1 opens a series. So `1、` begins anew under each `一、`.
fn chain(candidates: &[Candidate]) -> Vec<Series> {
    let mut all_series: Vec<Series> = Vec::new();
    let mut open: Vec<usize> = Vec::new();
    for (index, candidate) in candidates.iter().enumerate() {
        let Marker { numbering, value, .. } = candidate.marker;
        let waits = |&series: &usize| {
            let series: &Series = &all_series[series];
            series.numbering == numbering && series.last + 1 == value
        };
        if let Some(position) = open.iter().rposition(waits) {
            open.truncate(position + 1);
            let series = &mut all_series[open[position]];
            series.last = value;
            series.members.push(index);
        } else if value <= 2 {
            // The first item may be glued to a title, which leaves the series to begin with its second.
            if open.len() == MAX_OPEN_SERIES {
                open.remove(0);
            }
            open.push(all_series.len());
            all_series.push(Series { numbering, last: value, members: vec![index] });
        }
    }
    all_series
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markers_begin_with_these_characters() {
        let begins: String = ('\0'..='\u{FFFF}')
            .filter(|c| {
                let bytes = c.to_string().into_bytes();
                let byte = |at: usize| bytes.get(at).copied().unwrap_or_default();
                may_begin_marker(byte(0), byte(1), byte(2)) == 1
            })
            .collect();
        assert_eq!(begins, "(0123456789一七三九二五八六十四（");
    }
}
