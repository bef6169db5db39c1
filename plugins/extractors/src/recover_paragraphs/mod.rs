//! `recover-paragraphs`: cuts a flattened article back into paragraphs where there is evidence.
//!
//! [`series`] finds numbered series, [`headings`] the ends of known headings, [`gaps`] the white space that
//! was left between paragraphs; this file puts the cuts together.

mod gaps;
mod headings;
mod options;
mod series;
#[cfg(test)]
mod tests;

use std::ops::Range;

use tamis_plugin::{Draft, Extractor, Failure, Form, Forms, Layout, SetupError, Verdict};
use tamis_text::chars::{count_visible, is_blank};
use tamis_text::lines::Line;
use tamis_text::scan::{Pieces, Scan};

pub use options::RecoverParagraphsOptions;

/// Cuts a flattened article back into paragraphs; see [`RecoverParagraphsOptions`].
#[derive(Debug)]
pub struct RecoverParagraphs {
    options: RecoverParagraphsOptions,
}

/// What showed that a paragraph ended; the order decides which of two at one place is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Evidence {
    Numbering,
    Nbsp,
    Indent,
    KnownHeading,
}

impl Evidence {
    const ALL: [Self; 4] = [Self::Numbering, Self::Nbsp, Self::Indent, Self::KnownHeading];

    fn count_name(self) -> &'static str {
        match self {
            Self::Numbering => "cut_at_numbering",
            Self::Nbsp => "cut_at_nbsp",
            Self::Indent => "cut_at_indent",
            Self::KnownHeading => "cut_at_known_heading",
        }
    }
}

/// A line end to be put in place of the white space in `range`, which may be empty.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Cut {
    range: Range<usize>,
    evidence: Evidence,
}

impl Extractor for RecoverParagraphs {
    const NAME: &'static str = "recover-paragraphs";
    type Options = RecoverParagraphsOptions;

    fn open(options: RecoverParagraphsOptions) -> Result<Self, SetupError> {
        Ok(Self { options })
    }

    fn forms(&self) -> Forms {
        let RecoverParagraphsOptions { nbsp, indents, .. } = self.options;
        let nbsp = nbsp.then_some(Layout::NoBreakSpaces);
        let looked_at = nbsp.into_iter().chain(indents.then_some(Layout::WhiteSpace));
        Forms::new().taking([Form::Flattened, Form::Clean]).needing(looked_at).cleaning()
    }

    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        let scan = crate::scanned::scan(draft.original());
        let long: Vec<Line<'_>> = scan.lines().filter(|line| self.is_long(line.text)).collect();
        if long.is_empty() {
            return Ok(Verdict::Keep);
        }
        let cuts = self.cuts(&scan, &long);
        if cuts.is_empty() {
            return Ok(Verdict::Keep);
        }
        crate::scanned::set_text(draft, apply(&scan, &cuts));
        for evidence in Evidence::ALL {
            let n_cuts = cuts.iter().filter(|cut| cut.evidence == evidence).count();
            draft.notes().count(evidence.count_name(), n_cuts as u64);
        }
        Ok(Verdict::Keep)
    }
}

impl RecoverParagraphs {
    fn is_long(&self, line: &str) -> bool {
        // A character takes a byte at least, so most lines are told short by their length alone.
        let min_chars = usize::try_from(self.options.min_line_chars).unwrap_or(usize::MAX);
        if line.len() < min_chars {
            return false;
        }
        // And four at most, so most others are told long by their beginning.
        let end = line.floor_char_boundary(min_chars.saturating_mul(5));
        let beginning = line.get(..end).unwrap_or_default();
        count_visible(beginning) >= min_chars || (end < line.len() && count_visible(line) >= min_chars)
    }

    /// The cuts in order, none overlapping another.
    fn cuts(&self, scan: &Scan<'_>, long: &[Line<'_>]) -> Vec<Cut> {
        let text = scan.text();
        let mut cuts = Vec::new();
        if self.options.numbering {
            let items = series::items(scan, long);
            for item in &items {
                if !item.begins_line {
                    cuts.push(Cut { range: before(text, item.start), evidence: Evidence::Numbering });
                }
            }
            if self.options.known_headings {
                let ends = headings::ends(text, &items).into_iter();
                cuts.extend(ends.map(|at| Cut { range: at..at, evidence: Evidence::KnownHeading }));
            }
        }
        cuts.retain(|cut| lies_in(cut, long));
        cuts.sort_by_key(|cut| (cut.range.start, cut.evidence));
        if self.options.nbsp || self.options.indents {
            let in_gaps = gaps::cuts(text, long, &cuts, self.options.nbsp, self.options.indents);
            cuts.extend(in_gaps);
            cuts.sort_by_key(|cut| (cut.range.start, cut.evidence));
        }
        // White space before an item is both its own cut and a gap.
        cuts.dedup_by(|later, earlier| later.range.start <= earlier.range.end);
        cuts
    }
}

/// Whether a cut lies inside one of the lines, not at its ends.
fn lies_in(cut: &Cut, lines: &[Line<'_>]) -> bool {
    let after = lines.partition_point(|line| line.start < cut.range.start);
    after.checked_sub(1).and_then(|index| lines.get(index)).is_some_and(|line| cut.range.end < line.end())
}

/// The white space before `at`, empty if there is none.
fn before(text: &str, at: usize) -> Range<usize> {
    let left = text.get(..at).unwrap_or_default();
    left.trim_end_matches(is_blank).len()..at
}

fn apply<'s, 'a>(scan: &'s Scan<'a>, cuts: &[Cut]) -> Pieces<'s, 'a> {
    let mut pieces = Pieces::of(scan);
    let mut copied = 0;
    for Cut { range, .. } in cuts {
        pieces.push(copied..range.start);
        pieces.end_line();
        copied = range.end;
    }
    pieces.push(copied..scan.text().len());
    pieces
}
