//! The exporter of SQLite databases.
