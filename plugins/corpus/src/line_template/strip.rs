//! Taking template out of a text.

use std::borrow::Cow;
use std::ops::Range;

use tamis_text::scan::Scan;

use super::Place;
use super::learn::Class;
use super::line::Unit;

/// What is left of a text.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Stripped {
    pub(super) text: String,
    /// Lines taken out, without the blank ones that went with them.
    pub(super) n_lines: u64,
    /// Parts taken out of lines that stay.
    pub(super) n_parts: u64,
    /// Whether a line that is not blank is left.
    pub(super) has_text: bool,
}

/// A line, or a part of one, that goes or stays as a whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Piece {
    line: usize,
    start: usize,
    end: usize,
    class: Option<Class>,
}

/// The pieces of a text: of a line that is no template its parts, if it has some.
pub(super) fn pieces(units: &[Unit], class: impl Fn(&Unit) -> Option<Class>) -> Vec<Piece> {
    let mut pieces: Vec<Piece> = Vec::with_capacity(units.len());
    let mut spare_parts = false;
    for unit in units {
        if unit.is_part && spare_parts {
            continue;
        }
        let class = class(unit);
        if unit.is_part {
            // The parts take the place of their line.
            pieces.pop_if(|last| last.line == unit.line && last.end >= unit.end);
        } else {
            spare_parts = class.is_some();
        }
        pieces.push(Piece { line: unit.line, start: unit.start, end: unit.end, class });
    }
    pieces
}

/// The pieces, of which those are template that go where they stand.
pub(super) fn settled(mut pieces: Vec<Piece>, place: Place) -> Vec<Piece> {
    settle(&mut pieces);
    if place == Place::Edges {
        spare_the_middle(&mut pieces);
    }
    pieces
}

/// Takes the template out; `None` when there is none.
pub(super) fn strip(scan: &Scan<'_>, pieces: &[Piece]) -> Option<Stripped> {
    let text = scan.text();
    if pieces.iter().all(|piece| piece.class.is_none()) {
        return None;
    }
    let has_text = pieces.iter().any(|piece| piece.class.is_none());
    let mut kept = Kept::default();
    let mut pieces = pieces;
    for (number, line) in scan.ranges().enumerate() {
        let n_here = pieces.iter().take_while(|piece| piece.line == number).count();
        let (here, rest) = pieces.split_at(n_here);
        pieces = rest;
        kept.take(text, &line, here);
    }
    kept.end(text.ends_with('\n'));
    let text = if has_text { kept.lines.join("\n") } else { String::new() };
    Some(Stripped { text, n_lines: kept.n_lines, n_parts: kept.n_parts, has_text })
}

/// Makes text of what needs template around it and has none: prose first, so that a line may stand beside a notice.
fn settle(pieces: &mut [Piece]) {
    settle_class(pieces, Class::Between, |before, behind| before && behind);
    settle_class(pieces, Class::Beside, |before, behind| before || behind);
}

/// Makes text of the pieces of a class for whose neighbours `goes` does not hold.
fn settle_class(pieces: &mut [Piece], class: Class, goes: impl Fn(bool, bool) -> bool) {
    // Next to prose, prose counts as text: a block of shared paragraphs is an article.
    let is_template =
        |piece: &Piece| piece.class.is_some_and(|known| known != class || class == Class::Beside);
    let template: Vec<bool> = pieces.iter().map(is_template).collect();
    for (at, piece) in pieces.iter_mut().enumerate().filter(|(_, piece)| piece.class == Some(class)) {
        // What stands before the first piece and behind the last is no text.
        let before = at.checked_sub(1).is_none_or(|at| template.get(at) == Some(&true));
        let behind = template.get(at + 1).is_none_or(|template| *template);
        if !goes(before, behind) {
            piece.class = None;
        }
    }
}

/// Template between the first and the last piece of text counts as text.
fn spare_the_middle(pieces: &mut [Piece]) {
    let is_text = |piece: &Piece| piece.class.is_none();
    let (Some(first), Some(last)) = (pieces.iter().position(is_text), pieces.iter().rposition(is_text))
    else {
        return;
    };
    for piece in pieces.iter_mut().take(last).skip(first) {
        piece.class = None;
    }
}

/// The lines that stay.
///
/// Of the blank lines on both sides of a removed line, those behind go where there are some before it or where
/// nothing is before it; and at the end of the text all go.
#[derive(Default)]
struct Kept<'a> {
    lines: Vec<Cow<'a, str>>,
    n_lines: u64,
    n_parts: u64,
    /// Whether a line was removed since the last line of text.
    removed: bool,
    /// Whether the blank lines that follow belong to no text before them.
    swallow: bool,
}

impl Piece {
    /// Its bytes and how sure it is that it is template, if it is.
    pub(super) fn template(&self) -> Option<(Range<usize>, Class)> {
        self.class.map(|class| (self.start..self.end, class))
    }
}

impl<'a> Kept<'a> {
    /// Takes the next line of a text with its pieces, of which a blank line has none.
    fn take(&mut self, text: &'a str, line: &Range<usize>, pieces: &[Piece]) {
        let n_template = pieces.iter().filter(|piece| piece.class.is_some()).count();
        let whole = text.get(line.clone()).unwrap_or_default();
        if pieces.is_empty() {
            if !self.swallow {
                self.lines.push(whole.into());
            }
        } else if n_template == pieces.len() {
            self.n_lines += 1;
            self.removed = true;
            self.swallow = self.lines.last().is_none_or(|last| last.trim().is_empty());
        } else {
            let is_whole = n_template == 0;
            self.lines.push(if is_whole { whole.into() } else { partly(text, line, pieces).into() });
            self.n_parts += n_template as u64;
            (self.removed, self.swallow) = (false, false);
        }
    }

    fn end(&mut self, ends_line: bool) {
        if !self.removed {
            return;
        }
        while self.lines.pop_if(|last| last.trim().is_empty()).is_some() {}
        if ends_line {
            self.lines.push("".into());
        }
    }
}

/// A line without its pieces of template. Of the gaps around one, that before it stays between text.
fn partly(text: &str, line: &Range<usize>, pieces: &[Piece]) -> String {
    let mut left = String::with_capacity(line.len());
    let mut gap = line.start;
    let mut was_removed = false;
    for (number, piece) in pieces.iter().enumerate() {
        if piece.class.is_some() {
            was_removed = true;
            continue;
        }
        let gap_end = if was_removed { gap_behind(pieces, number, gap) } else { piece.start };
        left.push_str(text.get(gap..gap_end).unwrap_or_default());
        left.push_str(text.get(piece.start..piece.end).unwrap_or_default());
        (gap, was_removed) = (piece.end, false);
    }
    if !was_removed {
        left.push_str(text.get(gap..line.end).unwrap_or_default());
    }
    left
}

/// Where the gap ends that begins at `gap`, before the pieces that were removed until `number`; nothing is
/// kept before the first piece.
fn gap_behind(pieces: &[Piece], number: usize, gap: usize) -> usize {
    let removed = pieces.iter().take(number).find(|piece| piece.start >= gap && piece.class.is_some());
    match removed {
        Some(removed) if pieces.first().is_some_and(|first| first.start != removed.start) => removed.start,
        _ => gap,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::line_template::line::Lines;

    fn class_of(line: &str) -> Option<Class> {
        match line.chars().next() {
            Some('T') => Some(Class::Anywhere),
            Some('B') => Some(Class::Beside),
            Some('P') => Some(Class::Between),
            _ => None,
        }
    }

    fn stripped(text: &str, place: Place) -> Option<String> {
        let lines = Lines { mask_digits: false, near_equal: false, max_columns: 1000 };
        let mut units = Vec::new();
        lines.each_unit(&Scan::of(text), &mut Vec::new(), |unit, _| units.push(unit));
        let pieces = pieces(&units, |unit| {
            let line = text.get(unit.start..unit.end).unwrap();
            // A wide line begins with its first part, but is another.
            let is_wide = !unit.is_part && line.len() > 60 && !line.starts_with("TT");
            if is_wide { None } else { class_of(line) }
        });
        strip(&Scan::of(text), &settled(pieces, place)).map(|stripped| stripped.text)
    }

    #[test]
    fn lines_go_and_paragraph_breaks_do_not_pile_up() {
        for (text, any, edges) in [
            ("a\nb\n", None, None),
            ("T\na\nT", Some("a"), Some("a")),
            ("T\n\na\n\nb\n\nT\n\nT\n", Some("a\n\nb\n"), Some("a\n\nb\n")),
            ("a\n\nT\n\nb", Some("a\n\nb"), None),
            ("a\nT\nb\nT", Some("a\nb"), Some("a\nT\nb")),
            ("a\nT\n\nb", Some("a\n\nb"), None),
            ("a\n\n\nT\n\nT\n\nb", Some("a\n\n\nb"), None),
            (" a \r\nT\r\n b", Some(" a \r\n b"), None),
            ("\n\na\nT\n\n", Some("\n\na\n"), Some("\n\na\n")),
            ("a\n\nT", Some("a"), Some("a")),
            ("T\n\nT", Some(""), Some("")),
            ("a\n\u{3000}\nT", Some("a"), Some("a")),
        ] {
            assert_eq!(stripped(text, Place::Any).as_deref(), any, "{text:?}");
            assert_eq!(stripped(text, Place::Edges).as_deref(), edges, "{text:?}");
        }
    }

    #[test]
    fn what_is_less_sure_needs_neighbours() {
        for (text, any) in [
            ("a\nB\nc", None),
            ("a\nB\nB\nc", Some("a\nc")),
            ("a\nB\n\nT\nc", Some("a\n\nc")),
            ("B\na", Some("a")),
            ("a\nB", Some("a")),
            ("a\nP\nT\nc", Some("a\nP\nc")),
            ("a\nT\nP\nB\nc", Some("a\nc")),
            ("a\nT\nP\nP\nT\nc", Some("a\nP\nP\nc")),
            ("a\nT\nP", Some("a")),
        ] {
            assert_eq!(stripped(text, Place::Any).as_deref(), any, "{text:?}");
        }
    }

    #[test]
    fn parts_go_with_one_of_their_gaps() {
        let body = "a".repeat(70);
        for (line, left) in [
            (format!("{body}\tT x"), body.clone()),
            (format!(" T x\tT y\t{body} "), format!("{body} ")),
            (format!("{body}\u{a0}T\u{3000}b"), format!("{body}\u{a0}b")),
            (format!("b\t{body}\u{a0}T\u{3000}B\tc\td"), format!("b\t{body}\u{a0}c\td")),
            (format!("T\u{3000}{body}\tB\tb"), format!("{body}\tB\tb")),
        ] {
            assert_eq!(stripped(&line, Place::Any), Some(left), "{line}");
        }
        // A line that is template goes as a whole, whatever its parts.
        assert_eq!(stripped(&format!("TT\t{body}\nb"), Place::Any).as_deref(), Some("b"));
    }

    proptest! {
        #[test]
        fn text_stays_byte_for_byte(text in "([aT ]{0,2}\n){0,12}[aT ]{0,2}") {
            for place in [Place::Any, Place::Edges] {
                let Some(left) = stripped(&text, place) else { continue };
                let lines = |text: &str| -> Vec<String> {
                    text.split('\n').filter(|line| line.contains('a') && !line.trim().starts_with('T')).map(str::to_owned).collect()
                };
                prop_assert_eq!(lines(&left), lines(&text));
                prop_assert_eq!(stripped(&left, place), None);
                prop_assert!(left.len() < text.len());
            }
        }

        #[test]
        fn nothing_is_added_and_nothing_changes_places(
            text in "([aTBP一]{1,2}(\t|\u{a0}{2}|\u{3000}|\n| ){1,2}|a{61}\t){0,12}",
        ) {
            let Some(left) = stripped(&text, Place::Any) else { return Ok(()) };
            let mut rest = text.chars();
            prop_assert!(left.chars().all(|c| rest.any(|other| other == c)), "{:?}", left);
            prop_assert!(left.len() < text.len());
        }
    }
}
