//! `chunk`: cuts a document into chunks.

mod cut;
mod length;
mod options;
#[cfg(test)]
mod tests;

use tamis_plugin::{
    Document, Draft, Extractor, Failure, Form, Forms, Limit, MeasureInfo, SetupError, Value, Verdict,
};

use crate::tokenizer::Tokenizer;
use cut::{Chunk, Cutter};
use length::Length;
pub use options::{ChunkOptions, Unit};

/// Cuts a document into chunks; see [`ChunkOptions`].
#[derive(Debug)]
pub struct Chunks {
    cutter: Cutter,
}

impl Extractor for Chunks {
    const NAME: &'static str = "chunk";
    const WRITES: &'static [&'static str] =
        &["text", "id", "parent", "chunk", "chunks", "chunk_start", "heading"];
    const MEASURES: &'static [MeasureInfo] =
        &[MeasureInfo::new("chunks", "chunks", "How many chunks a document was cut into.")];
    type Options = ChunkOptions;

    fn open(options: ChunkOptions) -> Result<Self, SetupError> {
        let ChunkOptions { by, max_chars, overlap_chars, tokenizer, max_tokens, overlap_tokens, headings } =
            options;
        let (max, overlap, name, limit) = match by {
            Unit::Characters => (max_chars, overlap_chars, "overlap_chars", "max_chars"),
            Unit::Tokens => (max_tokens, overlap_tokens, "overlap_tokens", "max_tokens"),
        };
        if overlap > max / 2 {
            let message = format!(
                "`{name}` is {overlap}, more than half of `{limit}` with {max}: chunks would repeat more than they bring"
            );
            return Err(SetupError::in_option(name, message));
        }
        let length = match by {
            Unit::Characters => Length::Characters,
            Unit::Tokens if tokenizer.is_empty() => {
                let message = "tokens are those of a tokenizer: give a `tokenizer`, as `\"tokenizer.json\"`";
                return Err(SetupError::in_option("by", message));
            }
            Unit::Tokens => Length::Tokens(
                Tokenizer::load(&tokenizer).map_err(|why| SetupError::in_option("tokenizer", why))?,
            ),
        };
        Ok(Self { cutter: Cutter { length, max, overlap, by_headings: headings } })
    }

    fn forms(&self) -> Forms {
        Forms::new().taking([Form::Flattened, Form::Clean])
    }

    fn extract(&self, draft: &mut Draft<'_>) -> Result<Verdict, Failure> {
        let text = draft.original().text();
        let chunks = self.cutter.cut(text).map_err(Failure::new)?;
        draft.notes().measure("chunks", chunks.len() as f64, Limit::None);
        draft.notes().count("chunks", chunks.len() as u64);
        let parent = draft.id().to_owned();
        let n_chunks = chunks.len() as i64;
        let (mut at, mut n_chars) = (0, 0);
        for (nth, Chunk { range, from, heading }) in (1i64..).zip(chunks) {
            n_chars += text.get(at..from).unwrap_or_default().chars().count() as i64;
            at = from;
            let content = text.get(from..range.end).unwrap_or_default();
            let id = format!("{parent}#{nth}");
            let mut fields: Vec<(&'static str, Value)> = vec![
                ("parent", Value::from(parent.as_str())),
                ("chunk", Value::from(nth)),
                ("chunks", Value::from(n_chunks)),
                ("chunk_start", Value::from(n_chars)),
            ];
            if !heading.is_empty() {
                fields.push(("heading", Value::from(serde_json::Value::from(heading))));
            }
            if nth == 1 {
                draft.set_id(id);
                if content.len() < text.len() {
                    draft.set_text(content);
                }
                for (name, value) in fields {
                    draft.set_metadata(name, value);
                }
                continue;
            }
            let mut document = Document::new(id, content);
            // A field that the first one has and this one has not would be inherited.
            if !fields.iter().any(|(name, _)| *name == "heading") {
                fields.push(("heading", Value::Null));
            }
            for (name, value) in fields {
                document.metadata.insert(name, value);
            }
            draft.split_off(document);
        }
        Ok(Verdict::Keep)
    }
}
