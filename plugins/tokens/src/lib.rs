//! Stages that cut a text into chunks, and count its tokens as a language model would.
//!
//! A crate of its own, because tokenizers take longer to build than all that is done with them; without the feature
//! `tokenizer` there is `chunk` alone, which then cuts by characters.

mod chunk;
#[cfg(all(test, feature = "tokenizer"))]
mod tiny;
mod tokenizer;
#[cfg(feature = "tokenizer")]
mod tokens;

pub use chunk::{ChunkOptions, Chunks, Unit};
#[cfg(feature = "tokenizer")]
pub use tokens::{Tokens, TokensOptions};

#[cfg(feature = "tokenizer")]
tamis_plugin::export_plugin! {
    extractors: [Chunks, Tokens],
}

#[cfg(not(feature = "tokenizer"))]
tamis_plugin::export_plugin! {
    extractors: [Chunks],
}
