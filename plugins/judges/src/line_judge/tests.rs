use proptest::prelude::*;
use tamis_conformance::cases::check_extractor;
use tamis_plugin::{Document, Draft, Extractor, View};

use super::{Between, LineJudge, LineJudgeOptions, LineRule};

fn judged(options: LineJudgeOptions, text: &str) -> String {
    let mut document = Document::new("a", text);
    let mut draft = Draft::new(View::from(&document));
    LineJudge::open(options).expect("sound").extract(&mut draft).expect("never fails");
    let (edits, _) = draft.finish();
    edits.apply(&mut document);
    document.text
}

#[test]
fn cases() {
    check_extractor::<LineJudge>("line_judge/cases/lines.md", include_str!("cases/lines.md"));
}

#[test]
fn each_rule_takes_its_lines() {
    let text =
        "水轮不转了。\n首页\n12 345\n* * *\n坏□字在这里。\nThe mill stands by the river.\nAbout the old mill";
    for (rule, expected) in [
        (LineRule::C4, "The mill stands by the river."),
        (LineRule::C4Loose, "The mill stands by the river.\nAbout the old mill"),
        (LineRule::C4Zh, "水轮不转了。"),
    ] {
        let options = LineJudgeOptions { rules: vec![rule], ..LineJudgeOptions::default() };
        assert_eq!(judged(options, &text.replace("* * *\n", "")), expected, "{}", rule.name());
    }
    let options = |rule| LineJudgeOptions { rules: vec![rule], ..LineJudgeOptions::default() };
    assert_eq!(judged(options(LineRule::Symbols), text), text.replace("* * *\n", ""));
    assert_eq!(judged(options(LineRule::Digits), text), text.replace("12 345\n", ""));
}

#[test]
fn runs_begin_and_end_with_two_good_lines() {
    let (good, bad) = ("The mill stands by the river.", "Home");
    for (pattern, most, expected) in [
        // g is a good line, y a bad one; what stays.
        ("ygyggyyggy", 2, "ggyygg"),
        ("ggygygg", 1, "ggygygg"),
        ("ggyg", 2, "gg"),
        ("gyggygyy", 2, "gg"),
        ("ggyyygg", 2, "gggg"),
        ("gyg", 2, ""),
        ("g", 2, ""),
        ("gg", 2, "gg"),
    ] {
        let text = |pattern: &str| {
            let lines = pattern.chars().map(|c| if c == 'g' { good } else { bad });
            lines.collect::<Vec<_>>().join("\n")
        };
        let options = LineJudgeOptions {
            between: Between::Runs,
            max_between: most,
            min_lines: 0,
            ..LineJudgeOptions::default()
        };
        assert_eq!(judged(options, &text(pattern)), text(expected), "{pattern}");
    }
}

#[test]
fn rules_that_say_the_same_are_refused() {
    let rules = vec![LineRule::C4, LineRule::C4Loose];
    let error =
        LineJudge::open(LineJudgeOptions { rules, ..LineJudgeOptions::default() }).expect_err("refused");
    assert_eq!(error.option(), Some("rules"));
}

proptest! {
    #[test]
    fn what_is_left_are_lines_of_the_text_in_order(
        text in "(The mill stands here\\.|Home|\\* \\*|\n|\n\n| ){0,20}",
        between in prop::sample::select(vec![Between::Drop, Between::Keep, Between::Runs]),
    ) {
        let options = LineJudgeOptions { between, min_lines: 0, ..LineJudgeOptions::default() };
        let left = judged(options.clone(), &text);
        let mut lines = text.split('\n');
        for line in left.split('\n').filter(|line| !line.trim().is_empty()) {
            prop_assert!(lines.any(|other| other == line), "{line:?} of {text:?}");
        }
        prop_assert_eq!(judged(options, &left), left);
    }
}
