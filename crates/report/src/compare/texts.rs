//! The texts that two runs have kept, compared by the ids of their documents.

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader};
use std::path::Path;

use serde::Deserialize;
use tamis_input::{Input, InputFile, Location, OpenOptions};
use tamis_runner::{ExportManifest, Manifest};

use crate::explain::{Piece, difference};

/// So many documents are shown, from all over those that differ.
const MOST_SAMPLES: usize = 20;
/// A text of which more than so many bytes are kept is shown as far as that.
const MOST_BYTES: usize = 64 << 10;

/// What differs in the texts that both runs have kept.
#[derive(Debug, Default)]
pub struct Texts {
    /// Documents that both have kept.
    pub n_common: u64,
    /// Those of them whose text differs.
    pub n_changed: u64,
    /// Characters of these in the first run, and in the second.
    pub n_chars: [u64; 2],
    /// Some of them.
    pub samples: Vec<ChangedText>,
}

/// A document of which the text differs.
#[derive(Debug)]
pub struct ChangedText {
    /// Its id.
    pub id: String,
    /// Its text in pieces that both have, or one.
    pub pieces: Vec<Piece>,
}

#[derive(Deserialize)]
struct Line {
    id: String,
    #[serde(default)]
    text: String,
}

/// None where one of the runs has not kept lines of JSON.
pub(super) fn compare(runs: [(&Path, &Manifest); 2]) -> Option<Texts> {
    let exports = runs.map(|(folder, manifest)| Some((folder, lines_of(manifest)?)));
    let [Some(left), Some(right)] = exports else { return None };
    let mut known = Vec::new();
    each(left, |at, line| known.push(Kept::of(at, &line)));
    let mut known = Queues::of(known.into_iter(), |kept| (kept.id, kept.text));
    let mut texts = Texts::default();
    // Ids may repeat: a text that is there as it is comes first, wherever it stands among those of its id, and only
    // what is left then meets in its order. So no document is called changed because another one of its id was dropped.
    let mut rest = Vec::new();
    each(right, |at, line| {
        let now = Kept::of(at, &line);
        if known.take((now.id, now.text)).is_some() {
            texts.n_common += 1;
        } else {
            rest.push(now);
        }
    });
    let mut known = Queues::of(known.rest(), |kept| kept.id);
    let mut changed = Vec::new();
    for now in rest {
        let Some(was) = known.take(now.id) else { continue };
        texts.n_common += 1;
        texts.n_changed += 1;
        texts.n_chars[0] += was.n_chars;
        texts.n_chars[1] += now.n_chars;
        changed.push((was.at, now.at));
    }
    texts.samples = samples(left, right, &changed);
    Some(texts)
}

/// Some of the documents that differ, at equal distances, in the order of the first run; `changed` says as which lines
/// they stand in the two exports.
fn samples(left: Export<'_>, right: Export<'_>, changed: &[(u64, u64)]) -> Vec<ChangedText> {
    let step = changed.len().div_ceil(MOST_SAMPLES).max(1);
    let chosen: Vec<(u64, u64)> = changed.iter().step_by(step).copied().collect();
    let mut after: HashMap<u64, String> = HashMap::new();
    each(right, |at, line| {
        if chosen.iter().any(|(_, now)| *now == at) {
            after.insert(at, line.text);
        }
    });
    let mut samples = Vec::new();
    each(left, |at, line| {
        let now = chosen.iter().find(|(was, _)| *was == at).and_then(|(_, now)| after.get(now));
        if let Some(now) = now {
            let pieces = difference(beginning(&line.text), beginning(now));
            samples.push(ChangedText { id: line.id, pieces });
        }
    });
    samples
}

/// What is remembered of a document that was kept.
#[derive(Clone, Copy)]
struct Kept {
    id: u64,
    text: u64,
    n_chars: u64,
    /// As which line of its export it stands, from 0.
    at: u64,
}

impl Kept {
    fn of(at: u64, line: &Line) -> Self {
        Self { id: hash(&line.id), text: hash(&line.text), n_chars: line.text.chars().count() as u64, at }
    }
}

/// Documents in queues, by what they have in common; those of a queue are in the order of their export.
struct Queues<K> {
    documents: Vec<(K, Kept)>,
    /// Where a queue begins: how many of it were taken. Of a run all of whose documents have one id, a search for the
    /// first that is left would be a search through all of them each time.
    taken: Vec<usize>,
}

impl<K: Ord + Copy> Queues<K> {
    fn of(documents: impl Iterator<Item = Kept>, key: impl Fn(&Kept) -> K) -> Self {
        let mut documents: Vec<(K, Kept)> = documents.map(|kept| (key(&kept), kept)).collect();
        documents.sort_unstable_by_key(|(key, kept)| (*key, kept.at));
        let taken = vec![0; documents.len()];
        Self { documents, taken }
    }

    /// The first that is left of a queue.
    fn take(&mut self, key: K) -> Option<Kept> {
        let from = self.documents.partition_point(|(other, _)| *other < key);
        let taken = self.taken.get_mut(from)?;
        let (_, kept) = self.documents.get(from + *taken).filter(|(other, _)| *other == key)?;
        *taken += 1;
        Some(*kept)
    }

    /// All that are left.
    fn rest(self) -> impl Iterator<Item = Kept> {
        let mut n_gone = 0;
        self.documents.into_iter().zip(self.taken).filter_map(move |((_, kept), taken)| {
            n_gone += taken;
            let is_gone = n_gone > 0;
            n_gone -= usize::from(is_gone);
            (!is_gone).then_some(kept)
        })
    }
}

/// The folder of a run, and what one of its exports wrote there.
type Export<'a> = (&'a Path, &'a ExportManifest);

/// The export of kept documents, if it has lines of JSON.
fn lines_of(manifest: &Manifest) -> Option<&ExportManifest> {
    let is_lines = |export: &&ExportManifest| {
        export.from == "kept" && export.files.iter().any(|file| file.name.contains(".jsonl"))
    };
    manifest.exports.iter().find(is_lines)
}

/// Reads the lines of an export; what is no line of it any more is passed over, as are files that are gone.
/// `take` is told as which line a record stands, from 0.
fn each((folder, export): Export<'_>, mut take: impl FnMut(u64, Line)) {
    let mut at = 0;
    for file in &export.files {
        let file = InputFile::at(Location::Path(folder.join(&export.folder).join(&file.name)));
        let Ok(input) = Input::open(&file, &OpenOptions::default()) else { continue };
        let mut lines = BufReader::new(input);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            if let Ok(record) = serde_json::from_slice::<Line>(&line) {
                take(at, record);
            }
            line.clear();
            at += 1;
        }
    }
}

fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

fn beginning(text: &str) -> &str {
    text.get(..text.floor_char_boundary(MOST_BYTES)).unwrap_or(text)
}
