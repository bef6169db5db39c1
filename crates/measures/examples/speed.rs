//! How fast texts are measured: the groups that the published rules ask for, one by one and all together.
//!
//! `speed FILE [ROUNDS [CASE]]` reads JSON Lines with a `text` in each.

use std::hint::black_box;
use std::io::Write;
use std::time::Instant;

use tamis_measures::{Group, Measure, Measurer, Measuring, StopWords};

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments.next().unwrap_or_default();
    let rounds: u32 = arguments.next().and_then(|rounds| rounds.parse().ok()).unwrap_or(3);
    let only = arguments.next();
    let texts: Vec<String> = std::fs::read_to_string(file)?
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter_map(|document| Some(document.get("text")?.as_str()?.to_owned()))
        .collect();
    let bytes: usize = texts.iter().map(String::len).sum();
    let mut out = std::io::stdout().lock();
    writeln!(out, "{} texts, {:.1} MB", texts.len(), bytes as f64 / 1e6)?;
    let repetition = [
        Group::TopGrams,
        Group::DupFiveGrams,
        Group::DupSixGrams,
        Group::DupSevenGrams,
        Group::DupEightGrams,
        Group::DupNineGrams,
        Group::DupTenGrams,
    ];
    let words = [Group::Words, Group::StopWords];
    let all: Vec<Group> = [Group::Lines, Group::C4].into_iter().chain(words).chain(repetition).collect();
    let mut cases: Vec<(String, Vec<Group>)> = vec![
        ("lines".to_owned(), vec![Group::Lines]),
        ("words".to_owned(), words.to_vec()),
        ("words and repetition".to_owned(), words.into_iter().chain(repetition).collect()),
        ("C4".to_owned(), vec![Group::C4]),
        ("all".to_owned(), all),
    ];
    cases.push(("in turn".to_owned(), Vec::new()));
    let stop_words = StopWords::new(["the", "be", "to", "of", "and", "that", "have", "with"]);
    for (name, groups) in cases {
        if only.as_ref().is_some_and(|only| *only != name) {
            continue;
        }
        let wanted: Vec<Measure> =
            Measure::ALL.iter().copied().filter(|measure| groups.contains(&measure.group())).collect();
        let mut measurer = Measurer::default();
        let mut best = f64::INFINITY;
        for _ in 0..rounds {
            let start = Instant::now();
            for text in &texts {
                let mut measuring = measurer.begin(text);
                if name == "in turn" {
                    in_turn(&mut measuring, &stop_words);
                } else {
                    measuring.want(&wanted, &stop_words);
                }
                black_box(measuring.values());
            }
            best = best.min(start.elapsed().as_secs_f64());
        }
        writeln!(out, "{name:20} {:7.1} MB/s", bytes as f64 / best / 1e6)?;
    }
    Ok(())
}

/// Measures as the rules of Gopher and C4 do, which end at the first that a text fails.
fn in_turn(measuring: &mut Measuring<'_>, stop_words: &StopWords) {
    let limits = [
        (Measure::DupParagraphRatio, 0.0, 0.3),
        (Measure::DupParagraphCharRatio, 0.0, 0.2),
        (Measure::DupLineRatio, 0.0, 0.3),
        (Measure::DupLineCharRatio, 0.0, 0.2),
        (Measure::TopTwoGramCharRatio, 0.0, 0.2),
        (Measure::TopThreeGramCharRatio, 0.0, 0.18),
        (Measure::TopFourGramCharRatio, 0.0, 0.16),
        (Measure::DupFiveGramCharRatio, 0.0, 0.15),
        (Measure::DupSixGramCharRatio, 0.0, 0.14),
        (Measure::DupSevenGramCharRatio, 0.0, 0.13),
        (Measure::DupEightGramCharRatio, 0.0, 0.12),
        (Measure::DupNineGramCharRatio, 0.0, 0.11),
        (Measure::DupTenGramCharRatio, 0.0, 0.1),
        (Measure::Words, 50.0, 1e5),
        (Measure::LetterWordRatio, 0.8, 1.0),
        (Measure::StopWords, 2.0, 9.0),
        (Measure::C4Sentences, 5.0, 1e9),
    ];
    for (measure, min, max) in limits {
        measuring.want(&[measure], stop_words);
        if measuring.values().get(measure).is_some_and(|value| value < min || value > max) {
            break;
        }
    }
}
