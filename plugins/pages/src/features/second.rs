//! The features of the second model: what the first thought of a block and of those around it.
//!
//! Nothing of the page itself is among them. With all features of the first model beside these, the second learned
//! its thousand pages by heart: it did better on them, and no better on sites that it had not seen.

use std::ops::Range;

use tamis_text::runs::best_run;

use super::Page;
use super::around::{Sums, of_each};
use super::columns::Columns;
use super::first::log;
use super::measure::part;

const NEIGHBOURS: [(isize, &str); 10] = [
    (-5, "p.prev5"),
    (-4, "p.prev4"),
    (-3, "p.prev3"),
    (-2, "p.prev2"),
    (-1, "p.prev1"),
    (1, "p.next1"),
    (2, "p.next2"),
    (3, "p.next3"),
    (4, "p.next4"),
    (5, "p.next5"),
];

/// The farthest of [`NEIGHBOURS`].
const REACH: usize = 5;

const LEVELS: [(usize, &str, &str); 6] = [
    (0, "p.own", "p.own.share"),
    (1, "p.up1", "p.up1.share"),
    (2, "p.up2", "p.up2.share"),
    (3, "p.up3", "p.up3.share"),
    (4, "p.up4", "p.up4.share"),
    (6, "p.up6", "p.up6.share"),
];

/// In a run, a block speaks for as many words as this at most, so that one long block is no run.
const MOST_WORDS: f32 = 60.0;
/// Further from the run than this is far, in blocks.
const FAR: f32 = 50.0;

/// A block that is likely content is this far, in blocks and words, where there is none.
const NONE_NEAR: Near = Near { blocks: 60.0, words: 500.0 };

impl<'a> Page<'a> {
    /// The features of the second model; `thought` is what the first gave each block of this page, 0 to 1.
    pub fn second(&self, thought: &[f32]) -> Columns {
        let mut columns = Columns::default();
        self.second_parts(thought, thought.len()).next(&mut columns);
        columns
    }

    /// The features of the second model for so many blocks at a time.
    pub(crate) fn second_parts<'p>(&'p self, thought: &'p [f32], n_rows: usize) -> SecondParts<'p, 'a> {
        SecondParts::new(self, thought, n_rows.max(1))
    }
}

/// Makes the features of the second model, for some blocks at a time; see [`super::first::FirstParts`].
pub(crate) struct SecondParts<'p, 'a> {
    page: &'p Page<'a>,
    thought: &'p [f32],
    n_rows: usize,
    n_done: usize,
    /// For each block element, the words thought to be content and all words.
    masses: Sums<2>,
    /// The words before the blocks that come next that were thought to be content.
    mass_before: f32,
    before: Near,
    /// For the last block of each part, what is behind it.
    behind: Vec<Near>,
    /// What was thought of the blocks that look the same: their words, and those thought to be content.
    likes: Vec<(f32, f32)>,
    runs: Runs,
}

/// How far the nearest block is that is likely content.
#[derive(Debug, Clone, Copy)]
struct Near {
    blocks: f32,
    words: f32,
}

impl Near {
    /// Goes past a block.
    fn pass(&mut self, p: f32, n_words: f32) {
        *self = if p > 0.5 {
            Self { blocks: 0.0, words: 0.0 }
        } else {
            Self { blocks: NONE_NEAR.blocks.min(self.blocks + 1.0), words: self.words + n_words }
        };
    }
}

/// The stretches of a page that were thought to be content.
struct Runs {
    best: Range<usize>,
    sum: f32,
    second: Range<usize>,
    rival: f32,
    all: f32,
}

impl<'p, 'a> SecondParts<'p, 'a> {
    fn new(page: &'p Page<'a>, thought: &'p [f32], n_rows: usize) -> Self {
        let mut likes = vec![(0.0, 0.0); page.n_looks()];
        for (block, p) in thought.iter().enumerate() {
            if let Some(like) = likes.get_mut(page.look(page.container(block))) {
                like.0 += p * page.n_words(block);
                like.1 += page.n_words(block);
            }
        }
        let mut behind = Vec::with_capacity(thought.len() / n_rows + 1);
        let mut near = NONE_NEAR;
        for (block, p) in thought.iter().enumerate().rev() {
            if block + 1 == thought.len() || (block + 1).is_multiple_of(n_rows) {
                behind.push(near);
            }
            near.pass(*p, page.n_words(block));
        }
        Self {
            page,
            thought,
            n_rows,
            n_done: 0,
            masses: Sums::of(&page.blocks, |block| mass(page, thought, block)),
            mass_before: 0.0,
            before: NONE_NEAR,
            behind,
            likes,
            runs: Runs::of(page, thought),
        }
    }

    /// Makes the features of the next blocks; false when none is left.
    pub(crate) fn next(&mut self, columns: &mut Columns) -> bool {
        let rows = self.n_done..self.thought.len().min(self.n_done + self.n_rows);
        self.n_done = rows.end;
        columns.begin(rows.clone());
        let thought = self.thought;
        columns.add("p", |b| thought[b]);
        let near: Vec<f32> = (rows.start..rows.end + 2 * REACH)
            .map(|at| at.checked_sub(REACH).and_then(|block| thought.get(block)).copied().unwrap_or(-0.1))
            .collect();
        for (offset, name) in NEIGHBOURS {
            let others = near.iter().skip(REACH.saturating_add_signed(offset)).take(rows.len());
            columns.add_each(name, others.copied());
        }
        self.mass_features(columns);
        self.gap_features(columns);
        let of =
            |b: usize| self.likes.get(self.page.look(self.page.container(b))).copied().unwrap_or_default();
        let likes: Vec<(f32, f32)> = rows.clone().map(of).collect();
        let like = |b: usize| likes[b - rows.start];
        columns.add("p.like", |b| part(like(b).0, like(b).1));
        columns.add("p.like.words", |b| log(like(b).0));
        self.runs.features(thought.len(), columns);
        !rows.is_empty()
    }

    /// How many words were thought to be content, in the elements around a block, before it and behind it.
    fn mass_features(&mut self, columns: &mut Columns) {
        let (page, [all, words]) = (self.page, self.masses.all);
        let up = page.elements_up(columns.rows());
        for (levels, mean, share) in LEVELS {
            let make = |element: usize| {
                let of_block = |block: usize| mass(page, self.thought, block);
                let [mass, words] = page.sum_of(&self.masses, element, of_block);
                [part(mass, words), part(mass, all)]
            };
            let inside = of_each(up.iter().map(|up| up[levels]), make);
            columns.add_each(mean, inside.iter().map(|[mean, _]| *mean));
            columns.add_each(share, inside.iter().map(|[_, share]| *share));
        }
        let start = columns.rows().start;
        let mut upto = Vec::with_capacity(columns.n_rows() + 1);
        upto.push(self.mass_before);
        for block in columns.rows() {
            self.mass_before += self.thought[block] * page.n_words(block);
            upto.push(self.mass_before);
        }
        columns.add("p.before", |b| part(upto[b - start], all));
        columns.add("p.before.words", |b| log(upto[b - start]));
        columns.add("p.behind.words", |b| log(all - upto[b - start + 1]));
        columns.add("p.page", |_| part(all, words));
        columns.add("p.page.words", |_| log(all));
    }

    /// How far the nearest blocks are that are likely content.
    fn gap_features(&mut self, columns: &mut Columns) {
        let rows = columns.rows();
        let pass = |near: &mut Near, block: usize| {
            let before = *near;
            near.pass(self.thought[block], self.page.n_words(block));
            before
        };
        let before: Vec<Near> = rows.clone().map(|block| pass(&mut self.before, block)).collect();
        let mut near = self.behind.pop().unwrap_or(NONE_NEAR);
        let mut behind: Vec<Near> = rows.clone().rev().map(|block| pass(&mut near, block)).collect();
        behind.reverse();
        columns.add("gap.before", |b| log(before[b - rows.start].blocks));
        columns.add("gap.before.words", |b| log(before[b - rows.start].words));
        columns.add("gap.behind", |b| log(behind[b - rows.start].blocks));
        columns.add("gap.behind.words", |b| log(behind[b - rows.start].words));
    }
}

/// The words of a block that were thought to be content, and all of its words.
fn mass(page: &Page<'_>, thought: &[f32], block: usize) -> [f32; 2] {
    let n_words = page.n_words(block);
    [thought.get(block).copied().unwrap_or(0.0) * n_words, n_words]
}

impl Runs {
    fn of(page: &Page<'_>, thought: &[f32]) -> Self {
        let score = |b: usize| (thought[b] - 0.5) * (page.n_words(b).min(MOST_WORDS) + 1.0);
        let n_blocks = thought.len();
        let (best, sum) = best_run(0..n_blocks, score);
        let (before, behind) = (best_run(0..best.start, score), best_run(best.end..n_blocks, score));
        let (second, rival) = if before.1 > behind.1 { before } else { behind };
        let all = (0..n_blocks).map(|b| score(b).max(0.0)).sum();
        Self { best, sum, second, rival, all }
    }

    /// Where a block lies to the stretch of the page that was thought to be content.
    fn features(&self, n_blocks: usize, columns: &mut Columns) {
        let Self { best, sum, second, rival, all } = self;
        columns.add("run.best", |b| f32::from(best.contains(&b)));
        columns.add("run.second", |b| f32::from(second.contains(&b)));
        columns.add("run.distance", |b| {
            let ahead = best.start.saturating_sub(b) as f32;
            let past = (b + 1).saturating_sub(best.end) as f32;
            if ahead > 0.0 { -ahead.min(FAR) } else { past.min(FAR) }
        });
        columns.add("run.place", |b| part(b as f32 - best.start as f32, best.len() as f32).clamp(-2.0, 3.0));
        columns.add("run.sum", |_| log(*sum));
        columns.add("run.rival", |_| part(*rival, *sum));
        columns.add("run.share", |_| part(*sum, *all));
        columns.add("run.size", |_| part(best.len() as f32, n_blocks as f32));
    }
}
