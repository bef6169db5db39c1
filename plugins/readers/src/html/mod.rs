//! `html`: one page a file.

mod options;
#[cfg(test)]
mod tests;

pub use options::HtmlOptions;
use tamis_plugin::{Block, Emit, Failure, Form, Forms, NewDocument, Reader, SetupError};

use crate::encoded::{self, Decoder, Known};
use crate::foreign::{self, Format};
use crate::pages::{SURE_BY_TAG, sniff_markup};

/// The reader of HTML files.
#[derive(Debug)]
pub struct Html {
    decoder: Decoder,
    keep_raw: bool,
    any_format: bool,
}

/// What no page is.
const FOREIGN: [Format; 5] = [Format::Arc, Format::Warc, Format::Jsonl, Format::Json, Format::Table];
/// How sure it is of a file that is called like a page and begins with something else.
const SURE_BY_NAME: u8 = 50;

impl Reader for Html {
    const NAME: &'static str = "html";
    const WRITES: &'static [&'static str] = &["text", "raw", "encoding", "undecodable_bytes"];
    const WHOLE_FILE: bool = true;
    type Options = HtmlOptions;

    fn open(options: HtmlOptions) -> Result<Self, SetupError> {
        let decoder =
            Decoder::new(&options.encoding, &options.fallback_encoding, options.max_undecodable_ratio)?;
        Ok(Self { decoder, keep_raw: options.keep_raw, any_format: options.any_format })
    }

    fn forms(&self) -> Forms {
        Forms::new().giving([Form::Markup])
    }

    fn sniff(&self, head: &[u8], _complete: bool, name: &str) -> u8 {
        let name = name.to_ascii_lowercase();
        let is_named = [".html", ".htm", ".xhtml", ".shtml"].iter().any(|ending| name.ends_with(ending));
        match sniff_markup(head) {
            // Markdown may begin with a tag, and a picture in the middle of its head is no page.
            SURE_BY_TAG if foreign::laid_out_by_hand(&name).is_some() => 0,
            sure => sure.max(if is_named { SURE_BY_NAME } else { 0 }),
        }
    }

    fn decode(&self, block: &Block<'_>, emit: &mut dyn Emit) -> Result<(), Failure> {
        let decoded = foreign::check(block.bytes, Self::NAME, &FOREIGN, self.any_format)
            .and_then(|()| self.decoder.decode(block.bytes, Known { markup: true, ..Known::default() }));
        match decoded {
            Ok(decoded) => {
                let mut metadata = Vec::new();
                encoded::push_metadata(&decoded, &mut metadata);
                emit.document(&NewDocument {
                    id: None,
                    text: &decoded.text,
                    raw: (self.keep_raw || decoded.n_undecodable > 0).then_some(block.bytes),
                    metadata: &metadata,
                    ordinal: block.first_ordinal,
                    offset: block.offset,
                    length: block.bytes.len() as u64,
                    attachments: &[],
                    form: Some(Form::Markup),
                });
            }
            Err(failure) => emit.failed(block.first_ordinal, block.offset, block.bytes, &failure),
        }
        Ok(())
    }
}
