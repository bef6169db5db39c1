//! What a segment is part of together with those beside it: a run of short lines, a series of numbers, a sentence that
//! goes on over several lines.
//!
//! Ten segments on either side, which is how far the shares of prose reach, do not tell a list of six entries from a
//! table of contents of a hundred. And a page that was flattened with a line for each piece of text between two tags
//! has a line for each link of a sentence.

use super::opinion::Opinion;
use super::segment::Segment;
use super::structure::Structure;

/// Wider lines are no entries of menus.
const MAX_SHORT_WIDTH: f32 = 15.0;
/// Wider lines are more than a number.
const MAX_NUMBER_WIDTH: f32 = 3.0;
/// A run of so many short lines is no list of a text.
const MIN_LONG: u32 = 24;
/// Line ends between two lines of one sentence.
const MAX_GAP: u32 = 2;

/// What a segment is part of.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Company {
    /// How many short lines stand in a row with it, itself counted; 0 if it is none.
    pub(super) n_short: u32,
    pub(super) place: Place,
    /// How many numbered lines stand in a row with it, itself counted; 0 if it is none.
    pub(super) n_numbered: u32,
    /// Whether a sentence goes on from the segment before it, and to the one behind it.
    pub(super) goes_on: (bool, bool),
}

impl Company {
    /// Whether it is one of so many short lines in a row as no list of a text has.
    pub(super) fn is_of_long_run(self) -> bool {
        self.n_short >= MIN_LONG
    }
}

/// Where a run of short lines stands on its page.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Place {
    First,
    #[default]
    Between,
    Last,
}

/// What each segment is part of.
pub(super) fn company(segments: &[Segment], opinions: &[Opinion], structures: &[Structure]) -> Vec<Company> {
    let mut found = vec![Company::default(); segments.len()];
    let is_short = |at: usize| {
        let is_menu = matches!(structures[at], Structure::Plain | Structure::Number | Structure::Section);
        is_menu && opinions[at].width < MAX_SHORT_WIDTH && !segments[at].form.ends_sentence
    };
    let n = found.len();
    runs(n, is_short, |start, end| {
        let place = match (start, end) {
            (0, _) => Place::First,
            (_, end) if end == n => Place::Last,
            _ => Place::Between,
        };
        for company in &mut found[start..end] {
            (company.n_short, company.place) = ((end - start) as u32, place);
        }
    });
    let has_number = |at: usize| matches!(structures[at], Structure::Number | Structure::Section);
    // A number may have a line of its own, with what it numbers in the next one.
    let is_behind_number = |at: usize| {
        let before = at.checked_sub(1).filter(|before| has_number(*before));
        before.is_some_and(|before| opinions[before].width < MAX_NUMBER_WIDTH && is_short(at))
    };
    let is_numbered = |at: usize| has_number(at) || is_behind_number(at);
    runs(n, is_numbered, |start, end| {
        found[start..end].iter_mut().for_each(|company| company.n_numbered = (end - start) as u32);
    });
    for at in 1..n {
        if goes_on(&segments[at - 1], &segments[at]) {
            (found[at - 1].goes_on.1, found[at].goes_on.0) = (true, true);
        }
    }
    found
}

/// Calls `each` with the first of every run of places and the one behind its last.
fn runs(n: usize, is_in: impl Fn(usize) -> bool, mut each: impl FnMut(usize, usize)) {
    let mut start = None;
    for at in 0..=n {
        match (start, at < n && is_in(at)) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                each(from, at);
                start = None;
            }
            _ => {}
        }
    }
}

/// Whether the sentence that stands at the end of a line goes on in the next one.
fn goes_on(before: &Segment, segment: &Segment) -> bool {
    segment.form.goes_on && !before.form.ends_sentence && (1..=MAX_GAP).contains(&segment.gap)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::boilerplate::layout::structures;
    use crate::boilerplate::lexicon::Found;
    use crate::boilerplate::segment::segments;

    fn found(page: &str) -> Vec<Company> {
        let segments = segments(page, &Found::default());
        let opinions: Vec<Opinion> = segments.iter().map(|segment| segment.form.opinion).collect();
        company(&segments, &opinions, &structures(page, &segments))
    }

    #[test]
    fn short_lines_in_a_row_are_counted() {
        let page = "Home\nNews\nThe mill on the old canal was sold in spring, and nobody had expected it.\nShare\n1. One\n1.1. Two";
        let found = found(page);
        let counts: Vec<_> = found.iter().map(|it| (it.n_short, it.n_numbered)).collect();
        assert_eq!(counts, [(2, 0), (2, 0), (0, 0), (3, 0), (3, 2), (3, 2)]);
        assert!(matches!(found[0].place, Place::First) && matches!(found[5].place, Place::Last));
    }

    #[test]
    fn numbers_on_lines_of_their_own_number_the_next_one() {
        let counts: Vec<_> =
            found("1.\nFerries\n1.1.\nMills\nLocks\nBees").iter().map(|it| it.n_numbered).collect();
        assert_eq!(counts, [4, 4, 4, 4, 0, 0]);
    }

    #[test]
    fn a_sentence_goes_on_over_lines() {
        let of = |page: &str| found(page).iter().map(|it| it.goes_on).collect::<Vec<_>>();
        assert_eq!(of("The\nferry\nleft."), [(false, true), (true, true), (true, false)]);
        assert_eq!(of("渡船\n，没有人"), [(false, true), (true, false)]);
        assert_eq!(of("Home\nNews\n\n\nlogin"), [(false, false); 3]);
        assert_eq!(of("1.1.\nFerries"), [(false, false); 2]);
        assert_eq!(of("It left.\nnobody saw it"), [(false, false); 2]);
    }
}
