//! `mhtml`: pages that a browser saved as one file.

mod message;
mod options;
#[cfg(test)]
mod tests;

pub use options::MhtmlOptions;
use tamis_plugin::{Block, Emit, Failure, Form, Forms, NewDocument, Reader, SetupError, ValueRef};

use self::message::Message;
use crate::crawl::label_in;
use crate::encoded::{self, Decoder, Known};
use crate::foreign::{self, Format};

/// The reader of MHTML files.
#[derive(Debug)]
pub struct Mhtml {
    decoder: Decoder,
    keep_raw: bool,
}

/// How sure the reader is of a file that begins with the head of a message.
const SURE_BY_CONTENT: u8 = 92;
/// How sure it is of a file that is called like its own: it says what is wrong, instead of letting it pass as prose.
const SURE_BY_NAME: u8 = 60;

impl Reader for Mhtml {
    const NAME: &'static str = "mhtml";
    const WRITES: &'static [&'static str] =
        &["text", "raw", "url", "title", "content_type", "encoding", "undecodable_bytes"];
    const WHOLE_FILE: bool = true;
    type Options = MhtmlOptions;

    fn open(options: MhtmlOptions) -> Result<Self, SetupError> {
        let decoder =
            Decoder::new(&options.encoding, &options.fallback_encoding, options.max_undecodable_ratio)?;
        Ok(Self { decoder, keep_raw: options.keep_raw })
    }

    fn forms(&self) -> Forms {
        Forms::new().giving([Form::Markup, Form::Flattened])
    }

    fn sniff(&self, head: &[u8], _complete: bool, name: &str) -> u8 {
        let name = name.to_ascii_lowercase();
        let is_named = [".mhtml", ".mht", ".eml"].iter().any(|ending| name.ends_with(ending));
        match (message::begins(head), is_named) {
            (true, _) => SURE_BY_CONTENT,
            (false, true) => SURE_BY_NAME,
            (false, false) => 0,
        }
    }

    fn decode(&self, block: &Block<'_>, emit: &mut dyn Emit) -> Result<(), Failure> {
        if let Err(failure) = self.read(block, emit) {
            emit.failed(block.first_ordinal, block.offset, block.bytes, &failure);
        }
        Ok(())
    }
}

impl Mhtml {
    fn read(&self, block: &Block<'_>, emit: &mut dyn Emit) -> Result<(), Failure> {
        foreign::check(block.bytes, Self::NAME, &[Format::Arc, Format::Warc, Format::Jsonl], false)?;
        let message = Message::parse(block.bytes);
        if !message.has_head() {
            let why = "it does not begin with the head of a message (`MIME-Version: …`, `Content-Type: …`)";
            return Err(Failure::new(format_args!("the file is no page saved as MHTML: {why}")));
        }
        let part = message.page().map_err(Failure::new)?;
        let content = part.content().map_err(Failure::new)?;
        let url = message.url(&part);
        let (title, content_type) = (message.subject(), part.content_type());
        let known = Known {
            label: label_in(part.head.field("content-type")),
            markup: content_type != "text/plain",
            url,
        };
        let decoded = self.decoder.decode(&content, known)?;
        let mut metadata = vec![("content_type", ValueRef::String(&content_type))];
        let texts = [("url", url), ("title", title.as_deref())];
        metadata.extend(texts.into_iter().filter_map(|(name, text)| Some((name, ValueRef::String(text?)))));
        encoded::push_metadata(&decoded, &mut metadata);
        emit.document(&NewDocument {
            id: None,
            text: &decoded.text,
            raw: (self.keep_raw || decoded.n_undecodable > 0).then_some(&content),
            metadata: &metadata,
            ordinal: block.first_ordinal,
            offset: block.offset,
            length: block.bytes.len() as u64,
            attachments: &[],
            form: Some(if known.markup { Form::Markup } else { Form::Flattened }),
        });
        Ok(())
    }
}
