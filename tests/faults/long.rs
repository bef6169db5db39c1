//! The long form: every scenario in turn with new seeds, for as long as is asked for.

use std::fs::File;
use std::io::Write as _;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use serde::Serialize;

use crate::trial::{Counts, Outcome, attempt};
use crate::{SCENARIOS, Scenario};

/// How long, in minutes; once through all at least.
const MINUTES: &str = "TAMIS_FAULTS_MINUTES";
/// The first seed; by default one of the clock.
const SEED: &str = "TAMIS_FAULTS_SEED";
/// The name of one scenario; by default all.
const SCENARIO: &str = "TAMIS_FAULTS_SCENARIO";
/// Where to write what was seen, as JSON.
const REPORT: &str = "TAMIS_FAULTS_REPORT";

#[derive(Serialize)]
struct Report {
    seed: u64,
    seconds: f64,
    rows: Vec<Row>,
}

/// What was seen of a scenario.
#[derive(Serialize)]
struct Row {
    scenario: &'static str,
    #[serde(flatten)]
    counts: Counts,
    skipped: Option<String>,
    broken: Vec<Broken>,
}

#[derive(Serialize)]
struct Broken {
    seed: u64,
    why: String,
}

/// Not part of the tests of a change: it takes as long as it is told to, and tries something else every time.
#[test]
#[ignore = "run by `cargo xtask faults`"]
fn long() {
    let setting = |name: &str| std::env::var(name).ok();
    let minutes: f64 = setting(MINUTES).map_or(0.0, |minutes| minutes.parse().expect("minutes are a number"));
    let seed =
        setting(SEED).map_or_else(of_the_clock, |seed| seed.parse().expect("a seed is a whole number"));
    let wanted = setting(SCENARIO);
    let is_wanted = |scenario: &&Scenario| wanted.as_ref().is_none_or(|wanted| scenario.name == wanted);
    let row = |scenario: &Scenario| Row {
        scenario: scenario.name,
        counts: Counts::default(),
        skipped: None,
        broken: Vec::new(),
    };
    let scenarios: Vec<&Scenario> = SCENARIOS.iter().filter(is_wanted).collect();
    assert!(!scenarios.is_empty(), "there is no scenario {wanted:?}");
    let mut rows: Vec<Row> = scenarios.iter().map(|scenario| row(scenario)).collect();
    let begin = Instant::now();
    let end = begin + Duration::from_secs_f64(minutes * 60.0);
    for seed in seed.. {
        for (scenario, row) in scenarios.iter().zip(&mut rows) {
            let is_over = Instant::now() >= end && row.counts.trials > 0;
            if is_over || row.skipped.is_some() {
                continue;
            }
            eprintln!("{} --seed {seed}", scenario.name);
            match attempt(scenario, seed, &mut row.counts) {
                Outcome::Held => {}
                Outcome::Skipped(why) => row.skipped = Some(why),
                Outcome::Broke(why) => {
                    eprintln!("BROKE: {} --seed {seed}\n{why}", scenario.name);
                    row.broken.push(Broken { seed, why });
                }
            }
        }
        if Instant::now() >= end {
            break;
        }
    }
    let report = Report { seed, seconds: begin.elapsed().as_secs_f64(), rows };
    if let Some(path) = setting(REPORT).map(PathBuf::from) {
        let text = serde_json::to_string_pretty(&report).unwrap();
        File::create(path)
            .and_then(|mut file| file.write_all(text.as_bytes()))
            .expect("the report can be written");
    }
    let n_broken: usize = report.rows.iter().map(|row| row.broken.len()).sum();
    assert_eq!(n_broken, 0, "trials that broke are named above, each with its seed");
}

fn of_the_clock() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("the clock is past 1970");
    since.as_secs() % 1_000_000_000
}
