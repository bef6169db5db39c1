//! `tamis advise`: how the measures of a sample are spread, and what other limits would drop.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use anyhow::Context as _;
use comfy_table::CellAlignment;
use tamis_document::{Limit, Value};
use tamis_report::explain::{Journey, Measured};

use crate::args::{AdviseArgs, PlaceArgs};
use crate::commands::preview::passed;
use crate::context::{Context, logged_run};
use crate::output::{self, BOLD, DIM, NAME, print, print_line, styled};
use crate::summary::{self, shown};
use crate::{Exit, names};

/// The shares that are shown, in percent.
const SHOWN: [f64; 7] = [1.0, 5.0, 25.0, 50.0, 75.0, 95.0, 99.0];
/// What a limit that is proposed would drop, in percent.
const PROPOSED: [f64; 2] = [1.0, 5.0];
/// So many languages have a row of their own, each with so many documents at least.
const LANGUAGES: (usize, usize) = (6, 10);
/// So many documents are named as examples.
const EXAMPLES: usize = 3;

/// The values of a measure of a stage.
struct Spread<'a> {
    stage: &'a str,
    /// As it was measured first: its names, unit and limit.
    of: &'a Measured,
    /// Each with the language and the id of its document, in order.
    values: Vec<(f64, &'a str, &'a str)>,
}

pub(crate) fn advise(context: &Context, args: &AdviseArgs) -> anyhow::Result<Exit> {
    let places = PlaceArgs { inputs: args.inputs.clone(), output: None };
    let planned = match context.plan(&args.pipeline, &places) {
        Ok(planned) => planned,
        Err(diagnostics) => {
            output::diagnostics(&diagnostics);
            return Ok(Exit::Setup);
        }
    };
    let sample = tamis_runner::sample(&planned.open(&logged_run())?, args.sample)?;
    let documents = passed(&planned, sample.records)?;
    let spreads = spreads(&documents);
    if spreads.is_empty() {
        anyhow::bail!("no stage of `{}` measures anything against a limit", args.pipeline.pipeline.display());
    }
    print_line(format_args!(
        "{} out of {}; a stage measures those that came to it\n",
        names::plural(documents.len() as u64, "document", "documents"),
        names::plural(sample.n_files, "file", "files")
    ));
    for spread in &spreads {
        print(spread.text());
    }
    if let Some(file) = &args.output {
        let text = tuned(&spreads, &args.pipeline.pipeline, file, args.drop);
        std::fs::write(file, text).with_context(|| format!("cannot write `{}`", file.display()))?;
        print_line(format_args!("wrote {}", shown(file)));
    }
    Ok(Exit::Done)
}

/// The measures that have a limit, in the order of the stages.
fn spreads(documents: &[Journey]) -> Vec<Spread<'_>> {
    let mut all: Vec<Spread<'_>> = Vec::new();
    let mut places: BTreeMap<(&str, &str, bool), usize> = BTreeMap::new();
    for document in documents {
        let language = match document.metadata.get("language") {
            Some(Value::String(language)) => language.split('-').next().unwrap_or_default(),
            _ => "",
        };
        for (step, of) in
            document.steps.iter().flat_map(|step| step.measures.iter().map(move |of| (step, of)))
        {
            if of.measure.limit == Limit::None || !of.measure.value.is_finite() {
                continue;
            }
            let is_max = matches!(of.measure.limit, Limit::Max(_));
            let at = *places.entry((&step.id, &of.measure.name, is_max)).or_insert(all.len());
            if at == all.len() {
                all.push(Spread { stage: &step.id, of, values: Vec::new() });
            }
            all[at].values.push((of.measure.value, language, &document.id));
        }
    }
    for spread in &mut all {
        spread.values.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    all
}

impl Spread<'_> {
    fn is_max(&self) -> bool {
        matches!(self.of.measure.limit, Limit::Max(_))
    }

    /// The limit as it is.
    fn limit(&self) -> f64 {
        match self.of.measure.limit {
            Limit::Min(limit) | Limit::Max(limit) => limit,
            Limit::None => f64::NAN,
        }
    }

    /// Those that a limit would drop, the nearest to it first.
    fn dropped(&self, limit: f64) -> Vec<(f64, &str)> {
        let all = self.values.iter().map(|(value, _, id)| (*value, *id));
        if self.is_max() {
            all.filter(|(value, _)| *value > limit).collect()
        } else {
            let below: Vec<_> = all.filter(|(value, _)| *value < limit).collect();
            below.into_iter().rev().collect()
        }
    }

    /// A limit that drops about so many percent, in few digits; no more than that.
    fn proposed(&self, percent: f64) -> f64 {
        let at = if self.is_max() { 100.0 - percent } else { percent };
        let value = quantile(&self.values.iter().map(|it| it.0).collect::<Vec<_>>(), at);
        rounded(value, self.is_max())
    }

    fn text(&self) -> String {
        let unit = if self.of.unit.is_empty() { String::new() } else { format!(" ({})", self.of.unit) };
        let mut out = format!(
            "{}  {}{unit}  {}\n",
            styled(NAME, self.stage),
            styled(BOLD, &self.of.measure.name),
            self.of.limit()
        );
        if !self.of.summary.is_empty() {
            out += &format!("{}\n", styled(DIM, &self.of.summary));
        }
        out += &self.table();
        let now = self.limit();
        out += &self.line("now", now);
        for percent in PROPOSED {
            let limit = self.proposed(percent);
            if self.of.option.is_empty() || (limit - now).abs() < f64::EPSILON {
                continue;
            }
            let set = format!("--set stage.{}.{}={limit}", self.stage, self.of.option);
            out += &self.line(&set, limit);
        }
        out + "\n"
    }

    /// What a limit drops, with those that it would just drop.
    fn line(&self, what: &str, limit: f64) -> String {
        let dropped = self.dropped(limit);
        let share = 100.0 * dropped.len() as f64 / self.values.len() as f64;
        let mut line = format!("  {what} drops {} ({share:.1} %)", dropped.len());
        let named =
            dropped.iter().take(EXAMPLES).map(|(value, id)| format!("{id} {}", tamis_report::value(*value)));
        let named: Vec<String> = named.collect();
        if !named.is_empty() {
            line += &styled(DIM, format_args!("  {}", named.join(", ")));
        }
        line + "\n"
    }

    fn table(&self) -> String {
        let titles: Vec<String> = SHOWN.iter().map(|percent| format!("{percent} %")).collect();
        let titles: Vec<&str> =
            ["  ", "documents"].into_iter().chain(titles.iter().map(String::as_str)).collect();
        let mut table = summary::table(&titles);
        let mut row = |name: &str, values: &[f64]| {
            let numbers = SHOWN.iter().map(|percent| tamis_report::value(quantile(values, *percent)));
            let cells = [format!("  {name}"), values.len().to_string()].into_iter().chain(numbers);
            table.add_row(cells.collect::<Vec<_>>());
        };
        row("all", &self.values.iter().map(|it| it.0).collect::<Vec<_>>());
        let languages: BTreeSet<&str> =
            self.values.iter().map(|it| it.1).filter(|it| !it.is_empty()).collect();
        let of = |language: &str| -> Vec<f64> {
            self.values.iter().filter(|it| it.1 == language).map(|it| it.0).collect()
        };
        let mut languages: Vec<(&str, Vec<f64>)> = languages.into_iter().map(|it| (it, of(it))).collect();
        languages.retain(|(_, values)| values.len() >= LANGUAGES.1);
        languages.sort_by_key(|(_, values)| std::cmp::Reverse(values.len()));
        // One language alone is all.
        if languages.len() > 1 {
            languages.iter().take(LANGUAGES.0).for_each(|(name, values)| row(name, values));
        }
        for column in table.column_iter_mut().skip(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        summary::render(&table)
    }
}

/// The value below which so many percent of some sorted values lie.
fn quantile(values: &[f64], percent: f64) -> f64 {
    let at = (percent / 100.0 * values.len() as f64).floor() as usize;
    values.get(at.min(values.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

/// With two digits that count; towards what drops less.
fn rounded(value: f64, is_max: bool) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return value;
    }
    // As `1.234e3`: two digits and the power of ten, without a logarithm.
    let written = format!("{value:e}");
    let Some((digits, power)) = written.split_once('e') else { return value };
    let (Ok(digits), Ok(power)) = (digits.parse::<f64>(), power.parse::<i32>()) else { return value };
    // A value that has no more digits must stay what it is.
    let steps = if is_max { (digits * 10.0 - 1e-9).ceil() } else { (digits * 10.0 + 1e-9).floor() };
    format!("{steps}e{}", power - 1).parse().unwrap_or(value)
}

/// A pipeline that takes over the other one with these limits.
fn tuned(spreads: &[Spread<'_>], pipeline: &Path, file: &Path, percent: f64) -> String {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (base, here) = (absolute(pipeline), absolute(file));
    let base = match here.parent().and_then(|folder| base.strip_prefix(folder).ok()) {
        Some(beside) => beside.to_owned(),
        None => base,
    };
    let quoted = |text: &str| serde_json::Value::from(text).to_string();
    let mut text = format!(
        "# Written by `tamis advise`: limits that drop about {percent} % of a sample each.\n\nextends = {}\n",
        quoted(&base.to_string_lossy())
    );
    let mut stages: BTreeMap<&str, Vec<&Spread<'_>>> = BTreeMap::new();
    for spread in spreads.iter().filter(|spread| !spread.of.option.is_empty()) {
        stages.entry(spread.stage).or_default().push(spread);
    }
    for (stage, spreads) in stages {
        text += &format!("\n[[stage]]\nid = {}\n", quoted(stage));
        for spread in spreads {
            let limit = spread.proposed(percent);
            let n = spread.dropped(limit).len();
            text += &format!(
                "{} = {limit}    # was {}; {n} of {}\n",
                spread.of.option,
                spread.limit(),
                spread.values.len()
            );
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_round_and_drop_no_more_than_was_asked_for() {
        for (value, is_max, expected) in [
            (1234.0, false, 1200.0),
            (1234.0, true, 1300.0),
            (0.2, false, 0.2),
            (0.2, true, 0.2),
            (0.287, false, 0.28),
            (57.0, false, 57.0),
            (0.0, false, 0.0),
            (-3.45, true, -3.4),
        ] {
            assert_eq!(rounded(value, is_max).to_bits(), f64::to_bits(expected), "{value} {is_max}");
        }
    }

    #[test]
    fn quantiles_are_values_that_were_measured() {
        let values: Vec<f64> = (0..200).map(f64::from).collect();
        assert_eq!([1.0, 50.0, 99.0].map(|percent| quantile(&values, percent) as u32), [2, 100, 198]);
        assert_eq!(quantile(&[7.0], 99.0) as u32, 7);
    }
}
