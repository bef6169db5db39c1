//! The five documents that started the project, cleaned by the stages of `config/flattened.toml`, against what
//! a person would want out of each.
//!
//! The documents belong to their owners and are kept beside the repository, in `../shared`; without them this
//! test says so and passes.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test, whose helpers are not marked as such")]

use std::path::{Path, PathBuf};

use serde_json::Value as Json;
use tamis_extractors::{
    NewspaperPage, NewspaperPageOptions, PublishedDate, PublishedDateOptions, RecoverParagraphs,
    RecoverParagraphsOptions, RepairText, RepairTextOptions, SiteRules, SiteRulesOptions,
};
use tamis_plugin::{Document, Draft, Extractor, View};
use tamis_tests::gold::{false_boundaries, paragraph_agreement, paragraphs, shingle_f1};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Each seed: its text out of its wrapper, its gold, and the share of paragraphs that must equal gold.
fn seeds() -> Vec<(String, Document, Json, Option<f64>)> {
    let shared = root().join("../shared");
    let Ok(folder) = std::fs::read_dir(shared.join("seeds")) else { return Vec::new() };
    let mut names: Vec<String> =
        folder.filter_map(|entry| entry.unwrap().file_name().into_string().ok()).collect();
    names.sort();
    names
        .into_iter()
        .map(|name| {
            let text = std::fs::read_to_string(shared.join("seeds").join(&name)).unwrap();
            let gold = std::fs::read_to_string(shared.join("gold").join(format!("{name}.json"))).unwrap();
            let min_agreement = match name.get(..3) {
                Some("000") => Some(0.90),
                Some("002" | "003") => Some(0.95),
                _ => None,
            };
            (
                name.clone(),
                Document::new(name, unwrapped(&text)),
                serde_json::from_str(&gold).unwrap(),
                min_agreement,
            )
        })
        .collect()
}

/// The text of a `text:'…'` record with the escapes that occur in the seeds; any other text as it is.
fn unwrapped(record: &str) -> String {
    let Some(literal) = record.trim().strip_prefix("text:'").and_then(|rest| rest.strip_suffix('\'')) else {
        return record.to_owned();
    };
    let mut text = String::new();
    let mut chars = literal.chars();
    while let Some(c) = chars.next() {
        let escaped = if c == '\\' { chars.next() } else { None };
        match escaped {
            None => text.push(c),
            Some('n') => text.push('\n'),
            Some('t') => text.push('\t'),
            Some('x') => {
                let code: String = chars.by_ref().take(2).collect();
                text.push(char::from(u8::from_str_radix(&code, 16).unwrap()));
            }
            Some(other) => text.push(other),
        }
    }
    text
}

fn apply<S: Extractor>(stage: &S, document: &mut Document) {
    let mut draft = Draft::new(View::from(&*document));
    stage.extract(&mut draft).unwrap();
    let (edits, notes) = draft.finish();
    println!("  {}: {:?}", S::NAME, notes.counts());
    edits.apply(document);
}

fn clean(document: &mut Document) {
    let rules = ["wechat", "digital-newspaper", "document-library"];
    let rules = rules.map(|name| root().join(format!("config/sites/{name}.toml"))).to_vec();
    apply(&SiteRules::open(SiteRulesOptions { rules, ..SiteRulesOptions::default() }).unwrap(), document);
    apply(&NewspaperPage::open(NewspaperPageOptions::default()).unwrap(), document);
    apply(&RecoverParagraphs::open(RecoverParagraphsOptions::default()).unwrap(), document);
    apply(&RepairText::open(RepairTextOptions::default()).unwrap(), document);
    apply(&PublishedDate::open(PublishedDateOptions::default()).unwrap(), document);
}

#[test]
fn the_five_documents_come_out_as_a_person_would_want_them() {
    let seeds = seeds();
    if seeds.is_empty() {
        eprintln!("SKIPPED: no documents in ../shared");
        return;
    }
    let mut mistakes = Vec::new();
    for (name, mut document, gold, min_agreement) in seeds {
        println!("{name}");
        clean(&mut document);
        check(&document, &gold, min_agreement, &mut |mistake| mistakes.push(format!("{name}: {mistake}")));
    }
    assert!(mistakes.is_empty(), "{}", mistakes.join("\n"));
}

fn check(document: &Document, gold: &Json, min_agreement: Option<f64>, mistake: &mut dyn FnMut(String)) {
    let bodies: Vec<&str> =
        ["body", "body_source_order"].iter().filter_map(|key| gold[*key].as_str()).collect();
    let f1 = bodies.iter().map(|body| shingle_f1(&document.text, body)).fold(0.0, f64::max);
    println!("  F1 {f1:.4}");
    if f1 < 0.995 {
        mistake(format!("F1 is {f1:.4}"));
    }
    let found = paragraphs(&document.text);
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
        let (is, should) =
            (document.metadata.get(field).and_then(|value| value.as_str()), gold[key].as_str());
        if is != should {
            mistake(format!("{field} is {is:?}, should be {should:?}"));
        }
    }
    check_page(document, gold, mistake);
}

/// Page metadata and sections of the newspaper; no other document may have any.
fn check_page(document: &Document, gold: &Json, mistake: &mut dyn FnMut(String)) {
    let field = |name: &str| -> Json {
        document.metadata.get(name).map_or(Json::Null, |value| serde_json::to_value(value).unwrap())
    };
    let (page, wanted) = (field("page"), &gold["page"]);
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
    let (sections, wanted) = (field("sections"), &gold["sections"]);
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
    if n_sections > 0 && field("order_uncertain") != Json::Bool(true) {
        mistake("the order of the sections is not flagged".to_owned());
    }
}
