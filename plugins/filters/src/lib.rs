//! The standard filters: stages that judge a document.

mod length;

pub use length::{Length, LengthOptions};

tamis_plugin::export_plugin! {
    filters: [Length],
}
