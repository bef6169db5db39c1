//! `cargo xtask near`: what `dedup-near` finds and drops wrongly, and what it takes, beside others.
//!
//! - `near pairs --data FOLDER`: on articles of which all alike pairs are known.
//! - `near corpus`: makes a corpus of any size.
//! - `near measure`: what the stage takes on a corpus, and what it drops wrongly there.
//! - `near growth`: whether time and disk grow with the corpus and memory does not.
//! - `near peers`: the same corpus with others, and what they drop wrongly.

mod corpus;
mod measure;
mod pairs;

use std::path::{Path, PathBuf};

use clap::{Parser, Subcommand};

/// What near-duplicate stages find, drop wrongly and take.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask near")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// What is found and dropped wrongly, on articles of which all alike pairs are known.
    Pairs(pairs::PairsArguments),
    /// Makes a corpus of pages, repeated and perturbed.
    Corpus(corpus::CorpusArguments),
    /// What stages take on a corpus, and what they drop wrongly.
    Measure(measure::MeasureArguments),
    /// What stages take on the first quarter, half, … of a corpus.
    Growth(measure::GrowthArguments),
    /// What others take on a corpus, and what they drop wrongly.
    Peers(measure::PeersArguments),
}

pub(crate) fn run(arguments: &[&str]) -> anyhow::Result<()> {
    match Arguments::parse_from(["near"].iter().chain(arguments)).command {
        Command::Pairs(arguments) => pairs::run(&arguments),
        Command::Corpus(arguments) => corpus::run(&arguments),
        Command::Measure(arguments) => measure::run(&arguments),
        Command::Growth(arguments) => measure::growth(&arguments),
        Command::Peers(arguments) => measure::peers(&arguments),
    }
}

/// The parts in a folder.
fn parts(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let mut parts = Vec::new();
    for part in std::fs::read_dir(folder)? {
        let part = part?.path();
        if part.extension().is_some_and(|ending| ending == "jsonl") {
            parts.push(part);
        }
    }
    parts.sort_unstable();
    Ok(parts)
}
