//! `decontaminate`: finds what a text has in common with a given set.

mod index;
mod options;
#[cfg(test)]
mod tests;

use serde_json::json;
use tamis_plugin::{
    Better, Draft, Extractor, Failure, Form, Forms, Limit, MeasureInfo, SetupError, Value, Verdict,
};

use index::{Index, Item, Span, tokens};
pub use options::{Contaminated, DecontaminateOptions};

/// Holds texts against a set; see [`DecontaminateOptions`].
#[derive(Debug)]
pub struct Decontaminate {
    options: DecontaminateOptions,
    index: Index,
    /// The files of the set, by number.
    files: Vec<String>,
}

impl Extractor for Decontaminate {
    const NAME: &'static str = "decontaminate";
    const MEASURES: &'static [MeasureInfo] = &[MeasureInfo::new(
        "contaminated_ratio",
        "",
        "Share of the tokens that stand in spans which the set has as well.",
    )
    .better(Better::Lower)
    .at_most("max_ratio")];
    type Options = DecontaminateOptions;

    fn open(options: DecontaminateOptions) -> Result<Self, SetupError> {
        let wrong = |why: String| SetupError::in_option("against", why);
        if options.against.is_empty() {
            return Err(wrong("it knows no set: give `against`".to_owned()));
        }
        let files = options.against.clone();
        let mut index = Index::default();
        let mut n_items = 0;
        for (number, path) in files.iter().enumerate() {
            n_items += read(path, number as u32, &options, &mut index).map_err(wrong)?;
        }
        if n_items == 0 {
            let DecontaminateOptions { min_tokens, fields, .. } = &options;
            let message = format!(
                "{} has no item of {min_tokens} tokens and more; items of JSON Lines are taken from {}",
                files.join(", "),
                fields.join(", ")
            );
            return Err(wrong(message));
        }
        Ok(Self { options, index, files })
    }

    fn forms(&self) -> Forms {
        Forms::new().taking([Form::Flattened, Form::Clean])
    }

    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        let text = draft.original().text();
        let mut found = Vec::new();
        tokens(text, &mut found);
        let spans = self.index.find(&found);
        let n_tokens: usize = spans.iter().map(|span| span.tokens.len()).sum();
        let ratio = n_tokens as f64 / found.len().max(1) as f64;
        let DecontaminateOptions { action, max_ratio, field, .. } = &self.options;
        let is_limited = *action == Contaminated::Drop;
        let limit = if is_limited { Limit::Max(*max_ratio) } else { Limit::None };
        draft.notes().measure("contaminated_ratio", ratio, limit);
        for span in &spans {
            draft.notes().count(format!("contaminated:{}", self.name(span.item)), 1);
        }
        match action {
            Contaminated::Drop if ratio > *max_ratio => return Ok(Verdict::Drop("contaminated".into())),
            Contaminated::Drop => {}
            Contaminated::Annotate => draft.set_metadata(field.clone(), self.places(text, &spans)),
            Contaminated::Cut if spans.is_empty() => {}
            Contaminated::Cut => draft.set_text(without(text, &spans)),
        }
        Ok(Verdict::Keep)
    }
}

impl Decontaminate {
    /// The file of an item, without its folder.
    fn name(&self, item: Item) -> &str {
        let path = self.files.get(item.file as usize).map_or("", String::as_str);
        path.rsplit(['/', '\\']).next().unwrap_or(path)
    }

    /// Where spans are, counted in characters, which is what other languages index strings by.
    fn places(&self, text: &str, spans: &[Span]) -> Value {
        let (mut at, mut n_chars) = (0, 0);
        let mut count = |to: usize| {
            n_chars += text.get(at..to).unwrap_or_default().chars().count();
            at = to;
            n_chars
        };
        let list: Vec<serde_json::Value> = spans
            .iter()
            .map(|span| {
                let start = count(span.range.start);
                let length = count(span.range.end) - start;
                let item = format!("{}:{}", self.name(span.item), span.item.line);
                json!({ "start": start, "length": length, "item": item })
            })
            .collect();
        Value::from(serde_json::Value::from(list))
    }
}

/// The text without spans; of the white space on both sides of one that before it stays.
fn without(text: &str, spans: &[Span]) -> String {
    let mut left = String::with_capacity(text.len());
    let mut from = 0;
    for span in spans {
        left += text.get(from..span.range.start).unwrap_or_default();
        from = span.range.end;
        let is_open = left.is_empty() || left.ends_with(char::is_whitespace);
        if is_open && text.get(from..).is_some_and(|rest| rest.starts_with(' ')) {
            from += 1;
        }
    }
    left + text.get(from..).unwrap_or_default()
}

/// Adds the items of a file; gives how many there are that are long enough.
fn read(path: &str, file: u32, options: &DecontaminateOptions, index: &mut Index) -> Result<usize, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read {path}: {error}"))?;
    let is_json = std::path::Path::new(path).extension().is_some_and(|ending| ending == "jsonl");
    let mut found = Vec::new();
    let mut n_items = 0;
    for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let item = Item { file, line: at as u32 + 1 };
        let mut add = |text: &str| {
            tokens(text, &mut found);
            n_items += usize::from(index.add(item, &found, options.n, options.min_tokens));
        };
        if !is_json {
            add(line);
            continue;
        }
        let row: serde_json::Value =
            serde_json::from_str(line).map_err(|error| format!("{path}:{}: {error}", at + 1))?;
        for value in options.fields.iter().filter_map(|field| row.get(field)) {
            match value {
                serde_json::Value::String(text) => add(text),
                serde_json::Value::Array(list) => {
                    list.iter().filter_map(|one| one.as_str()).for_each(&mut add);
                }
                _ => {}
            }
        }
    }
    Ok(n_items)
}
