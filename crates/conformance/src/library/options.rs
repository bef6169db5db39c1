//! Options, before anything else is asked of a stage.

use serde_json::{Value, json};
use tamis_stage::StageFactory;

use super::{Results, is_mistake};

pub(super) fn check(factory: &dyn StageFactory, results: &mut Results) {
    results.run("refuses an option that it does not have", || refuses_unknown(factory));
    results.run("takes or refuses any value of an option", || any_value(factory));
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
