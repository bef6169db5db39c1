//! Records as JSON text, for exporters whose formats have no better place for what is nested.

use tamis_document::{Limit, ValueRef};

use crate::ExportView;

/// Appends a value as JSON; one that is JSON already as it stands.
pub fn push_json(value: ValueRef<'_>, out: &mut String) {
    match value {
        ValueRef::Json(json) => out.push_str(json),
        // Scalars always have a JSON form, numbers that are none as `null`.
        other => out.push_str(&serde_json::to_string(&other).unwrap_or_else(|_| "null".to_owned())),
    }
}

/// A JSON object of members, in the order in which they come.
///
/// ```
/// use tamis_document::ValueRef;
///
/// let members = [("site", ValueRef::String("a.example")), ("status", ValueRef::Integer(200))];
/// assert_eq!(tamis_stage::json_object(members.into_iter()), r#"{"site":"a.example","status":200}"#);
/// ```
pub fn json_object<'a>(members: impl Iterator<Item = (&'a str, ValueRef<'a>)>) -> String {
    let mut json = String::from("{");
    for (name, value) in members {
        if json.len() > 1 {
            json.push(',');
        }
        push_json(ValueRef::String(name), &mut json);
        json.push(':');
        push_json(value, &mut json);
    }
    json.push('}');
    json
}

impl ExportView<'_> {
    /// The measures as a JSON list of objects with `name`, `value` and, where there is a limit, `min` or `max`;
    /// a list, because a stage may measure the same thing more than once.
    pub fn measures_json(&self) -> String {
        let list = self.measures.iter().map(|measure| {
            let limit = match measure.limit {
                Limit::None => None,
                Limit::Min(limit) => Some(("min", number(limit))),
                Limit::Max(limit) => Some(("max", number(limit))),
            };
            let first = [("name", ValueRef::String(&measure.name)), ("value", number(measure.value))];
            json_object(first.into_iter().chain(limit))
        });
        format!("[{}]", list.collect::<Vec<_>>().join(","))
    }

    /// Where the record was read, as a JSON object of `file`, `offset`, `length` and `ordinal`.
    pub fn origin_json(&self) -> String {
        let (offset, length) = self.span;
        let mut file = String::new();
        push_json(ValueRef::String(self.file), &mut file);
        let ordinal = self.document.ordinal();
        format!("{{\"file\":{file},\"offset\":{offset},\"length\":{length},\"ordinal\":{ordinal}}}")
    }
}

/// Counts read better without `.0`.
fn number(value: f64) -> ValueRef<'static> {
    // Up to here every whole `f64` is exact.
    const MAX_EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        value if !value.is_finite() => ValueRef::Null,
        value if value.fract() == 0.0 && value.abs() <= MAX_EXACT => ValueRef::Integer(value as i64),
        value => ValueRef::Float(value),
    }
}
