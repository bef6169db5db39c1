//! `jsonl`: one JSON object a line.
//!
//! `scan` is the quick way for a plain line, `object` the careful one, also for the reader `json`; `repair` mends what is
//! no JSON.

pub(crate) mod object;
mod options;
mod repair;
mod scan;
#[cfg(test)]
mod tests;
mod value;

use memchr::{memchr, memchr_iter, memrchr};
pub use options::JsonlOptions;
pub(crate) use repair::repaired;
use serde::de::IgnoredAny;
use tamis_plugin::{Block, Cut, Emit, Failure, Forms, Reader, SetupError};

use crate::invalid::InvalidValues;
use crate::mapping::{Mapping, Place};
use crate::row::{self, Fault, Row};

/// The reader of JSON Lines.
#[derive(Debug)]
pub struct Jsonl {
    mapping: Mapping,
    invalid_values: InvalidValues,
}

impl Reader for Jsonl {
    const NAME: &'static str = "jsonl";
    const WRITES: &'static [&'static str] = &["text", "raw", "*"];
    type Options = JsonlOptions;

    fn open(options: JsonlOptions) -> Result<Self, SetupError> {
        Ok(Self {
            mapping: Mapping::new(options.fields, options.metadata, options.spread, options.rename)?
                .with_form(options.form),
            invalid_values: options.invalid_values,
        })
    }

    fn forms(&self) -> Forms {
        self.mapping.forms()
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
        let wants = |name: &str| self.mapping.wants(name);
        while !rest.is_empty() {
            row.clear();
            if let Some((length, end)) = scan::line(rest, &wants, &mut row) {
                let place = Place { ordinal, offset, length: length as u64 };
                if let Err(fault) = self.mapping.emit(&row, place, emit) {
                    fail(&rest[..length], place, &fault, emit);
                }
                (offset, ordinal, rest) = (offset + end as u64, ordinal + 1, &rest[end..]);
                continue;
            }
            let (line, after) = rest.split_at(memchr(b'\n', rest).map_or(rest.len(), |newline| newline + 1));
            let object = line.trim_ascii_end();
            let place = Place { ordinal, offset, length: object.len() as u64 };
            if !object.is_empty()
                && let Err(fault) = self.read_line(object, place, &mut row, emit)
            {
                fail(object, place, &fault, emit);
            }
            offset += line.len() as u64;
            ordinal += 1;
            rest = after;
        }
        Ok(())
    }
}

impl Jsonl {
    fn read_line<'a>(
        &self,
        line: &'a [u8],
        place: Place,
        row: &mut Row<'a>,
        emit: &mut dyn Emit,
    ) -> Result<(), Fault> {
        let Ok(text) = simdutf8::basic::from_utf8(line) else { return Err(not_utf8(line)) };
        row.clear();
        let wants = |name: &str| self.mapping.wants(name);
        let Err(fault) = object::read_any_object(text, &wants, row) else {
            return self.mapping.emit(row, place, emit);
        };
        // Few lines need a repair: they are looked through only when they cannot be read as they are.
        let repaired = match self.invalid_values {
            InvalidValues::Fail => None,
            InvalidValues::Repair => repaired(text),
        };
        let Some((text, repairs)) = repaired else { return Err(fault) };
        let mut row = Row::default();
        // Places in the repaired line are not those in the file.
        object::read_object(&text, &wants, &mut row).map_err(|_| fault)?;
        self.mapping.emit(&row, place, emit)?;
        repairs.count(emit);
        Ok(())
    }
}

fn not_utf8(line: &[u8]) -> Fault {
    let at = std::str::from_utf8(line).map_or_else(|error| error.valid_up_to(), str::len);
    let byte = line.get(at).copied().unwrap_or_default();
    Fault::new(at, format!("byte 0x{byte:02X} is not UTF-8"))
}

fn fail(line: &[u8], place: Place, fault: &Fault, emit: &mut dyn Emit) {
    let (_, column) = row::line_and_column(line, fault.at);
    let number = place.ordinal + 1;
    let failure = Failure::new(format_args!("line {number}: column {column}: {}", fault.message));
    emit.failed(place.ordinal, place.offset, line, &failure);
}
