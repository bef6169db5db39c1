//! The JSON Schema of pipeline files, for editors.

use serde_json::{Map, Value, json};
use tamis_stage::{Kind, Needs, Registry, StageInfo};

use crate::check::needs;
use crate::common_keys::AUTO_SUMMARY;
use crate::envelope::{COMPRESSION, ENVELOPE, declares, keys};
use crate::opening::{AUTO, is_envelope};
use crate::size::is_bytes;

/// The JSON Schema (draft 2020-12) of a pipeline file, with the options of every stage in `registry`.
///
/// Editors that speak TOML complete and check with it: put
/// `#:schema path/to/schema.json` on the first line of a pipeline.
pub fn schema(registry: &Registry) -> Value {
    let mut definitions = Map::new();
    for factory in registry.iter() {
        let info = factory.info();
        definitions.insert(definition_name(info), definition(info));
    }
    let mut root = plain(&ENVELOPE.root);
    for (list, envelope) in
        [("source", &ENVELOPE.source), ("stage", &ENVELOPE.stage), ("export", &ENVELOPE.export)]
    {
        let infos: Vec<&StageInfo> =
            registry.iter().map(|factory| factory.info()).filter(|info| info.kind.table() == list).collect();
        set_items(&mut root, list, table(list, &plain(envelope), &infos));
    }
    set_items(&mut root, "plugin", plain(&ENVELOPE.plugin));
    set_items(&mut root, "test", plain(&ENVELOPE.test));
    let description = root["properties"]["run"]["description"].take();
    root["properties"]["run"] = plain(&ENVELOPE.run);
    root["properties"]["run"]["description"] = description;
    root["$schema"] = Value::from("https://json-schema.org/draft/2020-12/schema");
    root["title"] = Value::from("Tamis pipeline");
    root["$defs"] = Value::Object(definitions);
    root
}

fn set_items(root: &mut Value, list: &str, items: Value) {
    root["properties"][list]["type"] = Value::from("array");
    root["properties"][list]["items"] = items;
}

/// A `[[source]]`, `[[stage]]` or `[[export]]`: its own keys, and the options of the stage that `use` names.
fn table(list: &str, envelope: &Value, infos: &[&StageInfo]) -> Value {
    let mut choices: Vec<Value> =
        infos.iter().map(|info| json!({ "const": info.name, "description": info.summary })).collect();
    let mut rules: Vec<Value> = infos
        .iter()
        .map(|info| {
            let options = format!("#/$defs/{}/properties", pointer(&definition_name(info)));
            let keys = info.schema.get("properties").and_then(Value::as_object);
            let keys = keys.into_iter().flat_map(Map::keys);
            let options: Map<String, Value> = keys
                .map(|key| (key.clone(), json!({ "$ref": format!("{options}/{}", pointer(key)) })))
                .collect();
            rule(list, envelope, options, info)
        })
        .collect();
    if list == "source" {
        choices.push(json!({ "const": AUTO, "description": AUTO_SUMMARY }));
        rules.push(auto_rule(envelope, infos));
    }
    let mut table = envelope.clone();
    // A stage may have options of these names: what they hold is said beside its name.
    for key in COMPRESSION {
        if let Some(known) = table["properties"].get_mut(key) {
            *known = Value::Bool(true);
        }
    }
    table["properties"]["use"]["oneOf"] = Value::Array(choices);
    if list == "stage" {
        // In a pipeline that extends another, the id alone names a stage.
        if let Some(keywords) = table.as_object_mut() {
            keywords.remove("required");
        }
        table["anyOf"] = json!([{ "required": ["use"] }, { "required": ["id"] }]);
    }
    table["allOf"] = Value::Array(rules);
    table
}

/// If `use` is this name, then the options of the stage are keys of the table.
fn rule(list: &str, envelope: &Value, options: Map<String, Value>, info: &StageInfo) -> Value {
    let mut properties = options;
    // A key of the pipeline file wins over an option of the same name.
    properties.extend(known_keys(envelope).into_iter().filter(|(key, _)| is_envelope(list, key, Some(info))));
    let closed = match info.schema.get("additionalProperties") {
        Some(others) => others.clone(),
        None => Value::Bool(!info.schema.get("properties").is_some_and(Value::is_object)),
    };
    let mut then = json!({
        "properties": properties,
        "additionalProperties": closed,
    });
    let required = needs(&info.schema);
    if !required.is_empty() {
        then["required"] = Value::from(required);
    }
    let effects = effects(list, envelope, info);
    if !effects.is_empty() {
        then["allOf"] = Value::Array(effects);
    }
    json!({ "if": condition(&info.name), "then": then })
}

/// For each key that needs others to have an effect: if it is given, they are as it needs them.
fn effects(list: &str, envelope: &Value, info: &StageInfo) -> Vec<Value> {
    let properties =
        |schema: &'_ Value| schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
    let mut known = properties(&info.schema);
    let own = properties(ENVELOPE.of(list));
    known.extend(
        own.into_iter().filter(|(key, _)| is_envelope(list, key, Some(info)) && declares(envelope, key)),
    );
    let default =
        |name: &str| known.get(name).and_then(|schema| schema.get("default")).cloned().unwrap_or_default();
    known
        .iter()
        .filter_map(|(name, schema)| {
            let needs = Needs::of(schema).ok()??;
            Some(json!({ "if": { "required": [name] }, "then": needs.schema(default) }))
        })
        .collect()
}

/// With `use = "auto"`, every option of every reader; of several with one name, the first is described.
fn auto_rule(envelope: &Value, infos: &[&StageInfo]) -> Value {
    let mut properties = Map::new();
    for info in infos.iter().filter(|info| info.kind == Kind::Reader) {
        let keys = info.schema.get("properties").and_then(Value::as_object);
        for key in keys
            .into_iter()
            .flat_map(Map::keys)
            .filter(|key| !properties.contains_key(*key))
            .cloned()
            .collect::<Vec<_>>()
        {
            let reference =
                format!("#/$defs/{}/properties/{}", pointer(&definition_name(info)), pointer(&key));
            properties.insert(key, json!({ "$ref": reference }));
        }
    }
    properties.extend(known_keys(envelope));
    json!({
        "if": condition(AUTO),
        "then": { "properties": properties, "additionalProperties": false },
    })
}

fn condition(name: &str) -> Value {
    json!({ "properties": { "use": { "const": name } }, "required": ["use"] })
}

/// The keys of the pipeline file, allowed here; what they hold is said once for all stages, but for those that
/// may mean something else in another stage.
fn known_keys(envelope: &Value) -> Map<String, Value> {
    let schema = |key: &str| {
        let schema = envelope.get("properties").and_then(|keys| keys.get(key));
        schema.filter(|_| COMPRESSION.contains(&key)).cloned().unwrap_or(Value::Bool(true))
    };
    keys(envelope).map(|key| (key.to_owned(), schema(key))).collect()
}

fn definition_name(info: &StageInfo) -> String {
    format!("{}.{}", info.kind.table(), info.name)
}

/// The schema of a stage, with references that hold from where it now is.
fn definition(info: &StageInfo) -> Value {
    let mut schema = info.schema.clone();
    if let Some(keywords) = schema.as_object_mut() {
        keywords.remove("$schema");
        let options = keywords.get_mut("properties").and_then(Value::as_object_mut);
        for option in options.into_iter().flat_map(Map::values_mut) {
            if is_bytes(option) {
                // `"64 MiB"`, as the sizes of the pipeline file itself.
                option["type"] = json!(["integer", "string"]);
            }
            // What stands in another file.
            option.as_object_mut().and_then(|keywords| keywords.remove("x-toml"));
        }
    }
    rebase(&mut schema, &format!("#/$defs/{}", pointer(&definition_name(info))));
    schema
}

fn rebase(value: &mut Value, base: &str) {
    match value {
        Value::Object(entries) => {
            for (key, value) in entries {
                match value {
                    Value::String(reference) if key == "$ref" => {
                        if let Some(rest) = reference.strip_prefix('#') {
                            *reference = format!("{base}{rest}");
                        }
                    }
                    other => rebase(other, base),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| rebase(item, base)),
        _ => {}
    }
}

/// A name as a part of a JSON pointer.
fn pointer(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

/// A declaration without the keywords that only our own check knows.
fn plain(schema: &Value) -> Value {
    match schema {
        Value::Object(entries) => {
            let kept = entries.iter().filter(|(key, _)| !key.starts_with("x-"));
            Value::Object(kept.map(|(key, value)| (key.clone(), plain(value))).collect())
        }
        Value::Array(items) => items.iter().map(plain).collect(),
        other => other.clone(),
    }
}
