//! Keyed corpus stages: one for each reducer, and what becomes of those that break the contract.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;
use tamis_document::{Document, Fate, Record};
use tamis_plugin::keyed::{Column, Columns, First, Fold, Group, Known, Reduce, Round, Rounds, Row, Rows};
use tamis_plugin::{Draft, Failure, KeyedStage, SetupError, Verdict, View, Workspace};
use tamis_stage::handle::{CorpusHandle, Effects, OpenStage};

use crate::breach;

/// Looks at the words of documents.
#[derive(Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Options {
    /// What it makes of words.
    mode: Mode,
    /// What goes wrong.
    trouble: String,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Mode {
    /// The first document that begins with a word.
    #[default]
    First,
    /// How often a word occurs, and the earliest document that has it.
    Count,
    /// Documents that share words, however far around, and of these the share of words with the longest.
    Near,
}

pub(crate) struct Words(Options);

fn key(word: &str) -> u64 {
    word.bytes().fold(7, |key, byte| key * 31 + u64::from(byte))
}

fn round(name: &str, columns: Vec<Column>, reduce: Reduce) -> Round {
    let ids = !matches!(reduce, Reduce::Fold(_));
    Round { name: name.to_owned(), key: vec![Column::U64], columns, reduce, ids }
}

impl KeyedStage for Words {
    const NAME: &'static str = "words";
    const WRITES: &'static [&'static str] = &["words", "share"];
    type Options = Options;
    type Local = Row;

    fn open(options: Options) -> Result<Self, SetupError> {
        Ok(Self(options))
    }

    fn rounds(&self) -> Rounds {
        let mut rounds = match self.0.mode {
            Mode::First => vec![round("begin", vec![Column::F64], Reduce::First)],
            Mode::Count => {
                let columns = vec![Column::I64, Column::Position];
                vec![round("count", columns, Reduce::Fold(vec![Fold::Sum, Fold::Min]))]
            }
            Mode::Near => vec![
                round("tie", Vec::new(), Reduce::Groups { edges: 1 }),
                Round {
                    key: vec![Column::Position],
                    ..round(
                        "judge",
                        vec![Column::U64],
                        Reduce::Visit { gives: vec![Column::Position, Column::F64] },
                    )
                },
            ],
        };
        if self.0.trouble == "names" {
            "No Name".clone_into(&mut rounds[0].name);
        }
        Rounds { rounds, observes: format!("{:?}", self.0.mode), max_state_bytes: Some(1 << 20) }
    }

    fn observe(
        &self,
        round: u32,
        row: &mut Row,
        document: &View<'_>,
        known: &dyn Known,
        rows: &mut dyn Rows,
    ) -> Result<(), Failure> {
        let text = document.text();
        assert_ne!(text, "panic", "no row");
        match (self.0.mode, round) {
            (Mode::First, _) => {
                let Some(word) = text.split(' ').next().filter(|word| !word.is_empty()) else {
                    return Ok(());
                };
                // The shortest text first.
                rows.emit(row.begin().u64(key(word)).f64(text.len() as f64).as_bytes());
            }
            (Mode::Count, _) => {
                for word in text.split(' ') {
                    rows.emit(row.begin().u64(key(word)).i64(1).position(document.position()).as_bytes());
                }
            }
            (Mode::Near, 0) => {
                text.split(' ').for_each(|word| rows.emit(row.begin().u64(key(word)).as_bytes()));
            }
            (Mode::Near, _) => {
                let Some(First { first, .. }) = known.first(0, document.position())? else { return Ok(()) };
                row.begin().position(first).u64(u64::MAX - text.len() as u64);
                rows.emit(row.bytes(text.as_bytes()).as_bytes());
            }
        }
        match (self.0.trouble.as_str(), text) {
            ("narrow", "bad") => rows.emit(&[1]),
            ("early", "bad") => drop(known.first(1, 0)),
            ("fails", "bad") => return Err(Failure::new("it is bad")),
            _ => {}
        }
        Ok(())
    }

    fn visit(
        &self,
        _: u32,
        row: &mut Row,
        group: &mut dyn Group,
        known: &dyn Known,
        facts: &mut dyn Rows,
    ) -> Result<(), Failure> {
        let mut longest: Option<(u128, Vec<String>)> = None;
        while let Some(entry) = group.advance()? {
            let mut columns = Columns::of(entry);
            let (_, _, position) =
                (columns.position(), columns.u64(), columns.position().unwrap_or_default());
            let text = String::from_utf8_lossy(columns.rest()).into_owned();
            assert!(known.first(0, position)?.is_some(), "a visit knows what the rounds before have brought");
            let words = text.split(' ');
            let (kept, of) =
                longest.get_or_insert_with(|| (position, words.clone().map(str::to_owned).collect()));
            let n_shared = words.clone().filter(|word| of.iter().any(|other| other == word)).count();
            let share = n_shared as f64 / words.count() as f64;
            facts.emit(row.begin().position(position).position(*kept).f64(share).as_bytes());
        }
        match self.0.trouble.as_str() {
            "visit" => Err(Failure::new("it cannot go on")),
            "wide" => {
                facts.emit(&[0; 100]);
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn apply(&self, row: &mut Row, draft: &mut Draft<'_>, known: &dyn Known) -> Result<Verdict, Failure> {
        let position = draft.original().position();
        match self.0.mode {
            Mode::First => {
                if let Some(First { first, size }) = known.first(0, position)? {
                    draft.set_metadata("words", format!("{:?} of {size}", known.id(0, first)?));
                }
            }
            Mode::Count => {
                let mut said = Vec::new();
                for word in draft.text().split(' ') {
                    known.entries(0, row.begin().u64(key(word)).as_bytes(), &mut |entry| {
                        let mut columns = Columns::of(entry);
                        said.push((columns.u64(), columns.i64(), columns.position()));
                        true
                    })?;
                }
                let said = said.into_iter().map(|(_, n, first)| (n.unwrap_or(0), first.unwrap_or(0)));
                draft.set_metadata("words", format!("{:?}", said.collect::<Vec<_>>()));
            }
            Mode::Near => {
                let mut kept = None;
                known.entries(1, &position.to_be_bytes(), &mut |entry| {
                    let mut columns = Columns::of(entry);
                    kept = columns.position().and_then(|_| Some((columns.position()?, columns.f64()?)));
                    true
                })?;
                if let Some((first, share)) = kept.filter(|(first, _)| *first != position) {
                    draft.set_metadata("words", known.id(1, first)?.unwrap_or_default());
                    draft.set_metadata("share", share);
                    return Ok(Verdict::Drop("near".into()));
                }
            }
        }
        Ok(Verdict::Keep)
    }
}

fn open(mode: &str, trouble: &str) -> Result<Box<dyn CorpusHandle>, String> {
    let stages = tamis_host::bundled(crate::plugin()).unwrap();
    let stage = stages.into_iter().find(|stage| stage.info().name == "words").unwrap();
    match stage.open(&json!({ "mode": mode, "trouble": trouble })) {
        Ok(OpenStage::Corpus(corpus)) => Ok(corpus),
        Ok(_) => panic!("it is a corpus stage"),
        Err(error) => Err(error.to_string()),
    }
}

fn records(texts: &[&str]) -> Vec<Record> {
    let record = |(n, text): (usize, &&str)| Record {
        position: (n as u128) << 70,
        ..Record::from(Document::new(format!("d{n}"), *text))
    };
    texts.iter().enumerate().map(record).collect()
}

/// Runs all rounds; what became of the documents.
fn run(stage: &dyn CorpusHandle, texts: &[&str]) -> Result<Vec<Record>, String> {
    let folder = tempfile::tempdir().unwrap();
    let (scratch, keep) = (folder.path().to_owned(), folder.path().to_owned());
    stage.prepare(&Workspace { scratch, keep, memory: 1 << 20, threads: 1 }).unwrap();
    let mut records = records(texts);
    for pass in 0..stage.observing_passes() {
        stage.observe(pass, &mut records, &mut Effects::default());
        for record in &*records {
            assert!(record.is_kept() || pass == 0);
        }
        stage.merge(pass).and_then(|()| stage.end_pass(pass)).map_err(|failure| failure.to_string())?;
    }
    let mut kept: Vec<Record> = records.iter().filter(|record| record.is_kept()).cloned().collect();
    stage.apply(&mut kept, &mut Effects::default());
    kept.extend(records.into_iter().filter(|record| !record.is_kept()));
    Ok(kept)
}

fn said(records: &[Record]) -> Vec<String> {
    let words = |record: &Record| {
        let words = record.document.metadata.get("words");
        words.and_then(|value| value.as_str()).unwrap_or_default().to_owned()
    };
    records.iter().map(words).collect()
}

const TEXTS: [&str; 6] = ["a long text", "b c", "a text", "", "c d e f", "a"];

#[test]
fn the_first_of_a_key_is_the_least_by_its_columns() {
    let records = run(&*open("first", "").unwrap(), &TEXTS).unwrap();
    let (first, other) = (r#"Some("d5") of 3"#, r#"Some("d5") of 0"#);
    assert_eq!(said(&records), [other, "", other, "", "", first]);
}

#[test]
fn columns_of_a_key_are_folded() {
    let records = run(&*open("count", "").unwrap(), &TEXTS).unwrap();
    let far = |n: u128| n << 70;
    assert_eq!(said(&records)[1], format!("{:?}", [(1, far(1)), (2, far(1))]));
    assert_eq!(said(&records)[5], format!("{:?}", [(3, far(0))]));
}

#[test]
fn groups_are_visited_by_the_stage() {
    let records = run(&*open("near", "").unwrap(), &TEXTS).unwrap();
    assert_eq!(said(&records), ["", "d4", "d0", "", "", "d0"]);
    let share = |n: usize| records[n].document.metadata.get("share").cloned();
    assert_eq!((share(1), share(2)), (Some(0.5.into()), Some(1.0.into())));
    assert_eq!(records[1].fate, Fate::Dropped("near".into()));
}

#[test]
fn an_instance_declares_its_rounds() {
    let stage = open("near", "").unwrap();
    let rounds = stage.rounds().unwrap();
    assert_eq!(rounds.rounds.iter().map(|round| round.name.as_str()).collect::<Vec<_>>(), ["tie", "judge"]);
    let refused = open("near", "names").err().unwrap();
    let expected = "round `No Name`: its name is not in kebab case, or longer than 64 bytes";
    assert!(breach("words", expected).ends_with(&refused), "{refused}");
}

#[test]
fn a_document_that_fails_has_no_rows_and_no_other_does() {
    let says = |message: &str| format!("stage `words` of plugin `boundary`: {message}");
    let narrow = breach("words", "it emitted a row of 1 bytes, and declares 16");
    for (trouble, text, why) in
        [("fails", "bad", "it is bad".to_owned()), ("narrow", "bad", narrow), ("", "panic", String::new())]
    {
        let records =
            run(&*open("first", trouble).unwrap(), &["bad word", text, "bad", "bad other"]).unwrap();
        let failed = records.iter().filter(|record| !record.is_kept()).collect::<Vec<_>>();
        let Fate::Failed(reason) = &failed[0].fate else { panic!("{failed:?}") };
        assert!(reason.contains(&why) && (text != "panic" || reason.contains("no row")), "{reason}");
        if text == "panic" {
            assert_eq!(failed.len(), 1);
        } else {
            assert_eq!(failed.len(), 2);
            assert_eq!(said(&records)[0], r#"Some("d0") of 2"#);
        }
    }
    // What a round has brought cannot be known before it has ended.
    let records = run(&*open("first", "early").unwrap(), &["bad word", "bad"]).unwrap();
    let Fate::Failed(reason) = &records[0].fate else { panic!("{records:?}") };
    assert_eq!(**reason, says("round 1 has not ended: the corpus has not been observed yet"));
}

#[test]
fn a_visit_that_fails_ends_the_run() {
    for (trouble, why) in [
        ("visit", "stage `words` of plugin `boundary`: it cannot go on".to_owned()),
        ("wide", breach("words", "it emitted a row of 100 bytes, and declares 40")),
    ] {
        assert_eq!(run(&*open("near", trouble).unwrap(), &TEXTS).unwrap_err(), why);
    }
}
