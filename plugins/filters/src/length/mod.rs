//! `length`: drops documents that are too short or too long.

mod options;
#[cfg(test)]
mod tests;

use tamis_plugin::{Failure, Filter, Limit, MeasureInfo, Notes, SetupError, Verdict, View};
use tamis_text::chars::count_visible;

pub use options::LengthOptions;

/// Drops documents that are too short or too long; see [`LengthOptions`].
#[derive(Debug)]
pub struct Length {
    options: LengthOptions,
}

impl Filter for Length {
    const NAME: &'static str = "length";
    const MEASURES: &'static [MeasureInfo] =
        &[MeasureInfo::new("chars", "characters", "Characters of the text that can be seen.")
            .at_least("min_chars")
            .at_most("max_chars")];
    type Options = LengthOptions;

    fn open(options: LengthOptions) -> Result<Self, SetupError> {
        match options.max_chars {
            Some(max_chars) if max_chars < options.min_chars => Err(SetupError::in_option(
                "max_chars",
                format_args!(
                    "`max_chars` is {max_chars} characters, less than `min_chars` with {}: \
                     no document could pass",
                    options.min_chars
                ),
            )),
            _ => Ok(Self { options }),
        }
    }

    fn filter(&self, document: &View<'_>, notes: &mut Notes) -> Result<Verdict, Failure> {
        let n_chars = count_visible(document.text()) as u64;
        let LengthOptions { min_chars, max_chars } = self.options;
        // One measure, beside the limit that decides: the one it breaks, or else the lower one.
        if let Some(max_chars) = max_chars.filter(|max_chars| n_chars > *max_chars) {
            notes.measure("chars", n_chars as f64, Limit::Max(max_chars as f64));
            return Ok(Verdict::Drop("too-long".into()));
        }
        let limit = match max_chars {
            Some(max_chars) if min_chars == 0 => Limit::Max(max_chars as f64),
            _ => Limit::Min(min_chars as f64),
        };
        notes.measure("chars", n_chars as f64, limit);
        Ok(if n_chars < min_chars { Verdict::Drop("too-short".into()) } else { Verdict::Keep })
    }
}
