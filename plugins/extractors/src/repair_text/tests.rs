use proptest::prelude::*;
use tamis_conformance::cases::check_extractor;
use tamis_plugin::{Document, Draft, Extractor, View};

use super::{RepairText, RepairTextOptions};

/// The repaired text, or `None` if it was left untouched.
fn changed(options: RepairTextOptions, text: &str) -> Option<String> {
    let document = Document::new("a", text);
    let mut draft = Draft::new(View::from(&document));
    RepairText::open(options).expect("any options").extract(&mut draft).expect("never fails");
    draft.finish().0.text
}

fn repair(text: &str) -> String {
    changed(RepairTextOptions::default(), text).unwrap_or_else(|| text.to_owned())
}

/// Text made of pieces that matter to this stage.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        " ",
        "  ",
        "\t",
        "\r\n",
        "\n",
        "\n\n",
        "\r",
        "\u{B}",
        "\u{85}",
        "\u{2028}",
        "\u{A0}",
        "\u{3000}",
        "\u{2009}",
        "\u{200B}",
        "\u{FEFF}",
        "\u{AD}",
        "\u{200D}",
        "\u{200C}",
        "\u{200E}",
        "\u{202E}",
        "\0",
        "\u{93}",
        "\u{81}",
        "e",
        "\u{301}",
        "か",
        "\u{3099}",
        "\u{1112}",
        "\u{1161}",
        "ن",
        "न",
        "👩",
        "‚",
        "‛",
        "‘",
        "’",
        "“",
        "”",
        "„",
        "设臵",
        "说明，",
        "这个",
        "這個",
        "工作。",
        "继续推进各项",
        "，认真落实各项部署，",
        "一、",
        "同志们：",
        "and then we went on,",
        "long lines of words that go on and on",
        "。",
    ]);
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn any_options() -> impl Strategy<Value = RepairTextOptions> {
    any::<[bool; 9]>().prop_map(|on| RepairTextOptions {
        line_ends: on[0],
        white_space: on[1],
        remove_blank_lines: on[2],
        control_characters: on[3],
        nfc: on[4],
        quotes: on[5],
        characters: on[6],
        join_lines: on[7],
        encoded_twice: on[8],
    })
}

proptest! {
    #[test]
    fn repairing_twice_is_repairing_once(text in pieces(), options in any_options()) {
        if let Some(once) = changed(options.clone(), &text) {
            prop_assert_ne!(&once, &text);
            prop_assert_eq!(changed(options, &once), None);
        }
    }

    #[test]
    fn any_text_is_repaired_once(text in "(\\PC|\\s){0,60}") {
        let once = repair(&text);
        prop_assert_eq!(repair(&once), once);
    }

    #[test]
    fn the_shape_of_the_output_is_plain(text in pieces()) {
        let repaired = repair(&text);
        for line in repaired.split('\n').filter(|_| !repaired.is_empty()) {
            prop_assert!(!line.is_empty());
            prop_assert_eq!(line.trim(), line);
            prop_assert!(!line.contains("  "));
            prop_assert!(line.chars().all(|c| c == ' ' || !c.is_whitespace()));
        }
    }

    #[test]
    fn letters_stay(text in pieces()) {
        use unicode_normalization::UnicodeNormalization;
        let letters = |text: &str| {
            text.replace('臵', "置").nfd().filter(|c| c.is_alphanumeric()).collect::<String>()
        };
        prop_assert_eq!(letters(&repair(&text)), letters(&text));
    }
}

#[test]
fn a_clean_text_is_left_alone() {
    for text in
        ["", "Plain text, two lines.\nThe second.", "标题\n第一段。\n“引文”，在 “此”。", "café 한국어 か゚"]
    {
        assert_eq!(changed(RepairTextOptions::default(), text), None, "{text}");
    }
}

/// A title is too short to prove anything, so it is put right with its text.
#[test]
fn a_title_follows_its_text() {
    let repaired = |title: &str, text: &str| {
        let mut document = Document::new("a", text);
        document.metadata.insert("title", title);
        let mut draft = Draft::new(View::from(&document));
        RepairText::open(RepairTextOptions::default())
            .expect("any options")
            .extract(&mut draft)
            .expect("never fails");
        draft.finish().0.apply(&mut document);
        document.metadata.get("title").cloned()
    };
    let text = "The smithâ€™s bellows donâ€™t leak; heâ€™s proud of it.";
    assert_eq!(repaired("The smithâ€™s fire", text), Some("The smith’s fire".into()));
    assert_eq!(repaired("The smithâ€™s fire", "Sound text."), Some("The smithâ€™s fire".into()));
}

#[test]
fn joiners_stay_where_letters_join() {
    for (text, expected) in [
        ("نامه\u{200C}ای", "نامه\u{200C}ای"),
        ("क\u{94D}\u{200D}ष", "क\u{94D}\u{200D}ष"),
        ("👩\u{200D}👧", "👩\u{200D}👧"),
        ("字\u{200D}字\u{200C}", "字字"),
        ("a\u{200E}b", "ab"),
        ("שלום\u{200E} a", "שלום\u{200E} a"),
    ] {
        assert_eq!(repair(text), expected, "{}", expected.escape_unicode());
    }
}

#[test]
fn cases() {
    for (page, markdown) in [
        ("white_space.md", include_str!("cases/white_space.md")),
        ("invisible.md", include_str!("cases/invisible.md")),
        ("font.md", include_str!("cases/font.md")),
        ("joins.md", include_str!("cases/joins.md")),
        ("encoded_twice.md", include_str!("cases/encoded_twice.md")),
    ] {
        check_extractor::<RepairText>(page, markdown);
    }
}

#[test]
fn what_is_laid_out_by_hand_keeps_its_layout() {
    let text = "# Title\n\n    indented code\n\n- one\n  going on,\nand on\u{200B}\n";
    let mut document = Document::new("a", text);
    document.metadata.insert("content_type", "text/markdown");
    let mut draft = Draft::new(View::from(&document));
    let stage = RepairText::open(RepairTextOptions::default()).expect("any options");
    stage.extract(&mut draft).expect("never fails");
    assert_eq!(draft.finish().0.text.as_deref(), Some(text.replace('\u{200B}', "").as_str()));
    assert!(!repair(text).contains("\n\n"), "text of which nothing is said is repaired");
}
