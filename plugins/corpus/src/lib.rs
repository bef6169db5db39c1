//! The standard corpus stages: stages that judge or change a document by what they have seen of all others.

mod dedup_exact;
mod line_template;
mod spill;
mod squeeze;

pub use dedup_exact::{DedupExact, DedupExactOptions, Normalize};
pub use line_template::{FieldNames, LineTemplate, LineTemplateOptions, Place, TablePaths};

tamis_plugin::export_plugin! {
    keyed_stages: [DedupExact],
    corpus_stages: [LineTemplate],
}
