//! Lots: a number for each document that depends on nothing but its key and a seed.

use tamis_plugin::{Failure, ValueRef, View};
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// The lot of a key, from 0 to 1, which is left out: the same on every machine and in every version.
pub(crate) fn lot(key: &str, seed: u64) -> f64 {
    // What a double holds of it, so that no two lots are nearer than they are told apart.
    (xxh3_64_with_seed(key.as_bytes(), seed) >> 11) as f64 / (1u64 << 53) as f64
}

/// The key of a document: its id, or a field.
pub(crate) fn key(document: &View<'_>, by: &str) -> Result<String, Failure> {
    if by == "id" {
        return Ok(document.id().to_owned());
    }
    Ok(match document.metadata(by) {
        None | Some(ValueRef::Null) => document.id().to_owned(),
        Some(ValueRef::String(text)) => text.to_owned(),
        Some(ValueRef::Integer(number)) => number.to_string(),
        Some(ValueRef::Bool(value)) => value.to_string(),
        Some(ValueRef::Float(_) | ValueRef::Json(_)) => {
            return Err(Failure::new(format!(
                "field `{by}` is no string, whole number, true or false: documents cannot be kept together by it"
            )));
        }
    })
}

#[cfg(test)]
mod tests {
    use super::lot;

    #[test]
    fn lots_are_the_same_for_ever_and_even() {
        assert!((lot("a", 0) - 0.901_461_762_869_609_7).abs() < 1e-12, "{}", lot("a", 0));
        assert!((lot("a", 0) - lot("a", 1)).abs() > 1e-9);
        let n_low = (0..10_000).filter(|number| lot(&number.to_string(), 7) < 0.3).count();
        assert!((2_850..3_150).contains(&n_low), "{n_low}");
    }
}
