//! Programs that are run in turn, and what comes of it.

use std::path::{Path, PathBuf};

use anyhow::Context;

use super::measure::{Usage, measure};
use super::report::{Bar, Measure, Row, Verdict};
use super::statistics::{median, paired_ratios, spread};

/// One program that takes part.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) label: String,
    /// The program and its arguments.
    pub(crate) command: Vec<String>,
    /// The file or folder that it writes; taken away before and after each run.
    pub(crate) output: Option<PathBuf>,
    /// How many records Tamis must have read, by its manifest.
    pub(crate) expected: Option<u64>,
    /// Why it cannot run.
    pub(crate) missing: Option<String>,
}

/// What is compared: programs are named by their place in the list.
#[derive(Debug, Clone)]
pub(crate) struct Comparison {
    pub(crate) measure: Measure,
    pub(crate) ours: usize,
    /// Without one, the value is what is measured on `ours` alone.
    pub(crate) theirs: Option<usize>,
    pub(crate) bar: Option<Bar>,
    /// What the programs of [`Measure::Rate`] do beyond.
    pub(crate) beyond: Option<Beyond>,
}

/// Passes that do all but the work in question, and how much text they and the programs beside them go through.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beyond {
    /// The program without the work, none where all that is done counts, and megabytes.
    pub(crate) ours: (Option<usize>, f64),
    pub(crate) theirs: (Option<usize>, f64),
}

/// Programs that do the same work, and what is made of their measures.
#[derive(Debug)]
pub(crate) struct Contest {
    pub(crate) case: &'static str,
    pub(crate) runs: usize,
    pub(crate) programs: Vec<Program>,
    pub(crate) comparisons: Vec<Comparison>,
}

/// What became of one program.
#[derive(Debug, Clone)]
enum Outcome {
    Missing(String),
    Failed(String),
    /// One measure a round, and what the counts of the last run say against them.
    Ran(Vec<Usage>, Option<String>),
}

impl Contest {
    /// Runs everything, telling `progress` what is about to run.
    ///
    /// The programs take turns, round by round; every other round goes backwards, so that none always runs
    /// behind the same other.
    pub(crate) fn run(&self, progress: &mut dyn FnMut(&str)) -> Vec<Row> {
        let start = |program: &Program| match &program.missing {
            Some(why) => Outcome::Missing(why.clone()),
            None => Outcome::Ran(Vec::new(), None),
        };
        let mut outcomes: Vec<Outcome> = self.programs.iter().map(start).collect();
        let mut ours = self.comparisons.iter().map(|comparison| &self.programs[comparison.ours]);
        // Peers alone have nothing to be compared with.
        let rounds = if ours.all(|program| program.missing.is_some()) { 0 } else { self.runs };
        for round in 0..rounds {
            for place in 0..self.programs.len() {
                let index = if round % 2 == 0 { place } else { self.programs.len() - 1 - place };
                let program = &self.programs[index];
                let Outcome::Ran(measures, objection) = &mut outcomes[index] else { continue };
                progress(&format!("{}, run {} of {}: {}", self.case, round + 1, self.runs, program.label));
                match program.run() {
                    Ok((usage, said)) => {
                        measures.push(usage);
                        *objection = said;
                    }
                    Err(error) => outcomes[index] = Outcome::Failed(format!("{error:#}")),
                }
            }
        }
        self.comparisons.iter().map(|comparison| self.row(comparison, &outcomes)).collect()
    }

    fn row(&self, comparison: &Comparison, outcomes: &[Outcome]) -> Row {
        let theirs = comparison.theirs.map(|index| (&self.programs[index], &outcomes[index]));
        let mut row = Row::new(self.case, comparison.measure, &self.programs[comparison.ours].label);
        row.peer = theirs.map(|(program, _)| program.label.clone());
        row.bar = comparison.bar;
        let (ours, objection) = match &outcomes[comparison.ours] {
            Outcome::Missing(why) => return row.ended(Verdict::Skipped, why),
            Outcome::Failed(why) => return row.ended(Verdict::Failed, why),
            Outcome::Ran(measures, objection) => (measures, objection),
        };
        row.ours = summary(ours);
        let of = |usages: &[Usage], plain: Option<(Option<usize>, f64)>| match plain {
            Some((plain, megabytes)) => rates(usages, plain.map(|plain| &outcomes[plain]), megabytes),
            None => values(comparison.measure, usages),
        };
        let our_values = of(ours, comparison.beyond.map(|beyond| beyond.ours));
        let values = match theirs {
            None => our_values,
            Some((program, Outcome::Ran(theirs, _))) => {
                row.theirs = summary(theirs);
                let their_values = of(theirs, comparison.beyond.map(|beyond| beyond.theirs));
                let ratios = paired_ratios(&our_values, &their_values);
                if ratios.is_empty() {
                    return row
                        .ended(Verdict::NoPeer, &format!("{} took too little to measure", program.label));
                }
                ratios
            }
            Some((_, Outcome::Missing(why))) => return row.ended(Verdict::NoPeer, why),
            Some((program, Outcome::Failed(why))) => {
                return row.ended(Verdict::NoPeer, &format!("{} failed: {why}", program.label));
            }
        };
        if values.is_empty() {
            return row.ended(Verdict::Failed, "the plain pass failed, or took as long");
        }
        row.value = median(&values);
        row.spread = spread(&values);
        match objection {
            Some(objection) => row.ended(Verdict::Missed, objection),
            None => row.judged(),
        }
    }
}

/// Times are medians over the runs, memory is the most of any run.
fn summary(measures: &[Usage]) -> Option<Usage> {
    let middle = |measure| median(&values(measure, measures));
    Some(Usage {
        cpu_seconds: middle(Measure::Cpu)?,
        wall_seconds: middle(Measure::Wall)?,
        peak_bytes: measures.iter().map(|usage| usage.peak_bytes).max()?,
    })
}

/// Megabytes a second of CPU time beyond that of the plain pass of the same round, if there is one.
fn rates(usages: &[Usage], plain: Option<&Outcome>, megabytes: f64) -> Vec<f64> {
    let plain = match plain {
        None => vec![0.0; usages.len()],
        Some(Outcome::Ran(plain, _)) => values(Measure::Cpu, plain),
        Some(_) => Vec::new(),
    };
    let beyond = usages.iter().zip(plain).map(|(usage, plain)| usage.cpu_seconds - plain);
    beyond.filter(|seconds| *seconds > 0.0).map(|seconds| megabytes / seconds).collect()
}

fn values(measure: Measure, measures: &[Usage]) -> Vec<f64> {
    let value = |usage: &Usage| match measure {
        Measure::Cpu | Measure::Rate => usage.cpu_seconds,
        Measure::Wall => usage.wall_seconds,
        Measure::Peak => usage.peak_bytes as f64,
    };
    measures.iter().map(value).collect()
}

impl Program {
    /// What one run took, and what its counts say against it.
    fn run(&self) -> anyhow::Result<(Usage, Option<String>)> {
        self.remove_output()?;
        let usage = measure(&self.command)?;
        let objection = match (self.expected, &self.output) {
            (Some(expected), Some(output)) => miscount(expected, output)?,
            _ => None,
        };
        self.remove_output()?;
        Ok((usage, objection))
    }

    fn remove_output(&self) -> anyhow::Result<()> {
        let Some(output) = self.output.as_ref().filter(|output| output.exists()) else { return Ok(()) };
        let removed =
            if output.is_dir() { std::fs::remove_dir_all(output) } else { std::fs::remove_file(output) };
        removed.with_context(|| format!("cannot remove {}", output.display()))
    }
}

/// A run that read less than there is was not slower or faster: it did something else.
fn miscount(expected: u64, output: &Path) -> anyhow::Result<Option<String>> {
    let path = output.join(".tamis/manifest.json");
    let manifest = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let manifest: serde_json::Value = serde_json::from_slice(&manifest)?;
    let read = manifest["tally"]["read"].as_u64().context("the manifest has no number of records read")?;
    Ok((read != expected).then(|| format!("read {read} of {expected} records")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(seconds: f64) -> Usage {
        Usage { cpu_seconds: seconds, wall_seconds: seconds * 2.0, peak_bytes: (seconds * 1e6) as u64 }
    }

    fn program(label: &str) -> Program {
        Program { label: label.to_owned(), command: Vec::new(), output: None, expected: None, missing: None }
    }

    /// The row of a contest in which `ours` and `theirs` became of the two programs.
    fn row(measure: Measure, bar: Option<Bar>, ours: Outcome, theirs: Outcome) -> Row {
        let comparison = Comparison { measure, ours: 0, theirs: Some(1), bar, beyond: None };
        let programs = vec![program("tamis"), program("peer")];
        let contest = Contest { case: "case", runs: 1, programs, comparisons: Vec::new() };
        contest.row(&comparison, &[ours, theirs])
    }

    fn ran(seconds: &[f64]) -> Outcome {
        Outcome::Ran(seconds.iter().copied().map(usage).collect(), None)
    }

    #[test]
    fn rows_are_judged() {
        let missing = || Outcome::Missing("none".to_owned());
        let failed = || Outcome::Failed("broke".to_owned());
        let miscounted = Outcome::Ran(vec![usage(1.0)], Some("read 1 of 2".to_owned()));
        let bar = Some(Bar::AtMost(0.8));
        for (bar, ours, theirs, expected) in [
            (bar, ran(&[1.0, 3.0, 1.0]), ran(&[2.0, 3.0, 2.0]), (Some(0.5), Verdict::Met)),
            (bar, ran(&[1.0]), ran(&[1.0]), (Some(1.0), Verdict::Missed)),
            (Some(Bar::AtLeast(1.8)), ran(&[2.0]), ran(&[1.0]), (Some(2.0), Verdict::Met)),
            (None, ran(&[1.0]), ran(&[1.0]), (Some(1.0), Verdict::Reported)),
            (bar, missing(), ran(&[1.0]), (None, Verdict::Skipped)),
            (bar, failed(), ran(&[1.0]), (None, Verdict::Failed)),
            (bar, ran(&[1.0]), missing(), (None, Verdict::NoPeer)),
            (bar, ran(&[1.0]), failed(), (None, Verdict::NoPeer)),
            (bar, ran(&[1.0]), ran(&[0.0]), (None, Verdict::NoPeer)),
            (bar, miscounted, ran(&[10.0]), (Some(0.1), Verdict::Missed)),
        ] {
            let row = row(Measure::Cpu, bar, ours.clone(), theirs.clone());
            assert_eq!((row.value, row.verdict), expected, "{ours:?} {theirs:?}");
        }
    }

    #[test]
    fn rates_are_of_what_is_done_beyond_a_plain_pass() {
        let beyond = Some(Beyond { ours: (Some(1), 60.0), theirs: (Some(3), 1.0) });
        let rate = |theirs| Comparison { measure: Measure::Rate, ours: 0, theirs, bar: None, beyond };
        let programs = vec![program("judge"), program("plain"), program("peer"), program("plain peer")];
        let contest = Contest { case: "case", runs: 1, programs, comparisons: Vec::new() };
        let outcomes = [ran(&[1.25]), ran(&[0.25]), ran(&[9.0]), ran(&[4.0])];
        assert_eq!(contest.row(&rate(None), &outcomes).value, Some(60.0));
        assert_eq!(contest.row(&rate(Some(2)), &outcomes).value, Some(300.0));
        let whole =
            Comparison { beyond: Some(Beyond { ours: (None, 60.0), theirs: (None, 1.0) }), ..rate(None) };
        assert_eq!(contest.row(&whole, &outcomes).value, Some(48.0));
        let failed = [ran(&[1.0]), Outcome::Failed("broke".to_owned()), ran(&[1.0]), ran(&[1.0])];
        assert_eq!(contest.row(&rate(None), &failed).verdict, Verdict::Failed);
    }

    #[test]
    fn peers_do_not_run_alone() {
        let absent = Program { missing: Some("no reader".to_owned()), ..program("tamis") };
        let comparison =
            Comparison { measure: Measure::Cpu, ours: 0, theirs: Some(1), bar: None, beyond: None };
        let contest = Contest {
            case: "case",
            runs: 3,
            programs: vec![absent, program("peer")],
            comparisons: vec![comparison],
        };
        let mut n_runs = 0;
        let rows = contest.run(&mut |_| n_runs += 1);
        assert_eq!((n_runs, rows[0].verdict), (0, Verdict::Skipped));
    }

    #[test]
    fn summary_is_middle_time_and_most_memory() {
        let summary = summary(&[usage(1.0), usage(9.0), usage(2.0)]).unwrap();
        assert_eq!(summary, Usage { cpu_seconds: 2.0, wall_seconds: 4.0, peak_bytes: 9_000_000 });
    }

    #[test]
    fn manifest_counts_are_held_to_the_corpus() {
        let folder = tempfile::tempdir().unwrap();
        assert!(miscount(3, folder.path()).is_err(), "no manifest");
        std::fs::create_dir(folder.path().join(".tamis")).unwrap();
        std::fs::write(folder.path().join(".tamis/manifest.json"), r#"{"tally":{"read":3}}"#).unwrap();
        assert_eq!(miscount(3, folder.path()).unwrap(), None);
        assert_eq!(miscount(4, folder.path()).unwrap().as_deref(), Some("read 3 of 4 records"));
    }
}
