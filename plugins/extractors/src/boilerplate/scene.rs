//! Features that only the page as a whole shows: where prose lies, what has gone before, what comes after.

use std::ops::Range;

use tamis_text::hash::hash;
use tamis_text::runs::best_run;

use super::company::{Company, Place};
use super::features::{Edge, Node, Sink, bin};
use super::lexicon::Category;
use super::local::{ends_as, gap, indent};
use super::opinion::{Glance, Opinion};
use super::segment::Segment;
use super::structure::Structure;

/// Limits of the bins of shares of prose.
const SHARES: [f32; 6] = [0.0, 0.1, 0.3, 0.5, 0.7, 0.9];
/// Segments on either side that are near.
const NEAR: usize = 4;
/// A segment counts for no more than this width, so that one long line does not outweigh all others.
const MAX_WIDTH: f32 = 200.0;

pub(super) struct Scene<'a> {
    page: &'a str,
    segments: &'a [Segment],
    opinions: &'a [Opinion],
    structures: &'a [Structure],
    company: &'a [Company],
    /// How many kinds of marks of furniture the page has.
    kinds: usize,
    /// What stands before each segment, and behind the last.
    before: Vec<Before>,
    /// For each segment a bit for its mark, if it is short.
    short_marks: Vec<u16>,
    runs: Runs,
    /// How often the text of each segment occurs.
    repeats: Vec<u32>,
    /// Entries of the same list before each segment, itself counted, and how the line before the list ends.
    since_item: Vec<(u32, usize)>,
}

/// Sums over all segments before one.
#[derive(Clone, Copy)]
struct Before {
    /// Width of all of them, and of those that are prose.
    width: f32,
    prose: f32,
    /// Those that seem to be code, and those that seem to be furniture.
    code: u32,
    furniture: u32,
    /// Headings of related pages, of comments and of legal notices.
    marks: [u32; 3],
    /// Segments since the last moment, and since the title; `usize::MAX` for none.
    since_moment: usize,
    since_title: usize,
}

/// The stretches that hold the most prose.
struct Runs {
    best: Range<usize>,
    second: Range<usize>,
    third: Range<usize>,
    /// The score of the second divided by that of the best.
    rival: f32,
}

impl<'a> Scene<'a> {
    pub(super) fn new(
        page: &'a str,
        segments: &'a [Segment],
        opinions: &'a [Opinion],
        structures: &'a [Structure],
        company: &'a [Company],
        kinds: usize,
    ) -> Self {
        let mut scene = Self {
            page,
            segments,
            opinions,
            structures,
            company,
            kinds,
            since_item: since_item(segments, structures),
            before: Vec::with_capacity(segments.len() + 1),
            short_marks: Vec::with_capacity(segments.len()),
            runs: Runs::find(opinions),
            repeats: repeats(page, segments),
        };
        scene.walk();
        scene
    }

    /// Sums up from the first segment to the last.
    fn walk(&mut self) {
        let mut sums = Before {
            width: 0.0,
            prose: 0.0,
            code: 0,
            furniture: 0,
            marks: [0; 3],
            since_moment: usize::MAX,
            since_title: usize::MAX,
        };
        for (segment, opinion) in self.segments.iter().zip(self.opinions) {
            self.before.push(sums);
            let width = opinion.width.min(MAX_WIDTH);
            sums.width += width;
            sums.prose += if opinion.is_prose() { width } else { 0.0 };
            sums.code += u32::from(opinion.glance == Glance::Code);
            sums.furniture += u32::from(opinion.furniture > 0.3);
            let mark = opinion.short_mark();
            self.short_marks.push(mark.map_or(0, |mark| 1 << mark as u32));
            match mark {
                Some(Category::Related) => sums.marks[0] += 1,
                Some(Category::Comment) => sums.marks[1] += 1,
                Some(Category::Legal) => sums.marks[2] += 1,
                _ => {}
            }
            let dated = segment.date_bytes >= 8 && opinion.width < 30.0;
            sums.since_moment = count_on(sums.since_moment, opinion.glance == Glance::Moment || dated);
            sums.since_title = count_on(sums.since_title, opinion.glance == Glance::Title);
        }
        self.before.push(sums);
    }

    /// What stands on the whole page.
    fn all(&self) -> &Before {
        &self.before[self.opinions.len()]
    }

    /// The share of prose in the width of the segments `from..to`.
    fn density(&self, from: usize, to: usize) -> f32 {
        let (from, to) =
            (&self.before[from.min(self.opinions.len())], &self.before[to.min(self.opinions.len())]);
        let width = to.width - from.width;
        if width <= 0.0 { 0.0 } else { (to.prose - from.prose) / width }
    }

    /// The bin of the share of the page's prose that stands before segment `at`.
    fn prose_past(&self, at: usize) -> usize {
        let all = self.all().prose;
        let past = if all > 0.0 { self.before[at].prose / all } else { 0.0 };
        bin(past, &[0.0, 0.02, 0.1, 0.3, 0.6, 0.9, 0.98])
    }

    pub(super) fn describe_node(&self, at: usize, sink: &mut impl Sink) {
        let mut add = |feature: usize| sink.node(feature);
        add(Node::Repeats.bin(bin(self.repeats[at] as f32, &[1.0, 2.0])));
        self.describe_neighbours(at, &mut add);
        add(Node::Near.bin(bin(self.density(at.saturating_sub(2), at + 3), &SHARES)));
        add(Node::Around.bin(bin(self.density(at.saturating_sub(10), at + 11), &SHARES)));
        add(Node::Before.bin(bin(self.density(at.saturating_sub(5), at), &SHARES)));
        add(Node::After.bin(bin(self.density(at + 1, at + 6), &SHARES)));
        self.describe_run(at, &mut add);
        let (total, before) = (self.all().marks, &self.before[at]);
        add(Node::Past.bin(marks(before.marks)));
        let ahead = [0, 1, 2].map(|kind| total[kind] - self.before[at + 1].marks[kind]);
        add(Node::Ahead.bin(marks(ahead)));
        add(Node::DateBefore.bin(since(before.since_moment)));
        add(Node::TitleBefore.bin(since(before.since_title)));
        let all = self.all().prose;
        add(Node::ProsePast.bin(self.prose_past(at)));
        let place = self.segments[at].start as f32 / self.page.len().max(1) as f32;
        add(Node::Place.bin(bin(place, &[0.02, 0.1, 0.3, 0.6, 0.9])));
        let glance = self.opinions[at].glance as usize;
        add(Node::KindsGlance.bin(10 * self.kinds.min(5) + glance));
        self.describe_company(at, &mut add);
        add(Node::Structure.bin(self.structures[at] as usize));
        if self.structures[at] != Structure::Plain {
            let (run, after) = self.since_item[at];
            add(Node::StructureRun.bin(bin(run as f32, &[1.0, 2.0, 4.0, 8.0])));
            add(Node::ItemAfter.bin(after));
        }
        let other = usize::from(!self.opinions[at].is_prose());
        add(Node::Total.bin(bin(all, &[100.0, 400.0, 1500.0]) + 4 * other));
    }

    /// What the segment is part of together with those beside it.
    fn describe_company(&self, at: usize, add: &mut impl FnMut(usize)) {
        let Company { n_short, place, n_numbered, goes_on } = self.company[at];
        if n_short > 0 {
            let n_short = n_short as f32;
            add(Node::ShortRun.bin(1 + bin(n_short, &[1.0, 3.0, 6.0, 12.0, 24.0, 48.0, 96.0])));
            let place = match place {
                Place::First => 0,
                Place::Between => 3,
                Place::Last => 6,
            };
            add(Node::ShortRunAt.bin(place + bin(n_short, &[6.0, 24.0])));
        } else {
            add(Node::ShortRun.bin(0));
        }
        if n_numbered > 0 {
            add(Node::NumberRun.bin(bin(n_numbered as f32, &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0])));
        }
        add(Node::GoesOn.bin(usize::from(goes_on.0) + 2 * usize::from(goes_on.1)));
    }

    /// What stands around a segment, itself left out.
    fn describe_neighbours(&self, at: usize, add: &mut impl FnMut(usize)) {
        let (from, to) = (at.saturating_sub(NEAR), (at + NEAR + 1).min(self.opinions.len()));
        let code = self.before[to].code - self.before[from].code;
        add(Node::CodeNear.bin(bin(code as f32 / (to - from) as f32, &[0.0, 0.2, 0.5])));
        let mut seen = 0;
        for (other, marks) in self.short_marks[from..to].iter().enumerate() {
            seen |= if from + other == at { 0 } else { *marks };
        }
        while seen != 0 {
            add(Node::MarkNear.bin(seen.trailing_zeros() as usize));
            seen &= seen - 1;
        }
        let own = u32::from(self.opinions[at].furniture > 0.3);
        let furniture = self.before[to].furniture - self.before[from].furniture - own;
        add(Node::FurnitureNear.bin(bin(furniture as f32, &[0.0, 1.0, 3.0])));
        let is_prose =
            |at: Option<usize>| at.and_then(|at| self.opinions.get(at)).is_some_and(Opinion::is_prose);
        let (before, after) = (is_prose(at.checked_sub(1)), is_prose(Some(at + 1)));
        add(Node::Neighbours.bin(usize::from(before) + 2 * usize::from(after)));
    }

    /// Where the segment lies to the stretches with the most prose.
    fn describe_run(&self, at: usize, add: &mut impl FnMut(usize)) {
        let runs = &self.runs;
        let run = if runs.best.contains(&at) {
            0
        } else if runs.second.contains(&at) {
            1
        } else if runs.third.contains(&at) {
            2
        } else if runs.best.is_empty() {
            9
        } else if at < runs.best.start {
            5 - bin((runs.best.start - at) as f32, &[3.0, 12.0])
        } else {
            6 + bin((at + 1 - runs.best.end) as f32, &[3.0, 12.0])
        };
        add(Node::Run.bin(run));
        add(Node::RunProse.bin(2 * run.min(3) + usize::from(!self.opinions[at].is_prose())));
        let rival = bin(runs.rival, &[0.1, 0.3, 0.6]);
        match run {
            0 => add(Node::RunRival.bin(rival)),
            1 => {
                add(Node::SecondRival.bin(rival));
                add(Node::SecondOrder.bin(usize::from(runs.second.start > runs.best.start)));
            }
            _ => {}
        }
    }

    pub(super) fn describe_edge(&self, at: usize, sink: &mut impl Sink) {
        let (is, segment) = (&self.opinions[at], &self.segments[at]);
        let was = at.checked_sub(1).map(|before| (&self.opinions[before], &self.segments[before]));
        let mut add = |feature: usize| sink.edge(feature);
        add(Edge::Bias.bin(0));
        add(Edge::Gap.bin(gap(Some(segment))));
        add(Edge::Was.bin(was.map_or(10, |(was, _)| was.glance as usize)));
        add(Edge::Is.bin(is.glance as usize));
        if let Some(mark) = is.mark {
            add(Edge::IsMark.bin(mark as usize));
        }
        if let Some((was, before)) = was {
            if let Some(mark) = was.mark {
                add(Edge::WasMark.bin(mark as usize));
            }
            add(Edge::WasEnds.bin(ends_as(before)));
            let change = match (indent(before).min(2), indent(segment)) {
                (_, 3) => 0,
                (was, is) if was == is => 0,
                (was, is) if is > was => 1,
                _ => 2,
            };
            add(Edge::IndentChange.bin(change));
        }
        add(Edge::Indent.bin(indent(segment)));
        add(Edge::GoesOn.bin(usize::from(self.company[at].goes_on.0)));
        add(Edge::Before.bin(bin(self.density(at.saturating_sub(6), at), &SHARES)));
        add(Edge::After.bin(bin(self.density(at, at + 6), &SHARES)));
        add(Edge::Run.bin(self.runs.boundary(at)));
        add(Edge::DateBefore.bin(since(self.before[at].since_moment)));
        add(Edge::TitleBefore.bin(since(self.before[at].since_title)));
        let long = |opinion: &Opinion| opinion.width >= 15.0;
        let shape = 2 * usize::from(!was.is_some_and(|(was, _)| long(was))) + usize::from(!long(is));
        add(Edge::Shape.bin(shape));
        add(Edge::ProsePast.bin(self.prose_past(at)));
        let was = at.checked_sub(1).map_or(Structure::Plain, |before| self.structures[before]);
        add(Edge::Structure.bin(match (was, self.structures[at]) {
            (Structure::Plain, Structure::Plain) => 0,
            (was, is) if was == is => 1,
            (Structure::Plain, _) => 2,
            (_, Structure::Plain) => 3,
            _ => 4,
        }));
    }
}

/// For each segment, entries of the same structure in a row up to it, and how the line before them ends.
fn since_item(segments: &[Segment], structures: &[Structure]) -> Vec<(u32, usize)> {
    let (mut run, mut after, mut was) = (0, 2, Structure::Plain);
    let mut before: Option<&Segment> = None;
    let mut found = Vec::with_capacity(segments.len());
    for (segment, is) in segments.iter().zip(structures) {
        if *is != was {
            after = before.map_or(2, |before| match before.last {
                ':' | '：' => 0,
                _ if before.ends_sentence => 1,
                _ => 2,
            });
            (run, was) = (0, *is);
        }
        run += 1;
        found.push((run, after));
        before = Some(segment);
    }
    found
}

impl Runs {
    fn find(opinions: &[Opinion]) -> Self {
        let score = |at: usize| opinions[at].score;
        let (best, best_score) = best_run(0..opinions.len(), score);
        let left = best_run(0..best.start, score);
        let right = best_run(best.end..opinions.len(), score);
        let (second, third) = if left.1 > right.1 { (left, right) } else { (right, left) };
        let rival = if best_score > 0.0 { second.1 / best_score } else { 1.0 };
        Self { best, second: second.0, third: third.0, rival }
    }

    /// Which end of which stretch lies before segment `at`.
    fn boundary(&self, at: usize) -> usize {
        let begins = |run: &Range<usize>| !run.is_empty() && at == run.start;
        let ends = |run: &Range<usize>| !run.is_empty() && at == run.end;
        if begins(&self.best) {
            0
        } else if ends(&self.best) {
            1
        } else if begins(&self.second) {
            2
        } else if ends(&self.second) {
            3
        } else if self.best.contains(&at) {
            4
        } else if self.second.contains(&at) {
            5
        } else {
            6
        }
    }
}

fn count_on(since: usize, here: bool) -> usize {
    if here { 1 } else { since.saturating_add(1) }
}

fn since(segments: usize) -> usize {
    if segments == usize::MAX { 0 } else { 1 + bin(segments as f32, &[1.0, 4.0, 12.0, 40.0]) }
}

fn marks(counts: [u32; 3]) -> usize {
    match counts.map(|count| count > 0) {
        [false, false, false] => 0,
        [true, false, false] => 1,
        [false, true, false] => 2,
        [false, false, true] => 3,
        [true, true, false] => 4,
        _ => 5,
    }
}

/// How often the text of each segment occurs on the page.
fn repeats(page: &str, segments: &[Segment]) -> Vec<u32> {
    let text = |at: usize| page.as_bytes().get(segments[at].range()).unwrap_or_default();
    // The first segment with each text, by hash, and one more than its place; a table that is never full.
    let mut slots = vec![0_u32; (2 * segments.len()).next_power_of_two()];
    let mut counts = vec![0; segments.len()];
    let first_of = |at: usize| {
        let own = text(at);
        let mut slot = hash(own) as usize & (slots.len() - 1);
        loop {
            match slots[slot] as usize {
                0 => {
                    slots[slot] = at as u32 + 1;
                    return at;
                }
                first if text(first - 1) == own => return first - 1,
                _ => slot = (slot + 1) & (slots.len() - 1),
            }
        }
    };
    let first: Vec<usize> = (0..segments.len()).map(first_of).collect();
    for first in &first {
        counts[*first] += 1;
    }
    first.into_iter().map(|first| counts[first]).collect()
}
