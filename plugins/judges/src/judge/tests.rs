use tamis_conformance::cases::check_extractor;
use tamis_plugin::{BatchExtractor, Document, Draft, Limit, ValueRef, Verdict, View};

use super::{Judge, JudgeMode, JudgeOptions, file, why};

fn open(options: JudgeOptions) -> Judge {
    Judge::open(options).unwrap_or_else(|error| panic!("{error}"))
}

fn of_presets(presets: &[&str]) -> JudgeOptions {
    JudgeOptions {
        presets: presets.iter().map(|preset| (*preset).to_owned()).collect(),
        ..JudgeOptions::default()
    }
}

fn judge(stage: &Judge, text: &str, language: &str) -> (Verdict, Vec<(String, f64, Limit)>, Document) {
    let mut document = Document::new("a", text);
    document.metadata.insert("language", language);
    let mut draft = Draft::new(View::from(&document));
    let verdict =
        stage.extract_one(&mut <Judge as BatchExtractor>::Local::default(), &mut draft).expect("judged");
    let notes = draft.notes().measures().iter();
    let measures = notes.map(|measure| (measure.name.to_string(), measure.value, measure.limit)).collect();
    let (edits, _) = draft.finish();
    edits.apply(&mut document);
    (verdict, measures, document)
}

/// An article of our own, long enough for all rules.
const ARTICLE: &str = "The mill stands by the river, and its wheel has not turned since the flood of last spring.\n\
    People of the village say that the miller left for the city with his sons, and that he will not come back.\n\
    In the old days they brought their grain to him in autumn, and he gave them flour for bread in return.\n\
    Now they have to drive to the next town, which takes an hour, and the flour they buy there is of no mill they know.\n\
    Some of them would like to repair the wheel. It would be work for a winter, they think, and it could be done.\n";

const ARTICLE_ZH: &str = "磨坊在河边，自从去年春天的洪水以后，水轮就没有再转过。村里的人说，磨坊主带着两个儿子进城去了，恐怕不会回来。\
    从前每到秋天，家家户户都把粮食送到这里，再把面粉背回家去做馒头。如今他们只好坐车到邻近的镇上去买，来回要一个小时，\
    买来的面粉也不知道是哪一家磨的。有几位老人想把水轮修好，他们觉得用一个冬天的工夫就够了。";

#[test]
fn cases() {
    check_extractor::<Judge>("judge/cases/judge.md", include_str!("cases/judge.md"));
}

#[test]
fn good_articles_pass_and_menus_do_not() {
    for preset in ["gopher", "c4", "fineweb", "fineweb2", "web-en"] {
        let stage = open(of_presets(&[preset]));
        let (verdict, ..) = judge(&stage, ARTICLE, "en");
        assert_eq!(verdict, Verdict::Keep, "{preset}");
        let menu = "Home\nNews\nSport\nContact\nLogin\n".repeat(12);
        let (verdict, ..) = judge(&stage, &menu, "en");
        assert!(matches!(verdict, Verdict::Drop(_)), "{preset}");
    }
    for preset in ["map-neo", "web-zh"] {
        let stage = open(of_presets(&[preset]));
        assert_eq!(judge(&stage, ARTICLE_ZH, "zh-Hans").0, Verdict::Keep, "{preset}");
    }
    let stage = open(of_presets(&["map-neo"]));
    for (text, reason) in [
        ("【首页】【新闻】【体育】【关于我们】".repeat(4), "brackets"),
        (ARTICLE_ZH.repeat(90), "long"),
        ("磨坊主说水轮坏了。".repeat(12), "few-distinct-characters"),
    ] {
        let (verdict, ..) = judge(&stage, &text, "zh");
        assert!(
            matches!(&verdict, Verdict::Drop(found) if found == &format!("map-neo:{reason}")),
            "{verdict:?}"
        );
    }
    let stage = open(of_presets(&["web-zh"]));
    let menu = "首页\n新闻\n体育\n关于我们\n登录\n".repeat(12);
    assert_eq!(judge(&stage, &menu, "zh-Hans").0, Verdict::Drop("web-zh:menu".into()));
}

#[test]
fn every_preset_can_be_read() {
    for preset in file::presets() {
        let stage = open(of_presets(&[preset]));
        let mut rules = stage.sets.iter().flat_map(|set| &set.rules);
        assert!(rules.all(|rule| !rule.measures.is_empty()), "{preset}");
    }
}

#[test]
fn limits_are_those_of_the_language_and_of_the_pipeline() {
    let limits = |json: serde_json::Value| {
        let limits = json.as_object().expect("a table").clone().into_iter().collect();
        open(JudgeOptions { limits, ..of_presets(&["gopher"]) })
    };
    let words = |stage: &Judge, language: &str| {
        let (_, measures, _) = judge(stage, ARTICLE, language);
        measures
            .into_iter()
            .find(|(name, _, limit)| name == "words" && matches!(limit, Limit::Min(_)))
            .map(|found| found.2)
    };
    let stage = limits(serde_json::json!({ "min_words": 60, "zh": { "min_words": 20 } }));
    assert_eq!(words(&stage, "en"), Some(Limit::Min(60.0)));
    assert_eq!(words(&stage, "zh-Hant"), Some(Limit::Min(20.0)));
    let stage = limits(serde_json::json!({ "min_words": 600 }));
    assert_eq!(judge(&stage, ARTICLE, "en").0, Verdict::Drop("gopher:few-words".into()));
}

#[test]
fn what_a_rule_compares_is_what_its_condition_says() {
    for preset in file::presets() {
        let stage = open(JudgeOptions { mode: JudgeMode::Annotate, ..of_presets(&[preset]) });
        for (text, language) in
            [(ARTICLE, "en"), (ARTICLE_ZH, "zh-Hans"), ("Home\n\nNews\n- a ...", "en"), ("", "de")]
        {
            let document = Document::new("a", text);
            let view = View::from(&document);
            let mut measurer = tamis_measures::Measurer::default();
            for set in &stage.sets {
                let values = measurer.measure(
                    text,
                    tamis_measures::Measure::ALL,
                    &tamis_measures::StopWords::default(),
                );
                let judged = super::Judged { document: &view, values: &values, language, set };
                for rule in &set.rules {
                    let (is_bad, _) = rule.judge(&judged).expect("judged");
                    assert_eq!(rule.holds(&judged), Ok(is_bad), "{preset}: {} of {text:?}", rule.reason);
                }
            }
        }
    }
}

#[test]
fn a_set_counts_its_own_stop_words() {
    let folder = tempfile::tempdir().expect("a folder");
    let rules = |name: &str, word: &str| {
        let path = folder.path().join(format!("{name}.toml"));
        let text = format!(
            "name = \"{name}\"\n[stop_words]\ndefault = [\"{word}\"]\n[[rule]]\nreason = \"none\"\ndrop = \"stop_words < 1\"\n"
        );
        std::fs::write(&path, text).expect("written");
        path.to_str().expect("UTF-8").to_owned()
    };
    let rules = vec![rules("one", "mill"), rules("two", "ferry"), rules("three", "river")];
    let stage = open(JudgeOptions { rules, mode: JudgeMode::Bucket, ..JudgeOptions::default() });
    let (_, _, document) = judge(&stage, "The mill stands by the river.", "en");
    assert_eq!(
        document.metadata.get("quality").map(tamis_plugin::Value::as_ref),
        Some(ValueRef::String("two:none"))
    );
}

#[test]
fn a_document_can_be_marked_instead() {
    let stage = |mode| open(JudgeOptions { mode, ..of_presets(&["gopher", "c4"]) });
    let marked = |mode, text: &str| {
        let (verdict, _, document) = judge(&stage(mode), text, "en");
        assert_eq!(verdict, Verdict::Keep);
        document.metadata.get("quality").expect("written").clone()
    };
    assert_eq!(marked(JudgeMode::Bucket, ARTICLE).as_ref(), ValueRef::String("good"));
    assert_eq!(marked(JudgeMode::Bucket, "One line.").as_ref(), ValueRef::String("gopher:top-2-gram"));
    let list = marked(JudgeMode::Annotate, "One line.");
    let ValueRef::Json(list) = list.as_ref() else { panic!("{list:?} is no list") };
    assert!(list.starts_with("[\"gopher:top-2-gram\"") && list.contains("c4:few-sentences"), "{list}");
    assert_eq!(marked(JudgeMode::Annotate, ARTICLE).as_ref(), ValueRef::Json("[]"));
}

/// How measures are spread must not depend on which rule comes first.
#[test]
fn a_dropped_document_has_all_measures_if_they_are_wanted() {
    for text in ["One line.", ARTICLE, ""] {
        let stage = |mode, all_measures| {
            open(JudgeOptions { mode, all_measures, ..of_presets(&["gopher", "fineweb"]) })
        };
        let measures = |mode| judge(&stage(mode, mode == JudgeMode::Drop), text, "en").1;
        let up_to_the_drop = judge(&stage(JudgeMode::Drop, false), text, "en").1;
        assert!(measures(JudgeMode::Drop).starts_with(&up_to_the_drop), "{text}");
        assert!(!up_to_the_drop.is_empty(), "{text}");
        let dropped = measures(JudgeMode::Drop);
        assert_eq!(dropped, measures(JudgeMode::Annotate), "{text}");
        assert!(
            dropped.iter().any(|(name, ..)| name == "short_line_ratio") || text.is_empty(),
            "{dropped:?}"
        );
    }
}

#[test]
fn what_differs_by_language_is_counted_where_there_is_none() {
    let counts = |presets: &[&str], language: &str| {
        let mut document = Document::new("a", ARTICLE);
        document.metadata.insert("language", language);
        let mut draft = Draft::new(View::from(&document));
        open(of_presets(presets))
            .extract_one(&mut <Judge as BatchExtractor>::Local::default(), &mut draft)
            .expect("judged");
        draft.notes().counts().iter().any(|(name, _)| name == "no_language")
    };
    assert!(counts(&["chinese-web-text"], "") && counts(&["gopher", "fineweb2"], ""));
    assert!(counts(&["web-zh"], "") && !counts(&["web-zh"], "zh"));
    assert!(!counts(&["chinese-web-text"], "en") && !counts(&["gopher", "c4"], ""));
}

#[test]
fn mistakes_in_a_rule_file_have_a_place_and_a_way_out() {
    for (text, words) in [
        (
            "name = \"a\"\n[[rule]]\nreason = \"b\"\ndrop = \"word < 5\"\n",
            "a.toml:4:8: in `drop`: `word` is no measure",
        ),
        ("name = \"a\"\n[[rule]]\nreason = \"b\"\ndrop = \"word < 5\"\n", "did you mean `words`?"),
        ("name = \"a\"\n[[rule]]\nreason = \"b\"\ndrop = \"words < \"\n", "a.toml:4:8: in `drop`"),
        ("name = \"a\"\n[[rule]]\nreason = \"b\"\ndrop = \"words\"\n", "not true or false"),
        (
            "name = \"a\"\n[[rule]]\nreason = \"B c\"\ndrop = \"words < 5\"\n",
            "a.toml:3:10: `B c` is no reason",
        ),
        ("name = \"a\"\nrule = []\n", "no `[[rule]]`"),
        (
            "name = \"a\"\n[limits]\nwords = 5\n[[rule]]\nreason = \"b\"\ndrop = \"words < 5\"\n",
            "a.toml:3:1: `words` is a measure",
        ),
        (
            "name = \"a\"\n[limits]\nx = \"5\"\n[[rule]]\nreason = \"b\"\ndrop = \"words < x\"\n",
            "`x` is no number",
        ),
        ("name = \"a\"\n[[rule]]\nreason = \"b\"\ndrop = \"stop_words < 2\"\n", "there is no `[stop_words]`"),
        (
            "name = \"a\"\n[[rule]]\nreason = \"b\"\nkeep = \"words > 5\"\n",
            "a.toml:4:1: unknown field `keep`",
        ),
    ] {
        let read = file::parse("a.toml", text);
        let error = read.and_then(|file| super::RuleSet::new("a.toml", text, file, &super::Limits::new()));
        let error = error.expect_err(text);
        assert!(error.contains(words), "{error}\n{text}");
    }
}

#[test]
fn options_that_make_no_sense_are_refused() {
    let error = |options: JudgeOptions| Judge::open(options).expect_err("refused").to_string();
    let nothing = JudgeOptions { mode: JudgeMode::Bucket, ..JudgeOptions::default() };
    assert!(error(nothing).contains("give `presets` or `rules`"));
    assert!(error(of_presets(&["gofer"])).contains("there is no preset `gofer`; there are gopher, c4"));
    let with_limits = |limits: serde_json::Value| JudgeOptions {
        limits: limits.as_object().expect("a table").clone().into_iter().collect(),
        ..of_presets(&["c4"])
    };
    let unknown = error(with_limits(serde_json::json!({ "min_word": 3 })));
    assert!(unknown.contains("no rule has a limit `min_word`"), "{unknown}");
    assert!(unknown.contains("there are min_sentences: `tamis stages judge --preset NAME`"), "{unknown}");
    assert!(
        error(with_limits(serde_json::json!({ "xx": { "min_sentences": 3 } })))
            .contains("`xx` is no language")
    );
    assert!(error(with_limits(serde_json::json!({ "min_sentences": "3" }))).contains("a limit is a number"));
}

#[test]
fn a_rule_of_several_parts_says_what_it_was_decided_on() {
    let options = serde_json::json!({ "presets": ["web-zh"], "limits": { "enough_lines": 5 } });
    let mut document = Document::new("a", "首页新闻，\n".repeat(6));
    document.metadata.insert("language", "zh-Hans");
    let because = why(&options, &document, "web-zh:menu").expect("it is a menu");
    assert!(because.condition.starts_with("filled_lines >= enough_lines && "), "{because:?}");
    let values: Vec<(&str, &str)> =
        because.values.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let expected = [
        ("filled_lines", "6"),
        ("enough_lines", "5"),
        ("short_line_ratio", "1"),
        ("max_short_line_ratio", "0.8"),
        ("mean_line_chars", "5"),
        ("min_mean_line_chars", "12"),
    ];
    assert_eq!(values, expected);
    // One of a single measure is noted by the stage; one that does not hold has dropped nothing.
    assert_eq!(why(&options, &document, "web-zh:short"), None);
    assert_eq!(why(&options, &document, "web-zh:not-cleaned"), None);
    // Fields are named, too.
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mine.toml");
    let rules =
        "name = \"mine\"\n[[rule]]\nreason = \"site\"\ndrop = 'filled_lines > 2 && metadata.site == \"x\"'\n";
    std::fs::write(&path, rules).expect("written");
    document.metadata.insert("site", "x");
    let because = why(&serde_json::json!({ "rules": [path] }), &document, "mine:site").expect("it holds");
    assert_eq!(because.values.get(1), Some(&("metadata.site".to_owned(), "\"x\"".to_owned())));
}
