//! Pages in one line: the title runs into the date, and shows itself by standing elsewhere in the page, too.

use std::ops::Range;

use tamis_text::chars::text_width;

use super::page::{Line, Page, is_space};

/// So many bytes before a date may hold the title and the name of the source.
const BEFORE_BYTES: usize = 360;
/// Between title and date there is room for a source: `标题 原创 某某报 2019-…`.
const MAX_GAP_BYTES: usize = 90;
/// A match is looked for by so many bytes of text, and at so many places.
const SEED_BYTES: usize = 18;
const MAX_PLACES: usize = 6;
/// Columns of the shortest title that is trusted.
const MIN_WIDTH: usize = 20;
const MIN_WIDTH_AT_START: usize = 12;

/// The longest text right before byte `date` in its line that stands elsewhere in the page.
pub(super) fn before_date(page: Page<'_>, line: Line<'_>, date: usize) -> Option<Range<usize>> {
    let mut start = date.saturating_sub(BEFORE_BYTES).max(line.start);
    while !page.text.is_char_boundary(start) {
        start += 1;
    }
    let before = page.slice(start..date);
    let visible_end = start + before.trim_end_matches(is_space).len();
    let behind_blank = before.match_indices(is_space).map(|(at, blank)| start + at + blank.len());
    let seeds = std::iter::once(start).chain(behind_blank).chain(visible_end.checked_sub(SEED_BYTES));
    seeds
        .filter(|seed| {
            *seed >= start && page.text.is_char_boundary(*seed) && seed + SEED_BYTES <= visible_end
        })
        .filter_map(|seed| copied(page, seed, &(start..date)))
        .filter(|range| {
            let text = page.slice(range.clone());
            // What the page begins with, too, is its title however short.
            let begins = page.text.trim_start().starts_with(text);
            let min_width = if begins { MIN_WIDTH_AT_START } else { MIN_WIDTH };
            date - range.end <= MAX_GAP_BYTES && !text.contains(['/', '|']) && text_width(text) >= min_width
        })
        .max_by_key(ExactSizeIterator::len)
}

/// The text around `seed`, within `limits`, that another place of the page repeats.
fn copied(page: Page<'_>, seed: usize, limits: &Range<usize>) -> Option<Range<usize>> {
    let bytes = page.text.as_bytes();
    let what = bytes.get(seed..seed + SEED_BYTES)?;
    let other = memchr::memmem::find_iter(bytes, what).take(MAX_PLACES).find(|other| *other != seed)?;
    let same =
        |a: usize, b: usize| bytes.get(a).is_some_and(|byte| *byte != b'\n' && bytes.get(b) == Some(byte));
    let mut end = SEED_BYTES;
    while seed + end < limits.end && same(seed + end, other + end) {
        end += 1;
    }
    let mut start = 0;
    while seed - start > limits.start && other > start && same(seed - start - 1, other - start - 1) {
        start += 1;
    }
    let (mut start, mut end) = (seed - start, seed + end);
    while !page.text.is_char_boundary(start) {
        start += 1;
    }
    while !page.text.is_char_boundary(end) {
        end -= 1;
    }
    let text = page.slice(start..end);
    let start = start + text.len() - text.trim_start_matches(is_space).len();
    Some(start..start + text.trim_matches(is_space).len())
}
