//! How fast entries are sorted, beside what no sorter can be faster than.
//!
//! `cargo bench -p tamis-sort`
//!
//! An entry is what exact duplicates take: a hash of 16 bytes and a position of 16. The limits are to copy the
//! bytes twice (in and out), and to sort numbers of the same size that lie in one array.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use tamis_sort::{Batch, Combine, Place, Shape, Sorter};

const N: u128 = 1_000_000;
const WIDTH: usize = 32;

/// Hashes as they come, with positions that grow.
fn entries() -> Vec<[u8; WIDTH]> {
    let entry = |n: u128| {
        let hash = (n + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15_F39C_C060_5CED_C835);
        let mut entry = [0; WIDTH];
        entry[..16].copy_from_slice(&(hash ^ hash.rotate_left(64)).to_be_bytes());
        entry[16..].copy_from_slice(&n.to_be_bytes());
        entry
    };
    (0..N).map(entry).collect()
}

fn sort(entries: &[[u8; WIDTH]], place: Option<&Place>) -> u64 {
    let sorter = Sorter::new("bench", Shape::fixed(16, WIDTH), Combine::Unique, place);
    let mut batch = Batch::default();
    for entry in entries {
        sorter.push(&mut batch, entry);
    }
    sorter.add(&mut batch);
    let mut merged = sorter.drain().expect("the disk is there");
    let mut n_entries = 0;
    while merged.advance().expect("the disk is there").is_some() {
        n_entries += 1;
    }
    n_entries
}

fn all(criterion: &mut Criterion) {
    let entries = entries();
    let folder = tempfile::tempdir().expect("there is a temporary folder");
    let mut group = criterion.benchmark_group("a million entries of 32 bytes");
    group.throughput(Throughput::Bytes((N as usize * WIDTH) as u64)).sample_size(10);
    group.bench_function("in memory", |bencher| bencher.iter(|| sort(&entries, None)));
    for mebibytes in [64_u64, 16, 4] {
        let place = Place::new(folder.path(), mebibytes << 20, 1);
        group.bench_function(format!("in {mebibytes} MiB"), |bencher| {
            bencher.iter(|| sort(&entries, Some(&place)));
        });
    }
    group.bench_function("limit: two copies", |bencher| {
        bencher.iter(|| black_box(black_box(entries.clone()).clone()));
    });
    group.bench_function("limit: numbers in an array", |bencher| {
        let pair = |entry: &[u8; WIDTH]| {
            let half = |half: &[u8]| half.first_chunk().map_or(0, |bytes| u128::from_be_bytes(*bytes));
            (half(&entry[..16]), half(&entry[16..]))
        };
        bencher.iter(|| {
            let mut numbers: Vec<_> = entries.iter().map(pair).collect();
            numbers.sort_unstable();
            black_box(numbers)
        });
    });
    group.finish();
}

criterion_group!(benches, all);
criterion_main!(benches);
