//! `classify`: says of what kind a text is, by a model of the user.

mod options;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

use tamis_plugin::{Draft, Extractor, Failure, Form, Forms, Limit, MeasureInfo, SetupError, Value, Verdict};

use crate::fasttext::{Guess, Model, bare, listed};
pub use options::ClassifyOptions;

/// Classifies by a model; see [`ClassifyOptions`].
#[derive(Debug)]
pub struct Classify {
    options: ClassifyOptions,
    model: Model,
}

impl Extractor for Classify {
    const NAME: &'static str = "classify";
    // Where it is written stands in the options.
    const WRITES: &'static [&'static str] = &[];
    const MEASURES: &'static [MeasureInfo] =
        &[MeasureInfo::new("score", "", "The probability of the label, from 0 to 1.").at_least("min_score")];
    type Options = ClassifyOptions;

    fn open(mut options: ClassifyOptions) -> Result<Self, SetupError> {
        if options.model.is_empty() {
            return Err(SetupError::in_option("model", "it classifies by nothing: give a `model`"));
        }
        if !options.buckets.is_sorted_by(|one, next| one < next)
            || !options.buckets.iter().all(|limit| (0.0..=1.0).contains(limit))
        {
            return Err(SetupError::in_option(
                "buckets",
                "limits of buckets are scores from 0 to 1, in rising order",
            ));
        }
        let model = Model::load(&options.model).map_err(|why| SetupError::in_option("model", why))?;
        if let Some(label) = &mut options.label {
            *label = bare(label).to_owned();
            if !model.labels().is_empty() && !model.labels().contains(label) {
                let message =
                    format!("the model has no label `{label}`; there are {}", listed(model.labels()));
                return Err(SetupError::in_option("label", message));
            }
        }
        Ok(Self { options, model })
    }

    fn forms(&self) -> Forms {
        Forms::new().taking([Form::Flattened, Form::Clean])
    }

    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        let guesses = self.guesses(draft.text()).map_err(Failure::new)?;
        let Some(best) = guesses.first() else {
            draft.notes().count("classify:nothing-known", 1);
            let is_bad = self.options.min_score.is_some();
            return Ok(if is_bad { Verdict::Drop("low-score".into()) } else { Verdict::Keep });
        };
        let score = match &self.options.label {
            Some(label) => {
                guesses.iter().find(|guess| guess.label == *label).map_or(0.0, |guess| guess.probability)
            }
            None => best.probability,
        };
        // The last bits are those of the machine, which nobody asks for.
        let score = (score * 1e4).round() / 1e4;
        let ClassifyOptions { field, buckets, min_score, .. } = &self.options;
        draft.set_metadata(field.clone(), Value::from(score));
        draft.set_metadata(format!("{field}_label"), best.label.as_str());
        if !buckets.is_empty() {
            let bucket = buckets.iter().filter(|limit| score >= **limit).count();
            draft.set_metadata(format!("{field}_bucket"), Value::from(bucket as i64));
        }
        draft.notes().count(format!("classify:{}", best.label), 1);
        draft.notes().measure("score", score, min_score.map_or(Limit::None, Limit::Min));
        Ok(match min_score {
            Some(limit) if score < *limit => Verdict::Drop("low-score".into()),
            _ => Verdict::Keep,
        })
    }
}

impl Classify {
    fn guesses(&self, text: &str) -> Result<Vec<Guess>, String> {
        let end = self.options.max_chars.and_then(|most| text.char_indices().nth(most));
        let text = end.map_or(text, |(end, _)| text.get(..end).unwrap_or(text));
        let text = if self.options.lowercase { Cow::Owned(text.to_lowercase()) } else { Cow::Borrowed(text) };
        // Without a label the best alone is asked for, which costs less.
        match self.options.label {
            Some(_) => self.model.all(&text),
            None => Ok(self.model.best(&text)?.into_iter().collect()),
        }
    }
}
