use std::path::PathBuf;

use proptest::prelude::*;
use tamis_conformance::cases::check_extractor;
use tamis_plugin::{Document, Draft, Extractor, View};

use super::{RecoverParagraphs, RecoverParagraphsOptions};
use crate::{RepairText, RepairTextOptions};

fn run<T: Extractor>(stage: &T, text: &str) -> (String, Vec<(String, u64)>) {
    let mut document = Document::new("a", text);
    let mut draft = Draft::new(View::from(&document));
    stage.extract(&mut draft).expect("never fails");
    let (edits, notes) = draft.finish();
    edits.apply(&mut document);
    (document.text, notes.counts().iter().map(|(name, n)| (name.to_string(), *n)).collect())
}

fn recover(text: &str) -> String {
    let options = RecoverParagraphsOptions { min_line_chars: 10, ..RecoverParagraphsOptions::default() };
    run(&RecoverParagraphs::open(options).expect("default options"), text).0
}

/// Text made of pieces that matter to this stage.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "一、",
        "二、",
        "三、",
        "（一）",
        "（二）",
        "1、",
        "2、",
        "3、",
        "1.",
        "2.",
        "第一，",
        "总体要求",
        "主要任务",
        "坚持",
        "以",
        "各单位要",
        "认真落实，",
        "工作。",
        "吗？",
        "走！”",
        "如下：",
        "；",
        "\u{A0}",
        "\u{3000}",
        "   ",
        " ",
        "\n",
        "“",
        "2019年",
        "a",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn only_white_space_is_touched(text in pieces()) {
        let visible = |text: &str| text.split_whitespace().collect::<String>();
        prop_assert_eq!(visible(&recover(&text)), visible(&text));
    }

    #[test]
    fn cutting_makes_no_empty_line_and_keeps_every_line_end(text in pieces()) {
        let recovered = recover(&text);
        let n_line_ends = |text: &str| text.matches('\n').count();
        let n_empty = |text: &str| text.lines().filter(|line| line.trim().is_empty()).count();
        prop_assert!(n_line_ends(&recovered) >= n_line_ends(&text));
        prop_assert!(n_empty(&recovered) <= n_empty(&text));
    }

    #[test]
    fn any_text_is_accepted(text in "(\\PC|\\s){0,80}") {
        recover(&text);
    }
}

/// The folder with seed pages and gold, which is not part of the repository.
fn shared() -> Option<PathBuf> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared"));
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED: the seed pages are not beside this checkout, nothing was compared");
    None
}

/// A record `text:'…'`, as far as the seeds need it.
fn unescape(record: &str) -> String {
    let literal = record.trim().trim_start_matches("text:'").trim_end_matches('\'');
    literal.replace("\\n", "\n").replace("\\xa0", "\u{A0}").replace("\\'", "'").replace("\\u3000", "\u{3000}")
}

#[test]
fn seeds() {
    let Some(shared) = shared() else { return };
    let read = |folder: &str, name: &str| {
        let file = std::fs::read_dir(shared.join(folder))
            .expect("a folder")
            .filter_map(Result::ok)
            .find(|file| file.file_name().to_string_lossy().starts_with(name))
            .expect("a file of this seed");
        std::fs::read_to_string(file.path()).expect("UTF-8")
    };
    for (name, target) in [("000", 0.90), ("001", 0.0), ("002", 0.95), ("003", 0.95)] {
        let raw = read("seeds", name);
        let gold: serde_json::Value = serde_json::from_str(&read("gold", name)).expect("JSON");
        let gold: Vec<&str> = gold["body_paragraphs"]
            .as_array()
            .expect("a list")
            .iter()
            .filter_map(serde_json::Value::as_str)
            .collect();
        let body = if raw.starts_with("text:") {
            let lines = unescape(&raw);
            lines.lines().max_by_key(|line| line.len()).expect("a line").to_owned()
        } else {
            raw
        };
        let body = body.trim_end_matches("来源：绍兴组工");
        let (recovered, cuts) =
            run(&RecoverParagraphs::open(RecoverParagraphsOptions::default()).expect("defaults"), body);
        let (repaired, repairs) =
            run(&RepairText::open(RepairTextOptions::default()).expect("defaults"), &recovered);
        let lines: Vec<&str> = repaired.lines().collect();
        let n_equal = gold.iter().filter(|paragraph| lines.contains(paragraph)).count();
        let share = n_equal as f64 / gold.len() as f64;
        println!("{name}: {n_equal} of {} paragraphs, {cuts:?}, {repairs:?}", gold.len());
        // A cut inside a paragraph makes a line that neither input nor gold has but that is part of one.
        let is_new = |line: &&&str| !body.lines().any(|old| old == **line);
        for line in lines.iter().filter(is_new) {
            let part_of = gold.iter().find(|gold| gold.contains(line) && **gold != *line);
            assert!(part_of.is_none(), "{name}: false boundary around {line}");
        }
        assert!(share >= target, "{name}: {share:.3} of the paragraphs, {target} expected");
    }
}

#[test]
fn cases() {
    for (page, markdown) in [
        ("numbering.md", include_str!("cases/numbering.md")),
        ("gaps.md", include_str!("cases/gaps.md")),
        ("known_headings.md", include_str!("cases/known_headings.md")),
        ("left_alone.md", include_str!("cases/left_alone.md")),
    ] {
        check_extractor::<RecoverParagraphs>(page, markdown);
    }
}

#[test]
fn every_kind_of_evidence_can_be_switched_off() {
    let text = "一、总体要求坚持统筹推进，把各项工作抓实抓细抓好。二、主要任务1、修路。2、架桥。\u{A0}会议要求抓紧。\u{3000}\u{3000}会议还要求抓好。";
    let all = RecoverParagraphsOptions { min_line_chars: 10, ..RecoverParagraphsOptions::default() };
    let n_lines = |options: &RecoverParagraphsOptions| {
        let stage = RecoverParagraphs::open(options.clone()).expect("valid options");
        run(&stage, text).0.lines().count()
    };
    assert_eq!(n_lines(&all), 7);
    assert_eq!(n_lines(&RecoverParagraphsOptions { nbsp: false, ..all.clone() }), 6);
    assert_eq!(n_lines(&RecoverParagraphsOptions { indents: false, ..all.clone() }), 6);
    assert_eq!(n_lines(&RecoverParagraphsOptions { known_headings: false, ..all.clone() }), 6);
    // Without numbers there is nothing to look behind for headings.
    assert_eq!(n_lines(&RecoverParagraphsOptions { numbering: false, ..all.clone() }), 3);
    assert_eq!(n_lines(&RecoverParagraphsOptions { min_line_chars: 100, ..all }), 1);
}
