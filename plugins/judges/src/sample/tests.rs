use tamis_conformance::cases::check_filter;
use tamis_plugin::{Document, Filter, Notes, Verdict, View};

use super::{Sample, SampleOptions};

fn kept(options: SampleOptions, documents: &[Document]) -> Vec<&str> {
    let stage = Sample::open(options).expect("sound");
    let judge = |document: &&Document| {
        stage.filter(&View::from(*document), &mut Notes::default()).expect("judged") == Verdict::Keep
    };
    documents.iter().filter(judge).map(|document| document.id.as_str()).collect()
}

#[test]
fn cases() {
    check_filter::<Sample>("sample/cases/sample.md", include_str!("cases/sample.md"));
}

#[test]
fn a_smaller_sample_is_a_part_of_a_larger_one() {
    let documents: Vec<Document> = (0..500).map(|number| Document::new(number.to_string(), "")).collect();
    let of = |ratio, seed| kept(SampleOptions { ratio, seed, ..SampleOptions::default() }, &documents);
    let (small, large) = (of(0.1, 0), of(0.4, 0));
    assert!(small.iter().all(|id| large.contains(id)));
    assert!(
        (30..70).contains(&small.len()) && (160..240).contains(&large.len()),
        "{} {}",
        small.len(),
        large.len()
    );
    assert_ne!(small, of(0.1, 1));
    assert_eq!((of(0.0, 0).len(), of(1.0, 0).len()), (0, 500));
}

#[test]
fn what_belongs_together_stays_together() {
    let documents: Vec<Document> = (0..300)
        .map(|number| {
            let mut document = Document::new(number.to_string(), "");
            document.metadata.insert("site", number / 10);
            document
        })
        .collect();
    let kept = kept(SampleOptions { ratio: 0.5, by: "site".into(), seed: 0 }, &documents);
    assert!(!kept.is_empty() && kept.len() < 300);
    for site in 0..30 {
        let of_site = kept.iter().filter(|id| id.parse::<usize>().is_ok_and(|id| id / 10 == site)).count();
        assert!(of_site == 0 || of_site == 10, "{site}");
    }
}
