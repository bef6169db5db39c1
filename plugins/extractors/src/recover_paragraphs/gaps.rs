//! White space that was left where paragraphs were glued together.

use std::ops::Range;

use tamis_text::chars::{is_blank, is_cjk, is_closing, is_opening, may_have_wide_space};
use tamis_text::lines::Line;
use tamis_text::sentences::ends_cjk_sentence;
use tamis_text::windows::places;

use super::{Cut, Evidence};

/// Lengths of a heading between two gaps, in characters. Shorter ones are names of speakers in interviews.
const HEADING_CHARS: std::ops::RangeInclusive<usize> = 5..=40;

/// Fewest characters of the paragraph behind a heading.
const MIN_PARAGRAPH_CHARS: usize = 30;

/// Ends of datelines (`本报讯　`, `新华社北京5月1日电　`), which a gap parts from their own sentence.
const DATELINE_ENDS: [char; 3] = ['讯', '电', '者'];

/// What the width of a gap says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Width {
    /// One U+3000, which Japanese sets behind ！ and ？ and Chinese inside titles.
    OneWide,
    Other,
    /// Two U+3000 or four blanks: the indent of a paragraph.
    Indent,
}

/// A run of white space wider than one blank.
#[derive(Debug, Clone)]
struct Gap {
    range: Range<usize>,
    evidence: Evidence,
    width: Width,
}

/// The cuts in the gaps of `lines`; `known` are cuts found by other evidence, in order.
pub(super) fn cuts(text: &str, lines: &[Line<'_>], known: &[Cut], nbsp: bool, indents: bool) -> Vec<Cut> {
    let mut cuts: Vec<Cut> = Vec::new();
    for line in lines {
        let gaps = gaps(line);
        let mut last_cut = None;
        for (index, gap) in gaps.iter().enumerate() {
            let enabled = if gap.evidence == Evidence::Nbsp { nbsp } else { indents };
            let next_gap = gaps.get(index + 1).map_or(line.end(), |next| next.range.start);
            let (Some(left), Some(right)) =
                (text.get(line.start..gap.range.start), text.get(gap.range.end..next_gap))
            else {
                continue;
            };
            let n_before = known.partition_point(|cut| cut.range.end <= gap.range.start);
            let known_cut = n_before.checked_sub(1).map(|index| known[index].range.end);
            let starts_after_cut = known_cut.filter(|end| *end > line.start).max(last_cut);
            let heading = starts_after_cut.and_then(|start| text.get(start..gap.range.start));
            let parts_sentences = ends_paragraph(left, gap) && begins_paragraph(right);
            let parts_heading =
                heading.is_some_and(|text| is_heading(text, gap.width)) && is_paragraph(right);
            if enabled && (parts_sentences || parts_heading) {
                last_cut = Some(gap.range.end);
                cuts.push(Cut { range: gap.range.clone(), evidence: gap.evidence });
            }
        }
    }
    cuts
}

/// The gaps inside a line.
fn gaps(line: &Line<'_>) -> Vec<Gap> {
    let mut gaps = Vec::new();
    if !may_have_gaps(line.text) {
        return gaps;
    }
    let mut rest = line.text;
    while let Some(begin) = find_blank(rest) {
        let (_, from_gap) = rest.split_at(begin);
        let after = from_gap.trim_start_matches(is_blank);
        let (run, _) = from_gap.split_at(from_gap.len() - after.len());
        let start = line.end() - from_gap.len();
        let inside = start > line.start && !after.is_empty();
        let wide = run.contains(['\u{3000}', '\t']) || run.len() >= 3;
        let evidence = if run.contains('\u{A0}') { Evidence::Nbsp } else { Evidence::Indent };
        if inside && (evidence == Evidence::Nbsp || wide) {
            let width = match run.chars().count() {
                1 if run == "\u{3000}" => Width::OneWide,
                n if n >= 4 || run.matches('\u{3000}').count() >= 2 => Width::Indent,
                _ => Width::Other,
            };
            gaps.push(Gap { range: start..start + run.len(), evidence, width });
        }
        rest = after;
    }
    gaps
}

/// Where the first blank of a text stands that may be a gap, found by the first bytes of blanks. A single one of ASCII
/// between letters or signs of it is none.
fn find_blank(text: &str) -> Option<usize> {
    let is_blank_at = |at: &usize| text.get(*at..).and_then(|rest| rest.chars().next()).is_some_and(is_blank);
    places(text.as_bytes(), may_be_gap).find(is_blank_at)
}

/// 1 if what begins with the first of these bytes may be a gap, else 0.
#[inline]
fn may_be_gap(first: u8, second: u8, third: u8) -> u8 {
    let is = |byte: u8, other: u8| u8::from(byte == other);
    let is_graphic = u8::from(second.wrapping_sub(0x21) <= 0x7E - 0x21);
    is(first, b' ') & (is_graphic ^ 1)
        | is(first, b'\t')
        | is(first, 0xC2) & is(second, 0xA0)
        | is(first, 0xE1) & is(second, 0x9A)
        | is(first, 0xE2) & (is(second, 0x80) | is(second, 0x81))
        | is(first, 0xE3) & is(second, 0x80) & is(third, 0x80)
}

/// Whether a line may have gaps. Single blanks, and two of them, are none.
fn may_have_gaps(line: &str) -> bool {
    let bytes = line.as_bytes();
    memchr::memchr(b'\t', bytes).is_some()
        || memchr::memmem::find(bytes, b"   ").is_some()
        || may_have_wide_space(line)
}

fn ends_paragraph(left: &str, gap: &Gap) -> bool {
    let stop = left.trim_end_matches(is_closing).chars().next_back();
    ends_cjk_sentence(left) && (stop == Some('。') || gap.width != Width::OneWide)
}

/// Whether a paragraph can begin with `right`; `2005-07-11 10:06` is one of the columns of a list.
fn begins_paragraph(right: &str) -> bool {
    right.chars().next().is_some_and(|c| is_cjk(c) || is_opening(c) || c.is_alphanumeric())
        && right.chars().take(12).any(is_cjk)
}

/// Whether `text`, between a cut and a gap of this width, can be a heading.
///
/// Before the indent of a paragraph it may have several clauses.
fn is_heading(text: &str, width: Width) -> bool {
    let n_chars = text.chars().take(HEADING_CHARS.end() + 1).filter(|c| !is_blank(*c)).count();
    width != Width::OneWide
        && HEADING_CHARS.contains(&n_chars)
        && text.contains(is_cjk)
        && !text.contains(['。', '！', '？', '；', '：', ';', ':'])
        && (width == Width::Indent || !text.contains(['，', ',']))
        && !text.ends_with(DATELINE_ENDS)
}

/// Whether a paragraph begins with `text`: long, and with a sentence in it.
fn is_paragraph(text: &str) -> bool {
    begins_paragraph(text)
        && text.chars().nth(MIN_PARAGRAPH_CHARS).is_some()
        && text.contains(['。', '！', '？'])
}
