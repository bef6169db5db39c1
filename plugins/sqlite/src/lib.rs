//! The exporter of `SQLite` databases; it brings its own `SQLite`.

mod chunk;
mod exporter;
mod options;
#[cfg(test)]
mod tests;

pub use exporter::{Sqlite, SqlitePart};
pub use options::SqliteOptions;

tamis_plugin::export_plugin! {
    part_exporters: [Sqlite],
}
