use proptest::prelude::*;
use tamis_conformance::cases::check_extractor;
use tamis_plugin::{Document, Draft, Extractor, View};

use super::cut::cut;
use super::{ChunkOptions, Chunks};

fn contents(text: &str, max: usize, overlap: usize) -> Vec<&str> {
    cut(text, max, overlap, true)
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
    let found: Vec<(String, String)> = cut(text, 100, 0, true)
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
    let error = Chunks::open(ChunkOptions { max_chars: 100, overlap_chars: 51, headings: true })
        .expect_err("refused");
    assert_eq!(error.option(), Some("overlap_chars"));
}

proptest! {
    #[test]
    fn chunks_put_together_are_the_text(
        text in "([a-z]{1,30}|[ \n.#=\"]|。|磨坊|é|e\u{301}|# a\n|```\n){0,60}",
        max in 16usize..60,
        overlap in 0usize..30,
        by_headings in any::<bool>(),
    ) {
        let overlap = overlap.min(max / 2);
        let chunks = cut(&text, max, overlap, by_headings);
        let whole: String = chunks.iter().filter_map(|chunk| text.get(chunk.range.clone())).collect();
        prop_assert_eq!(&whole, &text);
        for chunk in &chunks {
            prop_assert!(chunk.from <= chunk.range.start && !chunk.range.is_empty());
            let count = |range: std::ops::Range<usize>| text.get(range).expect("whole characters").chars().count();
            let n_chars = count(chunk.from..chunk.range.end);
            prop_assert!(n_chars <= max, "{n_chars} of {max}");
            prop_assert!(count(chunk.from..chunk.range.start) <= overlap);
        }
    }
}
