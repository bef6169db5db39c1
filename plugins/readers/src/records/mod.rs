//! `records`: records whose fields are Python or JSON literals.

mod grammar;
mod options;
mod repair;
#[cfg(test)]
mod tests;

pub use options::RecordsOptions;
use tamis_plugin::{Block, Cut, Emit, Failure, Forms, Reader, SetupError};

use self::grammar::{Beginning, Content, Outcome, Spans};
use self::repair::Repairing;
use crate::invalid::{InvalidValues, Repairs};
use crate::mapping::{Mapping, Place};
use crate::row::{self, Fault, Field, Row, Slot, Str};
use tamis_text::literal::{Literal, Scalar, Skim, Tree};

/// The reader of records in literals.
#[derive(Debug)]
pub struct Records {
    mapping: Mapping,
    invalid_values: InvalidValues,
}

/// How many whole records at its beginning make a file a dump in spite of a broken one.
const WHOLE_BEFORE_BROKEN: usize = 2;

impl Reader for Records {
    const NAME: &'static str = "records";
    const WRITES: &'static [&'static str] = &["text", "raw", "*"];
    type Options = RecordsOptions;

    fn open(options: RecordsOptions) -> Result<Self, SetupError> {
        Ok(Self {
            mapping: Mapping::new(options.fields, options.metadata, options.spread, options.rename)?
                .with_form(options.form),
            invalid_values: options.invalid_values,
        })
    }

    fn forms(&self) -> Forms {
        self.mapping.forms()
    }

    /// Takes a file only if all of it, as far as the head shows, is records: prose has lines such as
    /// `Note: "quoted" text`, too.
    fn sniff(&self, head: &[u8], complete: bool, _name: &str) -> u8 {
        let first = head.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(head.len());
        let sure = match grammar::beginning(head, first) {
            Some(Beginning::Text(_)) => 80,
            Some(Beginning::Dict) => 70,
            Some(Beginning::Field(_)) => 60,
            None => return 0,
        };
        let (mut at, mut n_whole) = (first, 0);
        loop {
            match grammar::record::<Skim>(head, at, complete) {
                Outcome::Whole(_, next) => (at, n_whole) = (next, n_whole + 1),
                // One line of prose may look like a record; a dump with a broken one has others before it, and
                // read as prose all of them would be one document.
                Outcome::Broken(..) => return if n_whole >= WHOLE_BEFORE_BROKEN { sure / 2 } else { 0 },
                Outcome::Blank | Outcome::More => return sure,
            }
        }
    }

    fn cut(&self, bytes: &[u8], end: bool) -> Cut {
        // What is repaired is no broken record, whose end is searched for.
        match self.invalid_values {
            InvalidValues::Fail => cut::<false>(bytes, end),
            InvalidValues::Repair => cut::<true>(bytes, end),
        }
    }

    fn decode(&self, block: &Block<'_>, emit: &mut dyn Emit) -> Result<(), Failure> {
        match self.invalid_values {
            InvalidValues::Fail => self.read_block::<false>(block, emit),
            InvalidValues::Repair => self.read_block::<true>(block, emit),
        }
        Ok(())
    }
}

fn cut<const REPAIRS: bool>(bytes: &[u8], end: bool) -> Cut {
    let mut spans = Spans::<Repairing<Skim, REPAIRS>>::new(bytes, end);
    let records = spans.by_ref().count() as u64;
    match (end, records) {
        (true, _) => Cut::At { bytes: bytes.len(), records },
        (false, 0) => Cut::More,
        (false, _) => Cut::At { bytes: spans.at(), records },
    }
}

impl Records {
    fn read_block<const REPAIRS: bool>(&self, block: &Block<'_>, emit: &mut dyn Emit) {
        let mut row = Row::default();
        let spans = Spans::<Repairing<Skim, REPAIRS>>::new(block.bytes, true);
        for (ordinal, span) in (block.first_ordinal..).zip(spans) {
            let record = block.bytes.get(span.clone()).unwrap_or_default();
            let trimmed = record.trim_ascii();
            let indent = record.len() - record.trim_ascii_start().len();
            let offset = block.offset + (span.start + indent) as u64;
            let place = Place { ordinal, offset, length: trimmed.len() as u64 };
            if let Err(fault) = self.read_record::<REPAIRS>(trimmed, place, &mut row, emit) {
                fail(trimmed, place, &fault, emit);
            }
        }
    }

    fn read_record<'a, const REPAIRS: bool>(
        &self,
        record: &'a [u8],
        place: Place,
        row: &mut Row<'a>,
        emit: &mut dyn Emit,
    ) -> Result<(), Fault> {
        let text = std::str::from_utf8(record).map_err(|error| {
            let at = error.valid_up_to();
            Fault::new(at, format!("byte 0x{:02X} is not UTF-8", record.get(at).copied().unwrap_or_default()))
        })?;
        row.clear();
        let mut repairs = Repairs::default();
        match grammar::record::<Repairing<Tree, REPAIRS>>(record, 0, true) {
            Outcome::Whole(_, next) if next < record.len() => {
                return Err(Fault::new(next, "expected the end of the record"));
            }
            Outcome::Whole(Content::Fields(fields), _) => {
                for field in fields {
                    let name = Str::Input(text.get(field.name).unwrap_or_default());
                    let (value, repaired) = field.value;
                    repairs.add(repaired);
                    push(name, field.at, &value, row)?;
                }
            }
            Outcome::Whole(Content::Dict(at, (Literal::Dict(entries), repaired)), _) => {
                repairs.add(repaired);
                for (name, value) in entries {
                    let Literal::String(name) = name else {
                        return Err(Fault::new(at, "the fields of a record must be named by strings"));
                    };
                    let name = Str::Scratch(decoded(&name, &mut row.scratch, at)?);
                    push(name, at, &value, row)?;
                }
            }
            Outcome::Broken(trouble, _) => return Err(Fault::new(trouble.at, trouble.message)),
            Outcome::Whole(Content::Dict(..), _) | Outcome::Blank | Outcome::More => {
                return Err(Fault::new(0, "expected a field, such as `text: '…'`, or a dict"));
            }
        }
        self.mapping.emit(row, place, emit)?;
        repairs.count(emit);
        Ok(())
    }
}

/// Appends a field to the row.
fn push<'a>(name: Str<'a>, at: usize, value: &Literal, row: &mut Row<'a>) -> Result<(), Fault> {
    let value = match value {
        Literal::Scalar(Scalar::Null) => Slot::Null,
        Literal::Scalar(Scalar::Bool(value)) => Slot::Bool(*value),
        Literal::Scalar(Scalar::Integer(value)) => Slot::Integer(*value),
        Literal::Scalar(Scalar::Float(value)) => Slot::Float(*value),
        Literal::String(text) => Slot::String(Str::Scratch(decoded(text, &mut row.scratch, at)?)),
        nested => {
            let mut json = Vec::new();
            write_json(nested, &mut json).map_err(|message| Fault::new(at, message))?;
            Slot::Json(Str::Scratch(decoded(&json, &mut row.scratch, at)?))
        }
    };
    row.fields.push(Field { name, value, at, encoded: None });
    Ok(())
}

/// Appends a decoded string to the buffer; only a bytes literal can be anything but UTF-8.
fn decoded(bytes: &[u8], scratch: &mut String, at: usize) -> Result<std::ops::Range<usize>, Fault> {
    let text = simdutf8::basic::from_utf8(bytes).map_err(|_| Fault::new(at, NOT_UTF8))?;
    let start = scratch.len();
    scratch.push_str(text);
    Ok(start..scratch.len())
}

const NOT_UTF8: &str = "the bytes literal is not UTF-8";

/// Writes a value as compact JSON; keys that are no strings become strings, as `json.dumps` makes them.
fn write_json(value: &Literal, out: &mut Vec<u8>) -> Result<(), String> {
    match value {
        Literal::Scalar(scalar) => write_scalar(scalar, out),
        Literal::String(text) => {
            let text = simdutf8::basic::from_utf8(text).map_err(|_| NOT_UTF8)?;
            serde_json::to_writer(out, text).map_err(|error| error.to_string())
        }
        Literal::List(items) => {
            for (index, item) in items.iter().enumerate() {
                out.push(if index == 0 { b'[' } else { b',' });
                write_json(item, out)?;
            }
            out.extend_from_slice(if items.is_empty() { b"[]" } else { b"]" });
            Ok(())
        }
        Literal::Dict(entries) => {
            for (index, (key, value)) in entries.iter().enumerate() {
                out.push(if index == 0 { b'{' } else { b',' });
                match key {
                    Literal::Scalar(scalar) => {
                        out.push(b'"');
                        write_scalar(scalar, out)?;
                        out.push(b'"');
                    }
                    key => write_json(key, out)?,
                }
                out.push(b':');
                write_json(value, out)?;
            }
            out.extend_from_slice(if entries.is_empty() { b"{}" } else { b"}" });
            Ok(())
        }
    }
}

fn write_scalar(scalar: &Scalar, out: &mut Vec<u8>) -> Result<(), String> {
    let written = match scalar {
        Scalar::Null => serde_json::to_writer(out, &()),
        Scalar::Bool(value) => serde_json::to_writer(out, value),
        Scalar::Integer(value) => serde_json::to_writer(out, value),
        Scalar::Float(value) => serde_json::to_writer(out, value),
        Scalar::BigInteger(digits) => {
            out.extend_from_slice(digits.as_bytes());
            return Ok(());
        }
    };
    written.map_err(|error| error.to_string())
}

/// A record does not know its line in the file, because blocks are read in any order: the position counts
/// from the start of the record, and the byte from the start of the file.
fn fail(record: &[u8], place: Place, fault: &Fault, emit: &mut dyn Emit) {
    let (line, column) = row::line_and_column(record, fault.at);
    let byte = place.offset + fault.at as u64;
    let failure = Failure::new(format_args!(
        "line {line} of the record: column {column} (byte {byte} of the file): {}",
        fault.message
    ));
    emit.failed(place.ordinal, place.offset, record, &failure);
}
