use std::path::Path;

use tamis_stage::Registry;

use super::*;

/// A run of two stages, as a manifest says it.
fn manifest() -> serde_json::Value {
    serde_json::json!({
        "tamis": "0.1.0",
        "pipeline": "news & <more>",
        "fingerprint": { "plan": "", "inputs": "" },
        "resolved": { "plan": { "stages": [
            { "id": "short", "use": "length", "options": { "min_chars": 50 } },
            { "id": "copies", "use": "dedup-exact", "options": {} },
        ] } },
        "complete": true,
        "input_files": 3,
        "input_bytes": 4_200_000,
        "tally": {
            "input": { "files": 2, "files_failed": 1, "members": 0, "members_failed": 0, "bytes": 4_000_000, "bytes_failed": 200_000 },
            "unread": { "n": 1, "first": [{ "position": "1", "id": "c.pdf", "file": "c.pdf", "offset": 0, "ordinal": 0, "message": "a PDF: convert it first" }] },
            "read": 1200, "split": 0, "kept": 900, "dropped": 299, "failed": 1,
            "languages": { "zh-Hans": { "kept": 600, "dropped": 150, "failed": 0 }, "en": { "kept": 300, "dropped": 149, "failed": 1 } },
            "stages": {
                "stage.short": {
                    "seen": 1199, "failed": 0, "split": 0, "dropped": { "too-short": 200, "too-long": 49 },
                    "measures": { "chars": { "n": 3, "quantiles": {}, "buckets": [[65568, 3], [65700, 900], [66000, 296]] } },
                },
                "stage.copies": { "seen": 950, "failed": 0, "split": 0, "dropped": { "duplicate": 50 }, "silent": ["rule/*"] },
            },
        },
        "exports": [
            { "id": "jsonl", "folder": "", "from": "kept", "records": 900, "files": [] },
            { "id": "gone", "folder": "__dropped", "from": "dropped", "records": 299, "files": [
                { "name": "part-00000.jsonl", "bytes": 1, "records": 299, "blake3": "" },
                { "name": "part-00001.jsonl", "bytes": 1, "records": 0, "blake3": "" },
            ] },
        ],
    })
}

fn run(folder: &Path) {
    let write = |name: &str, text: String| {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write(".tamis/manifest.json", manifest().to_string());
    let record = |n: usize| {
        let text = if n == 0 { "<script>alert(1)</script> 桥".to_owned() } else { "长".repeat(700) };
        serde_json::json!({
            "id": format!("a.html#{n}"), "text": text, "metadata": {}, "stage": "short", "reason": "too-short",
            "measures": [{ "name": "chars", "value": 12, "min": 50 }]
        })
        .to_string()
            + "\nno JSON\n"
    };
    write("__dropped/part-00000.jsonl", (0..9).map(record).collect());
}

#[test]
fn the_page_says_where_the_records_went_and_shows_some() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path());
    let page = page(folder.path(), &Registry::default()).unwrap();
    for part in [
        "news &amp; &lt;more&gt;",
        "3 files, 4.0 MiB; 1 of them not read, or not to the end (195.3 KiB written off)",
        "<dt>kept</dt><dd>900 <small>75 %</small>",
        "249 dropped (21 %)",
        "a PDF: convert it first",
        "too-short",
        "a.html#0",
        "&lt;script&gt;alert(1)&lt;&#x2f;script&gt; 桥",
        "chars 12, at least 50",
        "Never: rule",
        "<th scope=\"row\">zh-Hans</th><td class=\"n\">750</td><td class=\"n\">600</td><td class=\"n\">150</td>",
        "how chars is spread over 1199 records",
    ] {
        assert!(page.contains(part), "{part}:\n{page}");
    }
    // Three samples a reason, the beginning of each; nothing of the documents is markup, nothing is fetched.
    assert!(page.contains("a.html#2") && !page.contains("a.html#3"));
    assert_eq!(page.matches(&"长".repeat(600)).count(), 2);
    for part in ["<script", "http:", "https:", "url(", "src=", &"长".repeat(601)] {
        assert!(!page.contains(part), "{part}");
    }
}

#[test]
fn a_run_that_dropped_everything_has_a_page_too() {
    let folder = tempfile::tempdir().unwrap();
    run(folder.path());
    let mut manifest = manifest();
    manifest["tally"]["kept"] = 0.into();
    manifest["tally"]["stages"]["stage.copies"]["dropped"]["duplicate"] = 950.into();
    std::fs::write(folder.path().join(".tamis/manifest.json"), manifest.to_string()).unwrap();
    std::fs::remove_dir_all(folder.path().join("__dropped")).unwrap();
    let page = page(folder.path(), &Registry::default()).unwrap();
    assert!(page.contains("950 dropped (100 %)") && page.contains("No samples"), "{page}");
}

#[test]
fn a_folder_without_output_is_an_error_with_a_way_out() {
    let folder = tempfile::tempdir().unwrap();
    let error = page(folder.path(), &Registry::default()).unwrap_err().to_string();
    assert!(error.contains("holds no output of a run: name the folder"), "{error}");
}

#[test]
fn numbers_are_written_for_people() {
    use crate::numbers::{count, share, size, value};
    assert_eq!([0, 999, 1000, 1_204_551].map(count), ["0", "999", "1,000", "1,204,551"]);
    let shares = [(0, 0), (0, 5), (1, 5000), (1, 300), (4999, 5000), (5, 5), (1, 3)];
    let expected = ["0 %", "0 %", "< 0.1 %", "0.3 %", "> 99.9 %", "100 %", "33 %"];
    assert_eq!(shares.map(|(part, whole)| share(part, whole)), expected);
    assert_eq!([0, 1023, 1024, 5 << 30].map(size), ["0 B", "1023 B", "1.0 KiB", "5.0 GiB"]);
    let values = [0.0, 0.0123, 0.25, 12.34, 120.4, 12_040.0, -3.0, -5_000.0];
    assert_eq!(values.map(value), ["0", "0.012", "0.25", "12.3", "120", "12,040", "−3", "−5,000"]);
}

#[test]
fn names_between_backticks_are_code_and_nothing_else_is_markup() {
    assert_eq!(prose("`min` & <b>").to_string(), "<code>min</code> &amp; &lt;b&gt;");
    assert_eq!(prose("none").to_string(), "none");
}

#[test]
fn reasons_that_come_up_late_in_a_large_export_have_samples() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("part-00000.jsonl");
    let line = |n: usize| {
        let reason = if n < 7000 { "early" } else { "late" };
        serde_json::json!({ "id": n.to_string(), "text": "长".repeat(200), "stage": "s", "reason": reason })
            .to_string()
            + "\n"
    };
    std::fs::write(&file, (0..8000).map(line).collect::<String>()).unwrap();
    let mut tally = tamis_runner::Tally::default();
    tally.stages.entry("stage.s".to_owned()).or_default().dropped =
        [("early", 7000), ("late", 1000)].map(|(reason, n)| (reason.to_owned(), n)).into();
    let mut samples = samples::Samples::new();
    samples::of_file(&file, 2 << 20, &tally, &mut samples).unwrap();
    let ids = |reason: &str| {
        samples[&("s".to_owned(), reason.to_owned())].iter().map(|it| it.id.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(ids("early"), ["0", "1", "2"]);
    assert_eq!(ids("late").len(), 3);
}
