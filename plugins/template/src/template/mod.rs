//! Cuts a closing line, and what follows it, off the end of a text.

mod options;
#[cfg(test)]
mod tests;

use tamis_plugin::{Draft, Extractor, Failure, Limit, MeasureInfo, SetupError, Verdict};

pub use options::TemplateOptions;

/// The stage; see [`TemplateOptions`] for what it does.
pub struct Template {
    options: TemplateOptions,
}

impl Extractor for Template {
    const NAME: &'static str = "template";
    // What it measures: the help names it, and a run keeps how the values are spread.
    const MEASURES: &'static [MeasureInfo] =
        &[MeasureInfo::new("cut_chars", "characters", "Characters that were cut off the end of a text.")];
    type Options = TemplateOptions;

    fn open(options: TemplateOptions) -> Result<Self, SetupError> {
        if options.phrases.iter().any(String::is_empty) {
            return Err(SetupError::in_option("phrases", "an empty phrase begins every line: leave it out"));
        }
        Ok(Self { options })
    }

    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        let Some(cut) = self.closing(draft.text()) else { return Ok(Verdict::Keep) };
        let text = draft.text().get(..cut).unwrap_or_default().trim_end().to_owned();
        if text.is_empty() && self.options.drop_empty {
            return Ok(Verdict::Drop("nothing-left".into()));
        }
        let n_cut = draft.text().chars().count() - text.chars().count();
        draft.set_text(text);
        draft.notes().measure("cut_chars", n_cut as f64, Limit::None);
        draft.notes().count("closings_cut", 1);
        Ok(Verdict::Keep)
    }
}

impl Template {
    /// Where the first closing line begins, among the last lines of the text.
    fn closing(&self, text: &str) -> Option<usize> {
        let lines: Vec<&str> = text.split_inclusive('\n').collect();
        let first = lines.len().saturating_sub(self.options.last_lines);
        let is_closing =
            |line: &str| self.options.phrases.iter().any(|phrase| line.trim_start().starts_with(phrase));
        let index = (first..lines.len()).find(|index| is_closing(lines[*index]))?;
        Some(lines[..index].iter().map(|line| line.len()).sum())
    }
}
