//! `line-template` on pages that were flattened by others, against what a person would want out of each.
//!
//! The pages belong to their owners and are kept beside the repository, in `../shared`; without them this test
//! says so and passes. `cargo test -p tamis-corpus --test development -- --nocapture` prints the figures.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a test that shows figures")]

use std::collections::HashMap;
use std::path::Path;

use serde_json::Value as Json;
use tamis_corpus::{FieldNames, LineTemplate, LineTemplateOptions};
use tamis_plugin::{CorpusStage, Document, Draft, View};

struct Page {
    document: Document,
    gold: HashMap<[char; 5], u32>,
}

/// Mean precision, recall and F1 over pages.
#[derive(Debug, Clone, Copy, Default)]
struct Scores {
    precision: f64,
    recall: f64,
    f1: f64,
}

/// How often every run of five characters occurs in a text without white space.
fn shingles(text: &str) -> HashMap<[char; 5], u32> {
    let is_kept =
        |c: &char| !c.is_whitespace() && !matches!(c, '\u{200B}'..='\u{200F}' | '\u{FEFF}' | '\u{2060}');
    let chars: Vec<char> = text.chars().filter(is_kept).collect();
    let mut counts = HashMap::new();
    for window in chars.windows(5) {
        *counts.entry(window.try_into().unwrap()).or_default() += 1;
    }
    counts
}

fn scores(pages: &[Page], texts: &[String]) -> Scores {
    let mut sum = Scores::default();
    for (page, text) in pages.iter().zip(texts) {
        let found = shingles(text);
        let n_common: u32 = page.gold.iter().map(|(run, n)| *n.min(found.get(run).unwrap_or(&0))).sum();
        let part = |of: &HashMap<_, u32>| f64::from(n_common) / f64::from(of.values().sum::<u32>().max(1));
        let (precision, recall) = (part(&found), part(&page.gold));
        sum.precision += precision;
        sum.recall += recall;
        sum.f1 += if n_common == 0 { 0.0 } else { 2.0 * precision * recall / (precision + recall) };
    }
    let n = pages.len() as f64;
    Scores { precision: sum.precision / n, recall: sum.recall / n, f1: sum.f1 / n }
}

/// The text of a record; of one that was dumped as a literal of Python, what the literal stands for.
fn unescaped(raw: &str) -> String {
    let Some(literal) = raw.trim().strip_prefix("text:") else { return raw.to_owned() };
    let literal = literal.trim();
    let quote = literal.chars().next().unwrap();
    let mut chars = literal.strip_prefix(quote).unwrap().strip_suffix(quote).unwrap().chars();
    let mut text = String::new();
    while let Some(c) = chars.next() {
        let code = |chars: &mut std::str::Chars<'_>, n: usize| {
            let digits: String = chars.take(n).collect();
            char::from_u32(u32::from_str_radix(&digits, 16).unwrap()).unwrap()
        };
        text.push(match c {
            '\\' => match chars.next().unwrap() {
                'n' => '\n',
                't' => '\t',
                'r' => '\r',
                'x' => code(&mut chars, 2),
                'u' => code(&mut chars, 4),
                'U' => code(&mut chars, 8),
                other => other,
            },
            c => c,
        });
    }
    text
}

fn pages(records: &str) -> Vec<Page> {
    let page = |line: &str| {
        let record: Json = serde_json::from_str(line).unwrap();
        let text = unescaped(record["raw"].as_str().unwrap()).replace("\r\n", "\n");
        let mut document = Document::new(record["id"].as_str().unwrap(), text);
        for field in ["family", "url"] {
            if let Some(value) = record[field].as_str() {
                document.metadata.insert(field.to_owned(), value);
            }
        }
        Page { document, gold: shingles(record["gold_body"].as_str().unwrap()) }
    };
    records.lines().map(page).collect()
}

fn cleaned(pages: &[Page], options: LineTemplateOptions) -> Vec<String> {
    let options = LineTemplateOptions { drop_empty: false, ..options };
    let stage = LineTemplate::open(options).unwrap();
    for pass in 0..stage.passes() {
        let mut local = <LineTemplate as CorpusStage>::Local::default();
        for page in pages {
            stage.observe(pass, &mut local, &View::from(&page.document)).unwrap();
        }
        stage.merge(pass, local);
        stage.end_pass(pass).unwrap();
    }
    let text = |page: &Page| {
        let mut document = page.document.clone();
        let mut draft = Draft::new(View::from(&page.document));
        stage.apply(&mut draft).unwrap();
        draft.finish().0.apply(&mut document);
        document.text
    };
    pages.iter().map(text).collect()
}

#[test]
fn template_goes_and_text_stays() {
    let shared = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/eval/flattened/dev.jsonl");
    let Ok(records) = std::fs::read_to_string(&shared) else {
        eprintln!("SKIPPED: no pages in ../shared");
        return;
    };
    let pages = pages(&records);
    let before = scores(&pages, &pages.iter().map(|page| page.document.text.clone()).collect::<Vec<_>>());
    println!("{:10} {before:.4?}", "none");
    let by = |names: &[&str], cluster| LineTemplateOptions {
        group_by: FieldNames(names.iter().map(|&name| name.to_owned()).collect()),
        cluster,
        ..LineTemplateOptions::default()
    };
    for (name, options, min_gain) in
        [("family", by(&["family"], false), 0.10), ("cluster", by(&[], true), 0.10)]
    {
        let texts = cleaned(&pages, options);
        let after = scores(&pages, &texts);
        println!("{name:10} {after:.4?}");
        show_losses(&pages, &texts);
        assert!(after.f1 >= before.f1 + min_gain, "{name}: F1 {:.4} was {:.4}", after.f1, before.f1);
        assert!(
            after.recall >= before.recall - 0.002,
            "{name}: recall {:.4} was {:.4}",
            after.recall,
            before.recall
        );
    }
}

/// Prints the pages of which text was taken.
fn show_losses(pages: &[Page], texts: &[String]) {
    for (page, text) in pages.iter().zip(texts) {
        let one = std::slice::from_ref(page);
        let before = scores(one, std::slice::from_ref(&page.document.text)).recall;
        let after = scores(one, std::slice::from_ref(text)).recall;
        if before - after > 0.001 {
            println!("    {} {before:.4} {after:.4}", page.document.id);
        }
    }
}
