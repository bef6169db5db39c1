//! Tables of any rows read back as they were written.

use proptest::prelude::*;
use tamis_document::{Fate, Limit, Measure};

use super::row::{ENTRY, MAGIC, TAIL};
use super::*;

fn row(id: &str, position: u128, fate: Fate, measures: &[(&'static str, f64, Limit)]) -> FateRow {
    let stage = (fate != Fate::Kept).then(|| "length".to_owned());
    let measures = measures.iter().map(|(name, value, limit)| Measure {
        name: (*name).into(),
        value: *value,
        limit: *limit,
    });
    FateRow { id: id.to_owned(), position, fate, stage, measures: measures.collect() }
}

fn block(rows: &[FateRow]) -> Option<Block> {
    let mut builder = Builder::default();
    for row in rows {
        builder.push(&row.id, row.position, &row.fate, row.stage.as_deref(), &row.measures);
    }
    builder.finish().unwrap()
}

/// The table of some sweeps, each in blocks of these rows.
fn table(folder: &std::path::Path, sweeps: &[Vec<Vec<FateRow>>]) -> Fates {
    let sweeps: Vec<_> = sweeps
        .iter()
        .enumerate()
        .map(|(number, blocks)| {
            let path = folder.join(format!("sweep-{number}"));
            let mut writer = FateWriter::open(path.clone(), 0).unwrap();
            blocks.iter().filter_map(|rows| block(rows)).for_each(|it| writer.write(&it).unwrap());
            (path, writer.save().unwrap())
        })
        .collect();
    let path = folder.join("fates");
    let entry = finish(&sweeps, &path, "fates").unwrap();
    let bytes = std::fs::read(&path).unwrap();
    assert_eq!((entry.bytes, &*entry.blake3), (bytes.len() as u64, &*blake3::hash(&bytes).to_hex()));
    let fates = Fates::open(&path).unwrap();
    assert_eq!(fates.len(), entry.records);
    fates
}

fn all(fates: &mut Fates) -> Vec<FateRow> {
    fates.rows().collect::<Result<_, _>>().unwrap()
}

/// Values that the table keeps as they are.
fn value() -> impl Strategy<Value = f64> {
    prop_oneof![(0..=4096_i32).prop_map(f64::from), Just(0.5), Just(-0.125), Just(f64::INFINITY)]
}

fn any_row() -> impl Strategy<Value = (String, u128, FateRow)> {
    let fate = prop_oneof![
        Just(Fate::Kept),
        "[a-z]{0,3}".prop_map(|reason| Fate::Dropped(reason.into())),
        "\\PC{0,9}".prop_map(|reason| Fate::Failed(reason.into())),
    ];
    let limit = prop_oneof![Just(Limit::None), Just(Limit::Min(3.0)), Just(Limit::Max(0.25))];
    let measure = (prop_oneof![Just("chars"), Just("words")], value(), limit);
    let measures = proptest::collection::vec(measure, 0..=8);
    ("\\PC{0,6}", 0..3_u128, 0..1_u128 << 90, fate, measures).prop_map(
        |(id, same, further, fate, measures)| {
            let further = if same == 0 { 0 } else { further };
            (id.clone(), further, row(&id, 0, fate, &measures))
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn rows_read_back_and_are_found(
        rows in proptest::collection::vec(any_row(), 0..60),
        cuts in proptest::collection::vec(0..60_usize, 0..5),
        apart in proptest::collection::vec(any::<bool>(), 60),
    ) {
        let mut position = 0;
        let rows: Vec<FateRow> = rows.into_iter().map(|(_, further, row)| {
            position += further;
            FateRow { position, ..row }
        }).collect();
        let folder = tempfile::tempdir().unwrap();
        let mut blocks = vec![Vec::new()];
        for (at, row) in rows.iter().enumerate() {
            if cuts.contains(&at) { blocks.push(Vec::new()); }
            blocks.last_mut().unwrap().push(row.clone());
        }
        let mut fates = table(folder.path(), &[blocks]);
        prop_assert_eq!(&all(&mut fates), &rows);
        for wanted in rows.iter().take(5) {
            let same = |by: &dyn Fn(&FateRow) -> bool| rows.iter().filter(|row| by(row)).cloned().collect::<Vec<_>>();
            prop_assert_eq!(fates.find(&wanted.id).unwrap(), same(&|row| row.id == wanted.id));
            prop_assert_eq!(fates.at(wanted.position).unwrap(), same(&|row| row.position == wanted.position));
        }
        prop_assert!(fates.find("no such id").unwrap().is_empty());
        // Shared out to two sweeps, they come together again.
        let (mut first, mut second) = (Vec::new(), Vec::new());
        for (row, first_sweep) in rows.iter().zip(apart) {
            if first_sweep { first.push(row.clone()) } else { second.push(row.clone()) }
        }
        let merged = all(&mut table(folder.path(), &[vec![first], vec![second]]));
        prop_assert!(merged.is_sorted_by_key(|row| row.position));
        let sorted = |rows: &[FateRow]| {
            let mut lines: Vec<_> = rows.iter().map(|row| format!("{row:?}")).collect();
            lines.sort_unstable();
            lines
        };
        prop_assert_eq!(sorted(&merged), sorted(&rows));
    }

    #[test]
    fn a_value_is_off_by_little(value in -1e30..1e30_f64) {
        let rows = [row("a", 0, Fate::Kept, &[("x", value, Limit::None)])];
        let read = block(&rows).unwrap().unpack().unwrap().remove(0).measures[0].value;
        prop_assert!((read - value).abs() <= value.abs() * 0.000_25, "{value} became {read}");
        // What is merged later must not drift.
        let again = [row("a", 0, Fate::Kept, &[("x", read, Limit::None)])];
        prop_assert_eq!(block(&again).unwrap().unpack().unwrap(), again);
    }
}

#[test]
fn a_rounded_value_stays_on_its_side_of_the_limit() {
    for value in [4999.0, 4999.9, 5000.0, 5000.1, 5001.0, 123_456.7] {
        for limit in [Limit::Min(5000.0), Limit::Max(5000.0), Limit::Min(123_456.0)] {
            let rows = [row("a", 0, Fate::Kept, &[("x", value, limit)])];
            let read = block(&rows).unwrap().unpack().unwrap().remove(0).measures.remove(0);
            assert_eq!(read.holds(), rows[0].measures[0].holds(), "{value} {limit:?} became {}", read.value);
        }
    }
}

#[test]
fn of_many_measures_those_stay_that_tell_why() {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"];
    let limit = |name: &str| if name == "b" { Limit::Max(0.0) } else { Limit::Max(9.0) };
    let measures: Vec<_> = names.iter().map(|name| (*name, 1.0, limit(name))).collect();
    let read = block(&[row("a", 0, Fate::Kept, &measures)]).unwrap().unpack().unwrap().remove(0);
    let kept: Vec<_> = read.measures.iter().map(|measure| measure.name.as_ref()).collect();
    assert_eq!(kept, ["b", "d", "e", "f", "g", "h", "i", "j"]);
}

#[test]
fn a_record_takes_few_bytes() {
    let folder = tempfile::tempdir().unwrap();
    // As crawls have them: an address, or what a random 128-bit number looks like.
    let addresses = |n: u64| {
        let number = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        format!("https://www.example-{}.org/{:x}/article-{}.html", n / 97, number >> 52, number % 100_000)
    };
    let uuids = |n: u64| {
        let (a, b) = (n.wrapping_mul(0x9e37_79b9_7f4a_7c15), n.wrapping_mul(0xbf58_476d_1ce4_e5b9));
        format!(
            "{:08x}-{:04x}-{:04x}-{:016x}",
            a >> 32,
            (a >> 16) & 0xffff,
            a & 0xffff,
            b.rotate_left(17) ^ a
        )
    };
    let offsets = |n: u64| format!("dump/2024-11/part-{:05}.jsonl.gz#{}", n / 5000, n * 2311);
    for (ids, most) in [(&addresses as &dyn Fn(u64) -> String, 30), (&uuids, 40), (&offsets, 20)] {
        let fate = |n: u64| if n.is_multiple_of(7) { Fate::Dropped("too-short".into()) } else { Fate::Kept };
        let measures =
            |n: u64| [("chars", (n * 7919 % 9000) as f64, Limit::Min(200.0)), ("words", 0.37, Limit::None)];
        let rows: Vec<_> =
            (0..8_000).map(|n| row(&ids(n), u128::from(n * 2311) << 25, fate(n), &measures(n))).collect();
        table(folder.path(), &[rows.chunks(400).map(<[FateRow]>::to_vec).collect()]);
        let bytes = folder.path().join("fates").metadata().unwrap().len();
        assert!(bytes < 8_000 * most, "{} bytes a record for ids like {}", bytes / 8_000, ids(4_000));
    }
}

#[test]
fn damage_is_found_and_no_rows_are_a_table() {
    let folder = tempfile::tempdir().unwrap();
    assert!(table(folder.path(), &[Vec::new()]).is_empty());
    assert!(table(folder.path(), &[Vec::new(), Vec::new()]).is_empty());
    let rows: Vec<_> = (0..100).map(|n| row(&format!("id {n}"), n << 25, Fate::Kept, &[])).collect();
    table(folder.path(), &[vec![rows]]);
    let path = folder.path().join("fates");
    let whole = std::fs::read(&path).unwrap();
    let said = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        let read = Fates::open(&path).and_then(|mut fates| fates.rows().collect::<Result<Vec<_>, _>>());
        read.map_err(|error| error.to_string())
    };
    assert_eq!(said(&whole).unwrap().len(), 100);
    for at in (MAGIC.len()..whole.len() - TAIL - ENTRY).step_by(3) {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        // Nobody reads four bytes of the header.
        let unused = MAGIC.len() + 4..MAGIC.len() + 8;
        assert_eq!(said(&damaged).is_err(), !unused.contains(&at), "byte {at}");
    }
    assert!(said(&whole[..whole.len() - 1]).unwrap_err().ends_with("it is not whole"));
    assert!(said(b"tamis fates 2\n and more than forty bytes, so that there is a tail").is_err());
}
