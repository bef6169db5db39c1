//! `text`: one document a file.

mod front_matter;
mod options;
#[cfg(test)]
mod tests;

pub use options::TextOptions;
use tamis_plugin::{Block, Emit, Failure, Form, Forms, NewDocument, Reader, SetupError, ValueRef};

use serde_json::Value;
use tamis_text::encoding::is_wide;
use tamis_text::kind;

use crate::encoded::{self, Decoder, Known};
use crate::foreign::{self, Format};

/// The reader of plain-text files.
#[derive(Debug)]
pub struct Text {
    decoder: Decoder,
    any_format: bool,
    front_matter: bool,
}

/// Fields that front matter calls by one of some names, and where its value is a string.
const FIELDS: [(&str, &[&str]); 5] = [
    ("title", &["title"]),
    ("author", &["author"]),
    ("description", &["description", "summary"]),
    ("language", &["language", "lang"]),
    ("published_raw", &["date", "published"]),
];
/// The field that holds all of it.
const FRONT_MATTER: &str = "front_matter";

/// What is more than one document, or data.
const FOREIGN: [Format; 5] = [Format::Arc, Format::Warc, Format::Jsonl, Format::Json, Format::Table];
/// How sure [`Text`] is of any text: enough to win when no structured reader wants the file.
const SURE_OF_TEXT: u8 = 10;
/// How sure the reader is of a file that is text in another encoding, as far as anyone can tell.
const OTHER_ENCODING: u8 = 1;

impl Reader for Text {
    const NAME: &'static str = "text";
    const WRITES: &'static [&'static str] = &[
        "text",
        "raw",
        "author",
        "content_type",
        "description",
        "encoding",
        "front_matter",
        "language",
        "published_raw",
        "title",
        "undecodable_bytes",
    ];
    const WHOLE_FILE: bool = true;
    type Options = TextOptions;

    fn open(options: TextOptions) -> Result<Self, SetupError> {
        Ok(Self {
            decoder: Decoder::new(
                &options.encoding,
                &options.fallback_encoding,
                options.max_undecodable_ratio,
            )?,
            any_format: options.any_format,
            front_matter: options.front_matter,
        })
    }

    fn forms(&self) -> Forms {
        Forms::new().giving([Form::Flattened])
    }

    fn sniff(&self, head: &[u8], complete: bool, _name: &str) -> u8 {
        if kind::binary(head).is_some() || (!self.any_format && kind::format(head, complete).is_some()) {
            return 0;
        }
        let is_text = match std::str::from_utf8(head) {
            Ok(_) => true,
            // The head may end inside a character.
            Err(error) => !complete && error.error_len().is_none(),
        };
        match (is_text, head.contains(&0)) {
            (true, false) => SURE_OF_TEXT,
            _ if is_wide(head) => SURE_OF_TEXT,
            (false, false) if kind::may_be_text(head) => OTHER_ENCODING,
            _ => 0,
        }
    }

    fn decode(&self, block: &Block<'_>, emit: &mut dyn Emit) -> Result<(), Failure> {
        let decoded = foreign::check(block.bytes, Self::NAME, &FOREIGN, self.any_format)
            .and_then(|()| self.decoder.decode(block.bytes, Known::default()));
        match decoded {
            Ok(decoded) => {
                let content_type = foreign::laid_out_by_hand(block.file);
                let mut metadata: Vec<_> =
                    content_type.map(|kind| ("content_type", ValueRef::String(kind))).into_iter().collect();
                encoded::push_metadata(&decoded, &mut metadata);
                let is_markdown = content_type == Some(foreign::MARKDOWN);
                let front =
                    if self.front_matter && is_markdown { front_matter::split(&decoded.text) } else { None };
                let (front, text) = front.map_or((None, &*decoded.text), |(front, text)| (Some(front), text));
                let whole = front.as_ref().map(|front| Value::from(front.clone()).to_string());
                metadata.extend(whole.as_deref().map(|json| (FRONT_MATTER, ValueRef::Json(json))));
                for (field, names) in FIELDS {
                    let value =
                        front.as_ref().and_then(|front| names.iter().find_map(|name| front.get(*name)));
                    metadata
                        .extend(value.and_then(Value::as_str).map(|value| (field, ValueRef::String(value))));
                }
                emit.document(&NewDocument {
                    id: None,
                    text,
                    raw: (decoded.n_undecodable > 0).then_some(block.bytes),
                    metadata: &metadata,
                    ordinal: block.first_ordinal,
                    offset: block.offset,
                    length: block.bytes.len() as u64,
                    attachments: &[],
                    form: Some(Form::Flattened),
                });
            }
            Err(failure) => emit.failed(block.first_ordinal, block.offset, block.bytes, &failure),
        }
        Ok(())
    }
}
