//! Through the boundary, as a run uses the stage.

use std::collections::HashMap;
use std::path::Path;

use proptest::prelude::*;
use tamis_document::Record;
use tamis_plugin::{Document, Workspace};
use tamis_stage::handle::{CorpusHandle, Effects, OpenStage};

use super::*;
use crate::Keep;

fn try_open(options: &DedupExactOptions) -> Result<Box<dyn CorpusHandle>, SetupError> {
    let stages = tamis_host::bundled(crate::plugin()).unwrap();
    let stage = stages.iter().find(|stage| stage.info().name == "dedup-exact").unwrap();
    match stage.open(&serde_json::to_value(options).unwrap())? {
        OpenStage::Corpus(corpus) => Ok(corpus),
        _ => panic!("it is a corpus stage"),
    }
}

fn open(options: &DedupExactOptions) -> Box<dyn CorpusHandle> {
    try_open(options).unwrap()
}

fn stage() -> Box<dyn CorpusHandle> {
    open(&DedupExactOptions::default())
}

/// With so much memory, and a place below a folder for what it does not hold.
fn stage_with(max_state_bytes: u64, folder: &Path, threads: usize) -> Box<dyn CorpusHandle> {
    let stage = open(&DedupExactOptions { max_state_bytes, ..DedupExactOptions::default() });
    let (scratch, keep) = (folder.join("scratch"), folder.join("keep"));
    std::fs::create_dir_all(&scratch).unwrap();
    stage.prepare(&Workspace { scratch, keep, memory: 0, threads }).unwrap();
    stage
}

fn records<'a>(documents: impl IntoIterator<Item = (u128, &'a Document)>) -> Vec<Record> {
    let record =
        |(position, document): (u128, &Document)| Record { position, ..Record::from(document.clone()) };
    documents.into_iter().map(record).collect()
}

/// Shows documents to `n_workers` at once, and merges what they have seen.
fn observe<'a>(
    stage: &dyn CorpusHandle,
    n_workers: usize,
    documents: impl IntoIterator<Item = (u128, &'a Document)>,
) {
    let records = records(documents);
    std::thread::scope(|scope| {
        for part in records.chunks(records.len().div_ceil(n_workers).max(1)) {
            scope.spawn(|| stage.observe(0, &mut part.to_vec(), &mut Effects::default()));
        }
    });
    stage.merge(0).unwrap();
}

fn saved(stage: &dyn CorpusHandle) -> Vec<u8> {
    let mut bytes = Vec::new();
    stage.save(0, &mut bytes).unwrap();
    bytes
}

/// For each document the id that `duplicate_of` names.
fn outcome(stage: &dyn CorpusHandle, documents: &[(u128, &Document)]) -> Vec<Option<String>> {
    let mut records = records(documents.iter().copied());
    stage.apply(&mut records, &mut Effects::default());
    let twin = |(record, (_, document)): (&Record, &(u128, &Document))| {
        assert_eq!(record.document.text, document.text);
        let twin = record.document.metadata.get("duplicate_of").and_then(|id| id.as_str()).map(str::to_owned);
        let expected = if twin.is_some() { "Dropped(\"duplicate\")" } else { "Kept" };
        assert_eq!(format!("{:?}", record.fate), expected);
        twin
    };
    records.iter().zip(documents).map(twin).collect()
}

#[test]
fn the_first_of_the_corpus_is_kept_whoever_is_seen_first() {
    let texts = [("a", "rain"), ("b", ""), ("c", " rain\n"), ("d", ""), ("e", "sun"), ("f", "rain")];
    let documents = texts.map(|(id, text)| Document::new(id, text));
    let placed: Vec<_> = (10..).zip(&documents).collect();
    let stage = stage();
    observe(&*stage, 2, placed.iter().rev().copied());
    stage.end_pass(0).unwrap();
    let twin = Some("a".to_owned());
    assert_eq!(outcome(&*stage, &placed), [None, None, twin.clone(), None, None, twin]);
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
    let stage = open(&options);
    observe(&*stage, 1, placed.iter().copied());
    stage.end_pass(0).unwrap();
    assert_eq!(outcome(&*stage, &placed), [None, None, Some("x".to_owned()), None, None]);
}

#[test]
fn the_one_that_was_asked_for_is_kept() {
    let documents =
        [("a", "Rain.", "2023-05-01"), ("b", "Rain", "2024-01-31"), ("c", "RAIN!!!", "2023-11-02")];
    let documents = documents.map(|(id, text, date)| {
        let mut document = Document::new(id, text);
        document.metadata.insert("published", date);
        document
    });
    let placed: Vec<_> = (7..).zip(&documents).collect();
    for (keep, kept) in
        [(Keep::Earliest, "a"), (Keep::Longest, "c"), (Keep::Highest, "b"), (Keep::Lowest, "a")]
    {
        let keep_by = if matches!(keep, Keep::Highest | Keep::Lowest) { "published" } else { "" }.to_owned();
        let stage = open(&DedupExactOptions {
            keep,
            keep_by,
            normalize: Normalize::Loose,
            ..DedupExactOptions::default()
        });
        observe(&*stage, 2, placed.iter().copied());
        stage.end_pass(0).unwrap();
        let expected = ["a", "b", "c"].map(|id| (id != kept).then(|| kept.to_owned()));
        assert_eq!(outcome(&*stage, &placed), expected, "{keep:?}");
    }
}

#[test]
fn paragraphs_and_lines_stay_in_one_document() {
    let long = "The ferry left the harbour before dawn, and nobody had seen it return.";
    let other =
        "渡船在天亮以前离开了港口，没有人看见它回来，岸上的灯一直亮到中午，守灯的人什么也没有听见，他说。";
    let texts = [
        format!("Heading\n\n{long}\n\nshort\n\n{long}"),
        format!(
            "{other}\n\nshort\n\nThe  ferry left the harbour before dawn, and nobody had seen it return.\n"
        ),
        format!("{long}\n{other}"),
        long.to_owned(),
    ];
    let documents = texts.each_ref().map(|text| Document::new("x", text.as_str()));
    let placed: Vec<_> = (7..).zip(&documents).collect();
    for (unit, keep, expected) in [
        (
            Unit::Paragraphs,
            Keep::Earliest,
            [Some(texts[0].clone()), Some(format!("{other}\n\nshort\n")), Some(texts[2].clone()), None],
        ),
        (
            Unit::Lines,
            Keep::Earliest,
            [Some(texts[0].clone()), Some(format!("{other}\n\nshort\n")), None, None],
        ),
        (
            Unit::Lines,
            Keep::Longest,
            [Some(texts[0].clone()), Some(format!("{other}\n\nshort\n")), None, None],
        ),
    ] {
        let stage = open(&DedupExactOptions { unit, keep, ..DedupExactOptions::default() });
        observe(&*stage, 2, placed.iter().copied());
        stage.end_pass(0).unwrap();
        let mut records = records(placed.iter().copied());
        stage.apply(&mut records, &mut Effects::default());
        for (record, expected) in records.iter().zip(expected) {
            match expected {
                Some(expected) => {
                    assert_eq!((record.document.text.as_str(), record.is_kept()), (expected.as_str(), true));
                }
                None => assert_eq!(format!("{:?}", record.fate), "Dropped(\"nothing-left\")"),
            }
        }
    }
}

/// A run over documents with a folder of its own; what it was left in is `NAME/keep`.
fn run(options: &DedupExactOptions, folder: &Path, documents: &[Document]) -> Vec<Option<String>> {
    let stage = open(options);
    let (scratch, keep) = (folder.join("scratch"), folder.join("keep"));
    std::fs::create_dir_all(&scratch).unwrap();
    stage.prepare(&Workspace { scratch, keep, memory: 0, threads: 2 }).unwrap();
    let placed: Vec<_> = (5..).zip(documents).collect();
    observe(&*stage, 2, placed.iter().copied());
    stage.end_pass(0).unwrap();
    outcome(&*stage, &placed)
}

fn named(documents: &[(&str, &str)]) -> Vec<Document> {
    documents.iter().map(|(id, text)| Document::new(*id, *text)).collect()
}

#[test]
fn what_earlier_runs_have_seen_is_a_duplicate_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let keeping = DedupExactOptions { index: true, ..DedupExactOptions::default() };
    let may = named(&[("may/1", "rain"), ("may/2", "sun"), ("may/3", "rain")]);
    assert_eq!(run(&keeping, &at("may"), &may), [None, None, Some("may/1".to_owned())]);
    let index = |month: &str| at(month).join("keep/index.state").to_str().unwrap().to_owned();

    // Documents of another month have the same positions, and the longest is kept here.
    let june = named(&[
        ("june/1", "snow"),
        ("june/2", "  rain"),
        ("june/3", "hail"),
        ("june/4", "snow "),
        ("june/5", "rain"),
    ]);
    let against = DedupExactOptions { against: vec![index("may")], ..keeping.clone() };
    let twin = |id: &str| Some(id.to_owned());
    let expected = [None, twin("may/1"), None, twin("june/1"), twin("may/1")];
    assert_eq!(run(&against, &at("june"), &june), expected);

    let july = named(&[("july/1", "hail"), ("july/2", "sun"), ("july/3", "fog"), ("july/4", "rain")]);
    let both =
        DedupExactOptions { against: vec![index("may"), index("june")], ..DedupExactOptions::default() };
    let said = run(&both, &at("july"), &july);
    // Both months have seen the last one; in June it was dropped for that of May.
    assert_eq!(said, [twin("june/3"), twin("may/2"), None, twin("may/1")]);
    assert!(!at("july").join("keep").exists(), "no index was asked for");
}

/// A run that cuts parts: what is left of each text; a document of which nothing is left is none.
fn cut(options: &DedupExactOptions, folder: &Path, texts: &[&str]) -> Vec<Option<String>> {
    let stage = open(options);
    let (scratch, keep) = (folder.join("scratch"), folder.join("keep"));
    std::fs::create_dir_all(&scratch).unwrap();
    stage.prepare(&Workspace { scratch, keep, memory: 0, threads: 2 }).unwrap();
    let documents: Vec<_> = texts.iter().map(|text| Document::new("x", *text)).collect();
    let mut records = records((5..).zip(&documents));
    for pass in 0..stage.observing_passes() {
        stage.observe(pass, &mut records.clone(), &mut Effects::default());
        stage.merge(pass).unwrap();
        stage.end_pass(pass).unwrap();
    }
    stage.apply(&mut records, &mut Effects::default());
    records.into_iter().map(|record| record.is_kept().then_some(record.document.text)).collect()
}

#[test]
fn lines_that_earlier_runs_have_kept_are_cut() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let options = || DedupExactOptions {
        unit: Unit::Lines,
        min_chars: Some(3),
        keep: Keep::Longest,
        ..DedupExactOptions::default()
    };
    let keeping = DedupExactOptions { index: true, ..options() };
    let left = |texts: &[&str]| texts.iter().map(|text| Some((*text).to_owned())).collect::<Vec<_>>();
    assert_eq!(
        cut(&keeping, &at("may"), &["rain\nsun", "sun\nhail\nfog"]),
        left(&["rain", "sun\nhail\nfog"])
    );
    let index = |month: &str| at(month).join("keep/index.state").to_str().unwrap().to_owned();

    // The longest is kept, but not before what is there already.
    let june = ["rain\nsnow\nwind\nfrost", "snow\nfog\nice"];
    let against = DedupExactOptions { against: vec![index("may")], ..keeping };
    assert_eq!(cut(&against, &at("june"), &june), left(&["snow\nwind\nfrost", "ice"]));
    let both = DedupExactOptions { against: vec![index("may"), index("june")], ..options() };
    let expected = [None, Some("dew".to_owned())];
    assert_eq!(cut(&both, &at("july"), &["ice\nsun\nwind", "dew\nfrost"]), expected);
    // What no index has stays, whatever was cut before.
    let alone = DedupExactOptions { against: vec![index("june")], ..options() };
    assert_eq!(cut(&alone, &at("august"), &["rain\nsnow"]), left(&["rain"]));
}

#[test]
fn an_index_of_other_options_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let keeping = DedupExactOptions { index: true, ..DedupExactOptions::default() };
    run(&keeping, folder.path(), &named(&[("a", "rain")]));
    let index = folder.path().join("keep/index.state");
    let other = |normalize, index: &Path| {
        let against = vec![index.to_str().unwrap().to_owned()];
        let stage = open(&DedupExactOptions { normalize, against, ..DedupExactOptions::default() });
        stage.merge(0).unwrap();
        stage.end_pass(0).map_err(|failure| failure.to_string())
    };
    assert_eq!(other(Normalize::Whitespace, &index), Ok(()));
    let refused = other(Normalize::Loose, &index).unwrap_err();
    assert!(
        refused.contains("index.state` cannot be used: ") && refused.contains("with other options"),
        "{refused}"
    );
    // As a state that `tamis` has saved: with a line before it.
    let labelled = folder.path().join("merged.state");
    let bytes = [b"{\"tamis_state\":1}\n", std::fs::read(&index).unwrap().as_slice()].concat();
    std::fs::write(&labelled, bytes).unwrap();
    assert_eq!(other(Normalize::Whitespace, &labelled), Ok(()));
    std::fs::write(&labelled, "no state").unwrap();
    assert!(other(Normalize::Whitespace, &labelled).unwrap_err().contains("no saved state"));
}

#[test]
fn without_positions_nothing_is_dropped() {
    let documents = [Document::new("a", "rain"), Document::new("b", "rain")];
    let placed: Vec<_> = documents.iter().map(|document| (0, document)).collect();
    let stage = stage();
    observe(&*stage, 1, placed.iter().copied());
    stage.end_pass(0).unwrap();
    assert_eq!(outcome(&*stage, &placed), [None, None]);
}

#[test]
fn one_page_ten_thousand_times_has_one_twin() {
    let folder = tempfile::tempdir().unwrap();
    let stage = stage_with(64 * 1024, folder.path(), 2);
    let documents: Vec<_> = (0..10_000).map(|n| Document::new(format!("d{n}"), "the page")).collect();
    let placed: Vec<_> = (0..).zip(&documents).collect();
    observe(&*stage, 3, placed.iter().copied());
    stage.end_pass(0).unwrap();
    let outcome = outcome(&*stage, &placed);
    assert_eq!(outcome[0], None);
    assert!(outcome[1..].iter().all(|twin| twin.as_deref() == Some("d0")));
}

#[test]
fn a_flipped_bit_in_a_work_file_is_an_error_and_no_other_twin() {
    for name in ["texts.ids.table", "texts.table"] {
        let folder = tempfile::tempdir().unwrap();
        let stage = stage_with(0, folder.path(), 1);
        let documents: Vec<_> = (0..6).map(|n| Document::new(format!("d{n}"), "the page")).collect();
        observe(&*stage, 1, (0..).zip(&documents));
        stage.end_pass(0).unwrap();
        let path = folder.path().join("scratch").join(name);
        let mut bytes = std::fs::read(&path).unwrap();
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let mut records = records([(3, &documents[3])]);
        stage.apply(&mut records, &mut Effects::default());
        let fate = format!("{:?}", records[0].fate);
        assert!(fate.contains(name) && fate.contains("was damaged: run again"), "{fate}");
    }
}

#[test]
fn wrong_options_are_named() {
    let default = DedupExactOptions::default;
    for (options, option) in [
        (DedupExactOptions { field: String::new(), ..default() }, "field"),
        (DedupExactOptions { min_chars: Some(0), ..default() }, "min_chars"),
        (DedupExactOptions { keep: Keep::Lowest, ..default() }, "keep_by"),
        (DedupExactOptions { unit: Unit::Lines, field: "url".to_owned(), ..default() }, "unit"),
    ] {
        assert_eq!(try_open(&options).err().unwrap().option(), Some(option));
    }
}

#[test]
fn a_state_of_other_options_is_refused() {
    let state = saved(&*stage());
    let options = DedupExactOptions { normalize: Normalize::Loose, ..DedupExactOptions::default() };
    let failure = open(&options).load(0, &mut &state[..]).unwrap_err();
    assert!(failure.to_string().contains("saved with other options"), "{failure}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn any_memory_and_any_sharding_agree_with_a_plain_map(
        texts in prop::collection::vec(0_u16..200, 0..300),
        memory in prop::sample::select(vec![0_u64, 4096, 40_000, 1 << 30]),
        shards in prop::collection::vec(0_usize..3, 300),
        n_workers in 1_usize..4,
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
        observe(&*whole, 1, placed.iter().copied());
        let state = saved(&*whole);
        whole.end_pass(0).unwrap();
        prop_assert_eq!(&outcome(&*whole, &placed), &expected);

        let folder = tempfile::tempdir().unwrap();
        let merging = stage_with(memory, &folder.path().join("all"), n_workers);
        for shard in (0..3).rev() {
            let part = stage_with(memory, &folder.path().join(shard.to_string()), n_workers);
            observe(&*part, n_workers, placed.iter().zip(&shards).filter(|(_, of)| **of == shard).map(|(placed, _)| *placed));
            merging.load(0, &mut &saved(&*part)[..]).unwrap();
        }
        prop_assert_eq!(saved(&*merging), state);
        merging.end_pass(0).unwrap();
        prop_assert_eq!(outcome(&*merging, &placed), expected);
    }
}
