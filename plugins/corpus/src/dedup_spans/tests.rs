//! Through the boundary, as a run uses the stage.

use tamis_document::Record;
use tamis_plugin::Document;
use tamis_stage::handle::{CorpusHandle, Effects, OpenStage};

use std::path::Path;

use tamis_plugin::Workspace;

use super::*;
use crate::priority::Keep;

fn try_open(options: &DedupSpansOptions) -> Result<Box<dyn CorpusHandle>, SetupError> {
    let stages = tamis_host::bundled(crate::plugin()).unwrap();
    let stage = stages.iter().find(|stage| stage.info().name == "dedup-spans").unwrap();
    match stage.open(&serde_json::to_value(options).unwrap())? {
        OpenStage::Corpus(corpus) => Ok(corpus),
        _ => panic!("it is a corpus stage"),
    }
}

fn options() -> DedupSpansOptions {
    DedupSpansOptions::default()
}

/// Texts after a run, and which documents keep what they have lost.
fn cut(options: &DedupSpansOptions, texts: &[&str]) -> Vec<(String, Vec<String>, String)> {
    let stage = try_open(options).unwrap();
    cut_by(&*stage, "d", texts)
}

/// The same with a folder, in which the index is, if one is kept.
fn cut_in(
    folder: &Path,
    options: &DedupSpansOptions,
    month: &str,
    texts: &[&str],
) -> Vec<(String, Vec<String>, String)> {
    let stage = try_open(options).unwrap();
    let (scratch, keep) = (folder.join(format!("{month}-scratch")), folder.join(month));
    std::fs::create_dir_all(&scratch).unwrap();
    stage.prepare(&Workspace { scratch, keep, memory: 0, threads: 1 }).unwrap();
    cut_by(&*stage, month, texts)
}

fn cut_by(stage: &dyn CorpusHandle, prefix: &str, texts: &[&str]) -> Vec<(String, Vec<String>, String)> {
    let record = |(n, text): (usize, &&str)| Record {
        position: (n as u128 + 1) << 64 | 3,
        ..Record::from(Document::new(format!("{prefix}{n}"), *text))
    };
    let mut records: Vec<Record> = texts.iter().enumerate().map(record).collect();
    for pass in 0..stage.observing_passes() {
        // From the end: the order must not matter.
        for record in records.iter().rev() {
            stage.observe(pass, &mut [record.clone()], &mut Effects::default());
        }
        stage.merge(pass).unwrap();
        stage.end_pass(pass).unwrap();
    }
    stage.apply(&mut records, &mut Effects::default());
    let said = |record: &Record| {
        let ids = record.document.metadata.get("spans_kept_in").map(|ids| serde_json::to_value(ids).unwrap());
        let ids = ids.map(|ids| serde_json::from_value(ids).unwrap()).unwrap_or_default();
        (record.document.text.clone(), ids, format!("{:?}", record.fate))
    };
    records.iter().map(said).collect()
}

const NOTICE: &str = "The harbour office reminds all owners of boats that the quay is closed in winter. Whoever leaves a boat there \
                      pays a fee of forty a day! “There will be no exceptions,” says the office.";
const NEWS: &str = "渡船在天亮以前离开了港口，没有人看见它回来。岸上的灯一直亮到中午，守灯的人说他什么也没有听见。到了晚上，\
                    渔民们把船推下水，沿着岸边找了一整夜，只找到一只写着船名的木桶。第二天早上，镇上的人都到码头上来了，可是谁也说不出渡船去了哪里。";

#[test]
fn a_passage_stays_in_one_document_and_the_others_name_it() {
    let first = format!("A report on the ferry.\n\n{NOTICE}\n\nThe end.");
    let second = format!("Something else altogether. {} And more of that.", NOTICE.to_uppercase());
    let third = format!("第一段。\n\n{NEWS}\n\n最后一段。");
    let fourth = format!("转载：\n{NEWS}");
    let cut = cut(&options(), &[&first, &second, &third, &fourth, NOTICE]);
    let kept = |text: &str, ids: &[&str]| {
        (text.to_owned(), ids.iter().map(|id| (*id).to_owned()).collect(), "Kept".to_owned())
    };
    assert_eq!(cut[0], kept(&first, &[]));
    assert_eq!(cut[1], kept("Something else altogether. And more of that.", &["d0"]));
    assert_eq!(cut[2], kept(&third, &[]));
    assert_eq!(cut[3], kept("转载：", &["d2"]));
    assert_eq!(cut[4], (NOTICE.to_owned(), vec!["d0".to_owned()], "Dropped(\"nothing-left\")".to_owned()));
}

#[test]
fn what_is_short_or_rare_or_said_twice_by_one_stays() {
    let twice = format!("{NOTICE}\n\n{NOTICE}");
    let short = "The harbour office reminds all owners of boats that the quay is closed in winter.";
    let texts = [twice.as_str(), short, "Another text.", short];
    let said = cut(&options(), &texts);
    assert!(
        said.iter().zip(texts).all(|((text, ids, _), before)| text == before && ids.is_empty()),
        "{said:?}"
    );
    let three = DedupSpansOptions { min_documents: 3, ..options() };
    assert!(cut(&three, &[NEWS, NEWS]).iter().all(|(_, _, fate)| fate == "Kept"));
    let fates: Vec<_> = cut(&three, &[NEWS, NEWS, NEWS]).into_iter().map(|(_, _, fate)| fate).collect();
    assert_eq!(fates, ["Kept", "Dropped(\"nothing-left\")", "Dropped(\"nothing-left\")"]);
}

#[test]
fn the_document_that_was_asked_for_keeps_it() {
    let long = format!("{NEWS}\n\n以下是更多的内容，别的文章里没有。");
    let longest = DedupSpansOptions { keep: Keep::Longest, ..options() };
    let said = cut(&longest, &[NEWS, &long]);
    assert_eq!(said[0].2, "Dropped(\"nothing-left\")");
    assert_eq!((said[0].1.as_slice(), said[1].0.as_str()), (&["d1".to_owned()][..], long.as_str()));
}

#[test]
fn what_earlier_runs_have_kept_is_cut_and_named() {
    let folder = tempfile::tempdir().unwrap();
    let index = |month: &str| folder.path().join(month).join("index.state").to_str().unwrap().to_owned();
    let keeping = DedupSpansOptions { index: true, keep: Keep::Longest, ..options() };
    let first = format!("A report on the ferry.\n\n{NOTICE}");
    let second = format!("Something else altogether. {NOTICE} And more of that.");
    let may = cut_in(folder.path(), &keeping, "may", &[&first, &second]);
    assert_eq!(
        (may[0].0.as_str(), may[0].1.as_slice()),
        ("A report on the ferry.", &["may1".to_owned()][..])
    );

    // Longer than what is there, which keeps its passage all the same.
    let third = format!("{NOTICE} This one is much longer than the others. {NEWS} 还有别的。");
    let against = DedupSpansOptions { against: vec![index("may")], ..keeping };
    let june = cut_in(folder.path(), &against, "june", &[&third, NEWS]);
    let kept = format!("This one is much longer than the others. {NEWS} 还有别的。");
    assert_eq!(june[0], (kept, vec!["may1".to_owned()], "Kept".to_owned()));
    assert_eq!(june[1], (NEWS.to_owned(), vec!["june0".to_owned()], "Dropped(\"nothing-left\")".to_owned()));

    // What was cut is in no index; what was kept is in one.
    let both =
        DedupSpansOptions { against: vec![index("may"), index("june")], index: false, ..against.clone() };
    let july =
        cut_in(folder.path(), &both, "july", &[&format!("新闻。{NEWS}"), &format!("Quoted.\n{NOTICE}")]);
    assert_eq!((july[0].0.as_str(), &july[0].1), ("新闻。", &vec!["june0".to_owned()]));
    assert_eq!((july[1].0.as_str(), july[1].1.as_slice()), ("Quoted.", &["may1".to_owned()][..]));

    let other = try_open(&DedupSpansOptions { min_chars: 50, ..both }).unwrap();
    other.merge(0).unwrap();
    let refused = other.end_pass(0).unwrap_err().to_string();
    assert!(
        refused.contains("index.state` cannot be used: ") && refused.contains("with other options"),
        "{refused}"
    );
}

#[test]
fn wrong_options_are_named() {
    for (options, option) in [
        (DedupSpansOptions { min_chars: 3, ..options() }, "min_chars"),
        (DedupSpansOptions { min_documents: 1, ..options() }, "min_documents"),
        (DedupSpansOptions { keep: Keep::Lowest, ..options() }, "keep_by"),
    ] {
        assert_eq!(try_open(&options).err().unwrap().option(), Some(option));
    }
}

#[test]
fn a_cut_leaves_the_ends_of_paragraphs() {
    let sentences = sentences("One. Two.\n\nThree. Four.");
    assert_eq!(left(&sentences, &[false, true, false, false]), "One.\n\nThree. Four.");
    assert_eq!(left(&sentences, &[true, true, false, false]), "Three. Four.");
    assert_eq!(left(&sentences, &[false, false, true, true]), "One. Two.");
}
