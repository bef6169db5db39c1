//! What differs between two runs: keys of the pipeline, with both values, and what they read beside it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::disk::fingerprint::Resolved;
use crate::disk::manifest::Manifest;

/// So many differences are named.
const MAX_NAMED: usize = 5;
/// How much of a value is shown, in characters.
const MAX_VALUE_CHARS: usize = 60;

/// Why two runs are not of one program and pipeline, if they are not.
pub(super) fn of_runs(then: &Manifest, now: &Manifest) -> Option<String> {
    if then.tamis != now.tamis {
        return Some(format!(
            "tamis {} wrote it, and this is {}: go on with that one",
            then.tamis, now.tamis
        ));
    }
    (then.fingerprint.plan != now.fingerprint.plan).then(|| match of_plans(&then.resolved, &now.resolved) {
        Some(changes) => format!("changed since: {changes}"),
        None => "the pipeline, a file that it names or a plugin has changed since".to_owned(),
    })
}

/// What has changed of a pipeline, in words; nothing that could be named if it is none of what a manifest holds.
pub(super) fn of_plans(then: &Resolved, now: &Resolved) -> Option<String> {
    if then.plan.is_null() {
        // A manifest of before they held it.
        return None;
    }
    // What was read from a manifest is compared with what would be: the last digit of a number may be another.
    let now_plan = serde_json::from_str(&now.plan.to_string()).unwrap_or_else(|_| now.plan.clone());
    let mut changes = Vec::new();
    for (tables, name) in [("sources", "source"), ("stages", "stage"), ("exports", "export")] {
        compare_entries(name, "id", &then.plan[tables], &now_plan[tables], &mut changes);
    }
    for (key, path) in
        [("name", "name"), ("block_bytes", "run.block_bytes"), ("max_record_bytes", "run.max_record_bytes")]
    {
        compare(path, then.plan.get(key), now_plan.get(key), &mut changes);
    }
    if then.limit != now.limit {
        let limit = |limit: Option<u64>| limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string());
        changes.push(format!("`--limit`: {}, now {}", limit(then.limit), limit(now.limit)));
    }
    let files: BTreeMap<_, _> = then.files.iter().chain(&now.files).collect();
    for name in files.into_keys().filter(|name| then.files.get(*name) != now.files.get(*name)) {
        changes.push(format!("what is in `{name}`"));
    }
    named(changes)
}

impl Manifest {
    /// What the pipeline of another run has that differs from this one, in words; none if nothing does.
    pub fn changes_to(&self, other: &Self) -> Option<String> {
        of_plans(&self.resolved, &other.resolved)
    }
}

/// What has changed of the inputs, as far as their number and bytes tell.
pub(super) fn of_inputs(then: &Manifest, now: &Manifest) -> String {
    let files = |n: u64| if n == 1 { "1 file".to_owned() } else { format!("{n} files") };
    let [before, after] = [then, now].map(|it| (it.input_files, it.input_bytes));
    if before == after {
        let other =
            if before.0 == 1 { "another name or time of change" } else { "other names or times of change" };
        return format!("{} of {} bytes as before, but with {other}", files(before.0), before.1);
    }
    format!("{} of {} bytes, now {} of {} bytes", files(before.0), before.1, files(after.0), after.1)
}

fn named(changes: Vec<String>) -> Option<String> {
    let n_more = changes.len().saturating_sub(MAX_NAMED);
    let more = (n_more > 0).then(|| format!("and {n_more} more"));
    let shown: Vec<String> = changes.into_iter().take(MAX_NAMED).chain(more).collect();
    (!shown.is_empty()).then(|| shown.join("; "))
}

/// Compares entries of an array that have names, such as the stages; `key` is where the name stands.
fn compare_entries(path: &str, key: &str, then: &Value, now: &Value, changes: &mut Vec<String>) {
    let [before, after] = [then, now].map(|entries| {
        let entries = entries.as_array().map(Vec::as_slice).unwrap_or_default();
        entries.iter().filter_map(|entry| Some((entry[key].as_str()?, entry))).collect::<Vec<_>>()
    });
    let find = |entries: &[(&str, &Value)], name: &str| entries.iter().any(|(known, _)| *known == name);
    for (name, entry) in &before {
        match after.iter().find(|(known, _)| known == name) {
            Some((_, other)) => compare_entry(&format!("{path}.{name}"), key, entry, other, changes),
            None => changes.push(format!("`{path}.{name}` is gone")),
        }
    }
    for (name, _) in after.iter().filter(|(name, _)| !find(&before, name)) {
        changes.push(format!("`{path}.{name}` is new"));
    }
    let common = |entries: &[(&str, &Value)], others: &[(&str, &Value)]| -> Vec<String> {
        entries.iter().filter(|(name, _)| find(others, name)).map(|(name, _)| (*name).to_owned()).collect()
    };
    if common(&before, &after) != common(&after, &before) {
        changes.push(format!("`[[{path}]]` tables stand in another order"));
    }
}

/// Compares two entries of one name, key by key, as a user writes them: options stand beside the other keys, and so do
/// those of the reader if there is one only.
fn compare_entry(path: &str, name_key: &str, then: &Value, now: &Value, changes: &mut Vec<String>) {
    for key in keys(then, now).into_iter().filter(|key| key != name_key) {
        let [before, after] = [then, now].map(|entry| entry.get(&key));
        match (key.as_str(), before, after) {
            ("options", Some(before), Some(after)) => compare_values(path, before, after, changes),
            ("readers", Some(before), Some(after)) => match (before.as_array(), after.as_array()) {
                (Some(one), Some(other)) if one.len() == 1 && other.len() == 1 => {
                    compare_entry(path, "id", &one[0], &other[0], changes);
                }
                _ => compare_entries(path, "use", before, after, changes),
            },
            _ => compare(&format!("{path}.{key}"), before, after, changes),
        }
    }
}

/// Compares all keys of two tables.
fn compare_values(path: &str, then: &Value, now: &Value, changes: &mut Vec<String>) {
    for key in keys(then, now) {
        compare(&format!("{path}.{key}"), then.get(&key), now.get(&key), changes);
    }
}

fn compare(path: &str, then: Option<&Value>, now: Option<&Value>, changes: &mut Vec<String>) {
    match (then, now) {
        (then, now) if then == now => {}
        (Some(then @ Value::Object(_)), Some(now @ Value::Object(_))) => {
            compare_values(path, then, now, changes);
        }
        (then, now) => changes.push(format!("`{path}`: {}, now {}", shown(then), shown(now))),
    }
}

fn keys(then: &Value, now: &Value) -> Vec<String> {
    let tables = [then, now].into_iter().filter_map(Value::as_object);
    let mut keys: Vec<String> = tables.flat_map(|table| table.keys().cloned()).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

fn shown(value: Option<&Value>) -> String {
    let Some(value) = value.filter(|value| !value.is_null()) else { return "none".to_owned() };
    let text = value.to_string();
    match text.char_indices().nth(MAX_VALUE_CHARS) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn plan() -> Value {
        json!({
            "name": "news", "block_bytes": 1024, "max_record_bytes": 4096,
            "sources": [{ "id": "crawl", "paths": ["in"], "exclude": [],
                "readers": [{ "id": "crawl", "use": "csv", "options": { "fields": { "text": "body" } } }] }],
            "stages": [
                { "id": "length", "use": "length", "options": { "min_chars": 50, "max_chars": null } },
                { "id": "unwrap", "use": "unwrap", "plugin": { "name": "p", "version": "1" }, "options": {} },
            ],
            "exports": [{ "id": "kept", "use": "jsonl", "path": "", "options": {} }],
        })
    }

    fn said(change: impl Fn(&mut Resolved)) -> Option<String> {
        let then = Resolved { plan: plan(), limit: None, files: [("a.toml".into(), "1".into())].into() };
        let mut now = then.clone();
        change(&mut now);
        of_plans(&then, &now)
    }

    #[test]
    fn keys_that_differ_are_named_with_both_values() {
        type Change = fn(&mut Resolved);
        let cases: [(Change, Option<&str>); 11] = [
            (|_| {}, None),
            (
                |it| it.plan["stages"][0]["options"]["min_chars"] = 60.into(),
                Some("`stage.length.min_chars`: 50, now 60"),
            ),
            (
                |it| it.plan["stages"][0]["options"]["max_chars"] = 9.into(),
                Some("`stage.length.max_chars`: none, now 9"),
            ),
            (
                |it| it.plan["stages"][1]["plugin"]["version"] = "2".into(),
                Some("`stage.unwrap.plugin.version`: \"1\", now \"2\""),
            ),
            (
                |it| it.plan["sources"][0]["readers"][0]["options"]["fields"]["text"] = "text".into(),
                Some("`source.crawl.fields.text`: \"body\", now \"text\""),
            ),
            (
                |it| it.plan["sources"][0]["paths"] = json!(["b"]),
                Some("`source.crawl.paths`: [\"in\"], now [\"b\"]"),
            ),
            (|it| it.plan["block_bytes"] = 2048.into(), Some("`run.block_bytes`: 1024, now 2048")),
            (|it| it.limit = Some(10), Some("`--limit`: none, now 10")),
            (|it| it.files = [("a.toml".into(), "2".into())].into(), Some("what is in `a.toml`")),
            (
                |it| it.plan["stages"].as_array_mut().unwrap().swap(0, 1),
                Some("`[[stage]]` tables stand in another order"),
            ),
            (
                |it| it.plan["stages"][0]["id"] = "chars".into(),
                Some("`stage.length` is gone; `stage.chars` is new"),
            ),
        ];
        for (change, expected) in cases {
            assert_eq!(said(change).as_deref(), expected);
        }
    }

    #[test]
    fn no_more_than_five_differences_are_named_and_long_values_cut() {
        let many = said(|it| {
            for n in 0..9 {
                it.plan["stages"][0]["options"][format!("option_{n}")] = "字".repeat(100).into();
            }
        });
        let many = many.unwrap();
        assert_eq!((many.matches("option_").count(), many.ends_with("; and 4 more")), (5, true), "{many}");
        assert!(many.chars().count() < 700, "{many}");
        let before = Resolved { plan: Value::Null, ..Resolved::default() };
        assert_eq!(of_plans(&before, &Resolved { plan: plan(), ..Resolved::default() }), None);
    }

    #[test]
    fn inputs_are_told_apart_by_number_and_bytes() {
        let of = |input_files, input_bytes| Manifest { input_files, input_bytes, ..Manifest::default() };
        assert_eq!(of_inputs(&of(1, 10), &of(3, 5)), "1 file of 10 bytes, now 3 files of 5 bytes");
        let same = of_inputs(&of(2, 10), &of(2, 10));
        assert_eq!(same, "2 files of 10 bytes as before, but with other names or times of change");
    }
}
