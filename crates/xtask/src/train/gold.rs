//! Pages with gold: which characters of a page are text, by aligning it with what a person kept of it.

use std::collections::HashMap;
use std::ops::Range;

/// Characters of a shingle by which places are recognised.
const ANCHOR_CHARS: usize = 8;
/// Characters of a shingle of the scorer.
const SHINGLE_CHARS: usize = 5;
/// The largest table for the careful alignment, cells of a byte.
const MAX_CELLS: usize = 400_000_000;

/// Whether the scorer counts a character: not white space, not invisible.
pub(super) fn counts(c: char) -> bool {
    !(c.is_whitespace() || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}'))
}

/// The characters of `text` that count.
pub(super) fn squeezed(text: &str) -> Vec<char> {
    text.chars().filter(|c| counts(*c)).collect()
}

/// Which of the characters of `page` belong to `gold`, both squeezed.
///
/// Shingles that occur once in both are anchors, and what is equal beside them belongs to them; where this
/// misses a tenth of the gold, because a page says its text twice, a table finds the best alignment.
pub(super) fn align(page: &[char], gold: &[char]) -> Vec<bool> {
    let mut mask = vec![false; page.len()];
    let mut used = vec![false; gold.len()];
    let (places, wanted) = (unique(page), unique(gold));
    let mut anchors: Vec<(usize, usize)> =
        places.iter().filter_map(|(shingle, at)| Some(((*at)?, (*wanted.get(shingle)?)?))).collect();
    anchors.sort_unstable();
    for (at, to) in &anchors {
        mask[*at..at + ANCHOR_CHARS].fill(true);
        used[*to..to + ANCHOR_CHARS].fill(true);
    }
    for (at, to) in anchors {
        let before = at.min(to);
        for back in 1..=before {
            let (at, to) = (at - back, to - back);
            if mask[at] || used[to] || page[at] != gold[to] {
                break;
            }
            (mask[at], used[to]) = (true, true);
        }
        let after = page[at + ANCHOR_CHARS..].iter().zip(&gold[to + ANCHOR_CHARS..]);
        let n_equal = after.take_while(|(a, b)| a == b).count();
        for on in 0..n_equal {
            let (at, to) = (at + ANCHOR_CHARS + on, to + ANCHOR_CHARS + on);
            if mask[at] || used[to] {
                break;
            }
            (mask[at], used[to]) = (true, true);
        }
    }
    let n_used = used.iter().filter(|used| **used).count();
    if n_used * 10 < gold.len() * 9 && page.len().saturating_mul(gold.len()) < MAX_CELLS {
        return align_by_table(page, gold);
    }
    mask
}

/// Shingles with their place, or none if they occur again.
fn unique(text: &[char]) -> HashMap<&[char], Option<usize>> {
    let mut places = HashMap::new();
    for (at, shingle) in text.windows(ANCHOR_CHARS).enumerate() {
        places.entry(shingle).and_modify(|place| *place = None).or_insert(Some(at));
    }
    places
}

/// The alignment with the most equal characters in the fewest stretches (after O. Gotoh, J. Mol. Biol. 162,
/// 1982): an equal character counts 2, a stretch costs 3.
fn align_by_table(page: &[char], gold: &[char]) -> Vec<bool> {
    const NEVER: i32 = i32::MIN / 2;
    let columns = gold.len() + 1;
    // Bit 0: a match goes on from a match. The rest: where a gap comes from.
    let mut steps = vec![0_u8; (page.len() + 1) * columns];
    let (mut matched, mut gap) = (vec![NEVER; columns], vec![0; columns]);
    for (row, c) in page.iter().enumerate() {
        let (mut matched_left_above, mut gap_left_above) = (matched[0], gap[0]);
        for column in 1..columns {
            let (matched_above, gap_above) = (matched[column], gap[column]);
            let step = &mut steps[(row + 1) * columns + column];
            let ways = [(matched_above, 1), (gap_above, 2), (matched[column - 1], 3), (gap[column - 1], 4)];
            let best = ways.into_iter().fold(ways[0], |best, way| if way.0 > best.0 { way } else { best });
            *step = best.1 << 1;
            matched[column] = if *c == gold[column - 1] {
                *step |= u8::from(matched_left_above + 2 >= gap_left_above - 1);
                (matched_left_above + 2).max(gap_left_above - 1)
            } else {
                NEVER
            };
            gap[column] = best.0;
            (matched_left_above, gap_left_above) = (matched_above, gap_above);
        }
    }
    let mut mask = vec![false; page.len()];
    let (mut row, mut column) = (page.len(), gold.len());
    let mut in_match = matched[column] > gap[column];
    while row > 0 && column > 0 {
        let step = steps[row * columns + column];
        if in_match {
            mask[row - 1] = true;
            in_match = step & 1 == 1;
            (row, column) = (row - 1, column - 1);
        } else {
            let way = step >> 1;
            in_match = matches!(way, 1 | 3);
            if way < 3 { row -= 1 } else { column -= 1 }
        }
    }
    mask
}

/// What a text has in common with gold.
#[derive(Debug, Clone, Copy)]
pub(super) struct Score {
    common: u32,
    kept: u32,
    wanted: u32,
}

impl Score {
    /// The F1 of the shingles, 0 to 1.
    pub(super) fn f1(self) -> f64 {
        let all = self.kept + self.wanted;
        if all == 0 { 1.0 } else { 2.0 * f64::from(self.common) / f64::from(all) }
    }

    /// The share of the gold's shingles that are there.
    pub(super) fn recall(self) -> f64 {
        if self.wanted == 0 { 1.0 } else { f64::from(self.common) / f64::from(self.wanted) }
    }
}

/// Compares a text with gold, both squeezed, by the multisets of their shingles.
pub(super) fn score(kept: &str, gold: &str) -> Score {
    let (mut kept, mut gold) = (shingles(kept), shingles(gold));
    kept.sort_unstable();
    gold.sort_unstable();
    let (mut common, mut ahead) = (0, gold.iter().peekable());
    for shingle in &kept {
        while ahead.next_if(|wanted| *wanted < shingle).is_some() {}
        common += u32::from(ahead.next_if_eq(&shingle).is_some());
    }
    Score { common, kept: kept.len() as u32, wanted: gold.len() as u32 }
}

/// A number for each shingle; that two have the same is so rare that no score shows it.
fn shingles(text: &str) -> Vec<u32> {
    let chars: Vec<char> = text.chars().collect();
    let number = |shingle: &[char]| {
        let mixed = shingle.iter().fold(0, |sum: u64, c| {
            (sum.rotate_left(21) ^ u64::from(u32::from(*c))).wrapping_mul(0x9E37_79B9_7F4A_7C15)
        });
        (mixed >> 32) as u32
    };
    chars.windows(SHINGLE_CHARS).map(number).collect()
}

/// The squeezed characters of the ranges of a text, and where those of each lie among them.
pub(super) fn squeeze_ranges(text: &str, ranges: &[Range<usize>]) -> (Vec<char>, Vec<Range<usize>>) {
    let mut chars = Vec::new();
    let mut places = Vec::new();
    for range in ranges {
        let start = chars.len();
        chars.extend(squeezed(text.get(range.clone()).unwrap_or_default()));
        places.push(start..chars.len());
    }
    (chars, places)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aligned(page: &str, gold: &str) -> String {
        let chars = squeezed(page);
        let mask = align(&chars, &squeezed(gold));
        chars.iter().zip(mask).map(|(c, is_text)| if is_text { *c } else { '-' }).collect()
    }

    #[test]
    fn what_was_kept_is_found_whatever_stands_around_it() {
        let page = "Home News The river rose in the night and fell again by noon. Share";
        assert_eq!(aligned(page, "The river rose in the night and fell again by noon."), {
            "--------Theriverroseinthenightandfellagainbynoon.-----"
        });
    }

    #[test]
    fn of_a_text_that_stands_there_twice_only_one_is_taken() {
        let text = "The river rose in the night and fell again by noon.";
        let mask = aligned(&format!("{text} and more {text}"), text);
        assert_eq!(mask.chars().filter(|c| *c != '-').count(), squeezed(text).len());
    }
}
