//! What the table of fates knows of limits: where they were, and which records that were kept came near one. Where it is
//! moved a little, these are the first to go.

use std::collections::BTreeMap;
use std::path::Path;

use tamis_document::{Fate, Limit, Measure};
use tamis_runner::fates::Fates;

/// By the name of a measure and whether its limit is an upper one.
pub(crate) type Near = BTreeMap<(String, bool), Side>;

/// A limit, and what came near it.
#[derive(Debug, Default)]
pub(crate) struct Side {
    /// Its values, as it may be another one for each language; the first few.
    pub(crate) limits: Vec<f64>,
    pub(crate) misses: Vec<NearMiss>,
}

/// So many of a measure, limits and misses alike.
const MOST: usize = 3;
/// How near a value has to be, as a share of its limit.
const WITHIN: f64 = 0.1;
/// So many blocks of the table are looked at, from all over it: the page of a large run is made in a second, too.
const BLOCKS: u64 = 128;

/// A record that was kept, with a value within its limit.
#[derive(Debug)]
pub(crate) struct NearMiss {
    pub(crate) id: String,
    pub(crate) value: f64,
    pub(crate) limit: f64,
    /// How far the value is from the limit, as a share of that.
    distance: f64,
}

/// The nearest, from the table of fates of a run; none where there is no table, or none that can be read: the page does
/// without.
pub(crate) fn misses(table: &Path) -> Near {
    let mut near = Near::new();
    let Ok(mut fates) = Fates::open(table) else { return near };
    let n_blocks = fates.n_blocks();
    let n_looked_at = n_blocks.min(BLOCKS);
    for place in 0..n_looked_at {
        let Ok(rows) = fates.block(place * n_blocks / n_looked_at) else { return near };
        for row in rows {
            for measure in &row.measures {
                note(&row.id, row.fate == Fate::Kept, measure, &mut near);
            }
        }
    }
    near
}

fn note(id: &str, is_kept: bool, measure: &Measure, near: &mut Near) {
    let (limit, is_max) = match measure.limit {
        Limit::None => return,
        Limit::Min(limit) => (limit, false),
        Limit::Max(limit) => (limit, true),
    };
    let side = near.entry((measure.name.to_string(), is_max)).or_default();
    if side.limits.len() < MOST && side.limits.iter().all(|other| other.to_bits() != limit.to_bits()) {
        side.limits.push(limit);
    }
    let distance = (measure.value - limit).abs() / limit.abs();
    // Not a number, where the limit is 0: nothing is near that.
    if !is_kept || !measure.holds() || distance.is_nan() || distance > WITHIN {
        return;
    }
    let of_measure = &mut side.misses;
    let at = of_measure.partition_point(|other| other.distance <= distance);
    if at < MOST {
        of_measure.insert(at, NearMiss { id: id.to_owned(), value: measure.value, limit, distance });
        of_measure.truncate(MOST);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_are_kept_and_those_beyond_or_far_away_are_not() {
        let mut near = Near::new();
        let measure = |value, limit| Measure { name: "chars".into(), value, limit };
        for (id, value) in [("a", 109.0), ("b", 111.0), ("c", 100.0), ("d", 104.0), ("e", 101.0), ("f", 99.0)]
        {
            note(id, true, &measure(value, Limit::Min(100.0)), &mut near);
        }
        note("g", true, &measure(0.0, Limit::Max(0.0)), &mut near);
        note("i", false, &measure(101.0, Limit::Min(100.0)), &mut near);
        note("h", true, &measure(5.0, Limit::None), &mut near);
        let side = &near[&("chars".to_owned(), false)];
        let ids: Vec<&str> = side.misses.iter().map(|miss| miss.id.as_str()).collect();
        assert_eq!(ids, ["c", "e", "d"]);
        assert_eq!((side.limits.as_slice(), near.len()), ([100.0].as_slice(), 2));
    }
}
