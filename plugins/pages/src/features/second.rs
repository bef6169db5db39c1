//! The features of the second model: what the first thought of a block and of those around it.
//!
//! Nothing of the page itself is among them. With all features of the first model beside these, the second learned
//! its thousand pages by heart: it did better on them, and no better on sites that it had not seen.

use tamis_text::runs::best_run;

use super::Page;
use super::around::Map;
use super::columns::Columns;
use super::first::{log, part};

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

const LEVELS: [(usize, &str, &str); 6] = [
    (0, "p.own", "p.own.share"),
    (1, "p.up1", "p.up1.share"),
    (2, "p.up2", "p.up2.share"),
    (3, "p.up3", "p.up3.share"),
    (4, "p.up4", "p.up4.share"),
    (6, "p.up6", "p.up6.share"),
];

/// Columns to make room for, so that the table is not moved while it grows.
const N_COLUMNS: usize = 42;

/// In a run, a block speaks for as many words as this at most, so that one long block is no run.
const MOST_WORDS: f32 = 60.0;
/// Further from the run than this is far, in blocks.
const FAR: f32 = 50.0;

impl Page<'_> {
    /// The features of the second model; `thought` is what the first gave each block of this page, 0 to 1.
    pub fn second(&self, thought: &[f32]) -> Columns {
        let n_blocks = self.n_blocks();
        let mut columns = Columns::new(n_blocks, N_COLUMNS);
        columns.add("p", |b| thought[b]);
        for (offset, name) in NEIGHBOURS {
            let at = |b: usize| b.checked_add_signed(offset).and_then(|at| thought.get(at));
            columns.add(name, |b| at(b).copied().unwrap_or(-0.1));
        }
        self.mass_features(&mut columns, thought);
        self.gap_features(&mut columns, thought);
        self.like_features(&mut columns, thought);
        self.run_features(&mut columns, thought);
        columns
    }

    /// How many words were thought to be content, in the elements around a block, before it and behind it.
    fn mass_features(&self, columns: &mut Columns, thought: &[f32]) {
        let n_blocks = thought.len();
        let mut upto = Vec::with_capacity(n_blocks + 1);
        let mut words_upto = Vec::with_capacity(n_blocks + 1);
        let (mut sum, mut words) = (0.0, 0.0);
        for (block, p) in thought.iter().enumerate() {
            upto.push(sum);
            words_upto.push(words);
            sum += p * self.n_words(block);
            words += self.n_words(block);
        }
        upto.push(sum);
        words_upto.push(words);
        for (levels, mean, share) in LEVELS {
            let ranges: Vec<_> = (0..n_blocks).map(|b| self.range(self.up(b, levels))).collect();
            let inside = |b: usize| upto[ranges[b].end] - upto[ranges[b].start];
            columns.add(mean, |b| part(inside(b), words_upto[ranges[b].end] - words_upto[ranges[b].start]));
            columns.add(share, |b| part(inside(b), sum));
        }
        columns.add("p.before", |b| part(upto[b], sum));
        columns.add("p.before.words", |b| log(upto[b]));
        columns.add("p.behind.words", |b| log(sum - upto[b + 1]));
        columns.add("p.page", |_| part(sum, words));
        columns.add("p.page.words", |_| log(sum));
    }

    /// How far the nearest blocks are that are likely content.
    fn gap_features(&self, columns: &mut Columns, thought: &[f32]) {
        let far = 60.0_f32;
        let (mut since, mut words) = (far, 500.0_f32);
        let mut before = Vec::with_capacity(thought.len());
        for (block, p) in thought.iter().enumerate() {
            before.push((since, words));
            (since, words) =
                if *p > 0.5 { (0.0, 0.0) } else { (far.min(since + 1.0), words + self.n_words(block)) };
        }
        let (mut until, mut words) = (far, 500.0);
        let mut behind = vec![(far, 500.0); thought.len()];
        for (block, p) in thought.iter().enumerate().rev() {
            behind[block] = (until, words);
            (until, words) =
                if *p > 0.5 { (0.0, 0.0) } else { (far.min(until + 1.0), words + self.n_words(block)) };
        }
        columns.add("gap.before", |b| log(before[b].0));
        columns.add("gap.before.words", |b| log(before[b].1));
        columns.add("gap.behind", |b| log(behind[b].0));
        columns.add("gap.behind.words", |b| log(behind[b].1));
    }

    /// What was thought of the blocks that look the same.
    fn like_features(&self, columns: &mut Columns, thought: &[f32]) {
        let signature = |b: usize| self.around.get(self.container(b)).map_or(0, |it| it.signature);
        let mut likes: Map<u64, (f32, f32)> = Map::default();
        for (block, p) in thought.iter().enumerate() {
            let like = likes.entry(signature(block)).or_default();
            like.0 += p * self.n_words(block);
            like.1 += self.n_words(block);
        }
        let like = |b: usize| likes.get(&signature(b)).copied().unwrap_or_default();
        columns.add("p.like", |b| part(like(b).0, like(b).1));
        columns.add("p.like.words", |b| log(like(b).0));
    }

    /// Where a block lies to the stretch of the page that was thought to be content.
    fn run_features(&self, columns: &mut Columns, thought: &[f32]) {
        let score = |b: usize| (thought[b] - 0.5) * (self.n_words(b).min(MOST_WORDS) + 1.0);
        let n_blocks = thought.len();
        let (best, sum) = best_run(0..n_blocks, score);
        let (before, behind) = (best_run(0..best.start, score), best_run(best.end..n_blocks, score));
        let (second, rival) = if before.1 > behind.1 { before } else { behind };
        let all: f32 = (0..n_blocks).map(|b| score(b).max(0.0)).sum();
        columns.add("run.best", |b| f32::from(best.contains(&b)));
        columns.add("run.second", |b| f32::from(second.contains(&b)));
        columns.add("run.distance", |b| {
            let ahead = best.start.saturating_sub(b) as f32;
            let past = (b + 1).saturating_sub(best.end) as f32;
            if ahead > 0.0 { -ahead.min(FAR) } else { past.min(FAR) }
        });
        columns.add("run.place", |b| part(b as f32 - best.start as f32, best.len() as f32).clamp(-2.0, 3.0));
        columns.add("run.sum", |_| log(sum));
        columns.add("run.rival", |_| part(rival, sum));
        columns.add("run.share", |_| part(sum, all));
        columns.add("run.size", |_| part(best.len() as f32, n_blocks as f32));
    }
}
