//! Stages in processes of their own (`isolate = true`): what they do to their process costs one document.

use serde_json::Value as Json;

use crate::stuck::{AROUND, STAGE, run, world};
use crate::support::{has_cc, lines};

const ISOLATED: &str = "[[stage]]\nuse = \"stuck\"\nisolate = true\n";

/// What a dead letter says of the document, when the library has ended its process or does not come back.
const ENDINGS: [(&str, &str); 10] = [
    ("abort", "SIGABRT"),
    ("read nowhere", "SIGSEGV"),
    ("exit well", "document `d300` has ended the process by calling `exit`"),
    ("exit badly", "document `d300` has ended the process by calling `exit`"),
    ("exit and wait", "document `d300` has ended the process by calling `exit`"),
    ("exit quickly", "document `d300` has ended the process by calling `exit`"),
    ("exit elsewhere", "a plugin has ended the process by calling `exit` outside of a call"),
    ("loop for ever", "has worked at document `d300` for"),
    ("sleep for ever", "has worked at document `d300` for"),
    ("take a while", "has worked at document `d300` for"),
];

#[test]
fn a_crash_or_a_loop_costs_the_document_at_which_it_happens() {
    if !has_cc() {
        return;
    }
    for (text, says) in ENDINGS {
        if text == "exit quickly" && !cfg!(target_os = "linux") {
            continue;
        }
        let folder = world(ISOLATED, text);
        let run = run(folder.path(), &["run", "p.toml"]);
        assert!(matches!(run.code, Some(0 | 1)), "{text}: {:?} {}", run.code, run.stderr);
        let kept = lines(&folder.path().join("out"));
        assert_eq!(kept.len(), 2 * AROUND, "{text}");
        assert!(kept.iter().all(|line| line["id"] != "d300"), "{text}");
        let letters = lines(&folder.path().join("out/__failed"));
        let [letter] = letters.as_slice() else { panic!("{text}: {letters:?}") };
        assert_eq!((&letter["id"], &letter["text"]), (&"d300".into(), &text.into()));
        let why = letter.to_string();
        let begins = "stage `stuck` of plugin `stuck`, in a process of its own: the program ended";
        assert!(why.contains(begins) && why.contains(says), "{text}: {why}");
    }
}

#[test]
fn a_run_that_crashed_is_gone_on_with_when_the_stage_is_isolated() {
    if !has_cc() {
        return;
    }
    let folder = world(STAGE, "exit badly");
    run(folder.path(), &["run", "p.toml"]).exits(3);
    let file = folder.path().join("p.toml");
    let pipeline = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, pipeline.replace(STAGE, ISOLATED)).unwrap();
    let again = run(folder.path(), &["run", "p.toml"]);
    assert!(again.stderr.contains("resumed an unfinished run"), "{}", again.stderr);
    assert_eq!(lines(&folder.path().join("out")).len(), 2 * AROUND);
}

#[test]
fn a_library_that_ends_its_process_when_it_is_opened_is_a_mistake_of_the_pipeline() {
    if !has_cc() {
        return;
    }
    let folder = world(ISOLATED, "a text like many others");
    std::fs::write(folder.path().join("exit-when-opened"), "").unwrap();
    for command in ["check", "plan", "run"] {
        let refused = run(folder.path(), &[command, "p.toml"]).exits(2);
        assert!(refused.stderr.contains("has ended the process by calling `exit`"), "{}", refused.stderr);
    }
}

#[test]
fn an_isolated_stage_writes_what_it_writes_otherwise() {
    let folder = tempfile::tempdir().unwrap();
    let page = |n: usize| {
        let story = format!("The mill of valley {n} ground flour for all its villages. ").repeat(n % 7 + 1);
        let raw = format!("<html><title>Mill {n}</title><nav>Home</nav><p>{story}<p>{story}</html>");
        serde_json::json!({ "id": format!("p{n}"), "text": raw, "n": n }).to_string() + "\n"
    };
    std::fs::write(folder.path().join("in.jsonl"), (0..400).map(page).collect::<String>()).unwrap();
    let stages = [
        "use = \"html-extract\"",
        "use = \"length\"\nmin_chars = 150",
        "use = \"chunk\"\nmax_chars = 120",
        "use = \"judge\"\npresets = [\"gopher\"]\nmode = \"annotate\"",
    ];
    let mut seen: Vec<(Vec<u8>, Json)> = Vec::new();
    for (threads, isolate) in [(2, ""), (1, "isolate = true\n"), (3, "isolate = true\n")] {
        let stages = stages.map(|it| format!("[[stage]]\n{it}\n{isolate}")).concat();
        let text = format!(
            "[[source]]\nuse = \"jsonl\"\npaths = [\"in.jsonl\"]\n{stages}[[export]]\nuse = \"jsonl\"\npath = \"out\"\n\
             [run]\nthreads = {threads}\nblock_bytes = \"16 KiB\"\n"
        );
        std::fs::write(folder.path().join("p.toml"), text).unwrap();
        run(folder.path(), &["run", "p.toml", "--fresh"]).exits(0);
        let manifest = std::fs::read(folder.path().join("out/.tamis/manifest.json")).unwrap();
        let mut manifest: Json = serde_json::from_slice(&manifest).unwrap();
        seen.push((
            std::fs::read(folder.path().join("out/part-00000.jsonl")).unwrap(),
            manifest["tally"].take(),
        ));
    }
    assert!(!seen[0].0.is_empty() && seen[0].1["stages"]["stage.judge"]["measures"].is_object());
    assert!(seen.iter().all(|other| other.0 == seen[0].0), "the bytes differ");
    for other in &seen[1..] {
        assert_eq!(other.1, seen[0].1);
    }
}

#[test]
fn a_corpus_stage_cannot_be_isolated() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("in.jsonl"), "{\"text\":\"a\"}\n").unwrap();
    let text = "[[source]]\nuse = \"jsonl\"\npaths = [\"in.jsonl\"]\n[[stage]]\nuse = \"dedup-exact\"\nisolate = true\n\
                [[export]]\nuse = \"jsonl\"\npath = \"out\"\n";
    std::fs::write(folder.path().join("p.toml"), text).unwrap();
    let refused = run(folder.path(), &["check", "p.toml"]).exits(2);
    assert!(refused.stderr.contains("a corpus stage remembers what it has seen"), "{}", refused.stderr);
    assert!(refused.stderr.contains("p.toml:6:1"), "{}", refused.stderr);
}
