//! The standard filters: stages that judge a document, and the one that changes its fields.

mod fields;
mod length;
mod r#where;

pub use fields::{Fields, FieldsOptions, Replace};
pub use length::{Length, LengthOptions};
pub use r#where::{Where, WhereOptions, WhereRule};

tamis_plugin::export_plugin! {
    filters: [Length, Where],
    extractors: [Fields],
}
