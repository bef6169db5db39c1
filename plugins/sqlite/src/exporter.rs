//! The exporter: workers make rows, the writing thread inserts them.

use std::path::Path;

use rusqlite::types::{ToSqlOutput, ValueRef as SqlRef};
use rusqlite::{Connection, ErrorCode};
use tamis_plugin::{ExportView, Failure, Fate, PartExporter, SetupError, json_object};

use crate::chunk;
use crate::options::SqliteOptions;

/// The exporter of `SQLite` databases.
#[derive(Debug)]
pub struct Sqlite {
    options: SqliteOptions,
}

/// A database that is being written.
#[derive(Debug)]
pub struct SqlitePart {
    pub(crate) connection: Connection,
}

/// The columns, all text but the last.
const COLUMNS: [&str; 8] = ["id", "text", "metadata", "stage", "reason", "measures", "origin", "raw"];

/// The largest record, in bytes: the limit that `SQLite` is built with.
const MAX_RECORD_BYTES: usize = 1_000_000_000;

impl PartExporter for Sqlite {
    const NAME: &'static str = "sqlite";
    const REPLAYABLE: bool = true;
    const OWN_FILE: bool = true;
    type Options = SqliteOptions;
    type Part = SqlitePart;

    fn open(options: SqliteOptions) -> Result<Self, SetupError> {
        let has_nul = |name: &str| name.is_empty() || name.contains('\0');
        if has_nul(&options.table) || options.table.to_ascii_lowercase().starts_with("sqlite_") {
            let message = format_args!("`{}` cannot name a table", options.table.replace('\0', "\u{FFFD}"));
            return Err(SetupError::in_option("table", message));
        }
        if options.index.iter().any(|name| has_nul(name)) {
            return Err(SetupError::in_option(
                "index",
                "an empty name, or one with a NUL, cannot be indexed",
            ));
        }
        Ok(Self { options })
    }

    fn extension(&self) -> &'static str {
        "sqlite"
    }

    fn encode(&self, records: &[ExportView<'_>], chunk: &mut Vec<u8>) -> Vec<(usize, Failure)> {
        let mut failures = Vec::new();
        for (index, record) in records.iter().enumerate() {
            let before = chunk.len();
            self.push_row(record, chunk);
            let size = chunk.len() - before;
            if size > MAX_RECORD_BYTES {
                let message = format_args!("a record of {size} bytes; SQLite holds {MAX_RECORD_BYTES}");
                failures.push((index, Failure::new(message)));
                chunk.truncate(before);
            }
        }
        failures
    }

    fn begin(&self, path: &Path, _out: &mut Vec<u8>) -> Result<SqlitePart, Failure> {
        // What an attempt before this one left under the same temporary name.
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(Failure::new(error)),
            _ => {}
        }
        let connection = Connection::open(path).map_err(|error| refusal(&path.to_string_lossy(), &error))?;
        let columns = COLUMNS.map(|name| format!("{name} {}", if name == "raw" { "BLOB" } else { "TEXT" }));
        let table = quoted(&self.options.table);
        // The runner syncs the file and gives it its name when it is whole, so no journal is needed.
        let setup = format!(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE; \
             BEGIN; CREATE TABLE {table} ({});",
            columns.join(", ")
        );
        let part = SqlitePart { connection };
        part.connection.execute_batch(&setup).map_err(|error| part.refusal(&error))?;
        Ok(part)
    }

    fn add(&self, part: &mut SqlitePart, chunk: Vec<u8>, _out: &mut Vec<u8>) -> Result<(), Failure> {
        let table = quoted(&self.options.table);
        let insert = format!("INSERT INTO {table} VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
        let mut insert = part.connection.prepare(&insert).map_err(|error| part.refusal(&error))?;
        let mut rest = chunk.as_slice();
        while let Some(row) = chunk::next_row::<{ COLUMNS.len() }>(&mut rest)? {
            let [text @ .., raw] = row;
            let cells = text
                .into_iter()
                .map(|cell| cell.map_or(SqlRef::Null, SqlRef::Text))
                .chain([raw.map_or(SqlRef::Null, SqlRef::Blob)])
                .map(ToSqlOutput::Borrowed);
            insert.execute(rusqlite::params_from_iter(cells)).map_err(|error| part.refusal(&error))?;
        }
        Ok(())
    }

    fn end(&self, part: SqlitePart, _out: &mut Vec<u8>) -> Result<(), Failure> {
        for (number, name) in self.options.index.iter().enumerate() {
            let create = self.create_index(number, name);
            part.connection.execute_batch(&create).map_err(|error| part.refusal(&error))?;
        }
        part.connection.execute_batch("COMMIT").map_err(|error| part.refusal(&error))?;
        part.connection.close().map_err(|(connection, error)| SqlitePart { connection }.refusal(&error))
    }
}

impl SqlitePart {
    fn refusal(&self, error: &rusqlite::Error) -> Failure {
        refusal(self.connection.path().unwrap_or_default(), error)
    }
}

/// What `SQLite` said about a file, with what can be done where the machine has run out of something: the library
/// writes itself, so nobody else sees what the operating system answered.
fn refusal(path: &str, error: &rusqlite::Error) -> Failure {
    let way_out = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => ": make room there and run the same command again",
        Some(ErrorCode::CannotOpen) => {
            ": raise the limit of open files (`ulimit -n`) if that is it, and run the same command again"
        }
        Some(ErrorCode::SystemIoFailure) => {
            ": see whether the disk is in order and files may be that large (`ulimit -f`), and run the same \
             command again"
        }
        _ => "",
    };
    Failure::new(format_args!("cannot write `{path}`: {error}{way_out}"))
}

impl Sqlite {
    fn push_row(&self, record: &ExportView<'_>, out: &mut Vec<u8>) {
        let document = &record.document;
        let (reason, is_failed) = match record.fate {
            Fate::Kept => (None, false),
            Fate::Dropped(reason) => (Some(reason), false),
            Fate::Failed(reason) => (Some(reason), true),
        };
        chunk::push(Some(document.id().as_bytes()), out);
        chunk::push(Some(document.text().as_bytes()), out);
        chunk::push(Some(json_object(document.fields()).as_bytes()), out);
        chunk::push(record.stage.filter(|_| reason.is_some()).map(str::as_bytes), out);
        chunk::push(reason.map(|reason| reason.as_bytes()), out);
        chunk::push(reason.map(|_| record.measures_json()).as_deref().map(str::as_bytes), out);
        let origin = (is_failed || self.options.origin).then(|| record.origin_json());
        chunk::push(origin.as_deref().map(str::as_bytes), out);
        chunk::push(document.raw().filter(|_| is_failed || self.options.raw), out);
    }

    fn create_index(&self, number: usize, name: &str) -> String {
        let table = quoted(&self.options.table);
        let index = quoted(&format!("{}_index_{number}", self.options.table));
        let indexed = if COLUMNS.contains(&name) {
            quoted(name)
        } else {
            // The very expression that the page names: SQLite uses an index only for what it was made of.
            // What looks like a path or a place in a list is made a path with the name in quotes.
            let is_path = name.starts_with(['$', '[']);
            let label = if is_path { format!("$.\"{name}\"") } else { name.to_owned() };
            format!("metadata ->> '{}'", label.replace('\'', "''"))
        };
        format!("CREATE INDEX {index} ON {table} ({indexed})")
    }
}

/// A name in SQL.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
