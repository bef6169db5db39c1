//! `tokens`: counts the tokens of a text as a language model would.

mod options;
#[cfg(test)]
mod tests;

use tamis_plugin::{Draft, Extractor, Failure, Form, Forms, Limit, MeasureInfo, SetupError, Value, Verdict};

use crate::tokenizer::Tokenizer;
pub use options::TokensOptions;

/// Counts tokens; see [`TokensOptions`].
#[derive(Debug)]
pub struct Tokens {
    options: TokensOptions,
    tokenizer: Tokenizer,
}

impl Extractor for Tokens {
    const NAME: &'static str = "tokens";
    // Where it is written stands in the options.
    const WRITES: &'static [&'static str] = &[];
    const MEASURES: &'static [MeasureInfo] = &[MeasureInfo::new("tokens", "tokens", "Tokens of the text.")
        .at_least("min_tokens")
        .at_most("max_tokens")];
    type Options = TokensOptions;

    fn open(options: TokensOptions) -> Result<Self, SetupError> {
        if options.tokenizer.is_empty() {
            return Err(SetupError::in_option("tokenizer", "it counts by nothing: give a `tokenizer`"));
        }
        let TokensOptions { min_tokens, max_tokens, .. } = options;
        if let Some(max_tokens) = max_tokens.filter(|max_tokens| *max_tokens < min_tokens) {
            let message = format!(
                "`max_tokens` is {max_tokens}, less than `min_tokens` with {min_tokens}: no document could pass"
            );
            return Err(SetupError::in_option("max_tokens", message));
        }
        let tokenizer =
            Tokenizer::load(&options.tokenizer).map_err(|why| SetupError::in_option("tokenizer", why))?;
        Ok(Self { options, tokenizer })
    }

    fn forms(&self) -> Forms {
        Forms::new().taking([Form::Flattened, Form::Clean])
    }

    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        let n_tokens = self.tokenizer.count(draft.text()).map_err(Failure::new)?;
        let TokensOptions { min_tokens, max_tokens, field, .. } = &self.options;
        if let Some(field) = field {
            draft.set_metadata(field.clone(), Value::from(n_tokens as i64));
        }
        // One measure, beside the limit that decides: the one it breaks, or else the lower one.
        let (limit, verdict) = match max_tokens {
            Some(most) if n_tokens > *most => {
                (Limit::Max(*most as f64), Verdict::Drop("too-many-tokens".into()))
            }
            _ if n_tokens < *min_tokens => {
                (Limit::Min(*min_tokens as f64), Verdict::Drop("too-few-tokens".into()))
            }
            Some(most) if *min_tokens == 0 => (Limit::Max(*most as f64), Verdict::Keep),
            None if *min_tokens == 0 => (Limit::None, Verdict::Keep),
            _ => (Limit::Min(*min_tokens as f64), Verdict::Keep),
        };
        draft.notes().measure("tokens", n_tokens as f64, limit);
        draft.notes().count("tokens", n_tokens as u64);
        Ok(verdict)
    }
}
