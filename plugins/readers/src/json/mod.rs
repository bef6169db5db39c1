//! `json`: the objects of a JSON array, or objects in any layout.

mod objects;
mod options;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::ops::Range;

pub use options::JsonOptions;
use tamis_plugin::{Block, Cut, Emit, Failure, Forms, Reader, SetupError};

use self::objects::{Objects, Piece};
use crate::jsonl::ObjectReader;
use crate::mapping::Place;
use crate::row::{self, Fault, Row};

/// The reader of JSON documents that hold many objects, or objects of many lines.
#[derive(Debug)]
pub struct Json {
    objects: ObjectReader,
}

/// How sure the reader is of what begins as an array of objects, or as an object that goes on in the next line.
const SURE_BY_CONTENT: u8 = 80;
/// How sure it is of a file that is called like its own: it says what is wrong, instead of letting it pass as prose.
const SURE_BY_NAME: u8 = 60;

impl Reader for Json {
    const NAME: &'static str = "json";
    const WRITES: &'static [&'static str] = &["text", "raw", "*"];
    type Options = JsonOptions;

    fn open(options: JsonOptions) -> Result<Self, SetupError> {
        Ok(Self { objects: options.reader()? })
    }

    fn forms(&self) -> Forms {
        self.objects.mapping.forms()
    }

    fn sniff(&self, head: &[u8], _complete: bool, name: &str) -> u8 {
        let head = head.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(head);
        let by_name = if name.to_ascii_lowercase().ends_with(".json") { SURE_BY_NAME } else { 0 };
        if begins(head) { SURE_BY_CONTENT } else { by_name }
    }

    fn cut(&self, bytes: &[u8], end: bool) -> Cut {
        let mut objects = Objects::new(bytes, end).read_by(&self.objects);
        let records = objects.by_ref().count() as u64;
        match (end, records) {
            (true, _) => Cut::At { bytes: bytes.len(), records },
            (false, 0) => Cut::More,
            (false, _) => Cut::At { bytes: objects.at(), records },
        }
    }

    fn decode(&self, block: &Block<'_>, emit: &mut dyn Emit) -> Result<(), Failure> {
        let bytes = row::without_bom(block);
        let start = block.offset + (block.bytes.len() - bytes.len()) as u64;
        let mut row = Row::default();
        let objects = Objects::new(bytes, true).read_by(&self.objects);
        for (ordinal, piece) in (block.first_ordinal..).zip(objects) {
            let Range { start: first, end } = piece.range();
            let object = bytes.get(first..end).unwrap_or_default().trim_ascii_end();
            let place = Place { ordinal, offset: start + first as u64, length: object.len() as u64 };
            let read = match piece {
                Piece::Object(_) => self.objects.read(object, place, &mut row, emit),
                // In an encoding that nobody has named a brace or a backslash may be half of a letter, which is told first.
                Piece::Broken(_, fault) => Err(self.objects.text(object).err().unwrap_or(fault)),
            };
            if let Err(fault) = read {
                self.fail(object, place, &fault, emit);
            }
        }
        Ok(())
    }
}

impl Json {
    fn fail(&self, object: &[u8], place: Place, fault: &Fault, emit: &mut dyn Emit) {
        // The place is one in the text of the object, where that could be made; byte by byte the two agree in UTF-8.
        let text = self.objects.text(object);
        let shown = text.as_ref().map_or(object, |text| text.as_bytes());
        let (line, column) = row::line_and_column(shown, fault.at);
        let byte = match text {
            Ok(Cow::Owned(_)) => format!("object at byte {}", place.offset),
            _ => format!("byte {}", place.offset + fault.at as u64),
        };
        let failure = Failure::new(format_args!(
            "line {line} of the object: column {column} ({byte} of the file): {}",
            fault.message
        ));
        emit.failed(place.ordinal, place.offset, object, &failure);
    }
}

/// Whether a file begins as one that this reader is for.
pub(crate) fn begins(head: &[u8]) -> bool {
    begins_array(head) || begins_object_of_lines(head)
}

/// Whether a text begins with `[` and an object, or with an array that has nothing in it.
fn begins_array(head: &[u8]) -> bool {
    let Some(inside) = head.trim_ascii_start().strip_prefix(b"[") else { return false };
    match inside.trim_ascii_start() {
        // Python writes a list of dicts that looks so as well, but with single quotes.
        [b'{', rest @ ..] => matches!(rest.trim_ascii_start().first(), None | Some(b'"' | b'}')),
        rest => matches!(rest.first(), Some(b']')),
    }
}

/// Whether a text begins with an object whose first line is not all of it.
fn begins_object_of_lines(head: &[u8]) -> bool {
    let Some(inside) = head.trim_ascii_start().strip_prefix(b"{") else { return false };
    let behind = inside.trim_ascii_start();
    let is_json = behind.starts_with(b"\"");
    let has_line_end = |bytes: &[u8]| bytes.contains(&b'\n');
    match Objects::new(head, false).next() {
        Some(Piece::Object(range)) => {
            is_json && has_line_end(head.get(range).unwrap_or_default().trim_ascii())
        }
        // The head ends inside the first object.
        None => is_json && has_line_end(inside),
        Some(Piece::Broken(..)) => false,
    }
}
