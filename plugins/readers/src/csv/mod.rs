//! `csv` and `tsv`: one document a row.

mod options;
mod scan;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub use options::{CsvOptions, Delimiter, TsvOptions};
use tamis_plugin::{Block, Cut, Emit, Failure, Forms, Reader, SetupError};
use tamis_text::encoding::{self, Encoding, Hints};

use self::scan::{Broken, Cell, Dialect};
use crate::encoded;
use crate::mapping::{Mapping, Place};
use crate::row::{Fault, Field, Row, Slot, Str};

/// The reader of tables with commas.
#[derive(Debug)]
pub struct Csv(Table);

/// The reader of tables with tabs.
#[derive(Debug)]
pub struct Tsv(Table);

/// What both are.
#[derive(Debug)]
struct Table {
    mapping: Mapping,
    dialect: Dialect,
    /// The encoding that was chosen; without one it is found.
    encoding: Option<Encoding>,
    /// What it is taken for where it is not UTF-8, in place of a guess.
    fallback: Option<Encoding>,
    has_header: bool,
    columns: Vec<String>,
}

macro_rules! reader {
    ($reader:ident, $options:ident, $name:literal, $ending:literal) => {
        impl Reader for $reader {
            const NAME: &'static str = $name;
            const WRITES: &'static [&'static str] = &["text", "raw", "*"];
            type Options = $options;

            fn open(options: $options) -> Result<Self, SetupError> {
                Table::open(options.into()).map(Self)
            }

            fn forms(&self) -> Forms {
                self.0.mapping.forms()
            }

            /// By name only: any prose has commas.
            fn sniff(&self, head: &[u8], _complete: bool, name: &str) -> u8 {
                let is_named = name.to_ascii_lowercase().ends_with($ending);
                if is_named && !head.contains(&0) { SURE_BY_NAME } else { 0 }
            }

            fn head(&self, bytes: &[u8], end: bool) -> Option<usize> {
                self.0.head(bytes, end)
            }

            fn cut(&self, bytes: &[u8], end: bool) -> Cut {
                self.0.cut(bytes, end)
            }

            fn decode(&self, block: &Block<'_>, emit: &mut dyn Emit) -> Result<(), Failure> {
                self.0.decode(block, emit)
            }
        }
    };
}

/// How sure a reader is of a file that is called like its own.
const SURE_BY_NAME: u8 = 60;
/// How many bytes beyond ASCII it takes to believe what they look like.
const MIN_EVIDENCE: usize = 32;

reader!(Csv, CsvOptions, "csv", ".csv");
reader!(Tsv, TsvOptions, "tsv", ".tsv");

impl From<TsvOptions> for CsvOptions {
    fn from(options: TsvOptions) -> Self {
        let TsvOptions {
            fields,
            metadata,
            rename,
            spread,
            form,
            has_header,
            columns,
            quote,
            escapes,
            encoding,
            fallback_encoding,
            max_record_bytes,
        } = options;
        let delimiter = Delimiter::Tab;
        Self {
            delimiter,
            fields,
            metadata,
            rename,
            spread,
            form,
            has_header,
            columns,
            quote,
            escapes,
            encoding,
            fallback_encoding,
            max_record_bytes,
        }
    }
}

/// How a row reads: what stands for `cells` in the file.
struct Names {
    names: Vec<String>,
    /// Whether rows must have as many cells.
    fixed: bool,
}

impl Table {
    fn open(options: CsvOptions) -> Result<Self, SetupError> {
        let (encoding, fallback) = encoded::chosen(&options.encoding, &options.fallback_encoding)?;
        let delimiter = options.delimiter.byte();
        if let Some(encoding) = encoding {
            check_encoding(encoding, &options)?;
        }
        let quote = match options.quote.as_bytes() {
            [] => None,
            [quote] if *quote != delimiter && !quote.is_ascii_whitespace() => Some(*quote),
            _ => {
                let message = "it takes one ASCII character that is no delimiter and no white space, or none";
                return Err(SetupError::in_option("quote", message));
            }
        };
        if options.has_header && !options.columns.is_empty() {
            let message = "the header names the columns: add `has_header = false` if there is none";
            return Err(SetupError::in_option("columns", message));
        }
        if let Some(name) = twice(&options.columns) {
            return Err(SetupError::in_option("columns", format_args!("two columns are called `{name}`")));
        }
        Ok(Self {
            mapping: Mapping::new(options.fields, options.metadata, options.spread, options.rename)?
                .with_form(options.form),
            dialect: Dialect {
                delimiter,
                quote,
                escapes: options.escapes,
                max_record_bytes: options.max_record_bytes,
            },
            encoding,
            fallback,
            has_header: options.has_header,
            columns: options.columns,
        })
    }

    /// The header with blank lines and the byte order mark in front of it, or the mark alone.
    fn head(&self, bytes: &[u8], end: bool) -> Option<usize> {
        if !end && bytes.len() < BOM.len() {
            return None;
        }
        if !self.has_header {
            // Not part of the first cell, which may begin with a quote.
            return Some(if bytes.starts_with(BOM) { BOM.len() } else { 0 });
        }
        let mut at = if bytes.starts_with(BOM) { BOM.len() } else { 0 };
        let mut cells = Vec::new();
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(line) = self.dialect.row(rest, end, &mut cells) else {
                return end.then_some(bytes.len());
            };
            at += line.next;
            if line.length > 0 && separator(rest.get(..line.length).unwrap_or_default()).is_none() {
                return Some(at);
            }
        }
    }

    fn cut(&self, bytes: &[u8], end: bool) -> Cut {
        let mut cells = Vec::new();
        let (mut at, mut records) = (0, 0);
        while let Some(line) = self.dialect.row(bytes.get(at..).unwrap_or_default(), end, &mut cells) {
            at += line.next;
            records += 1;
        }
        if at == 0 && !end { Cut::More } else { Cut::At { bytes: at, records } }
    }

    fn decode(&self, block: &Block<'_>, emit: &mut dyn Emit) -> Result<(), Failure> {
        let bytes = block.bytes;
        let encoding = self.encoding_of(block);
        let names = self.names(block.head, encoding).map_err(Failure::new)?;
        let (mut at, mut ordinal) = (0, block.first_ordinal);
        let (mut cells, mut row) = (Vec::new(), Row::default());
        while let Some(line) = self.dialect.row(bytes.get(at..).unwrap_or_default(), true, &mut cells) {
            let record = bytes.get(at..at + line.length).unwrap_or_default();
            let offset = block.offset + at as u64;
            let place = Place { ordinal, offset, length: record.len() as u64 };
            let read = match line.broken {
                _ if record.is_empty() => Ok(()),
                Some(broken) => Err(Fault::new(broken.at, self.why(broken))),
                None => self.read_row((record, encoding), &cells, &names, place, &mut row, emit),
            };
            if let Err(fault) = read {
                let byte = offset + fault.at as u64;
                let number = ordinal + 1;
                let failure =
                    Failure::new(format_args!("row {number} (byte {byte} of the file): {}", fault.message));
                emit.failed(ordinal, offset, record, &failure);
            }
            at += line.next;
            ordinal += 1;
        }
        Ok(())
    }

    /// The encoding of a block: what was chosen, UTF-8 if it may be that, or what its bytes look most like.
    ///
    /// Block by block, so a table of any length is read as it comes; blocks of ASCII alone read alike in all of them.
    /// A few bytes prove nothing: then, and where the guess is an encoding whose cells cannot be told apart, it is
    /// UTF-8, and the rows that are not fail.
    fn encoding_of(&self, block: &Block<'_>) -> Encoding {
        if let Some(chosen) = self.encoding {
            return chosen;
        }
        let parts = [block.head, block.bytes];
        if parts.into_iter().all(|bytes| simdutf8::basic::from_utf8(bytes).is_ok()) {
            return Encoding::UTF_8;
        }
        let n_high = parts.into_iter().flatten().filter(|byte| !byte.is_ascii()).count();
        if n_high < MIN_EVIDENCE && self.fallback.is_none() {
            return Encoding::UTF_8;
        }
        let hints = Hints { fallback: self.fallback, ..Hints::default() };
        let found = encoding::decode(&parts.concat(), &hints).encoding;
        let is_part = |byte: u8| byte >= b'0' && !found.is_single_byte();
        let is_cut = !is_part(self.dialect.delimiter) && !self.dialect.quote.is_some_and(is_part);
        let is_sound =
            found.is_ascii_compatible() && is_cut && (found.is_single_byte() || !self.dialect.escapes);
        if is_sound { found } else { Encoding::UTF_8 }
    }

    fn why(&self, broken: Broken) -> String {
        let what = if broken.has_text_behind {
            "a cell goes on behind the quote that closes it: a quote inside a cell must be doubled".to_owned()
        } else {
            let max = self.dialect.max_record_bytes;
            format!("a cell begins with a quote that is not closed within `max_record_bytes` = {max} bytes")
        };
        format!("{what}; if quotes have no meaning in the file, say `quote = \"\"`")
    }

    /// The names of the columns.
    fn names(&self, head: &[u8], encoding: Encoding) -> Result<Names, String> {
        if !self.has_header {
            return Ok(Names { names: self.columns.clone(), fixed: !self.columns.is_empty() });
        }
        if head.starts_with(b"\xFF\xFE") || head.starts_with(b"\xFE\xFF") {
            return Err("the file is UTF-16: convert it to UTF-8, for example with `iconv`".to_owned());
        }
        let mut rest = head.strip_prefix(BOM).unwrap_or(head);
        let mut cells = Vec::new();
        while let Some(line) = self.dialect.row(rest, true, &mut cells) {
            if let Some(broken) = line.broken {
                return Err(format!("the header cannot be read: {}", self.why(broken)));
            }
            let written = rest.get(..line.length).unwrap_or_default();
            if let Some(separator) = separator(written) {
                self.check_separator(separator)?;
            } else if line.length > 0 {
                return self.named(rest, &cells, encoding);
            }
            rest = rest.get(line.next..).unwrap_or_default();
        }
        Err("the file has no header; say `has_header = false` and name the `columns`".to_owned())
    }

    /// Holds what the first line of a file says (`sep=;`, as Excel writes it) against what the table is read with.
    fn check_separator(&self, separator: u8) -> Result<(), String> {
        match Delimiter::ALL.iter().find(|known| known.byte() == separator) {
            Some(_) if separator == self.dialect.delimiter => Ok(()),
            Some(Delimiter::Tab) => Err("the file says that tabs separate its cells: use `tsv`".to_owned()),
            Some(known) => Err(format!(
                "the file says `sep={}`: say `use = \"csv\"` with `delimiter = \"{}\"`",
                char::from(separator),
                known.name()
            )),
            None => Err(format!(
                "the file says `sep={}`, which no cells can be separated by",
                char::from(separator)
            )),
        }
    }

    fn named(&self, head: &[u8], cells: &[Cell], encoding: Encoding) -> Result<Names, String> {
        let mut names = Vec::with_capacity(cells.len());
        for (index, cell) in cells.iter().enumerate() {
            let mut row = Row::default();
            let name = self
                .cell((head, encoding), cell, &mut row)
                .map_err(|fault| format!("in the header: {}", fault.message))?;
            let name = row.str(&name);
            names.push(if name.is_empty() { (index + 1).to_string() } else { name.to_owned() });
        }
        if let [only] = names.as_slice() {
            let count = |delimiter: &Delimiter| only.bytes().filter(|byte| *byte == delimiter.byte()).count();
            if let Some(likelier) = Delimiter::ALL.iter().max_by_key(|delimiter| count(delimiter))
                && count(likelier) > 0
                && likelier.byte() != self.dialect.delimiter
            {
                return Err(format!(
                    "the header `{only}` is one column: say `use = \"csv\"` with `delimiter = \"{}\"`",
                    likelier.name()
                ));
            }
        }
        match twice(&names) {
            Some(name) => Err(format!("two columns of the header are called `{name}`: rename one of them")),
            None => Ok(Names { names, fixed: true }),
        }
    }

    fn read_row<'a>(
        &self,
        (record, encoding): (&'a [u8], Encoding),
        cells: &[Cell],
        names: &Names,
        place: Place,
        row: &mut Row<'a>,
        emit: &mut dyn Emit,
    ) -> Result<(), Fault> {
        if names.fixed && cells.len() != names.names.len() {
            let message = format!("{} cells, but {} columns", cells.len(), names.names.len());
            return Err(Fault::new(0, message));
        }
        row.clear();
        for (index, cell) in cells.iter().enumerate() {
            let name: Cow<'_, str> = match names.names.get(index) {
                Some(name) => name.into(),
                None => (index + 1).to_string().into(),
            };
            let name = name.as_ref();
            let start = row.scratch.len();
            row.scratch.push_str(name);
            let name_range = start..row.scratch.len();
            if !self.mapping.wants(name) {
                row.fields.push(Field {
                    name: Str::Scratch(name_range),
                    value: Slot::Skipped,
                    at: 0,
                    encoded: None,
                });
                continue;
            }
            let value = self.cell((record, encoding), cell, row)?;
            let content = row.str(&value);
            let value = match content.as_bytes() {
                // An empty text is a text, an empty cell is no metadata.
                [] if !self.mapping.is_text(name) => Slot::Skipped,
                [b'{', ..] if self.mapping.is_spread(name) => Slot::Json(value),
                _ => Slot::String(value),
            };
            row.fields.push(Field {
                name: Str::Scratch(name_range),
                value,
                at: cell.range.start,
                encoded: None,
            });
        }
        self.mapping.emit(row, place, emit)
    }

    /// What a cell stands for: borrowed from the row if it stands there as it is.
    fn cell<'a>(
        &self,
        (record, encoding): (&'a [u8], Encoding),
        cell: &Cell,
        row: &mut Row<'a>,
    ) -> Result<Str<'a>, Fault> {
        let bytes = record.get(cell.range.clone()).unwrap_or_default();
        if !cell.quoted && encoding == Encoding::UTF_8 {
            let text = simdutf8::basic::from_utf8(bytes).map_err(|_| wrong_bytes(bytes, cell, encoding))?;
            return Ok(Str::Input(text));
        }
        let mut plain = Vec::new();
        let bytes = if cell.quoted {
            self.dialect.unquote(bytes, &mut plain);
            plain.as_slice()
        } else {
            bytes
        };
        let (text, n_undecodable) = encoding.decode(bytes);
        if n_undecodable > 0 {
            return Err(wrong_bytes(bytes, cell, encoding));
        }
        let start = row.scratch.len();
        row.scratch.push_str(&text);
        Ok(Str::Scratch(start..row.scratch.len()))
    }
}

/// Bytes of a cell that stand for nothing.
fn wrong_bytes(bytes: &[u8], cell: &Cell, encoding: Encoding) -> Fault {
    let message = match std::str::from_utf8(bytes) {
        Err(error) if encoding == Encoding::UTF_8 => {
            let byte = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
            format!(
                "byte 0x{byte:02X} is not UTF-8; name the encoding of the file, as `encoding = \"gb18030\"`"
            )
        }
        _ => format!("a cell holds bytes that stand for nothing in {}", encoding.name()),
    };
    Fault::new(cell.range.start, message)
}

/// Makes sure that cells can be told apart in an encoding.
fn check_encoding(encoding: Encoding, options: &CsvOptions) -> Result<(), SetupError> {
    if !encoding.is_ascii_compatible() {
        let message = format_args!("{} must be converted first, for example with `iconv`", encoding.name());
        return Err(SetupError::in_option("encoding", message));
    }
    if encoding == Encoding::UTF_8 || encoding.is_single_byte() {
        return Ok(());
    }
    if options.delimiter == Delimiter::Bar {
        let message = format_args!("in {} a bar may be part of a character", encoding.name());
        return Err(SetupError::in_option("delimiter", message));
    }
    // From `0` on, ASCII is also what the second byte of a character may look like.
    if options.quote.bytes().next().is_some_and(|quote| quote >= b'0') {
        let message = format_args!(
            "in {} `{}` may be part of a character: it takes `\"` or `'`",
            encoding.name(),
            options.quote
        );
        return Err(SetupError::in_option("quote", message));
    }
    if options.escapes {
        let message = format_args!("in {} a backslash may be part of a character", encoding.name());
        return Err(SetupError::in_option("escapes", message));
    }
    Ok(())
}

/// What separates cells by a line that says so, such as `sep=;`.
fn separator(line: &[u8]) -> Option<u8> {
    let (name, [separator]) = line.split_last_chunk()?;
    name.eq_ignore_ascii_case(b"sep=").then_some(*separator)
}

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// A name that occurs twice.
fn twice(names: &[String]) -> Option<&str> {
    let mut sorted: Vec<&str> = names.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    sorted.windows(2).find_map(|pair| (pair[0] == pair[1]).then_some(pair[0]))
}
