use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use tamis_plugin::Document;

use super::*;
use crate::spill::tests::{applied, observe, saved, workspace};

fn options(group_by: &[&str]) -> LineTemplateOptions {
    let group_by = FieldNames(group_by.iter().map(|&name| name.to_owned()).collect());
    LineTemplateOptions {
        group_by,
        min_documents: 3,
        min_group_documents: 4,
        ..LineTemplateOptions::default()
    }
}

fn page(n: usize, site: &str, text: &str) -> Document {
    let mut document = Document::new(format!("p{n}"), text);
    document.metadata.insert("site", site);
    document
}

/// Four pages of a gazette, and two of a site that is too small to teach anything.
fn corpus() -> Vec<Document> {
    let gazette = |n: usize| {
        page(
            n,
            "gazette",
            &format!(
                "Harbour Gazette\n\nStory {n} of the day: boat {}.\n{n}\n\nShare this\n{} comments\n",
                "abcd".get(n..=n).unwrap(),
                n * 7
            ),
        )
    };
    let mut corpus: Vec<_> = (0..4).map(gazette).collect();
    corpus.extend((4..6).map(|n| page(n, "small", "Share this\nA note.")));
    corpus.push(page(6, "gazette", "Harbour Gazette\n\nShare this\n"));
    corpus
}

fn learned(options: LineTemplateOptions, corpus: &[Document]) -> LineTemplate {
    let stage = LineTemplate::open(options).unwrap();
    observe(&stage, 2, (0..).zip(corpus));
    stage.end_pass(0).unwrap();
    stage
}

#[test]
fn lines_that_a_site_repeats_go() {
    let corpus = corpus();
    let stage = learned(options(&["site"]), &corpus);
    let (verdict, text, _) = applied(&stage, 0, &corpus[2]);
    assert_eq!((verdict, text.as_str()), (Verdict::Keep, "Story 2 of the day: boat c.\n2\n"));
    assert_eq!(applied(&stage, 4, &corpus[4]).1, "Share this\nA note.");
    let (verdict, text, _) = applied(&stage, 6, &corpus[6]);
    assert_eq!((verdict, text), (Verdict::Drop("template-only".into()), corpus[6].text.clone()));
}

#[test]
fn a_page_of_template_can_be_kept_empty() {
    let corpus = corpus();
    let stage = learned(LineTemplateOptions { drop_empty: false, ..options(&["site"]) }, &corpus);
    let (verdict, text, _) = applied(&stage, 6, &corpus[6]);
    assert_eq!((verdict, text.as_str()), (Verdict::Keep, ""));
}

#[test]
fn a_line_counts_once_in_a_document() {
    let corpus: Vec<_> = (0..4).map(|n| page(n, "a", if n < 2 { "x\nx\nx" } else { "y" })).collect();
    let stage = learned(options(&[]), &corpus);
    assert_eq!(applied(&stage, 0, &corpus[0]).1, "x\nx\nx");
}

#[test]
fn the_table_that_was_kept_does_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let mut corpus = corpus();
    // A name and a line that need escapes.
    corpus.extend((7..12).map(|n| {
        page(
            n,
            "a \"b\"\n[[group]] \\ \u{7f}",
            &format!("say \"\\{n}x\" \u{1}\nunique {}", "vwxyz".get(n - 7..=n - 7).unwrap()),
        )
    }));
    let stage = LineTemplate::open(options(&["site"])).unwrap();
    stage.prepare(&workspace(folder.path(), 1 << 20, 1)).unwrap();
    observe(&stage, 1, (0..).zip(&corpus));
    stage.end_pass(0).unwrap();
    let path = folder.path().join("keep").join(table::FILE_NAME);
    let written = std::fs::read_to_string(&path).unwrap();
    assert!(written.contains("[[group]]\nname = \"gazette\"\ndocuments = 5\nlines = [\n  { documents = 5, ratio = 1.000, text = \"Harbour Gazette\" },\n  { documents = 5, ratio = 1.000, text = \"Share this\" },\n  { documents = 4, ratio = 0.800, text = \"0 comments\" },\n]"), "{written}");
    let groups = toml::from_str::<toml::Table>(&written).unwrap()["group"].clone();
    let names: Vec<_> =
        groups.as_array().unwrap().iter().map(|group| group["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["a \"b\"\n[[group]] \\ \u{7f}", "gazette"]);

    let again = LineTemplate::open(LineTemplateOptions { table: Some(path), ..options(&["site"]) }).unwrap();
    assert_eq!((stage.passes(), again.passes()), (1, 0));
    for (position, document) in (0..).zip(&corpus) {
        assert_eq!(applied(&again, position, document), applied(&stage, position, document));
    }
    assert_eq!(applied(&again, 8, &corpus[8]).1, "unique w");
}

#[test]
fn mistakes_in_a_table_have_their_place() {
    let options = LineTemplateOptions { max_line_columns: 10, ..options(&["site"]) };
    for (content, mistakes) in [
        ("group_by = [\"site\"]\n[[group]]\nname = \"\"\nlines = []\n", vec![]),
        (
            "mask_digits = false\n",
            vec!["t:1:15: the table was learned with `mask_digits = false`, but the stage has `true`"],
        ),
        (
            "# a\ngroup_by = []\n",
            vec!["t:2:12: the table was learned with `group_by = []`, but the stage has `[\"site\"]`"],
        ),
        (
            "\n[[group]]\nname = 'a'\nlines = [\n  { text = ' ' },\n]\n[[group]]\nname = 'b'\nlines = [{ text = 'abcdefghijk' }]\n",
            vec![
                "t:5:12: `text` is blank, and blank lines are no template",
                "t:9:19: `text` is wider than `max_line_columns`, which is 10 columns here",
            ],
        ),
        (
            "[[group]]\nname = 'a'\n\n[[group]]\nlines = [\n",
            vec!["t:1:1: missing field `lines`", "t:5:10: unclosed array, expected `]`"],
        ),
        (
            "[[group]]\nname = 'a'\nlines = [{ txt = 'a' }]\n",
            vec!["t:3:12: unknown field `txt`, expected one of `text`, `documents`, `ratio`"],
        ),
    ] {
        let found = table::read("t", &mut content.as_bytes(), &options).err().unwrap_or_default();
        assert_eq!(found.lines().collect::<Vec<_>>(), mistakes, "{content}");
    }
}

#[test]
fn wrong_options_are_named() {
    for (options, option) in [
        (options(&[""]), "group_by"),
        (LineTemplateOptions { min_ratio: f64::NAN, ..options(&[]) }, "min_ratio"),
        (LineTemplateOptions { min_documents: 1, ..options(&[]) }, "min_documents"),
        (LineTemplateOptions { max_line_columns: 0, ..options(&[]) }, "max_line_columns"),
        (LineTemplateOptions { table: Some("no/such.toml".into()), ..options(&[]) }, "table"),
    ] {
        assert_eq!(LineTemplate::open(options).unwrap_err().option(), Some(option));
    }
}

#[test]
fn a_group_may_be_one_name_or_a_list() {
    for (written, names) in [("'site'", vec!["site"]), ("['a', 'b']", vec!["a", "b"]), ("[]", vec![])] {
        let options: LineTemplateOptions = toml::from_str(&format!("group_by = {written}")).unwrap();
        assert_eq!(options.group_by.0, names);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_memory_and_any_sharding_count_the_same(
        pages in prop::collection::vec((0_usize..3, prop::collection::vec(0_usize..12, 0..8), 0_usize..3), 0..60),
        memory in prop::sample::select(vec![0_u64, 1024, 8192, 1 << 30]),
        n_locals in 1_usize..4,
    ) {
        let name = |line: usize| char::from(b'a' + line as u8).to_string();
        let documents: Vec<_> = pages.iter().enumerate().map(|(n, (site, lines, _))| {
            page(n, &site.to_string(), &lines.iter().map(|line| name(*line)).collect::<Vec<_>>().join("\n"))
        }).collect();
        // Plainly: the documents of each site, and of each of its lines.
        let mut counts = BTreeMap::<(usize, Option<usize>), usize>::new();
        for (site, lines, _) in pages.iter().filter(|(_, lines, _)| !lines.is_empty()) {
            *counts.entry((*site, None)).or_default() += 1;
            for line in lines.iter().collect::<BTreeSet<_>>() {
                *counts.entry((*site, Some(*line))).or_default() += 1;
            }
        }
        let is_template = |site: usize, line: usize| {
            let (n, of) = (counts[&(site, Some(line))], counts[&(site, None)]);
            of >= 4 && n >= 3 && n as f64 / of as f64 >= 0.5
        };
        let options = || LineTemplateOptions { min_ratio: 0.5, drop_empty: false, ..options(&["site"]) };

        let whole = LineTemplate::open(options()).unwrap();
        observe(&whole, 1, (0..).zip(&documents));
        let folder = tempfile::tempdir().unwrap();
        let merging = LineTemplate::open(options()).unwrap();
        merging.prepare(&workspace(&folder.path().join("all"), memory, n_locals)).unwrap();
        for shard in (0..3).rev() {
            let part = LineTemplate::open(options()).unwrap();
            part.prepare(&workspace(&folder.path().join(shard.to_string()), memory, n_locals)).unwrap();
            observe(&part, n_locals, (0..).zip(&documents).zip(&pages).filter(|(_, page)| page.2 == shard).map(|(placed, _)| placed));
            merging.load(0, &mut &saved(&part)[..]).unwrap();
        }
        prop_assert_eq!(saved(&merging), saved(&whole));
        whole.end_pass(0).unwrap();
        for (document, (site, lines, _)) in documents.iter().zip(&pages) {
            let expected: Vec<_> = lines.iter().filter(|line| !is_template(*site, **line)).map(|line| name(*line)).collect();
            prop_assert_eq!(applied(&whole, 0, document).1, expected.join("\n"));
        }
        // With no memory there is none for a table either, and that is said.
        if let Err(failure) = merging.end_pass(0) {
            prop_assert!(memory <= 1024 && failure.to_string().contains("raise `min_documents`"), "{}", failure);
            return Ok(());
        }
        for document in &documents {
            prop_assert_eq!(applied(&merging, 0, document), applied(&whole, 0, document));
        }
    }

    #[test]
    fn any_text_is_accepted(texts in prop::collection::vec("(\\PC|[\n\t\r\u{3000}0-9]){0,40}", 4..8)) {
        let documents: Vec<_> = texts.iter().chain(&texts).chain(&texts).enumerate().map(|(n, text)| page(n, "a", text)).collect();
        let stage = learned(options(&["site"]), &documents);
        for document in &documents {
            let (_, text, _) = applied(&stage, 0, document);
            prop_assert!(text.len() <= document.text.len());
        }
    }

    #[test]
    fn any_table_is_read_or_refused(content in "(\\[\\[group\\]\\]\n|name = 'a'\n|lines = \\[|\\{ text = 'b' \\},|\\]\n|\\PC|\n){0,12}") {
        let _ = table::read("t", &mut content.as_bytes(), &options(&[]));
    }
}
