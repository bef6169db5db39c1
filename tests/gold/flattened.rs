//! Flattened pages of many sites, cleaned by `config/flattened.toml`, against what people kept of them.
//!
//! The pages belong to their owners and are kept beside the repository, in `../shared`.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::Command;

use serde_json::{Value as Json, json};
use tamis_tests::gold::shingle_f1;
use tamis_tests::program::{root, tamis};

/// The least mean F1 by language. They lie two points below what was measured, so that a change that costs
/// more than chance is noticed.
const LEAST: [(&str, f64); 4] = [("all", 0.92), ("zh", 0.94), ("en", 0.95), ("other", 0.76)];

#[test]
fn pages_of_many_sites_come_out_as_people_kept_them() {
    let Ok(gold) = std::fs::read_to_string(root().join("../shared/eval/flattened/dev.jsonl")) else {
        eprintln!("SKIPPED: no flattened pages in ../shared");
        return;
    };
    let gold: Vec<Json> = gold.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let texts = clean(&gold);
    let mut scores: BTreeMap<&str, Vec<f64>> = BTreeMap::new();
    for page in &gold {
        let text = texts.get(page["id"].as_str().unwrap()).map_or("", String::as_str);
        let score = shingle_f1(text, page["gold_body"].as_str().unwrap());
        scores.entry("all").or_default().push(score);
        scores.entry(page["lang"].as_str().unwrap()).or_default().push(score);
    }
    for (language, least) in LEAST {
        let scores = &scores[language];
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        println!("{language}: mean F1 {mean:.4} of {} pages", scores.len());
        assert!(mean >= least, "{language}: {mean:.4}, at least {least}");
    }
}

/// The clean texts by id; what was dropped is absent.
fn clean(gold: &[Json]) -> BTreeMap<String, String> {
    let folder = tempfile::tempdir().unwrap();
    let mut input = String::new();
    for page in gold {
        let mut record = json!({ "id": page["id"], "text": page["raw"] });
        if page["url"].is_string() {
            record["url"] = page["url"].clone();
        }
        writeln!(input, "{record}").unwrap();
    }
    std::fs::write(folder.path().join("pages.jsonl"), input).unwrap();
    let out = folder.path().join("out");
    let status = Command::new(tamis())
        .arg("run")
        .arg(root().join("config/flattened.toml"))
        .arg(folder.path().join("pages.jsonl"))
        .arg("-o")
        .arg(&out)
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
    let lines = std::fs::read_to_string(out.join("part-00000.jsonl")).unwrap();
    let record = |line: &str| -> (String, String) {
        let record: Json = serde_json::from_str(line).unwrap();
        (record["id"].as_str().unwrap().to_owned(), record["text"].as_str().unwrap().to_owned())
    };
    lines.lines().map(record).collect()
}
