//! Options of the `csv` and `tsv` readers.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{FieldNames, TextForm, encoded};

/// Reads one document from each row of a table with commas.
///
/// Use it for `.csv` files, also those with semicolons or bars between the cells; for `.tsv` files there is `tsv`.
///
/// ```toml
/// [[source]]
/// use = "csv"
/// paths = ["export/*.csv"]
/// fields = { id = "article_id", text = "content" }
/// ```
///
/// What stands between cells is found file by file: a first line such as `sep=;`, as Excel writes it, says so, and is no
/// row; else the header shows it. A delimiter that is named (`delimiter`) must be that of every file.
///
/// The first row names the columns. Three columns have a meaning of their own (`fields`); all others become
/// metadata, as strings. Empty cells become no metadata.
///
/// A cell in quotes may hold the delimiter, line ends, and quotes if they are doubled. Lines end with LF, CR LF or CR.
/// Blank lines are passed over, but count: the ordinal of a document is that of its row, from 0, without the
/// header.
///
/// A quote opens a cell if it stands at the start of one and another closes it: one in front of a delimiter, a line
/// end or the end of the file. Elsewhere in a cell it is a character like others. A quote at the start that is not
/// closed, or has text behind the quote that should close it, opens nothing: its row fails and ends where its line
/// ends.
///
/// A row with such a quote, with more or fewer cells than there are columns, or with bytes that are not in the
/// encoding fails with its number, and its bytes are kept; the rows around it are read.
/// A file in which two columns have one name fails as a whole.
///
/// Limits: UTF-16 must be converted first.
///
/// Source: RFC 4180.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct CsvOptions {
    /// What stands between cells.
    pub delimiter: Delimiter,
    /// The names of the columns that hold the identifier, the text and the raw page.
    ///
    /// `fields = { text = "body" }` leaves the other two at `id` and `raw`.
    pub fields: FieldNames,
    /// The columns to take as metadata; without it, every column that `fields` does not name.
    ///
    /// An empty list takes none. Names with dots reach into objects.
    #[schemars(extend("uniqueItems" = true, "x-field" = "write"))]
    pub metadata: Option<Vec<String>>,
    /// New names of metadata fields: `rename = { link = "url", "host.name" = "site" }`.
    ///
    /// A field named here is taken even if `metadata` does not list it.
    #[schemars(extend("x-field-keys" = "renamed", "additionalProperties" = {"type": "string", "x-field": "add"}))]
    pub rename: BTreeMap<String, String>,
    /// The column whose JSON objects are spread: each member becomes a metadata field of its own.
    ///
    /// A cell that does not begin with `{` is an ordinary metadata field. Empty: nothing is spread.
    #[schemars(extend("x-needs" = [{"metadata": {"not": [[]]}}, {"rename": "some"}]))]
    pub spread: String,
    /// What the text is, so that stages for pages or for flattened text are not given the wrong one; by default nobody
    /// knows.
    pub form: Option<TextForm>,
    /// Whether the first row names the columns.
    pub has_header: bool,
    /// The names of the columns, for a file without a header.
    ///
    /// Without them, columns are called `1`, `2` and so on.
    #[schemars(extend("x-needs" = {"has_header": [false]}))]
    pub columns: Vec<String>,
    /// The character that encloses cells; empty if none does.
    #[schemars(length(max = 1))]
    pub quote: String,
    /// Whether a backslash in a quoted cell takes the meaning of what follows: `\"` is a quote, `\\` a backslash, `\n` a
    /// line end, `\t` a tab.
    #[schemars(extend("x-needs" = {"quote": "some"}))]
    pub escapes: bool,
    /// The encoding of the files, such as `gb18030`; `auto` takes UTF-8 or, if they are not, what they look most like. A
    /// byte order mark of UTF-8 is left out. Some characters are enough to see Chinese; of other encodings it takes 32
    /// bytes beyond ASCII.
    #[schemars(extend("x-under-auto" = "fallback_encoding"))]
    pub encoding: String,
    /// The encoding of files that are not UTF-8 and say nothing of their encoding, in place of a guess: `auto`, or a label.
    pub fallback_encoding: String,
    /// The longest row that has a quoted cell; a quote that is not closed within it opens nothing.
    #[schemars(
        range(min = 1),
        extend("x-unit" = "bytes", "x-needs" = {"quote": "some"}, "x-at-most" = "max_record_bytes")
    )]
    pub max_record_bytes: usize,
}

/// What stands between cells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[schemars(extend("x-instead" = {",": "write `comma`", ";": "write `semicolon`", "\t": "write `tab`", "|": "write `bar`"}))]
pub enum Delimiter {
    /// Whichever parts the first line into most cells; a comma in files without a header.
    #[default]
    Auto,
    /// `,`
    Comma,
    /// `;`
    Semicolon,
    /// A tab.
    Tab,
    /// `|`
    Bar,
}

impl Delimiter {
    /// Those that a table may have, the likeliest first.
    pub(super) const ALL: [Self; 4] = [Self::Comma, Self::Semicolon, Self::Tab, Self::Bar];

    /// The byte; that of the likeliest where it is to be found.
    pub(super) fn byte(self) -> u8 {
        match self {
            Self::Auto | Self::Comma => b',',
            Self::Semicolon => b';',
            Self::Tab => b'\t',
            Self::Bar => b'|',
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Comma => "comma",
            Self::Semicolon => "semicolon",
            Self::Tab => "tab",
            Self::Bar => "bar",
        }
    }
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self {
            delimiter: Delimiter::Auto,
            fields: FieldNames::default(),
            metadata: None,
            rename: BTreeMap::new(),
            spread: crate::mapping::SPREAD.to_owned(),
            form: None,
            has_header: true,
            columns: Vec::new(),
            quote: "\"".to_owned(),
            escapes: false,
            encoding: encoded::AUTO.to_owned(),
            fallback_encoding: encoded::AUTO.to_owned(),
            max_record_bytes: 16 * 1024 * 1024,
        }
    }
}

/// Reads one document from each row of a table with tabs.
///
/// Use it for `.tsv` files; for other delimiters there is `csv`.
///
/// ```toml
/// [[source]]
/// use = "tsv"
/// paths = ["export/*.tsv"]
/// fields = { id = "article_id", text = "content" }
/// ```
///
/// The first row names the columns. Three columns have a meaning of their own (`fields`); all others become
/// metadata, as strings. Empty cells become no metadata.
///
/// A cell in quotes may hold tabs, line ends, and quotes if they are doubled. Lines end with LF, CR LF or CR.
/// Blank lines are passed over, but count: the ordinal of a document is that of its row, from 0, without the
/// header.
///
/// A quote opens a cell if it stands at the start of one and another closes it: one in front of a delimiter, a line
/// end or the end of the file. Elsewhere in a cell it is a character like others. A quote at the start that is not
/// closed, or has text behind the quote that should close it, opens nothing: its row fails and ends where its line
/// ends.
///
/// A first line `sep=;`, as Excel writes it, is no row; if it says another delimiter than `delimiter` the file fails.
///
/// A row with such a quote, with more or fewer cells than there are columns, or with bytes that are not in the
/// encoding fails with its number, and its bytes are kept; the rows around it are read.
/// A file in which two columns have one name fails as a whole.
///
/// Limits: UTF-16 must be converted first.
///
/// Source: RFC 4180, with tabs; escapes such as `\t` are not undone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TsvOptions {
    /// The names of the columns that hold the identifier, the text and the raw page.
    ///
    /// `fields = { text = "body" }` leaves the other two at `id` and `raw`.
    pub fields: FieldNames,
    /// The columns to take as metadata; without it, every column that `fields` does not name.
    ///
    /// An empty list takes none. Names with dots reach into objects.
    #[schemars(extend("uniqueItems" = true, "x-field" = "write"))]
    pub metadata: Option<Vec<String>>,
    /// New names of metadata fields: `rename = { link = "url", "host.name" = "site" }`.
    ///
    /// A field named here is taken even if `metadata` does not list it.
    #[schemars(extend("x-field-keys" = "renamed", "additionalProperties" = {"type": "string", "x-field": "add"}))]
    pub rename: BTreeMap<String, String>,
    /// The column whose JSON objects are spread: each member becomes a metadata field of its own.
    ///
    /// A cell that does not begin with `{` is an ordinary metadata field. Empty: nothing is spread.
    #[schemars(extend("x-needs" = [{"metadata": {"not": [[]]}}, {"rename": "some"}]))]
    pub spread: String,
    /// What the text is, so that stages for pages or for flattened text are not given the wrong one; by default nobody
    /// knows.
    pub form: Option<TextForm>,
    /// Whether the first row names the columns.
    pub has_header: bool,
    /// The names of the columns, for a file without a header.
    ///
    /// Without them, columns are called `1`, `2` and so on.
    #[schemars(extend("x-needs" = {"has_header": [false]}))]
    pub columns: Vec<String>,
    /// The character that encloses cells; empty if none does.
    #[schemars(length(max = 1))]
    pub quote: String,
    /// Whether a backslash in a quoted cell takes the meaning of what follows: `\"` is a quote, `\\` a backslash, `\n` a
    /// line end, `\t` a tab.
    #[schemars(extend("x-needs" = {"quote": "some"}))]
    pub escapes: bool,
    /// The encoding of the files, such as `gb18030`; `auto` takes UTF-8 or, if they are not, what they look most like. A
    /// byte order mark of UTF-8 is left out. Some characters are enough to see Chinese; of other encodings it takes 32
    /// bytes beyond ASCII.
    #[schemars(extend("x-under-auto" = "fallback_encoding"))]
    pub encoding: String,
    /// The encoding of files that are not UTF-8 and say nothing of their encoding, in place of a guess: `auto`, or a label.
    pub fallback_encoding: String,
    /// The longest row that has a quoted cell; a quote that is not closed within it opens nothing.
    #[schemars(
        range(min = 1),
        extend("x-unit" = "bytes", "x-needs" = {"quote": "some"}, "x-at-most" = "max_record_bytes")
    )]
    pub max_record_bytes: usize,
}

impl Default for TsvOptions {
    fn default() -> Self {
        Self {
            fields: FieldNames::default(),
            metadata: None,
            rename: BTreeMap::new(),
            spread: crate::mapping::SPREAD.to_owned(),
            form: None,
            has_header: true,
            columns: Vec::new(),
            quote: "\"".to_owned(),
            escapes: false,
            encoding: encoded::AUTO.to_owned(),
            fallback_encoding: encoded::AUTO.to_owned(),
            max_record_bytes: 16 * 1024 * 1024,
        }
    }
}
