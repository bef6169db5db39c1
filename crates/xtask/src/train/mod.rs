//! `cargo xtask train boilerplate`: learns the weights of the stage `boilerplate` (`docs/training.md`).

mod gold;
mod lbfgs;
mod learn;

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::Parser;
use rayon::prelude::*;
use serde::Deserialize;
use serde_json::Value as Json;
use tamis_extractors::training::{Page, State, Weights};

use gold::Shingles;
use learn::{Example, Settings};

/// Learns the weights of `boilerplate` and says how well they do on pages of unseen families.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask train boilerplate")]
struct Arguments {
    /// Pages with gold: JSON lines with `id`, `family`, `lang`, `raw`, `gold_body`.
    #[arg(long)]
    gold: PathBuf,
    /// Pages as they come to the stage: JSON lines with `id`, `text`, `metadata`. Default: `raw`.
    #[arg(long)]
    documents: Vec<PathBuf>,
    /// More pages of the form of `--gold`, learned from but not measured on.
    #[arg(long)]
    more: Option<PathBuf>,
    /// How much a page of `--more` counts beside one of `--gold`.
    #[arg(long, default_value_t = 0.2)]
    more_weight: f64,
    /// Groups of families; each is left out once.
    #[arg(long, default_value_t = 8)]
    folds: u64,
    /// The most steps towards the best weights.
    #[arg(long, default_value_t = 200)]
    iterations: usize,
    #[arg(long, default_value_t = 0.002)]
    decay: f64,
    /// How many of the worst pages to list.
    #[arg(long, default_value_t = 10)]
    worst: usize,
    /// Where to write the weights; without it they are only measured.
    #[arg(long)]
    write: Option<PathBuf>,
}

#[derive(Debug, Deserialize)]
struct GoldLine {
    id: String,
    family: String,
    lang: String,
    raw: String,
    gold_body: String,
}

/// A page to learn from and to measure on.
struct Case {
    id: String,
    family: String,
    lang: String,
    example: Example,
    /// A rule file has cleaned it, so that the stage leaves it alone.
    is_clean: bool,
    /// The squeezed characters of each segment.
    segments: Vec<Vec<char>>,
    gold: Shingles,
}

pub(crate) fn run(arguments: &[&str]) -> anyhow::Result<()> {
    let [what, arguments @ ..] = arguments else { bail!("usage: cargo xtask train boilerplate --help") };
    if *what != "boilerplate" {
        bail!("`{what}` is not trained here: only `boilerplate` is");
    }
    let arguments = Arguments::parse_from(std::iter::once(&"train").chain(arguments));
    let came = documents(&arguments.documents)?;
    let cases = cases(&arguments.gold, &came, 1.0)?;
    let more = match &arguments.more {
        Some(path) => cases_from_more(path, &came, arguments.more_weight)?,
        None => Vec::new(),
    };
    println!("{} pages, and {} more to learn from", cases.len(), more.len());
    report("the best that segments allow", &cases, |case| case.example.states.clone(), 0);

    let models: Vec<Weights> = (0..=arguments.folds)
        .into_par_iter()
        .map(|fold| {
            let held_out = |case: &&Case| fold < arguments.folds && fold_of(case, arguments.folds) == fold;
            let unseen: Vec<&str> = cases.iter().filter(held_out).map(|case| site(&case.family)).collect();
            let known = |case: &&Case| !unseen.contains(&site(&case.family));
            let examples: Vec<&Example> = cases
                .iter()
                .filter(|case| !case.is_clean)
                .chain(&more)
                .filter(known)
                .map(|case| &case.example)
                .collect();
            learn::learn(&examples, settings(&arguments))
        })
        .collect();
    let states = |case: &Case, fold: u64| {
        if case.is_clean {
            return vec![State::Inside; case.segments.len()];
        }
        models.get(fold as usize).map(|weights| case.example.page.sums(weights).best()).unwrap_or_default()
    };
    report("families held out", &cases, |case| states(case, fold_of(case, arguments.folds)), arguments.worst);
    report("learned and measured on the same", &cases, |case| states(case, arguments.folds), 0);
    if let (Some(path), Some(weights)) = (&arguments.write, models.last()) {
        std::fs::write(path, HEAD.to_owned() + &weights.write())
            .with_context(|| format!("cannot write `{}`", path.display()))?;
        println!("wrote {}", path.display());
    }
    Ok(())
}

const HEAD: &str = "\
# What each feature of a segment counts for, learned by `cargo xtask train boilerplate`; see docs/training.md
# of the xtask crate. In [node] for the segment being text; in [edge] for entering the text before this segment,
# leaving it for good, pausing, resuming; `pause` for every segment of a pause.

";

fn settings(arguments: &Arguments) -> Settings {
    Settings { iterations: arguments.iterations, decay: arguments.decay }
}

fn lines<T: for<'de> Deserialize<'de>>(path: &Path) -> anyhow::Result<Vec<T>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    let parse = |(at, line)| {
        serde_json::from_str(line)
            .with_context(|| format!("{}:{} is not as expected", path.display(), at + 1))
    };
    text.lines().enumerate().map(parse).collect()
}

/// A document as it comes to the stage.
struct Came {
    text: String,
    title: Option<String>,
    is_clean: bool,
}

/// Documents as they come to the stage, by id.
fn documents(paths: &[PathBuf]) -> anyhow::Result<HashMap<String, Came>> {
    let mut documents = HashMap::new();
    let text = |value: &Json| value.as_str().map(str::to_owned);
    for path in paths {
        for line in lines::<Json>(path)? {
            let metadata = &line["metadata"];
            let came = Came {
                text: text(&line["text"]).unwrap_or_default(),
                title: text(&metadata["title"]),
                is_clean: !metadata["cleaned_by"].is_null(),
            };
            documents.insert(text(&line["id"]).unwrap_or_default(), came);
        }
    }
    Ok(documents)
}

fn cases(path: &Path, came: &HashMap<String, Came>, weight: f64) -> anyhow::Result<Vec<Case>> {
    let lines = lines::<GoldLine>(path)?;
    let read = |line: GoldLine| {
        let known = came.get(&line.id);
        let text = known.map_or(line.raw.as_str(), |came| came.text.as_str());
        let page = Page::read(text, known.and_then(|came| came.title.as_deref()));
        let is_clean = known.is_some_and(|came| came.is_clean);
        let (chars, places) = gold::squeeze_ranges(text, &page.ranges);
        let wanted = gold::squeezed(&line.gold_body);
        let mask = gold::align(&chars, &wanted);
        let is_text: Vec<bool> = places
            .iter()
            .map(|place| mask[place.clone()].iter().filter(|is_text| **is_text).count() * 2 > place.len())
            .collect();
        let segments = places.into_iter().map(|place| chars[place].to_vec()).collect();
        let example = Example { page, states: states(&is_text), weight };
        let (id, family, lang) = (line.id, line.family, line.lang);
        Case { id, family, lang, example, is_clean, segments, gold: Shingles::of(&wanted) }
    };
    Ok(lines.into_par_iter().map(read).collect())
}

/// Pages to learn from whose gold can be found in them; the rest would teach what is wrong.
fn cases_from_more(path: &Path, came: &HashMap<String, Came>, weight: f64) -> anyhow::Result<Vec<Case>> {
    let mut cases = cases(path, came, weight)?;
    cases.retain(|case| f1(case, &case.example.states) > 0.9);
    Ok(cases)
}

fn states(is_text: &[bool]) -> Vec<State> {
    let first = is_text.iter().position(|is_text| *is_text).unwrap_or(is_text.len());
    let last = is_text.iter().rposition(|is_text| *is_text).unwrap_or(is_text.len());
    let state = |(at, is_text): (usize, &bool)| match is_text {
        true => State::Inside,
        false if at < first => State::Before,
        false if at > last => State::After,
        false => State::Pause,
    };
    is_text.iter().enumerate().map(state).collect()
}

/// The longest label of a family's name that says whose site it is: `bbc` of `bbc.co.uk_news`.
fn site(family: &str) -> &str {
    let host = family.split('_').next().unwrap_or(family);
    let tells = |label: &&str| !matches!(*label, "www" | "com" | "blogs" | "news" | "tv");
    host.split('.').filter(tells).fold("", |best, label| if label.len() > best.len() { label } else { best })
}

fn fold_of(case: &Case, folds: u64) -> u64 {
    site(&case.family).bytes().fold(7, |sum: u64, byte| sum.wrapping_mul(31).wrapping_add(byte.into()))
        % folds
}

fn f1(case: &Case, states: &[State]) -> f64 {
    let kept = case.segments.iter().zip(states).filter(|(_, state)| **state == State::Inside);
    let kept: Vec<char> = kept.flat_map(|(segment, _)| segment.iter().copied()).collect();
    Shingles::of(&kept).f1(&case.gold)
}

/// Prints the mean F1, by language, and the worst pages.
fn report(title: &str, cases: &[Case], states: impl Fn(&Case) -> Vec<State> + Sync, n_worst: usize) {
    let mut scores: Vec<(f64, &Case)> =
        cases.par_iter().map(|case| (f1(case, &states(case)), case)).collect();
    let mut by_language: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (score, case) in &scores {
        by_language.entry("all").or_default().push(*score);
        by_language.entry(&case.lang).or_default().push(*score);
    }
    let mean = |scores: &[f64]| scores.iter().sum::<f64>() / scores.len().max(1) as f64;
    let means = by_language.iter().map(|(language, scores)| format!("{language} {:.4}", mean(scores)));
    let good = scores.iter().filter(|(score, _)| *score >= 0.95).count() as f64 / scores.len().max(1) as f64;
    println!("{title}: F1 {}; {good:.3} of the pages reach 0.95", means.collect::<Vec<_>>().join(", "));
    scores.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    for (score, case) in scores.iter().take(n_worst) {
        println!("    {score:.3} {} ({})", case.id, case.family);
    }
}
