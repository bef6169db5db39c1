//! `arc`: the pages of crawls from before WARC.

mod options;
pub(crate) mod record;
#[cfg(test)]
mod tests;

pub use options::ArcOptions;
use tamis_plugin::{Block, Cut, Emit, Failure, Form, Forms, Reader, SetupError};

use self::record::{Content, Piece};
use crate::crawl::{self, Capture, Pages};

/// The reader of ARC files.
#[derive(Debug)]
pub struct Arc {
    pages: Pages,
}

impl Reader for Arc {
    const NAME: &'static str = "arc";
    const WRITES: &'static [&'static str] = crawl::WRITES;
    type Options = ArcOptions;

    fn open(options: ArcOptions) -> Result<Self, SetupError> {
        Ok(Self { pages: Pages::new(options.into())? })
    }

    fn forms(&self) -> Forms {
        Forms::new().giving([Form::Markup])
    }

    fn sniff(&self, head: &[u8], _complete: bool, name: &str) -> u8 {
        match (record::begins_file(head), name.to_ascii_lowercase().ends_with(".arc")) {
            (true, _) => 95,
            // A part of a file begins with any record.
            _ if record::begins_record(head) == Some(true) => 90,
            // The ending promises it, so say what is wrong instead of reading it as text.
            (false, true) => 60,
            (false, false) => 0,
        }
    }

    fn cut(&self, bytes: &[u8], end: bool) -> Cut {
        let (mut at, mut records) = (record::blank(bytes), 0);
        let (mut cut_at, mut cut_records) = (0, 0);
        while let Some(piece) = record::piece(bytes.get(at..).unwrap_or_default(), end) {
            at += piece.next;
            records += 1;
            // Only where the next record is seen to begin, as for WARC.
            if bytes.get(at..).is_some_and(|rest| record::begins_record(rest) == Some(true)) {
                (cut_at, cut_records) = (at, records);
            }
        }
        match (end, cut_at) {
            (true, _) => Cut::At { bytes: bytes.len(), records },
            (false, 0) => Cut::More,
            (false, _) => Cut::At { bytes: cut_at, records: cut_records },
        }
    }

    fn decode(&self, block: &Block<'_>, emit: &mut dyn Emit) -> Result<(), Failure> {
        let mut at = record::blank(block.bytes);
        let mut ordinal = block.first_ordinal;
        while let Some(piece) = record::piece(block.bytes.get(at..).unwrap_or_default(), true) {
            let offset = block.offset + at as u64;
            if let Err(failure) = self.read_piece(&piece, ordinal, offset, emit) {
                emit.failed(ordinal, offset, piece.bytes, &failure);
            }
            at += piece.next;
            ordinal += 1;
        }
        Ok(())
    }
}

impl Arc {
    fn read_piece(
        &self,
        piece: &Piece<'_>,
        ordinal: u64,
        offset: u64,
        emit: &mut dyn Emit,
    ) -> Result<(), Failure> {
        let (line, content) = match piece.content {
            Content::Whole { line, content } => (line, content),
            // The description of the file is no page, whatever is wrong with its length.
            Content::Broken(_) if record::begins_file(piece.bytes) => {
                emit.count("passed_record_type", 1);
                return Ok(());
            }
            Content::Broken(why) => return Err(Failure::new(why)),
        };
        if record::begins_file(line.url) {
            emit.count("passed_record_type", 1);
            return Ok(());
        }
        let fetched = line.date();
        let is_response = line.url.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case(b"http"));
        let capture = Capture {
            url: Some(line.url),
            fetched: fetched.as_deref(),
            declared: Some(line.content_type),
            identified: Some(line.content_type),
            is_response,
            content,
            ordinal,
            offset,
            length: piece.bytes.len() as u64,
            ..Capture::default()
        };
        self.pages.emit(&capture, emit)
    }
}
