use proptest::prelude::*;
use serde_json::json;
use tamis_conformance::cases::check_extractor;
use tamis_plugin::{Document, View};

use super::*;

fn read(text: &str) -> Document {
    let mut document = Document::new("a", text);
    let stage = NewspaperPage::open(NewspaperPageOptions::default()).unwrap();
    let mut draft = Draft::new(View::from(&document));
    stage.extract(&mut draft).unwrap();
    draft.finish().0.apply(&mut document);
    document
}

fn field(document: &Document, name: &str) -> serde_json::Value {
    document.metadata.get(name).map_or(json!(null), |value| serde_json::to_value(value).unwrap())
}

/// A page whose numbered part is `body`.
fn page(body: &str) -> Document {
    read(&format!("清河晚报 数字报纸\n00003版:专题\n\n  引子一段，说的是老街。\n\n{body}"))
}

#[test]
fn cases() {
    check_extractor::<NewspaperPage>("page.md", include_str!("cases/page.md"));
}

#[test]
fn the_example_page_is_grouped_by_its_words_and_flagged() {
    let text =
        std::fs::read_to_string("../../examples/flattened/documents/newspaper-old-street.txt").unwrap();
    let document = read(&text);
    assert_eq!(field(&document, "order_uncertain"), json!(true));
    let sections = field(&document, "sections");
    let headings: Vec<_> = (0..4).map(|at| sections[at]["heading"].as_str().unwrap()).collect();
    assert_eq!(
        headings,
        ["修伞铺 祖孙两代的雨天", "竹编铺 一根篾条走天下", "豆腐坊 石磨转了三代人", "“糖画摊” 甜味里的功夫"]
    );
    let first = sections[0]["paragraphs"].as_array().unwrap();
    assert!(
        first[0].as_str().unwrap().starts_with("雨下得最大的那个下午"),
        "a heading is followed by its lead"
    );
    assert_eq!(first.len(), 3);
    assert_eq!(sections[3]["paragraphs"].as_array().unwrap().len(), 2);
    // The text stays in source order.
    let position = |words: &str| document.text.find(words).unwrap();
    assert!(
        position("竹编铺 一根篾条") < position("和爷爷不同")
            && position("和爷爷不同") < position("修伞铺 祖孙")
    );
    assert!(!document.text.contains("镜头") && !document.text.contains("老街巷"));
}

#[test]
fn numbers_that_are_not_complete_are_uncertain() {
    let document = page("镜头1\n\n甲\n\n  一段话。\n\n镜头3\n\n乙\n\n  又一段话。\n\n  再一段话。");
    assert_eq!(field(&document, "order_uncertain"), json!(true));
    assert_eq!(field(&document, "sections")[1]["number"], json!(3));
}

#[test]
fn marks_without_headings_are_certain_in_ascending_order_only() {
    let ascending = page("镜头一\n\n  一段话。\n\n镜头二\n\n  又一段话。\n\n  再一段话。");
    assert_eq!(field(&ascending, "order_uncertain"), json!(false));
    let descending = page("镜头二\n\n  一段话。\n\n镜头一\n\n  又一段话。\n\n  再一段话。");
    assert_eq!(field(&descending, "order_uncertain"), json!(true));
    assert!(descending.text.find("  一段话").unwrap() < descending.text.find("又一段话").unwrap());
}

#[test]
fn captions_and_repeated_numbers_are_no_marks() {
    for body in ["图1\n\n  一段话。\n\n图2\n\n  又一段话。", "镜头1\n\n  一段话。\n\n镜头1\n\n  又一段话。"]
    {
        let document = page(body);
        assert_eq!(field(&document, "sections"), json!(null));
        assert!(document.text.ends_with(body));
    }
}

#[test]
fn one_line_of_a_title_in_two_lines_is_not_its_copy() {
    let text = "清河晚报 数字报纸\n00003版:专题\n\n桥上\n一座桥的四季\n\n  引子。\n\n桥上\n\n  正文一段。\n\n  正文二段。";
    assert!(read(text).text.contains("\n桥上\n"));
}

proptest! {
    #[test]
    fn any_text_is_accepted(text in any::<String>()) {
        read(&text);
    }

    #[test]
    fn any_mixture_of_page_lines_keeps_its_paragraphs(picks in prop::collection::vec(0_usize..14, 0..40)) {
        const LINES: [&str; 14] = [
            "清河晚报 数字报纸", "00003版:专题", "", "桥上桥下", "  一段话，讲的是桥。", "\u{3000}又一段话。", "镜头", "1", "2", "镜头3",
            "夏\u{a0}桥下", "清河晚报 专题 00003 桥上桥下", "2012-05-18 清河晚报2012-05-1800001;清河晚报2012-05-1800002;清河晚报2012-05-1800004", "引子。",
        ];
        let text = picks.iter().map(|pick| LINES[*pick]).collect::<Vec<_>>().join("\n");
        let count = |text: &str| text.matches("段话").count();
        prop_assert_eq!(count(&read(&text).text), count(&text));
    }
}
