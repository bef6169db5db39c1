//! What becomes of values that have no form in JSON: the option that readers share, and how repairs are counted.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use tamis_plugin::Emit;

/// What becomes of values that have no form in JSON.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum InvalidValues {
    /// The record fails.
    #[default]
    Fail,
    /// Not a number and infinities become null, half of a surrogate pair becomes U+FFFD; both are counted.
    Repair,
}

/// How many values of a record were repaired.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Repairs {
    /// Numbers that are not finite, which became null.
    pub(crate) numbers: u64,
    /// Halves of surrogate pairs, which became U+FFFD.
    pub(crate) surrogates: u64,
}

impl Repairs {
    pub(crate) fn add(&mut self, other: Self) {
        self.numbers += other.numbers;
        self.surrogates += other.surrogates;
    }

    /// Tells what was repaired in a record that has been emitted.
    pub(crate) fn count(self, emit: &mut dyn Emit) {
        for (name, n) in [("numbers_repaired", self.numbers), ("surrogates_repaired", self.surrogates)] {
            if n > 0 {
                emit.count(name, n);
            }
        }
    }
}
