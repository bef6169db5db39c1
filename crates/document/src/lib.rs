//! The record that travels through a pipeline: text, metadata, provenance, verdict.
//!
//! A reader makes a [`Document`], stages change or judge it, an exporter writes it.
//! While it travels it is a [`Record`]: the document with its [`Fate`] and the measures that led to it.
//!
//! This crate holds data only.
//! It does no input or output, knows no settings and no stages; for those see `tamis-stage` (the traits)
//! and `tamis-runner` (the journey).

mod attachments;
mod document;
mod form;
mod metadata;
pub mod nested;
mod record;
mod value;

pub use attachments::Attachments;
pub use document::{Document, Origin};
pub use form::Form;
pub use metadata::{Metadata, member};
pub use record::{Fate, Limit, Measure, Reason, Record, Verdict};
pub use value::{Json, Value, ValueRef};
