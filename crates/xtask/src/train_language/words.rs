//! Words drawn from the frequencies of letter groups.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;

use super::Numbers;

/// Where a word can go on from the last letters, and how often it does; `None` is its end.
type Steps = BTreeMap<String, Vec<(Option<char>, f64)>>;

/// Letters that a word remembers.
const MEMORY: usize = 4;
/// Longer words are mistakes of the drawing: letter groups that follow each other for ever.
const MAX_LETTERS: usize = 30;

/// Draws words by the models of lingua in `folder`: five files of how often a group of letters follows its first ones.
///
/// The groups stand within words and say nothing of where these begin. But a group that is more frequent than all
/// groups in which a letter stands before it begins a word so often, and one that is more frequent than all that go on
/// ends it. So words can be drawn whole, with the short ones that are most of a text as frequent as they are.
pub(super) fn draw(folder: &Path, n_words: usize) -> anyhow::Result<Vec<String>> {
    let steps = steps(&frequencies(folder)?);
    let mut numbers = Numbers(0x9E37_79B9_7F4A_7C15);
    let words = (0..n_words).map(|_| word(&steps, &mut numbers));
    Ok(words.filter(|word| !word.is_empty()).collect())
}

/// How often each group of one to five letters occurs, as a share of all letters.
fn frequencies(folder: &Path) -> anyhow::Result<BTreeMap<String, f64>> {
    let mut all: BTreeMap<String, f64> = BTreeMap::new();
    for name in ["unigrams", "bigrams", "trigrams", "quadrigrams", "fivegrams"] {
        let file = std::fs::File::open(folder.join(format!("{name}.json.br")))?;
        let json: serde_json::Value =
            serde_json::from_reader(brotli_decompressor::Decompressor::new(file, 1 << 16))?;
        let groups = json.get("ngrams").and_then(serde_json::Value::as_object).context("no `ngrams`")?;
        for (fraction, groups) in groups {
            let (above, below) = fraction.split_once('/').context("no fraction")?;
            let share = above.parse::<f64>()? / below.parse::<f64>()?;
            for group in groups.as_str().context("no groups")?.split(' ') {
                let mut first = group.chars();
                first.next_back();
                let before = match first.as_str() {
                    "" => 1.0,
                    before => all.get(before).copied().unwrap_or(0.0),
                };
                all.insert(group.to_owned(), share * before);
            }
        }
    }
    Ok(all)
}

fn steps(frequencies: &BTreeMap<String, f64>) -> Steps {
    let mut with_letter_before: BTreeMap<&str, f64> = BTreeMap::new();
    for (group, frequency) in frequencies {
        let mut rest = group.chars();
        rest.next();
        if !rest.as_str().is_empty() {
            *with_letter_before.entry(rest.as_str()).or_default() += frequency;
        }
    }
    let mut steps = Steps::new();
    // How often what a word remembers occurs: those who go on are taken from it, the rest are ends.
    let mut totals: BTreeMap<String, f64> = BTreeMap::new();
    for (group, frequency) in frequencies {
        let letters: Vec<char> = group.chars().collect();
        let (last, before) = letters
            .split_last()
            .map_or((None, String::new()), |(last, before)| (Some(*last), before.iter().collect::<String>()));
        if letters.len() <= MEMORY {
            let begins = frequency - with_letter_before.get(group.as_str()).copied().unwrap_or(0.0);
            if begins > 1e-12 {
                steps.entry(format!("^{before}")).or_default().push((last, begins));
                totals.insert(format!("^{group}"), begins);
            }
        } else {
            steps.entry(before).or_default().push((last, *frequency));
        }
        if letters.len() == MEMORY {
            totals.insert(group.clone(), *frequency);
        }
    }
    for (from, onward) in &mut steps {
        let going_on: f64 = onward.iter().map(|(_, frequency)| frequency).sum();
        let ends = totals.get(from).map_or(0.0, |total| (total - going_on).max(0.0));
        onward.push((None, ends));
    }
    steps
}

fn word(steps: &Steps, numbers: &mut Numbers) -> String {
    let mut letters: Vec<char> = Vec::new();
    while letters.len() < MAX_LETTERS {
        let from: String = match letters.len() {
            n if n < MEMORY => std::iter::once('^').chain(letters.iter().copied()).collect(),
            n => letters[n - MEMORY..].iter().collect(),
        };
        let Some(onward) = steps.get(&from) else { break };
        let mut at = numbers.unit() * onward.iter().map(|(_, frequency)| frequency).sum::<f64>();
        let step = onward.iter().find(|(_, frequency)| {
            at -= frequency;
            at < 0.0
        });
        match step.and_then(|(letter, _)| *letter) {
            Some(letter) => letters.push(letter),
            None => break,
        }
    }
    letters.into_iter().collect()
}
