//! `cargo xtask train html --data FOLDER`: learns the weights of `html-extract` (`docs/training-html.md`).
//!
//! `FOLDER` holds sets of pages as `NAME.dev.jsonl.gz`: a line is `{"id", "url", "html"}` with `"text"`, the whole
//! truth, or `"with"` and `"without"`, snippets of the content and of the rest.
//! For pages of which only snippets are known, `--opinions FOLDER` adds a weak truth: what other extractors took,
//! as `NAME.EXTRACTOR.jsonl.gz` with lines of `{"id", "text"}`.
//! The features and the way from probabilities to text are those of the stage.
//!
//! The second model learns from what the first thinks of pages that it was not grown on, so pages are parted into
//! folds by site, and the same folds tell how good both are on sites that they have not seen.

mod boost;
mod pages;
mod wording;

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use rayon::prelude::*;
use tamis_pages::Favour;
use tamis_pages::training::{Columns, Forest, Page, Sites, Wording, content, render_text};

use boost::{Random, Settings, Table, grow};
use pages::{Label, Record, labels, precision_and_recall, read, read_opinions};
use wording::Lessons;

/// Sets with how much a page of each counts: those with few pages more; snippets less, and so do many pages of one
/// template.
const SETS: &[(&str, f32)] = &[
    ("aeb", 3.0),
    ("cleaneval", 0.6),
    ("cwced", 4.0),
    ("dragnet", 0.7),
    ("magic_article", 3.0),
    ("magic_forum", 4.0),
    ("readability", 2.5),
    ("sites", 0.2),
    ("traf", 1.0),
    ("wcxb_dev", 1.0),
    ("wcxb_more", 1.0),
];

const N_FOLDS: usize = 4;

/// How the forests are grown: those with which sites that were left out came out best.
const FIRST: Settings =
    Settings { n_trees: 400, depth: 5, rate: 0.1, lambda: 40.0, feature_ratio: 0.2, row_ratio: 0.5 };
const SECOND: Settings =
    Settings { n_trees: 160, depth: 5, rate: 0.05, lambda: 80.0, feature_ratio: 0.5, row_ratio: 0.5 };

/// Weights of completeness against cleanness at which the scores are shown.
const BETAS: [f32; 4] = [0.5, 0.7, 0.8, 1.0];

const USAGE: &str = "usage: train html --data FOLDER [--opinions FOLDER] [--texts FOLDER] [--weights FOLDER] \
                     [--choose FOLDER] [--blocks FOLDER]";

/// What the command was asked for.
#[derive(Default)]
struct Request {
    data: PathBuf,
    /// What other extractors made of the pages.
    opinions: Option<PathBuf>,
    /// Where the texts of all pages are written, cross-validated, for a scorer.
    texts: Option<PathBuf>,
    /// Folder for the weights.
    weights: PathBuf,
    /// Texts of an earlier training: nothing is learned, its probabilities are chosen from anew.
    choose: Option<PathBuf>,
    /// Where the blocks of all pages are written, with what was thought of each, for whoever looks for mistakes.
    blocks: Option<PathBuf>,
}

/// Runs the command.
pub(crate) fn run(arguments: &[&str], weights: PathBuf) -> anyhow::Result<()> {
    let mut request = Request { weights, ..Request::default() };
    let mut arguments = arguments.iter();
    while let Some(argument) = arguments.next() {
        let value = arguments.next().with_context(|| format!("`{argument}` needs a value; {USAGE}"))?;
        match *argument {
            "--data" => request.data = value.into(),
            "--texts" => request.texts = Some(value.into()),
            "--opinions" => request.opinions = Some(value.into()),
            "--weights" => request.weights = value.into(),
            "--choose" => request.choose = Some(value.into()),
            "--blocks" => request.blocks = Some(value.into()),
            _ => bail!("`{argument}` is not known; {USAGE}"),
        }
    }
    let records = load(&request)?;
    let mut pages = parse(&records)?;
    println!("{} pages", pages.len());
    if let Some(folder) = &request.choose {
        let probabilities = known(&mut pages, folder)?;
        println!("{} of them as they were when their probabilities were written", pages.len());
        report(&pages, &probabilities, &request)?;
        report_with_evidence(&pages, &with_evidence(&pages, &probabilities));
        return Ok(());
    }
    let learned = learn(&pages);
    println!("without what other pages of a site say:");
    report(&pages, &learned.alone, &request)?;
    report_with_evidence(&pages, &learned.with_evidence);
    let forests =
        [("first.forest", learned.first.to_string()), ("second.forest", learned.second.to_string())];
    for (name, file) in forests.into_iter().chain([("wording.txt", learned.wording)]) {
        let path = request.weights.join(name);
        std::fs::write(&path, file).with_context(|| format!("cannot write {}", path.display()))?;
    }
    Ok(())
}

fn load(request: &Request) -> anyhow::Result<Vec<(usize, Record)>> {
    let mut records = Vec::new();
    for (set, (name, _)) in SETS.iter().enumerate() {
        let path = request.data.join(format!("{name}.dev.jsonl.gz"));
        if !path.exists() {
            println!("{} is not there: left out", path.display());
            continue;
        }
        let mut pages = read(&path)?;
        if let Some(folder) = &request.opinions {
            let mut opinions = read_opinions(folder, name)?;
            for page in pages.iter_mut().filter(|page| page.text.is_none()) {
                page.opinions = opinions.remove(&page.id).unwrap_or_default();
            }
        }
        records.extend(pages.into_iter().map(|record| (set, record)));
    }
    Ok(records)
}

/// A page with its truth.
struct Sample<'a> {
    set: usize,
    record: &'a Record,
    fold: usize,
    page: Page<'a>,
    labels: Vec<Label>,
}

fn parse(records: &[(usize, Record)]) -> anyhow::Result<Vec<Sample<'_>>> {
    let samples = records.iter().map(|(set, record)| {
        let page = Page::new(&record.html)?;
        let labels = labels(&page, record);
        let mut hasher = DefaultHasher::new();
        record.site().hash(&mut hasher);
        let fold = (hasher.finish() % N_FOLDS as u64) as usize;
        Ok(Sample { set: *set, record, fold, page, labels })
    });
    samples.collect()
}

/// The rows of all pages, for one model.
struct Rows {
    table: Table,
    truth: Vec<f32>,
    weights: Vec<f32>,
    folds: Vec<usize>,
}

/// The rows of pages while they are put together.
#[derive(Default)]
struct Gathered {
    names: Vec<&'static str>,
    columns: Vec<Vec<f32>>,
    truth: Vec<f32>,
    weights: Vec<f32>,
    folds: Vec<usize>,
}

impl Gathered {
    /// Adds the blocks of a page.
    fn add(&mut self, sample: &Sample<'_>, features: &Columns) {
        self.names = features.names().to_vec();
        self.columns.resize(self.names.len(), Vec::new());
        for (block, label) in sample.labels.iter().enumerate().filter(|(_, label)| label.weight > 0.0) {
            for (at, column) in self.columns.iter_mut().enumerate() {
                column.push(features.column(at)[block]);
            }
            self.truth.push(label.truth);
            self.weights.push(label.weight * SETS[sample.set].1);
            self.folds.push(sample.fold);
        }
    }

    fn rows(mut self) -> Rows {
        let mean = self.weights.iter().sum::<f32>() / self.weights.len().max(1) as f32;
        for weight in &mut self.weights {
            *weight /= mean;
        }
        let table = Table::new(self.names, &self.columns);
        Rows { table, truth: self.truth, weights: self.weights, folds: self.folds }
    }
}

impl Rows {
    /// A forest without each fold, and one of all rows.
    fn grow_all(&self, settings: Settings) -> (Vec<Forest>, Forest) {
        let without = (0..=N_FOLDS).into_par_iter().map(|fold| self.grow(settings, fold));
        let mut forests: Vec<Forest> = without.collect();
        // No row is in the fold behind the last.
        let all = forests.pop().expect("there is one more than folds");
        (forests, all)
    }

    /// Grows a forest on all rows but those of a fold.
    fn grow(&self, settings: Settings, without: usize) -> Forest {
        let rows: Vec<u32> =
            (0..self.truth.len() as u32).filter(|row| self.folds[*row as usize] != without).collect();
        grow(&self.table, &rows, &self.truth, &self.weights, settings, &mut Random(7))
    }
}

/// What was learned, and what models that have not seen the site of a page think of it.
struct Models {
    wording: String,
    first: Forest,
    second: Forest,
    alone: Vec<Vec<f32>>,
    /// The same for pages of which other pages of the site are known.
    with_evidence: Vec<Option<Vec<f32>>>,
}

/// Learns the wording, then both models.
fn learn(pages: &[Sample<'_>]) -> Models {
    let lessons = Lessons::of(pages, |set| SETS[set].1);
    println!("{} phrases", lessons.n_phrases());
    let learned: Vec<_> = (0..=N_FOLDS).into_par_iter().map(|fold| lessons.learn(fold)).collect();
    let wordings: Vec<Wording> = learned.iter().map(|learned| lessons.wording(learned)).collect();
    // No row is in the fold behind the last.
    let wording = lessons.file(&learned[N_FOLDS], pages);
    drop(lessons);
    let features = |sample: &Sample<'_>| sample.page.first_with(&wordings[sample.fold]);
    let mut gathered = Gathered::default();
    for sample in pages {
        gathered.add(sample, &features(sample));
    }
    let rows = gathered.rows();
    println!("{} blocks", rows.truth.len());
    let (forests, first) = rows.grow_all(FIRST);
    drop(rows);
    let thoughts: Vec<Vec<f32>> =
        pages.iter().map(|sample| forests[sample.fold].apply(&features(sample))).collect();
    let mut gathered = Gathered::default();
    for (sample, thought) in pages.iter().zip(&thoughts) {
        gathered.add(sample, &sample.page.second(thought));
    }
    let (forests, second) = gathered.rows().grow_all(SECOND);
    let alone = pages.iter().zip(&thoughts);
    let alone = alone.map(|(sample, thought)| forests[sample.fold].apply(&sample.page.second(thought)));
    let alone: Vec<Vec<f32>> = alone.collect();
    let with_evidence = with_evidence(pages, &alone);
    Models { wording, first, second, alone, with_evidence }
}

/// The probabilities of pages of which other pages of their site are known, as `site-template` weighs them.
fn with_evidence(pages: &[Sample<'_>], alone: &[Vec<f32>]) -> Vec<Option<Vec<f32>>> {
    let mut sites = Sites::default();
    for (sample, probabilities) in pages.iter().zip(alone) {
        sites.observe(sample.record.one_site(), &sample.page, probabilities);
    }
    sites.finish();
    let weighed = |(sample, probabilities): (&Sample<'_>, &Vec<f32>)| {
        let evidence = sites.evidence(sample.record.one_site(), &sample.page);
        let mut probabilities = probabilities.clone();
        evidence.weigh(&mut probabilities);
        (!evidence.is_empty()).then_some(probabilities)
    };
    pages.iter().zip(alone).map(weighed).collect()
}

/// The probabilities that an earlier training has written beside the texts.
fn known(pages: &mut Vec<Sample<'_>>, folder: &Path) -> anyhow::Result<Vec<Vec<f32>>> {
    #[derive(serde::Deserialize)]
    struct Line {
        id: String,
        p: Vec<f32>,
    }
    let mut known: HashMap<String, Vec<f32>> = HashMap::new();
    for (name, _) in SETS {
        let path = folder.join(format!("{name}.jsonl"));
        if !path.exists() {
            continue;
        }
        let text =
            std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        for line in text.lines() {
            let Line { id, p } = serde_json::from_str(line)?;
            known.insert(id, p);
        }
    }
    let is_known = |sample: &Sample<'_>| {
        known.get(&sample.record.id).is_some_and(|it| it.len() == sample.page.n_blocks())
    };
    pages.retain(is_known);
    Ok(pages.iter().map(|sample| known.remove(&sample.record.id).unwrap_or_default()).collect())
}

/// Prints scores of the pages of which other pages of the site are known.
fn report_with_evidence(pages: &[Sample<'_>], probabilities: &[Option<Vec<f32>>]) {
    println!("with it, of the sites that have enough pages:");
    for beta in BETAS {
        scores(&format!("{beta}"), pages, &|sample, at| {
            Some(content(&sample.page, probabilities[at].as_ref()?, beta))
        });
    }
}

/// Prints scores by set and by the weight of completeness, and writes texts and blocks.
fn report(pages: &[Sample<'_>], probabilities: &[Vec<f32>], request: &Request) -> anyhow::Result<()> {
    let ideal =
        |sample: &Sample<'_>, _: usize| Some(sample.labels.iter().map(|label| label.truth > 0.5).collect());
    scores("ideal", pages, &ideal);
    for beta in BETAS {
        scores(&format!("{beta}"), pages, &|sample, at| {
            Some(content(&sample.page, &probabilities[at], beta))
        });
    }
    let chosen = |at: usize| content(&pages[at].page, &probabilities[at], Favour::Balance.beta());
    if let Some(folder) = &request.texts {
        write_lines(folder, pages, |sample, at| {
            let text = render_text(&sample.page, &chosen(at));
            serde_json::json!({ "id": sample.record.id, "text": text, "p": probabilities[at] })
        })?;
    }
    if let Some(folder) = &request.blocks {
        write_lines(folder, pages, |sample, at| {
            let blocks: Vec<_> = (chosen(at).into_iter().enumerate())
                .map(|(block, taken)| {
                    let (page, truth) = (&sample.page, sample.labels[block].truth);
                    (taken, truth, probabilities[at][block], page.path(block), page.text(block))
                })
                .collect();
            serde_json::json!({ "id": sample.record.id, "blocks": blocks })
        })?;
    }
    Ok(())
}

/// Writes a file of JSON lines for each set, a line a page.
fn write_lines(
    folder: &Path,
    pages: &[Sample<'_>],
    line: impl Fn(&Sample<'_>, usize) -> serde_json::Value,
) -> anyhow::Result<()> {
    let mut lines: BTreeMap<&str, String> = BTreeMap::new();
    for (at, sample) in pages.iter().enumerate() {
        let lines = lines.entry(SETS[sample.set].0).or_default();
        lines.push_str(&line(sample, at).to_string());
        lines.push('\n');
    }
    std::fs::create_dir_all(folder)?;
    for (name, lines) in lines {
        std::fs::write(folder.join(format!("{name}.jsonl")), lines)?;
    }
    Ok(())
}

/// The blocks that are chosen of a page, if it is one of those that are looked at.
type Choice<'c> = dyn Fn(&Sample<'_>, usize) -> Option<Vec<bool>> + 'c;

/// Prints what a choice of blocks would score.
fn scores(what: &str, pages: &[Sample<'_>], choose: &Choice<'_>) {
    let mut scores: BTreeMap<&str, Vec<(f32, f32)>> = BTreeMap::new();
    for (at, sample) in pages.iter().enumerate() {
        let Some(truth) = sample.record.text.as_ref().filter(|truth| !truth.is_empty()) else { continue };
        let Some(blocks) = choose(sample, at) else { continue };
        let text = render_text(&sample.page, &blocks);
        let entry = scores.entry(SETS[sample.set].0).or_default();
        entry.push(precision_and_recall(truth, &text));
    }
    let mut line = format!("{what:6}");
    for (name, scores) in scores {
        let mean = |part: fn(&(f32, f32)) -> f32| scores.iter().map(part).sum::<f32>() / scores.len() as f32;
        let (precision, recall) = (mean(|it| it.0), mean(|it| it.1));
        let f = 2.0 * precision * recall / (precision + recall);
        line.push_str(&format!("  {name} {precision:.3}/{recall:.3} {f:.4}"));
    }
    println!("{line}");
}
