//! What crosses the plugin boundary and back, with stages in Rust that are linked in.
//!
//! Libraries, and stages in C, are tested from outside of the workspace's crates, in `tests/plugins`.

#![expect(clippy::unwrap_used, reason = "a test, whose helpers are not marked as such")]

mod attachments;
mod batches;
mod blocks;
mod corpus;
mod files;
mod keyed;
mod measures;
mod parts;

use serde_json::json;
use tamis_stage::handle::OpenStage;

tamis_plugin::export_plugin! {
    readers: [blocks::Table],
    file_readers: [files::Cells],
    filters: [blocks::Late, measures::Bytes, batches::Remembers, batches::Threes],
    extractors: [blocks::Place, measures::Measured, batches::Pairs],
    corpus_stages: [corpus::Positions],
    keyed_stages: [keyed::Words],
    exporters: [blocks::Places],
    part_exporters: [parts::Counted, parts::Own],
}

/// The stage `name`, opened with its defaults.
#[track_caller]
fn open(name: &str) -> OpenStage {
    let stages = tamis_host::bundled(plugin()).unwrap();
    let stage = stages.into_iter().find(|stage| stage.info().name == name).unwrap();
    stage.open(&json!({})).unwrap()
}

/// What the host makes of a breach of the contract.
fn breach(stage: &str, breach: &str) -> String {
    format!(
        "stage `{stage}` of plugin `boundary`: it broke the plugin contract: {breach}; \
         tell the author of the plugin"
    )
}
