use proptest::prelude::*;
use tamis_conformance::cases::check_filter;
use tamis_plugin::{Document, Filter, Limit, Measure, Notes, Record, Value, Verdict, View};

use super::{Where, WhereOptions, WhereRule};

fn keep(condition: &str) -> WhereOptions {
    WhereOptions { keep: Some(condition.into()), ..WhereOptions::default() }
}

fn refusal(options: WhereOptions) -> (String, String) {
    let error = Where::open(options).expect_err("it makes no sense");
    (error.option().unwrap_or_default().to_owned(), error.to_string())
}

#[test]
fn cases() {
    check_filter::<Where>("where/cases/conditions.md", include_str!("cases/conditions.md"));
}

#[test]
fn measures_of_stages_before_are_names() {
    let mut record = Record::from(Document::new("a", "text"));
    for value in [1.0, 7.0] {
        record.measures.push(Measure { name: "chars".into(), value, limit: Limit::None });
    }
    for (condition, verdict) in [
        ("chars == 7", Verdict::Keep),
        ("measures.chars < 7", Verdict::Drop("where".into())),
        ("measures.words > 0", Verdict::Drop("where".into())),
    ] {
        let stage = Where::open(keep(condition)).expect("a condition");
        assert_eq!(stage.filter(&View::from(&record), &mut Notes::default()), Ok(verdict), "{condition}");
    }
}

#[test]
fn values_that_do_not_go_together_fail_the_document() {
    let mut document = Document::new("a", "text");
    document.metadata.insert("score", "0.7");
    let stage = Where::open(keep("score > 0.5")).expect("a condition");
    let failure = stage.filter(&View::from(&document), &mut Notes::default()).expect_err("a string");
    assert_eq!(
        failure.to_string(),
        "in `score > 0.5`: the string \"0.7\" cannot be compared with the number 0.5; `double(…)` and `string(…)` \
         make one what the other is"
    );
}

#[test]
fn rules_that_make_no_sense_are_refused() {
    let both = WhereRule { keep: Some("has(a)".into()), drop: Some("has(b)".into()), reason: None };
    let rules = |rules: &[&WhereRule]| WhereOptions {
        rules: rules.iter().map(|rule| (*rule).clone()).collect(),
        ..WhereOptions::default()
    };
    let one = WhereRule { keep: Some("has(a)".into()), ..WhereRule::default() };
    let bad_reason = WhereRule { reason: Some("a\nb".into()), ..one.clone() };
    for (options, option, message) in [
        (
            WhereOptions { keep: both.keep.clone(), drop: both.drop.clone(), ..WhereOptions::default() },
            "drop",
            "`keep` and `drop` are two rules: write `rules = [{ keep = \"…\" }, { drop = \"…\" }]`",
        ),
        (rules(&[&WhereRule::default()]), "rules", "a rule needs `keep` or `drop`"),
        (rules(&[&one, &one]), "rules", "the rule `has(a)` stands there twice"),
        (rules(&[&bad_reason]), "rules", "a reason is one line of 1 to 128 bytes, such as `not-english`"),
        (keep("a ="), "keep", "`=` is no operator: write `==`"),
        (
            keep("1 < 2"),
            "keep",
            "the condition is the same for every document: it reads nothing of them: name a field, `text` or a measure",
        ),
    ] {
        assert_eq!(refusal(options), (option.to_owned(), message.to_owned()));
    }
}

#[test]
fn a_rule_that_never_drops_is_a_counter_that_stays_silent() {
    let rule = |condition: &str, reason: &str| WhereRule {
        drop: Some(condition.into()),
        reason: Some(reason.into()),
        ..WhereRule::default()
    };
    let rules = vec![rule("has(b)", "b"), rule("has(a)", "a"), rule("has(c)", "b")];
    let stage = Where::open(WhereOptions { rules, ..WhereOptions::default() }).expect("rules");
    assert_eq!(stage.counters(), ["a", "b"]);
}

proptest! {
    /// Whatever a field holds, a condition and its opposite never both keep or both drop, and failures are the same.
    #[test]
    fn keep_and_drop_are_opposites(
        value in prop_oneof![
            Just(Value::Null), any::<i64>().prop_map(Value::from), any::<f64>().prop_map(Value::from),
            "\\PC{0,8}".prop_map(Value::from), any::<bool>().prop_map(Value::from),
        ],
        condition in prop::sample::select(vec!["x > 1", "x == \"a\"", "x", "has(x)", "x in [1, 2]", "size(x) > 2"]),
    ) {
        let mut document = Document::new("a", "text");
        document.metadata.insert("x", value);
        let judge = |options| Where::open(options).expect("sound").filter(&View::from(&document), &mut Notes::default());
        let drop = WhereOptions { drop: Some(condition.to_owned()), ..WhereOptions::default() };
        match (judge(keep(condition)), judge(drop)) {
            (Ok(kept), Ok(dropped)) => prop_assert_ne!(kept, dropped),
            (kept, dropped) => prop_assert_eq!(kept, dropped),
        }
    }
}
