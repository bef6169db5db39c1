//! Learns the weights of words: how the texts of content and of the rest are worded.
//!
//! A logistic regression over the words, pairs, first words and whole texts of blocks, by stochastic gradients with a
//! rate for each weight (`AdaGrad`: Duchi, Hazan and Singer, 2011). Only phrases of several sites take part, so that
//! weights say how pages talk and not what some of them are about.

use std::collections::HashMap;

use tamis_pages::training::{Kind, Wording, folded, phrases};

use super::Sample;
use super::boost::Random;

/// So many sites must have a phrase.
const LEAST_SITES: u32 = 30;
const N_EPOCHS: usize = 4;
const RATE: f32 = 0.08;
/// How strongly weights are drawn to zero, for each step.
const DECAY: f32 = 5e-4;
/// Weights below this make no difference.
const LEAST_WEIGHT: f32 = 0.1;
/// A block counts at most so much: in the end short blocks are to be told.
const MOST_WEIGHT: f32 = 3.0;

/// The blocks of all pages as phrases, from which weights are learned without one fold or another.
pub(crate) struct Lessons {
    /// Key of each phrase.
    keys: Vec<u64>,
    rows: Vec<Lesson>,
}

struct Lesson {
    phrases: Vec<u32>,
    truth: f32,
    weight: f32,
    fold: usize,
}

/// What was learned.
pub(crate) struct Learned {
    base: f32,
    weights: Vec<f32>,
}

impl Lessons {
    pub(crate) fn of(pages: &[Sample<'_>], weight_of_set: impl Fn(usize) -> f32) -> Self {
        let keys = common(pages);
        let numbers: HashMap<u64, u32> = keys.iter().copied().zip(0..).collect();
        let mut rows = Vec::new();
        for sample in pages {
            let known = sample.labels.iter().enumerate().filter(|(_, label)| label.weight > 0.0);
            for (block, label) in known {
                let mut found = Vec::new();
                phrases(sample.page.text(block), |_, key, _| found.extend(numbers.get(&key)));
                let weight = (label.weight * weight_of_set(sample.set) * 100.0).sqrt().min(MOST_WEIGHT);
                rows.push(Lesson { phrases: found, truth: label.truth, weight, fold: sample.fold });
            }
        }
        Self { keys, rows }
    }

    pub(crate) fn n_phrases(&self) -> usize {
        self.keys.len()
    }

    /// Learns from all pages but those of a fold.
    pub(crate) fn learn(&self, without: usize) -> Learned {
        let mut order: Vec<u32> = (0..self.rows.len() as u32).collect();
        order.retain(|row| self.rows[*row as usize].fold != without);
        let mut random = Random(11);
        let mut weights = vec![0.0_f32; self.keys.len()];
        let mut squares = vec![1e-3_f32; self.keys.len()];
        let (mut base, mut base_square) = (0.0_f32, 1e-3_f32);
        for _ in 0..N_EPOCHS {
            for at in (1..order.len()).rev() {
                order.swap(at, random.below(at + 1));
            }
            for row in &order {
                let row = &self.rows[*row as usize];
                let sum = base + row.phrases.iter().map(|it| weights[*it as usize]).sum::<f32>();
                let slope = row.weight * (row.truth - 1.0 / (1.0 + (-sum).exp()));
                base_square += slope * slope;
                base += RATE * slope / base_square.sqrt();
                for it in &row.phrases {
                    let it = *it as usize;
                    let slope = slope - DECAY * weights[it];
                    squares[it] += slope * slope;
                    weights[it] += RATE * slope / squares[it].sqrt();
                }
            }
        }
        Learned { base, weights }
    }

    /// What was learned, for the features.
    pub(crate) fn wording(&self, learned: &Learned) -> Wording {
        let weights = self.keys.iter().copied().zip(learned.weights.iter().copied());
        let weights: Vec<(u64, f32)> =
            weights.filter(|(_, weight)| weight.abs() >= LEAST_WEIGHT).map(rounded).collect();
        Wording::new(rounded((0, learned.base)).1, &weights)
    }

    /// What was learned, as a file: the strongest phrases of the rest first.
    pub(crate) fn file(&self, learned: &Learned, pages: &[Sample<'_>]) -> String {
        let mut wanted: HashMap<u64, f32> =
            self.keys.iter().copied().zip(learned.weights.iter().copied()).collect();
        wanted.retain(|_, weight| weight.abs() >= LEAST_WEIGHT);
        let mut found: Vec<(Kind, String, f32)> = Vec::new();
        for sample in pages {
            for block in 0..sample.page.n_blocks() {
                let text = sample.page.text(block);
                phrases(text, |kind, key, range| {
                    if let Some(weight) = wanted.remove(&key) {
                        found.push((kind, folded(text.get(range).unwrap_or_default()), weight));
                    }
                });
            }
        }
        found.sort_by(|a, b| a.2.total_cmp(&b.2).then_with(|| a.1.cmp(&b.1)));
        Wording::file(learned.base, &found)
    }
}

/// As the file has it.
fn rounded((key, weight): (u64, f32)) -> (u64, f32) {
    (key, (weight * 1000.0).round() / 1000.0)
}

/// The keys of the phrases that several sites have, in order.
fn common(pages: &[Sample<'_>]) -> Vec<u64> {
    let mut by_site: Vec<&Sample<'_>> = pages.iter().collect();
    by_site.sort_by_key(|sample| sample.record.site());
    let mut counts: HashMap<u64, (u32, u32)> = HashMap::new();
    let (mut n_sites, mut last) = (0, None);
    for sample in by_site {
        if last.replace(sample.record.site()) != Some(sample.record.site()) {
            n_sites += 1;
        }
        for block in 0..sample.page.n_blocks() {
            phrases(sample.page.text(block), |_, key, _| {
                let (n, last) = counts.entry(key).or_default();
                if *last != n_sites {
                    (*n, *last) = (*n + 1, n_sites);
                }
            });
        }
    }
    let mut keys: Vec<u64> =
        counts.into_iter().filter(|(_, (n, _))| *n >= LEAST_SITES).map(|(key, _)| key).collect();
    keys.sort_unstable();
    keys
}
