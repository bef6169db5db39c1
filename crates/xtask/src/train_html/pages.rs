//! Pages with their truth, and which blocks of a page the truth holds.

use std::collections::{BTreeMap, HashMap};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::Context;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use tamis_pages::training::Page;
use tamis_text::encoding::{Hints, decode};
use tamis_text::lines::squeeze;

/// A page of a set, as the files of the set have it.
#[derive(Debug, Deserialize)]
pub(crate) struct Record {
    pub(crate) id: String,
    #[serde(default)]
    pub(crate) url: String,
    /// Whose template it has, and behind a `/` which of the sites with that; without it the address says.
    #[serde(default)]
    site: String,
    pub(crate) html: String,
    /// The page as it was served, if the set has it: decoding it is part of what is measured.
    #[serde(default)]
    bytes_base64: String,
    /// The whole truth, or nothing if only snippets are known.
    pub(crate) text: Option<String>,
    #[serde(default)]
    pub(crate) with: Vec<String>,
    #[serde(default)]
    pub(crate) without: Vec<String>,
    /// What other extractors took for the content: a weak truth where only snippets are known.
    #[serde(skip)]
    pub(crate) opinions: Vec<String>,
}

/// Reads what other extractors made of a set, from all files `SET.NAME.jsonl.gz` of a folder, in their order.
pub(crate) fn read_opinions(folder: &Path, set: &str) -> anyhow::Result<HashMap<String, Vec<String>>> {
    let mut paths: Vec<PathBuf> = Vec::new();
    for entry in std::fs::read_dir(folder).with_context(|| format!("cannot list {}", folder.display()))? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with(&format!("{set}.")) && name.ends_with(".jsonl.gz") {
            paths.push(path);
        }
    }
    paths.sort();
    let mut opinions: HashMap<String, Vec<String>> = HashMap::new();
    for path in paths {
        for line in text_of(&path)?.lines() {
            let opinion: Opinion =
                serde_json::from_str(line).with_context(|| format!("in {}", path.display()))?;
            opinions.entry(opinion.id).or_default().push(opinion.text.unwrap_or_default());
        }
    }
    Ok(opinions)
}

#[derive(Debug, Deserialize)]
struct Opinion {
    #[serde(default)]
    id: String,
    text: Option<String>,
}

/// Reads a set: JSON lines, compressed with gzip.
pub(crate) fn read(path: &Path) -> anyhow::Result<Vec<Record>> {
    let text = text_of(path)?;
    let records = text.lines().map(record);
    records.collect::<anyhow::Result<_>>().with_context(|| format!("in {}", path.display()))
}

fn text_of(path: &Path) -> anyhow::Result<String> {
    let file = std::fs::File::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    let mut text = String::new();
    MultiGzDecoder::new(file).read_to_string(&mut text)?;
    Ok(text)
}

fn record(line: &str) -> anyhow::Result<Record> {
    let mut record: Record = serde_json::from_str(line)?;
    if !record.bytes_base64.is_empty() {
        let bytes = BASE64_STANDARD.decode(&record.bytes_base64)?;
        record.html = decode(&bytes, &Hints { markup: true, ..Hints::default() }).text.into_owned();
        record.bytes_base64.clear();
    }
    Ok(record)
}

impl Record {
    /// The site itself: sites of one template lie in one fold, and are still several.
    pub(crate) fn one_site(&self) -> &str {
        if self.site.is_empty() { self.site() } else { &self.site }
    }

    /// The site, which decides on which side of a fold the page is; pages of one site lie in one fold.
    pub(crate) fn site(&self) -> &str {
        if let Some(template) = self.site.split('/').next().filter(|template| !template.is_empty()) {
            return template;
        }
        let host = self.url.split("//").nth(1).and_then(|rest| rest.split(['/', '?', '#', ':']).next());
        let Some(host) = host.filter(|host| !host.is_empty()) else { return &self.id };
        let labels: Vec<&str> = host.rsplit('.').collect();
        let second_level = labels.get(1).is_some_and(|label| {
            matches!(*label, "co" | "com" | "org" | "net" | "gov" | "edu" | "ac" | "or" | "ne" | "go")
        });
        let n_kept = if second_level { 3 } else { 2 };
        let length = labels.iter().take(n_kept).map(|label| label.len() + 1).sum::<usize>() - 1;
        host.get(host.len() - length.min(host.len())..).unwrap_or(host)
    }
}

/// What a block should be, 0 to 1, and how much that counts.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Label {
    pub(crate) truth: f32,
    pub(crate) weight: f32,
}

/// The tokens of a text as the scorer counts them: runs of letters and digits, Chinese characters alone.
pub(crate) fn tokens(text: &str) -> Vec<&str> {
    let mut tokens = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices() {
        let single = is_single(c);
        if (single || !(c.is_alphanumeric() || c == '_'))
            && let Some(start) = start.take()
        {
            tokens.push(text.get(start..at).unwrap_or_default());
        }
        if single {
            tokens.push(text.get(at..at + c.len_utf8()).unwrap_or_default());
        } else if (c.is_alphanumeric() || c == '_') && start.is_none() {
            start = Some(at);
        }
    }
    if let Some(start) = start {
        tokens.push(text.get(start..).unwrap_or_default());
    }
    tokens
}

fn is_single(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30FF}' | '\u{3400}'..='\u{9FFF}' | '\u{AC00}'..='\u{D7AF}'
        | '\u{F900}'..='\u{FAFF}' | '\u{20000}'..='\u{3FFFF}')
}

/// Shingles of four tokens with their numbers; a shorter text is one shingle.
pub(crate) fn shingles<'t>(tokens: &[&'t str]) -> HashMap<Vec<&'t str>, u32> {
    let mut counts = HashMap::new();
    if !tokens.is_empty() {
        let size = tokens.len().min(4);
        for window in tokens.windows(size) {
            *counts.entry(window.to_vec()).or_default() += 1;
        }
    }
    counts
}

/// Precision and recall of a text, by shingles, as the scorer has them.
pub(crate) fn precision_and_recall(truth: &str, text: &str) -> (f32, f32) {
    let (truth, text) = (tokens(truth), tokens(text));
    let (truth, text) = (shingles(&truth), shingles(&text));
    let hits: u32 = text.iter().map(|(shingle, n)| truth.get(shingle).copied().unwrap_or(0).min(*n)).sum();
    let (n_truth, n_text): (u32, u32) = (truth.values().sum(), text.values().sum());
    let part = |whole: u32, other: u32| match whole {
        0 => f32::from(other == 0),
        whole => hits as f32 / whole as f32,
    };
    (part(n_text, n_truth), part(n_truth, n_text))
}

/// Labels of all blocks of a page.
pub(crate) fn labels(page: &Page<'_>, record: &Record) -> Vec<Label> {
    match &record.text {
        Some(truth) => labels_by_text(page, truth),
        None => labels_by_snippets(page, record),
    }
}

/// A block is content as far as its tokens lie in shingles of the truth, those across its ends included.
fn labels_by_text(page: &Page<'_>, truth: &str) -> Vec<Label> {
    let truth_tokens = tokens(truth);
    let known = shingles(&truth_tokens);
    let lines: std::collections::HashSet<Vec<&str>> = truth.lines().map(tokens).collect();
    let blocks: Vec<Vec<&str>> = (0..page.n_blocks()).map(|block| tokens(page.text(block))).collect();
    let covered = coverage(page, &known);
    let mut labels = Vec::with_capacity(blocks.len());
    for (block, (covered, n_tokens)) in blocks.iter().zip(covered) {
        let whole_line = block.len() < 4 && !block.is_empty() && lines.contains(block);
        labels.push(Label { truth: if whole_line { 1.0 } else { covered }, weight: n_tokens as f32 });
    }
    single_out_twins(&blocks, &known, &mut labels);
    weigh(&mut labels, truth_tokens.len() as f32);
    labels
}

/// Where a text stands more often on the page than in the truth, the places amid other content are meant.
fn single_out_twins(blocks: &[Vec<&str>], known: &HashMap<Vec<&str>, u32>, labels: &mut [Label]) {
    let mut places: BTreeMap<&[&str], Vec<usize>> = BTreeMap::new();
    for (block, tokens) in blocks.iter().enumerate().filter(|(_, tokens)| tokens.len() >= 4) {
        places.entry(tokens.as_slice()).or_default().push(block);
    }
    let around = |block: usize, labels: &[Label]| -> f32 {
        let near = block.saturating_sub(4)..(block + 5).min(labels.len());
        near.filter(|at| *at != block).map(|at| labels[at].truth * labels[at].weight.min(50.0)).sum()
    };
    let before = labels.to_vec();
    for (tokens, mut places) in places {
        let n_meant = tokens.windows(4).filter_map(|it| known.get(it)).min().copied().unwrap_or(0) as usize;
        if places.len() <= n_meant.max(1) || n_meant == 0 {
            continue;
        }
        places.sort_by(|a, b| around(*b, &before).total_cmp(&around(*a, &before)).then(a.cmp(b)));
        for block in places.into_iter().skip(n_meant) {
            labels[block].truth = 0.0;
        }
    }
}

/// Weighs blocks as errors count in the score of a page: by their share of its content.
fn weigh(labels: &mut [Label], n_truth: f32) {
    let n_truth = n_truth.max(60.0);
    let wrong: f32 = labels.iter().map(|it| (1.0 - it.truth) * it.weight).sum();
    // A page that is nearly all menu counts no more than six pages.
    let damping = (6.0 * n_truth / wrong.max(1.0)).min(1.0);
    for label in labels {
        let damping = if label.truth < 0.5 { damping } else { 1.0 };
        label.weight = (label.weight / n_truth).min(0.5) * damping + 0.002;
    }
}

/// A block is content if it holds a snippet of the content, and none if it holds one of the rest.
fn labels_by_snippets(page: &Page<'_>, record: &Record) -> Vec<Label> {
    let with: Vec<String> = record.with.iter().map(|it| squeeze(it).into_owned()).collect();
    let without: Vec<String> = record.without.iter().map(|it| squeeze(it).into_owned()).collect();
    let label = |block: usize| {
        let text = squeeze(page.text(block));
        let holds = |snippets: &[String]| snippets.iter().any(|it| !it.is_empty() && text.contains(it));
        match (holds(&with), holds(&without)) {
            (true, false) => Label { truth: 1.0, weight: 0.12 },
            (false, true) => Label { truth: 0.0, weight: 0.12 },
            _ => Label::default(),
        }
    };
    let by_snippet = (0..page.n_blocks()).map(label);
    let mut labels = labels_by_opinions(page, &record.opinions);
    for (label, by_snippet) in labels.iter_mut().zip(by_snippet) {
        if by_snippet.weight > 0.0 {
            *label = Label { truth: by_snippet.truth, weight: by_snippet.weight + label.weight };
        }
    }
    labels
}

/// A weak truth counts so much of a whole one: the extractors err on every tenth word.
const WEAK: f32 = 0.4;

/// A block is content as far as other extractors agree that it is.
fn labels_by_opinions(page: &Page<'_>, opinions: &[String]) -> Vec<Label> {
    let mut labels = vec![Label::default(); page.n_blocks()];
    if opinions.is_empty() {
        return labels;
    }
    let mut lengths = Vec::new();
    for opinion in opinions {
        let tokens = tokens(opinion);
        lengths.push(tokens.len());
        let covered = coverage(page, &shingles(&tokens));
        for (label, (covered, n_tokens)) in labels.iter_mut().zip(covered) {
            label.truth += covered / opinions.len() as f32;
            label.weight = n_tokens as f32;
        }
    }
    lengths.sort_unstable();
    let median = lengths.get(lengths.len() / 2).copied().unwrap_or(0);
    weigh(&mut labels, median as f32);
    for label in &mut labels {
        label.weight *= WEAK;
    }
    labels
}

/// Which part of the tokens of each block lie in known shingles, those across its ends included, and how many
/// tokens it has.
fn coverage(page: &Page<'_>, known: &HashMap<Vec<&str>, u32>) -> Vec<(f32, usize)> {
    let blocks: Vec<Vec<&str>> = (0..page.n_blocks()).map(|block| tokens(page.text(block))).collect();
    let stream: Vec<&str> = blocks.iter().flatten().copied().collect();
    let mut covered = vec![false; stream.len()];
    for (at, window) in stream.windows(4).enumerate() {
        if known.contains_key(window) {
            covered[at..at + 4].fill(true);
        }
    }
    let mut at = 0;
    let part = |block: &Vec<&str>| {
        let n_covered = covered[at..at + block.len()].iter().filter(|it| **it).count();
        at += block.len();
        (n_covered as f32 / block.len().max(1) as f32, block.len())
    };
    blocks.iter().map(part).collect()
}
