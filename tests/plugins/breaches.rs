//! Stages that break the contract while they run: what each breach costs, and what the dead letter says.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use tamis_tests::program::tamis;

use crate::support::{DOCUMENTS_OF_A_CALL, Records, c_library, folder, has_cc, pipeline, run};

const PLUGIN: &str = "plugin = [{ path = \"libbreaches.so\" }]";
const STAGE: &str = "[[stage]]\nuse = \"misbehave\"\n";

/// What the stage does to a document, and the breach that is told; see `misbehave` in `breaches.c`.
const OF_ONE_DOCUMENT: &[(&str, &str)] = &[
    ("verdict out of range", "it gave the verdict 7, which is none of 0, 1, 2"),
    ("judged twice", "it judged the document twice"),
    ("text not UTF-8", "it returned text that is not UTF-8 at byte 1"),
    ("text not UTF-8, then kept", "it returned text that is not UTF-8 at byte 1"),
    ("kept, then text not UTF-8", "it returned text that is not UTF-8 at byte 1"),
    ("commit without reserve", "it committed text for which it had reserved no memory"),
    ("commit twice", "it committed text for which it had reserved no memory"),
    ("commit too much", "it committed 4 bytes of text and had reserved 3"),
    ("field not UTF-8", "it set field `name` to a string that is not UTF-8 at byte 1"),
    ("field at NULL", "it set field `name` to a string that is 5 bytes long and at NULL"),
    ("field name not UTF-8", "it set a field with a name that is not UTF-8 at byte 1"),
    ("field not JSON", "it set field `name` to invalid JSON: expected value at line 1 column 1"),
    ("field not finite", "it set field `name` to the number inf, which has no JSON form"),
    ("field of no type", "it set field `name` to a value of unknown type 99"),
    ("read to NULL", "it passed the address 0x0, where nothing can be"),
    ("measure at NULL", "it passed the address 0x0, where nothing can be"),
    ("measure without kind", "it passed a measure with unknown limit kind 9"),
    // Reserved members are 0, so that a later version can give them a meaning.
    ("field with more", "it set field `name` to a value whose reserved member is not 0"),
    ("measure with more", "it passed a measure whose reserved member is not 0"),
    ("split at NULL", "it passed the address 0x0, where nothing can be"),
    ("split not UTF-8", "it split off a document with a text that is not UTF-8 at byte 1"),
    ("split without fields", "it split off a document with 2 fields at the address 0x0"),
];

/// What is no breach, and what comes of it: the verdict and the reason.
const ALLOWED: &[(&str, &str, &str)] = &[
    ("dropped without reason", "dropped", "no-reason"),
    ("failed without reason", "failed", "the stage did not say why"),
    ("failed after changes", "failed", "a-reason"),
    ("reserve everything", "dropped", "a-reason"),
];

/// What cannot be laid to one document, and how the failure of all documents of the call begins.
const OF_THE_CALL: &[(&str, &str)] = &[
    ("no such document", "it broke the plugin contract: it named document 4000000000 in a call with "),
    ("error with message", "the model is not there"),
    ("error without message", "it failed without saying why"),
    ("panic without message", "it panicked without a message"),
    ("unsupported", "it does not support this call"),
    ("no code", "it returned -7, which is no result code of the plugin header"),
];

fn says(breach: &str) -> String {
    format!(
        "stage `misbehave` of plugin `breaches`: it broke the plugin contract: {breach}; \
         tell the author of the plugin"
    )
}

#[test]
fn a_breach_costs_the_document_that_it_concerns_and_no_other() {
    if !has_cc() {
        return;
    }
    let folder = folder();
    c_library(folder.path(), "breaches.c", "breaches", &[]);
    let texts = OF_ONE_DOCUMENT.iter().map(|(text, _)| *text).chain(ALLOWED.iter().map(|(text, ..)| *text));
    let texts: Vec<&str> = texts.collect();
    let good: Vec<String> = (0..texts.len()).map(|n| format!("good {n}")).collect();
    let documents: Vec<(&str, &str)> =
        texts.iter().zip(&good).flat_map(|(text, good)| [(*text, *text), (good.as_str(), "good")]).collect();
    let records = pipeline(folder.path(), PLUGIN, STAGE, &documents);
    for (text, breach) in OF_ONE_DOCUMENT {
        assert_eq!(records.failure(text), says(breach), "{text}");
    }
    for (text, fate, reason) in ALLOWED {
        let records = if *fate == "failed" { &records.failed } else { &records.dropped };
        let record = records.iter().find(|record| record["id"] == *text).unwrap();
        assert_eq!(record["reason"], *reason, "{text}");
    }
    assert_eq!(records.failed.len() + records.dropped.len(), texts.len());
    for record in &records.failed {
        // A dead letter is what the document was.
        assert_eq!((&record["text"], &record["metadata"]), (&record["id"], &serde_json::json!({})));
    }
    assert_eq!(Records::ids(&records.kept), good.iter().map(String::as_str).collect::<Vec<_>>());
    assert!(records.kept.iter().all(|record| record["text"] == "word"));
}

#[test]
fn an_address_in_the_middle_of_something_is_told_from_one_that_may_be() {
    if !has_cc() {
        return;
    }
    let folder = folder();
    c_library(folder.path(), "breaches.c", "breaches", &[]);
    let documents = [("field askew", "field askew"), ("good", "good"), ("read askew", "read askew")];
    let records = pipeline(folder.path(), PLUGIN, STAGE, &documents);
    for id in ["field askew", "read askew"] {
        let reason = records.failure(id);
        assert!(
            reason.contains("it passed the address 0x") && reason.contains(", where nothing can be"),
            "{reason}"
        );
    }
    assert_eq!(Records::ids(&records.kept), ["good"]);
}

#[test]
fn what_was_reserved_and_not_written_is_zero() {
    if !has_cc() {
        return;
    }
    let folder = folder();
    c_library(folder.path(), "breaches.c", "breaches", &[]);
    let documents = [
        ("unwritten", "commit unwritten"),
        ("huge", "reserve a terabyte"),
        ("misused", "not for extractors"),
    ];
    let records = pipeline(folder.path(), PLUGIN, STAGE, &documents);
    let record =
        |id: &str| records.kept.iter().chain(&records.dropped).find(|record| record["id"] == id).unwrap();
    assert_eq!(record("unwritten")["text"], "\0\0\0");
    // Refused or granted, as the machine likes; it costs no memory that is not touched.
    assert_eq!(record("huge")["text"], "reserve a terabyte");
    // Every function that makes no sense there said so.
    assert_eq!(record("misused")["metadata"]["name"], true);
}

/// Documents of one call, and so many behind them that the last is in another.
fn in_several_calls<'a>(first: [(&'a str, &'a str); 2]) -> Vec<(&'a str, &'a str)> {
    let behind = std::iter::repeat_n(("filler", "good"), DOCUMENTS_OF_A_CALL);
    first.into_iter().chain(behind).chain([("last", "good")]).collect()
}

#[test]
fn what_cannot_be_laid_to_a_document_costs_the_call_and_no_other() {
    if !has_cc() {
        return;
    }
    let folder = folder();
    c_library(folder.path(), "breaches.c", "breaches", &[]);
    for (text, message) in OF_THE_CALL {
        let documents = in_several_calls([("first", "good"), ("bad", text)]);
        let records = pipeline(folder.path(), PLUGIN, STAGE, &documents);
        assert_eq!(records.kept.len() + records.failed.len(), documents.len(), "{text}");
        assert!(Records::ids(&records.kept).contains(&"last"), "{text}");
        let expected = format!("stage `misbehave` of plugin `breaches`: {message}");
        assert!(records.failure("first").starts_with(&expected), "{text}: {}", records.failure("first"));
        assert!(records.failed.iter().all(|record| record["reason"] == records.failure("bad")), "{text}");
    }
}

#[test]
fn a_filter_cannot_change_what_it_judges() {
    if !has_cc() {
        return;
    }
    let folder = folder();
    c_library(folder.path(), "breaches.c", "breaches", &[]);
    let records = pipeline(folder.path(), PLUGIN, "[[stage]]\nuse = \"meddle\"\n", &[("a", "x"), ("b", "y")]);
    assert_eq!(Records::ids(&records.kept), ["a", "b"]);
    assert_eq!(
        (&records.kept[0]["text"], &records.kept[0]["metadata"]),
        (&"x".into(), &serde_json::json!({}))
    );
}

#[test]
fn a_worker_without_its_state_fails_its_documents() {
    if !has_cc() {
        return;
    }
    let folder = folder();
    c_library(folder.path(), "breaches.c", "breaches", &[]);
    let records =
        pipeline(folder.path(), PLUGIN, "[[stage]]\nuse = \"no-local\"\n", &[("a", "x"), ("b", "y")]);
    let expected = "stage `no-local` of plugin `breaches`: there is no memory left";
    assert_eq!([records.failure("a"), records.failure("b")], [expected; 2]);
}

#[test]
fn what_a_reader_cannot_hand_over_becomes_a_dead_letter_with_its_bytes() {
    if !has_cc() {
        return;
    }
    let folder = folder();
    c_library(folder.path(), "breaches.c", "breaches", &[]);
    let read = |text: &str| {
        std::fs::write(folder.path().join("in.txt"), text).unwrap();
        let file = folder.path().join("pipeline.toml");
        let toml = format!(
            "{PLUGIN}\n[[source]]\nuse = \"bad-lines\"\npaths = [\"in.txt\"]\n\
             [[export]]\nuse = \"jsonl\"\npath = \"out\"\n[run]\nmax_failed_ratio = 1\n"
        );
        std::fs::write(&file, toml).unwrap();
        run(&[Path::new("run"), &file, Path::new("--fresh")]).exits(0);
        let out = folder.path().join("out");
        let lines = crate::support::lines;
        Records { kept: lines(&out), dropped: Vec::new(), failed: lines(&out.join("__failed")) }
    };
    let breach = |breach: &str| {
        format!(
            "stage `bad-lines` of plugin `breaches`: it broke the plugin contract: {breach}; \
             tell the author of the plugin"
        )
    };
    let records = read(
        "one\ntext not UTF-8\nid not UTF-8\nat NULL\nfields at NULL\nattachments at NULL\nfailed\nlast\n\
              no attachments somewhere\nattachment without a name\n",
    );
    assert_eq!(Records::ids(&records.kept), ["in.txt#0", "in.txt#82"]);
    let expected = [
        ("in.txt#4", breach("it emitted a document with a text that is not UTF-8 at byte 1")),
        ("in.txt#19", breach("it emitted a document with an id that is not UTF-8 at byte 1")),
        ("in.txt#32", breach("it emitted a document with a text that is 5 bytes long and at NULL")),
        ("in.txt#40", breach("it emitted a document with 3 fields at the address 0x0")),
        ("in.txt#55", breach("it emitted a document with 1 attachments at the address 0x0")),
        ("in.txt#75", "a-reason".to_owned()),
        ("in.txt#112", breach("it emitted an attachment with a name of 0 bytes")),
    ];
    // And one whose message has an address in it.
    assert_eq!(records.failed.len(), expected.len() + 1);
    assert!(records.failure("in.txt#87").contains("a document with 0 attachments at the address 0x"));
    for (id, reason) in expected {
        assert_eq!(records.failure(id), reason);
    }
    // Nothing of the block can be trusted.
    for (text, why) in [
        ("one\nemit NULL\n", "it emitted a document at the address 0x0"),
        ("one\nordinal\n", "it emitted a document with ordinal 0, where the least that can follow is 1"),
        ("read nothing\n", "it read no record out of 13 bytes, and did not say that it failed"),
        ("cut bytes\n", "it cut 11 bytes off a block of 10 at the end of the file, where it must take all"),
        ("cut records\n", "it found 18446744073709551615 records in 12 bytes"),
    ] {
        let records = read(text);
        assert_eq!(records.failure("in.txt#0"), breach(why));
        assert_eq!((records.kept.len(), records.failed.len()), (0, 1), "{text}");
    }
}

/// Exports documents with a bad exporter beside the records by fate.
#[track_caller]
fn export(folder: &Path, exporter: &str, documents: &[(&str, &str)]) -> Records {
    let stages = format!("[[export]]\nuse = \"{exporter}\"\npath = \"exported/inner\"\n");
    pipeline(folder, PLUGIN, &stages, documents)
}

#[test]
fn a_record_that_an_exporter_refuses_leaves_nothing_behind() {
    if !has_cc() {
        return;
    }
    let folder = folder();
    c_library(folder.path(), "breaches.c", "breaches", &[]);
    let breaches = [
        ("dropped", "it dropped a document, which an exporter may only fail"),
        ("at NULL", "it put out something that is 5 bytes long and at NULL"),
        ("nothing", "it put nothing out for the document and did not say so"),
        ("file", "it put out a named file without the flag TAMIS_NAMED_FILES"),
    ];
    let good = [("a", "one"), ("b", "nothing, and said so"), ("set", "text set"), ("c", "three")];
    let bad = breaches.iter().map(|(text, _)| (*text, *text));
    let documents: Vec<(&str, &str)> = bad.zip(good).flat_map(|(bad, good)| [bad, good]).collect();
    let records = export(folder.path(), "bad-stream", &documents);
    assert_eq!(Records::ids(&records.kept), ["a", "b", "c"]);
    let written = std::fs::read_to_string(folder.path().join("exported/inner/part-00000.txt")).unwrap();
    assert_eq!(written, "one\nthree\n");
    for (text, breach) in breaches {
        assert!(records.failure(text).contains(breach), "{}", records.failure(text));
    }
    assert_eq!(records.failure("set"), "a-reason");
    for text in ["out of order", "error after output"] {
        let documents = in_several_calls([("first", "one"), ("bad", text)]);
        let records = export(folder.path(), "bad-stream", &documents);
        assert!(
            records.failure("first").starts_with("stage `bad-stream` of plugin `breaches`: it "),
            "{text}"
        );
        assert_eq!(records.failure("first"), records.failure("bad"), "{text}");
        assert!(Records::ids(&records.kept).contains(&"last"), "{text}");
        let written = std::fs::read_to_string(folder.path().join("exported/inner/part-00000.txt")).unwrap();
        assert_eq!(written, "good\n".repeat(records.kept.len()), "{text}");
    }
}

#[test]
fn an_exporter_cannot_write_outside_its_folder() {
    if !has_cc() {
        return;
    }
    let folder = folder();
    c_library(folder.path(), "breaches.c", "breaches", &[]);
    let outside = folder.path().join("absolute");
    let evil = [
        ("1", "../evil"),
        ("2", "a/../../../evil"),
        ("3", ".."),
        ("4", ""),
        ("5", outside.to_str().unwrap()),
    ];
    let documents: Vec<(&str, &str)> = [("good", "good.txt"), ("deep", "a/b/good.txt"), ("stream", "stream")]
        .into_iter()
        .chain(evil)
        .collect();
    let records = export(folder.path(), "bad-files", &documents);
    assert_eq!(Records::ids(&records.kept), ["good", "deep"]);
    for (id, path) in evil {
        let expected = format!(
            "stage `bad-files` of plugin `breaches`: it broke the plugin contract: it named a file `{path}`, which is \
             not inside the folder of the export; tell the author of the plugin"
        );
        assert_eq!(records.failure(id), expected);
    }
    assert!(
        records.failure("stream").contains("it put bytes into a stream, and says that it writes named files")
    );
    let exported = folder.path().join("exported/inner");
    assert_eq!(std::fs::read(exported.join("good.txt")).unwrap(), b"word");
    assert_eq!(std::fs::read(exported.join("a/b/good.txt")).unwrap(), b"word");
    for evil in [folder.path().join("exported/evil"), folder.path().join("evil"), outside] {
        assert!(!evil.exists(), "{}", evil.display());
    }
}

#[test]
fn an_ending_that_leads_out_of_the_folder_is_found_before_anything_runs() {
    if !has_cc() {
        return;
    }
    let folder = folder();
    c_library(folder.path(), "breaches.c", "breaches", &[]);
    let file = folder.path().join("pipeline.toml");
    let text = format!(
        "{PLUGIN}\n[[source]]\nuse = \"text\"\npaths = [\"pipeline.toml\"]\n\
         [[export]]\nuse = \"bad-ending\"\npath = \"out\"\n"
    );
    std::fs::write(&file, text).unwrap();
    let run = run(&[Path::new("run"), &file]).exits(2);
    assert!(run.stderr.contains("it gives its files the ending `/../../evil`"), "{}", run.stderr);
    assert!(run.stderr.contains("pipeline.toml:6:7"), "{}", run.stderr);
}

#[test]
fn a_stage_that_waits_is_asked_to_stop() {
    if !has_cc() {
        return;
    }
    let folder = folder();
    c_library(folder.path(), "breaches.c", "breaches", &[]);
    let file = folder.path().join("pipeline.toml");
    let text = format!(
        "{PLUGIN}\n[[source]]\nuse = \"text\"\npaths = [\"pipeline.toml\"]\n[[stage]]\nuse = \"wait\"\n\
         [[export]]\nuse = \"jsonl\"\npath = \"out\"\n"
    );
    std::fs::write(&file, text).unwrap();
    let mut child = Command::new(tamis())
        .arg("run")
        .arg(&file)
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    // Its log line says that it waits.
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains("waiting")), "it never ran");
    let signal = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    assert!(signal.success());
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{rest:?}");
    assert!(!folder.path().join("out/part-00000.jsonl").exists());
}
