//! `split`: says which part of a data set a document belongs to.

mod options;
#[cfg(test)]
mod tests;

use tamis_plugin::{Draft, Extractor, Failure, SetupError, Verdict};

use crate::lot::{key, lot};
pub use options::SplitOptions;

/// Parts a data set; see [`SplitOptions`].
#[derive(Debug)]
pub struct Split {
    options: SplitOptions,
}

impl Extractor for Split {
    const NAME: &'static str = "split";
    // What it reads stands in the options.
    const READS: &'static [&'static str] = &["*"];
    // Where it is written stands in the options.
    const WRITES: &'static [&'static str] = &[];
    type Options = SplitOptions;

    fn open(options: SplitOptions) -> Result<Self, SetupError> {
        for (name, share) in &options.shares {
            let at = format!("shares.{name}");
            if name.is_empty() {
                return Err(SetupError::in_key(at, "a part needs a name"));
            }
            if !(*share > 0.0 && *share < 1.0) {
                return Err(SetupError::in_option(at, "a share is more than 0 and less than 1"));
            }
        }
        let total: f64 = options.shares.values().sum();
        if (total - 1.0).abs() > 1e-9 {
            let message = format!("the shares are {total} together, not 1");
            return Err(SetupError::in_option("shares", message));
        }
        Ok(Self { options })
    }

    fn counters(&self) -> Vec<String> {
        self.options.shares.keys().map(|name| format!("split:{name}")).collect()
    }

    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        let SplitOptions { shares, by, seed, field } = &self.options;
        let mut left = lot(&key(&draft.original(), by)?, *seed);
        let part = shares.iter().find(|(_, share)| {
            left -= **share;
            left < 0.0
        });
        // The shares may be less than 1 by a rounding.
        let (name, _) =
            part.or_else(|| shares.last_key_value()).ok_or_else(|| Failure::new("there are no parts"))?;
        draft.set_metadata(field.clone(), name.as_str());
        draft.notes().count(format!("split:{name}"), 1);
        Ok(Verdict::Keep)
    }
}
