//! The standard corpus stages: stages that judge or change a document by what they have seen of all others.

mod dedup_exact;
mod dedup_near;
mod dedup_spans;
mod field;
mod line_template;
mod priority;
mod quantile;
mod spill;
mod squeeze;

pub use dedup_exact::{DedupExact, DedupExactOptions, Normalize, Unit};
pub use dedup_near::{Clusters, DedupNear, DedupNearOptions, Rule};
pub use dedup_spans::{DedupSpans, DedupSpansOptions};
pub use line_template::{FieldNames, LineTemplate, LineTemplateOptions, Place, TablePaths};
pub use priority::Keep;
pub use quantile::{Quantile, QuantileOptions};

tamis_plugin::export_plugin! {
    keyed_stages: [DedupExact, DedupNear, DedupSpans, Quantile],
    corpus_stages: [LineTemplate],
}
