//! `csv` and `tsv`: one document a row.

mod header;
mod options;
mod scan;
#[cfg(test)]
mod tests;

use std::borrow::Cow;

pub(crate) use header::table;
pub use options::{CsvOptions, Delimiter, TsvOptions};
use tamis_plugin::{Block, Cut, Emit, Failure, Forms, Reader, SetupError};
use tamis_text::encoding::{self, Encoding, Hints};

use self::header::{BOM, separator};
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
    delimiter: Delimiter,
    /// With the delimiter, where that is known.
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

            fn sniff(&self, head: &[u8], complete: bool, name: &str) -> u8 {
                self.0.sniff(head, complete, name, $ending)
            }

            fn head(&self, bytes: &[u8], end: bool) -> Option<usize> {
                self.0.head(bytes, end)
            }

            fn cut(&self, bytes: &[u8], end: bool) -> Cut {
                self.0.cut(&[], bytes, end)
            }

            fn cut_behind(&self, head: &[u8], bytes: &[u8], end: bool) -> Cut {
                self.0.cut(head, bytes, end)
            }

            fn decode(&self, block: &Block<'_>, emit: &mut dyn Emit) -> Result<(), Failure> {
                self.0.decode(block, emit)
            }
        }
    };
}

/// How sure a reader is of a file that is called like its own.
const SURE_BY_NAME: u8 = 60;
/// How sure it is of a file that looks like a table, but is not called one.
const SURE_BY_CONTENT: u8 = 40;
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

/// What the bytes of a block mean.
#[derive(Debug, Clone, Copy)]
struct Coding {
    encoding: Encoding,
    /// Whether a delimiter or a quote may be part of a character in encodings of several bytes, so that none of them
    /// can be taken.
    parts_characters: bool,
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
        let is_delimiter = |quote: u8| match options.delimiter {
            Delimiter::Auto => Delimiter::ALL.iter().any(|known| known.byte() == quote),
            known => known.byte() == quote,
        };
        let quote = match options.quote.as_bytes() {
            [] => None,
            [quote] if !is_delimiter(*quote) && !quote.is_ascii_whitespace() => Some(*quote),
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
            delimiter: options.delimiter,
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
        let dialect = self.dialect(bytes);
        if !end && self.delimiter == Delimiter::Auto && header::first_line(bytes, false).is_none() {
            return None;
        }
        loop {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(line) = dialect.row(rest, end, &mut cells) else {
                return end.then_some(bytes.len());
            };
            at += line.next;
            if line.length > 0 && separator(rest.get(..line.length).unwrap_or_default()).is_none() {
                return Some(at);
            }
        }
    }

    /// How a table is written, as it begins.
    fn dialect(&self, head: &[u8]) -> Dialect {
        let found = match self.delimiter {
            Delimiter::Auto if self.has_header => header::delimiter(head, self.dialect.quote),
            known => known,
        };
        Dialect { delimiter: found.byte(), ..self.dialect }
    }

    /// By name, or by what a file looks like that has none: any prose has commas, but no header and as many in each row.
    fn sniff(&self, head: &[u8], complete: bool, name: &str, ending: &str) -> u8 {
        let name = name.to_ascii_lowercase();
        if name.ends_with(ending) {
            // In UTF-16, of which it says what to do.
            return if !head.contains(&0) || encoding::is_wide(head) { SURE_BY_NAME } else { 0 };
        }
        let file = name.rsplit('/').next().unwrap_or(&name);
        let is_plain = file.rsplit_once('.').is_some_and(|(_, ending)| ending == "txt");
        if !self.has_header || (file.contains('.') && !is_plain) {
            return 0;
        }
        let Some(table) = table(head, complete) else { return 0 };
        let is_own = match self.delimiter {
            Delimiter::Auto => table.delimiter != Delimiter::Tab,
            known => known == table.delimiter,
        };
        // A file that is called text is one unless it has the very column.
        let has_text = || table.names.iter().any(|name| self.mapping.is_text(name));
        if is_own && (!is_plain || has_text()) { SURE_BY_CONTENT } else { 0 }
    }

    fn cut(&self, head: &[u8], bytes: &[u8], end: bool) -> Cut {
        let dialect = self.dialect(head);
        let mut cells = Vec::new();
        let (mut at, mut records) = (0, 0);
        while let Some(line) = dialect.row(bytes.get(at..).unwrap_or_default(), end, &mut cells) {
            at += line.next;
            records += 1;
        }
        if at == 0 && !end { Cut::More } else { Cut::At { bytes: at, records } }
    }

    fn decode(&self, block: &Block<'_>, emit: &mut dyn Emit) -> Result<(), Failure> {
        let bytes = block.bytes;
        let dialect = self.dialect(block.head);
        let coding = self.coding_of(block, &dialect);
        let names = self.names(block.head, &dialect, coding).map_err(Failure::new)?;
        let (mut at, mut ordinal) = (0, block.first_ordinal);
        let (mut cells, mut row) = (Vec::new(), Row::default());
        while let Some(line) = dialect.row(bytes.get(at..).unwrap_or_default(), true, &mut cells) {
            let record = bytes.get(at..at + line.length).unwrap_or_default();
            let offset = block.offset + at as u64;
            let place = Place { ordinal, offset, length: record.len() as u64 };
            let read = match line.broken {
                _ if record.is_empty() => Ok(()),
                Some(broken) => Err(Fault::new(broken.at, self.why(broken))),
                None => self.read_row((record, coding), &cells, &names, place, &mut row, emit),
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
    /// A few bytes prove nothing, unless they are Chinese: then, and where the guess is an encoding whose cells cannot be
    /// told apart, it is UTF-8, and the rows that are not fail.
    fn coding_of(&self, block: &Block<'_>, dialect: &Dialect) -> Coding {
        let is_part = |byte: u8| may_be_part(byte);
        let parts_characters =
            self.dialect.escapes || is_part(dialect.delimiter) || dialect.quote.is_some_and(is_part);
        let is_sound =
            |found: &Encoding| found.is_ascii_compatible() && (found.is_single_byte() || !parts_characters);
        let found = self.encoding.or_else(|| self.found(block).filter(is_sound));
        Coding { encoding: found.unwrap_or(Encoding::UTF_8), parts_characters }
    }

    /// What the bytes of a block look most like, if they are not UTF-8.
    fn found(&self, block: &Block<'_>) -> Option<Encoding> {
        let parts = [block.head, block.bytes];
        if parts.into_iter().all(|bytes| simdutf8::basic::from_utf8(bytes).is_ok()) {
            return None;
        }
        let n_high = parts.into_iter().flatten().filter(|byte| !byte.is_ascii()).count();
        if n_high < MIN_EVIDENCE && self.fallback.is_none() {
            return encoding::short_chinese(&parts.concat());
        }
        let hints = Hints { fallback: self.fallback, ..Hints::default() };
        Some(encoding::decode(&parts.concat(), &hints).encoding)
    }

    fn why(&self, broken: Broken) -> String {
        let what = if broken.has_text_behind {
            "a cell goes on behind the quote that closes it: a quote inside a cell must be doubled".to_owned()
        } else {
            let max = self.dialect.max_record_bytes;
            format!(
                "a cell begins with a quote that nothing closes, to the end of the file or for {max} bytes (`max_record_bytes`)"
            )
        };
        format!("{what}; if quotes have no meaning in the file, say `quote = \"\"`")
    }

    /// The names of the columns.
    fn names(&self, head: &[u8], dialect: &Dialect, coding: Coding) -> Result<Names, String> {
        if !self.has_header {
            return Ok(Names { names: self.columns.clone(), fixed: !self.columns.is_empty() });
        }
        if encoding::is_wide(head) {
            return Err("the file is UTF-16: convert it to UTF-8, for example with `iconv`".to_owned());
        }
        let encoding = coding.encoding;
        if dialect.delimiter == Delimiter::Bar.byte()
            && !encoding.is_single_byte()
            && encoding != Encoding::UTF_8
        {
            return Err(format!(
                "in {} a bar may be part of a character: convert the file to UTF-8, for example with `iconv`",
                encoding.name()
            ));
        }
        let mut rest = head.strip_prefix(BOM).unwrap_or(head);
        let mut cells = Vec::new();
        while let Some(line) = dialect.row(rest, true, &mut cells) {
            if let Some(broken) = line.broken {
                return Err(format!("the header cannot be read: {}", self.why(broken)));
            }
            let written = rest.get(..line.length).unwrap_or_default();
            if let Some(separator) = separator(written) {
                self.check_separator(separator)?;
            } else if line.length > 0 {
                return self.named(rest, &cells, dialect, coding);
            }
            rest = rest.get(line.next..).unwrap_or_default();
        }
        Err("the file has no header; say `has_header = false` and name the `columns`".to_owned())
    }

    /// Holds what the first line of a file says (`sep=;`, as Excel writes it) against what the table is read with.
    fn check_separator(&self, separator: u8) -> Result<(), String> {
        match Delimiter::ALL.iter().find(|known| known.byte() == separator) {
            Some(known) if [Delimiter::Auto, *known].contains(&self.delimiter) => Ok(()),
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

    fn named(&self, head: &[u8], cells: &[Cell], dialect: &Dialect, coding: Coding) -> Result<Names, String> {
        let mut names = Vec::with_capacity(cells.len());
        for (index, cell) in cells.iter().enumerate() {
            let mut row = Row::default();
            let name = self
                .cell((head, coding), cell, &mut row)
                .map_err(|fault| format!("in the header: {}", fault.message))?;
            let name = row.str(&name);
            names.push(if name.is_empty() { (index + 1).to_string() } else { name.to_owned() });
        }
        if let [only] = names.as_slice() {
            let count = |delimiter: &Delimiter| only.bytes().filter(|byte| *byte == delimiter.byte()).count();
            if let Some(likelier) = Delimiter::ALL.iter().max_by_key(|delimiter| count(delimiter))
                && count(likelier) > 0
                && likelier.byte() != dialect.delimiter
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
        (record, coding): (&'a [u8], Coding),
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
            let value = self.cell((record, coding), cell, row)?;
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
        (record, coding): (&'a [u8], Coding),
        cell: &Cell,
        row: &mut Row<'a>,
    ) -> Result<Str<'a>, Fault> {
        let bytes = record.get(cell.range.clone()).unwrap_or_default();
        let encoding = coding.encoding;
        if !cell.quoted && encoding == Encoding::UTF_8 {
            let text = simdutf8::basic::from_utf8(bytes).map_err(|_| wrong_bytes(bytes, cell, coding))?;
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
            return Err(wrong_bytes(bytes, cell, coding));
        }
        let start = row.scratch.len();
        row.scratch.push_str(&text);
        Ok(Str::Scratch(start..row.scratch.len()))
    }
}

/// Bytes of a cell that stand for nothing.
fn wrong_bytes(bytes: &[u8], cell: &Cell, coding: Coding) -> Fault {
    let message = match std::str::from_utf8(bytes) {
        Err(error) if coding.encoding == Encoding::UTF_8 => {
            let byte = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
            let way_out = if coding.parts_characters {
                "convert the file to UTF-8, for example with `iconv`".to_owned()
            } else {
                format!("name the encoding of the file, as `encoding = \"{}\"`", encoded::likely(bytes))
            };
            format!("byte 0x{byte:02X} is not UTF-8; {way_out}")
        }
        _ => format!("a cell holds bytes that stand for nothing in {}", coding.encoding.name()),
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
    let name = encoding.name();
    let convert = "or convert the files to UTF-8 first, for example with `iconv`";
    if options.delimiter == Delimiter::Bar {
        let message =
            format_args!("in {name} a bar may be part of a character: use another delimiter, {convert}");
        return Err(SetupError::in_option("delimiter", message));
    }
    if options.quote.bytes().next().is_some_and(may_be_part) {
        let quote = &options.quote;
        let message =
            format_args!("in {name} `{quote}` may be part of a character: it takes `\"` or `'`, {convert}");
        return Err(SetupError::in_option("quote", message));
    }
    if options.escapes {
        let message =
            format_args!("in {name} a backslash may be part of a character: leave it out, {convert}");
        return Err(SetupError::in_option("escapes", message));
    }
    Ok(())
}

/// Whether a byte of ASCII may be the second one of a character, or a later one, in some encoding of several bytes: from
/// `@` on in all of them, and digits in GB18030.
fn may_be_part(byte: u8) -> bool {
    byte >= b'@' || byte.is_ascii_digit()
}

/// A name that occurs twice.
fn twice(names: &[String]) -> Option<&str> {
    let mut sorted: Vec<&str> = names.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    sorted.windows(2).find_map(|pair| (pair[0] == pair[1]).then_some(pair[0]))
}
