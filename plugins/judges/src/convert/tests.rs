use std::sync::LazyLock;

use proptest::prelude::*;
use tamis_conformance::cases::check_extractor;
use tamis_plugin::{Document, Draft, Extractor, Value, View};

use super::{Convert, ConvertOptions, Form};

fn stage(from: Form, to: Form, words: bool) -> Convert {
    let options = ConvertOptions { from: Some(from), to: Some(to), words, ..ConvertOptions::default() };
    Convert::open(options).expect("sound")
}

fn converted(stage: &Convert, document: &mut Document) {
    let mut draft = Draft::new(View::from(&*document));
    stage.extract(&mut draft).expect("never fails");
    let (edits, _) = draft.finish();
    edits.apply(document);
}

#[test]
fn cases() {
    check_extractor::<Convert>("convert/cases/convert.md", include_str!("cases/convert.md"));
}

#[test]
fn phrases_say_what_a_character_becomes() {
    use Form::{HongKong, Simplified, Taiwan, Traditional};
    for (from, to, words, text, expected) in [
        (Simplified, Traditional, false, "头发发展，皇后在后面", "頭髮發展，皇后在後面"),
        (Simplified, Taiwan, false, "这里的软件", "這裡的軟件"),
        (Simplified, Taiwan, true, "这里的软件", "這裡的軟體"),
        (Simplified, HongKong, false, "这里的面", "這裏的面"),
        (Traditional, Simplified, false, "頭髮發展，皇后在後面", "头发发展，皇后在后面"),
        (Taiwan, Simplified, true, "這裡的軟體", "这里的软件"),
        (Taiwan, HongKong, false, "這裡的衛生", "這裏的衞生"),
        (Traditional, Taiwan, false, "這裏", "這裡"),
    ] {
        let found = stage(from, to, words).convert(text).expect("something is another");
        assert_eq!(found.0, expected, "{from:?} to {to:?}");
    }
}

#[test]
fn documents_are_converted_if_their_language_asks_for_it() {
    let to_simplified = stage(Form::Traditional, Form::Simplified, false);
    let text = "磨坊在河邊，已經很舊了，沒有人來修。";
    let simplified = "磨坊在河边，已经很旧了，没有人来修。";
    for (language, expected, tag) in [
        (None, simplified, None),
        (Some("zh-Hant"), simplified, Some("zh-Hans")),
        (Some("zh-TW"), simplified, Some("zh-Hans")),
        (Some("zh"), simplified, Some("zh")),
        (Some("zh-Hans"), text, Some("zh-Hans")),
        (Some("ja"), text, Some("ja")),
    ] {
        let mut document = Document::new("a", text);
        if let Some(language) = language {
            document.metadata.insert("language", language);
        }
        converted(&to_simplified, &mut document);
        assert_eq!(document.text, expected, "{language:?}");
        assert_eq!(document.metadata.get("language"), tag.map(Value::from).as_ref(), "{language:?}");
    }
    // Japanese, of which half would be other characters.
    let japanese = "国会図書館で、古い水車小屋の写真を見つけました。歴史のある場所です。";
    let mut document = Document::new("a", japanese);
    converted(&to_simplified, &mut document);
    converted(&stage(Form::Simplified, Form::Traditional, false), &mut document);
    assert_eq!(document.text, japanese);
}

#[test]
fn options_that_make_no_sense_are_refused() {
    use Form::{Simplified, Taiwan, Traditional};
    let default = ConvertOptions::default;
    for (options, option, words) in [
        (default(), "to", "it converts to nothing"),
        (ConvertOptions { to: Some(Taiwan), from: Some(Taiwan), ..default() }, "from", "the same form"),
        (
            ConvertOptions { to: Some(Simplified), from: Some(Traditional), words: true, ..default() },
            "words",
            "words of their own",
        ),
    ] {
        let error = Convert::open(options).expect_err(words);
        assert_eq!(error.option(), Some(option));
        assert!(error.to_string().contains(words), "{error}");
    }
}

static BOTH: LazyLock<[Convert; 2]> = LazyLock::new(|| {
    [stage(Form::Simplified, Form::Traditional, false), stage(Form::Traditional, Form::Simplified, false)]
});

proptest! {
    #[test]
    fn what_has_no_such_characters_stays(text in "[ -~\u{a0}-\u{24f}\u{400}-\u{4ff}\u{3040}-\u{30ff}。，、\n]{0,80}") {
        for stage in &*BOTH {
            prop_assert_eq!(stage.convert(&text), None);
        }
    }

    /// What stands between two entries is neither lost nor doubled.
    #[test]
    fn other_characters_stay_in_their_order(text in "([ -~。，\n]{1,8}|[\u{4e00}-\u{9fa5}]{1,8}|头发|發展){0,20}") {
        let others = |text: &str| text.chars().filter(|c| !('\u{2e80}'..='\u{2ffff}').contains(c)).collect::<String>();
        for stage in &*BOTH {
            let converted = stage.convert(&text).map_or(text.clone(), |(text, _)| text);
            prop_assert_eq!(others(&converted), others(&text));
        }
    }
}
