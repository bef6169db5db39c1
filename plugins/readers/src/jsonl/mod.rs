//! `jsonl`: one JSON object a line.
//!
//! `scan` is the quick way for a plain line; `object` is the careful one, `repair` mends what is no JSON, and `reader`
//! ties them together, for the reader `json` as well.

pub(crate) mod object;
pub(crate) mod options;
mod reader;
mod repair;
mod scan;
#[cfg(test)]
mod tests;
mod value;

use memchr::{memchr, memchr_iter, memrchr};
pub use options::JsonlOptions;
pub(crate) use reader::ObjectReader;
use serde::de::IgnoredAny;
use tamis_plugin::{Block, Cut, Emit, Failure, Forms, Reader, SetupError};

use crate::mapping::Place;
use crate::row::{self, Fault, Row};

/// The reader of JSON Lines.
#[derive(Debug)]
pub struct Jsonl {
    objects: ObjectReader,
}

impl Reader for Jsonl {
    const NAME: &'static str = "jsonl";
    const WRITES: &'static [&'static str] = &["text", "raw", "*"];
    const BY_LINE: bool = true;
    type Options = JsonlOptions;

    fn open(options: JsonlOptions) -> Result<Self, SetupError> {
        Ok(Self { objects: options.reader()? })
    }

    fn forms(&self) -> Forms {
        self.objects.mapping.forms()
    }

    fn sniff(&self, head: &[u8], complete: bool, name: &str) -> u8 {
        let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
        let named = [".jsonl", ".ndjson"].iter().any(|ending| name.to_ascii_lowercase().ends_with(ending));
        let mut lines = head.split_inclusive(|byte| *byte == b'\n');
        let Some(line) = lines.find(|line| !line.trim_ascii().is_empty()) else {
            return if named { 50 } else { 0 };
        };
        let whole = complete || line.ends_with(b"\n");
        let is_object = line.trim_ascii_start().starts_with(b"{");
        match (serde_json::from_slice::<IgnoredAny>(line), named) {
            (Ok(_), _) if is_object => 90,
            // The head ends inside the first line, which is an object as far as it goes.
            (Err(error), _) if is_object && error.is_eof() && !whole => 85,
            // The ending promises it, so say what is wrong with the lines instead of reading them as prose.
            (_, true) => 60,
            (_, false) => 0,
        }
    }

    fn cut(&self, bytes: &[u8], end: bool) -> Cut {
        let (length, unfinished) = match memrchr(b'\n', bytes) {
            _ if end => (bytes.len(), !bytes.is_empty() && !bytes.ends_with(b"\n")),
            Some(newline) => (newline + 1, false),
            None => return Cut::More,
        };
        let newlines = memchr_iter(b'\n', &bytes[..length]).count() as u64;
        Cut::At { bytes: length, records: newlines + u64::from(unfinished) }
    }

    fn decode(&self, block: &Block<'_>, emit: &mut dyn Emit) -> Result<(), Failure> {
        let mut rest = row::without_bom(block);
        let mut offset = block.offset + (block.bytes.len() - rest.len()) as u64;
        let mut ordinal = block.first_ordinal;
        let mut row = Row::default();
        let wants = |name: &str| self.objects.mapping.wants(name);
        while !rest.is_empty() {
            row.clear();
            let plain = if self.objects.takes_utf8() { scan::line(rest, &wants, &mut row) } else { None };
            if let Some((length, end)) = plain {
                let place = Place { ordinal, offset, length: length as u64 };
                if let Err(fault) = self.objects.mapping.emit(&row, place, emit) {
                    self.fail(&rest[..length], place, &fault, emit);
                }
                (offset, ordinal, rest) = (offset + end as u64, ordinal + 1, &rest[end..]);
                continue;
            }
            let (line, after) = rest.split_at(memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1));
            let object = line.trim_ascii_end();
            let place = Place { ordinal, offset, length: object.len() as u64 };
            if !object.is_empty()
                && let Err(fault) = self.objects.read_unusual(object, place, &mut row, emit)
            {
                self.fail(object, place, &fault, emit);
            }
            offset += line.len() as u64;
            ordinal += 1;
            rest = after;
        }
        Ok(())
    }
}

impl Jsonl {
    fn fail(&self, line: &[u8], place: Place, fault: &Fault, emit: &mut dyn Emit) {
        // The place is one in the text of the line, where that could be made.
        let text = self.objects.text(line).unwrap_or_default();
        let shown = if text.is_empty() { line } else { text.as_bytes() };
        let (_, column) = row::line_and_column(shown, fault.at);
        let number = place.ordinal + 1;
        let failure = Failure::new(format_args!("line {number}: column {column}: {}", fault.message));
        emit.failed(place.ordinal, place.offset, line, &failure);
    }
}
