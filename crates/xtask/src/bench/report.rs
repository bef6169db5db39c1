//! Rows of the table: what was measured, the bar, the verdict.

use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde::Serialize;

use super::measure::Usage;

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Measure {
    Cpu,
    Wall,
    Peak,
    /// Megabytes of text a second of the CPU time that is spent beyond a plain pass.
    Rate,
}

/// What a value must reach.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Bar {
    AtMost(f64),
    AtLeast(f64),
}

impl Bar {
    fn is_met_by(self, value: f64) -> bool {
        match self {
            Self::AtMost(limit) => value <= limit,
            Self::AtLeast(limit) => value >= limit,
        }
    }
}

/// What became of a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    Met,
    Missed,
    /// Measured; there is no bar.
    Reported,
    /// The peer is not on this machine.
    NoPeer,
    /// This Tamis, or this corpus, does not have what the case needs.
    Skipped,
    /// Tamis ran and failed.
    Failed,
}

/// One line of the table.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    pub(crate) case: &'static str,
    pub(crate) measure: Measure,
    pub(crate) program: String,
    /// The other side of the ratio.
    pub(crate) peer: Option<String>,
    /// Medians over the runs (memory: the most).
    pub(crate) ours: Option<Usage>,
    pub(crate) theirs: Option<Usage>,
    /// The median of the ratios of each round; without a peer, of the measure itself, in seconds or bytes.
    pub(crate) value: Option<f64>,
    /// The least and the most of what `value` is the median of.
    pub(crate) spread: Option<(f64, f64)>,
    pub(crate) bar: Option<Bar>,
    pub(crate) verdict: Verdict,
    /// Why there is no value, or what is wrong with it.
    pub(crate) note: Option<String>,
}

impl Row {
    pub(crate) fn new(case: &'static str, measure: Measure, program: &str) -> Self {
        Self {
            case,
            measure,
            program: program.to_owned(),
            peer: None,
            ours: None,
            theirs: None,
            value: None,
            spread: None,
            bar: None,
            verdict: Verdict::Reported,
            note: None,
        }
    }

    /// The row with a verdict that no value decides.
    pub(crate) fn ended(mut self, verdict: Verdict, note: &str) -> Self {
        self.verdict = verdict;
        self.note = Some(note.to_owned());
        self
    }

    /// The row with the verdict of its value.
    pub(crate) fn judged(mut self) -> Self {
        self.verdict = match (self.bar, self.value) {
            (Some(bar), Some(value)) if bar.is_met_by(value) => Verdict::Met,
            (Some(_), _) => Verdict::Missed,
            (None, _) => Verdict::Reported,
        };
        self
    }

    fn measured(&self) -> String {
        let measure = match self.measure {
            Measure::Cpu => "CPU",
            Measure::Wall => "wall",
            Measure::Peak => "peak",
            Measure::Rate => "MB/s",
        };
        match &self.peer {
            Some(peer) => format!("{measure}, {} : {peer}", self.program),
            None => format!("{measure}, {}", self.program),
        }
    }

    /// A number as it is shown: a ratio, milliseconds, MiB or megabytes a second.
    fn shown(&self, value: f64) -> String {
        match (self.measure, &self.peer) {
            (_, Some(_)) => format!("{value:.2}"),
            (Measure::Peak, None) => mebibytes(value),
            (Measure::Rate, None) => format!("{value:.1} MB/s"),
            (Measure::Cpu | Measure::Wall, None) => format!("{:.1} ms", value * 1000.0),
        }
    }

    /// What the ratio divides by.
    fn shown_peer(&self) -> String {
        let Some(usage) = self.theirs else { return String::new() };
        match self.measure {
            Measure::Cpu | Measure::Rate => format!("{:.3} s", usage.cpu_seconds),
            Measure::Wall => format!("{:.3} s", usage.wall_seconds),
            Measure::Peak => mebibytes(usage.peak_bytes as f64),
        }
    }

    fn shown_value(&self) -> String {
        let Some(value) = self.value else { return String::new() };
        match self.spread {
            Some((least, most)) if least < most => {
                format!("{} ({} to {})", self.shown(value), self.shown(least), self.shown(most))
            }
            _ => self.shown(value),
        }
    }

    fn shown_bar(&self) -> String {
        match self.bar {
            Some(Bar::AtMost(limit)) => format!("≤ {}", self.shown(limit)),
            Some(Bar::AtLeast(limit)) => format!("≥ {}", self.shown(limit)),
            None => String::new(),
        }
    }

    fn shown_verdict(&self) -> String {
        let verdict = match self.verdict {
            Verdict::Met => "met",
            Verdict::Missed => "MISSED",
            Verdict::Reported => "no bar",
            Verdict::NoPeer => "NO PEER",
            Verdict::Skipped => "SKIPPED",
            Verdict::Failed => "FAILED",
        };
        match &self.note {
            Some(note) => format!("{verdict}: {note}"),
            None => verdict.to_owned(),
        }
    }
}

/// The table of all rows.
pub(crate) fn table(rows: &[Row]) -> String {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    table.set_header([
        "case",
        "measured",
        "CPU s",
        "wall s",
        "peak",
        "peer CPU s",
        "value",
        "bar",
        "verdict",
    ]);
    for row in rows {
        let seconds = |value: Option<f64>| value.map(|value| format!("{value:.3}")).unwrap_or_default();
        table.add_row([
            row.case.to_owned(),
            row.measured(),
            seconds(row.ours.map(|usage| usage.cpu_seconds)),
            seconds(row.ours.map(|usage| usage.wall_seconds)),
            row.ours.map(|usage| mebibytes(usage.peak_bytes as f64)).unwrap_or_default(),
            row.shown_peer(),
            row.shown_value(),
            row.shown_bar(),
            row.shown_verdict(),
        ]);
    }
    for column in table.column_iter_mut().skip(2).take(5) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.trim_fmt() + "\n"
}

fn mebibytes(bytes: f64) -> String {
    format!("{:.1} MiB", bytes / f64::from(1 << 20))
}

/// How many rows ended as `verdict`.
pub(crate) fn count(rows: &[Row], verdict: Verdict) -> usize {
    rows.iter().filter(|row| row.verdict == verdict).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(measure: Measure, peer: Option<&str>, value: Option<f64>) -> Row {
        let mut row = Row::new("jsonl", measure, "tamis");
        row.peer = peer.map(str::to_owned);
        row.value = value;
        row
    }

    #[test]
    fn values_have_units() {
        for (measure, peer, value, expected) in [
            (Measure::Cpu, Some("cat"), Some(1.256), "1.26"),
            (Measure::Peak, Some("pyarrow"), Some(0.125), "0.12"),
            (Measure::Peak, None, Some(3_145_728.0), "3.0 MiB"),
            (Measure::Wall, None, Some(0.0123), "12.3 ms"),
            (Measure::Rate, None, Some(81.25), "81.2 MB/s"),
            (Measure::Cpu, None, None, ""),
        ] {
            assert_eq!(row(measure, peer, value).shown_value(), expected);
        }
        let mut row = row(Measure::Cpu, Some("cat"), Some(2.0));
        row.spread = Some((1.5, 2.5));
        assert_eq!(row.shown_value(), "2.00 (1.50 to 2.50)");
    }

    #[test]
    fn a_value_at_its_bar_meets_it() {
        for (bar, value, expected) in [
            (Bar::AtMost(0.8), 0.8, true),
            (Bar::AtMost(0.8), 0.81, false),
            (Bar::AtLeast(1.8), 1.8, true),
            (Bar::AtLeast(1.8), 1.79, false),
            (Bar::AtMost(0.8), f64::NAN, false),
        ] {
            assert_eq!(bar.is_met_by(value), expected, "{bar:?} {value}");
        }
    }

    #[test]
    fn table_has_a_line_for_each_row() {
        let usage = Usage { cpu_seconds: 1.5, wall_seconds: 0.75, peak_bytes: 10 << 20 };
        let mut met = row(Measure::Cpu, Some("serde_json"), Some(0.5));
        met.bar = Some(Bar::AtMost(0.8));
        (met.ours, met.theirs) = (Some(usage), Some(Usage { cpu_seconds: 3.0, ..usage }));
        let skipped = row(Measure::Cpu, None, None).ended(Verdict::Skipped, "no reader `warc`");
        let rows = [met.judged(), skipped];
        let table = table(&rows);
        let lines: Vec<&str> = table.lines().collect();
        let line = |word: &str| {
            let line = lines.iter().find(|line| line.contains(word)).unwrap();
            line.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(
            line("serde_json"),
            "jsonl CPU, tamis : serde_json 1.500 0.750 10.0 MiB 3.000 s 0.50 ≤ 0.80 met"
        );
        assert_eq!(line("warc"), "jsonl CPU, tamis SKIPPED: no reader `warc`");
        assert_eq!(count(&rows, Verdict::Met), 1);
        assert_eq!(count(&rows, Verdict::Missed), 0);
    }
}
