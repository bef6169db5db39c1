//! Features that only the page as a whole shows: where prose lies, what has gone before, what comes after.

use std::ops::Range;

use tamis_text::runs::best_run;

use super::company::{Company, Place};
use super::features::{Edge, Node, Sink, bin, bin_of, bins};
use super::gaps::{gap, indent};
use super::lexicon::Category;
use super::opinion::{Glance, Opinion};
use super::segment::Segment;
use super::structure::Structure;

/// Limits of the bins of shares of prose.
const SHARES: [f32; 6] = [0.0, 0.1, 0.3, 0.5, 0.7, 0.9];
/// Limits of the bins of the share of the prose of a page that has gone by.
const PAST: [f32; 7] = [0.0, 0.02, 0.1, 0.3, 0.6, 0.9, 0.98];
/// Limits of the bins of places on a page.
const PLACES: [f32; 5] = [0.02, 0.1, 0.3, 0.6, 0.9];
/// The bins of counts, each as far as the last limit and one beyond.
const REPEATS: [u8; 4] = bins([1, 2]);
const ITEMS: [u8; 10] = bins([1, 2, 4, 8]);
const SHORT_RUNS: [u8; 98] = bins([1, 3, 6, 12, 24, 48, 96]);
const SHORT_RUNS_AT: [u8; 26] = bins([6, 24]);
const NUMBERS: [u8; 34] = bins([1, 2, 4, 8, 16, 32]);
const FURNITURE: [u8; 5] = bins([0, 1, 3]);
const DISTANCES: [u8; 14] = bins([3, 12]);
const SINCE: [u8; 42] = bins([1, 4, 12, 40]);
/// Segments on either side that are near.
const NEAR: usize = 4;
/// A segment counts for no more than this width, so that one long line does not outweigh all others.
const MAX_WIDTH: f32 = 200.0;

pub(super) struct Scene<'a> {
    segments: &'a [Segment],
    opinions: &'a [Opinion],
    structures: &'a [Structure],
    company: &'a [Company],
    /// How many kinds of marks of furniture the page has.
    kinds: usize,
    /// What stands before each segment, and behind the last.
    before: Vec<Before>,
    prose: Prose,
    /// The bin of the place of each segment.
    places: Vec<u8>,
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
    /// Those that seem to be code, and those that seem to be furniture.
    code: u32,
    furniture: u32,
    /// Headings of related pages, of comments and of legal notices.
    marks: [u32; 3],
    /// Segments since the last moment, and since the title; 0 for none.
    since_moment: u32,
    since_title: u32,
}

/// Where prose lies, as bins.
///
/// Windows of five segments stand around a segment, before it and behind it, so each is summed up once and asked three
/// times; and what is worked out for one segment after the other in a loop of its own, a compiler puts side by side.
struct Prose {
    /// The share in the five, six and twenty-one segments before each, in those that there are; behind the last segment,
    /// too, for as long as a window has one.
    of_5: Vec<u8>,
    of_6: Vec<u8>,
    of_21: Vec<u8>,
    /// The share of that of the page that has gone by before each segment.
    past: Vec<u8>,
    /// The width of that of the page.
    all: f32,
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
            segments,
            opinions,
            structures,
            company,
            kinds,
            since_item: since_item(segments, structures),
            before: Vec::with_capacity(segments.len() + 1),
            prose: Prose::of(opinions),
            places: places(page, segments),
            short_marks: Vec::with_capacity(segments.len()),
            runs: Runs::find(opinions),
            repeats: repeats(page, segments),
        };
        scene.walk();
        scene
    }

    /// Sums up from the first segment to the last.
    fn walk(&mut self) {
        let mut sums = Before { code: 0, furniture: 0, marks: [0; 3], since_moment: 0, since_title: 0 };
        for (segment, opinion) in self.segments.iter().zip(self.opinions) {
            self.before.push(sums);
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
            let is_moment = opinion.glance == Glance::Moment || segment.form.is_dated;
            sums.since_moment = count_on(sums.since_moment, is_moment);
            sums.since_title = count_on(sums.since_title, opinion.glance == Glance::Title);
        }
        self.before.push(sums);
    }

    /// What stands on the whole page.
    fn all(&self) -> &Before {
        &self.before[self.opinions.len()]
    }

    pub(super) fn describe_node(&self, at: usize, sink: &mut impl Sink) {
        let (opinion, before, prose) = (&self.opinions[at], &self.before[at], &self.prose);
        let other = usize::from(!opinion.is_prose());
        let (total, behind) = (self.all().marks, &self.before[at + 1]);
        let ahead = [0, 1, 2].map(|kind| total[kind] - behind.marks[kind]);
        sink.nodes([Node::Repeats.bin(bin_of(self.repeats[at], &REPEATS))]);
        self.describe_neighbours(at, sink);
        sink.nodes([
            Node::Near.bin(prose.of_5[at + 3].into()),
            Node::Around.bin(prose.of_21[at + 11].into()),
            Node::Before.bin(prose.of_5[at].into()),
            Node::After.bin(prose.of_5[at + 6].into()),
        ]);
        self.describe_run(at, sink);
        sink.nodes([
            Node::Past.bin(marks(before.marks)),
            Node::Ahead.bin(marks(ahead)),
            Node::DateBefore.bin(since(before.since_moment)),
            Node::TitleBefore.bin(since(before.since_title)),
            Node::ProsePast.bin(prose.past[at].into()),
            Node::Place.bin(self.places[at].into()),
            Node::KindsGlance.bin(10 * self.kinds.min(5) + opinion.glance as usize),
        ]);
        self.describe_company(at, sink);
        sink.nodes([Node::Structure.bin(self.structures[at] as usize)]);
        if self.structures[at] != Structure::Plain {
            let (run, after) = self.since_item[at];
            sink.nodes([Node::StructureRun.bin(bin_of(run, &ITEMS)), Node::ItemAfter.bin(after)]);
        }
        sink.nodes([Node::Total.bin(bin(prose.all, &[100.0, 400.0, 1500.0]) + 4 * other)]);
    }

    /// What the segment is part of together with those beside it.
    fn describe_company(&self, at: usize, sink: &mut impl Sink) {
        let Company { n_short, place, n_numbered, goes_on } = self.company[at];
        if n_short > 0 {
            let place = match place {
                Place::First => 0,
                Place::Between => 3,
                Place::Last => 6,
            };
            sink.nodes([
                Node::ShortRun.bin(1 + bin_of(n_short, &SHORT_RUNS)),
                Node::ShortRunAt.bin(place + bin_of(n_short, &SHORT_RUNS_AT)),
            ]);
        } else {
            sink.nodes([Node::ShortRun.bin(0)]);
        }
        if n_numbered > 0 {
            sink.nodes([Node::NumberRun.bin(bin_of(n_numbered, &NUMBERS))]);
        }
        sink.nodes([Node::GoesOn.bin(usize::from(goes_on.0) + 2 * usize::from(goes_on.1))]);
    }

    /// What stands around a segment, itself left out.
    fn describe_neighbours(&self, at: usize, sink: &mut impl Sink) {
        let (from, to) = (at.saturating_sub(NEAR), (at + NEAR + 1).min(self.opinions.len()));
        let (before, behind) = (&self.before[from], &self.before[to]);
        let code = (behind.code - before.code) as f32 / (to - from) as f32;
        let own = u32::from(self.opinions[at].furniture > 0.3);
        let furniture = behind.furniture - before.furniture - own;
        let is_prose = |at: usize| self.opinions.get(at).is_some_and(Opinion::is_prose);
        let beside = usize::from(is_prose(at.wrapping_sub(1))) + 2 * usize::from(is_prose(at + 1));
        sink.nodes([Node::CodeNear.bin(bin(code, &[0.0, 0.2, 0.5]))]);
        let marks = |from: usize, to: usize| self.short_marks[from..to].iter().fold(0, |all, it| all | it);
        let mut seen = marks(from, at) | marks(at + 1, to);
        while seen != 0 {
            sink.nodes([Node::MarkNear.bin(seen.trailing_zeros() as usize)]);
            seen &= seen - 1;
        }
        let furniture = Node::FurnitureNear.bin(bin_of(furniture, &FURNITURE));
        sink.nodes([furniture, Node::Neighbours.bin(beside)]);
    }

    /// Where the segment lies to the stretches with the most prose.
    fn describe_run(&self, at: usize, sink: &mut impl Sink) {
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
            5 - bin_of((runs.best.start - at) as u32, &DISTANCES)
        } else {
            6 + bin_of((at + 1 - runs.best.end) as u32, &DISTANCES)
        };
        let other = usize::from(!self.opinions[at].is_prose());
        sink.nodes([Node::Run.bin(run), Node::RunProse.bin(2 * run.min(3) + other)]);
        let rival = bin(runs.rival, &[0.1, 0.3, 0.6]);
        match run {
            0 => sink.nodes([Node::RunRival.bin(rival)]),
            1 => {
                let order = usize::from(runs.second.start > runs.best.start);
                sink.nodes([Node::SecondRival.bin(rival), Node::SecondOrder.bin(order)]);
            }
            _ => {}
        }
    }

    pub(super) fn describe_edge(&self, at: usize, sink: &mut impl Sink) {
        let (is, segment, before) = (&self.opinions[at], &self.segments[at], &self.before[at]);
        let was = at.checked_sub(1).map(|before| (&self.opinions[before], &self.segments[before]));
        let was_structure = at.checked_sub(1).map_or(Structure::Plain, |before| self.structures[before]);
        let long = |opinion: &Opinion| opinion.width >= 15.0;
        let shape = 2 * usize::from(!was.is_some_and(|(was, _)| long(was))) + usize::from(!long(is));
        sink.edges([
            Edge::Bias.bin(0),
            Edge::Gap.bin(gap(Some(segment))),
            Edge::Was.bin(was.map_or(10, |(was, _)| was.glance as usize)),
            Edge::Is.bin(is.glance as usize),
        ]);
        if let Some(mark) = is.mark {
            sink.edges([Edge::IsMark.bin(mark as usize)]);
        }
        if let Some((was, before)) = was {
            if let Some(mark) = was.mark {
                sink.edges([Edge::WasMark.bin(mark as usize)]);
            }
            sink.edges([
                Edge::WasEnds.bin(before.form.ends_as.into()),
                Edge::IndentChange.bin(change_of_indent(before, segment)),
            ]);
        }
        sink.edges([
            Edge::Indent.bin(indent(segment)),
            Edge::GoesOn.bin(usize::from(self.company[at].goes_on.0)),
            Edge::Before.bin(self.prose.of_6[at].into()),
            Edge::After.bin(self.prose.of_6[at + 6].into()),
            Edge::Run.bin(self.runs.boundary(at)),
            Edge::DateBefore.bin(since(before.since_moment)),
            Edge::TitleBefore.bin(since(before.since_title)),
            Edge::Shape.bin(shape),
            Edge::ProsePast.bin(self.prose.past[at].into()),
            Edge::Structure.bin(change_of_structure(was_structure, self.structures[at])),
        ]);
    }
}

fn change_of_indent(before: &Segment, segment: &Segment) -> usize {
    match (indent(before).min(2), indent(segment)) {
        (_, 3) => 0,
        (was, is) if was == is => 0,
        (was, is) if is > was => 1,
        _ => 2,
    }
}

fn change_of_structure(was: Structure, is: Structure) -> usize {
    match (was, is) {
        (Structure::Plain, Structure::Plain) => 0,
        (was, is) if was == is => 1,
        (Structure::Plain, _) => 2,
        (_, Structure::Plain) => 3,
        _ => 4,
    }
}

impl Prose {
    fn of(opinions: &[Opinion]) -> Self {
        // The sums before each segment and behind the last, with as many before them and behind them as the widest
        // window has: there is nothing before a page, and nothing comes behind it.
        const WIDEST: usize = 21;
        let n = opinions.len();
        let (mut width, mut prose) = (0.0, 0.0);
        let mut widths = Vec::with_capacity(n + 2 * WIDEST);
        widths.resize(WIDEST, width);
        let mut proses = widths.clone();
        proses.reserve(n + WIDEST);
        for opinion in opinions {
            widths.push(width);
            proses.push(prose);
            let own = opinion.width.min(MAX_WIDTH);
            width += own;
            prose += if opinion.is_prose() { own } else { 0.0 };
        }
        widths.resize(n + 2 * WIDEST, width);
        proses.resize(n + 2 * WIDEST, prose);
        let window = |n_wide: usize| {
            let from = WIDEST - n_wide;
            let each = |sums: &[f32]| difference(&sums[from..=from + n + n_wide], &sums[WIDEST..]);
            shares(&each(&proses), &each(&widths))
        };
        let past = shares_of(&proses[WIDEST..WIDEST + n], prose, &PAST);
        Self { of_5: window(5), of_6: window(6), of_21: window(WIDEST), past, all: prose }
    }
}

/// What comes to the sums of `from` up to those of `to`, of each.
fn difference(from: &[f32], to: &[f32]) -> Vec<f32> {
    from.iter().zip(to).map(|(from, to)| to - from).collect()
}

/// The bins of the shares of some widths in others; where there is no width there is no share.
fn shares(parts: &[f32], widths: &[f32]) -> Vec<u8> {
    let share = |(part, width): (&f32, &f32)| if *width <= 0.0 { 0.0 } else { part / width };
    parts.iter().zip(widths).map(|each| bin(share(each), &SHARES) as u8).collect()
}

/// The bins of the shares of some parts in a whole.
fn shares_of<const N: usize>(parts: &[f32], whole: f32, limits: &[f32; N]) -> Vec<u8> {
    parts.iter().map(|part| bin(if whole > 0.0 { part / whole } else { 0.0 }, limits) as u8).collect()
}

/// The bins of where segments begin on their page.
fn places(page: &str, segments: &[Segment]) -> Vec<u8> {
    let n_bytes = page.len().max(1) as f32;
    segments.iter().map(|segment| bin(segment.start as f32 / n_bytes, &PLACES) as u8).collect()
}

/// For each segment, entries of the same structure in a row up to it, and how the line before them ends.
fn since_item(segments: &[Segment], structures: &[Structure]) -> Vec<(u32, usize)> {
    let (mut run, mut after, mut was) = (0, 2, Structure::Plain);
    let mut before: Option<&Segment> = None;
    let mut found = Vec::with_capacity(segments.len());
    for (segment, is) in segments.iter().zip(structures) {
        if *is != was {
            after = before.map_or(2, |before| match &before.form {
                form if form.ends_in_colon => 0,
                form if form.ends_sentence => 1,
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

fn count_on(since: u32, here: bool) -> u32 {
    if here { 1 } else { since + u32::from(since > 0) }
}

/// The bin of the segments since something; 0 where there was nothing.
fn since(segments: u32) -> usize {
    usize::from(segments > 0) + bin_of(segments, &SINCE)
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
        let mut slot = segments[at].form.hash as usize & (slots.len() - 1);
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
