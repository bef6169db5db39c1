use std::collections::HashMap;

use proptest::prelude::*;
use tamis_plugin::Document;

use super::*;
use crate::spill::tests::{applied, observe, saved, workspace};

fn stage() -> DedupExact {
    DedupExact::open(DedupExactOptions::default()).unwrap()
}

/// With so much memory.
fn stage_with(max_state_bytes: u64) -> DedupExact {
    DedupExact::open(DedupExactOptions { max_state_bytes, ..DedupExactOptions::default() }).unwrap()
}

/// For each document the id that `duplicate_of` names.
fn outcome(stage: &DedupExact, documents: &[(u128, &Document)]) -> Vec<Option<String>> {
    documents
        .iter()
        .map(|(position, document)| {
            let (verdict, text, metadata) = applied(stage, *position, document);
            assert_eq!(text, document.text);
            let twin = metadata.get("duplicate_of").and_then(|id| id.as_str()).map(str::to_owned);
            let expected = if twin.is_some() { Verdict::Drop("duplicate".into()) } else { Verdict::Keep };
            assert_eq!(verdict, expected);
            twin
        })
        .collect()
}

#[test]
fn the_first_of_the_corpus_is_kept_whoever_is_seen_first() {
    let texts = [("a", "rain"), ("b", ""), ("c", " rain\n"), ("d", ""), ("e", "sun"), ("f", "rain")];
    let documents = texts.map(|(id, text)| Document::new(id, text));
    let placed: Vec<_> = (10..).zip(&documents).collect();
    let stage = stage();
    observe(&stage, 2, placed.iter().rev().copied());
    stage.end_pass(0).unwrap();
    let twin = Some("a".to_owned());
    assert_eq!(outcome(&stage, &placed), [None, None, twin.clone(), None, None, twin]);
}

#[test]
fn a_field_can_be_compared_instead_of_the_text() {
    let values = [Some("u"), None, Some("u"), Some("v"), None];
    let documents = values.map(|url| {
        let mut document = Document::new("x", "same");
        url.map(|url| document.metadata.insert("url", url));
        document
    });
    let placed: Vec<_> = (0..).zip(&documents).collect();
    let options = DedupExactOptions { field: "url".to_owned(), ..DedupExactOptions::default() };
    let stage = DedupExact::open(options).unwrap();
    observe(&stage, 1, placed.iter().copied());
    stage.end_pass(0).unwrap();
    assert_eq!(outcome(&stage, &placed), [None, None, Some("x".to_owned()), None, None]);
}

#[test]
fn without_positions_nothing_is_dropped() {
    let documents = [Document::new("a", "rain"), Document::new("b", "rain")];
    let placed: Vec<_> = documents.iter().map(|document| (0, document)).collect();
    let stage = stage();
    observe(&stage, 1, placed.iter().copied());
    stage.end_pass(0).unwrap();
    assert_eq!(outcome(&stage, &placed), [None, None]);
}

#[test]
fn one_page_ten_thousand_times_has_one_twin() {
    let folder = tempfile::tempdir().unwrap();
    let stage = stage_with(64 * 1024);
    stage.prepare(&workspace(folder.path(), 2)).unwrap();
    let documents: Vec<_> = (0..10_000).map(|n| Document::new(format!("d{n}"), "the page")).collect();
    let placed: Vec<_> = (0..).zip(&documents).collect();
    observe(&stage, 3, placed.iter().copied());
    stage.end_pass(0).unwrap();
    let outcome = outcome(&stage, &placed);
    assert_eq!(outcome[0], None);
    assert!(outcome[1..].iter().all(|twin| twin.as_deref() == Some("d0")));
}

#[test]
fn a_flipped_bit_in_a_work_file_is_an_error_and_no_other_twin() {
    for name in ["ids.table", "positions.table"] {
        let folder = tempfile::tempdir().unwrap();
        let place = workspace(folder.path(), 1);
        let stage = stage_with(0);
        stage.prepare(&place).unwrap();
        let documents: Vec<_> = (0..6).map(|n| Document::new(format!("d{n}"), "the page")).collect();
        observe(&stage, 1, (0..).zip(&documents));
        stage.end_pass(0).unwrap();
        let path = place.scratch.join(name);
        let mut bytes = std::fs::read(&path).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let view = View::from(&documents[3]).with_position(3);
        let failure = stage.apply(&mut Draft::new(view)).unwrap_err().to_string();
        assert!(failure.contains(name) && failure.ends_with("was damaged: run again"), "{failure}");
    }
}

#[test]
fn ids_that_nobody_will_ask_for_are_not_stored() {
    let size = |n: usize, text: &dyn Fn(usize) -> String| {
        let documents: Vec<_> = (0..n).map(|n| Document::new(format!("{n:01000}"), text(n))).collect();
        let stage = stage();
        observe(&stage, 2, (0..).zip(&documents));
        saved(&stage).len()
    };
    assert!(size(100, &|_| "the page".to_owned()) < 6000);
    assert!(size(100, &|n| n.to_string()) > 100_000);
}

#[test]
fn wrong_options_are_named() {
    let default = DedupExactOptions::default;
    for (options, option) in [
        (DedupExactOptions { field: String::new(), ..default() }, "field"),
        (DedupExactOptions { min_chars: 0, ..default() }, "min_chars"),
    ] {
        assert_eq!(DedupExact::open(options).unwrap_err().option(), Some(option));
    }
}

#[test]
fn a_state_of_other_options_is_refused() {
    let state = saved(&stage());
    let options = DedupExactOptions { normalize: Normalize::Loose, ..DedupExactOptions::default() };
    let failure = DedupExact::open(options).unwrap().load(0, &mut &state[..]).unwrap_err();
    assert!(failure.to_string().contains("saved with other options"), "{failure}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_memory_and_any_sharding_agree_with_a_plain_map(
        texts in prop::collection::vec(0_u16..400, 0..600),
        memory in prop::sample::select(vec![0_u64, 4096, 40_000, 1 << 30]),
        shards in prop::collection::vec(0_usize..3, 600),
        n_locals in 1_usize..4,
    ) {
        let documents: Vec<_> = texts.iter().enumerate()
            .map(|(n, text)| Document::new(format!("id {n}"), if text % 7 == 0 { String::new() } else { text.to_string() })).collect();
        let placed: Vec<(u128, &Document)> = (0..).step_by(3).zip(&documents).collect();
        let mut first = HashMap::new();
        let expected: Vec<_> = documents.iter().map(|document| {
            if document.text.is_empty() { return None; }
            let kept: &mut String = first.entry(&document.text).or_insert_with(|| document.id.clone());
            (*kept != document.id).then(|| kept.clone())
        }).collect();

        let whole = stage();
        observe(&whole, 1, placed.iter().copied());
        let state = saved(&whole);
        whole.end_pass(0).unwrap();
        prop_assert_eq!(&outcome(&whole, &placed), &expected);

        let folder = tempfile::tempdir().unwrap();
        let merging = stage_with(memory);
        merging.prepare(&workspace(&folder.path().join("all"), n_locals)).unwrap();
        for shard in (0..3).rev() {
            let part = stage_with(memory);
            part.prepare(&workspace(&folder.path().join(shard.to_string()), n_locals)).unwrap();
            observe(&part, n_locals, placed.iter().zip(&shards).filter(|(_, of)| **of == shard).map(|(placed, _)| *placed));
            merging.load(0, &mut &saved(&part)[..]).unwrap();
        }
        prop_assert_eq!(saved(&merging), state);
        merging.end_pass(0).unwrap();
        prop_assert_eq!(outcome(&merging, &placed), expected);
    }
}
