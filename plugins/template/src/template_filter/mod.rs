//! Drops documents with few words.

mod options;
#[cfg(test)]
mod tests;

use tamis_plugin::{Failure, Filter, Limit, MeasureInfo, Notes, SetupError, Verdict, View};

pub use options::TemplateFilterOptions;

/// The stage; see [`TemplateFilterOptions`] for what it does.
pub struct TemplateFilter {
    options: TemplateFilterOptions,
}

impl Filter for TemplateFilter {
    const NAME: &'static str = "template-filter";
    // What it measures, with the option that is the limit: `tamis explain` and the report show both.
    const MEASURES: &'static [MeasureInfo] =
        &[MeasureInfo::new("words", "words", "Words of the text, as blanks part them.")
            .at_least("min_words")];
    type Options = TemplateFilterOptions;

    fn open(options: TemplateFilterOptions) -> Result<Self, SetupError> {
        Ok(Self { options })
    }

    fn filter(&self, document: &View<'_>, notes: &mut Notes) -> Result<Verdict, Failure> {
        let n_words = document.text().split_whitespace().count() as u64;
        notes.measure("words", n_words as f64, Limit::Min(self.options.min_words as f64));
        // The reason is counted and stands beside each document that is dropped.
        Ok(if n_words < self.options.min_words { Verdict::Drop("few-words".into()) } else { Verdict::Keep })
    }
}
