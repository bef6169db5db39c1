//! Through the boundary, as a run uses the stage.

use tamis_document::Record;
use tamis_plugin::{Document, Limit};
use tamis_stage::handle::{CorpusHandle, Effects, OpenStage};

use super::*;

fn try_open(options: &QuantileOptions) -> Result<Box<dyn CorpusHandle>, SetupError> {
    let stages = tamis_host::bundled(crate::plugin()).unwrap();
    let stage = stages.iter().find(|stage| stage.info().name == "quantile").unwrap();
    match stage.open(&serde_json::to_value(options).unwrap())? {
        OpenStage::Corpus(corpus) => Ok(corpus),
        _ => panic!("it is a corpus stage"),
    }
}

fn scored(scores: &[f64]) -> Vec<Record> {
    let document = |(position, score): (usize, &f64)| {
        let mut document = Document::new(position.to_string(), "text");
        document.metadata.insert("score", *score);
        document.metadata.insert("site", if position % 2 == 0 { "even" } else { "odd" });
        Record { position: position as u128, ..Record::from(document) }
    };
    scores.iter().enumerate().map(document).collect()
}

/// The bucket of each document; `-` for none.
fn buckets(options: &QuantileOptions, mut records: Vec<Record>) -> String {
    let stage = try_open(options).unwrap();
    // Two workers, whose counts are added up.
    for part in records.clone().chunks_mut(3) {
        stage.observe(0, part, &mut Effects::default());
    }
    stage.merge(0).unwrap();
    stage.end_pass(0).unwrap();
    stage.apply(&mut records, &mut Effects::default());
    records
        .iter()
        .map(|record| {
            let bucket = record.document.metadata.get("score_bucket")?;
            field::number(bucket.as_ref()).and_then(|bucket| char::from_digit(bucket as u32, 10))
        })
        .map(|bucket| bucket.unwrap_or('-'))
        .collect()
}

fn by_score(quantiles: &[f64]) -> QuantileOptions {
    QuantileOptions {
        field: Some("score".into()),
        quantiles: quantiles.to_vec(),
        ..QuantileOptions::default()
    }
}

#[test]
fn buckets_have_the_sizes_that_were_asked_for() {
    let scores = [0.9, 0.1, -3.0, 0.4, 0.7, 0.2, 0.8, 0.3];
    assert_eq!(buckets(&by_score(&[0.25, 0.5, 0.75]), scored(&scores)), "30022131");
    assert_eq!(buckets(&by_score(&[0.5]), scored(&scores)), "10011010");
    assert_eq!(buckets(&by_score(&[0.9]), scored(&scores)), "10000000");
}

#[test]
fn the_same_numbers_are_in_one_bucket() {
    assert_eq!(buckets(&by_score(&[0.5]), scored(&[1.0, 1.0, 1.0, 2.0])), "1111");
    assert_eq!(buckets(&by_score(&[0.5]), scored(&[2.0, 2.0, 2.0, 1.0])), "1110");
    // As near as numbers are told apart.
    assert_eq!(buckets(&by_score(&[0.5]), scored(&[0.500_01, 0.5, 0.4, 0.3])), "1100");
    assert_eq!(buckets(&by_score(&[0.5]), scored(&[])), "");
    assert_eq!(buckets(&by_score(&[0.5]), scored(&[7.0])), "0");
}

#[test]
fn groups_have_quantiles_of_their_own() {
    let options = QuantileOptions { by: Some("site".into()), ..by_score(&[0.5]) };
    assert_eq!(buckets(&options, scored(&[1.0, 100.0, 2.0, 200.0, 3.0, 300.0, 4.0, 400.0])), "00001111");
}

#[test]
fn a_measure_is_a_number_and_what_has_none_has_no_bucket() {
    let mut records = scored(&[1.0, 2.0, 3.0, 4.0]);
    for (record, value) in records.iter_mut().zip([4.0, 3.0, 2.0]) {
        record.measures.push(tamis_document::Measure { name: "score".into(), value, limit: Limit::None });
    }
    let options = QuantileOptions {
        field: None,
        measure: Some("score".into()),
        bucket: Some("score_bucket".into()),
        ..by_score(&[0.34])
    };
    assert_eq!(buckets(&options, records), "110-");
}

#[test]
fn options_that_make_no_sense_are_refused() {
    for (options, option, words) in [
        (
            QuantileOptions { by: Some("site".into()), ..QuantileOptions::default() },
            "field",
            "orders documents by nothing",
        ),
        (
            QuantileOptions { measure: Some("chars".into()), ..by_score(&[0.5]) },
            "measure",
            "a `field` or of a `measure`",
        ),
        (by_score(&[0.5, 0.2]), "quantiles", "in rising order"),
        (by_score(&[1.0]), "quantiles", "under 1"),
    ] {
        let Err(error) = try_open(&options) else { panic!("{words}") };
        assert_eq!(error.option(), Some(option));
        assert!(error.to_string().contains(words), "{error}");
    }
}
