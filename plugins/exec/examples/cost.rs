//! What passing documents through a program costs: time of the processor a document, here and in the program, without what
//! starting the program takes.
//!
//! `cargo run --profile bench -p tamis-exec --example cost -- PYTHON FOLDER_OF_THE_PACKAGE`, where PYTHON has `pyarrow`.

#![expect(clippy::print_stdout, reason = "it shows what it has measured")]
#![expect(clippy::unwrap_used, reason = "whoever measures looks on")]

use std::path::Path;

use nix::sys::resource::{UsageWho, getrusage};
use nix::sys::time::TimeValLike as _;
use tamis_exec::{Exec, ExecFormat, ExecOptions};
use tamis_plugin::{BatchExtractor, Document, Extracted, View};

const DOCUMENTS: usize = 100_000;
const BATCH: usize = 1000;

const FILTER: &str = "import tamis\n@tamis.filter\ndef all(document):\n    return True\ntamis.serve(all)\n";
const EXTRACTOR: &str = "import tamis\n@tamis.extractor\ndef all(document):\n    document.metadata['n'] = len(document.text)\n    return document.text + '!'\ntamis.serve(all)\n";

fn main() {
    let mut arguments = std::env::args().skip(1);
    let python = arguments.next().unwrap_or_else(|| "python3".to_owned());
    let package = arguments.next().unwrap_or_else(|| "crates/python/python".to_owned());
    let package = Path::new(&package).canonicalize().unwrap();
    let folder = tempfile::tempdir().unwrap();
    println!("| program | format | µs a document | here | in the program | to start it, ms |");
    println!("| --- | --- | ---: | ---: | ---: | ---: |");
    for (name, text) in [("filter", FILTER), ("extractor", EXTRACTOR)] {
        let script = folder.path().join(format!("{name}.py"));
        std::fs::write(&script, text).unwrap();
        for format in [ExecFormat::Jsonl, ExecFormat::Arrow] {
            let options = ExecOptions {
                command: vec![
                    "/usr/bin/env".to_owned(),
                    format!("PYTHONPATH={}", package.display()),
                    python.clone(),
                ],
                script: Some(script.display().to_string()),
                format,
                batch: BATCH,
                ..ExecOptions::default()
            };
            let start = spent(&options, 1);
            let all = spent(&options, DOCUMENTS);
            let [here, there] = [0, 1].map(|at| (all[at] - start[at]) * 1e6 / DOCUMENTS as f64);
            println!(
                "| {name} | {format:?} | {:.1} | {here:.1} | {there:.1} | {:.0} |",
                here + there,
                start[1] * 1e3
            );
        }
    }
}

/// Seconds of the processor, of this process and of the program, for so many documents of 1 KB.
fn spent(options: &ExecOptions, n: usize) -> [f64; 2] {
    let text: String = "The river rose and the bridge was closed. ".chars().cycle().take(1000).collect();
    let document = |n: usize| {
        let mut document = Document::new(format!("a.jsonl#{n}"), text.clone());
        document.metadata.insert("url", format!("https://mill.example/{n}"));
        document
    };
    let documents: Vec<Document> = (0..BATCH.min(n)).map(document).collect();
    let before = [UsageWho::RUSAGE_SELF, UsageWho::RUSAGE_CHILDREN].map(seconds);
    let stage = Exec::open(options.clone()).unwrap();
    let mut worker = <Exec as BatchExtractor>::Local::default();
    for _ in 0..n.div_ceil(BATCH) {
        let mut batch: Vec<Extracted<'_>> =
            documents.iter().map(|it| Extracted::from(View::from(it))).collect();
        stage.extract_all(&mut worker, &mut batch);
        assert!(batch.iter().all(|it| it.outcome.is_ok()), "{:?}", batch[0].outcome);
    }
    drop(worker);
    let after = [UsageWho::RUSAGE_SELF, UsageWho::RUSAGE_CHILDREN].map(seconds);
    [after[0] - before[0], after[1] - before[1]]
}

fn seconds(who: UsageWho) -> f64 {
    let usage = getrusage(who).unwrap();
    (usage.user_time().num_microseconds() + usage.system_time().num_microseconds()) as f64 / 1e6
}
