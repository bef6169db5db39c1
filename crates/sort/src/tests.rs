use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;

/// Everything that a sorter gives out.
fn entries(sorter: &Sorter) -> Vec<Vec<u8>> {
    let mut merged = sorter.merged().unwrap();
    let mut entries = Vec::new();
    while let Some(entry) = merged.advance().unwrap() {
        entries.push(entry.to_vec());
    }
    entries
}

/// Takes entries in batches, each on a thread of its own.
fn sorted(batches: &[Vec<Vec<u8>>], shape: Shape, combine: &Combine, place: Option<&Place>) -> Sorter {
    let sorter = Sorter::new("entries", shape, combine.clone(), place);
    std::thread::scope(|scope| {
        for entries in batches {
            scope.spawn(|| fill(&sorter, entries));
        }
    });
    sorter
}

fn fill(sorter: &Sorter, entries: &[Vec<u8>]) {
    let mut batch = Batch::default();
    for entry in entries {
        sorter.push(&mut batch, entry);
    }
    sorter.add(&mut batch);
}

fn n_files(folder: &Path) -> usize {
    std::fs::read_dir(folder).unwrap().count()
}

/// Adds the last two bytes, as a number.
fn adding() -> Combine {
    Combine::Fold(Arc::new(|entry, next| {
        let at = entry.len() - 2;
        let number = |bytes: &[u8]| bytes[at..].first_chunk().map_or(0, |tail| u16::from_be_bytes(*tail));
        let sum = number(entry).wrapping_add(number(next));
        entry[at..].copy_from_slice(&sum.to_be_bytes());
    }))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_order_threads_and_memory_give_the_same_bytes(
        batches in prop::collection::vec(prop::collection::vec(prop::collection::vec(0_u8..4, 3..12), 0..40), 0..8),
        memory in prop::sample::select(vec![0_u64, 200, 4096, 1 << 20]),
        n_loaded in 0_usize..8,
        is_fixed in any::<bool>(),
    ) {
        let batches: Vec<Vec<Vec<u8>>> = batches.into_iter().map(|batch| batch.into_iter().map(|mut entry| {
            if is_fixed { entry.resize(12, 1) }
            entry
        }).collect()).collect();
        let shape = if is_fixed { Shape::fixed(10, 12) } else { Shape::varied(3) };
        let mut all: Vec<_> = batches.concat();
        all.sort();
        let folder = tempfile::tempdir().unwrap();
        for (index, combine) in [Combine::All, Combine::Unique, adding()].iter().enumerate() {
            if index == 2 && !is_fixed { continue; }
            let place = Place::new(folder.path(), memory, 3).with_fan_in(3);
            let (here, there) = batches.split_at(n_loaded.min(batches.len()));
            let sorter = sorted(here, shape, combine, Some(&place));
            // What other shards have seen comes as one sorted run.
            let mut other = sorted(there, shape, combine, None).merged().unwrap();
            sorter.add_run(|entry| {
                let next = other.advance()?;
                if let Some(next) = next { entry.extend_from_slice(next) }
                Ok::<_, SortError>(next.is_some())
            }).unwrap();
            let mut expected = all.clone();
            match index {
                1 => expected.dedup(),
                2 => {
                    let mut sums = BTreeMap::<Vec<u8>, u16>::new();
                    for entry in &all {
                        let sum = sums.entry(entry[..10].to_vec()).or_default();
                        *sum = sum.wrapping_add(u16::from_be_bytes([entry[10], entry[11]]));
                    }
                    expected = sums.into_iter().map(|(key, sum)| [key, sum.to_be_bytes().to_vec()].concat()).collect();
                }
                _ => {}
            }
            prop_assert_eq!(&entries(&sorter), &expected);
            // Twice: they are still there.
            prop_assert_eq!(&entries(&sorter), &expected);
            let mut drained = sorter.drain().unwrap();
            while drained.advance().unwrap().is_some() {}
            drop(drained);
            prop_assert_eq!(n_files(folder.path()), 0);
            prop_assert!(entries(&sorter).is_empty());
        }
    }

    #[test]
    fn a_table_is_a_map_in_memory_and_on_the_disk(
        keys in prop::collection::btree_set((0_u16..300, 0_u16..40), 0..1500),
        fronts in prop::collection::vec(0_u16..301, 0..50),
        memory in prop::sample::select(vec![0_u64, 1 << 16, 1 << 30]),
        is_fixed in any::<bool>(),
    ) {
        let entry = |(a, b): (u16, u16)| {
            let mut entry = [a.to_be_bytes(), b.to_be_bytes()].concat();
            entry.resize(if is_fixed { 20 } else { usize::from(a % 50) + 4 }, 7);
            entry
        };
        let shape = if is_fixed { Shape::fixed(4, 20) } else { Shape::varied(4) };
        let folder = tempfile::tempdir().unwrap();
        let mut writer = TableWriter::new("table", shape, Some(&Place::new(folder.path(), memory, 1)));
        for key in &keys {
            writer.push(&entry(*key)).unwrap();
        }
        let table = writer.finish().unwrap();
        // In a file of somebody else's, with something before it and behind it, it is the same.
        let path = folder.path().join("saved");
        let mut file = b"before".to_vec();
        table.save(&mut file).unwrap();
        let end = file.len() as u64;
        file.extend_from_slice(b"behind");
        std::fs::write(&path, file).unwrap();
        let mut at = 6;
        let opened = Table::open(&path, &mut at, shape).unwrap();
        prop_assert_eq!(at, end);
        for (table, front) in [&table, &opened].into_iter().flat_map(|table| fronts.iter().map(move |front| (table, *front))) {
            let (mut cursor, mut found) = (table.cursor(), Vec::new());
            cursor.each(&front.to_be_bytes(), |entry| {
                found.push(entry.to_vec());
                found.len() < 30
            }).unwrap();
            let expected: Vec<_> = keys.range((front, 0)..(front + 1, 0)).take(30).map(|key| entry(*key)).collect();
            prop_assert_eq!(cursor.first(&front.to_be_bytes()).unwrap(), expected.first().cloned());
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn arbitrary_bytes_are_no_blocks(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let mut blocks = BlockReader::new(&bytes[..]);
        let all_read = loop {
            match blocks.advance(u32::MAX) {
                Ok(true) => {}
                other => break other.is_ok(),
            }
        };
        prop_assert!(!all_read);
    }
}

#[test]
fn many_runs_are_merged_in_levels() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(folder.path(), 0, 1).with_fan_in(3);
    let batches: Vec<Vec<Vec<u8>>> = (0_u8..50).map(|number| vec![vec![number % 7, number]]).collect();
    let sorter = sorted(&batches, Shape::fixed(1, 2), &Combine::All, Some(&place));
    assert_eq!(n_files(folder.path()), 50);
    assert_eq!(entries(&sorter).len(), 50);
    assert!(n_files(folder.path()) <= 3);
}

#[test]
fn a_full_disk_is_remembered_until_somebody_can_be_told() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(folder.path().join("gone"), 0, 1);
    let sorter = sorted(&[vec![vec![1]], vec![vec![2]]], Shape::fixed(1, 1), &Combine::All, Some(&place));
    for _ in 0..2 {
        let said = sorter.merged().unwrap_err().to_string();
        assert!(said.contains("entries-000000.run` cannot be written: "), "{said}");
        assert!(said.ends_with("run the same command again"), "{said}");
    }
}

#[test]
fn a_flipped_bit_is_an_error_and_no_other_entry() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(folder.path(), 0, 1);
    let sorter = sorted(&[vec![vec![1, 2, 3]]], Shape::fixed(1, 3), &Combine::All, Some(&place));
    let mut writer = TableWriter::new("some", Shape::fixed(2, 4), Some(&place));
    (0..5000_u16).for_each(|n| writer.push(&[n.to_be_bytes(), [1, 1]].concat()).unwrap());
    let table = writer.finish().unwrap();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let path = file.unwrap().path();
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[5] ^= 4;
        std::fs::write(&path, bytes).unwrap();
    }
    let said = sorter.merged().unwrap_err().to_string();
    assert!(said.contains(".run` cannot be read: block 1 has a wrong checksum"), "{said}");
    let said = table.cursor().first(&[0, 0]).unwrap_err().to_string();
    assert!(
        said.starts_with("page 1 of the work file") && said.ends_with("was damaged: run again"),
        "{said}"
    );
    assert_eq!(table.cursor().first(&4999_u16.to_be_bytes()).unwrap(), Some(vec![0x13, 0x87, 1, 1]));
}

#[test]
fn a_run_out_of_order_or_of_another_shape_is_refused() {
    for bad in [[vec![2, 0], vec![1, 0]], [vec![1, 0], vec![2]]] {
        let sorter = Sorter::new("entries", Shape::fixed(1, 2), Combine::All, None);
        let mut bad = bad.iter();
        let added = sorter.add_run(|entry| {
            let next = bad.next();
            entry.extend(next.into_iter().flatten());
            Ok::<_, SortError>(next.is_some())
        });
        assert_eq!(added.unwrap_err().to_string(), "its entries are not in order");
        assert!(entries(&sorter).is_empty());
    }
}
