//! One JSON object as a document, for every reader of JSON.

use tamis_plugin::Emit;

use super::object::{read_any_object, read_object};
use super::repair::repaired;
use crate::InvalidValues;
use crate::mapping::{Mapping, Place};
use crate::row::{Fault, Row};

/// Appends the wanted members of an object to a row.
type Parse<'a> = fn(&'a str, &dyn Fn(&str) -> bool, &mut Row<'a>) -> Result<(), Fault>;

/// Reads objects: what their members mean, and what becomes of values that are no JSON.
#[derive(Debug)]
pub(crate) struct ObjectReader {
    pub(crate) mapping: Mapping,
    pub(crate) invalid_values: InvalidValues,
}

impl ObjectReader {
    /// Emits the document in an object; `row` is what was used for the one before.
    ///
    /// # Errors
    ///
    /// What is wrong with the object, and where.
    pub(crate) fn read<'a>(
        &self,
        object: &'a [u8],
        place: Place,
        row: &mut Row<'a>,
        emit: &mut dyn Emit,
    ) -> Result<(), Fault> {
        self.read_by(read_object, object, place, row, emit)
    }

    /// The same where the quick way was tried in vain.
    pub(super) fn read_unusual<'a>(
        &self,
        object: &'a [u8],
        place: Place,
        row: &mut Row<'a>,
        emit: &mut dyn Emit,
    ) -> Result<(), Fault> {
        self.read_by(read_any_object, object, place, row, emit)
    }

    fn read_by<'a>(
        &self,
        parse: Parse<'a>,
        object: &'a [u8],
        place: Place,
        row: &mut Row<'a>,
        emit: &mut dyn Emit,
    ) -> Result<(), Fault> {
        let text = simdutf8::basic::from_utf8(object).map_err(|_| not_utf8(object))?;
        row.clear();
        let wants = |name: &str| self.mapping.wants(name);
        let Err(fault) = parse(text, &wants, row) else { return self.mapping.emit(row, place, emit) };
        // Few need a repair: they are looked through only when they cannot be read as they are.
        let repaired = match self.invalid_values {
            InvalidValues::Fail => None,
            InvalidValues::Repair => repaired(text),
        };
        let Some((text, repairs)) = repaired else { return Err(fault) };
        let mut row = Row::default();
        // Places in the repaired object are not those in the file.
        read_object(&text, &wants, &mut row).map_err(|_| fault)?;
        self.mapping.emit(&row, place, emit)?;
        repairs.count(emit);
        Ok(())
    }
}

fn not_utf8(object: &[u8]) -> Fault {
    let at = std::str::from_utf8(object).map_or_else(|error| error.valid_up_to(), str::len);
    let byte = object.get(at).copied().unwrap_or_default();
    Fault::new(at, format!("byte 0x{byte:02X} is not UTF-8"))
}
