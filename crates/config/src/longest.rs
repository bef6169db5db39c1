//! The longest record: a setting of `[run]` that bounds options of readers.

use serde_json::{Map, Value};
use tamis_stage::StageInfo;

use crate::check::size_of;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::node::{Node, Table};
use crate::plan::RunSettings;
use crate::size::format_size;
use crate::text::Place;

/// The key of `[run]`, which options name with `x-at-most`.
const KEY: &str = "max_record_bytes";

/// A record is held as bytes, as text and as output at once, and another thread may hold one as well.
const PART_OF_MEMORY: u64 = 8;

/// The longest record of a run.
#[derive(Debug)]
pub(crate) struct Longest {
    /// In bytes.
    pub(crate) bytes: u64,
    /// Where it is written, or what it follows from; `None` if neither is.
    written: Option<Place>,
}

/// The longest record by the `[run]` table of a pipeline, and what is wrong with it.
///
/// Where nothing is written it is as long as the memory allows, and not longer than the default: it decides what
/// comes out, so it must not grow with every machine.
pub(crate) fn longest(run: Option<&Table>, diagnostics: &mut Diagnostics) -> Longest {
    let defaults = RunSettings::default();
    let given = |key: &str| {
        let node = run?.get(key)?;
        Some((node, size_of(node)?))
    };
    let memory = given("memory");
    let most = memory.map_or(defaults.memory, |(_, bytes)| bytes) / PART_OF_MEMORY;
    let block = given("block_bytes");
    let least = block.map_or(defaults.block_bytes, |(_, bytes)| bytes);
    let Some((node, bytes)) = given(KEY) else {
        let bytes = defaults.max_record_bytes.min(most).max(least);
        return Longest { bytes, written: memory.map(|(node, _)| node.place.clone()) };
    };
    let is = format!("`{KEY}` is {}", format_size(bytes));
    let related = |diagnostic: Diagnostic, other: Option<(&Node, u64)>| match other {
        Some((node, _)) => diagnostic.related(&node.place, "this is the other"),
        None => diagnostic,
    };
    if bytes < least {
        let message = format!("{is}, less than a block of {}", format_size(least));
        let label = "a block holds whole records: raise it, or lower `block_bytes`";
        diagnostics.push(related(Diagnostic::error(&node.place, message).label(label), block));
    } else if bytes > most {
        let message =
            format!("{is}, more than an eighth of a `memory` of {}", format_size(most * PART_OF_MEMORY));
        let label = format!(
            "a record is held several times at once: at most {}, or a `memory` of {}",
            format_size(most),
            format_size(bytes.saturating_mul(PART_OF_MEMORY))
        );
        diagnostics.push(related(Diagnostic::error(&node.place, message).label(label), memory));
    }
    Longest { bytes, written: Some(node.place.clone()) }
}

impl Longest {
    /// Holds the options of a stage that bound its records against the longest record: complains about those that
    /// are more, and sets those that are not given and would be more by default.
    pub(crate) fn bound(
        &self,
        info: &StageInfo,
        owner: &str,
        given: &Table,
        options: &mut Value,
        diagnostics: &mut Diagnostics,
    ) {
        let properties = info.schema.get("properties").and_then(Value::as_object);
        for (name, schema) in properties.into_iter().flat_map(Map::iter) {
            if schema.get("x-at-most").and_then(Value::as_str) != Some(KEY) {
                continue;
            }
            let Some(node) = given.get(name) else {
                let default = schema.get("default").and_then(Value::as_u64);
                if default.is_some_and(|default| default > self.bytes)
                    && let Some(options) = options.as_object_mut()
                {
                    options.insert(name.clone(), Value::from(self.bytes));
                }
                continue;
            };
            if let Some(bytes) = size_of(node).filter(|bytes| *bytes > self.bytes) {
                diagnostics.push(self.excess(name, owner, node, bytes));
            }
        }
    }

    fn excess(&self, name: &str, owner: &str, node: &Node, bytes: u64) -> Diagnostic {
        let longest = format_size(self.bytes);
        let message =
            format!("`{name}` of {owner} is {}, more than the longest record, {longest}", format_size(bytes));
        let label = format!("at most {}, or raise `{KEY}` and `memory` in `[run]`", self.bytes);
        let complaint = Diagnostic::error(&node.place, message).label(label);
        match &self.written {
            Some(place) => complaint.related(place, format!("by this, the longest record is {longest}")),
            None => complaint,
        }
    }
}
