//! Through the boundary and the machinery, as a run uses the stage.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;

use proptest::prelude::*;
use tamis_document::Record;
use tamis_plugin::{Document, Workspace};
use tamis_stage::handle::{CorpusHandle, Effects, OpenStage};

use super::shingles::mix;
use super::*;
use crate::Keep;

fn try_open(options: &DedupNearOptions) -> Result<Box<dyn CorpusHandle>, SetupError> {
    let stages = tamis_host::bundled(crate::plugin()).unwrap();
    let stage = stages.iter().find(|stage| stage.info().name == "dedup-near").unwrap();
    match stage.open(&serde_json::to_value(options).unwrap())? {
        OpenStage::Corpus(corpus) => Ok(corpus),
        _ => panic!("it is a corpus stage"),
    }
}

fn options() -> DedupNearOptions {
    DedupNearOptions::default()
}

/// What a stage has said of a document.
#[derive(Debug, Clone, PartialEq)]
enum Said {
    Kept { size: Option<i64> },
    Dropped { twin: String, similarity: Option<f64> },
}

use Said::{Dropped, Kept};

const ALONE: Said = Kept { size: None };

fn stands_for(size: i64) -> Said {
    Kept { size: Some(size) }
}

fn dropped_for(twin: &str, similarity: f64) -> Said {
    Dropped { twin: twin.to_owned(), similarity: Some(similarity) }
}

fn records(documents: &[Document]) -> Vec<Record> {
    let record = |(n, document): (u128, &Document)| Record {
        position: (n + 1) << 64 | 9,
        ..Record::from(document.clone())
    };
    (0..).zip(documents).map(record).collect()
}

/// Shows records to `n_workers` at once, and merges what they have seen.
fn observe(stage: &dyn CorpusHandle, pass: u32, n_workers: usize, records: &[Record]) {
    std::thread::scope(|scope| {
        for part in records.chunks(records.len().div_ceil(n_workers).max(1)) {
            scope.spawn(|| stage.observe(pass, &mut part.to_vec(), &mut Effects::default()));
        }
    });
    stage.merge(pass).unwrap();
}

fn applied(stage: &dyn CorpusHandle, records: &[Record]) -> Vec<Said> {
    counted(stage, records).0
}

/// The same, with how many were not compared with all of their group.
fn counted(stage: &dyn CorpusHandle, records: &[Record]) -> (Vec<Said>, u64) {
    let mut records = records.to_vec();
    let mut effects = Effects::default();
    stage.apply(&mut records, &mut effects);
    let n_partly = effects.counts.get("not_compared_with_all").copied().unwrap_or(0);
    let said = |record: &Record| {
        let field = |name: &str| record.document.metadata.get(name);
        let number = |name: &str| serde_json::to_value(field(name)?).ok()?.as_f64();
        if record.is_kept() {
            return Kept { size: number("cluster_size").map(|size| size as i64) };
        }
        assert_eq!(format!("{:?}", record.fate), "Dropped(\"near-duplicate\")");
        let twin = field("duplicate_of").and_then(|id| id.as_str()).unwrap().to_owned();
        Dropped { twin, similarity: number("duplicate_similarity") }
    };
    (records.iter().map(said).collect(), n_partly)
}

/// A whole run over documents.
fn judged(options: &DedupNearOptions, documents: &[Document]) -> Vec<Said> {
    judged_and_counted(options, documents).0
}

fn judged_and_counted(options: &DedupNearOptions, documents: &[Document]) -> (Vec<Said>, u64) {
    let (stage, records) = (try_open(options).unwrap(), records(documents));
    for pass in 0..stage.observing_passes() {
        observe(&*stage, pass, 2, &records);
        stage.end_pass(pass).unwrap();
    }
    counted(&*stage, &records)
}

fn named(texts: &[&str]) -> Vec<Document> {
    ["a", "b", "c", "d", "e", "f", "g"]
        .into_iter()
        .zip(texts)
        .map(|(id, text)| Document::new(id, *text))
        .collect()
}

/// Numbers without an end, the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        (mix(self.0) % end as u64) as usize
    }
}

/// A text of so many tokens: made-up words, or characters that nobody would write in that order.
fn tokens(random: &mut Random, n: usize, is_chinese: bool) -> Vec<String> {
    let syllables = ["ka", "lo", "mir", "ten", "su", "va", "re", "ol", "ni", "the", "pra", "est"];
    let token = |_| {
        if is_chinese {
            return char::from_u32(0x4E00 + random.below(3000) as u32).unwrap().to_string();
        }
        (0..=random.below(3)).map(|_| syllables[random.below(12)]).collect()
    };
    (0..n).map(token).collect()
}

fn text(tokens: &[String], is_chinese: bool) -> String {
    let mut text = String::new();
    for (n, token) in tokens.iter().enumerate() {
        text.push_str(token);
        text.push_str(match (is_chinese, n % 11) {
            (true, 10) => "。\n",
            (true, _) => "",
            (false, 10) => ".\n",
            (false, _) => " ",
        });
    }
    text
}

/// The Jaccard similarity of texts as lists of tokens, worked out plainly.
fn similarity(one: &[String], other: &[String]) -> f64 {
    let set = |tokens: &[String]| tokens.windows(5).map(<[String]>::to_vec).collect::<BTreeSet<_>>();
    let (one, other) = (set(one), set(other));
    one.intersection(&other).count() as f64 / one.union(&other).count() as f64
}

/// A copy in which about so many of a thousand tokens are others, and that may lack its end.
fn perturbed(random: &mut Random, original: &[String], per_mille: usize, is_chinese: bool) -> Vec<String> {
    let fresh = tokens(random, original.len(), is_chinese);
    let mut copy: Vec<String> = original
        .iter()
        .zip(fresh)
        .map(|(token, other)| if random.below(1000) < per_mille { other } else { token.clone() })
        .collect();
    if random.below(3) == 0 {
        copy.truncate(copy.len() - copy.len() * random.below(12) / 100);
    }
    copy
}

/// For pairs of a text and a perturbed copy: of those alike at .85 or more, how many were found; and what was dropped
/// that is less alike than the threshold.
fn recall(n_pairs: usize, n_tokens: usize, is_chinese: bool) -> (usize, usize, Vec<f64>) {
    let mut random = Random((n_tokens as u64) << 1 | u64::from(is_chinese));
    let (mut documents, mut pairs) = (Vec::new(), Vec::new());
    for n in 0..n_pairs {
        let one = tokens(&mut random, n_tokens, is_chinese);
        let per_mille = [1, 3, 6, 10, 15, 20, 30, 40, 60][random.below(9)];
        let other = perturbed(&mut random, &one, per_mille, is_chinese);
        documents.push(Document::new(format!("{n}"), text(&one, is_chinese)));
        documents.push(Document::new(format!("{n}'"), text(&other, is_chinese)));
        pairs.push(similarity(&one, &other));
    }
    let said = judged(&options(), &documents);
    let (mut n_alike, mut n_found, mut wrong) = (0, 0, Vec::new());
    for (pair, said) in pairs.iter().zip(said.chunks(2)) {
        let is_dropped = said.iter().any(|said| matches!(said, Dropped { .. }));
        n_alike += usize::from(*pair >= 0.85);
        n_found += usize::from(*pair >= 0.85 && is_dropped);
        if is_dropped && *pair < 0.8 {
            wrong.push(*pair);
        }
    }
    (n_alike, n_found, wrong)
}

#[test]
fn perturbed_copies_are_found_at_any_length_and_nothing_else_is_dropped() {
    for is_chinese in [true, false] {
        let (mut n_all, mut n_found_of_all) = (0, 0);
        for (n_tokens, n_pairs) in [(12, 150), (30, 400), (100, 300), (300, 120), (3000, 30), (30_000, 5)] {
            let (n_alike, n_found, wrong) = recall(n_pairs, n_tokens, is_chinese);
            assert!(wrong.is_empty(), "{n_tokens}: {wrong:?}");
            assert!(n_alike >= n_pairs / 5, "{n_tokens}: only {n_alike} pairs are alike");
            assert!(n_found as f64 >= 0.95 * n_alike as f64, "{n_tokens}: {n_found} of {n_alike}");
            n_all += n_alike;
            n_found_of_all += n_found;
        }
        assert!(n_found_of_all as f64 >= 0.985 * n_all as f64, "{n_found_of_all} of {n_all}");
    }
}

#[test]
fn of_a_thousand_copies_one_stays() {
    let page =
        "渡船在天亮以前离开了港口，没有人看见它回来。岸上的灯一直亮到中午，守灯的人说他什么也没有听见。";
    let copies: Vec<Document> = (0..1000).map(|n| Document::new(format!("d{n}"), page)).collect();
    let said = judged(&options(), &copies);
    assert_eq!(said[0], stands_for(1000));
    assert!(said[1..].iter().all(|said| *said == dropped_for("d0", 1.0)));
}

#[test]
fn a_short_text_has_equal_copies_only() {
    let texts = ["three short words", "three short word", "Three, short words!", "…", "…", ""];
    let said = judged(&options(), &named(&texts));
    assert_eq!(said, [dropped_for("c", 1.0), ALONE, stands_for(2), ALONE, ALONE, ALONE]);
}

/// Letters on one form, each to another name.
fn letters(n: usize) -> Vec<Document> {
    let mut random = Random(4);
    let body = text(&tokens(&mut random, 120, false), false);
    let end = text(&tokens(&mut random, 120, false), false);
    (0..n).map(|n| Document::new(format!("to {n}"), format!("{body} Dear Mr. N{n}, {end}"))).collect()
}

#[test]
fn forms_that_are_filled_in_stay_unless_told() {
    let mut documents = letters(1500);
    documents.push(Document::new("copy", documents[700].text.to_uppercase()));
    let said = judged(&options(), &documents);
    let n_dropped = said.iter().filter(|said| matches!(said, Dropped { .. })).count();
    assert_eq!(n_dropped, 1, "only the copy");
    assert!(matches!(said.last(), Some(Dropped { twin, .. }) if twin == "to 700"));

    let told = DedupNearOptions { max_variants: 0, ..options() };
    assert_eq!(judged(&told, &documents).iter().filter(|said| matches!(said, Kept { .. })).count(), 1);
    // As many copies that were edited here and there are no form.
    let mut random = Random(8);
    let page = tokens(&mut random, 400, true);
    let edited: Vec<Document> = (0..500)
        .map(|n| Document::new(format!("{n}"), text(&perturbed(&mut random, &page, 4, true), true)))
        .collect();
    let n_kept = judged(&options(), &edited).iter().filter(|said| matches!(said, Kept { .. })).count();
    assert!(n_kept <= 25, "{n_kept}");
}

/// Texts of which each shares all but some tokens at its ends with the next.
fn chain(n: usize) -> Vec<Document> {
    let all = tokens(&mut Random(5), 200 + 12 * n, true);
    (0..n).map(|n| Document::new(format!("{n}"), text(&all[12 * n..12 * n + 200], true))).collect()
}

#[test]
fn what_is_like_a_dropped_text_only_stays() {
    let star = DedupNearOptions { keep: Keep::Earliest, ..options() };
    let said = judged(&star, &chain(9));
    let is_kept: Vec<bool> = said.iter().map(|said| matches!(said, Kept { .. })).collect();
    // A neighbour is like a text at .88, the next but one at .78.
    assert_eq!(is_kept, [true, false, true, false, true, false, true, false, true]);

    let components = DedupNearOptions { clusters: Clusters::Components, ..star };
    let said = judged(&components, &chain(9));
    assert_eq!(said[0], stands_for(9));
    assert!(matches!(&said[8], Dropped { twin, similarity } if twin == "0" && *similarity < Some(0.4)));

    let unverified = DedupNearOptions { verify: false, ..components };
    let said = judged(&unverified, &chain(9));
    assert_eq!(said[0], stands_for(9));
    assert_eq!(said[8], Dropped { twin: "0".to_owned(), similarity: None });
}

#[test]
fn what_is_part_of_another_goes_by_rule() {
    for is_chinese in [true, false] {
        let all = tokens(&mut Random(9), 2000, is_chinese);
        let mut edited = all[400..1300].to_vec();
        edited[300] = "other".to_owned();
        edited[700] = "words".to_owned();
        let parts = [&all[..], &all[1000..1100], &edited[..], &all[1960..], &all[100..118]];
        let texts = parts.map(|part| text(part, is_chinese));
        let documents = named(&texts.each_ref().map(String::as_str));
        assert_eq!(judged(&options(), &documents), [ALONE, ALONE, ALONE, ALONE, ALONE]);
        let contained = DedupNearOptions { rule: Rule::Contained, ..options() };
        let said = judged(&contained, &documents);
        assert_eq!([&said[1], &said[3]], [&dropped_for("a", 1.0), &dropped_for("a", 1.0)]);
        assert!(matches!(&said[2], Dropped { twin, similarity } if twin == "a" && *similarity > Some(0.98)));
        // Eighteen tokens may be found, and need not be.
        assert!(said[0] == stands_for(4) || said[0] == stands_for(5));
    }
}

#[test]
fn the_one_that_was_asked_for_is_kept() {
    let body = text(&tokens(&mut Random(6), 300, false), false);
    let texts = [body.clone(), format!("{body} with a line of its own"), format!("{body} and another")];
    let mut documents = named(&texts.each_ref().map(String::as_str));
    for (document, date) in documents.iter_mut().zip(["2024-05-01", "2023-01-01", "2024-11-30"]) {
        document.metadata.insert("published", date);
    }
    let by = |keep| DedupNearOptions { keep, keep_by: "published".to_owned(), ..options() };
    for (options, kept) in [
        (DedupNearOptions { keep: Keep::Longest, ..options() }, "b"),
        (DedupNearOptions { keep: Keep::Earliest, ..options() }, "a"),
        (by(Keep::Highest), "c"),
        (by(Keep::Lowest), "b"),
    ] {
        for (said, document) in judged(&options, &documents).iter().zip(&documents) {
            match said {
                Kept { size } => assert_eq!((document.id.as_str(), *size), (kept, Some(3))),
                Dropped { twin, .. } => assert_eq!(twin, kept),
            }
        }
    }
}

#[test]
fn fields_must_be_equal_or_differ() {
    let body = text(&tokens(&mut Random(7), 300, false), false);
    let mut documents = named(&[body.as_str(); 5]);
    for (document, site) in documents.iter_mut().zip([Some("one"), Some("one"), Some("two"), None, None]) {
        site.map(|site| document.metadata.insert("site", site));
    }
    let site = || vec!["site".to_owned()];
    let equal = judged(&DedupNearOptions { equal_in: site(), ..options() }, &documents);
    assert_eq!(equal, [stands_for(2), dropped_for("a", 1.0), ALONE, stands_for(2), dropped_for("d", 1.0)]);
    let differ = judged(&DedupNearOptions { differ_in: site(), ..options() }, &documents);
    assert_eq!(
        differ,
        [stands_for(4), ALONE, dropped_for("a", 1.0), dropped_for("a", 1.0), dropped_for("a", 1.0)]
    );
}

#[test]
fn little_memory_misses_copies_and_invents_none() {
    // One group: all share their first half, and none is like another but for its copy at the end.
    let mut random = Random(12);
    let common = tokens(&mut random, 3000, true);
    let page = |random: &mut Random| [&common[..], &tokens(random, 1200, true)].concat();
    let pages: Vec<_> = (0..60).map(|_| page(&mut random)).collect();
    let documents: Vec<Document> = (0..120)
        .map(|n| Document::new(format!("{n}"), text(&pages[n % 60], true) + if n < 60 { "" } else { "!" }))
        .collect();
    for clusters in [Clusters::Star, Clusters::Components] {
        let rich = DedupNearOptions { keep: Keep::Earliest, threshold: Some(0.9), clusters, ..options() };
        let (said, n_partly) = judged_and_counted(&rich, &documents);
        assert!(said[..60].iter().all(|said| *said == stands_for(2)), "{said:?}");
        assert_eq!(n_partly, 0);
        let poor = DedupNearOptions { max_state_bytes: 1 << 20, ..rich };
        let (said, n_partly) = judged_and_counted(&poor, &documents);
        let n_dropped = said.iter().filter(|said| matches!(said, Dropped { .. })).count();
        assert!(n_dropped < 60, "{clusters:?}: nothing was forgotten");
        // Each copy that stays for want of memory is told, with others that came after some had been forgotten.
        assert!(n_partly >= 60 - n_dropped as u64, "{clusters:?}: {n_partly} and {n_dropped}");
        for (n, said) in said.iter().enumerate() {
            match said {
                Dropped { twin, similarity } => {
                    assert_eq!((twin, *similarity), (&format!("{}", n - 60), Some(1.0)));
                }
                Kept { size } => assert!(size.is_none_or(|size| size == 2)),
            }
        }
    }
}

#[test]
fn what_was_chosen_is_told() {
    let chosen = try_open(&DedupNearOptions { bands: "auto".to_owned(), ..options() }).unwrap();
    let note = "candidates are found by 18 bands of 9 rows, which are expected to miss 7.5 % of those alike at 0.80, \
                0.9 % of those alike at 0.85, 0.0148 % of those alike at 0.90, and to compare in vain \
                0.0009 % of those alike at 0.2 and 0.5 % of those alike at 0.4";
    assert_eq!(chosen.notes(), [note]);
}

#[test]
fn wrong_options_are_named() {
    for (options, option) in [
        (DedupNearOptions { verify: false, ..options() }, "verify"),
        (DedupNearOptions { bands: "14".to_owned(), ..options() }, "bands"),
        (DedupNearOptions { bands: "0x8".to_owned(), ..options() }, "bands"),
        (DedupNearOptions { keep: Keep::Highest, ..options() }, "keep_by"),
        (DedupNearOptions { threshold: Some(2.0), ..options() }, "threshold"),
        (DedupNearOptions { shingle_tokens: 0, ..options() }, "shingle_tokens"),
    ] {
        assert_eq!(try_open(&options).err().unwrap().option(), Some(option));
    }
}

/// A run over documents with a folder of its own; the index, if it keeps one, is what is told.
fn run_in(folder: &Path, options: &DedupNearOptions, documents: &[Document]) -> (Vec<Said>, String) {
    let (stage, records) = (try_open(options).unwrap(), records(documents));
    let (scratch, keep) = (folder.join("scratch"), folder.join("keep"));
    std::fs::create_dir_all(&scratch).unwrap();
    let index = keep.join("index.state").to_str().unwrap().to_owned();
    stage.prepare(&Workspace { scratch, keep, memory: 0, threads: 2 }).unwrap();
    for pass in 0..stage.observing_passes() {
        observe(&*stage, pass, 2, &records);
        stage.end_pass(pass).unwrap();
    }
    (applied(&*stage, &records), index)
}

fn keeping(against: &[&String]) -> DedupNearOptions {
    DedupNearOptions { index: true, against: against.iter().copied().cloned().collect(), ..options() }
}

#[test]
fn what_earlier_runs_have_kept_stays_and_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = Random(12);
    let pages: Vec<_> = (0..4).map(|n| tokens(&mut random, 900, n % 2 == 0)).collect();
    let mut edited = |id: &str, page: usize, per_mille: usize, behind: &str| {
        let copy = perturbed(&mut random, &pages[page], per_mille, page.is_multiple_of(2));
        Document::new(id, text(&copy, page.is_multiple_of(2)) + behind)
    };
    let may = [edited("may/a", 0, 0, ""), edited("may/b", 1, 0, ""), edited("may/c", 0, 3, " 更长的一个")];
    let (said, may_index) = run_in(&folder.path().join("may"), &keeping(&[]), &may);
    assert!(matches!(&said[0], Dropped { twin, .. } if twin == "may/c"), "{said:?}");

    // Longer than what is there, which stays all the same; two that are like each other and none that is there.
    let june = [
        edited("june/a", 0, 3, " 还要更长的一个文本"),
        edited("june/b", 2, 0, ""),
        edited("june/c", 2, 3, "另外"),
        edited("june/d", 1, 0, ""),
    ];
    let (said, june_index) = run_in(&folder.path().join("june"), &keeping(&[&may_index]), &june);
    assert!(matches!(&said[0], Dropped { twin, similarity } if twin == "may/c" && *similarity > Some(0.8)));
    assert!(matches!(&said[1], Dropped { twin, .. } if twin == "june/c"));
    assert_eq!(said[2], stands_for(2));
    assert!(matches!(&said[3], Dropped { twin, .. } if twin == "may/b"));

    let july = [edited("july/a", 2, 3, ""), edited("july/b", 3, 0, ""), edited("july/c", 0, 3, "")];
    let options = DedupNearOptions { index: false, ..keeping(&[&may_index, &june_index]) };
    let (said, july_index) = run_in(&folder.path().join("july"), &options, &july);
    assert!(matches!(&said[0], Dropped { twin, .. } if twin == "june/c"), "{said:?}");
    assert_eq!(said[1], ALONE);
    assert!(matches!(&said[2], Dropped { twin, .. } if twin == "may/c"));
    assert!(!Path::new(&july_index).exists(), "no index was asked for");
}

#[test]
fn a_form_that_is_there_already_is_still_one() {
    let folder = tempfile::tempdir().unwrap();
    let documents = letters(1500);
    let (may, june) = documents.split_at(1000);
    let (_, index) = run_in(&folder.path().join("may"), &keeping(&[]), may);
    let mut june = june.to_vec();
    june.push(Document::new("copy", may[700].text.to_uppercase()));
    let (said, _) = run_in(&folder.path().join("june"), &keeping(&[&index]), &june);
    let n_dropped = said.iter().filter(|said| matches!(said, Dropped { .. })).count();
    assert_eq!((n_dropped, &said[500]), (1, &dropped_for("to 700", 1.0)));
}

#[test]
fn an_index_of_other_options_or_a_damaged_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let documents = letters(3);
    let (_, index) = run_in(folder.path(), &keeping(&[]), &documents);
    let refused = |options: &DedupNearOptions| {
        let stage = try_open(options).unwrap();
        stage.merge(0).unwrap();
        stage.end_pass(0).unwrap_err().to_string()
    };
    let other = refused(&DedupNearOptions { shingle_tokens: 4, ..keeping(&[&index]) });
    assert!(
        other.contains("index.state` cannot be used: ") && other.contains("with other options"),
        "{other}"
    );
    let state = std::fs::read(&index).unwrap();
    for (bytes, why) in [(&state[..state.len() - 3], "no whole saved state"), (b"no state", "no saved state")]
    {
        std::fs::write(&index, bytes).unwrap();
        let damaged = refused(&keeping(&[&index]));
        assert!(damaged.contains("index.state` cannot be used: ") && damaged.contains(why), "{damaged}");
    }
    let without = DedupNearOptions { verify: false, clusters: Clusters::Components, ..keeping(&[]) };
    assert_eq!(try_open(&without).err().unwrap().option(), Some("index"));
}

/// A run in shards, whose states are merged, with so much memory; each shard knows what the rounds before have brought.
fn judged_in_shards(
    options: &DedupNearOptions,
    documents: &[Document],
    folder: &Path,
    of: &[usize],
    n_workers: usize,
) -> Vec<Said> {
    let open = |name: &str| {
        let stage = try_open(options).unwrap();
        let (scratch, keep) = (folder.join(name), folder.join("keep"));
        std::fs::create_dir_all(&scratch).unwrap();
        stage.prepare(&Workspace { scratch, keep, memory: 0, threads: n_workers }).unwrap();
        stage
    };
    let (merging, records) = (open("all"), records(documents));
    let mut states: Vec<Vec<u8>> = Vec::new();
    for pass in 0..merging.observing_passes() {
        for shard in (0..3).rev() {
            let part = open(&format!("{pass}-{shard}"));
            for (before, state) in (0..).zip(&states) {
                part.load(before, &mut &state[..]).unwrap();
                part.end_pass(before).unwrap();
            }
            let own =
                records.iter().zip(of).filter(|(_, of)| **of == shard).map(|(record, _)| record.clone());
            observe(&*part, pass, n_workers, &own.collect::<Vec<_>>());
            let mut state = Vec::new();
            part.save(pass, &mut state).unwrap();
            merging.load(pass, &mut &state[..]).unwrap();
        }
        let mut state = Vec::new();
        merging.save(pass, &mut state).unwrap();
        states.push(state);
        merging.end_pass(pass).unwrap();
    }
    applied(&*merging, &records)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn any_memory_and_any_sharding_come_to_the_same(
        seed in any::<u64>(),
        n_pages in 1_usize..12,
        copies in prop::collection::vec((0_usize..12, 0_usize..60), 1..60),
        shards in prop::collection::vec(0_usize..3, 60),
        memory in prop::sample::select(vec![1_u64 << 20, 64 << 20]),
        n_workers in 1_usize..4,
        is_star in any::<bool>(),
    ) {
        let mut random = Random(seed);
        let pages: Vec<_> = (0..n_pages).map(|n| tokens(&mut random, 20 + 17 * n, n % 2 == 0)).collect();
        let documents: Vec<Document> = copies.iter().enumerate().map(|(n, (page, per_mille))| {
            let page = page % n_pages;
            let copy = perturbed(&mut random, &pages[page], *per_mille, page % 2 == 0);
            Document::new(format!("{n}"), text(&copy, page % 2 == 0))
        }).collect();
        let clusters = if is_star { Clusters::Star } else { Clusters::Components };
        let options = DedupNearOptions { clusters, max_state_bytes: memory, ..options() };
        let expected = judged(&options, &documents);
        let folder = tempfile::tempdir().unwrap();
        // An index is the same, however it came about.
        let keeping = DedupNearOptions { index: true, ..options.clone() };
        let (said, index) = run_in(&folder.path().join("whole"), &keeping, &documents);
        prop_assert_eq!(&said, &expected);
        prop_assert_eq!(&judged_in_shards(&keeping, &documents, folder.path(), &shards, n_workers), &expected);
        prop_assert!(std::fs::read(index).unwrap() == std::fs::read(folder.path().join("keep/index.state")).unwrap());
        prop_assert_eq!(&judged_in_shards(&options, &documents, folder.path(), &shards, n_workers), &expected);

        // Whatever was dropped has a twin that is kept, and counts there.
        let mut sizes: HashMap<&str, i64> = HashMap::new();
        for said in &expected {
            if let Dropped { twin, similarity } = said {
                prop_assert!(!is_star || *similarity >= Some(0.8));
                *sizes.entry(twin).or_insert(1) += 1;
            }
        }
        for (document, said) in documents.iter().zip(&expected) {
            let is_twin = sizes.get(document.id.as_str()).copied();
            match said {
                Kept { size } => prop_assert_eq!(*size, is_twin),
                Dropped { .. } => prop_assert_eq!(is_twin, None),
            }
        }
    }
}
