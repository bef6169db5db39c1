//! `sample`: keeps a share of the documents.

mod options;
#[cfg(test)]
mod tests;

use tamis_plugin::{Failure, Filter, Notes, SetupError, Verdict, View};

use crate::lot::{key, lot};
pub use options::SampleOptions;

/// Keeps a share of the documents; see [`SampleOptions`].
#[derive(Debug)]
pub struct Sample {
    options: SampleOptions,
}

impl Filter for Sample {
    const NAME: &'static str = "sample";
    // What it reads stands in the options.
    const READS: &'static [&'static str] = &["*"];
    type Options = SampleOptions;

    fn open(options: SampleOptions) -> Result<Self, SetupError> {
        Ok(Self { options })
    }

    fn filter(&self, document: &View<'_>, _: &mut Notes) -> Result<Verdict, Failure> {
        let SampleOptions { ratio, by, seed } = &self.options;
        let is_kept = lot(&key(document, by)?, *seed) < *ratio;
        Ok(if is_kept { Verdict::Keep } else { Verdict::Drop("not-sampled".into()) })
    }
}
