use proptest::prelude::*;
use tamis_conformance::cases::check_extractor;
use tamis_plugin::{BatchExtractor, Document, Draft, Value, Verdict, View};
use tamis_text::scan::Scan;

use super::features::{N_EDGE, N_NODE};
use super::lexicon::{BUNDLED, Category, Found};
use super::memory::Memory;
use super::model::{Models, State, Sums};
use super::segment::{Segment, segments};
use super::shared::Marks;
use super::title::Title;
use super::{Boilerplate, BoilerplateOptions, MODELS, OnNoText, OnUncertain, Reading};

const ARTICLE: &str = "昨天下午，清河镇的老渡口重新开放。早上八点，第一班渡船载着二十多位乘客离开码头，岸上的人敲锣打鼓，\
    孩子们跑着追了很远。船工老周今年六十一岁，他说这条河他走了四十年，哪里有浅滩，哪里有暗流，闭着眼睛都知道。\n\
    “停航的三年里，我每天还是来这里坐一坐。”他笑着说，“现在好了，船又响了。”\n\
    镇里为渡口修了新的候船亭，装了灯，还请人把旧石阶一级一级地补好。赶集的日子，渡船每半小时开一班，票价两元。";

fn page() -> String {
    format!(
        "老渡口重新开放_清河新闻网\n\n首页\n新闻\n社会\n体育\n娱乐\n登录\n注册\n\n您的位置：首页 > 新闻 > 正文\n\n\
         老渡口重新开放\n2019-05-06 10:20:00  来源：清河日报\n分享到：微信 微博\n\n{ARTICLE}\n\n\
         责任编辑：李小河\n相关新闻\n镇上的书店搬家了\n早市延长到十一点\n新桥通车\n发表评论\n\
         版权所有 清河新闻网 未经授权不得转载\nvar _hmt = _hmt || [];\n(function() {{ var hm = document.createElement(\"script\"); }})();\n"
    )
}

fn run(options: BoilerplateOptions, document: Document) -> (Document, Verdict) {
    let mut document = document;
    let stage = Boilerplate::open(options).expect("the options are fine");
    let mut draft = Draft::new(View::from(&document));
    let verdict = stage.extract_one(&mut Memory::default(), &mut draft).expect("never fails");
    let (edits, _) = draft.finish();
    edits.apply(&mut document);
    (document, verdict)
}

fn found(text: &str) -> Found {
    BUNDLED.find(text, &Title::default())
}

fn pieces(text: &str) -> Vec<&str> {
    segments(text, &found(text)).iter().map(|segment| text.get(segment.range()).unwrap_or_default()).collect()
}

#[test]
fn cases() {
    check_extractor::<Boilerplate>("boilerplate/cases/article.md", include_str!("cases/article.md"));
    check_extractor::<Boilerplate>("boilerplate/cases/left_alone.md", include_str!("cases/left_alone.md"));
}

#[test]
fn the_weights_name_every_feature_once() {
    assert_eq!((MODELS.rest.node.len(), MODELS.text.edge.len()), (N_NODE, N_EDGE));
    let again = Models::read(&MODELS.write()).expect("what was written can be read");
    assert_eq!(again, *MODELS);
    let missing = MODELS.write().replace("\"bias.1\"", "\"bias.9\"");
    assert_eq!(Models::read(&missing), Err("`bias.1` has no weight".to_owned()));
}

#[test]
fn the_lexicons_can_be_read_and_repeat_nothing() {
    for file in super::lexicon::FILES {
        let table: toml::Table = toml::from_str(file).expect("valid TOML");
        let phrases = table["phrases"].as_table().expect("a table of phrases");
        let mut all: Vec<&str> = phrases
            .values()
            .flat_map(|list| list.as_array().into_iter().flatten())
            .filter_map(|phrase| phrase.as_str())
            .collect();
        let n_phrases = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), n_phrases, "{:?}", table["language"]);
    }
    let hits = found("Share this: FacebookTwitter. Weitere Artikel, подписаться").hits;
    assert!(hits.iter().any(|hit| hit.category == Category::Share), "{hits:?}");
}

#[test]
fn what_stands_around_an_article_goes_and_the_article_stays_as_it_is() {
    let (document, verdict) = run(BoilerplateOptions::default(), Document::new("a", page()));
    assert_eq!(verdict, Verdict::Keep);
    assert_eq!(document.text, ARTICLE);
    let Some(Value::Float(confidence)) = document.metadata.get("text_confidence") else {
        panic!("no confidence")
    };
    assert!(*confidence > 0.9, "{confidence}");
}

#[test]
fn every_removed_piece_is_explained_by_its_place_and_features() {
    let options = BoilerplateOptions { explain: true, ..BoilerplateOptions::default() };
    let page = page();
    let (document, _) = run(options, Document::new("a", page.clone()));
    let Some(Value::Json(json)) = document.metadata.get("boilerplate") else { panic!("not explained") };
    let pieces: Vec<serde_json::Value> = serde_json::from_str(json.as_str()).expect("JSON");
    let places: Vec<&str> = pieces.iter().filter_map(|piece| piece["place"].as_str()).collect();
    assert_eq!(places, ["before", "after"]);
    let end = pieces[0]["end"].as_u64().expect("a byte") as usize;
    let removed = page.get(..end).expect("pieces end at characters");
    assert!(removed.ends_with("分享到：微信 微博"), "{removed:?}");
    assert!(pieces.iter().all(|piece| piece["reasons"].as_array().is_some_and(|reasons| reasons.len() == 3)));
}

#[test]
fn what_rules_have_cleaned_is_left_alone() {
    let mut document = Document::new("a", page());
    document.metadata.insert("cleaned_by", "site-rules:gazette");
    let (cleaned, _) = run(BoilerplateOptions::default(), document.clone());
    assert_eq!(cleaned.text, document.text);
}

#[test]
fn a_page_of_links_has_no_text() {
    let links = "首页\n新闻\n体育\n登录\n注册\n关于我们\n联系我们\n";
    let (document, verdict) = run(BoilerplateOptions::default(), Document::new("a", links));
    assert_eq!((document.text.as_str(), verdict), (links, Verdict::Keep));
    let options = BoilerplateOptions { on_no_text: OnNoText::Drop, ..BoilerplateOptions::default() };
    assert_eq!(run(options, Document::new("a", links)).1, Verdict::Drop("no-text".into()));
}

#[test]
fn without_certainty_nothing_is_guessed_unless_asked_for() {
    let certain = |on_uncertain| BoilerplateOptions {
        min_confidence: 1.0,
        on_uncertain,
        ..BoilerplateOptions::default()
    };
    let (flagged, _) = run(certain(OnUncertain::Flag), Document::new("a", page()));
    assert_eq!(flagged.text, page());
    assert_eq!(flagged.metadata.get("text_uncertain"), Some(&Value::Bool(true)));
    let (cut, _) = run(certain(OnUncertain::Cut), Document::new("a", page()));
    assert_eq!(cut.text, ARTICLE);
    let (_, verdict) = run(certain(OnUncertain::Drop), Document::new("a", page()));
    assert_eq!(verdict, Verdict::Drop("uncertain-text".into()));
}

#[test]
fn a_cut_must_be_worth_its_while() {
    let options = BoilerplateOptions { min_gain: 1.0, ..BoilerplateOptions::default() };
    let (document, verdict) = run(options, Document::new("a", page()));
    assert_eq!((document.text, verdict), (page(), Verdict::Keep));
    assert_eq!(document.metadata.get("text_uncertain"), None);
    let wrong = BoilerplateOptions { min_gain: 1.5, ..BoilerplateOptions::default() };
    assert!(Boilerplate::open(wrong).is_err());
}

#[test]
fn what_has_been_cleaned_once_stays_when_it_passes_again() {
    let (once, _) = run(BoilerplateOptions::default(), Document::new("a", page()));
    let (twice, _) = run(BoilerplateOptions::default(), Document::new("a", once.text.clone()));
    assert_eq!(twice.text, once.text);
}

#[test]
fn what_other_pages_have_is_less_likely_text() {
    let notice = "本网部分内容来自其他媒体，转载的目的在于传递更多的信息，并不代表本网赞同其观点，读者如有疑问，可以与我们联系。";
    let page = format!("首页\n新闻\n{ARTICLE}\n{notice}\n{notice}");
    let keeps = |marks: &Marks| {
        let reading = Reading::new(&Scan::of(&page), &Title::default(), marks, &mut Memory::default());
        let reading = reading.expect("it is short");
        let last = reading.decision.inside.last().copied();
        last.expect("the page has segments")
    };
    let at = page.find(notice).expect("it is there");
    let shared = Marks::of(vec![(0..14, true), (at..page.len(), true)]);
    let (shared, unknown, own) = (keeps(&shared), keeps(&Marks::default()), keeps(&Marks::of(Vec::new())));
    assert!(shared < unknown && shared < own, "{shared} {unknown} {own}");
}

#[test]
fn long_lines_are_cut_where_something_new_begins() {
    let line = format!(
        "老渡口重新开放 2019-05-06 10:20 {} 责任编辑：李小河",
        ARTICLE.lines().next().unwrap_or_default()
    );
    let found = pieces(&line);
    assert_eq!(found.first().copied(), Some("老渡口重新开放 2019-05-06 10:20"));
    assert_eq!(found.last().copied(), Some("责任编辑：李小河"));
    assert_eq!(pieces("a short line. With two sentences."), ["a short line. With two sentences."]);
}

#[test]
fn numbers_and_abbreviations_end_no_sentence() {
    let line = "The mill on the old canal was sold for 3.5 million crowns to J. Baker and sons, who run ver. 2.0 of the \
                plan, as e.g. the mayor had hoped. Nobody in the town, old or young, had expected that it would come so soon, \
                and the band played until the lamps went out.";
    let found = pieces(line);
    assert!(found.iter().any(|piece| piece.starts_with("Nobody")), "{found:?}");
    assert!(
        !found.iter().any(|piece| piece.starts_with("5 million") || piece.starts_with("the mayor")),
        "{found:?}"
    );
}

#[test]
fn entries_of_a_table_of_contents_are_no_sentences() {
    let line = "1. Keeping bees1.1. The hive1.2. The frames2. Ferries2.1. Ropes2.2. Landing stages3. Mills3.1. Wheels3.2. Stones4. \
                Locks4.1. Gates4.2. Keepers5. Roads5.1. Gravel5.2. Bridges6. Inns6.1. Beds6.2. Kitchens7. Markets7.1. Stalls7.2. \
                Scales";
    assert_eq!(pieces(line).len(), 1);
    let text = "The ferry ran until 1904. Then came the bridge, and nobody needed a boat any more to cross the river in the evening, \
                not even the miller. He had moved to the town in the year before, and his wheel stood still for good from then on, winter and summer.";
    assert!(pieces(text).iter().any(|piece| piece.starts_with("Then came")), "{:?}", pieces(text));
}

#[test]
fn the_best_states_and_the_probabilities_agree_on_a_clear_case() {
    let sums = Sums { node: vec![-5.0, 5.0, 5.0, -5.0], edge: vec![[0.0, 0.0, -9.0, -9.0]; 4], pause: -9.0 };
    let expected = [State::Before, State::Inside, State::Inside, State::After];
    assert_eq!(sums.best(), expected);
    let marginals = sums.marginals();
    for (probabilities, state) in marginals.node.iter().zip(expected) {
        assert!((probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-5);
        assert!(probabilities[state as usize] > 0.98, "{probabilities:?}");
    }
    assert!(marginals.edge[1][0] > 0.98 && marginals.edge[3][1] > 0.98);
}

fn any_page() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("首页\n".to_owned()),
        Just("责任编辑：".to_owned()),
        Just(" 2019-05-06 10:2".to_owned()),
        Just("。\u{3000}\u{3000}".to_owned()),
        Just("...\"” {}; ".to_owned()),
        Just("HomeNews PDFs HTMLcaféBar éclairs Éa все".to_owned()),
        Just(" 5月6日报道 2019年5月6日 10:20来源：清河日报　责任编辑：李小河 ".to_owned()),
        Just("Share this (c) 2019 » 12.5% by:me https://a.b/c ".to_owned()),
        Just(ARTICLE.to_owned()),
        "\\PC{0,12}",
        "[ \\n\\t\u{A0}\u{200B}]{0,5}",
    ];
    proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn segments_hold_everything_but_white_space(page in any_page()) {
        let found = segments(&page, &found(&page));
        prop_assert!(found.windows(2).all(|pair| pair[0].end <= pair[1].start));
        let held: String = found.iter().map(|segment: &Segment| page.get(segment.range()).unwrap_or_default()).collect();
        let is_nothing = |c: &char| c.is_whitespace() || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}' | '\u{AD}');
        let squeeze = |text: &str| text.chars().filter(|c| !is_nothing(c)).collect::<String>();
        prop_assert_eq!(squeeze(&held), squeeze(&page));
    }

    #[test]
    fn one_walk_finds_what_two_find(page in any_page(), title in prop_oneof![Just(""), Just("éclairs PDFs 责任编辑 Share")]) {
        let title = Title::of(Some(title), &page);
        let by_two = segments(&page, &BUNDLED.find(&page, &title));
        let by_one = super::memory::segments(&Scan::of(&page), &title, &mut Memory::default());
        prop_assert_eq!(format!("{by_one:?}"), format!("{by_two:?}"));
    }

    #[test]
    fn nothing_is_ever_added(page in any_page()) {
        let (document, _) = run(BoilerplateOptions { min_confidence: 0.0, ..Default::default() }, Document::new("a", page.clone()));
        // Every kept line stands in the page, and in its order.
        let mut rest = page.as_str();
        for line in document.text.split('\n') {
            let at = rest.find(line);
            prop_assert!(at.is_some(), "{line:?}");
            rest = rest.get(at.unwrap_or_default() + line.len()..).unwrap_or_default();
        }
    }
}

#[test]
fn what_has_too_many_segments_for_a_page_is_left_whole() {
    let article = page();
    for many in ["x\n", "Ab. ", "好。"] {
        let text = format!("{}{article}", many.repeat(super::segment::MOST_SEGMENTS));
        let (document, verdict) = run(BoilerplateOptions::default(), Document::new("a", text.as_str()));
        assert!(document.text == text && verdict == Verdict::Keep, "{many:?} was cut");
        assert_eq!(document.metadata.get("text_uncertain"), Some(&true.into()), "{many:?}");
        let options = BoilerplateOptions { on_uncertain: OnUncertain::Drop, ..Default::default() };
        let (_, verdict) = run(options, Document::new("a", text.as_str()));
        assert_eq!(verdict, Verdict::Drop("uncertain-text".into()), "{many:?}");
    }
}

#[test]
fn what_is_laid_out_by_hand_is_left_whole() {
    let text = page();
    let mut document = Document::new("a", text.as_str());
    document.metadata.insert("content_type", "text/markdown");
    assert_eq!(run(BoilerplateOptions::default(), document).0.text, text);
}
