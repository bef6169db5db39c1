//! Pipelines that are made to look at inputs, and how what is written into one is quoted.

use std::path::PathBuf;

use serde_json::Value as Json;
use tamis_config::Diagnostics;

use crate::args::PlaceArgs;
use crate::context::{Context, Planned};

/// A string as TOML has it; JSON writes the same.
pub(super) fn quoted(text: &str) -> String {
    Json::from(text).to_string()
}

/// A pipeline that reads the inputs and does nothing with them; `source` is what stands in its `[[source]]`.
pub(super) fn pipeline(source: &str, stages: &str) -> String {
    format!(
        "name = \"init\"\n[[source]]\n{source}\npaths = [\".\"]\n{stages}\n[[export]]\nuse = \"jsonl\"\npath = \"-init\"\n"
    )
}

/// Plans a pipeline over the inputs.
pub(super) fn plan(context: &Context, pipeline: &str, inputs: &[PathBuf]) -> Result<Planned, Diagnostics> {
    context.plan_of(pipeline, &[], &PlaceArgs { inputs: inputs.to_vec(), output: None })
}
