//! Finds one record of the inputs again, for whoever explains it: no run, and no more read than it takes.

use std::sync::Arc;

use rayon::prelude::*;
use tamis_config::Opened;
use tamis_document::Record;
use tamis_input::{Helpers, OpenOptions};

use crate::error::RunError;
use crate::observer::Events;
use crate::read::cutter::Cutter;
use crate::read::inputs::{self, Inputs};
use crate::read::stream::Opener;
use crate::read::unpack::Unpacker;
use crate::work::decode::decode;
use crate::work::place::{RecordPlace, SPLIT_BITS};
use crate::work::task::{Block, Content, Piece};

/// Which record is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// The first with this id, as it has it when it comes in. One that names its file and place is looked for there; any
    /// other is one of the user's own, for which everything is read until it turns up.
    Id(&'a str),
    /// The one at this position, which the table of fates has for ids of the user's own (see [`crate::fates`]).
    At(u128),
    /// The one that comes in after so many others.
    Nth(u64),
}

/// A record that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The record as it comes in, with its position; failed if it cannot be read.
    pub record: Record,
    /// The id of its source.
    pub source: String,
    /// The reader that made it; none of what no reader took.
    pub reader: Option<String>,
}

/// Looks for a record in the inputs of a plan.
///
/// # Errors
///
/// When the inputs cannot be listed, or the machine breaks while they are read. A file that cannot be read holds no
/// record but its dead letter.
pub fn find(opened: &Opened, wanted: Wanted<'_>) -> Result<Option<Found>, RunError> {
    let list = if matches!(wanted, Wanted::Nth(_)) { inputs::list_all } else { inputs::list };
    let inputs = list(&opened.plan, &opened.run)?;
    let temporary = std::env::temp_dir();
    let scratch = tempfile::tempdir().map_err(RunError::write(&temporary))?;
    let open_with = Opener::with(helped(), Unpacker::new(scratch.path().to_owned()));
    let search = Search { opened, inputs: &inputs, opener: &open_with, wanted };
    let all = 0..inputs.len();
    match wanted {
        Wanted::Nth(_) => search.files(all, None),
        Wanted::At(position) => {
            let place = RecordPlace::of(position);
            let file = usize::try_from(place.file).unwrap_or(usize::MAX);
            if all.contains(&file) { search.files(file..file + 1, Some(place.place)) } else { Ok(None) }
        }
        Wanted::Id(id) => {
            for file in all.clone() {
                let place = match place_in(id, &inputs.get(file).name) {
                    Spot::NotHere => continue,
                    Spot::Anywhere => None,
                    Spot::At(place) => Some(place),
                };
                if let Some(found) = search.files(file..file + 1, place)? {
                    return Ok(Some(found));
                }
            }
            search.files(all, None)
        }
    }
}

/// Threads that inflate what consists of many pieces, such as WARC files, while this one reads.
struct Pool;

impl Helpers for Pool {
    fn submit(&self, job: Box<dyn FnOnce() + Send>) {
        rayon::spawn(job);
    }

    fn help(&self) -> bool {
        // Only a thread of the pool can take one of its jobs.
        matches!(rayon::yield_now(), Some(rayon::Yield::Executed))
    }

    fn threads(&self) -> usize {
        rayon::current_num_threads()
    }
}

/// How files are opened outside a run.
pub(crate) fn helped() -> OpenOptions {
    OpenOptions { helpers: Some(Arc::new(Pool)), ..OpenOptions::default() }
}

/// Where in a file the record stands to which a run would give an id.
#[derive(Debug, PartialEq, Eq)]
enum Spot {
    /// The id does not begin with the name of the file.
    NotHere,
    /// It does not say where.
    Anywhere,
    At(u64),
}

fn place_in(id: &str, file: &str) -> Spot {
    match id.strip_prefix(file) {
        Some(rest) if rest.is_empty() || rest.starts_with(['#', '/']) => {
            let place = rest.rsplit_once('#').and_then(|(_, place)| place.parse().ok());
            place.map_or(Spot::Anywhere, Spot::At)
        }
        _ => Spot::NotHere,
    }
}

struct Search<'a> {
    opened: &'a Opened,
    inputs: &'a Inputs,
    opener: &'a Opener,
    wanted: Wanted<'a>,
}

impl Search<'_> {
    /// Looks in some files; with a place only in what stands around it.
    fn files(&self, files: std::ops::Range<usize>, place: Option<u64>) -> Result<Option<Found>, RunError> {
        let Self { opened, inputs, opener, .. } = *self;
        let mut cutter = Cutter::new(opened, Events::NONE, opener, inputs, files, None);
        let n_together = rayon::current_num_threads().max(1);
        let mut n_before = 0;
        while !cutter.is_done() {
            let mut pieces = Vec::new();
            for _ in 0..n_together {
                let mut block = Block::default();
                cutter.fill(&mut block)?;
                pieces.extend(block.pieces.into_iter().filter(|piece| holds(piece, place)));
            }
            let decoded: Vec<_> = pieces.into_par_iter().map(|piece| self.decode(piece)).collect();
            for found in decoded.into_iter().flatten() {
                if self.is_wanted(&found.record, n_before) {
                    return Ok(Some(found));
                }
                n_before += 1;
            }
        }
        Ok(None)
    }

    /// The records of a piece, or those of them that can be wanted.
    fn decode(&self, piece: Piece) -> Vec<Found> {
        // Which of them is the n-th is known when all before it have been counted.
        let is_counted = matches!(self.wanted, Wanted::Nth(_));
        found_in(self.opened, piece, |record| is_counted || self.is_wanted(record, 0))
    }

    fn is_wanted(&self, record: &Record, n_before: u64) -> bool {
        match self.wanted {
            Wanted::Id(id) => record.document.id == id,
            Wanted::At(position) => record.position == whole(position),
            Wanted::Nth(n) => n_before == n,
        }
    }
}

/// The records of a piece that are wanted.
pub(crate) fn found_in(opened: &Opened, piece: Piece, wanted: impl Fn(&Record) -> bool) -> Vec<Found> {
    let source = &opened.sources[piece.source];
    let reader = match &piece.content {
        Content::Records { reader, .. } => Some(source.readers[*reader].info.name.clone()),
        _ => None,
    };
    let records = decode(opened, piece).records.into_iter().filter(|record| wanted(record));
    records.map(|record| Found { record, source: source.id.clone(), reader: reader.clone() }).collect()
}

/// The position of the record that came in, of which one that was split off has been made.
fn whole(position: u128) -> u128 {
    position >> SPLIT_BITS << SPLIT_BITS
}

/// Whether a piece can hold the record that begins at a place.
fn holds(piece: &Piece, place: Option<u64>) -> bool {
    let Some(place) = place else { return true };
    match &piece.content {
        Content::Records { bytes, offset, .. } => {
            (*offset..offset + (bytes.len() as u64).max(1)).contains(&place)
        }
        Content::Split { indexed, split } => indexed
            .splits()
            .get(*split)
            .is_none_or(|split| (split.first_ordinal..split.first_ordinal + split.records).contains(&place)),
        Content::Decoded(_) | Content::Failed(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_its_file_and_place() {
        for (id, file, expected) in [
            ("a.jsonl#120", "a.jsonl", Spot::At(120)),
            ("a.html", "a.html", Spot::Anywhere),
            ("pack.zip/b.jsonl#7", "pack.zip", Spot::At(7)),
            ("a.html/1", "a.html", Spot::Anywhere),
            ("a.html2", "a.html", Spot::NotHere),
            ("https://example.org/#3", "a.html", Spot::NotHere),
        ] {
            assert_eq!(place_in(id, file), expected, "{id} in {file}");
        }
    }

    #[test]
    fn what_was_split_off_stands_at_the_place_of_its_record() {
        assert_eq!(whole((5 << 24) + 3), 5 << 24);
    }
}
