//! What a run has spent where, as a file beside its manifest. No two runs spend the same, so it is no part of the
//! manifest, which says the same of the same input.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tamis_runner::{Spent, Tally, times_file};

/// What a run has spent, in all processes that worked on it: one that was interrupted and resumed had several, and so has
/// one that is run segment by segment. What was done again because nothing had noted it counts again.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Times {
    /// How many processes.
    pub processes: u32,
    /// How long they took, on the clock.
    pub seconds: f64,
    /// How many threads the last of them had.
    pub threads: usize,
    /// The most memory that one of them had, in bytes; 0 where the system does not tell.
    pub peak_bytes: u64,
    /// What readers, stages and exporters took, by `source.ID`, `stage.ID` or `export.ID`.
    pub stages: BTreeMap<String, Seconds>,
    /// What else was done, by the name of the chore.
    pub chores: BTreeMap<String, Seconds>,
    /// The documents for which stages took longest, by stage.
    pub slowest: BTreeMap<String, Vec<Slowest>>,
}

/// Seconds, summed over all threads.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Seconds {
    /// On the clock.
    pub wall: f64,
    /// Of the processor.
    pub cpu: f64,
}

/// A document for which a stage took long.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Slowest {
    /// Its id.
    pub document: String,
    /// How long, at least: threads are looked at now and then.
    pub seconds: f64,
}

/// So many documents of a stage are kept.
const MOST: usize = 5;

impl Times {
    /// What one process has spent by now.
    pub fn of(tally: &Tally, elapsed: Duration, threads: usize) -> Self {
        let stages = tally.stages.iter().map(|(key, stage)| (key.clone(), stage.time.into()));
        let chores = tally.chores.iter().map(|(chore, spent)| (chore.name().to_owned(), (*spent).into()));
        Self {
            processes: 1,
            seconds: elapsed.as_secs_f64(),
            threads,
            stages: stages.collect(),
            chores: chores.collect(),
            ..Self::default()
        }
    }

    /// Notes a document for which a stage took long.
    pub fn note(&mut self, stage: &str, document: &str, lasts: Duration) {
        let slow = Slowest { document: document.to_owned(), seconds: lasts.as_secs_f64() };
        add_slow(self.slowest.entry(stage.to_owned()).or_default(), slow);
    }

    /// Both together.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.processes += other.processes;
        self.seconds += other.seconds;
        self.threads = other.threads;
        self.peak_bytes = self.peak_bytes.max(other.peak_bytes);
        for (sums, more) in [(&mut self.stages, other.stages), (&mut self.chores, other.chores)] {
            for (name, spent) in more {
                let sum = sums.entry(name).or_default();
                sum.wall += spent.wall;
                sum.cpu += spent.cpu;
            }
        }
        for (stage, slow) in other.slowest {
            let of_stage = self.slowest.entry(stage).or_default();
            for slow in slow {
                add_slow(of_stage, slow);
            }
        }
        self
    }

    /// Seconds of the processor, of all stages and chores.
    pub fn cpu(&self) -> f64 {
        self.stages.values().chain(self.chores.values()).map(|spent| spent.cpu).sum()
    }

    /// What was noted beside the manifest in `folder`; none where nothing was, or nothing that can be read: whoever shows
    /// it does without.
    pub fn read(folder: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(times_file(folder)).ok()?).ok()
    }

    /// Notes it, whole or not at all.
    ///
    /// # Errors
    ///
    /// When the file cannot be written.
    pub fn write(&self, folder: &Path) -> io::Result<()> {
        let file = times_file(folder);
        let mut name = std::ffi::OsString::from(".");
        name.push(file.file_name().unwrap_or_default());
        name.push(".tamis-tmp");
        let temporary = file.with_file_name(name);
        let text = serde_json::to_vec_pretty(self)?;
        std::fs::write(&temporary, text).and_then(|()| std::fs::rename(&temporary, &file)).inspect_err(|_| {
            let _ = std::fs::remove_file(&temporary);
        })
    }
}

fn add_slow(of_stage: &mut Vec<Slowest>, slow: Slowest) {
    // A document that a resumed run met again is one.
    if let Some(same) = of_stage.iter_mut().find(|other| other.document == slow.document) {
        same.seconds = same.seconds.max(slow.seconds);
    } else {
        of_stage.push(slow);
    }
    of_stage.sort_by(|a, b| b.seconds.total_cmp(&a.seconds).then_with(|| a.document.cmp(&b.document)));
    of_stage.truncate(MOST);
}

impl From<Spent> for Seconds {
    fn from(spent: Spent) -> Self {
        Self { wall: spent.wall.as_secs_f64(), cpu: spent.cpu.as_secs_f64() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_times_of_several_processes_are_added_and_the_slowest_stay() {
        let times = |seconds: f64, documents: &[(&str, u64)]| {
            let spent = Seconds { wall: seconds, cpu: seconds / 2.0 };
            let mut times = Times {
                processes: 1,
                seconds,
                threads: 2,
                peak_bytes: seconds as u64,
                stages: BTreeMap::from([("stage.a".to_owned(), spent)]),
                chores: BTreeMap::from([("reading files".to_owned(), spent)]),
                slowest: BTreeMap::new(),
            };
            for (document, millis) in documents {
                times.note("a", document, Duration::from_millis(*millis));
            }
            times
        };
        let first = times(4.0, &[("x", 70), ("y", 300), ("z", 60), ("u", 90)]);
        let both = first.and(times(2.0, &[("y", 250), ("v", 80), ("w", 1000)]));
        assert_eq!((both.processes, both.peak_bytes), (2, 4));
        assert!((both.seconds - 6.0).abs() < 1e-9 && (both.cpu() - 6.0).abs() < 1e-9, "{both:?}");
        let slowest: Vec<_> = both.slowest["a"].iter().map(|it| it.document.as_str()).collect();
        assert_eq!(slowest, ["w", "y", "u", "v", "x"]);
        assert!((both.slowest["a"][1].seconds - 0.3).abs() < 1e-9);
    }

    #[test]
    fn what_was_noted_is_read_again_and_damage_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Times::read(folder.path()), None);
        std::fs::create_dir(folder.path().join(".tamis")).unwrap();
        let times = Times { processes: 3, seconds: 0.1, ..Times::default() };
        times.write(folder.path()).unwrap();
        assert_eq!(Times::read(folder.path()), Some(times));
        std::fs::write(times_file(folder.path()), "{").unwrap();
        assert_eq!(Times::read(folder.path()), None);
    }
}
