//! The five documents that started the project, cleaned by the stages of `config/flattened.toml`, against what
//! a person would want out of each.
//!
//! The documents belong to their owners and are kept beside the repository, in `../shared`; without them this
//! test says so and passes.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test, whose helpers are not marked as such"
)]

mod flattened;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value as Json;
use tamis_tests::gold::{false_boundaries, paragraph_agreement, paragraphs, shingle_f1};
use tamis_tests::program::{root, tamis};

/// A seed: its name, its gold, and the share of paragraphs that must equal gold.
struct Seed {
    name: String,
    gold: Json,
    min_agreement: Option<f64>,
}

fn seeds(shared: &Path) -> Vec<Seed> {
    let Ok(folder) = std::fs::read_dir(shared.join("seeds")) else { return Vec::new() };
    let mut names: Vec<String> =
        folder.filter_map(|entry| entry.unwrap().file_name().into_string().ok()).collect();
    names.sort();
    let seed = |name: String| {
        let gold = std::fs::read_to_string(shared.join("gold").join(format!("{name}.json"))).unwrap();
        let min_agreement = match name.get(..3) {
            Some("000") => Some(0.90),
            Some("002" | "003") => Some(0.95),
            _ => None,
        };
        Seed { name, gold: serde_json::from_str(&gold).unwrap(), min_agreement }
    };
    names.into_iter().map(seed).collect()
}

/// Runs the pipeline over all seeds; the records that it wrote, in order.
fn clean(shared: &Path, pipeline: &Path) -> Vec<Json> {
    let out = tempfile::tempdir().unwrap();
    let status = Command::new(tamis())
        .arg("run")
        .arg(pipeline)
        .arg(shared.join("seeds"))
        .arg("-o")
        .arg(out.path())
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
    let lines = std::fs::read_to_string(out.path().join("part-00000.jsonl")).unwrap();
    lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_five_documents_come_out_as_a_person_would_want_them() {
    come_out_as_wanted(&|_| root().join("config/flattened.toml"));
}

#[test]
fn what_is_proposed_for_the_five_documents_cleans_them_as_well() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = folder.path().join("proposed.toml");
    come_out_as_wanted(&|shared| {
        let mut init = Command::new(tamis());
        let status = init.arg("init").arg(shared.join("seeds")).arg("-o").arg(&pipeline).status().unwrap();
        assert!(status.success(), "{status}");
        pipeline.clone()
    });
}

fn come_out_as_wanted(pipeline: &dyn Fn(&Path) -> PathBuf) {
    let shared = root().join("../shared");
    let seeds = seeds(&shared);
    if seeds.is_empty() {
        eprintln!("SKIPPED: no documents in ../shared");
        return;
    }
    let records = clean(&shared, &pipeline(&shared));
    assert_eq!(records.len(), seeds.len());
    let mut mistakes = Vec::new();
    for (seed, record) in seeds.iter().zip(&records) {
        let name = &seed.name;
        println!("{name}");
        // A file that is one text is called by its path, a record of a dump by its place, too.
        let id = record["id"].as_str().unwrap_or_default();
        assert_eq!(id.strip_suffix("#0").unwrap_or(id), name.as_str());
        let mut mistake = |mistake| mistakes.push(format!("{name}: {mistake}"));
        check(record, &seed.gold, seed.min_agreement, &mut mistake);
    }
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}

fn check(record: &Json, gold: &Json, min_agreement: Option<f64>, mistake: &mut dyn FnMut(String)) {
    let text = record["text"].as_str().unwrap();
    let bodies: Vec<&str> =
        ["body", "body_source_order"].iter().filter_map(|key| gold[*key].as_str()).collect();
    let f1 = bodies.iter().map(|body| shingle_f1(text, body)).fold(0.0, f64::max);
    println!("  F1 {f1:.4}");
    if f1 < 0.995 {
        mistake(format!("F1 is {f1:.4}"));
    }
    let found = paragraphs(text);
    let wanted: Vec<Vec<&str>> = bodies.iter().map(|body| paragraphs(body)).collect();
    let agreement = wanted.iter().map(|gold| paragraph_agreement(&found, gold)).fold(0.0, f64::max);
    println!("  paragraphs {agreement:.3} ({} of {})", found.len(), wanted[0].len());
    if min_agreement.is_some_and(|min| agreement < min) {
        mistake(format!("only {agreement:.3} of the paragraphs are right"));
    }
    let boundaries = wanted.iter().map(|gold| false_boundaries(&found, gold)).min_by_key(Vec::len);
    for boundary in boundaries.unwrap_or_default() {
        mistake(format!("false boundary in `{boundary}`"));
    }
    for (field, key) in [
        ("title", "title"),
        ("publisher", "publisher"),
        ("account", "account"),
        ("account_id", "account_id"),
        ("description", "description"),
        ("published", "date"),
        ("source", "source"),
        ("editor_note", "editor_note"),
        // No gold has an author, so none may be made up.
        ("author", "author"),
    ] {
        let (is, should) = (record["metadata"][field].as_str(), gold[key].as_str());
        if is != should {
            mistake(format!("{field} is {is:?}, should be {should:?}"));
        }
    }
    check_page(&record["metadata"], gold, mistake);
}

/// Page metadata and sections of the newspaper; no other document may have any.
fn check_page(metadata: &Json, gold: &Json, mistake: &mut dyn FnMut(String)) {
    let (page, wanted) = (&metadata["page"], &gold["page"]);
    for key in [
        "paper",
        "product",
        "date",
        "weekday",
        "edition",
        "edition_number",
        "section_name",
        "page_title",
        "kicker",
        "other_pages",
    ] {
        if page[key] != wanted[key] {
            mistake(format!("page.{key} is {}, should be {}", page[key], wanted[key]));
        }
    }
    let (sections, wanted) = (&metadata["sections"], &gold["sections"]);
    let n_sections = sections.as_array().map_or(0, Vec::len);
    if n_sections != wanted.as_array().map_or(0, Vec::len) {
        mistake(format!("{n_sections} sections"));
    }
    for at in 0..n_sections {
        let (is, should) = (&sections[at], &wanted[at]);
        if is["number"] != should["n"] || is["heading"] != should["heading"] {
            mistake(format!(
                "section {} {} should be {} {}",
                is["number"], is["heading"], should["n"], should["heading"]
            ));
        }
        let starts = |section: &Json| -> Vec<String> {
            let paragraphs = section["paragraphs"].as_array().cloned().unwrap_or_default();
            paragraphs.iter().map(|text| text.as_str().unwrap().chars().take(12).collect()).collect()
        };
        if starts(is) != starts(should) {
            mistake(format!(
                "section {} holds {:?}, should hold {:?}",
                is["number"],
                starts(is),
                starts(should)
            ));
        }
    }
    if n_sections > 0 && metadata["order_uncertain"] != Json::Bool(true) {
        mistake("the order of the sections is not flagged".to_owned());
    }
}
