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
    let mut known: HashMap<u64, (u64, u64)> = HashMap::new();
    each(left, |line| {
        known.insert(hash(&line.id), (hash(&line.text), line.text.chars().count() as u64));
    });
    let (mut texts, mut chosen) = (Texts::default(), Chosen::default());
    each(right, |line| {
        let Some((text, n_chars)) = known.get(&hash(&line.id)) else { return };
        texts.n_common += 1;
        if *text != hash(&line.text) {
            texts.n_changed += 1;
            texts.n_chars[0] += n_chars;
            texts.n_chars[1] += line.text.chars().count() as u64;
            chosen.note(line);
        }
    });
    let mut wanted: HashMap<String, String> =
        chosen.lines.into_iter().map(|line| (line.id, line.text)).collect();
    each(left, |line| {
        if let Some(after) = wanted.remove(&line.id) {
            let pieces = difference(beginning(&line.text), beginning(&after));
            texts.samples.push(ChangedText { id: line.id, pieces });
        }
    });
    Some(texts)
}

/// The export of kept documents, if it has lines of JSON.
fn lines_of(manifest: &Manifest) -> Option<&ExportManifest> {
    let is_lines = |export: &&ExportManifest| {
        export.from == "kept" && export.files.iter().any(|file| file.name.contains(".jsonl"))
    };
    manifest.exports.iter().find(is_lines)
}

/// Reads the lines of an export; what is no line of it any more is passed over, as are files that are gone.
fn each((folder, export): (&Path, &ExportManifest), mut take: impl FnMut(Line)) {
    for file in &export.files {
        let file = InputFile::at(Location::Path(folder.join(&export.folder).join(&file.name)));
        let Ok(input) = Input::open(&file, &OpenOptions::default()) else { continue };
        let mut lines = BufReader::new(input);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            if let Ok(record) = serde_json::from_slice::<Line>(&line) {
                take(record);
            }
            line.clear();
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

/// Some lines, at equal distances in those that were noted.
struct Chosen {
    lines: Vec<Line>,
    step: usize,
    at: usize,
}

impl Default for Chosen {
    fn default() -> Self {
        Self { lines: Vec::new(), step: 1, at: 0 }
    }
}

impl Chosen {
    fn note(&mut self, line: Line) {
        if self.at.is_multiple_of(self.step) {
            self.lines.push(line);
        }
        self.at += 1;
        if self.lines.len() > MOST_SAMPLES {
            let mut is_odd = true;
            self.lines.retain(|_| {
                is_odd = !is_odd;
                !is_odd
            });
            self.step *= 2;
        }
    }
}
