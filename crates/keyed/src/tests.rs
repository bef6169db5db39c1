//! Every reducer against a plain model, whatever the memory, the order, the workers and the shards.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proptest::prelude::*;
use tamis_document::{Document, Fate, Record};
use tamis_stage::handle::{CorpusHandle, Effects, KeyedHandle};
use tamis_stage::keyed::{
    Column, Columns, Emitted, First, Fold, Group, Known, POSITION_BYTES, Reduce, Round, Rounds, Row,
};
use tamis_stage::{Failure, Workspace};

use super::Keyed;

/// Emits `(key, value)` for each word of a text such as `3:17 4:2`, and says of every document what is known.
struct Words(Rounds);

fn words(text: &str) -> impl Iterator<Item = (u64, i64)> {
    text.split_whitespace().filter_map(|word| {
        let (key, value) = word.split_once(':')?;
        Some((key.parse().ok()?, value.parse().ok()?))
    })
}

impl KeyedHandle for Words {
    fn rounds(&self) -> &Rounds {
        &self.0
    }

    fn observe(
        &self,
        round: u32,
        records: &mut [Record],
        known: &dyn Known,
        emitted: &mut Emitted,
        _: &mut Effects,
    ) {
        let mut row = Row::default();
        for (index, record) in (0..).zip(records) {
            if round == 1 {
                // Documents of a group, the one with the longest text first, with their text behind.
                if let Some(found) = known.first(0, record.position).unwrap() {
                    let length = record.document.text.len() as u64;
                    row.begin().position(found.first).u64(u64::MAX - length);
                    emitted.push(index, row.bytes(record.document.text.as_bytes()).as_bytes());
                }
                continue;
            }
            for (key, value) in words(&record.document.text) {
                emitted.push(index, row.begin().u64(key).i64(value).as_bytes());
            }
            if record.document.text.contains("bad") {
                record.fate = Fate::Failed("it is bad".into());
            }
        }
    }

    fn visit(
        &self,
        _: u32,
        group: &mut dyn Group,
        _: &dyn Known,
        facts: &mut Emitted,
    ) -> Result<(), Failure> {
        let mut kept = None;
        let mut row = Row::default();
        while let Some(entry) = group.advance()? {
            let mut columns = Columns::of(entry);
            let (_, length, position) = (columns.position(), columns.u64(), columns.position().unwrap());
            assert_eq!(length, Some(u64::MAX - columns.rest().len() as u64), "its text stands behind");
            let kept = *kept.get_or_insert(position);
            facts.push(0, row.begin().position(position).position(kept).as_bytes());
        }
        Ok(())
    }

    fn apply(&self, records: &mut [Record], known: &dyn Known, _: &mut Effects) {
        let round = self.0.rounds.len() as u32 - 1;
        for record in records {
            let mut said = Vec::new();
            let fronts = match self.0.rounds[round as usize].reduce {
                Reduce::Fold(_) => {
                    words(&record.document.text).map(|(key, _)| key.to_be_bytes().to_vec()).collect()
                }
                _ => vec![record.position.to_be_bytes().to_vec()],
            };
            for front in fronts {
                let all = &mut |entry: &[u8]| {
                    said.push(entry.to_vec());
                    true
                };
                known.entries(round, &front, all).unwrap();
            }
            let ids = said.iter().map(|entry| {
                let first = Columns::of(entry.get(POSITION_BYTES..)?).position()?;
                known.id(round, first).ok()?
            });
            let ids: Vec<Option<String>> = ids.collect();
            record.document.metadata.insert("ids", format!("{ids:?}"));
            record.document.metadata.insert("known", format!("{said:?}"));
        }
    }
}

fn round(name: &str, reduce: Reduce) -> Round {
    let columns = vec![Column::I64];
    let ids = !matches!(reduce, Reduce::Fold(_));
    Round { name: name.to_owned(), key: vec![Column::U64], columns, reduce, ids }
}

/// The rounds that the tests go through.
fn all_rounds() -> Vec<Vec<Round>> {
    let groups = || round("ties", Reduce::Groups { edges: 2 });
    let visit = Reduce::Visit { gives: vec![Column::Position] };
    let (key, columns) = (vec![Column::Position], vec![Column::U64]);
    let visited = Round { name: "judged".to_owned(), key, columns, reduce: visit, ids: true };
    vec![
        vec![round("equal", Reduce::First)],
        vec![round("sums", Reduce::Fold(vec![Fold::Sum]))],
        vec![round("least", Reduce::Fold(vec![Fold::Min]))],
        vec![round("most", Reduce::Fold(vec![Fold::Max]))],
        vec![groups()],
        vec![groups(), visited],
    ]
}

fn stage(rounds: &[Round], memory: Option<u64>, folder: &Path) -> Keyed {
    let rounds = Rounds { rounds: rounds.to_vec(), observes: "words".to_owned(), max_state_bytes: memory };
    rounds.check().unwrap();
    let stage = Keyed::new("words", Box::new(Words(rounds)));
    if memory.is_some() {
        std::fs::create_dir_all(folder).unwrap();
        let (scratch, keep) = (folder.to_owned(), folder.to_owned());
        stage.prepare(&Workspace { scratch, keep, memory: 0, threads: 2 }).unwrap();
    }
    stage
}

fn records(texts: &[String]) -> Vec<Record> {
    let record = |(n, text): (usize, &String)| Record {
        position: n as u128 * 3 + 1,
        ..Record::from(Document::new(format!("d{n}"), text.as_str()))
    };
    texts.iter().enumerate().map(record).collect()
}

fn observe(stage: &Keyed, pass: u32, records: &[Record]) {
    // From the end, one by one: the order must not matter.
    for record in records.iter().rev() {
        stage.observe(pass, &mut [record.clone()], &mut Effects::default());
    }
    stage.merge(pass).unwrap();
}

fn saved(stage: &Keyed, pass: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    stage.save(pass, &mut bytes).unwrap();
    bytes
}

/// What a round has brought, behind three bytes of something else.
fn outcome(stage: &Keyed, pass: u32) -> Vec<u8> {
    let mut bytes = b"abc".to_vec();
    stage.save_outcome(pass, &mut bytes).unwrap();
    bytes
}

fn applied(stage: &Keyed, records: &[Record]) -> Vec<(String, String)> {
    let mut records = records.to_vec();
    stage.apply(&mut records, &mut Effects::default());
    let field = |record: &Record, name| {
        record.document.metadata.get(name).and_then(|value| value.as_str()).unwrap_or_default().to_owned()
    };
    records.iter().map(|record| (field(record, "known"), field(record, "ids"))).collect()
}

/// Entries and ids of each document, worked out plainly.
fn model(rounds: &[Round], records: &[Record]) -> Vec<(String, String)> {
    let mut rows = BTreeSet::new();
    for record in records.iter().filter(|record| !record.document.text.contains("bad")) {
        for (key, value) in words(&record.document.text) {
            rows.insert((key, value, record.position));
        }
    }
    let mut of_key = BTreeMap::<u64, Vec<u128>>::new();
    for (key, _, position) in &rows {
        let positions = of_key.entry(*key).or_default();
        if !positions.contains(position) {
            positions.push(*position);
        }
    }
    let mut facts = BTreeSet::<(u128, u128, u64)>::new();
    match &rounds[0].reduce {
        Reduce::First => {
            for positions in of_key.values().filter(|positions| positions.len() > 1) {
                facts.insert((positions[0], positions[0], positions.len() as u64));
                facts.extend(positions[1..].iter().map(|position| (*position, positions[0], 0)));
            }
        }
        Reduce::Groups { .. } => facts.extend(groups(&of_key)),
        _ => {}
    }
    let by_position: BTreeMap<u128, &Record> =
        records.iter().map(|record| (record.position, record)).collect();
    let known = |record: &Record| -> Vec<Vec<u8>> {
        if let Reduce::Fold(folds) = &rounds[0].reduce {
            return words(&record.document.text)
                .filter_map(|(key, _)| folded(key, folds[0], records))
                .collect();
        }
        let of_record = facts.iter().filter(|(position, ..)| *position == record.position);
        let entry = |(position, first, size): &(u128, u128, u64)| {
            if rounds.len() == 1 {
                return Row::default().position(*position).position(*first).u64(*size).as_bytes().to_vec();
            }
            // The longest text of the group is kept, the first of several.
            let group = facts.iter().filter(|(_, other, _)| other == first).map(|(position, ..)| position);
            let longest = group
                .min_by_key(|position| (usize::MAX - by_position[position].document.text.len(), **position));
            Row::default().position(*position).position(*longest.unwrap()).as_bytes().to_vec()
        };
        of_record.map(entry).collect()
    };
    let id = |entry: &Vec<u8>| {
        let first = Columns::of(entry.get(POSITION_BYTES..)?).position()?;
        Some(by_position.get(&first)?.document.id.clone())
            .filter(|_| !matches!(rounds[0].reduce, Reduce::Fold(_)))
    };
    records
        .iter()
        .map(|record| {
            let entries = known(record);
            (format!("{entries:?}"), format!("{:?}", entries.iter().map(id).collect::<Vec<_>>()))
        })
        .collect()
}

fn folded(key: u64, fold: Fold, records: &[Record]) -> Option<Vec<u8>> {
    let good = records.iter().filter(|record| !record.document.text.contains("bad"));
    let values = good.flat_map(|record| words(&record.document.text)).filter(|(of, _)| *of == key);
    let value = values.map(|(_, value)| value).reduce(|one, other| match fold {
        Fold::Sum => one.wrapping_add(other),
        Fold::Min => one.min(other),
        Fold::Max => one.max(other),
    });
    Some(Row::default().u64(key).i64(value?).as_bytes().to_vec())
}

/// What is tied together, by painting again and again.
fn groups(of_key: &BTreeMap<u64, Vec<u128>>) -> BTreeSet<(u128, u128, u64)> {
    let mut colour: BTreeMap<u128, u128> = of_key
        .values()
        .filter(|all| all.len() > 1)
        .flatten()
        .map(|position| (*position, *position))
        .collect();
    loop {
        let before = colour.clone();
        for positions in of_key.values().filter(|all| all.len() > 1) {
            let least = positions.iter().map(|position| colour[position]).min().unwrap();
            colour.extend(positions.iter().map(|position| (*position, least)));
        }
        if colour == before {
            break;
        }
    }
    let size = |first: u128| colour.values().filter(|other| **other == first).count() as u64;
    let fact = |(position, first): (&u128, &u128)| {
        (*position, *first, if position == first { size(*first) } else { 0 })
    };
    let all: BTreeSet<_> = colour.iter().map(fact).collect();
    assert!(all.iter().all(|(_, _, size)| *size != 1), "nobody is alone: {}", First::WIDTH);
    all
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_reducer_is_what_it_says(
        texts in prop::collection::vec("(([0-9]|1[0-9]):-?[0-3] ){0,3}(bad)?", 0..30),
        memory in prop::sample::select(vec![None, Some(0), Some(5000), Some(1 << 20)]),
        shards in prop::collection::vec(0_usize..3, 30),
    ) {
        let records = records(&texts);
        let folder = tempfile::tempdir().unwrap();
        for rounds in all_rounds() {
            let expected = model(&rounds, &records);
            let whole = stage(&rounds, None, folder.path());
            let merging = stage(&rounds, memory, &folder.path().join(format!("{}-{}", rounds[0].name, rounds.len())));
            for pass in 0..rounds.len() as u32 {
                observe(&whole, pass, &records);
                for shard in 0..3 {
                    // A shard knows what the rounds before have brought, from merged states.
                    let part = stage(&rounds, memory, &folder.path().join(format!("{}-{shard}-{pass}", rounds[0].name)));
                    if pass == 1 {
                        part.load(0, &mut &saved_first(&rounds, &records)[..]).unwrap();
                        part.end_pass(0).unwrap();
                    }
                    let of_shard: Vec<Record> =
                        records.iter().zip(&shards).filter(|(_, of)| **of == shard).map(|(record, _)| record.clone()).collect();
                    observe(&part, pass, &of_shard);
                    merging.load(pass, &mut &saved(&part, pass)[..]).unwrap();
                }
                prop_assert!(saved(&merging, pass) == saved(&whole, pass), "{:?}", rounds);
                whole.end_pass(pass).unwrap();
                merging.end_pass(pass).unwrap();
            }
            prop_assert_eq!(&applied(&whole, &records), &expected, "{:?}", rounds);
            prop_assert_eq!(&applied(&merging, &records), &expected, "{:?}", rounds);
            // One that is given what the rounds have brought needs none of the rows.
            let given = stage(&rounds, memory, &folder.path().join("given"));
            for pass in 0..rounds.len() as u32 {
                let path = folder.path().join(format!("{}-{pass}.outcome", rounds[0].name));
                std::fs::write(&path, outcome(&merging, pass)).unwrap();
                given.open_outcome(pass, &path, 3).unwrap();
                prop_assert!(given.open_outcome(pass, &path, 3).is_err());
            }
            prop_assert_eq!(&applied(&given, &records), &expected, "{:?}", rounds);
        }
    }

    #[test]
    fn what_is_no_state_is_refused(
        texts in prop::collection::vec("([0-9]:[0-3] ){0,3}", 0..9), at in any::<prop::sample::Index>(), bit in 0_u8..8, cut in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let rounds = &all_rounds()[0];
        let whole = stage(rounds, None, folder.path());
        observe(&whole, 0, &records(&texts));
        let mut state = saved(&whole, 0);
        let at = at.index(state.len());
        if cut { state.truncate(at) } else { state[at] ^= 1_u8 << bit }
        let other = stage(rounds, None, folder.path());
        prop_assert!(other.load(0, &mut &state[..]).is_err());
    }

    #[test]
    fn what_is_no_outcome_is_refused(
        texts in prop::collection::vec("([0-9]:[0-3] ){0,3}", 0..9), at in any::<prop::sample::Index>(), bit in 0_u8..8, cut in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let rounds = &all_rounds()[0];
        let whole = stage(rounds, None, folder.path());
        observe(&whole, 0, &records(&texts));
        whole.end_pass(0).unwrap();
        let mut bytes = outcome(&whole, 0);
        // Pages are looked at when they are asked for: `tamis-sort` has a test of these.
        let header = u32::from_le_bytes(*bytes[3..].first_chunk().unwrap()) as usize;
        let at = 3 + at.index(if cut { bytes.len() - 3 } else { 4 + header + 16 });
        if cut { bytes.truncate(at) } else { bytes[at] ^= 1_u8 << bit }
        let path = folder.path().join("damaged");
        std::fs::write(&path, bytes).unwrap();
        let other = stage(rounds, None, folder.path());
        prop_assert!(other.open_outcome(0, &path, 3).is_err());
    }
}

/// The state of the first round over all documents.
fn saved_first(rounds: &[Round], records: &[Record]) -> Vec<u8> {
    let stage = stage(rounds, None, Path::new(""));
    observe(&stage, 0, records);
    saved(&stage, 0)
}

#[test]
fn a_chain_is_one_group_however_long() {
    let texts: Vec<String> = (0..3000).map(|n| format!("{n}:0 {}:0", n + 1)).collect();
    let records = records(&texts);
    let folder = tempfile::tempdir().unwrap();
    let stage = stage(&[round("ties", Reduce::Groups { edges: 1 })], Some(1 << 16), folder.path());
    observe(&stage, 0, &records);
    stage.end_pass(0).unwrap();
    let found = applied(&stage, &records);
    assert!(found.iter().all(|(_, ids)| ids == r#"[Some("d0")]"#), "{:?}", found.last());
    let expected = Row::default().position(1).position(1).u64(3000).as_bytes().to_vec();
    assert_eq!(found[0].0, format!("{:?}", vec![expected]));
}

#[test]
fn a_state_of_something_else_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let rounds = all_rounds();
    let state = saved_first(&rounds[0], &records(&["1:1".to_owned()]));
    let load = |stage: &Keyed| stage.load(0, &mut &state[..]).unwrap_err().to_string();
    let other = load(&stage(&rounds[1], None, folder.path()));
    assert!(other.starts_with(r#"the state of `words` is of another round: {"name":"equal""#), "{other}");
    let options = Rounds { rounds: rounds[0].clone(), observes: "letters".to_owned(), max_state_bytes: None };
    let other = load(&Keyed::new("words", Box::new(Words(options.clone()))));
    assert_eq!(other, "the state of `words` was saved with other options: words there, letters here");
    let other = load(&Keyed::new("others", Box::new(Words(options))));
    assert_eq!(other, "the state was saved by `words`, not by `others`");
    for bytes in [&b""[..], b"no state at all", &[0xFF; 64], &[0; 4096]] {
        let said = stage(&rounds[0], None, folder.path()).load(0, &mut &*bytes).unwrap_err().to_string();
        assert_eq!(said, "these bytes are no saved state of `words`");
    }
    let longer = [&state[..], b"x"].concat();
    let said = stage(&rounds[0], None, folder.path()).load(0, &mut &longer[..]).unwrap_err().to_string();
    assert_eq!(said, "these bytes are no whole saved state of `words`: more bytes follow its end");
}

#[test]
fn ids_that_nobody_will_ask_for_are_not_saved() {
    let size = |text: &dyn Fn(usize) -> String| {
        let mut records = records(&(0..100).map(text).collect::<Vec<_>>());
        for record in &mut records {
            record.document.id = "x".repeat(1000);
        }
        saved_first(&all_rounds()[0], &records).len()
    };
    assert!(size(&|_| "7:0".to_owned()) < 6000);
    assert!(size(&|n| format!("{n}:0")) > 100_000);
}
