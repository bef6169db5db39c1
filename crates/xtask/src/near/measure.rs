//! What a stage takes on a corpus: time, memory, disk; and what it drops wrongly there.

use std::collections::{BTreeMap, HashMap};
use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context, ensure};
use clap::Args;

use super::pairs::{Dropped, TO_STAY, jaccard, shingles};
use super::parts;
use crate::bench::measure::{Usage, measure};

/// So many dropped documents are compared with their twins.
const SAMPLE: usize = 2000;

/// What is measured.
#[derive(Debug, Args)]
pub(super) struct MeasureArguments {
    /// JSON lines, as `near corpus` makes them.
    #[arg(long)]
    corpus: PathBuf,
    #[command(flatten)]
    run: RunArguments,
}

/// What is measured at several sizes.
#[derive(Debug, Args)]
pub(super) struct GrowthArguments {
    /// JSON lines, as `near corpus` makes them.
    #[arg(long)]
    corpus: PathBuf,
    /// How many documents, from the start of the corpus; several may be given.
    #[arg(long, required = true)]
    documents: Vec<usize>,
    #[command(flatten)]
    run: RunArguments,
}

/// Others on the same corpus.
#[derive(Debug, Args)]
pub(super) struct PeersArguments {
    /// JSON lines, as `near corpus` makes them.
    #[arg(long)]
    corpus: PathBuf,
    /// A Python that has `datatrove` (with `spacy`, `orjson` and `xxhash` 3) and `rensa`.
    #[arg(long, default_value = "python3")]
    python: String,
    /// Where they write.
    #[arg(long)]
    work: PathBuf,
}

/// Scripts of peers, by their names.
const PEERS: [(&str, &str); 2] = [
    ("rensa", include_str!("peers/rensa_minhash.py")),
    ("datatrove", include_str!("peers/datatrove_minhash.py")),
];

#[derive(Debug, Args)]
struct RunArguments {
    /// The stage.
    #[arg(long, default_value = "dedup-near")]
    stage: String,
    /// A line of options of the stage, as in a pipeline file; several may be given.
    #[arg(long)]
    option: Vec<String>,
    /// The program.
    #[arg(long, default_value = "target/release/tamis")]
    tamis: PathBuf,
    /// How many threads work.
    #[arg(long, default_value_t = 1)]
    threads: usize,
    /// Where runs write.
    #[arg(long)]
    work: PathBuf,
}

/// What a run took.
struct Taken {
    usage: Usage,
    /// Most bytes in the work folder.
    disk: u64,
}

pub(super) fn run(arguments: &MeasureArguments) -> anyhow::Result<()> {
    let MeasureArguments { corpus, run } = arguments;
    let megabytes = corpus.metadata()?.len() as f64 / 1e6;
    let plain = run.measure(corpus, false)?;
    let whole = run.measure(corpus, true)?;
    println!("{megabytes:.0} MB of JSON lines, {} thread(s)", run.threads);
    println!("without the stage: {}", shown(&plain));
    println!("with `{}`: {}", run.stage, shown(&whole));
    let seconds = whole.usage.cpu_seconds - plain.usage.cpu_seconds;
    println!("the stage alone: {seconds:.1} CPU s, {:.1} MB/s", megabytes / seconds);
    println!("the whole run: {:.1} MB/s of CPU time", megabytes / whole.usage.cpu_seconds);
    wrong(corpus, &run.work.join("dropped"))
}

pub(super) fn growth(arguments: &GrowthArguments) -> anyhow::Result<()> {
    let GrowthArguments { corpus, documents, run } = arguments;
    println!("| documents | CPU s | µs a document | peak MiB | disk MB | bytes a document |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for n in documents {
        let part = run.work.join("part.jsonl");
        std::fs::create_dir_all(&run.work)?;
        head(corpus, *n, &part)?;
        let Taken { usage, disk } = run.measure(&part, true)?;
        println!(
            "| {n} | {:.1} | {:.1} | {:.0} | {:.0} | {:.0} |",
            usage.cpu_seconds,
            usage.cpu_seconds * 1e6 / *n as f64,
            usage.peak_bytes as f64 / f64::from(1 << 20),
            disk as f64 / 1e6,
            disk as f64 / *n as f64,
        );
        std::fs::remove_file(part)?;
    }
    Ok(())
}

pub(super) fn peers(arguments: &PeersArguments) -> anyhow::Result<()> {
    let PeersArguments { corpus, python, work } = arguments;
    let corpus = std::path::absolute(corpus)?;
    for (name, source) in PEERS {
        let folder = std::path::absolute(work)?.join(name);
        if folder.exists() {
            std::fs::remove_dir_all(&folder)?;
        }
        std::fs::create_dir_all(&folder)?;
        let script = folder.join(format!("{name}_minhash.py"));
        std::fs::write(&script, source)?;
        let words = [Path::new(python), &script, &corpus, &folder];
        let words = words.map(|word| word.to_str().map(str::to_owned).context("a path is no Unicode"));
        let taken = watched(&words.into_iter().collect::<anyhow::Result<Vec<_>>>()?, &folder)?;
        println!("{name}, its output included: {}", shown(&taken));
        wrong(&corpus, &folder.join("dropped"))?;
    }
    Ok(())
}

/// The first lines of a file.
fn head(corpus: &Path, n: usize, out: &Path) -> anyhow::Result<()> {
    let (mut from, mut to) = (BufReader::new(File::open(corpus)?), BufWriter::new(File::create(out)?));
    let mut line = Vec::new();
    for at in 0..n {
        line.clear();
        ensure!(from.read_until(b'\n', &mut line)? > 0, "the corpus has {at} documents only");
        to.write_all(&line)?;
    }
    Ok(to.flush()?)
}

fn shown(Taken { usage, disk }: &Taken) -> String {
    format!(
        "{:.1} CPU s, {:.1} s, {:.0} MiB of memory, {:.0} MB of disk beside the output",
        usage.cpu_seconds,
        usage.wall_seconds,
        usage.peak_bytes as f64 / f64::from(1 << 20),
        *disk as f64 / 1e6
    )
}

impl RunArguments {
    /// Runs a pipeline over a corpus, with or without the stage.
    fn measure(&self, corpus: &Path, has_stage: bool) -> anyhow::Result<Taken> {
        let folder = std::path::absolute(&self.work)?;
        for old in ["kept", "dropped"].map(|name| folder.join(name)) {
            if old.exists() {
                std::fs::remove_dir_all(old)?;
            }
        }
        std::fs::create_dir_all(&folder)?;
        let stage = if has_stage {
            let options = self.option.join("\n");
            format!(
                "[[stage]]\nuse = {:?}\n{options}\n\n[[export]]\nid = \"dropped\"\nuse = \"jsonl\"\nfrom = \"dropped\"\n\
                 path = \"dropped\"\n\n",
                self.stage
            )
        } else {
            String::new()
        };
        let pipeline = folder.join("near.toml");
        let text = format!(
            "[[source]]\nuse = \"jsonl\"\npaths = [{:?}]\n\n[[export]]\nuse = \"jsonl\"\npath = \"kept\"\n\n{stage}[run]\nthreads = {}\n",
            std::path::absolute(corpus)?.to_string_lossy(),
            self.threads
        );
        std::fs::write(&pipeline, text)?;
        let program = self.tamis.to_str().context("the path of the program is no Unicode")?;
        let command = [program, "run", "--quiet", pipeline.to_str().context("`--work` is no Unicode")?];
        let command: Vec<String> = command.iter().map(|word| (*word).to_owned()).collect();
        watched(&command, &folder.join("kept").join(".tamis"))
    }
}

/// Runs a program to its end, with an eye on the bytes in a folder.
fn watched(command: &[String], folder: &Path) -> anyhow::Result<Taken> {
    let (disk, is_over) = (AtomicU64::new(0), AtomicBool::new(false));
    let usage = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                disk.fetch_max(bytes_in(folder), Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(200));
            }
        });
        let usage = measure(command);
        is_over.store(true, Ordering::Relaxed);
        usage
    })?;
    Ok(Taken { usage, disk: disk.into_inner() })
}

/// How many bytes the files in a folder have; files may go meanwhile.
fn bytes_in(folder: &Path) -> u64 {
    let files = walkdir::WalkDir::new(folder).into_iter().flatten();
    files
        .filter_map(|entry| entry.metadata().ok())
        .filter(std::fs::Metadata::is_file)
        .map(|it| it.len())
        .sum()
}

/// What was dropped by kind, and how alike a sample of it is to its twins, worked out plainly.
fn wrong(corpus: &Path, folder: &Path) -> anyhow::Result<()> {
    let (mut pairs, mut by_kind) = (Vec::new(), BTreeMap::<String, usize>::new());
    let mut n_dropped = 0_usize;
    for part in parts(folder)? {
        for line in BufReader::new(File::open(part)?).lines() {
            let Dropped { id, metadata } = serde_json::from_str(&line?)?;
            *by_kind.entry(kind(&id)).or_default() += 1;
            // Others and others, from all over the corpus, whatever its size.
            if n_dropped.is_multiple_of(101) && pairs.len() < SAMPLE {
                pairs.push((id, metadata.duplicate_of));
            }
            n_dropped += 1;
        }
    }
    let mut texts: HashMap<&str, Option<String>> =
        pairs.iter().flat_map(|(one, other)| [(one.as_str(), None), (other.as_str(), None)]).collect();
    let mut all = BTreeMap::<String, usize>::new();
    for line in BufReader::new(File::open(corpus)?).lines() {
        let line = line?;
        let id = line.strip_prefix("{\"id\":\"").and_then(|rest| rest.split('"').next()).unwrap_or_default();
        *all.entry(kind(id)).or_default() += 1;
        if let Some(text) = texts.get_mut(id) {
            ensure!(text.is_none(), "two documents are called {id}");
            *text = Some(serde_json::from_str::<super::pairs::Article>(&line)?.text);
        }
    }
    let (mut n_wrong, mut least) = (0, 1.0_f64);
    for (one, other) in &pairs {
        let set = |id: &String| texts.get(id.as_str()).and_then(Option::as_deref).map(shingles);
        let (one, other) = (set(one), set(other));
        let similarity = jaccard(&one.context("no such document")?, &other.context("no such twin")?);
        n_wrong += usize::from(similarity < TO_STAY);
        least = least.min(similarity);
    }
    for (kind, n) in &all {
        println!("{kind}: {n}, of which dropped {}", by_kind.get(kind).unwrap_or(&0));
    }
    println!(
        "dropped {n_dropped}; of {} that were looked at with less than {TO_STAY} to the twin: {n_wrong}; least {least:.4}",
        pairs.len()
    );
    Ok(())
}

fn kind(id: &str) -> String {
    id.split('-').next().unwrap_or_default().to_owned()
}
