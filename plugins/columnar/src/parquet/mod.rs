//! `parquet`: tables of columns, read by part and written by workers.

mod direct;
mod exporter;
mod measure;
mod options;
mod reader;
mod splice;
#[cfg(test)]
mod tests;

pub use exporter::{ParquetExporter, ParquetPart};
pub use options::{ColumnType, Compression, ParquetExportOptions, ParquetOptions};
pub use reader::{Parquet, ParquetFile};
