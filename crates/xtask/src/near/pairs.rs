//! `cargo xtask near pairs`: what `dedup-near` finds and what it drops wrongly, on articles of which all alike pairs are
//! known.
//!
//! The folder of `--data` holds `articles.jsonl.gz` (`id`, `text`) and `pairs.tsv` (similarity, id, id: all pairs of
//! articles with a Jaccard similarity of .5 or more). The program is run as a user would, and what it
//! kept and dropped is compared with the pairs; the similarity of each dropped article and its twin is worked out
//! here, plainly and by other code than the stage's.

use std::collections::{BTreeMap, HashSet};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail, ensure};
use clap::Args;
use flate2::read::MultiGzDecoder;
use serde::Deserialize;
use tamis_text::chars::is_cjk;

use super::parts;

/// Pairs that are so much alike are to be found, and what is less alike than the second is not to be dropped.
const TO_FIND: f64 = 0.85;
pub(super) const TO_STAY: f64 = 0.8;
/// Tokens in a row.
const SHINGLE: usize = 5;

/// What `dedup-near` finds, and what it drops wrongly.
#[derive(Debug, Args)]
pub(super) struct PairsArguments {
    /// A folder with `articles.jsonl.gz` and `pairs.tsv`.
    #[arg(long)]
    data: PathBuf,
    /// The program.
    #[arg(long, default_value = "target/release/tamis")]
    tamis: PathBuf,
    /// A line of options of the stage, as in a pipeline file; several may be given.
    #[arg(long)]
    option: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct Article {
    id: String,
    pub(super) text: String,
}

#[derive(Debug, Deserialize)]
pub(super) struct Dropped {
    pub(super) id: String,
    pub(super) metadata: Fields,
}

#[derive(Debug, Deserialize)]
pub(super) struct Fields {
    pub(super) duplicate_of: String,
}

pub(super) fn run(arguments: &PairsArguments) -> anyhow::Result<()> {
    let articles = articles(&arguments.data.join("articles.jsonl.gz"))?;
    let dropped = dropped(arguments)?;
    let pairs =
        std::fs::read_to_string(arguments.data.join("pairs.tsv")).context("cannot read `pairs.tsv`")?;
    let (mut n_alike, mut n_found) = (0, 0);
    for line in pairs.lines() {
        let [similarity, one, other] = line.split('\t').collect::<Vec<_>>()[..] else {
            bail!("`{line}` is no similarity and two ids");
        };
        if similarity.parse::<f64>()? >= TO_FIND {
            n_alike += 1;
            n_found += usize::from(dropped.contains_key(one) || dropped.contains_key(other));
        }
    }
    let set =
        |id: &str| articles.get(id).map(|text| shingles(text)).with_context(|| format!("no article `{id}`"));
    let (mut n_wrong, mut least) = (0, 1.0_f64);
    for (id, twin) in &dropped {
        ensure!(!dropped.contains_key(twin), "`{twin}`, the twin of `{id}`, is dropped itself");
        let (one, other) = (set(id)?, set(twin)?);
        let similarity = jaccard(&one, &other);
        n_wrong += usize::from(similarity < TO_STAY);
        least = least.min(similarity);
    }
    println!("articles {}, dropped {}", articles.len(), dropped.len());
    println!(
        "pairs alike at {TO_FIND}: {n_alike}, of which one is dropped: {n_found} ({:.4})",
        n_found as f64 / f64::from(n_alike.max(1))
    );
    println!("dropped with less than {TO_STAY} to the twin: {n_wrong}; least similarity {least:.4}");
    Ok(())
}

fn articles(path: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let file = std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut articles = BTreeMap::new();
    for line in BufReader::new(MultiGzDecoder::new(file)).lines() {
        let Article { id, text } = serde_json::from_str(&line?)?;
        articles.insert(id, text);
    }
    Ok(articles)
}

/// The twin of each article that the program drops.
fn dropped(arguments: &PairsArguments) -> anyhow::Result<BTreeMap<String, String>> {
    let folder = tempfile::tempdir()?;
    let pipeline = folder.path().join("near.toml");
    let articles = std::path::absolute(arguments.data.join("articles.jsonl.gz"))?;
    let text = format!(
        "[[source]]\nuse = \"jsonl\"\npaths = [{:?}]\n\n[[stage]]\nuse = \"dedup-near\"\n{}\n\n[[export]]\nuse = \"jsonl\"\n\
         path = \"kept\"\n\n[[export]]\nid = \"dropped\"\nuse = \"jsonl\"\nfrom = \"dropped\"\npath = \"dropped\"\n",
        articles.to_string_lossy(),
        arguments.option.join("\n"),
    );
    std::fs::write(&pipeline, text)?;
    let status = Command::new(&arguments.tamis).args(["run", "--quiet"]).arg(&pipeline).status();
    let status = status.with_context(|| format!("cannot start {}", arguments.tamis.display()))?;
    ensure!(status.success(), "the run failed: {status}");
    let mut twins = BTreeMap::new();
    for part in parts(&folder.path().join("dropped"))? {
        for line in BufReader::new(std::fs::File::open(part)?).lines() {
            let Dropped { id, metadata } = serde_json::from_str(&line?)?;
            twins.insert(id, metadata.duplicate_of);
        }
    }
    Ok(twins)
}

/// How alike two sets are.
pub(super) fn jaccard(one: &HashSet<String>, other: &HashSet<String>) -> f64 {
    let n_shared = one.intersection(other).count();
    n_shared as f64 / (one.len() + other.len() - n_shared).max(1) as f64
}

/// The runs of tokens of a text, a character of Chinese or a word being one.
pub(super) fn shingles(text: &str) -> HashSet<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut is_open = false;
    for c in text.chars() {
        let is_letter = c.is_alphanumeric();
        match tokens.last_mut() {
            Some(word) if is_letter && is_open && !is_cjk(c) => word.extend(c.to_lowercase()),
            _ if is_letter => tokens.push(c.to_lowercase().collect()),
            _ => {}
        }
        is_open = is_letter && !is_cjk(c);
    }
    if tokens.len() < SHINGLE {
        return HashSet::from([tokens.join(" ")]);
    }
    tokens.windows(SHINGLE).map(|tokens| tokens.join(" ")).collect()
}
