//! Members of objects, named with dots: taken out of the JSON that holds them, or left alone in it.
//!
//! [`crate::member`] finds one.

use std::fmt;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

use crate::Json;

/// An object whose members stay in their order and as they are written: numbers keep their digits.
struct Object(Vec<(String, Box<RawValue>)>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;

        impl<'de> Visitor<'de> for Members {
            type Value = Object;

            fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                out.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Object(members))
            }
        }

        deserializer.deserialize_map(Members)
    }
}

impl Serialize for Object {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// The ways to read a name with dots: the field or member that it begins with, and what is left; the longest first,
/// because names may have dots of their own.
pub fn ways(name: &str) -> impl Iterator<Item = (&str, &str)> {
    name.rmatch_indices('.').filter_map(move |(dot, _)| Some((name.get(..dot)?, name.get(dot + 1..)?)))
}

/// An object without the member that a name leads to, and without the objects on the way in which nothing is left, the
/// outermost apart; `None` if there is no such member.
///
/// ```
/// use tamis_document::nested::without;
///
/// let left = without(r#"{"page": {"html": "<p>", "lines": 1.50}}"#, "page.html");
/// assert_eq!(left.as_ref().map(|left| left.as_str()), Some(r#"{"page":{"lines":1.50}}"#));
/// ```
pub fn without(json: &str, name: &str) -> Option<Json> {
    object_without(json, name).map(Json::from)
}

fn object_without(json: &str, name: &str) -> Option<Box<RawValue>> {
    let Object(mut members) = serde_json::from_str(json).ok()?;
    let n_members = members.len();
    members.retain(|(member, _)| member != name);
    if members.len() == n_members {
        let (index, inner) = ways(name).find_map(|(outer, inner)| {
            // Of two members of one name the last is the one that is read.
            let index = members.iter().rposition(|(member, _)| member == outer)?;
            Some((index, object_without(members[index].1.get(), inner)?))
        })?;
        if inner.get() == "{}" {
            members.remove(index);
        } else {
            members[index].1 = inner;
        }
    }
    serde_json::value::to_raw_value(&Object(members)).ok()
}

/// An object with those members alone that the names lead to; `None` if there is none of them.
pub fn only(json: &str, names: &[&str]) -> Option<Json> {
    object_of(json, names).map(Json::from)
}

fn object_of(json: &str, names: &[&str]) -> Option<Box<RawValue>> {
    let Object(members) = serde_json::from_str(json).ok()?;
    let kept = members.into_iter().filter_map(|(member, value)| {
        if names.contains(&member.as_str()) {
            return Some((member, value));
        }
        let inner: Vec<&str> =
            names.iter().filter_map(|name| name.strip_prefix(member.as_str())?.strip_prefix('.')).collect();
        let value = if inner.is_empty() { None } else { object_of(value.get(), &inner) }?;
        Some((member, value))
    });
    let kept: Vec<_> = kept.collect();
    if kept.is_empty() { None } else { serde_json::value::to_raw_value(&Object(kept)).ok() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"z": {"b": 1.50, "a.c": [1], "d": {"e": 12345678901234567890123}}, "a": null}"#;

    fn text(value: Option<Json>) -> Option<String> {
        value.map(|value| value.as_str().to_owned())
    }

    #[test]
    fn a_member_goes_and_the_others_stay_as_they_are_written() {
        for (name, left) in [
            ("a", Some(r#"{"z":{"b": 1.50, "a.c": [1], "d": {"e": 12345678901234567890123}}}"#)),
            ("z.b", Some(r#"{"z":{"a.c":[1],"d":{"e": 12345678901234567890123}},"a":null}"#)),
            ("z.a.c", Some(r#"{"z":{"b":1.50,"d":{"e": 12345678901234567890123}},"a":null}"#)),
            ("z.d.e", Some(r#"{"z":{"b":1.50,"a.c":[1]},"a":null}"#)),
            ("z.d.f", None),
            ("a.b", None),
            ("", None),
            (".", None),
        ] {
            assert_eq!(text(without(JSON, name)).as_deref(), left, "{name}");
        }
        assert_eq!(text(without("[1]", "a")), None);
    }

    #[test]
    fn members_stay_alone() {
        for (names, left) in [
            (&["a", "nope"][..], Some(r#"{"a":null}"#)),
            (&["z.d.e", "z.a.c"], Some(r#"{"z":{"a.c":[1],"d":{"e":12345678901234567890123}}}"#)),
            (&["z", "z.b"], Some(r#"{"z":{"b": 1.50, "a.c": [1], "d": {"e": 12345678901234567890123}}}"#)),
            (&["z.f", "a.b"], None),
        ] {
            assert_eq!(text(only(JSON, names)).as_deref(), left, "{names:?}");
        }
    }
}
