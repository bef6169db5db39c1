//! The form of a plan that two runs are compared by.

use std::path::Path;

use serde_json::{Map, Value, json};
use tamis_stage::StageInfo;

use crate::plan::{Compression, Plan, identity};

/// A stage with the options that count: paths relative to the folder of the pipeline.
pub(crate) fn stage(id: &str, info: &StageInfo, options: &Value) -> Value {
    let mut stage = identity(info);
    stage["id"] = Value::from(id);
    stage["options"] = options.clone();
    stage
}

/// The whole plan, from the canonical forms of its stages.
pub(crate) fn plan(plan: &Plan, sources: &[Value], stages: &[Value], exports: &[Value]) -> Value {
    sorted(json!({
        "name": plan.name,
        "sources": sources,
        "stages": stages,
        "exports": exports,
        // Blocks decide where records of a broken file begin again, and where parts end.
        "block_bytes": plan.run.block_bytes,
        // What is longer fails, and what is not is read.
        "max_record_bytes": plan.run.max_record_bytes,
    }))
}

/// The value of a compression.
pub(crate) fn compression(compression: Compression) -> Value {
    match compression {
        Compression::None => Value::from("none"),
        Compression::Gzip { level } => json!({ "gzip": level }),
        Compression::Zstd { level } => json!({ "zstd": level }),
    }
}

/// A path relative to `base` if it lies below it, with `/` between its parts on every system.
pub(crate) fn portable(path: &Path, base: &Path) -> String {
    match path.strip_prefix(base) {
        Ok(relative) if relative.as_os_str().is_empty() => ".".to_owned(),
        Ok(relative) => {
            let parts: Vec<_> =
                relative.components().map(|part| part.as_os_str().to_string_lossy()).collect();
            parts.join("/")
        }
        Err(_) => path.to_string_lossy().into_owned(),
    }
}

/// The same value with the keys of all objects in order, whatever order the map of `serde_json` keeps in this
/// build.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(entries) => {
            let mut entries: Vec<(String, Value)> = entries.into_iter().collect();
            entries.sort_by(|(first, _), (second, _)| first.cmp(second));
            Value::Object(entries.into_iter().map(|(key, value)| (key, sorted(value))).collect::<Map<_, _>>())
        }
        Value::Array(items) => items.into_iter().map(sorted).collect(),
        other => other,
    }
}
