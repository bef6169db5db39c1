//! The `compression` of an export.

use serde_json::Value;
use tamis_stage::StageInfo;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::envelope::{ENVELOPE, keys};
use crate::node::{Data, Node};
use crate::opening::{can_be_compressed, is_envelope};
use crate::plan::Compression;

/// Zstandard's own default: about 400 MB/s a core, and a third of the size of text.
const DEFAULT_ZSTD_LEVEL: i32 = 3;
/// What `gzip` takes when nobody asks.
const DEFAULT_GZIP_LEVEL: u32 = 6;
/// The format knows no more.
const MAX_GZIP_LEVEL: u32 = 9;

/// How the parts of an exporter are compressed, by what its table says.
pub(crate) fn compression(
    node: Option<&Node>,
    level: Option<&Node>,
    info: &StageInfo,
    diagnostics: &mut Diagnostics,
) -> Compression {
    let method = node.and_then(Node::as_str).unwrap_or("none");
    if let Some(node) = node
        && !can_be_compressed(info)
    {
        diagnostics.push(refusal(node, info));
    }
    if !matches!(method, "gzip" | "zstd") {
        return Compression::None;
    }
    let given = level.and_then(|level| match level.data {
        Data::Integer(level) => i32::try_from(level).ok(),
        _ => None,
    });
    if method == "zstd" {
        return Compression::Zstd { level: given.unwrap_or(DEFAULT_ZSTD_LEVEL) };
    }
    let number = given.and_then(|level| u32::try_from(level).ok()).unwrap_or(DEFAULT_GZIP_LEVEL);
    let most = keyword(&ENVELOPE.export, "/properties/compression_level/maximum");
    // What no method knows is complained about already.
    if let Some(level) = level.filter(|_| (MAX_GZIP_LEVEL + 1..=most).contains(&number)) {
        diagnostics.push(
            Diagnostic::error(&level.place, format!("`compression_level` is {number}, out of range"))
                .label(format!("must be at most {MAX_GZIP_LEVEL} with `gzip`")),
        );
    }
    Compression::Gzip { level: number }
}

fn keyword(schema: &Value, pointer: &str) -> u32 {
    schema
        .pointer(pointer)
        .and_then(Value::as_u64)
        .and_then(|most| u32::try_from(most).ok())
        .unwrap_or_default()
}

/// That the output is no stream of bytes; an exporter that compresses itself is asked by its own option.
fn refusal(node: &Node, info: &StageInfo) -> Diagnostic {
    let own =
        keys(&info.schema).find(|key| key.contains("compression") && !is_envelope("export", key, Some(info)));
    let label = match own {
        Some(own) => format!("it compresses what it writes itself: see its option `{own}`"),
        None => "remove `compression`".to_owned(),
    };
    let message = format!("the output of `{}` cannot be compressed as a whole", info.name);
    Diagnostic::error(&node.place, message).label(label)
}
