//! Readers and exporters of columnar files: Parquet.
//!
//! Kept apart from the standard stages because the libraries behind these formats are large.

mod columns;
mod parquet;
mod rows;
#[cfg(test)]
mod testing;
mod value;

pub use parquet::{
    ColumnType, Compression, Parquet, ParquetExportOptions, ParquetExporter, ParquetFile, ParquetOptions,
    ParquetPart,
};

tamis_plugin::export_plugin! {
    file_readers: [Parquet],
    part_exporters: [ParquetExporter],
}
