//! What stages and numbers of things are called in what is shown.

use indicatif::HumanCount;
use tamis_config::Plan;

/// The keys of the tally in pipeline order, with the names to show.
pub(crate) fn keys(plan: &Plan) -> Vec<(String, String)> {
    let key = |table: &str, id: &str| (format!("{table}.{id}"), id.to_owned());
    let sources = plan.sources.iter().map(|source| key("source", &source.id));
    let stages = plan.stages.iter().map(|stage| key("stage", &stage.id));
    let exports = plan.exports.iter().map(|export| {
        let (key, id) = key("export", &export.id);
        let from = export.from.as_str();
        // An export is often called after what it takes.
        (key, if id == from { id } else { format!("{id} ({from})") })
    });
    sources.chain(stages).chain(exports).collect()
}

pub(crate) fn plural(n: u64, one: &str, many: &str) -> String {
    format!("{} {}", HumanCount(n), if n == 1 { one } else { many })
}
