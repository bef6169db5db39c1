//! What the page says of time: of the run, of its stages, and of its shards beside each other.

use std::path::Path;

use serde::Serialize;
use tamis_runner::{Manifest, Shards};

use crate::Times;
use crate::numbers::{count, duration, share_of, size};

/// What a run has spent where.
#[derive(Debug, Serialize)]
pub(crate) struct Timing {
    /// Name and value.
    totals: Vec<(&'static str, String)>,
    processes: u32,
    rows: Vec<Row>,
    slowest: Vec<Slow>,
}

/// What a reader, a stage, an exporter or a chore took.
#[derive(Debug, Serialize)]
struct Row {
    name: String,
    /// Of the processor.
    cpu: String,
    share: String,
    /// For one record; empty for a chore.
    each: String,
}

/// A document for which a stage took long.
#[derive(Debug, Serialize)]
struct Slow {
    stage: String,
    document: String,
    time: String,
}

/// So many documents are shown, of all stages together.
const MOST_SLOW: usize = 12;

impl Timing {
    pub(crate) fn of(manifest: &Manifest, times: &Times) -> Self {
        let tally = &manifest.tally;
        let (cpu, seconds) = (times.cpu(), times.seconds);
        let mut totals = vec![
            ("it took", duration(seconds)),
            ("of the processor", duration(cpu)),
            ("threads", count(times.threads as u64)),
        ];
        if seconds > 0.0 {
            totals.push(("records a second", count((tally.read as f64 / seconds).round() as u64)));
            totals.push(("read a second", size((tally.input.bytes as f64 / seconds) as u64)));
        }
        if times.peak_bytes > 0 {
            totals.push(("memory at most", size(times.peak_bytes)));
        }
        let stages = times.stages.iter().map(|(key, spent)| {
            let seen = tally.stages.get(key).map_or(0, |stage| stage.seen);
            let each = if seen > 0 { duration(spent.cpu / seen as f64) } else { String::new() };
            (spent.cpu, key.replacen('.', " ", 1), each)
        });
        let chores = times.chores.iter().map(|(name, spent)| (spent.cpu, name.clone(), String::new()));
        let mut rows: Vec<(f64, String, String)> = stages.chain(chores).collect();
        rows.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
        let rows = rows.into_iter();
        let rows = rows.map(|(spent, name, each)| Row {
            name,
            cpu: duration(spent),
            share: share_of(spent, cpu),
            each,
        });
        let mut slowest: Vec<_> = times
            .slowest
            .iter()
            .flat_map(|(stage, slowest)| slowest.iter().map(move |slow| (stage, slow)))
            .collect();
        slowest.sort_by(|(_, a), (_, b)| b.seconds.total_cmp(&a.seconds));
        let slowest = slowest.into_iter().take(MOST_SLOW).map(|(stage, slow)| Slow {
            stage: stage.clone(),
            document: slow.document.clone(),
            time: duration(slow.seconds),
        });
        Self { totals, processes: times.processes, rows: rows.collect(), slowest: slowest.collect() }
    }
}

/// The shards of a run beside each other.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Skew {
    n: String,
    /// How much the largest, and that which took longest, differ from the middle one; empty where nobody knows.
    sentences: Vec<String>,
    rows: Vec<ShardRow>,
    /// Whether there are more than are shown.
    is_cut: bool,
}

/// A shard.
#[derive(Debug, Serialize)]
struct ShardRow {
    shard: u32,
    records: String,
    kept: String,
    bytes: String,
    time: String,
    cpu: String,
}

/// A shard as it is compared with others.
struct Known {
    shard: u32,
    records: u64,
    kept: u64,
    bytes: u64,
    times: Option<Times>,
}

/// So many shards have a row: those that took longest, or have most to read.
const MOST_SHARDS: usize = 20;

impl Skew {
    /// Looks at the shards below `folder`; nothing where there are none.
    pub(crate) fn of(folder: &Path) -> Option<Self> {
        let shards = Shards::read(folder).ok()?;
        let known = shards.finished().map(|(shard, folder, manifest)| Known {
            shard,
            records: manifest.tally.read,
            kept: manifest.tally.kept,
            bytes: manifest.tally.input.bytes,
            times: Times::read(&folder),
        });
        Some(Self::among(known.collect()))
    }

    fn among(mut known: Vec<Known>) -> Self {
        let seconds = |it: &Known| it.times.as_ref().map_or(0.0, |times| times.seconds);
        let takes = known.iter().map(|it| (it.shard, seconds(it))).collect();
        let reads = known.iter().map(|it| (it.shard, it.bytes as f64)).collect();
        let sentences =
            [beside("took", "as long", "took", takes), beside("reads", "as many bytes", "read", reads)]
                .into_iter()
                .flatten();
        let sentences = sentences.collect();
        known.sort_by(|a, b| {
            seconds(b).total_cmp(&seconds(a)).then(b.bytes.cmp(&a.bytes)).then(a.shard.cmp(&b.shard))
        });
        let row = |it: &Known| ShardRow {
            shard: it.shard,
            records: count(it.records),
            kept: count(it.kept),
            bytes: size(it.bytes),
            time: it.times.as_ref().map(|times| duration(times.seconds)).unwrap_or_default(),
            cpu: it.times.as_ref().map(|times| duration(times.cpu())).unwrap_or_default(),
        };
        Self {
            n: count(known.len() as u64),
            sentences,
            rows: known.iter().take(MOST_SHARDS).map(row).collect(),
            is_cut: known.len() > MOST_SHARDS,
        }
    }
}

/// How the one with most compares with the middle one.
fn beside(verb: &str, how: &str, all: &str, mut values: Vec<(u32, f64)>) -> Option<String> {
    values.sort_by(|a, b| a.1.total_cmp(&b.1).then(b.0.cmp(&a.0)));
    let (middle, most) = (values.get((values.len().max(1) - 1) / 2)?.1, *values.last()?);
    if values.len() < 2 || middle <= 0.0 {
        return None;
    }
    let times = most.1 / middle;
    let shard = most.0;
    Some(if times < 1.1 {
        format!("All shards {all} about {how}.")
    } else {
        format!("Shard {shard} {verb} {times:.1} times {how} as the middle one.")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_told_by_how_much_they_differ() {
        let shard = |shard: u32, seconds: f64, bytes: u64| Known {
            shard,
            records: 10,
            kept: 5,
            bytes,
            times: (seconds > 0.0).then(|| Times { seconds, ..Times::default() }),
        };
        let skew = Skew::among(vec![shard(0, 60.0, 100), shard(1, 150.0, 104), shard(2, 58.0, 99)]);
        assert_eq!(
            skew.sentences,
            ["Shard 1 took 2.5 times as long as the middle one.", "All shards read about as many bytes.",]
        );
        assert_eq!(skew.rows.iter().map(|row| row.shard).collect::<Vec<_>>(), [1, 0, 2]);
        assert_eq!(skew.rows[0].time, "2 min 30 s");
        let unknown = Skew::among(vec![shard(0, 0.0, 50), shard(1, 0.0, 100)]);
        assert_eq!(unknown.sentences, ["Shard 1 reads 2.0 times as many bytes as the middle one."]);
        assert_eq!(unknown.rows[0].time, "");
        let one = Skew::among(vec![shard(0, 1.0, 1)]);
        assert!(one.sentences.is_empty());
    }
}
