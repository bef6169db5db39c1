//! The standard readers: stages that turn bytes into documents.
//!
//! Structured readers ([`Jsonl`], [`Json`], [`Records`], [`Csv`], [`Tsv`]) share one field mapping, which says what the fields of a
//! record mean, and one way to say where a record is broken.

mod arc;
mod crawl;
mod csv;
mod encoded;
mod foreign;
mod html;
mod invalid;
mod json;
mod jsonl;
mod mapping;
mod mhtml;
mod pages;
mod records;
mod row;
#[cfg(test)]
mod testing;
mod text;
mod warc;

pub use arc::{Arc, ArcOptions};
pub use csv::{Csv, CsvOptions, Delimiter, Tsv, TsvOptions};
pub use html::{Html, HtmlOptions};
pub use invalid::InvalidValues;
pub use json::{Json, JsonOptions};
pub use jsonl::{Jsonl, JsonlOptions};
pub use mapping::{FieldNames, SPREAD, TextForm, check_rename};
pub use mhtml::{Mhtml, MhtmlOptions};
pub use records::{Records, RecordsOptions};
pub use text::{Text, TextOptions};
pub use warc::{RecordType, Warc, WarcOptions};

tamis_plugin::export_plugin! {
    readers: [Arc, Csv, Html, Json, Jsonl, Mhtml, Records, Text, Tsv, Warc],
}
