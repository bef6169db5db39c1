//! What the page as a whole says: whether it needs cleaning, and how much.
//!
//! These features are the same for every segment of a page. A page that is all text has hardly any names of
//! channels, buttons or notices, no long runs of short lines and no scripts; what seems to be furniture there
//! rather is a list or a table of the text.

use super::company::Company;
use super::features::{Edge, Node, Sink, bin};
use super::lexicon::Category;
use super::opinion::{Glance, Opinion};
use super::segment::Segment;
use super::shared::Sharing;
use super::structure::Structure;

/// Limits of the bins of shares of the width of a page.
const SHARES: [f32; 7] = [0.0, 0.02, 0.05, 0.1, 0.2, 0.4, 0.7];
/// Limits of the bins of runs of short lines.
const RUNS: [f32; 6] = [1.0, 3.0, 6.0, 12.0, 24.0, 48.0];
/// Marks by which furniture is known for certain.
const MARKS: [Category; 8] = [
    Category::Navigation,
    Category::Account,
    Category::Share,
    Category::Comment,
    Category::Related,
    Category::Legal,
    Category::Promotion,
    Category::Paging,
];

/// What was summed up over a page.
#[derive(Debug, Default)]
pub(super) struct Whole {
    width: f32,
    prose: f32,
    furniture: f32,
    code: f32,
    short: f32,
    structure: f32,
    /// The width in long runs of short lines.
    long_runs: f32,
    gaps: u32,
    glued: u32,
    titles: u32,
    marks: [u32; Category::COUNT],
    longest_run: u32,
    n_segments: u32,
    /// The width that other pages have, too; `None` where no others were looked at.
    shared: Option<f32>,
    starts: Option<Glance>,
    ends: Option<Glance>,
}

impl Whole {
    pub(super) fn of(
        segments: &[Segment],
        opinions: &[Opinion],
        structures: &[Structure],
        sharing: &[Sharing],
        company: &[Company],
    ) -> Self {
        let mut whole = Self::default();
        let mut run = 0;
        for ((segment, opinion), structure) in segments.iter().zip(opinions).zip(structures) {
            let width = opinion.width.min(400.0);
            whole.width += width;
            if *structure != Structure::Plain {
                whole.structure += width;
            } else if opinion.glance == Glance::Code {
                whole.code += width;
            } else if opinion.is_prose() {
                whole.prose += width;
            } else if opinion.furniture > 0.3 {
                whole.furniture += width;
            } else if opinion.width < 12.0 {
                whole.short += width;
            }
            let is_menu =
                *structure == Structure::Plain && opinion.width < 15.0 && !segment.form.ends_sentence;
            run = if is_menu { run + 1 } else { 0 };
            whole.longest_run = whole.longest_run.max(run);
            whole.gaps += u32::from(segment.gap > 2);
            whole.glued += u32::from(segment.gap == 0);
            whole.titles += u32::from(opinion.is_title);
            if let Some(mark) = opinion.short_mark() {
                whole.marks[mark as usize] += 1;
            }
        }
        let of_long_run = company.iter().zip(opinions).filter(|(company, _)| company.is_of_long_run());
        whole.long_runs = of_long_run.map(|(_, opinion)| opinion.width).sum();
        whole.n_segments = segments.len() as u32;
        whole.shared = sharing.iter().all(|sharing| *sharing != Sharing::Unknown).then(|| {
            let shared = |(sharing, _): &(&Sharing, &Opinion)| **sharing != Sharing::Own;
            sharing.iter().zip(opinions).filter(shared).map(|(_, opinion)| opinion.width.min(400.0)).sum()
        });
        (whole.starts, whole.ends) =
            (opinions.first().map(|first| first.glance), opinions.last().map(|last| last.glance));
        whole
    }

    /// How many kinds of marks the page has, each counted once.
    pub(super) fn kinds(&self) -> usize {
        MARKS.iter().filter(|mark| self.marks[**mark as usize] > 0).count()
    }

    pub(super) fn describe(&self, sink: &mut impl Sink) {
        let share = |part: f32| bin(part / self.width.max(1.0), &SHARES);
        let of_segments = |part: u32| bin(part as f32 / self.n_segments.max(1) as f32, &SHARES);
        let count = |n: u32| bin(n as f32, &[0.0, 1.0, 3.0, 8.0]);
        let run = bin(self.longest_run as f32, &RUNS);
        let mut add = |feature: usize| sink.node_of_page(feature);
        add(Node::PageKinds.bin(self.kinds()));
        add(Node::PageProse.bin(share(self.prose)));
        add(Node::PageFurniture.bin(share(self.furniture)));
        add(Node::PageCode.bin(share(self.code)));
        add(Node::PageShort.bin(share(self.short)));
        add(Node::PageStructure.bin(share(self.structure)));
        add(Node::PageRun.bin(run));
        add(Node::PageLongRuns.bin(share(self.long_runs)));
        add(Node::PageGaps.bin(of_segments(self.gaps)));
        add(Node::PageGlued.bin(of_segments(self.glued)));
        add(Node::PageTitles.bin(self.titles as usize));
        add(Node::PageSegments.bin(bin(self.n_segments as f32, &[3.0, 10.0, 30.0, 100.0, 300.0])));
        add(Node::PageStarts.bin(self.starts.map_or(9, |glance| glance as usize)));
        add(Node::PageEnds.bin(self.ends.map_or(9, |glance| glance as usize)));
        for (group, mark) in [
            (Node::PageNavigation, Category::Navigation),
            (Node::PageAccount, Category::Account),
            (Node::PageShare, Category::Share),
            (Node::PageComment, Category::Comment),
            (Node::PageRelated, Category::Related),
            (Node::PageLegal, Category::Legal),
            (Node::PagePromotion, Category::Promotion),
            (Node::PagePaging, Category::Paging),
        ] {
            add(group.bin(count(self.marks[mark as usize])));
        }
        if let Some(shared) = self.shared {
            sink.node_of_page(Node::PageShared.bin(share(shared)));
        }
        sink.edge_of_page(Edge::PageKinds.bin(self.kinds()));
        sink.edge_of_page(Edge::PageProse.bin(share(self.prose)));
        sink.edge_of_page(Edge::PageRun.bin(run));
        sink.edge_of_page(Edge::PageStructure.bin(share(self.structure)));
    }
}
