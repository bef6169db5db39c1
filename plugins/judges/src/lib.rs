//! Stages that judge a document: what language it is in.

mod language;

pub use language::{Language, LanguageOptions};

tamis_plugin::export_plugin! {
    extractors: [Language],
}
