//! `mask`: masks, marks or drops what tells who somebody is.

mod checks;
mod find;
mod landline;
mod options;
#[cfg(test)]
mod tests;

use serde_json::json;
use tamis_plugin::{
    Better, Draft, Extractor, Failure, Form, Forms, Limit, MeasureInfo, SetupError, Value, Verdict,
};

use find::{Found, find};
pub use options::{Kind, MaskAction, MaskOptions};

/// Masks what tells who somebody is; see [`MaskOptions`].
#[derive(Debug)]
pub struct Mask {
    options: MaskOptions,
}

impl Extractor for Mask {
    const NAME: &'static str = "mask";
    const MEASURES: &'static [MeasureInfo] =
        &[MeasureInfo::new("masked", "", "How many private things were found.").better(Better::Lower)];
    type Options = MaskOptions;

    fn open(options: MaskOptions) -> Result<Self, SetupError> {
        Ok(Self { options })
    }

    /// Those that somebody has named: that of all that is looked for anyway some does not occur is nothing to tell.
    fn counters(&self) -> Vec<String> {
        let named = if self.options.kinds == Kind::DEFAULT { &[][..] } else { &self.options.kinds };
        named.iter().map(|kind| format!("mask:{}", kind.name())).collect()
    }

    fn forms(&self) -> Forms {
        Forms::new().taking([Form::Flattened, Form::Clean])
    }

    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        let text = draft.original().text();
        let found = find(text, &self.options.kinds);
        draft.notes().measure("masked", found.len() as f64, Limit::None);
        for kind in &self.options.kinds {
            let n = found.iter().filter(|it| it.kind == *kind).count();
            if n > 0 {
                draft.notes().count(format!("mask:{}", kind.name()), n as u64);
            }
        }
        match self.options.action {
            MaskAction::Mask if !found.is_empty() => draft.set_text(masked(text, &found)),
            MaskAction::Mask => {}
            MaskAction::Annotate => draft.set_metadata(self.options.field.clone(), places(text, &found)),
            MaskAction::Drop => {
                if let Some(first) = found.first().filter(|_| found.len() >= self.options.min_found) {
                    return Ok(Verdict::Drop(format!("mask:{}", first.kind.name()).into()));
                }
            }
        }
        Ok(Verdict::Keep)
    }
}

fn masked(text: &str, found: &[Found]) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut from = 0;
    for it in found {
        masked += text.get(from..it.range.start).unwrap_or_default();
        masked += it.kind.placeholder();
        from = it.range.end;
    }
    masked + text.get(from..).unwrap_or_default()
}

/// Where what was found, counted in characters, which is what other languages index strings by.
fn places(text: &str, found: &[Found]) -> Value {
    let (mut at, mut n_chars) = (0, 0);
    let list: Vec<serde_json::Value> = found
        .iter()
        .map(|it| {
            let mut count = |to: usize| {
                n_chars += text.get(at..to).unwrap_or_default().chars().count();
                at = to;
                n_chars
            };
            let start = count(it.range.start);
            let length = count(it.range.end) - start;
            json!({ "kind": it.kind.name(), "start": start, "length": length })
        })
        .collect();
    Value::from(serde_json::Value::from(list))
}
