//! Some of the records that were dropped, for each reason.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde::{Deserialize, Serialize};
use tamis_document::{Limit, Measure};
use tamis_input::{Input, InputFile, Location, OpenOptions};
use tamis_runner::{ExportManifest, Manifest, StageTally, Tally};

use crate::explain::Measured;

/// By stage and reason.
pub(crate) type Samples = BTreeMap<(String, String), Vec<Sample>>;

/// So many for each reason.
const MOST: usize = 3;
/// So much of an export is looked at, in bytes: the page of a large run is made in a second, too.
const MOST_BYTES: u64 = 16 << 20;
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
    measures: Vec<Value>,
}

#[derive(Deserialize)]
struct Value {
    name: String,
    value: f64,
    min: Option<f64>,
    max: Option<f64>,
}

impl From<Value> for Measured {
    fn from(Value { name, value, min, max }: Value) -> Self {
        let limit = min.map(Limit::Min).or(max.map(Limit::Max)).unwrap_or(Limit::None);
        Measure { name: name.into(), value, limit }.into()
    }
}

/// Samples of what was dropped, from exports of JSON lines; of others, and of files that are gone, none: the page
/// does without.
pub(crate) fn dropped(folder: &Path, manifest: &Manifest) -> Samples {
    let mut samples = Samples::new();
    for export in manifest.exports.iter().filter(|export| export.from == "dropped") {
        of_export(&folder.join(&export.folder), export, &manifest.tally, &mut samples);
    }
    samples
}

fn of_export(folder: &Path, export: &ExportManifest, tally: &Tally, samples: &mut Samples) {
    let mut left = MOST_BYTES;
    for file in export.files.iter().filter(|file| file.name.contains(".jsonl")) {
        let file = InputFile::at(Location::Path(folder.join(&file.name)));
        let Ok(input) = Input::open(&file, &OpenOptions::default()) else { continue };
        let mut lines = BufReader::new(input.take(left));
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line).is_ok_and(|n| n > 0) {
            left = left.saturating_sub(line.len() as u64);
            if let Ok(record) = serde_json::from_slice::<Line>(&line) {
                note(record, tally, samples);
            }
            line.clear();
        }
        if left == 0 {
            return;
        }
    }
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
fn deciding(values: Vec<Value>, stage: Option<&StageTally>) -> Vec<String> {
    let of_stage = |it: &Value| stage.is_none_or(|stage| stage.measures.contains_key(&it.name));
    let measured = values.into_iter().filter(of_stage).map(Measured::from);
    let (within, beyond): (Vec<Measured>, Vec<Measured>) = measured.partition(|it| it.measure.holds());
    let told = if beyond.is_empty() { within } else { beyond };
    told.iter().map(Measured::said).collect()
}
