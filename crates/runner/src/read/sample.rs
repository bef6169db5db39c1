//! Some records from all over the inputs, for whoever wants to see what they are before anything runs.

use std::collections::BTreeSet;

use tamis_config::Opened;

use crate::error::RunError;
use crate::observer::Events;
use crate::read::cutter::Cutter;
use crate::read::find::{Found, found_in, helped};
use crate::read::inputs::{self, Inputs};
use crate::read::stream::Opener;
use crate::read::unpack::Unpacker;
use crate::work::task::{Block, Piece};

/// So many files are opened.
const MOST_FILES: usize = 1000;
/// So much is read of all of them, in bytes.
const MOST_BYTES: u64 = 128 << 20;
/// So much is read of a file when there are many, in bytes.
const LEAST_BYTES: u64 = 128 << 10;
/// So many blocks of a file are kept; when there are twice as many, every second one goes.
const MOST_BLOCKS: usize = 16;

/// So many names of files are looked at for endings that the sample has not, and so many such files are opened.
const MOST_NAMES: usize = 200_000;
const MOST_ENDINGS: usize = 64;

/// Some records, and what they were taken from.
#[derive(Debug, Clone, Default)]
pub struct Sample {
    /// The records, in corpus order; those that cannot be read have failed.
    pub records: Vec<Found>,
    /// How many files the inputs have.
    pub n_files: u64,
    /// Their bytes.
    pub n_bytes: u64,
    /// The names of the files that were looked into.
    pub files: Vec<String>,
    /// The first record of a file of each ending that none of these has.
    pub rare: Vec<Found>,
}

/// Takes some `wanted` records, spread over the files and over what is read of each: of a large collection 1,000 files and
/// 128 MiB. The same inputs give the same sample.
///
/// # Errors
///
/// When the inputs cannot be listed, or the machine breaks while they are read.
pub fn sample(opened: &Opened, wanted: usize) -> Result<Sample, RunError> {
    let inputs = inputs::list(&opened.plan, &opened.run)?;
    let temporary = std::env::temp_dir();
    let scratch = tempfile::tempdir().map_err(RunError::write(&temporary))?;
    let open_with = Opener::with(helped(), Unpacker::new(scratch.path().to_owned()));
    let n_files = inputs.len();
    let chosen = spread(n_files, MOST_FILES.min(wanted.max(1)));
    let each = (MOST_BYTES / chosen.len().max(1) as u64).max(LEAST_BYTES);
    let wanted_each = wanted.div_ceil(chosen.len().max(1));
    let mut sample =
        Sample { n_files: n_files as u64, n_bytes: inputs.size_of(0..n_files), ..Sample::default() };
    for file in chosen {
        sample.files.push(inputs.get(file).name.to_string());
        let cutter = Cutter::new(opened, Events::NONE, &open_with, &inputs, file..file + 1, None);
        let blocks = blocks(cutter, each)?;
        let per_block = wanted_each.div_ceil(blocks.len().max(1));
        for pieces in blocks {
            let records: Vec<Found> =
                pieces.into_iter().flat_map(|piece| found_in(opened, piece, |_| true)).collect();
            let places = spread(records.len(), per_block);
            let mut places = places.into_iter().peekable();
            let chosen = records.into_iter().enumerate().filter(|(at, _)| places.next_if_eq(at).is_some());
            sample.records.extend(chosen.map(|(_, record)| record));
        }
    }
    let mut places = spread(sample.records.len(), wanted).into_iter().peekable();
    let mut at = 0..;
    sample.records.retain(|_| at.next().is_some_and(|at| places.next_if_eq(&at).is_some()));
    for file in of_other_endings(&inputs, &sample.files) {
        let cutter = Cutter::new(opened, Events::NONE, &open_with, &inputs, file..file + 1, None);
        let first = blocks(cutter, LEAST_BYTES)?.into_iter().flatten().next();
        sample.rare.extend(first.and_then(|piece| found_in(opened, piece, |_| true).into_iter().next()));
    }
    Ok(sample)
}

/// The first file of each ending that none of the files has that were looked into.
fn of_other_endings(inputs: &Inputs, seen: &[String]) -> Vec<usize> {
    let mut known: BTreeSet<String> =
        seen.iter().filter_map(|name| ending(name)).map(str::to_owned).collect();
    let mut is_new =
        |file: &usize| ending(&inputs.get(*file).name).is_some_and(|it| known.insert(it.to_owned()));
    // Of a list that does not end, what stands all over it.
    spread(inputs.len(), MOST_NAMES).into_iter().filter(|file| is_new(file)).take(MOST_ENDINGS).collect()
}

/// What stands behind the last point of the name of a file.
fn ending(name: &str) -> Option<&str> {
    let name = name.rsplit('/').next()?;
    name.rsplit_once('.').map(|(_, ending)| ending)
}

/// Some blocks of a file, from all over what is read of it.
fn blocks(mut cutter: Cutter<'_>, most_bytes: u64) -> Result<Vec<Vec<Piece>>, RunError> {
    let (mut kept, mut step, mut n_read, mut at) = (Vec::new(), 1, 0, 0_usize);
    while !cutter.is_done() && n_read < most_bytes {
        let mut block = Block::default();
        cutter.fill(&mut block)?;
        n_read += block.weight;
        if block.pieces.is_empty() {
            continue;
        }
        if at.is_multiple_of(step) {
            kept.push(block.pieces);
        }
        at += 1;
        if kept.len() == 2 * MOST_BLOCKS {
            let mut is_odd = true;
            kept.retain(|_| {
                is_odd = !is_odd;
                !is_odd
            });
            step *= 2;
        }
    }
    Ok(kept)
}

/// So many places of `n`, at equal distances; all of them if there are no more.
fn spread(n: usize, wanted: usize) -> Vec<usize> {
    if n <= wanted {
        return (0..n).collect();
    }
    (0..wanted).map(|index| index * n / wanted).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_lie_at_equal_distances() {
        assert_eq!(spread(10, 3), [0, 3, 6]);
        assert_eq!(spread(2, 5), [0, 1]);
        assert!(spread(0, 5).is_empty() && spread(5, 0).is_empty());
    }
}
