//! `html`: one page a file.

mod options;
#[cfg(test)]
mod tests;

pub use options::HtmlOptions;
use tamis_plugin::{Block, Emit, Failure, Form, Forms, NewDocument, Reader, SetupError};
use tamis_text::encoding::{self, Hints};
use tamis_text::markup;

use crate::encoded::{self, Decoder, Known};
use crate::foreign::{self, Format};

/// The reader of HTML files.
#[derive(Debug)]
pub struct Html {
    decoder: Decoder,
    keep_raw: bool,
    any_format: bool,
}

/// What no page is.
const FOREIGN: [Format; 5] = [Format::Arc, Format::Warc, Format::Jsonl, Format::Json, Format::Table];
/// How sure the reader is of a file that begins as pages do.
const SURE_BY_CONTENT: u8 = 90;
/// How sure it is of a file that begins with some other tag and is the piece of a page.
const SURE_BY_TAG: u8 = 70;
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

/// How far into a file its first tag may be, in bytes: behind comments and white space.
const SNIFF_BYTES: usize = 16 * 1024;

/// How sure it is that bytes begin a page, from 0 to 100, by what stands there.
pub(crate) fn sniff_markup(head: &[u8]) -> u8 {
    let head = head.get(..SNIFF_BYTES).unwrap_or(head);
    let is_utf16 = head.iter().take(4).any(|byte| *byte == 0)
        || head.starts_with(b"\xFF\xFE")
        || head.starts_with(b"\xFE\xFF");
    let decoded = is_utf16.then(|| encoding::decode(head, &Hints::default()).text.into_owned());
    let head = decoded.as_ref().map_or(head, String::as_bytes);
    if markup::begins_document(head) {
        SURE_BY_CONTENT
    } else if markup::begins_with_element(head) && markup::is_page(head) {
        SURE_BY_TAG
    } else {
        0
    }
}
