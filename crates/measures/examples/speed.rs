//! How fast texts are measured: the groups that the published rules ask for, one by one and all together.
//!
//! `speed FILE [ROUNDS]` reads JSON Lines with a `text` in each.

use std::hint::black_box;
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
    println!("{} texts, {:.1} MB", texts.len(), bytes as f64 / 1e6);
    let published =
        [Group::Lines, Group::Words, Group::StopWords, Group::Repetition, Group::C4, Group::LooseC4];
    let mut cases: Vec<(String, Vec<Group>)> =
        published.into_iter().map(|group| (format!("{group:?}"), vec![group])).collect();
    cases.push(("all".to_owned(), published.to_vec()));
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
        println!("{name:10} {:7.1} MB/s", bytes as f64 / best / 1e6);
    }
    Ok(())
}

/// Measures as the rules of Gopher, C4 and FineWeb do, which end at the first that a text fails.
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
