//! Features of a segment by its likeness to the title, and by what parts it from those beside it.

use super::features::{Node, Sink, bin, bin_of, bins};
use super::opinion::Opinion;
use super::segment::Segment;
use super::title::Title;

/// The bins of line ends.
const GAPS: [u8; 11] = bins([0, 1, 2, 4, 9]);

/// Describes segment `at` by its title, and by what parts it from those beside it.
pub(super) fn describe(
    page: &str,
    segments: &[Segment],
    at: usize,
    opinion: &Opinion,
    title: &Title,
    sink: &mut impl Sink,
) {
    let segment = &segments[at];
    let is_within = || title.within(page.get(segment.range()).unwrap_or_default(), segment.title_words);
    let title_is = if opinion.is_title { 0 } else { 1 + usize::from(!is_within()) };
    let share = title.share(segment.title_words);
    sink.nodes([
        Node::TitleIs.bin(title_is),
        Node::TitleShare.bin(bin(share, &[0.0, 0.15, 0.3, 0.5])),
        Node::Indent.bin(indent(segment)),
        Node::Gap.bin(gap(Some(segment))),
        Node::GapAfter.bin(gap(segments.get(at + 1))),
    ]);
}

pub(super) fn indent(segment: &Segment) -> usize {
    if segment.gap == 0 { 3 } else { usize::from(segment.form.indent) }
}

/// The bin of the line ends before a segment; the end of the page is far away.
pub(super) fn gap(segment: Option<&Segment>) -> usize {
    segment.map_or(5, |segment| bin_of(segment.gap, &GAPS))
}
