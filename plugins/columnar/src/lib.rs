//! Readers and exporters of columnar files: Parquet and Arrow IPC.
//!
//! Kept apart from the standard stages because the libraries behind these formats are large.

mod arrow;
mod columns;
mod parquet;
mod parts;
mod rows;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod value;

pub use arrow::{
    Arrow, ArrowCompression, ArrowExportOptions, ArrowExporter, ArrowFile, ArrowOptions, ArrowPart,
};
pub use parquet::{
    ColumnType, Compression, Parquet, ParquetExportOptions, ParquetExporter, ParquetFile, ParquetOptions,
    ParquetPart,
};

tamis_plugin::export_plugin! {
    file_readers: [Parquet, Arrow],
    part_exporters: [ParquetExporter, ArrowExporter],
}
