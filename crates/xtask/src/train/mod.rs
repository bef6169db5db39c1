//! `cargo xtask train boilerplate`: learns the weights of the stage `boilerplate` (`docs/training.md`).

mod cases;
mod collection;
mod gold;
mod lbfgs;
mod learn;

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;

use anyhow::{Context, bail};
use clap::Parser;
use rayon::prelude::*;
use tamis_extractors::training::{Decision, MIN_NEED, Models, Page};

use cases::{Case, Folds, Set, site};
use collection::Collection;
use learn::{Example, Settings};

/// Learns the weights of `boilerplate` and says how well they do on what they were not learned from.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask train boilerplate")]
struct Arguments {
    /// Pages with gold: JSON lines with `id`, `set`, `family`, `lang`, `raw`, `gold_body`.
    #[arg(long)]
    pages: PathBuf,
    /// Pages as they come to the stage: JSON lines with `id`, `text`, `metadata`. Default: `raw`.
    #[arg(long)]
    documents: Vec<PathBuf>,
    /// Documents without gold to measure on, never learned from: JSON lines with `id`, `text`.
    #[arg(long)]
    collection: Vec<PathBuf>,
    /// How much a page of a kind of set counts beside one that came flattened: `clean=0.2`.
    #[arg(long, value_parser = pair)]
    weight: Vec<(String, f64)>,
    /// Read only so many pages of a set, for a quick look; all of those that came flattened.
    #[arg(long)]
    quick: Option<usize>,
    /// At most so many pages of a set are learned from; all are measured on.
    #[arg(long, default_value_t = 300)]
    max_per_set: usize,
    /// Groups of families; each is left out once.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(1..))]
    folds: u64,
    /// Groups of the other sets; each is left out once.
    #[arg(long, default_value_t = 8, value_parser = clap::value_parser!(u64).range(2..))]
    set_folds: u64,
    /// The most steps towards the best weights.
    #[arg(long, default_value_t = 100)]
    iterations: usize,
    #[arg(long, default_value_t = 0.01)]
    decay: f64,
    /// How many of the worst pages to list.
    #[arg(long, default_value_t = 0)]
    worst: usize,
    /// Gains in expected F1 below which a page is left as it is.
    #[arg(long, value_delimiter = ',', default_value = "0.02")]
    min_gain: Vec<f32>,
    /// What must speak for a page being mostly rest before the model for rest decides alone, as a logarithm of odds.
    #[arg(long, value_delimiter = ',', default_values_t = [MIN_NEED])]
    min_need: Vec<f32>,
    /// Measure these weights instead of learning some; nothing is left out then.
    #[arg(long, conflicts_with = "write")]
    weights: Option<PathBuf>,
    /// Where to write the weights; without it they are only measured.
    #[arg(long)]
    write: Option<PathBuf>,
}

fn pair(text: &str) -> Result<(String, f64), String> {
    let (key, value) = text.split_once('=').ok_or("not of the form `kind=weight`")?;
    Ok((key.to_owned(), value.parse().map_err(|_| format!("`{value}` is no number"))?))
}

/// What a page of a kind of set counts unless `--weight` says otherwise.
const WEIGHTS: [(&str, f64); 8] = [
    ("pages", 0.2),
    ("taught", 0.0),
    ("scraped", 0.2),
    ("sites", 0.15),
    ("company", 0.1),
    ("clean", 0.2),
    ("partly", 0.05),
    ("markdown", 0.05),
];

pub(crate) fn run(arguments: &[&str]) -> anyhow::Result<()> {
    let [what, arguments @ ..] = arguments else { bail!("usage: cargo xtask train boilerplate --help") };
    if *what != "boilerplate" {
        bail!("`{what}` is not trained here: only `boilerplate` is");
    }
    let arguments = Arguments::parse_from(std::iter::once(&"train").chain(arguments));
    let came = cases::documents(&arguments.documents)?;
    let weight = |set: &Set| {
        if set.kind == "pages" && set.name == "flattened" {
            return 1.0;
        }
        // What their gold keeps differs most from what the others keep.
        if set.kind == "pages" && matches!(set.name.as_str(), "dragnet" | "cleaneval") {
            return 0.05;
        }
        let given = arguments.weight.iter().find(|(kind, _)| *kind == set.kind).map(|(_, weight)| *weight);
        let usual = WEIGHTS.iter().find(|(kind, _)| *kind == set.kind).map(|(_, weight)| *weight);
        given.or(usual).unwrap_or(0.0)
    };
    let cases = cases::cases(&arguments.pages, &came, weight, arguments.quick)?;
    drop(came);
    let taken = taken(&cases, arguments.max_per_set);
    println!("{} pages, {} to learn from", cases.len(), taken.len());
    let folds = Folds { families: arguments.folds, sets: arguments.set_folds };
    let models = match &arguments.weights {
        Some(path) => {
            println!("nothing is learned, so nothing is left out");
            let text =
                std::fs::read_to_string(path).with_context(|| format!("cannot read `{}`", path.display()))?;
            let models =
                Models::read(&text).map_err(|error| anyhow::anyhow!("{}: {error}", path.display()))?;
            vec![models; folds.all() as usize + 1]
        }
        None => (0..=folds.all())
            .into_par_iter()
            .map(|fold| learn::learn(&examples(&cases, &taken, fold, folds), settings(&arguments)))
            .collect(),
    };
    let ways: Vec<Way> = (arguments.min_need.iter())
        .flat_map(|min_need| {
            arguments.min_gain.iter().map(|min_gain| Way { min_need: *min_need, min_gain: *min_gain })
        })
        .collect();
    for (at, way) in ways.iter().enumerate() {
        println!("== {way:?}");
        let decide = |case: &Case, fold: u64| way.decide(&case.example.page, &models[fold as usize]);
        let worst = if at == 0 { arguments.worst } else { 0 };
        report(&cases, |case| decide(case, case.fold(folds)), worst, at == 0);
        report_flattened("learned and measured on the same", &cases, &|case| decide(case, folds.all()), 0);
    }
    for path in &arguments.collection {
        let collection = Collection::read(path)?;
        let last = &models[folds.all() as usize];
        for way in &ways {
            println!("{} {way:?}: {}", path.display(), collection.report(|page| way.decide(page, last)));
        }
    }
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
    Settings { iterations: arguments.iterations, decay: arguments.decay, of_page: true }
}

/// What a page must show to be cut.
#[derive(Debug)]
struct Way {
    min_need: f32,
    min_gain: f32,
}

impl Way {
    /// What the stage would do; `None` if it leaves the page as it is.
    fn decide(&self, page: &Page, models: &Models) -> Option<Decision> {
        let decision = page.decide(models, self.min_need);
        (decision.has_text && decision.cut - decision.whole >= self.min_gain).then_some(decision)
    }
}

/// Which cases are learned from: of every set the first in the order of a hash of their ids.
fn taken(cases: &[Case], max_per_set: usize) -> HashSet<usize> {
    let mut by_set: BTreeMap<&Set, Vec<(u64, usize)>> = BTreeMap::new();
    for (at, case) in cases.iter().enumerate().filter(|(_, case)| !case.is_clean) {
        let hash = case.id.bytes().fold(0xCBF2_9CE4_8422_2325, |hash: u64, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01B3)
        });
        by_set.entry(&case.set).or_default().push((hash, at));
    }
    let mut taken = HashSet::new();
    for mut set in by_set.into_values() {
        set.sort_unstable();
        // There are few pages that came flattened, and all others only help with them.
        let max =
            if set.iter().any(|(_, at)| cases[*at].came_flattened()) { usize::MAX } else { max_per_set };
        taken.extend(set.into_iter().take(max).map(|(_, at)| at));
    }
    taken
}

/// What is learned from when a fold is left out, and with it every page of a site that is measured there.
fn examples<'a>(cases: &'a [Case], taken: &HashSet<usize>, fold: u64, folds: Folds) -> Vec<&'a Example> {
    let held_out = |case: &&Case| case.fold(folds) == fold;
    let unseen: HashSet<&str> = cases
        .iter()
        .filter(held_out)
        .filter(|case| case.came_flattened())
        .map(|case| site(&case.family))
        .collect();
    let known = |case: &&Case| !held_out(case) && !unseen.contains(site(&case.family));
    let chosen = cases.iter().enumerate().filter(|(at, _)| taken.contains(at)).map(|(_, case)| case);
    chosen.filter(known).map(|case| &case.example).collect()
}

fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let (n, sum) = values.into_iter().fold((0, 0.0), |(n, sum), value| (n + 1, sum + value));
    if n == 0 { 0.0 } else { sum / f64::from(n) }
}

/// Prints what is measured on what was left out.
fn report(cases: &[Case], decide: impl Fn(&Case) -> Option<Decision> + Sync, n_worst: usize, in_full: bool) {
    report_flattened("families left out", cases, &decide, n_worst);
    let names = |kind: &str| -> Vec<Set> {
        let mut sets: Vec<Set> =
            cases.iter().map(|case| case.set.clone()).filter(|set| set.kind == kind).collect();
        sets.sort();
        sets.dedup();
        sets
    };
    for kind in
        if in_full { &["sites", "company", "partly", "pages", "taught"][..] } else { &["sites", "company"] }
    {
        let mut lines = Vec::new();
        for set in names(kind).into_iter().filter(|set| set.kind != "pages" || set.name != "flattened") {
            let of: Vec<&Case> = cases.iter().filter(|case| case.set == set).collect();
            let scores: Vec<(f64, f64)> = of
                .par_iter()
                .map(|case| (case.outcome(decide(case).as_ref()).f1(), case.outcome(None).f1()))
                .collect();
            lines.push((
                set.name,
                mean(scores.iter().map(|score| score.0)),
                mean(scores.iter().map(|score| score.1)),
            ));
        }
        let each = lines.iter().map(|(name, score, whole)| format!("{name} {score:.3} ({whole:.3})"));
        println!(
            "{kind}: mean {:.4} as it is {:.4}: {}",
            mean(lines.iter().map(|line| line.1)),
            mean(lines.iter().map(|line| line.2)),
            each.collect::<Vec<_>>().join(", "),
        );
    }
    let kinds = [("clean", false), ("clean", true), ("markdown", false)];
    for (kind, shape) in kinds.into_iter().take(if in_full { 3 } else { 1 }) {
        let of: Vec<&Case> = cases
            .iter()
            .filter(|case| case.set.kind == kind && case.id.ends_with(":shape") == shape)
            .collect();
        let kept: Vec<(&Set, f64)> =
            of.par_iter().map(|case| (&case.set, case.outcome(decide(case).as_ref()).recall())).collect();
        let words = |kept: &[f64]| {
            let share = |holds: fn(&f64) -> bool| {
                kept.iter().filter(|kept| holds(kept)).count() as f64 / kept.len().max(1) as f64
            };
            format!(
                "{:.3} {:.3} {:.3}",
                mean(kept.iter().copied()),
                share(|kept| *kept < 0.5),
                share(|kept| *kept >= 0.98)
            )
        };
        let html = |set: &Set| !set.name.contains('-') && !set.name.contains("3.11");
        let all: Vec<f64> = kept.iter().filter(|(set, _)| html(set)).map(|(_, kept)| *kept).collect();
        let each = names(kind).into_iter().map(|set| {
            let of: Vec<f64> =
                kept.iter().filter(|(other, _)| **other == set).map(|(_, kept)| *kept).collect();
            format!("{} {}", set.name, words(&of))
        });
        println!(
            "{kind}{}: {}: {}",
            if shape { ", other shapes" } else { "" },
            words(&all),
            each.collect::<Vec<_>>().join(", ")
        );
    }
}

/// Prints the mean F1 of the pages that came flattened, by language, and the worst of them.
fn report_flattened(
    title: &str,
    cases: &[Case],
    decide: &(impl Fn(&Case) -> Option<Decision> + Sync),
    n_worst: usize,
) {
    let of: Vec<&Case> = cases.iter().filter(|case| case.came_flattened()).collect();
    let mut scores: Vec<(f64, f32, &Case)> = of
        .par_iter()
        .map(|case| {
            let decision = decide(case);
            let confidence = decision.as_ref().map_or(-1.0, |decision| decision.cut);
            (case.outcome(decision.as_ref()).f1(), confidence, *case)
        })
        .collect();
    let mut by_language: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for (score, _, case) in &scores {
        by_language.entry("all").or_default().push(*score);
        by_language.entry(&case.lang).or_default().push(*score);
    }
    let means = by_language
        .iter()
        .map(|(language, scores)| format!("{language} {:.4}", mean(scores.iter().copied())));
    let good = scores.iter().filter(|(score, ..)| *score >= 0.95).count() as f64 / scores.len().max(1) as f64;
    println!("{title}: F1 {}; {good:.3} of the pages reach 0.95", means.collect::<Vec<_>>().join(", "));
    scores.sort_by(|(a, ..), (b, ..)| a.total_cmp(b));
    for (score, confidence, case) in scores.iter().take(n_worst) {
        println!("    {score:.3} {confidence:.2} {} ({})", case.id, case.family);
    }
}
