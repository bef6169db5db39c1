//! `warc`: the pages that a crawler kept.

mod options;
pub(crate) mod record;
#[cfg(test)]
mod tests;

pub use options::{RecordType, WarcOptions};
use tamis_plugin::{Block, Cut, Emit, Failure, Form, Forms, Reader, SetupError};

use self::record::{Content, Piece, begins_record};
use crate::crawl::{self, Capture, Pages};

/// The reader of WARC files.
#[derive(Debug)]
pub struct Warc {
    record_types: Vec<RecordType>,
    pages: Pages,
}

impl Reader for Warc {
    const NAME: &'static str = "warc";
    const WRITES: &'static [&'static str] = crawl::WRITES;
    type Options = WarcOptions;

    fn open(options: WarcOptions) -> Result<Self, SetupError> {
        let record_types = options.record_types.clone();
        Ok(Self { record_types, pages: Pages::new(options.into())? })
    }

    fn forms(&self) -> Forms {
        // Crawls are of pages; what a conversion holds has been flattened, and mostly lies in files of its own.
        let is_page = |kind: &RecordType| matches!(kind, RecordType::Response | RecordType::Resource);
        let has_pages = self.record_types.iter().any(is_page);
        Forms::new().giving([if has_pages { Form::Markup } else { Form::Flattened }])
    }

    fn sniff(&self, head: &[u8], _complete: bool, name: &str) -> u8 {
        let name = name.to_ascii_lowercase();
        let is_named = [".warc", ".wet", ".wat"].iter().any(|ending| name.ends_with(ending));
        match (begins_record(head.trim_ascii_start()), is_named) {
            (true, _) => 95,
            // The ending promises it, so say what is wrong instead of reading it as text.
            (false, true) => 60,
            (false, false) => 0,
        }
    }

    fn cut(&self, bytes: &[u8], end: bool) -> Cut {
        let start = blank(bytes);
        let (mut at, mut records) = (start, 0);
        let (mut cut_at, mut cut_records) = (0, 0);
        while let Some(piece) = record::piece(bytes.get(at..).unwrap_or_default(), end) {
            at += piece.next;
            records += 1;
            // Only where the next record is seen to begin: see `record`.
            if bytes.get(at..).is_some_and(begins_record) {
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
        let mut at = blank(block.bytes);
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

/// Line ends in front of the first record.
fn blank(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| record::is_line_end(**byte)).count()
}

impl Warc {
    fn read_piece(
        &self,
        piece: &Piece<'_>,
        ordinal: u64,
        offset: u64,
        emit: &mut dyn Emit,
    ) -> Result<(), Failure> {
        let (head, content) = match piece.content {
            Content::Whole { head, content } => (head, content),
            Content::Broken(why) => return Err(Failure::new(why)),
        };
        let Some(record_type) = head.field("warc-type") else {
            return Err(Failure::new("the head of the record has no `WARC-Type`"));
        };
        let is_type = |wanted: &RecordType| record_type.eq_ignore_ascii_case(wanted.name().as_bytes());
        if !self.record_types.iter().any(is_type) {
            emit.count("passed_record_type", 1);
            return Ok(());
        }
        let id = head.field("warc-record-id").map(without_brackets);
        let capture = Capture {
            id: id.and_then(|id| std::str::from_utf8(id).ok()),
            url: head.field("warc-target-uri").map(without_brackets),
            fetched: head.text("warc-date"),
            truncated: head.text("warc-truncated"),
            declared: head.field("content-type"),
            identified: head.field("warc-identified-payload-type"),
            is_response: is_type(&RecordType::Response),
            content,
            ordinal,
            offset,
            length: piece.bytes.len() as u64,
        };
        self.pages.emit(&capture, emit)
    }
}

/// The value of a field that stands in angle brackets.
fn without_brackets(value: &[u8]) -> &[u8] {
    value.strip_prefix(b"<").and_then(|value| value.strip_suffix(b">")).unwrap_or(value)
}
