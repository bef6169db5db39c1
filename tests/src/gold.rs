//! Measures of a cleaned text against what a person wrote down as right.

use std::collections::BTreeMap;

/// Characters of a shingle, as in the scorer of the evaluation sets.
const SHINGLE_CHARS: usize = 5;
/// Characters on either side of a paragraph boundary by which it is recognised.
const CONTEXT_CHARS: usize = 8;

/// The F1 of the character 5-gram multisets of two texts, white space and zero-width characters removed:
/// 1 for the same text, 0 for nothing in common; two empty texts are the same.
pub fn shingle_f1(predicted: &str, gold: &str) -> f64 {
    let (predicted, gold) = (shingles(predicted), shingles(gold));
    let (n_predicted, n_gold): (u64, u64) = (predicted.values().sum(), gold.values().sum());
    if n_predicted + n_gold == 0 {
        return 1.0;
    }
    let common: u64 =
        predicted.iter().map(|(shingle, n)| (*n).min(gold.get(shingle).copied().unwrap_or(0))).sum();
    2.0 * common as f64 / (n_predicted + n_gold) as f64
}

/// The share of gold paragraphs that occur among the predicted ones, white space at their ends aside; from 0
/// to 1, each predicted paragraph counted once.
pub fn paragraph_agreement(predicted: &[&str], gold: &[&str]) -> f64 {
    let mut left: BTreeMap<&str, u64> = BTreeMap::new();
    for paragraph in predicted {
        *left.entry(paragraph.trim()).or_default() += 1;
    }
    let mut n_equal = 0;
    for paragraph in gold {
        if let Some(n) = left.get_mut(paragraph.trim()).filter(|n| **n > 0) {
            *n -= 1;
            n_equal += 1;
        }
    }
    if gold.is_empty() { 1.0 } else { f64::from(n_equal) / gold.len() as f64 }
}

/// Boundaries between predicted paragraphs that cut a gold paragraph in two, each as the text around it.
///
/// A boundary is recognised by the characters on either side of it, so that paragraphs in another order, or
/// with a repair elsewhere, are no false boundaries.
pub fn false_boundaries(predicted: &[&str], gold: &[&str]) -> Vec<String> {
    let squeeze = |text: &&str| squeezed(text).into_iter().collect::<String>();
    let gold: Vec<String> = gold.iter().map(squeeze).collect();
    let predicted: Vec<Vec<char>> =
        predicted.iter().map(|text| squeezed(text)).filter(|text| !text.is_empty()).collect();
    let around = |pair: &[Vec<char>]| {
        let before = &pair[0][pair[0].len().saturating_sub(CONTEXT_CHARS)..];
        let after = &pair[1][..CONTEXT_CHARS.min(pair[1].len())];
        before.iter().chain(after).collect::<String>()
    };
    let cuts = |context: &String| gold.iter().any(|paragraph| paragraph.contains(context.as_str()));
    predicted.windows(2).map(around).filter(cuts).collect()
}

/// The lines of a text that are not blank: paragraphs, as the pipelines write them.
pub fn paragraphs(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.trim().is_empty()).collect()
}

fn squeezed(text: &str) -> Vec<char> {
    let is_nothing =
        |c: char| c.is_whitespace() || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}');
    text.chars().filter(|c| !is_nothing(*c)).collect()
}

fn shingles(text: &str) -> BTreeMap<Vec<char>, u64> {
    let text = squeezed(text);
    let mut counts = BTreeMap::new();
    if !text.is_empty() && text.len() < SHINGLE_CHARS {
        counts.insert(text, 1);
        return counts;
    }
    for shingle in text.windows(SHINGLE_CHARS) {
        *counts.entry(shingle.to_vec()).or_default() += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f1_is_one_for_the_same_words_and_falls_with_what_is_missing_or_added() {
        assert!((shingle_f1("清河 涨水", "清河涨水") - 1.0).abs() < 1e-9);
        assert!((shingle_f1("", "") - 1.0).abs() < 1e-9);
        assert!(shingle_f1("", "abcdef") < 1e-9);
        // Three shingles against four, three in common.
        assert!((shingle_f1("abcdefg", "abcdefgh") - 6.0 / 7.0).abs() < 1e-9);
    }

    #[test]
    fn paragraphs_agree_one_by_one() {
        assert!((paragraph_agreement(&["a", "b", "b"], &["a ", "b", "c"]) - 2.0 / 3.0).abs() < 1e-9);
        assert!((paragraph_agreement(&["b"], &["b", "b"]) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn only_a_cut_inside_a_gold_paragraph_is_a_false_boundary() {
        let gold = ["the river rose in the night", "nobody was hurt"];
        assert!(false_boundaries(&["nobody was hurt", "the river rose in the night"], &gold).is_empty());
        assert_eq!(false_boundaries(&["the river rose", "in the night", "nobody was hurt"], &gold).len(), 1);
    }
}
