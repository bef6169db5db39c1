//! Some of the records that were dropped, for each reason.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use tamis_document::{Limit, Measure};
use tamis_input::{Input, InputFile, Location, OpenOptions};
use tamis_runner::{Manifest, StageTally, Tally};

use crate::explain::Measured;

/// By stage and reason.
pub(crate) type Samples = BTreeMap<(String, String), Vec<Sample>>;

/// So many for each reason.
const MOST: usize = 3;
/// So much is looked at, in bytes, in pieces from all over what was dropped: the page of a large run is made in a second,
/// too, and a reason that first came up late has its samples.
const MOST_BYTES: u64 = 64 << 20;
const PIECE: u64 = 1 << 20;
/// How much of a text is shown, in characters.
const MOST_CHARS: usize = 600;

/// A record that was dropped.
#[derive(Debug, Serialize)]
pub(crate) struct Sample {
    pub(crate) id: String,
    /// The beginning of its text.
    pub(crate) text: String,
    pub(crate) is_cut: bool,
    /// What the stage that dropped it has measured beyond a limit, or all of it: `chars 12, at least 50`.
    pub(crate) measures: Vec<String>,
}

/// A dropped record as the exporter of JSON lines writes it.
#[derive(Deserialize)]
struct Line {
    id: String,
    #[serde(default)]
    text: String,
    #[serde(default)]
    stage: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    measures: Vec<Noted>,
}

#[derive(Deserialize)]
struct Noted {
    name: String,
    value: f64,
    min: Option<f64>,
    max: Option<f64>,
}

impl From<Noted> for Measured {
    fn from(Noted { name, value, min, max }: Noted) -> Self {
        let limit = min.map(Limit::Min).or(max.map(Limit::Max)).unwrap_or(Limit::None);
        Measure { name: name.into(), value, limit }.into()
    }
}

/// Samples of what was dropped, from exports of JSON lines; of others, and of files that are gone, none: the page
/// does without.
pub(crate) fn dropped(folder: &Path, manifest: &Manifest) -> Samples {
    let exports = manifest.exports.iter().filter(|export| export.from == "dropped");
    let files: Vec<PathBuf> = exports
        .flat_map(|export| export.files.iter().map(|file| folder.join(&export.folder).join(&file.name)))
        .filter(|file| file.file_name().is_some_and(|name| name.to_string_lossy().contains(".jsonl")))
        .collect();
    let step = files.len().div_ceil((MOST_BYTES / PIECE) as usize).max(1);
    let share = MOST_BYTES / files.len().div_ceil(step).max(1) as u64;
    let mut samples = Samples::new();
    for file in files.iter().step_by(step) {
        // A file that cannot be read is no reason to have no page.
        let _ = of_file(file, share, &manifest.tally, &mut samples);
    }
    samples
}

/// Looks at so many bytes of a file: at pieces of one in which can be sought, at the beginning of a compressed one.
pub(crate) fn of_file(file: &Path, most: u64, tally: &Tally, samples: &mut Samples) -> io::Result<()> {
    let input = Input::open(&InputFile::at(Location::Path(file.to_owned())), &OpenOptions::default())?;
    let Some(length) = input.length().filter(|length| *length > most) else {
        return of_lines(BufReader::new(input.take(most)), tally, samples);
    };
    let n = (most / PIECE).max(1);
    let mut file = File::open(file)?;
    for piece in 0..n {
        file.seek(SeekFrom::Start(piece * (length - PIECE) / (n - 1).max(1)))?;
        let mut lines = BufReader::new((&mut file).take(PIECE));
        // It begins within a line, but for the first; what is left of that is no record, nor is what the last is cut to.
        if piece > 0 {
            lines.skip_until(b'\n')?;
        }
        of_lines(lines, tally, samples)?;
        if is_enough(tally, samples) {
            break;
        }
    }
    Ok(())
}

fn of_lines(mut lines: impl BufRead, tally: &Tally, samples: &mut Samples) -> io::Result<()> {
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        if let Ok(record) = serde_json::from_slice::<Line>(&line) {
            note(record, tally, samples);
        }
        line.clear();
    }
    Ok(())
}

/// Whether every reason has as many samples as it will be shown with.
fn is_enough(tally: &Tally, samples: &Samples) -> bool {
    let has = |stage: &str, reason: &str| {
        samples.get(&(stage.to_owned(), reason.to_owned())).map_or(0, Vec::len) as u64
    };
    let stages = tally.stages.iter().filter_map(|(key, stage)| Some((key.strip_prefix("stage.")?, stage)));
    stages
        .flat_map(|(id, stage)| stage.dropped.iter().map(move |(reason, n)| (id, reason, *n)))
        .all(|(id, reason, n)| has(id, reason) >= n.min(MOST as u64))
}

fn note(record: Line, tally: &Tally, samples: &mut Samples) {
    let measures = deciding(record.measures, tally.stages.get(&format!("stage.{}", record.stage)));
    let of_reason = samples.entry((record.stage, record.reason)).or_default();
    if of_reason.len() >= MOST {
        return;
    }
    let text: String = record.text.chars().take(MOST_CHARS).collect();
    let is_cut = text.len() < record.text.len();
    of_reason.push(Sample { id: record.id, text, is_cut, measures });
}

/// What tells why the record was dropped: a record has the values of all stages that it came through, which can be
/// thirty.
fn deciding(values: Vec<Noted>, stage: Option<&StageTally>) -> Vec<String> {
    let of_stage = |it: &Noted| stage.is_none_or(|stage| stage.measures.contains_key(&it.name));
    let measured = values.into_iter().filter(of_stage).map(Measured::from);
    let (within, beyond): (Vec<Measured>, Vec<Measured>) = measured.partition(|it| it.measure.holds());
    let told = if beyond.is_empty() { within } else { beyond };
    told.iter().map(Measured::said).collect()
}
