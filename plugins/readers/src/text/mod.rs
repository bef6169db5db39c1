//! `text`: one document a file.

mod options;
#[cfg(test)]
mod tests;

pub use options::TextOptions;
use tamis_plugin::{Block, Emit, Failure, Form, Forms, NewDocument, Reader, SetupError, ValueRef};

use tamis_text::encoding::is_wide;
use tamis_text::kind;

use crate::encoded::{self, Decoder, Known};
use crate::foreign::{self, Format};

/// The reader of plain-text files.
#[derive(Debug)]
pub struct Text {
    decoder: Decoder,
    any_format: bool,
}

/// What is more than one document, or data.
const FOREIGN: [Format; 5] = [Format::Arc, Format::Warc, Format::Jsonl, Format::Json, Format::Table];
/// How sure [`Text`] is of any text: enough to win when no structured reader wants the file.
const SURE_OF_TEXT: u8 = 10;
/// How sure the reader is of a file that is text in another encoding, as far as anyone can tell.
const OTHER_ENCODING: u8 = 1;

impl Reader for Text {
    const NAME: &'static str = "text";
    const WRITES: &'static [&'static str] = &["text", "raw", "content_type", "encoding", "undecodable_bytes"];
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
                emit.document(&NewDocument {
                    id: None,
                    text: &decoded.text,
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
