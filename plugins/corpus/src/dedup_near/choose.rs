//! What `bands = "auto"` stands for, by a sample of the documents and their number.
//!
//! The threshold says how few bands may be enough to find what is alike. How many of another kind they find grows with
//! the collection and depends on what it is made of: pages of one topic, or with a template around them, are alike at
//! .2 where others have nothing in common, and of a million such pages each has a dozen false candidates with the usual
//! 14 bands of 8. So pairs of a sample are compared, and each says how likely bands are to take it for a candidate.

use super::options::DedupNearOptions;
use super::set::Set;
use super::shingles;
use super::signature::Bands;

/// So many texts are compared, each with each.
const MOST_TEXTS: usize = 800;
/// Pairs that are more alike than this are copies, and no accident.
const COPIES: f64 = 0.6;
/// So many false candidates a document may have: with one, nearly all of them hang together in one group.
const MOST_FALSE: f64 = 0.3;
/// Each band takes 24 bytes a document, and time.
const MOST_BANDS: usize = 64;
const MOST_ROWS: usize = 16;
/// As many rows as nearly everybody uses.
const USUAL_ROWS: usize = 8;
/// So many of those that are .05 above the threshold may be missed.
const MOST_MISSED: f64 = 0.01;

/// What was chosen, and what it is expected to do.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Chosen {
    pub(super) number: usize,
    pub(super) rows: usize,
    /// How many false candidates a document has.
    pub(super) n_false: f64,
    /// How many texts were compared with each other.
    pub(super) n_texts: usize,
}

/// Chooses bands for a collection of so many documents like these.
pub(super) fn choose(options: &DedupNearOptions, texts: &[String], n_documents: u64) -> Chosen {
    let similarities = similarities(options, texts);
    let n_texts = texts.len().min(MOST_TEXTS);
    let mut best: Option<Chosen> = None;
    for (number, rows) in enough(options.least()) {
        let n_false = n_false(&similarities, number, rows, n_texts, n_documents);
        let new = Chosen { number, rows, n_false, n_texts };
        let is_better = best.is_none_or(|best| match (best.n_false < MOST_FALSE, n_false < MOST_FALSE) {
            (true, true) => number < best.number,
            (false, true) => true,
            (true, false) => false,
            (false, false) => n_false < best.n_false,
        });
        if is_better {
            best = Some(new);
        }
    }
    best.unwrap_or_else(|| {
        let Bands { number, rows, .. } = Bands::finding(options.least());
        Chosen { number, rows, n_false: 0.0, n_texts }
    })
}

/// The numbers of bands and rows that miss no more than they may: for each number of rows the fewest bands. A sample in
/// which nothing is alike does not say that nothing is, so there are no fewer rows than are usual for the threshold.
fn enough(least: f64) -> impl Iterator<Item = (usize, usize)> {
    let alike = (least + 0.05).min(0.99);
    let least_rows = Bands::finding(least).rows.min(USUAL_ROWS);
    (least_rows..=MOST_ROWS).filter_map(move |rows| {
        let is_enough = |number: &usize| Bands::new(*number, rows).missed(alike) <= MOST_MISSED;
        Some(((1..=MOST_BANDS).find(is_enough)?, rows))
    })
}

/// How alike the texts are that are no copies of each other, as far as they are at all.
fn similarities(options: &DedupNearOptions, texts: &[String]) -> Vec<f64> {
    let (mut tokens, mut hashes) = (Vec::new(), Vec::new());
    // From all over the sample, if it is larger.
    let step = texts.len().div_ceil(MOST_TEXTS).max(1);
    let sets: Vec<Set> = texts
        .iter()
        .step_by(step)
        .map(|text| {
            let mut set = Set::default();
            shingles::shingles(text, options.shingle_tokens, &mut tokens, &mut hashes);
            set.fill(&hashes);
            set
        })
        .collect();
    let copies = options.least().min(COPIES);
    let mut similarities = Vec::new();
    for (at, one) in sets.iter().enumerate() {
        let others = sets.iter().skip(at + 1);
        let alike = others.map(|other| one.jaccard(other));
        similarities.extend(alike.filter(|alike| *alike > 0.0 && *alike < copies));
    }
    similarities
}

/// How many others the bands take for candidates of a document that are not.
fn n_false(similarities: &[f64], number: usize, rows: usize, n_texts: usize, n_documents: u64) -> f64 {
    let bands = Bands::new(number, rows);
    let expected: f64 = similarities.iter().map(|alike| 1.0 - bands.missed(*alike)).sum();
    let n_pairs = (n_texts * n_texts.saturating_sub(1) / 2).max(1);
    expected / n_pairs as f64 * n_documents.saturating_sub(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts of which so many words of a hundred are those of a template.
    fn texts(n_common: usize) -> Vec<String> {
        let text = |n: usize| {
            let common = (0..n_common).map(|k| format!("template{k} "));
            common.chain((n_common..100).map(|k| format!("w{n}x{k} "))).collect()
        };
        (0..200).map(text).collect()
    }

    fn chosen(n_common: usize, n_documents: u64) -> Chosen {
        choose(&DedupNearOptions::default(), &texts(n_common), n_documents)
    }

    #[test]
    fn more_is_asked_of_bands_where_texts_are_alike_by_accident() {
        let apart = chosen(0, 1_000_000);
        assert!(
            (apart.number, apart.rows, apart.n_texts) == (15, 8, 200) && apart.n_false < 1e-9,
            "{apart:?}"
        );
        // A third of the words in common: alike at .2.
        let (small, large) = (chosen(36, 1000), chosen(36, 1_000_000_000));
        assert!(small.n_false < MOST_FALSE && small.rows < large.rows, "{small:?} {large:?}");
        assert!(large.number > small.number && small.number >= apart.number, "{small:?} {large:?}");
        for Chosen { number, rows, .. } in [apart, small, large] {
            assert!(Bands::new(number, rows).missed(0.85) <= MOST_MISSED);
        }
        // What is hopeless is told by its number.
        assert!(chosen(70, 1_000_000_000_000).n_false > 1.0);
    }

    #[test]
    fn copies_and_nothing_at_all_are_no_accident() {
        let copies = vec![texts(0)[0].clone(); 50];
        assert!(choose(&DedupNearOptions::default(), &copies, 1 << 40).n_false < 1e-9);
        assert_eq!(choose(&DedupNearOptions::default(), &[], 7).n_texts, 0);
    }
}
