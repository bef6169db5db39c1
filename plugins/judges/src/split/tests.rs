use std::collections::BTreeMap;

use tamis_conformance::cases::check_extractor;
use tamis_plugin::{Document, Draft, Extractor, ValueRef, View};

use super::{Split, SplitOptions};

fn shares(shares: &[(&str, f64)]) -> BTreeMap<String, f64> {
    shares.iter().map(|(name, share)| ((*name).to_owned(), *share)).collect()
}

#[test]
fn cases() {
    check_extractor::<Split>("split/cases/split.md", include_str!("cases/split.md"));
}

#[test]
fn parts_have_their_shares() {
    let shares = shares(&[("train", 0.7), ("validation", 0.2), ("test", 0.1)]);
    let stage = Split::open(SplitOptions { shares, ..SplitOptions::default() }).expect("sound");
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for number in 0..5_000 {
        let mut document = Document::new(number.to_string(), "");
        let mut draft = Draft::new(View::from(&document));
        stage.extract(&mut draft).expect("parted");
        let (edits, _) = draft.finish();
        edits.apply(&mut document);
        let part = document.metadata.get("split").map(tamis_plugin::Value::as_ref).and_then(ValueRef::as_str);
        *counts.entry(part.expect("written").to_owned()).or_default() += 1;
    }
    let counts: Vec<(&str, usize)> = counts.iter().map(|(name, n)| (name.as_str(), *n)).collect();
    let [("test", test), ("train", train), ("validation", validation)] = counts[..] else {
        panic!("{counts:?}")
    };
    assert!(
        (3_400..3_600).contains(&train) && (920..1_080).contains(&validation) && (440..560).contains(&test)
    );
}

#[test]
fn shares_that_do_not_add_up_are_refused() {
    let error = |given: &[(&str, f64)]| {
        let options = SplitOptions { shares: shares(given), ..SplitOptions::default() };
        Split::open(options).expect_err("refused").to_string()
    };
    assert_eq!(error(&[("a", 0.5), ("b", 0.25)]), "the shares are 0.75 together, not 1");
    assert_eq!(error(&[("a", 0.0), ("b", 1.0)]), "a share is more than 0 and less than 1");
}
