//! Programs that behave, and programs that do not.

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use tamis_plugin::{BatchExtractor, Document, Draft, Extracted, Json, Value, Verdict, View};

use super::{Exec, ExecFormat, ExecOptions, Worker};

/// What every program here ends with: it reads line by line, and `answer` says what is printed about a document.
const LOOP: &str = r#"
import json, os, sys, time
print('{"tamis":1}', flush=True) if json.loads(sys.stdin.readline())["tamis"] == 1 else sys.exit(9)
while head := sys.stdin.readline():
    for _ in range(json.loads(head)["batch"]):
        document = json.loads(sys.stdin.readline())
        text = document["text"]
        said = {"id": document["id"]}
        answer(document, text, said)
        print(json.dumps(said), flush=True)
"#;

/// The same in record batches; each answer is one of its own, so that what is said before a crash has been said.
const ARROW_LOOP: &str = r#"
import base64, json, os, sys, time
import pyarrow as pa
assert json.loads(sys.stdin.buffer.readline())["format"] == "arrow"
print('{"tamis":1,"format":"arrow"}', flush=True)
columns = pa.schema([(it, pa.string()) for it in ["id", "drop", "fail", "text", "metadata", "split", "counts"]])
with pa.ipc.new_stream(sys.stdout.buffer, columns) as answers:
    for batch in pa.ipc.open_stream(sys.stdin.buffer):
        for document in batch.to_pylist():
            document["metadata"] = json.loads(document["metadata"])
            if "raw" in document:
                document["raw"] = base64.b64encode(document["raw"]).decode()
            said = {"id": document["id"]}
            answer(document, document["text"], said)
            said = {it: json.dumps(a) if isinstance(a, (dict, list)) else a for it, a in said.items()}
            answers.write_batch(pa.RecordBatch.from_pylist([said], schema=columns))
            sys.stdout.buffer.flush()
"#;

struct Program {
    stage: Exec,
    worker: Worker,
    _folder: tempfile::TempDir,
}

/// What came of a document: verdict or failure, text, metadata as JSON, documents split off, counts, warnings.
#[derive(Debug)]
struct Outcome {
    verdict: Result<Verdict, String>,
    document: Document,
    parts: Vec<Document>,
    counts: Vec<(String, u64)>,
    warnings: Vec<String>,
}

/// A program whose `answer` has this body; none where there is no Python.
fn program(answer: &str, options: impl Fn(&mut ExecOptions)) -> Option<Program> {
    programs(answer, options).into_iter().next()
}

/// The same in each form that is spoken here.
fn programs(answer: &str, options: impl Fn(&mut ExecOptions)) -> Vec<Program> {
    let body = answer.replace('\n', "\n    ");
    let formats = [(ExecFormat::Jsonl, "json", LOOP), (ExecFormat::Arrow, "pyarrow", ARROW_LOOP)];
    let mut programs = Vec::new();
    for (format, module, rest) in formats {
        if format == ExecFormat::Arrow && !super::arrow::IS_BUILT_IN {
            continue;
        }
        if !imports(module) {
            eprintln!("SKIPPED: there is no python3 with {module}");
            continue;
        }
        let text = format!("def answer(document, text, said):\n    {body}\n{rest}");
        programs.push(script(&text, |it| {
            it.format = format;
            options(it);
        }));
    }
    programs
}

/// Whether there is a Python that has a module.
fn imports(module: &str) -> bool {
    let python = Command::new("python3").args(["-c", &format!("import {module}")]).output();
    python.is_ok_and(|it| it.status.success())
}

fn script(text: &str, change: impl FnOnce(&mut ExecOptions)) -> Program {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("program.py");
    std::fs::write(&path, text).expect("written");
    let mut options = ExecOptions {
        command: vec!["python3".to_owned()],
        script: Some(path.to_str().expect("a plain path").to_owned()),
        timeout_secs: 20,
        ..ExecOptions::default()
    };
    change(&mut options);
    let stage = Exec::open(options).expect("python3 is there");
    Program { stage, worker: Worker::default(), _folder: folder }
}

impl Program {
    fn run(&mut self, texts: &[&str]) -> Vec<Outcome> {
        let document = |(at, text): (usize, &&str)| {
            let mut document = Document::new(format!("d{at}"), *text);
            document.metadata.insert("url", "https://mill.example/");
            document.metadata.insert("size", 3);
            document.raw = Some(vec![0xFF, 0]);
            document
        };
        let mut documents: Vec<Document> = texts.iter().enumerate().map(document).collect();
        let copies = documents.clone();
        let mut batch: Vec<Extracted<'_>> = copies.iter().map(|it| Extracted::from(View::from(it))).collect();
        self.stage.extract_all(&mut self.worker, &mut batch);
        let outcome = |(it, document): (Extracted<'_>, &mut Document)| {
            let (edits, notes) = it.draft.finish();
            let parts = edits.apply(document);
            Outcome {
                verdict: it.outcome.map_err(|failure| failure.to_string()),
                document: document.clone(),
                parts,
                counts: notes.counts().iter().map(|(name, n)| (name.to_string(), *n)).collect(),
                warnings: notes.warnings().to_vec(),
            }
        };
        batch.into_iter().zip(&mut documents).map(outcome).collect()
    }
}

fn restarts(outcomes: &[Outcome]) -> u64 {
    let counts = outcomes.iter().flat_map(|it| &it.counts);
    counts.filter(|(name, _)| name == "exec:restarts").map(|(_, n)| n).sum()
}

#[test]
fn a_program_changes_drops_fails_splits_and_counts() {
    let answer = r#"
if text == "drop": said["drop"] = "unwanted"
if text == "fail": said["fail"] = "cannot"
if text == "change": said.update(text="改了", metadata={"url": None, "new": [1, 2], "size": 4})
if text == "split": said["split"] = [{"text": "one"}, {"text": "two", "metadata": {"n": 2}}]
if text == "count": said["counts"] = {"seen": 2}
"#;
    for mut program in programs(answer, |_| {}) {
        let outcomes = program.run(&["keep", "drop", "fail", "change", "split", "count"]);
        let verdicts: Vec<_> = outcomes.iter().map(|it| it.verdict.clone()).collect();
        let drop = Ok(Verdict::Drop("unwanted".into()));
        let kept = Ok(Verdict::Keep);
        let fail = Err("cannot".to_owned());
        assert_eq!(verdicts, [kept.clone(), drop, fail, kept.clone(), kept.clone(), kept]);
        let changed = &outcomes[3].document;
        assert_eq!(changed.text, "改了");
        assert_eq!(changed.metadata.get("url"), None);
        assert_eq!(changed.metadata.get("size"), Some(&Value::Integer(4)));
        assert_eq!(changed.metadata.get("new"), Some(&Value::Json(Json::parse("[1, 2]").expect("JSON"))));
        let parts: Vec<_> = outcomes[4].parts.iter().map(|part| part.text.as_str()).collect();
        assert_eq!(parts, ["one", "two"]);
        assert_eq!(outcomes[4].parts[1].metadata.get("url"), Some(&Value::from("https://mill.example/")));
        assert_eq!(outcomes[5].counts, [("seen".to_owned(), 2)]);
    }
}

#[test]
fn it_gets_what_was_asked_for() {
    let answer = r#"said["text"] = json.dumps([sorted(document["metadata"]), document.get("raw")])"#;
    for mut all in programs(answer, |_| {}) {
        assert_eq!(all.run(&["a"])[0].document.text, r#"[["size", "url"], null]"#);
    }
    let some = |options: &mut ExecOptions| {
        options.fields = Some(vec!["url".to_owned(), "nobody".to_owned()]);
        options.raw = true;
    };
    for mut some in programs(answer, some) {
        assert_eq!(some.run(&["a"])[0].document.text, r#"[["url"], "/wA="]"#);
    }
}

#[test]
fn a_crash_costs_the_document_at_which_it_happens() {
    let answer = "if text == 'crash':\n    sys.stderr.write('no memory\\n'); os._exit(7)";
    for mut program in programs(answer, |_| {}) {
        let outcomes = program.run(&["a", "b", "crash", "c", "crash", "d"]);
        let is_kept: Vec<bool> = outcomes.iter().map(|it| it.verdict.is_ok()).collect();
        assert_eq!(is_kept, [true, true, false, true, false, true]);
        let why = outcomes[2].verdict.clone().expect_err("a crash");
        assert!(why.contains("exit status: 7") && why.contains("no memory"), "{why}");
        // In the batch, then alone; the second crash comes when documents are alone already.
        assert_eq!(restarts(&outcomes), 3);
        assert!(program.run(&["e"])[0].verdict.is_ok(), "it goes on with the next batch");
    }
}

#[test]
fn one_that_is_silent_or_answers_nonsense_costs_one_document() {
    let silent = "if text == 'bad':\n    time.sleep(60)";
    let nonsense = "if text == 'bad':\n    print('hello', flush=True)";
    let other = "if text == 'bad':\n    said['id'] = 'd7'";
    let unknown = "if text == 'bad':\n    said['txet'] = ''";
    // Python itself takes a while to start where others work, too.
    let cases =
        [(silent, 5, "silent for 5 s"), (nonsense, 60, "hello"), (other, 60, "`d7`"), (unknown, 60, "txet")];
    for (answer, secs, expected) in cases {
        for mut program in programs(answer, |options| options.timeout_secs = secs) {
            // Columns are told before there is a document, so this one cannot be made up on the way.
            if expected == "txet" && program.stage.options.format == ExecFormat::Arrow {
                continue;
            }
            let outcomes = program.run(&["a", "bad", "b"]);
            let is_kept: Vec<bool> = outcomes.iter().map(|it| it.verdict.is_ok()).collect();
            assert_eq!(is_kept, [true, false, true], "{outcomes:#?}");
            let why = outcomes[1].verdict.clone().expect_err("no answer");
            assert!(why.contains(expected), "{why}");
        }
    }
}

#[test]
fn one_that_does_not_start_is_not_started_for_every_document() {
    if which::which("python3").is_err() {
        eprintln!("SKIPPED: there is no python3");
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let log = folder.path().join("starts");
    let text =
        format!("open({:?}, 'a').write('x')\nimport nothing_of_this_name\n", log.display().to_string());
    let mut program = script(&text, |_| {});
    let outcomes = program.run(&["a"; 20]);
    for it in &outcomes {
        let why = it.verdict.clone().expect_err("it cannot start");
        assert!(why.contains("nothing_of_this_name"), "{why}");
    }
    assert_eq!(std::fs::read_to_string(&log).expect("written").len(), 3);
}

#[test]
fn it_may_refuse_to_work() {
    let text = r#"print('{"tamis":1,"error":"no model"}')"#;
    let Some(_) = program("pass", |_| {}) else { return };
    let outcomes = script(text, |_| {}).run(&["a"]);
    assert_eq!(outcomes[0].verdict, Err("no model".to_owned()));
}

#[cfg(not(feature = "arrow"))]
#[test]
fn a_build_without_arrow_says_so_before_anything_runs() {
    let options = ExecOptions {
        command: vec!["cargo".to_owned()],
        format: ExecFormat::Arrow,
        ..ExecOptions::default()
    };
    let error = Exec::open(options).expect_err("no Arrow");
    assert_eq!(error.option(), Some("format"));
    assert!(error.to_string().contains("built without Arrow"), "{error}");
}

#[cfg(feature = "arrow")]
#[test]
fn one_that_speaks_lines_alone_is_told_from_one_that_speaks_arrow() {
    let Some(_) = program("pass", |_| {}) else { return };
    let outcomes =
        script("print('{\"tamis\":1}', flush=True)", |it| it.format = ExecFormat::Arrow).run(&["a"]);
    let why = outcomes[0].verdict.clone().expect_err("no Arrow");
    assert!(why.contains("does not speak Arrow"), "{why}");
}

/// What is left over of one batch is no answer to the next.
#[test]
fn an_answer_too_many_shifts_nothing() {
    let answer = r#"
if text == "twice" and "pa" in globals():
    answers.write_batch(pa.RecordBatch.from_pylist([said], schema=columns))
elif text == "twice":
    print(json.dumps(said))
if text == "b": said["drop"] = "b"
"#;
    for mut program in programs(answer, |it| it.batch = 1) {
        let outcomes = program.run(&["twice", "a", "b", "a"]);
        let drops: Vec<bool> = outcomes.iter().map(|it| matches!(it.verdict, Ok(Verdict::Drop(_)))).collect();
        assert_eq!(drops, [false, false, true, false], "{outcomes:#?}");
        assert!(outcomes.iter().all(|it| it.verdict.is_ok()), "{outcomes:#?}");
        assert_eq!(restarts(&outcomes), 1);
    }
}

#[test]
fn more_than_two_full_pipes_go_through_and_errors_are_heard() {
    let answer = "sys.stderr.write('x' * 999 + '\\n')\nsaid['text'] = text + '!'";
    for mut program in programs(answer, |options| options.batch = 7) {
        let long = "长".repeat(100_000);
        let texts = vec![long.as_str(); 40];
        let outcomes = program.run(&texts);
        assert!(outcomes.iter().all(|it| it.document.text.len() == long.len() + 1));
        assert_eq!(restarts(&outcomes), 0);
        let heard: usize = outcomes.iter().map(|it| it.warnings.len()).sum();
        assert!(
            heard > 0
                && outcomes.iter().flat_map(|it| &it.warnings).all(|line| line.starts_with("python3: x"))
        );
    }
}

#[test]
fn its_process_ends_with_the_worker() {
    let answer = "said['text'] = str(os.getpid())";
    let Some(mut program) = program(answer, |_| {}) else { return };
    let pid = program.run(&["a"])[0].document.text.clone();
    let process = Path::new("/proc").join(pid);
    if !Path::new("/proc/self").exists() {
        eprintln!("SKIPPED: no /proc");
        return;
    }
    assert!(process.exists());
    let began = Instant::now();
    drop(program);
    assert!(!process.exists());
    assert!(began.elapsed() < Duration::from_mins(1));
}

#[test]
fn a_program_that_is_not_there_is_found_before_anything_runs() {
    for (command, expected) in
        [(vec![], "runs nothing"), (vec!["no-such-program-here".to_owned()], "no program")]
    {
        let error = Exec::open(ExecOptions { command, ..ExecOptions::default() }).expect_err("no program");
        assert_eq!(error.option(), Some("command"));
        assert!(error.to_string().contains(expected), "{error}");
    }
}

#[test]
fn a_draft_alone_is_answered() {
    let Some(mut program) = program("said['text'] = text.upper()", |_| {}) else { return };
    let document = Document::new("a", "text");
    let mut draft = Draft::new(View::from(&document));
    assert_eq!(program.stage.extract_one(&mut program.worker, &mut draft), Ok(Verdict::Keep));
    assert_eq!(draft.text(), "TEXT");
}
