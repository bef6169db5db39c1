//! `parquet`: tables of columns, read by part and written by workers.

mod direct;
mod exporter;
mod gather;
mod measure;
mod options;
mod page;
mod reader;
mod splice;
#[cfg(test)]
mod tests;

pub use exporter::{ParquetExporter, ParquetPart};
pub use options::{ColumnType, Compression, ParquetExportOptions, ParquetOptions};
pub use reader::{Parquet, ParquetFile};
