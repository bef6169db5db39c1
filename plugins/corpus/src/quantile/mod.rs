//! `quantile`: in which part of the collection a document stands by a number.
//!
//! [`options`] holds the page of the stage. Numbers are counted: a row for each document, its key the number, so that
//! the rows of a collection are as many as there are different numbers and merge by addition. The quantiles are read off
//! these once for each worker and group.

mod options;
#[cfg(test)]
mod tests;

use std::collections::HashMap;

use tamis_plugin::keyed::{Column, Columns, Fold, Known, Reduce, Round, Rounds, Row, Rows};
use tamis_plugin::{Draft, Failure, Forms, KeyedStage, SetupError, Value, Verdict, View};

use crate::field;
pub use options::QuantileOptions;

/// Puts documents into buckets; see [`QuantileOptions`].
#[derive(Debug)]
pub struct Quantile {
    options: QuantileOptions,
    /// Where the number is.
    number: Number,
    /// Where the bucket goes.
    bucket: String,
}

/// Where a number stands.
#[derive(Debug)]
enum Number {
    Field(String),
    Measure(String),
}

/// Its only round.
const NUMBERS: u32 = 0;

/// Bits of a fraction by which two numbers are told apart.
const PRECISION: u32 = 12;

/// A worker knows the quantiles of so many groups; with more it looks them up again.
const MOST_GROUPS: usize = 4096;

/// What a worker has looked up, and its working space.
#[derive(Debug, Default)]
pub struct Local {
    row: Row,
    /// The quantiles of each group.
    limits: HashMap<u64, Vec<f64>>,
}

impl KeyedStage for Quantile {
    const NAME: &'static str = "quantile";
    // Where it is written stands in the options.
    const WRITES: &'static [&'static str] = &[];
    type Options = QuantileOptions;
    type Local = Local;

    fn open(options: QuantileOptions) -> Result<Self, SetupError> {
        // A table without any option is refused by the schema; whoever lists stages opens one so.
        let is_empty = options == QuantileOptions::default();
        let (number, name) = match (&options.field, &options.measure) {
            (Some(name), None) => (Number::Field(name.clone()), name.as_str()),
            (None, Some(name)) => (Number::Measure(name.clone()), name.as_str()),
            (None, None) if is_empty => (Number::Measure(String::new()), ""),
            (None, None) => {
                let message =
                    "it orders documents by nothing: give the `field` or the `measure` with the number";
                return Err(SetupError::in_option("field", message));
            }
            (Some(_), Some(_)) => {
                return Err(SetupError::in_option(
                    "measure",
                    "a number is that of a `field` or of a `measure`",
                ));
            }
        };
        let quantiles = &options.quantiles;
        if quantiles.is_empty()
            || !quantiles.is_sorted_by(|one, next| one < next)
            || !quantiles.iter().all(|part| *part > 0.0 && *part < 1.0)
        {
            let message = "quantiles are parts of all documents, over 0 and under 1, in rising order";
            return Err(SetupError::in_option("quantiles", message));
        }
        let bucket = options.bucket.clone().unwrap_or_else(|| format!("{name}_bucket"));
        Ok(Self { options, number, bucket })
    }

    fn forms(&self) -> Forms {
        Forms::new().comparing()
    }

    fn rounds(&self) -> Rounds {
        let numbers = Round {
            name: "numbers".to_owned(),
            key: vec![Column::U64, Column::F64],
            columns: vec![Column::U64],
            reduce: Reduce::Fold(vec![Fold::Sum]),
            ids: false,
        };
        let QuantileOptions { field, measure, by, max_state_bytes, .. } = &self.options;
        Rounds {
            rounds: vec![numbers],
            observes: format!("field = {field:?}, measure = {measure:?}, by = {by:?}"),
            max_state_bytes: Some(*max_state_bytes),
        }
    }

    fn observe(
        &self,
        _round: u32,
        local: &mut Local,
        document: &View<'_>,
        _known: &dyn Known,
        rows: &mut dyn Rows,
    ) -> Result<(), Failure> {
        if let Some(number) = self.number(document) {
            rows.emit(local.row.begin().u64(self.group(document)).f64(number).u64(1).as_bytes());
        }
        Ok(())
    }

    fn apply(&self, local: &mut Local, draft: &mut Draft<'_>, known: &dyn Known) -> Result<Verdict, Failure> {
        let document = draft.original();
        let Some(number) = self.number(&document) else {
            draft.notes().count("no_number", 1);
            return Ok(Verdict::Keep);
        };
        let group = self.group(&document);
        if !local.limits.contains_key(&group) {
            if local.limits.len() == MOST_GROUPS {
                local.limits.clear();
            }
            local.limits.insert(group, self.limits(group, known)?);
        }
        let limits = local.limits.get(&group).map(Vec::as_slice).unwrap_or_default();
        let bucket = limits.iter().filter(|limit| number >= **limit).count();
        draft.set_metadata(self.bucket.clone(), Value::from(bucket as i64));
        draft.notes().count(format!("bucket:{bucket}"), 1);
        Ok(Verdict::Keep)
    }
}

impl Quantile {
    /// The number of a document, as exact as it is counted.
    fn number(&self, document: &View<'_>) -> Option<f64> {
        let number = match &self.number {
            Number::Field(name) => field::number(document.metadata(name)?)?,
            Number::Measure(name) => document.measured(name)?,
        };
        // Nor is there a second zero.
        let kept = u64::MAX << (f64::MANTISSA_DIGITS - 1 - PRECISION);
        Some(f64::from_bits(number.to_bits() & kept) + 0.0).filter(|number| number.is_finite())
    }

    fn group(&self, document: &View<'_>) -> u64 {
        self.options.by.as_ref().map_or(0, |by| field::hash(document, by))
    }

    /// The numbers at the quantiles of a group: those of the first documents that have so many before them.
    fn limits(&self, group: u64, known: &dyn Known) -> Result<Vec<f64>, Failure> {
        let front = group.to_be_bytes();
        let mut n_documents = 0;
        known.entries(NUMBERS, &front, &mut |entry| {
            n_documents += counted(entry).map_or(0, |(_, n)| n);
            true
        })?;
        let mut quantiles =
            self.options.quantiles.iter().map(|part| (part * n_documents as f64).round() as u64).peekable();
        let (mut limits, mut n_before) = (Vec::new(), 0);
        known.entries(NUMBERS, &front, &mut |entry| {
            let Some((number, n)) = counted(entry) else { return false };
            n_before += n;
            while quantiles.next_if(|wanted| *wanted < n_before).is_some() {
                limits.push(number);
            }
            quantiles.peek().is_some()
        })?;
        Ok(limits)
    }
}

/// A number, and how many documents have it.
fn counted(entry: &[u8]) -> Option<(f64, u64)> {
    let mut columns = Columns::of(entry);
    columns.u64()?;
    Some((columns.f64()?, columns.u64()?))
}
