//! Literals with what has no form in JSON repaired, and how much was.

use std::marker::PhantomData;

use tamis_text::literal::{Build, Scalar};

use crate::invalid::Repairs;

/// Builds what `B` does; with `REPAIRS`, also from numbers that are not finite and halves of surrogate pairs.
///
/// Without it nothing but the counts, which stay at 0, is different: so both are one piece of code.
pub(super) struct Repairing<B, const REPAIRS: bool>(PhantomData<B>);

impl<B: Build, const REPAIRS: bool> Build for Repairing<B, REPAIRS> {
    type Text = (B::Text, Repairs);
    type Value = (B::Value, Repairs);

    fn push((text, _): &mut Self::Text, bytes: &[u8]) {
        B::push(text, bytes);
    }

    fn string((text, repairs): Self::Text) -> Self::Value {
        (B::string(text), repairs)
    }

    fn scalar(scalar: Scalar) -> Self::Value {
        (B::scalar(scalar), Repairs::default())
    }

    fn list(items: Vec<Self::Value>) -> Self::Value {
        let mut repairs = Repairs::default();
        let items = items.into_iter().map(|(item, repaired)| {
            repairs.add(repaired);
            item
        });
        (B::list(items.collect()), repairs)
    }

    fn dict(entries: Vec<(Self::Value, Self::Value)>) -> Self::Value {
        let mut repairs = Repairs::default();
        let entries = entries.into_iter().map(|((key, in_key), (value, in_value))| {
            repairs.add(in_key);
            repairs.add(in_value);
            (key, value)
        });
        (B::dict(entries.collect()), repairs)
    }

    fn not_finite() -> Option<Self::Value> {
        REPAIRS.then(|| (B::scalar(Scalar::Null), Repairs { numbers: 1, surrogates: 0 }))
    }

    fn half_pair((text, repairs): &mut Self::Text) -> bool {
        if REPAIRS {
            B::push(text, "\u{FFFD}".as_bytes());
            repairs.surrogates += 1;
        }
        REPAIRS
    }
}
