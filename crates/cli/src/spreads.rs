//! How the measures of a sample are spread, and what limits drop of it: what `advise` shows and `preview --serve` turns.

use std::collections::{BTreeMap, BTreeSet};

use tamis_document::{Fate, Limit, Value};
use tamis_report::explain::{Journey, Measured};

/// The values of a measure of a stage.
pub(crate) struct Spread<'a> {
    pub(crate) stage: &'a str,
    /// As it was measured first: its names, unit and limit.
    pub(crate) of: &'a Measured,
    /// In order.
    pub(crate) values: Vec<Measurement<'a>>,
}

/// A value that was measured.
#[derive(Clone, Copy)]
pub(crate) struct Measurement<'a> {
    pub(crate) value: f64,
    /// The language and the id of its document.
    pub(crate) language: &'a str,
    pub(crate) id: &'a str,
    /// Whether the stage that measured it dropped the document.
    is_dropped: bool,
}

/// The measures that have a limit, in the order of the stages.
pub(crate) fn spreads(documents: &[Journey]) -> Vec<Spread<'_>> {
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
            let is_dropped = matches!(step.fate, Fate::Dropped(_));
            all[at].values.push(Measurement {
                value: of.measure.value,
                language,
                id: &document.id,
                is_dropped,
            });
        }
    }
    for spread in &mut all {
        spread.values.sort_by(|a, b| a.value.total_cmp(&b.value));
    }
    all
}

impl Spread<'_> {
    /// The value of the pipeline that is the limit.
    pub(crate) fn key(&self) -> String {
        format!("stage.{}.{}", self.stage, self.of.option)
    }

    pub(crate) fn is_max(&self) -> bool {
        matches!(self.of.measure.limit, Limit::Max(_))
    }

    /// The limit as it is.
    pub(crate) fn limit(&self) -> f64 {
        match self.of.measure.limit {
            Limit::Min(limit) | Limit::Max(limit) => limit,
            Limit::None => f64::NAN,
        }
    }

    /// Those that are beyond a limit, the nearest to it first.
    pub(crate) fn beyond(&self, limit: f64) -> Vec<Measurement<'_>> {
        let all = self.values.iter().copied();
        if self.is_max() {
            all.filter(|it| it.value > limit).collect()
        } else {
            let below: Vec<_> = all.filter(|it| it.value < limit).collect();
            below.into_iter().rev().collect()
        }
    }

    /// The documents that are beyond a limit.
    pub(crate) fn ids_beyond(&self, limit: f64) -> BTreeSet<&str> {
        self.beyond(limit).into_iter().map(|it| it.id).collect()
    }

    /// Whether there are so many documents that the share is one of them at least.
    pub(crate) fn is_enough(&self, percent: f64) -> bool {
        self.values.len() as f64 * percent >= 100.0
    }

    /// Whether the limit for this share has documents beyond it: where many have the least value there is, none is.
    pub(crate) fn drops_at(&self, percent: f64) -> bool {
        !self.beyond(self.proposed(percent)).is_empty()
    }

    /// Whether the stage drops what is beyond the limit: some only note it. Not known where nothing is beyond; and where
    /// all is, the value is one that only dropped documents have, as a likeness is, which says nothing of others.
    pub(crate) fn drops(&self) -> Option<bool> {
        let beyond = self.beyond(self.limit());
        match beyond.len() {
            0 => None,
            n => Some(n < self.values.len() && beyond.iter().all(|it| it.is_dropped)),
        }
    }

    /// A limit that drops about so many percent, in few digits; no more than that.
    pub(crate) fn proposed(&self, percent: f64) -> f64 {
        let at = if self.is_max() { 100.0 - percent } else { percent };
        let value = quantile(&self.values.iter().map(|it| it.value).collect::<Vec<_>>(), at);
        rounded(value, self.is_max())
    }
}

/// The value below which so many percent of some sorted values lie.
pub(crate) fn quantile(values: &[f64], percent: f64) -> f64 {
    let at = (percent / 100.0 * values.len() as f64).floor() as usize;
    values.get(at.min(values.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

/// With two digits that count; towards what drops less.
pub(crate) fn rounded(value: f64, is_max: bool) -> f64 {
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
