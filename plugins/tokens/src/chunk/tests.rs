use proptest::prelude::*;
use tamis_conformance::cases::check_extractor;
use tamis_plugin::{Document, Draft, Extractor, View};

use super::cut::Cutter;
use super::length::Length;
use super::{ChunkOptions, Chunks};

fn by_characters(max: usize, overlap: usize, by_headings: bool) -> Cutter {
    Cutter { length: Length::Characters, max, overlap, by_headings }
}

fn contents(text: &str, max: usize, overlap: usize) -> Vec<&str> {
    by_characters(max, overlap, true)
        .cut(text)
        .expect("characters can be counted")
        .into_iter()
        .map(|chunk| text.get(chunk.from..chunk.range.end).expect("whole characters"))
        .collect()
}

#[test]
fn cases() {
    check_extractor::<Chunks>("chunk/cases/chunk.md", include_str!("cases/chunk.md"));
}

#[test]
fn cuts_are_made_at_the_best_place() {
    for (text, max, expected) in [
        ("One line.\nAnd one more.\n\nLast.", 26, "One line.\nAnd one more.\n\n|Last."),
        ("The mill stands here. It is old now.", 30, "The mill stands here. |It is old now."),
        ("She said: \"Stop.\" And so it was.", 24, "She said: \"Stop.\" |And so it was."),
        ("alpha beta gamma delta", 18, "alpha beta gamma |delta"),
        ("磨坊在河边。水轮不转了，没有人来修。", 16, "磨坊在河边。水轮不转了，没有人来|修。"),
        ("磨坊在河边，已经很旧了。水轮不转了。", 16, "磨坊在河边，已经很旧了。|水轮不转了。"),
        ("abcdefghijklmnopqrstuvwxyz", 20, "abcdefghijklmnopqrst|uvwxyz"),
    ] {
        assert_eq!(contents(text, max, 0).join("|"), expected);
    }
}

#[test]
fn an_overlap_begins_with_a_sentence_or_a_word() {
    let text = "The mill stands here. It is old. The wheel is gone. Nobody comes.";
    assert_eq!(
        contents(text, 40, 14),
        ["The mill stands here. It is old. ", "It is old. The wheel is gone. ", "is gone. Nobody comes."]
    );
    assert_eq!(
        contents("alpha beta gamma delta epsilon", 18, 7),
        ["alpha beta gamma ", "gamma delta ", "delta epsilon"]
    );
}

#[test]
fn no_chunk_has_two_sections() {
    let text =
        "Before.\n# Mills\nOld.\n## Water\nWet.\n```\n# no heading\n```\n## Wind\nDry.\nFish\n====\nEnd.";
    let found: Vec<(String, String)> = by_characters(100, 0, true)
        .cut(text)
        .expect("characters can be counted")
        .into_iter()
        .map(|chunk| {
            (
                chunk.heading.join("/"),
                text.get(chunk.range).unwrap_or_default().lines().next().unwrap_or_default().to_owned(),
            )
        })
        .collect();
    let expected = [
        ("", "Before."),
        ("Mills", "# Mills"),
        ("Mills/Water", "## Water"),
        ("Mills/Wind", "## Wind"),
        ("Fish", "Fish"),
    ];
    let expected: Vec<(String, String)> =
        expected.into_iter().map(|(a, b)| (a.to_owned(), b.to_owned())).collect();
    assert_eq!(found, expected);
}

#[test]
fn chunks_are_documents_that_inherit() {
    let mut document = Document::new("a", "One two three. Four five six. Seven eight.");
    document.metadata.insert("site", "mill.example");
    let stage = Chunks::open(ChunkOptions { max_chars: 16, ..ChunkOptions::default() }).expect("sound");
    let mut draft = Draft::new(View::from(&document));
    stage.extract(&mut draft).expect("never fails");
    let (edits, _) = draft.finish();
    let others = edits.apply(&mut document);
    let all: Vec<&Document> = std::iter::once(&document).chain(&others).collect();
    let told: Vec<(&str, &str)> = all.iter().map(|it| (it.id.as_str(), it.text.as_str())).collect();
    assert_eq!(told, [("a#1", "One two three. "), ("a#2", "Four five six. "), ("a#3", "Seven eight.")]);
    for (it, start) in all.iter().zip([0i64, 15, 30]) {
        assert_eq!(it.metadata.get("site"), Some(&"mill.example".into()));
        assert_eq!(it.metadata.get("parent"), Some(&"a".into()));
        assert_eq!(it.metadata.get("chunk_start"), Some(&start.into()));
        assert_eq!(it.metadata.get("chunks"), Some(&3i64.into()));
    }
}

#[test]
fn an_overlap_of_more_than_half_is_refused() {
    let error = Chunks::open(ChunkOptions { max_chars: 100, overlap_chars: 51, ..ChunkOptions::default() })
        .expect_err("refused");
    assert_eq!(error.option(), Some("overlap_chars"));
}

/// Chunks are no longer than they may be, and the text when they are put together again.
fn check(cutter: &Cutter, text: &str) {
    let chunks = cutter.cut(text).expect("can be counted");
    let whole: String = chunks.iter().filter_map(|chunk| text.get(chunk.range.clone())).collect();
    assert_eq!(whole, text);
    for chunk in &chunks {
        assert!(chunk.from <= chunk.range.start && !chunk.range.is_empty());
        let length = |range: std::ops::Range<usize>| {
            cutter.length.of(text.get(range).expect("whole characters")).expect("can be counted")
        };
        let (length, repeated) = (length(chunk.from..chunk.range.end), length(chunk.from..chunk.range.start));
        assert!(length <= cutter.max, "{length} of {}", cutter.max);
        assert!(repeated <= cutter.overlap, "{repeated} of {}", cutter.overlap);
    }
}

const TEXTS: &str = "([a-z]{1,30}|[ \n.#=\"]|。|磨坊|é|e\u{301}|🌊|the mill|# a\n|```\n){0,60}";

proptest! {
    #[test]
    fn chunks_put_together_are_the_text(
        text in TEXTS,
        max in 16usize..60,
        overlap in 0usize..30,
        by_headings in any::<bool>(),
    ) {
        check(&by_characters(max, overlap.min(max / 2), by_headings), &text);
    }
}

#[cfg(feature = "tokenizer")]
mod by_tokens {
    use super::*;
    use crate::tiny;
    use crate::tokenizer::Tokenizer;

    fn by_tokens(max: usize, overlap: usize) -> Cutter {
        let file = tiny::written();
        let tokenizer = Tokenizer::load(file.path().to_str().expect("a path")).expect("sound");
        Cutter { length: Length::Tokens(tokenizer), max, overlap, by_headings: true }
    }

    #[test]
    fn cases() {
        check_extractor::<Chunks>("chunk/cases/tokens.md", include_str!("cases/tokens.md"));
    }

    #[test]
    fn chunks_have_as_many_tokens_as_they_may() {
        let cutter = by_tokens(32, 0);
        // Each is two tokens, and the blank at the end of a chunk is one.
        let text = "the mill. ".repeat(100);
        let chunks = cutter.cut(&text).expect("can be counted");
        let contents = || chunks.iter().map(|chunk| text.get(chunk.range.clone()).expect("whole characters"));
        assert!(contents().all(|content| content.ends_with("mill. ")), "{chunks:?}");
        let lengths: Vec<usize> =
            contents().map(|it| cutter.length.of(it).expect("can be counted")).collect();
        let (last, others) = lengths.split_last().expect("several");
        assert!(others.iter().all(|length| (29..=32).contains(length)), "{lengths:?}");
        assert!(*last <= 32, "{lengths:?}");
    }

    #[test]
    fn an_overlap_begins_with_a_sentence() {
        let text = "mill. ".repeat(40);
        let chunks = by_tokens(16, 6).cut(&text).expect("can be counted");
        assert!(chunks.len() > 3);
        for chunk in chunks.get(1..).expect("several") {
            assert_eq!(text.get(chunk.from..chunk.range.start), Some("mill. mill. "), "{chunks:?}");
        }
    }

    #[test]
    fn what_no_chunk_can_hold_is_a_chunk_all_the_same() {
        let text = "🌊🌊";
        let chunks = by_tokens(1, 0).cut(text).expect("can be counted");
        assert_eq!(chunks.iter().map(|chunk| chunk.range.clone()).collect::<Vec<_>>(), [0..4, 4..8]);
    }

    #[test]
    fn options_that_make_no_sense_are_refused() {
        let by_tokens = ChunkOptions { by: super::super::Unit::Tokens, ..ChunkOptions::default() };
        for (options, option, words) in [
            (by_tokens.clone(), "by", "give a `tokenizer`"),
            (ChunkOptions { overlap_tokens: 300, ..by_tokens.clone() }, "overlap_tokens", "more than half"),
            (
                ChunkOptions { tokenizer: "absent.json".into(), ..by_tokens.clone() },
                "tokenizer",
                "cannot read",
            ),
            (
                ChunkOptions { tokenizer: "Cargo.toml".into(), ..by_tokens.clone() },
                "tokenizer",
                "is no tokenizer",
            ),
        ] {
            let error = Chunks::open(options).expect_err(words);
            assert_eq!(error.option(), Some(option));
            assert!(error.to_string().contains(words), "{error}");
        }
    }

    proptest! {
        #[test]
        fn chunks_put_together_are_the_text(text in TEXTS, max in 16usize..60, overlap in 0usize..30) {
            check(&by_tokens(max, overlap.min(max / 2)), &text);
        }
    }
}
