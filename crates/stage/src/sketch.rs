//! How the values of a measure are spread over a collection, in little memory.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// How often which values were measured.
///
/// A histogram over fixed buckets: the sign, the exponent and the first 6 bits of the mantissa of a number choose
/// its bucket, so each power of two is cut into 64 parts. A value that is read from a sketch is the end of its
/// bucket that is nearer to 0: at most 1/64 (1.6 %) nearer to 0 than the value that was measured, and exact for 0
/// and for whole numbers up to 128. (Numbers nearer to 0 than 2.3e-308 count as small multiples of 3.5e-310.)
///
/// It is made of counts alone, so that it is the same whatever the order in which values come and sketches are
/// merged: on one thread or many, after a resume, over shards. That is what keeps out means and the common sketches of
/// quantiles, whose last digits depend on the order.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Form", into = "Form")]
pub struct Sketch {
    buckets: BTreeMap<i32, u64>,
}

/// Bits of the mantissa that choose a bucket.
const BITS: u32 = 6;
const SHIFT: u32 = f64::MANTISSA_DIGITS - 1 - BITS;

impl Sketch {
    /// Counts a value; one that is not finite is none.
    pub fn note(&mut self, value: f64) {
        if value.is_finite() {
            *self.buckets.entry(bucket(value)).or_default() += 1;
        }
    }

    /// Counts the values of another sketch.
    pub fn add(&mut self, other: Self) {
        if self.buckets.is_empty() {
            self.buckets = other.buckets;
            return;
        }
        for (bucket, n) in other.buckets {
            *self.buckets.entry(bucket).or_default() += n;
        }
    }

    /// How many values were counted.
    pub fn n(&self) -> u64 {
        self.buckets.values().sum()
    }

    /// The value below or at which a share of all values lies, from 0 (the least) to 1 (the greatest); `None` if
    /// there are no values.
    pub fn quantile(&self, share: f64) -> Option<f64> {
        let rank = (share.clamp(0.0, 1.0) * self.n() as f64).ceil().max(1.0) as u64;
        let mut n_before = 0;
        let mut found = None;
        for (bucket, n) in &self.buckets {
            found = Some(edge(*bucket));
            n_before += n;
            if n_before >= rank {
                break;
            }
        }
        found
    }

    /// The values in order, each with how often it was measured.
    pub fn values(&self) -> impl Iterator<Item = (f64, u64)> {
        self.buckets.iter().map(|(bucket, n)| (edge(*bucket), *n))
    }
}

fn bucket(value: f64) -> i32 {
    let magnitude = (value.abs().to_bits() >> SHIFT) as i32;
    if value < 0.0 { -magnitude } else { magnitude }
}

/// The end of a bucket that is nearer to 0.
fn edge(bucket: i32) -> f64 {
    let magnitude = f64::from_bits(u64::from(bucket.unsigned_abs()) << SHIFT);
    if bucket < 0 { -magnitude } else { magnitude }
}

/// A sketch as it is written: the buckets by the numbers that choose them, because a decimal fraction may come back
/// as its neighbour; and for people, who read no buckets, some quantiles, which are not read again.
#[derive(Serialize, Deserialize)]
struct Form {
    #[serde(skip_deserializing)]
    n: u64,
    #[serde(skip_deserializing)]
    quantiles: BTreeMap<&'static str, f64>,
    buckets: Vec<(i32, u64)>,
}

/// The quantiles that are written.
const QUANTILES: [(&str, f64); 7] = [
    ("0.00", 0.0),
    ("0.05", 0.05),
    ("0.25", 0.25),
    ("0.50", 0.5),
    ("0.75", 0.75),
    ("0.95", 0.95),
    ("1.00", 1.0),
];

impl From<Sketch> for Form {
    fn from(sketch: Sketch) -> Self {
        let quantile = |(name, share)| Some((name, sketch.quantile(share)?));
        let quantiles = QUANTILES.into_iter().filter_map(quantile).collect();
        Self { n: sketch.n(), quantiles, buckets: sketch.buckets.into_iter().collect() }
    }
}

impl From<Form> for Sketch {
    fn from(form: Form) -> Self {
        let mut sketch = Self::default();
        for (bucket, n) in form.buckets {
            *sketch.buckets.entry(bucket).or_default() += n;
        }
        sketch
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sketch(values: &[f64]) -> Sketch {
        let mut sketch = Sketch::default();
        for value in values {
            sketch.note(*value);
        }
        sketch
    }

    /// Numbers of all sizes and signs, some of them often.
    fn values() -> Vec<f64> {
        let mut state = 7_u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            state >> 11
        };
        (0..5000)
            .map(|n| {
                let (size, value) = ((next() % (1 << 20)) as f64, next() as f64 / 1e15);
                [value * value * value, -value, (next() % 100) as f64, value / (size + 1.0)][n % 4]
            })
            .collect()
    }

    #[test]
    fn it_is_the_same_whatever_the_order_and_the_parts() {
        let values = values();
        let whole = sketch(&values);
        for n_parts in [2, 7, 64] {
            let mut parts: Vec<_> = values.chunks(values.len().div_ceil(n_parts)).map(sketch).collect();
            let mut merged = Sketch::default();
            while let Some(part) = parts.pop() {
                merged.add(part);
            }
            assert_eq!(merged, whole);
        }
        let mut backwards = values.clone();
        backwards.reverse();
        assert_eq!(sketch(&backwards), whole);
        assert_eq!(whole.n(), values.len() as u64);
    }

    #[test]
    fn quantiles_are_at_most_a_sixty_fourth_nearer_to_nothing() {
        let mut values = values();
        let sketch = sketch(&values);
        values.sort_by(f64::total_cmp);
        for percent in 0..=100 {
            let share = f64::from(percent) / 100.0;
            let rank = ((share * values.len() as f64).ceil() as usize).max(1);
            let (exact, read) = (values[rank - 1], sketch.quantile(share).expect("there are values"));
            assert!(
                read.abs() <= exact.abs() && (exact - read).abs() <= exact.abs() / 64.0,
                "{exact} {read}"
            );
        }
    }

    #[test]
    fn small_whole_numbers_are_exact_and_what_is_no_number_is_not_counted() {
        for value in -128..=128 {
            assert_eq!(sketch(&[f64::from(value)]).quantile(0.5), Some(f64::from(value)));
        }
        let odd =
            sketch(&[f64::NAN, f64::INFINITY, f64::NEG_INFINITY, -0.0, 0.0, f64::MAX, f64::MIN_POSITIVE]);
        assert_eq!(odd.n(), 4);
        assert_eq!(odd.values().map(|(_, n)| n).collect::<Vec<_>>(), [2, 1, 1]);
        assert_eq!(Sketch::default().quantile(0.5), None);
    }

    #[test]
    fn it_is_written_and_read_as_it_was() {
        let whole = sketch(&values());
        let json = serde_json::to_string(&whole).expect("it has a JSON form");
        assert_eq!(serde_json::from_str::<Sketch>(&json).expect("its own form"), whole);
        let small = sketch(&[1.0, 2.0, 3.0]);
        let json = serde_json::to_value(&small).expect("it has a JSON form");
        assert_eq!((&json["n"], &json["quantiles"]["0.50"]), (&3.into(), &2.0.into()));
    }
}
