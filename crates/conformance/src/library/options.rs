//! Options, before anything else is asked of a stage.

use serde_json::{Value, json};
use tamis_stage::{BOUNDS, KEYS_BESIDE, Kind, NeededState, Needs, StageFactory, StageInfo};

use super::{Results, is_mistake};

pub(super) fn check(factory: &dyn StageFactory, results: &mut Results) {
    results.run("refuses an option that it does not have", || refuses_unknown(factory));
    results.run("takes or refuses any value of an option", || any_value(factory));
    results.run("says what its options need in words that are known", || needs_known(factory.info()));
}

/// Marks that name what is not there are never met, or always, and nobody would notice.
fn needs_known(info: &StageInfo) -> Result<(), String> {
    let properties = info.schema.get("properties").and_then(Value::as_object);
    let option = |name: &str| properties.and_then(|properties| properties.get(name));
    for (name, schema) in properties.into_iter().flatten() {
        let needs = Needs::of(schema).map_err(|why| format!("`x-needs` of option `{name}`: {why}"))?;
        for need in needs.iter().flat_map(Needs::iter) {
            let other = &need.option;
            let is_beside = info.kind == Kind::Exporter && KEYS_BESIDE.contains(&other.as_str());
            let Some(schema) = option(other).filter(|_| other != name) else {
                if is_beside {
                    continue;
                }
                return Err(format!(
                    "option `{name}` needs `{other}` (`x-needs`), which is no other option of it"
                ));
            };
            let choices = choices(&need.state, schema);
            if let Some(value) =
                need.state.values().iter().find(|value| !choices.is_empty() && !choices.contains(value))
            {
                return Err(format!(
                    "option `{name}` names {value} for `{other}` (`x-needs`), which it cannot be"
                ));
            }
        }
        if let Some(key) = schema.get("x-at-most")
            && !key.as_str().is_some_and(|key| BOUNDS.contains(&key))
        {
            return Err(format!(
                "option `{name}` is bounded by {key} (`x-at-most`), but the bounds are {}",
                BOUNDS.join(", ")
            ));
        }
    }
    Ok(())
}

/// The values that an option can have, or the items of its lists if a condition is about those; empty if any.
fn choices<'a>(state: &NeededState, schema: &'a Value) -> Vec<&'a Value> {
    let schema = match state {
        NeededState::Has(_) => schema.get("items").unwrap_or(schema),
        _ => schema,
    };
    let list = |key: &str| schema.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let variants = list("oneOf").iter().flat_map(|variant| {
        let several = variant.get("enum").and_then(Value::as_array).into_iter().flatten();
        variant.get("const").into_iter().chain(several)
    });
    list("enum").iter().chain(variants).collect()
}

/// The host holds options against the schema before it opens a stage, so either of the two may refuse.
fn refuses_unknown(factory: &dyn StageFactory) -> Result<(), String> {
    let is_closed = factory.info().schema.get("additionalProperties") == Some(&Value::Bool(false));
    if is_closed || factory.open(&json!({ "no-such-option": 1 })).is_err() {
        return Ok(());
    }
    Err("it opened with an option `no-such-option`: a typing error would go unnoticed (put \
         `\"additionalProperties\": false` into the schema; in Rust `#[serde(deny_unknown_fields)]` on the options \
         does it)"
        .to_owned())
}

/// A value that the schema does not allow is refused before the stage sees it, but not every rule can be said in
/// a schema, and a program that drives the library itself may not look at it.
fn any_value(factory: &dyn StageFactory) -> Result<(), String> {
    for option in factory.info().options() {
        for value in values() {
            let options = json!({ option.name.as_str(): value });
            let Err(error) = factory.open(&options) else { continue };
            if is_mistake(&error.to_string()) {
                return Err(format!("with {options}: {error}"));
            }
        }
    }
    Ok(())
}

fn values() -> Vec<Value> {
    let mut deep = json!(1);
    for _ in 0..100 {
        deep = json!([deep]);
    }
    vec![
        Value::Null,
        json!(false),
        json!(0),
        json!(-1),
        json!(i64::MIN),
        json!(u64::MAX),
        json!(0.5),
        json!(-1e308),
        json!(""),
        json!("\0"),
        json!("字 \"quoted\" \\ [(*"),
        json!("no/such/file"),
        json!("a".repeat(1 << 20)),
        json!([]),
        json!([""]),
        json!([null, 1, "a", {}]),
        json!({}),
        json!({ "": null, "a": "b" }),
        deep,
    ]
}

#[cfg(test)]
mod tests {
    use tamis_stage::StageFlags;

    use super::*;

    fn said(kind: Kind, properties: &Value) -> String {
        let info = StageInfo {
            measures: Vec::new(),
            name: "test".to_owned(),
            kind,
            summary: String::new(),
            docs: String::new(),
            schema: json!({ "type": "object", "properties": properties }),
            reads: Vec::new(),
            writes: Vec::new(),
            flags: StageFlags::default(),
            plugin: std::sync::Arc::default(),
        };
        needs_known(&info).map_or_else(|why| why, |()| "fine".to_owned())
    }

    #[test]
    fn marks_name_options_and_values_that_there_are() {
        let modes = json!({ "oneOf": [{ "const": "text" }, { "const": "markdown" }] });
        let with = |mark: Value| {
            let properties = json!({
                "links": { "type": "boolean", "x-needs": mark },
                "mode": modes,
                "modes": { "type": "array", "items": { "enum": ["a", "b"] } },
                "free": { "type": "string" },
            });
            said(Kind::Exporter, &properties)
        };
        for fine in [
            json!({ "mode": ["markdown"] }),
            json!({ "modes": { "has": ["a"] } }),
            json!({ "free": ["anything"] }),
            json!([{ "free": "some" }, { "from": { "not": ["failed"] } }]),
        ] {
            assert_eq!(with(fine.clone()), "fine", "{fine}");
        }
        for (wrong, why) in [
            (
                json!({ "colums": "some" }),
                "option `links` needs `colums` (`x-needs`), which is no other option of it",
            ),
            (
                json!({ "links": [true] }),
                "option `links` needs `links` (`x-needs`), which is no other option of it",
            ),
            (
                json!({ "mode": ["html"] }),
                "option `links` names \"html\" for `mode` (`x-needs`), which it cannot be",
            ),
            (
                json!({ "modes": { "has": ["c"] } }),
                "option `links` names \"c\" for `modes` (`x-needs`), which it cannot be",
            ),
            (json!("mode"), "`x-needs` of option `links`: `\"mode\"` names no option"),
        ] {
            assert_eq!(with(wrong.clone()), why, "{wrong}");
        }
        let beside = json!({ "raw": { "x-needs": { "from": { "not": ["failed"] } } } });
        assert_ne!(said(Kind::Filter, &beside), "fine", "a filter has no `from` beside it");
    }

    #[test]
    fn bounds_are_keys_that_bound() {
        let with = |key: &str| said(Kind::Reader, &json!({ "max_bytes": { "x-at-most": key } }));
        assert_eq!(with("max_record_bytes"), "fine");
        assert_eq!(
            with("memory"),
            "option `max_bytes` is bounded by \"memory\" (`x-at-most`), but the bounds are max_record_bytes"
        );
    }
}
