use tamis_conformance::cases::check_extractor;
use tamis_plugin::{Document, Draft, Extractor, ValueRef, Verdict, View};

use super::{Contaminated, Decontaminate, DecontaminateOptions};

const QUESTION: &str =
    "Why has the wheel of the old mill by the river not turned since the flood of last spring?";

fn set(folder: &tempfile::TempDir, name: &str, text: &str) -> String {
    let path = folder.path().join(name);
    std::fs::write(&path, text).expect("written");
    path.to_str().expect("UTF-8").to_owned()
}

fn options(folder: &tempfile::TempDir) -> DecontaminateOptions {
    let line = serde_json::json!({ "question": QUESTION, "choices": ["磨坊的水轮为什么不再转动了", "no"] });
    let against = vec![set(folder, "quiz.jsonl", &format!("\n{line}\n"))];
    DecontaminateOptions {
        against,
        fields: vec!["question".into(), "choices".into()],
        ..DecontaminateOptions::default()
    }
}

fn held(options: DecontaminateOptions, text: &str) -> (Verdict, Document, f64) {
    let stage = Decontaminate::open(options).expect("sound");
    let mut document = Document::new("a", text);
    let mut draft = Draft::new(View::from(&document));
    let verdict = stage.extract(&mut draft).expect("never fails");
    let ratio = draft.notes().measures()[0].value;
    let (edits, _) = draft.finish();
    edits.apply(&mut document);
    (verdict, document, ratio)
}

#[test]
fn cases() {
    check_extractor::<Decontaminate>(
        "decontaminate/cases/decontaminate.md",
        include_str!("cases/decontaminate.md"),
    );
}

#[test]
fn what_the_set_has_is_found_however_it_is_written() {
    let folder = tempfile::tempdir().expect("a folder");
    let shouted = QUESTION.to_uppercase().replace(' ', "\n- ");
    for (text, is_found) in [
        (format!("Quiz: {QUESTION} Answer below."), true),
        (shouted, true),
        // Thirteen tokens of the eighteen.
        ("the wheel of the old mill by the river not turned since the".to_owned(), true),
        ("the wheel of the old mill by the river not turned since".to_owned(), false),
        ("他问：磨坊的水轮，为什么不再转动了？".to_owned(), true),
        ("磨坊的水轮转动了".to_owned(), false),
        (String::new(), false),
    ] {
        let (verdict, _, ratio) = held(options(&folder), &text);
        let expected = if is_found { Verdict::Drop("contaminated".into()) } else { Verdict::Keep };
        assert_eq!(verdict, expected, "{text}");
        assert_eq!(ratio > 0.0, is_found, "{text}");
    }
}

#[test]
fn little_of_a_long_text_may_stay() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!("{QUESTION} {}", "The miller left for the city with his sons. ".repeat(20));
    let lenient = DecontaminateOptions { max_ratio: 0.2, ..options(&folder) };
    let (verdict, _, ratio) = held(lenient, &text);
    assert_eq!(verdict, Verdict::Keep);
    assert!((ratio - 19.0 / 199.0).abs() < 1e-9, "{ratio}");
    assert_eq!(held(options(&folder), &text).0, Verdict::Drop("contaminated".into()));
}

#[test]
fn spans_are_listed_or_cut() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = format!("字 {QUESTION} 他问：磨坊的水轮，为什么不再转动了？好。");
    let annotate = DecontaminateOptions { action: Contaminated::Annotate, ..options(&folder) };
    let (verdict, document, _) = held(annotate, &text);
    assert_eq!((verdict, document.text.as_str()), (Verdict::Keep, text.as_str()));
    let list = document.metadata.get("contamination").expect("written").clone();
    let ValueRef::Json(list) = list.as_ref() else { panic!("{list:?} is no list") };
    let list: serde_json::Value = serde_json::from_str(list).expect("JSON");
    let found: Vec<String> = list
        .as_array()
        .expect("a list")
        .iter()
        .map(|span| {
            assert_eq!(span["item"], "quiz.jsonl:2");
            let number = |name: &str| span[name].as_u64().expect("a number") as usize;
            text.chars().skip(number("start")).take(number("length")).collect()
        })
        .collect();
    assert_eq!(found, [QUESTION.trim_end_matches('?'), "磨坊的水轮，为什么不再转动了"]);
    let cut = DecontaminateOptions { action: Contaminated::Cut, ..options(&folder) };
    assert_eq!(held(cut, &text).1.text, "字 ? 他问：？好。");
}

#[test]
fn a_set_that_is_none_is_refused_with_its_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let sound = DecontaminateOptions::default();
    for (name, text, words) in [
        ("a.jsonl", "{\"text\": \"a\"}\n{\"te", "a.jsonl:2: "),
        ("b.jsonl", "{\"question\": \"a b c d e f g h i j\"}\n", "are taken from text"),
        ("c.txt", "too short\n", "no item of 8 tokens"),
    ] {
        let against = vec![set(&folder, name, text)];
        let error = Decontaminate::open(DecontaminateOptions { against, ..sound.clone() }).expect_err(name);
        assert_eq!(error.option(), Some("against"));
        assert!(error.to_string().contains(words), "{error}");
    }
    assert!(Decontaminate::open(sound.clone()).expect_err("no set").to_string().contains("give `against`"));
    let against = vec!["absent.txt".to_owned()];
    let error = Decontaminate::open(DecontaminateOptions { against, ..sound }).expect_err("absent");
    assert!(error.to_string().starts_with("cannot read absent.txt"), "{error}");
}
