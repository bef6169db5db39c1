//! `arrow`: record batches in the form that Arrow programs exchange, read by batch and written by workers.

mod dictionaries;
mod exporter;
mod index;
mod message;
mod options;
mod reader;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod types;

pub use exporter::{ArrowExporter, ArrowPart};
pub use options::{ArrowCompression, ArrowExportOptions, ArrowOptions};
pub use reader::{Arrow, ArrowFile};
