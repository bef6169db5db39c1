//! The cases: which programs run, and what their measures must reach.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::contest::{Beyond, Comparison, Contest, Program};
use super::corpus::{self, Corpus, Tree};
use super::is_debug;
use super::peers::{self, JSONL_PEER, MIN_CHARS, Script};
use super::pipeline::{Pipeline, Stages};
use super::report::{Bar, Measure};

/// How many pages the slowest peer, at some hundred kilobytes a second, can be asked to clean.
const EXTRACTED_PAGES: u64 = 1000;
/// The same for judging, at a tenth of a megabyte a second.
const JUDGED_PAGES: u64 = 600;
/// How often a large corpus holds the small one.
const COPIES: usize = 8;

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Case {
    /// JSON lines, filtered by length
    Jsonl,
    /// The same, compressed
    Zstd,
    /// JSON lines to Parquet
    Parquet,
    /// 200 partitions as Parquet, beside the same as JSON lines
    Partitions,
    /// A compressed WARC archive to JSON lines
    Warc,
    /// Many small HTML files to JSON lines
    Html,
    /// Main text and metadata of HTML pages
    Extract,
    /// Flattened pages through the stages that clean them
    Flattened,
    /// Published rules for the quality of a text, over JSON lines
    Judge,
    /// Exact duplicates of JSON lines
    Dedup,
    /// Memory of a corpus and of one eight times its size
    Memory,
    /// Start to end of `tamis check`
    Startup,
    /// Stages that look at all documents before they decide
    Corpus,
}

/// What all cases share.
#[derive(Debug)]
pub(crate) struct Setting {
    /// The binary that is measured.
    pub(crate) tamis: PathBuf,
    /// The program that holds the loop; of the same build.
    pub(crate) peer: PathBuf,
    pub(crate) stages: Stages,
    pub(crate) corpus: Corpus,
    /// A folder for pipelines, what is made of the corpus, and output.
    pub(crate) work: PathBuf,
    /// How often every program of a case runs.
    pub(crate) runs: usize,
    /// How often `tamis check` starts.
    pub(crate) starts: usize,
}

impl Case {
    /// Makes what the case needs.
    pub(crate) fn prepare(self, setting: &Setting) -> anyhow::Result<Contest> {
        match self {
            Self::Jsonl => setting.jsonl(),
            Self::Zstd => setting.zstd(),
            Self::Parquet => setting.parquet(),
            Self::Partitions => setting.partitions(),
            Self::Warc => setting.warc(),
            Self::Html => setting.html(),
            Self::Extract => setting.extract(),
            Self::Flattened => setting.flattened(),
            Self::Judge => setting.judge(),
            Self::Dedup => setting.dedup(),
            Self::Memory => setting.memory(),
            Self::Startup => setting.startup(),
            Self::Corpus => setting.corpus_stages(),
        }
    }
}

impl Setting {
    fn jsonl(&self) -> anyhow::Result<Contest> {
        let text = text_of(&self.corpus.text);
        let output = self.work.join("peer.jsonl");
        let (one, two) = self.both(&length(1, vec![text.clone()]), "jsonl", Some(self.corpus.documents))?;
        let peer = text_of(&self.peer);
        let mut plain = program(
            "serde_json loop",
            vec![peer, JSONL_PEER.to_owned(), text.clone(), text_of(&output)],
            &output,
        );
        if is_debug(&self.peer) && !is_debug(&self.tamis) {
            plain.missing = Some("no tamis-xtask of the same build beside the binary".to_owned());
        }
        let copy = shell("cat", r#"cat "$1" > "$2""#, &[&text, &text_of(&output)], Some(&output), &["cat"]);
        let comparisons = vec![
            ratio(Measure::Cpu, 0, 2, Some(Bar::AtMost(0.45))),
            ratio(Measure::Cpu, 0, 3, None),
            speed_up(0, 1),
        ];
        Ok(self.contest("jsonl", vec![one, two, plain, copy], comparisons))
    }

    fn zstd(&self) -> anyhow::Result<Contest> {
        let input = text_of(&corpus::zstd_copy(&self.corpus.text, &self.work)?);
        let output = self.work.join("peer.jsonl.zst");
        let mut pipeline = length(1, vec![input.clone()]);
        pipeline.export_options = "compression = \"zstd\"\ncompression_level = 3\n";
        let (one, two) = self.both(&pipeline, "zstd", Some(self.corpus.documents))?;
        let peer = shell(
            "zstd -dc | zstd -3",
            r#"zstd -dc "$1" | zstd -q -3 -c > "$2""#,
            &[&input, &text_of(&output)],
            Some(&output),
            &["zstd"],
        );
        let comparisons = vec![ratio(Measure::Cpu, 1, 2, Some(Bar::AtMost(1.3))), speed_up(0, 1)];
        Ok(self.contest("zstd", vec![one, two, peer], comparisons))
    }

    fn parquet(&self) -> anyhow::Result<Contest> {
        let text = text_of(&self.corpus.text);
        let pipeline = Pipeline {
            exporter: "parquet",
            export_options: "compression = \"zstd\"\ncompression_level = 1\n",
            ..pipeline("jsonl", vec![text.clone()])
        };
        let (one, two) = self.both(&pipeline, "parquet", Some(self.corpus.documents))?;
        let peer = self.script(peers::PYARROW, &text, "peer.parquet")?;
        let comparisons = vec![
            ratio(Measure::Cpu, 1, 2, Some(Bar::AtMost(0.7))),
            ratio(Measure::Peak, 1, 2, Some(Bar::AtMost(0.2))),
            speed_up(0, 1),
        ];
        Ok(self.contest("parquet", vec![one, two, peer], comparisons))
    }

    /// As many files are synced on both sides; what the ratio shows is what a row group of a few documents costs.
    fn partitions(&self) -> anyhow::Result<Contest> {
        let text = text_of(&corpus::grouped_copy(&self.corpus.text, &self.work)?);
        let plain = Pipeline { partition: "group={group}", threads: 2, ..pipeline("jsonl", vec![text]) };
        let documents = Some(self.corpus.documents);
        let run = |exporter, export_options, name: &str| {
            let pipeline = Pipeline { exporter, export_options, ..plain.clone() };
            self.tamis(&pipeline, name, documents)
        };
        let zstd = "compression = \"zstd\"\n";
        let programs = vec![
            run("parquet", "", "partitions-parquet")?.named("Parquet, zstd"),
            run("jsonl", "", "partitions-jsonl")?.named("JSON lines"),
            run("jsonl", zstd, "partitions-jsonl-zstd")?.named("JSON lines, zstd"),
        ];
        let comparisons = vec![
            ratio(Measure::Wall, 0, 1, Some(Bar::AtMost(1.5))),
            ratio(Measure::Cpu, 0, 1, None),
            ratio(Measure::Wall, 0, 2, None),
        ];
        Ok(self.contest("partitions", programs, comparisons))
    }

    fn warc(&self) -> anyhow::Result<Contest> {
        let archive = self.corpus.warc.as_deref().map(text_of);
        let input = archive.clone().unwrap_or_default();
        let (mut one, mut two) =
            self.both(&pipeline("warc", vec![input.clone()]), "warc", Some(self.corpus.documents))?;
        if archive.is_none() {
            for program in [&mut one, &mut two] {
                program.missing = Some("no pages.warc.gz in the corpus".to_owned());
            }
        }
        let floor = shell("zcat | wc -c", r#"zcat "$1" | wc -c"#, &[&input], None, &["zcat", "wc"]);
        let warcio = self.script(peers::WARCIO, &input, "warcio.jsonl")?;
        let datatrove = self.script(peers::DATATROVE, &input, "datatrove.jsonl")?;
        let comparisons = vec![
            ratio(Measure::Cpu, 1, 2, Some(Bar::AtMost(1.8))),
            ratio(Measure::Cpu, 1, 3, Some(Bar::AtMost(0.2))),
            ratio(Measure::Cpu, 1, 4, None),
            speed_up(0, 1),
        ];
        Ok(self.contest("warc", vec![one, two, floor, warcio, datatrove], comparisons))
    }

    fn html(&self) -> anyhow::Result<Contest> {
        let none = Tree { folder: PathBuf::new(), globs: Vec::new(), files: 0 };
        let tree = self.corpus.html.as_ref().unwrap_or(&none);
        let (mut one, mut two) =
            self.both(&pipeline("html", tree.globs.clone()), "html", Some(tree.files))?;
        if tree.files == 0 {
            for program in [&mut one, &mut two] {
                program.missing = Some("no pages below html/ in the corpus".to_owned());
            }
        }
        let floor = shell(
            "find | xargs cat",
            r#"find -L "$1" -type f \( -name '*.html' -o -name '*.htm' \) -print0 | xargs -0 cat"#,
            &[&text_of(&tree.folder)],
            None,
            &["find", "xargs", "cat"],
        );
        let comparisons = vec![ratio(Measure::Cpu, 1, 2, Some(Bar::AtMost(3.0))), speed_up(0, 1)];
        Ok(self.contest("html", vec![one, two, floor], comparisons))
    }

    fn extract(&self) -> anyhow::Result<Contest> {
        let sample =
            self.corpus.pages.as_deref().map(|pages| corpus::sample(pages, &self.work, EXTRACTED_PAGES));
        let (sample, documents) = sample.transpose()?.unwrap_or_default();
        let sample = text_of(&sample);
        let stages = vec![("html-metadata", String::new()), ("html-extract", String::new())];
        let pipeline = Pipeline { stages, ..pipeline("jsonl", vec![sample.clone()]) };
        let (mut one, mut two) = self.both(&pipeline, "extract", Some(documents))?;
        if documents == 0 {
            for program in [&mut one, &mut two] {
                program.missing = Some("no html.jsonl in the corpus".to_owned());
            }
        }
        let resiliparse = self.script(peers::RESILIPARSE, &sample, "resiliparse.jsonl")?;
        let trafilatura = self.script(peers::TRAFILATURA, &sample, "trafilatura.jsonl")?;
        let comparisons = vec![
            ratio(Measure::Cpu, 0, 2, Some(Bar::AtMost(1.0))),
            ratio(Measure::Cpu, 0, 3, Some(Bar::AtMost(0.125))),
            speed_up(0, 1),
        ];
        Ok(self.contest("extract", vec![one, two, resiliparse, trafilatura], comparisons))
    }

    /// The pipeline as it is shipped. Its rate is of all that it does, reading and writing included.
    fn flattened(&self) -> anyhow::Result<Contest> {
        let text = text_of(&self.corpus.text);
        let file = text_of(&crate::root().join("config/flattened.toml"));
        let run = |threads: &str, label: &str| {
            let output = self.work.join("out").join(format!("flattened-t{threads}"));
            let folder = text_of(&output);
            let tamis = text_of(&self.tamis);
            let set = format!("run.threads={threads}");
            let command = [&tamis, "run", "--fresh", "--quiet", "--set", &set, &file, &text, "-o", &folder];
            let expected = Some(self.corpus.documents);
            Program { expected, ..program(label, command.map(str::to_owned).to_vec(), &output) }
        };
        let plain =
            self.tamis(&length(1, vec![text.clone()]), "flattened-none", Some(self.corpus.documents))?;
        let megabytes = self.corpus.bytes as f64 / 1e6;
        let beyond = Some(Beyond { ours: (None, megabytes), theirs: (None, megabytes) });
        let bar = Some(Bar::AtLeast(60.0));
        let comparisons = vec![
            Comparison { measure: Measure::Rate, ours: 0, theirs: None, bar, beyond },
            ratio(Measure::Cpu, 0, 2, None),
            speed_up(0, 1),
        ];
        let programs = vec![run("1", "1 thread"), run("2", "2 threads"), plain.named("jsonl")];
        Ok(self.contest("flattened", programs, comparisons))
    }

    /// What judging takes is what a run takes beyond one that only reads and writes. The sample of the peer is too small for
    /// ours to be measured on it, so rates are compared.
    fn judge(&self) -> anyhow::Result<Contest> {
        let text = text_of(&self.corpus.text);
        let documents = Some(self.corpus.documents);
        let run = |name: &'static str, options: Option<&str>| {
            let stages = options.map(|options| ("judge", options.to_owned())).into_iter().collect();
            let judging = Pipeline { stages, ..pipeline("jsonl", vec![text.clone()]) };
            anyhow::Ok(self.tamis(&judging, name, documents)?.named(name))
        };
        let presets = "presets = [\"gopher\", \"c4\", \"fineweb\"]\n";
        let annotate = format!("{presets}mode = \"annotate\"\n");
        let (sample, sample_bytes) = corpus::text_sample(&self.corpus.text, &self.work, JUDGED_PAGES)?;
        let peer = self.script(peers::DATATROVE_JUDGE, &text_of(&sample), "datatrove-judge.jsonl")?;
        let mut plain_peer = peer.clone().named("datatrove, plain");
        plain_peer.command.push("plain".to_owned());
        let programs = vec![
            run("judge", Some(presets))?,
            run("judge-none", None)?,
            run("judge-annotate", Some(&annotate))?,
            peer,
            plain_peer,
        ];
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        let beyond = Some(Beyond {
            ours: (Some(1), megabytes(self.corpus.bytes)),
            theirs: (Some(4), megabytes(sample_bytes)),
        });
        let rate = |ours, theirs, bar| Comparison { measure: Measure::Rate, ours, theirs, bar, beyond };
        let comparisons = vec![
            rate(0, None, Some(Bar::AtLeast(80.0))),
            rate(2, None, None),
            rate(0, Some(3), Some(Bar::AtLeast(150.0))),
        ];
        Ok(self.contest("judge", programs, comparisons))
    }

    fn dedup(&self) -> anyhow::Result<Contest> {
        let text = text_of(&self.corpus.text);
        let stages = vec![("dedup-exact", String::new())];
        let pipeline = Pipeline { stages, ..pipeline("jsonl", vec![text.clone()]) };
        let (one, two) = self.both(&pipeline, "dedup", Some(self.corpus.documents))?;
        let duckdb = self.script(peers::DUCKDB, &text, "duckdb.jsonl")?;
        let comparisons = vec![
            ratio(Measure::Cpu, 0, 2, Some(Bar::AtMost(1.0))),
            ratio(Measure::Peak, 0, 2, Some(Bar::AtMost(0.2))),
            speed_up(0, 1),
        ];
        Ok(self.contest("dedup", vec![one, two, duckdb], comparisons))
    }

    fn memory(&self) -> anyhow::Result<Contest> {
        let copies = corpus::copies(&self.corpus.text, &self.work, COPIES)?;
        let copies = copies.iter().map(|path| text_of(path)).collect();
        let documents = self.corpus.documents;
        let once = length(2, vec![text_of(&self.corpus.text)]);
        let often = length(2, copies);
        let programs = vec![
            self.tamis(&once, "memory-1x", Some(documents))?.named("1x"),
            self.tamis(&often, "memory-8x", Some(documents * COPIES as u64))?.named("8x"),
        ];
        let limit = Bar::AtMost(300.0 * f64::from(1 << 20));
        let comparisons =
            vec![ratio(Measure::Peak, 1, 0, Some(Bar::AtMost(1.1))), level(Measure::Peak, 1, Some(limit))];
        Ok(self.contest("memory", programs, comparisons))
    }

    fn startup(&self) -> anyhow::Result<Contest> {
        let pipeline = length(2, vec![text_of(&self.corpus.text)]);
        let mut check = self.tamis(&pipeline, "startup", None)?.named("tamis check");
        let [_, .., file] = &*check.command else { return Err(anyhow::anyhow!("a run names its pipeline")) };
        check.command = vec![text_of(&self.tamis), "check".to_owned(), file.clone()];
        let comparisons = vec![level(Measure::Wall, 0, Some(Bar::AtMost(0.025)))];
        Ok(Contest { runs: self.starts, ..self.contest("startup", vec![check], comparisons) })
    }

    fn corpus_stages(&self) -> anyhow::Result<Contest> {
        let text = text_of(&self.corpus.text);
        let documents = Some(self.corpus.documents);
        let plain = self.tamis(&length(1, vec![text.clone()]), "corpus-none", documents)?;
        let mut programs = vec![plain.named("jsonl")];
        let mut comparisons = Vec::new();
        for name in ["dedup-exact", "dedup-near", "line-template"] {
            let staged =
                Pipeline { stages: vec![(name, String::new())], ..pipeline("jsonl", vec![text.clone()]) };
            comparisons.push(ratio(Measure::Cpu, programs.len(), 0, None));
            comparisons.push(level(Measure::Peak, programs.len(), None));
            programs.push(self.tamis(&staged, name, documents)?.named(name));
        }
        Ok(self.contest("corpus", programs, comparisons))
    }

    /// A pipeline with one thread and with two.
    fn both(
        &self,
        pipeline: &Pipeline,
        name: &str,
        expected: Option<u64>,
    ) -> anyhow::Result<(Program, Program)> {
        let threads = |threads| {
            let pipeline = Pipeline { threads, ..pipeline.clone() };
            self.tamis(&pipeline, &format!("{name}-t{threads}"), expected)
        };
        Ok((threads(1)?.named("1 thread"), threads(2)?.named("2 threads")))
    }

    /// A run of Tamis; its pipeline is written to the work folder.
    fn tamis(&self, pipeline: &Pipeline, name: &str, expected: Option<u64>) -> anyhow::Result<Program> {
        let (file, output) = (self.work.join(format!("{name}.toml")), self.work.join("out").join(name));
        std::fs::write(&file, pipeline.to_toml(&output))
            .with_context(|| format!("cannot write {}", file.display()))?;
        let command = [&text_of(&self.tamis), "run", "--fresh", "--quiet", &text_of(&file)];
        Ok(Program {
            label: name.to_owned(),
            command: command.map(str::to_owned).to_vec(),
            output: Some(output),
            expected,
            missing: pipeline.unknown(&self.stages).map(|what| format!("this tamis has no {what}")),
        })
    }

    /// A peer in Python.
    fn script(&self, script: Script, input: &str, output: &str) -> anyhow::Result<Program> {
        let output = self.work.join(output);
        Ok(match script.prepare(&self.work)? {
            Ok((python, path)) => {
                let command = vec![python, text_of(&path), input.to_owned(), text_of(&output)];
                program(script.label, command, &output)
            }
            Err(why) => Program { missing: Some(why), ..program(script.label, Vec::new(), &output) },
        })
    }

    fn contest(&self, case: &'static str, programs: Vec<Program>, comparisons: Vec<Comparison>) -> Contest {
        Contest { case, runs: self.runs, programs, comparisons }
    }
}

/// From a reader to JSON lines, no stage between.
fn pipeline(reader: &'static str, paths: Vec<String>) -> Pipeline {
    Pipeline {
        reader,
        paths,
        stages: Vec::new(),
        exporter: "jsonl",
        partition: "",
        export_options: "",
        threads: 1,
    }
}

/// JSON lines through the filter by length.
fn length(threads: usize, paths: Vec<String>) -> Pipeline {
    let stages = vec![("length", format!("min_chars = {MIN_CHARS}\n"))];
    Pipeline { stages, threads, ..pipeline("jsonl", paths) }
}

impl Program {
    fn named(self, label: &str) -> Self {
        Self { label: label.to_owned(), ..self }
    }
}

fn program(label: &str, command: Vec<String>, output: &Path) -> Program {
    Program {
        label: label.to_owned(),
        command,
        output: Some(output.to_owned()),
        expected: None,
        missing: None,
    }
}

/// A line of shell, its arguments, and the programs that it needs.
fn shell(label: &str, line: &str, arguments: &[&str], output: Option<&Path>, needs: &[&str]) -> Program {
    let command = ["sh", "-c", line, "sh"].iter().chain(arguments).map(|part| (*part).to_owned()).collect();
    Program {
        label: label.to_owned(),
        command,
        output: output.map(Path::to_owned),
        expected: None,
        missing: peers::missing(needs),
    }
}

fn ratio(measure: Measure, ours: usize, theirs: usize, bar: Option<Bar>) -> Comparison {
    Comparison { measure, ours, theirs: Some(theirs), bar, beyond: None }
}

fn level(measure: Measure, ours: usize, bar: Option<Bar>) -> Comparison {
    Comparison { measure, ours, theirs: None, bar, beyond: None }
}

/// How much sooner a second thread makes a run end.
fn speed_up(one: usize, two: usize) -> Comparison {
    ratio(Measure::Wall, one, two, Some(Bar::AtLeast(1.8)))
}

/// A path as an argument; `run` has refused paths that are not UTF-8.
fn text_of(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}
